"""Grad-CAM: what is its own."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import (
    CLASS_MAPS,
    GAP_ENDS,
    GAP_NET,
    MULTI_CHANNELS,
    MULTI_DENSE,
    MULTI_ROW,
    ONE_CONV,
    TWINS,
    XA,
    XB,
    XC,
    network,
)

import kerasviz as kv


@pytest.mark.parametrize("kind", TWINS)
def test_the_maps_of_a_convolution_solved_by_hand(kind):
    maps = network(ONE_CONV, kind).activations(XA, "relu1")
    np.testing.assert_array_equal(maps[..., 0], [[0, 4], [31, 40]])
    np.testing.assert_array_equal(maps[..., 1], [[0, 0], [6, 15]])


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize(
    ("layer", "picture", "expected"),
    [
        ("relu1", XA, [[0, 4], [28, 32.5]]),
        ("conv1", XA, [[11.25, 13.5], [20.25, 22.5]]),
        ("conv1", XB, [[14.5, 19], [32.5, 37]]),
    ],
)
def test_heatmap_is_equation_2_on_a_network_solved_by_hand(kind, layer, picture, expected):
    result = kv.GradCAM(layer=layer)(network(ONE_CONV, kind), picture, target=0)
    np.testing.assert_array_equal(result.values, expected)
    np.testing.assert_array_equal(result.heatmap, expected)
    assert result.layer.path.split("/")[-1] == layer


@pytest.mark.parametrize("kind", TWINS)
def test_the_last_maps_are_explained_when_no_layer_is_named(kind):
    result = kv.GradCAM()(network(ONE_CONV, kind), XA, target=0)
    assert result.layer.path.split("/")[-1] == "relu1"
    np.testing.assert_array_equal(result.values, [[0, 4], [28, 32.5]])


@pytest.mark.parametrize("kind", TWINS)
def test_the_parts_that_channels_have_in_it(kind):
    # d logit / d conv1 is the dense row where the ReLU is open: (0 1 1 1) and (0 0 -1 -1), so w = (3, -2) / 4.
    maps = network(ONE_CONV, kind).activations(XA, "conv1")
    parts = maps * np.array([0.75, -0.5], "float32")
    np.testing.assert_array_equal(parts[..., 0], [[-3.75, 3], [23.25, 30]])
    np.testing.assert_array_equal(parts[..., 1], [[15, 10.5], [-3, -7.5]])
    result = kv.GradCAM(layer="conv1")(network(ONE_CONV, kind), XA, 0)
    np.testing.assert_array_equal(result.values, parts.sum(-1))


@pytest.mark.parametrize("kind", TWINS)
def test_along_a_row_and_across_channels_the_same_evidence(kind):
    row = kv.GradCAM(layer="identity")(network(MULTI_ROW, kind), np.array([0, 100, 0], "float32").reshape(1, 3, 1), 0)
    np.testing.assert_array_equal(row.values, [[0, 400, 0]])
    cell = kv.GradCAM(layer="identity")(
        network(MULTI_CHANNELS, kind), np.array([0, 100, 0], "float32").reshape(1, 1, 3), 0
    )
    np.testing.assert_array_equal(cell.values, [[400]])


@pytest.mark.parametrize("kind", TWINS)
def test_a_layer_without_a_grid_is_refused_with_the_cure(kind):
    with pytest.raises(kv.LayerError, match=r"Expected a layer with maps .*found '.*identity'.*kerasviz layers"):
        kv.GradCAM(layer="identity")(network(MULTI_DENSE, kind), np.ones((1, 3, 1), "float32"), 0)
    with pytest.raises(kv.LayerError, match=r"this network has none\. Use saliency"):
        kv.GradCAM()(network(MULTI_DENSE, kind), np.ones((1, 3, 1), "float32"), 0)


def test_a_layer_that_does_not_exist_is_refused_with_near_names():
    with pytest.raises(kv.LayerError, match=r"has no layer 'conv2'\. Did you mean 'conv1'"):
        kv.GradCAM(layer="conv2")(network(ONE_CONV), XA, 0)


def test_a_layer_beside_the_way_to_the_target_is_refused():
    pixels = keras.Input((4, 4, 1))
    convolutions = [keras.layers.Conv2D(2, 3, name=name)(pixels) for name in ("ahead", "beside")]
    heads = [
        keras.layers.Dense(2, name=f"head{k}")(keras.layers.Flatten()(maps)) for k, maps in enumerate(convolutions)
    ]
    with pytest.raises(kv.LayerError, match=r"does not depend on layer 'beside'.*Expected a layer between"):
        kv.GradCAM(layer="beside")(keras.Model(pixels, heads), XA, "head0:1")


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize("target", [0, 1])
def test_the_number_of_cells_times_it_is_cam(kind, target):
    opened = network(GAP_NET, kind)
    cam, gradcam = kv.CAM()(opened, XC, target), kv.GradCAM()(opened, XC, target)
    np.testing.assert_array_equal(4 * gradcam.values, np.maximum(CLASS_MAPS[target], 0))
    np.testing.assert_array_equal(4 * gradcam.values, cam.heatmap)


@pytest.mark.parametrize("end", GAP_ENDS)
def test_a_softmax_or_sigmoid_is_looked_behind(end):
    result = kv.GradCAM()(network(GAP_ENDS[end]), XC, 0)
    np.testing.assert_array_equal(4 * result.values, CLASS_MAPS[0])
    assert (result.target.score, result.target.scale) == (4.25, "output" if end == "linear" else "logit")


def test_the_map_is_stretched_by_half_pixels():
    rows = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]], "float32")
    result = kv.GradCAM(layer="relu1")(network(ONE_CONV), XA, 0)
    np.testing.assert_array_equal(result.given.fit.place(result.heatmap), rows @ result.heatmap @ rows.T)
    assert result.overlay().shape == (4, 4, 3)


@pytest.fixture(scope="module")
def linear():
    """Maps are the picture's channels; logit = mean of the first times 3 less mean of the second."""
    pixels = keras.Input((3, 3, 2))
    maps = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")(pixels)
    head = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(pixels, head(keras.layers.GlobalAveragePooling2D()(maps)))
    model.get_layer("maps").set_weights([np.eye(2, dtype="float32")[None, None]])
    return kv.open(model), head


WEIGHTS = np.array([[3], [-1]], "float32")
PICTURES = arrays(np.float32, (3, 3, 2), elements=st.floats(-100, 100, width=32))


@given(PICTURES)
@settings(deadline=None, max_examples=40)
def test_heatmap_is_never_negative_and_what_speaks_for_the_target(linear, picture):
    opened, head = linear
    head.set_weights([WEIGHTS])
    heatmap = kv.GradCAM()(opened, picture).heatmap
    assert heatmap.min() >= 0
    expected = np.maximum(3 * picture[..., 0] - picture[..., 1], 0) / 9
    np.testing.assert_allclose(heatmap, expected, rtol=1e-5, atol=1e-5)


@given(PICTURES, st.floats(0.125, 8, width=32))
@settings(deadline=None, max_examples=40)
def test_heatmap_grows_with_the_logit(linear, picture, factor):
    opened, head = linear
    head.set_weights([WEIGHTS])
    once = kv.GradCAM()(opened, picture)
    before = opened.traces
    head.set_weights([factor * WEIGHTS])
    more = kv.GradCAM()(opened, picture)
    assert opened.traces == before
    np.testing.assert_allclose(more.heatmap, factor * once.heatmap, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(more.target.score, factor * once.target.score, rtol=1e-4, atol=1e-3)
