"""CAM: what is its own."""

from pathlib import Path

import keras
import numpy as np
import pytest
from networks import (
    CLASS_MAP_KIND,
    CLASS_MAPS,
    GAP_ENDS,
    GAP_KINDS,
    GAP_LOGITS,
    GAP_MAPS,
    GAP_NET,
    GAP_SIDE,
    ONE_CONV,
    TWINS,
    XA,
    XC,
    model_of,
    network,
)

import kerasviz as kv

SAMPLES = Path(__file__).parents[3] / "sample_models"
BIASES = (0.5, -0.5)


@pytest.mark.parametrize("kind", TWINS)
def test_the_network_solved_by_hand(kind):
    opened = network(GAP_NET, kind)
    maps = opened.activations(XC, "maps")
    np.testing.assert_array_equal(np.moveaxis(maps, -1, 0), GAP_MAPS)
    logits = np.array([kv.CAM()(opened, XC, k).target.score for k in (0, 1)])
    np.testing.assert_array_equal(logits, GAP_LOGITS)
    np.testing.assert_allclose(opened.predict(XC), np.exp(logits) / np.exp(logits).sum(), rtol=1e-6)


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize("target", [0, 1])
def test_its_mean_and_the_bias_are_the_logit(kind, target):
    result = kv.CAM()(network(GAP_NET, kind), XC, target)
    np.testing.assert_array_equal(result.values, CLASS_MAPS[target])
    np.testing.assert_array_equal(result.heatmap, np.maximum(CLASS_MAPS[target], 0))
    assert result.values.mean() + result.diagnosis["bias"] == result.target.score == GAP_LOGITS[target]
    assert result.diagnosis["bias"] == BIASES[target]
    assert result.layer.path.split("/")[-1] == "maps"


@pytest.mark.parametrize("name", GAP_KINDS)
@pytest.mark.parametrize("target", [0, 1])
def test_other_ways_to_write_the_same_network(name, target):
    result = kv.CAM()(network(GAP_KINDS[name]), XC, target)
    np.testing.assert_array_equal(result.values, CLASS_MAPS[target])
    assert (result.target.score, result.target.scale) == (GAP_LOGITS[target], "logit")
    assert result.layer.path == "maps"


@pytest.mark.parametrize("end", GAP_ENDS)
def test_a_softmax_or_sigmoid_is_looked_behind(end):
    result = kv.CAM()(network(GAP_ENDS[end]), XC, 1)
    np.testing.assert_array_equal(result.values, CLASS_MAPS[1])
    assert (result.target.score, result.target.scale) == (-0.5, "output" if end == "linear" else "logit")


def test_a_contrast_is_the_difference_of_two_maps():
    result = kv.CAM()(network(GAP_NET), XC, "0-1")
    np.testing.assert_array_equal(result.values, CLASS_MAPS[0] - CLASS_MAPS[1])
    assert result.values.mean() + result.diagnosis["bias"] == result.target.score == 4.75


@pytest.mark.parametrize(("target", "sign"), [(1, 1), (0, -1)])
def test_one_sigmoid_unit_has_two_sides(target, sign):
    result = kv.CAM()(network(GAP_SIDE), XC, target)
    np.testing.assert_array_equal(result.values, sign * CLASS_MAPS[0])
    assert (result.target.score, result.diagnosis["bias"]) == (sign * 4.25, sign * 0.5)
    sides = kv.CAM(all_classes=True)(network(GAP_SIDE), XC, target)
    np.testing.assert_array_equal(sides.values, np.stack([-CLASS_MAPS[0], CLASS_MAPS[0]], -1))


@pytest.mark.parametrize("kind", TWINS)
@pytest.mark.parametrize("target", [0, 1])
def test_where_each_class_has_its_own_filter_its_map_is_that_filters(kind, target):
    opened = network(CLASS_MAP_KIND, kind)
    result = kv.CAM()(opened, XC, target)
    np.testing.assert_array_equal(result.values, opened.activations(XC, "maps")[..., target])
    np.testing.assert_array_equal(result.values, GAP_MAPS[target])
    assert (result.target.score, result.diagnosis["bias"]) == (1.25, 0)


