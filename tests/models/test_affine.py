"""What a network does to its pixels before the first kernel, whatever it is written in."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers as kl

import kerasviz as kv
from kerasviz.models.beginnings import Beginning, beginning

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
CAFFE = np.array([103.939, 116.779, 123.68], "float32")


def network(k, begin, shape=(8, 8, 3), **kernel):
    start = k.Input(shape)
    convolved = k.layers.Conv2D(2, 3, **kernel)(begin(start))
    return k.Model(start, k.layers.Dense(2)(k.layers.GlobalAveragePooling2D()(convolved)))


def start_of(model) -> Beginning:
    view = kv.open(model).description
    return beginning(view)


def holds(start: Beginning, scale, offset, source=(0, 1, 2), first="Conv2D") -> None:
    assert (start.source, start.first.type) == (source, first)
    np.testing.assert_allclose(start.scale, np.resize(scale, len(source)), rtol=1e-5)
    np.testing.assert_allclose(start.offset, np.resize(offset, len(source)), rtol=1e-5, atol=1e-6)


def channel_by_channel(t):
    return tf.stack([c / s for c, s in zip(tf.unstack(t, axis=-1), (255.0, 100.0, 50.0), strict=True)], -1)


def split(t):
    red, green, blue = tf.split(t, 3, -1)
    return tf.concat([blue - 103.939, green - 116.779, red - 123.68], -1)


LAMBDAS = {
    "untouched": (lambda t: tf.identity(t), 1, 0, (0, 1, 2)),
    "scaled": (lambda t: tf.cast(t, tf.float32) / 127.5 - 1, 1 / 127.5, -1, (0, 1, 2)),
    "turned": (lambda t: 1 - t / 255, -1 / 255, 1, (0, 1, 2)),
    "negative": (lambda t: -t * 0.5, -0.5, 0, (0, 1, 2)),
    "torch": (lambda t: (t / 255 - MEAN) / DEVIATION, 1 / (255 * DEVIATION), -MEAN / DEVIATION, (0, 1, 2)),
    "caffe": (lambda t: t[..., ::-1] - CAFFE, 1, -CAFFE, (2, 1, 0)),
    "bias": (lambda t: tf.nn.bias_add(tf.reverse(t, [-1]), -CAFFE), 1, -CAFFE, (2, 1, 0)),
    "gathered": (lambda t: tf.gather(t, [2, 0], axis=-1), 1, 0, (2, 0)),
    "one": (lambda t: t[:, 1:-1, :, 1:2] / 255, 1 / 255, 0, (1,)),
    "dropped": (lambda t: (t[..., 1] / 255)[..., None], 1 / 255, 0, (1,)),
    "new axis": (lambda t: t[:, tf.newaxis, ..., ::-1][:, 0] * 2, 2, 0, (2, 1, 0)),
    "split": (split, 1, -CAFFE, (2, 1, 0)),
    "unstacked": (channel_by_channel, 1 / np.array([255, 100, 50]), 0, (0, 1, 2)),
    "resized": (lambda t: tf.image.resize(t, (16, 16)) / 255, 1 / 255, 0, (0, 1, 2)),
    "padded": (lambda t: tf.pad(t / 255, [[0, 0], [1, 1], [1, 1], [0, 0]]), 1 / 255, 0, (0, 1, 2)),
    "clipped": (lambda t: tf.clip_by_value(t, 0.0, 255.0) * 2, 2, 0, (0, 1, 2)),
    "moved": (
        lambda t: tf.transpose(tf.transpose(t, (0, 3, 1, 2))[:, ::-1] / 255, (0, 2, 3, 1)),
        1 / 255,
        0,
        (2, 1, 0),
    ),
    "mean picture": (lambda t: t - np.full((8, 8, 3), 120, "float32"), 1, -120, (0, 1, 2)),
}


@pytest.mark.parametrize("name", LAMBDAS)
@pytest.mark.parametrize("k", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_code_of_any_kind_is_looked_into(k, name):
    code, scale, offset, source = LAMBDAS[name]
    channels = len(source)
    lambda_ = k.layers.Lambda(code, output_shape=lambda shape: (*shape[:-1], channels)) if k is keras else None
    holds(start_of(network(k, lambda_ or k.layers.Lambda(code))), scale, offset, source)


@pytest.mark.parametrize("k", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_layers_one_after_another_are_one_map(k):
    layers = k.layers

    def begin(x):
        x = layers.ZeroPadding2D(1)(layers.Resizing(10, 10)(layers.Rescaling(1 / 255)(x)))
        return layers.Normalization(mean=MEAN, variance=DEVIATION**2)(x)

    holds(start_of(network(k, begin)), 1 / (255 * DEVIATION), -MEAN / DEVIATION)


def test_grey_that_becomes_colour_keeps_its_source():
    def begin(x):
        return kl.Concatenate()([x / 255, x / 100, x])

    holds(start_of(network(keras, begin, (8, 8, 1))), [1 / 255, 0.01, 1], 0, (0, 0, 0))


@pytest.mark.parametrize(
    ("begin", "first"),
    [
        (lambda x: tf_keras.layers.Lambda(tf.image.per_image_standardization)(x / 255), "Mean"),
        (lambda x: tf_keras.layers.Lambda(lambda t: (t / 255) ** 2)(x), "Pow"),
        (lambda x: tf_keras.layers.Lambda(lambda t: t * t)(x / 255), "Mul"),
        (lambda x: tf_keras.layers.Lambda(lambda t: 1 / t)(x / 255), "RealDiv"),
        (lambda x: tf_keras.layers.Lambda(lambda t: tf.minimum(t, tf.reduce_mean(t)))(x / 255), "Mean"),
        (lambda x: tf_keras.layers.BatchNormalization()(x / 255), "FusedBatchNormV3"),
        (lambda x: tf_keras.layers.ReLU()(x / 255), "Relu"),
    ],
)
def test_the_way_ends_where_it_is_no_map_of_single_channels(begin, first):
    holds(start_of(network(tf_keras, begin)), 1 / 255, 0, first=first)


def test_a_batch_normalization_of_keras_3_ends_it_too():
    holds(start_of(network(keras, lambda x: kl.BatchNormalization()(kl.Rescaling(0.5)(x)))), 0.5, 0, first="Mul")


@pytest.mark.parametrize("written", ["exported", "keras2", "bare"])
def test_savedmodels_are_read_as_well(tmp_path, written):
    if written == "exported":
        network(keras, lambda x: kl.Rescaling(1 / 127.5, -1)(x)).export(tmp_path / "m", verbose=False)
    elif written == "keras2":
        model = network(tf_keras, lambda x: tf_keras.layers.Rescaling(1 / 127.5, -1)(x))
        tf_keras.models.save_model(model, tmp_path / "m", save_format="tf")
    else:
        module = tf.Module()
        module.kernel = tf.Variable(tf.random.stateless_normal((3, 3, 3, 2), (1, 2)))
        module.shift = tf.Variable(-1.0)
        spec = tf.TensorSpec((None, 8, 8, 3), tf.float32)
        run = tf.function(
            lambda x: tf.reduce_mean(tf.nn.conv2d(x / 127.5 + module.shift, module.kernel, 1, "SAME"), (1, 2)),
            input_signature=[spec],
        )
        tf.saved_model.save(module, str(tmp_path / "m"), {"serving_default": run.get_concrete_function()})
    found = kv.open(tmp_path / "m")
    holds(beginning(found.description), 1 / 127.5, -1)
    assert (found.preprocess.name, found.preprocess.how) == ("none", "inside")


def test_half_precision_is_read():
    with_policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    start = start_of(network(keras, lambda x: kl.Rescaling(1 / 255, dtype=with_policy)(x), dtype=with_policy))
    np.testing.assert_allclose(start.scale, 1 / 255, rtol=1e-3)
