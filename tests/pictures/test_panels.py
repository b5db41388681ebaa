"""Panels: every part in its place, and nothing cut, whatever the shape and the words."""

import numpy as np
import pytest

from kerasviz.pictures.colormaps import table
from kerasviz.pictures.overlays import overlay
from kerasviz.pictures.panels import HEATMAP_X, OVERLAY_X, PHOTO_X, Facts, Map, colormap_of, fitted, panel, placed
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale

FACTS = Facts(title="zebra", facts="class 340", technique="Grad-CAM", caption="A caption.", small="Small print.")
TOP = 38 + 40  # of the pictures, in units, under a title of one line


def stretched(cells):
    """Both ways of placing, by nearest cell, over the whole photograph."""

    def place(size, nearest):
        rows = np.arange(size[0]) * cells.shape[0] // size[0]
        columns = np.arange(size[1]) * cells.shape[1] // size[1]
        return cells[rows][:, columns]

    return place


def a_map(cells, photo=None, **settings):
    cells = np.asarray(cells, np.float32)
    if photo is None:
        photo = np.random.default_rng(0).integers(0, 256, (76, 152, 3), np.uint8)
    return Map(photo=photo, cells=cells, **{"place": stretched(cells), **settings})


def wave(height=4, width=8):
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


def cut(picture, x, wide, high):
    return picture[TOP : TOP + high, x : x + wide]


def test_the_three_columns_are_photograph_heatmap_and_overlay():
    map = a_map(wave())
    picture, photo = panel(map, FACTS, scale=1), fitted(map.photo, 304, 380)
    np.testing.assert_array_equal(cut(picture, PHOTO_X, 304, 152), photo)
    rows = np.rint(np.kron(wave(), np.ones((38, 38))) * 255).astype(int)
    np.testing.assert_array_equal(cut(picture, HEATMAP_X, 304, 152), table("inferno")[rows])
    over = overlay(photo, map.place((152, 304), False), Scale(0, 1))
    np.testing.assert_array_equal(cut(picture, OVERLAY_X, 304, 152), over)


def test_another_background_and_scale_keep_the_data():
    white, black = (panel(a_map(wave()), FACTS, scale=2, background=paper) for paper in ("white", "black"))
    assert white.shape == black.shape
    assert white.shape[1] == 2100
    area = (slice(2 * TOP, 2 * TOP + 304), slice(2 * HEATMAP_X, 2 * HEATMAP_X + 608))
    np.testing.assert_array_equal(white[area], black[area])
    assert tuple(black[0, 0]) == PAPERS["black"].paper


