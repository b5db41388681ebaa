"""What a user hands over, as the network takes it: files and uint8 arrays are photographs, floats are inputs."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import ImageError
from kerasviz.inputs.developing import on_white
from kerasviz.inputs.fitting import Fit, fit
from kerasviz.inputs.reading import Photo, read_photo


@dataclass(frozen=True)
class Frame:
    """What the network wants of a picture.

    Attributes:
        size: (height, width); None where any is taken.
        channels: None for those of the picture.
        how: photographs are fitted: `squash`, `crop` or `pad`.
        strict: whether float inputs must have that size; else it is only what photographs are fitted to.
        channels_first: whether its own float inputs lie as (C, H, W).
    """

    size: tuple[int | None, int | None] = (None, None)
    channels: int | None = 3
    how: str = "squash"
    strict: bool = True
    channels_first: bool = False


@dataclass(frozen=True)
class Given:
    """One picture on its way into the network.

    Attributes:
        pixels: (h, w, C) float32: a fitted photograph in 0..255, or the network's own input.
        photo: the photograph as it was, or None for a float input.
        fit: how the photograph became `pixels`.
        others: input name -> one value, for models with several inputs.
        name: what its output files are called, or None.
    """

    pixels: np.ndarray
    photo: Photo | None
    fit: Fit
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    name: str | None = None
    truth: int | str | None = None
    together: "Together | None" = None  # the float inputs it came with

    @property
    def span(self) -> tuple[float, float] | None:
        """Smallest and largest value of the float inputs it came with: all of them are drawn with one stretch."""
        return self.together.span if self.together else None


class Together:
    """The float inputs of one call. Their span is looked for when one of them is drawn: it takes as long as a copy."""

    def __init__(self, pictures: list[np.ndarray]):
        self._pictures = pictures

    @cached_property
    def span(self) -> tuple[float, float]:
        """Smallest and largest value of all."""
        return float(min(each.min() for each in self._pictures)), float(max(each.max() for each in self._pictures))


def prepared(images: Any, frame: Frame, picture: str | None = None) -> tuple[list[Given], bool]:
    """The pictures in what a user handed over, and whether it was just one.

    Args:
        images: a path, an array (H, W), (H, W, C) or (N, H, W, C), a list of these, a `tf.data.Dataset`,
            or, for a model with several inputs, a dict input name -> array.
        frame: what the network wants.
        picture: the name of the picture's input, for dicts.
    """
    if isinstance(images, Mapping):
        return _several_inputs(images, frame, picture)
    found, single = [], True
    for item, alone in pictures_in(images, frame):
        found.append(one(item, frame))
        single = single and alone
    return _named(_together(found)), single and len(found) == 1


def _named(given: list[Given]) -> list[Given]:
    """Of several pictures no two share a name: files have their path below their common folder, arrays a number."""
    files = [os.path.abspath(g.photo.path) for g in given if g.photo and g.photo.path]
    if len(given) < 2:
        return given
    parent = os.path.commonpath([os.path.dirname(file) for file in files]) if files else ""
    names = [
        Path(os.path.relpath(g.photo.path, parent)).as_posix() if g.photo and g.photo.path else f"image_{k:04d}"
        for k, g in enumerate(given)
    ]
    return [g if g.name else replace(g, name=name) for g, name in zip(given, names, strict=True)]


def _together(given: list[Given]) -> list[Given]:
    together = Together([g.pixels for g in given if g.photo is None])
    return [g if g.photo else replace(g, together=together) for g in given]


def one(item: Any, frame: Frame, name: str | None = None) -> Given:
    """One picture, a path, Photo or array (H, W) or (H, W, C), on its way into the network; an array is not copied."""
    if isinstance(item, Given):
        return item
    if isinstance(item, (str, Path)):
        item = read_photo(item)
    if isinstance(item, Photo):
        return _photograph(item, frame, name)
    array = np.asarray(item)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3:
        raise ImageError(f"Expected a picture (height, width, channels), found an array of shape {array.shape}.")
    if array.dtype == np.uint8:
        pixels = np.repeat(array, 3, -1) if array.shape[-1] == 1 else array
        if pixels.shape[-1] == 4:
            return _photograph(Photo(on_white(pixels), None, None, (), pixels), frame, name)
        if pixels.shape[-1] == 3:
            return _photograph(Photo(np.ascontiguousarray(pixels), None, None, ()), frame, name)
    return _own_input(array.astype(np.float32, copy=False), frame, name)


def pictures_in(images: Any, frame: Frame) -> Iterator[tuple[Any, bool]]:
    """(picture, whether it stood alone) for each picture, without reading any.

    Arrays are copied, each once and whole: results are drawn later, when their owner may have filled them anew.
    """
    if isinstance(images, (str, Path, Photo, Given)):
        yield images, True
    elif hasattr(images, "element_spec"):  # a tf.data.Dataset of pictures, or of (pictures, labels)
        for element in images:
            x = element[0] if isinstance(element, (tuple, list)) else element
            yield from ((item, False) for item, _ in pictures_in(np.asarray(x), frame))
    elif isinstance(images, Iterable) and not hasattr(images, "__array__"):
        for item in images:
            yield from ((inner, False) for inner, _ in pictures_in(item, frame))
    else:
        array = _photographs_or_floats(np.asarray(images))
        if frame.channels_first and array.dtype != np.uint8 and array.ndim > 2:
            array = np.ascontiguousarray(np.moveaxis(array, -3, -1))
        if array.ndim < 2 or _is_one(array, frame.channels):  # a number is no picture, and `one` says so
            yield array, True
        else:
            yield from ((item, False) for item in array)


def _photographs_or_floats(array: np.ndarray) -> np.ndarray:
    """A copy, uint8 or float32."""
    if array.ndim < 2 or array.dtype == object:
        raise ImageError(f"Expected a picture (height, width, channels), found {array.dtype} of shape {array.shape}.")
    if array.dtype == np.uint8 or array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        return np.array(array, np.uint8 if array.dtype == np.uint8 else np.float32)
    raise ImageError(
        f"Expected uint8 (photographs, 0..255) or float (the network's own inputs), found {array.dtype}. "
        "Turn the array into one of these: array.astype('uint8') or array.astype('float32')."
    )


def _is_one(array: np.ndarray, channels: int | None) -> bool:
    """(H, W), (H, W, C); three axes without a channel axis are a batch of grey pictures."""
    if array.ndim == 3:
        colours = (1, 3, 4) if array.dtype == np.uint8 else (1, 3)  # RGBA is no more than a photograph
        return array.shape[-1] == channels or (array.shape[-1] in colours and channels in (None, 1, 3, 4))
    return array.ndim == 2


def size_for(photo_size: tuple[int, int], wanted: tuple[int | None, int | None]) -> tuple[int, int]:
    """(height, width) of the network's input: where it is open, the photograph's, at most 512, multiples of 32."""
    shrink = min(1.0, 512 / max(photo_size))
    own = [max(32, round(side * shrink / 32) * 32) for side in photo_size]
    return wanted[0] or own[0], wanted[1] or own[1]


def _photograph(photo: Photo, frame: Frame, name: str | None) -> Given:
    size = size_for(photo.pixels.shape[:2], frame.size)
    own = photo.pixels if photo.rgba is None or frame.channels != 4 else photo.rgba
    pixels, how = fit(own, size, frame.how, frame.channels or 3)
    return Given(pixels, photo, how, name=name)


def _own_input(array: np.ndarray, frame: Frame, name: str | None) -> Given:
    wanted = frame.size if frame.strict else (None, None)
    size = tuple(want or have for want, have in zip(wanted, array.shape[:2], strict=True))
    channels = frame.channels or array.shape[-1]
    if (*size, channels) != array.shape:
        raise ImageError(
            f"Expected the network's own input, float {(*size, channels)}, found {array.shape}. "
            "Float arrays are taken as they are; uint8 arrays are photographs and are fitted."
        )
    return Given(array, None, Fit(array.shape[:2], array.shape[:2], "squash"), name=name)


def _several_inputs(images: Mapping[str, Any], frame: Frame, picture: str | None) -> tuple[list[Given], bool]:
    if picture is None:
        raise ImageError(
            "Expected a model that has been built, for which of its inputs takes the pictures is not known before. "
            "Call it on a batch first."
        )
    if picture not in images:
        raise ImageError(f"Expected the pictures under the name {picture!r}, found {', '.join(map(repr, images))}.")
    given, single = prepared(images[picture], frame)
    others = {name: np.asarray(value) for name, value in images.items() if name != picture}
    if single:
        others = {name: value[None] for name, value in others.items()}
    for name, value in others.items():
        if len(value) != len(given):
            raise ImageError(f"Expected {len(given)} values for input {name!r}, one a picture, found {len(value)}.")
    rows = [{name: value[k] for name, value in others.items()} for k in range(len(given))]
    return [replace(g, others=row) for g, row in zip(given, rows, strict=True)], single
