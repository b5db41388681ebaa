"""Grids: one scale, every map once, each as large as whole pixels allow."""

import numpy as np
import pytest

from kerasviz.errors import SettingError
from kerasviz.pictures.grids import cell_side, cell_size, each_page, grid_pages, ordered
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale

TOP, LEFT = 38 + 14, 24  # of the first cell, in units
STEP = 112 + (1002 - 8 * 112) / 7


def cell(page, k, size=(112, 112), pitch=136):
    """The pixels of the k-th place of a page at scale 1."""
    x, y = round(LEFT + k % 8 * STEP), TOP + k // 8 * pitch
    return page[y : y + size[0], x : x + size[1]]


def some_maps(count, height=7, width=7):
    return np.random.default_rng(0).random((height, width, count), np.float32)


def test_maps_stand_strongest_first_in_one_scale():
    maps = np.stack([np.full((2, 2), level) for level in (1.0, 4.0, 2.0)], axis=-1)
    (page,) = grid_pages(maps, title="layer", scale=1)
    assert [int(cell(page, k)[50, 50, 0]) for k in range(3)] == [255, 128, 64]
    (page,) = grid_pages(maps, title="layer", scale=1, order="index")
    assert [int(cell(page, k)[50, 50, 0]) for k in range(3)] == [64, 255, 128]


def test_strength_is_the_mean_or_of_signed_maps_the_mean_magnitude():
    maps = np.array([[[1.0, -5.0, np.nan, 0.0, 3.0]]], np.float32)
    assert ordered(maps, "strongest", signed=False).tolist() == [4, 0, 3, 1, 2]
    assert ordered(maps, "strongest", signed=True).tolist() == [1, 4, 0, 3, 2]
    assert ordered(maps, "highest", signed=True).tolist() == [4, 0, 3, 1, 2]


def test_cells_are_whole_multiples_of_small_maps():
    maps = some_maps(3)
    (page,) = grid_pages(maps, title="layer", scale=1, order="index")
    rows = np.rint(maps[..., 1] / maps.max() * 255)
    np.testing.assert_array_equal(cell(page, 1)[..., 0], np.kron(rows, np.ones((16, 16))))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((112, 112), (112, 112)),
        ((7, 7), (112, 112)),
        ((1, 1), (112, 112)),
        ((30, 112), (30, 112)),
        ((50, 20), (100, 40)),
        ((400, 300), (112, 84)),
        ((1, 1000), (1, 112)),
    ],
)
def test_maps_keep_their_shape(shape, size):
    assert cell_size(shape, 112) == size


def test_columns_share_the_width():
    assert [cell_side(n) for n in (1, 4, 5, 8, 16)] == [320, 240, 176, 112, 48]
    for columns in (1, 2, 3, 4, 5, 8, 12, 16):
        for page in grid_pages(some_maps(20), title="layer", scale=1, columns=columns):
            assert page.shape[1] == 1050
            assert (page[:, -20:] == 255).all()


def test_dead_maps_are_void():
    maps = some_maps(4)
    maps[..., 2] = 0
    (page,) = grid_pages(maps, title="layer", scale=1)
    assert (cell(page, 3) == PAPERS["white"].void).all()
    assert all(len(np.unique(cell(page, k))) > 9 for k in range(3))


def test_a_layer_of_zeros_and_one_of_nan_are_drawn():
    for value in (0.0, np.nan):
        (page,) = grid_pages(np.full((3, 3, 2), value), title="layer", scale=1)
        assert (cell(page, 1, (111, 111)) == PAPERS["white"].void).all()


def test_hundreds_of_maps_fill_pages_one_at_a_time():
    heights = [len(page) for page in each_page(some_maps(130), title="layer", scale=1)]
    assert heights == [pytest.approx(TOP + rows * 136, abs=60) for rows in (8, 8, 1)]
    assert len(grid_pages(some_maps(64), title="layer", scale=1)) == 1


def test_pages_of_many_are_told_apart():
    one = np.tile(some_maps(1), (1, 1, 16))
    first, second = grid_pages(one, title="layer", scale=1, per_page=8, names=["same"] * 16)
    assert (first[:46] != second[:46]).any()  # "1 to 8 of 16", "9 to 16 of 16"
    np.testing.assert_array_equal(first[52:], second[52:])


def test_signed_maps_are_blue_below_zero_and_white_at_it():
    maps = np.array([[-1.0, 0.0, 1.0]], np.float32)[..., None] * np.ones((3, 1, 1), np.float32)
    (page,) = grid_pages(maps, title="layer", scale=1)
    below, zero, above = cell(page, 0, (111, 111))[50, [18, 55, 92]].astype(int)
    assert below[2] > below[0]
    assert zero.tolist() == [247] * 3
    assert above[0] > above[2]


def test_a_given_scale_is_obeyed():
    (page,) = grid_pages(np.full((2, 2, 1), 1.0), title="layer", scale=1, limits=Scale(0, 2.0, 0.0, "given"))
    assert cell(page, 0)[9, 9].tolist() == [128] * 3


def test_names_wrap_below_their_maps_and_stay_apart():
    names = ["W" * 90, "a name of very many words that goes on and on and on", "tabby"]
    for scale in (1, 2):
        (page,) = grid_pages(some_maps(3), title="CAM", names=names, scale=scale, order="index", columns=4)
        gap = page[(TOP + 240) * scale : (TOP + 275) * scale, round((24 + 254 - 5) * scale) : (24 + 254) * scale]
        assert (gap == 255).all()
        assert (page[:, -10 * scale :] == 255).all()


def test_wrong_maps_names_and_orders_are_refused():
    with pytest.raises(ValueError, match=r"Maps \(h, w, K\) were expected, found shape \(7, 7\)"):
        grid_pages(np.ones((7, 7)), title="layer")
    with pytest.raises(ValueError, match="3 names were expected, found 1"):
        grid_pages(some_maps(3), title="layer", names=["a"])
    with pytest.raises(SettingError, match=r"strongest, highest, index, found 'indx'\. Did you mean 'index'"):
        grid_pages(some_maps(3), title="layer", order="indx")
