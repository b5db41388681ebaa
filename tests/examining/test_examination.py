"""What `Network.describe` tells, on networks where every answer is known beforehand."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers as kl
from networks import LABELS, random_model, random_pictures

import kerasviz as kv
from kerasviz.records import as_json
from kerasviz.registry import TECHNIQUES


def functional(parts, shape=(8, 8, 3)):
    """A functional model of layers that follow each other."""
    start = x = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(start, x)


def top(activation="softmax"):
    return [kl.GlobalAveragePooling2D(name="gap"), kl.Dense(5, activation=activation, name="scores")]


def inner():
    """A model to be used inside another."""
    first, last = kl.Conv2D(4, 3, name="first"), kl.Conv2D(6, 3, activation="relu", name="last")
    start = keras.Input((8, 8, 3))
    return keras.Model(start, last(first(start)), name="inner")


def described(*parts, images=None, shape=(8, 8, 3), **facts):
    return kv.open(functional(list(parts), shape), **facts).describe(images)


@pytest.fixture(scope="module")
def usual():
    model = functional([inner(), *top()])
    model.get_layer("inner").get_layer("first").trainable = False
    return kv.open(model, labels=["a", "b", "c", "d", "e"]).describe()


def test_it_is_frozen_and_becomes_json(usual):
    with pytest.raises(dataclasses.FrozenInstanceError):
        usual.title = "another"
    found = json.loads(as_json(usual.as_dict()))
    assert (found["schema"], found["kerasviz"], found["file"]) == (1, kv.__version__, None)
    assert found["network"]["default"]["path"] == "inner/last"


def test_parameters_are_counted_once_and_by_what_training_may_change(usual):
    counted = usual.network.parameters
    assert (counted.total, counted.trainable, counted.frozen) == (112 + 222 + 35, 222 + 35, 112)
    assert {layer.path: layer.trainable for layer in usual.network.layers}["inner"] == 222


def test_a_layer_that_is_called_twice_is_counted_once():
    shared = kl.Conv2D(3, 1, name="shared")
    assert described(shared, shared, *top()).network.parameters.total == 12 + 20


def test_batch_statistics_are_not_trained():
    counted = described(kl.Conv2D(4, 3, use_bias=False), kl.BatchNormalization(), *top()).network.parameters
    assert (counted.total, counted.trainable) == (108 + 16 + 25, 108 + 8 + 25)


def test_frozen_layers_of_keras_2_are_counted_as_such():
    of = tf_keras.layers
    conv = of.Conv2D(4, 3, trainable=False)
    model = tf_keras.Sequential([of.InputLayer((8, 8, 3)), conv, of.GlobalAveragePooling2D(), of.Dense(5)])
    counted = kv.open(model).describe().network.parameters
    assert (counted.total, counted.trainable) == (112 + 25, 25)


def test_inputs_and_outputs_have_names_shapes_and_heads():
    found = kv.open(random_model("predictions", "side", "value", "values", "segments", "mask")).describe().network
    assert [(one.shape, one.dtype, one.picture) for one in found.inputs] == [((6, 7, 3), "float32", True)]
    assert [(one.shape, one.head, one.scores) for one in found.outputs] == [
        ((5,), "softmax", "logit"),
        ((1,), "one unit", "logit"),
        ((1,), "one unit", "output"),
        ((3,), "linear", "output"),
        ((6, 7, 3), "map", "logit"),
        ((6, 7, 1), "map", "logit"),
    ]


def test_several_sigmoids_and_features_have_heads_of_their_own():
    assert described(kl.Conv2D(4, 3), *top("sigmoid")).network.outputs[0].head == "sigmoid"
    assert described(kl.Conv2D(4, 3), kl.BatchNormalization()).network.outputs[0].head == "other"


@pytest.mark.parametrize(
    ("parts", "path", "why"),
    [
        ([kl.Conv2D(4, 3, name="c"), *top()], "c", "the last maps before pooling in 'gap': 6 x 6 x 4"),
        ([kl.Conv2D(4, 3, name="c"), kl.Flatten(name="row"), kl.Dense(2)], "c",
         "the last maps before they become one row in 'row': 6 x 6 x 4"),
        ([kl.Conv2D(4, 3, name="c"), kl.Conv2D(2, 1, activation="softmax", name="map")], "c",
         "the last maps before the output 'map': 6 x 6 x 4"),
        ([kl.Conv2D(4, 3), kl.BatchNormalization(), kl.ReLU(6.0, name="c")], "c",
         "the last maps of the network: 6 x 6 x 4"),
        ([kl.Flatten(), kl.Dense(2)], None, "Expected a layer with maps"),
    ],
)  # fmt: skip
def test_the_default_layer_comes_with_its_reason(parts, path, why):
    default = described(*parts).network.default
    assert default.path == path
    assert default.why.startswith(why)


def test_techniques_that_do_not_fit_say_what_to_use_instead():
    flat = [kl.Conv2D(4, 3, activation="relu"), kl.Flatten(), kl.Dense(5, activation="softmax")]
    fits = {fit.technique: fit for fit in described(*flat).network.techniques}
    assert list(fits) == [technique.name for technique in TECHNIQUES]
    assert fits["gradcam"].fits
    assert fits["saliency"].why == ""
    assert not fits["cam"].fits
    assert "Use gradcam" in fits["cam"].why
    nothing = {fit.technique: fit.fits for fit in described(kl.Flatten(), kl.Dense(2)).network.techniques}
    assert (nothing["gradcam"], nothing["saliency"]) == (False, True)


def test_what_does_not_fit_is_what_the_engine_itself_refuses():
    network = kv.open(functional([kl.Conv2D(4, 3), kl.Flatten(), kl.Dense(5)]))
    picture = random_pictures(1, shape=(8, 8, 3))[0]
    for fit in network.describe().network.techniques:
        engine = next(technique for technique in TECHNIQUES if technique.name == fit.technique).load()()
        if fit.fits:
            engine(network, picture)
        else:
            with pytest.raises(kv.KerasvizError) as raised:
                engine(network, picture)
            assert str(raised.value) == fit.why


class Noisy(kl.Layer):
    """Chance, whatever it is told about training."""

    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


def test_a_network_that_answers_at_random_is_found_out(usual):
    assert usual.network.steady is True
    assert described(kl.Conv2D(4, 3), Noisy(), *top()).network.steady is False


def test_how_pixels_are_scaled_and_how_sure_that_is():
    certain = described(kl.Rescaling(1 / 255), kl.Conv2D(4, 3), *top()).network.scaling
    assert (certain.name, certain.how) == ("none", "inside")
    assert certain.said.startswith("certain")
    said = described(kl.Conv2D(4, 3), *top(), preprocess="-1..1").network.scaling
    assert (said.name, said.how) == ("-1..1", "given")
    asks = described(kl.Conv2D(4, 3), *top()).network.scaling
    assert (asks.name, asks.how) == (None, None)
    assert "--preprocess" in asks.said


def test_photographs_that_cannot_be_scaled_leave_the_question_and_all_the_rest():
    found = described(kl.Conv2D(4, 3), *top(), images=np.zeros((2, 8, 8, 3), np.uint8))
    assert found.network.scaling.name is None
    assert "--preprocess" in found.network.scaling.said
    assert found.pictures.answered == 0
    assert found.network.default.path


@pytest.mark.parametrize(
    ("labels", "count", "said"),
    [(None, 0, "no names"), (LABELS, 5, "5 names")],
)
def test_whether_classes_have_names(labels, count, said):
    found = kv.open(random_model("predictions"), labels=labels).describe().network.labels
    assert (found.count, found.first) == (count, tuple((labels or ())[:3]))
    assert found.said.startswith(said)


# Pictures.


def with_dead_units():
    """Of four rectified channels one is always 0, and one wherever the picture is not brighter than 5."""
    conv = kl.Conv2D(4, 1, activation="relu", name="rectified")
    model = functional([conv, kl.Dropout(0.5), *top()])
    conv.set_weights([np.tile([1.0, -1.0, 1.0, 1.0], (1, 1, 3, 1)), np.array([0.0, -1.0, -15.0, 1.0])])
    return kv.open(model, preprocess="none")


def test_units_that_no_picture_wakes_are_counted():
    network = with_dead_units()
    dark, bright = np.full((8, 8, 3), 1.0, "float32"), np.full((8, 8, 3), 9.0, "float32")
    found = network.describe([dark, dark]).pictures
    assert (found.answered, found.watched) == (2, 1)
    assert [(one.layer, one.channels, one.dead, one.first) for one in found.dead] == [("rectified", 4, 2, (1, 2))]
    (one,) = network.describe([dark, bright]).pictures.dead
    assert (one.dead, one.first) == (1, (1,))


def test_the_first_classes_are_those_of_the_network():
    network = kv.open(random_model("predictions"), labels=LABELS)
    pictures = random_pictures(3)
    found = network.describe(pictures).pictures
    chances = network.predict(pictures)
    assert [seen.path for seen in found.seen] == ["image_0000", "image_0001", "image_0002"]
    for seen, row in zip(found.seen, chances, strict=True):
        assert [guess.index for guess in seen.guesses] == list(np.argsort(-row, kind="stable"))
        np.testing.assert_allclose([guess.probability for guess in seen.guesses], np.sort(row)[::-1], rtol=1e-5)
        assert seen.guesses[0].name == LABELS[seen.guesses[0].index]


def test_without_pictures_nothing_is_said_of_them(usual):
    assert usual.pictures is None


def test_an_unbuilt_model_is_known_once_it_has_seen_a_picture():
    model = keras.Sequential([kl.Conv2D(4, 3, name="conv"), *top()])
    with pytest.raises(kv.ModelError, match="has not been built"):
        kv.open(model).describe()
    found = kv.open(model).describe(random_pictures(1, shape=(8, 8, 3)))
    assert found.network.default.path == "conv"
    assert found.pictures.answered == 1
