"""A training with the callback is, to the bit, the training without it."""

import keras
import pytest
import tensorflow as tf
import tf_keras
from models.snapshots import Snapshot
from remains import differences, remains
from trained import KINDS, Kind, classes, pictures, sequential, shuffled

import kerasviz as kv

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def logger(kind, folder, **options):
    return kv.VisualizationLogger(
        list(kind.techniques), kind.images(), folder, **{"animation": None, "on_error": "raise", **options}
    )


@each_kind
def test_every_epoch(kind, tmp_path):
    alone = remains(kind, [])
    watched = remains(kind, [logger(kind, tmp_path)])
    assert differences(alone, watched) == []
    assert (tmp_path / "epoch_0005" / "frame.json").is_file()
    assert (tmp_path / "timeline.html").is_file()


@pytest.mark.parametrize("name", ["sequential", "steps_per_execution", "tf_keras functional"])
def test_every_third_step_and_whenever_it_improves(name, tmp_path):
    kind = KINDS[name]
    alone = remains(kind, [])
    callback = logger(kind, tmp_path, every="3 steps", monitor="val_loss")
    assert differences(alone, remains(kind, [callback])) == []
    assert len(list(tmp_path.glob("step_*"))) >= 5


def test_pictures_drawn_from_the_dataset_that_it_is_trained_on(tmp_path):
    """Drawing from a shuffled dataset would give every later epoch another order."""
    kind = KINDS["sequential"]
    alone = remains(kind, [], data=SeededDataset.make())
    data = SeededDataset.make()
    callback = kv.VisualizationLogger(["gradcam"], data, tmp_path, count=4, animation=None, on_error="raise")
    assert differences(alone, remains(kind, [callback], data=data)) == []


class SeededDataset:
    """The same dataset twice: its own seed is drawn when it is made."""

    @staticmethod
    def make() -> tf.data.Dataset:
        keras.utils.set_random_seed(5)
        return shuffled()


@pytest.mark.parametrize("name", ["sequential", "own train_step", "tf_keras sequential"])
def test_no_object_of_the_model_is_another_after_a_dump(name, tmp_path):
    """Compiled functions, layers' attributes, lists and flags: not equal ones, the same ones."""
    kind, seen = KINDS[name], []

    class Spy((tf_keras if name.startswith("tf_keras") else keras).callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(Snapshot.of(self.model))

    remains(kind, [Spy(), logger(kind, tmp_path), Spy()], epochs=3)
    assert [before.changes(after) for before, after in zip(seen[::2], seen[1::2], strict=True)] == [[], [], []]


def test_the_comparison_sees_a_difference():
    """One more draw from any random state, or one more step, is found."""
    kind = Kind("short", sequential, lambda: pictures(10), lambda: classes(10))

    class Draws(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            tf.random.uniform(())

    found = differences(remains(kind, [], epochs=2), remains(kind, [Draws()], epochs=2))
    assert "tensorflow" in found
    found = differences(remains(kind, [], epochs=2), remains(kind, [], epochs=3))
    assert {"variables", "history", "chance of layers"} <= set(found)
