"""The fast copy of a network from a file: weights baked in, BatchNorm folded into the convolutions, checked equal.

    conv(x, w) -> [+ bias] -> * scale -> + shift     becomes     conv(x, w * scale) -> + (bias * scale + shift)

The copy is a picture of the weights at one moment: later training does not show in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasviz.lazy import tf
from kerasviz.models.constants import Weights
from kerasviz.models.operations import CONVOLUTIONS, ancestors, windows

# Constants travel through a protocol buffer (2 GB at most), and every compiled question holds a copy of them.
LARGEST = 500_000_000  # bytes of weights

Build = Callable[[Any], Sequence[Any]]  # pixels (N, H, W, C) -> tensors, inside the function that is being traced

_SUMS = ("Add", "AddV2", "BiasAdd")


@dataclass(frozen=True, eq=False)
class Folded:
    """A frozen copy of a network that can be built into any graph.

    Gradients through it are taken with `tf.gradients`: a GradientTape does not see imported operations.

    Attributes:
        definition: a GraphDef whose only input is `pixels`.
        pixels: name of that input.
        fetches: names of the tensors that `build` returns.
        folds: how many convolutions took in a BatchNorm.
    """

    definition: Any = field(repr=False)
    pixels: str
    fetches: tuple[str, ...]
    folds: int

    def build(self, pixels: Any) -> list[Any]:
        """Import the copy into the current graph; the fetched tensors, in the order they were asked for."""
        inside = list(dict.fromkeys(name for name in self.fetches if name != self.pixels))
        made = tf.graph_util.import_graph_def(self.definition, {self.pixels: pixels}, inside, name="folded")
        found = {self.pixels: pixels, **dict(zip(inside, made, strict=True))}
        return [found[name] for name in self.fetches]


def fold(graph: Any, pixels: Any, fetches: Sequence[Any]) -> Folded | None:
    """The fast copy of a traced network, or None where none can be had or nothing would be gained.

    Args:
        graph: the flat graph of a concrete function; its variables are captures.
        pixels: the graph's placeholder for the pixels.
        fetches: tensors of `graph` that the copy returns. Nothing is folded across one of them, so each keeps
            its value and its gradient.

    Returns:
        None where no BatchNorm follows a convolution, where weights take more than 500 MB, and where the way from
        pixels to fetches holds what a copy would change: another input, state other than variables, calls of
        functions, a custom gradient other than that of silu (x * sigmoid(b * x)).
    """
    operations = ancestors(fetches)
    weights = Weights(graph, pixels, operations)
    if weights.size(operations) > LARGEST or not all(_can_be_copied(op, pixels, weights) for op in operations):
        return None
    kept = {tensor.name for tensor in fetches}
    tails = _tails(operations, kept, weights)
    if not tails or all(op.name != pixels.op.name for op in operations):
        return None
    definition = _Writer(pixels, kept, weights, tails).definition(fetches)
    return Folded(definition, pixels.name, tuple(tensor.name for tensor in fetches), len(tails))


def agree(plain: Build, copy: Build, spec: Any, *, values: float = 1e-4, slopes: float = 0.05, seed: int = 0) -> bool:
    """Whether a copy returns what the network itself returns, and has its pixel gradient, on noise of 0..255.

    The gradient is that of the sum of each tensor's largest entry, picture by picture. It is compared coarsely:
    rounding puts a few of a million rectifiers on the other side of their threshold, which moves the gradient of
    a trained network by up to a hundredth (measured against float64, the copy is the nearer of the two).
    A gradient that is really another one differs by much more.

    Args:
        plain: builds the network.
        copy: builds the copy; the same tensors in the same order.
        spec: of the pixels. Where a size is left open, 2 pictures of 96 x 96 are looked at.
        values: largest norm of a difference of tensors, relative to the norm of what the network itself gives.
        slopes: the same for the gradient.
        seed: of the noise.
    """
    open_sizes = (2, 96, 96, 3)
    shape = [size or other for size, other in zip(spec.shape, open_sizes, strict=True)]
    noise = tf.random.stateless_uniform(shape, (seed, 0), 0, 255, spec.dtype)

    def differences(pixels: Any) -> Any:
        ours, theirs = list(plain(pixels)), list(copy(pixels))
        best = [_largest(tensor) for tensor in ours]
        gradients = [
            tf.gradients([tensor * mask for tensor, mask in zip(tensors, best, strict=True)], pixels)[0]
            for tensors in (ours, theirs)
        ]
        return [_difference(*pair) for pair in zip(ours, theirs, strict=True)], _difference(*gradients)

    compiled = tf.function(differences, autograph=False).get_concrete_function(noise)
    found, slope = compiled(noise)
    return all(float(difference) <= values for difference in found) and float(slope) <= slopes


def _largest(tensor: Any) -> Any:
    """Where the largest entry of each picture's values stands: 1 there, 0 elsewhere."""
    flat = tf.reshape(tensor, (tf.shape(tensor)[0], -1))
    mask = tf.one_hot(tf.argmax(flat, -1), tf.shape(flat)[-1], dtype=tensor.dtype)
    return tf.stop_gradient(tf.reshape(mask, tf.shape(tensor)))


