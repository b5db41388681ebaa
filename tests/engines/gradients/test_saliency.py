"""Saliency: what is its own."""

import keras
import numpy as np
import pytest
from networks import (
    LINEAR_RGB,
    MIN1,
    ONE_CONV,
    RANDOM_SHAPE,
    TWINS,
    W_RGB,
    XA,
    Chain,
    network,
    random_network,
    random_pictures,
)

import kerasviz as kv

ROWS = np.array([[0, 1, 1, 1]] * 3 + [[0, 0, 0, 0]], "float32")


@pytest.mark.parametrize("kind", TWINS)
def test_the_gradient_of_a_convolution_solved_by_hand(kind):
    result = kv.Saliency()(network(ONE_CONV, kind), XA, 0)
    np.testing.assert_array_equal(result.values[..., 0], ROWS)
    assert (result.values * XA).sum() == 54 == result.target.score
    assert result.values.dtype == np.float32
    assert result.values.shape == (4, 4, 1)


@pytest.mark.parametrize("kind", TWINS)
def test_a_relu_has_no_slope_at_its_tie(kind):
    picture = np.array([1, 2, 3, 0, -1, 7], "float32").reshape(1, 6, 1)
    result = kv.Saliency()(network(MIN1, kind), picture)
    np.testing.assert_array_equal(result.values.ravel(), [0, 0, 0, 1, 1, 0])
    assert (result.target.kind, result.target.score) == ("value", 1 + 1 + 1 + 0 - 1 + 1)


@pytest.mark.parametrize("kind", TWINS)
def test_the_gradient_of_a_linear_network_is_its_weights(kind):
    picture = random_pictures(1, shape=(2, 2, 3))[0]
    result = kv.Saliency()(network(LINEAR_RGB, kind), picture, 1)
    np.testing.assert_array_equal(result.values, -W_RGB)


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize(
    ("reduce", "expected"),
    [
        ("max-abs", [[3, 0.5], [4, 2]]),
        ("l2", np.sqrt([[14, 0.5], [18, 12]])),
        ("sum", [[0, 0], [-2, 6]]),
        ("positive", [[2, 0.5], [1, 2]]),
        ("negative", [[3, 0.5], [4, 0]]),
    ],
)
def test_channels_become_one_number(reduce, expected, kind):
    result = kv.Saliency(reduce=reduce)(network(LINEAR_RGB, kind), np.zeros((2, 2, 3), "float32"), 0)
    np.testing.assert_array_equal(result.values, W_RGB)
    np.testing.assert_allclose(result.heatmap, expected, rtol=1e-6)
    assert result.engine.signed == (reduce == "sum")


CONFIDENT = Chain(  # z = (50, 0, 0) for a picture of ones, and softmax
    "confident",
    (1, 2, 1),
    lambda: [keras.layers.Flatten(), keras.layers.Dense(3, name="logits"), keras.layers.Softmax()],
    {"logits": ([[30, 0, 0], [20, 0, 0]], [0, 0, 0])},
)


@pytest.mark.parametrize("kind", TWINS)
def test_a_confident_probability_has_no_slope_and_its_logit_has(kind):
    model, picture = network(CONFIDENT, kind), np.ones((1, 2, 1), "float32")
    chance = kv.Saliency()(model, picture, "p(0)")
    assert (chance.target.scale, chance.target.score) == ("probability", 1)
    np.testing.assert_array_equal(chance.values, 0)
    logit = kv.Saliency()(model, picture, 0)
    assert (logit.target.scale, logit.target.score) == ("logit", 50)
    np.testing.assert_array_equal(logit.values.ravel(), [30, 20])


def test_reducing_in_another_way_does_not_trace_again():
    opened, pictures = random_network("predictions"), random_pictures(2)
    first = kv.Saliency()(opened, pictures, 1)
    before = opened.traces
    second = kv.Saliency(reduce="l2")(opened, pictures, 2)
    assert opened.traces == before
    assert first[0].values.shape == second[0].values.shape == RANDOM_SHAPE


def test_gradients_of_photographs_are_per_grey_level():
    stack = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    model = keras.Sequential([keras.Input((2, 2, 3)), *stack])
    model.layers[-1].set_weights([W_RGB.reshape(12, 1)])
    photograph = np.full((2, 2, 3), 100, np.uint8)
    result = kv.Saliency()(model, photograph)
    np.testing.assert_allclose(result.values, W_RGB / 255, rtol=1e-6)
    assert result.unit == "output per grey level"
    outside = keras.Sequential([keras.Input((2, 2, 3)), *stack[1:]])
    scaled = kv.Saliency()(kv.open(outside, preprocess="0..1"), photograph)
    np.testing.assert_allclose(scaled.values, W_RGB / 255, rtol=1e-6)
    floats = kv.Saliency()(kv.open(outside, preprocess="0..1"), photograph / np.float32(255))
    np.testing.assert_allclose(floats.values, W_RGB, rtol=1e-6)
    assert floats.unit == "output per unit"


def test_a_network_that_no_gradient_passes_is_refused_with_the_cure():
    pixels = keras.Input((4, 4, 1))
    rounded = keras.layers.Lambda(lambda x: keras.ops.cast(keras.ops.cast(x, "int32"), "float32"))(pixels)
    model = keras.Model(pixels, keras.layers.Dense(2)(keras.layers.Flatten()(rounded)))
    with pytest.raises(kv.TechniqueError, match=r"No gradient arrives at the pixels.*Use gradcam"):
        kv.Saliency()(model, np.ones((4, 4, 1), "float32"), 0)
