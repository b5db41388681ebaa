"""Files, folders, patterns and standard input become one stream of pictures, each with a name for its results."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path

from kerasviz.errors import SourceError
from kerasviz.inputs.reading import SUFFIXES, near_files

MANIFEST = "manifest.jsonl"  # what a run leaves in its output folder

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """A picture that was asked for.

    Attributes:
        path: where it lies, as the user named it or its folder.
        name: its path below what was given, with `/` and its own suffix: what its results are called after.
    """

    path: Path
    name: str


def find_images(arguments: Iterable[str], *, exclude: str | os.PathLike | None = None) -> Iterator[Source]:
    """The pictures that the arguments of a command mean, found while they are used.

    An argument is a file (taken whatever its suffix), a folder (the pictures below it, in order,
    known suffixes only), a pattern with `*`, `?`, `[...]` or `**` (as the shell would expand it), or
    `-` (paths on standard input, one a line). Hidden files and folders below an argument are passed
    over, links are followed once. A picture that several arguments mean comes once. Names are
    relative to the folder that was given; with several arguments to their common parent.

    Args:
        arguments: at least one.
        exclude: the output folder; nothing in it is read that was not named itself.

    Raises:
        SourceError: at once where a named path is missing; while iterating where nothing matched.
    """
    given = list(arguments)
    if not given:
        raise SourceError("Expected pictures, found none named. Name files, folders, patterns in quotes, or '-'.")
    plans = [_plan(argument) for argument in given]
    roots = [str(root) for root, _ in plans if root is not None]
    return _stream(given, [paths for _, paths in plans], _common_parent(roots), exclude)


def _stream(
    given: list[str], streams: list[Iterator[Path]], parent: str, exclude: str | os.PathLike | None
) -> Iterator[Source]:
    """Every path once, named below `parent`, except those below `exclude`."""
    out = None if exclude is None else os.path.realpath(exclude)
    met: set[int] = set()  # 64 bits instead of the path: a million of them must fit
    count = left_out = 0
    for path in chain.from_iterable(streams):
        if len(given) > 1:
            mark = hash(os.path.abspath(path))
            if mark in met:
                continue
            met.add(mark)
        if out and _lies_in(path, out) and str(path) not in given:  # a file that is named is meant
            left_out += 1
            continue
        count += 1
        yield Source(path, _name(path, parent))
    if not count:
        raise SourceError(_nothing(given, left_out, exclude))


def _nothing(given: list[str], left_out: int, exclude: object) -> str:
    asked = ", ".join(repr(argument) for argument in given[:3]) + (" ..." if len(given) > 3 else "")
    if left_out:
        return (
            f"Expected pictures in {asked}, found only what lies in the output folder {str(exclude)!r}, "
            "which is never read. Choose another folder with --out."
        )
    if given == [STDIN]:
        return "Expected paths of pictures on standard input, found none. Write one path a line."
    return (
        f"Expected pictures in {asked}, found none with a known suffix ({' '.join(sorted(SUFFIXES))}). "
        "Name files, folders that hold pictures, or patterns in quotes."
    )


# What one argument means.


def _plan(argument: str) -> tuple[Path | None, Iterator[Path]]:
    """The folder that names are relative to, and the paths, found when asked for."""
    if argument == STDIN:
        return None, _from_stdin()
    path = Path(argument)
    if os.path.isdir(path):
        return path, _walk(path, ())
    if os.path.lexists(path):
        return path.parent, iter([path])
    root, pattern = _split(path)
    if not pattern:
        raise SourceError(f"There is no picture or folder {argument!r}.{near_files(path)} Check the path.")
    if not os.path.isdir(root):
        raise SourceError(f"There is no folder {str(root)!r} for the pattern {argument!r}.{near_files(root)} Check it.")
    found = _walk(root, pattern)
    first = next(found, None)
    if first is None:
        raise SourceError(f"Expected pictures that match {argument!r}, found none below {str(root)!r}. Check both.")
    return root, chain([first], found)


def _from_stdin() -> Iterator[Path]:
    """Paths, one a line, as they arrive; bytes that are not UTF-8 pass through."""
    for line in getattr(sys.stdin, "buffer", sys.stdin):
        name = os.fsdecode(line).rstrip("\r\n")
        if "\0" in name:
            raise SourceError("Expected paths on standard input, one a line, found a file's content. Name the file.")
        if name:
            yield Path(name)


def _split(path: Path) -> tuple[Path, tuple[str, ...]]:
    """`data/*/a?.png` -> the folder `data` and the pattern `("*", "a?.png")`."""
    parts = path.parts
    wild = next((i for i, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts))
    return Path(*parts[:wild]), parts[wild:]


# Folders.


def _walk(root: Path, pattern: tuple[str, ...]) -> Iterator[Path]:
    """The pictures below `root` that match, sorted; one folder's names in memory at a time, each folder once."""
    own = os.path.splitext(pattern[-1])[1].lower() if pattern else ""  # "*.dat" means what it says
    suffixes = SUFFIXES | {own} if own else SUFFIXES
    met: set[tuple[int, int]] = set()

    def below(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        try:
            identity = os.stat(folder)
            known = (identity.st_dev, identity.st_ino) in met or (folder != root and _is_output(folder))
            names = [] if known else _visible(folder)
            met.add((identity.st_dev, identity.st_ino))
        except OSError:
            yield folder  # reading it says what is wrong, and the run goes on
            return
        for name, is_folder in names:
            here = (*parts, name)
            if is_folder and _leads(here, pattern):
                yield from below(folder / name, here)
            elif not is_folder and os.path.splitext(name)[1].lower() in suffixes and _matches(here, pattern):
                yield folder / name

    return below(root, ())


def _is_output(folder: Path) -> bool:
    """Whether an earlier run wrote into it: what kerasviz drew is no photograph."""
    try:
        with open(folder / MANIFEST, "rb") as manifest:
            return re.match(rb'\{"schema": \d+, "kerasviz": ', manifest.read(200)) is not None
    except OSError:
        return False


def _visible(folder: Path) -> list[tuple[str, bool]]:
    """(name, is it a folder) of what is not hidden, sorted by name."""
    with os.scandir(folder) as entries:
        return sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """The path, or a folder it lies in, matches; `**` is any number of folders."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and _matches(parts[1:], pattern))
    return bool(parts) and fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _leads(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Something below the folder `parts` may match: other folders are not even opened."""
    if not parts or not pattern or pattern[0] == "**":
        return True
    return fnmatch(parts[0], pattern[0]) and _leads(parts[1:], pattern[1:])


# Names.


def _common_parent(roots: list[str]) -> str:
    """The folder below which all of them lie, absolute; the current one where there is none."""
    try:
        return os.path.commonpath([os.path.abspath(root) for root in roots])
    except ValueError:  # none given but standard input, or two drives of Windows
        return os.getcwd()


def _name(path: Path, parent: str) -> str:
    """The path below `parent`, or, where it lies elsewhere, the whole path without its root."""
    whole = Path(os.path.abspath(path))
    try:
        return whole.relative_to(parent).as_posix()
    except ValueError:
        return whole.relative_to(whole.anchor).as_posix()


def _lies_in(path: Path, folder: str) -> bool:
    """Links are followed in the folders, not in the last part: a link to a picture elsewhere is a picture here."""
    here = os.path.realpath(path.parent)
    return here == folder or here.startswith(folder.rstrip(os.sep) + os.sep)
