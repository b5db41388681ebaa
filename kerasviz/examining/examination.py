"""A network, and perhaps pictures -> Diagnosis."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kerasviz.errors import LayerError, SettingError
from kerasviz.examining.diagnosis import (
    DefaultLayer,
    Diagnosis,
    InputFacts,
    LabelFacts,
    NetworkFacts,
    OutputFacts,
    Parameters,
    Pictures,
    Scaling,
)
from kerasviz.examining.files import facts_of
from kerasviz.examining.pictures import looked_at
from kerasviz.examining.trials import tried
from kerasviz.inputs.given import Given
from kerasviz.inputs.sources import Source
from kerasviz.models.describing import layers_of, parameters_of
from kerasviz.models.heads import Head
from kerasviz.models.last_maps import is_answer
from kerasviz.models.network import Network
from kerasviz.models.view import View
from kerasviz.runs.reading import Read

_HOW = {
    "given": "as it was said when the model was opened",
    "sidecar": "the file beside the model says so",
    "inside": "certain: the network's own layers take pixels so",
}
_NOTHING = Pictures((), 0, 0, ())

Batches = Iterable[tuple[int, Sequence[Read]]]


def describe(network: Network, images: Any = None) -> Diagnosis:
    """The diagnosis of a network; `images` as engines take them."""
    if images is None:
        return examined(network)
    given, _ = network.prepare(images)
    return examined(network, _batches(network, given))


def examined(network: Network, batches: Batches | None = None) -> Diagnosis:
    """The diagnosis of a network that was opened.

    Args:
        network: it may be of a file or live; one that was never built needs pictures.
        batches: pictures, as `runs.pipeline.batches` gives them; None where there are none.

    Raises:
        ModelError: the network was never built and there are no pictures, or it cannot be traced.
    """
    pictures, question = None, ""
    if batches is not None:
        try:
            pictures = looked_at(network, batches)
        except SettingError as error:  # how pixels are scaled must be said first
            if network.preprocess is not None:
                raise
            pictures, question = _NOTHING, str(error)
    file = facts_of(network.file.path) if network.file else None
    return Diagnosis(network.title, file, None, _network(network, question), pictures)


def _network(network: Network, question: str) -> NetworkFacts:
    view, trial = network.description, tried(network)
    total, trainable = parameters_of(view)
    specs = enumerate(network.input_specs)
    return NetworkFacts(
        inputs=tuple(InputFacts(one.name, tuple(one.shape[1:]), one.dtype, k == 0) for k, one in specs),
        outputs=tuple(_output(head) for head in view.heads),
        parameters=Parameters(total, trainable, total - trainable),
        layers=tuple(layers_of(view)),
        default=_default(view),
        scaling=_scaling(network, question),
        labels=_labels(network),
        steady=trial.steady,
        techniques=trial.techniques,
    )


def _batches(network: Network, given: Sequence[Given]) -> Iterator[tuple[int, list[Read]]]:
    """Pictures that are in memory, some at once; those that never were files have a number."""
    size = network.default_batch(given)
    for first in range(0, len(given), size):
        reads = []
        for k, one in enumerate(given[first : first + size], first):
            path = one.photo.path if one.photo else None
            name = str(path or one.name or f"image_{k:04d}")
            reads.append(Read(k, Source(Path(name), name), one))
        yield size, reads


def _output(head: Head) -> OutputFacts:
    shape = tuple(head.output.shape[1:])
    units = shape[-1] if shape else None
    linear = head.activation == "linear"
    end = "neither softmax nor sigmoid" if linear else head.activation
    if head.kind == "map" and is_answer(head):
        shown, said = "map", f"a map of {units} classes" if units != 1 else "a map of one class"
        said += f", {end}"
    elif head.kind in ("sides", "values") and units == 1:
        shown = "one unit"
        said = "one number" if linear else "sigmoid of one unit: class 1 has its logit, class 0 minus that"
    elif head.kind in ("classes", "values"):
        shown = head.activation
        said = f"{units} classes or values, {end}" if linear else f"{end} over {units} classes"
        said += ", each by itself" if head.activation == "sigmoid" else ""
    else:
        shown, said = "other", "features: no classes, no map of them, no values"
    return OutputFacts(head.name, shape, shown, said, head.scale)


def _default(view: View) -> DefaultLayer:
    """The layer, and what comes after it."""
    try:
        last = view.last_maps()
    except LayerError as error:
        return DefaultLayer(None, str(error))
    size = " x ".join("?" if side is None else str(side) for side in last.shape)
    if view.default is not None:
        return DefaultLayer(last.path, f"the file beside the model names it: {size}")
    after = next((tap for tap in list(view.taps.values())[last.index + 1 :] if not tap.has_maps), None)
    if any(head.kind == "map" and is_answer(head) for head in view.heads):
        where = f"before the output {view.heads[0].name!r}"
    elif after is None:
        where = "of the network"
    elif "Pooling" in after.kind:
        where = f"before pooling in {after.path!r}"
    else:
        where = f"before they become one row in {after.path!r}"
    return DefaultLayer(last.path, f"the last maps {where}: {size}")


def _scaling(network: Network, question: str) -> Scaling:
    found = network.preprocess
    if found is None:
        return Scaling(None, None, question or network.scaling_question)
    name = found.how.removeprefix("family ")
    family = f"{name} was published so, its ImageNet head is there, and its statistics do not speak against it"
    return Scaling(found.name, found.how, _HOW.get(found.how, family))


def _labels(network: Network) -> LabelFacts:
    names = network.labels.names
    if not names:
        return LabelFacts(0, (), "no names: classes are numbers; give --labels FILE")
    return LabelFacts(len(names), names[:3], f"{len(names)} names")
