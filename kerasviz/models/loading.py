"""A model file to a live Keras model: sniffed, scanned, and opened from a private copy by the Keras that wrote it."""

import itertools
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from kerasviz.errors import KerasvizError, ModelError, SettingError, UnsafeModelError, near
from kerasviz.models.configurations import Finding
from kerasviz.models.graph_scanning import file_findings
from kerasviz.models.private_copies import copied
from kerasviz.models.scanning import scan
from kerasviz.models.signatures import open_saved_model
from kerasviz.models.sniffing import REFUSALS, FileKind, sniff

_SUFFIXES = {"zip": ".keras", "h5": ".h5"}  # loaders choose by them


@dataclass(frozen=True)
class ModelFile:
    """The file that a model came from.

    Attributes:
        path: as it was given.
        sha256: of the file's bytes, in hexadecimal; of a folder, over the names and bytes in it.
        format: `keras3-zip`, `keras2-zip`, `keras3-h5`, `keras2-h5` or a kind of SavedModel, whatever the name says.
        writer: the version of Keras that wrote it, of TensorFlow for a SavedModel; None where the file does not say.
    """

    path: str
    sha256: str
    format: str
    writer: str | None


def load(
    path: str | os.PathLike[str],
    *,
    trust: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
    signature: str | None = None,
    allow_random: bool = False,
) -> tuple[Any, ModelFile]:
    """Open a .keras or .h5 file of Keras 2 or 3, or a SavedModel, without running what strangers put into it.

    Args:
        path: the file or folder; its content decides what it is, never its name. It is only read.
        trust: also open files that could run code, touch other files or fill the memory.
        custom_objects: the author's own classes and functions by name. Files of Keras 2 need
            classes made with tf_keras.
        signature: the function of a SavedModel that is meant, where it offers several.
        allow_random: open a SavedModel whose outputs differ from call to call.

    Returns:
        The model, not compiled: a `keras.Model`, a `tf_keras.Model` where Keras 2 wrote the file, or an `Imported`
        SavedModel; and its `ModelFile`.

    Raises:
        UnsafeModelError: the file could do harm, and `trust` does not say that it may.
        ModelError: there is no such file, it is no whole Keras model, it is damaged, it needs the
            author's own code, or Keras itself cannot open it.
    """
    name, kind = os.path.basename(os.fspath(path)), _openable(path)
    with tempfile.TemporaryDirectory(prefix="kerasviz-") as folder:
        if os.path.isdir(path) and not trust:  # links, which a copy would follow
            _refuse_harm(name, list(file_findings(path)))
        copy = os.path.join(folder, "model" + _SUFFIXES.get(kind.kind.rpartition("-")[2], ""))
        try:
            sha256 = copied(path, copy)
        except OSError as error:
            raise _unreadable(name, error) from None
        kind = _openable(copy, called=name)
        found = scan(copy, kind.kind)
        objects, missing = _objects(found, kind, custom_objects or {})
        if not trust:
            _refuse_harm(name, [finding for finding in found if not finding.name])
            _refuse_missing(name, missing)
        if kind.opener == "tf.saved_model":
            model: Any = _imported(copy, name, kind, signature, allow_random)
        elif signature is not None:
            raise SettingError(f"Expected no signature for {name!r}, which is no SavedModel. Leave it out.")
        else:
            model = _opened(copy, name, kind, objects, missing, trust)
    return model, ModelFile(os.fspath(path), sha256, kind.kind, kind.writer)


def _openable(path: str | os.PathLike[str], called: str = "") -> FileKind:
    """The kind of a file that holds a whole Keras model, else ModelError."""
    called = called or os.path.basename(os.path.normpath(os.fspath(path)))
    try:
        kind = sniff(path)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(_missing(path)) from None
    except (OSError, ValueError) as error:
        raise _unreadable(called, error) from None
    if kind.opener is None:
        what, cure = REFUSALS[kind.kind]
        raise ModelError(f"Expected a Keras model (.keras, .h5 or a SavedModel folder), but {called!r} {what}. {cure}")
    return kind


def _missing(path: str | os.PathLike[str]) -> str:
    """There is no such file; but perhaps a near one."""
    folder, name = os.path.split(os.fspath(path))
    if not os.path.isdir(folder or "."):
        return f"There is no folder {folder!r}, so no model {name!r} in it. Check the path."
    try:
        with os.scandir(folder or ".") as entries:
            hint = near(name, (entry.name for entry in itertools.islice(entries, 1000)))
    except OSError:
        hint = ""
    return f"There is no model file {os.fspath(path)!r}.{hint or ' Check the path.'}"


