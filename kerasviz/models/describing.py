"""What a network is made of: one line for each call of each layer."""

import math
from dataclasses import dataclass

from kerasviz.models.receptive import Field, receptive_fields
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
    """

    path: str
    index: int
    type: str
    shape: tuple[int | None, ...]
    parameters: int
    field: Field | None
    maps: bool


def layers_of(view: View) -> list[LayerInfo]:
    """Every layer of a network, in the order of the calls."""
    taps = list(view.taps.values())
    fields = receptive_fields([tap.tensor for tap in taps], view.pixels)
    return [_info(tap, field) for tap, field in zip(taps, fields, strict=True)]


def _info(tap: Tap, field: Field | None) -> LayerInfo:
    weights = getattr(tap.layer, "weights", None) or []
    parameters = sum(math.prod(weight.shape) for weight in weights)
    kind, seen = tap.kind, field if len(tap.shape) == 3 else None
    return LayerInfo(tap.path, tap.index, kind, tap.shape, parameters, seen, tap.has_maps)
