"""The network for weights that came without one: a model file, its JSON, a `keras.applications` name, or a function."""

import hashlib
import importlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kerasviz.errors import KerasvizError, ModelError, SettingError, near
from kerasviz.models import applications
from kerasviz.models.customizing import matched
from kerasviz.models.preserving import every_layer
from kerasviz.models.refusing import kind_of, refuse_harm, refuse_missing, unreadable
from kerasviz.models.scanning import MAX_JSON, configuration_of, scan_configuration
from kerasviz.models.stored_weights import (
    Layer,
    difference,
    is_of_keras_3,
    stored_layers,
    wanted_layers,
    with_plain_groups,
)

WAYS = "a model file, a JSON file of model.to_json(), a keras.applications name such as MobileNetV2, or MODULE:FUNCTION"
_FUNCTION = re.compile(r"([^\W\d][\w.]*):([^\W\d]\w*)")


@dataclass(frozen=True)
class WeightsFile:
    """A scanned private copy of a file that holds weights alone.

    Attributes:
        path: of the copy.
        name: of the original, for messages.
        kind: `weights-h5` or `weights-h5-legacy`.
    """

    path: str
    name: str
    kind: str


@dataclass(frozen=True)
class Opening:
    """How further files are opened: as the user said for the first."""

    load: Callable[[str], tuple[Any, Any]]
    trust: bool = False
    custom_objects: Mapping[str, Any] | str | os.PathLike[str] | None = None


def with_architecture(weights: WeightsFile, architecture: Any, opening: Opening) -> tuple[Any, str | None]:
    """A network with the weights of a file in it, every one of them.

    Args:
        weights: the file that holds them.
        architecture: what the user said the network is: see WAYS.
        opening: for a model file or JSON.

    Returns:
        The model, and the SHA-256 of the file that describes it, or None where it is no file.

    Raises:
        ModelError: there is no such network, it cannot be opened, or the weights do not fit it.
        SettingError: what was given is nothing of all that.
    """
    text = _text_of(architecture)
    with_plain_groups(weights.path)
    stored = stored_layers(weights.path, weights.kind)
    sha256 = None
    if applications.is_name(text) and not os.path.isfile(text):
        model = applications.built(text, stored, weights.kind, is_of_keras_3(weights.path, weights.kind), weights.name)
    elif not os.path.exists(text) and (match := _FUNCTION.fullmatch(text)):
        model = _made(match[1], match[2])
    elif os.path.exists(text):
        model, sha256 = _from_file(text, weights, opening)
    else:
        raise ModelError(f"Expected as architecture {WAYS}, found {text!r}.{_hint(text)}")
    fill(model, weights, stored, text)
    applications.expect_whole(text, model, weights.name)
    return model, sha256


def _text_of(architecture: Any) -> str:
    if not isinstance(architecture, (str, os.PathLike)) or not os.fspath(architecture):
        raise SettingError(
            f"Expected as architecture {WAYS}, found {type(architecture).__name__}. "
            "A live model needs no file of weights: call its own load_weights, and open it."
        )
    return os.fspath(architecture)


def _hint(text: str) -> str:
    folder, name = os.path.split(text)
    if not folder and "." not in name:
        return near(name, applications.names().values()) or " Check the name."
    there = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    return near(name, there) or " Check the path."


def _made(module: str, function: str) -> Any:
    """What the user's own function returns."""
    name = f"{module}:{function}"
    try:
        model = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError) as error:
        raise ModelError(
            f"Expected a function without arguments to import as MODULE:FUNCTION, found {name!r}: {error}. "
            "Name an installed module, or one in the folder you are in."
        ) from error
    except Exception as error:
        raise ModelError(
            f"Expected {name!r} to build a network when it is called without arguments, but it ended in "
            f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]} Repair it."
        ) from error
    return _is_model(model, f"{name!r} to return a Keras model")


def _is_model(model: Any, wanted: str) -> Any:
    if not (callable(model) and hasattr(model, "load_weights") and hasattr(model, "layers")):
        raise ModelError(f"Expected {wanted}, found {type(model).__name__}. Give {WAYS}.")
    return model


def _from_file(path: str, weights: WeightsFile, opening: Opening) -> tuple[Any, str]:
    if kind_of(path, wanted=("keras-json", "weights-h5", "weights-h5-legacy", "checkpoint")).kind == "keras-json":
        return _from_json(path, weights, opening)
    model, file = opening.load(path)
    return _is_model(model, f"a .keras, .h5 or JSON file as architecture in {path!r}"), file.sha256


def _from_json(path: str, weights: WeightsFile, opening: Opening) -> tuple[Any, str]:
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_JSON + 1)
    except OSError as error:
        raise unreadable(name, error) from None
    found = scan_configuration(data, weights.path)
    if not opening.trust:
        refuse_harm(name, found)
    config = configuration_of(data, name)
    library = "keras" if _is_of_keras_3(config) else "tf_keras"
    objects = matched(opening.custom_objects, found, library, name)
    if not opening.trust:
        refuse_missing(name, objects)
    try:
        model = (_keras_3_model if library == "keras" else _keras_2_model)(
            data.decode("utf8"), objects.by_name, opening
        )
    except KerasvizError:
        raise
    except Exception as error:  # a loader fails in any way it likes
        refuse_missing(name, objects)
        said = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise ModelError(
            f"Expected a network in {name!r}, but {library} found: {said.rstrip('.')}. "
            "Write it again with model.to_json(), or give a model file."
        ) from error
    return model, hashlib.sha256(data).hexdigest()


def _is_of_keras_3(config: Mapping[str, Any]) -> bool:
    """`to_json` of Keras 2 names its version, that of Keras 3 the modules of its classes."""
    if "keras_version" in config:
        return str(config["keras_version"]).startswith("3")
    return "module" in config and not str(config["module"]).startswith(("keras.src.engine", "tf_keras"))


def _keras_3_model(text: str, objects: Mapping[str, Any], opening: Opening) -> Any:
    import keras

    with keras.src.saving.serialization_lib.SafeModeScope(not opening.trust):
        return keras.models.model_from_json(text, custom_objects=dict(objects))


def _keras_2_model(text: str, objects: Mapping[str, Any], opening: Opening) -> Any:
    import tf_keras
    from tf_keras.src.applications.convnext import LayerScale
    from tf_keras.src.saving.serialization_lib import SafeModeScope

    with SafeModeScope(not opening.trust):
        return tf_keras.models.model_from_json(text, custom_objects={"LayerScale": LayerScale, **objects})


def fill(model: Any, weights: WeightsFile, stored: list[Layer], architecture: str) -> None:
    """Put the weights into a network; ModelError where they are not exactly those that it takes."""
    called = os.path.basename(architecture)
    if not getattr(model, "built", True):
        raise ModelError(
            f"Expected a network that knows the size of its pictures, but {called!r} was not built. "
            "Give it an Input layer, or call its build."
        )
    if differs := difference(wanted_layers(model, weights.kind), stored):
        raise ModelError(
            f"Expected the weights in {weights.name!r} to be those of the architecture {called!r}, which takes "
            f"{differs}. Give the network that they were saved from."
        )
    try:
        model.load_weights(weights.path)
    except Exception as error:  # a loader fails in any way it likes
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"Expected the weights in {weights.name!r} to be those of the architecture {called!r}, but Keras found: "
            f"{said.rstrip('.')}. Give the network that they were saved from."
        ) from error
    for layer in every_layer(model):  # Normalization would go on with the numbers that it was built with
        getattr(layer, "finalize_state", lambda: None)()
