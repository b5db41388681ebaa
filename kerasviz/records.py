"""The record of a result: what its files are called, how they are written whole, and how they are made again."""

import hashlib
import io
import json
import math
import os
import re
import shlex
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin

from kerasviz.errors import ImageError, SettingError
from kerasviz.writing import output_errors, writable_folder, write_whole

fcntl: Any = None
with suppress(ImportError):  # Windows has none
    import fcntl

__all__ = [
    "append_line",
    "as_json",
    "clean",
    "command_of",
    "file_name",
    "png_bytes",
    "read_recipe",
    "writable_folder",
    "write_whole",
]

KEYWORD = "kerasviz"  # of the text chunk
LONGEST_NAME = 199  # bytes; file systems take 255, and what else is written beside may add its own suffix
LONGEST_RECIPE = 4 << 20  # bytes; ours have a few thousand
_RUN_LENGTHS = 3  # zlib's Z_RLE: panels in a third of the default's time, 6 % larger
PNG = b"\x89PNG\r\n\x1a\n"


# Names.


def clean(text: str) -> str:
    """`text` as part of a file's name: everything but letters, digits and `+-_@,` becomes `-`."""
    return re.sub(r"[^\w+\-@,]", "-", text)


def file_name(image_name: str | None, technique: str, target: str | None, style: str, extension: str) -> str:
    """`IMAGE.TECHNIQUE[.TARGET].STYLE.EXT`, the path of a result below the output folder.

    Args:
        image_name: the picture's path relative to what was given, with `/`, or None without a picture.
        technique: its name in the shell.
        target: as it was asked for, or None for the default.
        style: `panel`, `overlay`, `heatmap` or `values`.
        extension: without the dot.

    Returns:
        A relative path with `/` that leads nowhere else than below its folder. A part that had to
        be changed or shortened for that carries a hash of what it was, so two never become one.
    """
    words = [technique] + ([] if target is None else [_shortened(clean(target), 64, target)]) + [style, extension]
    ending = ".".join(words)
    if image_name is None:
        return ending
    *folders, name = [part for part in image_name.split("/") if part not in ("", ".")] or ["image"]
    name = _harmless(name, LONGEST_NAME - len(os.fsencode(ending)) - 1)
    return "/".join([*(_harmless(folder, LONGEST_NAME) for folder in folders), f"{name}.{ending}"])


def _harmless(part: str, longest: int) -> str:
    """One part of a path, without what means something to a file system: `..`, drives, control characters."""
    kept = re.sub(r'[\x00-\x1f\x7f\\:*?"<>|]', "-", part)
    if not kept.strip("."):
        kept = "-" * len(kept)
    if kept != part:
        kept = f"{kept}~{_hash(part)}"
    return _shortened(kept, longest, part)


def _shortened(name: str, longest: int, original: str) -> str:
    """At most `longest` bytes: the beginning, a hash of all of it, and its suffix."""
    if len(os.fsencode(name)) <= longest:
        return name
    suffix = PurePath(name).suffix
    ending = f"~{_hash(original)}{suffix if len(os.fsencode(suffix)) <= 10 else ''}"
    return os.fsencode(name)[: longest - len(os.fsencode(ending))].decode("utf-8", "ignore") + ending


def _hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]


# The manifest.


def append_line(manifest: str | os.PathLike, record: Mapping[str, Any]) -> None:
    """Adds a record to a manifest as one line of JSON; a line that a crash left unfinished stays alone.

    Not forced to the disk: after a power cut a result without its line is only made again.

    Raises:
        OutputError: it cannot be written.
    """
    path = Path(manifest)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b", buffering=0) as file:
            if fcntl is not None:  # another writer's line, half seen, would be taken for an unfinished one
                fcntl.flock(file, fcntl.LOCK_EX)
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
            unfinished = file.read(1) not in (b"", b"\n")
            line = b"\n" * unfinished + as_json(record) + b"\n"
            if file.write(line) != len(line):  # at once, so that two writers never mix
                raise OSError(28, "No space left on device")


# JSON.


def as_json(record: Mapping[str, Any]) -> bytes:
    """One line of JSON in UTF-8. NaN and infinity become null; NumPy's numbers and arrays, paths and sets are taken."""
    value = _plain(record)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:  # a file's name that is not UTF-8
        return json.dumps(value, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(list(value)) if value.ndim else _plain(value[()])
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value), key=str)
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, (float, np.floating)):
        # str of a float32 is the shortest text that means it: 0.1, not 0.10000000149011612
        return float(str(value)) if math.isfinite(value) else None
    return _plain(value.item()) if isinstance(value, np.generic) else str(value)


# Pictures that carry their record.


