"""The sample networks and photographs: complete, credited, and made by scripts that trust nothing."""

import collections
import importlib.util
import json
import pickle
import re
import zipfile
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "sample_models"
PHOTOS = json.loads((SAMPLES / "photos" / "photos.json").read_text(encoding="utf-8"))


def rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def files(folder: str) -> set[str]:
    return {path.name for path in (SAMPLES / folder).iterdir() if path.suffix in (".jpg", ".png")}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """make_efficientnet_lite0.py as a module; it imports Keras."""
    spec = importlib.util.spec_from_file_location("make_efficientnet_lite0", SAMPLES / "make_efficientnet_lite0.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_photograph_is_described_and_credited():
    credits = (SAMPLES / "CREDITS.md").read_text(encoding="utf-8")
    assert {photo["file"] for photo in PHOTOS} == files("photos")
    for photo in PHOTOS:
        assert f"| {photo['file']} | {photo['credit']} | {photo['licence']} |" in credits


def test_boxes_lie_within_their_photographs():
    for photo in PHOTOS:
        width, height = Image.open(SAMPLES / "photos" / photo["file"]).size
        x0, y0, x1, y1 = photo["box"]
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height


def test_labels_are_a_thousand_different_names_and_the_photographs_agree():
    synsets, names = zip(*rows("efficientnet_lite0.labels.txt"), strict=True)
    assert len(set(synsets)) == len(set(names)) == 1000
    assert all(re.fullmatch(r"n\d{8}", synset) for synset in synsets)
    known = [photo for photo in PHOTOS if photo["class_index"] is not None]
    assert len(known) == 12
    assert [names[photo["class_index"]] for photo in known] == [photo["class_name"] for photo in known]


def test_there_is_a_digit_of_each_class_light_on_black():
    assert [row[0] for row in rows("digits.labels.txt")][3:5] == ["three", "four"]
    assert sorted(name[0] for name in files("digits")) == list("0123456789")
    for name in files("digits"):
        pixels = np.asarray(Image.open(SAMPLES / "digits" / name))
        assert pixels.shape == (28, 28)
        assert pixels.dtype == np.uint8
        assert np.median(pixels[:, [0, -1]]) == 0


def test_the_file_of_the_network_does_not_tell_when_or_where_it_was_made():
    with zipfile.ZipFile(SAMPLES / "efficientnet_lite0.keras") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        ids = [int(text) for text in re.findall(rb'"shared_object_id": (\d+)', archive.read("config.json"))]
    assert list(dict.fromkeys(ids)) == list(range(1, max(ids) + 1))


def test_the_networks_were_written_by_the_oldest_supported_keras():
    # An older Keras does not open what a newer one wrote: 3.10 knows no `input_axes` of GlorotUniform, 3.15 writes it.
    pins = (SAMPLES.parent / "scripts" / "oldest.txt").read_text(encoding="utf-8")
    with zipfile.ZipFile(SAMPLES / "efficientnet_lite0.keras") as archive:
        writers = [json.loads(archive.read("metadata.json"))["keras_version"]]
    with h5py.File(SAMPLES / "digits.h5") as file:
        writers.append(file.attrs["keras_version"])
    assert [f"\nkeras=={writer}\n" in pins for writer in writers] == [True, True]


def test_a_checkpoint_is_read_with_its_strides(script):
    # Two rows of three, stored column by column behind one number that belongs to nobody.
    tensor = script.Tensor(script.Storage(np.dtype("<f4"), "0"), 1, (2, 3), (1, 2))
    np.testing.assert_array_equal(script.view(np.arange(7, dtype="<f4"), tensor), [[1, 3, 5], [2, 4, 6]])


@pytest.mark.parametrize(("shape", "strides"), [((2, 4), (1, 2)), ((2, 3), (1, -2)), ((0, 3), (1, 2))])
def test_a_tensor_outside_its_storage_is_refused(script, shape, strides):
    tensor = script.Tensor(script.Storage(np.dtype("<f4"), "0"), 1, shape, strides)
    with pytest.raises(ValueError, match="Expected a tensor within its storage of 7 elements"):
        script.view(np.arange(7, dtype="<f4"), tensor)


def test_a_checkpoint_that_would_run_code_is_refused(script):
    with pytest.raises(pickle.UnpicklingError, match=r"found builtins\.print"):
        script.read_state_dict(pickle.dumps(print))


def test_another_pickle_is_not_a_checkpoint(script):
    data = b"".join(pickle.dumps(part) for part in (7, 1001, {}, collections.OrderedDict(), []))
    with pytest.raises(ValueError, match="found magic number 7"):
        script.read_state_dict(data)


def test_every_layer_with_weights_has_its_name_in_the_checkpoint(script):
    names = script.checkpoint_names()
    assert len(list(script.blocks())) == 16
    assert (names["block1a_bn"], names["block2b_project_conv"]) == ("_blocks.0._bn1", "_blocks.2._project_conv")
    assert names["block7a_dwconv"] == "_blocks.15._depthwise_conv"
