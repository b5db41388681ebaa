"""Saliency: the gradient of the score to the pixels."""

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
class Saliency(Engine):
    """How much the score changes with each pixel.

    values = d target / d pixels, (h, w, C), signed; heatmap = max over c of |values|

    In units of the target for a grey level of 0..255, for photographs, or for one unit of a float input.
    Simonyan, Vedaldi, Zisserman 2013, arXiv 1312.6034, section 3.
    """

    steep: ClassVar[bool] = True

    reduce: str = setting("max-abs", "how the channels of a pixel become one number", OneOf(tuple(REDUCERS)))

    @property
    def signed(self) -> bool:  # type: ignore[override]
        """Only a sum of channels has a meaning below zero."""
        return self.reduce == "sum"

    def compute(self, view: View, score: Score | None) -> tuple[dict[str, Any], str | None]:
        """The gradient, and its norm."""
        assert score is not None
        slopes = view.pixel_slopes(score.value)
        if slopes is None:
            raise TechniqueError(
                "No gradient arrives at the pixels: the network takes integers, or has a step that has none, "
                "such as Resizing(interpolation='area'). Use gradcam, which needs no pixel gradient."
            )
        norm = tf.sqrt(tf.reduce_sum(tf.square(slopes), (1, 2, 3)))
        return {"values": slopes, "gradient_norm": norm}, None

    def heatmap(self, values: np.ndarray) -> np.ndarray:
        """(h, w, C) -> (h, w) by `reduce`."""
        return REDUCERS[self.reduce](values)

    def unit(self, scale: str, photograph: bool) -> str:
        """Per grey level of a photograph, per unit of a float input."""
        return f"{scale} per grey level" if photograph else f"{scale} per unit"

    def caveat(self) -> str:
        """Which number a pixel shows."""
        words = {"max-abs": "largest", "l2": "root of the sum of squares", "sum": "sum"}
        return (
            f"{words[self.reduce].capitalize()} of the channels."
            if self.reduce in words
            else (f"Largest {self.reduce} part of the channels.")
        )
