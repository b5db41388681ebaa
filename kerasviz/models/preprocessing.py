"""What scaling was it trained on? Known from the model's own layers, its sidecar, or the user; never guessed."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import SettingError
from kerasviz.lazy import tf
from kerasviz.models.operations import depends
from kerasviz.models.view import View

_CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR, keras.applications.imagenet_utils
_TORCH_MEAN, _TORCH_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocess:
    """How a photograph, RGB 0..255 of the network's size, becomes what the network was trained on.

    Attributes:
        name: what a user types: `none`, `0..1`, `-1..1`, `caffe`, `torch`, `MODULE:FUNCTION`.
        how: where it is known from: `inside` (layers of the model), `sidecar`, `given`.
    """

    name: str
    how: str
    scale: tuple[float, ...] = (1.0,)  # network = pixels * scale + offset, channel by channel
    offset: tuple[float, ...] = (0.0,)
    bgr: bool = False
    function: Callable[[Any], Any] | None = None

    def apply(self, pixels: Any) -> Any:
        """(N, H, W, C) in 0..255 -> what the network takes; differentiable."""
        if self.function is not None:
            return self._own(pixels)
        if self.bgr and pixels.shape[-1] == 3:
            pixels = pixels[..., ::-1]
        if len(self.scale) > 1 and pixels.shape[-1] != len(self.scale):
            raise SettingError(
                f"Expected colour pictures for preprocessing {self.name!r}, found {pixels.shape[-1]} channels. "
                "Say what the network was trained on: none, 0..1, -1..1 or MODULE:FUNCTION."
            )
        if self.scale == (1.0,) and self.offset == (0.0,):
            return pixels
        return pixels * np.array(self.scale, np.float32) + np.array(self.offset, np.float32)

    def _own(self, pixels: Any) -> Any:
        try:
            return self.function(pixels)  # type: ignore[misc]
        except Exception as error:
            raise SettingError(
                f"Expected a function of float32 (N, H, W, C) as preprocessing, but {self.name!r} fails: "
                f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]} It must work on tensors."
            ) from error

    @property
    def invertible(self) -> bool:
        """Whether `undo` knows the way back."""
        return self.function is None

    def undo(self, inputs: np.ndarray) -> np.ndarray:
        """What the network takes -> pixels in 0..255, for drawing; (..., C) float32."""
        pixels = (inputs - np.array(self.offset, np.float32)) / np.array(self.scale, np.float32)
        return pixels[..., ::-1] if self.bgr and pixels.shape[-1] == 3 else pixels


def _named(name: str, how: str) -> Preprocess | None:
    torch = (np.asarray(_TORCH_MEAN), np.asarray(_TORCH_SD))
    known = {
        "none": Preprocess("none", how),
        "0..1": Preprocess("0..1", how, (1 / 255,)),
        "-1..1": Preprocess("-1..1", how, (1 / 127.5,), (-1.0,)),
        "caffe": Preprocess("caffe", how, (1.0,) * 3, tuple(-m for m in _CAFFE_MEAN), bgr=True),
        "torch": Preprocess("torch", how, tuple(1 / (255 * torch[1])), tuple(-torch[0] / torch[1])),
    }
    return known.get(name)


def named(name: str, how: str = "given") -> Preprocess:
    """The preprocessing of that name; `MODULE:FUNCTION` is imported and called with float32 (N, H, W, C) in 0..255."""
    found = _named(name, how)
    if found:
        return found
    module, _, function = str(name).partition(":")
    if not function:
        raise SettingError(
            f"Expected preprocessing none, 0..1, -1..1, caffe, torch or MODULE:FUNCTION, found {name!r}. "
            "Say what the network was trained on, for example --preprocess -1..1."
        )
    try:
        return Preprocess(name, how, function=getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise SettingError(
            f"Expected a function to import as MODULE:FUNCTION, found {name!r}: {error}. "
            "Name an installed module, or one in the folder you are in."
        ) from error


_SCALING = ("Rescaling", "Normalization")
_ARITHMETIC = ("Subtract", "Add", "Multiply", "TrueDivide", "Divide")
_TF_ARITHMETIC = ("subtract", "add", "multiply", "truediv", "divide", "__operators__.add")  # of tf_keras


def inside(view: View) -> Preprocess | None:
    """What the network does to pixels itself: Rescaling, Normalization or arithmetic before its first kernel.

    None where nothing is done, and where its first step multiplies by more than 1: it was made for inputs that are
    scaled already, such as 0..1, and grey levels would make it see nothing.
    """
    for tap in view.taps.values():
        if not depends(tap.tensor, view.pixels):  # another input has layers of its own
            continue
        if _scales(tap.layer):
            return None if _factor(tap.layer) > 1 else Preprocess("none", "inside")
        if any(len(weight.shape) >= 2 for weight in getattr(tap.layer, "weights", None) or []):
            return None
    return None


def _scales(layer: Any) -> bool:
    symbol = str(getattr(layer, "symbol", "")).removeprefix("math.")  # of a TFOpLambda
    return type(layer).__name__ in (*_SCALING, *_ARITHMETIC) or symbol in _TF_ARITHMETIC


def _factor(layer: Any) -> float:
    """The largest number that a Rescaling or Normalization multiplies pixels by; 1 of other layers."""
    with tf.init_scope():  # the numbers themselves, also while the network is being traced
        if type(layer).__name__ == "Rescaling":
            return float(np.max(np.abs(np.asarray(layer.scale, np.float64))))
        variance = getattr(layer, "variance", None) if type(layer).__name__ == "Normalization" else None
        return 1.0 if variance is None else float(1 / np.sqrt(np.maximum(np.min(np.asarray(variance)), 1e-12)))


def unknown(model: str) -> SettingError:
    """The question that stands for a guess."""
    return SettingError(
        f"It cannot be known how pixels must be scaled for {model}: no layer at its beginning says so for 0..255, "
        "and into a Lambda or a layer of one's own nobody can look: where that scales, the answer is none. "
        "Say what it was trained on with --preprocess none, 0..1, -1..1, caffe, torch or MODULE:FUNCTION "
        "(in Python preprocess=), or pass float arrays as in training."
    )
