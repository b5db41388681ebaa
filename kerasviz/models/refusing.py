"""Why a model file is not opened: the sentences."""

import itertools
import os
from collections.abc import Collection, Sequence

from kerasviz.errors import ModelError, UnsafeModelError, near
from kerasviz.models.configurations import Finding
from kerasviz.models.customizing import Objects
from kerasviz.models.sniffing import REFUSALS, FileKind, sniff


def kind_of(path: str | os.PathLike[str], called: str = "", wanted: Collection[str] = ()) -> FileKind:
    """The kind of a file that holds a whole Keras model, or is of one of the kinds that are wanted besides.

    Args:
        path: the file or folder.
        called: what messages call it; default: its name.
        wanted: kinds that are no whole model, but may come all the same.

    Raises:
        ModelError: there is no such file, or it is of another kind.
    """
    called = called or os.path.basename(os.path.normpath(os.fspath(path)))
    try:
        kind = sniff(path)
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.exists(f"{os.fspath(path)}.index"):  # how checkpoints are named: without any of their suffixes
            raise ModelError(_missing(path)) from None
        kind = FileKind("checkpoint")
    except (OSError, ValueError) as error:
        raise unreadable(called, error) from None
    if kind.opener is None and kind.kind not in wanted:
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


def unreadable(name: str, error: Exception) -> ModelError:
    """The file is there, but cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return ModelError(f"Expected to read {name!r}, but found: {reason}. Check its permissions and the free disk space.")


def refuse_harm(name: str, found: Sequence[Finding]) -> None:
    """UnsafeModelError, or ModelError for damage, where anything was found that is not the author's code missing."""
    found = [finding for finding in found if not finding.name]
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


def refuse_missing(name: str, objects: Objects) -> None:
    """ModelError where the author's code is needed and was not given."""
    if not objects.missing:
        return
    first = objects.missing[0]
    others = sorted({finding.name for finding in objects.missing} - {first.name})
    more = f" Also: {', '.join(map(repr, others[:5]))}." if others else ""
    bare = first.name.rpartition(">")[2]  # `package>Name` is how registered classes are spelled in files
    cure = (
        f"Give that code: custom_objects={{{bare!r}: ...}} (on the command line: --custom FILE.py, which runs that "
        "file), or ask for model.export('folder'), a SavedModel, which needs none."
    )
    if objects.given:
        there = ", ".join(map(repr, sorted(objects.given)[:8]))
        cure = f"What was given for it has {there}.{near(bare, objects.given)} Define {bare!r} in it, too."
    elif objects.path is not None:
        cure = f"{objects.path!r} defines no class or function. Define {bare!r} in it."
    raise ModelError(
        f"Expected a model made of Keras's own parts, but {name!r} {first.text} (at {first.where}), which is its "
        f"author's own code and not in the file.{more} {cure}"
    )
