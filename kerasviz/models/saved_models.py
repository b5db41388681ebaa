"""A SavedModel folder, read without TensorFlow: who wrote it, its signatures, the names of its layers.

Field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto and saved_object_graph.proto.
"""

import json
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from kerasviz.models.protobuf import fields, inner, text, texts

GRAPH = "saved_model.pb"
FOLDERS = ("variables", "assets")  # what belongs to a SavedModel besides its graph: loaders read nothing else
_META_GRAPHS, _INFO, _GRAPH_DEF, _SIGNATURES, _ASSETS, _OBJECTS = 2, 1, 2, 5, 6, 7
_TAGS, _VERSION = 4, 5


@dataclass(frozen=True)
class SavedModel:
    """What a SavedModel's graph file says about itself.

    Attributes:
        kind: `savedmodel-keras2`, `savedmodel-export` (Keras 3's `model.export`), `savedmodel-tf2` (a bare tf.Module)
            or `savedmodel-tf1`.
        writer: the version of TensorFlow that wrote it, such as `TF 2.15.1`; None where it does not say.
        tags: of the first graph that serves, else of the first.
        signatures: names of the functions that it offers, without those for the loader alone.
    """

    kind: str
    writer: str | None
    tags: tuple[str, ...]
    signatures: tuple[str, ...]


def graph_bytes(folder: str | os.PathLike[str]) -> memoryview:
    """The bytes of `saved_model.pb`, mapped and not read; ValueError where it is empty."""
    with open(os.path.join(folder, GRAPH), "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def meta_graphs(message: memoryview) -> list[memoryview]:
    """Its graphs: one for each set of tags."""
    return inner(message, _META_GRAPHS)


def read_saved_model(folder: str | os.PathLike[str]) -> SavedModel:
    """What a SavedModel says about itself.

    Raises:
        OSError: its graph cannot be read.
        ValueError: it is cut off or damaged.
    """
    graphs = meta_graphs(graph_bytes(folder))
    tags = [tuple(texts(graph, _INFO, _TAGS)) for graph in graphs]
    if not graphs:
        raise ValueError("there is no graph in it")
    chosen = next((k for k, found in enumerate(tags) if "serve" in found), 0)
    names = [name for name in signature_names(graphs[chosen]) if not name.startswith("__")]
    version = texts(graphs[chosen], _INFO, _VERSION)
    writer = f"TF {version[0][:20]}" if version else None
    return SavedModel(_kind(folder, graphs[chosen], names), writer, tags[chosen], tuple(names))


def _kind(folder: str | os.PathLike[str], graph: memoryview, signatures: list[str]) -> str:
    objects = inner(graph, _OBJECTS)
    if not objects:
        return "savedmodel-tf1"
    if os.path.lexists(os.path.join(folder, "keras_metadata.pb")) or b"_tf_keras_" in bytes(objects[0]):
        return "savedmodel-keras2"
    return "savedmodel-export" if {"serve", "serving_default"} <= set(signatures) else "savedmodel-tf2"


def signature_names(graph: memoryview) -> list[str]:
    """The keys of a graph's map of signatures."""
    return [name for entry in inner(graph, _SIGNATURES) for name in texts(entry, 1)[:1]]


def layer_classes(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Name -> class of the layers of a SavedModel of Keras 2, as its metadata says; empty for any other.

    Since TensorFlow 2.5 the metadata have a file of their own; before, they stand at the objects of the graph.
    """
    beside = Path(folder, "keras_metadata.pb")
    if beside.is_file():
        return _classes(texts(memoryview(beside.read_bytes()), 1, 5))
    graphs = meta_graphs(graph_bytes(folder))
    objects = [user for graph in graphs[:1] for user in inner(graph, _OBJECTS, 1, 4)]
    return _classes(data for user in objects for data in texts(user, 3))


def _classes(metadata: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in metadata:  # type: ignore[attr-defined]
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        name, kind = (said.get("name"), said.get("class_name")) if isinstance(said, dict) else (None, None)
        if isinstance(name, str) and isinstance(kind, str):
            found.setdefault(name, kind)
    return found


def asset_names(graph: memoryview) -> list[str]:
    """Names of the files that a graph wants from `assets/`."""
    return ["".join(texts(asset, 2)) for asset in inner(graph, _ASSETS)]


def asset_tensors(graph: memoryview) -> set[str]:
    """Names of the operations that hold the paths of those files."""
    return {text(value).split(":")[0] for value in inner(graph, _ASSETS, 1, 1)}


def signature_tensors(graph: memoryview) -> list[str]:
    """Names of the operations that signatures return."""
    outputs = inner(graph, _SIGNATURES, 2, 2, 2)
    return [text(v).split(":")[0] for tensor in outputs for n, w, v in fields(tensor) if n == 1 and w == 2]
