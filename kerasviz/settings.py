"""A setting is said once, and becomes argument, option, help, check and record."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kerasviz.errors import SettingError, near


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included. A limit tests a value and prints itself, for check, help, error."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"from {self.low} to {self.high}"


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[Any, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.words

    def __str__(self) -> str:
        spoken = {True: "yes", False: "no"}
        return "one of " + ", ".join(spoken[w] if isinstance(w, bool) else str(w) for w in self.words)


@dataclass(frozen=True)
class Anything:
    """Every value that can be parsed; `what` says what it means."""

    what: str = "any"

    def __contains__(self, value: object) -> bool:
        return True

    def __str__(self) -> str:
        return self.what


def truth(text: Any) -> bool:
    """`yes`, `no`, `true`, `false`, `1`, `0`, or a bool."""
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    return known[str(text).lower()]


def setting(
    default: Any, help: str, limit: Any = None, *, parse: Callable[[Any], Any] = str, structural: bool = False
) -> Any:
    """A dataclass field that knows its help, its limit and how it is read from text.

    Args:
        default: the paper's value, or None for "chosen and recorded".
        help: one line; the unit stands in it.
        limit: what `value in limit` accepts; `str(limit)` says so.
        parse: text -> value; values of the right type pass through it unchanged.
        structural: True where another value needs another compiled function.
    """
    metadata = {"help": help, "limit": limit or Anything(), "parse": parse, "structural": structural}
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(cls: Any) -> tuple[dataclasses.Field, ...]:
    """The fields of an engine (class or instance) that a user may set, in order."""
    return tuple(f for f in dataclasses.fields(cls) if "limit" in f.metadata)


def check(owner: str, field: dataclasses.Field, value: Any) -> Any:
    """The parsed value, or SettingError: `saliency: reduce must be one of ..., found 'x'. The default is 'y'.`"""
    if value is None and field.default is None:
        return None
    limit = field.metadata["limit"]
    try:
        parsed = field.metadata["parse"](value)
        good = parsed in limit
    except (TypeError, ValueError, KeyError):
        good = False
    if not good:
        close = near(str(value), map(str, limit.words)) if isinstance(limit, OneOf) else ""
        usual = f"The default is {field.default!r}." if field.default is not None else "Leave it out for the default."
        raise SettingError(f"{owner}: {field.name} must be {limit}, found {value!r}.{close} {usual}")
    return parsed
