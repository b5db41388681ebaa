"""Figures and sentences as they are printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasviz.pictures import captions
from kerasviz.pictures.scales import Scale


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.443, 3, "0.443"),
        (0.74, 2, "0.74"),
        (1.0, 2, "1.0"),
        (6, 3, "6.00"),
        (0, 3, "0"),
        (-0.0, 3, "0"),
        (-1.9, 2, "−1.9"),
        (3.2e-4, 3, "3.2e−4"),
        (-3.24e-12, 2, "−3.2e−12"),
        (10, 2, "10"),
        (999.9, 3, "1,000"),
        (1234.4, 2, "1,234"),
        (2.5e7, 3, "2.5e7"),
        (float("nan"), 3, "not a number"),
        (float("-inf"), 3, "−∞"),
    ],
)
def test_numbers(value, digits, text):
    assert captions.number(value, digits) == text


@given(st.floats(-1e9, 1e9))
def test_a_number_reads_back_to_two_figures(value):
    text = captions.number(value, 2).replace("−", "-").replace(",", "")
    assert float(text) == pytest.approx(value, rel=0.051)
    assert "-" not in captions.number(value, 2)


def test_chances_and_shares():
    assert [captions.chance(p) for p in (0.774, 0.01, 0.0099, 0.0)] == ["0.77", "0.01", "< 0.01", "< 0.01"]
    assert [captions.percent(p) for p in (0.01, 0.004, 0.123)] == ["1 %", "< 1 %", "12 %"]


def test_the_question_and_what_came_after():
    words = captions.question("Grad-CAM", "Egyptian cat", captions.standing(1), captions.score_words(10.51), "")
    assert words == "Grad-CAM for Egyptian cat, the predicted class, logit 10.5."
    assert captions.runners_up([("tiger cat", 0.1), ("tabby", 0.08)]) == "After it: tiger cat 0.10, tabby 0.08."
    assert captions.runners_up([]) == ""
    assert captions.standing(43) == "ranked 43"


def test_scores_in_their_units():
    assert captions.score_words(-2.34) == "logit −2.3"
    assert captions.score_words(0.001, "probability") == "probability < 0.01"
    assert captions.score_words(12.345, "value") == "value 12.3"


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (Scale(0, 0.443), "Scale 0 to 0.443 logit, the maximum: nothing is clipped."),
        (Scale(-1.9, 1.9, 0.01, "99th percentile"), "Scale −1.90 to 1.90 logit, 99th percentile, 1 % clipped."),
        (Scale(0, 6, 0, "given"), "Scale 0 to 6.00 logit, given."),
        (Scale(0, 2, 0.25, "maximum"), "Scale 0 to 2.00 logit, the largest finite value, 25 % clipped."),
        (Scale(0, 0), "Every value is 0, so the scale is empty."),
    ],
)
def test_scales_in_words(scale, words):
    assert captions.scale_words(scale, "logit") == words


def test_small_print_is_sentences():
    text = captions.small_print("EfficientNet-Lite0, layer head_activation", "", captions.opacity_words(0.65))
    assert text == "EfficientNet-Lite0, layer head_activation. Overlay: opacity 0.65 × √share."
