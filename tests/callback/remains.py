"""What a training leaves behind: in the model, in the process, in the history."""

import random
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from trained import Kind

PLAIN = (int, float, bool, type(None))
MISSING = object()


def remains(kind: Kind, callbacks: list[Any], epochs: int = 5, data: Any = None, **fit: Any) -> dict[str, Any]:
    """Train a fresh model of that kind, seeds set; everything that can be told about it afterwards, by name."""
    with kind.around():
        keras.utils.set_random_seed(3)
        model = kind.make()
        given = (data,) if data is not None else (kind.x(), kind.y())
        options = kind.fit() if data is None else {}
        history = model.fit(
            *given,
            epochs=epochs,
            callbacks=callbacks,
            verbose=0,
            **({"batch_size": 5, **options} if data is None else {}),
            **fit,
        )
        return {**of_model(model), "history": history.history, **of_process()}


def of_model(model: Any) -> dict[str, Any]:
    """Variables, weights of the optimizer, states of random layers, flags and layers' attributes."""
    variables = [*model.variables, *_values(model.optimizer, "variables"), *_values(model, "metrics_variables")]
    return {
        "variables": [np.asarray(tf.convert_to_tensor(one)).tobytes() for one in variables],
        "chance of layers": [s.state.numpy().tobytes() for layer in _layers(model) for s in _generators(layer)],
        "stop_training": model.stop_training,
        "trainable": [layer.trainable for layer in _layers(model)],
        "functions": [type(getattr(model, f"{name}_function", None)) for name in ("train", "test", "predict")],
        **{f"{k} {name}": value for k, one in enumerate(_layers(model)) for name, value in _attributes(one).items()},
    }


def of_process() -> dict[str, Any]:
    """The random states, and what they draw next."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tobytes(),
        "keras": keras.src.random.seed_generator.global_seed_generator().state.numpy().tobytes(),
        "tensorflow": float(tf.random.uniform(())),
        "generator": tf.random.get_global_generator().state.numpy().tobytes(),
        "shuffling": [int(one) for one in tf.data.Dataset.range(20).shuffle(20)],
        "python draws": random.random(),
        "policy": keras.config.dtype_policy().name,
        "eager": tf.config.functions_run_eagerly(),
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what is not equal, or is in one of them only."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name, MISSING) != other.get(name, MISSING))


def _values(owner: Any, name: str) -> list[Any]:
    found = getattr(owner, name, [])
    return list(found() if callable(found) else found)


def _layers(model: Any) -> list[Any]:
    return [layer for layer in model._flatten_layers() if layer is not model]


def _generators(layer: Any) -> list[Any]:
    return [value for value in vars(layer).values() if isinstance(value, keras.random.SeedGenerator)]


def _attributes(layer: Any) -> dict[str, Any]:
    """Plain values, of others the type: names count the models that were made before."""
    return {name: value if isinstance(value, PLAIN) else type(value) for name, value in vars(layer).items()}
