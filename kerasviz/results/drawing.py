"""How results become pictures: what a user may choose, and which words stand on them. Never in the values."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import LayerError, SettingError
from kerasviz.pictures import captions
from kerasviz.pictures.colormaps import NAMES
from kerasviz.pictures.grids import each_page
from kerasviz.pictures.overlays import contour, heatmap_picture, overlay
from kerasviz.pictures.panels import Facts, Map, about_grey, colormap_of, colour_scale, overlay_colormap, panel
from kerasviz.pictures.scales import COARSE, scale_of
from kerasviz.results.data import ResultData
from kerasviz.settings import Between, OneOf, check, setting, settings_of, truth

_FITTED = {"crop": "The network saw the middle only", "pad": "Padded with grey for the network"}
STYLES = ("panel", "overlay", "heatmap", "values")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What a user may choose of a picture."""

    placement: str = setting(
        "stretch", "cells stretched over the picture, or set where they look", OneOf(("stretch", "receptive-field"))
    )
    colormap: str | None = setting(None, "default: by the kind of map", OneOf(NAMES))
    alpha: float = setting(0.65, "opacity of the overlay at the end of the scale", Between(0, 1), parse=float)
    clip: float | None = setting(
        None,
        "percentile at which the scale ends; default: 100 of coarse maps, 99 of fine ones",
        Between(0, 100),
        parse=float,
    )
    contour: bool = setting(False, "a line at half the scale instead of colours", OneOf((True, False)), parse=truth)
    background: str = setting("white", "of panels and grids", OneOf(("white", "black")))
    scale: int = setting(2, "pixels a unit: 2 for files and print, 1 for pages", Between(1, 8), parse=int)

    def __post_init__(self) -> None:
        for field in settings_of(self):
            object.__setattr__(self, field.name, check("drawing", field, getattr(self, field.name)))


def pictures_of(result: ResultData, style: str, drawing: Drawing) -> Iterator[np.ndarray]:
    """The picture of a style, uint8 (h, w, 3), or its pages."""
    if style == "panel":
        yield from pages_of(result, drawing)
    elif style in ("overlay", "heatmap"):
        yield (overlay_of if style == "overlay" else heatmap_of)(result, drawing)
    else:
        raise SettingError(f"Expected a style of {', '.join(STYLES)}, found {style!r}.")


def overlay_of(result: ResultData, drawing: Drawing) -> np.ndarray:
    """uint8 (H, W, 3): the map over the photograph, at the photograph's own resolution."""
    drawn = map_of(result, drawing)
    scale = scale_of(drawn.cells, signed=drawn.signed, clip=drawn.clip)
    placed = drawn.place(drawn.photo.shape[:2], False)
    if drawing.contour:
        return contour(drawn.photo, placed, scale, width=2 * drawing.scale)
    return overlay(
        drawn.photo, placed, scale, colormap=overlay_colormap(drawn), alpha=drawing.alpha, signed=drawn.signed
    )


def heatmap_of(result: ResultData, drawing: Drawing) -> np.ndarray:
    """uint8 (H, W, 3): the map alone, smooth, at the photograph's own resolution."""
    drawn = map_of(result, drawing)
    scale = scale_of(drawn.cells, signed=drawn.signed, clip=drawn.clip)
    size = drawn.photo.shape[:2]
    if drawn.colours is not None and np.any(drawn.colours):
        return about_grey(drawn, size, colour_scale(drawn.colours, drawn.clip), drawing.background)
    name = colormap_of(drawn, drawing.background)
    placed = drawn.place(size, False)
    return heatmap_picture(placed, size, scale, colormap=name, signed=drawn.signed, background=drawing.background)


def pages_of(result: ResultData, drawing: Drawing) -> Iterator[np.ndarray]:
    """uint8 (h, w, 3): the panel; or the grids of maps, a page after the other."""
    if result.grid is None:
        yield panel(
            map_of(result, drawing), words_of(result, drawing), scale=drawing.scale, background=drawing.background
        )
        return
    grid = result.grid
    maps = grid.maps
    size = f"{maps.shape[-1]} maps of {maps.shape[1]} × {maps.shape[0]}"
    yield from each_page(
        maps,
        title=grid.title,
        facts=", ".join(filter(None, (_layer(result), size, file_stem(result.image_name)))),
        technique=result.engine.technique.title if result.target else result.engine.technique.name,
        names=grid.names,
        order=grid.order,
        unit=result.unit,
        colormap=drawing.colormap,
        clip=grid.clip if drawing.clip is None else drawing.clip,
        scale=drawing.scale,
        background=drawing.background,
    )


