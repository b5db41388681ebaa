"""How the heatmaps of a training change: rows, columns and dumps; the numbers themselves are in tests/timelines."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from networks import random_network, random_pictures
from scipy.stats import spearmanr

import kerasviz as kv
from kerasviz.inputs.fixed import Fixed
from kerasviz.runs.dumping import Asked, Dump, Dumper, watched
from kerasviz.runs.measuring import Measuring, mean_of

PICTURES = random_pictures(3)


@pytest.fixture(scope="module")
def results():
    return kv.GradCAM()(random_network("predictions"), PICTURES)


def dump(results, maps, key="gradcam"):
    """A dump of these maps, row -> (h, w)."""
    found = {k: replace(results[k], heatmap=np.asarray(one, np.float32)) for k, one in maps.items()}
    return Dump([Asked(key, "", "auto", found, frozenset(found))])


def noise(seed, shape=(5, 6)):
    return np.random.default_rng(seed).normal(size=shape)


def test_moved_is_measured_from_the_dump_before(results):
    measuring = Measuring(())
    maps = [{k: noise(10 * turn + k) for k in range(3)} for turn in range(3)]
    assert measuring.of(dump(results, maps[0]), 3) == {}
    for before, now in pairwise(maps):
        found = measuring.of(dump(results, now), 3)["gradcam"]["moved"]
        expected = [1 - spearmanr(now[k].ravel(), before[k].ravel()).statistic for k in range(3)]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_map_that_stays_did_not_move_and_its_negative_is_reversed(results):
    measuring = Measuring(())
    measuring.of(dump(results, {0: noise(0), 1: noise(1), 2: noise(2)}), 3)
    found = measuring.of(dump(results, {0: noise(0), 1: -noise(1), 2: 3 * noise(2) + 1}), 3)
    np.testing.assert_allclose(found["gradcam"]["moved"], [0, 2, 0], atol=1e-6)


def test_a_row_that_is_missing_or_cannot_be_ranked_has_no_number(results):
    measuring = Measuring(())
    measuring.of(dump(results, {0: noise(0), 1: np.zeros((5, 6))}), 3)
    moved = measuring.of(dump(results, {0: noise(1), 1: noise(2), 2: noise(3)}), 3)["gradcam"]["moved"]
    assert [value is None for value in moved] == [False, True, True]
    assert measuring.of(dump(results, {0: noise(1, (3, 3))}), 3) == {}


def test_columns_are_measured_each_by_itself(results):
    measuring = Measuring(())
    measuring.of(dump(results, {0: noise(0)}, "a"), 1)
    assert measuring.of(dump(results, {0: noise(1)}, "b"), 1) == {}
    assert list(measuring.of(dump(results, {0: noise(2)}, "a"), 1)) == ["a"]


def test_what_is_kept_is_not_the_batch(results):
    batch = np.stack([noise(k) for k in range(3)]).astype(np.float32)
    measuring = Measuring(())
    measuring.of(dump(results, dict(enumerate(batch))), 3)
    kept = batch.copy()
    batch[:] = 0
    found = measuring.of(dump(results, dict(enumerate(kept))), 3)
    np.testing.assert_allclose(found["gradcam"]["moved"], 0, atol=1e-6)


def test_inside_is_what_lies_in_the_boxes_of_the_photograph(results):
    """The pictures are 6 x 7 pixels; in a map of as many cells every cell is a pixel."""
    cells = np.zeros((6, 7))
    cells[1, 1], cells[2, 5], cells[4, 3] = 3, 1, -7
    measuring = Measuring([[(0, 0, 3, 6)], [], [(0, 0, 3, 3), (4, 1, 7, 4)]])
    found = measuring.of(dump(results, dict.fromkeys(range(3), cells)), 3)
    assert found["gradcam"]["inside"] == [pytest.approx(0.75), None, pytest.approx(1)]
    assert "moved" not in found["gradcam"]


def test_boxes_are_pixels_of_the_photograph_whatever_the_network_sees():
    """Of a photograph of 300 x 400 a network of 6 x 7 sees the middle 300 x 350: x from 25 to 375."""
    opened = kv.open(random_network("predictions").model, preprocess="0..1", fit="crop")
    result = kv.GradCAM()(opened, np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8))
    cells = np.zeros((60, 70))
    cells[:, :35] = 1  # the left half of what is seen: x from 25 to 200
    by_hand = {(25, 0, 200, 300): 1, (0, 0, 25, 300): 0, (25, 0, 112.5, 300): 0.5, (200, 0, 400, 300): 0}
    for box, share in by_hand.items():
        found = Measuring([[box]]).of(dump([result], {0: cells}), 1)
        assert found["gradcam"]["inside"] == [pytest.approx(share, abs=0.02)], box


def test_grids_are_not_measured():
    network = random_network("predictions")
    dumper = Dumper(watched([kv.Activations(layer="conv4"), "gradcam"]), network, Fixed(PICTURES), None)
    measuring = Measuring([[(0, 0, 7, 6)]] * 3)
    for _ in range(2):
        found = measuring.of(dumper.dump(), 3)
    assert list(found) == ["gradcam"]
    assert found["gradcam"]["inside"] == [pytest.approx(1)] * 3


def test_a_mean_is_of_what_is_known():
    assert mean_of([1.0, None, 3.0]) == 2
    assert mean_of([0.0]) == 0
    assert mean_of([None, None]) is None
    assert mean_of([]) is None
