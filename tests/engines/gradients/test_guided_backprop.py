"""Guided backpropagation: what is its own. Which operations are rectifiers is in tests/models/test_rectifiers.py."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from networks import (
    LINEAR_RGB,
    ONE_CONV,
    RANDOM_SHAPE,
    TWINS,
    XA,
    XB,
    Chain,
    model_of,
    network,
    random_network,
    random_pictures,
    random_weights,
)

import kerasviz as kv

layers, ops = keras.layers, keras.ops

BY_HAND = (  # field-notes S3 and S4, as captum's tests have them
    (XA, [[0, 1, 1, 1], [1, 3, 3, 2], [1, 3, 3, 2], [1, 2, 2, 1]]),
    (XB, [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]),
)


@pytest.mark.parametrize("kind", TWINS)
def test_the_guided_gradient_of_a_convolution_solved_by_hand(kind):
    for picture, expected in BY_HAND:
        result = kv.GuidedBackprop()(network(ONE_CONV, kind), picture, 0)
        np.testing.assert_array_equal(result.values[..., 0], expected)
        assert (result.diagnosis["guided"], result.diagnosis["left_alone"]) == (2, 0)


# Two convolutions of weights without a meaning, against float64 arithmetic that knows no TensorFlow.


def slow(picture, target):
    """The guided gradient of a logit of the random network, (h, w, 3) float64."""
    weights = {name: [part.astype("float64") for part in parts] for name, parts in random_weights().items()}
    below = convolved(picture.astype("float64"), *weights["conv4"])
    above = convolved(np.maximum(below, 0), *weights["conv5"])
    slope = np.broadcast_to(weights["predictions"][0][:, target] / above[..., 0].size, above.shape)
    slope = np.maximum(slope, 0) * (above > 0)
    slope = np.maximum(returned(slope, weights["conv5"][0]), 0) * (below > 0)
    return returned(slope, weights["conv4"][0])


def convolved(maps, kernel, bias):
    """(h, w, C), (3, 3, C, K) -> (h, w, K), padded with zeros."""
    height, width, _ = maps.shape
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    cells = [[np.tensordot(padded[y : y + 3, x : x + 3], kernel, 3) for x in range(width)] for y in range(height)]
    return np.array(cells) + bias


def returned(slope, kernel):
    """(h, w, K) -> (h, w, C): what each cell's window looked at gets its share."""
    height, width, _ = slope.shape
    padded = np.zeros((height + 2, width + 2, kernel.shape[2]))
    for y in range(height):
        for x in range(width):
            padded[y : y + 3, x : x + 3] += kernel @ slope[y, x]
    return padded[1:-1, 1:-1]


def chain(relu):
    """The random network, its two ReLUs written in some way."""
    names = ("conv4", "conv5", "predictions")

    def build():
        return [
            layers.Conv2D(4, 3, padding="same", name="conv4"),
            relu(),
            layers.Conv2D(5, 3, padding="same", name="conv5"),
            relu(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, "softmax", name="predictions"),
        ]

    return Chain("random_chain", RANDOM_SHAPE, build, {name: random_weights()[name] for name in names}, inner=2)


