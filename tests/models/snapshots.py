"""A model and its process, before and after."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

KERAS = (keras.Operation, keras.Layer, tf_keras.layers.Layer)


@dataclass
class Snapshot:
    """Everything about a model and its process that a question must not change.

    Objects are kept, not their ids alone, so that an id cannot be given away again.
    """

    variables: list[np.ndarray]
    attributes: list[tuple[str, Any]] = field(repr=False)
    flags: list[bool]
    chance: tuple[bytes, Any, bytes]
    calls: list[Any]

    @classmethod
    def of(cls, model: Any) -> "Snapshot":
        objects = list(_keras_objects(model))
        seeds = keras.src.random.seed_generator.global_seed_generator().state.numpy().tobytes()
        return cls(
            [
                np.asarray(tf.convert_to_tensor(v))
                for v in [*model.variables, *getattr(getattr(model, "optimizer", None), "variables", [])]
            ],
            [(f"{type(o).__name__} {o.name}.{place}", value) for o in objects for place, value in _state(o)],
            [o.trainable for o in objects if hasattr(o, "trainable")],
            (seeds, random.getstate(), np.random.get_state()[1].tobytes()),
            [vars(cls)["__call__"] for cls in KERAS],
        )

    def changes(self, later: "Snapshot") -> list[str]:
        """What is not as it was."""
        found = [f"variable {k}" for k, pair in enumerate(zip(self.variables, later.variables, strict=True))
                 if pair[0].tobytes() != pair[1].tobytes()]  # fmt: skip
        before, after = dict(self.attributes), dict(later.attributes)
        found += [f"{name} is new" for name in after.keys() - before.keys()]
        found += [f"{name} is gone" for name in before.keys() - after.keys()]
        found += [name for name in before.keys() & after.keys() if before[name] is not after[name]]
        found += ["trainable flags"] * (self.flags != later.flags)
        found += ["random state"] * (self.chance != later.chance)
        found += ["Layer.__call__"] * any(a is not b for a, b in zip(self.calls, later.calls, strict=True))
        return found


def _keras_objects(model: Any) -> Iterator[Any]:
    """Every layer and operation that can be reached from a model's attributes, in one order."""
    waiting, known = [model], set()
    while waiting:
        one = waiting.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, KERAS):
            yield one
            waiting += vars(one).values()
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, (list, tuple, set)):
            waiting += one


def _state(one: Any) -> Iterator[tuple[str, Any]]:
    """(place, value): the attributes of an object, and the members of its lists, dicts and sets."""
    for name, value in vars(one).items():
        yield f"{id(one)}.{name}", value
        if isinstance(value, (list, tuple)):
            yield from ((f"{id(one)}.{name}[{k}]", member) for k, member in enumerate(value))
        elif isinstance(value, dict):
            yield from ((f"{id(one)}.{name}[{key!r}]", member) for key, member in value.items())
        elif isinstance(value, set):
            yield from ((f"{id(one)}.{name} has {id(member)}", None) for member in value)
