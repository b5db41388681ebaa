"""Where dumps stand on an axis of epochs, whether they were made after epochs or after so many batches."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any


def places(dumps: Sequence[Mapping[str, Any]], steps: Mapping[int, int] | None = None) -> list[float]:
    """The time of each dump in epochs: 3.0 after the third epoch, 3.5 in the middle of the fourth.

    How many batches an epoch has is known exactly where the journal or a dump after an epoch says so; elsewhere it is
    what agrees with how many epochs were complete at each dump.

    Args:
        dumps: each with `unit` (`epoch` or `step`), `epoch` and `step`, both completed ones.
        steps: completed epochs -> batches completed with them, as far as the journal knows.
    """
    after_epoch = {**(steps or {}), **{dump["epoch"]: dump["step"] for dump in dumps if dump["unit"] == "epoch"}}
    told = [{"epoch": epoch, "step": step} for epoch, step in after_epoch.items()]
    rate = _batches(told if any(one["epoch"] and one["step"] for one in told) else dumps)

    @cache
    def begin(epoch: int) -> float:  # completed batches when this epoch began
        if epoch in after_epoch:
            return after_epoch[epoch]
        least = max((dump["step"] for dump in dumps if dump["epoch"] < epoch), default=0)
        most = min((dump["step"] for dump in dumps if dump["epoch"] >= epoch), default=float("inf"))
        return min(max(epoch * rate, least), most)

    def place(dump: Mapping[str, Any]) -> float:
        epoch = dump["epoch"]
        if dump["unit"] == "epoch":
            return float(epoch)
        batches = max(begin(epoch + 1) - begin(epoch), 1)
        return epoch + min(max((dump["step"] - begin(epoch)) / batches, 0.0), 1.0)

    return [place(dump) for dump in dumps]


def _batches(dumps: Sequence[Mapping[str, Any]]) -> float:
    """The most batches an epoch can have had; before the first epoch ends a little more than were seen."""
    most = [dump["step"] / dump["epoch"] for dump in dumps if dump["epoch"] > 0 and dump["step"] > 0]
    return min(most) if most else 1.25 * max((dump["step"] for dump in dumps), default=0) or 1.0
