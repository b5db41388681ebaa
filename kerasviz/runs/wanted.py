"""What a training is to leave behind, as the callback was told; checked before the training begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import SettingError
from kerasviz.pictures.animations import refuse_form
from kerasviz.results.drawing import Drawing
from kerasviz.results.saving import checked_styles

Box = tuple[float, ...]  # x0, y0, x1, y1


@dataclass(frozen=True)
class Wanted:
    """What is written.

    Attributes:
        styles, drawing: of the pictures of each result.
        page: whether there is a page.
        animation: `webp`, `gif`, `mp4` or None.
        tensorboard: the folder of the events, or None.
        boxes: for each row boxes (x0, y0, x1, y1) in pixels of its photograph; empty where there are none at all.
    """

    styles: Sequence[str]
    drawing: Drawing
    page: bool
    animation: str | None
    tensorboard: Path | None
    boxes: Sequence[Sequence[Box]]

    @classmethod
    def of(
        cls,
        folder: Path,
        drawing: Drawing,
        *,
        styles: Any,
        page: bool,
        animation: str | None,
        tensorboard: bool | str | Path | None,
        boxes: Any,
    ) -> "Wanted":
        """From what a user says, as of `VisualizationLogger`; `folder`: of everything else.

        Raises:
            SettingError: no such style, no such animation or nothing to write it with, no boxes.
        """
        if animation is not None:
            refuse_form(animation)
        named = checked_styles([styles] if isinstance(styles, str) else styles)
        events = folder / "tensorboard" if tensorboard is True else Path(tensorboard) if tensorboard else None
        return cls(named, drawing, page, animation, events, _boxes(boxes))


def _boxes(boxes: Any) -> list[list[Box]]:
    """For each picture a list of boxes; one box alone is a list of one, None is none."""
    if boxes is None:
        return []
    if not hasattr(boxes, "__iter__") or isinstance(boxes, str):
        raise _refused(boxes)
    return [_of_one(one) for one in boxes]


def _of_one(given: Any) -> list[Box]:
    try:
        array = np.asarray([] if given is None else given, np.float64)
    except (TypeError, ValueError):
        raise _refused(given) from None
    rows = array.reshape(-1, 4) if array.shape == (4,) or not array.size else array
    if rows.ndim != 2 or rows.shape[1] != 4 or not (rows[:, :2] < rows[:, 2:]).all():
        raise _refused(given)
    return [tuple(map(float, row)) for row in rows]


def _refused(found: Any) -> SettingError:
    return SettingError(
        f"Expected boxes (x0, y0, x1, y1) for each picture, x0 < x1 and y0 < y1, found {found!r:.80}. "
        "Give a list with one box, a list of boxes or None for each."
    )
