"""Targets: "top3", "281-285", "tabby", "conv5:17", a callable -> one scalar of a network for each picture.

What varies (class, channel, place, box) enters the compiled function as numbers, so another class never
traces again; what changes the computation (kind, layer, output) is the target's `structure`.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasviz.errors import SettingError, TargetError
from kerasviz.inputs.fitting import Fit
from kerasviz.inputs.given import Given
from kerasviz.lazy import tf
from kerasviz.models.heads import Head
from kerasviz.models.labels import Labels
from kerasviz.models.view import View


@dataclass(frozen=True)
class Score:
    """What a target is worth, inside a trace."""

    value: Any  # (N,) float32, differentiable
    index: Any  # (N,) int32: class, unit or channel; -1 where there is none
    kind: str  # class, contrast, map, value, unit, neuron, callable
    scale: str  # logit, output, probability
    head: Head | None = None
    layer: str | None = None
    shape: tuple[int | None, ...] = ()  # (units,) or (h, w, channels) that the target's numbers must stay below


@dataclass(frozen=True)
class Target:
    """One scalar of a network.

    Attributes:
        asked: as it was typed.
        structure: what another compiled function is needed for.
        taps: layers that it looks at.
    """

    asked: str
    score: Callable[..., Score] = field(compare=False)
    structure: Hashable = ()
    numbers: Callable[[Sequence[Given], Labels], list[np.ndarray]] = field(
        compare=False, default=lambda given, labels: []
    )
    taps: tuple[str, ...] = ()
    called: str = ""  # its name on pictures, where that is not the class it points at
    most: tuple[int, ...] = ()  # the largest (unit,) or (row, column, channel) in it, for the range check


_TERM = re.compile(r"([+-]?)(\*|\d+)(?:@(\d+),(\d+))?")
_PLACE = re.compile(r"(?P<place>.+):(?P<terms>(?:[+-]?(?:\*|\d+)(?:@\d+,\d+)?)+)$")
_NOBODY = np.int32(-1)


def targets_of(target: Any, labels: Labels, count: int) -> list[Target]:
    """The targets that are explained for each picture: one, or k for `topk`.

    Args:
        target: text, class index, callable (view -> (N,)), None for `auto`, or a sequence with one class a picture.
        labels: names of the classes.
        count: how many pictures, for sequences.
    """
    if isinstance(target, Target):
        return [target]
    if target is None:
        return [_auto()]
    if callable(target):
        return [_callable(target)]
    if isinstance(target, (int, np.integer)) and not isinstance(target, bool):
        return [_classes(str(int(target)), _Class(int(target)))]
    if isinstance(target, str):
        return _parsed(target.strip(), labels)
    return [_one_each(list(target), labels, count)]


def _parsed(text: str, labels: Labels) -> list[Target]:
    if text in ("", "auto"):
        return [_auto()]
    if match := re.fullmatch(r"top(\d*)", text):
        ranks = range(int(match[1] or 1))
        if not ranks:
            raise TargetError("Expected top, or top1 and more, found 'top0'.")
        return [_classes(f"top{len(ranks)}" if match[1] else "top", _Class(rank=k), ranks=len(ranks)) for k in ranks]
    if text == "true":
        return [_true()]
    if match := re.fullmatch(r"value(?::(\d+))?", text):
        return [_value(text, int(match[1] or 0))]
    if match := re.fullmatch(r"map:(.+?)(?:@([\d.]+),([\d.]+),([\d.]+),([\d.]+))?", text):
        box = tuple(map(float, match.groups()[1:])) if match[2] else None
        return [_map(text, _class_index(match[1], labels), box)]
    if match := re.fullmatch(r"p\((.+)\)", text):
        return [_classes(text, _class(match[1], labels), probability=True)]
    try:
        wanted = _class(text, labels)
        less = f"{labels.name(wanted.index)} less {labels.name(wanted.minus)}" if wanted.minus >= 0 else ""
        return [_classes(text, wanted, called=less)]
    except TargetError:
        if match := _PLACE.fullmatch(text):
            return [_units(text, match["place"], match["terms"])]
        raise


@dataclass(frozen=True)
class _Class:
    """A class by index or by rank among the predictions, perhaps less another."""

    index: int = -1
    rank: int = 0
    minus: int = -1

    @property
    def row(self) -> np.ndarray:
        return np.array([self.index, self.rank, self.minus], np.int32)


def _class(text: str, labels: Labels) -> _Class:
    """`281`, a name, a synset, or a contrast of two of these."""
    index = _known(text, labels)
    if index is not None:
        return _Class(index)
    for gap in (m for m in re.finditer(r"\s*-\s*", text) if m.start()):  # names may have hyphens of their own
        first, second = _known(text[: gap.start()], labels), _known(text[gap.end() :], labels)
        if first is not None and second is not None:
            return _Class(first, minus=second)
    named = f"{labels.near(text)}" if labels.names else " The network has no class names: give --labels, or a number."
    raise TargetError(
        "Expected a class number or name, top, topK, layer:channel, map:CLASS, value or p(CLASS), "
        f"found {text!r}.{named}"
    )


def _known(text: str, labels: Labels) -> int | None:
    text = text.strip()
    return int(text) if text.isdigit() else labels.find(text) if text else None


def _class_index(text: str, labels: Labels) -> int:
    return _class(text, labels).index


def _repeated(row: np.ndarray) -> Callable[[Sequence[Given], Labels], list[np.ndarray]]:
    return lambda given, labels: [np.repeat(row[None], len(given), 0)]


def _auto() -> Target:
    def score(view: View, row: Any) -> Score:
        head = view.head()
        if head.kind == "map":
            return _map_score(head, row[:, 0], tf.constant([[0.0, 0.0, 1.0, 1.0]]))
        if head.kind == "values":
            return _value_score(head, 0)
        return _class_score(head, row, False, 1)

    return Target("auto", score, ("auto",), _repeated(_Class().row))


def _classes(asked: str, wanted: _Class, *, probability: bool = False, ranks: int = 1, called: str = "") -> Target:
    """A class target of the first output; `structure` tells only how many ranks are looked up."""

    def score(view: View, row: Any) -> Score:
        return _class_score(view.head(), row, probability, ranks)

    structure = ("class", probability, max(5, ranks))
    most = (max(wanted.index, wanted.minus, wanted.rank),)
    return Target(asked, score, structure, _repeated(wanted.row), called=called, most=most)


def _true() -> Target:
    def numbers(given: Sequence[Given], labels: Labels) -> list[np.ndarray]:
        return [np.stack([_Class(_truth(one, labels)).row for one in given])]

    return Target("true", lambda view, row: _class_score(view.head(), row, False, 1), ("class", False, 5), numbers)


def _truth(given: Given, labels: Labels) -> int:
    if given.truth is None:
        raise TargetError(
            f"The true class of {given.name or 'this picture'!r} is not known. "
            "Put pictures into folders named by class, or give --classes FILE."
        )
    found = given.truth if isinstance(given.truth, int) else _known(given.truth, labels)
    if found is None:
        raise TargetError(f"No class is called {given.truth!r}.{labels.near(str(given.truth))}")
    return found


def _one_each(wanted: list[Any], labels: Labels, count: int) -> Target:
    if len(wanted) != count:
        raise TargetError(f"Expected one target a picture, {count}, found {len(wanted)}.")
    rows = np.stack([_class(str(one), labels).row for one in wanted])
    text = ",".join(str(one) for one in wanted)
    return Target(
        text,
        lambda view, row: _class_score(view.head(), row, False, 1),
        ("class", False, 5),
        lambda given, labels: [rows],
        most=(int(rows.max()),),
    )


def _class_score(head: Head, row: Any, probability: bool, ranks: int) -> Score:
    if head.kind not in ("classes", "sides"):
        raise TargetError(
            f"Expected a network with one score a class, found output {head.name!r} {tuple(head.output.shape)}. "
            "Use map:CLASS for a segmentation, value for a regression, or layer:channel."
        )
    scores = head.probabilities if probability else head.scores
    ranked = tf.math.top_k(head.scores, min(max(ranks, 1), scores.shape[-1])).indices
    rank = tf.minimum(row[:, 1], ranked.shape[-1] - 1)
    index = tf.where(row[:, 0] >= 0, row[:, 0], tf.gather(ranked, rank, axis=1, batch_dims=1))
    value = _picked(scores, index) - tf.where(row[:, 2] >= 0, _picked(scores, tf.maximum(row[:, 2], 0)), 0.0)
    return Score(value, index, "class", "probability" if probability else head.scale, head, shape=(scores.shape[-1],))


def _picked(scores: Any, index: Any) -> Any:
    return tf.gather(scores, index, axis=1, batch_dims=1)  # (N, C), (N,) -> (N,)


def _map(asked: str, index: int, box: tuple[float, ...] | None) -> Target:
    def numbers(given: Sequence[Given], labels: Labels) -> list[np.ndarray]:
        boxes = [_shares(one.fit, box) if box else (0.0, 0.0, 1.0, 1.0) for one in given]
        return [np.full(len(given), index, np.int32), np.array(boxes, np.float32)]

    def score(view: View, index: Any, box: Any) -> Score:
        return _map_score(view.head(), index, box)

    return Target(asked, score, ("map",), numbers, most=(index,))


def _shares(fit: Fit, box: tuple[float, ...]) -> tuple[float, ...]:
    """A box in pixels of the photograph -> in shares of the network's input."""
    y, x = fit.axes
    height, width = fit.input_size
    return tuple(
        (axis.scale * edge + axis.shift) / length
        for edge, axis, length in zip(box, (x, y, x, y), (width, height, width, height), strict=True)
    )


