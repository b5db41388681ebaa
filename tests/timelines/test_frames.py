"""Cells and frames come back from JSON as they went in; what is not one of ours is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasviz.records import as_json
from kerasviz.timelines.frames import BROKEN, COARSE_SIDE, Cell, Frame, Standing

GOOD = {"raw": "AAH/gA==", "size": [2, 2], "limit": 1.5, "max": 2.0}
coarse_maps = arrays(np.uint8, st.tuples(st.integers(1, COARSE_SIDE), st.integers(1, COARSE_SIDE)))


def there_and_back(cell):
    return Cell.of(json.loads(as_json(cell.plain())))


def smooth(height, width):
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    return np.rint(255 * np.exp(-8 * ((x - 0.4) ** 2 + (y - 0.6) ** 2))).astype(np.uint8)


@given(coarse_maps, st.floats(0, 1e9, width=32), st.text(), st.booleans())
def test_a_coarse_map_comes_back_byte_for_byte(share, limit, note, failed):
    cell = Cell(share=share, limit=limit, maximum=2 * limit, note=note, failed=failed, target="a </script>", score=-1.5)
    back = there_and_back(cell)
    np.testing.assert_array_equal(back.share, share)
    told = ("limit", "maximum", "note", "failed", "target", "score", "picture")
    assert [getattr(back, name) for name in told] == [getattr(cell, name) for name in told]


@pytest.mark.parametrize("size", [(64, 64), (17, 3), (2, 64), (1, 17)])
def test_a_fine_map_comes_back_nearly(size):
    share = smooth(*size)
    back = there_and_back(Cell(share=share, limit=1.0, maximum=1.0)).share
    assert back.shape == size
    assert np.abs(back.astype(int) - share).mean() < 3


def test_a_fine_map_is_a_picture_and_a_coarse_one_is_its_bytes():
    coarse, fine = (Cell(share=smooth(side, side), limit=1.0).plain() for side in (COARSE_SIDE, COARSE_SIDE + 1))
    assert ("raw" in coarse, "webp" in coarse) == (True, False)
    assert ("raw" in fine, "webp" in fine) == (False, True)


def test_a_picture_comes_back_nearly():
    picture = np.stack([smooth(40, 60), 255 - smooth(40, 60), smooth(40, 60)], axis=-1)
    back = there_and_back(Cell(picture=picture))
    assert back.share is None
    assert back.picture.shape == picture.shape
    assert np.abs(back.picture.astype(int) - picture).mean() < 6


@given(arrays(np.float32, (3, 4), elements=st.floats(-1, 1, width=32)), st.floats(0.125, 1e6, width=32), st.booleans())
def test_values_come_back_to_one_step_of_their_limit(cells, limit, signed):
    share = np.rint(128 + 127 * cells) if signed else np.rint(255 * np.abs(cells))
    values = Cell(share=share.astype(np.uint8), limit=limit).values(signed)
    expected = cells * limit if signed else np.abs(cells) * limit
    np.testing.assert_allclose(values, expected, atol=0.51 * limit / (127 if signed else 255))


def test_the_middle_of_a_signed_scale_is_exactly_nothing():
    np.testing.assert_array_equal(Cell(share=np.full((1, 1), 128, np.uint8), limit=3.7).values(True), [[0]])


def test_a_failure_has_no_values():
    assert not Cell(failed=True, note="No.").values(False).any()


def test_a_score_that_is_no_number_is_left_out():
    for score in (float("nan"), float("inf")):
        assert there_and_back(Cell(score=score)).score is None


@pytest.mark.parametrize(
    "broken",
    [
        {**GOOD, "size": [3, 2]},
        {**GOOD, "size": [4]},
        {**GOOD, "size": [2, 2, 1]},
        {**GOOD, "size": "2"},
        {**GOOD, "raw": "%%%"},
        {**GOOD, "raw": "", "size": [0, 0]},
        {**GOOD, "limit": None},
        {**GOOD, "limit": -1.0},
        {**GOOD, "limit": float("inf")},
        {**GOOD, "limit": float("nan")},
        {**GOOD, "max": "many"},
        {**GOOD, "score": [1]},
        {key: value for key, value in GOOD.items() if key != "max"},
        {"webp": "AAAA", "limit": 1.0, "max": 1.0},
        {"picture": "AAAA"},
        {"picture": 7},
    ],
)
def test_a_cell_that_is_not_one_of_ours_is_refused(broken):
    with pytest.raises(BROKEN):
        Cell.of(broken)


def test_words_of_strangers_are_words():
    cell = Cell.of({**GOOD, "note": 7, "target": ["x"]})
    assert (cell.note, cell.target) == ("7", "['x']")


def test_a_frame_comes_back():
    cells = {"gradcam": [Cell(share=smooth(3, 4), limit=1.0, maximum=1.0), None], "cam": [Cell(failed=True), None]}
    standings = [Standing("bee", 0.25, 2, [("cat", 0.5), ("bee", 0.25)]), Standing(guesses=[])]
    measures = {"gradcam": {"moved": [1, None]}}
    frame = Frame("epoch_0005", "epoch", 5, 5, 500, "every", {"loss": 0.5}, cells, standings, measures)
    back = Frame.of(json.loads(as_json(frame.plain())))
    assert {**vars(back), "cells": 0, "standings": 0} == {**vars(frame), "cells": 0, "standings": 0}
    np.testing.assert_array_equal(back.cells["gradcam"][0].share, smooth(3, 4))
    assert back.cells["gradcam"][1] is None
    assert back.cells["cam"][0].failed
    assert back.standings[1] == standings[1]
    assert [tuple(guess) for guess in back.standings[0].guesses] == standings[0].guesses


@pytest.mark.parametrize("broken", [{}, [], None, {"cells": [], "standings": []}, {"cells": {"a": 1}, "standings": []}])
def test_a_frame_that_is_not_one_of_ours_is_refused(broken):
    with pytest.raises(BROKEN):
        Frame.of(broken)
