"""Maps over photographs, and maps alone: numbers are resized, never their colours."""

from collections.abc import Iterator

import cv2
import numpy as np

from kerasviz.pictures.colormaps import DIVERGING, colour, rows_of, share_of, table
from kerasviz.pictures.scales import Scale

COLOUR_KEPT = 0.25  # of the photograph, so that the map is the strongest colour in the picture
REC_601 = np.array([0.299, 0.587, 0.114], np.float32)
BAND = 1 << 19  # pixels worked on at a time: a photograph of 100 megapixels needs no gigabytes
CONTOUR_LEVEL = 0.5  # of the limit
CONTOUR_DARK, CONTOUR_LIGHT = (20, 20, 20), (255, 255, 255)


def bands(photo: np.ndarray) -> Iterator[slice]:
    """Slices of rows of about half a million pixels."""
    rows = max(1, BAND // max(1, photo.shape[1]))
    return (slice(top, top + rows) for top in range(0, photo.shape[0], rows))


def overlay(
    photo: np.ndarray,
    placed: np.ndarray,
    scale: Scale,
    *,
    colormap: str = "inferno",
    alpha: float = 0.65,
    signed: bool = False,
) -> np.ndarray:
    """The photograph, nearly grey, with the map over it: opacity = alpha * sqrt(|value| / limit).

    Where there is nothing the ground stays as it is: 25 % of the photograph's colour, 75 % of its grey.

    Args:
        photo: uint8 (H, W, 3), RGB.
        placed: float32 (H, W), the value at each pixel; NaN where the network never looked.
        scale: the limits; `scale.high` is where the opacity is `alpha`.
        colormap: one of `colormaps.NAMES`.
        alpha: opacity at the limit, 0..1.
        signed: colours from -high to high.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        ValueError: photograph and map differ in size.
    """
    refuse_other_sizes(photo, placed)
    colours, picture = table(colormap).astype(np.float32), np.empty_like(photo)
    for rows in bands(photo):
        share = np.nan_to_num(share_of(placed[rows], scale.high), nan=0.0)  # (r, W), -1..1
        opacity, ground = opacity_of(share, alpha, signed)[..., None], ground_of(photo[rows])
        over = colours[rows_of(share, halved=signed or colormap in DIVERGING, signed=signed)]
        picture[rows] = np.rint(ground + (over - ground) * opacity)
    return picture


def ground_of(photo: np.ndarray) -> np.ndarray:
    """A photograph uint8 (H, W, 3) as it lies under a map, float32: 25 % of its colour, 75 % of its grey."""
    ground = photo.astype(np.float32)
    return COLOUR_KEPT * ground + (1 - COLOUR_KEPT) * (ground @ REC_601)[..., None]


def opacity_of(share: np.ndarray, alpha: float, signed: bool) -> np.ndarray:
    """Opacity 0..1 of the colours over the ground, for shares -1..1 of the limit."""
    return np.clip(alpha * np.sqrt(np.abs(share) if signed else np.maximum(share, 0)), 0, 1)


def contour(photo: np.ndarray, placed: np.ndarray, scale: Scale, *, width: int = 2) -> np.ndarray:
    """The photograph in colour where |value| reaches half the limit, fading to dim grey elsewhere.

    For print in grey, and where colour is taken. A white line `width` pixels wide on a dark one of
    twice that width follows half the limit.

    Args and errors: as of `overlay`.
    """
    refuse_other_sizes(photo, placed)
    picture, inside = np.empty_like(photo), np.zeros(placed.shape, np.uint8)
    for rows in bands(photo):
        share = np.abs(np.nan_to_num(share_of(placed[rows], scale.high), nan=0.0))
        show = np.clip(share / CONTOUR_LEVEL, 0, 1)[..., None] ** 2
        colours = photo[rows].astype(np.float32)
        dim = (colours @ REC_601)[..., None] * 0.5 + 40
        picture[rows] = np.rint(dim + (colours - dim) * show)
        inside[rows] = share >= CONTOUR_LEVEL
    beyond = 2 * width  # lines run on past the edge, so that none is drawn along it
    wider = cv2.copyMakeBorder(inside, beyond, beyond, beyond, beyond, cv2.BORDER_REPLICATE)
    lines, _ = cv2.findContours(wider, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(-beyond, -beyond))
    for shade, broad in ((CONTOUR_DARK, 2 * width), (CONTOUR_LIGHT, width)):
        cv2.drawContours(picture, lines, -1, shade, broad, cv2.LINE_AA)
    return picture


def heatmap_picture(
    cells: np.ndarray,
    size: tuple[int, int],
    scale: Scale,
    *,
    colormap: str = "inferno",
    signed: bool = False,
    background: str = "white",
) -> np.ndarray:
    """A map alone: cells enlarged as they are, or averaged where there are more cells than pixels.

    Args:
        cells: float (h, w); NaN is drawn in the void colour.
        size: (height, width) in pixels.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    return colour(resample(cells, size), scale.high, colormap, signed=signed, background=background)


def resample(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values (h, w) at another (height, width): an axis grows by nearest cell, shrinks by area mean.

    NaN takes no part in a mean; it stays where a pixel has nothing else.
    """
    values, (height, width) = np.asarray(values, np.float32), size
    smaller = (min(width, values.shape[1]), min(height, values.shape[0]))
    if smaller != values.shape[::-1]:
        known = np.isfinite(values)
        shares = cv2.resize(known.astype(np.float32), smaller, interpolation=cv2.INTER_AREA)
        sums = cv2.resize(np.where(known, values, np.float32(0)), smaller, interpolation=cv2.INTER_AREA)
        values = np.where(shares > 0, sums / np.maximum(shares, 1e-6), np.float32(np.nan))
    if smaller != (width, height):
        values = cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return values


def refuse_other_sizes(photo: np.ndarray, placed: np.ndarray) -> None:
    """ValueError where a map does not belong to the photograph's pixels."""
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.shape[:2] != placed.shape:
        raise ValueError(
            f"A photograph (H, W, 3) and a map (H, W) of the same size were expected, found {photo.shape} and "
            f"{placed.shape}. Place the map on the photograph's pixels first."
        )
