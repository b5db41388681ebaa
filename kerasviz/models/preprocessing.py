"""What scaling was it trained on? Known from the model's own layers, its sidecar, or the user; never guessed."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import SettingError
from kerasviz.models.beginnings import Beginning

_CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR, keras.applications.imagenet_utils
NAMES = ("none", "0..1", "-1..1", "caffe", "torch")
_TORCH_MEAN, _TORCH_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocess:
    """How a photograph, RGB 0..255 of the network's size, becomes what the network was trained on.

    Attributes:
        name: what a user types: `none`, `0..1`, `-1..1`, `caffe`, `torch`, `MODULE:FUNCTION`.
        how: where it is known from: `given`, `sidecar`, `inside` (the network itself) or `family NAME`.
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
        if self.changes_nothing:
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
    def changes_nothing(self) -> bool:
        """Whether pixels are left as they are."""
        return self.function is None and not self.bgr and self.scale == (1.0,) and self.offset == (0.0,)

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


_FOR_SCALED = {(2.0, -1.0): "0..1", (1.0, -0.5): "0..1", (0.5, 0.5): "-1..1"}  # what is made of these needs no more


def inside(start: Beginning) -> Preprocess | None:
    """What the network does to pixels itself before its first kernel: then they are left as they are.

    Its own scaling may be meant for 0..1 or -1..1, which photographs are then brought to. None where nothing is
    done, and where what is done fits several of these.
    """
    if start.unscaled:
        return None
    mean, deviation = start.mean, start.deviation
    if (deviation >= 8).all() or ((mean >= 2) & (deviation >= 0.99)).all():
        return Preprocess("none", "inside")
    if ((mean >= 1) & (deviation >= 1.05)).all():  # neither 0..1 nor -1..1 has such a mean
        return Preprocess("none", "inside")
    for (scale, offset), name in _FOR_SCALED.items():
        if np.allclose(start.scale, scale) and np.allclose(start.offset, offset):
            return _named(name, "inside")
    photographs = ((mean > 0.2) & (mean < 0.8) & (deviation > 0.12) & (deviation < 0.3)).all()
    return _named("0..1", "inside") if photographs else None


def candidates(start: Beginning) -> list[Preprocess]:
    """What a network that begins so may have been trained on, in the order in which it is asked about."""
    names = ["none", "0..1", "-1..1"]
    if len(set(start.source)) == 3 and start.unscaled:
        names += ["torch"] if start.reversed else ["caffe", "torch"]
    return [named(name) for name in names if name != "none" or start.unscaled]
