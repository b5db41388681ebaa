"""A result becomes the cell, the row and the column of a timeline."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from kerasviz.pictures.panels import colormap_of, overlay_colormap
from kerasviz.pictures.scales import scale_of
from kerasviz.results.data import ResultData
from kerasviz.results.drawing import Drawing, map_of, pages_of
from kerasviz.timelines.frames import Cell, Standing
from kerasviz.timelines.layout import LARGEST_PHOTO, Column, Row

FINE_SIDE = 64  # cells; finer maps are averaged down to it
_QUESTIONS = {"true": "true class", "top": "predicted class", "auto": ""}


def cell_of(result: ResultData, drawing: Drawing) -> Cell:
    """The map of a result as numbers, or its picture made small."""
    target = result.target
    about: dict[str, Any] = {
        "note": result.messages[0] if result.messages else "",
        "failed": result.status == "failed",
        "target": target.name if target else "",
        "score": float(target.score) if target else None,
    }
    if result.grid is not None:
        return Cell(picture=shrunk(next(pages_of(result, Drawing(scale=1)))), **about)
    signed, cells = result.engine.signed, np.asarray(result.heatmap, np.float32)
    limit = scale_of(cells, signed=signed, clip=drawing.clip).high
    sizes = np.abs(cells) if signed else np.maximum(cells, 0)
    maximum = float(np.max(sizes, initial=0, where=np.isfinite(sizes)))
    share = np.nan_to_num(_small(cells) / limit) if limit else np.zeros_like(_small(cells))
    steps = 128 + 127 * np.clip(share, -1, 1) if signed else 255 * np.clip(share, 0, 1)
    return Cell(share=np.rint(steps).astype(np.uint8), limit=limit, maximum=maximum, **about)


def _small(cells: np.ndarray) -> np.ndarray:
    height, width = cells.shape
    if max(height, width) <= FINE_SIDE:
        return cells
    shrink = FINE_SIDE / max(height, width)
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return cv2.resize(cells, size, interpolation=cv2.INTER_AREA)


def row_of(result: ResultData, title: str, boxes: Sequence[Sequence[float]] = ()) -> Row:
    """The picture of a result.

    Args:
        result: any result about it.
        title: its true class, or empty.
        boxes: (x0, y0, x1, y1) each, in pixels of the photograph.
    """
    fit, photo = result.given.fit, result.photo
    height, width = photo.shape[:2]
    down, across = fit.axes
    (y0, y1), (x0, x1) = (
        ((0 - axis.shift) / axis.scale / side, (length - axis.shift) / axis.scale / side)
        for axis, length, side in zip((down, across), fit.input_size, fit.photo_size, strict=True)
    )
    shares = [(b[0] / width, b[1] / height, b[2] / width, b[3] / height) for b in boxes]
    return Row(result.image_name, title, shrunk(photo), (height, width), (x0, y0, x1, y1), shares)


def column_of(result: ResultData, key: str, question: str, drawing: Drawing) -> Column:
    """The question that a result answers; `question` is the target as it was asked."""
    technique, layer = result.engine.technique, result.layer.path if result.layer else ""
    words = ", ".join(filter(None, (layer, _settings(result.engine), result.engine.caveat())))
    common: dict[str, Any] = {
        "key": key,
        "technique": technique.name,
        "title": technique.title,
        "question": _QUESTIONS.get(question, question),
        "unit": result.unit,
        "signed": bool(result.engine.signed),
        "words": words,
    }
    if result.grid is not None:
        return Column(kind="picture", **common)
    drawn = map_of(result, drawing)
    return Column(
        alone=drawn.alone, colormap=overlay_colormap(drawn), paper=colormap_of(drawn, drawing.background), **common
    )


def _settings(engine: Any) -> str:
    """What differs from the defaults, beside the layer."""
    usual = type(engine)().settings
    return ", ".join(f"{n} {v}" for n, v in engine.settings.items() if n != "layer" and v != usual[n])


def standing_of(result: ResultData) -> Standing:
    """Of the class that the result explains, how probable it is and its rank; and the first three guesses."""
    guesses = [(one.name, one.probability) for one in result.predictions[:3] if one.probability is not None]
    rank, probability = result.measures.get("rank"), result.measures.get("probability")
    return Standing(
        name=result.target.name if result.target else (guesses[0][0] if guesses else ""),
        probability=float(probability) if probability is not None and result.has_probabilities else None,
        rank=int(rank) if rank is not None else None,
        guesses=guesses,
    )


def shrunk(picture: np.ndarray, longest: int = LARGEST_PHOTO) -> np.ndarray:
    """uint8 (h, w, 3), at most `longest` pixels a side; smaller ones as they are."""
    height, width = picture.shape[:2]
    shrink = longest / max(height, width)
    if shrink >= 1:
        return picture
    return cv2.resize(
        picture, (max(1, round(width * shrink)), max(1, round(height * shrink))), interpolation=cv2.INTER_AREA
    )
