"""Kinds that differ in their heads, and in layers that are hard to look into."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl
from kind import CLASSES, bare, body, chain, functional, inner, kind, through, top

# --- heads


def _side(scores):  # one sigmoid unit: the predicted side of it
    return tf.abs(scores[:, 0])


def _largest_map(logits):
    """The sum of the logits of the class that takes most places, over these places."""
    winner = np.argmax(logits.numpy(), -1)  # (N, h, w)
    classes = [np.bincount(picture.ravel(), minlength=logits.shape[-1]).argmax() for picture in winner]
    return tf.stack([tf.reduce_sum(logits[n, ..., c][winner[n] == c]) for n, c in enumerate(classes)])


def _foreground(logits):
    return tf.reduce_sum(tf.where(logits > 0, logits, 0.0), (1, 2, 3))


for _name, _activation, _units, _scalar in (
    ("head-sigmoid", "sigmoid", CLASSES, None),
    ("head-one-sigmoid", "sigmoid", 1, _side),
    ("head-linear", None, CLASSES, None),
    ("head-log-softmax", "log_softmax", CLASSES, None),
    ("head-regression", None, 1, lambda scores: scores[:, 0]),
):
    kind(_name, chain(), **({"scalar": _scalar} if _scalar else {}))(
        lambda activation=_activation, units=_units: functional([*body(), *top(activation, units)])
    )


@kind("head-activation-layer", chain())
def _activation_layer():
    return functional([*body(), *top(None), kl.Activation("softmax")])


@kind("head-softmax-layer", chain())
def _softmax_layer():
    return functional([*body(), *top(None), kl.Softmax()])


def _nested_softmax_twin(model, x):
    maps = through(model.layers[:4], x)
    return bare(model.get_layer("ending").get_layer("scores"), tf.reduce_mean(maps, (1, 2))), maps


@kind("head-nested-softmax", _nested_softmax_twin)
def _nested_softmax():
    return functional([*body(), inner("ending", (4, 4, 6), top())])


def _reshaped_twin(model, x):
    maps = through(model.layers[:4], x)
    logits = tf.reshape(bare(model.get_layer("scores"), maps), (-1, 4, 4, CLASSES))
    return logits, maps


@kind("head-softmax-then-reshape", _reshaped_twin, scalar=_largest_map)
def _softmax_then_reshape():
    scores = kl.Conv2D(CLASSES, 1, name="scores")
    return functional([*body(), scores, kl.Reshape((1, 16, CLASSES)), kl.Softmax(), kl.Reshape((4, 4, CLASSES))])


@kind("head-segmentation", _reshaped_twin, scalar=_largest_map)
def _segmentation():
    return functional([*body(), kl.Conv2D(CLASSES, 1, activation="softmax", name="scores")])


def _one_map_twin(model, x):
    maps = through(model.layers[:4], x)
    return bare(model.get_layer("scores"), maps), maps


@kind("head-segmentation-sigmoid", _one_map_twin, scalar=_foreground)
def _segmentation_sigmoid():
    return functional([*body(), kl.Conv2D(1, 1, activation="sigmoid", name="scores")])


# --- layers that are hard to look into


@kind("head-lstm", chain(after=("rows", "lstm")))
def _lstm():
    parts = [kl.Reshape((4, 24), name="rows"), kl.LSTM(6, name="lstm"), top()[1]]
    return functional([*body(), *parts])


@kind("head-bidirectional-rnn", chain(after=("rows", "both")))
def _bidirectional():
    parts = [kl.Reshape((4, 24), name="rows"), kl.Bidirectional(kl.RNN(kl.GRUCell(4)), name="both"), top()[1]]
    return functional([*body(), *parts])


@kind("head-time-distributed", chain(after=("rows", "each", "mean")))
def _time_distributed():
    each = kl.TimeDistributed(kl.Dense(6, activation="relu"), name="each")
    return functional(
        [*body(), kl.Reshape((4, 24), name="rows"), each, kl.GlobalAveragePooling1D(name="mean"), top()[1]]
    )


def _attention_twin(model, x):
    maps = through([model.get_layer(name) for name in ("first", "pool", "last")], x)
    rows = tf.reshape(maps, (-1, 16, 6))
    pooled = tf.reduce_mean(model.get_layer("look")(rows, rows), 1)
    return bare(model.get_layer("scores"), pooled), maps


@kind("head-attention", _attention_twin)
def _attention():
    inputs = keras.Input((8, 8, 3))
    rows = kl.Reshape((16, 6))(through(body(), inputs))
    pooled = kl.GlobalAveragePooling1D()(kl.MultiHeadAttention(2, 4, name="look")(rows, rows))
    return keras.Model(inputs, kl.Dense(CLASSES, activation="softmax", name="scores")(pooled))


@kind("activity-regularizer", chain())
def _regularizer():
    parts = body()
    parts[0] = kl.Conv2D(4, 3, padding="same", activation="relu", activity_regularizer="l2", name="first")
    return functional([*parts, kl.ActivityRegularization(l1=0.1), *top()])


class Traced(keras.layers.Layer):
    """A layer whose call is a `tf.function`."""

    @tf.function
    def call(self, x):
        return tf.nn.relu(x) * 1.5


def _traced_twin(model, x):
    maps = 1.5 * through([model.get_layer(name) for name in ("first", "pool", "last")], x)
    return bare(model.get_layer("scores"), tf.reduce_mean(maps, (1, 2))), maps


@kind("layer-with-tf-function", _traced_twin, layer="traced")
def _traced():
    return functional([*body(), Traced(name="traced"), *top()])


@kind("silu", chain())
def _silu():
    parts = [kl.Conv2D(4, 3, padding="same", activation="silu", name="first"), kl.MaxPooling2D(name="pool")]
    return functional([*parts, kl.Conv2D(6, 3, activation="silu", name="last"), *top()])


class Rounded(keras.layers.Layer):
    """Rounds; its gradient is given as that of the identity (straight through)."""

    def call(self, x):
        @tf.custom_gradient
        def rounded(value):
            return tf.round(value), lambda slope: slope

        return rounded(x)


def _rounded_twin(model, x):
    maps = through([model.get_layer(name) for name in ("first", "pool", "last")], x)
    straight = maps + tf.stop_gradient(tf.round(maps) - maps)
    return bare(model.get_layer("scores"), tf.reduce_mean(straight, (1, 2))), straight


@kind("straight-through-gradient", _rounded_twin, layer="rounded")
def _straight_through():
    return functional([*body(), Rounded(name="rounded"), *top()])


class Branching(keras.layers.Layer):
    """One of two ways, chosen by a `tf.cond`."""

    def call(self, x):
        return tf.cond(tf.reduce_mean(x) > -1e9, lambda: tf.nn.silu(x), lambda: -x)


@kind("cond-in-call", chain(before=("first", "pool", "last", "branching")), layer="branching")
def _branching():
    return functional([*body(), Branching(name="branching"), *top()])


class Counting(keras.layers.Layer):
    """Writes whenever it is called, in inference, too: how often, and a running mean."""

    def build(self, shape):
        self.times = self.add_weight(shape=(), initializer="zeros", trainable=False, name="times")
        self.moving = self.add_weight(shape=shape[-1:], initializer="zeros", trainable=False, name="moving")

    def call(self, x):
        self.times.assign_add(1.0)
        self.moving.assign(0.9 * self.moving + 0.1 * tf.reduce_mean(x, (0, 1, 2)))
        return tf.nn.relu(x)


def _counting_twin(model, x):
    maps = through([model.get_layer(name) for name in ("first", "pool", "last")], x)
    return bare(model.get_layer("scores"), tf.reduce_mean(maps, (1, 2))), maps


@kind("layer-that-writes", _counting_twin, layer="counting")
def _counting():
    return functional([*body(), Counting(name="counting"), *top()])
