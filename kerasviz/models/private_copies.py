"""A model is opened from a private copy: nobody can change that after it was looked through."""

import hashlib
import os
from collections.abc import Iterator
from typing import Any

from kerasviz.models.saved_models import FOLDERS, GRAPH


def copied(path: str | os.PathLike[str], target: str) -> str:
    """Copy a model file, or what belongs to a SavedModel folder.

    Returns:
        The SHA-256 of the very bytes that were copied, in hexadecimal; of a folder over names and bytes in order.

    Raises:
        OSError: it cannot be read, or the copy not be written.
    """
    digest = hashlib.sha256()
    if not os.path.isdir(path):
        _append(path, target, digest)
        return digest.hexdigest()
    for name in sorted(_members(path)):
        os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
        digest.update(name.encode("utf8", "surrogateescape") + b"\0")
        _append(os.path.join(path, name), os.path.join(target, name), digest)
    return digest.hexdigest()


def _append(path: str | os.PathLike[str], target: str, digest: Any) -> None:
    with open(path, "rb") as source, open(target, "wb") as sink:
        while block := source.read(1 << 20):
            digest.update(block)
            sink.write(block)


def _members(folder: str | os.PathLike[str]) -> Iterator[str]:
    """The graph, what says which layers it had, weights and assets: relative paths, nothing else that lies there."""
    for name in (GRAPH, "keras_metadata.pb"):
        if os.path.isfile(os.path.join(folder, name)):
            yield name
    for inside in FOLDERS:
        for place, _, files in os.walk(os.path.join(folder, inside)):
            for name in files:
                yield os.path.relpath(os.path.join(place, name), folder)
