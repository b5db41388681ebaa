"""Strips: one photograph, the same map over the epochs, and the metric above on the same columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kerasviz.pictures.bars import LINE, Key, flat_bar
from kerasviz.pictures.captions import number
from kerasviz.pictures.lettering import HEAD, NOTE
from kerasviz.pictures.panels import fitted
from kerasviz.pictures.papers import RGB
from kerasviz.pictures.sheets import EDGE, INSIDE, WIDTH, Sheet

MOST = 8  # dumps
SIDE = 102  # units of a column
STEP = (INSIDE - SIDE) / MOST  # from one column to the next
CURVE_TOP, CURVE_HIGH = 34, 60
LINE_WIDE, DOT, MARGIN = 2, 4, 5
NAME_WIDE = 78  # units of a metric's name, beside its limits
LINE_COLOR: RGB = (47, 109, 181)
LABEL_BELOW, TIME_BELOW, PICTURES_BELOW = 14, 82, 94
NEAR_TOP = 40  # a dot higher than this many units below the upper limit has its value below it


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One column.

    Attributes:
        label: its time: `epoch 5`.
        at: the same on the axis of the curve; `value`: the metric at that time, where it is known.
        picture: uint8 (h, w, 3), as large as `thumbnail` makes the photograph; None: a void.
        frame: whether it needs a hairline, as what stands on paper does.
        under: lines below it, the first of them in ink where `strong`.
        bad: the lines say what failed.
    """

    label: str
    at: float = 0.0
    value: float | None = None
    picture: np.ndarray | None = None
    frame: bool = False
    under: Sequence[str] = ()
    strong: bool = False
    bad: bool = False


@dataclass(frozen=True)
class Curve:
    """A metric: its name, what it was measured on, (time, value) in the order of time, and its limits."""

    title: str
    facts: str
    points: Sequence[tuple[float, float]]
    low: float = 0.0
    high: float = 1.0


def thumbnail(photo: np.ndarray, scale: int = 2) -> np.ndarray:
    """A photograph as it stands in a strip, uint8 (h, w, 3)."""
    return fitted(photo, SIDE * scale, SIDE * scale)


def strip(
    photo: np.ndarray | None,
    title: str,
    moments: Sequence[Moment],
    caption: str,
    *,
    curve: Curve | None = None,
    key: Key | None = None,
    scale: int = 2,
) -> np.ndarray:
    """The strip of one photograph and one technique.

    Args:
        photo: uint8 (h, w, 3); None: there is none.
        title: what stands below it: its class.
        moments: at most 8, in the order of time.
        caption: the small print at the foot.
        curve: the metric above; None: only the times stand there.
        key: what the colours mean; None: no bar.
        scale: pixels a unit.

    Returns:
        uint8 (h, 1050 * scale, 3), RGB.

    Raises:
        ValueError: no moment, or more than 8.
    """
    if not 0 < len(moments) <= MOST:
        raise ValueError(f"1 to {MOST} moments were expected, found {len(moments)}. Choose some of them.")
    sheet, y = Sheet(scale), CURVE_TOP - TIME_BELOW + 10.0
    if curve:
        y = CURVE_TOP
        draw_curve(sheet, curve, moments, y)
    for k, moment in enumerate(moments):
        middle(sheet, moment.label, left(k) + SIDE / 2, y + TIME_BELOW, sheet.colors.dim)
    y = draw_row(sheet, photo, title, moments, y + PICTURES_BELOW)
    if key:
        flat_bar(sheet, key, EDGE, y + 4, SIDE)
    sheet.prose(caption, left(0), y + 12, WIDTH - EDGE - left(0), NOTE, sheet.colors.dim)
    return sheet.picture()


def left(column: int) -> float:
    """Where a column begins, in units; the photograph is column -1."""
    return EDGE + (column + 1) * STEP


