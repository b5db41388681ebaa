"""Rectifiers: the operations of a traced network that pass what is above a threshold, and nothing below it.

    relu(x), relu6(x), max(x, 0), max(min(x, b), 0), x where x > t else 0

Not the ones inside other non-linearities: relu6(x + 3) / 6 is a hard sigmoid, relu(x) - a * relu(-x) a leaky ReLU.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.lazy import tf
from kerasviz.models.operations import ancestors

RECTIFIER = "ReLU"
_OTHERS = {
    "Elu": "ELU",
    "Selu": "SELU",
    "LeakyRelu": "leaky ReLU",
    "Sigmoid": "sigmoid or swish",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Erf": "GELU",
    "Erfc": "GELU",
}
_ABOVE, _BELOW = ("Greater", "GreaterEqual"), ("Less", "LessEqual")
_SELECTS, _SUMS = ("Select", "SelectV2"), ("Add", "AddV2", "AddN", "Sub")
_FLAT = ("StopGradient", "PreventGradient", "Round", "Rint", "Floor", "Ceil", "Sign", "ZerosLike", "OnesLike")


@dataclass(frozen=True)
class Rectifiers:
    """What stands between the pixels and a score.

    Attributes:
        operations: the rectifiers.
        others: how many other non-linearities there are, by name.
        hidden: how many rectifiers stand in functions that the graph calls (tf.function, loops, conditions).
    """

    operations: tuple[Any, ...]
    others: Counter[str]
    hidden: int


def rectifiers(score: Any, pixels: Any) -> Rectifiers:
    """Those that a gradient passes on its way from `score` to `pixels`, tensors of one graph."""
    way = _way(score, pixels)
    kinds = [(op, non_linearity(op)) for op in way]
    return Rectifiers(
        tuple(op for op, kind in kinds if kind == RECTIFIER),
        Counter(kind for _, kind in kinds if kind not in ("", RECTIFIER)),
        _hidden(score.graph, way),
    )


def non_linearity(op: Any) -> str:
    """What an operation is: RECTIFIER, the name of another non-linearity, or nothing."""
    x = rectified(op)
    if x is None:
        return _OTHERS.get(op.type, "")
    bounded = _bounded(x)
    if bounded is not None and rectified(bounded[0].op) is not None:
        return ""  # max(min(relu(x), b), 0): counted where relu(x) is
    if _is_gate(op, x):
        return "hard sigmoid"
    if _is_half(op, x):
        return "leaky ReLU" if _negated(x) is None else ""  # its other half is counted
    return RECTIFIER


def rectified(op: Any) -> Any:
    """The x of max(x, 0) or of what else `op` writes it as; None where it is nothing of the kind."""
    if op.type in ("Relu", "Relu6"):
        return op.inputs[0]
    x = None
    if op.type == "Maximum":
        x = next((a for a, b in _both(op) if _is_zero(b)), None)
    elif op.type == "Mul":
        x = next((a for a, b in _both(op) if _source(b).op.type in _ABOVE and _compares(_source(b).op, a)), None)
    elif op.type in _SELECTS:
        condition, then, other = op.inputs
        if condition.op.type in _ABOVE and _is_zero(other) and _compares(condition.op, then):
            x = then
        elif condition.op.type in _BELOW and _is_zero(then) and _compares(condition.op, other):
            x = other
    if x is None or not x.dtype.is_floating or not x.shape.is_compatible_with(op.outputs[0].shape):
        return None
    return x


def _way(score: Any, pixels: Any) -> list[Any]:
    """The operations that a gradient passes, as far as it is not known beforehand that it is 0."""
    varying = {pixels.op.name}
    for op in ancestors([score]):
        if any(tensor.op.name in varying for tensor in op.inputs):
            varying.add(op.name)
    found: dict[str, Any] = {}
    waiting = [score.op]
    while waiting:
        op = waiting.pop()
        if op.name in found or op.name not in varying or op.type in _FLAT:
            continue
        found[op.name] = op
        waiting += [tensor.op for tensor in op.inputs if tensor.dtype.is_floating or tensor.dtype == tf.variant]
    return list(found.values())


def _hidden(graph: Any, operations: Iterable[Any]) -> int:
    """How many rectifiers stand in the functions that these operations call, to any depth."""
    called = [name for op in operations for name in _functions(op)]
    if not called:
        return 0
    from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

    library = {function.signature.name: function for function in graph.as_graph_def().library.function}
    count = 0
    with graph.as_default():  # where functions that are called inside are looked up
        while called:
            inside = function_def_to_graph(library[called.pop()]).get_operations()
            count += sum(non_linearity(op) == RECTIFIER for op in inside)
            called += [name for op in inside for name in _functions(op)]
    return count


def opening(op: Any) -> Any:
    """Where a rectifier is open, bool in the shape of what it returns."""
    if op.type in _SELECTS:
        condition = op.inputs[0]
        return condition if condition.op.type in _ABOVE else tf.logical_not(condition)
    if op.type == "Mul":
        mask = next(b for a, b in _both(op) if _rectifies(op, a))
        return tf.cast(mask, tf.bool)
    return op.outputs[0] > 0


def _functions(op: Any) -> Iterator[str]:
    """Names of the functions that an operation calls."""
    for value in op.node_def.attr.values():
        names = [value.func.name] if value.HasField("func") else [function.name for function in value.list.func]
        yield from names


def _both(op: Any) -> list[tuple[Any, Any]]:
    """An operation's two inputs, either one first."""
    a, b = op.inputs
    return [(a, b), (b, a)]


