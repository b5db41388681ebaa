"""Targets: "top3", "281-285", "tabby", "conv5:17", a callable -> one scalar of a network for each picture.

What varies (class, channel, place, box) enters the compiled function as numbers, so another class never
traces again; what changes the computation (kind, layer, output) is the target's `structure`.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasviz.errors import SettingError, TargetError
from kerasviz.grammar import MOST_RANKS, whole_number
from kerasviz.inputs.fitting import Fit
from kerasviz.inputs.given import Given
from kerasviz.lazy import tf
from kerasviz.models.labels import Labels
from kerasviz.models.view import View
from kerasviz.scores import NOBODY, Score, class_score, head_score, layer_score, map_score, value_score

Numbers = Callable[[Sequence[Given], Labels], list[np.ndarray]]  # what varies, each with a row for each picture


@dataclass(frozen=True)
class Target:
    """One scalar of a network.

    Attributes:
        asked: as it was typed.
        structure: what another compiled function is needed for.
        taps: layers that it looks at; None where that cannot be known.
    """

    asked: str
    score: Callable[..., Score] = field(compare=False)
    structure: Hashable = ()
    numbers: Numbers = field(compare=False, default=lambda given, labels: [])
    taps: tuple[str, ...] | None = ()
    called: str = ""  # its name on pictures, where that is not the class it points at
    most: tuple[int, ...] = ()  # the largest (unit,) or (row, column, channel) in it, for the range check


_TERM = re.compile(r"([+-]?)(\*|\d+)(?:@(\d+),(\d+))?")
_ONE = r"(?:\*|\d+)(?:@\d+,\d+)?"
_EDGE = r"(\d+\.?\d*|\.\d+)"  # of a box
_PLACE = re.compile(rf"(?P<place>.+):(?P<terms>[+-]?{_ONE}(?:[+-]{_ONE})*)$")


def targets_of(target: Any, labels: Labels, given: Sequence[Given]) -> list[Target]:
    """The targets that are explained for each picture: one, or k for `topk`.

    Args:
        target: text, class index, callable (view -> (N,)), None for `auto`, or a sequence with one class a picture.
        labels: names of the classes.
        given: the pictures, for their true classes, and for sequences.
    """
    if isinstance(target, Target):
        return [target]
    if target is None:
        return [_auto()]
    if callable(target):
        return [_callable(target)]
    if isinstance(target, (int, np.integer)) and not isinstance(target, bool):
        return [_classes(str(target), _class(str(target), labels))]
    if isinstance(target, str):
        return _parsed(target.strip(), labels, given)
    if isinstance(target, Iterable):
        texts = [str(one) for one in target]
        return [_one_each([_class(text, labels) for text in texts], len(given), ",".join(texts))]
    raise TargetError(f"Expected a class number, a text, a function or one class a picture, found {target!r}.")


def _parsed(text: str, labels: Labels, given: Sequence[Given]) -> list[Target]:
    if text in ("", "auto"):
        return [_auto()]
    if match := re.fullmatch(r"top(\d*)", text):
        ranks = range(whole_number(match[1] or "1"))
        if not 0 < len(ranks) <= MOST_RANKS:
            raise TargetError(f"Expected top, or top1 to top{MOST_RANKS}, found {text!r}.")
        return [_classes(f"top{len(ranks)}" if match[1] else "top", _Class(rank=k), ranks=len(ranks)) for k in ranks]
    if text == "true":
        return [_one_each([_Class(_truth(one, labels)) for one in given], len(given), "true")]
    if match := re.fullmatch(r"value(?::(\d+))?", text):
        return [_value(text, whole_number(match[1]))]
    if match := re.fullmatch(rf"map:(.+?)(?:@{_EDGE},{_EDGE},{_EDGE},{_EDGE})?", text):
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
    unclear = None
    for gap in (m for m in re.finditer(r"\s*-\s*", text) if m.start()):  # names may have hyphens of their own
        try:
            first, second = _known(text[: gap.start()], labels), _known(text[gap.end() :], labels)
        except TargetError as error:  # half of a name with a hyphen may stand for many
            unclear = unclear or error
            continue
        if first is not None and second is not None:
            return _Class(first, minus=second)
    if unclear:
        raise unclear
    named = labels.near(text) if labels.names else " The network has no class names: give --labels, or a number."
    raise TargetError(
        "Expected a class number or name, top, topK, layer:channel, map:CLASS, value or p(CLASS), "
        f"found {text!r}.{named}"
    )


def _known(text: str, labels: Labels) -> int | None:
    text = text.strip()
    return whole_number(text) if text.isdecimal() else labels.find(text) if text else None


def _class_index(text: str, labels: Labels) -> int:
    wanted = _class(text, labels)
    if wanted.minus >= 0:
        raise TargetError(f"Expected map:CLASS with one class, found 'map:{text}'.")
    return wanted.index


def _repeated(row: Any) -> Numbers:
    return lambda given, labels: [np.repeat(np.asarray(row)[None], len(given), 0)]


def _auto() -> Target:
    def score(view: View, row: Any) -> Score:
        head = view.head()
        if head.kind == "map":
            return map_score(head, row[:, 0], tf.constant([[0.0, 0.0, 1.0, 1.0]]))
        if head.kind == "values":
            return value_score(head, tf.maximum(row[:, 0], 0))
        return class_score(head, row, False, 1)

    return Target("auto", score, ("auto",), _repeated(_Class().row))


def _classes(asked: str, wanted: _Class, *, probability: bool = False, ranks: int = 1, called: str = "") -> Target:
    """A class target of the first output; `structure` tells only how many ranks are looked up."""

    def score(view: View, row: Any) -> Score:
        return class_score(view.head(), row, probability, ranks)

    structure = ("class", probability, max(5, ranks))
    most = (max(wanted.index, wanted.minus, wanted.rank),)
    return Target(asked, score, structure, _repeated(wanted.row), called=called, most=most)


def _truth(given: Given, labels: Labels) -> int:
    if given.truth is None:
        raise TargetError(
            f"The true class of {given.name or 'this picture'!r} is not known. "
            "Put pictures into folders named by class, or give --classes FILE."
        )
    found = _known(str(given.truth), labels)
    if found is None:
        raise TargetError(f"No class is called {given.truth!r}.{labels.near(str(given.truth))}")
    return found


def _one_each(wanted: list[_Class], count: int, asked: str) -> Target:
    if len(wanted) != count:
        raise TargetError(f"Expected one target a picture, {count}, found {len(wanted)}.")
    rows = np.stack([one.row for one in wanted])
    return Target(
        asked,
        lambda view, row: class_score(view.head(), row, False, 1),
        ("class", False, 5),
        lambda given, labels: [rows],
        most=(int(rows.max()),),
    )


def _map(asked: str, index: int, box: tuple[float, ...] | None) -> Target:
    if box and (box[0] >= box[2] or box[1] >= box[3]):
        raise TargetError(f"Expected map:CLASS@x0,y0,x1,y1 with x0 below x1 and y0 below y1, found {asked!r}.")

    def numbers(given: Sequence[Given], labels: Labels) -> list[np.ndarray]:
        boxes = [_shares(one.fit, box) if box else (0.0, 0.0, 1.0, 1.0) for one in given]
        return [np.full(len(given), index, np.int32), np.array(boxes, np.float32)]

    def score(view: View, index: Any, box: Any) -> Score:
        return map_score(view.head(), index, box)

    return Target(asked, score, ("map",), numbers, most=(index,))


def _shares(fit: Fit, box: tuple[float, ...]) -> tuple[float, ...]:
    """A box in pixels of the photograph -> in shares of the network's input."""
    y, x = fit.axes
    height, width = fit.input_size
    return tuple(
        (axis.scale * edge + axis.shift) / length
        for edge, axis, length in zip(box, (x, y, x, y), (width, height, width, height), strict=True)
    )


