"""One callback in a small training, in a process of its own; a line of JSON at the end.

python -m benchmarks.callback_worker WHO EPOCHS PICTURES FOLDER
"""

import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

_SIZE, _CLASSES, _SAMPLES, _BATCH = 96, 5, 128, 16
_LAYER = "out_relu"
_SETTLED = 10  # epochs, until which memory may grow
HEAD = (
    *("who", "seconds", "of processors", "held a dump, ms", "end, s"),
    *("first graphs", "later graphs", "first MB", "later MB", "files"),
)


def nothing(images: np.ndarray, folder: Path) -> Any:
    """The training alone."""
    import keras

    return keras.callbacks.Callback()


def kerasviz(images: np.ndarray, folder: Path) -> Any:
    """Pictures, records, the page, strips and animations."""
    import kerasviz as kv

    return kv.VisualizationLogger("gradcam", images, folder)


def kerasviz_overlays(images: np.ndarray, folder: Path) -> Any:
    """Small pictures only, as the others draw them."""
    import kerasviz as kv

    return kv.VisualizationLogger("gradcam", images, folder, styles=("overlay",), page=False, animation=None)


def tf_explain(images: np.ndarray, folder: Path) -> Any:
    """Its callback: one grid an epoch, to TensorBoard."""
    missing = [name for name in ("tf_explain", "tensorboard") if importlib.util.find_spec(name) is None]
    if missing:
        raise SystemExit(f"not installed here: {', '.join(missing)}")
    from tf_explain.callbacks.grad_cam import GradCAMCallback

    return GradCAMCallback((images, None), class_index=0, layer_name=_LAYER, output_dir=str(folder))


def by_hand(images: np.ndarray, folder: Path) -> Any:
    """What the Grad-CAM example of the Keras documentation does, for each picture after each epoch."""
    import cv2
    import keras
    import tensorflow as tf

    class ByHand(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            for number, image in enumerate(images):
                heatmap = self.heatmap(image[None])
                jet = cv2.applyColorMap(np.uint8(255 * heatmap), cv2.COLORMAP_JET)
                jet = cv2.resize(jet, image.shape[1::-1])
                cv2.imwrite(str(folder / f"{epoch:03d}_{number:02d}.jpg"), jet * 0.4 + (image + 1) * 127.5)

        def heatmap(self, image: np.ndarray) -> np.ndarray:
            outputs = [self.model.get_layer(_LAYER).output, self.model.output]
            maps_and_predictions = keras.models.Model(self.model.inputs, outputs)
            with tf.GradientTape() as tape:
                maps, predictions = maps_and_predictions(image)
                score = predictions[:, tf.argmax(predictions[0])]
            weights = tf.reduce_mean(tape.gradient(score, maps), axis=(0, 1, 2))
            heatmap = tf.squeeze(maps[0] @ weights[..., tf.newaxis])
            return (tf.maximum(heatmap, 0) / tf.math.reduce_max(heatmap)).numpy()

    folder.mkdir(parents=True, exist_ok=True)
    return ByHand()


CONTESTANTS: dict[str, Callable[[np.ndarray, Path], Any]] = {
    "nothing": nothing,
    "kerasviz": kerasviz,
    "kerasviz, overlays only": kerasviz_overlays,
    "tf-explain": tf_explain,
    "written by hand": by_hand,
}


class Graphs:
    """Counts every graph that TensorFlow traces in this process, whoever asks for it."""

    def __init__(self) -> None:
        from tensorflow.python.framework.func_graph import FuncGraph

        self.count = 0
        self._made = FuncGraph.__init__
        graphs = self

        def made(graph: Any, *arguments: Any, **options: Any) -> None:
            graphs.count += 1
            graphs._made(graph, *arguments, **options)

        FuncGraph.__init__ = made


def clocked(inner: Any, graphs: Graphs) -> Any:
    """A callback that calls another one and keeps time, memory and graphs."""
    import keras

    class Clocked(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.held: list[float] = []
            self.memory: list[float] = []
            self.graphs: list[int] = []
            self.end = 0.0

        def set_model(self, model: Any) -> None:
            super().set_model(model)
            inner.set_model(model)

        def set_params(self, params: Any) -> None:
            super().set_params(params)
            inner.set_params(params)

        def on_train_begin(self, logs: Any = None) -> None:
            self.before = memory()
            self.graphs.append(graphs.count)
            inner.on_train_begin(logs)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            inner.on_epoch_begin(epoch, logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            start = time.perf_counter()
            inner.on_epoch_end(epoch, logs)
            self.held.append(time.perf_counter() - start)
            self.memory.append(memory())
            self.graphs.append(graphs.count)

        def on_train_end(self, logs: Any = None) -> None:
            start = time.perf_counter()
            inner.on_train_end(logs)
            self.end = time.perf_counter() - start

    return Clocked()


def memory() -> float:
    """Resident megabytes; where the system does not say, the most there ever were."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Train, and say what it took."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    who, epochs, pictures, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    import keras

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (_SAMPLES, _SIZE, _SIZE, 3)).astype("float32")
    y = random.integers(0, _CLASSES, _SAMPLES)
    model = keras.applications.MobileNetV2(input_shape=(_SIZE, _SIZE, 3), weights=None, classes=_CLASSES)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=_BATCH, verbose=0)
    clock = clocked(CONTESTANTS[who](x[:pictures], folder), Graphs())
    start, busy = time.perf_counter(), time.process_time()
    model.fit(x, y, batch_size=_BATCH, epochs=epochs, verbose=0, callbacks=[clock])
    settled = min(_SETTLED, epochs) - 1
    numbers = (
        f"{time.perf_counter() - start:.1f}",
        f"{time.process_time() - busy:.1f}",
        f"{1000 * median(clock.held):.1f}",
        f"{clock.end:.1f}",
        str(clock.graphs[1] - clock.graphs[0]),
        str(clock.graphs[-1] - clock.graphs[1]),
        f"{clock.memory[settled] - clock.before:.0f}",
        f"{clock.memory[-1] - clock.memory[settled]:.0f}",
        str(sum(path.is_file() for path in folder.rglob("*")) if folder.exists() else 0),
    )
    print(json.dumps(dict(zip(HEAD[1:], numbers, strict=True))))


if __name__ == "__main__":
    main()
