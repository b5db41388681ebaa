"""Files that are written whole or not at all, and output folders that are tried before any work."""

import contextlib
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from kerasviz.errors import OutputError


def writable_folder(out: str | os.PathLike) -> Path:
    """The output folder, made where it was missing, and tried; OutputError before any work is done."""
    folder = Path(out)
    trial = folder / f".{uuid.uuid4().hex}.part"
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    return folder


def write_whole(path: str | os.PathLike, data: bytes | Iterable[bytes]) -> None:
    """Writes a file that is all there or not there, whatever happens; folders above it are made.

    It grows under a hidden temporary name beside its place, reaches the disk, and is renamed.

    Args:
        path: of the file; one that is there is replaced.
        data: what stands in it; pieces are written one after the other and never held together.

    Raises:
        OutputError: it cannot be written.
    """
    final = Path(path)
    growing = final.with_name(f".{uuid.uuid4().hex}.part")
    with output_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(growing, "xb") as file:  # not tempfile: its files are nobody else's to read
                file.writelines([data] if isinstance(data, bytes) else data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(growing, final)
        except BaseException:  # Ctrl-C, too
            growing.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """What the operating system says about `path`, turned into an OutputError with the cure."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise OutputError(
            f"{str(path)!r} cannot be written ({reason}). Make room or change its permissions, "
            "or choose another folder with --out."
        ) from error
