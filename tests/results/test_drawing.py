"""Results drawn: what a user may choose, and what stands on the pictures where nothing was chosen."""

import keras
import numpy as np
import pytest

import kerasviz as kv

PHOTO = np.repeat(np.random.default_rng(0).integers(0, 255, (40, 40, 1), np.uint8), 3, -1)  # grey: colour is the map's


@pytest.fixture(scope="module")
def network():
    """Two heads on 40 x 40 pixels: more cells than a coarse map has."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((40, 40, 3))
    maps = keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(pixels))
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    heads = [keras.layers.Dense(size, activation="softmax")(pooled) for size in (5, 3)]
    return kv.open(keras.Model(pixels, heads), labels=list("abcde"))


def colourfulness(picture):
    return np.ptp(picture.astype(int), axis=-1).max()


def test_an_overlay_of_a_fine_map_has_colours_as_on_the_panel(network):
    result = kv.Saliency()(network, PHOTO)
    assert colourfulness(result.overlay()) > 50
    np.testing.assert_array_equal(result.overlay(), result.overlay(colormap="inferno"))
    assert colourfulness(result.overlay(colormap="grey")) <= 1


def test_labels_name_the_classes_of_their_own_output_only(network):
    first, second = (kv.GradCAM()(network, PHOTO, target) for target in ("out0:2", "out1:2"))
    assert {guess.name for guess in first.predictions} == set("abcde")
    assert {guess.name for guess in second.predictions} == {"class 0", "class 1", "class 2"}


@pytest.mark.parametrize("scale", [0, 9, 10**9, "two"])
def test_a_scale_that_fills_the_memory_is_refused(network, scale):
    with pytest.raises(kv.SettingError, match="scale must be from 1 to 8, found"):
        kv.GradCAM()(network, PHOTO).panel(scale=scale)