def draw_row(sheet: Sheet, photo: np.ndarray | None, title: str, moments: Sequence[Moment], y: float) -> float:
    """Photograph, pictures and what stands below them; gives where the foot begins."""
    low = y
    if photo is not None:
        sheet.image(photo, EDGE, y)
        low += photo.shape[0] / sheet.scale
    for line, text in enumerate(sheet.letters.wrap(title, SIDE, NOTE, lines=2)):
        sheet.text(text, EDGE, (low := low + (LINE if line else LABEL_BELOW)), NOTE)
    shapes = [picture.shape for picture in (*(moment.picture for moment in moments), photo) if picture is not None]
    high, wide = (shapes[0][0] / sheet.scale, shapes[0][1] / sheet.scale) if shapes else (SIDE, SIDE)  # of a void
    tallest = max([high, *(one.picture.shape[0] / sheet.scale for one in moments if one.picture is not None)])
    for k, moment in enumerate(moments):
        if moment.picture is None:
            sheet.void(left(k), y, wide, high)
        else:
            sheet.image(moment.picture, left(k), y, frame=moment.frame)
        color = sheet.colors.bad if moment.bad else sheet.colors.ink if moment.strong else sheet.colors.dim
        for line, text in enumerate(moment.under):
            base = y + tallest + LABEL_BELOW + LINE * line
            sheet.text(sheet.letters.shorten(text, STEP - 4, NOTE), left(k), base, NOTE, color)
            low = max(low, base)
    return max(low, y + tallest) + 12


def draw_curve(sheet: Sheet, curve: Curve, moments: Sequence[Moment], y: float) -> None:
    """Name and limits, the line between two hairlines, and on each column that has one a dot and its value."""
    sheet.text(sheet.letters.shorten(curve.title, NAME_WIDE, HEAD), EDGE, y + 10, HEAD)
    sheet.text(sheet.letters.shorten(curve.facts, NAME_WIDE, NOTE), EDGE, y + 27, NOTE, sheet.colors.dim)
    for value, at in ((curve.high, y), (curve.low, y + CURVE_HIGH)):
        sheet.text(figure(value), left(0) - 6, at + 4, NOTE, sheet.colors.dim, right=True)
    dots = [
        (left(k) + SIDE / 2, fall_of(curve, m.value), m.value) for k, m in enumerate(moments) if m.value is not None
    ]
    sheet.image(plot(sheet, curve, moments, [dot[:2] for dot in dots]), left(0), y - MARGIN)
    for spot, fall, value in dots:
        middle(sheet, figure(value), spot, y + fall + (20 if fall < NEAR_TOP else -10), sheet.colors.ink)


def plot(sheet: Sheet, curve: Curve, moments: Sequence[Moment], dots: Sequence[tuple[float, float]]) -> np.ndarray:
    """Hairlines, line and dots on paper, uint8 (h, w, 3), with a margin above the upper limit and below the lower."""
    wide = left(len(moments) - 1) + SIDE - left(0)
    columns, rows, margin = sheet.px(wide, CURVE_HIGH + 2 * MARGIN, MARGIN)
    paper = np.full((rows, columns, 3), sheet.colors.paper, np.uint8)

    def px(spots: Sequence[float], falls: Sequence[float]) -> np.ndarray:
        """int32 (n, 2): (x, y) in 1/16 pixel."""
        inside = np.array([(x - left(0), fall) for x, fall in zip(spots, falls, strict=True)]).reshape(-1, 2)
        return np.rint((inside * sheet.scale + (0, margin)) * 16).astype(np.int32)

    for fall in (0, CURVE_HIGH):
        row = margin + sheet.px(fall)[0]
        paper[row : row + sheet.scale] = sheet.colors.rule
    known = [(at, value) for at, value in curve.points if moments[0].at <= at <= moments[-1].at]
    middles = [left(k) + SIDE / 2 for k in range(len(moments))]
    spots = np.interp([at for at, _ in known], [moment.at for moment in moments], middles)
    line = px(spots.tolist(), [fall_of(curve, value) for _, value in known])
    cv2.polylines(paper, [line], False, LINE_COLOR, LINE_WIDE * sheet.scale, cv2.LINE_AA, shift=4)
    for place in px(*zip(*dots, strict=True)) if dots else ():
        cv2.circle(paper, place.tolist(), DOT * sheet.scale * 16, LINE_COLOR, -1, cv2.LINE_AA, shift=4)
    return paper


def fall_of(curve: Curve, value: float) -> float:
    """How many units a value lies below the upper limit."""
    share = (value - curve.low) / (curve.high - curve.low) if curve.high > curve.low else 0.5
    return CURVE_HIGH * (1 - min(max(share, 0.0), 1.0))


def figure(value: float) -> str:
    """A value of a metric: two decimals between 0 and 1, as probabilities have them, else two figures or three."""
    if value in (0, 1):
        return f"{value:.0f}"
    return f"{value:.2f}" if 0.01 <= value < 1 else number(value, 2 if abs(value) < 10 else 3)


def middle(sheet: Sheet, text: str, x: float, y: float, color: RGB) -> None:
    """A note about its middle."""
    text = sheet.letters.shorten(text, STEP - 4, NOTE)
    sheet.text(text, x - sheet.letters.width(text, NOTE) / 2, y, NOTE, color)
