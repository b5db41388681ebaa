"""What a training's dumps become on the disk: pictures, records, numbers, the page. Runs beside the training."""

import contextlib
import math
import threading
import time
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import KerasvizError
from kerasviz.inputs.sources import MANIFEST
from kerasviz.pages.timeline import write_page
from kerasviz.results.drawing import Drawing, overlay_of, pages_of
from kerasviz.results.result import Result
from kerasviz.results.saving import write
from kerasviz.runs.beside import Beside, Seldom
from kerasviz.runs.dumping import Asked, Dump, Watched
from kerasviz.runs.measuring import Measures, mean_of
from kerasviz.runs.schedule import Moment
from kerasviz.runs.summaries import Summaries, step_of
from kerasviz.runs.wanted import Wanted
from kerasviz.timelines.cells import cell_of, column_of, row_of, shrunk, standing_of
from kerasviz.timelines.films import MOST_FRAMES, write_films
from kerasviz.timelines.frames import Cell, Frame, Standing
from kerasviz.timelines.layout import Column, Layout, Row
from kerasviz.timelines.store import FRAME, History, Timeline
from kerasviz.writing import output_errors

_LOSSY = 1.0  # grey levels by which a photograph may differ from itself, kept as WebP by another version
_STAYS = 3600  # seconds for which the thread waits for the next dump: each new one would keep memory of its own
_STRIP, _FRAME = 0.1, 0.012  # seconds that a strip, and a frame of an animation, take


@dataclass(frozen=True)
class Made:
    """A dump, and what is to be written with it.

    Attributes:
        titles: the true class of each row, or empty.
        model: its name.
        measures: computed when it is called, where that was not done before.
    """

    dump: Dump
    titles: Sequence[str]
    model: str
    measures: Callable[[], Measures]


