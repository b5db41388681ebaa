"""What stands beside the command in a process of its own: making the model files, importing, or opening one by hand.

python -m benchmarks.opening_worker make FOLDER NETWORK... | import KIND | open KIND PATH
"""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIZES = {"small": 64, "mobilenetv2": 224}  # of their pictures
FILES = {  # kind: (what its file is called, the library that opens it)
    "keras": ("{}.keras", "keras"),
    "h5": ("{}.h5", "keras"),
    "keras2-h5": ("{}_keras2.h5", "tf_keras"),
    "keras2-savedmodel": ("{}_keras2", "tensorflow"),
    "export": ("{}_export", "tensorflow"),
}


def make(folder: Path, names: Sequence[str]) -> None:
    """The named networks with random weights, by Keras 3 and by Keras 2, in every kind of file."""
    import keras
    import tf_keras

    for name in names:
        model, older = _network(keras, name), _network(tf_keras, name)
        for kind, save in (
            ("keras", model.save),
            ("h5", model.save),
            ("keras2-h5", older.save),
            ("keras2-savedmodel", older.save),
            ("export", lambda path: model.export(path, verbose=False)),  # noqa: B023 (called at once)
        ):
            save(str(folder / FILES[kind][0].format(name)))


def _network(library: Any, name: str) -> Any:
    library.utils.set_random_seed(1)
    shape, layers = (SIZES[name], SIZES[name], 3), library.layers
    if name == "mobilenetv2":
        return library.applications.MobileNetV2(shape, weights=None)
    return library.Sequential(
        [
            library.Input(shape),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def opened(kind: str, path: str) -> None:
    """The model opened by its own library, and called once."""
    import numpy as np

    size = next(side for name, side in SIZES.items() if Path(path).name.startswith(name))
    picture = np.zeros((1, size, size, 3), "float32")
    if FILES[kind][1] == "tensorflow":
        import tensorflow as tf

        function = tf.saved_model.load(path).signatures["serving_default"]
        answer = next(iter(function(*map(tf.constant, [picture])).values()))
    else:
        library = imported(kind)
        answer = library.models.load_model(path, compile=False)(picture, training=False)
    if not np.isfinite(np.asarray(answer)).all():
        raise SystemExit(f"{path} gives what is no number.")


def imported(kind: str) -> Any:
    """TensorFlow, with the Keras that opens this kind."""
    import tensorflow

    if FILES[kind][1] == "tf_keras":
        import tf_keras

        return tf_keras
    if FILES[kind][1] == "keras":
        import keras

        return keras
    return tensorflow


def main(what: str, *arguments: str) -> None:
    """Do what was named."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    if what == "make":
        make(Path(arguments[0]), arguments[1:])
    elif what == "import":
        imported(arguments[0])
    else:
        opened(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
