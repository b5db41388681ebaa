"""What can go wrong. Each class knows the exit code of the command line.

    KerasvizError
    ├── ModelError 3            the model cannot be opened, or needs something that was not given
    │   └── UnsafeModelError 3  the file could run code or touch files
    ├── ImageError 1            one picture cannot be read
    ├── SourceError 4           no picture matched
    ├── OutputError 4           the output folder cannot be written
    ├── SettingError 2          a value is out of its limits, or cannot be known
    ├── TargetError 2           no such class, unit or output
    ├── LayerError 2            no such layer, or it has no maps
    └── TechniqueError 5        the technique does not fit this model

A message is one sentence of what was expected and what was found, and one of what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class KerasvizError(Exception):
    """Anything kerasviz refuses; its text is the sentence that the command line prints."""

    exit_code = 1


class ModelError(KerasvizError):
    """The model cannot be opened, or needs something that was not given."""

    exit_code = 3


class UnsafeModelError(ModelError):
    """The model file could run code or touch files, and nobody said it may."""


class ImageError(KerasvizError):
    """One picture cannot be read."""


class SourceError(KerasvizError):
    """No picture matched."""

    exit_code = 4


class OutputError(KerasvizError):
    """A result cannot be written."""

    exit_code = 4


class SettingError(KerasvizError, ValueError):
    """A value is out of its limits, or cannot be known without being told."""

    exit_code = 2


class TargetError(KerasvizError, ValueError):
    """The network has no such class, unit or output."""

    exit_code = 2


class LayerError(KerasvizError, ValueError):
    """The network has no such layer, or the layer has no maps."""

    exit_code = 2


class TechniqueError(KerasvizError):
    """The technique does not fit this model; the message names one that does."""

    exit_code = 5


def near(name: str, names: Iterable[str], count: int = 2) -> str:
    """` Did you mean 'a' or 'b'?`, or nothing where no name is near."""
    pool = list(names)
    lowered = {n.lower(): n for n in pool}
    found = [lowered[n] for n in get_close_matches(name.lower(), lowered, count, 0.5)]
    found += [n for n in pool if name and name.lower() in n.lower() and n not in found]
    return f" Did you mean {' or '.join(repr(n) for n in found[:count])}?" if found else ""
