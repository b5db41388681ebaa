"""Colour tables: the published ones, and white at 0."""

import cv2
import numpy as np
import pytest

from kerasviz.errors import SettingError
from kerasviz.pictures.colormaps import FROM_OPENCV, NAMES, colour, share_of, table
from kerasviz.pictures.papers import PAPERS


@pytest.mark.parametrize("name", FROM_OPENCV)
def test_tables_are_opencvs_in_rgb_order(name):
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8), getattr(cv2, f"COLORMAP_{name.upper()}")).reshape(256, 3)
    np.testing.assert_array_equal(table(name), bgr[:, ::-1])


def test_inferno_is_black_then_red_then_pale_yellow():
    first, middle, last = table("inferno")[[0, 128, 255]].astype(int)
    assert first.max() < 8
    assert middle[0] > middle[2] > middle[1]
    assert last[0] > 240
    assert last[1] > 250


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_256_colours_that_nobody_can_change(name):
    assert table(name).shape == (256, 3)
    assert table(name).dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        table(name)[0] = 7


def test_ink_goes_from_paper_to_20_and_grey_from_black_to_white():
    assert table("ink")[0].tolist() == [255] * 3
    assert table("ink")[255].tolist() == [20] * 3
    np.testing.assert_array_equal(table("grey")[:, 1], np.arange(256))


def test_rdbu_has_its_stops_and_a_neutral_middle():
    assert table("rdbu")[0].tolist() == [0x05, 0x30, 0x61]
    assert table("rdbu")[255].tolist() == [0x67, 0x00, 0x1F]
    assert table("rdbu")[[127, 128]].tolist() == [[0xF7] * 3] * 2


def test_zero_is_neutral_in_rdbu_signed_or_not():
    for signed in (True, False):
        assert colour(np.zeros((1, 1)), 2.0, "rdbu", signed=signed).tolist() == [[[0xF7] * 3]]


def test_red_supports_and_blue_opposes_and_both_darken_from_zero():
    opposes, supports = colour(np.array([[-1.0, 1.0]]), 2.0, "rdbu", signed=True)[0].astype(int)
    assert supports[0] > supports[2]
    assert opposes[2] > opposes[0]
    values = np.linspace(-2, 2, 255)[None]
    brightness = colour(values, 2.0, "rdbu", signed=True)[0].sum(axis=1, dtype=int)
    assert (np.diff(brightness)[:127] >= 0).all()
    assert (np.diff(brightness)[127:] <= 0).all()


def test_shares_of_the_limit_find_their_rows():
    values = np.array([[-1.0, 0.0, 1.0, 2.0, 4.0, 9.0]])
    np.testing.assert_array_equal(colour(values, 4.0, "grey", signed=False)[0, :, 0], [0, 0, 64, 128, 255, 255])


def test_nan_is_void_and_an_empty_scale_is_all_nothing():
    picture = colour(np.array([[np.nan, 3.0]]), 0.0, "inferno", signed=False, background="black")
    assert tuple(picture[0, 0]) == PAPERS["black"].void
    assert picture[0, 1].tolist() == table("inferno")[0].tolist()


def test_shares_survive_the_smallest_limits_and_infinite_values():
    shares = share_of(np.array([0, 1e-40, np.inf, -np.inf, np.nan]), 1e-42)
    np.testing.assert_array_equal(shares, [0, 1, 1, -1, np.nan])


def test_an_unknown_name_brings_near_ones():
    with pytest.raises(SettingError, match=r"no colour map 'virids'\. Did you mean 'viridis'"):
        table("virids")
    with pytest.raises(SettingError, match="white or black, found 'pink'"):
        colour(np.zeros((1, 1)), 1.0, "grey", signed=False, background="pink")
