"""Colour bars: what each colour means, in figures."""

from dataclasses import dataclass

import numpy as np

from kerasviz.pictures.captions import number
from kerasviz.pictures.colormaps import colour
from kerasviz.pictures.lettering import NOTE, Lettering
from kerasviz.pictures.scales import Scale
from kerasviz.pictures.sheets import Sheet

THICK_UPRIGHT, THICK_FLAT = 10, 8
TEXT_GAP, LINE = 5, 15


@dataclass(frozen=True)
class Key:
    """How values become colours: the limits, the map, whether they are signed, and their unit."""

    scale: Scale
    colormap: str
    signed: bool = False
    unit: str = ""

    def limits(self, digits: int) -> tuple[str, str]:
        """Both ends in figures, with `≤` and `≥` where values lie beyond."""
        below, above = ("≤ " if self.signed else "", "≥ ") if self.scale.clipped else ("", "")
        return below + number(self.scale.low, digits), above + number(self.scale.high, digits)

    def ramp(self, steps: int) -> np.ndarray:
        """The colours from the lower end to the upper, uint8 (steps, 3)."""
        values = np.linspace(self.scale.low, self.scale.high, steps)[None]
        return colour(values, self.scale.high, self.colormap, signed=self.signed)[0]


def upright_bar(sheet: Sheet, key: Key, x: float, y: float, high: float, room: float, only: float = 0.0) -> float:
    """A bar 10 units wide; limits at its ends, the unit under the upper one where it fits; gives its height.

    It is as high as asked, or as its text needs within `room` units. An empty scale is a void with
    the one value there is, `only`.
    """
    letters, at = sheet.letters, x + THICK_UPRIGHT + TEXT_GAP
    if not key.scale.high:
        sheet.void(x, y, THICK_UPRIGHT, high)
        sheet.text(number(only), at, y + high, NOTE)
        return high
    above, below = ends(sheet.letters, key, room)
    unit = [key.unit] if key.unit and letters.width(key.unit, NOTE) <= room else []
    high = max(high, LINE * (len(above) + len(unit) + len(below)) - 3)
    rows, columns = sheet.px(high, THICK_UPRIGHT)
    sheet.image(np.repeat(key.ramp(rows)[::-1, None], columns, axis=1), x, y, frame=True)
    for k, line in enumerate(above + unit):
        sheet.text(line, at, y + 9 + LINE * k, NOTE, sheet.colors.ink if k < len(above) else sheet.colors.dim)
    for k, line in enumerate(reversed(below)):
        sheet.text(line, at, y + high - LINE * k, NOTE)
    return high


def ends(letters: Lettering, key: Key, room: float) -> tuple[list[str], list[str]]:
    """The lines of the upper and the lower limit: three figures, two where that keeps them on one line."""
    for digits in (3, 2):
        low, high = key.limits(digits)
        if max(letters.width(low, NOTE), letters.width(high, NOTE)) <= room:
            break
    return letters.wrap(high, room, NOTE), letters.wrap(low, room, NOTE)


def flat_bar(sheet: Sheet, key: Key, x: float, y: float, wide: float) -> None:
    """A bar 8 units high; limits below its ends, the unit after the upper one or on a line of its own."""
    letters, base, dim = sheet.letters, y + THICK_FLAT + 13, sheet.colors.dim
    if not key.scale.high:
        sheet.void(x, y, wide, THICK_FLAT)
        sheet.text("0", x, base, NOTE, dim)
        return
    low, high = key.limits(2)
    columns, rows = sheet.px(wide, THICK_FLAT)
    sheet.image(np.repeat(key.ramp(columns)[None], rows, axis=0), x, y, frame=True)
    beside = letters.width(low, NOTE) + 8 + letters.width(f"{high} {key.unit}", NOTE) <= wide
    sheet.text(low, x, base, NOTE, dim)
    sheet.text(f"{high} {key.unit}".strip() if beside else high, x + wide, base, NOTE, dim, right=True)
    if not beside:
        sheet.prose(key.unit, x, base + LINE, wide, NOTE, dim)
