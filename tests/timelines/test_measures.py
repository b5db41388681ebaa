"""Cheap numbers about heatmaps: against SciPy's own rank correlation, and against areas counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from kerasviz.timelines.measures import SIDE, inside, moved

maps = arrays(np.float32, (4, 5), elements=st.integers(-9, 9).map(float))


@given(maps, maps)
def test_moved_is_one_minus_spearmans_correlation(now, before):
    if not (np.ptp(now) and np.ptp(before)):
        assert moved(now, before) is None
        return
    expected = 1 - spearmanr(now.ravel(), before.ravel()).statistic
    assert moved(now, before) == pytest.approx(expected, abs=1e-9)
    assert moved(before, now) == pytest.approx(expected, abs=1e-9)


@given(maps.filter(lambda cells: np.ptp(cells) > 0), st.floats(0.125, 8, width=32))
def test_a_map_that_only_grew_did_not_move(cells, factor):
    assert moved(cells, cells) == pytest.approx(0, abs=1e-9)
    assert moved(np.float32(factor) * cells + 3, cells) == pytest.approx(0, abs=1e-9)
    assert moved(-cells, cells) == pytest.approx(2, abs=1e-9)


def test_unrelated_maps_are_one_apart():
    random = np.random.default_rng(0)
    apart = [moved(random.random((14, 14)), random.random((14, 14))) for _ in range(50)]
    assert np.mean(apart) == pytest.approx(1, abs=0.03)


def test_maps_of_other_sizes_are_not_compared():
    assert moved(np.eye(3), np.eye(4)) is None


def test_fine_maps_are_averaged_down_first():
    random = np.random.default_rng(0)
    coarse = random.random((SIDE, SIDE)).astype(np.float32)
    fine = np.kron(coarse, np.ones((4, 4), np.float32))
    grain = np.kron(np.ones((SIDE, SIDE)), [[1, -1, 1, -1]] * 4)  # adds up to nothing in each block
    assert moved(fine + grain, fine - grain) == pytest.approx(0, abs=1e-3)


def test_inside_is_the_share_of_what_is_positive():
    placed = np.array([[1, 2, 0, 0], [3, 4, 0, -9], [0, 0, np.nan, 10]], np.float32)
    assert inside(placed, [(0, 0, 0.5, 0.6)]) == pytest.approx(10 / 20)
    assert inside(placed, [(0, 0, 1, 1)]) == 1
    assert inside(placed, [(0.5, 0, 1, 0.6)]) == 0


def test_boxes_that_overlap_count_once():
    placed = np.ones((10, 10), np.float32)
    assert inside(placed, [(0, 0, 0.5, 1), (0.2, 0, 0.5, 1)]) == pytest.approx(0.5)
    assert inside(placed, [(0, 0, 0.3, 1), (0.5, 0, 1, 1)]) == pytest.approx(0.8)
    assert inside(placed, [(-5, -5, 0.5, 9)]) == pytest.approx(0.5)


@pytest.mark.parametrize("placed", [np.zeros((2, 2)), -np.ones((2, 2)), np.full((2, 2), np.nan)])
def test_where_nothing_is_positive_nothing_is_inside(placed):
    assert inside(placed, [(0, 0, 1, 1)]) is None


def test_without_boxes_there_is_no_share():
    assert inside(np.ones((2, 2)), []) is None
