"""The forms of a target that the reference lists are those that are read, and mean what it says."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import kerasviz as kv
from kerasviz.grammar import FORMS

EXAMPLES = [(example, form.kind) for form in FORMS for example in form.examples]
NAMES = [f"thing {number}" for number in range(1000)]
NAMES[281], NAMES[282], NAMES[285], NAMES[7] = "tabby", "tiger cat", "Egyptian cat", "car"
SYNSETS = [f"n{number:08d}" for number in range(1000)]
SYNSETS[281] = "n02123045"


def classifier():
    """Classes 1000, a layer conv2 of 41 maps, and a second output of four units."""
    layers = keras.layers
    picture = keras.Input((12, 14, 3))
    maps = layers.Conv2D(41, 3, name="conv2")(picture)
    pooled = layers.GlobalAveragePooling2D()(maps)
    classes = layers.Dense(1000, activation="softmax", name="classes")(pooled)
    return keras.Model(picture, [classes, layers.Dense(4, name="size")(pooled)])


def segmenter():
    picture = keras.Input((8, 8, 3))
    return keras.Model(picture, keras.layers.Conv2D(8, 1, activation="softmax")(picture))


def regression():
    picture = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(picture)
    return keras.Model(picture, keras.layers.Dense(3)(pooled))


@pytest.fixture(scope="module")
def networks():
    keras.utils.set_random_seed(3)
    labels = list(zip(SYNSETS, NAMES, strict=True))
    return {
        "class": kv.open(classifier(), preprocess="0..1", labels=labels),
        "map": kv.open(segmenter(), preprocess="0..1", labels=NAMES[:8]),
        "value": kv.open(regression(), preprocess="0..1"),
    }


@pytest.mark.parametrize(("example", "kind"), EXAMPLES)
def test_each_example_is_read_as_what_it_is_said_to_be(networks, example, kind):
    network = networks.get(kind, networks["class"])
    photo = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    (given, *_), _ = network.prepare([photo])
    results = list(kv.Saliency().explain(network, [replace(given, truth="tabby")], example))
    assert {result.target.kind for result in results} == {kind}
    assert {result.target.asked for result in results} == {example}


@pytest.mark.parametrize("example", ["281", "tabby", "n02123045", "tiger cat"])
def test_a_class_is_found_by_number_name_and_synset(networks, example):
    photo = np.zeros((12, 14, 3), np.uint8)
    found = kv.GradCAM()(networks["class"], photo, target=example).target
    assert (found.index, found.name) == ((282, "tiger cat") if example == "tiger cat" else (281, "tabby"))
