"""The log folder of a training: what was dumped, when, and how the metrics went.

    LOG_DIR/timeline.jsonl       a line for each start of a training, each epoch, each dump; only ever added to
    LOG_DIR/layout.json          rows and columns
    LOG_DIR/epoch_0005/          pictures, manifest.jsonl and frame.json of one dump
    LOG_DIR/timeline.html        the page
    LOG_DIR/timeline/            strips and animations

A training that begins at epoch k takes the place of all that an earlier one left after epoch k; one that begins at
epoch 0 is another one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerasviz.errors import SourceError
from kerasviz.records import append_line, as_json, write_whole
from kerasviz.timelines.frames import BROKEN, Frame
from kerasviz.timelines.layout import Layout

JOURNAL, LAYOUT, FRAME, PAGE, FILMS = "timeline.jsonl", "layout.json", "frame.json", "timeline.html", "timeline"

_ABOUT = ("folder", "unit", "number", "epoch", "step", "why", "logs")  # of a frame, in its line of the journal
_MOST_EPOCHS = 10_000_000


@dataclass
class History:
    """What the journal says.

    Attributes:
        epochs: completed epochs -> the metrics after it; every epoch, with pictures or without.
        steps: completed epochs -> the batches completed with them, where that is known.
        dumps: folder -> its journal line, in the order of their steps.
        skipped: dumps that were left out to keep the time budget.
    """

    epochs: dict[int, Mapping[str, float]] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)
    dumps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    skipped: int = 0

    def take(self, line: Mapping[str, Any]) -> None:
        """Add a line of the journal."""
        kind = line.get("kind")
        if kind == "begin":
            epoch, step = line["epoch"], line["step"]
            self.epochs = {number: logs for number, logs in self.epochs.items() if number <= epoch}
            self.steps = {number: steps for number, steps in self.steps.items() if number <= epoch}
            self.dumps = self.until(epoch, step)
        elif kind == "pictures":
            self.dumps = {}
        elif kind == "epoch":
            epoch = int(line["epoch"])
            if not 0 <= epoch <= _MOST_EPOCHS:
                raise ValueError(f"No training has {epoch} epochs.")
            self.epochs[epoch] = dict(line["logs"])
            if "step" in line:
                self.steps[epoch] = int(line["step"])
        elif kind == "dump":
            line = {**line, "folder": str(line["folder"]), "epoch": int(line["epoch"]), "step": int(line["step"])}
            self.dumps.pop(line["folder"], None)
            self.dumps[line["folder"]] = line
        elif kind == "end":
            self.skipped = int(line.get("skipped", 0))

    def until(self, epoch: int, step: int) -> dict[str, Mapping[str, Any]]:
        """The dumps that a training goes on from which begins after so many epochs and batches."""
        kept = [one for one in self.dumps.values() if epoch and one["epoch"] <= epoch and one["step"] <= step]
        return {one["folder"]: one for one in kept}


class Timeline:
    """A log folder, for those who add to it and those who draw it."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def exists(self) -> bool:
        """Whether anything was dumped here."""
        return (self.folder / JOURNAL).is_file() and (self.folder / LAYOUT).is_file()

    def begin(self, epoch: int, step: int) -> None:
        """A training begins after so many completed epochs and batches."""
        append_line(self.folder / JOURNAL, {"kind": "begin", "epoch": epoch, "step": step})

    def other_pictures(self) -> None:
        """From here on other pictures are looked at: the dumps before do not belong to them."""
        append_line(self.folder / JOURNAL, {"kind": "pictures"})

    def epoch(self, epoch: int, logs: Mapping[str, float], step: int | None = None) -> None:
        """An epoch was completed, and so many batches, where that is known."""
        about = {"epoch": epoch} if step is None else {"epoch": epoch, "step": step}
        append_line(self.folder / JOURNAL, {"kind": "epoch", **about, "logs": logs})

    def end(self, skipped: int) -> None:
        """The training ended."""
        append_line(self.folder / JOURNAL, {"kind": "end", "skipped": skipped})

    def keep(self, layout: Layout) -> None:
        """Write rows and columns."""
        write_whole(self.folder / LAYOUT, as_json(layout.plain()))

    def add(self, frame: Frame) -> None:
        """A dump is complete: its numbers, then its line of the journal."""
        write_whole(self.folder / frame.folder / FRAME, as_json(frame.plain()))
        about = {name: getattr(frame, name) for name in _ABOUT}
        append_line(self.folder / JOURNAL, {"kind": "dump", **about, "measures": frame.measures})

    def layout(self) -> Layout:
        """Rows and columns.

        Raises:
            SourceError: there is no timeline in this folder, or it cannot be read.
        """
        text = self._text(LAYOUT)
        try:
            return Layout.of(json.loads(text))
        except BROKEN as error:
            raise self._missing(LAYOUT) from error

    def history(self) -> History:
        """What the journal says; a line that a crash left unfinished is passed over. SourceError as of `layout`."""
        found = History()
        for line in self._text(JOURNAL).split("\n"):  # not splitlines: names may hold other ends of lines
            try:
                found.take(json.loads(line))
            except BROKEN:
                continue
        if not found.dumps:  # a journal that was lost: each dump knows when it was made
            for frame in self._on_disk():
                found.take(frame)
        return found

    def _on_disk(self) -> list[dict[str, Any]]:
        """What the dumps in the folder say of themselves, in the order of their steps."""
        found = []
        for path in self.folder.glob(f"*/{FRAME}"):
            try:
                frame = json.loads(self.frame_text(path.parent.name) or "")
                about = {name: frame[name] for name in _ABOUT}
                found.append({"kind": "dump", **about, "folder": path.parent.name, "measures": frame["measures"]})
            except BROKEN:
                continue
        return sorted(found, key=lambda dump: (int(dump["epoch"]), int(dump["step"])))

    def frame_text(self, folder: str) -> str | None:
        """The JSON of a dump as it lies on the disk; None where it is gone or is no dump of this timeline."""
        if Path(folder).name != folder or folder in ("", ".."):  # a journal may be a stranger's
            return None
        try:
            return (self.folder / folder / FRAME).read_text(encoding="utf-8")
        except (OSError, ValueError):  # ValueError: not UTF-8, or a NUL in the name
            return None

    def frames(self) -> Iterator[Frame]:
        """Every dump that is still there, one after the other, in the order of the training."""
        for folder in self.history().dumps:
            text = self.frame_text(folder)
            if text is not None:
                try:
                    yield Frame.of(json.loads(text))
                except BROKEN:
                    continue

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError) as error:
            raise self._missing(name) from error

    def _missing(self, name: str) -> SourceError:
        return SourceError(
            f"Expected the log folder of a VisualizationLogger, found no {name!r} that can be read in "
            f"{str(self.folder)!r}. Give the folder that was its log_dir."
        )
