"""The panel: photograph, heatmap as computed, overlay, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from kerasviz.pictures.bars import Key, flat_bar, upright_bar
from kerasviz.pictures.captions import number
from kerasviz.pictures.colormaps import colour
from kerasviz.pictures.lettering import BODY, LEADING, NOTE
from kerasviz.pictures.overlays import contour, overlay, resample
from kerasviz.pictures.scales import COARSE, Scale, scale_of
from kerasviz.pictures.sheets import EDGE, GAP, WIDTH, Sheet

COLUMN, TALLEST = 304, 380  # the largest a picture gets, in units
PHOTO_X, HEATMAP_X, OVERLAY_X = EDGE, EDGE + COLUMN + GAP, WIDTH - EDGE - COLUMN
OWN_BAR = 112  # the least width of a bar under the overlay
BAR_GAP, BAR_TEXT = 8, 15  # from heatmap to bar, from the bar's left edge to its text
TINY = 64  # pixels a side; up to here a photograph is enlarged by whole pixels
SIDE_BY_CELLS = 128  # above this many cells a side single cells cannot be told apart
PALE = ("ink", "grey", "rdbu")  # an end of these may be the colour of the paper


@dataclass(frozen=True, kw_only=True)
class Map:
    """One photograph and the numbers that were computed for it.

    `place((height, width), nearest)` gives the values, float32 (height, width), on a picture of the
    whole photograph of that size: cells as they are, or stretched smoothly; NaN where the network
    never looked. `cells` is what was computed, float32 (h, w). `alone` is for maps as fine as the
    pixels: they are averaged, not shown cell by cell. `colormap` None is rdbu where the map is
    signed, else inferno; above 1024 cells ink (on black paper grey) beside an overlay in inferno.
    `clip` is the percentile at which the scale ends; `alpha` the overlay's opacity there;
    `placement` says how `place` stretches. `colours` are signed values of red, green and blue,
    each (h, w), that stand about grey in place of the heatmap's cells; `place` puts them, too.
    """

    photo: np.ndarray
    cells: np.ndarray
    place: Callable[..., np.ndarray]
    signed: bool = False
    unit: str = "logit"
    colormap: str | None = None
    alpha: float = 0.65
    clip: float | None = None
    contour: bool = False
    alone: bool = False
    placement: str = "stretched smoothly"
    colours: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The words on a picture.

    `message` stands in place of a map that is all zero, constant or failed; an empty one is made from
    the map. `failed`: nothing was computed, and the map's cells are not looked at.
    """

    title: str
    facts: str = ""
    technique: str = ""
    caption: str = ""
    small: str = ""
    message: str = ""
    failed: bool = False


def panel(
    map: Map, facts: Facts, *, scale: int = 2, background: str = "white", limits: Scale | None = None
) -> np.ndarray:
    """Photograph, heatmap with its colour bar, overlay and caption on one sheet.

    Args:
        scale: pixels a unit: 2 for files and print at 300 dpi, 1 for pages.
        background: `white` or `black` paper.
        limits: the scale, where several panels are to be compared; None: the map's own.

    Returns:
        uint8 (h, 1050 * scale, 3), RGB; as high as is needed.
    """
    sheet = Sheet(scale, background)
    top = sheet.head(facts.title, facts.facts, facts.technique) + 40
    photo = fitted(map.photo, *sheet.px(COLUMN, TALLEST))
    label(sheet, f"Photograph, {map.photo.shape[1]} × {map.photo.shape[0]}", PHOTO_X, top)
    sheet.image(photo, PHOTO_X, top)
    limits = limits or scale_of(map.cells, signed=map.signed, clip=map.clip)
    if facts.failed:
        low = draw_failure(sheet, facts, photo, top)
    elif nothing_to_tell(map.cells) or not limits.high:
        low = draw_nothing(sheet, map, facts, photo, top)
    else:
        low = draw_map(sheet, map, limits, photo, top)
    y = sheet.prose(facts.caption, EDGE, low + 26)
    sheet.prose(facts.small, EDGE, y, style=NOTE, color=sheet.colors.dim)
    return sheet.picture()


