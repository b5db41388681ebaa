"""What a cell can see: the published table, values derived by hand, and the support of gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasviz.models.receptive import Field, receptive_field, receptive_fields

layers = keras.layers


def field(model, layer, size=None):
    """The field of a layer of a functional model, through the graph of one trace."""
    inner = keras.Model(model.inputs, model.get_layer(layer).output)
    shape = (None, *size, 3) if size else model.inputs[0].shape
    traced = tf.function(lambda x: inner(x, training=False), autograph=False)
    graph = traced.get_concrete_function(tf.TensorSpec(shape)).graph
    return receptive_field(graph.outputs[0].op.inputs[0], graph.inputs[0])


def traced(function, shape=(None, 32, 32, 3)):
    graph = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec(shape)).graph
    return receptive_field(graph.outputs[0].op.inputs[0], graph.inputs[0])


def effective_padding(found):
    """P of the published tables: how far cell 0 reaches over the edge."""
    return -found.box(0, 0)[0]


def support(function, cell, size=32, tries=40):
    """First and last pixel row and column that any of a few random pictures has a gradient at."""
    hit = np.zeros((size, size), bool)
    for seed in range(tries):
        pixels = tf.constant(np.random.default_rng(seed).uniform(1, 2, (1, size, size, 3)).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            value = tf.reduce_sum(function(pixels)[0, cell[0], cell[1]])
        hit |= np.abs(tape.gradient(value, pixels).numpy()[0]).sum(-1) > 0
    rows, columns = np.flatnonzero(hit.any(1)), np.flatnonzero(hit.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def positive():
    return keras.initializers.RandomUniform(0.5, 1.5, seed=1)  # nothing cancels


def convolution(width, stride=1, padding="valid", **options):
    return layers.Conv2D(2, width, stride, padding, kernel_initializer=positive(), **options)


@pytest.fixture(scope="module")
def alexnet():
    chain = [("conv1", convolution(11, 4)), ("pool1", layers.MaxPooling2D(3, 2)), ("conv2", convolution(5, 1, "same"))]
    chain += [
        ("pool2", layers.MaxPooling2D(3, 2)),
        ("conv3", convolution(3, 1, "same")),
        ("conv4", convolution(3, 1, "same")),
    ]
    chain += [("conv5", convolution(3, 1, "same")), ("pool5", layers.MaxPooling2D(3, 2))]
    x = inputs = keras.Input((224, 224, 3))
    for name, layer in chain:
        layer.name = name
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("layer", "size", "step", "padding"),
    [
        ("conv1", 11, 4, 0),
        ("pool1", 19, 8, 0),
        ("conv2", 51, 8, 16),
        ("pool2", 67, 16, 16),
        ("conv3", 99, 16, 32),
        ("conv4", 131, 16, 48),
        ("conv5", 163, 16, 64),
        ("pool5", 195, 32, 64),
    ],
)
def test_alexnet_has_the_published_fields(alexnet, layer, size, step, padding):
    found = field(alexnet, layer)
    assert (found.size, found.step, effective_padding(found)) == ((size, size), (step, step), padding)


@pytest.mark.parametrize(
    ("name", "layer", "size", "step", "first"),
    [
        ("VGG16", "block5_conv3", 196, 16, 7.5),
        ("VGG16", "block5_pool", 212, 32, 15.5),
        ("MobileNet", "conv_pw_13_relu", 315, 32, 31),
        ("MobileNetV2", "out_relu", 491, 32, 31),
        pytest.param("ResNet50", "conv5_block3_out", 483, 32, 0, marks=pytest.mark.slow),
        pytest.param("EfficientNetB0", "top_activation", 851, 32, 31, marks=pytest.mark.slow),
        pytest.param("DenseNet121", "relu", 2071, 32, 14, marks=pytest.mark.slow),
        pytest.param("InceptionV3", "mixed10", 1311, 32, 37, marks=pytest.mark.slow),
        pytest.param("Xception", "block14_sepconv2_act", 1083, 32, 7, marks=pytest.mark.slow),
        pytest.param("NASNetMobile", "stem_conv1", 3, 2, 1, marks=pytest.mark.slow),
    ],
)
def test_the_networks_of_keras_have_the_published_fields(name, layer, size, step, first):
    side = 299 if name in ("InceptionV3", "Xception") else 224
    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(side, side, 3))
    assert field(model, layer) == Field((size, size), (step, step), (first, first))


def test_mobilenet_grows_as_published():
    model = keras.applications.MobileNet(weights=None, include_top=False)
    sizes = [field(model, f"conv_pw_{k}_relu", (224, 224)).size[0] for k in (1, 2, 5, 13)]
    assert sizes == [7, 11, 43, 315]


def test_boxes_of_vgg16_reach_over_the_edges():
    last = Field((212, 212), (32, 32), (15.5, 15.5))
    assert [last.box(k, k)[1::2] for k in (0, 3, 6)] == [(-90, 122), (6, 218), (102, 314)]


def squeezed(x):
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Multiply()([x, layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(gate)])


def branched(x):
    return layers.Concatenate()(
        [convolution(1)(x), convolution(5, padding="same")(x), layers.AveragePooling2D(3, 1, "same")(x)]
    )


def residual(x):
    return layers.Add()([x, convolution(3, padding="same")(convolution(3, padding="same")(x))])


SMALL = {
    "convolution, pooling, stride": lambda x: convolution(3, 2)(layers.MaxPooling2D(2)(convolution(5)(x))),
    "same padding on an even size": lambda x: convolution(3, 2, "same")(convolution(3, 2, "same")(x)),
    "same padding on an odd size": lambda x: convolution(3, 2, "same")(convolution(2)(x)),
    "explicit padding": lambda x: convolution(3, 2)(layers.ZeroPadding2D(((1, 0), (2, 1)))(x)),
    "dilation": lambda x: convolution(3, dilation_rate=2)(x),
    "dilation, same padding": lambda x: convolution(3, 1, "same", dilation_rate=3)(convolution(3)(x)),
    "depthwise": lambda x: layers.DepthwiseConv2D(3, 2, "same", depthwise_initializer=positive())(x),
    "depthwise dilation": lambda x: layers.DepthwiseConv2D(3, dilation_rate=2, depthwise_initializer=positive())(x),
    "separable": lambda x: layers.SeparableConv2D(2, 3, padding="same", depthwise_initializer=positive())(x),
    "branches": lambda x: convolution(2, 2)(branched(x)),
    "residual": lambda x: convolution(2, 2)(residual(convolution(2)(x))),
    "cropping": lambda x: convolution(3)(layers.Cropping2D(((3, 1), (2, 5)))(convolution(3, 2)(x))),
    "reversed channels": lambda x: convolution(3)(x[..., ::-1]),
    "one channel": lambda x: convolution(3)(keras.ops.expand_dims(x[..., 0], -1)),
    "layer normalisation": lambda x: convolution(3)(layers.LayerNormalization()(convolution(2, 2)(x))),
    "rescaling, batch norm, activation": lambda x: keras.ops.silu(layers.BatchNormalization()(x / 9 - 1)),
    "oblong": lambda x: convolution((3, 5), (1, 2))(layers.MaxPooling2D((1, 2))(x)),
    "softmax over channels": lambda x: layers.Softmax()(convolution(3)(x)),
    "turned to channels first": lambda x: layers.Permute((3, 1, 2))(convolution(3, 2)(x)),
}


@pytest.mark.parametrize("case", SMALL)
def test_the_box_is_where_gradients_arrive(case):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, SMALL[case](inputs))
    turned = case.startswith("turned")

    def function(pixels):
        maps = model(pixels, training=False)
        return (tf.transpose(maps, (0, 2, 3, 1)) if turned else maps) ** 2  # squared: a softmax sums to a constant

    box = field(model, model.layers[-1].name).box(4, 3)
    assert tuple(np.clip(box, 0, 32)) == support(function, (4, 3))


def test_explicit_padding_of_the_operation_itself():
    kernel = tf.ones((3, 3, 3, 1))
    pads = [[0, 0], [1, 1], [2, 0], [0, 0]]
    assert traced(lambda x: tf.nn.conv2d(x, kernel, 2, pads)) == Field((3, 3), (2, 2), (0, -1))


def test_dilation_by_space_to_batch():
    def dilated(x):
        spread = tf.space_to_batch(x, [2, 2], [[2, 2], [2, 2]])
        return tf.batch_to_space(tf.nn.conv2d(spread, tf.ones((3, 3, 3, 1)), 1, "VALID"), [2, 2], [[0, 0], [0, 0]])

    assert traced(dilated) == traced(lambda x: tf.nn.conv2d(x, tf.ones((3, 3, 3, 1)), 1, "SAME", dilations=2))


def test_channels_first_is_the_same():
    def first(x):
        return tf.nn.max_pool2d(tf.nn.conv2d(x, tf.ones((3, 3, 3, 4)), 2, "SAME", "NCHW"), 3, 2, "VALID", "NCHW")

    def last(x):
        return tf.nn.max_pool2d(tf.nn.conv2d(x, tf.ones((3, 3, 3, 4)), 2, "SAME"), 3, 2, "VALID")

    assert traced(first, (None, 3, 32, 32)) == traced(last) == Field((7, 7), (4, 4), (3, 3))


def test_squeeze_and_excitation_is_left_out():
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, squeezed(convolution(3, 2)(inputs)))
    assert field(model, model.layers[-1].name) == Field((3, 3), (2, 2), (1, 1))


def test_unknown_sizes_matter_to_strided_same_padding_only():
    kernel = tf.ones((3, 3, 3, 1))
    assert traced(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), (None, None, None, 3)) == Field((3, 3), (1, 1), (0, 0))
    assert traced(lambda x: tf.nn.conv2d(x, kernel, 2, "SAME"), (None, None, None, 3)) is None


@pytest.mark.parametrize(
    "layer",
    [
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.Flatten(),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.UpSampling2D(2),
        layers.Resizing(8, 8),
        layers.Conv2DTranspose(2, 3, 2),
        layers.GroupNormalization(1),
        layers.Softmax(axis=(1, 2)),
        layers.Reshape((64, 16, 3)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_where_cells_see_everything_or_lie_unevenly_there_is_no_field(layer):
    inputs = keras.Input((32, 32, 3))
    assert field(keras.Model(inputs, layer(inputs)), layer.name) is None


def test_one_walk_answers_for_many_tensors():
    def function(x):
        y = tf.nn.max_pool2d(x, 2, 2, "VALID")
        return x, y, tf.reduce_mean(y, (1, 2))

    graph = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec((1, 8, 8, 3))).graph
    tensors = [tensor.op.inputs[0] for tensor in graph.outputs]
    assert receptive_fields(tensors, graph.inputs[0]) == [
        Field((1, 1), (1, 1), (0, 0)),
        Field((2, 2), (2, 2), (0.5, 0.5)),
        None,
    ]


def test_what_does_not_depend_on_the_pixels_has_no_field():
    assert traced(lambda x: tf.ones_like(x)) is None
