"""The fast copy returns what the network returns, with its gradients, and is refused where it could not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasviz.models import folding
from kerasviz.models.folding import agree, fold

layers = keras.layers
SPEC = tf.TensorSpec((None, 8, 8, 3))


@pytest.fixture
def pictures():
    return np.random.default_rng(3).uniform(-1, 1, (2, 8, 8, 3))


def convolution(filters=4, width=3, **options):
    return layers.Conv2D(filters, width, padding=options.pop("padding", "same"), **options)


def normalised(x, **options):
    return layers.BatchNormalization(**options)(x)


def residual(x):
    y = keras.ops.relu(normalised(convolution()(x)))
    return keras.ops.relu(y + normalised(convolution()(y)))


def shared(x):
    twice = convolution()
    return normalised(twice(x)) * normalised(twice(x[:, ::-1]))


def two_users(x):
    y = convolution()(x)
    return normalised(y) + normalised(normalised(convolution()(y)))


NETWORKS = {  # what the network is, and how many convolutions can take in a BatchNorm
    "convolution": (lambda x: normalised(convolution(use_bias=False)(x)), 1),
    "convolution with bias": (lambda x: normalised(convolution()(x)), 1),
    "without scale": (lambda x: normalised(convolution()(x), scale=False), 1),
    "without centre": (lambda x: normalised(convolution()(x), center=False), 1),
    "depthwise": (lambda x: normalised(layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)(x)), 1),
    "separable": (lambda x: normalised(layers.SeparableConv2D(4, 3)(x)), 1),
    "relu6": (lambda x: keras.ops.relu6(normalised(convolution()(x))), 1),
    "silu": (lambda x: convolution()(keras.ops.silu(normalised(convolution()(x)))), 1),
    "residual": (residual, 2),
    "shared convolution, two normalisations": (shared, 2),
    "two users of one result": (two_users, 1),
    "before the activation": (lambda x: normalised(convolution()(keras.ops.relu(normalised(x)))), 1),
    "arithmetic": (lambda x: 3 - normalised(convolution()(x)) / 2, 1),
    "one filter, broadcast": (lambda x: convolution(1)(x) * np.arange(4.0) + normalised(convolution()(x)), 1),
    "padded as SAME": (
        lambda x: normalised(convolution(strides=2, padding="valid")(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))),
        1,
    ),
    "padded otherwise": (
        lambda x: normalised(convolution(strides=2, padding="valid")(layers.ZeroPadding2D(1)(x))),
        1,
    ),
}


def build(case, dtype="float32"):
    """The network of that name with random weights and statistics, in either precision the same."""
    policy = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy(dtype)
    keras.config.set_floatx(dtype)
    try:
        inputs = keras.Input((8, 8, 3))
        outputs = layers.GlobalAveragePooling2D()(NETWORKS[case][0](inputs))
        model = keras.Model(inputs, layers.Activation("linear")(outputs))
    finally:
        keras.config.set_dtype_policy(policy[0])
        keras.config.set_floatx(policy[1])
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(0.2, 1.2, w.shape) * random.choice([-1, 1], w.shape[-1:]) ** (w.ndim > 1)
                       for w in model.get_weights()])  # fmt: skip
    return model


def traced(function, spec=SPEC):
    return tf.function(function, autograph=False).get_concrete_function(spec).graph


def folded(function, spec=SPEC):
    graph = traced(function, spec)
    return fold(graph, graph.inputs[0], graph.outputs)


def asked(function, pixels):
    """What a builder returns, and the pixel gradient of the sum of its squares."""

    def question(x):
        outputs = function(x)
        return outputs, tf.gradients([y**2 for y in outputs], x)[0]

    return tf.function(question, autograph=False)(pixels)


def exactly(model, pictures):
    """The same in float64, with a tape."""
    pixels = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        outputs = model(pixels, training=False)
        score = tf.reduce_sum(outputs**2)
    return outputs, tape.gradient(score, pixels)


@pytest.mark.parametrize("case", NETWORKS)
def test_values_and_gradients_are_those_of_float64(case, pictures):
    model, (_, folds) = build(case), NETWORKS[case]
    copy = folded(lambda x: model(x, training=False))
    assert copy.folds == folds
    (outputs,), slopes = asked(copy.build, tf.constant(pictures, "float32"))
    wanted, wanted_slopes = exactly(build(case, "float64"), pictures)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())
    np.testing.assert_allclose(slopes, wanted_slopes, rtol=1e-5, atol=1e-5 * np.abs(wanted_slopes).max())


def test_no_normalisation_is_left_and_same_padding_needs_no_pad():
    def kinds(case):
        model = build(case)
        return {node.op for node in folded(lambda x: model(x, training=False)).definition.node}

    assert not {"Mul", "Rsqrt", "ReadVariableOp", "Pad"} & kinds("padded as SAME")
    assert "Pad" in kinds("padded otherwise")


def channels_first(x):
    y = tf.nn.conv2d(x, tf.constant(5.0, shape=(1, 1, 3, 2)), 1, "SAME", "NCHW")
    return tf.nn.bias_add(y, [1.0, 2.0], "NCHW") * tf.reshape([3.0, 4.0], (1, 2, 1, 1)) + [[[10.0]], [[20.0]]]


def test_channels_first():
    copy = folded(channels_first, tf.TensorSpec((None, 3, 8, 8)))
    constants = [tf.make_ndarray(node.attr["value"].tensor) for node in copy.definition.node if node.op == "Const"]
    kernel, bias = sorted(constants, key=np.ndim, reverse=True)
    np.testing.assert_allclose(kernel[0, 0], [[15, 20]] * 3)
    np.testing.assert_allclose(bias, [1 * 3 + 10, 2 * 4 + 20])


def test_width_is_not_mistaken_for_channels():
    wide = tf.reshape(tf.range(2.0), (2,))  # along the width of a picture with channels first
    assert folded(lambda x: tf.nn.conv2d(x, tf.ones((1, 1, 3, 2)), 1, "SAME", "NCHW") * wide,
                  tf.TensorSpec((None, 3, 8, 2))) is None  # fmt: skip


def test_the_fused_normalisation_of_keras_2(pictures):
    def network(x):
        y = tf.nn.conv2d(x, tf.ones((1, 1, 3, 2)), 1, "SAME")
        gamma, beta, mean, variance = [1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]
        return tf.raw_ops.FusedBatchNormV3(
            x=y, scale=gamma, offset=beta, mean=mean, variance=variance, epsilon=0.5, is_training=False
        ).y

    (outputs,), _ = asked(folded(network).build, tf.constant(pictures, "float32"))
    total = pictures.sum(-1, keepdims=True)
    wanted = (total - [5, 6]) / np.sqrt([7.5, 8.5]) * [1, 2] + [3, 4]
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("fetched", "folds"),
    [
        (["out"], 2),
        (["out", "conv1"], 1),  # the first convolution's own result is looked at: nothing is folded across it
        (["out", "norm1"], 2),
        (["out", "conv2", "norm1"], 1),
        (["out", "conv1", "conv2"], None),
    ],
)
def test_nothing_is_folded_across_what_is_fetched(fetched, folds, pictures):
    model = build("residual")
    kinds = [("conv", layers.Conv2D), ("norm", layers.BatchNormalization)]
    found = {f"{name}{k}": layer.output for name, kind in kinds
             for k, layer in enumerate((each for each in model.layers if isinstance(each, kind)), 1)}  # fmt: skip
    inner = keras.Model(model.inputs, [{"out": model.output, **found}[name] for name in fetched])
    graph = traced(lambda x: inner(x, training=False))
    copy = fold(graph, graph.inputs[0], [tensor.op.inputs[0] for tensor in graph.outputs])
    assert (copy and copy.folds) == folds
    if copy is None:
        return

    def with_slopes(function):
        def question(x):
            outputs = function(x)
            return outputs, tf.gradients(tf.reduce_sum(outputs[0] ** 2), outputs[1:])

        return tf.nest.flatten(tf.function(question, autograph=False)(tf.constant(pictures, "float32")))

    theirs = with_slopes(copy.build)
    ours = with_slopes(lambda x: tf.nest.flatten(inner(x, training=False)))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5 * np.abs(one).max())


def test_fetches_come_in_the_order_they_were_asked_for(pictures):
    model = build("convolution")
    graph = traced(lambda x: model(x, training=False))
    pixels = graph.inputs[0]
    copy = fold(graph, pixels, [pixels, graph.outputs[0], pixels, graph.outputs[0]])
    first, one, second, other = tf.function(copy.build)(tf.constant(pictures, "float32"))
    np.testing.assert_array_equal(first, pictures.astype("float32"))
    np.testing.assert_array_equal(second, first)
    np.testing.assert_array_equal(one, other)


def test_a_copy_can_be_built_twice_and_does_not_follow_the_weights(pictures):
    model = build("convolution")
    copy = folded(lambda x: model(x, training=False))
    pixels = tf.constant(pictures, "float32")
    before = model(pixels, training=False)
    model.set_weights([2 * w for w in model.get_weights()])
    both = tf.function(lambda x: [*copy.build(x), *copy.build(x)])(pixels)
    for one in both:
        np.testing.assert_allclose(one, before, rtol=1e-5, atol=1e-5)
    assert np.abs(model(pixels, training=False) - before).max() > 0.1


@tf.custom_gradient
def straight_through(x):
    return tf.round(x), lambda dy: dy


@tf.custom_gradient
def doubled_silu(x):
    return x * tf.sigmoid(x), lambda dy: 2 * dy


def batch_norm_then(function):
    x = inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, normalised(convolution()(x)))
    return lambda pixels: function(model(pixels, training=False))


@pytest.mark.parametrize(
    "network",
    [
        lambda x: tf.nn.relu(tf.nn.conv2d(x, tf.ones((3, 3, 3, 2)), 1, "SAME")),
        lambda x: tf.nn.conv2d(x * 2 + 1, tf.ones((3, 3, 3, 2)), 1, "SAME"),
        lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 3, 1)), 1, "SAME") * [1.0, 2.0],
        lambda x: tf.ones((2, 3)),
        batch_norm_then(straight_through),
        batch_norm_then(tf.function(tf.nn.relu)),
        batch_norm_then(layers.Conv2D(4, 1, groups=2)),
    ],
    ids=["no BatchNorm", "scaled before", "broadcast", "no pixels", "own gradient", "a call", "a call of Keras"],
)
def test_refused(network):
    assert folded(network) is None


def test_refused_with_another_input():
    model = build("convolution")
    specs = SPEC, tf.TensorSpec(())
    graph = tf.function(lambda x, y: model(x, training=False) * y, autograph=False).get_concrete_function(*specs).graph
    assert fold(graph, graph.inputs[0], graph.outputs) is None


def test_refused_above_the_limit(monkeypatch):
    model = build("convolution")
    bytes_of_weights = 4 * sum(w.size for w in model.get_weights())
    monkeypatch.setattr(folding, "LARGEST", bytes_of_weights)
    assert folded(lambda x: model(x, training=False))
    monkeypatch.setattr(folding, "LARGEST", bytes_of_weights - 1)
    assert folded(lambda x: model(x, training=False)) is None


def test_agreement_is_of_values_and_of_gradients():
    model = build("silu")

    def plain(x):
        return [model(x, training=False)]

    copy = folded(plain)
    assert agree(plain, copy.build, SPEC)
    assert not agree(plain, lambda x: [1.001 * y for y in copy.build(x)], SPEC)
    assert not agree(plain, lambda x: copy.build(tf.stop_gradient(x)), SPEC)
    assert not agree(plain, lambda x: copy.build(x + 0.1 * (x - tf.stop_gradient(x))), SPEC)


def test_a_gradient_that_only_looks_like_that_of_silu_does_not_agree():
    plain = batch_norm_then(doubled_silu)
    copy = folded(plain)
    assert copy.folds == 1
    assert not agree(lambda x: [plain(x)], copy.build, SPEC)


def test_agreement_where_sizes_are_open():
    x = inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.GlobalMaxPooling2D()(normalised(convolution(strides=2)(x))))
    spec = tf.TensorSpec((None, None, None, 3))
    copy = folded(lambda x: model(x, training=False), spec)
    assert copy.folds == 1
    assert agree(lambda x: [model(x, training=False)], copy.build, spec)
