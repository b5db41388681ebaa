"""Gradients of a score to pixels and layers, inside a compiled question.

`tf.gradients` is what a GradientTape does when it is used inside a `tf.function`: the same numbers
(a test holds it), but it needs no watching beforehand, so any layer can be asked for after the network
was built, and it traces in half the time.
"""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from kerasviz.lazy import tf
from kerasviz.models.rectifiers import opening, rectified, rectifiers

_ATTRIBUTE, _RULE = "_gradient_op_type", "KerasvizGuided"
_passed: ContextVar[set[str]] = ContextVar("_passed")  # rectifiers that a guided gradient has come through


def slopes(score: Any, tensors: Sequence[Any]) -> list[Any]:
    """d score / d tensor for each tensor, float32 and of its shape; None where the score does not depend on it.

    Args:
        score: (N,), each of its own picture alone.
        tensors: of the same graph as the score.
    """
    found = tf.gradients(score, list(tensors))
    return [None if slope is None else tf.cast(tf.convert_to_tensor(slope), tf.float32) for slope in found]


@dataclass(frozen=True)
class Guided:
    """A gradient that was guided on its way.

    Attributes:
        slopes: of the pixels' shape; None where none arrives.
        guided: how many rectifiers it came through, each of which kept what was positive.
        others: the other non-linearities on its way by name, which were left as they are.
        missed: rectifiers that it could not be guided through: inside functions and custom gradients.
    """

    slopes: Any
    guided: int
    others: Counter[str]
    missed: int


def guided_slopes(score: Any, pixels: Any) -> Guided:
    """The gradient of `score` to `pixels` where each rectifier passes relu(g) in place of g, if it is open itself.

    The operations bear the other gradient only while it is taken.
    """
    _register()
    met, passed = rectifiers(score, pixels), set[str]()
    token = _passed.set(passed)
    try:
        with _ruled(met.operations):
            (found,) = slopes(score, [pixels])
    finally:
        _passed.reset(token)
    return Guided(found, len(passed), met.others, met.hidden + len(met.operations) - len(passed))


@contextmanager
def _ruled(operations: Sequence[Any]) -> Iterator[None]:
    """While the block runs, gradients come through these operations by the rule that is registered."""
    before = {op: op.node_def.attr[_ATTRIBUTE] for op in operations if _ATTRIBUTE in op.node_def.attr}
    rule = tf.compat.v1.AttrValue(s=_RULE.encode())
    try:
        for op in operations:
            op._set_attr(_ATTRIBUTE, rule)
        yield
    finally:
        for op in operations:
            op._clear_attr(_ATTRIBUTE)
        for op, value in before.items():
            op._set_attr(_ATTRIBUTE, value)


@functools.cache
def _register() -> None:
    """TensorFlow finds gradients by name, and each name may be given once in a process."""
    tf.RegisterGradient(_RULE)(_guided)


def _guided(op: Any, slope: Any) -> Any:
    """The gradient to the inputs of a rectifier: relu(slope) where it is open, else 0."""
    _passed.get().add(op.name)
    slope = tf.nn.relu(tf.convert_to_tensor(slope))
    if op.type == "Relu":
        return tf.raw_ops.ReluGrad(gradients=slope, features=op.outputs[0])
    if op.type == "Relu6":
        return tf.raw_ops.Relu6Grad(gradients=slope, features=op.outputs[0])
    x = rectified(op)
    own = tf.where(opening(op), slope, tf.zeros_like(slope))
    return [own if tensor.name == x.name else None for tensor in op.inputs]
