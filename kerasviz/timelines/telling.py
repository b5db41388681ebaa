"""What is said of a dump beside its picture: its time, how probable the class was, how the metric stood."""

from collections.abc import Mapping, Sequence
from typing import Any

from kerasviz.pictures import captions
from kerasviz.pictures.bars import Key
from kerasviz.pictures.scales import Scale
from kerasviz.pictures.strips import Curve
from kerasviz.timelines.curves import GOOD, OURS, finite, limits
from kerasviz.timelines.frames import Cell, Frame, Standing
from kerasviz.timelines.layout import Column, Layout
from kerasviz.timelines.store import History

A_LITTLE = 1e-9  # a share that is clipped, where only that something is clipped is known
WHY = {"true class": "the true class", "predicted class": "the predicted class"}


def time_of(frame: Frame) -> str:
    """`epoch 5`, `step 100`."""
    return f"{frame.unit} {frame.number:,}"


def metric_of(history: History) -> str | None:
    """The metric of a strip: of what should rise the first, else the loss; measured on validation data where it is."""
    names = list(dict.fromkeys(name for logs in history.epochs.values() for name in logs if not name.startswith(OURS)))
    rising = [name for word in GOOD for name in names if word in name.lower()]
    losses = sorted((name for name in names if name.endswith("loss")), key=len)  # of several outputs the sum of all
    for first in [*rising, *losses]:
        base = first.removeprefix("val_")
        return next(name for name in (f"val_{base}", base) if name in names)
    return None


def curve_of(history: History, metric: str | None) -> Curve | None:
    """The metric after every epoch, between 0 and 1 where it always is."""
    points = [(float(epoch), finite(logs.get(metric or ""))) for epoch, logs in sorted(history.epochs.items())]
    known = [(epoch, value) for epoch, value in points if value is not None]
    if metric is None or not known:
        return None
    values = [value for _, value in known]
    share = not metric.endswith("loss") and min(values) >= 0 and max(values) <= 1
    low, high = (0.0, 1.0) if share else limits(values)
    title = metric.removeprefix("val_").replace("_", " ")
    facts = "validation" if metric.startswith("val_") else "training"
    return Curve(title[:1].upper() + title[1:], facts, known, low, high)


def chance_of(cell: Cell, standing: Standing) -> tuple[float | None, bool]:
    """The probability of the class that was explained, where it is known, and whether it was predicted."""
    name = cell.target or standing.name
    predicted = bool(standing.guesses) and standing.guesses[0][0] == name
    if name == standing.name and standing.probability is not None:
        return finite(standing.probability), predicted or standing.rank == 1
    return next((finite(probability) for guess, probability in standing.guesses if guess == name), None), predicted


def figure_of(cell: Cell, standing: Standing) -> str:
    """Its probability, or its score."""
    probability, _ = chance_of(cell, standing)
    if probability is not None:
        return captions.chance(probability)
    return "" if cell.score is None else captions.number(cell.score, 2)


def under(cell: Cell | None, standing: Standing, several: bool) -> dict[str, Any]:
    """What stands below a picture of a strip: `under`, `strong` and `bad` of a `Moment`.

    Args:
        several: whether the cells of the strip explain different classes, so that each needs its name.
    """
    if cell is None:
        return {}
    if cell.failed:
        return {"under": ["failed"], "bad": True}
    lines = [cell.target if several else "", figure_of(cell, standing), "all 0" if is_empty(cell) else ""]
    return {"under": [line for line in lines if line], "strong": chance_of(cell, standing)[1]}


def note_of(cell: Cell | None, standing: Standing) -> dict[str, Any]:
    """What stands below a frame of an animation: `right`, `more` and `bad` of `noted`."""
    if cell is None:
        return {}
    if cell.failed:
        return {"more": cell.note or "failed", "bad": True}
    right = f"{cell.target or standing.name} {figure_of(cell, standing)}".strip()
    return {"right": right, "more": "all 0" if is_empty(cell) else ""}


def value_of(history: History, metric: str | None, frame: Frame) -> float | None:
    """The metric at a dump: known after epochs, not between them."""
    logs = history.epochs.get(frame.epoch, {}) if frame.unit == "epoch" else {}
    return finite(logs.get(metric)) if metric else None


def is_empty(cell: Cell) -> bool:
    """Whether it is a map without a value above 0."""
    return cell.share is not None and not cell.limit


def one_target(cells: Sequence[Cell | None]) -> str | None:
    """What every cell explains; None where they explain different classes; empty where none explains one."""
    names = {cell.target for cell in cells if cell is not None and not cell.failed}
    return names.pop() if len(names) == 1 else None if names else ""


def key_of(column: Column, high: float, clipped: bool, colormap: str) -> Key:
    """What the colours mean: one scale for all dumps."""
    scale = Scale(-high if column.signed and high else 0.0, high, A_LITTLE if clipped else 0.0)
    return Key(scale, colormap, column.signed, column.unit)


def caption_of(
    layout: Layout, column: Column, key: Key | None, times: Mapping[str, tuple[Cell | None, Standing]]
) -> str:
    """The small print of a strip.

    Args:
        key: of its maps; None for pictures.
        times: `epoch 5` -> the cell and how the picture stood, of the dumps that are shown.
    """
    cells = [cell for cell, _ in times.values()]
    target, why = one_target(cells), WHY.get(column.question, column.question)
    asked = captions.question(column.title, target, why if why != target else "") if target else column.title
    if target is None:
        asked = captions.question(column.title, why or "the classes below the pictures")
    failures = [f"{time}: {cell.note}" for time, (cell, _) in times.items() if cell is not None and cell.failed]
    over = key is not None and key.scale.high > 0 and not column.alone
    return captions.small_print(
        asked,
        ", ".join(filter(None, (layout.model, column.words))),
        _scale_words(key) if key else "",
        _figure_words(times),
        "Red supports, blue opposes" if over and column.signed else "",
        captions.opacity_words(layout.alpha) if over else "",
        *(text[:1].upper() + text[1:] for text in failures[:1]),
    )


def _scale_words(key: Key) -> str:
    if not key.scale.clipped:
        return captions.scale_words(key.scale, key.unit, 2, begin="One scale for all dumps:")
    low, high = captions.number(key.scale.low, 2), captions.number(key.scale.high, 2)
    return f"One scale for all dumps: {low} to {high} {key.unit}".rstrip() + ", what lies beyond is clipped"


def _figure_words(times: Mapping[str, tuple[Cell | None, Standing]]) -> str:
    told: list[Any] = [(cell, standing) for cell, standing in times.values() if cell is not None and not cell.failed]
    if any(chance_of(*one)[0] is not None for one in told):
        if one_target([cell for cell, _ in told]) is None:
            return "Figures: their probabilities"
        name = next((standing.name for cell, standing in told if not cell.target), "")
        return f"Figures: {f'probability of {name}' if name else 'its probability'}, dark where it is predicted"
    return "Figures: its score" if any(figure_of(*one) for one in told) else ""
