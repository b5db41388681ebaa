"""What a timeline's page must know of all dumps at once; everything else it reads dump by dump."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kerasviz.errors import SourceError
from kerasviz.pictures.colormaps import DIVERGING, NAMES, table
from kerasviz.timelines.axis import places
from kerasviz.timelines.curves import finite, plots_of
from kerasviz.timelines.frames import BROKEN
from kerasviz.timelines.store import LAYOUT, Timeline


class Summary:
    """Reads the dumps one after the other, and keeps of each only a few numbers.

    Attributes:
        layout: `layout.json`, as it is; `history`: the journal.
    """

    def __init__(self, timeline: Timeline):
        self.timeline, self.history = timeline, timeline.history()
        self.layout = _layout(timeline)
        self.rows = range(len(self.layout["rows"]))
        self.columns = {column["key"]: column for column in self.layout["columns"]}
        self.dumps: list[dict[str, Any]] = []
        self.limits = {key: [0.0] * len(self.rows) for key in self.columns}
        self.noted = {key: [False] * len(self.rows) for key in self.columns}
        self.chances: list[list[float | None]] = [[] for _ in self.rows]

    def frames(self) -> Iterator[str]:
        """The JSON text of every dump that can be read; dumps that cannot are left out of the page."""
        for folder, line in self.history.dumps.items():
            dump, text = _dump(line), self.timeline.frame_text(folder)
            if dump is None or text is None:
                continue
            try:
                frame = json.loads(text, parse_constant=_refused)
                cells, standings = frame["cells"].get, frame["standings"]
                self._keep_cells({key: cells(key) or [] for key in self.columns})
                chances = [finite((standings[row] or {}).get("probability")) for row in self.rows]
            except BROKEN:
                continue
            for curve, chance in zip(self.chances, chances, strict=True):
                curve.append(chance)
            self.dumps.append(dump)
            yield text

    def _keep_cells(self, cells: Mapping[str, Any]) -> None:
        for key, column in cells.items():
            for row, cell in zip(self.rows, column, strict=False):
                if cell:
                    self.limits[key][row] = max(self.limits[key][row], finite(cell.get("limit")) or 0.0)
                    self.noted[key][row] |= bool(cell.get("note")) and not cell.get("failed")

    def _names(self) -> dict[str, str]:
        """Short names of the columns: the technique's, with the question where it has several."""
        titles = [column["title"] for column in self.columns.values()]
        return {
            key: ", ".join(filter(None, (c["title"], c["question"] if titles.count(c["title"]) > 1 else "")))
            for key, c in self.columns.items()
        }

    def plain(self) -> dict[str, Any]:
        """For the page; complete when all `frames` were read."""
        at = places(self.dumps, self.history.steps)
        wanted = {column[place] for column in self.columns.values() for place in ("colormap", "paper")}
        return {
            "dumps": [{**_without_measures(dump), "x": x} for dump, x in zip(self.dumps, at, strict=True)],
            "epochs": sorted(self.history.epochs),
            "limits": self.limits,
            "noted": self.noted,
            "chances": self.chances,
            "measured": sorted({key for dump in self.dumps for key, found in dump["measures"].items() if found}),
            "plots": plots_of(self.history, self.dumps, at, self._names()),
            "tables": tables(wanted),
            "diverging": DIVERGING,
            "skipped": self.history.skipped,
            "gone": len(self.history.dumps) - len(self.dumps),
        }


def tables(wanted: set[str]) -> dict[str, str]:
    """Colour maps as base64 of 256 x 3 bytes; ink and grey always, since they change places on dark pages."""
    known = {name for name in wanted if name in NAMES} | {"inferno", "ink", "grey"}
    return {name: base64.b64encode(table(name).tobytes()).decode("ascii") for name in sorted(known)}


def _layout(timeline: Timeline) -> dict[str, Any]:
    try:
        timeline.layout()  # is it one?
        return json.loads((timeline.folder / LAYOUT).read_text(encoding="utf-8"), parse_constant=_refused)
    except BROKEN as error:
        raise SourceError(
            f"Expected the rows and columns of a timeline in {str(timeline.folder / LAYOUT)!r}, found none that can "
            f"be read ({error}). Train again, or give another folder."
        ) from error


def _dump(line: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page needs of a journal line, in the types that it needs; None where it is no dump."""
    try:
        words = {name: str(line[name]) for name in ("folder", "unit", "why")}
        counts = {name: int(line[name]) for name in ("number", "epoch", "step")}
        measures = {
            str(key): {str(name): [finite(value) for value in values] for name, values in found.items()}
            for key, found in (line.get("measures") or {}).items()
        }
    except BROKEN:
        return None
    return {**words, **counts, "measures": measures}


def _without_measures(dump: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dump.items() if name != "measures"}


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no JSON")  # Python reads NaN, browsers do not
