"""Kinds that differ in what they are made of: preprocessing, number formats, Keras 2, sizes and layouts."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from keras import layers as kl
from kind import CLASSES, bare, body, chain, functional, in_order, kind, through, top

# --- preprocessing inside, layers that behave otherwise in training


@kind("rescaling-inside", in_order(), photographs=True)
def _rescaling():
    return keras.Sequential([keras.Input((8, 8, 3)), kl.Rescaling(1 / 127.5, -1), *body(), *top()])


@kind("normalization-adapted", in_order(), photographs=True)
def _normalization():
    scaling = kl.Normalization()
    scaling.adapt(np.random.default_rng(1).uniform(0, 255, (4, 8, 8, 3)).astype("float32"))
    return functional([scaling, *body(), *top()])


@kind("resizing-inside", in_order(), shape=(16, 12, 3), photographs=True)
def _resizing():
    return functional([kl.Resizing(8, 8), kl.Rescaling(1 / 255), *body(), *top()], (16, 12, 3))


@kind("augmentation-in-front", in_order(), photographs=True)
def _augmentation():
    parts = [
        kl.RandomFlip(),
        kl.RandomRotation(0.2),
        kl.RandomContrast(0.3),
        kl.GaussianNoise(0.1),
        kl.Rescaling(1 / 255),
    ]
    return keras.Sequential([keras.Input((8, 8, 3)), *parts, *body(), *top()])


def _op_nodes_twin(model, x):
    maps = tf.nn.relu(model.get_layer("conv")(x / 255.0 - 0.5))
    return bare(model.get_layer("scores"), tf.reduce_mean(maps, (1, 2))), maps


@kind("arithmetic-op-nodes", _op_nodes_twin, layer="relu*", photographs=True)
def _op_nodes():
    inputs = keras.Input((8, 8, 3))
    maps = keras.ops.relu(kl.Conv2D(6, 3, name="conv")(inputs / 255.0 - 0.5))
    return keras.Model(inputs, kl.Dense(CLASSES, activation="softmax", name="scores")(keras.ops.mean(maps, (1, 2))))


def _batchnorm_twin(model, x):
    def normed(number, maps):
        layer = model.get_layer(f"bn{number}")
        mean, variance, gamma, beta = (
            tf.convert_to_tensor(v) for v in (layer.moving_mean, layer.moving_variance, layer.gamma, layer.beta)
        )
        return (maps - mean) / tf.sqrt(variance + layer.epsilon) * gamma + beta

    maps = tf.nn.relu(normed(1, model.get_layer("first")(x)))
    maps = tf.nn.relu(normed(2, model.get_layer("second")(maps)))
    return bare(model.get_layer("scores"), tf.reduce_mean(maps, (1, 2))), maps


@kind("dropout-and-batchnorm", _batchnorm_twin)
def _batchnorm():
    parts = [kl.Conv2D(4, 3, name="first"), kl.BatchNormalization(name="bn1"), kl.ReLU(), kl.SpatialDropout2D(0.5)]
    parts += [kl.Conv2D(6, 3, name="second"), kl.BatchNormalization(name="bn2"), kl.Activation("relu", name="last")]
    return functional([*parts, kl.Dropout(0.5), kl.GlobalAveragePooling2D(), kl.Dropout(0.5), top()[1]])


# --- number formats, frozen layers


def _under(policy: str) -> Any:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        pooled, scores = top()[0], kl.Dense(CLASSES, activation="softmax", name="scores", dtype="float32")
        return functional([*body(), pooled, scores])
    finally:
        keras.config.set_dtype_policy(before)


@kind("mixed-float16", chain(), tolerance=2e-2)
def _mixed_float16():
    return _under("mixed_float16")


@kind("mixed-bfloat16", chain(), tolerance=1e-1)
def _mixed_bfloat16():
    return _under("mixed_bfloat16")


@kind("frozen", chain())
def _frozen():
    model = functional([*body(), *top()])
    for layer in model.layers[:-1]:
        layer.trainable = False
    return model


# --- tf_keras


@kind("tf-keras-functional", chain())
def _tf_keras_functional():
    parts = [*body(tf_keras.layers), *top(of=tf_keras.layers)]
    return functional(parts, k=tf_keras)


@kind("tf-keras-sequential", in_order())
def _tf_keras_sequential():
    parts = [*body(tf_keras.layers), *top(of=tf_keras.layers)]
    return tf_keras.Sequential([tf_keras.Input((8, 8, 3)), *parts])


@kind("tf-keras-sequential-unbuilt", in_order(), unbuilt=True)
def _tf_keras_sequential_unbuilt():
    return tf_keras.Sequential([*body(tf_keras.layers), *top(of=tf_keras.layers)])


class OldSubclassed(tf_keras.Model):
    """The same in Keras 2."""

    def __init__(self):
        super().__init__()
        inputs = tf_keras.Input((8, 8, 3))
        self.trunk = tf_keras.Model(inputs, through(body(tf_keras.layers), inputs), name="trunk")
        self.norm = tf_keras.layers.BatchNormalization()
        self.scores = tf_keras.layers.Dense(CLASSES, activation="softmax", name="scores")

    def call(self, x, training=None):
        return self.scores(self.norm(tf.reduce_mean(self.trunk(x), (1, 2)), training=training))


def _old_subclassed_twin(model, x):
    maps = through(model.trunk.layers, x)
    return bare(model.scores, model.norm(tf.reduce_mean(maps, (1, 2)))), maps


@kind("tf-keras-subclassed", _old_subclassed_twin, layer="trunk/last")
def _tf_keras_subclassed():
    model = OldSubclassed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


@kind("tf-keras-subclassed-unbuilt", _old_subclassed_twin, layer="trunk/last", unbuilt=True)
def _tf_keras_subclassed_unbuilt():
    return OldSubclassed()


class OldDeciding(OldSubclassed):
    """Python's own `if` on a tensor, which Keras 2 lets AutoGraph rewrite (Keras 3 does not)."""

    def call(self, x, training=None):
        pooled = self.norm(tf.reduce_mean(self.trunk(x), (1, 2)), training=training)
        if tf.reduce_sum(x) > -1e9:
            pooled = pooled * 1.0
        return self.scores(pooled)


