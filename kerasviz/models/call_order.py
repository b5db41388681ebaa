"""Can the calls of a functional network be made one after the other? tf_keras tries for ever where they cannot.

It makes a layer's calls in their order, each as soon as there is what it takes, and begins again with the calls that
had to wait. A call that waits for one that never comes keeps it waiting without end.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

_Call = tuple[str, float]  # a layer's name, and which of its calls
_CONSTANT = "_CONSTANT_VALUE"


def waiting_for_ever(layers: Any) -> tuple[str, str] | None:
    """(a layer, the layer whose call it waits for in vain), or None where all calls can be made.

    Args:
        layers: the `layers` of a functional network's configuration as Keras 2 writes it; anything else is None.
    """
    entries = [entry for entry in layers if isinstance(entry, dict)] if isinstance(layers, list) else []
    calls = {name: nodes for entry in entries for name, nodes in _calls(entry)}
    firsts = {str(entry.get("name")): _first_calls(entry) for entry in entries}
    known = {name for name in calls if firsts[name]}
    made, done, waiting = set[_Call](), dict.fromkeys(calls, 0), defaultdict[_Call, list[str]](list)
    ready = list(calls)
    while ready:
        name = ready.pop()
        while done[name] < len(calls[name]):
            lacking = next((c for c in calls[name][done[name]] if c[0] in known and c not in made), None)
            if lacking:
                waiting[lacking].append(name)
                break
            for first in firsts[name]:
                made.add((name, first + done[name]))
                ready += waiting.pop((name, first + done[name]), [])
            done[name] += 1
    return next(((names[0], call[0]) for call, names in waiting.items()), None)


def _calls(entry: dict[str, Any]) -> Iterator[tuple[str, list[list[_Call]]]]:
    """The name of a layer, and for each of its calls those that it takes something from."""
    name, nodes = entry.get("name"), entry.get("inbound_nodes")
    if isinstance(name, str) and isinstance(nodes, list) and not any(isinstance(node, dict) for node in nodes):
        yield name, [list(_taken(node)) for node in nodes]


def _first_calls(entry: dict[str, Any]) -> tuple[int, ...]:
    """The numbers that a layer's first call may have; none where every number means the same, as for an input."""
    kind = entry.get("class_name")
    if kind == "InputLayer":
        return ()
    config = entry.get("config")
    inner = isinstance(config, dict) and "layers" in config
    if kind == "Functional":
        return (1,)  # its own input was the first
    return (0, 1) if inner or kind in ("Model", "Sequential") else (0,)


def _taken(node: Any) -> Iterator[_Call]:
    """`[layer, call, tensor]` and `[layer, call, tensor, arguments]`, wherever they stand."""
    if isinstance(node, list) and len(node) in (3, 4) and isinstance(node[0], str):
        if node[0] != _CONSTANT:  # what is no number is the number of no call
            yield node[0], node[1] if isinstance(node[1], int | float) else -1
        inner = node[3:]
    else:
        inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    for each in inner:
        yield from _taken(each)
