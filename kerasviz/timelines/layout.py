"""What stays the same over a timeline: its rows, which are pictures, and its columns, which are questions."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kerasviz.timelines.frames import pixels, webp

LARGEST_PHOTO = 480  # pixels of the longer side
_NARROWEST = 1e-4  # of a photograph's side: less of it is no part that a network was shown


@dataclass(frozen=True, eq=False)
class Row:
    """A picture of the fixed panel; with an empty `photo` the network itself, for what is about no picture.

    Attributes:
        name: what its files are called.
        title: its true class, or empty.
        photo: uint8 (h, w, 3), at most 480 pixels a side.
        size: (height, width) of the original.
        seen: (x0, y0, x1, y1) of the network's input on the photograph, as shares of its width and height: 0, 0, 1, 1
            where it was squashed; inside where it was cropped; beyond where it was padded.
        boxes: (x0, y0, x1, y1) each, as shares.
    """

    name: str
    title: str
    photo: np.ndarray
    size: tuple[int, int]
    seen: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    boxes: Sequence[Sequence[float]] = ()

    def plain(self) -> dict[str, Any]:
        """As it stands in JSON; the photograph as base64 of a WebP."""
        photo = base64.b64encode(webp(self.photo, 80)).decode("ascii") if self.photo.size else ""
        return {**vars(self), "photo": photo, "shape": list(self.photo.shape[:2])}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Row":
        """From JSON."""
        photo = pixels(base64.b64decode(plain["photo"]), "RGB") if plain["photo"] else np.zeros((0, 0, 3), np.uint8)
        kept = {name: plain[name] for name in ("name", "title", "boxes")}
        x0, y0, x1, y1 = map(float, plain["seen"])
        if not (x1 - x0 > _NARROWEST and y1 - y0 > _NARROWEST and np.isfinite([x0, y0, x1, y1]).all()):
            raise ValueError(f"A part of the photograph was expected, found {plain['seen']}.")
        return cls(photo=photo, size=tuple(plain["size"]), seen=(x0, y0, x1, y1), **kept)


@dataclass(frozen=True)
class Column:
    """One question of one technique.

    Attributes:
        key: stands in file names: `gradcam`, `gradcam.true`, `gradcam-2.top`.
        technique: its name in the registry; `title`: as printed.
        question: `true class`, `predicted class`, or the target as it was asked; empty for the default.
        kind: `map` or `picture`.
        unit: of the map's values; `signed`: whether they mean something below zero.
        alone: whether the map is as fine as the pixels and stands on paper instead of over the photograph.
        colormap: over the photograph; `paper`: of a map that stands alone.
        words: layer, settings, caveat: the small print.
    """

    key: str
    technique: str
    title: str
    question: str = ""
    kind: str = "map"
    unit: str = ""
    signed: bool = False
    alone: bool = False
    colormap: str = "inferno"
    paper: str = "ink"
    words: str = ""


@dataclass(frozen=True)
class Layout:
    """The rows and columns of a timeline, and what was watched.

    Attributes:
        model: its name.
        alpha: opacity of an overlay at the limit.
    """

    model: str
    rows: Sequence[Row]
    columns: Sequence[Column]
    alpha: float = 0.65

    def plain(self) -> dict[str, Any]:
        """As it stands in JSON."""
        rows, columns = [row.plain() for row in self.rows], [asdict(column) for column in self.columns]
        return {"schema": 1, "model": self.model, "alpha": self.alpha, "rows": rows, "columns": columns}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Layout":
        """From JSON."""
        rows, columns = [Row.of(row) for row in plain["rows"]], [Column(**column) for column in plain["columns"]]
        return cls(plain["model"], rows, columns, float(plain["alpha"]))
