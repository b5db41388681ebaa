"""Results become files: pictures that carry their record, values, and one line of the manifest for each result."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import SettingError, near
from kerasviz.inputs.sources import MANIFEST
from kerasviz.pictures.sheets import DPI
from kerasviz.records import append_line, file_name, png_bytes, write_whole
from kerasviz.results.data import ResultData
from kerasviz.results.drawing import STYLES, Drawing, pictures_of
from kerasviz.results.recording import record_of


@dataclass(frozen=True)
class Saved:
    """What was written of one result: its files, in the order of the styles, and its record."""

    files: list[Path]
    record: dict[str, Any]


def save(
    result: ResultData, out: Path, styles: Sequence[str] = ("panel",), drawing: Drawing | None = None
) -> list[Path]:
    """Writes pictures and a line of the manifest; the paths of the pictures.

    Args:
        result: what an engine returned.
        out: the output folder; made where it is missing.
        styles: `panel`, `overlay`, `heatmap` (PNG) or `values` (float32 .npy).
        drawing: colours, placement, scale.

    Raises:
        SettingError: no such style.
        OutputError: a file cannot be written.
    """
    return write(result, out, checked_styles(styles), drawing or Drawing()).files


def write(
    result: ResultData, out: Path, styles: Sequence[str], drawing: Drawing, options: Mapping[str, Any] | None = None
) -> Saved:
    """`save`, for styles that were checked, with further options for the record; files and record."""
    typed = {**({} if tuple(styles) == ("panel",) else {"style": list(styles)}), **(options or {})}
    record = record_of(result, {}, drawing, typed)
    # A picture is written before its sisters are, so its own copy of the record does not list them.
    carried = {key: value for key, value in record.items() if key != "files"}
    for style, extension, data in _contents(result, styles, drawing, carried):
        name = file_name(
            result.image_name or "image_0000", result.engine.technique.name, _about(result), style, extension
        )
        write_whole(out / name, data)
        record["files"][style] = name
    append_line(out / MANIFEST, record)
    return Saved([out / name for name in record["files"].values()], record)


def checked_styles(styles: Sequence[str]) -> tuple[str, ...]:
    """Each style once; SettingError where there is no such style, before anything is drawn."""
    for style in styles:
        if style not in STYLES:
            raise SettingError(f"There is no style {style!r}.{near(style, STYLES)} There are {', '.join(STYLES)}.")
    return tuple(dict.fromkeys(styles))


def _contents(
    result: ResultData, styles: Sequence[str], drawing: Drawing, record: Mapping[str, Any]
) -> Iterator[tuple[str, str, bytes]]:
    """(style, extension, bytes) of each file; the pages of a grid are `panel`, `panel-2`, ..."""
    for style in styles:
        if style == "values":
            yield style, "npy", _npy(result.values)
            continue
        for page, picture in enumerate(pictures_of(result, style, drawing), 1):
            data = png_bytes(picture, record, DPI * drawing.scale)
            yield (style if page == 1 else f"{style}-{page}"), "png", data


def _npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values, np.float32), allow_pickle=False)
    return buffer.getvalue()


def _about(result: ResultData) -> str | None:
    """The TARGET of a file's name: what was asked; of a technique without a target, the layer that was asked for."""
    if result.target is not None:
        return result.target.label
    asked = result.engine.settings.get("layer")
    return result.layer.path if asked and result.layer else None
