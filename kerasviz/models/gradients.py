"""Gradients of a score to pixels and layers, inside a compiled question.

`tf.gradients` is what a GradientTape does when it is used inside a `tf.function`: the same numbers
(a test holds it), but it needs no watching beforehand, so any layer can be asked for after the network
was built, and it traces in half the time.
"""

from collections.abc import Sequence
from typing import Any

from kerasviz.lazy import tf


def slopes(score: Any, tensors: Sequence[Any]) -> list[Any]:
    """d score / d tensor for each tensor, float32 and of its shape; None where the score does not depend on it.

    Args:
        score: (N,), each of its own picture alone.
        tensors: of the same graph as the score.
    """
    found = tf.gradients(score, list(tensors))
    return [None if slope is None else tf.cast(tf.convert_to_tensor(slope), tf.float32) for slope in found]
