"""The model is left exactly as it was found: what calling it writes into its layers is taken back."""

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def preserving(model: Any) -> Iterator[None]:
    """Restore every layer's `__dict__`, and the lists, dicts and sets in it, when the block ends.

    A call leaves traces: losses of activity regularisers, cached statistics, flags. They would hold
    tensors of a graph that is gone.
    """
    kept = [(vars(layer), dict(vars(layer)), _copies(layer)) for layer in every_layer(model)]
    try:
        yield
    finally:
        for live, before, copies in kept:
            _restore(live, before, copies)


def every_layer(model: Any) -> list[Any]:
    """The model and all layers in it, to any depth, each once."""
    flatten = getattr(model, "_flatten_layers", None)
    found = list(flatten()) if flatten else [model]
    return list({id(layer): layer for layer in [model, *found]}.values())


def _copies(layer: Any) -> dict[str, Any]:
    return {name: _copy(value) for name, value in vars(layer).items() if isinstance(value, (list, dict, set))}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(value.items())
    return set(value) if isinstance(value, set) else list(value)


def _restore(live: dict[str, Any], before: dict[str, Any], copies: dict[str, Any]) -> None:
    for name in [n for n in live if n not in before]:
        del live[name]
    for name, value in before.items():
        if live.get(name, _GONE) is not value:
            live[name] = value
    for name, copy in copies.items():
        value = live[name]
        if len(value) == len(copy) and all(a is b for a, b in zip(_items(value), _items(copy), strict=True)):
            continue
        _refill(value, copy)


_GONE = object()


def _items(value: Any) -> list[Any]:
    return [part for pair in value.items() for part in pair] if isinstance(value, dict) else list(value)


def _refill(value: Any, copy: Any) -> None:
    """Write the old members back into the same object, past any tracking that a subclass does."""
    base: Any = next(kind for kind in (list, dict, set) if isinstance(value, kind))
    base.clear(value)
    (list.extend if base is list else base.update)(value, copy)
