"""A dump leaves what the command line and `result.save` leave, for every engine there is and any that comes."""

import json
from dataclasses import dataclass

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from trained import classes, pictures, plain

import kerasviz as kv
from kerasviz.engines._engine import Engine
from kerasviz.registry import Technique
from kerasviz.results.saving import STYLES
from kerasviz.settings import setting
from kerasviz.timelines.measures import inside
from kerasviz.timelines.store import Timeline

NAMES = ("dark", "bright", "red")


@pytest.fixture(autouse=True)
def seeded():
    """The networks are the same every time."""
    keras.utils.set_random_seed(3)


def photographs(folder, count=3):
    """PNG files of soft colours, in a folder for each class."""
    for k in range(count):
        pixels = np.random.default_rng(k).integers(0, 255, (4, 5, 3), np.uint8)
        (folder / NAMES[k]).mkdir(parents=True)
        cv2.imwrite(str(folder / NAMES[k] / f"photo{k}.png"), cv2.resize(pixels, (30, 24)))
    return folder


def train(model, *callbacks, epochs=1):
    return model.fit(pictures(), classes(), epochs=epochs, verbose=0, callbacks=list(callbacks))


def logger(techniques, images, folder, **options):
    return kv.VisualizationLogger(techniques, images, folder, **{"animation": None, "on_error": "raise", **options})


def records(folder):
    """File -> its record, without what the clock says."""
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return {one["files"]["panel"]: {k: v for k, v in one.items() if k != "seconds"} for one in lines}


def test_a_dump_is_what_result_save_leaves(tmp_path):
    """The same names, the same pixels, the same records."""
    model, images = plain(), pictures(3)
    network = kv.open(model, labels=NAMES)
    kv.GradCAM()(network, images, "1").save(tmp_path / "saved", styles=STYLES, scale=1)
    model.optimizer.learning_rate = 0.0
    train(model, logger("gradcam", images, tmp_path / "log", target="1", labels=NAMES, when="start", every=9,
                        styles=STYLES))  # fmt: skip
    dumped, saved = tmp_path / "log" / "epoch_0000", tmp_path / "saved"
    names = sorted(path.name for path in saved.iterdir())
    assert sorted(path.name for path in dumped.iterdir() if path.name != "frame.json") == names
    assert len(names) == 3 * len(STYLES) + 1
    assert records(dumped) == records(saved)
    for path in saved.glob("*.png"):
        np.testing.assert_array_equal(cv2.imread(str(dumped / path.name)), cv2.imread(str(path)))
    for path in saved.glob("*.npy"):
        np.testing.assert_array_equal(np.load(dumped / path.name), np.load(path))


def test_true_and_predicted_classes_are_both_explained(tmp_path):
    """Where they are one class there is one file, and both columns show it."""
    model, truths = plain(), [0, 1, 2]
    best = kv.open(model).predict(pictures(3)).argmax(1)
    train(model, logger("gradcam", (pictures(3), truths), tmp_path, labels=NAMES, when="start", every=9))
    found = records(tmp_path / "epoch_0000")
    for k, truth in enumerate(truths):
        about = {file.split(".")[2]: one["target"]["index"] for file, one in found.items() if f"_{k:04d}." in file}
        assert about == ({"true": truth} if truth == best[k] else {"true": truth, "top": best[k]})
    assert len({*best}) < 3  # so that both cases were there
    layout, (frame,) = Timeline(tmp_path).layout(), Timeline(tmp_path).frames()
    assert [row.title for row in layout.rows] == list(NAMES)
    assert [column.question for column in layout.columns] == ["true class", "predicted class"]
    for k, truth in enumerate(truths):
        true, top = (frame.cells[key][k] for key in ("gradcam.true", "gradcam.top"))
        assert (true.target, top.target) == (NAMES[truth], NAMES[best[k]])
        assert frame.standings[k].name == NAMES[truth]


def test_a_folder_named_by_class_says_the_true_classes(tmp_path):
    folder = photographs(tmp_path / "photos")
    train(plain(), logger("gradcam", str(folder), tmp_path / "log", labels=NAMES, preprocess="0..1"))
    rows = Timeline(tmp_path / "log").layout().rows
    assert [row.title for row in rows] == ["bright", "dark", "red"]
    assert [row.name.split("/")[-1] for row in rows] == ["photo1.png", "photo0.png", "photo2.png"]
    assert all(row.size == (24, 30) for row in rows)


def test_two_engines_of_one_technique_do_not_overwrite_each_other(tmp_path):
    engines = [kv.Saliency(), kv.Saliency(reduce="l2"), "gradcam"]
    train(plain(), logger(engines, pictures(2), tmp_path, when=()))
    dump = tmp_path / "epoch_0001"
    first, second = records(dump), records(dump / "saliency-2")
    assert len(first) == 4
    assert len(second) == 2
    assert {one["settings"]["reduce"] for one in second.values()} == {"l2"}
    assert "l2" not in {one["settings"].get("reduce") for one in first.values()}
    columns = {column.key: column.words for column in Timeline(tmp_path).layout().columns}
    assert list(columns) == ["saliency", "saliency-2", "gradcam"]
    assert "reduce l2" in columns["saliency-2"]


