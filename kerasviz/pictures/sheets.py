"""A sheet of paper measured in units: 1050 units are 7 inches wide in print, 150 to the inch.

A unit is one pixel at scale 1, two at scale 2. Paper grows downwards as it is drawn upon and is cut
below the last thing drawn.
"""

import cv2
import numpy as np

from kerasviz.pictures.lettering import BODY, HEAD, LEADING, TITLE, Lettering, Style
from kerasviz.pictures.papers import RGB, paper

WIDTH, EDGE, GAP, FOOT = 1050, 24, 14, 18
DPI = 150  # units to the inch
INSIDE = WIDTH - 2 * EDGE
TITLE_BASELINE, FACTS_BELOW = 38, 24


class Sheet:
    """Paper, text, pictures and voids; everything is placed in units from the upper left corner."""

    def __init__(self, scale: int = 2, background: str = "white"):
        self.scale, self.background, self.colors = scale, background, paper(background)
        self.letters = Lettering(scale)
        self.low = 0.0  # of all that was drawn, in units
        self._pixels = self._blank(600 * scale)

    def _blank(self, rows: int) -> np.ndarray:
        return np.full((rows, WIDTH * self.scale, 3), self.colors.paper, np.uint8)

    def px(self, *units: float) -> tuple[int, ...]:
        """Units as whole pixels."""
        return tuple(round(unit * self.scale) for unit in units)

    def _reach(self, low: float) -> None:
        """Have paper down to `low`, and more below it."""
        self.low = max(self.low, low)
        need = round((self.low + FOOT) * self.scale) + 1
        if need > len(self._pixels):
            self._pixels = np.concatenate([self._pixels, self._blank(max(need - len(self._pixels), len(self._pixels)))])

    def text(
        self, text: str, x: float, y: float, style: Style = BODY, color: RGB | None = None, right: bool = False
    ) -> float:
        """One line on the baseline y, from x on or (right) up to x; gives x where it ends.

        What would leave the inside of the sheet is shortened.
        """
        text = self.letters.shorten(text, x - EDGE if right else WIDTH - EDGE - x, style)
        self._reach(y + style.size * 0.4)
        (left, base), ink = self.px(x - self.letters.width(text, style) if right else x, y), color or self.colors.ink
        return self.letters.draw(self._pixels, text, left, base, style, ink) / self.scale

    def prose(
        self,
        text: str,
        x: float,
        y: float,
        wide: float = INSIDE,
        style: Style = BODY,
        color: RGB | None = None,
        lines: int | None = None,
    ) -> float:
        """Lines of at most `wide` units from the baseline y on; gives the next baseline."""
        for line in self.letters.wrap(text, wide, style, lines):
            self.text(line, x, y, style, color)
            y += style.size * LEADING
        return y

    def image(self, picture: np.ndarray, x: float, y: float, frame: bool = False) -> None:
        """A picture uint8 (h, w, 3), pixel for pixel, its upper left corner at x, y; a frame lies around it."""
        (left, top), (high, wide) = self.px(x, y), picture.shape[:2]
        self._reach((top + high) / self.scale)
        self._pixels[top : top + high, left : left + wide] = picture
        if frame:
            for out in range(1, self.scale + 1):
                corner = (left + wide - 1 + out, top + high - 1 + out)
                cv2.rectangle(self._pixels, (left - out, top - out), corner, self.colors.rule)

    def void(self, x: float, y: float, wide: float, high: float) -> None:
        """A place with nothing to show."""
        columns, rows = self.px(wide, high)
        self.image(np.full((max(rows, 1), max(columns, 1), 3), self.colors.void, np.uint8), x, y, frame=True)

    def rule(self, y: float) -> None:
        """A hairline across the sheet."""
        self.image(np.full((self.scale, INSIDE * self.scale, 3), self.colors.rule, np.uint8), EDGE, y)

    def head(self, title: str, facts: str, technique: str) -> float:
        """Title, dim facts beside it or below it, technique at the right; gives the last baseline."""
        y = float(TITLE_BASELINE)
        technique = self.letters.shorten(technique, INSIDE * 0.4, HEAD)
        self.text(technique, WIDTH - EDGE, y, HEAD, right=True)
        room = INSIDE - self.letters.width(technique, HEAD) - EDGE
        if self.letters.width(title, TITLE) + 10 + self.letters.width(facts, BODY) <= room:
            self.text(facts, self.text(title, EDGE, y, TITLE) + 10, y, BODY, self.colors.dim)
            return y
        below = self.prose(title, EDGE, y, room, TITLE, lines=2)
        y = below - TITLE.size * LEADING
        if not facts:
            return y
        return self.prose(facts, EDGE, y + FACTS_BELOW, INSIDE, BODY, self.colors.dim, lines=2) - BODY.size * LEADING

    def picture(self) -> np.ndarray:
        """What was drawn, uint8 (h, w, 3), cut below the last thing on it."""
        return self._pixels[: round((self.low + FOOT) * self.scale)].copy()
