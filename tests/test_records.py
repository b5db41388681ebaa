"""Records: names that stay where they belong, files that are whole, and pictures that say how to make them again."""

import io
import json
import os
import shlex
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from kerasviz.errors import ImageError, OutputError, SettingError
from kerasviz.records import (
    append_line,
    as_json,
    clean,
    command_of,
    file_name,
    png_bytes,
    read_recipe,
    writable_folder,
    write_whole,
)

PICTURE = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


# Names.


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("tabby", "tabby"),
        ("281-285", "281-285"),
        ("tabby - tiger cat", "tabby---tiger-cat"),
        ("block5_conv3:17@4,9", "block5_conv3-17@4,9"),
        ("p(tabby)", "p-tabby-"),
        ("conv:17+40", "conv-17+40"),
        ("../../etc", "------etc"),
        ("café", "café"),
    ],
)
def test_clean_keeps_letters_digits_and_a_few_signs(target, name):
    assert clean(target) == name


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("cats/a.jpg", "gradcam", None, "panel", "png"), "cats/a.jpg.gradcam.panel.png"),
        (("a.jpg", "gradcam", "p(tabby)", "overlay", "png"), "a.jpg.gradcam.p-tabby-.overlay.png"),
        ((None, "weights", None, "panel", "png"), "weights.panel.png"),
        (("image_0000", "saliency", "3", "values", "npy"), "image_0000.saliency.3.values.npy"),
        (("/etc/passwd", "cam", None, "panel", "png"), "etc/passwd.cam.panel.png"),
        (("./a//b.png", "cam", None, "panel", "png"), "a/b.png.cam.panel.png"),
    ],
)
def test_file_name_is_image_technique_target_style(arguments, path):
    assert file_name(*arguments) == path


@given(st.text(), st.none() | st.text())
def test_no_name_leaves_the_output_folder(image, target):
    path = file_name(image, "gradcam", target, "panel", "png")
    parts = path.split("/")
    assert not os.path.isabs(path)
    assert not {"", ".", ".."} & set(parts)
    assert all(len(os.fsencode(part)) < 200 for part in parts)
    assert not set(path) & set('\0\n\\:*?"<>|')
    assert path.endswith(".panel.png")


def test_parent_folders_and_drives_become_harmless():
    assert file_name("../../a.png", "cam", None, "panel", "png").split("/")[0].startswith("--~")
    assert file_name("C:\\photos\\a.png", "cam", None, "panel", "png").startswith("C--photos-a.png~")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a:b.png", "a-b.png"),
        ("a:b.png", "a?b.png"),
        ("../a.png", "--/a.png"),
        ("x" * 300 + "a.png", "x" * 300 + "b.png"),
        ("é" * 150 + "1.png", "é" * 150 + "2.png"),
    ],
)
def test_two_pictures_never_get_one_name(one, other):
    names = [file_name(name, "gradcam", None, "panel", "png") for name in (one, other)]
    assert names[0] != names[1]


def test_long_names_keep_their_beginning_their_suffix_and_a_hash():
    name = file_name("holiday" * 40 + ".jpeg", "gradcam", "t" * 300, "panel", "png")
    assert name.startswith("holidayholiday")
    assert ".jpeg.gradcam.ttt" in name
    assert len(name) < 200
    assert file_name("holiday" * 40 + ".jpeg", "gradcam", "t" * 299, "panel", "png") != name


def test_names_that_are_not_utf_8_are_kept():
    name = os.fsdecode(b"caf\xe9.jpg")
    assert os.fsencode(file_name(name, "cam", None, "panel", "png")) == b"caf\xe9.jpg.cam.panel.png"
    assert len(os.fsencode(file_name(name * 40, "cam", None, "panel", "png"))) < 200


# Files.


