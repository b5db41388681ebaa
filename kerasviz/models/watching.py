"""A Keras model is called, and what each of its layers returned is seen: the usual way into a model.

A hook on `Layer.__call__` sees the layers of this thread's trace, whatever kind of model they stand in.
The classes are restored when the last watcher leaves, whatever happened.
"""

import contextlib
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_local, _lock = threading.local(), threading.Lock()
_originals: dict[Any, Any] = {}  # class -> its own __call__
_watchers = 0


_WHICH = re.compile(r"(~\d+)?(#\d+)?$")  # which layer of that name, which call of it


def own_path(path: str) -> str:
    """The path of a call without what tells it from other calls, and its layer from others of that name."""
    return _WHICH.sub("", path)


@dataclass(frozen=True)
class Call:
    """One call of one layer, in the order in which the calls ended."""

    path: str  # "outer/inner/conv"; the second call of the same layer is "conv#1", another layer of that name "conv~2"
    layer: Any
    output: Any  # a structure of tensors


class Seen:
    """What was called, by which layer objects, under which paths."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.calls: list[Call] = []
        self._owners: dict[str, list[Any]] = {}
        self._times: Counter[tuple[str, int]] = Counter()

    def add(self, layer: Any, output: Any) -> None:
        """Note what `layer`, the innermost of the stack, returned."""
        path = "/".join(outer.name for outer in [*self.stack[1:], layer])
        owners = self._owners.setdefault(path, [])  # by object: two layers may share a name
        if not any(owner is layer for owner in owners):
            owners.append(layer)
        number = next(k for k, owner in enumerate(owners) if owner is layer)
        time = self._times[path, number]
        self._times[path, number] += 1
        path += f"~{number + 1}" if number else ""
        self.calls.append(Call(path + (f"#{time}" if time else ""), layer, output))


@contextlib.contextmanager
def watching() -> Iterator[Seen]:
    """While a model is called in this thread, its layers' outputs are seen."""
    _enter()
    before, _local.seen = getattr(_local, "seen", None), Seen()
    try:
        yield _local.seen
    finally:
        _local.seen = before
        _leave()


def _enter() -> None:
    global _watchers
    with _lock:
        _watchers += 1
        for cls in _layer_classes():
            if cls not in _originals:
                _originals[cls] = cls.__call__
                setattr(cls, "__call__", _watched(cls.__call__))  # noqa: B010 (a checker forbids the assignment)


def _leave() -> None:
    global _watchers
    with _lock:
        _watchers -= 1
        while not _watchers and _originals:
            cls, original = _originals.popitem()
            cls.__call__ = original


def _layer_classes() -> list[type]:
    """The base classes through which every layer of Keras 3 and of tf_keras is called."""
    import keras

    classes = [keras.Operation, keras.Layer]
    if "tf_keras" in sys.modules:
        classes.append(sys.modules["tf_keras"].layers.Layer)
    return classes


def _watched(original: Any) -> Any:
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen = getattr(_local, "seen", None)
        if seen is None or (seen.stack and seen.stack[-1] is self):  # another thread, or super().__call__
            return original(self, *args, **kwargs)
        seen.stack.append(self)
        try:
            output = original(self, *args, **kwargs)
        finally:
            seen.stack.pop()
        if seen.stack:  # the model itself is no layer of its own
            seen.add(self, output)
        return output

    __call__.__wrapped__ = original  # type: ignore[attr-defined]
    return __call__
