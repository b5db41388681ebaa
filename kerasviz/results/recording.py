"""The record of a result: how it was made, as one line of JSON says it, and enough to make it again."""

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np

import kerasviz
from kerasviz.results.data import ResultData
from kerasviz.results.drawing import Drawing
from kerasviz.settings import settings_of

SCHEMA = 1  # within a number keys are added, never renamed
_MADE_BY = ("tensorflow", "keras", "tf_keras", "numpy", "opencv-python-headless", "pillow")


def record_of(
    result: ResultData, files: Mapping[str, str], drawing: Drawing, options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """How a result was made, and what came out.

    Args:
        result: what an engine returned.
        files: style -> path below the output folder.
        drawing: how it was drawn.
        options: further options as they were typed, which the result itself does not know (labels, trust, ...).
    """
    origin, photo = result.origin, result.given.photo
    return beginning(result.engine, origin.file, result.status, result.messages) | {
        "diagnosis": dict(result.diagnosis),
        "network": {"way": origin.way},
        "image": {
            "path": photo and photo.path,
            "sha256": photo and photo.sha256,
            "width": result.photo.shape[1],
            "height": result.photo.shape[0],
            **({"notes": list(photo.notes)} if photo and photo.notes else {}),
        },
        "preprocess": _preprocess(result),
        "batch": origin.batch,
        "layer": result.layer and {"path": result.layer.path, "index": result.layer.index},
        "target": result.target and asdict(result.target),
        "predictions": [asdict(prediction) for prediction in result.predictions],
        "values": _values(result),
        "placement": drawing.placement,
        "options": {**_options(result, drawing), **(options or {})},
        "files": dict(files),
        "seconds": {"explain": round(result.seconds, 6)},
    }


def beginning(engine: Any, file: Any, status: str, messages: Sequence[str]) -> dict[str, Any]:
    """What the record of a picture that failed has in common with one that did not.

    Args:
        engine: the technique and its settings, or None.
        file: the ModelFile, or None for a live model.
        status: `ok`, `warning`, `failed` or `skipped`.
        messages: plain sentences.
    """
    model = {name: getattr(file, name, None) for name in ("path", "sha256", "format", "writer")}
    if described := getattr(file, "architecture", None):
        model["architecture"] = {"given": described[0], "sha256": described[1]}
    return {
        "schema": SCHEMA,
        "kerasviz": kerasviz.__version__,
        "versions": versions(),
        "status": status,
        "messages": list(messages),
        **({"technique": engine.technique.name, "settings": engine.settings} if engine else {}),
        "model": model,
    }


@cache
def versions() -> dict[str, str]:
    """What the numbers and the bytes of the pictures depend on: Python and the packages that make them."""
    found = {"python": platform.python_version()}
    for name in _MADE_BY:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # OpenCV goes by several names
            continue
    return found


def _preprocess(result: ResultData) -> dict[str, Any]:
    given, known = result.given, result.origin.preprocess
    if given.photo is not None:
        return {"name": known and known.name, "how": known and known.how, "fit": given.fit.how}
    undone = known is not None and known.invertible
    drawn = {"how": "undone", "name": known.name} if undone else {"how": "stretched", "span": given.span}
    return {"name": None, "how": "the network's own input", "fit": None, "drawn": drawn}


def _values(result: ResultData) -> dict[str, Any]:
    """The values in a few numbers; those that are not finite become null."""
    values = np.asarray(result.values)
    return {
        "shape": list(values.shape),
        "min": values.min(),
        "max": values.max(),
        "sum": float(values.sum(dtype=np.float64)),
        "signed": bool(result.engine.signed or values.min() < 0),
    }


def _options(result: ResultData, drawing: Drawing) -> dict[str, Any]:
    """What must be typed to get the same again, beyond the settings: nothing that is the default."""
    origin = result.origin
    found: dict[str, Any] = dict(origin.said)
    if result.given.photo is not None and result.given.fit.how != "squash":
        found["fit"] = result.given.fit.how
    if origin.preprocess is not None and origin.preprocess.how == "given":
        found["preprocess"] = origin.preprocess.name
    if origin.way == "fast":
        found["fast"] = True
    chosen = {field.name: getattr(drawing, field.name) for field in settings_of(drawing)}
    return found | {name: value for name, value in chosen.items() if value != getattr(Drawing, name)}
