"""What dumps become on the disk, written beside a training."""

import json
import re
import threading

import numpy as np
import pytest
from networks import random_network, random_pictures

import kerasviz as kv
from kerasviz.inputs.fixed import Fixed
from kerasviz.results.drawing import Drawing
from kerasviz.runs.dumping import Dumper, watched
from kerasviz.runs.logbook import Logbook, Made
from kerasviz.runs.schedule import Moment
from kerasviz.runs.wanted import Wanted
from kerasviz.timelines.frames import Frame
from kerasviz.timelines.store import Timeline

PICTURES = random_pictures(3)
TRUTHS = [4, 0, 1]  # the network sees class 4 in each


@pytest.fixture(scope="module")
def dumper():
    """Two engines that answer, and one that fits no longer."""
    engines = ["gradcam", kv.GradCAM(layer="conv4"), kv.GradCAM(layer="conv9")]
    return Dumper(watched(engines), random_network("predictions"), Fixed(PICTURES, TRUTHS), None)


@pytest.fixture(scope="module")
def dump(dumper):
    """The first dump: it tells of the failure."""
    return dumper.dump()


def wanted(**others):
    told = {
        "styles": ("overlay",),
        "drawing": Drawing(scale=1),
        "page": False,
        "animation": None,
        "tensorboard": None,
        "boxes": (),
    }
    return Wanted(**{**told, **others})


def moment(epoch, why="every"):
    return Moment(f"epoch_{epoch:04d}", "epoch", epoch, epoch, 4 * epoch, why, {"loss": 1 / (1 + epoch)})


def made(dump, measures=None):
    return Made(dump, ["class 4", "class 0", "class 1"], "small", lambda: measures or {})


def frame(folder):
    return Frame.of(json.loads((folder / "frame.json").read_text()))


def journal(folder):
    return [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]


def test_a_dump_is_pictures_records_numbers_and_a_line(dump, tmp_path):
    book = Logbook(tmp_path, wanted())
    book.begin(0, 0)
    book.dump(moment(0, "start"), made(dump))
    book.wait()
    assert book.errors() == []
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    first = [name.removeprefix("epoch_0000/")[:10] for name in files if "gradcam-2/" not in name]
    assert first == ["image_0000", *["image_0001"] * 2, *["image_0002"] * 2]  # the first is right: once is enough
    assert len([name for name in files if name.startswith("epoch_0000/gradcam-2/")]) == 5
    assert len(files) == 10
    lines = (tmp_path / "epoch_0000" / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["technique"] for line in lines] == ["gradcam"] * 5
    assert [line["kind"] for line in journal(tmp_path)] == ["begin", "dump"]
    assert (journal(tmp_path)[1]["why"], journal(tmp_path)[1]["logs"]) == ("start", {"loss": 1.0})


def test_a_frame_has_a_cell_for_each_row_of_each_column(dump, tmp_path):
    book = Logbook(tmp_path, wanted())
    book.dump(moment(3), made(dump, {"gradcam.true": {"moved": [0.5, None, 1.0]}}))
    book.wait()
    found = frame(tmp_path / "epoch_0003")
    assert {key: len(cells) for key, cells in found.cells.items()} == {
        **{f"{key}.{question}": 3 for key in ("gradcam", "gradcam-2") for question in ("true", "top")},
        "gradcam-3": 3,
    }
    assert all(cell.failed for cell in found.cells["gradcam-3"])
    assert found.cells["gradcam.top"][0].share.tobytes() == found.cells["gradcam.true"][0].share.tobytes()
    assert [one.rank for one in found.standings] == [int(dump.asked[0].results[k].measures["rank"]) for k in range(3)]
    assert (found.epoch, found.step, found.measures) == (3, 12, {"gradcam.true": {"moved": [0.5, None, 1.0]}})


def test_rows_and_columns_are_written_once_and_a_new_column_is_added(dumper, dump, tmp_path):
    book = Logbook(tmp_path, wanted(boxes=[[(0, 0, 7, 3)], [], [(0, 0, 3.5, 6), (1, 1, 2, 2)]]))
    alone = type(dump)(dump.asked[:2])
    book.dump(moment(0), made(alone))
    book.wait()
    layout = Timeline(tmp_path).layout()
    assert [(row.name, row.title) for row in layout.rows] == [
        ("image_0000", "class 4"),
        ("image_0001", "class 0"),
        ("image_0002", "class 1"),
    ]
    np.testing.assert_allclose(layout.rows[0].boxes, [(0, 0, 1, 0.5)])
    np.testing.assert_allclose(layout.rows[2].boxes[0], (0, 0, 0.5, 1))
    assert [(column.key, column.question) for column in layout.columns] == [
        ("gradcam.true", "true class"),
        ("gradcam.top", "predicted class"),
    ]
    before = (tmp_path / "layout.json").stat().st_mtime_ns
    book.dump(moment(1), made(alone))
    book.wait()
    assert (tmp_path / "layout.json").stat().st_mtime_ns == before
    book.dump(moment(2), made(dump))
    book.wait()
    keys = [column.key for column in Timeline(tmp_path).layout().columns]
    assert keys == ["gradcam.true", "gradcam.top", "gradcam-2.true", "gradcam-2.top", "gradcam-3"]  # that one fails


