"""The end that CAM needs: last maps, averaged, then one linear layer or none. Found in the graph, whatever built it."""

from dataclasses import dataclass
from typing import Any

from kerasviz.errors import TechniqueError
from kerasviz.lazy import tf
from kerasviz.models.gradients import slopes
from kerasviz.models.heads import Head
from kerasviz.models.view import View

_SAME = ("Identity", "Cast", "Squeeze", "Reshape", "ExpandDims", "StopGradient")
_BIASES = ("BiasAdd", "AddV2", "Add")


@dataclass(frozen=True)
class PooledHead:
    """Maps A (N, h, w, K), their mean over the places, and the linear layer to the scores.

    Attributes:
        maps: float32, channels last.
        pooled: the averaged maps, as the graph has them.
        weights: (K, C), W_kc; the identity where each class has a map of its own.
        path: the layer that gave the maps.
    """

    maps: Any
    pooled: Any
    weights: Any
    path: str

    def slopes(self, score: Any) -> Any:
        """d score / d mean of map k, (N, K): W_kc of a class c, differences of them for a contrast."""
        (found,) = slopes(score, [self.pooled])
        return tf.reshape(found, (-1, self.maps.shape[-1]))


def pooled_head(view: View, head: Head) -> PooledHead:
    """The pooled head behind an output; TechniqueError that names Grad-CAM where there is none."""
    linear, weights = _linear(_source(head.logits))
    pooled = _source(linear.inputs[0]) if linear is not None else _source(head.logits)
    maps = _averaged(pooled.op)
    if maps is None:
        raise TechniqueError(
            "CAM needs a network whose last maps are averaged (GlobalAveragePooling2D) and then go through one linear "
            f"layer at most; found {pooled.op.type} before the scores. Use gradcam, which explains any network."
        )
    tap = next((tap for tap in view.taps.values() if _source(tap.tensor) is _source(maps)), None)
    values = tf.cast(maps, tf.float32)
    if tap is not None and tap.channels_first:
        values = tf.transpose(values, (0, 2, 3, 1))
    identity = tf.eye(values.shape[-1], dtype=tf.float32)
    if weights is not None:
        weights = tf.reshape(tf.cast(weights, tf.float32), (values.shape[-1], -1))
    weights = identity if weights is None else weights
    if head.kind == "sides":
        weights = tf.concat([-weights, weights], 1)
    return PooledHead(values, pooled, weights, tap.path if tap else "maps")


def _source(tensor: Any) -> Any:
    """Back over what changes no number: identities, casts, reshapes, squeezes."""
    while tensor.op.type in _SAME:
        tensor = tensor.op.inputs[0]
    return tensor


def _linear(tensor: Any) -> tuple[Any, Any]:
    """The matrix product or 1 x 1 convolution that gives `tensor`, and its weights; or (None, None)."""
    op = tensor.op
    if op.type in _BIASES:
        branches = [_source(t).op for t in op.inputs]
        op = next((b for b in branches if b.type in ("MatMul", "Conv2D")), op)
    if op.type == "MatMul" and not op.get_attr("transpose_a"):
        weights = tf.transpose(op.inputs[1]) if op.get_attr("transpose_b") else op.inputs[1]
        return op, weights
    if (
        op.type == "Conv2D"
        and tuple(op.inputs[1].shape[:2]) == (1, 1)
        and _averaged(_source(op.inputs[0]).op) is not None
    ):
        return op, op.inputs[1]
    return None, None


def _averaged(op: Any) -> Any:
    """The maps whose mean over all places `op` takes, or None."""
    if op.type == "Mean":
        axes = tf.get_static_value(op.inputs[1])
        rank = op.inputs[0].shape.rank
        places = set() if axes is None or rank != 4 else {int(axis) % rank for axis in axes.reshape(-1)}
        return op.inputs[0] if places in ({1, 2}, {2, 3}) else None
    if op.type == "AvgPool" and op.outputs[0].shape[1:3] == (1, 1):
        window, shape = op.get_attr("ksize"), op.inputs[0].shape
        return op.inputs[0] if tuple(window[1:3]) == tuple(shape[1:3]) else None
    return None
