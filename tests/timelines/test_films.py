"""Strips and animations from a log folder: what was dumped is what is drawn, and no more of it is held than needed."""

import dataclasses
import tracemalloc

import cv2
import numpy as np
import pytest
from log_folders import CAM, COLUMNS, FINE, PICTURE, SIGNED, cell, frame, log_folder, row
from PIL import Image

from kerasviz.inputs.fitting import Fit
from kerasviz.pictures.animations import LAST_MS, STRIP, evenly
from kerasviz.pictures.colormaps import colour, table
from kerasviz.pictures.overlays import overlay
from kerasviz.pictures.panels import fitted
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale
from kerasviz.pictures.strips import LINE_COLOR, SIDE, left
from kerasviz.timelines.films import MOST_FRAMES, cuttings, each_film, film_count, surveyed, write_films
from kerasviz.timelines.frames import Cell
from kerasviz.timelines.layout import Layout, Row
from kerasviz.timelines.store import Timeline

CROP = Fit((96, 120), (16, 16), "crop")


def cutting(timeline, column, number=0):
    return next(c for c in cuttings(timeline, surveyed(timeline)) if (c.column, c.number) == (column, number))


def names(timeline):
    return sorted(
        path.relative_to(timeline.folder / "timeline").as_posix()
        for path in (timeline.folder / "timeline").rglob("*.*")
    )


def frames_of(path):
    with Image.open(path) as image:
        found = []
        for k in range(image.n_frames):
            image.seek(k)
            image.load()
            found.append(np.asarray(image.convert("RGB")))
        return found, image.info["duration"]


def difference(one, other):
    return np.abs(one.astype(float) - other).mean()


def test_each_picture_and_each_column_has_a_strip_and_an_animation(tmp_path):
    timeline = log_folder(tmp_path, 3, rows=[row("a.jpg"), row("sub/b.png", "red", seed=1)])
    paths = write_films(timeline)
    expected = [f"{image}.{key}.{end}" for image in ("a.jpg", "sub/b.png") for key in ("gradcam", "cam", "saliency")
                for end in ("strip.png", "animation.webp")]  # fmt: skip
    assert [path.relative_to(tmp_path / "timeline").as_posix() for path in paths] == expected
    assert names(timeline) == sorted(expected)
    assert film_count(timeline) == len(paths)


def test_only_what_was_asked_for_is_written(tmp_path):
    timeline = log_folder(tmp_path, 2, columns=[CAM], rows=[row()])
    write_films(timeline, animation=None)
    assert names(timeline) == ["bee.jpg.gradcam.strip.png"]
    films = list(each_film(timeline, animation="gif", strips=False))
    assert [(film.kind, film.image, film.column, film.dumps) for film in films] == [
        ("animation", "bee.jpg", "gradcam", 2)
    ]
    assert names(timeline) == ["bee.jpg.gradcam.animation.gif", "bee.jpg.gradcam.strip.png"]
    assert not write_films(timeline, animation=None, strips=False)


def test_the_same_folder_gives_the_same_files(tmp_path):
    timeline = log_folder(tmp_path, 3)
    first = {path: path.read_bytes() for path in write_films(timeline)}
    assert {path: path.read_bytes() for path in write_films(timeline)} == first


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
@pytest.mark.parametrize("fit", [None, CROP, Fit((96, 120), (16, 16), "pad")], ids=["squash", "crop", "pad"])
def test_a_frame_is_the_picture_that_the_numbers_give(tmp_path, column, fit):
    timeline = log_folder(tmp_path, 3, columns=[column], rows=[row(fit=fit)])
    (path,) = write_films(timeline, strips=False)
    pictures, duration = frames_of(path)
    assert (len(pictures), duration) == (3, LAST_MS)
    one, last = timeline.layout().rows[0], cell(column, 2).limit
    photo = fitted(one.photo, 512, 512)
    for number, (found, dumped) in enumerate(zip(pictures, timeline.frames(), strict=True)):
        values = dumped.cells[column.key][0].values(column.signed)
        placed = (fit or Fit((96, 120), (16, 16))).place(values, photo.shape[:2])
        scale = Scale(-last if column.signed else 0, last)  # of the last dump, the largest
        expected = overlay(photo, placed, scale, colormap=column.colormap, signed=column.signed)
        if column.alone:
            expected = colour(placed, last, column.paper, signed=column.signed)
        assert found.shape == (expected.shape[0] + STRIP, expected.shape[1], 3)
        assert difference(found[: len(expected)], expected) < 5, number


def test_one_scale_holds_over_all_dumps_also_those_that_are_not_shown(tmp_path):
    def make(column, number, k):
        return dataclasses.replace(cell(column, 0, k), limit=9.0 if number == 33 else 1.0, maximum=9.0)

    timeline = log_folder(tmp_path, 70, columns=[CAM], rows=[row()], make=make)
    assert cutting(timeline, CAM).limit == (9.0, False)
    hidden = set(range(70)) - set(cutting(timeline, CAM).plain)
    assert hidden


def test_a_scale_that_clips_says_so_only_where_its_own_dump_does(tmp_path):
    def make(column, number, k):
        return dataclasses.replace(
            cell(column, number, k), maximum=100.0 if number == 0 else cell(column, number).limit
        )

    timeline = log_folder(tmp_path, 3, columns=[FINE], rows=[row()], make=make)
    assert cutting(timeline, FINE).limit == (cell(FINE, 2).limit, False)


