"""Text: drawn, measured, wrapped and shortened by one function each.

Sizes and widths are in units: 1 pixel at scale 1, 2 at scale 2.
"""

import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from kerasviz.pictures.papers import RGB


class Style(NamedTuple):
    """Size in units and weight of the letters."""

    size: int
    weight: int


TITLE, HEAD, BODY, NOTE = Style(18, 600), Style(14, 600), Style(14, 400), Style(12, 400)
LEADING = 1.45
NO_WRAP = (0, 10**6)  # OpenCV would otherwise go on at the next line, over whatever stands there

_faces = threading.local()


def face() -> cv2.FontFace:
    """The font; one for each thread, for OpenCV mixes up the sizes of threads that share one."""
    if not hasattr(_faces, "sans"):
        _faces.sans = cv2.FontFace("sans")
    return _faces.sans


def clean(text: str) -> str:
    """Text that the font can show: accents in one piece, control characters as spaces."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+", " ", unicodedata.normalize("NFC", text))


def draw_text(pixels: np.ndarray, text: str, x: int, y: int, style: Style, color: RGB, scale: int) -> int:
    """One line with its baseline at pixel y, from pixel x on, into uint8 (h, w, 3); gives the pixel where it ends."""
    text, size = clean(text), style.size * scale
    return cv2.putText(pixels, text, (x, y), color, face(), size, style.weight, 0, NO_WRAP)[0][0]


@lru_cache(maxsize=4096)
def measured(text: str, style: Style, scale: int) -> int:
    """How many pixels a line reaches. Letters are placed at whole pixels: a scale cannot be told from another."""
    return draw_text(np.zeros((1, 1, 3), np.uint8), text, 0, 0, style, (0, 0, 0), scale)


@dataclass(frozen=True)
class Lettering:
    """Text at one scale (pixels a unit); all widths are in units."""

    scale: int

    def draw(self, pixels: np.ndarray, text: str, x: int, y: int, style: Style, color: RGB) -> int:
        """See `draw_text`."""
        return draw_text(pixels, text, x, y, style, color, self.scale)

    def width(self, text: str, style: Style) -> float:
        """How far a line reaches."""
        return measured(text, style, self.scale) / self.scale

    def shorten(self, text: str, wide: float, style: Style) -> str:
        """The text, or as much of its beginning as fits, and `…`."""
        text = clean(text)
        if self.width(text, style) <= wide:
            return text
        return text[: self._fitting(text, wide, style, "…")].rstrip(" ,") + "…"

    def wrap(self, text: str, wide: float, style: Style, lines: int | None = None) -> list[str]:
        """Lines broken at spaces; a word longer than a line is broken where it must be.

        Above `lines` lines the last one is shortened. No text gives no line.
        """
        words, done = [word for word in clean(text).split(" ") if word], list[str]()
        while words:
            line = words.pop(0)
            while words and self.width(f"{line} {words[0]}", style) <= wide:
                line += " " + words.pop(0)
            if len(done) + 1 == lines:
                return [*done, self.shorten(" ".join([line, *words]), wide, style)]
            if self.width(line, style) > wide:
                count = self._fitting(line, wide, style)
                words.insert(0, line[count:])
                line = line[:count]
            done.append(line)
        return done

    def _fitting(self, text: str, wide: float, style: Style, ending: str = "") -> int:
        """How many characters from the beginning, at least 1, fit together with the ending."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.width(text[:middle] + ending, style) <= wide
            low, high = (middle, high) if fits else (low, middle - 1)
        return low
