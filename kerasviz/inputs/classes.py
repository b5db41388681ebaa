"""The classes that come with pictures, as indices or names."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasviz.errors import SettingError

_CURE = "Give one class a picture, as a number, a name or a one-hot row; or the pictures alone."


def classes_of(y: Any) -> list[int | str]:
    """One class for each row.

    Args:
        y: whole numbers (N,) or (N, 1), names (N,), or one-hot or soft rows (N, classes), whose largest counts.

    Raises:
        SettingError: these are no classes.
    """
    array = _array(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and _one_hot(array):
        return [int(k) for k in array.argmax(1)]
    if array.ndim != 1:
        raise SettingError(f"Expected classes as (N,) or one-hot (N, classes), found {array.shape}. {_CURE}")
    if array.dtype.kind in "USO":
        return [_name(one) for one in array]
    whole = array.dtype.kind in "iub" or (array.dtype.kind == "f" and np.array_equal(array, np.rint(array)))
    if not whole or (array < 0).any():
        raise SettingError(f"Expected classes as whole numbers from 0 on, or names, found {array[:3]} ... {_CURE}")
    return [int(one) for one in array]


def classes_in(y: Any, batched: bool) -> list[int | str] | None:
    """The same of what a dataset holds beside a batch, or beside one picture; None where it is something else."""
    if y is None:
        return None
    try:
        return classes_of(y if batched else _array(y)[None])
    except SettingError:  # maps, boxes, numbers, several outputs
        return None


def _array(y: Any) -> np.ndarray:
    if isinstance(y, Mapping):
        raise SettingError(f"Expected one class a picture, found a dict {', '.join(map(repr, y))}. {_CURE}")
    try:
        array = np.asarray(y)
    except ValueError:  # rows of several lengths
        raise SettingError(f"Expected one class a picture, found a {type(y).__name__} of arrays. {_CURE}") from None
    return array if array.dtype.kind in "USObiuf" else np.asarray(array, np.float32)  # bfloat16


def _one_hot(rows: np.ndarray) -> bool:
    """Each row's parts are shares of 1."""
    if rows.dtype.kind not in "biuf" or not len(rows):
        return False
    return bool((rows >= 0).all() and np.allclose(rows.sum(1, dtype=np.float64), 1, atol=0.01))


def _name(one: Any) -> str:
    if isinstance(one, bytes):
        return one.decode("utf-8", "replace")
    if not isinstance(one, str):
        raise SettingError(f"Expected names of classes, found {one!r:.80}. {_CURE}")
    return str(one)
