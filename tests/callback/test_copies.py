"""Clones, deep copies and pickles, of the model and of the callback; and what goes when its owner lets go."""

import copy
import gc
import json
import pickle
import subprocess
import sys
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from trained import classes, functional, pictures, plain, shuffled

import kerasviz as kv
from kerasviz.timelines.store import Timeline

COPIES = {"deep copy": copy.deepcopy, "pickle": lambda one: pickle.loads(pickle.dumps(one))}


def logger(folder, images=None, **options):
    images = (pictures(2), classes(2)) if images is None else images
    return kv.VisualizationLogger("gradcam", images, folder, **{"animation": None, "on_error": "raise", **options})


def fit(model, callback, epochs=2):
    model.fit(pictures(), classes(), epochs=epochs, verbose=0, callbacks=[callback])
    return callback


@pytest.mark.parametrize("again", [*COPIES.values(), keras.models.clone_model], ids=[*COPIES, "clone_model"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_model_that_is_watched_can_be_copied(again, when, tmp_path):
    model, callback = functional(), logger(tmp_path)
    if when == "after":
        fit(model, callback)
    other = again(model)
    if again is not keras.models.clone_model:
        for mine, its in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)
    other.compile("adam", "sparse_categorical_crossentropy")
    fit(other, callback)
    assert len(Timeline(tmp_path).history().dumps) == (5 if when == "after" else 3)


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("every", [1, "3 steps"])
def test_a_callback_that_is_copied_before_a_training_does_the_same(again, every, tmp_path):
    first = logger(tmp_path, every=every)
    second = again(first)
    fit(plain(), second)
    steps = [line["step"] for line in Timeline(tmp_path).history().dumps.values()]
    assert steps == ([0, 1, 2] if every == 1 else [0, 2])


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_a_callback_that_is_copied_after_a_training_goes_on(again, tmp_path):
    model = plain()
    first = fit(model, logger(tmp_path, tensorboard=True, log_measures=True))
    second = again(first)
    assert second.model is None
    assert second.traces == 0
    fit(model, second)
    assert list(Timeline(tmp_path).history().dumps) == [f"epoch_{epoch:04d}" for epoch in range(5)]
    assert first.traces == 1


def test_a_copy_sees_the_pictures_that_were_drawn(tmp_path):
    first = logger(tmp_path / "a", shuffled(), count=3)
    second = copy.deepcopy(first)
    for callback in (first, second):
        fit(plain(), callback, epochs=1)
    photos = [[row.photo.tobytes() for row in Timeline(tmp_path / name).layout().rows] for name in "a"]
    assert first._watching.panel().images.tobytes() == second._watching.panel().images.tobytes()
    assert len(photos[0]) == 3


def test_a_pickle_is_used_in_another_process(tmp_path, request):
    (tmp_path / "callback.pickle").write_bytes(pickle.dumps(fit(plain(), logger(tmp_path / "log"))))
    here = request.path.parent
    script = f"""
import pickle, sys
sys.path[:0] = [{str(here.parent)!r}, {str(here)!r}]
from trained import classes, pictures, plain
with open({str(tmp_path / "callback.pickle")!r}, "rb") as file:
    callback = pickle.load(file)
plain().fit(pictures(), classes(), epochs=2, verbose=0, callbacks=[callback])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(Timeline(tmp_path / "log").history().dumps) == [f"epoch_{epoch:04d}" for epoch in range(5)]


def test_nothing_is_kept_alive(tmp_path):
    """Neither by the callback, once the model is dropped, nor by anything else, once the callback is."""
    model = plain()
    callback = fit(model, logger(tmp_path, tensorboard=True))
    network = callback._watching._network
    gone = {name: weakref.ref(one) for name, one in {"model": model, "callback": callback, "network": network}.items()}
    gone["function"] = weakref.ref(next(iter(network._compiler._functions.values())).run)
    gone["logbook"] = weakref.ref(callback._watching.logbook)
    del model, callback, network
    for _ in range(3):
        gc.collect()
    assert [name for name, one in gone.items() if one() is not None] == []


def test_a_model_with_a_callback_in_its_history_can_be_saved(tmp_path):
    model = plain()
    fit(model, logger(tmp_path / "log"))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(pictures(2), verbose=0), model.predict(pictures(2), verbose=0))
    assert json.loads((tmp_path / "log" / "layout.json").read_text())["rows"]
    assert tf.executing_eagerly()
