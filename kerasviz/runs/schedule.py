"""When a training is looked at: every so many epochs or batches, at its start, its end, and when it improves."""

import re
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import SettingError, near

MOMENTS = ("start", "end")
_LARGER_IS_BETTER = re.compile(  # by the names that Keras gives its metrics; it numbers those it meets again: auc_1
    r"(^|_)(acc|accuracy|auc|precision|recall|specificity|sensitivity|f1|(f1|fbeta|r2)_score|io_?u|dice|"
    r"cosine_similarity|true_positives|true_negatives)(_\d+)?$"
)


@dataclass(frozen=True)
class Schedule:
    """The moments at which pictures are made.

    Attributes:
        every: so many epochs or steps; `unit`: which of the two.
        start, end: whether also before and after the training.
        monitor: the metric whose improvement counts, or None; `larger`: whether more of it is better.
    """

    every: int = 1
    unit: str = "epoch"
    start: bool = True
    end: bool = True
    monitor: str | None = None
    larger: bool = False

    @classmethod
    def of(cls, every: Any, when: Sequence[str], monitor: Any) -> "Schedule":
        """From what a user says.

        Args:
            every: 5, "5 epochs" or "100 steps".
            when: any of `start` and `end`.
            monitor: a metric's name, or (name, "min" or "max"); else its name tells which way is better.

        Raises:
            SettingError: none of these.
        """
        match = re.fullmatch(r"\s*(\d+)\s*(epoch|step|batche?|)s?\s*", str(every))
        number = int(match[1]) if match and not isinstance(every, bool) else 0
        if number < 1 or match is None:
            raise SettingError(f"Expected every as 5, '5 epochs' or '100 steps', found {every!r}. The default is 1.")
        moments = _moments(when)
        name, larger = _monitor(monitor)
        unit = "epoch" if match[2] in ("", "epoch") else "step"
        return cls(number, unit, "start" in moments, "end" in moments, name, larger)

    def after_epoch(self, epoch: int) -> bool:
        """Whether pictures are due after so many completed epochs."""
        return self.unit == "epoch" and epoch % self.every == 0

    def after_steps(self, before: int, now: int) -> bool:
        """Whether pictures are due when the completed batches went from `before` to `now`."""
        return self.unit == "step" and now // self.every > before // self.every

    def missing(self, logs: Mapping[str, Any], *, last: bool) -> str | None:
        """What to tell where the monitored metric is not among those of an epoch; else None.

        Those of a validation may come only every few epochs, so they are missed after the `last` one.
        """
        if self.monitor is None or self.monitor in logs or (self.monitor.startswith("val_") and not last):
            return None
        found = ", ".join(logs) or "none"
        return f"Expected the metric {self.monitor!r} after an epoch, found {found}.{near(self.monitor, logs)}"

    def better(self, logs: Mapping[str, Any], best: float | None) -> float | None:
        """The monitored metric where it is better than the best so far; else None."""
        value = logs.get(self.monitor) if self.monitor else None
        if value is None or not np.isfinite(float(value)):
            return None
        value = float(value)
        return value if best is None or (value > best if self.larger else value < best) else None


def _moments(when: Any) -> Sequence[str]:
    moments = (when,) if isinstance(when, str) else when if when is not None else ()
    if not isinstance(moments, (tuple, list, set, frozenset)):
        raise SettingError(f"Expected when as any of {', '.join(MOMENTS)}, found {when!r}. Try when=('start', 'end').")
    for moment in moments:
        if moment not in MOMENTS:
            raise SettingError(
                f"Expected when as any of {', '.join(MOMENTS)}, found {moment!r}.{near(str(moment), MOMENTS)}"
            )
    return tuple(moments)


def _monitor(monitor: Any) -> tuple[str | None, bool]:
    if monitor is None:
        return None, False
    if isinstance(monitor, str):
        return monitor, bool(_LARGER_IS_BETTER.search(monitor))
    if isinstance(monitor, (tuple, list)) and len(monitor) == 2 and monitor[1] in ("min", "max"):
        return str(monitor[0]), monitor[1] == "max"
    raise SettingError(
        f"Expected monitor as the name of a metric or (name, 'min' or 'max'), found {monitor!r}. Try 'val_loss'."
    )


