"""Pictures drawn from a dataset that a training draws from: the training must not notice."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasviz.errors import SettingError
from kerasviz.models import datasets
from kerasviz.models.chance import same_chance
from kerasviz.models.datasets import elements_of

X = np.arange(20 * 4 * 4 * 3, dtype=np.float32).reshape(20, 4, 4, 3)
Y = np.arange(20)


def plain():
    return tf.data.Dataset.from_tensor_slices((X, Y))


def from_generator():
    def rows():
        for x, y in zip(X, Y, strict=True):
            yield x + np.random.rand(), y

    return tf.data.Dataset.from_generator(
        rows, output_signature=(tf.TensorSpec((4, 4, 3)), tf.TensorSpec((), tf.int64))
    )


def with_a_layer():
    layer = keras.layers.RandomBrightness(0.3, value_range=(0, 1000))
    return plain().map(lambda x, y: (layer(x, training=True), y))


def with_a_generator_of_numbers():
    numbers = tf.random.Generator.from_seed(1)
    return plain().map(lambda x, y: (x + numbers.uniform(()), y)).shuffle(20)


def with_a_function_of_numpy():
    def noisy(x):
        return (x + np.random.rand()).astype(np.float32)

    return plain().map(lambda x, y: (tf.numpy_function(noisy, [x], tf.float32), y))


KINDS = {
    "shuffled": lambda: plain().shuffle(20),
    "shuffled by a seed": lambda: plain().shuffle(20, seed=3),
    "shuffled once": lambda: plain().shuffle(20, reshuffle_each_iteration=False),
    "endless": lambda: plain().shuffle(20).repeat(2),
    "noise": lambda: plain().map(lambda x, y: (x + tf.random.uniform(()), y)),
    "noise of a generator": with_a_generator_of_numbers,
    "noise of a layer": with_a_layer,
    "noise of NumPy": with_a_function_of_numpy,
    "generator": from_generator,
    "cached": lambda: plain().shuffle(20).cache(),
    "mixed": lambda: tf.data.Dataset.sample_from_datasets([plain(), plain().shuffle(20)]),
    "nested": lambda: tf.data.Dataset.range(5).interleave(lambda k: plain().shuffle(20).take(4), cycle_length=2),
}


def epochs(data):
    """What three epochs see, and what is drawn at random after them."""
    seen = [(float(tf.reduce_sum(x)), [int(one) for one in y]) for _ in range(3) for x, y in data]
    return seen, np.random.rand(), float(tf.random.uniform(()))


def made(kind):
    keras.utils.set_random_seed(5)
    return KINDS[kind]().batch(4).prefetch(1)


@pytest.mark.parametrize("kind", KINDS)
def test_later_epochs_see_what_they_would_have_seen(kind):
    alone = epochs(made(kind))
    data = made(kind)
    drawn = []
    for _ in range(2):
        with same_chance():
            drawn.append(next(elements_of(data))[0].numpy())
    assert drawn[0].shape == (4, 4, 4, 3)
    np.testing.assert_array_equal(*drawn)
    assert epochs(data) == alone


def test_drawing_from_a_shuffled_one_itself_would_be_noticed():
    alone = epochs(made("shuffled"))
    data = made("shuffled")
    next(iter(data))
    assert epochs(data) != alone


def test_files_of_a_cache_are_left_to_the_training(tmp_path):
    data = plain().cache(str(tmp_path / "cache")).map(lambda x, y: (x, y)).snapshot(str(tmp_path / "snapshot")).batch(4)
    next(elements_of(data))
    assert list(tmp_path.iterdir()) == []
    assert len(list(data)) == 5
    np.testing.assert_array_equal(next(elements_of(data))[0], X[:4])


def test_an_iterator_gives_what_comes_next():
    rows = iter(plain())
    assert [int(next(elements_of(rows))[1]) for _ in range(3)] == [0, 1, 2]


# Arrays too large to copy: the limit is lowered, the way is the same.


@pytest.fixture
def few_bytes(monkeypatch):
    monkeypatch.setattr(datasets, "MOST_BYTES", X.nbytes - 1)


def test_rows_of_large_arrays_are_taken_from_the_arrays(few_bytes):
    found = [int(y) for _, y in elements_of(plain().batch(4).prefetch(1))]
    assert found == Y.tolist()
    x, _ = next(elements_of(plain().cache().repeat()))
    np.testing.assert_array_equal(x, X[0])
    named = tf.data.Dataset.from_tensor_slices({"photo": X, "age": Y})
    assert {name: part.shape.as_list() for name, part in next(elements_of(named)).items()} == {
        "photo": [4, 4, 3],
        "age": [],
    }


def test_where_large_arrays_are_shuffled_the_rows_come_from_all_over_them(few_bytes):
    keras.utils.set_random_seed(5)
    alone = epochs(plain().shuffle(20).batch(4))
    keras.utils.set_random_seed(5)
    data = plain().shuffle(20).batch(4)
    found = [int(y) for _, y in elements_of(data)]
    assert sorted(found) == Y.tolist() != found
    assert epochs(data) == alone


def test_large_arrays_that_change_on_their_way_are_refused_with_the_cure(few_bytes):
    with pytest.raises(
        SettingError, match=r"holds 0 MB of arrays\. Give its first pictures as an array: images\[:16\]"
    ):
        next(elements_of(plain().map(lambda x, y: (2 * x, y))))


def test_random_states_are_left_where_they_were():
    def drawn():
        return random.random(), np.random.rand(), [int(k) for k in tf.data.Dataset.range(20).shuffle(20)]

    keras.utils.set_random_seed(5)
    alone = drawn()
    keras.utils.set_random_seed(5)
    with same_chance():
        assert drawn() == alone
    assert drawn() == alone


def test_random_states_are_left_where_they_were_by_what_fails():
    state = random.getstate()
    with pytest.raises(ZeroDivisionError), same_chance():
        _ = 1 / int(random.random())
    assert random.getstate() == state
