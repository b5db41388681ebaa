"""Activations: what is its own."""

import keras
import numpy as np
import pytest
from networks import GAP_NET, ONE_CONV, TWINS, XA, XC, model_of, network, random_pictures

import kerasviz as kv

layers = keras.layers
SHAPE = (9, 8, 3)
NAMES = ("conv", "norm", "relu", "pool", "block/depthwise", "block/pointwise", "flat", "dense")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    block = keras.Sequential(
        [keras.Input((4, 4, 4)), layers.DepthwiseConv2D(2, name="depthwise"), layers.Conv2D(3, 1, name="pointwise")],
        name="block",
    )
    pixels = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, padding="same", name="conv")(pixels)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Dropout(0.5, name="dropout")(block(x))
    x = layers.Dense(5, "softmax", name="dense")(layers.Flatten(name="flat")(x))
    model = keras.Model(pixels, x)
    rng = np.random.default_rng(1)
    norm = model.get_layer("norm")
    norm.set_weights([rng.uniform(0.5, 2, w.shape).astype("float32") for w in norm.get_weights()])
    return model


def outputs(model, pictures):
    """What Keras's own sub-models return for each of NAMES."""
    block = model.get_layer("block")
    found = {}
    for name in NAMES:
        owner = block if "/" in name else model
        part = keras.Model(owner.inputs, owner.get_layer(name.split("/")[-1]).output)
        start = keras.Model(model.inputs, model.get_layer("pool").output)(pictures) if "/" in name else pictures
        found[name] = np.asarray(part(start, training=False))
    return found


def test_values_are_what_the_layers_return(model):
    pictures = random_pictures(3, shape=SHAPE)
    expected = outputs(model, pictures)
    for name in NAMES:
        for result, wanted in zip(kv.Activations(layer=name)(model, pictures), expected[name], strict=True):
            np.testing.assert_allclose(result.values, wanted, rtol=1e-6, atol=1e-6, err_msg=name)
            assert (result.layer.path, result.target) == (name, None)


def test_several_layers_are_one_pass_in_the_order_asked(model):
    opened, pictures = kv.open(model), random_pictures(2, shape=SHAPE)
    asked = ("pool", "dense", "conv")
    results = kv.Activations(layer=asked)(opened, pictures)
    assert [result.layer.path for result in results] == [*asked, *asked]
    assert opened.traces == 1
    expected = outputs(model, pictures)
    for k, result in enumerate(results):
        np.testing.assert_allclose(result.values, expected[result.layer.path][k // 3], rtol=1e-6, atol=1e-6)
    assert kv.Activations(layer="pool, dense ,conv") == kv.Activations(layer=asked)
    kv.Activations(layer="pool,dense,conv", order="index")(opened, pictures)
    assert opened.traces == 1


@pytest.mark.parametrize("kind", TWINS)
def test_the_maps_solved_by_hand(kind):
    result = kv.Activations(layer="relu1")(network(ONE_CONV, kind), XA)
    np.testing.assert_array_equal(result.values, np.stack([[[0, 4], [31, 40]], [[0, 0], [6, 15]]], -1))
    np.testing.assert_array_equal(result.heatmap, [[0, 2], [18.5, 27.5]])


@pytest.mark.parametrize("kind", TWINS)
def test_the_last_maps_when_no_layer_is_named(kind):
    result = kv.Activations()(network(GAP_NET, kind), XC)
    assert result.layer.path.split("/")[-1] == "maps"
    assert result.values.shape == (2, 2, 2)


def test_channels_first_is_turned():
    convolution = layers.Conv2D(2, 2, strides=2, use_bias=False, data_format="channels_first", name="maps")
    turned = [layers.Permute((3, 1, 2)), convolution, layers.Flatten(), layers.Dense(2)]
    model = keras.Sequential([keras.Input((4, 4, 1)), *turned])
    convolution.set_weights(model_of(GAP_NET).get_layer("conv").get_weights())
    try:
        model(XC[None])
    except Exception:
        pytest.skip("this TensorFlow has no such convolution on the CPU")
    result = kv.Activations(layer="maps")(model, XC)
    np.testing.assert_array_equal(result.values, network(GAP_NET).activations(XC, "conv"))


def test_a_vector_is_one_row_of_cells_and_can_be_drawn(model):
    result = kv.Activations(layer="dense")(model, random_pictures(1, shape=SHAPE)[0])
    assert result.values.shape == (5,)
    np.testing.assert_array_equal(result.heatmap, result.values[None])
    assert result.panel().dtype == np.uint8


def test_an_order_that_is_none_is_refused():
    with pytest.raises(kv.SettingError, match="activations: order must be one of strongest, index, found 'random'"):
        kv.Activations(order="random")


def test_a_layer_that_does_not_exist_is_refused_with_near_names(model):
    with pytest.raises(kv.LayerError, match=r"no layer 'pol'.*Did you mean 'pool'"):
        kv.Activations(layer="conv,pol")(model, random_pictures(1, shape=SHAPE))