class Budget:
    """At most a share of the training's time is spent on pictures; None: as long as it takes.

    A dump is allowed where what was spent, and what this dump will cost by the dearest of the last ones, stay below
    the share of the time that has passed. Before anything is known of the cost one dump is allowed: it traces, and
    what it owes is waited off.
    """

    def __init__(self, share: float | None):
        number = isinstance(share, (int, float, np.number)) and not isinstance(share, bool)
        if share is not None and not (number and 0 < share <= 1):
            raise SettingError(f"Expected time_budget as a share above 0 and up to 1, found {share!r}. Try 0.05.")
        self.share = share
        self.spent, self.skipped, self._left_out = 0.0, 0, ""
        self._began, self._last = False, deque[float](maxlen=3)

    def allows(self, elapsed: float, dump: str = "") -> bool:
        """Whether a dump may be made after so many seconds of training; counted where it may not, each one once."""
        if self.share is None or not self._began:
            return True
        allowed = self.affords(max(self._last, default=0.0), elapsed)
        self.skipped += not allowed and (not dump or dump != self._left_out)
        self._left_out = dump
        return allowed

    def affords(self, seconds: float, elapsed: float) -> bool:
        """Whether so many seconds stay below the share of the time that has passed."""
        return self.share is None or self.spent + seconds <= self.share * elapsed

    def pay_besides(self, seconds: float) -> None:
        """The training was held for so long, by something else than a dump."""
        self.spent += seconds

    def pay(self, seconds: float) -> None:
        """A dump held the training for so long."""
        self.spent += seconds
        if self._began:  # the first one traced: what it took says nothing about the next
            self._last.append(seconds)
        self._began = True


class Clock:
    """How far a training has come, over several calls of `fit` and over a break.

    Attributes:
        completed: epochs; `step`: batches.
        dumped: folders of the dumps that were made.
    """

    def __init__(self) -> None:
        self.completed = self.step = 0
        self.dumped: set[str] = set()
        self._batch, self._fresh = -1, True
        self._before = 0.0
        self._began: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far."""
        return self._before + (time.perf_counter() - self._began if self._began is not None else 0.0)

    @property
    def moved(self) -> bool:
        """Whether an epoch of this call of `fit` has begun: one that has none to do ends where nothing began."""
        return not self._fresh

    def begin(self) -> None:
        """A call of `fit` begins; the one before it may have ended with an exception."""
        self.end()
        self._fresh, self._began = True, time.perf_counter()

    def end(self) -> None:
        """It ended."""
        self._before, self._began = self.elapsed, None

    def epoch_began(self, epoch: int) -> bool:
        """Epoch number `epoch` of a call of `fit`, from 0, begins; whether it is the call's first.

        A call that counts from 0 goes on where the one before it ended; one that counts from elsewhere says where.
        """
        self._batch = -1
        first, self._fresh = self._fresh, False
        if first and epoch:
            self.completed = epoch
        return first

    def goes_on(self, step: int, dumped: Collection[str]) -> None:
        """An earlier training, maybe of another process, had completed `step` batches here and left these dumps."""
        self.step, self.dumped = step, set(dumped)

    def batch_ended(self, batch: int, steps: int | None = None) -> tuple[int, int]:
        """Batch number `batch` of the epoch's `steps`, from 0, was completed; the completed batches before and now."""
        batch = batch if steps is None else min(batch, steps - 1)  # `steps_per_execution` counts beyond the last
        before = self.step
        self.step, self._batch = before + batch - self._batch, batch
        return before, self.step

    def epoch_ended(self, steps: int | None) -> None:
        """An epoch of so many batches, where that is known, was completed."""
        self.completed += 1
        if self._batch < 0:  # nobody told of the batches
            self.step += steps or 0

    def moment(self, unit: str, why: str, logs: Mapping[str, float]) -> "Moment":
        """Now."""
        number = self.completed if unit == "epoch" else self.step
        folder = f"epoch_{number:04d}" if unit == "epoch" else f"step_{number:07d}"
        return Moment(folder, unit, number, self.completed, self.step, why, logs)


@dataclass(frozen=True)
class Moment:
    """When something was dumped: as of `Frame`."""

    folder: str
    unit: str
    number: int
    epoch: int
    step: int
    why: str
    logs: Mapping[str, float]