def test_a_file_is_written_with_its_folders_and_replaced_whole(tmp_path):
    path = tmp_path / "a/b/c.png"
    write_whole(path, b"one")
    write_whole(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["c.png"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_files_have_the_permissions_of_any_other_new_file(tmp_path):
    write_whole(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_a_file_never_bears_its_name(tmp_path, monkeypatch, trouble):
    path = tmp_path / "c.png"
    write_whole(path, b"before")

    def fail(descriptor):
        raise trouble

    monkeypatch.setattr(os, "fsync", fail)
    expected = KeyboardInterrupt if isinstance(trouble, KeyboardInterrupt) else OutputError
    with pytest.raises(expected):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["c.png"]


def test_a_writer_that_is_killed_leaves_no_final_name(tmp_path):
    program = (
        "import os, signal, sys\nfrom kerasviz.records import write_whole\n"
        "os.fsync = lambda descriptor: os._exit(9)\nwrite_whole(sys.argv[1], bytes(10**6))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "c.png")], check=False)
    assert done.returncode == 9
    assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == []


def test_what_cannot_be_written_names_the_cure(tmp_path):
    (tmp_path / "file").touch()
    for attempt in (
        lambda: write_whole(tmp_path / "file/a.png", b""),
        lambda: writable_folder(tmp_path / "file"),
        lambda: writable_folder(tmp_path / "file/deeper"),
        lambda: append_line(tmp_path / "file/manifest.jsonl", {}),
        lambda: write_whole(tmp_path / "nul\0", b""),
    ):
        with pytest.raises(OutputError, match=r"cannot be written \(.+\)\. .*another folder with --out"):
            attempt()
    assert OutputError.exit_code == 4


def test_a_writable_folder_is_made_and_left_empty(tmp_path):
    folder = writable_folder(tmp_path / "a/out")
    assert folder == tmp_path / "a/out"
    assert os.listdir(folder) == []
    assert writable_folder(str(folder)) == folder


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission"):
        writable_folder(tmp_path)
    tmp_path.chmod(0o700)


def test_lines_are_added_and_an_unfinished_one_stays_alone(tmp_path):
    manifest = tmp_path / "out/manifest.jsonl"
    append_line(manifest, {"a": 1})
    with open(manifest, "ab") as file:
        file.write(b'{"a": 2, "b"')  # killed here
    append_line(manifest, {"a": 3})
    append_line(manifest, {"a": 4})
    assert manifest.read_bytes() == b'{"a": 1}\n{"a": 2, "b"\n{"a": 3}\n{"a": 4}\n'


def test_lines_of_several_threads_never_mix(tmp_path):
    manifest = tmp_path / "manifest.jsonl"
    append_line(manifest, {"n": -1, "text": ""})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: append_line(manifest, {"n": n, "text": "x" * 5000}), range(60)))
    found = [json.loads(line)["n"] for line in manifest.read_text().splitlines()]
    assert sorted(found) == list(range(-1, 60))


# JSON.


def test_numbers_of_numpy_and_what_is_no_number():
    record = {
        "float32": np.float32(0.1),
        "float64": np.float64(0.1),
        "int": np.int64(3),
        "bool": np.bool_(True),
        "nan": float("nan"),
        "inf": np.float32("-inf"),
        "array": np.array([[1, 2], [3, 4]], np.uint8),
        "scalar": np.array(2.5),
        "shape": (1, np.int32(2)),
        "set": {"b", "a"},
        "path": Path("a/b"),
        3: "key",
        "name": np.str_("é\n"),
        "none": None,
    }
    assert json.loads(as_json(record)) == {
        "float32": 0.1,
        "float64": 0.1,
        "int": 3,
        "bool": True,
        "nan": None,
        "inf": None,
        "array": [[1, 2], [3, 4]],
        "scalar": 2.5,
        "shape": [1, 2],
        "set": ["a", "b"],
        "path": str(Path("a/b")),
        "3": "key",
        "name": "é\n",
        "none": None,
    }
    assert b"\n" not in as_json(record)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_float32_comes_back_to_the_bit(number):
    assert np.float32(json.loads(as_json({"x": np.float32(number)}))["x"]) == np.float32(number)


def test_names_that_are_not_utf_8_come_back():
    name = os.fsdecode(b"caf\xe9.jpg")
    assert json.loads(as_json({"path": name, "é": 1})) == {"path": name, "é": 1}


# Pictures.

RECORD = {
    "schema": 1,
    "technique": "gradcam",
    "settings": {"layer": "block5_conv3"},
    "model": {"path": "model.h5", "sha256": "ab" * 32},
    "image": {"path": "photo.jpg"},
    "target": {"asked": "tabby", "score": np.float32(0.1)},
    "seconds": {"network": 0.5},
    "messages": ["every channel of 'conv5' argues against 'tabby'"],
}


def saved(path, data):
    path.write_bytes(data)
    return path


def chunks(data):
    """(kind, content) of each chunk of a PNG."""
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


@pytest.mark.parametrize("picture", [PICTURE, PICTURE[..., 0]])
def test_a_png_holds_its_pixels_its_resolution_and_srgb(picture):
    data = png_bytes(picture, RECORD, 144)
    image = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(np.asarray(image), picture)
    assert image.info["dpi"] == pytest.approx((144, 144), abs=0.02)
    kinds = [kind for kind, _ in chunks(data)]
    assert kinds.index(b"sRGB") < kinds.index(b"IDAT")
    assert kinds.index(b"iTXt") < kinds.index(b"IDAT")


def test_a_png_carries_its_record_without_seconds(tmp_path):
    found = read_recipe(saved(tmp_path / "a.png", png_bytes(PICTURE, RECORD)))
    expected = {**RECORD, "target": {"asked": "tabby", "score": 0.1}}
    del expected["seconds"]
    assert found == expected
    assert RECORD["seconds"] == {"network": 0.5}


def test_paths_in_a_png_are_relative_to_the_run(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    record = {
        "model": {"path": str(tmp_path / "model.h5")},
        "image": {"path": tmp_path / "run/photos/a.jpg"},
        "files": {"panel": "out/a.png"},
        "options": {"labels": [str(tmp_path / "run/names.txt")]},
    }
    data = png_bytes(PICTURE, record)
    assert read_recipe(saved(tmp_path / "a.png", data)) == {
        "model": {"path": "../model.h5"},
        "image": {"path": "photos/a.jpg"},
        "files": {"panel": "out/a.png"},
        "options": {"labels": ["names.txt"]},
    }
    assert str(tmp_path).encode() not in data


def test_the_same_result_makes_the_same_bytes():
    assert png_bytes(PICTURE, RECORD, 72) == png_bytes(PICTURE, {**RECORD, "seconds": {"network": 9.0}}, 72)


def with_text(text, *, zipped=False, key="kerasviz"):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "<x/>")
    info.add_itxt(key, text, zip=zipped)
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.mark.parametrize("zipped", [False, True])
def test_records_are_found_behind_other_texts_and_compressed(tmp_path, zipped):
    assert read_recipe(saved(tmp_path / "a.png", with_text('{"é": 1}', zipped=zipped))) == {"é": 1}


@pytest.mark.parametrize("data", [png_bytes(PICTURE), with_text("{}", key="kerasvizx"), with_text("[1]")])
def test_a_png_without_a_record_says_why(tmp_path, data):
    with pytest.raises(SettingError, match=r"found a PNG without one\. Programs that edit pictures drop it"):
        read_recipe(saved(tmp_path / "a.png", data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GIF89a", "it is not a PNG"),
        (b"", "it is not a PNG"),
        (with_text("{broken"), "Expecting property name"),
        (with_text("[" * 100_000), "recursion"),
        (with_text(" " * (5 << 20)), "its record has 5 MB"),
        (with_text(" " * (50 << 20), zipped=True), "unpacks to more than 4 MB"),
        (with_text("{}", zipped=True).replace(zlib.compress(b"{}"), b"x" * len(zlib.compress(b"{}"))), "Error -3"),
        (png_bytes(PICTURE, RECORD)[:300], "Unterminated|Expecting"),
    ],
)
def test_damaged_and_absurd_records_are_refused(tmp_path, data, reason):
    with pytest.raises(ImageError, match=f"found none that can be read .*({reason})"):
        read_recipe(saved(tmp_path / "a.png", data))


def test_a_missing_picture_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="No such file"):
        read_recipe(tmp_path / "none.png")


# Commands.


def test_the_command_has_model_image_target_and_settings():
    record = {**RECORD, "settings": {"layer": "outer/conv 1", "noise_level": 0.15, "layers": ["a", "b"], "seed": None}}
    assert command_of(record) == (
        "kerasviz gradcam model.h5 photo.jpg --target tabby --layer 'outer/conv 1' --noise-level 0.15 --layers a,b"
    )


def test_options_come_as_they_were_typed():
    record = {
        "technique": "cam",
        "model": {"path": "m.h5"},
        "image": {"path": "a.jpg"},
        "target": {"asked": "auto"},
        "settings": {"all_classes": True, "fill": {"path": "grey.png", "sha256": "00"}},
        "options": {"fit": "pad", "style": ["panel", "values"], "fast": False, "size": None},
        "batch": 8,
    }
    assert command_of(record) == (
        "kerasviz cam m.h5 a.jpg --all-classes --fill grey.png --fit pad --style panel --style values "
        "--no-fast --batch-size 8"
    )


def test_a_result_without_a_picture_has_none_in_its_command():
    record = {"technique": "weights", "model": {"path": "m.h5"}, "image": None, "batch": 1}
    assert command_of(record) == "kerasviz weights m.h5"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_shell_reads_back_every_word(text):
    words = shlex.split(command_of({**RECORD, "image": {"path": text}, "target": {"asked": text}}))
    assert words[3] == (f"./{text}" if text.startswith("-") else text)
    assert words[5] == text or text == "auto"


@pytest.mark.parametrize("what", ["model", "image"])
def test_what_never_was_a_file_has_no_command(what):
    with pytest.raises(SettingError, match=f"the path of the {what} .* Save the {what} to a file"):
        command_of({**RECORD, what: {"path": None}})


def test_a_record_survives_its_way_through_a_picture(tmp_path):
    path = saved(tmp_path / "a.png", png_bytes(PICTURE, RECORD))
    assert command_of(read_recipe(path)) == command_of(RECORD)
