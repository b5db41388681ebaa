"""Reading: every kind of file becomes the same upright RGB, and every broken one a sentence."""

import hashlib
import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from kerasviz.errors import ImageError
from kerasviz.inputs.reading import read_image, read_photo

# 12 x 16, nowhere symmetric: red grows to the right, green downwards.
RGB = np.zeros((12, 16, 3), np.uint8)
RGB[..., 0] = np.arange(16) * 16
RGB[..., 1] = np.arange(12)[:, None] * 20
RGB[..., 2] = 90


def written(path, picture, **options):
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(path, **options)
    return str(path)


def test_pixels_path_and_hash_are_those_of_the_file(tmp_path):
    path = written(tmp_path / "a.png", RGB)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.pixels.dtype == np.uint8
    assert (photo.path, photo.notes) == (path, ())
    with open(path, "rb") as file:
        assert photo.sha256 == hashlib.sha256(file.read()).hexdigest()
    np.testing.assert_array_equal(read_image(path), RGB)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "tga"])
def test_lossless_formats_keep_every_pixel(tmp_path, suffix):
    np.testing.assert_array_equal(read_image(written(tmp_path / f"a.{suffix}", RGB)), RGB)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif", "jp2"])
def test_lossy_formats_come_near(tmp_path, suffix):
    codec = {"jp2": "jpg_2000"}.get(suffix, suffix)
    if not features.check(codec):
        pytest.skip(f"this Pillow was built without {codec}")
    found = read_image(written(tmp_path / f"a.{suffix}", RGB, quality=95)).astype(int)
    assert np.abs(found - RGB).mean() < 4


def test_content_decides_not_the_suffix(tmp_path):
    path = written(tmp_path / "a.jpg", RGB, format="PNG")
    np.testing.assert_array_equal(read_image(path), RGB)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_upright(tmp_path, suffix, orientation):
    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow was built without avif")
    stored = {  # what a camera that was held so would store
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: np.rot90(RGB, 1),
        7: RGB[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(RGB, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path / f"a.{suffix}", np.ascontiguousarray(stored), exif=exif, quality=95)
    found = read_image(path)
    assert found.shape == RGB.shape
    assert np.abs(found.astype(int) - RGB).mean() < 6


def test_transparency_shows_white_and_says_so(tmp_path):
    rgba = np.dstack([np.full((2, 3, 3), 40, np.uint8), np.array([[0, 128, 255]] * 2, np.uint8)])
    photo = read_photo(written(tmp_path / "a.png", rgba))
    # 40 * 128/255 + 255 * 127/255 = 147.08
    np.testing.assert_allclose(photo.pixels[0, :, 0], [255, 147, 40], atol=1)
    assert photo.notes == ("transparency laid on white",)


def test_an_opaque_alpha_channel_is_not_worth_a_note(tmp_path):
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    photo = read_photo(written(tmp_path / "a.png", rgba))
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.notes == ()


def test_a_transparent_palette_shows_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    photo = read_photo(written(tmp_path / "a.gif", image, transparency=0))
    np.testing.assert_array_equal(photo.pixels[0], [[255, 255, 255], [200, 100, 50]])


def test_grey_two_colours_and_palettes_become_rgb(tmp_path):
    grey = RGB[..., 0]
    np.testing.assert_array_equal(read_image(written(tmp_path / "l.png", grey)), np.dstack([grey] * 3))
    bits = grey > 100
    np.testing.assert_array_equal(read_image(written(tmp_path / "1.png", bits))[..., 1], bits * 255)
    few = Image.fromarray(np.repeat(RGB[:, :1], 4, axis=1))
    path = written(tmp_path / "p.png", few.quantize(16))
    np.testing.assert_array_equal(read_image(path), np.asarray(few))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, suffix):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(3, axis=0)
    photo = read_photo(written(tmp_path / f"a.{suffix}", ramp))
    np.testing.assert_array_equal(photo.pixels[0, :, 0], np.arange(256))
    assert photo.notes == ("grey values scaled from 0..65535",)


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        ([[0.0, 0.5, 1.0]], [0, 128, 255], "grey values scaled from 0..1"),
        ([[0.0, 100.0, 255.0]], [0, 100, 255], "grey values scaled from 0..255"),
        ([[-2.0, 0.0, 2.0]], [0, 128, 255], "grey values stretched from -2..2"),
        ([[-3.0, -3.0, -3.0]], [0, 0, 0], "grey values stretched from -3..-3"),
        ([[0.0, np.nan, 1.0]], [0, 0, 255], "values that were no numbers made black"),
    ],
)
def test_floats_are_scaled_and_it_is_said_how(tmp_path, values, expected, note):
    photo = read_photo(written(tmp_path / "a.tiff", np.array(values, np.float32)))
    np.testing.assert_array_equal(photo.pixels[0, :, 0], expected)
    assert note in photo.notes