def test_a_column_that_fails_later_says_so_in_its_cells(dump, tmp_path):
    book = Logbook(tmp_path, wanted())
    book.dump(moment(0), made(dump))
    (failure,) = dump.failures.values()
    book.dump(moment(1), made(type(dump)(dump.asked[:2], {"gradcam-2": failure})))
    book.wait()
    assert book.errors() == []
    found = frame(tmp_path / "epoch_0001").cells
    assert [(cell.failed, cell.note) for cell in found["gradcam-2.true"]] == [(True, failure.said)] * 3
    assert not any(cell.failed for cell in found["gradcam.true"])
    nothing = Logbook(tmp_path / "nothing", wanted())
    nothing.dump(moment(0), made(type(dump)([], dump.failures)))
    nothing.wait()
    assert nothing.errors() == []


def test_the_training_goes_on_while_a_dump_is_written(dump, tmp_path):
    book, door = Logbook(tmp_path, wanted()), threading.Event()

    def measures():
        assert door.wait(30)
        return {}

    book.dump(moment(0), Made(dump, [""] * 3, "small", measures))
    book.epoch(1, 4, {"loss": 0.5})  # returns, though nothing is on the disk
    assert not (tmp_path / "timeline.jsonl").exists()
    door.set()
    book.wait()
    assert [line["kind"] for line in journal(tmp_path)] == ["dump", "epoch"]


def test_what_cannot_be_written_is_told_once_and_the_next_dump_is_written(dump, tmp_path):
    book = Logbook(tmp_path, wanted())
    (tmp_path / "epoch_0000").write_text("a file where a folder should be")
    book.dump(moment(0), made(dump))
    book.dump(moment(1), made(dump))
    book.wait()
    (error,) = book.errors()
    assert "epoch_0000" in str(error)
    assert book.errors() == []
    assert [line["folder"] for line in journal(tmp_path) if line["kind"] == "dump"] == ["epoch_0001"]


def test_the_page_is_there_during_the_training_and_says_when_it_has_ended(dump, tmp_path):
    book = Logbook(tmp_path, wanted(page=True, animation="gif"))
    book.begin(0, 0)
    book.dump(moment(0), made(dump))
    book.wait()
    during = (tmp_path / "timeline.html").read_text()
    assert not (tmp_path / "timeline").exists()
    book.epoch(1, 4, {"loss": 0.5})
    book.dump(moment(1), made(dump))
    book.end(skipped=2)
    assert book.errors() == []
    after = (tmp_path / "timeline.html").read_text()
    assert [re.findall(r'"live": ?(\w+)', page) for page in (during, after)] == [["true"], ["false"]]
    assert journal(tmp_path)[-1] == {"kind": "end", "skipped": 2}
    assert any(path.suffix == ".gif" for path in (tmp_path / "timeline").rglob("*"))


def test_without_a_page_there_is_none_and_a_training_without_dumps_ends(dump, tmp_path):
    book = Logbook(tmp_path / "plain", wanted())
    book.dump(moment(0), made(dump))
    book.end(0)
    assert not (tmp_path / "plain" / "timeline.html").exists()
    empty = Logbook(tmp_path / "empty", wanted(page=True))
    empty.begin(0, 0)
    empty.end(0)
    assert empty.errors() == []
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == ["timeline.jsonl"]


def test_tensorboard_has_a_picture_of_each_result_and_the_means_of_the_measures(dump, tmp_path):
    import tensorflow as tf

    book = Logbook(tmp_path / "log", wanted(tensorboard=tmp_path / "events"))
    for epoch in range(2):
        book.dump(moment(epoch), made(dump, {"gradcam.true": {"moved": [0.5, None, 1.0], "inside": [None] * 3}}))
    book.end(0)
    events = [
        (event.step, value.tag)
        for path in (tmp_path / "events").iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]
    tags = {tag for _, tag in events}
    assert {step for step, _ in events} == {-1, 0}
    assert "kerasviz/gradcam.true/moved" in tags
    assert "kerasviz/gradcam.true/inside" not in tags
    assert {f"kerasviz/gradcam-2.top/image_{k:04d}" for k in range(3)} <= tags