def test_how_much_lies_in_the_boxes(tmp_path):
    """Measured on the photograph; boxes in its pixels."""
    boxes = [[(0, 0, 12, 6)], [(2, 2, 5, 5), (4, 4, 9, 12)], []]
    model = plain()
    network = kv.open(model)
    expected = [
        inside(
            result.given.fit.place(result.heatmap, (12, 12)), [tuple(np.array(one) / 12) for one in boxes[k]]
        )
        for k, result in enumerate(kv.Saliency()(network, pictures(3), "0"))
    ]  # fmt: skip
    callback = logger(
        "saliency", pictures(3), tmp_path, target="0", boxes=boxes, when="start", every=9, tensorboard=True
    )
    train(model, callback)
    (line,) = Timeline(tmp_path).history().dumps.values()
    shares = line["measures"]["saliency.0"]["inside"]
    assert shares[2] is expected[2] is None
    assert shares[:2] == pytest.approx(expected[:2], rel=1e-4)
    assert [tuple(box) for box in Timeline(tmp_path).layout().rows[0].boxes] == [(0, 0, 1, 0.5)]
    (events,) = (tmp_path / "tensorboard").iterdir()
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(events)) for value in event.summary.value}
    assert tags == {f"kerasviz/saliency.0/image_{k:04d}" for k in range(3)} | {"kerasviz/saliency.0/inside"}


def test_pictures_stand_at_the_steps_of_keras_own_tensorboard(tmp_path):
    """A folder shared with it; without the package tensorboard its callback cannot be made."""
    train(plain(), logger("gradcam", pictures(1), tmp_path / "log", tensorboard=tmp_path / "events"), epochs=2)
    (events,) = (tmp_path / "events").iterdir()
    steps = {
        event.step
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
        if value.tag == "kerasviz/gradcam/image_0000"
    }
    assert steps == {-1, 0, 1}


@pytest.mark.parametrize("technique", kv.techniques(), ids=lambda technique: technique.name)
@pytest.mark.parametrize("form", ["name", "engine"])
def test_every_engine_of_the_registry(technique, form, tmp_path):
    one = technique.name if form == "name" else technique.load()()
    callback = logger(one, (pictures(2), classes(2)), tmp_path)
    train(plain(), callback, epochs=2)
    timeline = Timeline(tmp_path)
    assert list(timeline.history().dumps) == [f"epoch_{epoch:04d}" for epoch in range(3)]
    assert {column.technique for column in timeline.layout().columns} == {technique.name}
    for frame in timeline.frames():
        for cells in frame.cells.values():
            assert all(cell and not cell.failed and (cell.share is None) != (cell.picture is None) for cell in cells)
    assert callback.traces == 1
    assert (tmp_path / "timeline.html").stat().st_size > 10_000
    assert list((tmp_path / "timeline").glob("*.strip.png"))


@dataclass(frozen=True, kw_only=True)
class Dreamt(Engine):
    """An engine that comes later: about no target, and drawn by chance from its seed."""

    explains = False
    seed: int = setting(0, "of the noise", parse=int, structural=True)

    @property
    def technique(self):
        return Technique("dreamt", "Dreamt", "Dreamt", "Make pictures", "", "pictures from noise")

    @property
    def taps(self):
        return ("conv",)

    def compute(self, view, score):
        maps = tf.reduce_mean(view.layer("conv"), -1)
        noise = tf.random.stateless_uniform(tf.shape(maps), (self.seed, 0))
        return {"values": maps + 0.01 * noise}, "conv"

    def unit(self, scale, photograph):
        return "activation"


def test_an_engine_that_comes_later_needs_no_change(tmp_path):
    callback = logger([Dreamt(), "gradcam", Dreamt(seed=3)], (pictures(2), classes(2)), tmp_path, log_measures=True)
    history = train(plain(), callback, epochs=3).history
    timeline = Timeline(tmp_path)
    keys = [column.key for column in timeline.layout().columns]
    assert keys == ["dreamt", "gradcam.true", "gradcam.top", "dreamt-2"]
    assert len(records(tmp_path / "epoch_0002")) >= 4
    assert len(records(tmp_path / "epoch_0002" / "dreamt-2")) == 2
    assert len(list(timeline.frames())) == 4
    assert {f"kerasviz/{key}/moved" for key in keys} <= set(history)
    assert callback.traces == 3


def test_several_layers_and_several_targets_each_have_a_column(tmp_path):
    callback = logger([kv.Activations(layer="conv,maps"), "gradcam"], pictures(2), tmp_path, target="top2")
    train(plain(), callback)
    keys = [column.key for column in Timeline(tmp_path).layout().columns]
    assert keys == ["activations.1", "activations.2", "gradcam.top2.1", "gradcam.top2.2"]
