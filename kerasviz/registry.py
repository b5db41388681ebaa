"""The techniques, one line each; readable without importing an engine or TensorFlow."""

import importlib
from dataclasses import dataclass
from typing import Any

from kerasviz.errors import SettingError, near

MODEL, PIXELS = "Look at the model", "Which pixels?"


@dataclass(frozen=True)
class Technique:
    """Where a technique lives and what it is called."""

    name: str  # as typed in the shell: gradcam-plus-plus
    cls: str  # as typed in Python: GradCAMPlusPlus
    title: str  # as printed on pictures: Grad-CAM++
    group: str  # of `kerasviz --help`
    module: str  # below kerasviz.engines
    summary: str  # one line of help

    def load(self) -> Any:
        """The engine's class; imports its module."""
        return getattr(importlib.import_module(f"kerasviz.engines.{self.module}"), self.cls)


# fmt: off
TECHNIQUES = (
    Technique("activations", "Activations", "Feature maps", MODEL, "inspection.activations",
              "the feature maps of layers, as labelled grids"),
    Technique("saliency", "Saliency", "Saliency", PIXELS, "gradients.saliency",
              "the gradient of the score to the pixels"),
    Technique("guided-backprop", "GuidedBackprop", "Guided backpropagation", PIXELS, "gradients.guided_backprop",
              "the gradient to the pixels, of which every ReLU passes the positive part only"),
    Technique("gradcam", "GradCAM", "Grad-CAM", PIXELS, "cams.gradcam",
              "where the last maps of the network speak for the target"),
    Technique("cam", "CAM", "CAM", PIXELS, "cams.cam",
              "class maps of a network that ends in global average pooling"),
)
# fmt: on

BY_NAME = {t.name: t for t in TECHNIQUES}
BY_CLASS = {t.cls: t for t in TECHNIQUES}
if len(BY_NAME) != len(TECHNIQUES) or len(BY_CLASS) != len(TECHNIQUES):
    raise ValueError("registry.py names a technique twice")


def technique(name: str) -> Technique:
    """The technique of that name; SettingError with near names where there is none."""
    if name not in BY_NAME:
        raise SettingError(
            f"There is no technique {name!r}.{near(name, BY_NAME)} 'kerasviz --help' and kv.techniques() list them all."
        )
    return BY_NAME[name]


def techniques() -> tuple[Technique, ...]:
    """Every technique there is: name, class, title, group, summary."""
    return TECHNIQUES
