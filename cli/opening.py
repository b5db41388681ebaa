"""From what was typed to a Network, and to what its pictures need besides their pixels."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kerasviz.errors import SettingError, near

from .hushing import hush
from .terminal import Terminal

if TYPE_CHECKING:
    from kerasviz.inputs.given import Given
    from kerasviz.inputs.sources import Source
    from kerasviz.models.network import Network
    from kerasviz.runs.reading import Complete

_PASSED = ("preprocess", "fit", "labels", "device", "trust", "architecture", "signature", "allow_random")


def network_of(terminal: Terminal, model: str, typed: Mapping[str, Any]) -> "Network":
    """The model that was named, opened with the options that were typed; TensorFlow is imported here."""
    terminal.model, size = model, size_of(typed.get("size"))
    if not terminal.verbose:
        hush()
    from kerasviz.models.opening import open_network

    chosen = {name: typed[name] for name in _PASSED if typed.get(name)}
    if ":" in chosen.get("preprocess", "") or ":" in chosen.get("architecture", ""):
        sys.path.append(os.getcwd())  # last: a file here must not stand in for an installed module
    fast = "auto" if typed.get("fast") is None else typed["fast"]
    network = open_network(model, custom_objects=typed.get("custom") or None, size=size, fast=fast, **chosen)
    if size and network.size != size:
        raise SettingError(
            f"{model!r} takes pictures of {network.size[0]} x {network.size[1]}, found --size {typed['size']}. "
            "Leave it out: photographs are brought to that size."
        )
    return network


def size_of(text: str | None) -> tuple[int, int] | None:
    """`HxW` as two numbers."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,5})\s*[xX×]\s*([1-9]\d{0,5})", text.strip())
    if not match:
        raise SettingError(f"Expected --size HxW, such as 224x320 (height x width), found {text!r}.")
    return int(match[1]), int(match[2])


def count_of(name: str, text: str | None) -> int | None:
    """A number of 1 or more."""
    if text is None:
        return None
    if not text.strip().isdecimal() or int(text) < 1:
        raise SettingError(f"Expected --{name} to be a whole number of 1 or more, found {text!r}.")
    return int(text)


def completion_of(typed: Mapping[str, Any], inputs: "Sequence[FurtherInput]") -> "Complete":
    """What makes a picture complete that is not in its file: its class, and further inputs of the model."""
    from kerasviz.runs.classes import Classes, read_classes

    classes = read_classes(typed["classes"]) if typed.get("classes") else Classes()

    def complete(number: int, source: "Source", given: "Given") -> "Given":
        return replace(given, truth=classes.of(source), others={one.name: one.row(number) for one in inputs})

    return complete


@dataclass(frozen=True)
class FurtherInput:
    """An input besides the picture: `NAME=FILE` has a row for each picture or one for all, `NAME=FILE@K` row K for all.

    Attributes:
        name: of the input.
        path: of a .npy file.
        rows: what is in it.
        only: the row that is used for every picture, or None.
    """

    name: str
    path: str
    rows: Any
    only: int | None = None

    def row(self, number: int) -> Any:
        """The value for a picture, by its number from 0; SettingError where there is none."""
        place = self._place(number)
        if place >= len(self.rows):
            raise SettingError(
                f"Expected a row {place} of --input {self.name}, found {len(self.rows)} rows in {self.path!r}. "
                "Give as many rows as pictures, in their order, or one for all."
            )
        return self.rows[place]

    def typed(self, number: int) -> str:
        """How the same value is asked for again for one picture alone."""
        return f"{self.name}={self.path}@{self._place(number)}"

    def _place(self, number: int) -> int:
        return self.only if self.only is not None else 0 if len(self.rows) == 1 else number


def further_inputs(network: "Network", typed: Sequence[str]) -> list[FurtherInput]:
    """What `--input` names; SettingError where the model has no such input, or the file is no array."""
    known = network.inputs[1:]
    found = []
    for text in typed:
        match = re.fullmatch(r"(.+?)=(.+?)(?:@(\d+))?", text)
        if not match or match[1] not in known:
            there = f"it has {', '.join(map(repr, known))} besides the picture" if known else "it takes a picture alone"
            raise SettingError(
                f"Expected --input NAME=FILE with an input of the model ({there}), found {text!r}."
                f"{near(match[1], known) if match else ''} Leave it out, or name one of them."
            )
        found.append(FurtherInput(match[1], match[2], array_in(match[2]), int(match[3]) if match[3] else None))
    return found


def array_in(path: str) -> Any:
    """The array of a .npy file; nothing is unpickled."""
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
        if not isinstance(array, np.ndarray) or array.ndim == 0:
            raise ValueError("it is not one array with rows")
    except (OSError, ValueError, EOFError) as error:
        raise SettingError(
            f"Expected an array in {path!r}, as np.save writes it, one row for each picture or one for all; "
            f"it cannot be read so ({error}). Write it again."
        ) from error
    return array