def _map_score(head: Head, index: Any, box: Any) -> Score:
    """The sum of a class's logits where it is predicted, within a box (x0, y0, x1, y1) in shares of the input."""
    if head.kind != "map":
        raise TargetError(
            f"Expected a segmentation output (N, height, width, classes), found {tuple(head.output.shape)}. "
            "Use a class number or name."
        )
    logits = head.logits
    if logits.shape[-1] == 1:
        logits = tf.concat([-logits, logits], -1)
    winner = tf.argmax(logits, -1, tf.int32)  # (N, h, w)
    area = tf.reduce_sum(tf.one_hot(winner, logits.shape[-1]), (1, 2))  # (N, C)
    if head.logits.shape[-1] == 1:
        area *= tf.constant([0.0, 1.0])  # one sigmoid channel is asked about its foreground
    index = tf.where(index >= 0, index, tf.argmax(area, -1, tf.int32))
    mine = tf.cast(winner == index[:, None, None], tf.float32) * _inside(box, tf.shape(winner))
    chosen = tf.gather(logits, tf.maximum(index, 0), axis=3, batch_dims=1)  # (N, h, w)
    return Score(
        tf.reduce_sum(chosen * tf.stop_gradient(mine), (1, 2)),
        index,
        "map",
        head.scale,
        head,
        shape=(logits.shape[-1],),
    )


