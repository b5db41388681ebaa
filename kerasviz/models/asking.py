"""The question that stands for a guess: how are pixels scaled, and what would each answer lead to?"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kerasviz.errors import KerasvizError, SettingError
from kerasviz.inputs.given import Given
from kerasviz.lazy import tf
from kerasviz.models.knowing import Known
from kerasviz.models.labels import Labels
from kerasviz.models.preprocessing import Preprocess, candidates
from kerasviz.models.view import View


class UnknownScaling(SettingError):
    """Nothing tells how photographs are scaled for a network.

    Attributes:
        called: the network, as sentences name it.
        known: what it tells of itself.
    """

    def __init__(self, called: str, known: Known, answers: Sequence[str] = ()):
        super().__init__("\n".join([_sentence(called, known), *answers, *known.hints]))
        self.called, self.known = called, known

    def with_answers(self, ask: Callable[[list[Given]], Iterable[Any]], first: Given, labels: Labels) -> SettingError:
        """The same question, with what the network says of one picture under each candidate.

        Args:
            ask: what the network answers to `first_class`, batch by batch, for its own inputs.
            first: the photograph, fitted.
            labels: names of the classes.
        """
        scalings = candidates(self.known.start)
        inputs = [replace(first, pixels=np.asarray(one.apply(first.pixels[None]))[0], photo=None) for one in scalings]
        try:
            arrays = [answer.arrays for answer in ask(inputs)]
            rows = [row for batch in arrays for row in zip(batch["index"], batch["sure"], strict=True)]
        except (KerasvizError, KeyError):  # the question is worth asking without them
            return self
        named = os.path.basename(first.photo.path) if first.photo and first.photo.path else "the first picture"
        lines = [f"Of {named} the network says:"]
        lines += [_line(one, labels.name(int(k)), float(p)) for one, (k, p) in zip(scalings, rows, strict=True)]
        return UnknownScaling(self.called, self.known, lines)


def first_class(view: View) -> tuple[dict[str, Any], None]:
    """The first class of each picture, and how sure the network is; nothing where it does not classify."""
    head = view.head()
    if head.kind not in ("classes", "sides"):
        return {"other": tf.zeros(tf.shape(head.output)[:1])}, None
    sure = tf.nn.softmax(head.scores) if head.activation == "linear" else head.probabilities
    index = tf.argmax(head.scores, -1)
    return {"index": index, "sure": tf.gather(sure, index, axis=1, batch_dims=1)}, None


def _line(scaling: Preprocess, name: str, sure: float) -> str:
    return f"  {scaling.name:<6} {name} {sure:.0%}"


def _sentence(called: str, known: Known) -> str:
    names = [*(one.name for one in candidates(known.start)), "MODULE:FUNCTION"]
    does = (
        "it does not do it itself"
        if known.start.unscaled
        else f"it begins with {_does(known)}, which is not for 0..255"
    )
    return (
        f"It cannot be known how pixels must be scaled for {called}: {does}, and no file beside it says so. "
        f"Say what it was trained on with --preprocess {', '.join(names[:-1])} or {names[-1]} "
        "(in Python preprocess=), or pass float arrays as in training."
    )


def _does(known: Known) -> str:
    """`2 x - 1` of the first channel."""
    scale, offset = known.start.scale[0], known.start.offset[0]
    return f"{scale:.4g} x {'-' if offset < 0 else '+'} {abs(offset):.4g}"
