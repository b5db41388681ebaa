"""What a target is worth, inside a trace: classes, maps of a segmentation, values, units of layers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import TargetError
from kerasviz.lazy import tf
from kerasviz.models.heads import Head
from kerasviz.models.view import View

NOBODY = np.int32(-1)  # the index of what is no class, unit or channel


@dataclass(frozen=True)
class Score:
    """What a target is worth, inside a trace."""

    value: Any  # (N,) float32, differentiable
    index: Any  # (N,) int32: class, unit or channel; -1 where there is none
    kind: str  # class, map, value, unit, neuron, callable
    scale: str  # logit, output, probability
    head: Head | None = None
    layer: str | None = None
    shape: tuple[int | None, ...] = ()  # (units,) or (h, w, channels) that the target's numbers must stay below


def class_score(head: Head, row: Any, probability: bool, ranks: int) -> Score:
    if head.kind not in ("classes", "sides"):
        raise TargetError(
            f"Expected a network with one score a class, found output {head.name!r} {tuple(head.output.shape)}. "
            "Use map:CLASS for a segmentation, value for a regression, or layer:channel."
        )
    scores = head.probabilities if probability else head.scores
    if ranks > scores.shape[-1]:  # said before so many gradients are traced
        raise TargetError(
            f"Expected top1 to top{scores.shape[-1]}, as many as the network has classes, found 'top{ranks}'."
        )
    ranked = tf.math.top_k(head.scores, ranks).indices
    index = tf.where(row[:, 0] >= 0, row[:, 0], tf.gather(ranked, row[:, 1], axis=1, batch_dims=1))
    value = _picked(scores, index) - tf.where(row[:, 2] >= 0, _picked(scores, tf.maximum(row[:, 2], 0)), 0.0)
    scale = "probability" if probability and head.activation != "linear" else head.scale
    return Score(value, index, "class", scale, head, shape=(scores.shape[-1],))


def _picked(scores: Any, index: Any) -> Any:
    return tf.gather(scores, index, axis=1, batch_dims=1)  # (N, C), (N,) -> (N,)


def map_score(head: Head, index: Any, box: Any) -> Score:
    """The sum of a class's logits where it is predicted, within a box (x0, y0, x1, y1) in shares of the input."""
    if head.kind != "map":
        raise TargetError(
            f"Expected a segmentation output (N, height, width, classes), found {tuple(head.output.shape)}. "
            "Use a class number or name."
        )
    logits = head.logits
    if logits.shape[-1] == 1:
        logits = tf.concat([-logits, logits], -1)
    winner = tf.argmax(logits, -1, tf.int32)  # (N, h, w)
    area = tf.reduce_sum(tf.one_hot(winner, logits.shape[-1]), (1, 2))  # (N, C)
    if head.logits.shape[-1] == 1:
        area *= tf.constant([0.0, 1.0])  # one sigmoid channel is asked about its foreground
    index = tf.where(index >= 0, index, tf.argmax(area, -1, tf.int32))
    mine = tf.cast(winner == index[:, None, None], tf.float32) * _inside(box, tf.shape(winner))
    chosen = tf.gather(logits, tf.maximum(index, 0), axis=3, batch_dims=1)  # (N, h, w)
    return Score(
        tf.reduce_sum(chosen * tf.stop_gradient(mine), (1, 2)),
        index,
        "map",
        head.scale,
        head,
        shape=(logits.shape[-1],),
    )


def _inside(box: Any, shape: Any) -> Any:
    """(N, h, w): 1 where a cell's centre lies in the box."""
    y = (tf.range(shape[1], dtype=tf.float32) + 0.5) / tf.cast(shape[1], tf.float32)
    x = (tf.range(shape[2], dtype=tf.float32) + 0.5) / tf.cast(shape[2], tf.float32)
    rows = (y >= box[:, 1:2]) & (y <= box[:, 3:4])
    columns = (x >= box[:, 0:1]) & (x <= box[:, 2:3])
    return tf.cast(rows[:, :, None] & columns[:, None, :], tf.float32)


def value_score(head: Head, units: Any) -> Score:
    """A regression's own output: what a softmax or sigmoid gives is a class's probability, and is asked for so."""
    if head.output.shape.rank != 2:
        raise TargetError(
            f"Expected value for an output (N, values), found {head.name!r} {tuple(head.output.shape)}. "
            "Use map:CLASS for a segmentation, or layer:channel."
        )
    if head.activation != "linear":
        raise TargetError(
            f"Expected value for a regression, found output {head.name!r}, which gives probabilities. "
            "Use a class number or name, or p(CLASS)."
        )
    return Score(_picked(head.output, units), units, "value", "output", head, shape=(head.output.shape[-1],))


def head_score(head: Head, numbers: Any, named: bool) -> Score:
    """Units of an output; `named` where it is one class of the output that the labels are about."""
    if head.scores.shape.rank != 2:
        raise TargetError(f"Expected an output (N, units), found {head.name!r} of shape {tuple(head.output.shape)}.")
    signs = tf.cast(numbers[:, :, 0], tf.float32)
    value = tf.reduce_sum(tf.gather(head.scores, numbers[:, :, 1], axis=1, batch_dims=1) * signs, 1)
    return Score(
        value, numbers[:, 0, 1], "class" if named else "unit", head.scale, head, shape=(head.scores.shape[-1],)
    )


def layer_score(view: View, place: str, shape: tuple[str, ...], whole: bool, numbers: Any) -> Score:
    tap = view.tap(place)
    values = tap.values  # (N, h, w, K) or (N, K)
    if whole:
        value = tf.reduce_mean(tf.square(values), tuple(range(1, values.shape.rank)))
        return Score(value, tf.fill(tf.shape(value), NOBODY), "unit", "output", layer=tap.path)
    if "neuron" in shape and values.shape.rank != 4:
        raise TargetError(
            f"Expected a layer with maps for a neuron @row,column, found {tap.path!r} {tuple(values.shape)}."
        )
    value = tf.zeros(tf.shape(values)[:1])
    for k, kind in enumerate(shape):
        channel = tf.gather(values, numbers[:, k, 1], axis=values.shape.rank - 1, batch_dims=1)
        if kind == "neuron":
            part = tf.gather_nd(channel, numbers[:, k, 2:4], batch_dims=1)
        else:
            part = tf.reduce_mean(channel, tuple(range(1, channel.shape.rank))) if channel.shape.rank > 1 else channel
        value += tf.cast(numbers[:, k, 0], tf.float32) * part
    kind = "neuron" if "neuron" in shape else "unit"
    return Score(value, numbers[:, 0, 1], kind, "output", layer=tap.path, shape=tuple(values.shape[1:]))
