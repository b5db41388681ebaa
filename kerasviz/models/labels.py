"""Names of classes: read from a file, found again by name, unique beginning or synset."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasviz.errors import SettingError, TargetError, near


@dataclass(frozen=True)
class Labels:
    """`names[i]` is the name of class i; `synsets[i]`, where known, its WordNet id."""

    names: tuple[str, ...]
    synsets: tuple[str, ...] = ()

    def name(self, index: int) -> str:
        """The name of a class, or `class 7` where there is none."""
        return self.names[index] if 0 <= index < len(self.names) else f"class {index}"

    def find(self, text: str) -> int | None:
        """The class of that name, synset or unique beginning; None where nothing begins so."""
        wanted = _plain(text)
        plain = [_plain(name) for name in self.names]
        exact = [k for k, name in enumerate(plain) if name == wanted]
        exact = exact or [k for k, synset in enumerate(self.synsets) if wanted and synset == text.strip()]
        found = exact or [k for k, name in enumerate(plain) if wanted and name.startswith(wanted)]
        if found and not exact:  # "cat" begins only "catamaran", but it is a word of "tiger cat"
            word = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
            found = sorted({*found, *(k for k, name in enumerate(plain) if word.search(name))})
        if len(found) > 1:
            some = ", ".join(f"{self.names[k]!r} ({k})" for k in found[:4])
            raise TargetError(
                f"Expected the name of one class, found {text!r}, which stands for {len(found)}: {some}. "
                "Give more of the name, or the number."
            )
        return found[0] if found else None

    def near(self, text: str) -> str:
        """` Did you mean ...?`, or nothing."""
        return near(text, self.names)


NO_LABELS = Labels(())


def _plain(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text).strip().lower()


def as_labels(source: Any) -> Labels:
    """Labels from Labels, a sequence of names, a dict index -> name, or the path of a .txt, .json or .csv file.

    A text file has one class a line, optionally `synset<TAB>name`. Keras' own form is read, too:
    `{"0": ["n01440764", "tench"]}`.
    """
    if source is None:
        return NO_LABELS
    if isinstance(source, Labels):
        return source
    if isinstance(source, (str, Path)):
        return _read(Path(source))
    try:
        return _from_rows(_rows_of(source))
    except (ValueError, KeyError, TypeError) as error:
        raise SettingError(
            f"Expected class names as texts, one for each class, found {source!r:.80}. "
            "Give a list of names, a dict index -> name, or the path of a .txt, .json or .csv file."
        ) from error


def _read(path: Path) -> Labels:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            return _from_rows(_rows_of(json.loads(text)))
        if path.suffix == ".csv":
            return _from_rows([[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row])
        return _from_rows([line.split("\t") for line in text.splitlines() if line.strip()])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(
            f"Expected class names in {str(path)!r}, one a line, or as JSON or CSV; it cannot be read so: {error}."
        ) from error


def _rows_of(source: Any) -> list[list[str]]:
    if isinstance(source, dict):
        if source and all(isinstance(value, int) for value in source.values()):  # Keras' class_indices
            source = {index: name for name, index in source.items()}
        source = [source[key] for key in sorted(source, key=int)]
    rows: list[Sequence[Any]] = []
    for entry in source:
        if isinstance(entry, dict):
            entry = [entry["synset"], entry["name"]] if "synset" in entry else [entry["name"]]
        rows.append([entry] if isinstance(entry, str) else list(entry))
    return [[str(cell) for cell in row] for row in rows]


def _from_rows(rows: list[list[str]]) -> Labels:
    """Rows of `name`, `synset, name` or `index, name`; a heading without a class is dropped."""
    if rows and [cell.lower() for cell in rows[0]][-1] in ("name", "label", "class") and len(rows[0]) > 1:
        rows = rows[1:]
    if rows and all(len(row) > 1 and row[0].isdigit() for row in rows):
        rows = [row[1:] for row in sorted(rows, key=lambda row: int(row[0]))]
    names = tuple(row[-1].strip() for row in rows)
    wnids = tuple(next((c for c in row if re.fullmatch(r"n\d{8}", c.strip())), "").strip() for row in rows)
    return Labels(names, wnids if any(wnids) else ())
