"""Which layer is explained when none is named: the last maps of the network, after their non-linearity, before pooling.

Peers take the last layer with four axes, and so end up behind the pooling (MobileNetV3 goes on with convolutions of
one cell), in a branch (Inception), at an output (U-Net), or at queries and keys.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kerasviz.errors import LayerError
from kerasviz.models.heads import Head
from kerasviz.models.operations import CONVOLUTIONS
from kerasviz.models.watching import own_path

if TYPE_CHECKING:
    from kerasviz.models.view import Tap

_NOT_THE_LAST_MAPS: tuple[str, ...] = (
    "Pooling",
    "Padding",
    "Cropping",
    "UpSampling",
    "Identity",
    "Rescaling",
    "Resizing",
)
_NOT_THE_LAST_MAPS += ("Dropout", "GaussianNoise", "ActivityRegularization")  # nothing happens there for inference
_NO_GRID = "Attention"  # queries, keys, values and scores inside have four axes, but no height and width
_RESHAPING = ("Identity", "Cast", "Reshape", "Transpose", "Squeeze", "ExpandDims")
_RECTIFYING = ("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Tanh", "Sigmoid")
_RESIZING = ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "DepthToSpace")
_MAKING = (  # maps that are an answer; Keras hides grouped convolutions in a call
    *(*CONVOLUTIONS, "Conv2DBackpropInput", "MatMul", "BatchMatMulV2", "Einsum"),
    *("PartitionedCall", "StatefulPartitionedCall"),
)
_READING = ("ReadVariableOp", "Const", "Placeholder")


def last_maps(taps: Mapping[str, "Tap"], heads: Sequence[Head]) -> "Tap":
    """The last layer with maps: after its non-linearity, before pooling, and not an output itself.

    Args:
        taps: path -> output of a layer, in the order of the calls.
        heads: one for each output of the model.

    Raises:
        LayerError: no layer has maps.
    """
    ends, containers = _ends(heads), containers_of(taps)
    spatial = [tap for tap in taps.values() if tap.has_maps and not _is(taps, tap, _NO_GRID, outside=True)]
    inner = [tap for tap in spatial if source(tap.tensor).ref() not in ends and tap.path not in containers]
    chosen = [t for t in inner if not _is(taps, t, *_NOT_THE_LAST_MAPS) and not _is(taps, t, "Pad", outside=True)]
    if not (chosen or inner):
        raise LayerError(
            "Expected a layer with maps, (N, height, width, channels); this network has none. "
            "Use saliency, which needs no layer."
        )
    return (chosen or inner)[-1]


def containers_of(taps: Mapping[str, "Tap"]) -> set[str]:
    """Paths of what returns the output of a layer inside it: that layer is the one to name."""
    inner = {(path.rpartition("/")[0], source(tap.tensor).ref()) for path, tap in taps.items()}
    return {path for path, tap in taps.items() if (own_path(path), source(tap.tensor).ref()) in inner}


def source(tensor: Any) -> Any:
    """Back over identities and casts."""
    while tensor.op.type in ("Identity", "Cast"):
        tensor = tensor.op.inputs[0]
    return tensor


def _is(taps: Mapping[str, "Tap"], tap: "Tap", *words: str, outside: bool = False) -> bool:
    """Whether the type of a layer, or of the one around it, has one of these words in its name."""
    one = taps.get(tap.path.rpartition("/")[0]) if outside else tap
    return one is not None and any(word in one.kind for word in words)


def _ends(heads: Sequence[Head]) -> set[Any]:
    """Outputs and logits, and for maps what they are before they are reshaped or enlarged: no layer before the end."""
    ends = set()
    for head in heads:
        if head.kind == "map" and not is_answer(head):
            continue
        for tensor in (head.output, head.logits):
            ends |= {tensor.ref(), source(tensor).ref()}
            while head.kind == "map" and tensor.op.type in (*_RESHAPING, *_RESIZING):
                tensor = tensor.op.inputs[0]
                ends.add(tensor.ref())
    return ends


def is_answer(head: Head) -> bool:
    """Whether maps say something themselves: a backbone without its head returns its last maps, which are features.

    A segmentation ends in a softmax or sigmoid, or in a convolution; a backbone in an addition, a concatenation,
    a normalisation, a pooling.
    """
    if head.activation != "linear":
        return True
    op = head.output.op
    while step := _before(op):
        op = step
    return op.type in _MAKING


def _before(op: Any) -> Any:
    """What stands before a bias, an activation, a resizing or a reshaping; None before anything else."""
    if op.type in (*_RESHAPING, *_RECTIFYING, *_RESIZING, "BiasAdd") and op.inputs:
        return op.inputs[0].op
    if op.type in ("Add", "AddV2"):
        varying = [tensor.op for tensor in op.inputs if not _is_stored(tensor.op)]
        return varying[0] if len(varying) == 1 else None
    return None


def _is_stored(op: Any) -> bool:
    """Whether an operation gives a weight, perhaps reshaped: nothing that depends on pixels."""
    while op.type in _RESHAPING and op.inputs:
        op = op.inputs[0].op
    return op.type in _READING
