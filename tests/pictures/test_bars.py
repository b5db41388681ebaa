"""Colour bars show every colour of their scale, in order."""

import numpy as np

from kerasviz.pictures.bars import Key, ends, flat_bar, upright_bar
from kerasviz.pictures.colormaps import table
from kerasviz.pictures.lettering import NOTE, Lettering
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale
from kerasviz.pictures.sheets import Sheet


def test_an_upright_bar_has_the_limit_at_the_top():
    sheet = Sheet(1)
    assert upright_bar(sheet, Key(Scale(0, 2.0), "inferno", unit="logit"), 100, 20, 256, 53) == 256
    np.testing.assert_array_equal(sheet.picture()[20:276, 104], table("inferno")[::-1])


def test_a_signed_bar_has_white_in_the_middle():
    sheet = Sheet(1)
    upright_bar(sheet, Key(Scale(-2.0, 2.0), "rdbu", signed=True), 100, 20, 201, 53)
    picture = sheet.picture()
    assert tuple(picture[120, 105]) == (247, 247, 247)
    assert picture[21, 105, 0] > picture[21, 105, 2]
    assert picture[219, 105, 2] > picture[219, 105, 0]


def test_an_unsigned_diverging_bar_starts_at_white():
    sheet = Sheet(1)
    flat_bar(sheet, Key(Scale(0, 2.0), "rdbu"), 100, 20, 112)
    assert tuple(sheet.picture()[24, 100]) == (247, 247, 247)
    assert tuple(sheet.picture()[24, 211]) == tuple(table("rdbu")[255])


def test_limits_say_where_values_lie_beyond():
    assert Key(Scale(-1.9, 1.9, 0.01), "rdbu", signed=True).limits(2) == ("≤ −1.9", "≥ 1.9")
    assert Key(Scale(0, 1.9, 0.01), "ink").limits(2) == ("0", "≥ 1.9")
    assert Key(Scale(0, 0.443), "inferno").limits(3) == ("0", "0.443")


def test_limits_lose_a_figure_before_they_wrap():
    letters, signed = Lettering(2), Key(Scale(-0.0874, 0.0874, 0.01), "rdbu", signed=True)
    assert ends(letters, signed, 80) == (["≥ 0.0874"], ["≤ −0.0874"])
    assert ends(letters, signed, 53) == (["≥ 0.087"], ["≤ −0.087"])
    above, below = ends(letters, Key(Scale(-3.4e-4, 3.4e-4, 0.01), "rdbu", signed=True), 51)
    assert (above, below) == (["≥ 3.4e−4"], ["≤", "−3.4e−4"])
    assert all(letters.width(line, NOTE) <= 51 for line in above + below)


def test_a_bar_grows_to_hold_its_text():
    assert upright_bar(Sheet(1), Key(Scale(0, 2.0), "inferno", unit="logit"), 100, 20, 3, 53) == 42


def test_an_empty_scale_is_a_void_and_one_figure():
    sheet = Sheet(1)
    upright_bar(sheet, Key(Scale(0, 0), "inferno", unit="logit"), 100, 20, 80, 53)
    picture = sheet.picture()
    assert (picture[20:100, 100:110] == PAPERS["white"].void).all()
    assert (picture[20:85, 114:180] == 255).all()  # neither limit nor unit at the top
    assert picture[88:102, 114:124].min() < 100