def png_bytes(picture: np.ndarray, record: Mapping[str, Any] | None = None, dpi: float | None = None) -> bytes:
    """A PNG, said to be sRGB, that carries its record.

    Args:
        picture: uint8 (H, W, 3) or (H, W).
        record: kept as a text chunk `kerasviz`, without seconds, absolute paths made relative to
            the folder that the run was started in.
        dpi: pixels per inch, for those who print or place it.
    """
    info = PngImagePlugin.PngInfo()
    info.add(b"sRGB", b"\x00")  # perceptual
    if record is not None:
        recipe = {key: _relative(value) for key, value in record.items() if key != "seconds"}
        info.add_itxt(KEYWORD, as_json(recipe).decode())
    buffer, more = io.BytesIO(), {"dpi": (dpi, dpi)} if dpi else {}
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=info, compress_type=_RUN_LENGTHS, **more)
    return buffer.getvalue()


def _relative(value: Any) -> Any:
    """The value with every absolute path in it relative to the current folder."""
    if isinstance(value, Mapping):
        return {key: _relative(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_relative(inner) for inner in value]
    if isinstance(value, str) and "=" in value and os.path.isabs(value.partition("=")[2]):  # --input NAME=FILE
        name, _, path = value.partition("=")
        return f"{name}={_relative(path)}"
    if isinstance(value, (str, PurePath)) and os.path.isabs(value):
        try:
            return Path(os.path.relpath(value)).as_posix()
        except ValueError:  # another drive of Windows
            return PurePath(value).name
    return value


def read_recipe(path: str | os.PathLike) -> dict[str, Any]:
    """The record that a picture of ours carries; the picture itself is not decoded.

    Raises:
        ImageError: the file cannot be read, is no PNG, or its record is damaged or absurdly large.
        SettingError: it carries no record.
    """
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            text = _recipe_text(file)
        record = None if text is None else json.loads(text)
    except (OSError, ValueError, RecursionError, zlib.error, struct.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ImageError(
            f"Expected a PNG that kerasviz made in {name!r}, found none that can be read ({reason}). "
            "Check the path, or use the manifest.jsonl of its run."
        ) from error
    if not isinstance(record, dict):
        raise SettingError(
            f"Expected a record in {name!r}, found a PNG without one. Programs that edit pictures drop it: "
            "use the file as kerasviz wrote it, or the manifest.jsonl of its run."
        )
    return record


def _recipe_text(file: BinaryIO) -> str | None:
    """The text of the chunk, or None; chunks of others are passed over, and no text may grow without end."""
    if file.read(8) != PNG:
        raise ValueError("it is not a PNG")
    keyword = KEYWORD.encode() + b"\0"
    while len(header := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", header)
        if kind == b"iTXt" and file.read(min(length, len(keyword))) == keyword:
            if length > LONGEST_RECIPE:
                raise ValueError(f"its record has {length / 1e6:.0f} MB")
            return _unpacked(file.read(length - len(keyword)))
        file.seek(length + 4 - (min(length, len(keyword)) if kind == b"iTXt" else 0), os.SEEK_CUR)
    return None


def _unpacked(data: bytes) -> str:
    """The rest of an iTXt chunk: compressed?, method, language, translated keyword, text."""
    text = data[2:].split(b"\0", 2)[2]
    if data[0]:
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(text, LONGEST_RECIPE)
        if unpacking.unconsumed_tail:
            raise ValueError(f"its record unpacks to more than {LONGEST_RECIPE / 1e6:.0f} MB")
    return text.decode("utf-8")


# And again.


def command_of(record: Mapping[str, Any]) -> str:
    """The command line that makes this result again, quoted for a shell.

    Settings become options, an empty one is left out; of `options` (fit, style, ... as they were
    typed) a list is an option given several times. A yes is `--name`, a no `--no-name`.

    Raises:
        SettingError: the model or the picture never was a file.
    """
    words = ["kerasviz", str(record.get("technique") or ""), _file(record, "model")]
    if record.get("image") is not None:
        words.append(_file(record, "image"))
    options = dict(record.get("options") or {})
    asked = (record.get("target") or {}).get("asked")
    if asked not in (None, "auto"):
        words += ["--target", str(asked)]
    for name, value in (record.get("settings") or {}).items():
        listed = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else value
        words += _option(name, listed)
    if (record.get("batch") or 1) > 1:  # equal to the bit only at the same padded size
        options.setdefault("batch-size", record["batch"])
    for name, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words += _option(name, one)
    return shlex.join(words)


def _option(name: str, value: Any) -> list[str]:
    flag = name.replace("_", "-")
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{flag}"] if value else [f"--no-{flag}"]
    if isinstance(value, Mapping):  # pixels from a file: its path and hash
        return [f"--{flag}", str(value["path"])] if value.get("path") else []
    return [f"--{flag}", str(value)]


def _file(record: Mapping[str, Any], what: str) -> str:
    path = (record.get(what) or {}).get("path")
    if not path:
        raise SettingError(
            f"Expected the path of the {what} in the record, found none: it was made from one in memory. "
            f"Save the {what} to a file and explain it from there."
        )
    return f"./{path}" if str(path).startswith("-") else str(path)
