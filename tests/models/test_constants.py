"""What follows from the variables alone is computed in float64; what depends on the pixels is not computed."""

import numpy as np
import tensorflow as tf

from kerasviz.models.constants import Weights
from kerasviz.models.operations import ancestors


def weights_and_tensors(function):
    graph = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec((2, 3))).graph
    tensors = [tensor.op.inputs[0] for tensor in graph.outputs]
    operations = ancestors(graph.outputs)
    return Weights(graph, graph.inputs[0], operations), tensors, operations


def test_arithmetic_of_variables_is_done_in_float64():
    variance, gamma = tf.Variable([0.1, 0.2, 0.3]), tf.Variable([[3.0], [5.0], [7.0]])
    weights, (scale,), _ = weights_and_tensors(lambda x: [tf.squeeze(gamma) * tf.math.rsqrt(variance + 1e-3)])
    exact = np.float32([0.1, 0.2, 0.3]).astype("float64") + np.float32(1e-3).astype("float64")
    np.testing.assert_allclose(weights.value(scale), [3, 5, 7] / np.sqrt(exact), rtol=1e-15)


def test_what_depends_on_pixels_or_is_not_arithmetic_has_no_value():
    variable = tf.Variable(2.0)
    weights, tensors, _ = weights_and_tensors(lambda x: [x * variable, tf.sin(variable), tf.cast(variable, tf.int32)])
    assert [weights.value(tensor) for tensor in tensors] == [None, None, None]


def test_what_is_stored_keeps_its_type_and_is_read_when_asked():
    variable, constant = tf.Variable([1.0, 2.0]), tf.constant([3, 4])
    weights, (sine, absolute), operations = weights_and_tensors(lambda x: [tf.sin(variable), tf.abs(constant)])
    read, held = sine.op.inputs[0], absolute.op.inputs[0]
    variable.assign([5.0, 6.0])
    assert weights.stored(read).tolist() == [5, 6]
    assert weights.stored(read).dtype == np.float32
    assert weights.stored(held).tolist() == [3, 4]
    assert weights.stored(sine) is None
    assert weights.size(operations) == 8
