"""What a network says about pictures."""

import keras
import numpy as np
import pytest
from tiny import NAMES, picture, tiny_model

import kerasviz as kv
from kerasviz.inputs.sources import find_images
from kerasviz.runs.predicting import predictions

layers = keras.layers


def network_of(*stack):
    return kv.open(keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(1 / 255), *stack]))


def guesses_of(network, tmp_path, top=5):
    (predicted,) = predictions(network, find_images([str(picture(tmp_path / "photo.png"))]), top)
    return predicted.guesses


def test_the_first_classes_are_those_of_the_models_own_output(tmp_path):
    network = kv.open(tiny_model(tmp_path))
    for number in range(3):
        picture(tmp_path / "photos" / f"{number}.png", number)
    found = list(predictions(network, find_images([str(tmp_path / "photos")]), top=2, batch_size=2))
    for predicted in found:
        outputs = network.predict(predicted.source.path)
        best = np.argsort(-outputs)[:2]
        assert [guess.index for guess in predicted.guesses] == list(best)
        assert [guess.name for guess in predicted.guesses] == [NAMES[index] for index in best]
        np.testing.assert_allclose([guess.probability for guess in predicted.guesses], outputs[best], rtol=1e-5)
    assert len(found) == 3


def test_one_sigmoid_unit_has_two_sides(tmp_path):
    network = network_of(layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid"))
    first, second = guesses_of(network, tmp_path)
    (output,) = network.predict(tmp_path / "photo.png")
    assert {first.index, second.index} == {0, 1}
    assert first.score == -second.score >= 0
    assert {first.index: first.probability, second.index: second.probability}[1] == pytest.approx(output, rel=1e-5)


def test_a_segmentation_gives_the_share_of_each_class(tmp_path):
    network = network_of(layers.Conv2D(3, 1, bias_initializer=keras.initializers.Constant(0.1)), layers.Softmax())
    found = guesses_of(network, tmp_path)
    winners = network.predict(tmp_path / "photo.png").argmax(-1)
    assert {guess.index: guess.share for guess in found} == {
        k: pytest.approx((winners == k).mean(), abs=1e-6) for k in range(3)
    }
    assert [guess.share for guess in found] == sorted((guess.share for guess in found), reverse=True)


def test_a_regression_gives_its_values_and_no_probability(tmp_path):
    network = network_of(layers.GlobalAveragePooling2D(), layers.Dense(1))
    (guess,) = guesses_of(network, tmp_path)
    assert guess.score == pytest.approx(float(network.predict(tmp_path / "photo.png")[0]), rel=1e-5)
    assert (guess.probability, guess.name) == (None, "unit 0")


def test_a_linear_head_has_scores_and_no_probabilities(tmp_path):
    found = guesses_of(network_of(layers.GlobalAveragePooling2D(), layers.Dense(4)), tmp_path, top=9)
    assert len(found) == 4
    assert [guess.probability for guess in found] == [None] * 4


def test_a_picture_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nothing")
    (predicted,) = predictions(kv.open(tiny_model(tmp_path)), find_images([str(tmp_path / "bad.png")]))
    assert predicted.failed
    assert "bad.png" in predicted.record["messages"][0]
