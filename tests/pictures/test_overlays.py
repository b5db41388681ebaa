"""Overlays, contours and heatmaps against the formulas, worked by hand."""

import numpy as np
import pytest

from kerasviz.pictures import overlays
from kerasviz.pictures.colormaps import table
from kerasviz.pictures.overlays import contour, heatmap_picture, overlay, resample
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale

UNIT, SIGNED, EMPTY = Scale(0.0, 1.0), Scale(-1.0, 1.0), Scale(0.0, 0.0)


def ground_of(photo):
    """25 % colour, 75 % grey of Rec. 601, in float64."""
    return 0.25 * photo + 0.75 * (photo @ np.array([0.299, 0.587, 0.114]))[..., None]


def random_photo(height=9, width=7):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_opacity_grows_with_the_root_of_the_share():
    photo = np.array([[[200, 100, 50], [10, 20, 30]]], np.uint8)
    for share, opacity in ((0.25, 0.325), (1.0, 0.65), (4.0, 0.65), (0.01, 0.065)):
        row = round(min(share, 1) * 255)
        expected = ground_of(photo) * (1 - opacity) + table("inferno")[row] * opacity
        picture = overlay(photo, np.full((1, 2), share * 3, np.float32), Scale(0, 3.0))
        assert np.abs(picture - expected).max() <= 0.51


def test_alpha_is_the_opacity_at_the_limit():
    photo, ones = random_photo(), np.ones((9, 7), np.float32)
    opaque = overlay(photo, ones, UNIT, alpha=1.0, colormap="viridis")
    np.testing.assert_array_equal(opaque, np.broadcast_to(table("viridis")[255], opaque.shape))
    clear = overlay(photo, ones, UNIT, alpha=0.0)
    np.testing.assert_allclose(clear, ground_of(photo), atol=0.51)


@pytest.mark.parametrize("scale", [EMPTY, UNIT])
def test_an_all_zero_map_leaves_the_grey_ground(scale):
    photo = random_photo()
    picture = overlay(photo, np.zeros((9, 7), np.float32), scale)
    np.testing.assert_allclose(picture, ground_of(photo), atol=0.501)


def test_a_red_patch_stays_red():
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    zero = np.zeros((4, 4), np.float32)
    grey = 0.75 * 0.299 * 255
    assert overlay(red, zero, UNIT)[0, 0].tolist() == [round(0.25 * 255 + grey), round(grey), round(grey)]
    assert contour(red, zero + 1, UNIT)[0, 0].tolist() == [255, 0, 0]


def test_what_was_never_seen_is_ground_alone():
    photo, placed = random_photo(), np.ones((9, 7), np.float32)
    placed[:, :3] = np.nan
    picture = overlay(photo, placed, UNIT)
    np.testing.assert_allclose(picture[:, :3], ground_of(photo)[:, :3], atol=0.501)
    assert np.abs(picture[:, 3:] - ground_of(photo)[:, 3:]).max() > 20


def test_signed_values_oppose_in_blue_and_unsigned_ones_not_at_all():
    photo, placed = np.full((1, 2, 3), 128, np.uint8), np.array([[-1.0, 1.0]], np.float32)
    opposes, supports = overlay(photo, placed, SIGNED, colormap="rdbu", signed=True)[0].astype(int)
    assert opposes[2] > opposes[0] + 30
    assert supports[0] > supports[2] + 30
    assert overlay(photo, placed, UNIT)[0, 0].tolist() == [128] * 3


@pytest.mark.parametrize("draw", [overlay, contour])
def test_a_photograph_in_bands_is_the_photograph_in_one(draw, monkeypatch):
    photo, placed = random_photo(23, 11), np.random.default_rng(1).random((23, 11), np.float32)
    whole = draw(photo, placed, UNIT)
    monkeypatch.setattr(overlays, "BAND", 30)
    np.testing.assert_array_equal(draw(photo, placed, UNIT), whole)


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"found \(9, 7, 3\) and \(7, 9\). Place the map"):
        overlay(random_photo(), np.zeros((7, 9), np.float32), UNIT)


def test_contour_is_the_photograph_inside_and_dim_grey_outside():
    photo, placed = np.full((40, 40, 3), (90, 160, 30), np.uint8), np.zeros((40, 40), np.float32)
    placed[:, 20:] = 1
    picture = contour(photo, placed, UNIT, width=4)
    grey = 0.5 * (0.299 * 90 + 0.587 * 160 + 0.114 * 30) + 40
    np.testing.assert_allclose(picture[:, :12], grey, atol=0.51)
    np.testing.assert_array_equal(picture[:, 28:], photo[:, 28:])  # and no line along the edge
    assert (picture[10:30, 18:22] == 255).all(axis=-1).any()
    assert (picture[10:30, 12:28] == 20).all(axis=-1).any()


def test_contour_fades_with_the_square_of_the_share():
    photo = np.full((1, 1, 3), 200, np.uint8)
    picture = contour(photo, np.full((1, 1), 0.25, np.float32), UNIT)
    assert picture[0, 0, 0] == round(140 + (200 - 140) * 0.25)


def test_cells_are_enlarged_as_they_are():
    cells = np.array([[0.0, 1.0], [0.5, np.nan]], np.float32)
    picture = heatmap_picture(cells, (4, 6), UNIT, colormap="grey")
    np.testing.assert_array_equal(picture[..., 0], np.kron([[0, 255], [128, 242]], np.ones((2, 3))))
    assert tuple(picture[3, 5]) == PAPERS["white"].void


def test_more_cells_than_pixels_are_averaged():
    values = np.arange(48, dtype=np.float32).reshape(6, 8)
    blocks = values.reshape(3, 2, 2, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(resample(values, (3, 2)), blocks, rtol=1e-6)


def test_one_axis_may_shrink_while_the_other_grows():
    values = np.array([[1.0, 3.0, 5.0, 7.0]], np.float32)
    np.testing.assert_allclose(resample(values, (3, 2)), [[2, 6]] * 3)


def test_a_mean_leaves_out_what_was_never_seen():
    values = np.array([[1.0, np.nan, np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(resample(values, (1, 2)), [[1.0, np.nan]])
