"""A fixed panel of pictures: what a user hands over once, drawn from once, with the classes it carries."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import ImageError, SettingError
from kerasviz.inputs.sources import find_images
from kerasviz.lazy import tf

COUNT, MOST = 16, 100


@dataclass(frozen=True)
class Fixed:
    """Pictures, or a dict input name -> rows; and the true class of each as an index or a name, where it is known.

    Attributes:
        images: whatever `Network.prepare` takes.
        truths: None where no picture has a class.
        folders: whether the classes are names of folders, which may mean no class at all.
    """

    images: Any
    truths: Sequence[int | str] | None = None
    folders: bool = False


def fixed(images: Any, count: int | None = None, seed: int = 0) -> Fixed:
    """The panel.

    Args:
        images: an array (N, H, W, C), a list of arrays or paths, a dict input name -> array, a `tf.data.Dataset`
            or generator of pictures or (pictures, classes), a folder or pattern, a pair (any of these, classes), or
            a function that returns any of these. Classes are indices, names or one-hot rows.
        count: so many of them. Default: all of an array or list; the first 16 of a dataset; 16 of a folder, drawn
            by `seed`, so that folders named by class are mixed.

    Raises:
        SettingError: nothing in it, or more than 100 pictures.
        SourceError, ImageError: as reading them does.
    """
    if callable(images) and not hasattr(images, "element_spec"):
        return fixed(images(), count, seed)
    if isinstance(images, Fixed):
        return images
    if _is_pair(images):
        found = fixed(images[0], count, seed)
        truths = _classes(images[1])[: _length(found.images)]
        if len(truths) != _length(found.images):
            raise SettingError(
                f"Expected one class a picture, found {len(truths)} for {_length(found.images)} pictures."
            )
        return Fixed(found.images, truths)
    if hasattr(images, "element_spec") or isinstance(images, Iterator):
        return _drawn(_elements(images), count or COUNT)
    if isinstance(images, (str, Path)):
        return _folder(str(images), count or COUNT, seed)
    return _checked(_first(images, count))


def _is_pair(images: Any) -> bool:
    """(x, y) and not two pictures: y has one number, name or row of numbers for each of x."""
    if not isinstance(images, tuple) or len(images) not in (2, 3):
        return False
    x, y = images[:2]
    if isinstance(x, (str, Path)) or hasattr(x, "element_spec") or callable(x):
        return isinstance(y, (list, np.ndarray))
    return (
        np.ndim(y) in (1, 2)
        and (isinstance(x, Mapping) or np.ndim(x) == 0 or _length(x) <= len(y))
        and (isinstance(x, (Mapping, list)) or np.ndim(x) in (3, 4))
    )


def _classes(y: Any) -> list[int | str]:
    """Indices or names; of one-hot rows the index, of one column of 0 and 1 its value."""
    array = np.asarray(y)
    if array.ndim == 2:
        array = array[:, 0] if array.shape[1] == 1 else array.argmax(1)
    if array.ndim != 1:
        raise SettingError(f"Expected the pictures' classes as (N,) or one-hot (N, classes), found {array.shape}.")
    if array.dtype.kind in "US":
        return [str(one) for one in array]
    if array.dtype.kind not in "iufb" or (array.dtype.kind == "f" and not np.array_equal(array, np.rint(array))):
        raise SettingError(
            f"Expected classes as whole numbers or names, found {array.dtype} values such as {array[0]}."
        )
    return [int(one) for one in array]


def _length(images: Any) -> int:
    return len(next(iter(images.values()))) if isinstance(images, Mapping) else len(images)


def _first(images: Any, count: int | None) -> Any:
    if isinstance(images, Mapping):
        return {name: np.asarray(rows)[:count] for name, rows in images.items()}
    if isinstance(images, (list, tuple)):
        return list(images)[:count]
    array = np.asarray(images)
    if array.ndim == 3 and array.shape[-1] in (1, 3):  # one picture
        array = array[None]
    return array[:count]


def _checked(images: Any, truths: Sequence[int | str] | None = None, folders: bool = False) -> Fixed:
    number = _length(images)
    if not 0 < number <= MOST:
        raise SettingError(
            f"Expected 1 to {MOST} pictures to watch a training with, found {number}. "
            "Give fewer, images[:16] for example, or count=16."
        )
    return Fixed(images, truths, folders)


def _folder(path: str, count: int, seed: int) -> Fixed:
    paths = [source.path for source in islice(find_images([path]), 100_000)]
    chosen = sorted(random.Random(seed).sample(range(len(paths)), min(count, len(paths))))
    kept = [paths[k] for k in chosen]
    return _checked([str(each) for each in kept], [each.absolute().parent.name for each in kept], True)


def _elements(images: Any) -> Iterator[Any]:
    if not hasattr(images, "element_spec"):
        return images
    return iter(_twin(images))


def _twin(dataset: Any) -> Any:
    """The same dataset with random states of its own: drawing from a shuffled one itself changes every later epoch."""
    try:
        # 1: what the training has drawn so far is left out
        data = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset), external_state_policy=1
        )
        graph = tf.compat.v1.GraphDef.FromString(data.numpy())
        for node in graph.node:
            if node.op == "ShuffleDatasetV3":  # its last input is the seed generator that the training draws from
                node.op = "ShuffleDataset"
                del node.input[4]
        variant = tf.raw_ops.DatasetFromGraph(graph_def=graph.SerializeToString())
        return tf.data.experimental.from_variant(variant, dataset.element_spec)
    except (tf.errors.OpError, ValueError, TypeError):  # a Python generator in it, say
        return dataset


def _drawn(elements: Iterator[Any], count: int) -> Fixed:
    """The first pictures of batches or single ones, with their classes where there are any."""
    pictures: list[Any] = []
    truths: list[int | str] = []
    for element in elements:
        x, y = (element[0], element[1]) if isinstance(element, (tuple, list)) else (element, None)
        for row, truth in _rows(x, y):
            pictures.append(row)
            truths += [truth] if truth is not None else []
            if len(pictures) == count:
                return _checked(_stacked(pictures), truths or None)
    return _checked(_stacked(pictures), truths or None)


def _rows(x: Any, y: Any) -> Iterator[tuple[Any, int | str | None]]:
    """(picture, class) for each row of a batch, or of the one picture."""
    first = np.asarray(next(iter(x.values())) if isinstance(x, Mapping) else x)
    batched = first.ndim == 4 or (first.ndim == 3 and first.shape[-1] not in (1, 3))
    arrays = (
        {name: np.asarray(v) if batched else np.asarray(v)[None] for name, v in x.items()}
        if isinstance(x, Mapping)
        else (first if batched else first[None])
    )
    classes = None if y is None or isinstance(y, Mapping) else _quietly(y, batched)
    for k in range(len(first) if batched else 1):
        row = {name: values[k] for name, values in arrays.items()} if isinstance(arrays, Mapping) else arrays[k]
        yield row, classes[k] if classes else None


def _quietly(y: Any, batched: bool) -> list[int | str] | None:
    """Classes where y is that; targets of other kinds (maps, boxes, numbers) are no classes."""
    array = np.asarray(y)
    try:
        return _classes(array if batched else array[None])
    except SettingError:
        return None


def _stacked(pictures: list[Any]) -> Any:
    if pictures and isinstance(pictures[0], Mapping):
        return {name: np.stack([one[name] for one in pictures]) for name in pictures[0]}
    if len({one.shape for one in pictures}) > 1:
        return pictures
    if not pictures:
        raise ImageError("Expected pictures to watch a training with, found an empty dataset.")
    return np.stack(pictures)
