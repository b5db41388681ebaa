"""The page of a training: a slider over its dumps, pictures as rows, techniques as columns; one file, no requests."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kerasviz.pages.material import embedded, policy, source, templates
from kerasviz.pages.summary import Summary
from kerasviz.records import as_json
from kerasviz.timelines.store import PAGE, Timeline
from kerasviz.writing import write_whole

STYLES = ("material.css", "timeline.css")
SCRIPTS = ("maps.js", "figures.js", "curves.js", "rows.js", "timeline.js")  # each uses what stands before it


def write_page(timeline: Timeline, *, live: bool = False) -> Path:
    """Writes `timeline.html` into the log folder, from what lies there.

    The dumps are read and written one after the other, each as its own block of JSON and never decoded here: a long
    training takes no more memory than a short one.

    Args:
        timeline: a log folder; dumps whose files are gone are left out, and counted on the page.
        live: training goes on: the page says so, and reads itself again every 20 seconds while it shows the last dump.

    Returns:
        Path of the page, which is there whole or as it was before.

    Raises:
        SourceError: there is no timeline in this folder.
        OutputError: the page cannot be written.
    """
    summary = Summary(timeline)
    path = timeline.folder / PAGE
    write_whole(path, (piece.encode("utf-8", "replace") for piece in _pieces(summary, live)))
    return path


def _pieces(summary: Summary, live: bool) -> Iterator[str]:
    style, script = source(*STYLES), source(*SCRIPTS)
    now = {"live": live, "written": round(1000 * time.time())}  # milliseconds, as browsers count them
    return (
        templates()
        .get_template("timeline.html")
        .generate(
            model=str(summary.layout["model"]),
            style=style,
            script=script,
            policy=policy(style, script),
            live=live,
            boxes=any(row["boxes"] for row in summary.layout["rows"]),
            layout=_json(summary.layout),
            frames=map(embedded, summary.frames()),
            summary=lambda: _json(summary.plain() | now),  # called below the frames, when all were read
        )
    )


def _json(value: dict[str, Any]) -> Markup:
    return embedded(as_json(value).decode())
