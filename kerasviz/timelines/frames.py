"""What one dump of a training leaves for its timeline: maps as numbers, small pictures, guesses; in JSON and back."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from PIL import Image

COARSE_SIDE = 16  # cells; up to here a map travels as its bytes, above that as a grey WebP
WEBP_QUALITY = 88
LARGEST_PICTURE = 1024  # pixels a side, of what is read; what is written has at most 480
# What a file that is not one of ours, or damaged, may raise while it is read.
BROKEN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
    RecursionError,
    SyntaxError,  # Pillow, of some formats
    Image.DecompressionBombError,
)


@dataclass(frozen=True, eq=False)
class Cell:
    """One technique's answer about one picture, at one time of the training.

    Attributes:
        share: uint8 (h, w), 255 where |value| reaches `limit`; of signed maps 128 is 0, 255 and 1 are plus and minus
            the limit. None where there is no map.
        limit: the end of the map's own scale, in the unit of its column; 0 where the map is all zero.
        maximum: the largest |value|.
        picture: uint8 (h, w, 3), for what is not a map.
        note: a plain sentence: why the map is all zero, why it failed.
        failed: whether nothing could be computed.
        target: what was explained, by name; `score`: its score.
    """

    share: np.ndarray | None = None
    limit: float = 0.0
    maximum: float = 0.0
    picture: np.ndarray | None = None
    note: str = ""
    failed: bool = False
    target: str = ""
    score: float | None = None

    def values(self, signed: bool) -> np.ndarray:
        """float32 (h, w): the map in its unit again, to 1/255 (signed 1/127) of its limit; of a failure one zero."""
        if self.share is None:
            return np.zeros((1, 1), np.float32)
        share = self.share.astype(np.float32)
        return ((share - 128) / 127 if signed else share / 255) * np.float32(self.limit)

    def plain(self) -> dict[str, Any]:
        """As it stands in JSON: `raw` is base64 of the bytes row by row, `webp` base64 of a picture."""
        found: dict[str, Any] = {
            name: getattr(self, name) for name in ("note", "failed", "target") if getattr(self, name)
        }
        if self.score is not None and np.isfinite(self.score):
            found["score"] = self.score
        if self.share is not None:
            coarse = max(self.share.shape) <= COARSE_SIDE
            data = {"raw": _text(self.share.tobytes())} if coarse else {"webp": _text(webp(self.share))}
            found |= {"size": list(self.share.shape), "limit": self.limit, "max": self.maximum, **data}
        elif self.picture is not None:
            found |= {"size": list(self.picture.shape[:2]), "picture": _text(webp(self.picture, 80))}
        return found

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Cell":
        """From JSON.

        Raises:
            One of `BROKEN`: it is not one of ours.
        """
        kinds: dict[str, Any] = {"note": str, "failed": bool, "target": str, "score": float}
        words = {name: kind(plain[name]) for name, kind in kinds.items() if name in plain}
        if "raw" in plain:
            share = np.frombuffer(base64.b64decode(plain["raw"]), np.uint8).reshape(plain["size"])
        elif "webp" in plain:
            share = pixels(base64.b64decode(plain["webp"]), "L")
        else:
            picture = pixels(base64.b64decode(plain["picture"]), "RGB") if "picture" in plain else None
            return cls(picture=picture, **words)
        limit, maximum = float(plain["limit"]), float(plain["max"])
        if share.ndim != 2 or not share.size or not 0 <= limit < np.inf:
            raise ValueError(f"A map (h, w) with a limit was expected, found {share.shape} and {limit}.")
        return cls(share=share, limit=limit, maximum=maximum, **words)


@dataclass(frozen=True)
class Standing:
    """What the network thought of one picture: of its true class, where that is known, and its first guesses.

    Attributes:
        name: the class of `probability` and `rank`: the true one, else the predicted one.
        guesses: (name, probability), best first, three at most.
    """

    name: str = ""
    probability: float | None = None
    rank: int | None = None
    guesses: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, eq=False)
class Frame:
    """One dump.

    Attributes:
        folder: `epoch_0005` or `step_0000100`, below the log folder.
        unit: `epoch` or `step`; `number`: how many of them were completed.
        epoch: completed epochs; `step`: completed batches.
        why: `start`, `every`, `improved` or `end`.
        logs: the metrics known at that time.
        cells: column key -> a cell for each row, None where there is none.
        standings: one for each row.
        measures: column key -> name (`moved`, `inside`) -> a number for each row, None where there is none.
    """

    folder: str
    unit: str
    number: int
    epoch: int
    step: int
    why: str
    logs: Mapping[str, float] = field(default_factory=dict)
    cells: Mapping[str, Sequence[Cell | None]] = field(default_factory=dict)
    standings: Sequence[Standing] = ()
    measures: Mapping[str, Mapping[str, Sequence[float | None]]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As it stands in `frame.json` and in the page."""
        cells = {key: [cell and cell.plain() for cell in row] for key, row in self.cells.items()}
        return {**vars(self), "cells": cells, "standings": [asdict(one) for one in self.standings]}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Frame":
        """From JSON; errors as of `Cell.of`."""
        cells = {key: [cell and Cell.of(cell) for cell in row] for key, row in plain["cells"].items()}
        return cls(**{**plain, "cells": cells, "standings": [Standing(**one) for one in plain["standings"]]})


def webp(picture: np.ndarray, quality: int = WEBP_QUALITY) -> bytes:
    """uint8 (h, w) or (h, w, 3) as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(picture).convert("RGB").save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()


def pixels(data: bytes, mode: str) -> np.ndarray:
    """uint8 pixels of a small WebP; `mode` L or RGB. ValueError, before it is decoded, where it is larger than ours."""
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:  # a log folder may be a stranger's
        if max(image.size) > LARGEST_PICTURE:
            raise ValueError(f"A picture of {image.size[0]} x {image.size[1]} pixels stands in no log folder of ours.")
        return np.asarray(image.convert(mode))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