class Logbook:
    """Writes dumps into a log folder, in a thread of its own; every method but `_...` is the training's."""

    def __init__(self, folder: Path, wanted: Wanted):
        self._timeline, self._wanted = Timeline(folder), wanted
        self._beside = _beside(weakref.ref(self))
        self._summaries = Summaries(wanted.tensorboard) if wanted.tensorboard else None
        self._layout: Layout | None = None
        self._seldom, self._stale, self._live = Seldom(), False, True
        self._unfilmed = 0  # dumps
        self._leaving = weakref.finalize(self, _left, self._timeline)
        self._leaving.detach()  # nothing has begun
        self._latest = 0.0  # when something was written
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()

    @property
    def timeline(self) -> Timeline:
        """What is there already."""
        return self._timeline

    def errors(self) -> list[BaseException]:
        """What failed since this was asked last."""
        with self._lock:
            found, self._errors = self._errors, []
        return found

    def begin(self, epoch: int, step: int) -> tuple[int, Collection[str]]:
        """A training begins after so many epochs, and batches where the journal does not know better.

        Returns:
            The batches, and the folders of the dumps before them.
        """
        self.wait()  # an earlier call of `fit` may have ended with an exception
        self._live = True
        self._leaving.detach()
        if self._wanted.page:
            self._leaving = weakref.finalize(self, _left, self._timeline)
        earlier = self._timeline.history() if epoch and self._timeline.exists else History()
        step = earlier.steps.get(epoch, step)
        self._beside.submit(lambda: self._timeline.begin(epoch, step))
        return step, earlier.until(epoch, step)

    def epoch(self, epoch: int, step: int, logs: Mapping[str, float]) -> None:
        """An epoch was completed, and so many batches. Never waits: it is a line of text."""

        def note() -> None:
            self._timeline.epoch(epoch, logs, step)
            self._stale = True

        self._beside.submit(note, waits=False)

    def dump(self, moment: Moment, made: Made) -> None:
        """Pictures were made."""
        self._beside.submit(lambda: self._write(moment, made))

    def end(self, skipped: int, affords: Callable[[float], bool] = lambda seconds: True) -> bool:
        """The training ended: finish everything, and wait for it; strips and animations where they can be afforded.

        Returns:
            Whether strips and animations show all dumps.
        """
        self.wait()
        seconds = self._films_take() if self._unfilmed else math.inf
        filming = math.isfinite(seconds) and affords(seconds)

        def last() -> None:
            self._timeline.end(skipped)
            self._live, self._stale = False, True
            if filming:
                self._write_films()

        self._beside.submit(last)
        self.wait()
        self._leaving.detach()
        if self._summaries:
            self._summaries.close()
        return filming or not math.isfinite(seconds)

    def _write_films(self) -> None:
        write_films(self._timeline, animation=self._wanted.animation)
        self._unfilmed = 0

    def _films_take(self) -> float:
        """Seconds that strips and animations will take, about."""
        if self._layout is None:
            return math.inf
        frames = min(MOST_FRAMES, len(self._timeline.history().dumps)) if self._wanted.animation else 0
        return len(self._layout.rows) * len(self._layout.columns) * (_STRIP + frames * _FRAME)

    def wait(self) -> None:
        """Wait until all that was handed over is on the disk."""
        self._beside.finish()

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            self._errors.append(error)

    def _freshen(self, awaited: bool) -> float:
        """The page again, where something is new; the seconds for which the thread stays, to be asked again."""
        if self._wanted.page and self._stale and self._timeline.exists:
            if self._seldom.pause and not awaited:
                return self._seldom.pause
            self._stale = False
            self._seldom.do(self._write_page)
        return 0.0 if awaited or not self._live else max(0.0, self._latest + _STAYS - time.monotonic())

    def _write_page(self) -> None:
        write_page(self._timeline, live=self._live)

    def _write(self, moment: Moment, made: Made) -> None:
        self._latest = time.monotonic()
        self._keep_layout(made)
        out = self._timeline.folder / moment.folder
        with output_errors(out):
            for earlier in (*out.rglob(MANIFEST), out / FRAME):  # of a training whose place this one takes
                earlier.unlink(missing_ok=True)
        for asked in made.dump.asked:
            for k in sorted(asked.new & set(asked.results)):
                try:
                    write(asked.results[k], out / asked.folder, self._wanted.styles, self._wanted.drawing)
                except Exception as error:  # the other pictures, and the timeline, are worth having
                    self._failed(error)
        frame = self._frame(moment, made)
        self._timeline.add(frame)
        self._stale, self._unfilmed = True, self._unfilmed + 1
        if self._summaries:
            self._summarise(self._summaries, frame, made.dump)
        self._freshen(False)

    def _keep_layout(self, made: Made) -> None:
        """Rows and columns are known with the first dump; an engine that came back adds its columns."""
        known = {column.key: column for column in self._layout.columns} if self._layout else {}
        new = {one.key: one for one in made.dump.asked if one.key not in known and one.results}
        failed = [_failed_column(one.watched) for key, one in made.dump.failures.items() if not self._columns_of(key)]
        if self._layout and not new and not failed and self._timeline.exists:
            return
        columns = [*known.values(), *(_column(one, self._wanted.drawing) for one in new.values()), *failed]
        rows = self._layout.rows if self._layout and self._layout.rows else self._rows(made)
        if self._layout is None and self._timeline.exists and not _same(rows, self._timeline):
            self._timeline.other_pictures()
        layout = Layout(made.model, rows, columns, self._wanted.drawing.alpha)
        self._timeline.keep(layout)
        self._layout = layout  # not before: what could not be written is tried again with the next dump

    def _rows(self, made: Made) -> list[Row]:
        found: dict[int, Row] = {}
        for asked in made.dump.asked:
            for k, result in asked.results.items():
                boxes = self._wanted.boxes[k] if self._wanted.boxes else ()
                found.setdefault(k, row_of(result, made.titles[k], boxes))
        return [found[k] for k in sorted(found)]

    def _frame(self, moment: Moment, made: Made) -> Frame:
        number, dump = len(self._layout.rows) if self._layout else 0, made.dump
        cells = {one.key: [self._cell(one, k) for k in range(number)] for one in dump.asked}
        for key, failure in dump.failures.items():
            cells |= {one: [Cell(note=failure.said, failed=True)] * number for one in self._columns_of(key)}
        first = dump.asked[0].results if dump.asked else {}
        standings = [standing_of(first[k]) if k in first else Standing() for k in range(number)]
        return Frame(**vars(moment), cells=cells, standings=standings, measures=made.measures())

    def _columns_of(self, key: str) -> list[str]:
        """The columns of an engine; none where it never answered."""
        known = [column.key for column in self._layout.columns] if self._layout else []
        return [column for column in known if column == key or column.startswith(f"{key}.")]

    def _cell(self, asked: Asked, row: int) -> Cell | None:
        return cell_of(asked.results[row], self._wanted.drawing) if row in asked.results else None

    def _summarise(self, summaries: Summaries, frame: Frame, dump: Dump) -> None:
        step = step_of(frame)
        for asked in dump.asked:
            for result in asked.results.values():
                summaries.picture(
                    f"kerasviz/{asked.key}/{result.image_name}", _small(result, self._wanted.drawing), step
                )
        for key, kinds in frame.measures.items():
            for name, values in kinds.items():
                if (mean := mean_of(values)) is not None:
                    summaries.scalar(f"kerasviz/{key}/{name}", mean, step)
        summaries.flush()


def _beside(logbook: "Callable[[], Logbook | None]") -> Beside:
    """The thread of a logbook, which does not keep it: it ends where nobody is left to hand over more."""

    def failed(error: BaseException) -> None:
        if (one := logbook()) is not None:
            one._failed(error)

    def idle(awaited: bool) -> float:
        return one._freshen(awaited) if (one := logbook()) is not None else 0.0

    return Beside(failed, idle)


def _left(timeline: Timeline) -> None:
    """A training ended with an exception, and whoever watched it goes: its page does not wait for more."""
    with contextlib.suppress(Exception):  # nobody is left who could be told
        if timeline.exists:
            write_page(timeline)


def _same(rows: Sequence[Row], timeline: Timeline) -> bool:
    """Whether the folder's dumps are about these pictures: a shuffled dataset gives others to the next process."""
    try:
        before = timeline.layout().rows
    except KerasvizError:
        return False
    return len(rows) == len(before) and all(
        one.name == other.name
        and one.photo.shape == other.photo.shape
        and (not one.photo.size or float(np.abs(one.photo.astype(np.int16) - other.photo).mean()) < _LOSSY)
        for one, other in zip((Row.of(row.plain()) for row in rows), before, strict=True)
    )


def _failed_column(watched: Watched) -> Column:
    """A column for an engine that has not answered yet: what failed is drawn, not left out."""
    return Column(watched.key, watched.engine.technique.name, watched.engine.technique.title)


def _column(asked: Asked, drawing: Drawing) -> Column:
    return column_of(next(iter(asked.results.values())), asked.key, asked.question, drawing)


def _small(result: Result, drawing: Drawing) -> Any:
    return shrunk(next(pages_of(result, drawing)) if result.grid is not None else overlay_of(result, drawing))
