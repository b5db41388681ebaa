"""What kerasviz says about a kind of model, and what eager Keras says."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from kinds import Kind, scatter
from snapshots import Snapshot

import kerasviz as kv

PICTURES = 11  # batches of 4, 4 and 3


class Broken(Exception):
    """What goes wrong inside a question, on purpose."""


@dataclass
class Pictures:
    """Pictures (N, H, W, C) for a kind of model, and the second input where it has one."""

    kind: Kind
    array: np.ndarray
    vector: np.ndarray

    @classmethod
    def of(cls, kind: Kind) -> "Pictures":
        draw = np.random.default_rng(3)
        shape = (PICTURES, *kind.shape)
        array = draw.integers(0, 256, shape).astype("uint8") if kind.photographs else draw.normal(size=shape)
        return cls(kind, array.astype("float32"), draw.normal(size=(PICTURES, 3)).astype("float32"))

    def given(self, rows: slice = slice(None), dtype: str = "float32") -> Any:
        """For kerasviz."""
        array = self.array[rows].astype(dtype)
        if self.kind.name == "channels-first" and dtype != "uint8":  # floats lie as the model wants them
            array = array.transpose(0, 3, 1, 2)
        return {"image": array, "vector": self.vector[rows]} if self.kind.vector else array

    def entered(self, rows: slice = slice(None)) -> Any:
        """For the model itself."""
        array, vector = self.array[rows], self.vector[rows]
        if self.kind.name == "channels-first":
            return array.transpose(0, 3, 1, 2)
        if self.kind.name == "grey-without-channel-axis":
            return array[..., 0]
        if self.kind.vector:
            return [vector, array] if self.kind.name == "inputs-in-a-list" else {"image": array, "vector": vector}
        return array


def expected(model: Any, kind: Kind, pictures: Pictures) -> dict[str, Any]:
    """The four answers, from eager Keras: the model's own outputs, and a tape over its twin."""
    pixels = tf.constant(pictures.array)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        inputs = {"image": pixels, "vector": tf.constant(pictures.vector)} if kind.vector else pixels
        scores, maps = kind.twin(model, inputs)
        score = kind.scalar(scores)
    slopes = tf.cast(tape.gradient(score, maps), "float32")
    values = tf.cast(maps, "float32")
    evidence = tf.reduce_sum(tf.reduce_mean(slopes, (1, 2), keepdims=True) * values, -1)
    first = kind.name == "channels-first"  # eager Keras on a CPU gives other numbers there than its own predict()
    return {
        "predict": [tf.nn.softmax(scores).numpy()] if first else outputs_of(model, pictures),
        "saliency": tape.gradient(score, pixels).numpy(),
        "gradcam": np.maximum(evidence.numpy(), 0),
        "activations": values.numpy(),
    }


def outputs_of(model: Any, pictures: Pictures) -> list[np.ndarray]:
    """The model's own outputs, one after the other."""
    step = pictures.kind.batch or PICTURES
    parts = [
        tf.nest.flatten(model(pictures.entered(slice(k, k + step)), training=False)) for k in range(0, PICTURES, step)
    ]
    return [np.concatenate([part.numpy() for part in output]).astype("float32") for output in zip(*parts, strict=True)]


def same(got: Any, wanted: Any, tolerance: float) -> None:
    """Equal up to a share of the largest number; and the largest number is not 0."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    assert np.abs(wanted).max() > 0
    close = np.isclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())
    assert close.mean() >= (1 if tolerance < 1e-3 else 0.95)  # in half precision another pixel may win a pooling


class Looked:
    """A model of one kind and what kerasviz says about it, in stages; a later stage runs the earlier ones first."""

    def __init__(self, kind: Kind, folder: Path):
        self.kind, self.pictures = kind, Pictures.of(kind)
        model = kind.make()
        if kind.saved:
            model.save(path := folder / f"model{kind.saved}")
            self.network = kv.open(path)
        else:
            self.network = kv.open(model)
        if kind.unbuilt:
            self.network.predict(self.pictures.given(slice(0, 4)))
            scatter(self.network.model)
        self.model = self.network.model
        self.compile()

    def compile(self) -> None:
        k = tf_keras if isinstance(self.model, tf_keras.layers.Layer) else keras
        outputs = self.model(self.pictures.entered(slice(0, 1)), training=False)
        losses = tf.nest.map_structure(lambda _: "mse", outputs)
        self.model.compile(k.optimizers.SGD(0.1), loss=losses, run_eagerly=True)

    def answers(self) -> dict[str, Any]:
        """The four answers in batches of 4, 4 and 3."""
        batches = [slice(0, 4), slice(4, 8), slice(8, 11)]
        predicted = [self.network.predict(self.pictures.given(rows)) for rows in batches]
        columns = [list(p.values()) if isinstance(p, dict) else [p] for p in predicted]
        found: dict[str, Any] = {"predict": [np.concatenate(parts) for parts in zip(*columns, strict=True)]}
        for engine in (kv.Saliency(), kv.GradCAM(), kv.Activations()):
            results = [r for rows in batches for r in engine(self.network, self.pictures.given(rows))]
            found[engine.technique.name] = np.stack([result.values for result in results])
            if not isinstance(engine, kv.Saliency):
                found[f"{engine.technique.name} layer"] = {result.layer.path for result in results}
        return found

    @cached_property
    def first(self) -> dict[str, Any]:
        """Numbers, the reference, functions traced, and what changed, with the first weights."""
        expect, before, traces = expected(self.model, self.kind, self.pictures), Snapshot.of(self.model), self.traces
        got = self.answers()
        traces = self.traces - traces
        with pytest.raises(Broken):
            kv.Saliency()(self.network, self.pictures.given(), target=_broken)
        changes = before.changes(Snapshot.of(self.model))
        return {"got": got, "expected": expect, "traces": traces, "changes": changes}

    @property
    def traces(self) -> int:
        return self.network.traces

    @cached_property
    def photographs(self) -> np.ndarray:
        """Saliency of uint8 pictures."""
        assert self.first
        results = kv.Saliency()(self.network, self.pictures.given(dtype="uint8"))
        return np.stack([result.values for result in results])

    @cached_property
    def trained(self) -> dict[str, Any]:
        """Numbers, the reference, functions traced after a step of training."""
        assert self.first
        if self.kind.photographs:
            assert self.photographs is not None
        rows = self.kind.batch or 4
        outputs = self.model(self.pictures.entered(slice(0, rows)), training=False)
        wanted = tf.nest.map_structure(lambda t: np.ones(t.shape, "float32"), outputs)
        self.model.fit(self.pictures.entered(slice(0, rows)), wanted, batch_size=rows, verbose=0)
        before, got = self.traces, self.answers()
        return {
            "got": got,
            "expected": expected(self.model, self.kind, self.pictures),
            "traces": self.traces - before,
        }


def _broken(view: Any) -> Any:
    raise Broken
