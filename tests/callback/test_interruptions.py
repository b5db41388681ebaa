"""A training that is broken off leaves what was dumped whole, a page that is up to date, and no process behind."""

import gc
import json
import signal
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
from PIL import Image
from trained import classes, pictures, plain

import kerasviz as kv
from kerasviz.timelines.store import Timeline

LONG = 120  # seconds after which a test gives up


def logger(folder, **options):
    return kv.VisualizationLogger(
        ["gradcam", "saliency"], (pictures(3), classes(3)), folder, **{"animation": None, **options}
    )


def whole(folder):
    """The folders of the dumps; every file of theirs can be read, and nothing is half written."""
    assert list(folder.rglob("*.part")) == []
    timeline = Timeline(folder)
    dumps = timeline.history().dumps
    assert len(list(timeline.frames())) == len(dumps)
    for name in dumps:
        records = [json.loads(line) for line in (folder / name / "manifest.jsonl").read_text().splitlines()]
        assert records
        for record in records:
            with Image.open(folder / name / record["files"]["panel"]) as picture:
                picture.load()
    return list(dumps)


def on_the_page(folder):
    """How many dumps the page shows, and whether it waits for more."""
    page = (folder / "timeline.html").read_text()
    return page.count('class="frame"'), '"live": true' in page


def writers():
    """The threads that write, of this test or of others."""
    return {one for one in threading.enumerate() if one.name == "kerasviz-writing"}


class Breaks(keras.callbacks.Callback):
    """Raises after so many epochs."""

    def __init__(self, error, after=2):
        super().__init__()
        self.error, self.after = error, after

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.after:
            raise self.error


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_exception_that_is_caught(error, tmp_path):
    """What was handed over is written meanwhile, and the next training goes on."""
    others, model, callback = writers(), plain(), logger(tmp_path)
    with pytest.raises(type(error)) as raised:
        model.fit(pictures(), classes(), epochs=9, verbose=0, callbacks=[callback, Breaks(error)])
    assert raised.value is error
    deadline = time.monotonic() + LONG
    while not (tmp_path / "timeline.html").is_file() or on_the_page(tmp_path)[0] < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert whole(tmp_path) == ["epoch_0000", "epoch_0001", "epoch_0002"]
    model.fit(pictures(), classes(), epochs=2, verbose=0, callbacks=[callback])
    assert whole(tmp_path) == [f"epoch_{epoch:04d}" for epoch in range(5)]
    assert on_the_page(tmp_path) == (5, False)
    assert callback.traces == 2
    assert writers() <= others


def test_the_page_of_a_training_that_is_given_up_waits_no_more(tmp_path):
    others, callback = writers(), logger(tmp_path)
    with pytest.raises(RuntimeError):
        plain().fit(pictures(), classes(), epochs=9, verbose=0, callbacks=[callback, Breaks(RuntimeError("mine"))])
    deadline = time.monotonic() + LONG
    while not (tmp_path / "timeline.html").is_file() or on_the_page(tmp_path)[0] < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert on_the_page(tmp_path) == (3, True)
    del callback
    while on_the_page(tmp_path)[1] or writers() - others:  # Keras holds it in circles
        gc.collect()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert on_the_page(tmp_path) == (3, False)


def test_the_timeline_of_a_broken_training_is_drawn_by_the_command(tmp_path):
    with pytest.raises(RuntimeError):
        plain().fit(
            pictures(), classes(), epochs=9, verbose=0, callbacks=[logger(tmp_path), Breaks(RuntimeError("mine"))]
        )
    assert not (tmp_path / "timeline").exists()
    deadline = time.monotonic() + LONG
    while len(Timeline(tmp_path).history().dumps) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = subprocess.run(
        [sys.executable, "-m", "kerasviz_cli.main", "timeline", str(tmp_path), "--animation", "gif"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    strips = sorted(path.name for path in (tmp_path / "timeline").iterdir())
    assert {"image_0000.saliency.true.strip.png", "image_0002.gradcam.true.animation.gif"} <= set(strips)


PROCESS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
sys.path[:0] = [{tests!r}, {here!r}]
import test_interruptions as own
from trained import classes, pictures, plain

after = {after}
error = {error}
breaks = [own.Breaks(error, after)] if error else []
plain().fit(pictures(), classes(), epochs=5000, verbose=0, callbacks=[own.logger({folder!r}, {options}), *breaks])
"""


def process(request, folder, error="None", after=2, options=""):
    here = request.path.parent
    script = PROCESS.format(
        tests=str(here.parent), here=str(here), error=error, after=after, folder=str(folder), options=options
    )
    running = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    request.addfinalizer(running.kill)
    return running


@pytest.mark.parametrize(
    ("error", "code", "said"), [("RuntimeError('mine')", 1, "RuntimeError: mine"), ("SystemExit(3)", 3, "")]
)
def test_a_process_that_ends(error, code, said, tmp_path, request):
    running = process(request, tmp_path, error)
    _, stderr = running.communicate(timeout=LONG)
    assert running.returncode == code, stderr
    assert said in stderr
    assert "Exception ignored" not in stderr
    assert whole(tmp_path) == ["epoch_0000", "epoch_0001", "epoch_0002"]
    assert on_the_page(tmp_path) == (3, False)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise")
@pytest.mark.parametrize("every", ["every=1", "every='3 steps'"])
def test_ctrl_c_in_mid_training(every, tmp_path, request):
    """Whatever it was doing: the process ends as Python does after Ctrl-C, all that it had handed over is written."""
    running = process(request, tmp_path, options=every)
    deadline = time.monotonic() + LONG
    while len(list(tmp_path.glob("*/frame.json"))) < 4:
        assert running.poll() is None, running.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=LONG)
    assert running.returncode == -signal.SIGINT, stderr
    assert "KeyboardInterrupt" in stderr
    assert "Exception ignored" not in stderr
    assert on_the_page(tmp_path) == (len(whole(tmp_path)), False)


def test_numbers_of_a_broken_training_are_those_of_a_whole_one(tmp_path):
    """What stands in a frame is not what the network had become when it was written, but what it was then."""
    keras.utils.set_random_seed(1)
    model = plain()
    first = model.get_weights()
    with pytest.raises(RuntimeError):
        model.fit(
            pictures(), classes(), epochs=3, verbose=0, callbacks=[logger(tmp_path / "a"), Breaks(RuntimeError(), 1)]
        )
    model.set_weights(first)
    result = kv.GradCAM()(model, pictures(3)[0], int(classes(3)[0]))
    deadline = time.monotonic() + LONG
    while not (tmp_path / "a" / "epoch_0000" / "frame.json").is_file():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    cell = next(iter(Timeline(tmp_path / "a").frames())).cells["gradcam.true"][0]
    assert cell.maximum == pytest.approx(float(np.max(result.heatmap)), rel=1e-5)
