"""A training that goes on, ends early, begins anew; other callbacks beside it."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from trained import classes, pictures, plain, unbuilt

import kerasviz as kv
from kerasviz.timelines.store import Timeline


def logger(folder, techniques="gradcam", **options):
    return kv.VisualizationLogger(
        techniques, (pictures(2), classes(2)), folder, **{"animation": None, "on_error": "raise", **options}
    )


def train(model, callback, *others, **options):
    """20 pictures in batches of 5: 4 steps an epoch."""
    options = {"epochs": 3, "batch_size": 5, "verbose": 0, **options}
    return model.fit(pictures(), classes(), callbacks=[*others, callback], **options)


def dumps(folder):
    """Folder -> (epoch, step, why), as the journal has them, each with its frame on the disk."""
    history = Timeline(folder).history()
    assert all((folder / name / "frame.json").is_file() for name in history.dumps)
    return {name: (line["epoch"], line["step"], line["why"]) for name, line in history.dumps.items()}


def names(*epochs):
    return [f"epoch_{epoch:04d}" for epoch in epochs]


def test_fit_twice_goes_on_and_traces_nothing_again(tmp_path):
    model, callback = plain(), logger(tmp_path)
    train(model, callback)
    traces = callback.traces
    train(model, callback)
    assert traces == callback.traces == 1
    assert list(dumps(tmp_path)) == names(*range(7))
    assert dumps(tmp_path)["epoch_0006"] == (6, 24, "every")
    assert list(Timeline(tmp_path).history().epochs) == [1, 2, 3, 4, 5, 6]


def test_fit_twice_with_an_initial_epoch_counts_the_same(tmp_path):
    model, callback = plain(), logger(tmp_path)
    train(model, callback, epochs=2)
    train(model, callback, epochs=4, initial_epoch=2)
    assert list(dumps(tmp_path)) == names(0, 1, 2, 3, 4)


def test_another_callback_continues_the_timeline(tmp_path):
    """As a new process does: nothing but the log folder is known of the first training."""
    model = plain()
    train(model, logger(tmp_path), epochs=3)
    before = (tmp_path / "epoch_0003" / "frame.json").read_bytes()
    train(model, logger(tmp_path), epochs=5, initial_epoch=3)
    assert {name: step for name, (_, step, _) in dumps(tmp_path).items()} == dict(
        zip(names(0, 1, 2, 3, 4, 5), (0, 4, 8, 12, 16, 20), strict=True)
    )
    assert (tmp_path / "epoch_0003" / "frame.json").read_bytes() == before


def test_a_training_that_goes_back_takes_the_place_of_what_came_after(tmp_path):
    model = plain()
    train(model, logger(tmp_path), epochs=4)
    train(model, logger(tmp_path), epochs=3, initial_epoch=1)
    assert list(dumps(tmp_path)) == names(0, 1, 2, 3)
    lines = (tmp_path / "epoch_0003" / "manifest.jsonl").read_text().splitlines()
    files = [name for line in lines for name in json.loads(line)["files"].values()]
    assert len(files) == len(set(files))  # each of its pictures once, not with those of the training before


def test_steps_go_on_too(tmp_path):
    """Also where a dataset does not tell how many batches it has."""
    data = tf.data.Dataset.from_tensor_slices((pictures(), classes())).filter(lambda x, y: True).batch(5)
    model = plain()
    model.fit(data, epochs=2, verbose=0, callbacks=[logger(tmp_path, every="3 steps")])
    assert {step for _, step, _ in dumps(tmp_path).values()} == {0, 3, 6, 8}
    model.fit(data, epochs=3, initial_epoch=2, verbose=0, callbacks=[logger(tmp_path, every="3 steps")])
    assert {step for _, step, _ in dumps(tmp_path).values()} == {0, 3, 6, 8, 9, 12}


def test_several_steps_at_once_count_as_many_as_there_are(tmp_path):
    model = plain(steps_per_execution=3)
    train(model, logger(tmp_path, every="4 steps"), epochs=3)  # 4 batches an epoch: calls of 3 and 1
    assert [step for _, step, _ in dumps(tmp_path).values()] == [0, 4, 8, 12]


def test_a_new_training_takes_the_place_of_an_old_one(tmp_path):
    train(plain(), logger(tmp_path), epochs=4)
    train(plain(), logger(tmp_path, "saliency"), epochs=2)
    assert list(dumps(tmp_path)) == names(0, 1, 2)
    assert {column.technique for column in Timeline(tmp_path).layout().columns} == {"saliency"}
    assert list(Timeline(tmp_path).history().epochs) == [1, 2]


def test_dumps_at_the_end_and_on_improvement(tmp_path):
    model = plain()
    history = train(model, logger(tmp_path, every=10, monitor="loss"), epochs=5).history["loss"]
    better = [k + 1 for k in range(5) if all(history[k] < one for one in history[:k])]
    found = dumps(tmp_path)
    assert found["epoch_0000"][2] == "start"
    assert [epoch for epoch, _, why in found.values() if why == "improved"] == better
    assert max(epoch for epoch, _, _ in found.values()) == 5


def test_stop_training_half_way(tmp_path):
    class Stops(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 6:
                self.model.stop_training = True

    model = plain()
    train(model, logger(tmp_path, every=2), Stops(), epochs=9)
    assert model.stop_training
    assert list(dumps(tmp_path)) == names(0, 2)  # its second epoch was the last


def test_backup_and_checkpoints_beside_it(tmp_path):
    """Broken off in the third epoch, taken up again by a new model: the timeline goes on where the weights do."""
    backup, points = tmp_path / "backup", tmp_path / "best.keras"

    class Breaks(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("power cut")

    def others():
        return keras.callbacks.BackupAndRestore(backup), keras.callbacks.ModelCheckpoint(points, monitor="loss")

    with pytest.raises(RuntimeError, match="power cut"):
        train(plain(), logger(tmp_path / "log"), *others(), Breaks(), epochs=4)
    callback = logger(tmp_path / "log")
    train(plain(), callback, *others(), epochs=4)
    assert list(dumps(tmp_path / "log")) == names(0, 1, 2, 3, 4)
    assert callback.traces == 1
    assert [step for _, step, _ in dumps(tmp_path / "log").values()] == [0, 4, 8, 12, 16]
    assert len(keras.saving.load_model(points).layers)


def test_early_stopping_on_a_measure_of_the_pictures(tmp_path):
    stop = keras.callbacks.EarlyStopping("kerasviz/gradcam/moved", mode="max", min_delta=10, patience=2)
    model = plain()
    callback = kv.VisualizationLogger("gradcam", pictures(2), tmp_path, log_measures=True, animation=None)
    model.fit(pictures(), classes(), epochs=9, verbose=0, callbacks=[callback, stop])
    history = model.history.history
    assert len(history["loss"]) == len(history["kerasviz/gradcam/moved"]) == 3
    measured = [
        np.mean(line["measures"]["gradcam"]["moved"])
        for line in Timeline(tmp_path).history().dumps.values()
        if line["measures"]
    ]
    assert history["kerasviz/gradcam/moved"] == pytest.approx(measured, rel=1e-5)


def test_a_model_whose_head_is_exchanged_between_two_fits(tmp_path):
    layers = keras.layers
    model = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()])
    model.add(layers.Dense(3, name="three"))
    callback = kv.VisualizationLogger("gradcam", pictures(2), tmp_path, target="2", animation=None, on_error="raise")
    model.compile("sgd", "mse")
    model.fit(pictures(), np.zeros((20, 3)), verbose=0, callbacks=[callback])
    model.pop()
    model.add(layers.Dense(3, name="other", kernel_initializer="zeros"))
    model.compile("sgd", "mse")
    model.fit(pictures(), np.zeros((20, 3)), verbose=0, callbacks=[callback])
    last = json.loads((tmp_path / "epoch_0002" / "frame.json").read_text())
    assert last["cells"]["gradcam.2"][0]["max"] == 0  # a head of zeros, and zeros to learn


def test_an_unbuilt_model_of_tf_keras_is_not_built_for_its_pictures(tmp_path, caplog):
    """Its weights are drawn with its first batch; what cannot be shown before is said."""
    import tf_keras

    model = unbuilt(tf_keras)
    train(model, logger(tmp_path), epochs=2)
    assert list(dumps(tmp_path)) == names(1, 2)
    said = [record.getMessage() for record in caplog.records if record.name == "kerasviz"]
    assert said == [
        "VisualizationLogger: Pictures from before the training are left out: the model is built by its first batch."
    ]
