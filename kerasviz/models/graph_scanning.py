"""May this SavedModel be opened? Its graph must hold only operations on an allow list, and lead to no file of its own.

A SavedModel is a program: loading it runs initialisers, calling it runs the rest, and TensorFlow's operations read,
write and list files. `saved_model_operations` in `allow_lists.json` names the ones that cannot.
"""

import os
import re
import stat
from collections.abc import Iterator

from kerasviz.models.configurations import Finding, allow_lists
from kerasviz.models.graph_nodes import Node, bodies_of
from kerasviz.models.protobuf import fields, inner, text, texts
from kerasviz.models.saved_models import (
    asset_names,
    graph_bytes,
    meta_graphs,
    signature_tensors,
)
from kerasviz.models.tables import table_findings

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
    bodies = bodies_of(graph)
    if sum(len(nodes) for _, nodes in bodies) > _MOST_NODES:
        yield Finding("bomb:graph", "graph", f"holds more than {_MOST_NODES} operations, and could fill the memory")
        return
    functions = {scope for scope, _ in bodies} - {""}
    for scope, nodes in bodies:
        yield from _body_findings(scope, nodes, functions)
    top = {node.name: node for scope, nodes in bodies if not scope for node in nodes}
    yield from table_findings(graph, bodies)
    yield from _reached_findings(graph, top)
    yield from _object_findings(graph)


def _body_findings(scope: str, nodes: list[Node], functions: set[str]) -> Iterator[Finding]:
    allowed = allow_lists()["saved_model_operations"]
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
