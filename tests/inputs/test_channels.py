"""Grey, RGB and RGBA: what a photograph is for networks of one, three and four channels."""

import numpy as np
import pytest
from PIL import Image

from kerasviz.inputs.fitting import FILL, WAYS, fit
from kerasviz.inputs.given import Frame, one, prepared
from kerasviz.inputs.reading import read_photo

OPAQUE = np.random.default_rng(1).integers(0, 256, (6, 8, 3)).astype("uint8")
CLEAR = np.dstack([OPAQUE, np.tile(np.uint8([0, 40, 128, 255]), (6, 2))])
RGBA = Frame((6, 8), 4)


def on_white(pixels: np.ndarray) -> np.ndarray:
    alpha = pixels[..., 3:] / 255
    return alpha * pixels[..., :3] + (1 - alpha) * 255


def test_a_file_keeps_its_alpha_beside_what_is_looked_at(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(CLEAR).save(path)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.rgba, CLEAR)
    np.testing.assert_allclose(photo.pixels, on_white(CLEAR), atol=1)
    assert photo.notes == ("transparency laid on white",)


@pytest.mark.parametrize("pixels", [OPAQUE, np.dstack([OPAQUE, np.full((6, 8), 255, np.uint8)])])
def test_a_file_without_transparency_has_none(tmp_path, pixels):
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    photo = read_photo(path)
    assert photo.rgba is None
    np.testing.assert_array_equal(photo.pixels, OPAQUE)
    np.testing.assert_array_equal(one(path, RGBA).pixels[..., 3], 255)


def test_a_turned_picture_has_its_alpha_turned(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(CLEAR).copy()).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").rgba, CLEAR)


def test_arrays_of_four_channels_are_as_files_are(tmp_path):
    Image.fromarray(CLEAR).save(tmp_path / "a.png")
    for frame in (RGBA, Frame((6, 8), 3), Frame((6, 8), 1), Frame((3, 4), 4)):
        array, file = one(CLEAR, frame), one(tmp_path / "a.png", frame)
        np.testing.assert_array_equal(array.pixels, file.pixels)
        np.testing.assert_array_equal(array.photo.pixels, file.photo.pixels)
    np.testing.assert_array_equal(one(CLEAR, RGBA).pixels, CLEAR)


def test_one_picture_of_four_channels_is_one(tmp_path):
    for frame in (RGBA, Frame((6, 8), 3)):
        assert [len(prepared(each, frame)[0]) for each in (CLEAR, [CLEAR, CLEAR], np.stack([CLEAR] * 3))] == [1, 2, 3]
    floats, single = prepared(CLEAR.astype("float32"), RGBA)
    assert single
    assert floats[0].photo is None


@pytest.mark.parametrize("how", WAYS)
def test_alpha_is_fitted_as_colours_are(how):
    pixels, _ = fit(CLEAR, (12, 12), how, channels=4)
    assert pixels.shape == (12, 12, 4)
    for channel in range(3):
        grey = np.repeat(CLEAR[..., channel : channel + 1], 3, -1)
        np.testing.assert_allclose(pixels[..., channel], fit(grey, (12, 12), how)[0][..., 0], atol=1e-4)
    if how == "pad":  # beside the photograph nothing shines through
        np.testing.assert_array_equal(pixels[0], np.broadcast_to([FILL, FILL, FILL, 255], (12, 4)))