def test_the_maps_of_all_classes_side_by_side():
    opened = network(GAP_NET)
    result = kv.CAM(all_classes=True)(opened, XC, 1)
    np.testing.assert_array_equal(result.values, np.stack(CLASS_MAPS, -1))
    np.testing.assert_array_equal(result.heatmap, np.maximum(CLASS_MAPS[1], 0))
    assert result.grid is not None
    assert result.panel().ndim == 3
    own = kv.CAM(all_classes=True)(network(CLASS_MAP_KIND), XC)
    np.testing.assert_array_equal(own.values, np.stack(GAP_MAPS, -1))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = model_of(GAP_NET)
    finally:
        keras.config.set_dtype_policy(before)
    result = kv.CAM()(model, XC, 0)  # every number on the way is a small multiple of a quarter: exact in half precision
    np.testing.assert_array_equal(result.values, CLASS_MAPS[0])
    assert result.values.dtype == np.float32
    assert result.target.score == 4.25


def test_a_live_tf_keras_model():
    import tf_keras

    pixels = tf_keras.Input((4, 4, 1))
    maps = tf_keras.layers.ReLU(name="maps")(tf_keras.layers.Conv2D(2, 2, 2, use_bias=False)(pixels))
    scores = tf_keras.layers.Dense(2, "softmax")(tf_keras.layers.GlobalAveragePooling2D()(maps))
    model = tf_keras.Model(pixels, scores)
    model.set_weights(model_of(GAP_NET).get_weights())
    np.testing.assert_array_equal(kv.CAM()(model, XC, 0).values, CLASS_MAPS[0])


@pytest.mark.parametrize("kind", TWINS)
def test_a_network_without_such_an_end_is_refused_and_gradcam_is_named(kind):
    with pytest.raises(kv.TechniqueError, match=r"CAM needs .*averaged.*found .*Use gradcam"):
        kv.CAM()(network(ONE_CONV, kind), XA, 0)


def ended(*end):
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 2), *end])
    return kv.open(model)


@pytest.mark.parametrize(
    "end",
    [
        lambda layers: [layers.GlobalMaxPooling2D(), layers.Dense(2)],
        lambda layers: [layers.GlobalAveragePooling2D(), layers.Dense(3, "relu"), layers.Dense(2)],
        lambda layers: [layers.GlobalAveragePooling2D(), layers.Dense(2, "relu")],
        lambda layers: [layers.AveragePooling2D(2, strides=1), layers.Flatten(), layers.Dense(2)],
        lambda layers: [layers.AveragePooling2D((3, 2)), layers.Flatten(), layers.Dense(2)],
    ],
)
def test_a_near_miss_is_refused_as_well(end):
    with pytest.raises(kv.TechniqueError, match="Use gradcam"):
        kv.CAM()(ended(*end(keras.layers)), XA, 0)


@pytest.mark.parametrize("target", ["p(0)", "maps:0", lambda view: view.outputs["scores"][:, 0]])
def test_what_is_no_logit_of_a_class_is_refused(target):
    with pytest.raises(kv.TechniqueError, match=r"CAM explains the logit of a class.*gradcam"):
        kv.CAM()(network(GAP_NET), XC, target)


def test_cells_times_gradcam_on_the_sample_network():
    opened = kv.open(SAMPLES / "efficientnet_lite0.keras")
    photograph = SAMPLES / "photos" / "cat_chelsea.png"
    cam, gradcam = kv.CAM()(opened, photograph), kv.GradCAM()(opened, photograph)
    assert cam.target == gradcam.target
    scale = np.abs(cam.values).max()
    np.testing.assert_allclose(gradcam.values.size * gradcam.values, cam.heatmap, atol=1e-4 * scale)
    np.testing.assert_allclose(cam.values.mean() + cam.diagnosis["bias"], cam.target.score, rtol=1e-5)
