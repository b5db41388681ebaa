"""Films of log folders that a crash, or a stranger, left: what cannot be read is left out, and no name leads away."""

import dataclasses
import json

import pytest
from log_folders import CAM, FINE, log_folder, row

from kerasviz.errors import OutputError, SettingError, SourceError
from kerasviz.timelines.films import cuttings, each_film, name_of, surveyed, write_films
from kerasviz.timelines.store import FRAME, Timeline


def cutting(timeline, column, number=0):
    return next(c for c in cuttings(timeline, surveyed(timeline)) if (c.column, c.number) == (column, number))


def broken(folder, number, change):
    path = folder / f"epoch_{number:04d}" / FRAME
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))


BREAKS = {
    "no cells": lambda plain: plain.pop("cells"),
    "cells of another kind": lambda plain: plain.update(cells=[1]),
    "no standings": lambda plain: plain.pop("standings"),
    "a number that is none": lambda plain: plain.update(number="many"),
    "a limit that is none": lambda plain: plain["cells"]["gradcam"][0].update(limit=[]),
}


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS)
def test_a_dump_that_is_none_of_ours_is_left_out(tmp_path, change):
    timeline = log_folder(tmp_path, 3, columns=[CAM], rows=[row()])
    broken(tmp_path, 1, change)
    assert [film.dumps for film in each_film(timeline)] == [2, 2]


def test_a_cell_that_cannot_be_read_is_a_failure(tmp_path):
    timeline = log_folder(tmp_path, 3, columns=[CAM, FINE], rows=[row()])
    broken(tmp_path, 1, lambda plain: plain["cells"]["gradcam"][0].update(raw="%"))
    broken(tmp_path, 1, lambda plain: plain["cells"]["saliency"][0].update(webp="AAAA"))
    for column in (CAM, FINE):
        found = cutting(timeline, column)
        assert [found.cell(dump).failed for dump in range(3)] == [False, True, False]
    assert [film.dumps for film in each_film(timeline)] == [3, 3, 3, 3]


def test_rows_that_a_dump_does_not_have_are_nothing(tmp_path):
    timeline = log_folder(tmp_path, 2, columns=[CAM])
    broken(tmp_path, 0, lambda plain: plain.update(cells={"gradcam": plain["cells"]["gradcam"][:1]}, standings=[]))
    assert cutting(timeline, CAM, 1).cell(0) is None
    assert cutting(timeline, CAM, 0).cell(0) is not None
    assert len(write_films(timeline)) == 4


@pytest.mark.parametrize(
    "name", ["../../x.jpg", "/etc/passwd", "a/../../b", "..", "C:\\x", "a\0b", "x" * 400, "é/日本.png", ""]
)
@pytest.mark.parametrize("key", ["gradcam.true", "../../k", "a/b.c/d", "", ".", "k" * 400])
def test_no_name_leads_out_of_the_folder(tmp_path, name, key):
    folder = tmp_path / "timeline"
    path = folder / name_of(dataclasses.replace(row(), name=name), dataclasses.replace(CAM, key=key), "strip", "png")
    assert path.resolve().is_relative_to(folder.resolve())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert path.name.endswith("strip.png")


def test_questions_of_one_technique_have_files_of_their_own():
    keys = ["gradcam", "gradcam.true", "gradcam.top", "gradcam-2.top", "gradcam.tabby cat"]
    found = [name_of(row("a.jpg"), dataclasses.replace(CAM, key=key), "strip", "png") for key in keys]
    assert found == [
        "a.jpg.gradcam.strip.png", "a.jpg.gradcam.true.strip.png", "a.jpg.gradcam.top.strip.png",
        "a.jpg.gradcam-2.top.strip.png", "a.jpg.gradcam.tabby-cat.strip.png",
    ]  # fmt: skip


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    timeline = log_folder(tmp_path, 1)
    with pytest.raises(SettingError, match="found 'avi'"):
        write_films(timeline, animation="avi")
    assert not (tmp_path / "timeline").exists()


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    timeline = log_folder(tmp_path, 1)
    (tmp_path / "timeline").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        write_films(timeline)


def test_a_folder_that_is_no_log_folder_says_so(tmp_path):
    with pytest.raises(SourceError, match="Give the folder that was its log_dir"):
        write_films(Timeline(tmp_path))
