"""Lines fit, and nothing is said that was not there."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasviz.pictures.lettering import BODY, NOTE, TITLE, Lettering, clean, draw_text

WORDS = st.lists(st.text("abcdefg_wWi", min_size=1, max_size=60), min_size=1, max_size=12)


@given(WORDS, st.sampled_from([1, 2]), st.integers(30, 400))
def test_wrapped_lines_fit_and_hold_every_letter(words, scale, wide):
    letters = Lettering(scale)
    lines = letters.wrap(" ".join(words), wide, NOTE)
    assert all(letters.width(line, NOTE) <= wide for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(words)


@given(WORDS, st.sampled_from([1, 2]), st.integers(40, 400))
def test_shortened_text_fits_and_says_that_it_was_cut(words, scale, wide):
    letters, text = Lettering(scale), " ".join(words)
    short = letters.shorten(text, wide, TITLE)
    assert letters.width(short, TITLE) <= wide
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_the_last_line_that_is_allowed_is_shortened():
    letters = Lettering(1)
    lines = letters.wrap("one two three four five six seven eight", 60, BODY, lines=2)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert letters.wrap("x" * 500, 60, BODY, lines=1)[0].endswith("x…")
    assert letters.wrap("", 60, BODY) == []


def test_no_break_spaces_hold_a_figure_to_its_unit():
    letters = Lettering(1)
    lines = letters.wrap("scale of 12\u00a0px", letters.width("scale of 12", BODY) + 2, BODY)
    assert lines == ["scale of", "12\u00a0px"]


def test_the_measure_is_where_the_ink_ends():
    for scale in (1, 2):
        pixels = np.full((60, 400, 3), 255, np.uint8)
        end = draw_text(pixels, "tiger cat 285", 20, 40, BODY, (0, 0, 0), scale)
        columns = np.flatnonzero((pixels < 200).any(axis=(0, 2)))
        assert end - 20 == Lettering(scale).width("tiger cat 285", BODY) * scale
        assert 20 <= columns[0] <= 24
        assert end - 4 * scale <= columns[-1] <= end


def test_text_beyond_the_edge_never_goes_on_below():
    pixels = np.full((80, 60, 3), 255, np.uint8)
    draw_text(pixels, "a very long line of text", 5, 20, BODY, (0, 0, 0), 1)
    assert (pixels[30:] == 255).all()


def test_control_characters_are_spaces_and_accents_are_joined():
    assert clean("a\nb\tc\u200b\u202ed") == "a b c d"
    assert clean("e\u0301") == "é"


@pytest.mark.parametrize("threads", [8])
def test_threads_draw_the_same_letters(threads):
    def draw(k):
        pixels = np.full((60, 300, 3), 255, np.uint8)
        draw_text(pixels, f"wörld − ≥ {k % 7}", 5, 40, (BODY, TITLE)[k % 2], (0, 0, 0), 1 + k % 2)
        return pixels

    alone = [draw(k) for k in range(200)]
    with ThreadPoolExecutor(threads) as pool:
        together = list(pool.map(draw, range(200)))
    np.testing.assert_array_equal(alone, together)
