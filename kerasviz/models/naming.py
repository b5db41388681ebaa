"""Which names the classes of a network have: those that were given must be as many, ImageNet's must be its own."""

from functools import cache
from pathlib import Path
from typing import Any

from kerasviz.errors import SettingError
from kerasviz.models.entering import Entrance
from kerasviz.models.families import IMAGENET
from kerasviz.models.importing import Imported
from kerasviz.models.labels import NO_LABELS, Labels, as_labels


@cache
def imagenet() -> Labels:
    """The 1000 classes of ImageNet, with their synsets."""
    return as_labels(Path(__file__).with_name("imagenet_labels.txt"))


def classes_of(model: Any) -> set[int]:
    """How many classes each output of a model may have, as far as it says so before it is traced; empty if not."""
    try:
        shapes = model.output_shapes if isinstance(model, Imported) else model.output_shape
        units = [shape[-1] for shape in _each(shapes)]
    except Exception:  # a subclassed model, or one that was never built: Keras raises what it likes
        return set()
    if not units or any(not isinstance(unit, int) for unit in units):
        return set()
    return {*units, 2} if 1 in units else set(units)


def found_labels(entrance: Entrance) -> Labels | None:
    """ImageNet's names for a network of ImageNet, no names for others; None where that is not known yet."""
    if IMAGENET not in classes_of(entrance.model):
        return NO_LABELS if entrance.door.known else None
    return imagenet() if entrance.told.imagenet else NO_LABELS


def check_count(labels: Labels, model: Any, called: str, said_by: str | None) -> None:
    """SettingError where there are more or fewer names than classes."""
    classes = classes_of(model)
    if labels.names and classes and len(labels.names) not in classes:
        count = " or ".join(map(str, sorted(classes)))
        raise SettingError(
            f"Expected as many class names as {called} has classes ({count}), found {len(labels.names)}"
            f"{f' in {said_by!r}' if said_by else ''}. Give the right file with --labels."
        )


def _each(shapes: Any) -> list[tuple[Any, ...]]:
    """The shapes in a structure of them."""
    if isinstance(shapes, dict):
        return [one for value in shapes.values() for one in _each(value)]
    if all(one is None or isinstance(one, int) for one in shapes):
        return [tuple(shapes)]
    return [one for value in shapes for one in _each(value)]
