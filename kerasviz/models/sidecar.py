"""What lies beside a model: `MODEL.kerasviz.json` with its preprocessing, labels and default layer, `MODEL.labels.txt`.

A stranger may have written it: it is read as data of bounded size, names no code, and nothing that lies elsewhere.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasviz.errors import LayerError, OutputError, SettingError
from kerasviz.models.labels import Labels, as_labels
from kerasviz.models.preprocessing import NAMES, Preprocess, named

if TYPE_CHECKING:
    from kerasviz.models.network import Network

SIDECAR = ".kerasviz.json"
_LARGEST = 4 << 20  # bytes of a file beside a model
_ASSETS = 16  # files of a SavedModel that are looked at


@dataclass(frozen=True)
class Sidecar:
    """What the files beside a model say; None where they say nothing.

    Attributes:
        said_by: the file that holds the labels, for sentences about them.
    """

    preprocess: Preprocess | None = None
    labels: Labels | None = None
    layer: str | None = None
    said_by: str | None = None


def sidecar_of(model: str | Path) -> Sidecar:
    """What lies beside a model file or folder; MODEL is its path with or without its extension.

    Raises:
        SettingError: a file that cannot be read as what it should be.
    """
    for path in _beside(Path(model), SIDECAR):
        said = _read(path)
        labels, by = _labels(path, said.get("labels"))
        if labels is None:
            labels, by = _labels_beside(Path(model))
        asked = said.get("preprocess") or "auto"
        preprocess = None if asked == "auto" else named(asked, "sidecar")
        return Sidecar(preprocess, labels, said.get("layer") or None, by)
    labels, by = _labels_beside(Path(model))
    return Sidecar(labels=labels, said_by=by)


def labels_in_assets(model: str | Path, classes: set[int]) -> Labels | None:
    """The class names that a SavedModel carries: the one text among its assets with as many lines as classes."""
    try:
        files = sorted(Path(model, "assets").glob("*.txt"))[:_ASSETS]
        found = [as_labels(path) for path in files if path.is_file() and path.stat().st_size <= _LARGEST]
    except (OSError, SettingError):  # nobody said that these are labels
        return None
    fitting = [labels for labels in found if len(labels.names) in classes]
    return fitting[0] if len(fitting) == 1 else None


def sidecar_text(network: "Network") -> str:
    """What `save_beside` writes: all that is known of a network, so that it need not be said again.

    Raises:
        SettingError: photographs are scaled by a function, which such a file must not name.
    """
    found: dict[str, Any] = {}
    scaling, labels = network.preprocess, network.labels
    if scaling is not None and scaling.function is not None:
        raise SettingError(
            f"Expected preprocessing {', '.join(NAMES)} to write beside a model, found the function {scaling.name!r}: "
            "such a file names no code. Say it with --preprocess each time."
        )
    if scaling is not None:
        found["preprocess"] = scaling.name
    if labels.names:
        pairs = [list(pair) for pair in zip(labels.synsets, labels.names, strict=True)] if labels.synsets else None
        found["labels"] = pairs or list(labels.names)
    with contextlib.suppress(LayerError):  # a network without maps has none
        found["layer"] = network.default_layer
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def save_beside(network: "Network") -> Path:
    """Write `MODEL.kerasviz.json` beside the network's file.

    Raises:
        OutputError: it is there already, cannot be written, or the network is of no file.
    """
    if network.file is None:
        raise OutputError("Expected a network that was opened from a file, to write beside it; this one is live.")
    model, text = Path(network.file.path), sidecar_text(network)
    there = next(_beside(model, SIDECAR), None)
    path = model.with_name((model.name if model.is_dir() else model.stem) + SIDECAR)
    if there is not None or os.path.lexists(path):
        raise OutputError(f"{str(there or path)!r} is there already, and is not overwritten. Move it away first.")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written ({error.strerror}). Check the folder.") from error
    return path


def _beside(model: Path, ending: str) -> Iterator[Path]:
    """Those of `resnet.h5.ENDING` and `resnet.ENDING` that are there."""
    names = dict.fromkeys((model.name + ending, model.stem + ending))
    yield from (path for path in map(model.with_name, names) if path.is_file())


def _labels_beside(model: Path) -> tuple[Labels | None, str | None]:
    for path in _beside(model, ".labels.txt"):
        return as_labels(path), str(path)
    return None, None


def _labels(path: Path, said: Any) -> tuple[Labels | None, str | None]:
    """Names in the sidecar itself, or in a file beside it, never elsewhere."""
    if said is None:
        return None, None
    if not isinstance(said, str):
        try:
            return as_labels(said), str(path)
        except SettingError as error:
            raise _senseless(path, '"labels" is no list of names') from error
    name = Path(said.replace("\\", "/")).name
    if not name or name == "..":
        raise _senseless(path, f'"labels" is {said!r}, which names no file')
    return as_labels(path.with_name(name)), str(path.with_name(name))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise _senseless(path, f"it has {path.stat().st_size / 1e6:.0f} MB")
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, SettingError):
            raise
        raise _senseless(path, "it cannot be read as JSON") from error
    if not isinstance(said, dict):
        raise _senseless(path, "it is no object")
    for key in ("preprocess", "layer"):
        if not isinstance(said.get(key, ""), str | None):
            raise _senseless(path, f"{key!r} is no text")
    if (said.get("preprocess") or "auto") not in ("auto", *NAMES):  # a file of a stranger never names code to run
        raise _senseless(path, f'"preprocess" is {said["preprocess"]!r}, and must be one of {", ".join(NAMES)}')
    return said


def _senseless(path: Path, why: str) -> SettingError:
    return SettingError(
        f'Expected {str(path)!r} to hold {{"preprocess": NAME, "labels": [...], "layer": NAME}}, but {why:.300}. '
        "Repair or remove it, and say --preprocess and --labels yourself."
    )
