"""A model file as far as it can be told without opening it, and so without TensorFlow."""

import os
from typing import Any

from kerasviz.errors import ModelError
from kerasviz.examining.diagnosis import Diagnosis, FileFacts
from kerasviz.models.refusing import kind_of, refuse_harm
from kerasviz.models.scanning import scan
from kerasviz.models.sniffing import OPENERS, REFUSALS, FileKind, sniff
from kerasviz.models.stored_weights import SUFFIXES

_SAID = {
    "keras3-zip": "a .keras archive of Keras 3",
    "keras2-zip": "a .keras archive of Keras 2",
    "keras3-h5": "an HDF5 file of Keras 3",
    "keras2-h5": "an HDF5 file of Keras 2",
    "savedmodel-keras2": "a SavedModel folder of Keras 2",
    "savedmodel-export": "a SavedModel folder that Keras 3 exported",
    "savedmodel-tf2": "a SavedModel folder of TensorFlow 2, without Keras",
    "savedmodel-tf1": "a SavedModel folder of TensorFlow 1",
}


def facts_of(path: str | os.PathLike[str]) -> FileFacts | None:
    """Kind, writer and findings of a file or folder; None where there is nothing to be read."""
    try:
        kind = sniff(path)
    except (OSError, ValueError):
        return None
    name, found = os.fspath(path), tuple(_findings(path, kind))
    return FileFacts(name, kind.kind, _said(kind), kind.writer, found, _may_open(kind))


def refused(path: str | os.PathLike[str], *, trust: bool = False, architecture: Any = None) -> Diagnosis | None:
    """The diagnosis of a file that will not be opened, found without TensorFlow; None where nothing speaks against it.

    Args:
        path: the model file or folder.
        trust: whether findings are accepted.
        architecture: the network of a file that holds weights alone, or None.
    """
    wanted = tuple(SUFFIXES) if architecture is not None else ()
    try:
        kind = kind_of(path, wanted=wanted)
        if not trust:
            refuse_harm(_name(path), _findings(path, kind))
    except ModelError as error:
        return refusal(path, error)
    return None


def refusal(path: str | os.PathLike[str], error: ModelError) -> Diagnosis:
    """The diagnosis of a file that was not opened: all that is known of it, and why."""
    return Diagnosis(_name(path), facts_of(path), str(error))


def _name(path: str | os.PathLike[str]) -> str:
    return os.path.basename(os.path.normpath(os.fspath(path)))


def _findings(path: str | os.PathLike[str], kind: FileKind) -> list[Any]:
    return scan(path, kind.kind) if _may_open(kind) else []


def _may_open(kind: FileKind) -> bool:
    return kind.kind in (*OPENERS, *SUFFIXES)


def _said(kind: FileKind) -> str:
    if kind.kind in _SAID:
        return _SAID[kind.kind]
    what = REFUSALS[kind.kind][0].partition(",")[0]
    return what.removeprefix("is ") if what.startswith("is ") else f"a file that {what}"
