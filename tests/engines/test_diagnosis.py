"""Why there is nothing on a map: each reason has its sentence, and its panel can be drawn."""

import keras
import numpy as np
import pytest
from networks import CLASS_MAP_KIND, GAP_NET, ONE_CONV, XC, dense, gap_net, mean, model_of, network

import kerasviz as kv

layers = keras.layers
AGAINST = gap_net("against", mean(), dense(), kernel=((1, -1), (2, -1)))
OUTWEIGHED = gap_net("outweighed", mean(), dense(), kernel=((1, 1), (2, -2)))


def drawn(result):
    """The panel can be drawn and shown, and bears no more than it says."""
    assert result.panel().dtype == np.uint8
    assert result.overlay().shape == (*result.given.pixels.shape[:2], 3)
    assert result._repr_png_().startswith(b"\x89PNG")
    return result


def blocks(first, second):
    """The picture whose two maps are these."""
    picture = np.zeros((4, 4, 1), "float32")
    picture[::2, ::2, 0], picture[1::2, 1::2, 0] = first, second
    return picture


@pytest.mark.parametrize("engine", [kv.GradCAM(), kv.CAM()])
def test_every_channel_argues_against_the_class(engine):
    opened = kv.open(model_of(AGAINST), labels=["cat", "<b>dog</b>"])
    result = drawn(engine(opened, XC, 1))
    assert not result.heatmap.any()
    assert result.status == "warning"
    assert result.messages == ("All values are 0: every channel of 'maps' argues against '<b>dog</b>'.",)
    assert result.diagnosis["channels_for"] == 0
    assert result.diagnosis["negative_share"] == 1
    assert "&lt;b&gt;dog&lt;/b&gt;" in result._repr_html_()
    assert "<b>" not in result._repr_html_()


def test_what_speaks_for_the_class_is_outweighed_everywhere():
    result = drawn(kv.GradCAM()(network(OUTWEIGHED), blocks(1, [[3, 2], [1, 1]]), 1))
    expected = "All values are 0: nowhere in 'maps' does what speaks for 'class 1' outweigh what speaks against it."
    assert result.messages == (expected,)
    assert result.diagnosis["channels_for"] == 1


def test_a_dead_layer():
    result = drawn(kv.GradCAM()(network(ONE_CONV), XC, 0))
    assert result.messages == ("All values are 0: layer 'relu1' is dead for this picture, every unit of it gives 0.",)
    assert result.diagnosis["largest_activation"] == 0
    assert result.status == "warning"


def test_a_score_that_does_not_change_with_the_layer():
    result = drawn(kv.GradCAM(layer="conv1")(network(ONE_CONV), XC, 0))
    expected = "All values are 0: the score of 'class 0' does not change with 'conv1'; its gradient there is 0."
    assert result.messages == (expected,)
    assert result.diagnosis["gradient_norm"] == 0
    pixels = drawn(kv.Saliency()(network(ONE_CONV), XC, 0))
    assert pixels.messages == (expected.replace("'conv1'", "the pixels"),)


@pytest.mark.parametrize("engine", [kv.GradCAM(), kv.Saliency()])
def test_a_saturated_probability(engine):
    sure = gap_net("sure", mean(), dense(), kernel=((100, -100), (100, -100)))
    result = drawn(engine(kv.open(model_of(sure)), XC, "p(0)"))
    where = "'maps'" if result.layer else "the pixels"
    (message,) = result.messages
    assert message == (
        f"All values are 0: the score of 'class 0' does not change with {where}; its gradient there is 0. "
        "The probability is saturated; explain the logit."
    )
    assert result.diagnosis["probability"] == 1
    assert engine(kv.open(model_of(sure)), XC, 0).messages == ()


def test_slopes_that_cancel_are_no_arguments_against_the_class():
    balanced = [layers.Conv2D(1, 1, use_bias=False, name="maps"), layers.Flatten(), layers.Dense(2, use_bias=False)]
    model = keras.Sequential([keras.Input((1, 2, 1)), *balanced])
    model.set_weights([np.ones((1, 1, 1, 1)), np.array([[1, 1], [-1, 1]])])
    result = drawn(kv.GradCAM()(model, np.array([1, 3], "float32").reshape(1, 2, 1), 0))
    assert not result.heatmap.any()
    assert result.messages == ("All values are 0: no channel of 'maps' argues for or against 'class 0'.",)


@pytest.mark.parametrize("engine", [kv.GradCAM(), kv.CAM()])
def test_a_class_whose_own_filter_is_silent(engine):
    result = drawn(engine(network(CLASS_MAP_KIND), blocks(0, [[3, 2], [1, 1]]), 0))
    assert result.messages == ("All values are 0: no channel of 'maps' argues for or against 'class 0'.",)


@pytest.mark.parametrize("engine", [kv.GradCAM(), kv.Saliency(), kv.CAM(), kv.Activations()])
def test_a_picture_of_one_colour(engine):
    result = drawn(engine(network(GAP_NET), np.full((4, 4, 1), 2, "float32")))
    assert result.status == "warning"
    assert result.messages == ("Every pixel of the picture has the same value.",)


def broken(value):
    model = model_of(GAP_NET)
    model.get_layer("logits").set_weights([np.full((2, 2), value), np.zeros(2)])
    return kv.open(model)


@pytest.mark.parametrize("engine", [kv.GradCAM(), kv.Saliency(), kv.CAM()])
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_numbers_that_are_none_fail_and_are_drawn_as_nothing(engine, value):
    result = drawn(engine(broken(value), XC, 0))
    assert result.status == "failed"
    where = " at layer 'maps'" if result.layer else ""
    expected = f"The network's answer is not a number{where}: it overflows, or its weights are broken."
    assert result.messages == (expected,)


def test_maps_that_are_no_numbers_fail():
    model = model_of(GAP_NET)
    model.get_layer("conv").set_weights([np.full((2, 2, 1, 2), np.nan)])
    result = drawn(kv.Activations(layer="conv")(model, XC))
    assert result.status == "failed"
    assert "at layer 'conv'" in result.messages[0]


def test_the_measures_of_a_healthy_result():
    result = drawn(kv.GradCAM()(network(GAP_NET), XC, 1))
    assert (result.status, result.messages) == ("ok", ())
    chance = 1 / (1 + np.exp(4.75))
    expected = {
        "probability": chance,
        "rank": 2,
        "margin": 1 - 2 * chance,
        "gradient_norm": np.sqrt(4 * (1 / 16 + 1 / 16)),  # (-1, 1) / 4 at each of four cells
        "largest_activation": 3,
        "negative_share": 0.5,  # evidence 2 -2 -2 2
        "channels_for": 1,
    }
    assert result.diagnosis == pytest.approx(expected, rel=1e-5)
