"""A model file to a live Keras model: sniffed, scanned, and opened from a private copy by the Keras that wrote it."""

import functools
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from kerasviz.errors import KerasvizError, ModelError, SettingError
from kerasviz.models.architectures import Opening, WeightsFile, with_architecture
from kerasviz.models.configurations import Finding
from kerasviz.models.customizing import Objects, matched
from kerasviz.models.graph_scanning import file_findings
from kerasviz.models.private_copies import copied
from kerasviz.models.readiness import make_ready
from kerasviz.models.refusing import kind_of, refuse_harm, refuse_missing, unreadable
from kerasviz.models.scanning import scan
from kerasviz.models.signatures import open_saved_model
from kerasviz.models.sniffing import FileKind
from kerasviz.models.stored_weights import SUFFIXES

_SUFFIXES = {"zip": ".keras", "h5": ".h5"}  # loaders choose by them


@dataclass(frozen=True)
class ModelFile:
    """The file that a model came from.

    Attributes:
        path: as it was given.
        sha256: of the file's bytes, in hexadecimal; of a folder, over the names and bytes in it.
        format: `keras3-zip`, `keras2-zip`, `keras3-h5`, `keras2-h5`, `weights-h5`, `weights-h5-legacy` or a kind of
            SavedModel, whatever the name says.
        writer: the version of Keras that wrote it, of TensorFlow for a SavedModel; None where the file does not say.
        architecture: of weights alone: the network they were put into, as it was given, and the SHA-256 of its file.
    """

    path: str
    sha256: str
    format: str
    writer: str | None
    architecture: tuple[str, str | None] | None = None


@dataclass(frozen=True)
class How:
    """How a file is to be opened; see `load`."""

    trust: bool = False
    custom_objects: Mapping[str, Any] | str | os.PathLike[str] | None = None
    architecture: Any = None
    signature: str | None = None
    allow_random: bool = False


def load(path: str | os.PathLike[str], **how: Any) -> tuple[Any, ModelFile]:
    """Open a .keras or .h5 file of Keras 2 or 3, or a SavedModel, without running what strangers put into it.

    Args:
        path: the file or folder; its content decides what it is, never its name. It is only read.
        trust: also open files that could run code, touch other files or fill the memory.
        custom_objects: the author's own classes and functions by name, or the path of the Python file that defines
            them, which runs. Files of Keras 2 need classes made with tf_keras; in such a file `keras` is that.
        architecture: the network of a file that holds weights alone: a model file, a JSON file of `to_json`, a
            `keras.applications` name, or `MODULE:FUNCTION`, which is called.
        signature: the function of a SavedModel that is meant, where it offers several.
        allow_random: open a SavedModel whose outputs differ from call to call.

    Returns:
        The model, not compiled: a `keras.Model`, a `tf_keras.Model` where Keras 2 wrote the file, or an `Imported`
        SavedModel; and its `ModelFile`.

    Raises:
        UnsafeModelError: the file could do harm, and `trust` does not say that it may.
        ModelError: there is no such file, it is no whole Keras model, it is damaged, it needs the
            author's own code, or Keras itself cannot open it.
        SettingError: an option for another kind of file was given.
    """
    return _load(path, How(**how))


def _load(path: str | os.PathLike[str], how: How) -> tuple[Any, ModelFile]:
    wanted = tuple(SUFFIXES) if how.architecture is not None else ()
    name, kind = os.path.basename(os.fspath(path)), kind_of(path, wanted=wanted)
    with tempfile.TemporaryDirectory(prefix="kerasviz-") as folder:
        if os.path.isdir(path) and not how.trust:  # links, which a copy would follow
            refuse_harm(name, list(file_findings(path)))
        suffix = SUFFIXES.get(kind.kind) or _SUFFIXES.get(kind.kind.rpartition("-")[2], "")
        copy = os.path.join(folder, "model" + suffix)
        try:
            sha256 = copied(path, copy)
        except OSError as error:
            raise unreadable(name, error) from None
        kind = kind_of(copy, name, wanted)
        found = scan(copy, kind.kind)
        if not how.trust:
            refuse_harm(name, found)
        _expect_fitting_options(name, kind, how)
        make_ready()
        model, described = _opened(copy, name, kind, found, how)
    said = (os.fspath(how.architecture), described) if how.architecture is not None else None
    return model, ModelFile(os.fspath(path), sha256, kind.kind, kind.writer, said)


