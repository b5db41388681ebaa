"""Strips and animations of a training, made from its log folder: LOG_DIR/timeline/IMAGE.COLUMN.strip.png, .webp."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.pictures.animations import LARGEST, animation, evenly, noted, refuse_form
from kerasviz.pictures.sheets import DPI
from kerasviz.pictures.strips import MOST, SIDE, Moment, strip
from kerasviz.records import clean, file_name, png_bytes, write_whole
from kerasviz.timelines import telling
from kerasviz.timelines.axis import places
from kerasviz.timelines.frames import BROKEN, Cell, Frame, Standing
from kerasviz.timelines.layout import Column, Layout, Row
from kerasviz.timelines.scenes import Scene, on_canvas
from kerasviz.timelines.store import FILMS, History, Timeline

MOST_FRAMES = 60
ROWS_AT_ONCE = 16  # whose cells are held together, of at most 68 dumps, as they lie on the disk
STRIP_SCALE = 2


@dataclass(frozen=True)
class Film:
    """A file that was written: a `page`, or a `strip` or `animation` of an image and a column over so many dumps."""

    path: Path
    kind: str
    image: str = ""
    column: str = ""
    dumps: int = 0


@dataclass
class Survey:
    """What one reading of all dumps tells; no map of it is kept.

    Attributes:
        layout: rows and columns.
        history: the journal.
        frames: of every dump that is there, in order, without its cells.
        limits: (column key, row number) -> the end of the scale over all dumps, and whether it clips any value.
    """

    layout: Layout
    history: History
    frames: list[Frame] = field(default_factory=list)
    limits: dict[tuple[str, int], tuple[float, bool]] = field(default_factory=dict)

    def add(self, plain: Mapping[str, Any]) -> None:
        """A dump, as it stands in JSON; one of `BROKEN` where it is not one of ours."""
        frame = Frame.of({**plain, "cells": {}})
        frame = replace(frame, number=int(frame.number), epoch=int(frame.epoch), step=int(frame.step))
        found = {}
        for key, row in plain["cells"].items():
            for number, cell in enumerate(row):
                limit = float(cell.get("limit", 0)) if cell else 0.0
                if cell and limit > 0 and math.isfinite(limit):
                    found[key, number] = (limit, float(cell["max"]) > limit * (1 + 1e-6))
        self.frames.append(frame)
        for place, (limit, clips) in found.items():
            high, clipped = self.limits.get(place, (0.0, False))
            self.limits[place] = (max(high, limit), clips if limit > high else clipped)


def write_films(timeline: Timeline, *, animation: str | None = "webp", strips: bool = True) -> list[Path]:
    """Writes a strip and an animation for each picture and each column; their paths.

    Args:
        timeline: a log folder.
        animation: `webp`, `gif`, `mp4` (which needs the extra `video`), or None for none.
        strips: whether to write strips.

    Raises:
        SettingError: there is no such kind of animation, or it cannot be written here.
        SourceError: there is no timeline in this folder.
        OutputError: a file cannot be written.
    """
    return [film.path for film in each_film(timeline, animation=animation, strips=strips)]


def each_film(timeline: Timeline, *, animation: str | None = "webp", strips: bool = True) -> Iterator[Film]:
    """`write_films`, one after the other. Of long trainings 60 dumps are shown, of strips 8, evenly spaced."""
    if animation is not None:
        refuse_form(animation)
    survey = surveyed(timeline)
    for cutting in cuttings(timeline, survey):
        if strips:
            yield cutting.write_strip(timeline.folder / FILMS)
        if animation is not None:
            yield cutting.write_animation(timeline.folder / FILMS, animation)


def film_count(timeline: Timeline, *, animation: str | None = "webp", strips: bool = True) -> int:
    """How many files `each_film` writes at most."""
    layout = timeline.layout()
    return len(layout.rows) * len(layout.columns) * (strips + (animation is not None))


def surveyed(timeline: Timeline) -> Survey:
    """Read every dump once; what is no dump of ours is passed over."""
    survey = Survey(timeline.layout(), timeline.history())
    for folder in survey.history.dumps:
        text = timeline.frame_text(folder)
        try:
            if text is not None:
                survey.add({**json.loads(text), "folder": folder})
        except BROKEN:
            continue
    return survey


def cuttings(timeline: Timeline, survey: Survey) -> Iterator["Cutting"]:
    """Each row with each column, and its cells of the dumps that are shown; a few rows are held at once."""
    count, layout = len(survey.frames), survey.layout
    shown = sorted({*evenly(count, MOST_FRAMES), *evenly(count, MOST)})
    for first in range(0, len(layout.rows), ROWS_AT_ONCE) if shown else ():
        numbers = range(first, min(first + ROWS_AT_ONCE, len(layout.rows)))
        held = {dump: held_cells(timeline, survey.frames[dump].folder, numbers) for dump in shown}
        for number in numbers:
            for column in layout.columns:
                cells = {dump: found.get((column.key, number)) for dump, found in held.items()}
                if any(cells.values()):
                    yield Cutting(survey, number, column, cells)


def held_cells(timeline: Timeline, folder: str, rows: range) -> dict[tuple[str, int], Mapping[str, Any]]:
    """(column key, row number) -> cell of one dump, not decoded: encoded they are ten times smaller."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    try:
        for key, row in json.loads(timeline.frame_text(folder) or "")["cells"].items():
            found |= {(key, number): row[number] for number in rows if number < len(row) and row[number]}
    except BROKEN:  # it was changed since it was surveyed
        return {}
    return found


