"""A photograph becomes the network's input, and a map finds its way back onto the photograph.

Coordinates count pixels; the centre of pixel i lies at i, its edges at i - .5 and i + .5. On each
axis input and photograph are one line apart:

    input + .5 = scale (photo + .5) + shift
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from kerasviz.errors import ImageError, SettingError, near

WAYS = ("squash", "crop", "pad")
FILL = 127.5  # what pad shows beside the photograph: the middle of 0..255, no colour of its own
STRIP = 1 << 22  # values turned to float32 at once: a photograph of 100 megapixels never is as a whole

Taps = tuple[np.ndarray, np.ndarray]  # which cells a drawn row reads (n, t), and with what weights (n, t)


@dataclass(frozen=True)
class Axis:
    """One axis of a Fit, in whole pixels: this stretch of the photograph fills that stretch of the input."""

    photo_start: int
    photo_length: int
    input_start: int
    input_length: int

    @property
    def scale(self) -> float:
        """Input pixels per photograph pixel."""
        return self.input_length / self.photo_length

    @property
    def shift(self) -> float:
        """Input coordinate of the photograph's edge: input + .5 = scale (photo + .5) + shift."""
        return self.input_start - self.scale * self.photo_start


@dataclass(frozen=True)
class Fit:
    """How a photograph was brought to the network's size, and the way back.

    Attributes:
        photo_size: (H, W) of the photograph.
        input_size: (h, w) of the network's input.
        how: `squash`, `crop` or `pad`.
    """

    photo_size: tuple[int, int]
    input_size: tuple[int, int]
    how: str = "squash"

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The vertical and the horizontal axis."""
        (height, width), (h, w) = self.photo_size, self.input_size
        if self.how == "crop":
            seen_y, seen_x = _shrunk(height, width * h / w), _shrunk(width, height * w / h)
            return Axis((height - seen_y) // 2, seen_y, 0, h), Axis((width - seen_x) // 2, seen_x, 0, w)
        if self.how == "pad":
            filled_y, filled_x = _shrunk(h, height * w / width), _shrunk(w, width * h / height)
            return Axis(0, height, (h - filled_y) // 2, filled_y), Axis(0, width, (w - filled_x) // 2, filled_x)
        return Axis(0, height, 0, h), Axis(0, width, 0, w)

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1), in photograph pixels from its edge: what the network saw of it."""
        y, x = self.axes
        return (
            float(x.photo_start),
            float(y.photo_start),
            float(x.photo_start + x.photo_length),
            float(y.photo_start + y.photo_length),
        )

    def place(
        self,
        cells: np.ndarray,
        size: tuple[int, int] | None = None,
        nearest: bool = False,
        centres: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ) -> np.ndarray:
        """A map of the network's input, laid on a drawing of the whole photograph.

        The map is stretched over the input (half-pixel bilinear, its edges continued) and read at
        the centre of each drawn pixel; where it is finer than the drawing, over the drawn pixel's area.

        Args:
            cells: (gh, gw), in any unit.
            size: (height, width) of the drawing; default: the photograph's own.
            nearest: shows each cell as a rectangle, unless the map is finer than the drawing.
            centres: ((first_y, step_y), (first_x, step_x)): cell i lies at first + i * step, in
                input pixels, instead of being stretched; what a layer's receptive field says.

        Returns:
            float32 (height, width); NaN where the network did not see the photograph.
        """
        cells = np.asarray(cells, np.float32)
        height, width = size or self.photo_size
        down = self._taps(0, height, cells.shape[0], nearest, centres)
        across = self._taps(1, width, cells.shape[1], nearest, centres)
        drawn = weighed_rows(np.ascontiguousarray(weighed_rows(cells.T, across).T), down)
        if self.how == "crop":
            drawn[~self._seen_rows(0, height)] = np.nan
            drawn[:, ~self._seen_rows(1, width)] = np.nan
        return drawn

    def _taps(self, number: int, drawn: int, cells: int, nearest: bool, centres: Any) -> Taps:
        """What each of the `drawn` rows (number 0) or columns (1) reads."""
        axis = self.axes[number]
        pixel = self.photo_size[number] / drawn  # a drawn pixel, in photograph pixels
        inside = axis.scale * (np.arange(drawn) + 0.5) * pixel + axis.shift  # from the input's edge
        step = centres[number][1] if centres else self.input_size[number] / cells
        first = centres[number][0] if centres else step / 2 - 0.5
        at = (inside - 0.5 - first) / step  # cell i lies at i
        return taps(at, cells, axis.scale * pixel / step, nearest)

    def _seen_rows(self, number: int, drawn: int) -> np.ndarray:
        """bool (drawn,): the centre of this row (number 0) or column (1) was seen."""
        axis = self.axes[number]
        photo = (np.arange(drawn) + 0.5) * (self.photo_size[number] / drawn)
        return (photo >= axis.photo_start) & (photo <= axis.photo_start + axis.photo_length)