def _expect_fitting_options(name: str, kind: FileKind, how: How) -> None:
    if how.signature is not None and kind.opener != "tf.saved_model":
        raise SettingError(f"Expected no signature for {name!r}, which is no SavedModel. Leave it out.")
    if how.architecture is not None and kind.kind not in SUFFIXES:
        raise SettingError(
            f"Expected no architecture for {name!r}, which holds a whole network with its weights. "
            "Leave --architecture out (in Python architecture=)."
        )


def _opened(copy: str, name: str, kind: FileKind, found: Sequence[Finding], how: How) -> tuple[Any, str | None]:
    """The model, and the SHA-256 of the file that describes its network, where that is another one."""
    if kind.kind in SUFFIXES:
        load_other = functools.partial(load, trust=how.trust, custom_objects=how.custom_objects)
        opening = Opening(load_other, how.trust, how.custom_objects)
        with _without_chatter():
            return with_architecture(WeightsFile(copy, name, kind.kind), how.architecture, opening)
    if kind.opener == "tf.saved_model":
        return _imported(copy, name, kind, how.signature, how.allow_random), None
    objects = matched(how.custom_objects, found, str(kind.opener), name)
    if not how.trust:
        refuse_missing(name, objects)
    return _built(copy, name, kind, objects, how.trust), None


def _imported(copy: str, name: str, kind: FileKind, signature: str | None, allow_random: bool) -> Any:
    try:
        with _without_chatter():
            return open_saved_model(copy, name, signature=signature, allow_random=allow_random)
    except KerasvizError:
        raise
    except Exception as error:  # a loader fails in any way it likes
        raise ModelError(_failed(name, kind, error)) from error


def _built(copy: str, name: str, kind: FileKind, objects: Objects, trust: bool) -> Any:
    opener = _open_with_keras if kind.opener == "keras" else _open_with_tf_keras
    try:
        with _without_chatter():
            return opener(copy, objects.by_name, trust)
    except Exception as error:  # a loader fails in any way it likes
        refuse_missing(name, objects)
        raise ModelError(_failed(name, kind, error)) from error


def _open_with_keras(path: str, objects: Mapping[str, Any], trust: bool) -> Any:
    import keras

    return keras.models.load_model(path, compile=False, safe_mode=not trust, custom_objects=dict(objects))


def _open_with_tf_keras(path: str, objects: Mapping[str, Any], trust: bool) -> Any:
    """Keras 3 misreads many files of Keras 2, some without a word; so they go to what Keras 2 has become."""
    import tf_keras
    from tf_keras.src.applications.convnext import LayerScale
    from tf_keras.src.saving.serialization_lib import SafeModeScope

    with SafeModeScope(not trust):  # HDF5 files ignore the argument
        return tf_keras.models.load_model(
            path, compile=False, safe_mode=not trust, custom_objects={"LayerScale": LayerScale, **objects}
        )


def _numbers(release: str | None) -> list[int]:
    """`3.15.1` as numbers, to compare."""
    return [int(part) for part in re.findall(r"\d+", release or "")[:2]]


def _failed(name: str, kind: FileKind, error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    first = said.split("\n")[0].split(". ")[0].strip().rstrip(".:")[:200]
    writer = f"Keras {kind.writer or '2'}" if kind.opener != "tf.saved_model" else kind.writer or "TensorFlow"
    if kind.kind == "keras3-h5" and "Unknown layer" in said:
        cure = "Keras 3 writes operators on tensors into .h5 files but cannot read them: save it as .keras."
    elif kind.opener == "tf.saved_model":
        cure = "Export it again, with model.export('folder')."
    elif kind.opener == "keras" and _numbers(kind.writer) > _numbers(version("keras")):
        cure = f"This is Keras {version('keras')}, which is older: pip install --upgrade keras."
    else:
        cure = "Open it with the version that wrote it and save it again with model.save('x.keras')."
    return f"Expected to open {name!r}, written by {writer}, but {kind.opener} found: {first}. {cure}"


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Loaders advise about training configurations and old formats; nobody asked them."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
