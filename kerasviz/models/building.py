"""One door into a model: it is built into the current graph, and every layer's output is found there."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasviz.errors import KerasvizError, ModelError
from kerasviz.lazy import tf
from kerasviz.models.doors import Door, output_names
from kerasviz.models.heads import head
from kerasviz.models.importing import Imported
from kerasviz.models.preserving import preserving
from kerasviz.models.view import Tap, View
from kerasviz.models.watching import Call, watching

_tracing = threading.RLock()  # Keras does not trace in two threads at once


def build(
    model: Any, door: Door, pixels: Any, others: Sequence[Any], scaling: Callable[[Any], Any] | None = None
) -> View:
    """The network for `pixels` (N, H, W, C), inside the function that is being traced.

    Variables are live: the function sees what later training makes of them. The model is left as it was.
    """
    named = {one.name: value for one, value in zip(door.others, others, strict=True)}
    scaled = scaling(pixels) if scaling else pixels
    if isinstance(model, Imported):
        outputs, calls = model.build(door.values(scaled, named))
    else:
        outputs, calls = _watched(model, door, scaled, named)
    flat = [t for t in tf.nest.flatten(outputs) if tf.is_tensor(t)]
    if not flat or any(t.shape.rank is None for t in flat):
        raise ModelError("Expected a model that returns tensors of a known rank; this one does not.")
    heads = tuple(head(name, t) for name, t in zip(output_names(model, outputs, len(flat)), flat, strict=True))
    return View(pixels, heads, _taps(calls, flat, door))


def _watched(model: Any, door: Door, pixels: Any, others: Mapping[str, Any]) -> tuple[Any, list[Call]]:
    with _tracing, preserving(model), _autograph(), watching() as seen:
        return _called(model, door, pixels, others), seen.calls


def _called(model: Any, door: Door, pixels: Any, others: Mapping[str, Any]) -> Any:
    try:
        return door.enter(model, pixels, others)
    except KerasvizError:
        raise
    except Exception as error:
        said = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"Expected a model that can be traced, found one whose call fails: {type(error).__name__}: {said} "
            "Its call must work on tensors, as in model.predict, and fit the pictures' shape."
        ) from error


def _autograph() -> Any:
    """As where Keras itself traces a model: tf_keras rewrites Python's `if` on tensors only where AutoGraph is on."""
    now = tf.__internal__.autograph.control_status_ctx()
    return type(now)(status=type(now.status).ENABLED)


def _taps(calls: Sequence[Call], outputs: Sequence[Any], door: Door) -> dict[str, Tap]:
    """Layers whose output leads to an output of the model; the rest (cells of recurrent layers) are decoys."""
    graph, needed = outputs[0].graph, _ancestors(outputs)
    taps: dict[str, Tap] = {}
    known: dict[Any, bool] = {}
    for call in calls:
        tensors = [t for t in tf.nest.flatten(call.output) if tf.is_tensor(t) and getattr(t, "graph", None) is graph]
        if tensors and tensors[0].op.name in needed:
            known[tensors[0].ref()] = first = _channels_first(call.layer, tensors[0], door, known)
            taps[call.path] = Tap(call.path, len(taps), call.layer, tensors[0], first)
    return taps


def _channels_first(layer: Any, tensor: Any, door: Door, known: Mapping[Any, bool]) -> bool:
    """Whether a layer returns (N, K, h, w): as it says itself, else as the layer before it (`known`, by tensor)."""
    said = getattr(layer, "data_format", None)
    if said == "channels_first" or tensor.shape.rank != 4 or door.layout == "NCHW":
        return said == "channels_first" or tensor.shape.rank == 4
    while said is None and tensor.op.inputs and tensor.op.type != "Transpose":
        tensor = tensor.op.inputs[0]
        if tensor.ref() in known:
            return known[tensor.ref()]
    return False


def _ancestors(outputs: Sequence[Any]) -> set[str]:
    names: set[str] = set()
    waiting = [t.op for t in outputs]
    while waiting:
        op = waiting.pop()
        if op.name not in names:
            names.add(op.name)
            waiting += [t.op for t in op.inputs]
    return names