def _inside(box: Any, shape: Any) -> Any:
    """(N, h, w): 1 where a cell's centre lies in the box."""
    y = (tf.range(shape[1], dtype=tf.float32) + 0.5) / tf.cast(shape[1], tf.float32)
    x = (tf.range(shape[2], dtype=tf.float32) + 0.5) / tf.cast(shape[2], tf.float32)
    rows = (y >= box[:, 1:2]) & (y <= box[:, 3:4])
    columns = (x >= box[:, 0:1]) & (x <= box[:, 2:3])
    return tf.cast(rows[:, :, None] & columns[:, None, :], tf.float32)


def _value(asked: str, unit: int) -> Target:
    return Target(asked, lambda view: _value_score(view.head(), unit), ("value", unit))


def _value_score(head: Head, unit: int) -> Score:
    if head.output.shape.rank != 2 or unit >= head.output.shape[-1]:
        raise TargetError(f"Expected a value of an output {tuple(head.output.shape)}, found unit {unit}.")
    return Score(head.output[:, unit], tf.fill(tf.shape(head.output)[:1], unit), "value", "output", head)


def _callable(function: Callable[[View], Any]) -> Target:
    def score(view: View) -> Score:
        value = tf.cast(tf.convert_to_tensor(function(view)), tf.float32)
        if value.shape.rank != 1:
            raise TargetError(
                f"Expected a target function to return one number a picture, (N,), found shape {value.shape}. "
                "It is called with a view: view.outputs, view.logits, view.layer(name)."
            )
        return Score(value, tf.fill(tf.shape(value), _NOBODY), "callable", "output")

    return Target(getattr(function, "__name__", "callable"), score, ("callable", function))


