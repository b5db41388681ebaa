"""What a network does to pixels itself before its first kernel, read from its operations, whatever made them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.models.affine import Pixels, after
from kerasviz.models.constants import Weights
from kerasviz.models.operations import ancestors
from kerasviz.models.view import View

_KERNELS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2")
_SILENT = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike")  # what these return is not what was seen


@dataclass(frozen=True)
class Beginning:
    """The first kernel or non-linearity takes scale[k] * channel source[k] of the pixels + offset[k] as channel k.

    Attributes:
        first: that operation; None where pixels lead to nothing that is known.
    """

    source: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    first: Any = None

    @property
    def unscaled(self) -> bool:
        """Whether values arrive as they are, though channels may have changed their places."""
        return all(s == 1 for s in self.scale) and not any(self.offset)

    @property
    def reversed(self) -> bool:
        """Whether red and blue change their places: the network takes RGB, and was made from one of BGR."""
        return self.source == (2, 1, 0)

    @property
    def mean(self) -> np.ndarray:
        """What the pixels are whose channels become 0, (C,)."""
        return -np.asarray(self.offset) / np.asarray(self.scale)

    @property
    def deviation(self) -> np.ndarray:
        """How far a pixel goes to move a channel by 1, (C,)."""
        return 1 / np.abs(np.asarray(self.scale))


def beginning(view: View, weights: Weights | None = None) -> Beginning:
    """What `view` does to its pixels; it was built from them as they are."""
    operations = ancestors([head.output for head in view.heads])
    weights = weights or Weights(view.pixels.graph, view.pixels, operations)
    known: dict[str, Pixels] = {view.pixels.name: Pixels.of(view.pixels)}
    ends: list[tuple[Any, Pixels]] = []
    for op in operations:
        inputs = [known.get(tensor.name) for tensor in op.inputs]
        if op.type in _SILENT or not any(inputs):
            continue
        found = after(op, inputs, weights)
        if found is None:
            ends.append((op, next(one for one in inputs if one)))
        else:
            known |= {tensor.name: one for tensor, one in zip(op.outputs, found, strict=False)}
    if not ends:
        return _plain(known[view.pixels.name], None)
    op, pixels = next((end for end in ends if end[0].type in _KERNELS), ends[0])
    usable = np.isfinite(pixels.scale).all() and np.isfinite(pixels.offset).all() and pixels.scale.all()
    return _plain(pixels, op) if usable else _plain(known[view.pixels.name], op)


def _plain(pixels: Pixels, first: Any) -> Beginning:
    source, scale, offset = pixels.source, pixels.scale, pixels.offset
    return Beginning(
        tuple(int(k) for k in source), tuple(float(s) for s in scale), tuple(float(o) for o in offset), first
    )
