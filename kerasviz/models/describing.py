"""What a network is made of: one line for each call of each layer."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kerasviz.models.receptive import Field, receptive_fields
from kerasviz.models.scopes import Part
from kerasviz.models.view import Tap, View


@dataclass(frozen=True)
class LayerInfo:
    """One call of one layer.

    Attributes:
        path: "outer/inner/conv"; the second call of a shared layer is "conv#1".
        index: in the order of the calls.
        type: the layer's class.
        shape: of its output, channels last, without the batch axis; None where any size is taken.
        parameters: its own; an inner model counts those of its layers.
        field: what a cell sees of the pixels; None where that is everything, or cannot be computed.
        maps: whether it returns maps (h, w, K).
        trainable: those of its parameters that training changes.
    """

    path: str
    index: int
    type: str
    shape: tuple[int | None, ...]
    parameters: int
    field: Field | None
    maps: bool
    trainable: int = 0


def layers_of(view: View) -> list[LayerInfo]:
    """Every layer of a network, in the order of the calls."""
    taps = list(view.taps.values())
    fields = receptive_fields([tap.tensor for tap in taps], view.pixels)
    return [_info(tap, field) for tap, field in zip(taps, fields, strict=True)]


def parameters_of(view: View) -> tuple[int, int]:
    """(all, trainable) parameters that lead to the outputs, each weight once however often its layer is called."""
    taps = view.taps.values()
    weights, trainable = (
        {id(weight): weight for tap in taps for weight in of(tap)}.values() for of in (_weights, _trainable)
    )
    return _count(weights), _count(trainable)


def _info(tap: Tap, field: Field | None) -> LayerInfo:
    parameters, trainable = _count(_weights(tap)), _count(_trainable(tap))
    seen = field if len(tap.shape) == 3 else None
    return LayerInfo(tap.path, tap.index, tap.kind, tap.shape, parameters, seen, tap.has_maps, trainable)


def _weights(tap: Tap) -> Sequence[Any]:
    """What a layer has learned, once each: a model that holds a layer under two names lists its weights twice."""
    weights = getattr(tap.layer, "weights", None) or []
    return list({id(weight): weight for weight in weights}.values())


def _trainable(tap: Tap) -> list[Any]:
    """Those that training changes: Keras 2 asks the layer, not the weight; parts of a SavedModel have weights alone."""
    if isinstance(tap.layer, Part):
        return [weight for weight in tap.layer.weights if weight.trainable]
    weights = getattr(tap.layer, "trainable_weights", None) or []
    return list({id(weight): weight for weight in weights}.values())


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
