"""A few whole pictures, compared with those somebody has looked at.

After a change that is meant, `KERASVIZ_GOLDEN=write pytest tests/pictures/test_golden_pictures.py` writes
them anew: look at every one of them before they are committed.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from kerasviz.pictures.bars import Key
from kerasviz.pictures.captions import opacity_words, question, scale_words, small_print
from kerasviz.pictures.grids import grid_pages
from kerasviz.pictures.overlays import overlay
from kerasviz.pictures.panels import Facts, Map, panel
from kerasviz.pictures.scales import Scale, scale_of
from kerasviz.pictures.strips import Curve, Moment, strip, thumbnail

GOLDEN = Path(__file__).parents[1] / "golden"
TOLERANCE = 3.0  # root mean square, in grey levels: their palettes cost up to 1.5, a title moved by one pixel 8


def a_photograph():
    """Discs and a horizon, 90 x 150."""
    photo = np.full((90, 150, 3), (120, 160, 210), np.uint8)
    photo[60:] = (90, 130, 60)
    cv2.circle(photo, (50, 48), 24, (220, 120, 60), -1)
    cv2.circle(photo, (110, 30), 14, (250, 230, 120), -1)
    return photo


def hills(height, width, sign=0.0):
    """A smooth map, two hills, or with a sign a hill and a hollow."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    near, far = np.exp(-12 * ((x - 0.3) ** 2 + (y - 0.5) ** 2)), np.exp(-30 * ((x - 0.75) ** 2 + (y - 0.3) ** 2))
    return (near + (0.5 - sign) * far).astype(np.float32) * 0.443


def in_the_middle(cells):
    """As the crop to the largest square is placed back."""

    def place(size, nearest):
        side, values = min(size), np.full(size, np.nan, np.float32)
        how = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_LINEAR
        left, top = (size[1] - side) // 2, (size[0] - side) // 2
        values[top : top + side, left : left + side] = cv2.resize(cells, (side, side), interpolation=how)
        return values

    return place


def everywhere(cells):
    """As the whole photograph squashed is placed back."""

    def place(size, nearest):
        how = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_LINEAR
        return cv2.resize(cells, size[::-1], interpolation=how)

    return place


def words(cells, technique, signed=False):
    scale = scale_of(cells, signed=signed)
    return Facts(
        title="orange disc",
        facts="class 285, probability 0.77",
        technique=technique,
        caption=question(technique, "orange disc", "the predicted class", "logit 10.5"),
        small=small_print("A small network, layer conv", scale_words(scale), opacity_words(0.65)),
    )


def draw_coarse():
    cells = hills(5, 7)
    return panel(Map(photo=a_photograph(), cells=cells, place=everywhere(cells)), words(cells, "Grad-CAM"), scale=1)


def draw_signed_crop():
    cells = hills(6, 6, sign=1.5)
    map = Map(photo=a_photograph(), cells=cells, place=in_the_middle(cells), signed=True)
    return panel(map, words(cells, "HiResCAM", signed=True), scale=1, background="black")


def draw_fine():
    cells = np.abs(cv2.Laplacian(a_photograph()[..., 0].astype(np.float32), cv2.CV_32F)) * 1e-5
    map = Map(photo=a_photograph(), cells=cells, place=everywhere(cells), unit="logit per grey level", alone=True)
    return panel(map, words(cells, "Saliency"), scale=1)


def draw_contour():
    cells = hills(5, 7)
    map = Map(photo=a_photograph(), cells=cells, place=everywhere(cells), contour=True)
    return panel(map, words(cells, "Grad-CAM"), scale=1)


def draw_nothing():
    cells = np.zeros((7, 7), np.float32)
    map = Map(photo=a_photograph(), cells=cells, place=everywhere(cells))
    return panel(map, words(cells, "Grad-CAM"), scale=1)


def draw_grid():
    maps = np.stack([hills(14, 14) * k for k in (1, 0, 0.5, 0.2, 2, 1.5, 0, 0.1, 0.8, 0.7)], axis=-1)
    (page,) = grid_pages(maps, title="conv", facts="10 maps of 14 × 14", technique="Feature maps", scale=1)
    return page


def draw_strip():
    photo, cells, scale, moments = thumbnail(a_photograph(), 1), hills(7, 7), Scale(0.0, 0.443), []
    known = [(0.01, None), (0.02, 0.3), (0.1, 0.5), (0.4, 0.8), (0.6, 0.9), (0.77, 0.92)]
    for k, (chance, accuracy) in enumerate(known):
        told = {"under": ["failed"], "bad": True} if k == 2 else {"under": [f"{chance:.2f}"], "strong": chance > 0.3}
        drawn = None if k == 2 else overlay(photo, everywhere(cells * k / 5)(photo.shape[:2], False), scale)
        moments.append(Moment(label=f"epoch {2 * k}", at=2 * k, value=accuracy, picture=drawn, **told))
    curve = Curve("Accuracy", "validation", [(1, 0.1), (2, 0.3), (4, 0.5), (6, 0.8), (7, 0.88), (8, 0.9), (10, 0.92)])
    caption = small_print("Grad-CAM for orange disc", scale_words(scale, "logit", 2), opacity_words(0.65))
    return strip(photo, "orange disc", moments, caption, curve=curve, key=Key(scale, "inferno", unit="logit"), scale=1)


PICTURES = [draw_coarse, draw_signed_crop, draw_fine, draw_contour, draw_nothing, draw_grid, draw_strip]


def rms(one, other):
    """Root mean square difference, in grey levels."""
    return float(np.sqrt(np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("draw", PICTURES, ids=lambda draw: draw.__name__.removeprefix("draw_"))
def test_the_picture_is_the_one_that_was_looked_at(draw, tmp_path):
    actual, path = draw(), GOLDEN / f"{draw.__name__.removeprefix('draw_')}.png"
    if os.environ.get("KERASVIZ_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(actual).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    expected = np.asarray(Image.open(path).convert("RGB"))
    if actual.shape == expected.shape and rms(actual, expected) <= TOLERANCE:
        return
    Image.fromarray(expected).save(tmp_path / "expected.png")
    Image.fromarray(actual).save(tmp_path / "actual.png")
    if actual.shape == expected.shape:
        difference = np.clip(np.abs(actual.astype(int) - expected) * 8, 0, 255).astype(np.uint8)
        Image.fromarray(difference).save(tmp_path / "difference.png")
    pytest.fail(f"{path.name} has changed: compare expected, actual and difference (8-fold) in {tmp_path}")


def test_the_tolerance_sees_a_bar_turned_and_a_heatmap_moved_by_a_cell():
    picture = draw_coarse()
    for rows, columns, change in (
        (slice(78, 260), slice(342, 646), lambda part: np.roll(part, 43, axis=1)),
        (slice(78, 260), slice(654, 664), lambda part: part[::-1]),
        (slice(0, 60), slice(0, 1050), lambda part: np.roll(part, 1, axis=1)),
    ):
        changed = picture.copy()
        changed[rows, columns] = change(picture[rows, columns])
        assert rms(picture, changed) > TOLERANCE
