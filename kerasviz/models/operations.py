"""Operations of a traced graph: which of them lead to a tensor, and what windows they move over maps."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def ancestors(tensors: Iterable[Any]) -> list[Any]:
    """Every operation that leads to `tensors`, in the order of the graph: inputs stand before what uses them."""
    found: dict[str, Any] = {}
    waiting = [tensor.op for tensor in tensors]
    graph = waiting[0].graph
    while waiting:
        op = waiting.pop()
        if op.name not in found:
            found[op.name] = op
            waiting += [tensor.op for tensor in op.inputs]
    return [op for op in graph.get_operations() if op.name in found]


def depends(tensor: Any, source: Any) -> bool:
    """Whether `source` leads to `tensor`, both of one graph."""
    return any(op is source.op for op in ancestors([tensor]))


@dataclass(frozen=True)
class Window:
    """A window along one axis: `width` cells from its first to its last, moved by `stride`."""

    width: int
    stride: int

    def same_padding(self, cells: int | None) -> tuple[int, int] | None:
        """(before, after) that TensorFlow's SAME adds to so many cells; None where it depends on what is unknown."""
        if self.stride == 1:
            total = self.width - 1
        elif cells is None:
            return None
        else:
            total = max(0, (-(-cells // self.stride) - 1) * self.stride + self.width - cells)
        return total // 2, total - total // 2


def windows(op: Any) -> tuple[tuple[int, int], tuple[Window, Window]]:
    """The (y, x) axes of a convolution or pooling, and its window along each."""
    axes = (2, 3) if op.get_attr("data_format") == b"NCHW" else (1, 2)
    if op.type in CONVOLUTIONS:
        widths = op.inputs[1].shape.as_list()[:2]
        dilations = [op.get_attr("dilations")[axis] for axis in axes]
    else:
        widths, dilations = [op.get_attr("ksize")[axis] for axis in axes], [1, 1]
    strides = [op.get_attr("strides")[axis] for axis in axes]
    y, x = (Window((w - 1) * d + 1, s) for w, d, s in zip(widths, dilations, strides, strict=True))
    return axes, (y, x)