def _unreadable(name: str, error: Exception) -> ModelError:
    reason = getattr(error, "strerror", None) or str(error)
    return ModelError(f"Expected to read {name!r}, but found: {reason}. Check its permissions and the free disk space.")


def _refuse_harm(name: str, found: list[Finding]) -> None:
    if not found:
        return
    first = min(found, key=lambda finding: finding.rule.startswith("broken"))  # harm before damage, then the outermost
    others = {finding.where for finding in found if not finding.where.startswith(first.where)}
    place = f" (at {first.where}{f'; {len(others)} more such findings' if others else ''})" if first.where else ""
    if first.rule.startswith("broken"):
        raise ModelError(f"Expected a whole Keras model, but {name!r} {first.text}{place}. Copy or download it again.")
    raise UnsafeModelError(
        f"Expected a model that is only layers and weights, but {name!r} {first.text}{place}. Ask its author for a "
        "file without that; if you trust whoever made it, open it with --trust (in Python: trust=True)."
    )


def _refuse_missing(name: str, missing: list[Finding]) -> None:
    if not missing:
        return
    first = missing[0]
    others = sorted({finding.name for finding in missing} - {first.name})
    more = f" Also: {', '.join(map(repr, others[:5]))}." if others else ""
    raise ModelError(
        f"Expected a model made of Keras's own parts, but {name!r} {first.text} (at {first.where}), which is its "
        f"author's own code and not in the file.{more} Give that code: custom_objects={{{_bare(first.name)!r}: ...}} "
        "(on the command line: --custom FILE.py, which runs that file)."
    )


def _bare(name: str) -> str:
    """`package>Name` is how registered classes are spelled in files; `Name` is what their author calls them."""
    return name.rpartition(">")[2]


def _objects(found: list[Finding], kind: FileKind, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """The author's objects under the names that the file uses, and the findings that none was given for."""
    needs = [finding for finding in found if finding.name]
    objects = dict(given)
    for finding in needs:
        if finding.name not in objects and _bare(finding.name) in given:
            objects[finding.name] = given[_bare(finding.name)]
    registered = _registered(kind) if needs else {}
    return objects, [finding for finding in needs if finding.name not in objects and finding.name not in registered]


def _registered(kind: FileKind) -> Mapping[str, Any]:
    """What the author's program has registered in this process, as `@register_keras_serializable` does."""
    if kind.opener == "keras":
        import keras

        return keras.saving.get_custom_objects() | keras.src.saving.object_registration.GLOBAL_CUSTOM_OBJECTS
    import tf_keras

    return tf_keras.saving.get_custom_objects()


def _imported(copy: str, name: str, kind: FileKind, signature: str | None, allow_random: bool) -> Any:
    try:
        with _without_chatter():
            return open_saved_model(copy, name, signature=signature, allow_random=allow_random)
    except KerasvizError:
        raise
    except Exception as error:  # a loader fails in any way it likes
        raise ModelError(_failed(name, kind, error, False)) from error


def _opened(copy: str, name: str, kind: FileKind, objects: dict[str, Any], missing: list[Finding], trust: bool) -> Any:
    opener = _open_with_keras if kind.opener == "keras" else _open_with_tf_keras
    try:
        with _without_chatter():
            return opener(copy, objects, trust)
    except Exception as error:  # a loader fails in any way it likes
        _refuse_missing(name, missing)
        raise ModelError(_failed(name, kind, error, bool(objects))) from error


def _open_with_keras(path: str, objects: dict[str, Any], trust: bool) -> Any:
    import keras

    return keras.models.load_model(path, compile=False, safe_mode=not trust, custom_objects=objects)


def _open_with_tf_keras(path: str, objects: dict[str, Any], trust: bool) -> Any:
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


def _failed(name: str, kind: FileKind, error: Exception, custom: bool) -> str:
    said = str(error).strip() or type(error).__name__
    first = said.split("\n")[0].split(". ")[0].strip().rstrip(".:")[:200]
    writer = f"Keras {kind.writer or '2'}" if kind.opener != "tf.saved_model" else kind.writer or "TensorFlow"
    if kind.kind == "keras3-h5" and "Unknown layer" in said:
        cure = "Keras 3 writes operators on tensors into .h5 files but cannot read them: save it as .keras."
    elif kind.opener == "tf.saved_model":
        cure = "Export it again, with model.export('folder')."
    elif kind.opener == "keras" and _numbers(kind.writer) > _numbers(version("keras")):
        cure = f"This is Keras {version('keras')}, which is older: pip install --upgrade keras."
    elif custom and kind.opener == "tf_keras":
        cure = "Keras 2 wrote this file: classes given for it must derive from tf_keras, not from keras."
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
