"""How the cells of one column are drawn for one row: over its photograph, on paper, or as the pictures they are."""

import cv2
import numpy as np

from kerasviz.pictures.animations import Overlays
from kerasviz.pictures.colormaps import colour
from kerasviz.pictures.panels import PALE, fitted
from kerasviz.pictures.papers import paper
from kerasviz.timelines.frames import Cell
from kerasviz.timelines.layout import Column, Row
from kerasviz.timelines.placing import Placing

WHOLE = (0.0, 0.0, 1.0, 1.0)


class Scene:
    """One row and one column at one size; what is the same for every dump is made once.

    Attributes:
        photo: uint8 (h, w, 3), the photograph at that size, or None.
        colormap: of its maps.
        frame: whether its pictures need a hairline around them on paper.
    """

    def __init__(self, row: Row, column: Column, limit: float, alpha: float, longest: int):
        """`limit`: where the scale of all dumps ends; `longest`: pixels of the longer side."""
        self.photo = fitted(row.photo, longest, longest) if row.photo.size else None
        self.colormap = column.paper if column.alone else column.colormap
        self.frame = column.kind == "map" and self._stands_alone(column) and self.colormap in PALE
        self._row, self._column, self._limit, self._longest = row, column, limit, longest
        self._placings: dict[tuple[int, int], Placing] = {}
        if self.photo is not None and not column.alone:
            self._overlays = Overlays(self.photo, colormap=column.colormap, alpha=alpha, signed=column.signed)

    def draw(self, cell: Cell | None) -> np.ndarray | None:
        """uint8 (h, w, 3); None where nothing was computed."""
        if cell is None or cell.failed:
            return None
        if cell.picture is not None:
            return fitted(cell.picture, self._longest, self._longest)
        if cell.share is None:
            return None
        placed = self._placing(cell.share.shape).place(cell.values(self._column.signed))
        if self._stands_alone(self._column):
            return colour(placed, self._limit, self.colormap, signed=self._column.signed)
        share = placed / np.float32(self._limit) if self._limit else np.where(np.isnan(placed), placed, np.float32(0))
        return self._overlays.draw(share)

    def _stands_alone(self, column: Column) -> bool:
        return column.alone or self.photo is None

    def _placing(self, cells: tuple[int, ...]) -> Placing:
        """Where a map of so many cells lies; without a photograph it is its own picture."""
        height, width = cells
        if (height, width) not in self._placings:
            if self.photo is None:
                grow = self._longest / max(height, width)
                size, seen = (max(1, round(height * grow)), max(1, round(width * grow))), WHOLE
            else:
                size, seen = (self.photo.shape[0], self.photo.shape[1]), self._row.seen
            self._placings[height, width] = Placing(seen, (height, width), size)
        return self._placings[height, width]


def on_canvas(picture: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """A picture on paper of this (height, width), shrunk where it is larger; nothing is a void."""
    if picture is not None and picture.shape[:2] == size:
        return picture
    colors = paper("white")
    canvas = np.full((*size, 3), colors.void if picture is None else colors.paper, np.uint8)
    if picture is not None:
        shrink = min(1.0, size[0] / picture.shape[0], size[1] / picture.shape[1])
        wide, high = max(1, int(picture.shape[1] * shrink)), max(1, int(picture.shape[0] * shrink))
        canvas[:high, :wide] = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
    return canvas
