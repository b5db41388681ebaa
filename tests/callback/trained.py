"""Networks of a few weights that are trained in the tests of the callback: each kind with its data."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

SHAPE, CLASSES = (12, 12, 3), 3


def pictures(count: int = 20, seed: int = 0) -> np.ndarray:
    """float32 (count, 12, 12, 3) in 0..1."""
    return np.random.default_rng(seed).random((count, *SHAPE), np.float32)


def classes(count: int = 20) -> np.ndarray:
    """int (count,) in 0..2."""
    return (np.arange(count) * 7) % 5 % CLASSES


@dataclass(frozen=True)
class Kind:
    """One way of training.

    Attributes:
        make: a fresh compiled model.
        x, y: what it is trained on.
        images: what is looked at.
        techniques: with which engines.
        around: settings of the process in which it is made and trained.
        fit: further arguments of `fit`.
    """

    name: str
    make: Callable[[], Any]
    x: Callable[[], Any] = pictures
    y: Callable[[], Any] = classes
    images: Callable[[], Any] = lambda: (pictures(3), classes(3))
    techniques: tuple[str, ...] = ("gradcam", "saliency", "activations")
    around: Callable[[], Any] = contextlib.nullcontext
    fit: Callable[[], dict[str, Any]] = lambda: {"validation_split": 0.2}


def stack(kit: Any = keras) -> list[Any]:
    """Layers with randomness of every sort, and statistics; `kit` is keras or tf_keras."""
    layers = kit.layers
    return [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.1),
        layers.Conv2D(4, 3, name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.Activation("relu", name="maps"),
        layers.GlobalAveragePooling2D(name="mean"),
        layers.Dropout(0.3),
        layers.Dense(CLASSES, activation="softmax", name="classes"),
    ]


def compiled(model: Any, **options: Any) -> Any:
    """Ready to be trained."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def sequential(kit: Any = keras, **options: Any) -> Any:
    """All layers in a row."""
    return compiled(kit.Sequential([kit.Input(SHAPE), *stack(kit)]), **options)


def unbuilt(kit: Any = keras) -> Any:
    """The same, which meets its shapes with the first batch."""
    return compiled(kit.Sequential(stack(kit)))


def functional(kit: Any = keras, **options: Any) -> Any:
    """The same, as a graph."""
    start = value = kit.Input(SHAPE)
    for layer in stack(kit):
        value = layer(value)
    return compiled(kit.Model(start, value), **options)


def plain(**options: Any) -> Any:
    """Without what XLA cannot compile."""
    layers = [layer for layer in stack() if not type(layer).__name__.startswith("Random")]
    return compiled(keras.Sequential([keras.Input(SHAPE), *layers]), **options)


class OwnStep(keras.Model):
    """Subclassed, with its own layers in a list and its own training step."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = stack()

    def call(self, pixels, training=None):
        for layer in self.stack:
            random = type(layer).__name__.startswith(("Random", "Dropout", "Batch"))
            pixels = layer(pixels, training=training) if random else layer(pixels)
        return pixels

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            found = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=found)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        for metric in self.metrics:
            metric.update_state(*((loss,) if metric.name == "loss" else (y, found)))
        return {metric.name: metric.result() for metric in self.metrics}


def two_of_each() -> Any:
    """A picture and three numbers in, a class and a side out."""
    layers = keras.layers
    picture, numbers = keras.Input(SHAPE, name="picture"), keras.Input((3,), name="numbers")
    maps = layers.Conv2D(4, 3, activation="relu", name="conv")(picture)
    mean = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(maps))
    both = layers.Concatenate()([mean, layers.Dense(2)(numbers)])
    outputs = {
        "kind": layers.Dense(CLASSES, activation="softmax", name="kind")(both),
        "side": layers.Dense(1, activation="sigmoid", name="side")(both),
    }
    model = keras.Model({"picture": picture, "numbers": numbers}, outputs)
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "side": "binary_crossentropy"})
    return model


def numbered(count: int = 20) -> dict[str, np.ndarray]:
    """Rows for both of its inputs."""
    return {"picture": pictures(count), "numbers": pictures(count)[:, 0, 0, :3].copy()}


def one_sigmoid() -> Any:
    """One unit that says which of two."""
    layers = keras.layers
    rest = [layers.Dropout(0.2), layers.Dense(1, activation="sigmoid", name="side")]
    model = keras.Sequential([keras.Input(SHAPE), *stack()[2:6], *rest])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def shuffled() -> tf.data.Dataset:
    """A dataset that draws another order for each epoch."""
    return tf.data.Dataset.from_tensor_slices((pictures(), classes())).shuffle(20).batch(6)


@contextlib.contextmanager
def half_precision() -> Iterator[None]:
    """Layers compute in float16 and keep float32 weights."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def functions_run_eagerly() -> Iterator[None]:
    """TensorFlow traces nothing."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("sequential", sequential),
        Kind("functional", functional),
        Kind("unbuilt", unbuilt),
        Kind("own train_step", lambda: compiled(OwnStep())),
        Kind("run_eagerly", lambda: functional(run_eagerly=True)),
        Kind("functions run eagerly", functional, around=functions_run_eagerly),
        Kind("jit_compile", lambda: plain(jit_compile=True), fit=dict),
        Kind("steps_per_execution", lambda: sequential(steps_per_execution=3)),
        Kind("mixed_float16", sequential, around=half_precision),
        Kind("tf_keras sequential", lambda: sequential(tf_keras)),
        Kind("tf_keras functional", lambda: functional(tf_keras)),
        Kind("tf_keras unbuilt", lambda: unbuilt(tf_keras)),
        Kind(
            "several inputs and outputs",
            two_of_each,
            numbered,
            lambda: {"kind": classes(), "side": classes() % 2},
            lambda: (numbered(3), classes(3)),
        ),
        Kind("one sigmoid unit", one_sigmoid, y=lambda: classes() % 2, images=lambda: (pictures(3), [0, 1, 1])),
    )
}
