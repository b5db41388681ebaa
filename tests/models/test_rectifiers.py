"""Which operations are rectifiers, however they are written; which are left alone; which are hidden."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from kerasviz.models.gradients import guided_slopes, slopes
from kerasviz.models.rectifiers import rectifiers

ops, layers = keras.ops, keras.layers
VALUES = np.array([-7, -1.5, -0.5, 0, 0.25, 0.75, 1.5, 3.5, 5, 7], "float32")

RECTIFIERS = {  # name: (function, where it is open)
    "tf.nn.relu": (tf.nn.relu, VALUES > 0),
    "ops.relu": (ops.relu, VALUES > 0),
    "activations.relu": (keras.activations.relu, VALUES > 0),
    "ReLU": (layers.ReLU(), VALUES > 0),
    "Activation": (layers.Activation("relu"), VALUES > 0),
    "ops.relu6": (ops.relu6, (VALUES > 0) & (VALUES < 6)),
    "ReLU(6)": (layers.ReLU(6), (VALUES > 0) & (VALUES < 6)),
    "ReLU(4)": (layers.ReLU(4), (VALUES > 0) & (VALUES < 4)),
    "ReLU(threshold)": (layers.ReLU(threshold=1.0), VALUES > 1),
    "a threshold below 0": (lambda x: tf.where(x > -1, x, 0), VALUES > -1),
    "ops.maximum": (lambda x: ops.maximum(x, 0), VALUES > 0),
    "0 first": (lambda x: tf.maximum(0.0, x), VALUES > 0),
    "zeros_like": (lambda x: ops.maximum(x, ops.zeros_like(x)), VALUES > 0),
    "ops.clip": (lambda x: ops.clip(x, 0, 6), (VALUES > 0) & (VALUES < 6)),
    "minimum of maximum": (lambda x: tf.minimum(tf.maximum(x, 0), 6), (VALUES > 0) & (VALUES < 6)),
    "where above": (lambda x: ops.where(x > 0, x, 0), VALUES > 0),
    "where below": (lambda x: ops.where(x <= 0, 0, x), VALUES > 0),
    "tf_keras ReLU": (tf_keras.layers.ReLU(), VALUES > 0),
    "tf_keras ReLU(6)": (tf_keras.layers.ReLU(6.0), (VALUES > 0) & (VALUES < 6)),
    "tf_keras ReLU(threshold)": (tf_keras.layers.ReLU(threshold=1.0), VALUES > 1),
    "tf_keras ThresholdedReLU": (tf_keras.layers.ThresholdedReLU(1.0), VALUES > 1),
    "of something shifted by 3": (lambda x: tf.nn.relu(x + 3) - 3, VALUES > -3),
}

OTHERS = {  # name: (function, what it is called)
    "ELU": (layers.ELU(), "ELU"),
    "SELU": (ops.selu, "SELU"),
    "CELU": (ops.celu, "leaky ReLU"),
    "leaky": (layers.LeakyReLU(), "leaky ReLU"),
    "negative slope, bounded": (layers.ReLU(4, negative_slope=0.1), "leaky ReLU"),
    "negative slope, threshold": (layers.ReLU(threshold=1.0, negative_slope=0.1), "leaky ReLU"),
    "PReLU": (layers.PReLU(), "leaky ReLU"),
    "tf_keras PReLU": (tf_keras.layers.PReLU(), "leaky ReLU"),
    "swish": (ops.silu, "sigmoid or swish"),
    "GELU": (lambda x: ops.gelu(x, approximate=False), "GELU"),
    "tanh": (ops.tanh, "tanh"),
    "hard sigmoid": (ops.hard_sigmoid, "hard sigmoid"),
    "hard swish": (ops.hard_silu, "hard sigmoid"),
    "hard sigmoid of tf_keras": (tf_keras.activations.hard_sigmoid, "hard sigmoid"),
    "hard sigmoid of MobileNetV3": (lambda x: layers.ReLU(6)(x + 3.0) * (1 / 6), "hard sigmoid"),
    "hard sigmoid bounded above": (lambda x: tf.minimum(tf.nn.relu(0.2 * x + 0.5), 1), "hard sigmoid"),
}


def traced(function, read, *specs):
    """What `read(score, pixels)` says inside the trace of the sum of `function`, and the compiled tensors."""
    facts = []

    def run(pixels):
        score = tf.reduce_sum(function(pixels), -1)
        tensors, fact = read(score, pixels)
        facts.append(fact)
        return tensors

    spec = specs[0] if specs else tf.TensorSpec((None, len(VALUES)))
    if hasattr(function, "build"):
        function.build((None, len(VALUES)))
    compiled = tf.compat.v1.wrap_function(run, [spec])
    return compiled, facts[0]


def met(function):
    return traced(function, lambda score, pixels: (score, rectifiers(score, pixels)))[1]


@pytest.mark.parametrize("name", RECTIFIERS)
def test_a_rectifier_is_found_once_however_it_is_written(name):
    found = met(RECTIFIERS[name][0])
    assert (len(found.operations), dict(found.others), found.hidden) == (1, {}, 0)


@pytest.mark.parametrize("name", RECTIFIERS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_it_passes_what_is_positive_where_it_is_open(name, sign):
    function, is_open = RECTIFIERS[name]

    def read(score, pixels):
        return (guided_slopes(sign * score, pixels).slopes, slopes(sign * score, [pixels])[0]), None

    compiled, _ = traced(function, read)
    guided, plain = compiled(tf.constant(VALUES[None]))
    np.testing.assert_array_equal(guided[0], is_open if sign > 0 else np.zeros_like(VALUES))
    # the plain gradient of the same graph, taken afterwards, is what it always was; at a tie it is the operation's own
    np.testing.assert_array_equal(plain[0][VALUES != 0], (sign * is_open)[VALUES != 0])


@pytest.mark.parametrize("name", OTHERS)
def test_another_non_linearity_is_left_alone_and_counted_once(name):
    function, called = OTHERS[name]
    found = met(function)
    assert (found.operations, dict(found.others), found.hidden) == ((), {called: 1}, 0)


def test_relus_of_both_signs_side_by_side_are_rectifiers():
    assert len(met(lambda x: tf.concat([tf.nn.relu(x), tf.nn.relu(-x)], -1)).operations) == 2
    assert len(met(lambda x: 1 - tf.nn.relu(1 - x)).operations) == 1


def test_only_those_between_the_pixels_and_the_score_count():
    def function(x):
        tf.nn.relu(x)  # of no use
        weights = tf.nn.relu(tf.constant([1.0]))  # of no pixel
        mask = tf.cast(tf.nn.relu(x) > 1, tf.float32)  # of no slope
        return x * weights * mask + tf.stop_gradient(tf.nn.relu(x))

    assert met(function).operations == ()


@tf.function
def _compiled(x):
    return tf.nn.relu(x)


@tf.function
def _outer(x):
    return _compiled(x) + tf.nn.relu6(x)


@tf.custom_gradient
def _own_gradient(x):
    return 2 * tf.nn.relu(x), lambda slope: slope


HIDDEN = {
    "compiled": (_compiled, 1),
    "compiled in compiled": (_outer, 2),
    "loop": (lambda x: tf.map_fn(tf.nn.relu, x), 1),
    "condition": (lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.nn.relu(x), lambda: x), 1),
    "custom gradient": (_own_gradient, 1),
    "computed again": (tf.recompute_grad(tf.nn.relu), 1),
    "hard sigmoid, compiled": (tf.function(ops.hard_sigmoid), 0),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_rectifiers_that_cannot_be_reached_are_counted(name):
    function, count = HIDDEN[name]
    _, found = traced(function, lambda score, pixels: (score, guided_slopes(score, pixels)))
    assert (found.missed, found.guided) == (count, 0)


def test_the_operations_bear_no_other_gradient_afterwards():
    def read(score, pixels):
        guided_slopes(score, pixels)
        return score, ["_gradient_op_type" in op.node_def.attr for op in rectifiers(score, pixels).operations]

    assert traced(tf.nn.relu, read)[1] == [False]


def test_a_gradient_that_they_had_before_is_theirs_again():
    def read(score, pixels):
        (op,) = rectifiers(score, pixels).operations
        op._set_attr("_gradient_op_type", tf.compat.v1.AttrValue(s=b"Identity"))
        guided, own = guided_slopes(score, pixels).slopes, slopes(score, [pixels])[0]
        return (guided, own), None

    guided, own = traced(tf.nn.relu, read)[0](tf.constant(VALUES[None]))
    np.testing.assert_array_equal(guided[0], VALUES > 0)
    np.testing.assert_array_equal(own[0], np.ones_like(VALUES))
