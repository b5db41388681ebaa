"""Windows of convolutions and poolings, against what TensorFlow does with them."""

import numpy as np
import pytest
import tensorflow as tf

from kerasviz.models.operations import Window, ancestors, windows


@pytest.mark.parametrize("cells", [5, 6, 7, 8])
@pytest.mark.parametrize(("width", "stride", "dilation"), [(3, 2, 1), (5, 3, 1), (2, 2, 1), (1, 2, 1), (3, 1, 2)])
def test_same_padding_is_what_tensorflow_adds(cells, width, stride, dilation):
    picture = tf.constant(np.random.default_rng(0).normal(size=(1, cells, 1, 1)))
    kernel = tf.constant(np.random.default_rng(1).normal(size=(width, 1, 1, 1)))
    margins = Window((width - 1) * dilation + 1, stride).same_padding(cells)
    padded = tf.pad(picture, [[0, 0], margins, [0, 0], [0, 0]])
    same = tf.nn.conv2d(picture, kernel, (stride, 1), "SAME", dilations=(dilation, 1))
    np.testing.assert_allclose(tf.nn.conv2d(padded, kernel, (stride, 1), "VALID", dilations=(dilation, 1)), same)


def test_same_padding_of_an_unknown_size_is_known_without_stride_only():
    assert Window(4, 1).same_padding(None) == (1, 2)
    assert Window(4, 2).same_padding(None) is None


def traced(function, shape):
    return tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec(shape)).graph


def test_windows_are_read_off_operations():
    graph = traced(lambda x: tf.nn.conv2d(x, tf.ones((3, 5, 3, 1)), (2, 1), "VALID"), (1, 9, 9, 3))
    assert windows(graph.outputs[0].op.inputs[0].op) == ((1, 2), (Window(3, 2), Window(5, 1)))
    graph = traced(lambda x: tf.nn.avg_pool2d(x, 2, 3, "VALID", "NCHW"), (1, 3, 9, 9))
    assert windows(graph.outputs[0].op.inputs[0].op) == ((2, 3), (Window(2, 3), Window(2, 3)))
    graph = traced(lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 3, 1)), 1, "SAME", dilations=(2, 3)), (1, 9, 9, 3))
    assert windows(graph.outputs[0].op.inputs[0].op) == ((1, 2), (Window(5, 1), Window(7, 1)))


def test_ancestors_stand_before_what_uses_them():
    graph = traced(lambda x: tf.exp(x) * tf.abs(x), (2,))
    tf_exp = next(op for op in graph.get_operations() if op.type == "Exp")
    assert [op.type for op in ancestors([tf_exp.outputs[0]])] == ["Placeholder", "Exp"]
    assert [op.type for op in ancestors(graph.outputs)] == ["Placeholder", "Exp", "Abs", "Mul", "Identity"]
