"""Paper in units: what is drawn lies where it was asked for, and never over the edge."""

import numpy as np
import pytest

from kerasviz.errors import SettingError
from kerasviz.pictures.lettering import HEAD, TITLE
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.sheets import EDGE, WIDTH, Sheet


@pytest.mark.parametrize("scale", [1, 2])
def test_units_are_pixels_times_the_scale(scale):
    sheet = Sheet(scale)
    sheet.image(np.full((10, 20, 3), 9, np.uint8), 100, 50)
    rows, columns = np.nonzero((sheet.picture() == 9).all(axis=-1))
    assert (rows.min(), columns.min()) == (50 * scale, 100 * scale)
    assert (rows.max(), columns.max()) == (50 * scale + 9, 100 * scale + 19)


def test_paper_is_as_high_as_what_is_on_it_and_18_units():
    sheet = Sheet(2)
    sheet.image(np.zeros((100, 10, 3), np.uint8), 30, 2000)
    assert sheet.picture().shape == (2 * (2000 + 50 + 18), 2 * WIDTH, 3)
    assert (sheet.picture()[:3900] == 255).all()


def test_a_frame_lies_around_a_picture_and_hides_none_of_it():
    sheet, black = Sheet(2), np.zeros((8, 8, 3), np.uint8)
    sheet.image(black, 100, 50, frame=True)
    picture, rule = sheet.picture(), PAPERS["white"].rule
    np.testing.assert_array_equal(picture[100:108, 200:208], black)
    assert tuple(picture[98, 198]) == tuple(picture[109, 209]) == rule
    assert tuple(picture[97, 197]) == (255, 255, 255)


def test_black_paper_has_its_own_colours():
    sheet = Sheet(1, "black")
    sheet.void(100, 50, 20, 10)
    sheet.text("tiger", 24, 30)
    picture, colors = sheet.picture(), PAPERS["black"]
    assert tuple(picture[0, 0]) == colors.paper
    assert tuple(picture[55, 110]) == colors.void
    assert picture[15:35, 20:70].max() > 200
    with pytest.raises(SettingError, match="white or black, found 'blue'"):
        Sheet(1, "blue")


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("right", [False, True])
def test_a_line_is_shortened_before_it_leaves_the_sheet(scale, right):
    sheet = Sheet(scale)
    sheet.text("W" * 300, WIDTH - EDGE if right else EDGE, 40, TITLE, right=right)
    ink = np.flatnonzero((sheet.picture() < 200).any(axis=(0, 2)))
    assert ink.min() >= EDGE * scale
    assert ink.max() < (WIDTH - EDGE) * scale


def test_right_aligned_text_ends_where_it_was_asked_to():
    for scale in (1, 2):
        sheet = Sheet(scale)
        sheet.text("Integrated gradients", WIDTH - EDGE, 40, TITLE, right=True)
        end = np.flatnonzero((sheet.picture() < 200).any(axis=(0, 2))).max()
        assert (WIDTH - EDGE - 3) * scale <= end <= (WIDTH - EDGE) * scale


def test_a_long_title_takes_a_second_line_and_pushes_its_facts_below():
    short, long = Sheet(1), Sheet(1)
    assert short.head("zebra", "class 340", "Grad-CAM") == 38
    assert long.head("a name that is long " * 9, "class 340", "Grad-CAM") > 38 + 2 * 20
    left = WIDTH - EDGE - round(long.letters.width("Grad-CAM", HEAD))
    assert (long.picture()[:70, left - 22 : left - 2] == 255).all()  # title and technique keep apart
