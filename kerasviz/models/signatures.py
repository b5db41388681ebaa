"""A SavedModel folder to a model: the function that is meant is chosen, and checked to take pixels."""

import os
from typing import Any

from kerasviz.errors import ModelError, SettingError, near
from kerasviz.lazy import tf
from kerasviz.models.importing import Imported
from kerasviz.models.saved_models import layer_classes, read_saved_model

_USUAL = "serving_default"
_TIMES = 8


def open_saved_model(
    folder: str | os.PathLike[str], called: str, *, signature: str | None = None, allow_random: bool = False
) -> Imported:
    """Load a SavedModel that was looked through, and import one of its functions.

    Args:
        folder: where it lies; it may go once this returns.
        called: its name in messages.
        signature: which of its functions; default `serving_default`, the only one, or its call.
        allow_random: also one whose outputs differ from call to call.

    Raises:
        ModelError: it offers no function that takes pixels, or several, or one whose outputs are random.
        SettingError: there is no such signature.
    """
    saved = read_saved_model(folder)
    owner = tf.saved_model.load(os.fspath(folder), tags=list(saved.tags) or None)
    name, function = _chosen(owner, called, signature)
    _check_inputs(function, called, name)
    exported = saved.kind == "savedmodel-export"
    model = Imported(function, owner, called, known=layer_classes(folder), exported=exported)
    if not allow_random and model.is_random and not _is_steady(function):
        raise ModelError(
            f"Expected the same outputs for the same picture, but {called!r} answers at random: this export keeps its "
            "augmentation. Save the model as .keras, or export it without those layers; --allow-random (in Python "
            "allow_random=True) takes it as it is."
        )
    return model


def _chosen(owner: Any, called: str, wanted: str | None) -> tuple[str, Any]:
    """The function that is meant, with its name."""
    offered = {name: one for name, one in owner.signatures.items() if not name.startswith("__")}
    if wanted is not None:
        if wanted not in offered:
            names = ", ".join(map(repr, offered)) or "none"
            raise SettingError(
                f"Expected a signature of {called!r} ({names}), found {wanted!r}.{near(wanted, offered)}"
            )
        return wanted, offered[wanted]
    if _USUAL in offered or len(offered) == 1:
        name = _USUAL if _USUAL in offered else next(iter(offered))
        return name, offered[name]
    if offered:
        raise ModelError(
            f"Expected a SavedModel with one signature, but {called!r} has {', '.join(map(repr, offered))}. "
            "Say which one is meant with --signature (in Python signature=)."
        )
    called_itself = getattr(owner, "__call__", None)  # noqa: B004 (it is looked into, not asked for)
    traced = getattr(called_itself, "concrete_functions", None)
    if not traced:
        raise ModelError(
            f"Expected a SavedModel with a function to call, but {called!r} offers none. "
            "Export it again, with model.export('folder')."
        )
    return "__call__", min(traced, key=lambda one: len(_specs(one)))


def _specs(function: Any) -> list[Any]:
    found = tf.nest.flatten(function.structured_input_signature)
    return [spec for spec in found if isinstance(spec, tf.TensorSpec)]


def _check_inputs(function: Any, called: str, name: str) -> None:
    for spec in _specs(function):
        if spec.dtype == tf.string:
            raise ModelError(
                f"Expected a network that takes pixels, but {name!r} of {called!r} takes texts or encoded pictures "
                f"({spec.name!r}). Export the network without its decoder."
            )


def _is_steady(function: Any) -> bool:
    """Whether the same noise gives the same outputs again and again: a flip may well fall the same way twice."""
    noise = [tf.cast(tf.random.stateless_uniform(_shape(spec), (7, 7), 0, 1), spec.dtype) for spec in _specs(function)]
    first = _called(function, noise)
    return all(
        bool(tf.reduce_all(one == other))
        for _ in range(_TIMES)
        for one, other in zip(first, _called(function, noise), strict=True)
    )


def _called(function: Any, values: list[Any]) -> list[Any]:
    """What a function returns, as it was stored; what is no tensor among its arguments stays what it was."""
    rest = iter(values)
    arguments, named = tf.nest.map_structure(
        lambda one: next(rest) if isinstance(one, tf.TensorSpec) else one, function.structured_input_signature
    )
    return tf.nest.flatten(function(*arguments, **named))


def _shape(spec: Any) -> list[int]:
    usual = (1, 64, 64, 3)
    if spec.shape.rank is None:
        return list(usual)
    return [size or (usual[k] if k < 4 else 1) for k, size in enumerate(spec.shape)]