@dataclass(frozen=True)
class Cutting:
    """One row and one column over the dumps: what a strip and an animation are made of."""

    survey: Survey
    number: int
    column: Column
    plain: Mapping[int, Mapping[str, Any] | None]

    @property
    def row(self) -> Row:
        """The picture."""
        return self.survey.layout.rows[self.number]

    @property
    def limit(self) -> tuple[float, bool]:
        """Where the scale of all dumps ends, and whether it clips any value."""
        return self.survey.limits.get((self.column.key, self.number), (0.0, False))

    def cell(self, dump: int) -> Cell | None:
        """The cell of a dump; one that cannot be read is a failure."""
        plain = self.plain.get(dump)
        try:
            return Cell.of(plain) if plain else None
        except BROKEN:
            return Cell(failed=True, note="its cell in frame.json cannot be read")

    def standing(self, dump: int) -> Standing:
        """How the picture stood at a dump."""
        standings = self.survey.frames[dump].standings
        return standings[self.number] if self.number < len(standings) else Standing()

    def scene(self, longest: int) -> Scene:
        """How its cells are drawn at this size."""
        return Scene(self.row, self.column, self.limit[0], self.survey.layout.alpha, longest)

    def write_strip(self, folder: Path) -> Film:
        """`IMAGE.COLUMN.strip.png`."""
        history, shown = self.survey.history, evenly(len(self.survey.frames), MOST)
        scene, metric = self.scene(SIDE * STRIP_SCALE), telling.metric_of(history)
        cells = {dump: self.cell(dump) for dump in shown}
        at, several = (
            places([vars(frame) for frame in self.survey.frames], history.steps),
            telling.one_target(list(cells.values())) is None,
        )
        moments, times = [], {}
        for dump, cell in cells.items():
            frame, standing = self.survey.frames[dump], self.standing(dump)
            time = telling.time_of(frame)
            times[time] = (cell, standing)
            value = telling.value_of(history, metric, frame)
            told = telling.under(cell, standing, several)
            moments.append(
                Moment(label=time, at=at[dump], value=value, picture=scene.draw(cell), frame=scene.frame, **told)
            )
        key = telling.key_of(self.column, *self.limit, scene.colormap) if self.column.kind == "map" else None
        caption = telling.caption_of(self.survey.layout, self.column, key, times)
        title = self.row.title or self.row.name
        drawn = strip(
            scene.photo, title, moments, caption, curve=telling.curve_of(history, metric), key=key, scale=STRIP_SCALE
        )
        return self._written(folder, "strip", "png", png_bytes(drawn, None, DPI * STRIP_SCALE), len(shown))

    def write_animation(self, folder: Path, form: str) -> Film:
        """`IMAGE.COLUMN.animation.webp`, or another form."""
        shown, scene = evenly(len(self.survey.frames), MOST_FRAMES), self.scene(LARGEST)
        size = self._size(scene, shown)

        def frame(number: int) -> np.ndarray:
            dump = shown[number]
            cell, standing = self.cell(dump), self.standing(dump)
            picture = on_canvas(scene.draw(cell), size)
            return noted(picture, telling.time_of(self.survey.frames[dump]), **telling.note_of(cell, standing))

        return self._written(folder, "animation", form, animation(frame, len(shown), form), len(shown))

    def _size(self, scene: Scene, shown: Sequence[int]) -> tuple[int, int]:
        """(height, width) of all frames: the photograph's, or else the first picture's."""
        if scene.photo is not None and self.column.kind == "map":
            return scene.photo.shape[0], scene.photo.shape[1]
        first = next((picture for dump in shown if (picture := scene.draw(self.cell(dump))) is not None), None)
        return (first.shape[0], first.shape[1]) if first is not None else (LARGEST // 2, LARGEST)

    def _written(self, folder: Path, kind: str, extension: str, data: bytes, dumps: int) -> Film:
        path = folder / name_of(self.row, self.column, kind, extension)
        write_whole(path, data)
        return Film(path, kind, self.row.name, self.column.key, dumps)


def name_of(row: Row, column: Column, kind: str, extension: str) -> str:
    """`IMAGE.COLUMN.KIND.EXT`; as safe as the names of pictures, for rows and columns may be a stranger's."""
    technique, _, asked = column.key.partition(".")
    return file_name(row.name or None, clean(technique)[:64], asked or None, kind, extension)
