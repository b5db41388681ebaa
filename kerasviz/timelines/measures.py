"""How a heatmap changes while a network learns: cheap numbers, computed beside the pictures."""

from collections.abc import Sequence

import numpy as np

SIDE = 32  # cells; finer maps are averaged down to it before they are ranked


def moved(now: np.ndarray, before: np.ndarray) -> float | None:
    """1 minus Spearman's rank correlation of two maps (h, w): 0 the same order of places, 1 unrelated, 2 reversed.

    Ties share their mean rank. None where either map is constant: nothing can be ranked. (Spearman 1904; used
    for heatmaps by Adebayo et al. 2018, arXiv 1810.03292.)
    """
    if now.shape != before.shape:
        return None
    from scipy.stats import rankdata

    first, second = (rankdata(_coarse(one).ravel()) for one in (now, before))
    first, second = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((first @ first) * (second @ second)))
    return 1 - float(first @ second) / spread if spread > 0 else None


def inside(placed: np.ndarray, boxes: Sequence[Sequence[float]]) -> float | None:
    """The share 0..1 of a map's positive values that lies in boxes; None without boxes, or where nothing is positive.

    Args:
        placed: float (H, W), the map laid on the photograph; NaN where the network never looked.
        boxes: (x0, y0, x1, y1) each, as shares of the photograph's width and height; overlaps count once.
    """
    positive = np.maximum(np.nan_to_num(placed), 0)
    total = float(positive.sum(dtype=np.float64))
    if not boxes or total <= 0:
        return None
    height, width = placed.shape
    y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    within = np.zeros(placed.shape, bool)
    for x0, y0, x1, y1 in boxes:
        within |= ((y >= y0) & (y <= y1))[:, None] & ((x >= x0) & (x <= x1))
    return float(positive[within].sum(dtype=np.float64)) / total


def _coarse(values: np.ndarray) -> np.ndarray:
    import cv2

    height, width = values.shape
    if max(height, width) <= SIDE:
        return values
    size = (min(width, SIDE), min(height, SIDE))
    return cv2.resize(np.asarray(values, np.float32), size, interpolation=cv2.INTER_AREA)
