"""Which metrics a timeline shows as curves, and between which limits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kerasviz.timelines.store import History

MOST_PLOTS, MOST_LINES = 4, 4
# In names of what should rise; accuracies come first.
GOOD = ("acc", "auc", "precision", "recall", "iou", "dice", "f1", "score", "top_k")
OURS = "kerasviz/"  # copies in the logs of what the dumps say themselves
LARGEST = 1e200
MEASURES = {"moved": "Moved", "inside": "Inside boxes"}

Point = tuple[float, float | None]


def plots_of(
    history: History, dumps: Sequence[Mapping[str, Any]], places: Sequence[float], columns: Mapping[str, str]
) -> list[dict[str, Any]]:
    """At most four plots, from the top: how maps moved, how much lies in boxes, the loss, what should rise.

    Where there are fewer, other metrics fill the place.

    Args:
        history: metrics of every epoch.
        dumps: journal lines; `places`: where each stands, in epochs.
        columns: key -> name.

    Returns:
        For each plot `title`, `measured` (not a metric), `low`, `high` and `lines`, each with `name` and `points`
        (epoch, value or None). A metric's second line is its validation.
    """
    names = _metrics(history)
    loss = [name for name in names if name == "loss"]
    rising = list(dict.fromkeys(name for word in GOOD for name in names if word in name.lower()))
    rest = [name for name in names if name not in loss + rising and not name.lower().startswith(("lr", "learning"))]
    first = [_metric_plot(history, name) for name in loss + rising[:1]]
    measured = [_measure_plot(name, dumps, places, columns) for name in MEASURES]
    others = [_metric_plot(history, name) for name in rising[1:] + rest]
    found = [plot for plot in (*first, *measured, *others) if any(line["points"] for line in plot["lines"])]
    return sorted(found[:MOST_PLOTS], key=lambda plot: not plot["measured"])


def _metrics(history: History) -> list[str]:
    """Names of training metrics as they came; a validation metric only where it has no other of its name."""
    names = {name: None for logs in history.epochs.values() for name in logs if not name.startswith(OURS)}
    return [name for name in names if not (name.startswith("val_") and name.removeprefix("val_") in names)]


def _metric_plot(history: History, name: str) -> dict[str, Any]:
    lines = [_line("", _points(history, name)), _line("validation", _points(history, f"val_{name}"))]
    title = name.replace("_", " ")
    return _plot(title[:1].upper() + title[1:], False, [line for line in lines if line["points"]])


def _points(history: History, name: str) -> list[Point]:
    return [(epoch, finite(logs[name])) for epoch, logs in sorted(history.epochs.items()) if name in logs]


def _measure_plot(
    name: str, dumps: Sequence[Mapping[str, Any]], places: Sequence[float], columns: Mapping[str, str]
) -> dict[str, Any]:
    """The mean over the pictures, a line for each column."""
    lines = []
    for key, title in columns.items():
        means = [_mean((dump.get("measures") or {}).get(key, {}).get(name, ())) for dump in dumps]
        points = [(place, mean) for place, mean in zip(places, means, strict=True) if mean is not None]
        if points:
            lines.append(_line(title, points))
    return _plot(MEASURES[name], True, lines[:MOST_LINES])


def _mean(values: Iterable[Any]) -> float | None:
    known = [value for value in map(finite, values or ()) if value is not None]
    return sum(known) / len(known) if known else None


def _line(name: str, points: Sequence[Point]) -> dict[str, Any]:
    return {"name": name, "points": points if any(value is not None for _, value in points) else []}


def _plot(title: str, measured: bool, lines: list[dict[str, Any]]) -> dict[str, Any]:
    low, high = limits([value for line in lines for _, value in line["points"] if value is not None])
    return {"title": title, "measured": measured, "low": low, "high": high, "lines": lines}


def finite(value: Any) -> float | None:
    """A number that can be drawn, or None."""
    drawable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST  # not of NaN
    return float(value) if drawable else None


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Round limits around values; 0 is one of them unless that would press the curve flat."""
    if not values:
        return 0.0, 1.0
    low, high = (0.0 if abs(end) < 1 / LARGEST else end for end in (min(values), max(values)))
    if 0 <= low < 0.6 * high:
        low = 0.0
    elif low == high:
        low, high = (0.0, 2 * high) if high > 0 else (2 * low, 0.0) if low < 0 else (0.0, 1.0)
    step = 10.0 ** math.floor(math.log10(high - low))
    step = next(part for part in (step / 10, step / 5, step / 2, step) if (high - low) / part <= 10)
    places = max(0, 1 - math.floor(math.log10(step)))  # so that 3 x 0.1 is 0.3
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return round(low, places), round(high, places)
