"""Which pixels a unit can see, and where the centre of a cell lies: read off the graph, nothing is run.

Along each axis, cell i of a layer sees `size` pixels around first + i * step. A window of k cells, s apart,
with p cells of padding before the first makes of it

    first + ((k - 1) / 2 - p) * step,   size + (k - 1) * step,   step * s
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from kerasviz.lazy import tf
from kerasviz.models.operations import CONVOLUTIONS, Window, ancestors, windows

_POOLINGS = ("AvgPool", "MaxPool")
_CELL_BY_CELL = (
    *("Abs", "Add", "AddN", "AddV2", "BiasAdd", "Cast", "CheckNumerics", "ClipByValue", "ConcatV2", "Elu"),
    *("EnsureShape", "Erf", "Erfc", "Exp", "Expm1", "FusedBatchNormV3", "Identity", "IdentityN", "LRN", "LeakyRelu"),
    *("Log", "Log1p", "Maximum", "Minimum", "Mul", "Neg", "Pow", "PreventGradient", "RealDiv", "Reciprocal", "Relu"),
    *("Relu6", "Rsqrt", "SelectV2", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Square"),
    *("SquaredDifference", "StopGradient", "Sub", "Tanh"),
)
_REDUCTIONS = ("Max", "Mean", "Min", "Prod", "Sum")
_MIXERS = ("BatchMatMulV2", "Einsum", "MatMul")  # what mixes positions, as far as can be told
_NOT_VALUES = ("OnesLike", "Rank", "Shape", "ShapeN", "Size", "ZerosLike")  # they look at a tensor, not into it


@dataclass(frozen=True)
class Field:
    """What the cells of a layer see, in pixels of the network's input; every pair is (y, x).

    Attributes:
        size: pixels a cell sees along each axis, the padding around the picture included.
        step: pixels from one cell to the next.
        first: where the centre of cell 0 lies; 0 is the centre of the first pixel. Halves are common,
            negative numbers possible.
    """

    size: tuple[int, int]
    step: tuple[int, int]
    first: tuple[float, float]

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """The pixels that one cell sees, (x0, y0, x1, y1), the ends excluded; parts of it may lie outside."""
        starts = [
            round(first + cell * step - (size - 1) / 2)
            for first, cell, step, size in zip(self.first, (row, column), self.step, self.size, strict=True)
        ]
        return starts[1], starts[0], starts[1] + self.size[1], starts[0] + self.size[0]


def receptive_field(tensor: Any, pixels: Any) -> Field | None:
    """What the cells of one tensor see; see `receptive_fields`."""
    return receptive_fields([tensor], pixels)[0]


def receptive_fields(tensors: Sequence[Any], pixels: Any) -> list[Field | None]:
    """What the cells of each tensor see of the pixels, all found in one walk through their graph.

    Of parallel branches the widest counts, for each axis. A branch that sees the whole picture is left out
    where it only multiplies a map (squeeze and excitation).

    Args:
        tensors: outputs of layers, (N, h, w, K) or (N, K, h, w).
        pixels: (N, H, W, C), or (N, C, H, W) where that is what the axes look like. Height and width
            must be known where a strided window pads with SAME: its padding depends on them.

    Returns:
        None for tensors whose cells see the whole picture (pooling over all of it, dense layers), are not
        evenly spaced over the pixels (resized or transposed-convolved maps), or cannot be followed
        (grouped convolutions, which Keras hides in a compiled function).
    """
    seen: dict[str, _Seen] = {pixels.op.name: _Grid(_Line(), _Line(), _picture_axes(pixels.shape))}
    for op in ancestors(tensors):
        inputs = [seen.get(each.op.name) for each in op.inputs]
        if op.name not in seen and any(inputs) and op.type not in _NOT_VALUES:
            seen[op.name] = _through(op, inputs)
    return [_field(seen.get(tensor.op.name)) for tensor in tensors]


@dataclass(frozen=True)
class _Line:
    """What cells see along one axis."""

    size: int = 1
    step: int = 1
    first: float = 0.0

    def under(self, window: Window, before: int) -> "_Line":
        middle = (window.width - 1) / 2 - before
        return _Line(
            self.size + (window.width - 1) * self.step, self.step * window.stride, self.first + middle * self.step
        )

    def moved(self, cells: float) -> "_Line":
        return replace(self, first=self.first + cells * self.step)


@dataclass(frozen=True)
class _Grid:
    """Cells along two axes of a tensor."""

    y: _Line
    x: _Line
    axes: tuple[int, int]

    def each(self, change: Callable[[int, _Line], _Line]) -> "_Grid":
        """The grid with `change(0, y)` and `change(1, x)`."""
        return replace(self, y=change(0, self.y), x=change(1, self.x))


class _Else(Enum):
    """Why there is no grid."""

    EVERYTHING = "each cell sees the whole picture"
    UNKNOWN = "it cannot be said what a cell sees"


_Seen = _Grid | _Else


def _field(seen: _Seen | None) -> Field | None:
    if not isinstance(seen, _Grid):
        return None
    y, x = seen.y, seen.x
    return Field((y.size, x.size), (y.step, x.step), (y.first, x.first))


def _picture_axes(shape: Any) -> tuple[int, int]:
    channels_first = shape.rank == 4 and (shape[1] or 9) <= 4 < (shape[3] or 9)
    return (2, 3) if channels_first else (1, 2)


def _through(op: Any, inputs: Sequence[_Seen | None]) -> _Seen:
    """What the cells of an operation's outputs see, from what those of its inputs see (None: no pixels)."""
    states = [state for state in inputs if state is not None]
    if op.type in _CELL_BY_CELL:
        return _merged(op, inputs)
    if _Else.UNKNOWN in states or len(states) > 1:
        return _Else.UNKNOWN
    grid = states[0]
    if isinstance(grid, _Else) or op.type in _MIXERS:
        return _Else.EVERYTHING
    rule = _RULES.get(op.type)
    return (rule(op, grid) if rule else None) or _Else.UNKNOWN


