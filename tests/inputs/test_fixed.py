"""The fixed panel: which pictures and classes come out of whatever a user hands over."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from inputs.panels import X, Y, one_hot, same
from PIL import Image
from tiny import picture

from kerasviz.errors import ImageError, SettingError, SourceError
from kerasviz.inputs.fixed import COUNT, MOST, Fixed, fixed, readable

# Arrays and lists.


def test_all_of_an_array_or_so_many_as_are_asked_for():
    same(fixed(X), X)
    same(fixed(X, count=3), X[:3])
    same(fixed(X, count=50), X)
    same(fixed(tf.constant(X), count=3), X[:3])


@pytest.mark.parametrize(
    ("image", "as_rows"),
    [(X[0], X[:1]), (X[0, ..., :1], X[:1, ..., :1]), (X[0, ..., 0], X[:1, ..., :1])],
    ids=["colour", "grey", "grey without an axis"],
)
def test_one_picture_is_a_panel_of_one(image, as_rows):
    same(fixed(image), as_rows)


def test_grey_pictures_without_an_axis_for_it_are_as_many_as_there_are():
    same(fixed(X[..., 0]), X[..., 0])
    same(fixed((X[..., 0], Y)), X[..., 0], Y.tolist())


def test_lists_of_several_sizes_and_of_paths_stay_lists(tmp_path):
    sizes = [X[0], X[1, :3], X[2, :, :2]]
    same(fixed(sizes), sizes)
    same(fixed(tuple(sizes)), sizes)
    paths = [picture(tmp_path / f"{k}.png", k) for k in range(3)]
    for given in (paths, list(map(str, paths)), np.array(list(map(str, paths)))):
        assert list(map(str, fixed(given, count=2).images)) == [str(path) for path in paths[:2]]


def test_two_pictures_in_a_tuple_are_two_pictures():
    for one, other in ((X[0], X[1]), (X[0, ..., 0], X[1, ..., 0]), (X[0, :3], X[1])):
        same(fixed((one, other)), [one, other])
    assert fixed(("a.png", "b.png")).images == ["a.png", "b.png"]


def test_a_dict_is_cut_in_each_of_its_inputs():
    found = fixed({"photo": X, "age": list(Y)}, count=4)
    np.testing.assert_array_equal(found.images["photo"], X[:4])
    np.testing.assert_array_equal(found.images["age"], Y[:4])
    found = fixed(({"photo": X, "age": Y}, Y), count=4)
    assert (len(found.images["photo"]), found.truths) == (4, Y[:4].tolist())


def test_what_lies_on_the_disk_is_cut_before_it_is_read(tmp_path):
    import h5py

    with h5py.File(tmp_path / "x.h5", "w") as file:
        endless = file.create_dataset("x", (10_000_000, 64, 64, 3), "f4", chunks=(1, 64, 64, 3))  # 500 GB of zeros
        assert fixed(endless, count=2).images.shape == (2, 64, 64, 3)
        with pytest.raises(SettingError, match="found 10000000"):
            fixed(endless)


@pytest.mark.parametrize("images", [X[:0], [], {}, np.repeat(X, 6, 0), [X[0]] * (MOST + 1)])
def test_none_and_too_many_are_refused_with_the_cure(images):
    with pytest.raises(SettingError, match=r"Expected 1 to 100 pictures .* found \d+\. Give fewer, images\[:16\]"):
        fixed(images)


@pytest.mark.parametrize("images", [None, 7, {1, 2}, np.zeros(5)])
def test_what_is_no_picture_is_refused_with_what_would_be(images):
    with pytest.raises(SettingError, match=r"Expected pictures to watch a training with.*Give an array"):
        fixed(images)


@pytest.mark.parametrize("count", [0, -1, 101, 2.5, True, "16"])
def test_a_count_is_a_number_of_pictures(count):
    with pytest.raises(SettingError, match="Expected count as a number of pictures, 1 to 100"):
        fixed(X, count=count)


def test_a_panel_and_a_function_that_returns_one_are_taken_as_they_are():
    panel = Fixed(X)
    assert fixed(panel) is panel
    assert fixed(lambda: panel) is panel
    same(fixed(lambda: (X, Y), count=2), X[:2], Y[:2].tolist())
    same(fixed((lambda: X, Y), count=2), X[:2], Y[:2].tolist())


# Pairs.


@pytest.mark.parametrize(
    "y",
    [Y, Y.tolist(), Y[:, None], Y.astype(np.float32), tf.constant(Y), one_hot(Y), 0.9 * one_hot(Y) + 0.1 / 7],
    ids=["sparse", "list", "(N, 1)", "float", "tensor", "one-hot", "smoothed"],
)
def test_classes_of_a_pair_are_indices(y):
    found = fixed((X, y), count=9)
    same(found, X[:9], Y[:9].tolist())
    assert not found.guessed
    assert all(type(one) is int for one in found.truths)


def test_names_stay_names_and_weights_are_passed_over():
    names = [f"kind {k}" for k in Y]
    same(fixed((X, names)), X, names)
    same(fixed((X, np.array(names, object), np.ones(20))), X, names)


@pytest.mark.parametrize("y", [Y[:19], np.arange(21), []])
def test_a_pair_of_other_lengths_is_refused(y):
    with pytest.raises(SettingError, match=rf"one class a picture, found {len(y)} for 20 pictures"):
        fixed((X, y))


@pytest.mark.parametrize(
    "y",
    [np.linspace(0, 1, 20), -np.arange(20), X, X[..., :1], np.ones((20, 4)), {"out": Y}, [Y, one_hot(Y)]],
    ids=["numbers", "below zero", "pictures", "maps", "boxes", "dict", "several"],
)
def test_what_is_no_class_is_refused_with_the_cure(y):
    with pytest.raises(SettingError, match="one class a picture, as a number, a name or a one-hot row"):
        fixed((X, y))


# Files.


@pytest.fixture
def folder(tmp_path):
    for kind, k in itertools.product(("cats", "dogs", "owls"), range(12)):
        picture(tmp_path / "photos" / kind / f"{k:02d}.png", k)
    return tmp_path / "photos"


def test_sixteen_of_a_folder_mixed_by_seed_with_their_folders_as_classes(folder):
    found = fixed(folder)
    assert len(found.images) == COUNT
    assert found.guessed
    assert {"cats", "dogs", "owls"} == set(found.truths)
    assert found.truths == [path.split("/")[-2] for path in found.images]
    assert fixed(str(folder)) == found
    assert fixed(folder, seed=1).images != found.images
    assert len(fixed(folder, count=100).images) == 36


def test_a_pattern_a_file_and_a_folder_of_files(folder):
    assert set(fixed(str(folder / "d*" / "*.png")).truths) == {"dogs"}
    assert fixed(folder / "cats" / "00.png").images == [str(folder / "cats" / "00.png")]
    assert len(fixed(folder / "owls", count=5).images) == 5
    with pytest.raises(SourceError):
        fixed(folder / "foxes")
    (folder / "empty").mkdir()
    with pytest.raises(SourceError):
        fixed(folder / "empty")


def test_classes_beside_a_folder_stay_with_their_files(folder):
    """Which files are taken is drawn: the classes must be drawn with them."""
    numbers = list(range(36))
    found = fixed((folder, numbers))
    every = fixed(folder, count=36).images
    assert [every[k] for k in found.truths] == found.images
    assert len(found.images) == COUNT
    with pytest.raises(SettingError, match="found 35 for 36 pictures"):
        fixed((folder, numbers[1:]))


def test_arrays_are_taken_without_tensorflow():
    said = (
        "import sys, numpy as np; from kerasviz.inputs.fixed import fixed\n"
        "x = np.zeros((3, 4, 4, 3)); y = [0, 1, 2]\n"
        "fixed(x); fixed((x, y)); fixed(lambda: [x[0], x[1]]); fixed(iter(x)); fixed({'a': x})\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", said], check=True)


def test_a_picture_of_a_folder_that_cannot_be_read_is_left_out(tmp_path):
    for name in ("a.png", "c.png"):
        Image.fromarray(np.full((4, 4, 3), 9, np.uint8)).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no picture")
    panel, errors = readable(fixed(str(tmp_path)))
    assert [Path(photo.path).name for photo in panel.images] == ["a.png", "c.png"]
    assert len(panel.truths) == 2
    assert ["b.png" in str(error) for error in errors] == [True]
    for name in ("a.png", "c.png"):
        (tmp_path / name).unlink()
    with pytest.raises(ImageError, match=r"b\.png"):
        readable(fixed(str(tmp_path)))
