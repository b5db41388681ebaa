"""What lies beside a model file: `MODEL.kerasviz.json` with its preprocessing and labels, `MODEL.labels.txt`."""

import json
from pathlib import Path
from typing import Any

from kerasviz.errors import SettingError


def sidecar_of(model: str | Path) -> dict[str, Any]:
    """`preprocess` and `labels` as the files beside a model say; MODEL is its path with or without its extension."""
    found = _json(Path(model))
    if "labels" not in found:
        for path in _beside(Path(model), ".labels.txt"):
            found["labels"] = str(path)
    return found


def _beside(model: Path, ending: str) -> list[Path]:
    """The first of `resnet.h5.ENDING` and `resnet.ENDING` that is there."""
    names = [model.with_name(model.name + ending), model.with_name(model.stem + ending)]
    return [path for path in names if path.is_file()][:1]


def _json(model: Path) -> dict[str, Any]:
    for path in _beside(model, ".kerasviz.json"):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            good = isinstance(said, dict) and isinstance(said.get("preprocess", ""), str)
        except (OSError, UnicodeDecodeError, ValueError):
            good, said = False, {}
        if not good or ":" in said.get("preprocess", ""):  # a file of a stranger never names code to run
            raise SettingError(
                f'Expected {str(path)!r} to hold {{"preprocess": NAME, "labels": [...]}}; it does not. '
                "Repair or remove it, and say --preprocess yourself."
            )
        labels = said.get("labels")
        if isinstance(labels, str):  # a file beside it, never elsewhere
            said["labels"] = str(path.with_name(Path(labels).name))
        return {key: said[key] for key in ("preprocess", "labels") if said.get(key) is not None}
    return {}
