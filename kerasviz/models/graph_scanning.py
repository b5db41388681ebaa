"""May this SavedModel be opened? Its graph must hold only operations on an allow list, and lead to no file of its own.

A SavedModel is a program: loading it runs initialisers, calling it runs the rest, and TensorFlow's operations read,
write and list files. `saved_model_operations` in `allow_lists.json` names the ones that cannot.
"""

import math
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from kerasviz.models.configurations import Finding, allow_lists
from kerasviz.models.protobuf import fields, inner, numbers, text, texts
from kerasviz.models.saved_models import (
    asset_names,
    asset_tensors,
    graph_bytes,
    meta_graphs,
    signature_tensors,
)

_OTHER_GRAPHS = {"saved_model.cpb", "saved_model.pbtxt"}  # other loaders read them instead
_SAVER = {
    "SaveV2",
    "RestoreV2",
    "MergeV2Checkpoints",
    "ShardedFilename",
    "Save",
    "Restore",
    "SaveSlices",
    "RestoreSlice",
}
_SAVER_FUNCTION = re.compile(r"__inference__?traced_(save|restore)(_\d+)?")
_SAVER_SCOPE = re.compile(r"save(_\d+)?/")
_REGISTERED = re.compile(r"tf\.[A-Za-z]+")
_FILLING = re.compile(r"InitializeTableFromTextFile(V2)?")
_TEXT = 7  # TensorFlow's number for texts
_FOREIGN_TABLE = "fills a lookup table from a file that is not one of its assets"
_BIG = 1 << 22  # numbers in one constant
_MOST_NODES = 2_000_000
_HARM = {
    "WriteFile": "which writes a file",
    "ReadFile": "which reads any file",
    "MatchingFiles": "which lists files",
    "ImmutableConst": "which reads any file",
    "PrintV2": "which may write a file",
    "PyFunc": "which runs Python code",
    "EagerPyFunc": "which runs Python code",
    "PyFuncStateless": "which runs Python code",
    "XlaCallModule": "which runs compiled code",
    **dict.fromkeys(_SAVER, "which reads or writes files"),
}


@dataclass(frozen=True)
class Node:
    """One operation of a graph, as its NodeDef says it.

    Attributes:
        calls: names of the functions that its attributes hold.
        is_text: whether it is a constant text, such as a path.
        inflated: numbers in its constant, where that is stored in far fewer bytes; else 0.
    """

    name: str
    operation: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]
    is_text: bool
    inflated: int


def saved_model_findings(folder: str | os.PathLike[str]) -> Iterator[Finding]:
    """What speaks against opening a SavedModel folder: its files, then every graph and function in it."""
    yield from file_findings(folder)
    for graph in meta_graphs(graph_bytes(folder)):
        yield from _graph_findings(graph)


def file_findings(folder: str | os.PathLike[str]) -> Iterator[Finding]:
    """What speaks against the files in a SavedModel folder: links, a second graph, no weights."""
    for name in sorted(_OTHER_GRAPHS & set(os.listdir(folder))):
        yield Finding("file:savedmodel", name, f"holds a second graph, {name!r}, and would be read in two ways")
    for place, folders, files in os.walk(folder):
        for name in sorted(folders + files):
            path = os.path.join(place, name)
            mode = os.lstat(path).st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                where = os.path.relpath(path, folder)[:80]
                yield Finding("file:link", where, f"holds {where!r}, a link or special file, which may lead outside")
    if not os.path.isdir(os.path.join(folder, "variables")):
        yield Finding("broken:savedmodel", "variables", "is cut off or damaged (its folder variables/ is missing)")


def _graph_findings(graph: memoryview) -> Iterator[Finding]:
    for name in asset_names(graph):
        if os.path.isabs(name) or "\\" in name or ".." in name.split("/"):
            yield Finding("file:path", "assets", f"would read the file {name[:80]!r}, outside of itself")
    bodies = _bodies(graph)
    if sum(len(nodes) for _, nodes in bodies) > _MOST_NODES:
        yield Finding("bomb:graph", "graph", f"holds more than {_MOST_NODES} operations, and could fill the memory")
        return
    functions, assets = {scope for scope, _ in bodies} - {""}, asset_tensors(graph)
    for scope, nodes in bodies:
        yield from _body_findings(scope, nodes, functions, assets)
    top = {node.name: node for scope, nodes in bodies if not scope for node in nodes}
    yield from _table_findings(graph, top, bodies)
    yield from _reached_findings(graph, top)
    yield from _object_findings(graph)


def _bodies(graph: memoryview) -> list[tuple[str, list[Node]]]:
    """("", the graph's own operations), then (name, operations) of each function; two of one name are both there."""
    found = [("", [_node(one) for one in inner(graph, 2, 1)])]
    for function in inner(graph, 2, 2, 1):
        names = texts(function, 1, 1)
        found.append((names[-1] if names else "?", [_node(one) for one in inner(function, 3)]))
    return found


