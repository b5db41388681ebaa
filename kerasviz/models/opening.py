"""A path or a live model -> Network."""

import os
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.errors import ModelError, SettingError
from kerasviz.inputs.fitting import WAYS
from kerasviz.lazy import tf
from kerasviz.models import preprocessing
from kerasviz.models.entering import Entrance
from kerasviz.models.importing import Imported
from kerasviz.models.labels import Labels, as_labels
from kerasviz.models.loading import ModelFile, load
from kerasviz.models.naming import check_count, classes_of
from kerasviz.models.network import Network
from kerasviz.models.preserving import every_layer
from kerasviz.models.readiness import make_ready
from kerasviz.models.sidecar import Sidecar, labels_in_assets, sidecar_of

_live: "weakref.WeakKeyDictionary[Any, tuple[Network, Any]]" = weakref.WeakKeyDictionary()
_opening = threading.RLock()


def open_network(
    model: Any,
    *,
    preprocess: str = "auto",
    labels: Any = None,
    trust: bool = False,
    custom_objects: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    architecture: str | os.PathLike[str] | None = None,
    signature: str | None = None,
    allow_random: bool = False,
    size: tuple[int, int] | None = None,
    fit: str = "squash",
    device: str | None = None,
    fast: bool | str = "auto",
) -> Network:
    """Open a model for looking.

    Args:
        model: the path of a .keras or .h5 file or of a SavedModel folder, a live Keras 3 or tf_keras model, or a
            Network, which stays as it is and takes no options.
        preprocess: what photographs are scaled to: `auto` (the file beside the model, what the network does itself, its
            `keras.applications` family), `none`, `0..1`, `-1..1`, `caffe`, `torch`, or `MODULE:FUNCTION`. It is never
            guessed: where `auto` cannot know, the first photograph is answered with a question.
        labels: class names, as many as classes: a sequence, a dict, or the path of a .txt, .json or .csv file.
        trust: open files that could run code or touch files.
        custom_objects: name -> class, for layers of the author's own; or the path of the Python file that defines them,
            which runs.
        architecture: the network of a file that holds weights alone: a model file, a JSON file of `to_json`, a
            `keras.applications` name, or `MODULE:FUNCTION`, which is called without arguments.
        signature: the function of a SavedModel that is meant, where it offers several.
        allow_random: open a SavedModel whose outputs differ from call to call: an export that keeps its augmentation.
        size: (height, width) of pictures, for networks without a fixed input size.
        fit: how photographs become that size: `squash`, `crop` or `pad`.
        device: `cpu` or `gpu:N`; default: the first GPU, else the CPU.
        fast: use a copy with weights baked and BatchNorm folded: True, False, or `auto`: for runs of 200 pictures
            or more of a model from a file.

    Raises:
        ModelError: the file cannot be opened, or is no model.
        UnsafeModelError: the file could run code or touch files, and `trust` is not given.
        SettingError: an unknown preprocessing, fit, size or device, or options for a Network.
    """
    asked = locals()
    if isinstance(model, Network):
        return _as_it_is(model, [name for name, usual in _USUAL.items() if asked[name] is not usual])
    _check(fit, size, fast)
    file = None
    if not isinstance(model, (str, os.PathLike)):
        make_ready()
    else:  # a file that is refused is refused at once, before TensorFlow
        model, file = _loaded(
            Path(model),
            trust=trust,
            custom_objects=custom_objects,
            architecture=architecture,
            signature=signature,
            allow_random=allow_random,
        )
    if not isinstance(model, Imported) and not (callable(model) and hasattr(model, "layers")):
        raise ModelError(
            f"Expected a Keras model or the path of a model file, found {type(model).__name__}. "
            "Give kv.open a .keras or .h5 file, or a live keras.Model."
        )
    called = repr(file.path) if file else "this model"
    beside = _beside(file, preprocess, labels)
    scaling = beside.preprocess if preprocess == "auto" else preprocessing.named(preprocess)
    return Network(
        Entrance(model, called, scaling, size, beside.layer),
        file=file,
        labels=_labels(labels, beside, model, file),
        fit=fit,
        device=_device(device),
        fast=fast,
        said=_said(asked),
    )


