"""What a command with pictures does around the library's run: where from, where to, what is said, how it ends."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .opening import completion_of, count_of, further_inputs, network_of
from .terminal import Terminal, watched

if TYPE_CHECKING:
    from kerasviz.inputs.sources import Source
    from kerasviz.results.drawing import Drawing
    from kerasviz.runs.pipeline import Outcome

SAID_ONLY = ("custom", "classes")  # what neither a network nor a result knows of itself


def explain_all(engine: Any, model: str, images: Sequence[str], drawing: "Drawing", typed: Mapping[str, Any]) -> None:
    """One technique over pictures, as its command was typed; ends with an exit code."""
    from kerasviz.results.saving import checked_styles
    from kerasviz.runs.pipeline import run

    terminal, out = click.get_current_context().ensure_object(Terminal), Path(typed["out"])
    styles, size = checked_styles(typed["styles"]), count_of("batch-size", typed["batch_size"])
    sources, total = pictures(images, out)
    with output_folder(out):
        network = network_of(terminal, model, typed)
        inputs = further_inputs(network, typed["inputs"])
        said = {name: typed[name] for name in SAID_ONLY if typed.get(name)}

        def options(number: int) -> dict[str, Any]:
            return said | ({"input": [one.typed(number) for one in inputs]} if inputs else {})

        outcomes = run(
            engine,
            network,
            sources,
            out=out,
            target=typed.get("target"),
            styles=styles,
            drawing=drawing,
            batch_size=size,
            options=options,
            complete=completion_of(typed, inputs),
        )
        tell = partial(say, terminal, as_json=typed["as_json"])
        finish(terminal, engine.technique.name, outcomes, total, tell, f"kept in {str(out)!r}")


def pictures(images: Sequence[str], out: Path | None = None) -> tuple[Iterator["Source"], int | None]:
    """The pictures that were named, the first of them found; and how many, where somebody watches a bar."""
    from kerasviz.inputs.sources import STDIN, find_images

    stream = find_images(images, exclude=out)
    first = next(stream)
    total = sum(1 for _ in find_images(images, exclude=out)) if watched() and STDIN not in images else None
    return chain([first], stream), total


@contextlib.contextmanager
def output_folder(out: Path) -> Iterator[None]:
    """The output folder, tried before any work; folders that were made for nothing are taken away again."""
    from kerasviz.records import writable_folder

    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        writable_folder(out)
        yield
    finally:
        with contextlib.suppress(OSError):  # the first that is not empty ends it
            for folder in made:
                os.rmdir(folder)


def finish(
    terminal: Terminal,
    what: str,
    outcomes: Iterable[Any],
    total: int | None,
    tell: Callable[[Any], None],
    kept: str,
) -> None:
    """Say what became of each picture, as it comes; exit code 1 where some failed, 130 after Ctrl-C."""
    seen: dict[bool, int] = {False: 0, True: 0}
    last = None
    try:
        with terminal.progress(what, total) as steps:
            for outcome in outcomes:
                if outcome.source is not last:
                    last = outcome.source
                    seen[outcome.failed] += 1
                    steps.advance()
                tell(outcome)
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted. Pictures that were finished: {seen[False]}; they are {kept}.") from None
    if seen[True]:
        if sum(seen.values()) > 1:
            terminal.warn(f"{seen[True]} of {sum(seen.values())} pictures failed.")
        click.get_current_context().exit(1)


def say(terminal: Terminal, outcome: "Outcome", *, as_json: bool) -> None:
    """The paths of the files, or the record, on stdout; what matters about the picture on stderr."""
    from kerasviz.records import as_json as line

    if as_json:
        terminal.answer(line(outcome.record).decode())
    else:
        for path in outcome.files:
            terminal.answer(os.fspath(path))
    tell = terminal.error if outcome.failed else terminal.warn
    for message in outcome.record["messages"]:
        named = outcome.result is None  # why a picture cannot be read names its file
        tell(message if named else f"{outcome.source.path}: {message}")


class Interrupted(click.ClickException):
    """Ctrl-C, after what was finished was kept."""

    exit_code = 130
