"""Log folders of trainings that never were: small photographs, maps that grow; written by the real store."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from kerasviz.inputs.fitting import Fit
from kerasviz.timelines.frames import Cell, Frame, Standing
from kerasviz.timelines.layout import Column, Layout, Row
from kerasviz.timelines.store import Timeline

CAM = Column("gradcam", "gradcam", "Grad-CAM", "true class", unit="logit", paper="inferno", words="conv_second")
SIGNED = Column("cam", "cam", "CAM", "predicted class", unit="logit", signed=True, colormap="rdbu", paper="rdbu")
FINE = Column("saliency", "saliency", "Saliency", unit="logit per grey level", alone=True)
PICTURE = Column("activations", "activations", "Feature maps", kind="picture", words="conv_first")
COLUMNS = (CAM, SIGNED, FINE)
SHAPES = {"gradcam": (5, 7), "cam": (6, 6), "saliency": (40, 40)}


def photo(seed: int = 0, size: tuple[int, int] = (96, 120)) -> np.ndarray:
    """uint8 (h, w, 3): soft colours, which WebP keeps nearly as they are."""
    coarse = np.random.default_rng(seed).integers(30, 225, (4, 5, 3)).astype(np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def row(
    name: str = "bee.jpg", title: str = "bee", *, seed: int = 0, fit: Fit | None = None, boxes: Sequence = ()
) -> Row:
    """A row; `fit` says what the network saw of it."""
    picture = photo(seed) if fit is None else photo(seed, fit.photo_size)
    seen = (0.0, 0.0, 1.0, 1.0)
    if fit is not None:
        (y0, y1), (x0, x1) = (
            (-axis.shift / axis.scale / side, (length - axis.shift) / axis.scale / side)
            for axis, length, side in zip(fit.axes, fit.input_size, fit.photo_size, strict=True)
        )
        seen = (x0, y0, x1, y1)
    return Row(name, title, picture, picture.shape[:2], seen, boxes)


def cell(column: Column, number: int, row: int = 0, **about) -> Cell:
    """A map that grows with the dump's number; smooth, so that a fine one survives its WebP."""
    height, width = SHAPES[column.key]
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    share = np.exp(-((x - 0.3 - 0.1 * row) ** 2 + (y - 0.6) ** 2) * 6)
    share = np.rint(128 + 127 * (2 * share - 1) if column.signed else 255 * share)
    limit = 0.5 + 0.25 * number
    return Cell(share=share.astype(np.uint8), limit=limit, maximum=limit, target="bee", score=1.5, **about)


def log_folder(
    folder: Path,
    dumps: int = 3,
    *,
    rows: Sequence[Row] = (),
    columns: Sequence[Column] = COLUMNS,
    make: Callable[[Column, int, int], Cell | None] = cell,
    every: int = 1,
    model: str = "tiny",
) -> Timeline:
    """A training with dumps after 0, `every`, 2 `every` ... epochs, and metrics after each.

    Args:
        make: column, number of the dump, number of the row -> the cell.
    """
    timeline, rows = Timeline(folder), rows or [row(), row("red.jpg", "red", seed=1)]
    timeline.keep(Layout(model, rows, columns))
    timeline.begin(0, 0)
    for number in range(dumps):
        epoch = number * every
        for done in range(max(1, epoch - every + 1), epoch + 1):
            logs = {
                "loss": 2 / done,
                "accuracy": 1 - 0.9 / done,
                "val_loss": 2.1 / done,
                "val_accuracy": 1 - 0.95 / done,
            }
            timeline.epoch(done, logs)
        timeline.add(frame(number, epoch, rows, columns, make))
    timeline.end(0)
    return timeline


def frame(number: int, epoch: int, rows: Sequence[Row], columns: Sequence[Column], make: Callable = cell) -> Frame:
    """The dump after an epoch of ten batches."""
    cells = {column.key: [make(column, number, k) for k in range(len(rows))] for column in columns}
    chance = number / (number + 2)
    guesses = [("bee", chance), ("red", 1 - chance)]
    standings = [Standing(one.title or "bee", chance, 1 if chance >= 0.5 else 2, guesses) for one in rows]
    measures = {"gradcam": {"moved": [0.5 / number] * len(rows)}} if number else {}
    why = "every" if number else "start"
    return Frame(f"epoch_{epoch:04d}", "epoch", epoch, epoch, 10 * epoch, why, {}, cells, standings, measures)
