"""The family of gradients to the pixels: one signed number for each pixel and channel."""

from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from kerasviz.engines._engine import Engine
from kerasviz.errors import TechniqueError
from kerasviz.lazy import tf
from kerasviz.models.view import View
from kerasviz.scores import Score
from kerasviz.settings import OneOf, setting


def _over_channels(join: np.ufunc, values: np.ndarray) -> np.ndarray:
    """(h, w, C) -> (h, w), map by map: along a last axis of three, NumPy's own reductions take 20 times as long."""
    return reduce(join, np.moveaxis(values, -1, 0))


REDUCERS = {  # (h, w, C) -> (h, w)
    "max-abs": lambda slopes: _over_channels(np.maximum, np.abs(slopes)),
    "l2": lambda slopes: np.sqrt(_over_channels(np.add, np.square(slopes))),
    "sum": lambda slopes: _over_channels(np.add, slopes),
    "positive": lambda slopes: _over_channels(np.maximum, np.maximum(slopes, 0)),
    "negative": lambda slopes: _over_channels(np.maximum, np.maximum(-slopes, 0)),
}


@dataclass(frozen=True, kw_only=True)
class PixelGradients(Engine):
    """Values (h, w, C) of one pass forward and one back; a technique says how it goes back."""

    steep: ClassVar[bool] = True
    warning: ClassVar[str] = ""  # what a caption has to say against the technique

    reduce: str = setting("max-abs", "how the channels of a pixel become one number", OneOf(tuple(REDUCERS)))

    @property
    def signed(self) -> bool:  # type: ignore[override]
        """Only a sum of channels has a meaning below zero."""
        return self.reduce == "sum"

    @staticmethod
    def slopes(view: View, score: Any) -> tuple[Any, dict[str, int]]:
        """(N,) -> values (N, H, W, C) or None where no gradient arrives, and what was counted on the way."""
        raise TypeError("a technique of this family says how the gradient comes back")

    def compute(self, view: View, score: Score | None) -> tuple[dict[str, Any], str | None]:
        """The gradient, and its norm."""
        assert score is not None
        slopes, counted = self.slopes(view, score.value)
        if slopes is None:
            raise TechniqueError(
                "No gradient arrives at the pixels: the network takes integers, or has a step that has none, "
                "such as Resizing(interpolation='area'). Use gradcam, which needs no pixel gradient."
            )
        norm = tf.sqrt(tf.reduce_sum(tf.square(slopes), (1, 2, 3)))
        counts = {name: tf.fill(tf.shape(norm), number) for name, number in counted.items()}
        return {"values": slopes, "gradient_norm": norm, **counts}, None

    def heatmap(self, values: np.ndarray) -> np.ndarray:
        """(h, w, C) -> (h, w) by `reduce`."""
        return REDUCERS[self.reduce](values)

    def unit(self, scale: str, photograph: bool) -> str:
        """Per grey level of a photograph, per unit of a float input."""
        return f"{scale} per grey level" if photograph else f"{scale} per unit"

    def caveat(self) -> str:
        """Which number a pixel shows, and the technique's warning."""
        words = {"max-abs": "Largest", "l2": "Root of the sum of squares", "sum": "Sum"}
        shown = words.get(self.reduce, f"Largest {self.reduce} part")
        return f"{shown} of the channels. {self.warning}".strip()
