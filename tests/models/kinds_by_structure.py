"""Kinds that differ in how the model is put together: nested, subclassed, several inputs or outputs."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl
from kind import CLASSES, bare, body, chain, functional, in_order, inner, kind, through, top

# --- functional, Sequential, from files


@kind("functional", chain())
@kind("functional-keras-file", chain(), saved=".keras")
@kind("functional-h5-file", chain(), saved=".h5")
def _functional():
    return functional([*body(), *top()])


@kind("sequential", in_order())
@kind("sequential-keras-file", in_order(), saved=".keras")
@kind("sequential-h5-file", in_order(), saved=".h5")
def _sequential():
    return keras.Sequential([keras.Input((8, 8, 3)), *body(), *top()])


@kind("sequential-called", in_order())
def _sequential_called():
    model = keras.Sequential([*body(), *top()])
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


@kind("sequential-unbuilt", in_order(), unbuilt=True)
def _sequential_unbuilt():
    return keras.Sequential([*body(), *top()])


# --- models within models


def _nested_twin(*path: str):
    def twin(model, x):
        deepest = model
        for name in path:
            deepest = deepest.get_layer(name)
        maps = through(deepest.layers, x)
        return bare(model.get_layer("scores"), model.get_layer("gap")(maps)), maps

    return twin


@kind("nested", _nested_twin("inner"), layer="inner/last")
@kind("nested-keras-file", _nested_twin("inner"), layer="inner/last", saved=".keras")
@kind("nested-h5-file", _nested_twin("inner"), layer="inner/last", saved=".h5")
def _nested():
    return functional([inner(), *top()])


@kind("nested-in-sequential", _nested_twin("inner"), layer="inner/last")
def _nested_in_sequential():
    return keras.Sequential([keras.Input((8, 8, 3)), inner(), *top()])


@kind("sequential-nested", _nested_twin("inner"), layer="inner/last")
def _sequential_nested():
    return functional([keras.Sequential([keras.Input((8, 8, 3)), *body()], name="inner"), *top()])


@kind("nested-two-deep", _nested_twin("outer", "inner"), layer="outer/inner/last")
def _nested_two_deep():
    return functional([inner("outer", parts=[inner()]), *top()])


def _twice_twin(model, x):
    one = model.get_layer("inner")
    maps, mirrored = through(one.layers, x), through(one.layers, x[:, :, ::-1])  # a flip is made before any call
    joined = tf.concat([tf.reduce_mean(maps, (1, 2)), tf.reduce_mean(mirrored, (1, 2))], -1)
    return bare(model.get_layer("scores"), joined), maps


@kind("inner-used-twice", _twice_twin, layer="inner/last#1")
def _inner_used_twice():
    inputs, shared, gap = keras.Input((8, 8, 3)), inner(), kl.GlobalAveragePooling2D()
    both = kl.Concatenate()([gap(shared(inputs)), gap(shared(keras.ops.flip(inputs, 2)))])
    return keras.Model(inputs, kl.Dense(CLASSES, activation="softmax", name="scores")(both))


@kind("shared-layer", chain(before=("first", "last", "last")), layer="last#1")
def _shared_layer():
    last = kl.Conv2D(4, 3, padding="same", activation="relu", name="last")
    return functional([kl.Conv2D(4, 3, padding="same", activation="relu", name="first"), last, last, *top()])


# --- subclassed


class Subclassed(keras.Model):
    """A model with models inside, whose layers are known only when it runs."""

    def __init__(self):
        super().__init__()
        self.trunk = inner("trunk")
        self.rest = keras.Sequential([kl.Dropout(0.5), kl.Conv2D(6, 3, activation="relu", name="deep")], name="rest")
        self.gap, self.scores = kl.GlobalAveragePooling2D(), kl.Dense(CLASSES, activation="softmax", name="scores")

    def call(self, x, training=None):
        return self.scores(self.gap(self.rest(self.trunk(x), training=training)))


def _subclassed_twin(model, x):
    maps = model.rest.layers[1](through(model.trunk.layers, x))
    return bare(model.scores, tf.reduce_mean(maps, (1, 2))), maps


@kind("subclassed", _subclassed_twin, layer="rest/deep")
def _subclassed():
    model = Subclassed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


@kind("subclassed-unbuilt", _subclassed_twin, layer="rest/deep", unbuilt=True)
def _subclassed_unbuilt():
    return Subclassed()


class Namesakes(keras.Model):
    """Two layers of one name."""

    def __init__(self):
        super().__init__()
        self.one = kl.Conv2D(4, 3, activation="relu", name="conv")
        self.two = kl.Conv2D(6, 3, activation="relu", name="conv")
        self.scores = kl.Dense(CLASSES, name="scores")

    def call(self, x):
        return self.scores(keras.ops.mean(self.two(self.one(x)), (1, 2)))


def _namesakes_twin(model, x):
    maps = model.two(model.one(x))
    return bare(model.scores, tf.reduce_mean(maps, (1, 2))), maps


@kind("two-layers-of-one-name", _namesakes_twin, layer="conv~2")
def _namesakes():
    model = Namesakes()
    model(np.zeros((1, 8, 8, 3), "float32"))
    return model


# --- several inputs, several outputs


def _with_vector(as_dict: bool) -> Any:
    image, vector = keras.Input((8, 8, 3), name="image"), keras.Input((3,), name="vector")
    maps = through(body(), image)
    both = kl.Concatenate()([kl.GlobalAveragePooling2D(name="gap")(maps), vector])
    scores = kl.Dense(CLASSES, activation="softmax", name="scores")(both)
    return keras.Model({"image": image, "vector": vector} if as_dict else [vector, image], scores)


def _vector_twin(model, x):
    maps = through([model.get_layer(name) for name in ("first", "pool", "last")], x["image"])
    both = tf.concat([tf.reduce_mean(maps, (1, 2)), x["vector"]], -1)
    return bare(model.get_layer("scores"), both), maps


@kind("inputs-in-a-list", _vector_twin, vector="vector")
def _inputs_in_a_list():
    return _with_vector(as_dict=False)


@kind("inputs-in-a-dict", _vector_twin, vector="vector")
def _inputs_in_a_dict():
    return _with_vector(as_dict=True)


def _with_outputs(as_dict: bool) -> Any:
    inputs = keras.Input((8, 8, 3))
    pooled = kl.GlobalAveragePooling2D(name="gap")(through(body(), inputs))
    scores = kl.Dense(CLASSES, activation="softmax", name="scores")(pooled)
    side = kl.Dense(1, activation="sigmoid", name="side")(pooled)
    return keras.Model(inputs, {"a": scores, "b": side} if as_dict else [scores, side])


@kind("outputs-in-a-list", chain())
def _outputs_in_a_list():
    return _with_outputs(as_dict=False)


@kind("outputs-in-a-dict", chain())
def _outputs_in_a_dict():
    return _with_outputs(as_dict=True)
