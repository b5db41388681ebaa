"""What the variables of a traced network hold, and what follows from them without any pixels."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from kerasviz.lazy import tf

_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Maximum": np.maximum,
    "Mul": np.multiply,
    "Neg": np.negative,
    "RealDiv": np.divide,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
}
_RESHAPED = ("Cast", "ExpandDims", "Identity", "Reshape", "Squeeze")


class Weights:
    """What the variables of a traced function hold, and what follows from them alone, in float64."""

    def __init__(self, graph: Any, pixels: Any, operations: Iterable[Any]):
        self._varying = {pixels.op.name}  # operations that depend on the pixels
        for op in operations:
            if any(tensor.op.name in self._varying for tensor in op.inputs):
                self._varying.add(op.name)
        self._captured = {inside.name: outside for outside, inside in graph.captures if hasattr(outside, "numpy")}
        self._values: dict[str, np.ndarray | None] = {}

    def holds(self, placeholder: Any) -> bool:
        """Whether a placeholder stands for something that was captured."""
        return placeholder.name in self._captured

    def size(self, operations: Iterable[Any]) -> int:
        """Bytes of the variables that `operations` read."""
        read = [op.outputs[0] for op in operations if op.type == "ReadVariableOp"]
        return sum(tensor.dtype.size * (tensor.shape.num_elements() or 0) for tensor in read)

    def stored(self, tensor: Any) -> np.ndarray | None:
        """A captured tensor, or a variable as it is read, in its own type; None for anything else."""
        if tensor.op.type == "ReadVariableOp":
            with tf.init_scope():
                handle = self._captured[tensor.op.inputs[0].name]
                return tf.raw_ops.ReadVariableOp(resource=handle, dtype=tensor.dtype).numpy()
        return self._captured[tensor.name].numpy() if self.holds(tensor) else None

    def value(self, tensor: Any) -> np.ndarray | None:
        """The value of a tensor that does not depend on the pixels, float64; None where it is not known."""
        if tensor.name not in self._values:
            self._values[tensor.name] = self._computed(tensor) if tensor.dtype.is_floating else None
        return self._values[tensor.name]

    def _computed(self, tensor: Any) -> np.ndarray | None:
        op = tensor.op
        if op.name in self._varying:
            return None
        if op.type == "Const":
            return tf.make_ndarray(op.get_attr("value")).astype("float64")
        if op.type in ("Placeholder", "ReadVariableOp"):
            stored = self.stored(tensor)
            return None if stored is None else stored.astype("float64")
        if op.type in _RESHAPED:
            value = self.value(op.inputs[0])
            return value.reshape(tensor.shape) if value is not None and tensor.shape.is_fully_defined() else None
        values = [self.value(each) for each in op.inputs] if op.type in _ARITHMETIC else [None]
        return None if any(value is None for value in values) else _ARITHMETIC[op.type](*values)