def test_what_the_network_never_saw_is_void_beside_and_ground_over_the_photograph():
    def left_half(size, nearest):
        values = np.ones(size, np.float32)
        values[:, : size[1] // 2] = 0.5
        values[:, size[1] // 2 :] = np.nan
        return values

    map = a_map([[0.5, 1.0]], place=left_half)
    picture = panel(map, FACTS, scale=1)
    assert (cut(picture, HEATMAP_X + 152, 152, 152) == PAPERS["white"].void).all()
    ground = overlay(fitted(map.photo, 304, 380), np.zeros((152, 304), np.float32), Scale(0, 0))
    np.testing.assert_array_equal(cut(picture, OVERLAY_X + 152, 152, 152), ground[:, 152:])


def test_a_map_of_zeros_draws_no_colour():
    map = a_map(np.zeros((7, 7)))
    picture = panel(map, Facts(title="panda", message="Nothing speaks for it."), scale=1)
    corner = cut(picture, HEATMAP_X, 18, 152)
    assert (corner == PAPERS["white"].void).all()
    ground = overlay(fitted(map.photo, 304, 380), np.zeros((152, 304), np.float32), Scale(0, 0))
    np.testing.assert_array_equal(cut(picture, OVERLAY_X, 304, 152), ground)


@pytest.mark.parametrize("cells", [np.full((3, 3), 2.5), [[4.0]], np.full((2, 2), np.nan), [[-1.0, -2.0]]])
def test_a_map_that_tells_nothing_is_void_whatever_its_value(cells):
    assert (cut(panel(a_map(cells), FACTS, scale=1), HEATMAP_X, 18, 152) == PAPERS["white"].void).all()


def test_a_failure_needs_no_map_and_says_so_in_red():
    facts = Facts(title="Failed", message="No heatmap: the network answers NaN.", failed=True)
    picture = panel(a_map(np.zeros((0, 0))), facts, scale=1)
    void = cut(picture, HEATMAP_X, 1026 - HEATMAP_X, 152)
    colours = np.unique(void.reshape(-1, 3), axis=0).tolist()
    assert list(PAPERS["white"].void) in colours
    assert list(PAPERS["white"].bad) in colours


def test_a_shared_scale_is_obeyed():
    picture = panel(a_map(wave()), FACTS, scale=1, limits=Scale(0, 2.0, 0.0, "given"))
    assert tuple(cut(picture, HEATMAP_X, 304, 152)[-1, -1]) == tuple(table("inferno")[128])


def test_tiny_photographs_are_enlarged_by_whole_pixels():
    digit = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    np.testing.assert_array_equal(fitted(digit, 304, 380), np.kron(digit, np.ones((38, 38, 1), np.uint8)))
    picture = panel(a_map(wave(), photo=digit), FACTS, scale=1)
    np.testing.assert_array_equal(cut(picture, PHOTO_X, 304, 304)[::38, ::38], digit)


@pytest.mark.parametrize(("shape", "size"), [((600, 100), (380, 63)), ((100, 600), (51, 304)), ((3, 2000), (1, 304))])
def test_long_photographs_keep_their_shape(shape, size):
    photo = np.zeros((*shape, 3), np.uint8)
    assert fitted(photo, 304, 380).shape[:2] == size
    assert (panel(a_map(wave(), photo=photo), FACTS, scale=1)[:, -10:] == 255).all()


def test_no_cell_is_skipped_where_cells_outnumber_pixels():
    cells = np.zeros((1, 1000), np.float32)
    cells[0, ::10] = 1
    values = placed(a_map(cells), (1, 100), nearest=True)
    np.testing.assert_allclose(values, np.full((1, 100), 0.1), atol=0.02)


@pytest.mark.parametrize(
    ("cells", "settings", "background", "name"),
    [
        (np.ones((7, 7)), {}, "white", "inferno"),
        (np.ones((33, 32)), {}, "white", "ink"),
        (np.ones((33, 32)), {}, "black", "grey"),
        (np.ones((33, 32)), {"signed": True}, "white", "rdbu"),
        (np.ones((33, 32)), {"colormap": "viridis"}, "white", "viridis"),
    ],
)
def test_colours_suit_the_kind_of_map(cells, settings, background, name):
    assert colormap_of(a_map(cells, **settings), background) == name


def test_ink_is_for_paper_and_the_overlay_has_colours_and_a_bar_of_its_own():
    picture = panel(a_map(wave(80, 80), alone=True), FACTS, scale=1)
    assert np.ptp(cut(picture, HEATMAP_X, 304, 152).astype(int), axis=-1).max() == 0
    bar = picture[TOP + 152 + 6 + 4, OVERLAY_X : OVERLAY_X + 304]
    np.testing.assert_array_equal(bar[[0, -1]], table("inferno")[[0, 255]])


LONG = "great grey owl, a bird that somebody gave a name without an end, "


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("text", [LONG * 6, "W" * 900, "x_" * 400, "猫" * 300])
@pytest.mark.parametrize("cells", [wave() * 1e-5, wave(40, 40) - 0.5, np.zeros((2, 2))])
def test_no_word_leaves_the_paper(cells, text, scale):
    facts = Facts(title=text, facts=text, technique=text, caption=text, small=text, message=text)
    map = a_map(cells, signed=bool(cells.min() < 0), unit=text, placement=text)
    for picture in (panel(map, facts, scale=scale), panel(map, Facts(**{**vars(facts), "failed": True}), scale=scale)):
        margins = picture[:, : 10 * scale], picture[:, -10 * scale :], picture[: 10 * scale], picture[-10 * scale :]
        assert all((margin == 255).all() for margin in margins)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("unit", ["logit", "probability", "logit per grey level"])
def test_the_bars_text_keeps_clear_of_the_overlay(unit, scale):
    map = a_map((wave(40, 40) - 0.5) * 6.3e-4, signed=True, unit=unit, alone=True)
    picture = panel(map, FACTS, scale=scale)
    between = picture[TOP * scale : (TOP + 152) * scale, (OVERLAY_X - 2) * scale : OVERLAY_X * scale]
    assert (between == 255).all()