def _units(asked: str, place: str, text: str) -> Target:
    """Units of a layer or of a named output: sums and differences of channels, single neurons, the mean square."""
    terms = [match.groups() for match in _TERM.finditer(text)]
    whole = any(term[1] == "*" for term in terms)
    if whole and len(terms) > 1:
        raise TargetError(f"Expected * alone, or channels, found {text!r}.")
    shape = tuple("neuron" if y is not None else "channel" for _, _, y, _ in terms)
    rows = np.array(
        [[-1 if sign == "-" else 1, 0 if whole else c, y or 0, x or 0] for sign, c, y, x in terms], np.int32
    )

    def score(view: View, numbers: Any) -> Score:
        try:
            head = view.head(place)
        except TargetError:
            return _layer_score(view, place, shape, whole, numbers)
        return _head_score(head, numbers)

    taps = (place,) if not re.fullmatch(r"out\d+", place) else ()
    structure = ("units", place, shape, whole)
    return Target(
        asked,
        score,
        structure,
        _repeated(rows),
        taps,
        most=(*(int(n) for n in rows[:, 2:].max(0)), int(rows[:, 1].max())),
    )


def _head_score(head: Head, numbers: Any) -> Score:
    if head.scores.shape.rank != 2:
        raise TargetError(f"Expected an output (N, units), found {head.name!r} of shape {tuple(head.output.shape)}.")
    signs = tf.cast(numbers[:, :, 0], tf.float32)
    value = tf.reduce_sum(tf.gather(head.scores, numbers[:, :, 1], axis=1, batch_dims=1) * signs, 1)
    return Score(value, numbers[:, 0, 1], "class", head.scale, head, shape=(head.scores.shape[-1],))


def _layer_score(view: View, place: str, shape: tuple[str, ...], whole: bool, numbers: Any) -> Score:
    tap = view.tap(place)
    values = tap.values  # (N, h, w, K) or (N, K)
    if whole:
        value = tf.reduce_mean(tf.square(values), tuple(range(1, values.shape.rank)))
        return Score(value, tf.fill(tf.shape(value), _NOBODY), "unit", "output", layer=tap.path)
    if "neuron" in shape and values.shape.rank != 4:
        raise TargetError(
            f"Expected a layer with maps for a neuron @row,column, found {tap.path!r} {tuple(values.shape)}."
        )
    value = tf.zeros(tf.shape(values)[:1])
    for k, kind in enumerate(shape):
        channel = tf.gather(values, numbers[:, k, 1], axis=values.shape.rank - 1, batch_dims=1)
        if kind == "neuron":
            part = tf.gather_nd(channel, numbers[:, k, 2:4], batch_dims=1)
        else:
            part = tf.reduce_mean(channel, tuple(range(1, channel.shape.rank))) if channel.shape.rank > 1 else channel
        value += tf.cast(numbers[:, k, 0], tf.float32) * part
    kind = "neuron" if "neuron" in shape else "unit"
    return Score(value, numbers[:, 0, 1], kind, "output", layer=tap.path, shape=tuple(values.shape[1:]))


def check_range(target: Target, limits: tuple[int | None, ...], is_class: bool, labels: Labels) -> None:
    """TargetError where a class, unit or place does not exist; SettingError where labels do not fit.

    Args:
        target: what was asked.
        limits: `Score.shape`.
        is_class: whether the last of the limits counts classes, which labels name.
        labels: names of the classes.
    """
    asked = target.most[-len(limits) :] if limits else ()
    for number, limit in zip(asked, limits[-len(asked) :] if asked else (), strict=True):
        if limit is not None and number >= limit:
            what = "a class" if is_class else "a unit"
            raise TargetError(
                f"Expected {what} from 0 to {limit - 1}, found {target.asked!r}. "
                "'kerasviz predict' and 'kerasviz layers' show what there is."
            )
    if is_class and labels.names and len(labels.names) != limits[-1]:
        raise SettingError(
            f"Expected {limits[-1]} class names, as many as the network has classes, found {len(labels.names)}. "
            "Give the right file with --labels."
        )
