"""Gradients inside a compiled question, against an eager GradientTape."""

import numpy as np
import tensorflow as tf
from networks import random_model, random_pictures

from kerasviz.models.gradients import slopes

PICTURES = random_pictures(3)


def scored(layers, pixels):
    """Two layers' outputs and a score that reaches the first of them by two ways, the second by one."""
    first = layers["conv4"](pixels)
    second = layers["conv5"](first)
    score = tf.reduce_mean(second**2, (1, 2, 3)) - 2 * tf.reduce_max(first, (1, 2, 3))
    return first, second, score


def test_slopes_are_those_of_a_gradient_tape():
    model = random_model("predictions")
    layers = {layer.name: layer for layer in model.layers}

    @tf.function(autograph=False)
    def traced(pixels):
        first, second, score = scored(layers, pixels)
        return slopes(score, [pixels, first, second])

    with tf.GradientTape(persistent=True) as tape:
        pixels = tf.constant(PICTURES)
        tape.watch(pixels)
        first, second, score = scored(layers, pixels)
    for found, tensor in zip(traced(tf.constant(PICTURES)), (pixels, first, second), strict=True):
        np.testing.assert_allclose(found, tape.gradient(score, tensor), rtol=1e-5, atol=1e-7)


def test_slopes_of_one_picture_do_not_depend_on_its_neighbours():
    @tf.function(autograph=False)
    def traced(pixels):
        return slopes(tf.reduce_sum(pixels**3, (1, 2, 3)), [pixels])

    (together,) = traced(tf.constant(PICTURES))
    np.testing.assert_allclose(together, 3 * PICTURES**2, rtol=1e-6)
    for k in range(3):
        np.testing.assert_array_equal(traced(tf.constant(PICTURES[k : k + 1]))[0][0], together[k])


def test_slopes_are_float32_whatever_the_tensor_is():
    @tf.function(autograph=False)
    def traced(pixels):
        half = tf.cast(pixels, tf.float16)
        return slopes(tf.reduce_sum(tf.cast(half, tf.float32), (1, 2, 3)), [half])[0]

    found = traced(tf.constant(PICTURES))
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, np.ones_like(PICTURES))


def test_rows_that_were_gathered_are_dense():
    @tf.function(autograph=False)
    def traced(rows):
        return slopes(tf.reduce_sum(tf.gather(rows, [0, 2, 2]), 1), [rows])[
            0
        ]  # TensorFlow's own answer is IndexedSlices

    np.testing.assert_array_equal(traced(tf.ones((3, 2))), [[1, 1], [0, 0], [2, 2]])


def test_what_the_score_does_not_depend_on_has_none():
    @tf.function(autograph=False)
    def traced(pixels):
        missing, found = slopes(pixels[:, 0, 0, 0], [tf.zeros((3, 2)), pixels])
        assert missing is None
        return found

    expected = np.zeros_like(PICTURES)
    expected[:, 0, 0, 0] = 1
    np.testing.assert_array_equal(traced(tf.constant(PICTURES)), expected)