@pytest.mark.parametrize(("dumps", "shown"), [(1, 1), (9, 9), (MOST_FRAMES, MOST_FRAMES), (130, MOST_FRAMES)])
def test_long_trainings_show_some_dumps_the_first_and_the_last_among_them(tmp_path, dumps, shown):
    timeline = log_folder(tmp_path, dumps, columns=[CAM], rows=[row()])
    strip, film = each_film(timeline)
    assert (strip.dumps, film.dumps) == (min(dumps, 8), shown)
    pictures, _ = frames_of(film.path)
    assert len(pictures) == shown
    held = cutting(timeline, CAM).plain
    assert {0, dumps - 1, *evenly(dumps, 8)} <= set(held)
    assert all(held.values())


def test_memory_does_not_grow_with_the_dumps(tmp_path):
    picture = cv2.resize(np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8), (400, 320))

    def make(column, number, k):
        return Cell(picture=picture)

    peaks = []
    for dumps in (4, 44):
        timeline = log_folder(tmp_path / str(dumps), dumps, columns=[PICTURE], rows=[row()], make=make)
        tracemalloc.start()
        write_films(timeline)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    decoded = 512 * 410 * 3  # bytes of a frame
    assert peaks[1] - peaks[0] < 40 * decoded / 4


def test_the_curve_runs_from_the_first_epoch_to_the_last_column(tmp_path):
    timeline = log_folder(tmp_path, 3, columns=[CAM], rows=[row()], every=5)
    page = np.asarray(Image.open(write_films(timeline, animation=None)[0]))[::2, ::2]
    _, columns = np.nonzero((page == np.array(LINE_COLOR)).all(axis=-1))
    first = left(0) + SIDE / 2 + (left(1) - left(0)) / 5  # after the first of five epochs
    assert [columns.min(), columns.max()] == pytest.approx([first, left(2) + SIDE / 2], abs=5)


# What is not there.


def test_failures_and_empty_maps_are_drawn(tmp_path):
    def make(column, number, k):
        empty = Cell(share=np.zeros((3, 3), np.uint8), note="All values are 0.", target="bee")
        return [None, empty, dataclasses.replace(empty, failed=True, note="It failed."), cell(column, number)][number]

    timeline = log_folder(tmp_path, 4, columns=[CAM], rows=[row()], make=make)
    strip, film = write_films(timeline)
    pictures, _ = frames_of(film)
    void, photo = PAPERS["white"].void, fitted(timeline.layout().rows[0].photo, 512, 512)
    bodies = [picture[: len(photo)] for picture in pictures]
    assert difference(bodies[0], void) < 2
    assert difference(bodies[1], overlay(photo, np.zeros(photo.shape[:2], np.float32), Scale(0, 0))) < 4
    assert difference(bodies[2], void) < 2
    page = np.asarray(Image.open(strip))
    assert (page == np.array(PAPERS["white"].bad)).all(axis=-1).any()


def test_a_column_that_never_answered_has_no_film(tmp_path):
    timeline = log_folder(
        tmp_path, 2, make=lambda column, number, k: None if column == SIGNED else cell(column, number, k)
    )
    assert not [name for name in map(str, write_films(timeline)) if ".cam." in name]


def test_a_row_without_a_photograph_shows_maps_and_pictures_alone(tmp_path):
    rows = [Row("", "the network", np.zeros((0, 0, 3), np.uint8), (0, 0))]
    picture = np.full((40, 60, 3), 90, np.uint8)

    def make(column, number, k):
        return Cell(picture=picture) if column == PICTURE else cell(column, number, k)

    timeline = log_folder(tmp_path, 2, columns=[CAM, PICTURE], rows=rows, make=make)
    write_films(timeline)
    assert names(timeline) == [
        "activations.animation.webp", "activations.strip.png", "gradcam.animation.webp", "gradcam.strip.png",
    ]  # fmt: skip
    (map_frame, *_), _ = frames_of(tmp_path / "timeline" / "gradcam.animation.webp")
    assert map_frame.shape[1] == 512
    assert difference(map_frame[5, 5], table("inferno")[0]) < 60
    (found, *_), _ = frames_of(tmp_path / "timeline" / "activations.animation.webp")
    assert difference(found[:-STRIP], 90) < 3


def test_pictures_that_change_their_size_stay_in_the_first_ones(tmp_path):
    def make(column, number, k):
        return Cell(picture=np.full([(40, 60, 3), (300, 20, 3), (9, 400, 3)][number], 90, np.uint8))

    pictures, _ = frames_of(write_films(log_folder(tmp_path, 3, columns=[PICTURE], rows=[row()], make=make))[1])
    assert len({picture.shape for picture in pictures}) == 1


def test_a_training_without_dumps_has_no_films(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.keep(Layout("tiny", [row()], COLUMNS))
    timeline.begin(0, 0)
    assert write_films(timeline) == []


def test_dumps_between_epochs_have_no_value_of_the_metric(tmp_path):
    timeline = log_folder(tmp_path, 3, columns=[CAM], rows=[row()])
    timeline.add(
        dataclasses.replace(frame(2, 2, [row()], [CAM]), folder="step_0000025", unit="step", number=25, step=25)
    )
    found = cutting(timeline, CAM)
    assert [one.unit for one in found.survey.frames] == ["epoch", "epoch", "epoch", "step"]
    assert len(write_films(timeline)) == 2
