"""The fixed panel from datasets and generators; tests/models/test_datasets.py: how they are drawn from unnoticed."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from inputs.panels import X, Y, one_hot, same

from kerasviz.errors import ImageError, SettingError
from kerasviz.inputs.fixed import fixed


def dataset(*parts):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0])


def test_the_first_sixteen_pictures_of_a_dataset():
    same(fixed(dataset(X)), X[:16])
    same(fixed(dataset(X).batch(6)), X[:16])
    same(fixed(dataset(X), count=3), X[:3])
    same(fixed(dataset(X).take(5)), X[:5])


@pytest.mark.parametrize("batch", [0, 6])
@pytest.mark.parametrize(
    "y", [Y, Y[:, None], one_hot(Y), Y.astype(np.float32)], ids=["sparse", "(N, 1)", "hot", "float"]
)
def test_classes_of_a_dataset_are_guessed(y, batch):
    data = dataset(X, y)
    found = fixed(data.batch(batch) if batch else data)
    same(found, X[:16], Y[:16].tolist())
    assert found.guessed


def test_names_in_a_dataset_are_texts():
    names = [f"kind {k}" for k in Y]
    same(fixed(dataset(X, names)), X[:16], names[:16])
    same(fixed(dataset(X, names).batch(6)), X[:16], names[:16])


@pytest.mark.parametrize("batch", [0, 6])
@pytest.mark.parametrize(
    "y",
    [X[..., 0], X, np.linspace(0, 1, 20), np.ones((20, 4)), {"a": Y, "b": Y}, (Y, one_hot(Y)), -np.ones(20, int)],
    ids=["maps", "pictures", "numbers", "boxes", "dict", "several", "unknown"],
)
def test_what_a_dataset_holds_beside_its_pictures_may_be_no_classes(y, batch):
    data = dataset(X, y)
    same(fixed(data.batch(batch) if batch else data), X[:16])


def test_classes_count_where_every_picture_has_one():
    elements = [(X[0], 1), (X[1], 0.5), (X[2], 3)]
    same(fixed(iter(elements)), X[:3])
    same(fixed(iter([(X[:2], Y[:2]), (X[2:4], Y[:1])])), X[:4])


def test_inputs_by_name_whichever_of_them_is_the_picture():
    ages = np.arange(20, dtype=np.float32)
    for batch in (0, 6):
        data = dataset({"age": ages, "photo": X}, Y)
        found = fixed(data.batch(batch) if batch else data)
        np.testing.assert_array_equal(found.images["photo"], X[:16])
        np.testing.assert_array_equal(found.images["age"], ages[:16])
        assert found.truths == Y[:16].tolist()


def test_grey_and_many_channels_without_a_batch():
    same(fixed(dataset(X[..., 0]).batch(6)), X[:16, ..., 0])
    many = np.repeat(X, 2, -1)
    same(fixed(dataset(many, Y)), many[:16], Y[:16].tolist())


def test_pictures_of_several_sizes_from_a_generator():
    rows = [X[0], X[1, :3], X[2]]
    same(fixed(iter(rows)), rows)
    same(fixed(((row, k) for k, row in enumerate(rows))), rows, [0, 1, 2])


def test_endless_ones_are_read_as_far_as_is_needed():
    read = []

    def pictures():
        for k in itertools.count():
            read.append(k)
            yield X[k % 20], k % 7

    same(fixed(pictures()), X[:16], Y[:16].tolist())
    assert len(read) == 16
    same(fixed(dataset(X).repeat(), count=30), [*X, *X[:10]])


def test_classes_beside_a_dataset():
    same(fixed((dataset(X), Y)), X[:16], Y[:16].tolist())
    same(fixed((iter(X), Y), count=2), X[:2], Y[:2].tolist())
    with pytest.raises(SettingError, match="found 3 for 16 pictures"):
        fixed((dataset(X), Y[:3]))


def test_batches_by_number_are_asked_for_in_turn():
    class Batches:  # as keras.utils.PyDataset
        def __len__(self):
            return 2

        def __getitem__(self, k):
            return X[3 * k : 3 * k + 3], Y[3 * k : 3 * k + 3]

        def on_epoch_end(self):
            raise AssertionError("a panel ends no epoch")

    same(fixed(Batches()), X[:6], Y[:6].tolist())
    same(fixed(Batches(), count=2), X[:2], Y[:2].tolist())


def test_an_empty_dataset_and_several_unnamed_inputs_are_refused():
    with pytest.raises(ImageError, match="found an empty dataset"):
        fixed(dataset(X).take(0))
    with pytest.raises(ImageError, match="dict input name -> pictures, found a tuple"):
        fixed(dataset((X, X), Y))
