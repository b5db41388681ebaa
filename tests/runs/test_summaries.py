"""TensorBoard's events: read back with TensorFlow, and with the package tensorboard where that is installed."""

import copy
import pickle
import random
import threading

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasviz as kv
from kerasviz.runs.summaries import Summaries, step_of
from kerasviz.timelines.frames import Frame

RED = np.zeros((4, 6, 3), np.uint8) + np.array([255, 0, 8], np.uint8)


def frame(unit, number):
    return Frame("folder", unit, number, epoch=0, step=0, why="every")


def values(folder):
    """(step, value) of every summary in the event files of a folder, in the order of writing."""
    iterator = tf.compat.v1.train.summary_iterator
    events = [event for path in sorted(folder.iterdir()) for event in iterator(str(path))]
    return [(event.step, value) for event in events for value in event.summary.value]


def test_a_picture_is_its_width_height_and_png(tmp_path):
    summaries = Summaries(tmp_path)
    summaries.picture("gradcam/cat.jpg", RED, 7)
    summaries.close()
    ((step, value),) = values(tmp_path)
    assert (step, value.tag, value.metadata.plugin_data.plugin_name) == (7, "gradcam/cat.jpg", "images")
    width, height, png = value.tensor.string_val
    assert (width, height) == (b"6", b"4")
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB), RED)


def test_a_number_is_a_float_of_the_plugin_scalars(tmp_path):
    summaries = Summaries(tmp_path)
    for step, value in enumerate((0.25, float("nan"))):
        summaries.scalar("kerasviz/moved", value, step)
    summaries.close()
    (step, first), (_, last) = values(tmp_path)
    assert (step, first.tag, first.metadata.plugin_data.plugin_name) == (0, "kerasviz/moved", "scalars")
    assert tf.make_ndarray(first.tensor) == np.float32(0.25)
    assert np.isnan(tf.make_ndarray(last.tensor))


def test_steps_before_the_training_come_first(tmp_path):
    summaries = Summaries(tmp_path)
    for number in range(3):
        summaries.picture("cat", RED, step_of(frame("epoch", number)))
    summaries.close()
    assert [step for step, _ in values(tmp_path)] == [-1, 0, 1]


def test_nothing_is_opened_before_the_first_write_and_flush_shows_it(tmp_path):
    summaries = Summaries(tmp_path / "events")
    summaries.flush()
    summaries.close()
    assert not (tmp_path / "events").exists()
    summaries.scalar("loss", 1.0, 0)
    summaries.flush()
    assert len(values(tmp_path / "events")) == 1
    summaries.close()


def test_writing_after_closing_adds_to_what_was_written(tmp_path):
    summaries = Summaries(tmp_path)
    for step in range(2):
        summaries.scalar("loss", 1.0, step)
        summaries.close()
    assert sorted(step for step, _ in values(tmp_path)) == [0, 1]


def test_any_thread_may_write(tmp_path):
    summaries = Summaries(tmp_path)
    thread = threading.Thread(target=lambda: (summaries.picture("cat", RED, 1), summaries.flush()))
    thread.start()
    thread.join()
    summaries.scalar("loss", 1.0, 2)
    summaries.close()
    assert [step for step, _ in values(tmp_path)] == [1, 2]


@pytest.mark.parametrize("record", [False, True])
def test_the_writer_and_the_step_of_the_training_stay_as_they_are(tmp_path, record):
    theirs, ours = tf.summary.create_file_writer(str(tmp_path / "theirs")), Summaries(tmp_path / "ours")
    with theirs.as_default(step=41), tf.summary.record_if(record):
        ours.scalar("loss", 1.0, 5)
        assert tf.summary.experimental.get_step() == 41
        assert bool(tf.summary.should_record_summaries()) is record
        tf.summary.write("own", tf.constant(1.0))
    assert tf.summary.experimental.get_step() is None
    assert not tf.summary.should_record_summaries()  # there is no default writer
    theirs.close()
    ours.close()
    assert [(step, value.tag) for step, value in values(tmp_path / "theirs")] == [(41, "own")] * record
    assert [(step, value.tag) for step, value in values(tmp_path / "ours")] == [(5, "loss")]


def test_no_random_state_moves(tmp_path):
    def drawn(between):
        keras.utils.set_random_seed(3)
        dropout = keras.layers.Dropout(0.5)
        first = dropout(np.ones((1, 32)), training=True)
        between()
        rest = dropout(np.ones((1, 32)), training=True), tf.random.uniform([8]), np.random.rand(8), [random.random()]
        return np.concatenate([np.ravel(part) for part in (first, *rest)])

    def write():
        summaries = Summaries(tmp_path)
        summaries.picture("cat", RED, 0)
        summaries.scalar("loss", 1.0, 0)
        summaries.close()

    np.testing.assert_array_equal(drawn(write), drawn(lambda: None))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_has_the_folder_and_a_file_of_its_own(tmp_path, copied):
    summaries = Summaries(tmp_path)
    summaries.scalar("loss", 1.0, 0)
    other = copied(summaries)
    other.scalar("loss", 1.0, 1)
    for one in (summaries, other):
        one.close()
    assert sorted(step for step, _ in values(tmp_path)) == [0, 1]


def test_a_folder_that_cannot_be_made_is_said_with_the_cure(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    summaries = Summaries(tmp_path / "file" / "events")
    found = r"^The TensorBoard folder '.*events' cannot be written \([^{}\[\]]+ is not a directory\)\. Make room .*=\.$"
    with pytest.raises(kv.OutputError, match=found):
        summaries.scalar("loss", 1.0, 0)
    summaries.flush()
    summaries.close()


# Beside Keras' own callback.


def test_steps_are_those_of_keras_own_callback(tmp_path):
    """Its scalars need the package tensorboard."""
    pytest.importorskip("tensorboard", reason="Keras' TensorBoard callback needs the package tensorboard")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    moments = []

    class Moments(keras.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1
            moments.append(("batch_loss", step_of(frame("step", self.batches))))

        def on_epoch_end(self, epoch, logs=None):
            moments.append(("epoch_loss", step_of(frame("epoch", epoch + 1))))

    callbacks = [keras.callbacks.TensorBoard(tmp_path, update_freq=1), Moments()]
    data = np.zeros((6, 2)), np.zeros(6)
    model.fit(*data, batch_size=2, initial_epoch=4, epochs=6, verbose=0, callbacks=callbacks)
    kept = [(value.tag, step) for step, value in values(tmp_path / "train")]
    assert sorted(pair for pair in kept if pair[0] in ("batch_loss", "epoch_loss")) == sorted(moments)
    assert ("epoch_loss", 4) in moments
    assert ("batch_loss", 1) in moments


def test_the_reader_of_tensorboard_finds_them(tmp_path):
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

    summaries = Summaries(tmp_path / "kerasviz")
    for step in (-1, 0):
        summaries.picture("gradcam/cat.jpg", RED, step)
        summaries.scalar("kerasviz/moved", 0.5, step)
    summaries.close()
    reader = EventMultiplexer().AddRunsFromDirectory(str(tmp_path)).Reload()
    assert list(reader.PluginRunToTagToContent("images")) == ["kerasviz"]
    assert list(reader.PluginRunToTagToContent("scalars")["kerasviz"]) == ["kerasviz/moved"]
    found = reader.Tensors("kerasviz", "gradcam/cat.jpg")
    assert [event.step for event in found] == [-1, 0]
    assert [event.tensor_proto.string_val[0] for event in found] == [b"6", b"6"]
