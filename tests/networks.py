"""Small networks solved by hand, each as several kinds of Keras model with the same weights, opened once a session.

Kernels are HWIO, dense kernels (in, out); pictures (h, w, C) are float32, the network's own input.
"""

import functools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tf_keras

import kerasviz as kv

layers = keras.layers

SAVED = ("Keras 2 .h5", "Keras 2 SavedModel", "export")  # by tf_keras, and by Keras 3's model.export
TWINS = ("functional", "sequential", "from .keras", "from .h5", "nested", "subclassed", *SAVED)
_COMMON = {  # what both versions of Keras call alike
    *("name", "filters", "units", "kernel_size", "pool_size", "strides", "padding", "use_bias", "activation"),
    *("keepdims", "rate", "max_value", "negative_slope", "threshold"),
}
ENDS = ("softmax", "sigmoid", "linear")


@dataclass(frozen=True, eq=False)
class Chain:
    """A network of one layer after the other, which the twins are built from."""

    name: str
    shape: tuple[int, int, int]
    build: Callable[[], list[Any]]  # fresh layers, so that no two twins share any
    weights: Mapping[str, Any]  # layer's name -> its kernel, perhaps its bias
    inner: int = 1  # so many of the layers stand in the inner model, where there is one


class Subclassed(keras.Model):
    """A list of layers, called by hand: Keras knows of no graph."""

    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def call(self, pixels):
        return _through(self.stack, pixels)


def _through(stack, x):
    for layer in stack:
        x = layer(x)
    return x


def _assembled(chain, kind, stack):
    start = keras.Input(chain.shape)
    if kind == "functional":
        return keras.Model(start, _through(stack, start))
    if kind == "nested":
        inner = keras.Model(start, _through(stack[: chain.inner], start), name="inner")
        outside = keras.Input(chain.shape)
        return keras.Model(outside, _through([inner, *stack[chain.inner :]], outside))
    if kind == "subclassed":
        model = Subclassed(stack)
        model(np.zeros((1, *chain.shape), "float32"))
        return model
    return keras.Sequential([start, *stack])


def model_of(chain: Chain, kind: str = "functional") -> keras.Model:
    """A fresh model of that kind; those from files are Sequential models before they are saved."""
    stack = chain.build()
    if kind.startswith("Keras 2"):
        stack = [_of_keras_2(layer) for layer in stack]
        model: Any = tf_keras.Sequential([tf_keras.Input(chain.shape), *stack])
    else:
        model = _assembled(chain, kind, stack)
    for layer in stack:
        if layer.name in chain.weights:
            layer.set_weights([np.asarray(part, "float32") for part in chain.weights[layer.name]])
    return model


def _of_keras_2(layer: Any) -> Any:
    """The same layer, as tf_keras makes it."""
    settings = {name: value for name, value in layer.get_config().items() if name in _COMMON}
    return getattr(tf_keras.layers, type(layer).__name__)(**settings)


