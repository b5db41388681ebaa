"""Networks of `keras.applications`, built so that they fit a file of weights: its classes, its width, its head."""

import functools
import importlib
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kerasviz.errors import ModelError
from kerasviz.models.stored_weights import Layer, difference, wanted_layers

_WIDTHS = {  # other values of alpha than the usual 1
    "MobileNet": (0.75, 0.5, 0.25),
    "MobileNetV2": (1.4, 1.3, 0.75, 0.5, 0.35),
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), (0.75,)),
}
_FORMS: dict[str, list[dict[str, Any]]] = {
    name: [{"minimalistic": False}, {"minimalistic": True}] for name in ("MobileNetV3Small", "MobileNetV3Large")
}
_IMAGENET = (0.229, 0.224, 0.225)  # a deviation that EfficientNet's weights have in the variance's place


@functools.cache
def names() -> dict[str, str]:
    """Every network of `keras.applications`, of Keras 3 or Keras 2, by its name in small letters."""
    found = {}
    for library in ("tf_keras", "keras"):
        there = importlib.import_module(f"{library}.applications")
        found.update({name.lower(): name for name in dir(there) if name[0].isupper() and callable(vars(there)[name])})
    return found


def is_name(text: str) -> bool:
    """Whether a network is called so, in large or small letters."""
    return text.isalnum() and text.lower() in names()


def built(name: str, stored: Sequence[Layer], kind: str, of_keras_3: bool | None, called: str) -> Any:
    """The network of that name that fits the weights.

    Args:
        name: a name of `keras.applications`, in large or small letters.
        stored: the layers of the file.
        kind: `weights-h5` or `weights-h5-legacy`.
        of_keras_3: whether Keras 3 wrote it, None where nobody knows.
        called: the file, for messages.

    Raises:
        ModelError: none fits. The sentence is about the one that comes nearest.
    """
    name, nearest, fits_in_number = names()[name.lower()], "", False
    for model, how in _candidates(name, stored, kind, of_keras_3):
        wanted = wanted_layers(model, kind)
        differs = difference(wanted, stored)
        if not differs:
            return model
        if not nearest or (len(wanted) == len(stored) and not fits_in_number):
            nearest, fits_in_number = f"{how} takes {differs}", len(wanted) == len(stored)
    raise ModelError(
        f"Expected the weights in {called!r} to be those of {name}, which {nearest}. "
        "Give the network that they were saved from, as a model file or MODULE:FUNCTION."
    )


def expect_whole(text: str, model: Any, called: str) -> None:
    """ModelError where weights belong to a network with one layer more, of which a file of weights cannot tell.

    EfficientNet divides twice by what its Normalization stores, where it was built for ImageNet: the second time in a
    Rescaling, which has no weights, and which `weights=None` leaves out.
    """
    if not re.fullmatch(r"efficientnetb\d", text.lower()):
        return
    for layer in model.layers:
        if type(layer).__name__ == "Normalization" and len(layer.get_weights()) > 1:
            variance = np.ravel(np.asarray(layer.get_weights()[1]))
            if variance.shape == (3,) and np.allclose(variance, _IMAGENET, rtol=1e-3):
                raise ModelError(
                    f"Expected a network with exactly the layers of {names()[text.lower()]} for {called!r}, but its "
                    "Normalization is ImageNet's, and most such networks have a Rescaling after it, of which weights "
                    "cannot tell. Give MODULE:FUNCTION, which builds the network as it was trained."
                )


def _candidates(name: str, stored: Sequence[Layer], kind: str, of_keras_3: bool | None) -> Iterator[tuple[Any, str]]:
    """Networks, the likeliest first; further widths only where the number of layers is right."""
    for library in ("keras", "tf_keras") if of_keras_3 else ("tf_keras", "keras"):
        build = getattr(importlib.import_module(f"{library}.applications"), name, None)
        if build is None:  # not every network is in both
            continue
        for head, form in itertools.product(_heads(stored), _FORMS.get(name, [{}])):
            model = build(weights=None, **head, **form)
            wanted = wanted_layers(model, kind)
            yield model, f"{'with' if head['include_top'] else 'without'} its head"
            if len(wanted) == len(stored):
                widths = sorted(_WIDTHS.get(name, []), key=functools.partial(_distance, _width(wanted, stored)))
                for alpha in widths:
                    yield build(weights=None, **head, **form, alpha=alpha), f"of width {alpha}"


def _width(wanted: Sequence[Layer], stored: Sequence[Layer]) -> float:
    """How many filters the first kernel has, as a share of those that it usually has."""
    by_path = {layer.path: layer for layer in stored}
    for k, layer in enumerate(wanted):
        found = by_path.get(layer.path) if layer.path else stored[k]
        if len(layer.shapes[0]) == 4 and found is not None:
            return found.shapes[0][-1] / layer.shapes[0][-1]
    return 1.0


def _distance(width: float, alpha: float) -> float:
    return abs(alpha - width)


def _heads(stored: Sequence[Layer]) -> list[dict[str, Any]]:
    """With and without the classes, the likelier first."""
    kernel = _last_kernel(stored)
    bare: dict[str, Any] = {"include_top": False}
    if kernel is None:
        return [bare]
    whole = {"include_top": True, "classes": kernel[-1], **_input_shape(stored)}
    return [whole, bare] if len(kernel) == 2 or kernel[:2] == (1, 1) else [bare, whole]


def _last_kernel(stored: Sequence[Layer]) -> tuple[int, ...] | None:
    """The shape of the kernel of the last layer with one: of the last Dense layer, where there is any."""
    dense = [layer for layer in stored if [len(shape) for shape in layer.shapes] == [2, 1]]
    convolved = [layer for layer in stored if [len(shape) for shape in layer.shapes] in ([4], [4, 1])]
    by_path = any(layer.path for layer in stored)  # whose order is that of the names: conv2d, conv2d_1, dense
    for layers in (dense, convolved):
        if layers:
            return max(layers, key=lambda layer: _number(layer.path)).shapes[0] if by_path else layers[-1].shapes[0]
    return None


def _number(path: str) -> int:
    """10 of `layers/conv2d_10`."""
    digits = path.rpartition("_")[2]
    return int(digits) if digits.isdecimal() else 0


def _input_shape(stored: Sequence[Layer]) -> dict[str, Any]:
    """The size that VGG had: its first Dense layer sees every cell of its last maps, an eighth of an eighth each."""
    dense = [layer.shapes[0] for layer in stored if [len(shape) for shape in layer.shapes] == [2, 1]]
    flat = max(dense, key=lambda shape: shape[0], default=(0, 0))
    side = math.isqrt(flat[0] // 512)
    return {"input_shape": (32 * side, 32 * side, 3)} if len(dense) == 3 and side * side * 512 == flat[0] else {}
