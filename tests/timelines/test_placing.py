"""A map lies on the drawing exactly where its Fit places it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_folders import row

from kerasviz.inputs.fitting import WAYS, Fit
from kerasviz.timelines.placing import Placing

sides = st.integers(8, 120)


@given(st.tuples(sides, sides), st.tuples(sides, sides), st.tuples(*[st.integers(1, 64)] * 2), st.tuples(sides, sides),
       st.sampled_from(WAYS))  # fmt: skip
def test_placing_is_what_the_fit_does(photo, network, cells, size, how):
    fit = Fit(photo, network, how)
    values = np.random.default_rng(0).normal(size=cells).astype(np.float32)
    placed = Placing(row(fit=fit).seen, cells, size).place(values)
    np.testing.assert_allclose(placed, fit.place(values, size), atol=1e-5)  # NaN where NaN is, too


def test_what_was_cropped_is_no_number():
    fit = Fit((40, 80), (10, 10), "crop")
    placed = Placing(row(fit=fit).seen, (5, 5), (40, 80)).place(np.ones((5, 5)))
    assert np.isnan(placed[:, :20]).all()
    assert np.isnan(placed[:, 60:]).all()
    assert (placed[:, 20:60] == 1).all()


@pytest.mark.parametrize("cells", [(1, 1), (3, 5), (64, 64)])
def test_what_was_padded_lies_beyond_the_photograph(cells):
    values = np.ones(cells, np.float32)
    values[0], values[-1] = 7, 9  # of the grey above and below
    placed = Placing(row(fit=Fit((20, 80), (16, 16), "pad")).seen, cells, (20, 80)).place(values)
    assert placed.shape == (20, 80)
    assert not np.isnan(placed).any()
    if cells == (64, 64):
        assert (placed == 1).all()
