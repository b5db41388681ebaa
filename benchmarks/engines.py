"""Grad-CAM and saliency against the bare compiled passes of the same network, and against other tools.

The reference is what nobody can do without: tf.function(model) for Grad-CAM, its pixel gradient for saliency; a
NumPy array goes in and one comes out, for everybody. Networks of keras.applications have random weights and random
BatchNormalization statistics. Ratios are medians of rounds in which all contestants took turns.
"""

import argparse
import gc
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.peer_worker import MODULES
from benchmarks.peers import Elsewhere, Here, contestants
from benchmarks.timing import Contestant, Row, race, table, timed

_SAMPLE = Path(__file__).parents[1] / "sample_models" / "efficientnet_lite0.keras"
_SIZE = 224


@dataclass(frozen=True)
class Subject:
    """A network to explain: of keras.applications, or the sample network where `application` is empty.

    Attributes:
        span: smallest and largest value of its pixels.
        live: most that explaining 8 pictures or more may take, of the bare pass; None where nothing is promised.
        fast: the same for Grad-CAM with a fast copy, however few the pictures.
    """

    name: str
    application: str
    span: tuple[float, float] = (-1.0, 1.0)
    live: float | None = None
    fast: float | None = None

    def file(self, folder: Path) -> Path:
        """The model's file, written first unless it is the sample network's."""
        if not self.application:
            return _SAMPLE
        import keras

        keras.utils.set_random_seed(0)
        model = getattr(keras.applications, self.application)(weights=None)
        _randomise(model)
        path = folder / f"{self.name}.keras"
        model.save(path)
        return path


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject("mobilenetv2", "MobileNetV2", live=1.05, fast=0.75),
        Subject("sample", "", span=(0.0, 255.0), fast=0.75),
        Subject("resnet50v2", "ResNet50V2"),
        Subject("vgg16", "VGG16", span=(-128.0, 128.0)),
    )
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which networks, how many pictures, how often, and beside whom."""
    techniques = ["gradcam", "saliency"]
    parser.add_argument("--networks", nargs="+", choices=[*SUBJECTS], default=[*SUBJECTS], help="default: all")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8], help="how many pictures at once (1 8)")
    parser.add_argument("--techniques", nargs="+", choices=techniques, default=techniques, help="default: both")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of every race (15)")
    parser.add_argument(
        "--peers-python",
        action="append",
        default=[],
        metavar="PYTHON",
        help=f"the Python of an environment with {', '.join(MODULES)}; repeatable; default: this process",
    )


def run(options: argparse.Namespace) -> None:
    """Print one table."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        peers = [Elsewhere(python) for python in options.peers_python] or [Here()]
        for each in peers:
            stack.callback(each.close)
        rows = [row for name in options.networks for row in _races(SUBJECTS[name], options, peers, folder)]
        print(table(rows))
        print("\n".join(_quickest(rows)))


def _races(
    subject: Subject, options: argparse.Namespace, peers: Sequence[Here | Elsewhere], folder: Path
) -> Iterator[Row]:
    import keras

    path, stored = subject.file(folder), folder / "pixels.npy"
    model = keras.models.load_model(path, compile=False)
    for batch in options.batches:
        pixels = np.random.default_rng(0).uniform(*subject.span, (batch, _SIZE, _SIZE, 3)).astype("float32")
        np.save(stored, pixels)
        for technique in options.techniques:
            ours, layer = _ours(technique, subject, model, path, pixels)
            others = {one.name: one for each in peers for one in contestants(each, technique, path, stored, layer)}
            yield from race(f"{technique} {subject.name} x {batch}", [*ours, *others.values()], options.rounds)
            gc.collect()


def _ours(technique: str, subject: Subject, model: Any, path: Path, pixels: np.ndarray) -> tuple[list[Contestant], str]:
    """The bare pass and kerasviz on the live model and on its file; and the layer whose maps are explained."""
    import kerasviz as kv

    engine = {"gradcam": kv.GradCAM, "saliency": kv.Saliency}[technique]()
    bare = {"gradcam": _forward, "saliency": _slopes}[technique](model)
    live, file = kv.open(model), kv.open(path, fast=True)
    way = _explained(engine, file, pixels)()[0].origin.way
    return [
        Contestant("bare " + bare.__name__.replace("_", " "), timed(lambda: bare(pixels))),
        Contestant("kerasviz", timed(_explained(engine, live, pixels)), subject.live if len(pixels) >= 8 else None),
        Contestant(
            f"kerasviz, file, fast=True ({way})",
            timed(_explained(engine, file, pixels)),
            subject.fast if technique == "gradcam" else None,
        ),
    ], live.default_layer


def _forward(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    compiled = tf.function(lambda x: model(x, training=False))

    def forward(pixels: np.ndarray) -> np.ndarray:
        return compiled(pixels).numpy()

    return forward


def _slopes(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    @tf.function
    def compiled(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_max(model(x, training=False), -1)
        return tape.gradient(score, x)

    def forward_and_backward(pixels: np.ndarray) -> np.ndarray:
        return compiled(pixels).numpy()

    return forward_and_backward


def _quickest(rows: Sequence[Row]) -> Iterator[str]:
    """For each question the peer that comes nearest to kerasviz on the live model, round by round."""
    for question in dict.fromkeys(row.question for row in rows):
        asked = [row for row in rows if row.question == question]
        ours = next(row for row in asked if row.contestant.name == "kerasviz")
        beside = {row.contestant.name: row.over(ours) for row in asked if row.contestant.name in MODULES}
        if beside:
            name = min(beside, key=lambda name: median(beside[name]))
            low, middle, high = min(beside[name]), median(beside[name]), max(beside[name])
            yield f"{question}: the quickest peer, {name}, takes {middle:.3f} times as long ({low:.2f} .. {high:.2f})."


def _explained(engine: Any, network: Any, pixels: np.ndarray) -> Callable[[], list[Any]]:
    """Explain the batch, as a user would, and read every heatmap."""

    def explain() -> list[Any]:
        found = engine(network, pixels)
        results = found if isinstance(found, list) else [found]
        assert all(np.isfinite(result.heatmap).all() for result in results)
        return results

    return explain


def _randomise(model: Any) -> None:
    """Statistics that training could have left: what begins as 0 and 1 would make a BatchNormalization do nothing."""
    import keras

    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape[0]
            near_one = [random.uniform(0.8, 1.2, channels), random.uniform(0.5, 1.5, channels)]
            near_zero = [random.normal(0, 0.1, channels) for _ in range(2)]
            layer.set_weights([near_one[0], *near_zero, near_one[1]])
