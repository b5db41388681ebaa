"""Lookup tables of a SavedModel are filled from its own assets, or the model is not opened.

`InitializeTableFromTextFile` reads the file that its input names. That input is followed to where it comes from:
through the functions that pass it on, to an asset of the model (TensorFlow 2: an object that the function captured;
TensorFlow 1: a declared constant).
"""

import re
from collections.abc import Iterator, Sequence

from kerasviz.models.configurations import Finding
from kerasviz.models.graph_nodes import Node
from kerasviz.models.protobuf import fields, inner, numbers, texts
from kerasviz.models.saved_models import asset_tensors

_FILLING = re.compile(r"InitializeTableFromTextFile(V2)?")
_FOREIGN = "fills a lookup table from a file that is not one of its assets"


def table_findings(graph: memoryview, bodies: Sequence[tuple[str, list[Node]]]) -> Iterator[Finding]:
    """Every table whose file may be another than an asset.

    Args:
        graph: a MetaGraphDef.
        bodies: its operations and those of its functions.
    """
    arguments, assets = _arguments(graph), asset_tensors(graph)
    whole = not inner(graph, 7)  # with objects, the graph around the functions is for other loaders
    paths: dict[str, set[int]] = {}  # function -> the arguments that are read as paths
    waiting = [""]
    while waiting:
        waiting.pop()
        for scope, nodes in bodies:
            for source in _sources(nodes, paths):
                names = arguments.get(scope, [])
                if source in names:
                    if names.index(source) not in paths.setdefault(scope, set()):
                        paths[scope].add(names.index(source))
                        waiting.append(scope)
                elif scope or (whole and source not in assets):
                    yield Finding("file:path", scope or "graph", _FOREIGN)
                    return
    for scope, places in paths.items():
        if not places <= _bound_to_assets(graph, scope, len(arguments[scope])):
            yield Finding("file:path", scope, _FOREIGN)


def _arguments(graph: memoryview) -> dict[str, list[str]]:
    """Function -> the names of its arguments, in order."""
    found = {}
    for signature in inner(graph, 2, 2, 1, 1):
        names = texts(signature, 1)
        found[names[-1] if names else "?"] = texts(signature, 2, 1)
    return found


def _sources(nodes: Sequence[Node], paths: dict[str, set[int]]) -> Iterator[str]:
    """What stands where a path is read, in one body: arguments or other operations."""
    for node in nodes:
        if _FILLING.fullmatch(node.operation):
            yield node.inputs[1].split(":")[0].lstrip("^") if len(node.inputs) > 1 else ""
        for called in (*node.calls, node.operation):
            for place in paths.get(called, ()):
                yield node.inputs[place].split(":")[0] if place < len(node.inputs) else ""


def _bound_to_assets(graph: memoryview, function: str, count: int) -> set[int]:
    """Which of a function's `count` arguments are captured assets; all of them where it is only called by others."""
    nodes = inner(graph, 7, 1)
    entries = [entry for entry in inner(graph, 7, 2) if texts(entry, 1) == [function]]
    if not entries:
        return set(range(count))
    bound = [number for entry in entries for value in inner(entry, 2) for number in numbers(value, 2)]
    first = count - len(bound)
    return {first + k for k, node in enumerate(bound) if node < len(nodes) and _is_asset(nodes[node])}


def _is_asset(node: memoryview) -> bool:
    return any(number == 5 for number, _, _ in fields(node))
