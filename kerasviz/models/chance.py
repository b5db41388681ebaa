"""The random states of a process, left where they were."""

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def same_chance() -> Iterator[None]:
    """What is drawn within the block was never drawn, for whoever draws after it.

    From Python's and NumPy's generators, and from the one that seeds TensorFlow's operations: where a seed was set, a
    dataset shuffled within the block takes the next of its numbers.
    """
    python, numpy, operations = random.getstate(), np.random.get_state(), _of_operations()
    before = operations.getstate() if operations else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if operations:
            operations.setstate(before)


def _of_operations() -> Any:
    """TensorFlow's generator of seeds; None before one was set."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    return getattr(eager.context(), "_rng", None) if eager else None
