"""Trainings with a clock: a fine-tuning of the sample network's head, and loggers that note what they cost."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import kerasviz as kv
from kerasviz.callback import VisualizationLogger

SAMPLES = Path(__file__).parents[1] / "sample_models"
_BATCH, _SIZE, _CLASSES = 16, 224, 5


def fine_tuning() -> keras.Model:
    """The sample network with a new head; the body stays as it is."""
    keras.utils.set_random_seed(0)
    body = keras.models.load_model(SAMPLES / "efficientnet_lite0.keras", compile=False)
    body.trainable = False
    features = body.get_layer("avg_pool").output
    model = keras.Model(body.input, keras.layers.Dense(_CLASSES, activation="softmax")(features))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def photographs(count: int) -> list[np.ndarray]:
    """So many of the sample photographs, at their own sizes, mirrored where there are not enough."""
    paths = sorted(path for path in (SAMPLES / "photos").iterdir() if path.suffix in (".jpg", ".png"))
    read = [kv.read_image(path) for path in paths]
    return [*read, *(picture[:, ::-1] for picture in read)][:count]


def epoch_of(model: keras.Model, seconds: float) -> tf.data.Dataset:
    """Batches for about so many seconds of training; the model is trained a little on the way."""
    random = np.random.default_rng(0)
    pixels = random.uniform(0, 255, (_BATCH, _SIZE, _SIZE, 3)).astype("float32")
    batch = tf.data.Dataset.from_tensors((pixels, random.integers(0, _CLASSES, _BATCH)))
    model.fit(batch.repeat(3), shuffle=False, verbose=0)  # what traces is not timed
    steps = max(5, min(40, round(seconds)))
    start = time.perf_counter()
    model.fit(batch.repeat(steps), shuffle=False, verbose=0)
    return batch.repeat(max(1, round(seconds * steps / (time.perf_counter() - start))))


class GradCAM(kv.GradCAM):  # the registry knows engines by the names of their classes
    """Grad-CAM that notes how long it took: its passes, and making results of them."""

    seconds: float

    def explain(self, *arguments: Any, **options: Any) -> Any:
        """As Grad-CAM's, all at once."""
        start = time.perf_counter()
        found = list(super().explain(*arguments, **options))
        object.__setattr__(self, "seconds", time.perf_counter() - start)
        return iter(found)


class HeldBeside(VisualizationLogger):
    """Notes for each dump how long the training waited beyond the engine's own seconds.

    Attributes:
        own: seconds of the engine; `beyond`: all others until the training went on.
    """

    def __init__(self, engine: GradCAM, images: Any, folder: Path):
        super().__init__(engine, images, folder)
        self._engine = engine
        self.own: list[float] = []
        self.beyond: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """A dump."""
        start = time.perf_counter()
        super().on_epoch_end(epoch, logs)
        self.own.append(self._engine.seconds)
        self.beyond.append(time.perf_counter() - start - self._engine.seconds)


@dataclass(frozen=True)
class Spent:
    """Seconds of the wall clock, and of all processors together."""

    wall: float
    processors: float

    @classmethod
    def now(cls) -> "Spent":
        """Since whenever."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, other: "Spent") -> "Spent":
        """The time between."""
        return Spent(self.wall - other.wall, self.processors - other.processors)


class Alone(VisualizationLogger):
    """The training waits until everything is written, so that what a dump takes is seen by itself.

    Attributes:
        passes: of each dump, what holds the training; `written`: the rest.
    """

    def __init__(self, images: Any, folder: Path):
        super().__init__("gradcam", images, folder)
        self.passes: list[Spent] = []
        self.written: list[Spent] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """A dump, to its end."""
        start = Spent.now()
        super().on_epoch_end(epoch, logs)
        handed = Spent.now()
        _wait_for_writing(self)
        self.passes.append(handed.since(start))
        self.written.append(Spent.now().since(handed))


class InTurns(VisualizationLogger):
    """Looks at every second epoch only, so that epochs with and without it lie side by side.

    An epoch begins before the pictures of the one before are made, and what these leave to write after it is counted
    to it: the whole of a dump.

    Attributes:
        epochs: time of each; those with odd numbers follow a dump.
        start, end: seconds once: until the first pictures were made, which traces, and for what comes last.
    """

    def __init__(self, images: Any, folder: Path):
        super().__init__("gradcam", images, folder)
        self.epochs: list[Spent] = []
        self.start = self.end = 0.0
        self._since = Spent.now()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """The first dump, before the first epoch."""
        start = Spent.now()
        super().on_epoch_begin(epoch, logs)
        if not self.epochs:
            _wait_for_writing(self)
            self.start, self._since = Spent.now().since(start).wall, Spent.now()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """A dump, every second time."""
        ended = Spent.now()
        _wait_for_writing(self)  # which also pauses: counted is what is done
        late = Spent.now().since(ended).processors
        spent = ended.since(self._since)
        self.epochs.append(Spent(spent.wall + late, spent.processors + late))
        self._since = Spent.now()
        if epoch % 2 == 0:
            super().on_epoch_end(epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """What comes last."""
        start = time.perf_counter()
        super().on_train_end(logs)
        self.end = time.perf_counter() - start

    def ratios(self) -> tuple[Sequence[float], Sequence[float]]:
        """Each epoch with pictures over the mean of its neighbours without: wall time, processors' time."""
        # 0 is the first of all, 1 follows the first dump
        found = [(self.epochs[k], self.epochs[k - 1], self.epochs[k + 1]) for k in range(3, len(self.epochs) - 1, 2)]
        wall = [one.wall / mean((before.wall, after.wall)) for one, before, after in found]
        return wall, [one.processors / mean((before.processors, after.processors)) for one, before, after in found]


def _wait_for_writing(logger: VisualizationLogger) -> None:
    logger._watching.logbook.wait()