def _source(tensor: Any) -> Any:
    """Back over identities and casts."""
    while tensor.op.type in ("Identity", "Cast"):
        tensor = tensor.op.inputs[0]
    return tensor


def _compares(comparison: Any, x: Any) -> bool:
    """Whether it is `x` that is compared, and with a number."""
    first, second = comparison.inputs
    return _source(first).ref() == _source(x).ref() and _number(second) is not None


def _number(tensor: Any) -> float | None:
    """The value of a constant scalar."""
    if not tensor.dtype.is_floating or tensor.shape.num_elements() != 1:
        return None
    value = tf.get_static_value(tensor)
    return None if value is None else float(np.asarray(value, "float64").item())


def _is_zero(tensor: Any) -> bool:
    """Whether it is a constant of zeros."""
    origin = _source(tensor)
    if origin.op.type == "ZerosLike":
        return True
    filled = origin.op.inputs[1] if origin.op.type == "Fill" else origin
    if filled.op.type != "Const":
        return False
    return not np.any(tf.get_static_value(filled))


def _bounded(tensor: Any) -> tuple[Any, float] | None:
    """(x, b) where the tensor is min(x, b)."""
    if tensor.op.type != "Minimum":
        return None
    return next(((x, bound) for x, other in _both(tensor.op) if (bound := _number(other)) is not None), None)


def _is_gate(op: Any, x: Any) -> bool:
    """Whether it is a hard sigmoid: held between 0 and b, of something plus b / 2."""
    bounded = _bounded(x)
    inside, bound = bounded or (x, 6.0 if op.type == "Relu6" else None)
    if bound is None:  # min(max(x, 0), b)
        users = [_bounded(user.outputs[0]) for user in op.outputs[0].consumers() if user.type == "Minimum"]
        bound = next((found[1] for found in users if found), None)
    sum_ = _source(inside).op
    if bound is None or sum_.type not in ("Add", "AddV2"):
        return False
    return any(n is not None and np.isclose(n, bound / 2, rtol=1e-3) for n in map(_number, sum_.inputs))


def _is_half(op: Any, x: Any) -> bool:
    """Whether relu(x) or relu(-x) is one part of a sum that goes on below 0: leaky ReLU, PReLU, CELU."""
    inside = _negated(x)
    if inside is not None:
        return _is_summed(op) and any(_rectifies(user, inside) for user in inside.consumers())
    users = x.consumers()
    if any(user.type == "Minimum" and any(_is_zero(t) for t in user.inputs) for user in users):
        return True
    turned = [user.outputs[0] for user in users if user.type == "Neg"]
    turned += [user.outputs[0] for t in turned for user in t.consumers() if user.type in ("Add", "AddV2")]
    return any(_rectifies(user, t) and _is_summed(user) for t in turned for user in t.consumers())


def _negated(x: Any) -> Any:
    """The u of -u or of -u plus a number; None where it is something else."""
    if x.op.type in ("Add", "AddV2") and any(_number(tensor) is not None for tensor in x.op.inputs):
        x = next(tensor for tensor, other in _both(x.op) if _number(other) is not None)
    return x.op.inputs[0] if x.op.type == "Neg" else None


def _rectifies(op: Any, x: Any) -> bool:
    found = rectified(op)
    return found is not None and found.name == x.name


def _is_summed(op: Any) -> bool:
    """Whether what it returns, times something, is added to something; no other use is made of it."""
    users = op.outputs[0].consumers()
    while len(users) == 1 and users[0].type in ("Mul", "Neg", "Identity", "Cast"):
        users = users[0].outputs[0].consumers()
    return len(users) == 1 and users[0].type in _SUMS
