"""Where scaling cannot be known, the question says what each answer would lead to."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from kind import body, functional, top
from PIL import Image

import kerasviz as kv

PHOTOS = np.random.default_rng(3).integers(0, 256, (2, 8, 8, 3)).astype("uint8")


def asked(network, pictures=PHOTOS) -> str:
    with pytest.raises(kv.SettingError) as caught:
        kv.Saliency()(network, pictures)
    return str(caught.value)


def test_each_candidate_is_shown_with_what_it_leads_to(tmp_path):
    model = functional([*body(), *top()])
    network = kv.open(model, labels=["one", "two", "three", "four", "five"])
    Image.fromarray(PHOTOS[0]).save(tmp_path / "photo.png")
    said = asked(network, [tmp_path / "photo.png", PHOTOS[1]])
    lines = said.splitlines()
    assert "It cannot be known how pixels must be scaled for this model" in lines[0]
    assert "Say what it was trained on with --preprocess none, 0..1, -1..1, caffe, torch or MODULE:FUNCTION" in lines[0]
    assert lines[1] == "Of photo.png the network says:"
    for line, name in zip(lines[2:], ["none", "0..1", "-1..1", "caffe", "torch"], strict=True):
        answer = kv.open(model, preprocess=name).predict(PHOTOS[0])
        best = network.labels.name(int(answer.argmax()))
        assert line.split() == [name, best, f"{answer.max():.0%}"]
    assert network.traces == 1  # all candidates in one batch
    assert network.predict(PHOTOS.astype("float32")).shape == (2, 5)  # and the network is as it was


def test_a_question_can_be_asked_again_and_answered():
    model = functional([*body(), *top()])
    network = kv.open(model)
    assert asked(network) == asked(network)
    assert kv.open(model, preprocess="0..1").predict(PHOTOS).shape == (2, 5)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (lambda: functional([*body(), *top()], (8, 8, 1)), ["none", "0..1", "-1..1"]),
        (lambda: functional([*body(), *top()], (8, 8, 4)), ["none", "0..1", "-1..1"]),
        (lambda: functional([kl.Rescaling(0.4, 0.1), *body(), *top()]), ["0..1", "-1..1"]),
    ],
)
def test_what_is_impossible_is_no_candidate(model, names):
    lines = asked(kv.open(model())).splitlines()
    assert [line.split()[0] for line in lines[2:]] == names
    assert f"--preprocess {', '.join(names)} or MODULE:FUNCTION" in lines[0]


def test_what_it_begins_with_is_told():
    assert "it begins with 0.4 x + 0.1, which is not for 0..255" in asked(
        kv.open(functional([kl.Rescaling(0.4, 0.1), *body(), *top()]))
    )


def test_a_network_that_exchanges_red_and_blue_takes_rgb():
    start = keras.Input((8, 8, 3))
    hidden = functional([*body(), *top()])
    said = asked(kv.open(keras.Model(start, hidden(start[..., ::-1]))))
    assert said.endswith("It exchanges red and blue itself, so it takes RGB.")
    assert "-1..1, torch or" in said  # caffe exchanges them itself


@pytest.mark.parametrize("units", [1, 3])
def test_networks_of_one_unit_and_of_logits_answer_too(units):
    end = kl.Dense(1, activation="sigmoid") if units == 1 else kl.Dense(3)
    lines = asked(kv.open(functional([*body(), kl.GlobalAveragePooling2D(), end]))).splitlines()
    assert len(lines) == 7
    assert all(line.split()[1] == "class" and line.endswith("%") for line in lines[2:])


def test_of_what_does_not_classify_only_the_names_are_told():
    lines = asked(kv.open(functional([*body(), kl.Conv2D(4, 1, activation="softmax")]))).splitlines()
    assert len(lines) == 1


def test_the_statistics_hint_at_an_answer():
    """A BatchNormalization behind the first convolution has kept what 0..1 looks like."""
    model = functional(
        [kl.Conv2D(6, 3, name="first"), kl.BatchNormalization(name="norm"), kl.ReLU(), *top()], (32, 32, 3)
    )
    photos = (np.random.default_rng(0).beta(2, 2, (4, 32, 32, 3)) * 255).astype("uint8")
    for name, scaled in {"0..1": photos / 255, "-1..1": photos / 127.5 - 1}.items():
        seen = model.get_layer("first")(scaled.astype("float32")).numpy()
        norm = model.get_layer("norm")
        norm.moving_mean.assign(seen.mean((0, 1, 2)))
        norm.moving_variance.assign(seen.var((0, 1, 2)))
        said = asked(kv.open(model), photos)
        assert said.endswith(f"The statistics of its first BatchNormalization fit {name} best.")
