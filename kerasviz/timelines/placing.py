"""A map of a timeline finds its place on a drawing of its row's photograph."""

from collections.abc import Sequence

import numpy as np

from kerasviz.inputs.fitting import Taps, taps, weighed_rows


class Placing:
    """The same as `Fit.place`, from what a row keeps of its Fit; made once for maps of one size.

    Args:
        seen: (x0, y0, x1, y1) of the network's input, as shares of the photograph's width and height.
        cells: (h, w) of the maps.
        size: (height, width) of the drawing.
    """

    def __init__(self, seen: Sequence[float], cells: tuple[int, int], size: tuple[int, int]):
        x0, y0, x1, y1 = seen
        self._down, self._across = _reading(size[0], cells[0], y0, y1), _reading(size[1], cells[1], x0, x1)
        self._unseen_rows, self._unseen_columns = _outside(size[0], y0, y1), _outside(size[1], x0, x1)

    def place(self, values: np.ndarray) -> np.ndarray:
        """float32 (h, w) -> (height, width), stretched smoothly; NaN where the network never looked."""
        values = np.asarray(values, np.float32)
        drawn = weighed_rows(np.ascontiguousarray(weighed_rows(values.T, self._across).T), self._down)
        drawn[self._unseen_rows] = np.nan
        drawn[:, self._unseen_columns] = np.nan
        return drawn


def _reading(length: int, cells: int, low: float, high: float) -> Taps:
    """What each of `length` drawn pixels reads; the cells lie between `low` and `high`, shares of the drawing."""
    step = (high - low) / cells  # of a cell, as a share
    middle = (np.arange(length) + 0.5) / length
    return taps((middle - low) / step - 0.5, cells, 1 / (length * step), nearest=False)


def _outside(length: int, low: float, high: float) -> np.ndarray:
    """bool (length,): the middle of this pixel was not seen."""
    middle = (np.arange(length) + 0.5) / length
    return (middle < low - 1e-9) | (middle > high + 1e-9)