def test_integers_of_32_bits_beyond_16_are_stretched(tmp_path):
    values = np.array([[0, 50_000, 100_000]], np.int32)
    photo = read_photo(written(tmp_path / "a.tiff", values))
    np.testing.assert_array_equal(photo.pixels[0, :, 0], [0, 128, 255])
    assert photo.notes == ("grey values stretched from 0..100000",)


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    photo = read_photo(written(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:]))
    np.testing.assert_array_equal(photo.pixels[0, 0], [255, 0, 0])
    assert photo.notes == ("the first of several frames",)


def test_a_cmyk_jpeg_has_its_colours_the_right_way_round(tmp_path):
    path = written(tmp_path / "a.jpg", Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK"), quality=95)
    red, green, blue = read_image(path)[8, 8].astype(int)
    assert red > 230
    assert max(green, blue) < 30


def test_lab_is_understood(tmp_path):
    lab = ImageCms.profileToProfile(
        Image.fromarray(RGB), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert np.abs(read_image(written(tmp_path / "a.tiff", lab)).astype(int) - RGB).mean() < 2


def swapped_profile():
    """sRGB's profile with the red and the blue primary exchanged: a colour space of its own, easy to predict."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for kind in (b"desc", b"rXYZ", b"bXYZ"):
        assert kind in profile[128:]
    count = struct.unpack(">I", profile[128:132])[0]
    tags = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    profile[tags[b"rXYZ"] : tags[b"rXYZ"] + 4], profile[tags[b"bXYZ"] : tags[b"bXYZ"] + 4] = b"bXYZ", b"rXYZ"
    start, length = struct.unpack(">II", profile[tags[b"desc"] + 4 : tags[b"desc"] + 12])
    text = profile[start : start + length]
    text = text.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")).replace(b"sRGB", b"swap")
    profile[start : start + length] = text
    return bytes(profile)


def test_an_embedded_profile_is_converted_to_srgb(tmp_path):
    path = written(tmp_path / "a.png", RGB, icc_profile=swapped_profile())
    photo = read_photo(path)
    assert np.abs(photo.pixels.astype(int) - RGB[..., ::-1]).max() <= 2
    assert "converted from the embedded profile 'swap" in photo.notes[0]


def test_an_embedded_srgb_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(written(tmp_path / "a.png", RGB, icc_profile=profile))
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.notes == ()


def test_a_profile_that_is_srgb_by_another_name_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16-be"), "c2ci".encode("utf-16-be"))
    assert renamed != profile
    photo = read_photo(written(tmp_path / "a.png", RGB, icc_profile=renamed))
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.notes == ()


def test_a_grey_picture_with_a_profile_for_colours_is_read_without_it(tmp_path):
    photo = read_photo(written(tmp_path / "a.png", RGB[..., 0], icc_profile=swapped_profile()))
    np.testing.assert_array_equal(photo.pixels[..., 2], RGB[..., 0])
    assert photo.notes == ("the embedded colour profile could not be used",)


@pytest.mark.parametrize("profile", [b"nonsense", swapped_profile()[:200]])
def test_a_broken_profile_costs_only_a_note(tmp_path, profile, capfd):
    photo = read_photo(written(tmp_path / "a.png", RGB, icc_profile=profile))
    np.testing.assert_array_equal(photo.pixels, RGB)
    assert photo.notes == ("the embedded colour profile could not be used",)
    assert capfd.readouterr().err == ""


# What is refused.


def noise(size=(64, 64)):
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tiff", "avif", "gif"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(tmp_path, suffix, share):
    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow was built without avif")
    path = tmp_path / f"a.{suffix}"
    written(path, noise())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ImageError, match=r"^Expected a (whole )?picture"):
        read_photo(path)


def bomb(width, height):
    """A PNG of a few kilobytes that says it is huge."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height", "found"), [(30_000, 30_000, "900"), (14_000, 13_000, "182")])
