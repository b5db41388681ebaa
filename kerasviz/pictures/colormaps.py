"""Numbers to colours: 256 rows of RGB a map, and the one place that looks values up in them."""

from functools import cache

import cv2
import numpy as np

from kerasviz.errors import SettingError, near
from kerasviz.pictures.papers import paper

FROM_OPENCV = ("inferno", "viridis", "cividis", "magma", "plasma", "turbo")
NAMES = (*FROM_OPENCV, "ink", "grey", "rdbu")
DIVERGING = ("rdbu",)

# ColorBrewer's RdBu of 11 classes, reversed: blue opposes, red supports.
RDBU = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"


@cache
def table(name: str) -> np.ndarray:
    """The 256 colours of a map, from nothing to the limit: uint8 (256, 3), RGB, read-only.

    `rdbu` is linear between its stops on either side of 0; entries 127 and 128 are both its neutral
    colour, so that 0 itself is never tinted.

    Raises:
        SettingError: no map of that name.
    """
    if name in FROM_OPENCV:
        ramp = np.arange(256, dtype=np.uint8)[:, None]
        colours = cv2.applyColorMap(ramp, getattr(cv2, "COLORMAP_" + name.upper()))[:, 0, ::-1].copy()
    elif name == "rdbu":
        stops = np.array([list(bytes.fromhex(stop)) for stop in RDBU.split()], np.float64)
        places = np.concatenate([np.linspace(0, 5, 128), np.linspace(5, 10, 128)])
        colours = np.stack([np.interp(places, np.arange(11), stops[:, k]) for k in range(3)], axis=1)
    elif name in ("ink", "grey"):  # ink: nothing is white paper; grey: nothing is black
        shades = np.linspace(255, 20, 256) if name == "ink" else np.arange(256.0)
        colours = np.repeat(shades[:, None], 3, axis=1)
    else:
        raise SettingError(f"There is no colour map {name!r}.{near(name, NAMES)} There are {', '.join(NAMES)}.")
    colours = np.rint(colours).astype(np.uint8)
    colours.setflags(write=False)
    return colours


def share_of(values: np.ndarray, limit: float) -> np.ndarray:
    """Values as signed shares -1..1 of the limit, float32; 0 where the scale is empty; NaN stays NaN."""
    values = np.asarray(values, np.float32)
    if not np.float32(limit) > 0:
        return np.where(np.isnan(values), values, np.float32(0))
    with np.errstate(over="ignore"):  # a value far beyond a tiny limit is clipped like any other
        return np.clip(values / np.float32(limit), -1, 1)


def colour(values: np.ndarray, limit: float, name: str, *, signed: bool, background: str = "white") -> np.ndarray:
    """Values in the colours of a map.

    Args:
        values: float (h, w), in their own units; NaN is drawn in the void colour of the paper.
        limit: end of the scale, in the units of the values; 0 for an empty scale.
        name: one of `NAMES`.
        signed: the scale runs from -limit to limit, else from 0. A diverging map of unsigned values
            uses its upper half, so that its neutral colour is always 0.
        background: `white` or `black`, for the void colour only.

    Returns:
        uint8 (h, w, 3), RGB.
    """
    share = share_of(values, limit)
    unseen = np.isnan(share)
    picture = table(name)[rows_of(np.where(unseen, 0, share), halved=signed or name in DIVERGING, signed=signed)]
    picture[unseen] = paper(background).void
    return picture


def rows_of(share: np.ndarray, *, halved: bool, signed: bool) -> np.ndarray:
    """Rows 0..255 of a table for shares -1..1 without NaN; halved: 0 lies between rows 127 and 128."""
    if not signed:
        share = np.maximum(share, 0)
    if not halved:
        return np.rint(share * 255).astype(np.uint8)
    steps = np.rint(np.abs(share) * 127)
    return np.where(share < 0, 127 - steps, 128 + steps).astype(np.uint8)
