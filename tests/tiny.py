"""A network of a few weights in a file, pictures to go with it, and a shell to type commands into."""

import functools
import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np
from click.testing import CliRunner, Result
from kerasviz_cli.main import main
from PIL import Image

NAMES = ("dark", "bright", "red")


@functools.cache
def _model_file() -> Path:
    """Written once a session; the folder goes with the process."""
    layers, random = keras.layers, np.random.default_rng(7)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="conv_first"),
            layers.Conv2D(5, 3, activation="relu", name="conv_second"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(3, name="classes"),
            layers.Softmax(name="probabilities"),
        ],
        name="tiny",
    )
    for weight in model.weights:
        weight.assign(random.normal(0.1, 0.3, weight.shape))
    folder = tempfile.TemporaryDirectory()
    _model_file.folder = folder  # type: ignore[attr-defined]
    path = Path(folder.name) / "tiny.keras"
    model.save(path)
    return path


def tiny_model(folder: Path) -> Path:
    """A copy of the network, with the names of its classes beside it."""
    path = Path(shutil.copy(_model_file(), folder / "tiny.keras"))
    path.with_name("tiny.labels.txt").write_text("\n".join(NAMES), encoding="utf-8")
    return path


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (20, 24)) -> Path:
    """A PNG (height, width) of noise, and folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def shell(*words: object) -> Result:
    """What `kerasviz WORDS` answers: exit_code, stdout, stderr."""
    return CliRunner().invoke(main, [str(word) for word in words])
