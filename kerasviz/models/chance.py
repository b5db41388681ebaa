"""The random states of a process, left where they were."""

import contextlib
import random
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def same_chance(layers: Iterable[Any] = ()) -> Iterator[None]:
    """What is drawn within the block was never drawn, for whoever draws after it.

    From Python's and NumPy's generators, from the one that seeds TensorFlow's operations (where a seed was set, a
    dataset shuffled within the block takes the next of its numbers), from TensorFlow's global generator, and from
    those that `layers` hold.
    """
    python, numpy, operations = random.getstate(), np.random.get_state(), _of_operations()
    before = operations.getstate() if operations else None
    states = [(one, one.state.numpy()) for one in _generators(layers)]
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if operations:
            operations.setstate(before)
        for generator, state in states:
            generator.state.assign(state)


def _generators(layers: Iterable[Any]) -> list[Any]:
    """TensorFlow's own generators: the global one, where it was used, and those that are attributes of layers."""
    module = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    if module is None:
        return []
    held = [value for layer in layers for value in vars(layer).values() if isinstance(value, module.Generator)]
    found = [one for one in (module.global_generator, *held) if one is not None]
    return list({id(one): one for one in found}.values())


def _of_operations() -> Any:
    """TensorFlow's generator of seeds; None before one was set."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    return getattr(eager.context(), "_rng", None) if eager else None
