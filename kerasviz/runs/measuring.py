"""How the heatmaps of a training change from dump to dump."""

from collections.abc import Mapping, Sequence

import numpy as np

from kerasviz.results.result import Result
from kerasviz.runs.dumping import Dump
from kerasviz.timelines.measures import inside, moved

Measures = Mapping[str, Mapping[str, Sequence[float | None]]]  # column key -> name -> a number for each row
_SIDE = 256  # pixels of the longer side on which boxes are measured


class Measuring:
    """Compares each map with the one of the dump before, and with the boxes of its picture.

    Args:
        boxes: for each row boxes (x0, y0, x1, y1) in pixels of its photograph, or nothing at all.
    """

    def __init__(self, boxes: Sequence[Sequence[Sequence[float]]]):
        self._boxes = boxes
        self._before: dict[tuple[str, int], np.ndarray] = {}

    def names(self, dump: Dump) -> list[str]:
        """`kerasviz/gradcam/moved`, ...: what is measured of every column of maps, sooner or later."""
        maps = [one.key for one in dump.asked if any(result.grid is None for result in one.results.values())]
        kinds = ["moved", *(["inside"] if self._boxes else [])]
        return [f"kerasviz/{key}/{name}" for key in maps for name in kinds]

    def of(self, dump: Dump, rows: int) -> Measures:
        """`moved` and `inside` of every column of maps, a number for each of the rows."""
        found: dict[str, dict[str, list[float | None]]] = {}
        for asked in dump.asked:
            kinds: dict[str, list[float | None]] = {"moved": [None] * rows, "inside": [None] * rows}
            for k, result in asked.results.items():
                if result.grid is None:
                    kinds["moved"][k] = self._moved(asked.key, k, result)
                    kinds["inside"][k] = self._inside(k, result)
            found[asked.key] = {name: values for name, values in kinds.items() if any(v is not None for v in values)}
        return {key: kinds for key, kinds in found.items() if kinds}

    def _moved(self, key: str, row: int, result: Result) -> float | None:
        now, before = np.asarray(result.heatmap, np.float32), self._before.get((key, row))
        self._before[key, row] = now.copy()  # a view would keep its whole batch
        return None if before is None else moved(now, before)

    def _inside(self, row: int, result: Result) -> float | None:
        boxes = self._boxes[row] if self._boxes else ()
        if not len(boxes):
            return None
        height, width = result.photo.shape[:2]
        shrink = min(1.0, _SIDE / max(height, width))
        size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
        shares = [(x0 / width, y0 / height, x1 / width, y1 / height) for x0, y0, x1, y1 in boxes]
        return inside(result.given.fit.place(np.asarray(result.heatmap), size), shares)


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