def _difference(one: Any, other: Any) -> Any:
    """Norm of the difference relative to the norm of `one`; 0 where neither is there, infinite where one is not."""
    if one is None or other is None:
        return tf.constant(0.0 if one is other else np.inf)
    return tf.norm(one - other) / tf.maximum(tf.norm(one), np.finfo("float32").tiny)


def _can_be_copied(op: Any, pixels: Any, weights: Weights) -> bool:
    if op.type == "Placeholder":
        return op.name == pixels.op.name or weights.holds(op.outputs[0])
    if op.type == "ReadVariableOp":
        return weights.holds(op.inputs[0])
    reads_state = any(tensor.dtype == tf.resource for tensor in op.inputs)
    calls = any(value.HasField("func") or value.list.func for value in op.node_def.attr.values())
    custom = "_gradient_op_type" in op.node_def.attr and not _is_silu(op)
    return not (reads_state or calls or custom)


def _is_silu(op: Any) -> bool:
    """Whether a custom gradient is silu's, which equals the natural one: IdentityN(x * sigmoid(b * x), x, b)."""
    product = op.inputs[0].op
    if op.type != "IdentityN" or product.type != "Mul":
        return False
    x, gate = product.inputs
    inner = gate.op.inputs[0] if gate.op.type == "Sigmoid" else None
    return inner is not None and x.name in [inner.name, *(t.name for t in inner.op.inputs if inner.op.type == "Mul")]


@dataclass(frozen=True)
class Tail:
    """A convolution and what follows it channel by channel: `end` = convolution with `kernel`, plus `bias`."""

    convolution: Any
    end: Any
    kernel: np.ndarray  # float64, of the shape it had
    bias: np.ndarray  # float64 (C,)


def _tails(operations: Sequence[Any], kept: set[str], weights: Weights) -> list[Tail]:
    users: dict[str, list[Any]] = {}
    for op in operations:
        for tensor in op.inputs:
            users.setdefault(tensor.name, []).append(op)
    convolutions = [op for op in operations if op.type in CONVOLUTIONS and op.outputs[0].dtype.size >= 4]
    return [tail for op in convolutions if (tail := _tail(op, users, kept, weights))]


def _tail(convolution: Any, users: dict[str, list[Any]], kept: set[str], weights: Weights) -> Tail | None:
    """Follow the result to its only user for as long as that scales and shifts channels; None where nothing scales."""
    kernel = weights.value(convolution.inputs[1])
    if kernel is None:
        return None
    own = kernel.shape[2:] if convolution.type == "DepthwiseConv2dNative" else kernel.shape[3:]  # channels out
    end, scale, bias, scaled = convolution, np.ones(np.prod(own)), np.zeros(np.prod(own)), False
    while (result := end.outputs[0]).name not in kept and len(users.get(result.name, ())) == 1:
        following = users[result.name][0]
        step = _scale_and_shift(following, result, convolution.get_attr("data_format"), weights)
        side_results = {tensor.name for tensor in following.outputs[1:]}
        if step is None or side_results & (kept | users.keys()) or any(np.size(s) not in (1, scale.size) for s in step):
            break
        end, scale, bias = following, scale * step[0], bias * step[0] + step[1]
        scaled = scaled or following.type not in (*_SUMS, "Identity")
    return Tail(convolution, end, kernel * scale.reshape(own), bias) if scaled else None


def _scale_and_shift(op: Any, x: Any, layout: bytes, weights: Weights) -> tuple[Any, Any] | None:
    """(a, b), each a number or (C,), where `op` computes a * x + b channel by channel; else None."""
    first = op.inputs[0].name == x.name
    if op.type == "Identity":
        return 1, 0
    if op.type == "FusedBatchNormV3" and first and not op.get_attr("is_training"):
        gamma, beta, mean, variance = (weights.value(tensor) for tensor in op.inputs[1:5])
        if gamma is None or beta is None or mean is None or variance is None or op.get_attr("data_format") != layout:
            return None
        scale = gamma / np.sqrt(variance + op.get_attr("epsilon"))
        return scale, beta - mean * scale
    if op.type not in (*_SUMS, "Mul", "RealDiv", "Sub") or (op.type == "RealDiv" and not first):
        return None
    axis = -3 if layout == b"NCHW" and op.type != "BiasAdd" else -1  # a bias is (C,) whatever the layout
    own = op.inputs[1 if first else 0]
    other = _per_channel(weights.value(own), axis)
    if other is None or (op.type in _SUMS and own.shape.rank == 0):  # no bias: the 3 that tells a hard sigmoid
        return None
    if op.type == "Sub":
        return (1, -other) if first else (-1, other)
    return (1, other) if op.type in _SUMS else (other if op.type == "Mul" else 1 / other, 0)