def fit(pixels: np.ndarray, size: tuple[int, int], how: str = "squash", channels: int = 3) -> tuple[np.ndarray, Fit]:
    """Brings a photograph to the network's size.

    Each axis is resized on its own: averaged over areas where it shrinks, linear where it grows.

    Args:
        pixels: uint8 (H, W, 3), RGB; for four channels also (H, W, 4).
        size: (h, w) of the network's input.
        how: `squash` shows all of it, out of shape; `crop` the largest rectangle of the input's
            shape in the centre; `pad` all of it in shape, grey (127.5) beside it.
        channels: 3, 1 for grey by Rec. 601 (.299 R + .587 G + .114 B), or 4: RGB and alpha, 255 where it has none.

    Returns:
        float32 (h, w, channels) in 0..255, and the Fit that leads back.

    Raises:
        SettingError: another way or number of channels, or an empty size.
        ImageError: `pixels` is no photograph.
    """
    way = _checked(pixels, size, how, channels)
    y, x = way.axes
    seen = pixels[y.photo_start : y.photo_start + y.photo_length, x.photo_start : x.photo_start + x.photo_length]
    resized = _resized(seen, y.input_length, x.input_length)
    if channels == 1:
        resized = _grey(resized)
    elif resized.shape[2] < channels:
        resized = np.dstack([resized, np.full(resized.shape[:2], 255, np.float32)])
    if how != "pad":
        return resized, way
    canvas = np.full((*way.input_size, channels), FILL, np.float32)
    canvas[..., 3:] = 255
    canvas[y.input_start : y.input_start + y.input_length, x.input_start : x.input_start + x.input_length] = resized
    return canvas, way


def _checked(pixels: np.ndarray, size: tuple[int, int], how: str, channels: int) -> Fit:
    if how not in WAYS:
        raise SettingError(f"Expected fit to be one of {', '.join(WAYS)}, found {how!r}.{near(how, WAYS)}")
    if channels not in (1, 3, 4):
        raise SettingError(
            f"Expected a network of 1, 3 or 4 colour channels for a photograph, found {channels}. "
            "Give arrays of the network's own shape and dtype float32 instead of photographs."
        )
    if min(size) < 1:
        raise SettingError(f"Expected a height and width of 1 or more, found {size[0]}x{size[1]}. Give --size HxW.")
    if (
        pixels.ndim != 3
        or pixels.shape[2] not in (3, channels if channels == 4 else 3)
        or pixels.dtype != np.uint8
        or not pixels.size
    ):
        raise ImageError(
            f"Expected a photograph as uint8 (H, W, 3), found {pixels.dtype} {pixels.shape}. "
            "Turn it into RGB of 0..255 first."
        )
    return Fit((pixels.shape[0], pixels.shape[1]), (int(size[0]), int(size[1])), how)


def _shrunk(length: int, wanted: float) -> int:
    """`wanted` in whole pixels, at least 1 and at most `length`."""
    return max(1, min(length, round(wanted)))


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 (H, W, C) -> float32 (height, width, C): across in strips of rows, then down."""
    rows = max(1, STRIP // (pixels.shape[1] * pixels.shape[2]))
    strips = [
        _resized_once(pixels[top : top + rows].astype(np.float32), width, across=True)
        for top in range(0, len(pixels), rows)
    ]
    return _resized_once(np.concatenate(strips), height, across=False)


def _resized_once(pixels: np.ndarray, length: int, across: bool) -> np.ndarray:
    """One axis only: OpenCV's area averaging turns into something else where the other axis grows."""
    height, width = pixels.shape[:2]
    before = width if across else height
    if length == before:
        return pixels
    way = cv2.INTER_AREA if length < before else cv2.INTER_LINEAR
    return cv2.resize(pixels, (length, height) if across else (width, length), interpolation=way)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """float32 (h, w, 3) -> (h, w, 1), Rec. 601; written so that grey stays exactly what it was."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return (green + 0.299 * (red - green) + 0.114 * (blue - green)).astype(np.float32)[..., None]


def taps(at: np.ndarray, cells: int, reach: float, nearest: bool) -> Taps:
    """What to read of `cells` cells at the places `at` (n,), each of them `reach` cells wide."""
    if reach > 1 + 1e-9:
        edge = at + 0.5 - reach / 2  # cell i covers i .. i + 1
        index = np.floor(edge)[:, None] + np.arange(int(np.ceil(reach)) + 1)
        overlap = np.minimum(index + 1, edge[:, None] + reach) - np.maximum(index, edge[:, None])
        weight = np.maximum(overlap, 0) / reach
    elif nearest:
        index = np.floor(at + 0.5)[:, None]
        weight = np.ones_like(index)
    else:
        index = np.floor(at)[:, None] + np.arange(2)
        weight = np.stack([index[:, 1] - at, at - index[:, 0]], axis=1)
    return np.clip(index, 0, cells - 1).astype(np.intp), weight.astype(np.float32)


def weighed_rows(cells: np.ndarray, taps: Taps) -> np.ndarray:
    """(g, k) -> float32 (n, k): row i is the weighed sum of the rows that tap i reads.

    Gathered rows, because OpenCV's remap and warpAffine know only 32 places between two pixels.
    """
    index, weight = taps
    total = cells[index[:, 0]] * weight[:, :1]
    for tap in range(1, index.shape[1]):
        total += cells[index[:, tap]] * weight[:, tap, None]
    return total