class Written(layers.Layer):
    """A layer whose call is one operation."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


class Operation:
    """A function in the place of a layer: Keras makes a node of its own of it."""

    name = ""

    def __init__(self, function):
        self.function = function

    def __call__(self, x):
        return self.function(x)


LAYER = chain(layers.ReLU)
WRITTEN = {
    "Activation": chain(partial(layers.Activation, "relu")),
    "ops.relu": chain(lambda: Operation(ops.relu)),
    "ops.maximum": chain(lambda: Operation(lambda x: ops.maximum(x, 0))),
    "in a layer": chain(lambda: Written(tf.nn.relu)),
    "where": chain(lambda: Written(lambda x: tf.where(x > 0, x, 0))),
}


def check(model):
    for picture, target in zip(random_pictures(3), (1, 2, 4), strict=True):
        expected = slow(picture, target)
        result = kv.GuidedBackprop()(model, picture, target)
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        assert (result.diagnosis["guided"], result.diagnosis["left_alone"]) == (2, 0)


@pytest.mark.parametrize("kind", TWINS)
def test_numbers_are_those_of_slow_arithmetic(kind):
    check(network(LAYER, kind))


@pytest.mark.parametrize("name", WRITTEN)
def test_however_its_relus_are_written(name):
    check(kv.open(model_of(WRITTEN[name])))


def test_activations_of_the_convolutions_themselves():
    check(random_network("predictions"))


def tf_keras_twin(folder=None, end=""):
    model = tf_keras.Sequential(
        [
            tf_keras.layers.InputLayer(RANDOM_SHAPE),
            tf_keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv4"),
            tf_keras.layers.Conv2D(5, 3, padding="same", name="conv5"),
            tf_keras.layers.Activation("relu"),
            tf_keras.layers.GlobalAveragePooling2D(),
            tf_keras.layers.Dense(5, "softmax", name="predictions"),
        ]
    )
    for name in ("conv4", "conv5", "predictions"):
        model.get_layer(name).set_weights(random_weights()[name])
    return model


def test_live_models_of_keras_2():
    check(tf_keras_twin())


@pytest.mark.parametrize("end", [".h5", ".keras", ".sm"])
def test_files_of_keras_2(tmp_path, end):
    path = tmp_path / f"twin{end}"
    tf_keras_twin().save(path, **({"save_format": "tf"} if end == ".sm" else {}))
    check(path)


def test_a_graph_that_was_exported(tmp_path):
    network(LAYER).model.export(tmp_path / "exported", verbose=False)
    check(tmp_path / "exported")


# Beside the plain gradient.


def test_saliency_of_the_same_network_is_the_same_before_and_after():
    opened, pictures = kv.open(model_of(LAYER)), random_pictures(2)
    before = kv.Saliency()(opened, pictures, 1)
    guided = kv.GuidedBackprop()(opened, pictures, 1)
    after, fresh = kv.Saliency()(opened, pictures, 1), kv.Saliency()(opened, pictures, "1-2")
    for one, other, same, contrast in zip(before, guided, after, fresh, strict=True):
        np.testing.assert_array_equal(one.values, same.values)
        assert np.abs(one.values - other.values).max() > 1e-3
        assert not np.array_equal(contrast.values, other.values)
    again = kv.Saliency()(kv.open(model_of(LAYER)), pictures, 1)
    np.testing.assert_array_equal([one.values for one in before], [one.values for one in again])


def test_it_is_the_plain_gradient_where_no_slope_is_negative():
    model = model_of(LAYER)
    model.set_weights([np.abs(weights) for weights in model.get_weights()])
    for picture in random_pictures(3):
        guided, plain = (engine(model, picture, 0).values for engine in (kv.GuidedBackprop(), kv.Saliency()))
        np.testing.assert_array_equal(guided, plain)


def test_it_does_not_pass_back_what_speaks_against():
    model = model_of(ONE_CONV)
    model.get_layer("dense").set_weights([-np.ones((8, 4))])
    np.testing.assert_array_equal(kv.GuidedBackprop()(model, XA, "relu1:0").values[..., 0] >= 0, True)
    assert not kv.GuidedBackprop()(model, XA, 0).values.any()


def test_other_units_of_a_layer_can_be_asked_for():
    picture = random_pictures(1)[0]
    result = kv.GuidedBackprop()(network(LAYER), picture, "conv5:2")
    assert result.diagnosis["guided"] == 1
    assert result.values.any()


def test_channels_become_one_number_as_those_of_saliency():
    picture = random_pictures(1)[0]
    for reduce, of in (("max-abs", lambda v: np.abs(v).max(-1)), ("sum", lambda v: v.sum(-1))):
        result = kv.GuidedBackprop(reduce=reduce)(network(LAYER), picture, 0)
        np.testing.assert_allclose(result.heatmap, of(result.values), rtol=1e-5, atol=1e-7)


# What is left alone, and refused.


def test_other_non_linearities_are_counted():
    relus = iter([layers.ReLU, lambda: layers.Activation("hard_silu")] * 2)
    result = kv.GuidedBackprop()(model_of(chain(lambda: next(relus)())), random_pictures(1)[0], 0)
    assert (result.diagnosis["guided"], result.diagnosis["left_alone"]) == (1, 1)


@pytest.mark.parametrize(
    ("activation", "said"),
    [("silu", r", but 2 sigmoid or swish:"), ("gelu", r", but 2 GELU:"), ("leaky_relu", r", but 2 leaky ReLU:")],
)
def test_a_network_without_relus_is_refused_with_what_it_has(activation, said):
    model = model_of(chain(lambda: layers.Activation(activation)))
    with pytest.raises(kv.TechniqueError, match=rf"there is none{said} .*Use saliency"):
        kv.GuidedBackprop()(model, random_pictures(1)[0], 0)


def test_a_linear_network_is_refused():
    with pytest.raises(kv.TechniqueError, match=r"there is none: it would be the plain gradient\. Use saliency"):
        kv.GuidedBackprop()(network(LINEAR_RGB), random_pictures(1, shape=(2, 2, 3))[0], 0)


def test_relus_out_of_reach_are_refused_with_the_cure():
    model = model_of(chain(lambda: Written(tf.function(tf.nn.relu))))
    with pytest.raises(kv.TechniqueError, match=r"this network has 2 there\. Take the tf\.function off their layer"):
        kv.GuidedBackprop()(model, random_pictures(1)[0], 0)


# The fast copy.


def test_a_hard_sigmoid_stays_one_in_the_fast_copy():
    keras.utils.set_random_seed(4)
    pixels = keras.Input((8, 8, 3))
    maps = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(pixels)))
    gates = layers.Activation("hard_sigmoid")(layers.BatchNormalization()(layers.Conv2D(4, 3)(maps)))
    model = keras.Model(pixels, layers.Dense(3)(layers.GlobalAveragePooling2D()(gates)))
    picture = random_pictures(1, shape=(8, 8, 3))[0]
    fast, slow_ = (kv.GuidedBackprop()(kv.open(model, fast=fast), picture, 1) for fast in (True, False))
    assert (fast.origin.way, slow_.origin.way) == ("fast", "watched")
    assert (fast.diagnosis["guided"], fast.diagnosis["left_alone"]) == (1, 1)
    assert (slow_.diagnosis["guided"], slow_.diagnosis["left_alone"]) == (1, 1)
    np.testing.assert_allclose(fast.values, slow_.values, rtol=1e-3, atol=1e-5)


def test_the_caption_says_what_it_is_worth():
    assert "do not read it as evidence" in kv.GuidedBackprop().caveat()
    assert "evidence" not in kv.Saliency().caveat()


def test_colours_stand_about_grey_unless_another_number_or_colour_was_asked_for():
    model, picture = network(LAYER), random_pictures(1)[0]
    result = kv.GuidedBackprop()(model, picture, 2)
    steps = np.rint(127 * np.abs(result.values) / np.abs(result.values).max())
    expected = np.where(result.values < 0, 127 - steps, 128 + steps)
    np.testing.assert_array_equal(result.heatmap_picture(), expected)
    assert not np.array_equal(result.heatmap_picture(colormap="inferno"), expected)
    inferno = kv.GuidedBackprop(reduce="l2")(model, picture, 2).heatmap_picture()
    assert not np.array_equal(inferno, expected)
    assert not np.array_equal(result.panel(scale=1), result.panel(scale=1, colormap="inferno"))
    np.testing.assert_array_equal(result.overlay(), result.overlay(colormap="inferno"))


def test_nothing_that_comes_back_is_drawn_as_an_empty_map_with_its_reason():
    result = kv.GuidedBackprop()(network(LAYER), random_pictures(1)[0], 0)
    assert not result.values.any()
    assert result.messages == (
        "All values are 0: the score of 'class 0' does not change with the pixels; its gradient there is 0.",
    )
    assert result.panel(scale=1).ndim == 3
