"""Contestants are timed in turns, so that whatever else the machine does meets all of them alike."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Contestant:
    """Who takes part: `seconds` does the work once and says how long it took."""

    name: str
    seconds: Callable[[], float]
    most: float | None = None  # of the reference's time, for the column `wanted`


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """The wall-clock seconds of a call."""

    def seconds() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return seconds


@dataclass(frozen=True)
class Row:
    """A line of the table: seconds of every round, and those of the reference in the same round."""

    question: str
    contestant: Contestant
    seconds: Sequence[float]
    reference: Sequence[float]

    def over(self, other: "Row") -> list[float]:
        """Seconds over another's, round by round."""
        return [own / its for own, its in zip(self.seconds, other.seconds, strict=True)]

    @property
    def ratios(self) -> list[float]:
        """Seconds over the reference's, round by round."""
        return [own / bare for own, bare in zip(self.seconds, self.reference, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(self.ratios)

    def cells(self) -> tuple[str, ...]:
        """As it is printed."""
        most = self.contestant.most
        wanted = "" if most is None else f"<= {most:.2f} {'met' if self.ratio <= most else 'MISSED'}"
        spread = f"{min(self.ratios):.2f} .. {max(self.ratios):.2f}"
        return self.question, self.contestant.name, f"{median(self.seconds):.4f}", f"{self.ratio:.3f}", spread, wanted


HEAD = ("question", "who", "seconds", "ratio", "min .. max", "wanted")


def race(question: str, contestants: Sequence[Contestant], rounds: int) -> list[Row]:
    """Time all contestants in each of `rounds` rounds; the first is the reference.

    The first calls, which trace and compile, are not counted. Every round begins with another contestant and
    every second one runs backwards, so that nobody always follows the same neighbour.
    """
    print(f"{question}: {', '.join(each.name for each in contestants)}", file=sys.stderr, flush=True)
    for contestant in contestants:
        contestant.seconds()
        contestant.seconds()
    times: Mapping[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for turn in range(rounds):
        for contestant in _order(contestants, turn):
            times[contestant.name].append(contestant.seconds())
    return [Row(question, one, times[one.name], times[contestants[0].name]) for one in contestants]


def _order(contestants: Sequence[Contestant], turn: int) -> Iterator[Contestant]:
    first = turn % len(contestants)
    turned = [*contestants[first:], *contestants[:first]]
    return reversed(turned) if turn % 2 else iter(turned)


def table(rows: Sequence[Row]) -> str:
    """All rows under one head."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    right = ("seconds", "ratio")
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