@functools.cache
def network(chain: Chain, kind: str = "functional") -> kv.Network:
    """The twin of that kind, opened: kept for the session, so that each question is traced once."""
    model = model_of(chain, kind)
    if not kind.startswith(("from ", *SAVED)):
        return kv.open(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (chain.name + (kind.partition(".")[1] + kind.partition(".")[2]))
        if kind == "export":
            model.export(path, verbose=False)
        else:
            model.save(path, **({"save_format": "tf"} if kind == "Keras 2 SavedModel" else {}))
        return kv.open(path)


# Two convolution filters, a ReLU, a dense layer that looks at each of its cells.

XA = np.arange(16, dtype="float32").reshape(4, 4, 1)
XB = XA + 1
ONE_CONV = Chain(
    "one_conv",
    (4, 4, 1),
    lambda: [
        layers.Conv2D(2, 3, name="conv1"),
        layers.ReLU(name="relu1"),
        layers.Flatten(name="flat"),
        layers.Dense(4, use_bias=False, name="dense"),
        layers.ReLU(name="relu2"),
    ],
    {
        "conv1": (np.ones((3, 3, 1, 2)), (-50, -75)),
        "dense": (np.repeat([[1], [1], [1], [-1], [1], [-1], [1], [-1]], 4, 1),),
    },
    inner=2,
)

# Three numbers through an identity, four ReLU units, two sums: in a row of cells, as channels of a cell, as a vector.

_MULTI = {"hidden": (np.ones((3, 4)), (-10, 1, 1, 1)), "sums": (np.ones((4, 2)), (-1, 1))}
MULTI_ROW = Chain(
    "multi_row",
    (1, 3, 1),
    lambda: [
        layers.Conv2D(1, 1, use_bias=False, name="identity"),
        layers.Flatten(name="flat"),
        layers.Dense(4, "relu", name="hidden"),
        layers.Dense(2, name="sums"),
    ],
    {"identity": (np.ones((1, 1, 1, 1)),), **_MULTI},
)
MULTI_CHANNELS = Chain(
    "multi_channels",
    (1, 1, 3),
    lambda: [
        layers.Conv2D(3, 1, use_bias=False, name="identity"),
        layers.Conv2D(4, 1, activation="relu", name="hidden"),
        layers.Conv2D(2, 1, name="sums"),
        layers.Flatten(name="flat"),
    ],
    {
        "identity": (np.eye(3)[None, None],),
        **{name: (kernel[None, None], bias) for name, (kernel, bias) in _MULTI.items()},
    },
    inner=2,
)
MULTI_DENSE = Chain(
    "multi_dense",
    (1, 3, 1),
    lambda: [
        layers.Flatten(name="flat"),
        layers.Dense(3, use_bias=False, name="identity"),
        layers.Dense(4, "relu", name="hidden"),
        layers.Dense(2, name="sums"),
    ],
    {"identity": (np.eye(3),), **_MULTI},
    inner=2,
)

# The sum over cells of min(x, 1), as 1 - relu(1 - x): its slope at the tie is 0.

MIN1 = Chain(
    "min1",
    (1, 6, 1),
    lambda: [
        layers.Conv2D(1, 1, name="down"),
        layers.ReLU(name="relu"),
        layers.Conv2D(1, 1, name="up"),
        layers.Flatten(name="flat"),
        layers.Dense(1, use_bias=False, name="total"),
    ],
    {"down": ([[[[-1]]]], [1]), "up": ([[[[-1]]]], [1]), "total": (np.ones((6, 1)),)},
    inner=3,
)

# Linear in the pixels of a colour picture: every gradient is the weights.

W_RGB = np.array([[[1, -3, 2], [0, 0.5, -0.5]], [[-4, 1, 1], [2, 2, 2]]], "float32")
LINEAR_RGB = Chain(
    "linear_rgb",
    (2, 2, 3),
    lambda: [layers.Flatten(name="flat"), layers.Dense(2, name="logits")],
    {"logits": (np.stack([W_RGB.ravel(), -W_RGB.ravel()], 1), (0.5, 0))},
)

# Two maps, averaged, then a linear layer: what CAM is made for. `mid` stands between the maps' mean and that layer.

XC = np.array([[1, 0, 2, 1], [0, 3, 1, 0], [2, 1, 0, 1], [1, 0, 1, 2]], "float32")[..., None]
_PICKS = np.zeros((2, 2, 1, 2), "float32")
_PICKS[0, 0, 0, 0] = _PICKS[1, 1, 0, 1] = 1
GAP_LOGITS = (4.25, -0.5)  # of XC
GAP_MAPS = (np.array([[1, 2], [2, 0]], "float32"), np.array([[3, 0], [0, 2]], "float32"))
CLASS_MAPS = (np.array([[7, 2], [2, 4]], "float32"), np.array([[2, -2], [-2, 2]], "float32"))


def _maps():
    return [layers.Conv2D(2, 2, strides=2, use_bias=False, name="conv"), layers.ReLU(name="maps")]


def gap_net(name, *mid, kernel=((1, -1), (2, 1)), bias=(0.5, -0.5), end="softmax"):
    """Maps "maps", then the layers that the functions of its middle make, among them "logits"; then "scores"."""
    return Chain(
        f"gap_{name}",
        (4, 4, 1),
        lambda: [*_maps(), *(make() for make in mid), layers.Activation(end, name="scores")],
        {"conv": (_PICKS,), "logits": (kernel, bias)},
        inner=2,
    )


def mean(**options):
    return lambda: layers.GlobalAveragePooling2D(name="mean", **options)


def dense(units=2):
    return lambda: layers.Dense(units, name="logits")


_CONVOLUTION = (np.array([[1, -1], [2, 1]])[None, None], (0.5, -0.5))
GAP_NET = gap_net("softmax", mean(), dense())
GAP_ENDS = {end: GAP_NET if end == "softmax" else gap_net(end, mean(), dense(), end=end) for end in ENDS}
GAP_KINDS = {
    "dropout between": gap_net("dropout", mean(), lambda: layers.Dropout(0.5), dense()),
    "1 x 1 convolution": gap_net(
        "convolution",
        mean(keepdims=True),
        lambda: layers.Conv2D(2, 1, name="logits"),
        lambda: layers.Flatten(),
        kernel=_CONVOLUTION[0],
    ),
    "pooling over all": gap_net(
        "pooling", lambda: layers.AveragePooling2D(2, name="mean"), lambda: layers.Flatten(), dense()
    ),
}
GAP_SIDE = gap_net("side", mean(), dense(1), kernel=[[1], [2]], bias=[0.5], end="sigmoid")
CLASS_MAP_KIND = gap_net("none", mean())  # the maps are the classes' own


# Weights without a meaning and one head of each kind, for targets; their float64 twins stand in the tests.

RANDOM_SHAPE = (6, 7, 3)
LABELS = ("tabby", "tiger cat", "black-footed ferret", "black swan", "n00000004 or so")
SYNSETS = ("n02123045", "n02123159", "n02443484", "n01860187", "n99999999")


def random_weights() -> dict[str, list[np.ndarray]]:
    """Kernel and bias by layer: two convolutions and every head."""
    rng, sizes = np.random.default_rng(3), {"predictions": 5, "extra": 4, "side": 1, "value": 1, "values": 3}
    shapes = {"conv4": (3, 3, 3, 4), "conv5": (3, 3, 4, 5), "segments": (1, 1, 5, 3), "mask": (1, 1, 5, 1)}
    shapes |= {name: (5, units) for name, units in sizes.items()}
    return {
        name: [
            (rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))).astype("float32"),
            (rng.normal(size=shape[-1]) / 4).astype("float32"),
        ]
        for name, shape in shapes.items()
    }


