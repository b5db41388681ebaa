"""What kind of file is this? Told by its content, never by its name, and without TensorFlow."""

import itertools
import json
import os
import re
import stat
import zipfile
from dataclasses import dataclass
from typing import Any

from kerasviz.models.hdf5 import SIGNATURE, open_hdf5
from kerasviz.models.saved_models import read_saved_model

ZIP_SIGNATURE = b"PK\x03\x04"
TABLE_SIGNATURE = bytes.fromhex("57fb808b247547db")  # the last 8 bytes of a checkpoint's .index
OPENERS = {
    **{"keras3-zip": "keras", "keras3-h5": "keras", "keras2-zip": "tf_keras", "keras2-h5": "tf_keras"},
    **dict.fromkeys(("savedmodel-keras2", "savedmodel-export", "savedmodel-tf2", "savedmodel-tf1"), "tf.saved_model"),
}

_SAVE = "Load it in the program that made it and save the whole model with model.save('x.keras')."
_NETWORK = (
    "Give the network, too: --architecture with a model file, its JSON, a keras.applications name or MODULE:FUNCTION "
    "(in Python architecture=)."
)
_AGAIN = "Copy or download it again."
REFUSALS = {  # kind: (what it is, what to do)
    "savedmodel-text": ("is a SavedModel folder with its graph as text", "Save it again with model.export('folder')."),
    "savedmodel-part": ("is the graph of a SavedModel, without its weights", "Give the folder that it lies in."),
    "weights-h5": ("holds weights without the network they belong to", _NETWORK),
    "weights-h5-legacy": ("holds weights without the network they belong to", _NETWORK),
    "checkpoint": (
        "is a TensorFlow checkpoint: weights without the network they belong to",
        "Load it in the program that made it, with model.load_weights, and save the whole model with "
        "model.save('x.keras').",
    ),
    "keras-json": ("holds a network without its weights", "Give the file of its weights, and this as --architecture."),
    "keras-folder": ("is an unpacked .keras archive", "Zip what is in it again, as x.keras."),
    "folder": ("is a folder without a model in it", "Give the model file itself."),
    "tflite": ("is a TFLite file, which has no gradients", "Give the Keras model that it was converted from."),
    "onnx": ("is an ONNX file", "Give the Keras model, or build the network in Keras and copy the weights."),
    "frozen-graph": ("is a frozen TensorFlow graph without Keras layers", _SAVE),
    "tfjs": ("is a TensorFlow.js model", "Give the Keras model that it was converted from."),
    "pickle": ("is a pickle, which runs code when it is opened and therefore never is", _SAVE),
    "torch": (
        "is a PyTorch file",
        "Build the network in Keras and copy the weights.",
    ),
    "safetensors": ("is a safetensors file: weights without the network they belong to", _SAVE),
    "numpy": ("holds NumPy arrays, not a model", _SAVE),
    "hdf5-other": ("is an HDF5 file without a Keras model in it", _SAVE),
    "zip-other": ("is a zip archive without a Keras model in it", "If a model was packed into it, unpack it first."),
    "compressed": ("is a compressed archive", "Unpack it first."),
    "git-lfs-pointer": ("is a Git LFS pointer, not the model itself", "Run 'git lfs pull' where it came from."),
    "web-page": ("is a web page that was saved in the model's place", "Download the model itself."),
    "picture": ("is a picture", "The model comes first, then the pictures."),
    "json": ("is a JSON file without a Keras model in it", "Give the .keras or .h5 file."),
    "text": ("is a text file", "Give the .keras or .h5 file."),
    "empty": ("is empty", _AGAIN),
    "broken": ("is cut off or damaged", _AGAIN),
    "special": ("is not a regular file", "Copy the model into a file first."),
    "unknown": ("is of an unknown kind", "Give the .keras or .h5 file."),
}
_PATTERNS = (
    ("tflite", rb".{4}TFL3"),
    ("torch", rb"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"),  # before 1.6: a pickle that begins with this number
    ("pickle", rb"\x80[\x02-\x05]."),
    ("safetensors", rb".{5}\x00{3}\{\""),
    ("numpy", rb"\x93NUMPY"),
    ("compressed", rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ|7z\xbc\xaf|.{257}ustar"),
    ("picture", rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF.{4}WEBP|BM.{4}\x00{4}|II\*\x00|MM\x00\*|.{4}ftyp(avif|heic|mif1)"),
    ("savedmodel-part", rb"\x08\x01\x12.{1,5}\x0a"),
    ("onnx", rb"\x08[\x01-\x20](\x12.{1,40}\x1a|\x3a|\x42)"),
    ("frozen-graph", rb"\x0a.{1,3}\x0a.{1,80}\x12[\x01-\x40][A-Z]"),
    ("git-lfs-pointer", rb"version https://git-lfs"),
    ("web-page", rb"(?i)\s*(<!--.{0,400}-->\s*)?<(!doctype html|html)"),
)


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Attributes:
        kind: a key of `OPENERS` (it can be opened) or of `REFUSALS` (it cannot).
        writer: the version of Keras (of a SavedModel: of TensorFlow) that wrote it, as the file says it; None where it
            does not.
    """

    kind: str
    writer: str | None = None

    @property
    def opener(self) -> str | None:
        """`keras`, `tf_keras`, `tf.saved_model`, or None where there is no model in it."""
        return OPENERS.get(self.kind)


def sniff(path: str | os.PathLike[str]) -> FileKind:
    """The kind of a file or folder, told by its content.

    Reads the first 4 kB, and of HDF5 the root's attributes (and looks for damaged heaps), of a zip archive the list
    of members and metadata.json, of a SavedModel its graph. Follows no link inside an HDF5 file, unpickles nothing,
    imports no TensorFlow.

    Raises:
        OSError: there is no such file, or it may not be read.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        kind = _kind_of_folder(path)
        return _careful(_sniff_saved_model, path) if kind == "savedmodel" else FileKind(kind)
    if not stat.S_ISREG(mode):
        return FileKind("special")
    with open(path, "rb") as file:
        head = file.read(4096)
        file.seek(-min(8, len(head)), os.SEEK_END)
        tail = file.read(8)
    if head.startswith(SIGNATURE):
        return _careful(_sniff_hdf5, path)
    if head.startswith(ZIP_SIGNATURE):
        return _careful(_sniff_zip, path)
    return FileKind("checkpoint" if tail == TABLE_SIGNATURE else _kind_of_bytes(head))


def _kind_of_folder(path: str | os.PathLike[str]) -> str:
    with os.scandir(path) as entries:
        names = {entry.name for entry in itertools.islice(entries, 10_000)}
    if "saved_model.pb" in names:
        return "savedmodel"
    if "saved_model.pbtxt" in names:
        return "savedmodel-text"
    if {"config.json", "metadata.json"} <= names:
        return "keras-folder"
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return "checkpoint"
    return "folder"


def _sniff_saved_model(path: str | os.PathLike[str]) -> FileKind:
    saved = read_saved_model(path)
    return FileKind(saved.kind, saved.writer)


def _kind_of_bytes(head: bytes) -> str:
    if not head:
        return "empty"
    for kind, pattern in _PATTERNS:
        if re.match(pattern, head, re.DOTALL):
            return kind
    if head.lstrip()[:1] in (b"{", b"["):
        if b"weightsManifest" in head or b"layers-model" in head:
            return "tfjs"
        return "keras-json" if b'"class_name"' in head else "json"
    return "text" if _is_text(head) else "unknown"


def _is_text(head: bytes) -> bool:
    try:
        text = head[:-3].decode() if len(head) == 4096 else head.decode()  # a cut character is no binary byte
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c.isspace() for c in text)


def _careful(sniffer: Any, path: str | os.PathLike[str]) -> FileKind:
    """Libraries fail on damaged files in more ways than they document: all of them mean `broken`."""
    try:
        return sniffer(path)
    except PermissionError:
        raise
    except Exception:
        return FileKind("broken")


def _sniff_hdf5(path: str | os.PathLike[str]) -> FileKind:
    import h5py

    with open_hdf5(path) as checked:
        file = checked.file
        writer = _text(file.attrs.get("keras_version"))
        if writer is None and isinstance(file.get("model_weights", getlink=True), h5py.HardLink):
            writer = _text(checked.check(file["model_weights"]).attrs.get("keras_version"))
        if "model_config" in file.attrs:  # files of Keras 1 and 2.0 name no version
            return FileKind("keras3-h5" if (writer or "").startswith("3.") else "keras2-h5", writer)
        if "layer_names" in file.attrs:
            return FileKind("weights-h5-legacy", writer)
        if {"layers", "vars", "_vars", "_layer_checkpoint_dependencies"} & set(itertools.islice(file, 1000)):
            return FileKind("weights-h5", writer)
        return FileKind("hdf5-other", writer)


def _text(value: Any) -> str | None:
    """An attribute as a short text; None where there is none."""
    if isinstance(value, bytes):
        value = value.decode("utf8", "replace")
    return None if value is None else str(value)[:40]


def _sniff_zip(path: str | os.PathLike[str]) -> FileKind:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if any(name.endswith("data.pkl") for name in names):
            return FileKind("torch")
        if names and all(name.endswith(".npy") for name in names):
            return FileKind("numpy")
        if not {"config.json", "metadata.json"} <= names:
            return FileKind("zip-other")
        with archive.open("metadata.json") as member:
            writer = _text(json.loads(member.read(65536)).get("keras_version"))
    return FileKind("keras3-zip" if (writer or "").startswith("3.") else "keras2-zip", writer)
