"""What kind of file is this?"""

import gzip
import io
import os
import pickle
import zipfile

import h5py
import numpy as np
import pytest
from corpus_files import CORPUS

from kerasviz.models.sniffing import OPENERS, REFUSALS, FileKind, sniff


def test_a_file_of_the_first_keras_names_no_version(tmp_path):
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
    assert sniff(path) == FileKind("keras2-h5", None)


def zipped(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return data.getvalue()


FOREIGN = {
    "safetensors": (60).to_bytes(8, "little") + b'{"w":{"dtype":"F32"}}',
    "torch": zipped("archive/data.pkl"),
    "numpy": zipped("a.npy", "b.npy"),
    "pickle": pickle.dumps({"a": 1}),
    "compressed": gzip.compress(b"model"),
    "picture": b"\xff\xd8\xff\xe0" + bytes(60),
    "web-page": b"\n<!DOCTYPE html><html>Sign in</html>",
    "text": "Dies ist kein Modell: ä\n".encode() * 500,
    "json": b'{"a": 1}',
    "broken": zipped("config.json", "metadata.json")[:-30],
    "unknown": bytes(range(256)),
    "checkpoint": bytes(100) + bytes.fromhex("57fb808b247547db"),
    "savedmodel-part": bytes.fromhex("080112ad2f0a850d12de0c0a780a06417373"),
    "frozen-graph": b"\x0a\x20\x0a\x05image\x12\x0bPlaceholder" + bytes(30),
    "empty": b"",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files_are_known(kind, tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(FOREIGN[kind])
    assert sniff(path) == FileKind(kind)
    assert sniff(path).opener is None


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("broken", ["saved_model.pb"]),  # empty
        ("savedmodel-text", ["saved_model.pbtxt"]),
        ("keras-folder", ["config.json", "metadata.json"]),
        ("checkpoint", ["checkpoint"]),
        ("checkpoint", ["ckpt-1.index"]),
        ("folder", ["photo.jpg"]),
        ("folder", []),
    ],
)
def test_folders_are_known(kind, names, tmp_path):
    for name in names:
        (tmp_path / name).touch()
    assert sniff(tmp_path) == FileKind(kind)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.h5")
    assert sniff(tmp_path / "model.h5").kind == "special"


def test_links_inside_hdf5_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other.create_group("g").attrs["keras_version"] = "3.9.9"
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "g")
    assert sniff(tmp_path / "model.h5") == FileKind("keras2-h5", None)


@pytest.mark.parametrize("name", ["func_bn__k215_H.h5", "func_bn__k3_K.keras"])
def test_a_cut_file_is_broken(name, tmp_path):
    whole = (CORPUS / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) // 2])
    assert sniff(path).kind == "broken"


def test_an_ordinary_array_file_is_no_model(tmp_path):
    np.save(tmp_path / "model.npy", np.zeros(3))
    assert sniff(tmp_path / "model.npy").kind == "numpy"


def test_every_kind_can_be_opened_or_says_why_not():
    assert not OPENERS.keys() & REFUSALS.keys()
    assert all(cure.endswith(".") and not what.endswith(".") for what, cure in REFUSALS.values())


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        sniff(tmp_path / "model.h5")
