"""Pixels on their way through a graph, as long as each channel is only scaled, shifted and moved about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kerasviz.lazy import tf
from kerasviz.models.constants import Weights

_SAME: tuple[str, ...] = (
    "Identity",
    "IdentityN",
    "StopGradient",
    "PreventGradient",
    "Snapshot",
    "CheckNumerics",
    "EnsureShape",
    "Cast",
)
_SAME += ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea", "ScaleAndTranslate")
_SAME += ("Pad", "PadV2", "MirrorPad", "SpaceToBatchND", "Minimum", "Maximum", "ClipByValue")
_RESHAPING = ("Reshape", "Squeeze", "ExpandDims")
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "AddV2": np.add,
    "BiasAdd": np.add,
    "Div": np.divide,
    "DivNoNan": np.divide,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Sub": np.subtract,
}


@dataclass(frozen=True, eq=False)
class Pixels:
    """Channel k of a tensor is scale[k] * channel source[k] of the pixels + offset[k]; all arrays are (C,).

    Attributes:
        axis: of the channels; None where there is one channel and no axis for it.
    """

    axis: int | None
    source: np.ndarray
    scale: np.ndarray
    offset: np.ndarray

    @classmethod
    def of(cls, pixels: Any) -> "Pixels":
        """Pixels (N, H, W, C) as they come."""
        channels = int(pixels.shape[-1])
        return cls(pixels.shape.rank - 1, np.arange(channels), np.ones(channels), np.zeros(channels))

    def picked(self, index: Any, axis: int | None) -> "Pixels":
        """The channels of these numbers."""
        index = np.atleast_1d(index)
        return Pixels(axis, self.source[index], self.scale[index], self.offset[index])


def after(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    """What the outputs of an operation hold, where it does no more than that; else None.

    Args:
        known: what its inputs hold; None for those that are no such pixels.
        weights: what does not depend on the pixels.
    """
    rule = _RULES.get(op.type)
    if op.outputs and op.outputs[0].shape.rank is not None and rule is not None:
        return rule(op, known, weights)
    return None


def _constant(tensor: Any) -> Any:
    """The value of a tensor that the graph itself holds, or None."""
    return tf.get_static_value(tensor)


def _number(tensor: Any, weights: Weights) -> np.ndarray | None:
    """What a tensor holds that does not depend on the pixels, float64."""
    value = weights.value(tensor)
    if value is None and (whole := _constant(tensor)) is not None:  # a whole number that is cast
        value = np.asarray(whole, np.float64)
    return value


def _same(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    if op.type == "IdentityN":
        return [one for one in known if one] if all(known) else None
    rest = [t for t, one in zip(op.inputs, known, strict=True) if one is None]
    first = next(one for one in known if one)
    fixed = op.type not in ("Minimum", "Maximum") or all(_number(t, weights) is not None for t in rest)
    return [first] if fixed and sum(one is not None for one in known) == 1 else None


def _calculated(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    """Pixels with a number, a number a channel, or a picture of numbers, of which the mean counts."""
    left, right = known
    pixels, other = (left, op.inputs[1]) if left else (right, op.inputs[0])
    value = _number(other, weights) if None in (left, right) else None
    if pixels is None or value is None or _is_batch_norm(other) or (right and op.type in ("RealDiv", "Div")):
        return None
    row = _by_channel(value, op.outputs[0].shape.rank, pixels.axis, op.type == "BiasAdd")
    if row is None:
        return None
    calculate = _ARITHMETIC[op.type]
    zero = np.zeros_like(row) if calculate in (np.add, np.subtract) else row
    pair = (lambda a, b: (a, b)) if left else (lambda a, b: (b, a))
    scale, offset = calculate(*pair(pixels.scale, zero)), calculate(*pair(pixels.offset, row))
    return [Pixels(pixels.axis, np.broadcast_to(pixels.source, scale.shape), scale, offset)]


def _is_batch_norm(tensor: Any) -> bool:
    """A BatchNormalization at the very beginning follows the pixels that it was trained on; nobody chose it."""
    waiting, seen = [tensor.op], set()
    while waiting:
        op = waiting.pop()
        if op.type == "Rsqrt":
            return True
        if op.name not in seen:
            seen.add(op.name)
            waiting += [each.op for each in op.inputs]
    return False


def _by_channel(value: np.ndarray, rank: int, axis: int | None, vector: bool) -> np.ndarray | None:
    if value.size == 1 or axis is None:
        return np.array([value.mean()])
    if vector:
        return value
    if value.ndim > rank:
        return None
    whole = np.moveaxis(value.reshape((1,) * (rank - value.ndim) + value.shape), axis, -1)
    return whole.reshape(-1, whole.shape[-1]).mean(0)


def _negated(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    one = known[0]
    return [replace(one, scale=-one.scale, offset=-one.offset)] if one else None


def _transposed(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    order, one = _constant(op.inputs[1]), known[0]
    if order is None or one is None:
        return None
    return [one if one.axis is None else replace(one, axis=list(order).index(one.axis))]


def _reshaped(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    one, before, now = known[0], op.inputs[0].shape, op.outputs[0].shape
    if one is None or len(one.source) == 1:
        return [replace(one, axis=None)] if one else None
    last = one.axis == before.rank - 1 and now[-1] == len(one.source) and now.rank == before.rank
    return [one] if last else None


def _reversed(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    axes, one, rank = _constant(op.inputs[1]), known[0], op.outputs[0].shape.rank
    if axes is None or one is None:
        return None
    turned = one.axis is not None and one.axis in [axis % rank for axis in axes]
    return [one.picked(_numbers(one)[::-1], one.axis) if turned else one]


def _numbers(one: Pixels) -> np.ndarray:
    """The numbers of all channels."""
    return np.arange(len(one.source))


def _gathered(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    index, axis, one = _constant(op.inputs[1]), _constant(op.inputs[2]), known[0]
    if index is None or axis is None or one is None or one.axis != axis % op.inputs[0].shape.rank:
        return None
    return [one.picked(index, one.axis if np.ndim(index) else None)]


def _joined(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    rank, parts = op.outputs[0].shape.rank, [one for one in known if one]
    pack = op.type == "Pack"
    axis = op.get_attr("axis") if pack else _constant(op.inputs[-1])
    if axis is None or len(parts) != len(op.inputs) - (not pack):
        return None
    axis %= rank
    if any(len(one.source) != 1 if one.axis is None or pack else one.axis != axis for one in parts):
        return None
    arrays = [np.concatenate([getattr(one, name) for one in parts]) for name in ("source", "scale", "offset")]
    return [Pixels(axis, *arrays)]


def _taken_apart(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    one = next(one for one in known if one)
    unpack, rank = op.type == "Unpack", op.outputs[0].shape.rank + (op.type == "Unpack")
    axis = op.get_attr("axis") if unpack else _constant(op.inputs[0 if op.type == "Split" else 2])
    if axis is None or one.axis is None or axis % rank != one.axis:
        return None
    ends = np.cumsum([1 if unpack else out.shape[one.axis] for out in op.outputs])
    parts = np.split(_numbers(one), ends[:-1])
    return [one.picked(part, None if unpack else one.axis) for part in parts]


def _tiled(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    one, times = known[0], _constant(op.inputs[1])
    if one is None or times is None or (one.axis is None and op.outputs[0].shape[-1] != times[-1]):
        return None
    axis = len(times) - 1 if one.axis is None else one.axis
    return [one.picked(np.tile(_numbers(one), times[axis]), axis)]


def _sliced(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    """`x[..., ::-1]`, `x[:, 2:30, 2:30]`, `x[..., 0]`: what happens to the axis of the channels."""
    one, spec = known[0], [_constant(tensor) for tensor in op.inputs[1:]]
    if one is None or one.axis is None or any(each is None for each in spec):
        return [one] if one and len(one.source) == 1 else None
    mask = {name: op.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    count, new = len(spec[0]), bin(mask["new_axis"]).count("1")
    axis, place = 0, 0  # of the input, of the output
    for k in range(count):
        bit = 1 << k
        step = op.inputs[0].shape.rank - (count - 1 - new) if mask["ellipsis"] & bit else 1
        if mask["new_axis"] & bit:
            place += 1
            continue
        if axis <= one.axis < axis + step:
            place += one.axis - axis
            if mask["ellipsis"] & bit:
                return [replace(one, axis=place)]
            if mask["shrink_axis"] & bit:
                return [one.picked(_numbers(one)[spec[0][k]], None)]
            first, last = (None if mask[n] & bit else s[k] for n, s in zip(("begin", "end"), spec, strict=False))
            return [one.picked(_numbers(one)[first : last : spec[2][k]], place)]
        axis += step
        place += 0 if mask["shrink_axis"] & bit else step
    return [replace(one, axis=one.axis - axis + place)]


def _cropped(op: Any, known: Sequence[Pixels | None], weights: Weights) -> list[Pixels] | None:
    one = known[0]
    whole = one is not None and (one.axis is None or op.outputs[0].shape[one.axis] == len(one.source))
    return [one] if one and whole else None


_RULES: dict[str, Callable[..., list[Pixels] | None]] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_RESHAPING, _reshaped),
    **dict.fromkeys(_ARITHMETIC, _calculated),
    "ConcatV2": _joined,
    "GatherV2": _gathered,
    "Neg": _negated,
    "Pack": _joined,
    "ReverseV2": _reversed,
    "Slice": _cropped,
    "Split": _taken_apart,
    "SplitV": _taken_apart,
    "StridedSlice": _sliced,
    "Tile": _tiled,
    "Transpose": _transposed,
    "Unpack": _taken_apart,
}
