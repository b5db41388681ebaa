"""What fails is told once, in plain words, and the training goes on to the same weights."""

import functools
import subprocess
import sys
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from remains import remains
from trained import CLASSES, SHAPE, Kind, classes, compiled, pictures

import kerasviz as kv
from kerasviz.timelines.store import Timeline


def without_pooling():
    """CAM does not fit it, and nothing in it says how photographs are scaled."""
    layers = keras.layers
    stack = [layers.Conv2D(3, 3, name="conv"), layers.Flatten(), layers.Dropout(0.3), layers.Dense(CLASSES, "softmax")]
    return compiled(keras.Sequential([keras.Input(SHAPE), *stack], name="small"))


KIND = Kind("without pooling", without_pooling)


@functools.cache
def alone():
    return remains(KIND, [], epochs=3)


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "kerasviz"]


def trained_with(callback):
    """A training of three epochs, which was not changed."""
    found = remains(KIND, [callback], epochs=3)
    assert found["variables"] == alone()["variables"]
    assert found["history"] == alone()["history"]


def logger(techniques, folder, images=None, **options):
    images = (pictures(2), classes(2)) if images is None else images
    return kv.VisualizationLogger(techniques, images, folder, **{"animation": None, **options})


@dataclass(frozen=True, kw_only=True)
class Tired(kv.GradCAM):
    """Grad-CAM that has had enough, not for a reason of ours."""

    @property
    def technique(self):
        return kv.GradCAM().technique

    def explain(self, *args, **options):
        raise MemoryError("no room for a tensor of 9 GB\nand many more lines")


GOES_ON = "The training goes on."
CASES = {
    "a technique that does not fit": (
        lambda folder: logger(["cam", "gradcam"], folder),
        ["CAM could not be made: CAM needs a network whose last maps are averaged", "Use gradcam"],
    ),
    "no such layer": (
        lambda folder: logger([kv.GradCAM(layer="conw"), "saliency"], folder),
        ["Grad-CAM could not be made: ", "'conw'", "Did you mean 'conv'?"],
    ),
    "no such class": (
        lambda folder: logger("gradcam", folder, target="7"),
        ["Grad-CAM could not be made: ", "7"],
    ),
    "pictures of another size": (
        lambda folder: logger("gradcam", folder, pictures(2)[:, :9]),
        ["Pictures could not be made: Expected", "12"],
    ),
    "photographs of unknown scaling": (
        lambda folder: logger("gradcam", folder, np.zeros((2, 20, 20, 3), np.uint8)),
        ["Grad-CAM could not be made: It cannot be known how pixels must be scaled for"],
    ),
    "boxes for fewer pictures": (
        lambda folder: logger("gradcam", folder, boxes=[(0, 0, 4, 4)]),
        ["Expected boxes for each of 2 pictures, found 1"],
    ),
    "an engine out of memory": (
        lambda folder: logger([Tired(), "saliency"], folder),
        ["Grad-CAM could not be made: MemoryError: no room for a tensor of 9 GB The"],
    ),
    "a folder that is not there": (
        lambda folder: logger("gradcam", folder, str(folder / "photos")),
        ["Pictures could not be made: ", "photos"],
    ),
    "a function of images that fails": (
        lambda folder: logger("gradcam", folder, lambda: 1 / 0),
        ["Pictures could not be made: ZeroDivisionError: division by zero"],
    ),
}


@pytest.mark.parametrize(("make", "words"), CASES.values(), ids=CASES)
def test_what_cannot_be_made_is_told_once(make, words, tmp_path, caplog):
    trained_with(make(tmp_path / "log"))
    (said,) = told(caplog)
    assert said.startswith("VisualizationLogger: ")
    assert said.endswith(GOES_ON)
    assert "\n" not in said
    for part in words:
        assert part in said


@pytest.mark.parametrize(("make", "words"), CASES.values(), ids=CASES)
def test_or_ends_the_training_where_that_is_wanted(make, words, tmp_path):
    callback = make(tmp_path / "log")
    callback._on_error = "raise"
    with pytest.raises((kv.KerasvizError, MemoryError, ZeroDivisionError)):
        remains(KIND, [callback], epochs=3)


def test_the_other_techniques_are_made(tmp_path, caplog):
    trained_with(logger(["cam", "gradcam", kv.GradCAM(layer="conw")], tmp_path, images=pictures(2)))
    timeline = Timeline(tmp_path)
    assert len(told(caplog)) == 2
    assert {column.key for column in timeline.layout().columns} == {"cam", "gradcam", "gradcam-2"}
    first = next(timeline.frames())
    assert [first.cells[key][0].failed for key in ("cam", "gradcam", "gradcam-2")] == [True, False, True]
    assert list(timeline.history().dumps) == [f"epoch_{epoch:04d}" for epoch in range(4)]
    assert (tmp_path / "timeline.html").is_file()