RANDOM_HEADS = {
    "predictions": lambda: layers.Dense(5, "softmax", name="predictions"),
    "extra": lambda: layers.Dense(4, "softmax", name="extra"),
    "side": lambda: layers.Dense(1, "sigmoid", name="side"),
    "value": lambda: layers.Dense(1, name="value"),
    "values": lambda: layers.Dense(3, name="values"),
    "segments": lambda: layers.Conv2D(3, 1, activation="softmax", name="segments"),
    "mask": lambda: layers.Conv2D(1, 1, activation="sigmoid", name="mask"),
}


def random_model(*heads: str) -> keras.Model:
    """Two convolutions, "conv4" and "conv5", and the heads of those names."""
    weights, start = random_weights(), keras.Input(RANDOM_SHAPE)
    maps = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv4")(start)
    maps = layers.Conv2D(5, 3, padding="same", activation="relu", name="conv5")(maps)
    mean = layers.GlobalAveragePooling2D(name="mean")(maps)
    outputs = [RANDOM_HEADS[name]()(maps if name in ("segments", "mask") else mean) for name in heads]
    model = keras.Model(start, outputs if len(outputs) > 1 else outputs[0])
    for layer in model.layers:
        if layer.name in weights:
            layer.set_weights(weights[layer.name])
    return model


@functools.cache
def random_network(*heads: str) -> kv.Network:
    """The same, opened once a session; its classes have names where there are five."""
    return kv.open(random_model(*heads), labels=_labels() if heads[0] == "predictions" else None)


def _labels():
    return [list(pair) for pair in zip(SYNSETS, LABELS, strict=True)]


def random_pictures(count: int, seed: int = 0, shape: tuple[int, int, int] = RANDOM_SHAPE) -> np.ndarray:
    """float32 (count, h, w, C), normal."""
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype("float32")
