"""The layers of a graph that has lost them: found again by the scopes in the names of its operations.

Keras names operations after the layer that made them, `net/block/conv/Conv2D`; calls leave segments of their own
(`StatefulPartitionedCall`). What one scope hands on to the rest is the layer's output.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kerasviz.models.configurations import allow_lists
from kerasviz.models.inlining import node_of
from kerasviz.models.watching import own_path

_CALL = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")
_NUMBER = re.compile(r"_\d+$")
_KINDS = {  # the operation that tells what a layer is, the most telling first
    "DepthwiseConv2dNative": "DepthwiseConv2D",
    "Conv2DBackpropInput": "Conv2DTranspose",
    "Conv2D": "Conv2D",
    "MatMul": "Dense",
    "Einsum": "EinsumDense",
    "FusedBatchNormV3": "BatchNormalization",
    "Rsqrt": "BatchNormalization",
    "MaxPool": "MaxPooling2D",
    "AvgPool": "AveragePooling2D",
    "ResizeNearestNeighbor": "UpSampling2D",
    "ResizeBilinear": "Resizing",
    "Pad": "ZeroPadding2D",
    "PadV2": "ZeroPadding2D",
    "Softmax": "Softmax",
    "ConcatV2": "Concatenate",
    "Mean": "GlobalAveragePooling2D",
    "Relu": "ReLU",
    "Relu6": "ReLU",
    "LeakyRelu": "LeakyReLU",
    "Reshape": "Reshape",
    "Transpose": "Permute",
    "AddV2": "Add",
    "Mul": "Multiply",
}


@dataclass(frozen=True)
class Part:
    """A layer that is known by its operations alone; it stands where a Keras layer stands elsewhere.

    Attributes:
        kind: the layer's class, as the file says it, else what its operations look like.
        weights: the variables that it reads.
        data_format: `channels_first` or `channels_last`.
    """

    name: str
    kind: str
    weights: tuple[Any, ...] = ()
    data_format: str = "channels_last"


@dataclass(frozen=True)
class Scope:
    """What stands under one scope: the layer's path, its output, its operations, and whether it holds layers."""

    path: str
    tensor: str
    nodes: tuple[Any, ...]
    is_model: bool = False

    @property
    def kind(self) -> str:
        """A Keras class of that name (`max_pooling2d_1`), else what the operations look like; else the last one's."""
        named = _classes_by_name().get(_NUMBER.sub("", own_path(self.path).rpartition("/")[2]))
        if named or self.is_model:
            return named or "Functional"
        found = {node.op for node in self.nodes}
        return next((kind for op, kind in _KINDS.items() if op in found), self.nodes[-1].op)

    @property
    def data_format(self) -> str:
        """`channels_first` where a convolution or pooling in it says so."""
        first = any(node.attr["data_format"].s == b"NCHW" for node in self.nodes if "data_format" in node.attr)
        return "channels_first" if first else "channels_last"


def scopes(
    nodes: Sequence[Any], varying: set[str], outputs: Iterable[str], *, known: Mapping[str, str], exported: bool
) -> list[Scope]:
    """The layers of a flat graph, in the order in which their outputs are computed.

    Args:
        nodes: NodeDefs, inputs before what uses them.
        varying: names of those that depend on the pixels.
        outputs: tensors that the network returns.
        known: layer -> class, where the file says so.
        exported: whether Keras exported the graph: in Keras 3 each scope of a layer then ends in a number.
    """
    names = {node.name: _segments(node.name) for node in nodes}
    exported = exported and all(_is_numbered(names[node.name]) for node in nodes if node.op == "ReadVariableOp")
    taken = {"/".join(segments) for segments in names.values()}
    is_layer = _by_number if exported else _by_name(known) if known else lambda segments: True
    members: dict[tuple[str, ...], list[Any]] = {}
    for node in nodes:
        for scope in _around(names[node.name], taken, is_layer) or [(names[node.name][-1],)]:
            members.setdefault(scope, []).append(node)
    root = _root(members, varying)
    users = _users(nodes, varying, outputs)
    order = {node.name: k for k, node in enumerate(nodes)}
    calls = [(s, call) for s, inside in members.items() if s != root for call in _calls(inside, varying, bool(known))]
    found = [(scope, inside, _handed_on(inside, users, varying)) for scope, inside in calls]
    found = sorted(((s, i, t) for s, i, t in found if t), key=lambda one: (order[node_of(one[2] or "")], -len(one[0])))
    paths = _paths([scope[len(root) :] for scope, _, _ in found], known, exported)
    models = {scope[:k] for scope, _, _ in found for k in range(1, len(scope))}
    return [
        Scope(path, tensor or "", tuple(inside), scope in models)
        for path, (scope, inside, tensor) in zip(paths, found, strict=True)
    ]