def _merged(op: Any, inputs: Sequence[_Seen | None]) -> _Seen:
    states = [
        _Else.EVERYTHING if isinstance(state, _Grid) and _is_spread(tensor, op.outputs[0], state) else state
        for tensor, state in zip(op.inputs, inputs, strict=True)
        if state is not None
    ]
    grids = [state for state in states if isinstance(state, _Grid)]
    if _Else.UNKNOWN in states or len({(grid.axes, grid.y.step, grid.x.step) for grid in grids}) > 1:
        return _Else.UNKNOWN
    if not grids or (_Else.EVERYTHING in states and op.type != "Mul"):
        return _Else.EVERYTHING
    if op.type == "ConcatV2" and _constant(op.inputs[-1]) % op.outputs[0].shape.rank in grids[0].axes:
        return _Else.UNKNOWN
    y = max((grid.y for grid in grids), key=lambda line: line.size)
    return replace(grids[0], y=y, x=max((grid.x for grid in grids), key=lambda line: line.size))


def _is_spread(tensor: Any, output: Any, grid: _Grid) -> bool:
    """Whether one cell is repeated over a whole axis of the output."""
    return tensor.shape.rank != output.shape.rank or any(tensor.shape[a] == 1 != output.shape[a] for a in grid.axes)


def _windowed(op: Any, grid: _Grid) -> _Grid | None:
    axes, along = windows(op)
    padding = op.get_attr("padding")
    if axes != grid.axes or op.inputs[0].shape.rank != 4:
        return None
    if padding == b"SAME":
        margins = [window.same_padding(op.inputs[0].shape[a]) for window, a in zip(along, axes, strict=True)]
    else:
        explicit = op.get_attr("explicit_paddings") if padding == b"EXPLICIT" else [0] * 8
        margins = [(explicit[2 * axis], explicit[2 * axis + 1]) for axis in axes]
    if margins[0] is None or margins[1] is None:
        return None
    before = margins[0][0], margins[1][0]
    return grid.each(lambda k, line: line.under(along[k], before[k]))


def _padded(op: Any, grid: _Grid) -> _Grid | None:
    margins = _constant(op.inputs[1])  # (rank, 2)
    return None if margins is None else grid.each(lambda k, line: line.moved(-int(margins[grid.axes[k], 0])))


def _reduced(op: Any, grid: _Grid) -> _Seen | None:
    over = _constant(op.inputs[1])
    if over is None:
        return None
    axes = {int(axis) % op.inputs[0].shape.rank for axis in over.reshape(-1)}
    if axes & set(grid.axes):
        return _Else.EVERYTHING
    return grid if op.get_attr("keep_dims") else _at(grid, lambda axis: axis - sum(each < axis for each in axes))


def _to_batch(op: Any, grid: _Grid) -> _Grid | None:
    """A dilated convolution begins: every block-th cell, the first of them."""
    blocks, margins = _constant(op.inputs[1]), _constant(op.inputs[2])
    if blocks is None or margins is None or len(blocks) != 2 or grid.axes != (1, 2):
        return None
    return grid.each(lambda k, line: replace(line.moved(-int(margins[k, 0])), step=line.step * int(blocks[k])))


