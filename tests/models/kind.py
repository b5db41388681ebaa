"""Tiny models of every kind that kerasviz must look into, each with a twin: the same sums, layer by layer, eagerly.

A builder returns the model; its twin takes that model and pictures and gives the scores and the last maps. Twins
call single layers outside any graph, undo the last activation by hand, and are watched by a GradientTape.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl

CLASSES = 5


@dataclass(frozen=True)
class Kind:
    """One kind of model.

    Attributes:
        build: () -> model, with weights of its own; it may be unbuilt.
        twin: (model, inputs) -> (scores, maps): what the automatic target looks at, and the default layer's output.
        shape: (height, width, channels) of the pictures.
        layer: the path of the default layer, as a pattern: names of operations depend on the process.
        scalar: scores -> (N,), what the automatic target makes of them.
        tolerance: of every comparison, relative to the largest number of the reference.
        photographs: whether the model scales pixels itself, so that uint8 arrays can be given as well.
        vector: the name of a second input, (N, 3).
        saved: the ending of the file that it is opened from, instead of live.
        batch: the batch size that the model insists on.
        unbuilt: whether it has no weights before it has seen a picture.
    """

    name: str
    build: Callable[[], Any]
    twin: Callable[[Any, Any], tuple[Any, Any]]
    shape: tuple[int, int, int] = (8, 8, 3)
    layer: str = "last"
    scalar: Callable[[Any], Any] = lambda scores: tf.reduce_max(scores, 1)
    tolerance: float = 1e-5
    photographs: bool = False
    vector: str = ""
    saved: str = ""
    batch: int | None = None
    unbuilt: bool = False

    def make(self) -> Any:
        """The model, with scattered weights (but for one that has none yet)."""
        model = self.build()
        if not self.unbuilt:
            scatter(model)
        return model


KINDS: dict[str, Kind] = {}


def kind(name: str, twin: Callable[[Any, Any], tuple[Any, Any]], **facts: Any) -> Callable[[Callable], Callable]:
    """Enter the decorated builder under a name."""

    def enter(build: Callable[[], Any]) -> Callable[[], Any]:
        assert name not in KINDS
        KINDS[name] = Kind(name, build, twin, **facts)
        return build

    return enter


def scatter(model: Any) -> None:
    """Weights from a generator of our own: no bias is zero, no batch statistic is the initial one."""
    random = np.random.default_rng(7)
    for layer in every_layer(model):
        if type(layer).__name__ == "Normalization":
            continue
        for variable in (
            layer._trainable_variables if hasattr(layer, "_trainable_variables") else layer._trainable_weights
        ):
            variable.assign(random.normal(0, 0.4, variable.shape))
        for variable in getattr(layer, "_non_trainable_variables", None) or getattr(
            layer, "_non_trainable_weights", []
        ):
            if "moving" in variable.name:
                variable.assign(random.uniform(0.5, 1.5, variable.shape))


def every_layer(model: Any) -> list[Any]:
    """The model's layers, to any depth."""
    return list({id(layer): layer for layer in model._flatten_layers()}.values())


# --- how twins compute


def through(layers: Sequence[Any], x: Any) -> Any:
    """`x` through layers, one after the other, as Keras calls them for inference."""
    for layer in layers:
        if type(layer).__name__ != "InputLayer":  # augmentation layers train unless they are told not to
            x = layer(x, training=False) if getattr(layer, "_call_has_training_arg", False) else layer(x)
    return x


def bare(layer: Any, x: Any) -> Any:
    """What a Dense layer or a 1 x 1 convolution gives before its activation: x W + b."""
    dtype = getattr(layer, "compute_dtype", "float32")
    kernel = tf.cast(tf.convert_to_tensor(layer.kernel), dtype)
    kernel = tf.reshape(kernel, kernel.shape[-2:])
    return tf.cast(
        tf.tensordot(tf.cast(x, dtype), kernel, 1) + tf.cast(tf.convert_to_tensor(layer.bias), dtype), "float32"
    )


def chain(after: Sequence[str] = ("gap",), before: Sequence[str] = ("first", "pool", "last"), head: str = "scores"):
    """A twin of models whose layers, found by name, follow each other."""

    def twin(model: Any, x: Any) -> tuple[Any, Any]:
        maps = through([model.get_layer(name) for name in before], x)
        return bare(model.get_layer(head), through([model.get_layer(name) for name in after], maps)), maps

    return twin


def in_order(last: int = -3):
    """A twin of models of which only the order of the layers is known: `layers[last]` gives the maps."""

    def twin(model: Any, x: Any) -> tuple[Any, Any]:
        maps = through(model.layers[: last + 1], x)
        return bare(model.layers[-1], through(model.layers[last + 1 : -1], maps)), maps

    return twin


# --- what the models are made of


def body(of: Any = kl) -> list[Any]:
    """Two convolutions and a pooling between them; the maps are 4 x 4 for pictures of 8 x 8."""
    return [
        of.Conv2D(4, 3, padding="same", activation="relu", name="first"),
        of.MaxPooling2D(name="pool"),
        of.Conv2D(6, 3, padding="same", activation="relu", name="last"),
    ]


def top(activation: str | None = "softmax", units: int = CLASSES, of: Any = kl) -> list[Any]:
    """Pooling and a Dense layer."""
    return [of.GlobalAveragePooling2D(name="gap"), of.Dense(units, activation=activation, name="scores")]


def functional(parts: Sequence[Any], shape: Sequence[int | None] = (8, 8, 3), k: Any = keras, **facts: Any) -> Any:
    """A functional model of layers that follow each other."""
    inputs = k.Input(shape, **facts)
    return k.Model(inputs, through(parts, inputs))


def inner(name: str = "inner", shape: Sequence[int] = (8, 8, 3), parts: Sequence[Any] | None = None) -> Any:
    """A functional model to be used inside another."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, through(body() if parts is None else parts, inputs), name=name)