def map_of(result: ResultData, drawing: Drawing) -> Map:
    """The numbers, the photograph, and the way from one to the other."""
    cells = np.asarray(result.heatmap, np.float32)
    fit, centres = result.given.fit, _centres(result, drawing)

    def place(size: tuple[int, int], nearest: bool, own: np.ndarray = cells) -> np.ndarray:
        return fit.place(own, size, nearest, centres)

    return Map(
        photo=result.photo,
        cells=cells,
        place=place,
        signed=result.engine.signed,
        unit=result.unit,
        colormap=drawing.colormap,
        alpha=drawing.alpha,
        clip=drawing.clip,
        contour=drawing.contour,
        alone=cells.size > COARSE,
        colours=_values_as_colours(result, drawing),
        placement="stretched smoothly" if centres is None else "at the receptive fields",
    )


def _values_as_colours(result: ResultData, drawing: Drawing) -> np.ndarray | None:
    """Values (h, w, 3) that are drawn as colours about grey, where nobody asked for other colours."""
    return result.engine.colours(result.values) if drawing.colormap is None and not drawing.contour else None


def _centres(result: ResultData, drawing: Drawing) -> Any:
    """((first y, step), (first x, step)) of the layer's cells in pixels of the network's input, or None."""
    if drawing.placement == "stretch" or result.layer is None:
        return None
    field = result.layer.field
    if field is None:
        raise LayerError(
            f"Where the cells of layer {result.layer.path!r} look cannot be computed: "
            "there is no fixed receptive field. Use --placement stretch."
        )
    return tuple(zip(field.first, field.step, strict=True))


def words_of(result: ResultData, drawing: Drawing) -> Facts:
    """Title, facts, caption and small print of a panel: what was explained, how sure, how made."""
    target, technique = result.target, result.engine.technique.title
    cells = np.asarray(result.heatmap)
    scale = scale_of(cells, signed=result.engine.signed, clip=drawing.clip)
    message = result.messages[0] if result.messages and (scale.high == 0 or result.status == "failed") else ""
    small = captions.small_print(
        ", ".join(filter(None, (result.model_name, f"layer {_layer(result)}" if result.layer else ""))),
        _FITTED.get(result.given.fit.how, "") if result.given.photo else "",
        "" if message else captions.scale_words(scale, result.unit),
        result.engine.caveat(),
        _colours(result, drawing) if not message and not drawing.contour else "",
        "" if message or drawing.contour else captions.opacity_words(drawing.alpha),
        *(result.messages if not message else result.messages[1:]),
    )
    if target is None:
        return Facts(title=_layer(result) or technique, technique=technique, small=small, message=message)
    return Facts(
        title=target.name,
        facts=_facts(result),
        technique=technique,
        caption=_caption(result),
        small=small,
        message=message,
        failed=result.status == "failed",
    )


def _facts(result: ResultData) -> str:
    target = result.target
    assert target is not None
    known = target.kind in ("class", "map") and target.index >= 0
    index = f"class {target.index}" if known and target.name != f"class {target.index}" else ""
    probability = result.measures.get("probability")
    sure = (
        f"probability {captions.chance(float(probability))}"
        if probability is not None and result.has_probabilities
        else ""
    )
    return ", ".join(filter(None, (index, sure)))


def _caption(result: ResultData) -> str:
    target = result.target
    assert target is not None
    rank = result.measures.get("rank")
    why = captions.standing(int(rank)) if rank is not None else ""
    score = captions.score_words(target.score, target.scale) if np.isfinite(target.score) else "score not a number"
    asked = captions.question(result.engine.technique.title, target.name, why, score)
    others = [
        (p.name, p.probability) for p in result.predictions if p.index != target.index and p.probability is not None
    ]
    if rank is not None and int(rank) == 1:
        return f"{asked} {captions.runners_up(others[:2])}".strip()
    first = f"Predicted: {others[0][0]} {captions.chance(others[0][1])}." if others else ""
    return f"{asked} {first}".strip()


def _colours(result: ResultData, drawing: Drawing) -> str:
    values = _values_as_colours(result, drawing)
    if values is not None:
        end = captions.number(colour_scale(values, drawing.clip).high)
        return f"Heatmap: red, green and blue of the gradient about grey, to ±{end}"
    return "Red supports, blue opposes" if result.engine.signed else ""


def _layer(result: ResultData) -> str:
    return result.layer.path if result.layer else ""


def file_stem(path: str | None) -> str:
    """The last part of a path: what a picture is called on a page, whatever folder it was found through."""
    return Path(path).name if path else ""