def _from_batch(op: Any, grid: _Grid) -> _Grid | None:
    blocks, crops = _constant(op.inputs[1]), _constant(op.inputs[2])
    if blocks is None or crops is None or len(blocks) != 2 or grid.axes != (1, 2):
        return None
    return grid.each(lambda k, line: replace(line, step=line.step // int(blocks[k])).moved(int(crops[k, 0])))


def _sliced(op: Any, grid: _Grid) -> _Grid | None:
    """Cropped, or thinned out; a channel taken out of a picture moves no cell."""
    begin, end, strides = (_constant(tensor) for tensor in op.inputs[1:4])
    masks = {name: op.get_attr(name + "_mask") for name in ("begin", "ellipsis", "new_axis", "shrink_axis")}
    if begin is None or end is None or strides is None or masks["new_axis"]:
        return None
    dots = masks["ellipsis"].bit_length() - 1 if masks["ellipsis"] else len(begin)
    rank = op.inputs[0].shape.rank
    place = [k if k < dots else k + rank - len(begin) for k in range(len(begin))]  # of each entry after the dots
    lines = [grid.y, grid.x]
    for k, axis in enumerate(place):
        if k == dots or axis not in grid.axes:
            continue
        cells = op.inputs[0].shape[axis]
        if strides[k] < 1 or masks["shrink_axis"] >> k & 1 or (begin[k] < 0 and cells is None):
            return None
        start = 0 if masks["begin"] >> k & 1 else int(begin[k]) + (cells if begin[k] < 0 else 0)
        which = grid.axes.index(axis)
        lines[which] = replace(lines[which].moved(start), step=lines[which].step * int(strides[k]))
    gone = [axis for k, axis in enumerate(place) if masks["shrink_axis"] >> k & 1]
    return _at(replace(grid, y=lines[0], x=lines[1]), lambda axis: axis - sum(each < axis for each in gone))


def _reshaped(op: Any, grid: _Grid) -> _Seen:
    """Channels alone are regrouped, or else positions are mixed."""
    before, after = op.inputs[0].shape, op.outputs[0].shape
    kept = grid.axes == (1, 2) and (after.rank or 0) > 2 and None not in before[1:3].as_list()
    return grid if kept and before[1:3].as_list() == after[1:3].as_list() else _Else.EVERYTHING


def _transposed(op: Any, grid: _Grid) -> _Grid | None:
    order = _constant(op.inputs[1])
    return None if order is None else _at(grid, lambda axis: order.tolist().index(axis))


def _expanded(op: Any, grid: _Grid) -> _Grid | None:
    where = _constant(op.inputs[1])
    return None if where is None else _at(grid, lambda axis: axis + (where % op.outputs[0].shape.rank <= axis))


def _squeezed(op: Any, grid: _Grid) -> _Grid | None:
    gone = [axis % op.inputs[0].shape.rank for axis in op.get_attr("squeeze_dims")]
    return None if not gone or set(gone) & set(grid.axes) else _at(grid, lambda a: a - sum(each < a for each in gone))


def _split(op: Any, grid: _Grid) -> _Grid | None:
    axis = _constant(op.inputs[0 if op.type == "Split" else 2])
    return None if axis is None or axis % op.outputs[0].shape.rank in grid.axes else grid


def _normalised(op: Any, grid: _Grid) -> _Seen:
    return _Else.EVERYTHING if op.outputs[0].shape.rank - 1 in grid.axes else grid


def _at(grid: _Grid, place: Callable[[int], int]) -> _Grid:
    """The grid in a tensor whose axes were moved: axis a now stands at place(a)."""
    return replace(grid, axes=(place(grid.axes[0]), place(grid.axes[1])))


def _constant(tensor: Any) -> np.ndarray | None:
    value = tf.get_static_value(tensor)
    return None if value is None else np.asarray(value)


_RULES: dict[str, Callable[[Any, _Grid], _Seen | None]] = {
    **dict.fromkeys((*CONVOLUTIONS, *_POOLINGS), _windowed),
    **dict.fromkeys(("MirrorPad", "Pad", "PadV2"), _padded),
    **dict.fromkeys(_REDUCTIONS, _reduced),
    **dict.fromkeys(("LogSoftmax", "Softmax"), _normalised),
    **dict.fromkeys(("Split", "SplitV"), _split),
    "BatchToSpaceND": _from_batch,
    "ExpandDims": _expanded,
    "Reshape": _reshaped,
    "SpaceToBatchND": _to_batch,
    "Squeeze": _squeezed,
    "StridedSlice": _sliced,
    "Transpose": _transposed,
}