def _per_channel(value: np.ndarray | None, axis: int) -> np.ndarray | None:
    """A value that differs along the channels' axis only, (C,) or (1,); else None."""
    if value is None or value.ndim > 4:
        return None
    along = value.shape[axis] if value.ndim >= -axis else 1
    return value.reshape(-1) if value.size == along else None


class _Writer:
    """Writes the copy: only what the fetches need, every node under its old name."""

    def __init__(self, pixels: Any, kept: set[str], weights: Weights, tails: Sequence[Tail]):
        self._pixels, self._kept, self._weights = pixels, kept, weights
        self._starts = {tail.convolution.name: tail for tail in tails}
        self._ends = {tail.end.name: tail for tail in tails}

    def definition(self, fetches: Sequence[Any]) -> Any:
        """The GraphDef that computes `fetches` from the pixels."""
        definition = tf.compat.v1.GraphDef(versions=self._pixels.graph.graph_def_versions)
        done, waiting = {self._pixels.op.name}, [tensor.op for tensor in fetches]
        while waiting:
            op = waiting.pop()
            if op.name not in done:
                done.add(op.name)
                nodes, inputs = self._nodes(op)
                definition.node.extend(nodes)
                waiting += [tensor.op for tensor in inputs]
        return definition

    def _nodes(self, op: Any) -> tuple[list[Any], list[Any]]:
        """What stands for `op` in the copy, and the tensors of the original that it needs."""
        stored = self._weights.stored(op.outputs[0]) if op.outputs else None
        if stored is not None:
            return [_constant(op.name, stored, op.outputs[0].dtype)], []
        if op.name in self._ends:
            return self._bias(self._ends[op.name])
        node, inputs = op.node_def, [self._seen_through(tensor) for tensor in op.inputs]
        if op.type in CONVOLUTIONS and self._pads_as_same(op, inputs[0].op):
            node.attr["padding"].s = b"SAME"
            inputs[0] = self._seen_through(inputs[0].op.inputs[0])
        if op.name in self._starts:
            kernel = _constant(op.name + "/kernel", self._starts[op.name].kernel, inputs[1].dtype)
            return [_linked(node, [inputs[0].name, kernel.name]), kernel], inputs[:1]
        return [_linked(node, [tensor.name for tensor in inputs])], inputs

    def _bias(self, tail: Tail) -> tuple[list[Any], list[Any]]:
        x = tail.convolution.outputs[0]
        bias = _constant(tail.end.name + "/bias", tail.bias, x.dtype)
        node = tf.compat.v1.NodeDef(name=tail.end.name, op="BiasAdd")
        node.attr["T"].type = x.dtype.as_datatype_enum
        node.attr["data_format"].s = tail.convolution.get_attr("data_format")
        return [_linked(node, [x.name, bias.name]), bias], [x]

    def _seen_through(self, tensor: Any) -> Any:
        """The tensor that this one equals, value and gradient: what cannot be told apart need not be computed."""
        op = tensor.op
        if tensor.name in self._kept or op.name in self._ends:
            return tensor
        if op.type in ("Identity", "IdentityN"):
            return self._seen_through(op.inputs[tensor.value_index])
        if op.type == "Mul":
            for factor, other in (op.inputs, reversed(op.inputs)):
                value = self._weights.value(factor)
                if value is not None and value.shape == () and value == 1:
                    return self._seen_through(other)
        return tensor

    def _pads_as_same(self, convolution: Any, pad: Any) -> bool:
        """Whether a `Pad` before a convolution adds just the zeros that its own SAME padding would add."""
        if pad.type != "Pad" or pad.outputs[0].name in self._kept or convolution.get_attr("padding") != b"VALID":
            return False
        axes, along = windows(convolution)
        same: list[tuple[int, int] | None] = [(0, 0)] * 4
        for axis, window in zip(axes, along, strict=True):
            same[axis] = window.same_padding(pad.inputs[0].shape[axis])
        margins = tf.get_static_value(pad.inputs[1])
        return margins is not None and [tuple(pair) for pair in margins.tolist()] == same


def _linked(node: Any, inputs: Sequence[str]) -> Any:
    """The node with these inputs, without what ties it to a place or to a custom gradient."""
    del node.input[:]  # with the control edges, which would keep the whole network alive
    node.input.extend(inputs)
    for name in ("_class", "_gradient_op_type"):
        node.attr.pop(name, None)
    return node


def _constant(name: str, value: np.ndarray, dtype: Any) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype, value.shape))
    return node
