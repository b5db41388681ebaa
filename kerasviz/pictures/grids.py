"""Grids: the maps of a layer, or of several classes, side by side in one scale."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kerasviz.errors import SettingError, near
from kerasviz.pictures.bars import LINE, Key, flat_bar
from kerasviz.pictures.captions import number, scale_words, small_print
from kerasviz.pictures.lettering import NOTE
from kerasviz.pictures.overlays import heatmap_picture
from kerasviz.pictures.scales import Scale, scale_of
from kerasviz.pictures.sheets import EDGE, GAP, INSIDE, Sheet

BAR_WIDE = 112
LABEL_BELOW, ROW_GAP = 13, 11
LARGEST_CELL = 320
ORDERS = {
    "strongest": "Strongest first, by mean {what}.",
    "highest": "Highest first, by mean value.",
    "index": "In the order of their numbers.",
}


@dataclass(frozen=True)
class Grid:
    """Maps float32 (h, w, K), the words under them, the order they stand in, and what their colours mean."""

    maps: np.ndarray
    names: list[str]
    order: np.ndarray
    key: Key
    columns: int
    sentence: str

    def label(self, k: int) -> str:
        """What stands under map k: its name, and what no picture of it could show."""
        one = self.maps[..., k]
        if not np.isfinite(one).any():
            return f"{self.names[k]}, not a number"
        if not one.any():
            return f"{self.names[k]}, all 0"
        return f"{self.names[k]}, {number(float(one[0, 0]), 2)}" if one.size == 1 else self.names[k]

    def is_empty(self, k: int) -> bool:
        """All 0, or no number at all: a void is drawn."""
        return not np.nan_to_num(self.maps[..., k], posinf=1, neginf=1).any()


def grid_pages(maps: np.ndarray, *, scale: int = 2, background: str = "white", **settings) -> list[np.ndarray]:
    """All pages of `each_page`, which says what the settings are."""
    return list(each_page(maps, scale=scale, background=background, **settings))


def each_page(
    maps: np.ndarray,
    *,
    title: str,
    facts: str = "",
    technique: str = "",
    names: list[str] | None = None,
    order: str = "strongest",
    signed: bool | None = None,
    unit: str = "",
    colormap: str | None = None,
    clip: float | None = None,
    limits: Scale | None = None,
    columns: int = 8,
    per_page: int = 64,
    scale: int = 2,
    background: str = "white",
) -> Iterator[np.ndarray]:
    """The maps of a layer as labelled pictures, one page after the other, all in one scale.

    Args:
        maps: float32 (h, w, K).
        title, facts, technique: the head of each page; several pages add `1 to 64 of 320`.
        names: what stands under each map; None: its number.
        order: `strongest`, the highest mean (of |value| where signed) first; `highest`, of the value itself;
            or `index`.
        signed: colours from -limit to limit; None: where there is a value below 0.
        unit: of the values, on the bar.
        colormap: None is rdbu where signed, else grey.
        clip: the percentile at which the scale ends; None: see `scale_of`.
        limits: the scale itself, where pages of several photographs are to be compared.
        columns: maps in a row; cells are 112 units wide with 8 columns.
        per_page: maps on a page.
        scale, background: as of `panel`.

    Yields:
        uint8 (h, 1050 * scale, 3), RGB.

    Raises:
        ValueError: maps of another shape, or not one name for each.
        SettingError: another order.
    """
    maps = np.asarray(maps, np.float32)
    refuse_bad_maps(maps, names)
    signed = bool((maps < 0).any()) if signed is None else signed
    limits = limits or scale_of(maps, signed=signed, clip=clip)
    key = Key(limits, colormap or ("rdbu" if signed else "grey"), signed, unit)
    ranks = ordered(maps, order, signed)
    words = ORDERS[order].format(what="magnitude" if signed else "value")
    grid = Grid(maps, names or [str(k) for k in range(len(ranks))], ranks, key, columns, words)
    for first in range(0, len(ranks), per_page):
        shown = range(first, min(first + per_page, len(ranks)))
        part = f"{shown.start + 1} to {shown.stop} of {len(ranks)}" if len(ranks) > per_page else ""
        sheet = Sheet(scale, background)
        draw_page(sheet, grid, shown, sheet.head(title, ", ".join(filter(None, (facts, part))), technique) + 14)
        yield sheet.picture()


def draw_page(sheet: Sheet, grid: Grid, shown: range, y: float) -> None:
    """These places of the order, row by row, and the foot."""
    for row in range(shown.start, shown.stop, grid.columns):
        y = draw_row(sheet, grid, grid.order[row : min(row + grid.columns, shown.stop)], y)
    draw_foot(sheet, grid, y + 6)


def refuse_bad_maps(maps: np.ndarray, names: list[str] | None) -> None:
    """ValueError for what is not (h, w, K) with a name for each of the K."""
    if maps.ndim != 3 or not maps.size:
        raise ValueError(f"Maps (h, w, K) were expected, found shape {maps.shape}. Give those of one photograph.")
    if names is not None and len(names) != maps.shape[2]:
        raise ValueError(f"{maps.shape[2]} names were expected, found {len(names)}. Give each map one, or none at all.")


def ordered(maps: np.ndarray, order: str, signed: bool) -> np.ndarray:
    """Numbers of the maps (K,) in the order they are shown; what is not a number comes last."""
    if order not in ORDERS:
        raise SettingError(
            f"The order must be {', '.join(ORDERS)}, found {order!r}.{near(order, ORDERS)} The default is strongest."
        )
    if order == "index":
        return np.arange(maps.shape[2])
    means = (np.abs(maps) if signed and order == "strongest" else maps).mean(axis=(0, 1), dtype=np.float64)
    return np.argsort(np.where(np.isnan(means), np.inf, -means), kind="stable")


def cell_size(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """Pixels (height, width) of a map (h, w) in a square: a whole multiple of it, or shrunk to fit."""
    longer = max(shape)
    if longer <= side:
        return shape[0] * (side // longer), shape[1] * (side // longer)
    return max(1, round(shape[0] * side / longer)), max(1, round(shape[1] * side / longer))


def cell_side(columns: int) -> int:
    """Units of a cell: 112 for 8 columns, as multiples of 16 show most maps pixel for pixel."""
    return min(LARGEST_CELL, max(16, int((INSIDE - GAP * (columns - 1)) / columns / 16) * 16))


def draw_row(sheet: Sheet, grid: Grid, row: np.ndarray, y: float) -> float:
    """One row of maps with their labels; gives where the next one begins."""
    side = cell_side(grid.columns)
    step = side + ((INSIDE - side * grid.columns) / (grid.columns - 1) if side < LARGEST_CELL else GAP)
    size = cell_size(grid.maps.shape[:2], side * sheet.scale)
    high, wide = size[0] / sheet.scale, size[1] / sheet.scale
    labels = [sheet.letters.wrap(grid.label(k), step - 6, NOTE, lines=2) for k in row]
    for column, k in enumerate(row):
        x = EDGE + column * step
        if grid.is_empty(k):
            sheet.void(x, y, wide, high)
        else:
            sheet.image(map_picture(grid, k, size, sheet.background), x, y, frame=needs_frame(grid.key, sheet))
        for line, text in enumerate(labels[column]):
            sheet.text(text, x, y + high + LABEL_BELOW + LINE * line, NOTE, sheet.colors.dim)
    return y + high + LABEL_BELOW + ROW_GAP + LINE * (max(map(len, labels)) - 1)


def map_picture(grid: Grid, k: int, size: tuple[int, int], background: str) -> np.ndarray:
    """Map k in its colours, uint8 (height, width, 3)."""
    key = grid.key
    return heatmap_picture(
        grid.maps[..., k], size, key.scale, colormap=key.colormap, signed=key.signed, background=background
    )


def needs_frame(key: Key, sheet: Sheet) -> bool:
    """Where an end of the colours is nearly the paper's."""
    return key.colormap in (("ink", "rdbu", "grey") if sheet.background == "white" else ("grey", "inferno", "magma"))


def draw_foot(sheet: Sheet, grid: Grid, y: float) -> None:
    """The colour bar of all maps, and what it means."""
    flat_bar(sheet, grid.key, EDGE, y, BAR_WIDE)
    dead = sum(not grid.maps[..., k].any() for k in grid.order)
    text = small_print(
        scale_words(grid.key.scale, grid.key.unit, 2, begin="One scale for all maps:"),
        grid.sentence,
        f"{dead} of {len(grid.order)} are dead, all 0." if dead and grid.key.scale.high else "",
    )
    sheet.prose(text, EDGE + BAR_WIDE + 15, y + 10, INSIDE - BAR_WIDE - 15, NOTE, sheet.colors.dim)
