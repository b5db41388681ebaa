"""Activations: the feature maps of layers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kerasviz.engines._engine import Engine
from kerasviz.models.view import View
from kerasviz.results.facts import MapGrid
from kerasviz.scores import Score
from kerasviz.settings import Anything, OneOf, setting


def _names(value: Any) -> tuple[str, ...]:
    """`a,b` or a sequence of names."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True, kw_only=True)
class Activations(Engine):
    """What layers return for a picture: their feature maps, as labelled grids.

    Values (h, w, K), or (K,) of a layer without a grid, as the layer returned them; one result a layer.
    The heatmap is the mean over the channels. Krizhevsky et al. 2012; Zeiler and Fergus 2013, arXiv 1311.2901.
    """

    explains: ClassVar[bool] = False

    layer: tuple[str, ...] | None = setting(
        None,
        "layers, joined by commas; default: the last one with maps",
        Anything("layers"),
        parse=_names,
        structural=True,
    )
    order: str = setting("strongest", "of the maps: by their mean, or by their number", OneOf(("strongest", "index")))

    @property
    def taps(self) -> tuple[str | None, ...]:
        return self.layer or (None,)

    def parts(self, view: View, score: Score | None) -> list[tuple[dict[str, Any], str | None]]:
        """Every layer asked for, out of one pass."""
        taps = [view.tap(name) for name in self.layer] if self.layer else [view.last_maps()]
        return [({"values": tap.values}, tap.path) for tap in taps]

    def heatmap(self, values: np.ndarray) -> np.ndarray:
        """The mean over the channels; a vector is one row of cells."""
        return values.mean(-1) if values.ndim == 3 else values.reshape(1, -1) if values.ndim == 1 else values

    def unit(self, scale: str, photograph: bool) -> str:
        """Activations have no unit."""
        return ""

    def grid(self, result: Any) -> MapGrid:
        """All maps of the layer; the units of a vector stand as single cells."""
        values = result.values
        if values.ndim == 2:  # (positions, K) of a sequence
            values = values[None]
        maps = values if values.ndim == 3 else values.reshape(1, 1, -1)
        return MapGrid(maps=maps, title=self.technique.title, order=self.order)
