"""The weights in an HDF5 file that holds nothing else: which arrays of which layers, and whether a network fits them.

Keras lists layers in two ways. The old one (`weights-h5-legacy`) has them in the order of the network, each
with its weights: they are handed out in that order. The new one (`weights-h5`) has a group for each layer, called
after its class and counted: they are found by their paths. What does not fit is never left out.
"""

import itertools
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kerasviz.models.hdf5 import Checked, open_hdf5

SUFFIXES = {"weights-h5": ".weights.h5", "weights-h5-legacy": ".h5"}  # loaders choose by them
_DEPENDENCIES = "_layer_checkpoint_dependencies"  # how Keras 2.12 called the group `layers`
_CHANCE = re.compile(r"(.*/)?(seed_generator|_?random_generator)[^/]*(/.*)?")  # states of random numbers: no weights


@dataclass(frozen=True)
class Layer:
    """A layer that has weights.

    Attributes:
        name: as its author called it, where the file says that, else its path in the file.
        shapes: of its arrays.
        path: where it is found; empty where order counts.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    path: str = ""


def stored_layers(path: str | os.PathLike[str], kind: str) -> list[Layer]:
    """The layers in a file of weights, in its order; those without weights are left out.

    Args:
        path: a file that was scanned.
        kind: `weights-h5` or `weights-h5-legacy`.

    Raises:
        ValueError, OSError, KeyError: it is damaged.
    """
    with open_hdf5(path) as checked:
        layers = _in_order(checked) if kind == "weights-h5-legacy" else _by_path(checked)
        return [layer for layer in layers if layer.shapes]


def is_of_keras_3(path: str | os.PathLike[str], kind: str) -> bool | None:
    """Whether Keras 3 wrote it; None where the file does not say."""
    with open_hdf5(path) as checked:
        if kind == "weights-h5-legacy":
            return str(_text(checked.file.attrs.get("keras_version", "2"))).startswith("3")
        if _DEPENDENCIES in checked.file:
            return False
        return True if any(layer.name != layer.path for layer in _by_path(checked)) else None


def _in_order(checked: Checked) -> Iterator[Layer]:
    for name in _texts(checked.file, "layer_names"):
        group = checked.check(checked.file[name])
        arrays = [group[weight] for weight in _texts(group, "weight_names")]
        yield Layer(name, tuple(array.shape for array in arrays))


def _texts(group: Any, name: str) -> list[str]:
    """A list of texts, which Keras splits into parts where it is long."""
    if name in group.attrs:
        return [_text(value) for value in group.attrs[name]]
    parts = itertools.takewhile(lambda part: part in group.attrs, (f"{name}{k}" for k in itertools.count()))
    return [_text(value) for part in parts for value in group.attrs[part]]


def _text(value: Any) -> str:
    return value.decode("utf8", "replace") if isinstance(value, bytes) else str(value)


def _by_path(checked: Checked) -> Iterator[Layer]:
    import h5py

    pending = [("", checked.file)]
    while pending:
        place, group = pending.pop()
        names = sorted(group, key=_natural, reverse=True)
        pending += [(f"{place}/{name}", group[name]) for name in names if isinstance(group[name], h5py.Group)]
        arrays = [group[name] for name in reversed(names) if isinstance(group[name], h5py.Dataset)]
        path = place.removesuffix("/vars").replace(_DEPENDENCIES, "layers").strip("/")
        if arrays and not _CHANCE.fullmatch(path) and not path.startswith("optimizer"):
            called = checked.check(group).attrs.get("name")
            yield Layer(_text(called) if called else path, tuple(array.shape for array in arrays), path)


def _natural(name: str) -> list[tuple[int, str]]:
    """`conv2d_2` before `conv2d_10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def wanted_layers(model: Any, kind: str) -> list[Layer]:
    """What a network takes, in its order, as a file of that kind would list it."""
    if kind == "weights-h5-legacy":
        weights = {layer.name: [*layer.trainable_weights, *layer.non_trainable_weights] for layer in model.layers}
        return [Layer(name, tuple(tuple(w.shape) for w in found)) for name, found in weights.items() if found]
    with tempfile.TemporaryDirectory(prefix="kerasviz-") as folder:
        path = os.path.join(folder, f"model{SUFFIXES[kind]}")
        model.save_weights(path)
        return stored_layers(path, kind)


def difference(wanted: Sequence[Layer], stored: Sequence[Layer]) -> str:
    """The first layer in which a network and a file of weights differ, as the end of a sentence; empty: none does."""
    by_path = {layer.path: layer for layer in stored} if any(layer.path for layer in stored) else {}
    if not by_path and _swapped(wanted, stored):
        return f"it has the same layers in another order, beginning with {_swapped(wanted, stored)!r}"
    pairs: list[tuple[Layer | None, Layer | None]]
    if by_path:
        pairs = [(layer, by_path.pop(layer.path, None)) for layer in wanted]
        pairs += [(None, layer) for layer in by_path.values()]
    else:
        pairs = list(itertools.zip_longest(wanted, stored))
    for want, have in pairs:
        if want is None or have is None or want.shapes != have.shapes:
            counts = "" if len(wanted) == len(stored) else f"{len(wanted)} layers with weights, found {len(stored)}; "
            return f"{counts}{_told(want)}, found {_found(have)}"
    return ""


def _swapped(wanted: Sequence[Layer], stored: Sequence[Layer]) -> str:
    names = [layer.name for layer in wanted], [layer.name for layer in stored]
    if names[0] == names[1] or sorted(names[0]) != sorted(names[1]):
        return ""
    return next(want for want, have in zip(*names, strict=True) if want != have)


def _told(layer: Layer | None) -> str:
    return "no further layer" if layer is None else f"{_sizes(layer)} for its layer {layer.name!r}"


def _found(layer: Layer | None) -> str:
    return "none for it" if layer is None else f"{_sizes(layer)} of {layer.name!r}"


def _sizes(layer: Layer) -> str:
    shown = [" x ".join(map(str, shape)) or "one number" for shape in layer.shapes[:4]]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def with_plain_groups(path: str) -> None:
    """Rename, in a private copy, the groups of Keras 2.12 to what all later releases call them."""
    import h5py

    with open_hdf5(path) as checked:
        if _DEPENDENCIES not in checked.file:
            return
    with h5py.File(path, "r+") as file:
        pending = [file]
        while pending:
            group = pending.pop()
            if _DEPENDENCIES in group and "layers" not in group:
                group.move(_DEPENDENCIES, "layers")
            pending += [item for item in group.values() if isinstance(item, h5py.Group)]
