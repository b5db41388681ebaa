"""A picture file becomes an upright RGB photograph, or one sentence that says why it cannot."""

import hashlib
import importlib
import io
import os
import re
import stat
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from kerasviz.errors import ImageError, near
from kerasviz.inputs.developing import developed

SUFFIXES = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"}
    | {".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"}
)
MAX_PIXELS = 178_956_970  # where Pillow itself stops; 179 megapixels are 537 MB of RGB

# Only what decodes pixels: EPS would start Ghostscript, and the rare formats have had the rare holes.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "GIF", "JPEG2000", "PPM", "TGA")

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

_warnings_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph as it is looked at.

    Attributes:
        pixels: uint8 (H, W, 3), RGB in the sRGB colour space, upright.
        path: the file as it was named, or None for pixels that were never a file.
        sha256: of the very bytes that were decoded, in hexadecimal, or None.
        notes: what was done to the pixels beyond decoding, one phrase each, for the record.
        rgba: uint8 (H, W, 4), its own colours and their alpha, for networks of four channels; None where it is opaque.
    """

    pixels: np.ndarray
    path: str | None
    sha256: str | None
    notes: tuple[str, ...] = ()
    rgba: np.ndarray | None = None


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The picture at `path` as uint8 (H, W, 3): RGB, upright, alpha on white. ImageError where it cannot be read."""
    return read_photo(path).pixels


def read_photo(path: str | os.PathLike, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Reads a picture file once; safe to call from several threads.

    JPEG, PNG, WebP, BMP, TIFF, AVIF, GIF, JPEG 2000, PPM and TGA; HEIC where pillow-heif is
    installed. Of several frames or pages the first. 16 bits and floats are scaled to 0..255,
    alpha lies on white, an embedded colour profile is converted to sRGB.

    Args:
        path: the file; its content decides what it is, not its name.
        max_pixels: width times height above which the file is refused before it is decoded. Above
            the default, Pillow's own `PIL.Image.MAX_IMAGE_PIXELS` must be raised, too.

    Raises:
        ImageError: missing, unreadable, no picture, truncated, or too large.
    """
    name = os.fspath(path)
    data = _bytes_of(name, max_pixels)
    notes: list[str] = []
    try:
        image = _opened(name, data, max_pixels)
        image.load()
        pixels, rgba = developed(image, notes)
    except ImageError:
        raise
    except Exception as error:  # a damaged file makes decoders raise nearly anything
        raise ImageError(
            f"Expected a whole picture in {name!r}, found one that is truncated or damaged ({_said(error)}). "
            "Open it in a picture program and save it again, or leave it out."
        ) from error
    return Photo(pixels, str(name), hashlib.sha256(data).hexdigest(), tuple(notes), rgba)


def near_files(path: str | os.PathLike) -> str:
    """` Did you mean 'a' or 'b'?` from the names that lie where `path` should, or nothing."""
    folder, name = os.path.split(os.path.abspath(path))
    try:
        with os.scandir(folder) as entries:  # comparing names is slow: a folder of a million is not read through
            return near(name, [entry.name for entry in islice(entries, 2000)])
    except OSError:
        return ""


# From the file to an open picture.


def _bytes_of(name: str, max_pixels: int) -> bytes:
    """The file's content; everything that is no file, or too large to be a picture, is refused unread."""
    try:
        found = os.stat(name)
        if stat.S_ISDIR(found.st_mode) and not os.access(name, os.R_OK | os.X_OK):
            raise ImageError(f"The folder {name!r} cannot be read (permission denied). Check its permissions.")
        if stat.S_ISDIR(found.st_mode):
            raise ImageError(f"Expected a picture file, found the folder {name!r}. Name the pictures that are in it.")
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(f"Expected a picture file, found a pipe or device: {name!r}. Save the picture to a file.")
        if found.st_size > 8 * max_pixels:  # four channels of 16 bits, not compressed
            raise ImageError(
                f"Expected a picture of at most {max_pixels / 1e6:.0f} megapixels, found a file of "
                f"{found.st_size / 1e9:.1f} GB: {name!r}. Make it smaller, or leave it out."
            )
        data = Path(name).read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no picture {name!r}.{near_files(name)} Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(f"{name!r} cannot be read ({_said(error)}). Check the path and its permissions.") from error
    if not data:
        raise ImageError(f"Expected a picture in {name!r}, found an empty file. Copy it again, or leave it out.")
    return data


def _opened(name: str, data: bytes, max_pixels: int) -> Image.Image:
    """The picture, its header read and its size checked, nothing decoded."""
    try:
        image = _header(data, ("HEIF",) if _is_heic(data) and _heif_installed(name) else _formats())
    except Image.UnidentifiedImageError:
        raise ImageError(
            f"Expected a picture in {name!r}, found {_looks_like(data)}. "
            "JPEG, PNG, WebP, BMP, TIFF, AVIF and GIF can be read; convert it to one of them, or leave it out."
        ) from None
    except Image.DecompressionBombError as error:  # Pillow's own limit, which the program may have set lower
        pixels = int(re.findall(r"\d+", str(error))[0])
        raise ImageError(_too_large(name, pixels, min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or 0)))) from None
    if image.width * image.height > max_pixels:
        raise ImageError(_too_large(name, image.width * image.height, max_pixels))
    return image


def _header(data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Pillow's lazy open, without its warning above 89 megapixels: the limit is checked by the caller.

    Filters of warnings belong to the whole process, so no two threads may exchange them at once.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=formats)


@cache
def _formats() -> tuple[str, ...]:
    """The formats that this Pillow was built with; asking it for another one is a KeyError."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and b"avif" not in data[8:64]


def _heif_installed(name: str) -> bool:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise ImageError(
            f"Expected a picture that can be read, found HEIC in {name!r}. "
            "Type 'pip install pillow-heif', or convert it to JPEG."
        ) from None
    return True


def _too_large(name: str, pixels: int, limit: int) -> str:
    return (
        f"Expected a picture of at most {limit / 1e6:.0f} megapixels in {name!r}, found one of "
        f"{pixels / 1e6:.0f}, which was not decoded. Make it smaller, or leave it out."
    )


def _looks_like(data: bytes) -> str:
    """What a file that is no picture seems to be."""
    known = {b"%PDF": "a PDF", b"PK\x03\x04": "a zip archive", b"\x89HDF": "an HDF5 file", b"\x1f\x8b": "a gzip file"}
    for start, what in known.items():
        if data.startswith(start):
            return what
    return "text" if data[:512].isascii() and b"\0" not in data[:512] else "something else"


def _said(error: BaseException) -> str:
    """The first line of what another library said, without its full stop."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".")
