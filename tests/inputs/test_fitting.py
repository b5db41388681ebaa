"""Fitting: the photograph's way into the network, and the way of a map back onto the photograph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasviz.errors import ImageError, SettingError
from kerasviz.inputs import fitting
from kerasviz.inputs.fitting import FILL, WAYS, Fit, fit

SIZES = [((60, 60), (24, 24)), ((90, 50), (24, 24)), ((50, 90), (24, 24)), ((50, 90), (32, 20)), ((17, 23), (40, 56))]


def ramps(height, width):
    """A photograph that knows where it is: red is x, green is y."""
    photo = np.zeros((height, width, 3), np.uint8)
    photo[..., 0] = np.arange(width)
    photo[..., 1] = np.arange(height)[:, None]
    return photo


def slow_place(way, cells, size, centres=None):
    """Each drawn pixel by itself, in float64, straight from the definition."""
    height, width = size
    drawn = np.full(size, np.nan)
    x0, y0, x1, y1 = way.seen
    for row in range(height):
        for column in range(width):
            photo = ((row + 0.5) * way.photo_size[0] / height, (column + 0.5) * way.photo_size[1] / width)
            if not (y0 <= photo[0] <= y1 and x0 <= photo[1] <= x1):
                continue
            weight = np.ones((1, 1))
            for axis in (0, 1):
                inside = way.axes[axis].scale * photo[axis] + way.axes[axis].shift
                count = cells.shape[axis]
                if centres:
                    at = (inside - 0.5 - centres[axis][0]) / centres[axis][1]
                else:
                    at = inside * count / way.input_size[axis] - 0.5
                tent = np.maximum(0, 1 - np.abs(np.clip(at, 0, count - 1) - np.arange(count)))
                weight = weight * (tent[:, None] if axis == 0 else tent[None])
            drawn[row, column] = (weight * cells).sum()
    return drawn


# Into the network.


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("how", WAYS)
def test_shape_type_and_range(how, channels):
    photo = np.random.default_rng(0).integers(0, 256, (31, 47, 3), np.uint8)
    pixels, way = fit(photo, (16, 20), how, channels)
    assert pixels.shape == (16, 20, channels)
    assert pixels.dtype == np.float32
    assert 0 <= pixels.min() <= pixels.max() <= 255
    assert way == Fit((31, 47), (16, 20), how)


@pytest.mark.parametrize("how", WAYS)
def test_a_photograph_of_the_right_size_is_taken_as_it_is(how):
    photo = ramps(20, 30)
    np.testing.assert_array_equal(fit(photo, (20, 30), how)[0], photo)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("photo_size", "size"), SIZES)
def test_input_pixels_show_the_photograph_where_the_axes_say(photo_size, size, how):
    pixels, way = fit(ramps(*photo_size), size, how)
    for number, axis in enumerate(way.axes):
        inside = np.arange(axis.input_start, axis.input_start + axis.input_length)
        photo = (inside + 0.5 - axis.shift) / axis.scale - 0.5
        middle = [a.input_start + a.input_length // 2 for a in way.axes]
        shown = pixels[inside, middle[1], 1] if number == 0 else pixels[middle[0], inside, 0]
        first, last = axis.photo_start, axis.photo_start + axis.photo_length - 1
        # Where parts of pixels are averaged, their mean lies up to a quarter of an input pixel's share beside.
        atol = 2e-3 if axis.scale >= 1 else axis.scale / 4
        np.testing.assert_allclose(shown, np.clip(photo, first, last), atol=atol)


@pytest.mark.parametrize("size", [(10, 10), (24, 7), (41, 59), (3, 1)])
def test_shrinking_is_the_mean_of_the_area_exactly(size):
    photo = np.random.default_rng(0).integers(0, 256, (41, 59, 3), np.uint8)
    # Each pixel repeated h times, then means of H of them: the areas are whole, whatever H and h are.
    down = photo.astype(np.float64).repeat(size[0], axis=0).reshape(size[0], 41, 59, 3).mean(axis=1)
    across = down.repeat(size[1], axis=1).reshape(size[0], size[1], 59, 3).mean(axis=2)
    np.testing.assert_allclose(fit(photo, size)[0], across, atol=1e-3)


def test_shrinking_does_not_alias():
    photo = np.zeros((4, 6, 3), np.uint8)
    photo[::2, ::2] = 200  # one bright pixel in each 2 x 2: an alias would be all or nothing
    np.testing.assert_allclose(fit(photo, (2, 3))[0], 50)


def test_an_axis_that_grows_leaves_the_other_one_averaged():
    photo = np.zeros((8, 4, 3), np.uint8)
    photo[::2] = 200
    pixels, _ = fit(photo, (2, 16))
    np.testing.assert_allclose(pixels, 100, atol=1e-4)


def test_enlarging_is_linear_between_the_centres_of_pixels():
    photo = np.zeros((1, 2, 3), np.uint8)
    photo[0, 1] = 200
    np.testing.assert_allclose(fit(photo, (1, 8))[0][0, :, 0], [0, 0, 25, 75, 125, 175, 200, 200], atol=1e-4)


def test_strips_of_a_large_photograph_leave_no_seam(monkeypatch):
    photo = np.random.default_rng(1).integers(0, 256, (61, 40, 3), np.uint8)
    whole = fit(photo, (13, 17))[0]
    monkeypatch.setattr(fitting, "STRIP", 7 * 40 * 3)
    np.testing.assert_array_equal(fit(photo, (13, 17))[0], whole)


def test_grey_is_rec_601_and_grey_stays_what_it_was():
    photo = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [77, 77, 77]]], np.uint8)
    grey = fit(photo, (1, 4), channels=1)[0][0, :, 0]
    np.testing.assert_allclose(grey[:3], [76.245, 149.685, 29.07], rtol=1e-6)
    assert grey[3] == 77


def test_crop_takes_the_centre_and_pad_adds_grey_beside():
    photo = ramps(10, 30)
    pixels, way = fit(photo, (10, 10), "crop")
    np.testing.assert_array_equal(pixels, photo[:, 10:20])
    assert way.seen == (10, 0, 20, 10)
    pixels, way = fit(photo, (30, 30), "pad")
    np.testing.assert_array_equal(pixels[10:20], photo)
    assert np.unique(pixels[:10]) == np.unique(pixels[20:]) == FILL
    assert way.seen == (0, 0, 30, 10)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("photo_size", [(1, 1), (1, 400), (400, 1), (3, 100)])
def test_the_narrowest_photographs_fit(photo_size, how):
    pixels, way = fit(np.full((*photo_size, 3), 9, np.uint8), (8, 12), how)
    assert pixels.shape == (8, 12, 3)
    placed = way.place(np.ones((2, 3)))
    assert placed.shape == photo_size
    assert np.nanmin(placed) == np.nanmax(placed) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"how": "padd"}, SettingError, r"squash, crop, pad, found 'padd'\. Did you mean 'pad'"),
        ({"channels": 5}, SettingError, r"1, 3 or 4 colour channels .* found 5\. Give arrays"),
        ({"size": (0, 8)}, SettingError, "1 or more, found 0x8"),
        ({"pixels": np.zeros((4, 4, 3), np.float32)}, ImageError, r"uint8 \(H, W, 3\), found float32 \(4, 4, 3\)"),
        ({"pixels": np.zeros((0, 4, 3), np.uint8)}, ImageError, r"found uint8 \(0, 4, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        fit(**{"pixels": np.zeros((4, 4, 3), np.uint8), "size": (8, 8), **arguments})


# And back.


def test_the_stretch_is_half_pixel_bilinear():
    rows = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    cells = np.array([[1.0, -2.0], [3.0, 7.0]])
    np.testing.assert_array_equal(Fit((4, 4), (4, 4)).place(cells), rows @ cells @ rows.T)


def test_a_map_as_fine_as_the_drawing_is_unchanged():
    cells = np.random.default_rng(0).normal(size=(7, 9)).astype(np.float32)
    np.testing.assert_allclose(Fit((70, 90), (14, 18)).place(cells, (7, 9)), cells, atol=1e-6)
    placed = Fit((70, 90), (14, 18)).place(cells)
    assert placed.dtype == np.float32
    assert placed.shape == (70, 90)


@pytest.mark.parametrize("centres", [None, ((3.0, 8.0), (-1.0, 5.5))])
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("photo_size", "size"), SIZES)
def test_place_equals_its_slow_twin(photo_size, size, how, centres):
    cells = np.random.default_rng(0).normal(size=(4, 3))
    way = Fit(photo_size, size, how)
    for drawing in (photo_size, (39, 28)):
        np.testing.assert_allclose(
            way.place(cells, drawing, centres=centres), slow_place(way, cells, drawing, centres), atol=2e-6
        )


@settings(max_examples=60, deadline=None)
@given(*[st.integers(2, 200)] * 2, *[st.integers(2, 64)] * 2, st.sampled_from(WAYS))
def test_a_map_that_says_where_it_is_lies_there_on_the_photograph(height, width, h, w, how):
    """The map is the input's own x; on the photograph it must be the x that the axis gives."""
    way = Fit((height, width), (h, w), how)
    across = np.tile(np.arange(w, dtype=np.float32), (h, 1))
    placed = way.place(across)
    axis = way.axes[1]
    expected = np.clip(axis.scale * (np.arange(width) + 0.5) + axis.shift - 0.5, 0, w - 1)
    x0, _, x1, _ = map(int, way.seen)
    reach = max(axis.scale, 1)  # where pixels are averaged the ends lean inwards by half of what they cover
    assert np.nanmax(np.abs(placed[:, x0:x1] - expected[x0:x1])) <= (1e-4 if axis.scale <= 1 else reach / 2)
    assert np.isnan(placed[:, :x0]).all()
    assert np.isnan(placed[:, x1:]).all()


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("photo_size", "size"), SIZES)
@pytest.mark.parametrize("place", [(0.3, 0.4), (0.5, 0.5), (0.6, 0.55)])
def test_a_blob_comes_back_to_where_it_was_painted(photo_size, size, how, place):
    """Paint it in the photograph, fit, see it in the input's own pixels, place: the maximum lies on the paint."""
    height, width = photo_size
    way = Fit(photo_size, size, how)
    x0, y0, x1, y1 = way.seen
    y, x = int(y0 + place[0] * (y1 - y0)), int(x0 + place[1] * (x1 - x0))
    radius = max(2, round(1.5 / min(axis.scale for axis in way.axes)))
    rows, columns = np.ogrid[:height, :width]
    photo = np.zeros((height, width, 3), np.uint8)
    photo[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = 255
    pixels, way = fit(photo, size, how, channels=1)
    seen = pixels[..., 0] * (pixels[..., 0] != FILL)
    placed = way.place(seen)
    bright = np.argwhere(placed >= np.nanmax(placed) - 1e-3)
    np.testing.assert_allclose(bright.mean(axis=0), (y, x), atol=1 / min(axis.scale for axis in way.axes) / 2 + 1)
    assert photo[tuple(np.argwhere(placed == np.nanmax(placed))[0])].all()


def test_a_map_finer_than_the_drawing_is_averaged_not_sampled():
    checkers = (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)
    for nearest in (False, True):
        placed = Fit((64, 64), (64, 64)).place(checkers, (16, 8), nearest=nearest)
        np.testing.assert_allclose(placed, 0.5, atol=1e-6)


def test_averages_over_parts_of_cells_are_weighed():
    # Three cells on two pixels: each pixel covers one and a half.
    placed = Fit((1, 3), (1, 3)).place(np.array([[1.0, 5.0, 9.0]]), (1, 2))
    np.testing.assert_allclose(placed, [[(1 + 2.5) / 1.5, (2.5 + 9) / 1.5]], rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_a_constant_map_stays_constant_and_nothing_overshoots(gh, gw, height, width, nearest):
    way = Fit((30, 50), (24, 24))
    np.testing.assert_allclose(way.place(np.full((gh, gw), 3.25), (height, width), nearest=nearest), 3.25, rtol=1e-6)
    cells = np.random.default_rng(gh * 41 + gw).normal(size=(gh, gw))
    placed = way.place(cells, (height, width), nearest=nearest)
    assert cells.min() - 1e-5 <= placed.min() <= placed.max() <= cells.max() + 1e-5


def test_averaging_keeps_the_mean():
    cells = np.random.default_rng(2).normal(size=(48, 60))
    assert Fit((480, 600), (48, 60)).place(cells, (11, 13)).mean() == pytest.approx(cells.mean(), abs=1e-6)


def test_nearest_shows_cells_as_rectangles():
    cells = np.array([[1.0, 2.0], [3.0, 4.0]])
    expected = np.repeat(np.repeat(cells, 3, axis=0), 5, axis=1)
    np.testing.assert_array_equal(Fit((6, 10), (8, 8)).place(cells, nearest=True), expected)


def test_outside_the_crop_nothing_is_claimed():
    placed = Fit((10, 30), (10, 10), "crop").place(np.ones((2, 2)), (5, 15))
    np.testing.assert_array_equal(np.isnan(placed[0]), [True] * 5 + [False] * 5 + [True] * 5)


def test_of_a_padded_input_only_the_photograph_is_drawn():
    # 30 x 30 input, the photograph in rows 10..19: of six rows of cells the middle two are drawn.
    cells = np.repeat(np.array([9.0, 9, 1, 2, 9, 9])[:, None], 2, axis=1)
    placed = Fit((10, 30), (30, 30), "pad").place(cells, nearest=True)
    np.testing.assert_array_equal(placed[:, 0], [1] * 5 + [2] * 5)


def test_receptive_field_centres_equal_to_the_stretch_change_nothing():
    cells = np.random.default_rng(3).normal(size=(7, 7))
    way = Fit((300, 200), (224, 224))
    np.testing.assert_allclose(way.place(cells, centres=((15.5, 32), (15.5, 32))), way.place(cells), atol=1e-6)


def test_receptive_field_centres_move_the_map():
    # Cells at input pixels 31, 63, 95: the middle one's peak lies at 63, not at 47.5 where the stretch puts it.
    cells = np.zeros((3, 3))
    cells[1, 1] = 1
    placed = Fit((96, 96), (96, 96)).place(cells, centres=((31, 32), (31, 32)))
    assert np.unravel_index(placed.argmax(), placed.shape) == (63, 63)
    assert placed[63, 63] == 1
    np.testing.assert_allclose(placed[63, 31:64:8], [0, 0.25, 0.5, 0.75, 1], atol=1e-6)