def _loaded(path: Path, **how: Any) -> tuple[Any, ModelFile]:
    model, file = load(path, **how)
    if not getattr(model, "built", True):
        raise ModelError(
            f"Expected a model with weights, but {file.path!r} was saved before it was built and holds none. "
            "Build it, or train it, and save it again."
        )
    return model, file


def _said(asked: dict[str, Any]) -> dict[str, Any]:
    """What records need to open the model so again, as the shell has it; labels that are no file cannot be typed."""
    size = asked["size"]
    found = {
        "size": size and f"{size[0]}x{size[1]}",
        "labels": _path(asked["labels"]),
        "custom": _path(asked["custom_objects"]),
        "architecture": _path(asked["architecture"]),
        **{name: asked[name] for name in ("trust", "device", "signature", "allow_random")},
    }
    return {name: value for name, value in found.items() if value}


def _path(given: Any) -> str | None:
    return os.fspath(given) if isinstance(given, (str, os.PathLike)) else None


_USUAL: dict[str, Any] = open_network.__kwdefaults__ or {}


def _as_it_is(network: Network, options: list[str]) -> Network:
    if options:
        raise SettingError(
            f"Expected a path or a live model for {', '.join(options)}, found a Network, which is open already. "
            "Give them to kv.open with the model itself."
        )
    return network


def _check(fit: Any, size: Any, fast: Any) -> None:
    if fit not in WAYS:
        raise SettingError(f"Expected fit squash, crop or pad, found {fit!r}. The default is squash.")
    if fast not in (True, False, "auto"):
        raise SettingError(f"Expected fast to be True, False or 'auto', found {fast!r}. The default is 'auto'.")
    pair = isinstance(size, (tuple, list)) and len(size) == 2
    if size is not None and not (pair and all(isinstance(side, (int, np.integer)) and side > 0 for side in size)):
        raise SettingError(f"Expected size as (height, width), whole numbers above 0, found {size!r}. Leave it out?")


def opened(model: Any) -> Network:
    """A Network as it is, a path opened, a live model opened once for as long as it lives and has these layers."""
    if isinstance(model, (Network, str, os.PathLike)):
        return open_network(model)
    try:
        with _opening:
            network, layers = _live.get(model, (None, None))
            now = layers_of(model)
            if network is None or layers not in (None, now):  # a layer or activation was exchanged since
                network = open_network(model)
                network.hold_weakly()  # the dictionary must not keep the model alive
            _live[model] = network, now if network.inputs else None  # an unbuilt model has yet to make its layers
            return network
    except TypeError:  # not a thing that can be held weakly: let open_network say what was expected
        return open_network(model)


def layers_of(model: Any) -> tuple[tuple[int, int], ...]:
    """Which layers and activations a model has now; equal as long as none of them is exchanged."""
    return tuple((id(layer), id(getattr(layer, "activation", None))) for layer in every_layer(model))


def _beside(file: ModelFile | None, preprocess: str, labels: Any) -> Sidecar:
    try:
        return sidecar_of(file.path) if file else Sidecar()
    except SettingError:
        if preprocess == "auto" or labels is None:
            raise
        return Sidecar()  # all that it could say was said


def _labels(given: Any, beside: Sidecar, model: Any, file: ModelFile | None) -> Labels | None:
    """Class names as given, as they lie beside the model or in it; SettingError where they are not as many."""
    by = _path(given) if given is not None else beside.said_by
    labels = as_labels(given) if given is not None else beside.labels
    if labels is None and isinstance(model, Imported) and file:
        return labels_in_assets(file.path, classes_of(model))
    if labels is not None:
        check_count(labels, model, repr(file.path) if file else "the model", by)
    return labels


def _device(asked: str | None) -> str | None:
    """`cpu` or `gpu:N` as TensorFlow writes it."""
    if asked is None:
        return None
    kind, _, number = asked.lower().partition(":")
    present = len(tf.config.list_physical_devices(kind.upper())) if kind in ("cpu", "gpu") else 0
    if not (number or "0").isdigit() or int(number or 0) >= present:
        raise SettingError(
            f"Expected device cpu or gpu:N of those present, found {asked!r}; there are {present} of that kind."
        )
    return f"/{kind.upper()}:{number or 0}"