def _node(message: memoryview) -> Node:
    name = operation = ""
    inputs, calls, inflated, is_text = [], [], 0, False
    for number, _, value in fields(message):
        if number == 1:
            name = text(value)
        elif number == 2:
            operation = text(value)
        elif number == 3:
            inputs.append(text(value))
        elif number == 5:
            for attribute in inner(value, 2):
                calls += texts(attribute, 10, 1) + texts(attribute, 1, 9, 1)
                inflated = max([inflated, *map(_inflated, inner(attribute, 8))])
                is_text |= any(_TEXT in numbers(tensor, 1) for tensor in inner(attribute, 8))
    return Node(name, operation, tuple(inputs), tuple(calls), is_text, inflated)


def _inflated(tensor: memoryview) -> int:
    """How many numbers a constant declares, where it stores far less."""
    sizes = [max(numbers(axis, 1), default=0) for axis in inner(tensor, 2, 2)]
    declared = math.prod(min(size, 1 << 40) for size in sizes)
    return declared if declared > _BIG and declared > 64 * len(tensor) else 0


def _body_findings(scope: str, nodes: list[Node], functions: set[str], assets: set[str]) -> Iterator[Finding]:
    allowed = allow_lists()["saved_model_operations"]
    operations = {node.name: node.operation for node in nodes}
    for node in nodes:
        where = f"{scope or 'graph'}:{node.name}"[-200:]
        saver = _SAVER_FUNCTION.fullmatch(scope) or (not scope and _SAVER_SCOPE.match(node.name))
        known = node.operation in allowed or node.operation in functions or (node.operation in _SAVER and saver)
        if not known:
            harm = _HARM.get(node.operation, "which is not known to be harmless")
            yield Finding("code:graph-op", where, f"calls the graph operation {node.operation[:60]!r}, {harm}")
        if node.inflated:
            yield Finding("bomb:const", where, f"declares a constant of {node.inflated} numbers but stores a few, "
                          "and could fill the memory")  # fmt: skip
        called = [*node.calls, node.operation] if scope else []
        if any(_SAVER_FUNCTION.fullmatch(name) for name in called):
            yield Finding("code:graph-op", where, "calls its saver from the network, which reads or writes files")
        if _FILLING.fullmatch(node.operation) and not _from_asset(node, scope, operations, assets):
            yield Finding("file:path", where, _FOREIGN_TABLE)


def _from_asset(node: Node, scope: str, operations: dict[str, str], assets: set[str]) -> bool:
    """Whether a table's file is a declared asset, or comes into the function from outside, where it is one."""
    source = node.inputs[1].split(":")[0].lstrip("^") if len(node.inputs) > 1 else ""
    captured = bool(scope) and operations.get(source, "Placeholder") == "Placeholder"
    return source in assets or captured


def _table_findings(graph: memoryview, top: dict[str, Node], bodies: list[tuple[str, list[Node]]]) -> Iterator[Finding]:
    """A path may reach the function that fills a table from its callers, or as a constant that it captured."""
    filling = {scope for scope, nodes in bodies if scope and any(_FILLING.fullmatch(n.operation) for n in nodes)}
    if not filling:
        return
    captured = [name for constant in inner(graph, 7, 1, 9) for name in texts(constant, 1)]
    if any(name in top and top[name].is_text for name in captured):
        yield Finding("file:path", "objects", _FOREIGN_TABLE)
    callers = {scope: {call for n in nodes for call in (*n.calls, n.operation)} for scope, nodes in bodies if scope}
    grown = True
    while grown:
        more = {scope for scope, called in callers.items() if scope not in filling and called & filling}
        filling, grown = filling | more, bool(more)
    for scope, nodes in bodies:
        if scope in filling and callers[scope] & filling and any(node.is_text for node in nodes):
            yield Finding("file:path", scope, _FOREIGN_TABLE)


def _reached_findings(graph: memoryview, top: dict[str, Node]) -> Iterator[Finding]:
    """What signatures return must not come through the saver."""
    waiting, seen = signature_tensors(graph), set()
    while waiting:
        name = waiting.pop().lstrip("^").split(":")[0]
        if name in seen or name not in top:
            continue
        seen.add(name)
        node = top[name]
        waiting += node.inputs
        if node.operation in _SAVER or any(_SAVER_FUNCTION.fullmatch(call) for call in node.calls):
            yield Finding("code:graph-op", f"signature:{name}"[-200:], "calls its saver from a signature, "
                          "which reads or writes files")  # fmt: skip


def _object_findings(graph: memoryview) -> Iterator[Finding]:
    """Objects may offer functions to be called, and name classes to be made."""
    for node in inner(graph, 7, 1):
        for number, wire, value in fields(node):
            if number == 6 and wire == 2 and any(_SAVER_FUNCTION.fullmatch(name) for name in texts(value, 1)):
                yield Finding("code:graph-op", "objects", "offers its saver as a function, which reads or writes files")
            if number == 13 and wire == 2 and len(value) and not _REGISTERED.fullmatch(text(value)):
                yield Finding("code:class", "objects", f"names the registered class {text(value)[:60]!r}, no part of "
                              "a network")  # fmt: skip