@kind("tf-keras-python-if-in-call", _old_subclassed_twin, layer="trunk/last")
def _tf_keras_deciding():
    model = OldDeciding()
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


# --- sizes and layouts


@kind("any-size", chain(), shape=(12, 8, 3))
def _any_size():
    return functional([*body(), *top()], (None, None, 3))


@kind("grey", chain(), shape=(12, 12, 1))
def _grey():
    return functional([*body(), *top()], (12, 12, 1))


@kind("grey-without-channel-axis", chain(), shape=(12, 12, 1))
def _grey_flat():
    return functional([kl.Reshape((12, 12, 1)), *body(), *top()], (12, 12))


@kind("not-square", chain(), shape=(12, 20, 3))
def _not_square():
    return functional([*body(), *top()], (12, 20, 3))


def _channels_first_twin(model, x):
    def convolve(name, maps):  # by hand, channels last: the CPU's other layout
        layer = model.get_layer(name)
        return tf.nn.relu(tf.nn.conv2d(maps, layer.kernel.value, 1, "SAME") + layer.bias.value)

    maps = convolve("last", tf.nn.max_pool2d(convolve("first", x), 2, 2, "VALID"))
    return bare(model.get_layer("scores"), tf.reduce_mean(maps, (1, 2))), maps


@kind("channels-first", _channels_first_twin, shape=(8, 12, 3))
def _channels_first():
    facts = {"padding": "same", "activation": "relu", "data_format": "channels_first"}
    parts = [kl.Conv2D(4, 3, name="first", **facts), kl.MaxPooling2D(data_format="channels_first")]
    parts += [kl.Conv2D(6, 3, name="last", **facts), kl.GlobalAveragePooling2D(data_format="channels_first")]
    return functional([*parts, top()[1]], (3, 8, 12))


@kind("fixed-batch-of-one", chain(), batch=1)
def _fixed_batch():
    inputs = keras.Input(batch_shape=(1, 8, 8, 3))
    return keras.Model(inputs, through([*body(), *top()], inputs))
