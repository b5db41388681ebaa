"""What a command says and where: answers to stdout; progress, warnings and errors to stderr."""

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import click


@dataclass
class Terminal:
    """How much is said, and in which colours; the options -q, -v and --no-color set it.

    Attributes:
        verbose: 1 lets TensorFlow's own words through, 2 shows tracebacks.
        quiet: neither progress nor warnings.
        plain: no colours.
        model: the model that was named, for sentences that tell what to type next.
    """

    verbose: int = 0
    quiet: bool = False
    plain: bool = False
    model: str = "MODEL"
    _bar: Any = None

    @property
    def color(self) -> bool | None:
        """False: never; None: where a terminal is listening."""
        return False if self.plain or os.environ.get("NO_COLOR") else None

    @property
    def person(self) -> bool:
        """Whether a person reads the answers, not a program."""
        return sys.stdout.isatty()

    def answer(self, text: str) -> None:
        """One line of what was asked for; to a person without what would steer the terminal."""
        text = harmless(text) if self.person else text
        if self._bar is not None and self.person:
            self._bar.console.print(text, soft_wrap=True, markup=False, highlight=False)
            return
        try:
            text.encode()
            click.echo(text, color=self.color)
        except UnicodeEncodeError:  # a file's name that is not UTF-8, byte for byte
            click.echo(os.fsencode(text))

    def warn(self, text: str) -> None:
        """One line that matters, unless nobody wants to hear it."""
        if not self.quiet:
            self._say("Warning:", "yellow", text)

    def error(self, text: str) -> None:
        """One line about what went wrong."""
        self._say("Error:", "red", text)

    def _say(self, what: str, colour: str, text: str) -> None:
        line = f"{click.style(what, fg=colour, bold=True)} {harmless(text)}"
        if self._bar is not None:  # above the bar
            from rich.text import Text

            self._bar.console.print(Text.from_ansi(line), soft_wrap=True)
        else:
            click.echo(line, err=True, color=self.color)

    def table(self, heading: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> None:
        """Columns for a person, or, where a program reads, lines with tabs; `numbers` stand to the right."""
        if not self.person:
            for row in (heading, *rows):
                self.answer("\t".join(row))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, name in enumerate(heading):  # the first is for copying: it stays in one piece
            justify: Literal["left", "right"] = "right" if name in numbers else "left"
            table.add_column(name, justify=justify, overflow="fold", no_wrap=number == 0)
        for row in rows:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        Console(no_color=self.color is False).print(table)

    @contextlib.contextmanager
    def progress(self, what: str, total: int | None) -> Iterator["Steps"]:
        """A bar on stderr for more than one step, where a person is looking; else nothing is printed."""
        if self.quiet or total == 1 or not sys.stderr.isatty():
            yield Steps()
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True))
        console = Console(stderr=True, no_color=self.color is False)
        # stdout stays itself: it may lead into a file
        with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
            task = bar.add_task(what, total=total)
            self._bar = bar
            try:
                yield Steps(lambda: bar.advance(task))
            finally:
                self._bar = None


@dataclass(frozen=True)
class Steps:
    """Called once for each step that is done."""

    advance: Any = lambda: None


def harmless(text: str) -> str:
    """Text of strangers (layers, classes, records) without control characters: those move cursors and set titles."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\N{REPLACEMENT CHARACTER}", text)


def watched() -> bool:
    """Whether a person sees the progress."""
    return sys.stderr.isatty()