def blocked(folder):
    """A log folder below what is a file."""
    (folder / "taken").write_text("mine")
    return folder / "taken" / "log"


UNWRITABLE = {
    "below a file": blocked,
    "a place for no files": lambda folder: "/proc/self/kerasviz",
}


@pytest.mark.parametrize("place", UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_log_folder_that_cannot_be_written_is_told_once(place, tmp_path, caplog):
    trained_with(logger("gradcam", place(tmp_path), tensorboard=tmp_path / "events"))
    (said,) = told(caplog)
    assert "cannot be written" in said
    assert said.endswith(GOES_ON)


def test_a_log_folder_that_cannot_be_written_ends_the_training_where_that_is_wanted(tmp_path):
    with pytest.raises(kv.OutputError, match="cannot be written"):
        remains(KIND, [logger("gradcam", blocked(tmp_path), on_error="raise")], epochs=3)


def test_a_log_folder_that_becomes_a_file_in_mid_training(tmp_path, caplog):
    class Takes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                callback._watching.logbook.wait()
                (tmp_path / "log").rename(tmp_path / "gone")
                (tmp_path / "log").write_text("mine")

    callback = logger("gradcam", tmp_path / "log")
    found = remains(KIND, [callback, Takes()], epochs=3)
    assert found["variables"] == alone()["variables"]
    assert 1 <= len(told(caplog)) <= 2  # it is not a folder, and it is there already
    assert (tmp_path / "gone" / "epoch_0001" / "frame.json").is_file()


FULL = """
import resource, signal, sys
sys.path[:0] = [{tests!r}, {here!r}]
import numpy as np
import test_failures as own

resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))  # bytes of a file
callback = own.logger("gradcam", {folder!r}, tensorboard=True)
found = own.remains(own.KIND, [callback], epochs=3)
assert found["variables"] == own.alone()["variables"]
print("trained to the end")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize("room", [0, 3000])
def test_a_full_disk_is_told_once(room, tmp_path, request):
    """The system refuses every byte beyond so many of a file, as a full disk does."""
    here = request.path.parent
    script = FULL.format(tests=str(here.parent), here=str(here), room=room, folder=str(tmp_path / "log"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[-2:] == ["trained to the end", ""], done.stderr[-3000:]
    said = [line for line in done.stderr.splitlines() if "VisualizationLogger" in line]
    files = [line for line in said if "The TensorBoard folder" not in line]  # which TensorFlow writes
    assert len(files) == 1, said
    assert len(said) - len(files) <= 1, said
    assert all("File too large" in line for line in said)
    assert list(tmp_path.rglob("*.part")) == []


WRONG = {
    "technique": ({"techniques": "gradcm"}, "There is no technique 'gradcm'. Did you mean 'gradcam'"),
    "no technique": ({"techniques": []}, "Expected at least one technique"),
    "something else": ({"techniques": 3}, "Expected a technique's name or an engine, found 3"),
    "engine's setting": ({"layer": 3, "techniques": "saliency"}, "Expected a technique that looks at a layer"),
    "every": ({"every": "5 minutes"}, "Expected every as 5, '5 epochs' or '100 steps', found '5 minutes'"),
    "every 0": ({"every": 0}, "found 0"),
    "when": ({"when": "begin"}, "Expected when as any of start, end, found 'begin'"),
    "monitor": ({"monitor": ("loss", "up")}, "Expected monitor as the name of a metric"),
    "on_error": ({"on_error": "ignore"}, "Expected on_error 'warn' or 'raise', found 'ignore'"),
    "time_budget": ({"time_budget": 5}, "Expected time_budget as a share above 0 and up to 1, found 5"),
    "animation": ({"animation": "avi"}, "Expected animation"),
    "style": ({"styles": ("panle",)}, "There is no style 'panle'. Did you mean 'panel'"),
    "unknown": ({"evry": 5}, "VisualizationLogger has no argument 'evry'. Did you mean 'every'"),
    "drawing": ({"scale": -1}, "scale must be"),
    "boxes": ({"boxes": [(1, 2, 3)]}, "Expected boxes (x0, y0, x1, y1) for each picture"),
    "count": ({"count": 0}, "count"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_refused_before_the_training(arguments, words, tmp_path):
    given = {"techniques": "gradcam", "images": pictures(2), "log_dir": tmp_path / "log", **arguments}
    with pytest.raises(kv.SettingError) as refused:
        kv.VisualizationLogger(**given)
    assert words in str(refused.value)
    assert not (tmp_path / "log").exists()
