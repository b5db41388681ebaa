"""A fixed panel of pictures: what a user hands over once, drawn from once, with the classes it carries."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import ImageError, SettingError
from kerasviz.inputs.classes import classes_in, classes_of
from kerasviz.inputs.reading import Photo, read_photo
from kerasviz.inputs.sources import find_images

COUNT, MOST = 16, 100
_MOST_FILES = 100_000  # of a folder are looked at

Elements = Callable[[Any], Iterator[Any]]


@dataclass(frozen=True)
class Fixed:
    """Pictures, or a dict input name -> rows; and the true class of each as an index or a name, where it is known.

    Attributes:
        images: whatever `Network.prepare` takes.
        truths: None where not every picture has a class.
        guessed: whether nobody said that these are classes: names of folders, the second parts of a dataset.
    """

    images: Any
    truths: Sequence[int | str] | None = None
    guessed: bool = False


def fixed(images: Any, count: int | None = None, seed: int = 0, elements: Elements = iter) -> Fixed:
    """The panel.

    Args:
        images: an array (N, H, W, C), a list of arrays or paths, a dict input name -> array, a `tf.data.Dataset`
            or generator of pictures or (pictures, classes), a folder or pattern, a pair (any of these, classes), or
            a function that returns any of these. Classes are indices, names or one-hot rows.
        count: so many of them. Default: all of an array or list; the first 16 of a dataset; 16 of a folder, drawn
            by `seed`, so that folders named by class are mixed.
        elements: how a dataset is drawn from.

    Raises:
        SettingError: nothing in it, more than 100 pictures, or classes that are none.
        SourceError, ImageError: as reading them does.
    """
    expect_count(count)
    if isinstance(images, Fixed):
        return images
    if _is_function(images):
        return fixed(images(), count, seed, elements)
    if _is_pair(images):
        return _labelled(images[0], classes_of(images[1]), count, seed, elements)
    if _is_stream(images):
        return _drawn(_batches(images) if _is_numbered(images) else elements(images), count or COUNT)
    if isinstance(images, (str, Path)):
        paths = _paths(images)
        kept = [paths[k] for k in _chosen(len(paths), count or COUNT, seed)]
        return _checked(kept, [Path(each).absolute().parent.name for each in kept], True)
    return _checked(_cut(_rows_of(images), count))


def readable(panel: Fixed) -> tuple[Fixed, list[ImageError]]:
    """The panel without pictures of a folder that cannot be read, and why; the others are read.

    Raises:
        ImageError: none of them can be read.
    """
    if (
        not panel.guessed
        or not isinstance(panel.images, list)
        or not all(isinstance(each, (str, Path)) for each in panel.images)
    ):
        return panel, []
    photos, truths, errors = list[Photo](), list[int | str](), list[ImageError]()
    for path, truth in zip(panel.images, panel.truths or [""] * len(panel.images), strict=True):
        try:
            photos.append(read_photo(path))
            truths.append(truth)
        except ImageError as error:
            errors.append(error)
    if not photos:
        raise errors[0]
    return replace(panel, images=photos, truths=truths if panel.truths else None), errors


def expect_count(count: int | None) -> None:
    """SettingError where that is no number of pictures."""
    whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
    if count is not None and not (whole and 0 < count <= MOST):
        raise SettingError(f"Expected count as a number of pictures, 1 to {MOST}, found {count!r}. Try count=16.")


def _is_function(images: Any) -> bool:
    return callable(images) and not hasattr(images, "element_spec")


def _is_stream(images: Any) -> bool:
    """Something to draw from."""
    return hasattr(images, "element_spec") or isinstance(images, Iterator) or _is_numbered(images)


def _is_numbered(images: Any) -> bool:
    """Batches by number, as of `keras.utils.PyDataset`."""
    return all(hasattr(images, name) for name in ("__getitem__", "__len__", "on_epoch_end"))


def _batches(numbered: Any) -> Iterator[Any]:
    return (numbered[k] for k in range(len(numbered)))


def _is_pair(images: Any) -> bool:
    """(x, y), perhaps with weights, and not several pictures: y has fewer axes than x."""
    if not isinstance(images, tuple) or len(images) not in (2, 3):
        return False
    x, y = images[:2]
    if isinstance(x, (str, Path)):
        return not isinstance(y, (str, Path)) and np.ndim(y) == 1
    if isinstance(x, (Mapping, list)) or _is_stream(x) or _is_function(x):
        return True
    return np.ndim(x) == 4 or (np.ndim(x) in (2, 3) and not isinstance(y, (str, Path)) and _axes(y) < np.ndim(x))


def _axes(y: Any) -> int:
    try:
        return np.ndim(y)
    except ValueError:  # rows of several lengths
        return 1


def _labelled(x: Any, truths: list[int | str], count: int | None, seed: int, elements: Elements) -> Fixed:
    """Pictures, and a class for each of them; where x is drawn from, for as many as are drawn at least."""
    if _is_function(x):
        return _labelled(x(), truths, count, seed, elements)
    if _is_stream(x):
        found = fixed(x, count, seed, elements)
        number = _length(found.images)
        _expect_one_each(truths[:number], number)
        return Fixed(found.images, truths[:number])
    if isinstance(x, (str, Path)):
        paths = _paths(x)
        _expect_one_each(truths, len(paths))
        chosen = _chosen(len(paths), count or COUNT, seed)
        return _checked([paths[k] for k in chosen], [truths[k] for k in chosen])
    rows = _rows_of(x)
    _expect_one_each(truths, _length(rows))
    return _checked(_cut(rows, count), truths[:count])


def _expect_one_each(truths: Sequence[Any], number: int) -> None:
    if len(truths) != number:
        raise SettingError(
            f"Expected one class a picture, found {len(truths)} for {number} pictures. Cut both to the same length."
        )


def _rows_of(images: Any) -> Any:
    """Pictures as a list, an array with the pictures first, or a dict of arrays; nothing is read from a file here."""
    if isinstance(images, Mapping):
        return dict(images)
    if isinstance(images, (list, tuple)):
        return list(images)
    array = images if hasattr(images, "shape") else np.asarray(images)  # a file of HDF5 is cut before it is read
    if len(array.shape) < 2:
        if len(array.shape) == 1 and array.dtype.kind in "UO":  # paths
            return array.tolist()
        raise SettingError(
            f"Expected pictures to watch a training with, found {images!r:.80}. Give an array (N, H, W, C), "
            "a list of arrays or paths, a dataset, a folder, or a function that returns one of these."
        )
    if len(array.shape) == 2:
        return np.asarray(array)[None, ..., None]
    if len(array.shape) == 3 and array.shape[-1] in (1, 3):
        return np.asarray(array)[None]
    return array


def _cut(rows: Any, count: int | None) -> Any:
    _expect_few(_length(rows) if count is None else min(count, _length(rows)))
    if isinstance(rows, Mapping):
        return {name: np.asarray(values[:count]) for name, values in rows.items()}
    return rows[:count] if isinstance(rows, list) else np.asarray(rows[:count])


def _length(images: Any) -> int:
    return len(next(iter(images.values()), ())) if isinstance(images, Mapping) else len(images)


def _checked(images: Any, truths: Sequence[int | str] | None = None, guessed: bool = False) -> Fixed:
    _expect_few(_length(images))
    return Fixed(images, truths, guessed)


def _expect_few(number: int) -> None:
    if not 0 < number <= MOST:
        raise SettingError(
            f"Expected 1 to {MOST} pictures to watch a training with, found {number}. "
            "Give fewer, images[:16] for example, or count=16."
        )


def _paths(path: str | Path) -> list[str]:
    return [str(source.path) for source in islice(find_images([str(path)]), _MOST_FILES)]


def _chosen(number: int, count: int, seed: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(number), min(count, number)))


def _drawn(elements: Iterable[Any], count: int) -> Fixed:
    """The first pictures of batches or single ones, with their classes where all of them have one."""
    pictures: list[Any] = []
    truths: list[int | str | None] = []
    for element in elements:
        x, y = (*element, None)[:2] if isinstance(element, (tuple, list)) else (element, None)
        for row, truth in islice(_rows(x, y), count - len(pictures)):
            pictures.append(row)
            truths.append(truth)
        if len(pictures) == count:
            break
    known = [truth for truth in truths if truth is not None]
    return _checked(_stacked(pictures), known if len(known) == len(pictures) else None, True)


def _rows(x: Any, y: Any) -> Iterator[tuple[Any, int | str | None]]:
    """(picture, class) for each row of a batch, or of the one picture."""
    if isinstance(x, (tuple, list)):
        raise ImageError(
            f"Expected pictures in a dataset, or a dict input name -> pictures, found a {type(x).__name__}. "
            "Name the inputs: dataset.map(lambda x, y: ({'photo': x[0], 'age': x[1]}, y))."
        )
    arrays = {name: np.asarray(v) for name, v in x.items()} if isinstance(x, Mapping) else {"": np.asarray(x)}
    picture = max(arrays.values(), key=np.ndim)
    alone = picture.ndim < 3 or (picture.ndim == 3 and picture.shape[-1] in (1, 3))
    batched = not (alone or (picture.ndim == 3 and y is not None and not isinstance(y, Mapping) and np.ndim(y) == 0))
    if not batched:
        arrays = {name: values[None] for name, values in arrays.items()}
    number = len(picture) if batched else 1
    classes = classes_in(y, batched)
    for k in range(number):
        row = {name: values[k] for name, values in arrays.items()}
        yield row if isinstance(x, Mapping) else row[""], classes[k] if classes and len(classes) == number else None


def _stacked(pictures: list[Any]) -> Any:
    if not pictures:
        raise ImageError("Expected pictures to watch a training with, found an empty dataset. Give some of its first.")
    if isinstance(pictures[0], Mapping):
        return {name: np.stack([one[name] for one in pictures]) for name in pictures[0]}
    if len({one.shape for one in pictures}) > 1:
        return [one.copy() for one in pictures]  # a view would keep its whole batch
    return np.stack(pictures)
