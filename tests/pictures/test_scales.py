"""Limits by hand."""

import numpy as np
import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from kerasviz.pictures.scales import Scale, given, ordinal, scale_of


def test_coarse_maps_end_at_their_maximum():
    assert scale_of(np.array([[0.0, 2.0], [1.0, 4.0]]), signed=False) == Scale(0.0, 4.0, 0.0, "maximum")
    assert scale_of(np.arange(1024.0), signed=False).high == 1023


def test_fine_maps_end_at_the_99th_percentile_and_count_what_they_clip():
    scale = scale_of(np.arange(10001.0).reshape(73, 137), signed=False)
    assert scale == Scale(0.0, 9900.0, 100 / 10001, "99th percentile")


def test_signed_limits_are_symmetric_about_the_largest_magnitude():
    assert scale_of(np.array([-3.0, 2.0]), signed=True) == Scale(-3.0, 3.0, 0.0, "maximum")


def test_clip_is_a_percentile_of_coarse_maps_too():
    scale = scale_of(np.arange(1.0, 201.0), signed=False, clip=99.5)
    assert scale.kind == "99.5th percentile"
    assert scale.high == pytest.approx(1 + 199 * 0.995)
    assert scale.clipped == 1 / 200
    assert scale_of(np.arange(2000.0), signed=False, clip=100) == Scale(0.0, 1999.0, 0.0, "maximum")


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("values", [np.zeros((7, 7)), np.full((2, 2), np.nan), np.zeros((50, 50))])
def test_nothing_is_an_empty_scale(values, signed):
    assert scale_of(values, signed=signed) == Scale(0.0, 0.0)


def test_a_constant_map_is_not_stretched():
    assert scale_of(np.full((4, 4), 3.0), signed=False) == Scale(0.0, 3.0, 0.0, "maximum")


def test_nan_is_no_value_and_infinity_is_a_clipped_one():
    scale = scale_of(np.array([np.nan, 1.0, 2.0, np.inf]), signed=False)
    assert (scale.high, scale.clipped) == (2.0, 1 / 3)


def test_a_few_values_in_a_sea_of_zeros_are_not_lost():
    values = np.zeros((64, 64))
    values[3, 4], values[5, 6] = 2.0, 8.0
    assert scale_of(values, signed=False) == Scale(0.0, 8.0, 0.0, "maximum")


def test_values_below_an_unsigned_scale_are_clipped():
    assert scale_of(np.array([-5.0, 1.0]), signed=False) == Scale(0.0, 1.0, 0.5, "maximum")


def test_a_given_end_counts_what_lies_beyond_it():
    assert given(np.array([-4.0, -1.0, 0.0, 3.0]), 2.0, signed=True) == Scale(-2.0, 2.0, 0.5, "given")


@for_any(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40), st.booleans())
def test_a_coarse_signed_map_never_clips(values, signed):
    scale = scale_of(np.array(values), signed=signed)
    assert scale.high >= 0
    assert scale.low in (0, -scale.high)
    assert not (signed and scale.clipped)


def test_ordinals():
    assert [ordinal(n) for n in (99, 99.5, 1, 91, 11, 92)] == ["99th", "99.5th", "1st", "91st", "11th", "92nd"]