def fitted(photo: np.ndarray, wide: int, high: int) -> np.ndarray:
    """The photograph as large as fits into wide x high pixels; a tiny one enlarged by whole pixels."""
    factor = min(wide / photo.shape[1], high / photo.shape[0])
    if factor >= 1 and max(photo.shape[:2]) <= TINY:
        return photo.repeat(int(factor), axis=0).repeat(int(factor), axis=1)
    size = (max(1, round(photo.shape[1] * factor)), max(1, round(photo.shape[0] * factor)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def label(sheet: Sheet, text: str, x: float, top: float, wide: float = COLUMN) -> None:
    """The line over a picture."""
    sheet.text(sheet.letters.shorten(text, wide, NOTE), x, top - 8, NOTE, sheet.colors.dim)


def draw_map(sheet: Sheet, map: Map, scale: Scale, photo: np.ndarray, top: float) -> float:
    """Heatmap, bar and overlay; gives where the lowest of them ends, in units."""
    size, fine = photo.shape[:2], map.alone or max(map.cells.shape) > SIDE_BY_CELLS
    key = own = Key(scale, colormap_of(map, sheet.background), map.signed, map.unit)
    if map.colours is None:
        values = placed(map, size, nearest=True, finer=2 if fine else 1)
        heat = colour(values, scale.high, key.colormap, signed=map.signed, background=sheet.background)
    else:
        own = Key(colour_scale(map.colours, map.clip), "grey", True, map.unit)
        key, heat = replace(key, colormap="grey"), about_grey(map, size, own.scale, sheet.background)
    sheet.image(heat, HEATMAP_X, top, frame=fine or own.colormap in PALE or bool(np.isnan(values).any()))
    name = f"Heatmap, {map.cells.shape[1]} × {map.cells.shape[0]}" + ("" if fine else " as computed")
    label(sheet, name, HEATMAP_X, top)

    bar_x = HEATMAP_X + size[1] / sheet.scale + BAR_GAP
    room = OVERLAY_X - bar_x - BAR_TEXT - 2
    bar_high = upright_bar(sheet, own, bar_x, top, size[0] / sheet.scale, room)
    if sheet.letters.width(key.unit, NOTE) > room:  # too wide for the place beside the bar
        end = OVERLAY_X - GAP
        unit = sheet.letters.shorten(key.unit, end - HEATMAP_X - sheet.letters.width(name, NOTE) - GAP, NOTE)
        sheet.text(unit, end, top - 8, NOTE, sheet.colors.dim, right=True)
    return max(top + bar_high, draw_overlay(sheet, map, key, photo, top))


def draw_overlay(sheet: Sheet, map: Map, key: Key, photo: np.ndarray, top: float) -> float:
    """The third column; gives where it ends, in units."""
    values, bottom = placed(map, photo.shape[:2], nearest=False), top + photo.shape[0] / sheet.scale
    if map.contour:
        half = f"{number(key.scale.high / 2)} {key.unit}".rstrip()
        label(sheet, f"Contour at half the limit, {'±' if map.signed else ''}{half}", OVERLAY_X, top)
        sheet.image(contour(photo, values, key.scale, width=2 * sheet.scale), OVERLAY_X, top)
        return bottom
    label(sheet, f"Overlay, {map.placement}", OVERLAY_X, top)
    colors = overlay_colormap(map)
    over = overlay(photo, values, key.scale, colormap=colors, alpha=map.alpha, signed=map.signed)
    sheet.image(over, OVERLAY_X, top)
    if colors == key.colormap:
        return bottom
    # colours of its own, and so a bar of its own
    wide = max(photo.shape[1] / sheet.scale, OWN_BAR)
    flat_bar(sheet, replace(key, colormap=colors, unit=""), OVERLAY_X, bottom + 6, wide)
    return bottom + 27


def placed(
    map: Map, size: tuple[int, int], *, nearest: bool, finer: int = 1, cells: np.ndarray | None = None
) -> np.ndarray:
    """The map's values on a picture (height, width), float32; where cells outnumber pixels, none is skipped."""
    more = max(-(-n // m) for n, m in zip(map.cells.shape, size, strict=True))
    finer, others = max(finer, more), () if cells is None else (cells,)
    values = map.place((size[0] * finer, size[1] * finer), nearest, *others)
    return resample(values, size) if finer > 1 else np.asarray(values, np.float32)


def colour_scale(colours: np.ndarray, clip: float | None) -> Scale:
    """The scale -limit to limit of values (h, w, 3) that are drawn as colours."""
    return scale_of(colours, signed=True, clip=clip)


def about_grey(map: Map, size: tuple[int, int], scale: Scale, background: str) -> np.ndarray:
    """Signed values of red, green and blue as a picture uint8 (height, width, 3): 0 is grey, the limits 0 and 255."""
    assert map.colours is not None
    fine = max(map.cells.shape) > SIDE_BY_CELLS
    shades = [placed(map, size, nearest=True, finer=2 if fine else 1, cells=map.colours[..., k]) for k in range(3)]
    drawn = [colour(shade, scale.high, "grey", signed=True, background=background) for shade in shades]
    return np.stack([drawn[k][..., k] for k in range(3)], -1)


def colormap_of(map: Map, background: str) -> str:
    """What was asked for, or what suits the kind of map."""
    if map.colormap:
        return map.colormap
    if map.signed:
        return "rdbu"
    if map.cells.size <= COARSE:
        return "inferno"
    return "ink" if background == "white" else "grey"


def overlay_colormap(map: Map) -> str:
    """What was asked for, or what is seen on a photograph, where grains of ink or grey are lost."""
    return map.colormap or ("rdbu" if map.signed else "inferno")


def nothing_to_tell(cells: np.ndarray) -> bool:
    """All values are one value, or no value is a number: there are no places to tell apart."""
    finite = cells[np.isfinite(cells)]
    return not finite.size or finite.min() == finite.max()


def draw_nothing(sheet: Sheet, map: Map, facts: Facts, photo: np.ndarray, top: float) -> float:
    """A void with a sentence, an empty bar, and the grey ground of the photograph."""
    finite = map.cells[np.isfinite(map.cells)]
    only = float(finite.max()) if finite.size and nothing_to_tell(finite) else 0.0
    high = photo.shape[0] / sheet.scale
    bottom = draw_void(sheet, facts.message or reason(map, only), HEATMAP_X, top, COLUMN, high, sheet.colors.dim)
    label(sheet, f"Heatmap, {map.cells.shape[1]} × {map.cells.shape[0]} as computed", HEATMAP_X, top)
    empty = Key(Scale(0.0, 0.0), "grey")
    upright_bar(sheet, empty, HEATMAP_X + COLUMN + BAR_GAP, top, bottom - top, OVERLAY_X - HEATMAP_X, only)
    label(sheet, f"Overlay, {map.placement}", OVERLAY_X, top)
    sheet.image(overlay(photo, np.zeros(photo.shape[:2], np.float32), empty.scale), OVERLAY_X, top)
    return bottom


def reason(map: Map, only: float) -> str:
    """Why nothing is drawn, where the caller does not say it better."""
    if not np.isfinite(map.cells).any():
        return "No value is a number."
    if only == 0:
        return "No value is above 0." if map.cells.any() else "All values are 0."
    return f"Every value is {number(only)} {map.unit}".rstrip() + ": the map does not tell places apart."


def draw_failure(sheet: Sheet, facts: Facts, photo: np.ndarray, top: float) -> float:
    """One void in place of heatmap and overlay, with what went wrong."""
    label(sheet, "Heatmap", HEATMAP_X, top)
    message = facts.message or "No heatmap was made."
    wide = WIDTH - EDGE - HEATMAP_X
    return draw_void(sheet, message, HEATMAP_X, top, wide, photo.shape[0] / sheet.scale, sheet.colors.bad)


def draw_void(sheet: Sheet, text: str, x: float, top: float, wide: float, high: float, color: tuple) -> float:
    """A void with a sentence at its middle height, as high as asked or as the sentence needs; gives its lower edge."""
    inside, leading = wide - 40, BODY.size * LEADING
    lines = sheet.letters.wrap(text, inside, BODY)
    high = max(high, len(lines) * leading + 24)
    sheet.void(x, top, wide, high)
    sheet.prose(text, x + 20, top + high / 2 - (len(lines) - 1) / 2 * leading + 5, inside, BODY, color)
    return top + high
