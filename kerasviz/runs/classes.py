"""Which class each picture has: from a file, else from the folder it lies in."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from kerasviz.errors import SettingError
from kerasviz.inputs.sources import Source

_CLASS_COLUMNS = ("class_index", "class", "class_name", "label")  # the first that is filled


@dataclass(frozen=True)
class Classes:
    """The classes of pictures, by their path or name; a picture that no file names has its folder's name."""

    by_file: Mapping[str, int | str] = field(default_factory=dict)

    def of(self, source: Source) -> int | str | None:
        """An index or a name; None where nobody says."""
        for name in (source.name, source.path.as_posix(), source.path.name):
            if name in self.by_file:
                return self.by_file[name]
        return None if self.by_file else source.path.absolute().parent.name or None


def read_classes(path: str | Path) -> Classes:
    """Classes from a file.

    CSV with the columns `file` and `class` (a number or a name), or JSON: a list of objects with
    "file" and "class_index" or "class", or one object file -> class. A file is named by its path
    as it was given, by its path below the given folder, or by its name alone.

    Raises:
        SettingError: the file cannot be read, or says nothing of the kind.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        rows = (
            _json_rows(json.loads(text)) if text.lstrip()[:1] in ("[", "{") else list(csv.DictReader(text.splitlines()))
        )
        found = {PurePath(row["file"]).as_posix(): known for row in rows if (known := _class_in(row)) is not None}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(_expected(path, f"it cannot be read so ({type(error).__name__}: {error})")) from error
    if not found:
        raise SettingError(_expected(path, "there is none in it"))
    return Classes(found)


def _json_rows(content: Any) -> list[Mapping[str, Any]]:
    return [{"file": name, "class": value} for name, value in content.items()] if isinstance(content, dict) else content


def _class_in(row: Mapping[str, Any]) -> int | str | None:
    """Of the columns that may tell the class, the first that does; digits are an index."""
    for column in _CLASS_COLUMNS:
        value = row.get(column)
        if value is not None and str(value).strip():
            text = str(value).strip()
            return int(text) if text.isdigit() else text
    return None


def _expected(path: str | Path, found: str) -> str:
    return (
        f"Expected the classes of pictures in {str(path)!r}, as CSV with the columns file and class, or JSON; {found}. "
        'Write for example {"photo.jpg": 281}.'
    )
