"""Saliency: the gradient of the score to the pixels."""

from dataclasses import dataclass
from typing import Any

from kerasviz.engines.gradients._family import PixelGradients
from kerasviz.models.view import View


@dataclass(frozen=True, kw_only=True)
class Saliency(PixelGradients):
    """How much the score changes with each pixel.

    values = d target / d pixels, (h, w, C), signed; heatmap = max over c of |values|

    In units of the target for a grey level of 0..255, for photographs, or for one unit of a float input.
    Simonyan, Vedaldi, Zisserman 2013, arXiv 1312.6034, section 3.
    """

    @staticmethod
    def slopes(view: View, score: Any) -> tuple[Any, dict[str, int]]:
        """The gradient as it is."""
        return view.pixel_slopes(score), {}
