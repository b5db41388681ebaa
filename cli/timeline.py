"""`kerasviz timeline LOG_DIR`: page, strips and animations of a training, again from what lies in its log folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .completing import words
from .options import OUTPUT, PATH, Said, Sectioned, json_option, terminal_options
from .running import Interrupted
from .terminal import Terminal

if TYPE_CHECKING:
    from kerasviz.timelines.films import Film
    from kerasviz.timelines.store import Timeline

FORMS = ("webp", "gif", "mp4", "none")


def command() -> click.Command:
    """The command."""
    return Sectioned(
        "timeline",
        callback=timeline,
        help="""Draw a training again from the log folder of its VisualizationLogger.

        LOG_DIR/timeline.html is the page; LOG_DIR/timeline/ gets a strip and an animation for each picture and each
        technique. Also while the training still runs, and after one that was killed.""",
        no_args_is_help=True,
        params=[
            click.Argument(["log_dir"], type=PATH),
            Said(
                ["--animation"], section=OUTPUT, default="webp", metavar="|".join(FORMS), show_default=True,
                shell_complete=words(FORMS), help="each picture over the epochs; mp4 needs kerasviz[video]",
            ),
            Said(["--no-strips"], section=OUTPUT, is_flag=True, help="no strips over the epochs"),
            json_option("one line for each file on stdout, and nothing else"),
            *terminal_options(),
        ],
    )  # fmt: skip


def timeline(log_dir: str, animation: str, no_strips: bool, as_json: bool) -> None:
    """The path of each file, as it is written."""
    from kerasviz.records import as_json as line
    from kerasviz.timelines.store import Timeline

    terminal, timeline = click.get_current_context().ensure_object(Terminal), Timeline(Path(log_dir))
    total, films = drawn(timeline, None if animation == "none" else animation, not no_strips)
    written = 0
    try:
        with terminal.progress("timeline", total) as steps:
            for film in films:
                record = {name: value for name, value in vars(film).items() if value not in ("", 0)}
                terminal.answer(line(record).decode() if as_json else os.fspath(film.path))
                written += 1
                steps.advance()
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted. Files that were finished: {written}; they are kept in {log_dir!r}.") from None
    if not timeline.history().dumps:
        terminal.warn("There are no pictures yet: the training has not come to its first dump.")


def drawn(timeline: "Timeline", animation: str | None, strips: bool) -> tuple[int, "Iterator[Film]"]:
    """How many files there are at most, and each as it is written; what was typed is checked before any work."""
    from kerasviz.pages.timeline import write_page
    from kerasviz.pictures.animations import refuse_form
    from kerasviz.timelines.films import Film, each_film, film_count

    if animation is not None:
        refuse_form(animation)

    def each() -> "Iterator[Film]":
        yield Film(write_page(timeline), "page")
        yield from each_film(timeline, animation=animation, strips=strips)

    return 1 + film_count(timeline, animation=animation, strips=strips), each()
