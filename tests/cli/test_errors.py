"""Bad input: one clear sentence with the cure, the exit code of the contract, nothing half-written."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tiny import picture, shell, tiny_model

MODEL = "tiny.keras"


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    tiny_model(folder)
    picture(folder / "photo.png")
    (folder / "empty").mkdir()
    (folder / "text.png").write_text("no picture", encoding="utf-8")
    whole = picture(folder / "truncated.png", size=(64, 64)).read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "bomb.png").write_bytes(png_of(60_000, 60_000))
    (folder / "notes.keras").write_text("no model", encoding="utf-8")
    (folder / "file").write_text("in the way of a folder", encoding="utf-8")
    (folder / "two.txt").write_text("one\ntwo\n", encoding="utf-8")
    (folder / "twins.txt").write_text("grey cat\ngrey dog\nred\n", encoding="utf-8")
    (folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    (folder / "classes.csv").write_text("nothing\n", encoding="utf-8")
    np.save(folder / "array.npy", np.zeros(3))
    unscaled(folder)
    return folder


def unscaled(folder):
    """A network that scales nothing itself, and its weights alone."""
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.GlobalMaxPooling2D()])
    model.save(folder / "unscaled.keras")
    model.save_weights(folder / "only.weights.h5")


def png_of(width, height):
    """The header of a huge picture, and hardly any data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


BAD = [  # what is typed after gradcam, exit code, words of the sentence
    ("tiny.keras photo.png -l conv_secnd", 2, ["no layer 'conv_secnd'", "'conv_second'", "kerasviz layers tiny.keras"]),
    ("tiny.keras photo.png -l pool", 2, ["Expected a layer with maps", "'pool'"]),
    ("tiny.keras photo.png -t 3", 2, ["from 0 to 2", "'3'"]),
    ("tiny.keras photo.png -t green", 2, ["found 'green'"]),
    ("tiny.keras photo.png -t grey --labels twins.txt", 2, ["stands for 2", "'grey cat' (0)"]),
    ("tiny.keras photo.png --labels two.txt", 2, ["classes (3)", "found 2"]),
    ("tiny.keras photo.png --labels none.txt", 2, ["none.txt"]),
    ("tiny.keras photo.png --preprocess vgg", 2, ["'vgg'", "caffe"]),
    ("unscaled.keras photo.png", 2, ["--preprocess none"]),
    ("tiny.keras photo.png --fit stretch", 2, ["squash, crop", "'stretch'"]),
    ("tiny.keras photo.png --size 20", 2, ["HxW", "'20'"]),
    ("tiny.keras photo.png --size 20x20", 2, ["16 x 16", "20x20"]),
    ("tiny.keras photo.png --device tpu", 2, ["cpu or gpu:N", "'tpu'"]),
    ("tiny.keras photo.png --style pannel", 2, ["'pannel'", "'panel'"]),
    ("tiny.keras photo.png --alpha 2", 2, ["alpha must be from 0 to 1", "'2'"]),
    ("tiny.keras photo.png --colormap jet", 2, ["inferno", "'jet'"]),
    ("tiny.keras photo.png --batch-size 0", 2, ["1 or more", "'0'"]),
    ("tiny.keras photo.png --classes classes.csv", 2, ["file and class"]),
    ("tiny.keras photo.png --input mask=array.npy", 2, ["takes a picture alone", "mask=array.npy"]),
    ("tiny.keras photo.png --custom broken.py", 3, ["broken.py", "ZeroDivisionError"]),
    ("notes.keras photo.png", 3, ["Expected a Keras model", "text file"]),
    ("only.weights.h5 photo.png", 3, ["weights without the network"]),
    ("missing.keras photo.png", 3, ["no model file 'missing.keras'"]),
    ("photo.png photo.png", 3, ["is a picture"]),
    ("tiny.keras missing.png", 4, ["no picture or folder 'missing.png'"]),
    ("tiny.keras empty", 4, ["Expected pictures in 'empty'"]),
    ("tiny.keras *.jpg", 4, ["match '*.jpg'"]),
    ("tiny.keras", 4, ["found none named"]),
    ("tiny.keras photo.png -o file", 4, ["'file'", "--out"]),
    ("tiny.keras photo.png --colour red", 2, ["no option '--colour'", "'--no-color'", "kerasviz gradcam --help"]),
    ("tiny.keras photo.png --alpha", 2, ["--alpha"]),
]


@pytest.mark.parametrize(("typed", "code", "words"), BAD, ids=[typed for typed, _, _ in BAD])
def test_bad_input_is_one_sentence_and_leaves_nothing_behind(bad_files, monkeypatch, typed, code, words):
    monkeypatch.chdir(bad_files)
    before = sorted(bad_files.rglob("*"))
    answer = shell("gradcam", *typed.split())
    assert answer.exit_code == code, answer.stderr
    assert answer.stdout == ""
    assert answer.stderr.startswith("Error: ")
    assert answer.stderr.count("\n") == 1 or "--preprocess none" in answer.stderr  # the question shows its answers
    assert [word for word in words if word not in answer.stderr] == [], answer.stderr
    assert sorted(bad_files.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [("text.png", "found text"), ("truncated.png", "truncated"), ("bomb.png", "3600, which was not decoded")],
)
def test_a_bad_picture_is_one_failed_line_and_the_rest_goes_on(bad_files, tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(bad_files)
    answer = shell("gradcam", MODEL, name, "photo.png", "-o", tmp_path / "out")
    assert answer.exit_code == 1
    error, tally = answer.stderr.splitlines()
    assert error.startswith("Error: ")
    assert name in error
    assert words in error
    assert tally == "Warning: 1 of 2 pictures failed."
    assert answer.stdout.split() == [str(tmp_path / "out" / "photo.png.gradcam.panel.png")]
    statuses = [line.split('"status": ')[1][:4] for line in (tmp_path / "out" / "manifest.jsonl").open()]
    assert sorted(statuses) == ['"fai', '"ok"']


def test_a_warning_names_its_picture(bad_files, tmp_path, monkeypatch):
    monkeypatch.chdir(bad_files)
    Image.new("RGB", (8, 8), "grey").save(tmp_path / "grey.png")
    answer = shell("gradcam", MODEL, tmp_path / "grey.png", "-o", tmp_path / "out")
    assert answer.exit_code == 0
    assert f"Warning: {tmp_path / 'grey.png'}: Every pixel of the picture has the same value." in answer.stderr
    assert shell("gradcam", MODEL, tmp_path / "grey.png", "-o", tmp_path / "out", "-q").stderr == ""


def test_an_unknown_command_comes_with_near_ones():
    answer = shell("gradcm", "x")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: There is no command 'gradcm'. Did you mean 'gradcam'")


def test_a_technique_that_does_not_fit_names_one_that_does(bad_files, monkeypatch):
    monkeypatch.chdir(bad_files)
    answer = shell("cam", "unscaled.keras", "photo.png", "--preprocess", "none")
    assert answer.exit_code == 5
    assert "gradcam" in answer.stderr


def test_two_vs_show_the_traceback_before_the_sentence(bad_files, monkeypatch):
    monkeypatch.chdir(bad_files)
    answer = shell("gradcam", "missing.keras", "photo.png", "-vv")
    assert answer.stderr.startswith("Traceback")
    assert answer.stderr.splitlines()[-1].startswith("Error: There is no model file")
