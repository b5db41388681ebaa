"""Strips: the columns are the axis of the metric, and what is known stands under each picture."""

import numpy as np
import pytest

from kerasviz.pictures.bars import Key
from kerasviz.pictures.colormaps import table
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale
from kerasviz.pictures.sheets import EDGE, WIDTH, Sheet
from kerasviz.pictures.strips import (
    CURVE_HIGH,
    CURVE_TOP,
    LINE_COLOR,
    MARGIN,
    MOST,
    PICTURES_BELOW,
    SIDE,
    Curve,
    Moment,
    fall_of,
    figure,
    left,
    plot,
    strip,
    thumbnail,
)

PHOTO = np.full((SIDE, SIDE, 3), (10, 200, 90), np.uint8)
TOP = CURVE_TOP + PICTURES_BELOW  # of the pictures


def red(share):
    return np.full((SIDE, SIDE, 3), (share, 0, 0), np.uint8)


def moments(count, **about):
    return [Moment(label=f"epoch {k}", at=k, picture=red(20 * k + 10), **about) for k in range(count)]


HALF = Curve("Accuracy", "training", [(0, 0.5)])


def drawn(count=3, curve=HALF, **about):
    return strip(PHOTO, "bee", about.pop("moments", moments(count)), "A caption.", curve=curve, scale=1, **about)


def where(picture, color):
    """Rows and columns of the pixels of this colour."""
    return np.nonzero((picture == np.array(color)).all(axis=-1))


def test_the_photograph_is_first_and_the_pictures_follow_pixel_for_pixel():
    page = drawn(MOST)
    np.testing.assert_array_equal(page[TOP : TOP + SIDE, EDGE : EDGE + SIDE], PHOTO)
    for k in range(MOST):
        x = round(left(k))
        np.testing.assert_array_equal(page[TOP : TOP + SIDE, x : x + SIDE], red(20 * k + 10))
    assert round(left(MOST - 1)) + SIDE == WIDTH - EDGE


@pytest.mark.parametrize("count", [0, MOST + 1])
def test_more_moments_than_fit_are_refused(count):
    with pytest.raises(ValueError, match=f"1 to 8 moments were expected, found {count}"):
        drawn(count)


def test_the_curve_goes_through_the_middles_of_the_columns():
    curve, sheet = Curve("Loss", "training", [(k, k / 6) for k in range(7)]), Sheet(1)
    shown = [Moment(label="", at=at) for at in (0, 2, 6)]  # unevenly spaced in time, evenly on paper
    line = plot(sheet, curve, shown, [])
    for k, moment in enumerate(shown):
        rows, _ = where(line[:, [round(left(k) - left(0) + SIDE / 2)]], LINE_COLOR)
        assert abs(rows.mean() - MARGIN - fall_of(curve, moment.at / 6)) <= 1
    _, columns = where(line, LINE_COLOR)
    assert abs(columns.min() - SIDE / 2) <= 1
    assert abs(columns.max() - (left(2) - left(0) + SIDE / 2)) <= 1


def test_metrics_before_the_first_and_after_the_last_picture_are_left_out():
    curve = Curve("Loss", "training", [(-5, 1.0), (0, 0.0), (1, 0.0), (9, 1.0)])
    rows, _ = where(plot(Sheet(1), curve, moments(2), []), LINE_COLOR)
    assert rows.min() >= MARGIN + CURVE_HIGH - 2


def test_a_dot_stands_only_where_the_value_is_known():
    curve = Curve("Accuracy", "training", [(0, 0.5), (2, 0.5)])
    dotted = [Moment(label="", at=k, value=0.5 if k == 1 else None, picture=red(9)) for k in range(3)]
    page, high = drawn(curve=curve, moments=dotted), []
    for k in range(3):
        rows, _ = where(page[:, [round(left(k) + SIDE / 2)]], LINE_COLOR)
        high.append(len(set(rows)))
    assert high[1] >= 7
    assert max(high[0], high[2]) <= 3


def test_a_value_that_is_one_and_a_flat_metric_are_drawn():
    assert fall_of(Curve("", "", [], 0, 1), 1) == 0
    assert fall_of(Curve("", "", [], 2, 2), 2) == CURVE_HIGH / 2
    assert fall_of(Curve("", "", [], 0, 1), 7) == 0


def test_figures_have_two_decimals_between_0_and_1():
    assert [figure(value) for value in (0, 1, 0.5, 0.004, 2.345, 23.45, -0.5)] == [
        "0", "1", "0.50", "0.0040", "2.3", "23.4", "−0.50",
    ]  # fmt: skip


def test_ink_where_predicted_dim_where_not_and_red_where_failed():
    colors, inks = PAPERS["white"], {}
    for name, about in {"ink": {"strong": True}, "dim": {}, "bad": {"bad": True}}.items():
        page = strip(None, "", [Moment(label="", picture=red(3), under=["0.37"], **about)], "", scale=1)
        below = page[PICTURES_BELOW:, round(left(0)) : round(left(0)) + SIDE]
        inks[name] = {other for other in ("ink", "dim", "bad") if where(below, getattr(colors, other))[0].size}
    assert inks == {"ink": {"ink"}, "dim": {"dim"}, "bad": {"bad"}}


def test_a_void_stands_where_nothing_was_computed():
    page = drawn(moments=[Moment(label="epoch 0", picture=red(9)), Moment(label="epoch 1", at=1)])
    x = round(left(1))
    assert (page[TOP : TOP + SIDE, x : x + SIDE] == PAPERS["white"].void).all()


def test_the_bar_shows_the_colours_and_without_a_map_there_is_none():
    pages = [drawn(key=key) for key in (Key(Scale(0, 1.2), "inferno", unit="logit"), None)]
    ends = [table("inferno")[0], table("inferno")[255]]
    found = [[where(page[TOP + SIDE :, EDGE : EDGE + SIDE], end)[0].size > 0 for end in ends] for page in pages]
    assert found == [[True, True], [False, False]]


def test_without_a_metric_only_the_times_stand_above():
    page = drawn(curve=None)
    assert not where(page, LINE_COLOR)[0].size
    assert len(page) < len(drawn())


def test_words_of_strangers_stay_inside_and_change_no_picture():
    long = "a class with a name that goes on and on\n" * 40
    page = strip(PHOTO, long, moments(8, under=[long, long, long]), long, curve=Curve(long, long, [(0, 0.5)]), scale=1)
    assert page.shape[1] == WIDTH
    assert (page[:, :EDGE] == 255).all()
    assert (page[:, WIDTH - EDGE :] == 255).all()
    np.testing.assert_array_equal(page[TOP : TOP + SIDE, EDGE : EDGE + SIDE], PHOTO)


SHAPES = {(300, 451): (136, 204), (400, 100): (204, 51), (8, 8): (200, 200)}  # a tiny one grows by whole pixels


@pytest.mark.parametrize("size", SHAPES)
def test_a_thumbnail_keeps_the_shape_of_the_photograph(size):
    assert thumbnail(np.zeros((*size, 3), np.uint8)).shape[:2] == SHAPES[size]