def test_a_bomb_is_refused_by_its_header(tmp_path, width, height, found):
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(width, height))
    with pytest.raises(ImageError, match=f"at most 179 megapixels in .*bomb.png', found one of {found}, which was not"):
        read_photo(path)


def test_the_limit_is_the_callers_and_no_warning_escapes(tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(bomb(10_000, 10_000))  # above the 89 megapixels where Pillow warns
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(ImageError, match="truncated or damaged"):
            read_photo(path)
        with pytest.raises(ImageError, match="at most 50 megapixels"):
            read_photo(path, max_pixels=50_000_000)
    assert seen == []


def test_a_file_too_large_for_its_limit_is_not_even_read(tmp_path):
    path = written(tmp_path / "a.bmp", noise())
    with pytest.raises(ImageError, match="found a file of"):
        read_photo(path, max_pixels=100)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.png", b"", "found an empty file"),
        ("text.jpg", b"hello, world", "found text"),
        ("page.jpg", b"%PDF-1.7\n\xff", "found a PDF"),
        ("weights.png", b"\x89HDF\r\n\x1a\n" + bytes(99), "found an HDF5 file"),
        ("noise.png", bytes(range(256)), "found something else"),
        ("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "found text"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=f"Expected a picture in .*{name}', {sentence}"):
        read_photo(tmp_path / name)


def test_heic_names_the_package_that_reads_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)  # as where it is not installed
    path = tmp_path / "phone.heic"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(50))
    with pytest.raises(ImageError, match=r"found HEIC in .*'pip install pillow-heif'"):
        read_photo(path)


def test_a_missing_file_comes_with_near_names(tmp_path):
    written(tmp_path / "photo.jpg", RGB)
    with pytest.raises(ImageError, match=r"There is no picture .*Did you mean 'photo.jpg'\? Check the path"):
        read_photo(tmp_path / "foto.jpg")


def test_folders_pipes_and_impossible_names_are_refused(tmp_path):
    with pytest.raises(ImageError, match="found the folder"):
        read_photo(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        read_photo("a\0b.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(ImageError, match="found a pipe or device"):
            read_photo(tmp_path / "pipe.png")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(tmp_path):
    path = written(tmp_path / "a.png", RGB)
    os.chmod(path, 0)
    with pytest.raises(ImageError, match=r"cannot be read .*permissions"):
        read_photo(path)


def test_damage_anywhere_is_an_image_error_or_a_picture(tmp_path):
    """Decoders raise nearly anything: whatever is broken, nothing but ImageError comes out."""
    random = np.random.default_rng(0)
    refused = 0
    for suffix in ("png", "jpg", "tiff", "gif", "webp"):
        buffer = io.BytesIO()
        Image.fromarray(noise((24, 24))).save(buffer, suffix.replace("jpg", "jpeg"))
        for turn in range(30):
            data = bytearray(buffer.getvalue())
            for place in random.integers(0, min(len(data), 400), 4):
                data[place] = random.integers(256)
            path = tmp_path / f"{turn}.{suffix}"
            path.write_bytes(data)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    assert read_image(path).shape[2] == 3
            except ImageError:
                refused += 1
    assert refused > 30


def test_threads_read_the_same_as_one(tmp_path):
    paths = [written(tmp_path / f"{i}.jpg", noise((40, 50 + i))) for i in range(12)]
    alone = [read_image(path) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        for expected, found in zip(alone * 4, pool.map(read_image, paths * 4), strict=True):
            np.testing.assert_array_equal(found, expected)
