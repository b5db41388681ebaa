"""The layers of a network as a tree that a person can read: models inside others as branches, long chains in blocks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kerasviz.models.describing import LayerInfo
from kerasviz.models.watching import own_path

_JOINS = ("Add", "Concatenate", "Average", "Maximum")
_ACTIVATIONS = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Relu")
_PADDING = ("ZeroPadding2D", "Pad")
_FEW = 2  # layers that are not worth a block
_OPERATIONS = 3  # at most so many stand inside what is no model: a layer that pads, then convolves


@dataclass(frozen=True)
class Branch:
    """A layer, by what distinguishes its path from that of the layer around it, and the layers inside it."""

    name: str
    layer: LayerInfo
    inside: tuple["Branch", ...] = ()

    @property
    def type(self) -> str:
        """The layer's class."""
        return self.layer.type

    @property
    def last(self) -> LayerInfo:
        """What it returns."""
        return self.layer

    @property
    def parameters(self) -> int:
        """With those of the layers inside."""
        return self.layer.parameters

    def holds(self, path: str | None) -> bool:
        """Whether it is the layer of that path."""
        return self.layer.path == path


@dataclass(frozen=True)
class Block:
    """Neighbours that are told in one line, called after the last of them: `count` times the same types."""

    name: str
    count: int
    layers: tuple[LayerInfo, ...]  # all of them
    inside: tuple[Branch, ...] = ()

    @property
    def type(self) -> str:
        """`2 x 10 layers`."""
        each = f"{len(self.layers) // self.count} layers"
        return f"{self.count} x {each}" if self.count > 1 else each

    @property
    def last(self) -> LayerInfo:
        """What the block returns."""
        return self.layers[-1]

    @property
    def parameters(self) -> int:
        """Of all its layers."""
        return sum(layer.parameters for layer in self.layers)

    def holds(self, path: str | None) -> bool:
        """Whether the layer of that path is one of them."""
        return any(layer.path == path for layer in self.layers)


def tree_of(layers: Sequence[LayerInfo]) -> tuple[Branch, ...]:
    """The tree of layers in the order of their calls, where those inside another come before it."""
    ends = {_base(layer): layer.index for layer in layers}
    waiting: dict[str, list[Branch]] = {}
    for layer in layers:
        base = _base(layer)
        outside = _around(base, ends, layer.index)
        name = layer.path[len(outside) + 1 :] if outside else layer.path
        inside = waiting.pop(base, [])
        waiting.setdefault(outside, []).append(Branch(name, layer, tuple(inside)))
    left = [branch for branches in waiting.values() for branch in branches]  # of slashes that mean nothing, too
    return tuple(sorted(left, key=lambda branch: branch.layer.index))


def folded(branches: Sequence[Branch], most: int = 40) -> list[Branch | Block]:
    """The same, in at most about `most` lines: long chains are cut into blocks, and equal neighbours counted.

    A block ends where branches join, or where the maps become smaller for good.
    """
    if len(branches) <= most:
        return list(branches)
    for joins in (_JOINS, ("Concatenate",)):  # cells that add many times end in a concatenation
        groups = [list(group) for _, group in groupby(_segments(branches, joins), key=_signature)]
        lines = [line for group in groups for line in _lines(group)]
        if len(lines) <= most:
            return lines
    stages = [list(stage) for _, stage in groupby(branches, key=lambda branch: _area(branch.layer))]
    merged = _merged(stages) if len(stages) > most else stages
    return [line for stage in merged for line in _lines([stage])]


def _base(layer: LayerInfo) -> str:
    return own_path(layer.path)


def _around(base: str, ends: Mapping[str, int], index: int) -> str:
    """The longest beginning of a path that is a layer which returns later; names may hold slashes of their own."""
    parts = base.split("/")
    return next((p for k in range(len(parts) - 1, 0, -1) if ends.get(p := "/".join(parts[:k]), -1) > index), "")


def _segments(branches: Sequence[Branch], joins: Sequence[str]) -> Iterator[list[Branch]]:
    """Cut behind each join, and where an area of the maps comes for the last time."""
    last_of = {_area(branch.layer): k for k, branch in enumerate(branches)}
    segment: list[Branch] = []
    area: tuple[int | None, ...] | None = None
    for k, branch in enumerate(branches):
        now = _area(branch.layer)
        if segment and now is not None and area is not None and now != area and last_of[area] < k:
            padding = [segment.pop()] if len(segment) > 1 and segment[-1].layer.type in _PADDING else []
            yield segment
            segment = padding
        area = area if now is None else now
        segment.append(branch)
        after = branches[k + 1].layer.type if k + 1 < len(branches) else ""
        joined = branch.layer.type in joins and after not in _ACTIVATIONS
        activated = k and branch.layer.type in _ACTIVATIONS and branches[k - 1].layer.type in joins
        if branch.layer.maps and (joined or activated):
            yield segment
            segment = []
    if segment:
        yield segment


def _area(layer: LayerInfo) -> tuple[int | None, ...] | None:
    """Height and width; where they are open, pixels from cell to cell. None of padding, and of what has no maps."""
    if not layer.maps or layer.type in _PADDING:  # padding belongs to what follows
        return None
    if None not in layer.shape[:2]:
        return layer.shape[:2]
    return layer.field.step if layer.field else None


def _is_nested(branch: Branch) -> bool:
    """Whether there is more inside than the operations of one layer."""
    return len(branch.inside) > _OPERATIONS


def _signature(segment: Sequence[Branch]) -> object:
    kinds = Counter(branch.layer.type for branch in segment)
    return sorted(kinds.items()), _area(segment[-1].layer)


def _lines(group: Sequence[Sequence[Branch]]) -> list[Branch | Block]:
    """Equal segments as one block; a few layers, and those with others inside, stay by themselves."""
    every = [branch for segment in group for branch in segment]
    if len(every) <= _FEW or any(_is_nested(b) for b in every) or not any(b.layer.maps for b in every):
        return list(every)
    end = 1 + max(k for k, branch in enumerate(every) if branch.layer.maps)
    chain, rest = (every[:end], every[end:]) if len(group) == 1 else (every, [])  # pooling and what follows it
    if len(chain) <= _FEW:
        return list(every)
    return [Block(f"… {chain[-1].name}", len(group), tuple(branch.layer for branch in chain)), *rest]


def _merged(stages: Sequence[list[Branch]]) -> list[list[Branch]]:
    """Where branches of several sizes alternate, as long as one of them comes again they are one stage."""
    last_of = {_area(stage[0].layer): k for k, stage in enumerate(stages)}
    merged: list[list[Branch]] = []
    until = -1
    for k, stage in enumerate(stages):
        if k > until:
            merged.append([])
        merged[-1] += stage
        if _area(stage[0].layer) is not None:
            until = max(until, last_of[_area(stage[0].layer)])
    return merged