@functools.cache
def _classes_by_name() -> dict[str, str]:
    """`max_pooling2d` -> `MaxPooling2D`: how Keras names layers that nobody named."""
    spaced = {name: re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name) for name in allow_lists()["classes"]}
    return {re.sub("([a-z])([A-Z])", r"\1_\2", text).lower(): name for name, text in spaced.items()}


def _segments(name: str) -> tuple[str, ...]:
    """The parts of a name without those of calls; never empty."""
    parts = name.split("/")
    return (*(part for part in parts[:-1] if not _CALL.fullmatch(part)), parts[-1])


def _around(
    segments: tuple[str, ...], taken: set[str], is_layer: Callable[[tuple[str, ...]], bool]
) -> list[tuple[str, ...]]:
    """The scopes of layers around an operation; `conv/Conv2D/ReadVariableOp` stands in `conv`: `Conv2D` is no scope."""
    depth = len(segments) - 1
    while depth and "/".join(segments[:depth]) in taken:
        depth -= 1
    return [segments[:k] for k in range(1, depth + 1) if is_layer(segments[:k])]


def _by_number(segments: tuple[str, ...]) -> bool:
    return all(_NUMBER.search(segment) for segment in segments)


def _by_name(known: Mapping[str, str]) -> Callable[[tuple[str, ...]], bool]:
    """Whether a scope ends in the name of a layer; names may hold slashes, and later calls end in a number."""

    def is_layer(segments: tuple[str, ...]) -> bool:
        return any(end in known or _NUMBER.sub("", end) in known for end in endings(segments))

    return is_layer


def endings(segments: Sequence[str]) -> list[str]:
    """`a/b/c`, `b/c`, `c`: a layer's own name may hold slashes."""
    return ["/".join(segments[k:]) for k in range(len(segments))]


def _root(members: Mapping[tuple[str, ...], list[Any]], varying: set[str]) -> tuple[str, ...]:
    """The scope of the whole network, where there is one around everything that depends on the pixels."""
    inside = [{node.name for node in nodes if node.name in varying} for nodes in members.values()]
    every = set().union(*inside)
    whole = [scope for scope, names in zip(members, inside, strict=True) if len(scope) == 1 and names == every]
    return whole[0] if whole and len(members) > 1 else ()


def _calls(inside: Sequence[Any], varying: set[str], known: bool) -> list[list[Any]]:
    """The calls of one layer: Keras 2 gives all of them one scope, but nothing leads straight from one to the next."""
    if not known:
        return [list(inside)]
    groups: dict[str, set[str]] = {}
    for node in inside:
        if node.name in varying:
            joined = {node.name}.union(*(groups.get(node_of(tensor), set()) for tensor in node.input))
            groups |= dict.fromkeys(joined, joined)
    whole = list({id(group): group for group in groups.values()}.values())
    return [[node for node in inside if node.name in group or node.name not in varying] for group in whole]


def _users(nodes: Sequence[Any], varying: set[str], outputs: Iterable[str]) -> dict[str, set[str]]:
    """Tensor -> the operations that it is handed to; "" stands for the network's caller."""
    users: dict[str, set[str]] = {tensor: {""} for tensor in outputs}
    for node in nodes:
        if node.name in varying:
            for tensor in node.input:
                users.setdefault(tensor, set()).add(node.name)
    return users


def _handed_on(inside: Sequence[Any], users: Mapping[str, set[str]], varying: set[str]) -> str | None:
    """The last tensor that a scope hands to the rest of the network."""
    names = {node.name for node in inside}
    last = None
    for node in inside:
        if node.name in varying and node.op not in ("Shape", "ShapeN", "Size", "Rank"):
            last = next((t for t in _results(node, users) if users[t] - names), last)
    return last


def _results(node: Any, users: Mapping[str, set[str]]) -> list[str]:
    return [tensor for k in range(8) if (tensor := f"{node.name}:{k}") in users]


def _is_numbered(segments: Sequence[str]) -> bool:
    """Whether a layer's scope and its model's have a number: tf_keras, which exports, too, leaves their names alone."""
    return sum(bool(_NUMBER.search(segment)) for segment in segments[:-1]) > 1


def _paths(scopes: Sequence[tuple[str, ...]], known: Mapping[str, str], exported: bool) -> list[str]:
    """`block/conv` for each scope; the second call of the same layer is `block/conv#1`."""
    times: Counter[str] = Counter()
    paths = []
    for scope in scopes:
        path = "/".join(_own_name(segment, known, exported) for segment in scope)
        paths.append(f"{path}#{times[path]}" if times[path] else path)
        times[path] += 1
    return paths


def _own_name(segment: str, known: Mapping[str, str], exported: bool) -> str:
    """Keras 3 enters a layer's scope twice, so each export has a number too many; later calls have one, too."""
    base = _NUMBER.sub("", segment)
    later = segment not in known and base in known and not any(name.endswith(f"/{segment}") for name in known)
    return base if exported or later else segment
