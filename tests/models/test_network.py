"""What a Network does with pictures before and after the compiled function."""

import numpy as np

from kerasviz.inputs.given import Frame, prepared
from kerasviz.models.network import _stacked

BATCH = np.random.default_rng(0).normal(size=(6, 4, 5, 3)).astype("float32")


def pictures(images):
    return [given.pixels for given in prepared(images, Frame((4, 5), 3))[0]]


def test_a_batch_of_floats_reaches_the_network_without_being_stacked_again():
    found = pictures(BATCH)
    for chunk in (found, found[2:5], found[5:]):
        joined = _stacked(chunk)
        np.testing.assert_array_equal(joined, np.stack(chunk))
        assert np.shares_memory(joined, chunk[0])


def test_pictures_in_another_order_or_of_several_arrays_are_stacked():
    found = pictures(BATCH)
    strangers = pictures(BATCH + 1)
    for chunk in (found[::-1], found[::2], [found[1], found[1]], [found[0], strangers[1]], pictures(list(BATCH))):
        np.testing.assert_array_equal(_stacked(chunk), np.array([row.tolist() for row in chunk], "float32"))


def test_an_array_that_is_filled_anew_does_not_change_what_was_given():
    for buffer in (BATCH.copy(), np.full((2, 4, 5, 3), 7, np.uint8)):
        before = [row.copy() for row in pictures(buffer)]
        given, _ = prepared(buffer, Frame((4, 5), 3))
        buffer[:] = 0
        for one, row in zip(given, before, strict=True):
            np.testing.assert_array_equal(one.pixels, row)
            assert one.photo is None or one.photo.pixels.min() == 7
