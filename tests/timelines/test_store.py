"""The log folder: what was written comes back, whatever a crash or a stranger left beside it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_folders import CAM, COLUMNS, SIGNED, cell, frame, log_folder, row

from kerasviz.errors import SourceError
from kerasviz.inputs.fitting import Fit
from kerasviz.timelines.layout import Layout, Row
from kerasviz.timelines.store import FRAME, JOURNAL, LAYOUT, History, Timeline

BAD_LINES = [
    "{",
    '{"kind": "dump", "folder": "epoch_00',
    "null",
    "7",
    "[]",
    '"begin"',
    "{}",
    '{"kind": "dump"}',
    '{"kind": "dump", "folder": "epoch_0009"}',
    '{"kind": "dump", "folder": "x", "number": 1, "epoch": "one", "step": 1}',
    '{"kind": "dump", "folder": "x", "number": 1, "epoch": Infinity, "step": 1}',
    '{"kind": "epoch", "epoch": 3}',
    '{"kind": "epoch", "epoch": 3, "logs": null}',
    '{"kind": "epoch", "epoch": null, "logs": {}}',
    '{"kind": "begin"}',
    '{"kind": "end", "skipped": "many"}',
    '{"kind": "of a later version", "epoch": 1}',
    "[" * 100_000,
]


def folders(timeline):
    return list(timeline.history().dumps)


def shape_of(picture):
    return None if picture is None else picture.shape


def test_frames_come_back_in_the_order_of_the_training(tmp_path):
    timeline = log_folder(tmp_path, 4)
    assert timeline.exists
    frames = list(timeline.frames())
    assert [one.folder for one in frames] == ["epoch_0000", "epoch_0001", "epoch_0002", "epoch_0003"]
    assert folders(timeline) == [one.folder for one in frames]
    for number, found in enumerate(frames):
        expected = frame(number, number, timeline.layout().rows, COLUMNS)
        np.testing.assert_array_equal(found.cells["gradcam"][1].share, cell(CAM, number, 1).share)
        assert found.cells["cam"][0].limit == cell(SIGNED, number).limit
        assert [one.name for one in found.standings] == [one.name for one in expected.standings]
    assert timeline.history().epochs[2]["loss"] == 1.0


def test_rows_and_columns_come_back(tmp_path):
    rows = [
        row("a/b.jpg", "bee </script>", fit=Fit((90, 120), (16, 16), "crop"), boxes=[(0.1, 0.2, 0.3, 0.4)]),
        Row("network", "", np.zeros((0, 0, 3), np.uint8), (0, 0)),
    ]
    timeline = Timeline(tmp_path)
    timeline.keep(Layout("tiny", rows, COLUMNS, alpha=0.3))
    found = timeline.layout()
    assert (found.model, found.alpha, tuple(found.columns)) == ("tiny", 0.3, COLUMNS)
    assert [(one.name, one.title, one.size) for one in found.rows] == [(one.name, one.title, one.size) for one in rows]
    np.testing.assert_allclose(found.rows[0].seen, rows[0].seen)
    assert [list(box) for box in found.rows[0].boxes] == [[0.1, 0.2, 0.3, 0.4]]
    assert np.abs(found.rows[0].photo.astype(int) - rows[0].photo).mean() < 6
    assert not found.rows[1].photo.size


# What a training takes the place of.


def taken(*lines):
    history = History()
    for line in lines:
        history.take(line)
    return history


def begin(epoch, step):
    return {"kind": "begin", "epoch": epoch, "step": step}


def epoch(number):
    return {"kind": "epoch", "epoch": number, "logs": {"loss": number}}


def dump(folder, epoch, step, **about):
    return {"kind": "dump", "folder": folder, "number": epoch, "epoch": epoch, "step": step, **about}


def test_a_training_that_goes_on_takes_the_place_of_what_came_after():
    first = [begin(0, 0), dump("epoch_0000", 0, 0), epoch(1), dump("a", 1, 10), epoch(2), dump("b", 2, 20), epoch(3)]
    history = taken(*first, begin(1, 10))
    assert list(history.dumps) == ["epoch_0000", "a"]
    assert list(history.epochs) == [1]


def test_a_training_from_the_beginning_is_another_one():
    assert not taken(begin(0, 0), dump("epoch_0000", 0, 0), epoch(1), begin(0, 0)).dumps


def test_a_dump_made_again_stands_where_it_was_made_last():
    history = taken(dump("a", 1, 10, why="every"), dump("b", 2, 20), dump("a", 3, 30, why="end"))
    assert list(history.dumps) == ["b", "a"]
    assert history.dumps["a"]["why"] == "end"


def test_skipped_dumps_are_counted():
    assert taken({"kind": "end", "skipped": 3}).skipped == 3


# What a crash or a stranger leaves.


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda line: line[:40])
def test_a_line_that_is_none_of_ours_changes_nothing(tmp_path, line):
    timeline = log_folder(tmp_path, 3)
    before = folders(timeline)
    with open(tmp_path / JOURNAL, "a") as file:
        file.write(line + "\n")
    timeline.epoch(7, {"loss": 0.5})
    history = timeline.history()
    assert list(history.dumps) == before
    assert (sorted(history.epochs), history.epochs[7]) == ([1, 2, 7], {"loss": 0.5})
    timeline.begin(1, 10)  # goes by what the lines before say
    assert folders(timeline) == before[:2]


def test_what_is_added_after_an_unfinished_line_is_read(tmp_path):
    timeline = log_folder(tmp_path, 2)
    with open(tmp_path / JOURNAL, "a") as file:
        file.write('{"kind": "dump", "fol')  # no end of line: killed
    timeline.epoch(9, {"loss": 1.0})
    assert 9 in timeline.history().epochs


@given(st.text())
def test_names_with_any_letters_come_back(tmp_path_factory, name):
    timeline = Timeline(tmp_path_factory.mktemp("log"))
    timeline.epoch(1, {name: 0.5})
    assert timeline.history().epochs == {1: {name: 0.5}}


OUTSIDE = ["..", "../outside", "../../x", "/etc", "a/b", "", ".", "./", "epoch_0000/..", "a\0b"]


@pytest.mark.parametrize("folder", OUTSIDE)
def test_no_journal_leads_out_of_its_folder(tmp_path, folder):
    timeline = log_folder(tmp_path / "log", 1)
    text = (tmp_path / "log" / "epoch_0000" / FRAME).read_text()
    for place in (tmp_path, tmp_path / "outside", tmp_path / "log" / "a" / "b", tmp_path / "log"):
        place.mkdir(exist_ok=True, parents=True)
        (place / FRAME).write_text(text)
    assert timeline.frame_text("epoch_0000") == text
    assert timeline.frame_text(folder) is None
    with open(tmp_path / "log" / JOURNAL, "a") as file:
        file.write(json.dumps(dump(folder, 1, 1)) + "\n")
    assert [one.folder for one in timeline.frames()] == ["epoch_0000"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"cells": {}}', '{"cells": [], "standings": []}', "\xff"])
def test_a_dump_that_cannot_be_read_is_passed_over(tmp_path, text):
    timeline = log_folder(tmp_path, 3)
    (tmp_path / "epoch_0001" / FRAME).write_bytes(text.encode("latin-1"))
    assert [one.folder for one in timeline.frames()] == ["epoch_0000", "epoch_0002"]


def test_a_dump_that_is_gone_is_passed_over(tmp_path):
    timeline = log_folder(tmp_path, 3)
    (tmp_path / "epoch_0002" / FRAME).unlink()
    assert [one.folder for one in timeline.frames()] == ["epoch_0000", "epoch_0001"]


BAD_LAYOUTS = ["", "{", "[]", "{}", '{"model": "m", "alpha": 1, "rows": [{}], "columns": []}', "\xff"]


@pytest.mark.parametrize("text", BAD_LAYOUTS)
def test_a_layout_that_cannot_be_read_says_which_folder_was_expected(tmp_path, text):
    timeline = log_folder(tmp_path, 1)
    (tmp_path / LAYOUT).write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError, match=r"^Expected the log folder .* found no 'layout\.json' .*\. Give the folder"):
        timeline.layout()


@pytest.mark.parametrize("seen", [[0, 0, 0, 1], [1, 0, 0, 1], [0, 0, 1], ["x", 0, 1, 1], [0, 0, float("nan"), 1]])
def test_a_row_that_sees_nothing_is_refused(tmp_path, seen):
    timeline = log_folder(tmp_path, 1)
    plain = json.loads((tmp_path / LAYOUT).read_text())
    plain["rows"][0]["seen"] = seen
    (tmp_path / LAYOUT).write_text(json.dumps(plain))
    with pytest.raises(SourceError):
        timeline.layout()


def test_a_folder_without_a_timeline_says_so(tmp_path):
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "a\0b"):
        timeline = Timeline(folder)
        assert not timeline.exists
        with pytest.raises(SourceError, match="Give the folder that was its log_dir"):
            timeline.history()