def _value(asked: str, unit: int) -> Target:
    def score(view: View, units: Any) -> Score:
        return value_score(view.head(), units)

    return Target(asked, score, ("value",), _repeated(np.int32(unit)), most=(unit,))


def _callable(function: Callable[[View], Any]) -> Target:
    def score(view: View) -> Score:
        value = tf.cast(tf.convert_to_tensor(function(view)), tf.float32)
        if value.shape.rank != 1:
            raise TargetError(
                f"Expected a target function to return one number a picture, (N,), found shape {value.shape}. "
                "It is called with a view: view.outputs, view.logits, view.layer(name)."
            )
        return Score(value, tf.fill(tf.shape(value), NOBODY), "callable", "output")

    return Target(getattr(function, "__name__", "callable"), score, ("callable", function), taps=None)


def _units(asked: str, place: str, text: str) -> Target:
    """Units of a layer or of a named output: sums and differences of channels, single neurons, the mean square."""
    terms = [match.groups() for match in _TERM.finditer(text)]
    whole = any(term[1] == "*" for term in terms)
    if whole and len(terms) > 1:
        raise TargetError(f"Expected * alone, or channels, found {text!r}.")
    shape = tuple("neuron" if y is not None else "channel" for _, _, y, _ in terms)
    cells = [[whole_number((part or "").strip("*")) for part in cell] for _, *cell in terms]  # channel, row, column
    signs = [[-1 if sign == "-" else 1] for sign, *_ in terms]
    rows = np.concatenate([signs, cells], 1).astype(np.int32)
    output = re.fullmatch(r"out\d+", place)

    def score(view: View, numbers: Any) -> Score:
        try:
            head = view.head(place)
        except TargetError:
            if output:
                raise
            return layer_score(view, place, shape, whole, numbers)
        return head_score(head, numbers, named=head is view.heads[0] and len(terms) == 1)

    taps = () if output else (place,)
    structure = ("units", place, shape, whole)
    most = (*map(int, rows[:, 2:].max(0)), int(rows[:, 1].max()))
    return Target(asked, score, structure, _repeated(rows), taps, asked if terms[0][0] == "-" else "", most)


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
            told = number > 10**9 or str(number) in target.asked  # not so in 'true', and with one class a picture
            raise TargetError(
                f"Expected {what} from 0 to {limit - 1}, found {'' if told else f'{number} in '}{target.asked!r}. "
                "'kerasviz predict' and 'kerasviz layers' show what there is."
            )
    if is_class and labels.names and len(labels.names) != limits[-1]:
        raise SettingError(
            f"Expected {limits[-1]} class names, as many as the network has classes, found {len(labels.names)}. "
            "Give the right file with --labels."
        )
