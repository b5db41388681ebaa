"""One network with the same weights, written by Keras 2 and 3 in every format: every file gives the same heatmaps."""

import keras
import numpy as np
import pytest
import tf_keras

import kerasviz as kv

PIXELS = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
FORMATS = (".keras", ".h5", "Keras 2 .keras", "Keras 2 .h5", "Keras 2 SavedModel", "export")
ENGINES = (kv.GradCAM(), kv.GradCAM(layer="wide_relu"), kv.Saliency(), kv.GuidedBackprop())


def _inverted_residual(library):
    """A stem, a block as in MobileNetV2, a head: what folds, what branches, what is shared by both versions."""
    layers = library.layers
    start = library.Input((32, 32, 3), name="image")
    stem = layers.Conv2D(6, 3, 2, padding="same", use_bias=False, name="stem")(start)
    stem = layers.ReLU(6.0, name="stem_relu")(layers.BatchNormalization(name="stem_bn")(stem))
    wide = layers.Conv2D(12, 1, use_bias=False, name="wide")(stem)
    wide = layers.Activation("relu", name="wide_relu")(layers.BatchNormalization(name="wide_bn")(wide))
    deep = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="deep")(wide)
    both = layers.Add(name="both")([stem, layers.Conv2D(6, 1, name="narrow")(deep)])
    pooled = layers.GlobalAveragePooling2D(name="pool")(both)
    return library.Model(start, layers.Dense(4, activation="softmax", name="scores")(pooled), name="residual")


@pytest.fixture(scope="module")
def weights():
    """Of either version, in the same order; statistics as training leaves them."""
    random = np.random.default_rng(1)
    shapes = [(weight.name.partition(":")[0], weight.shape) for weight in _inverted_residual(keras).weights]
    spread = {"moving_variance": (1.0, 0.2), "gamma": (1.0, 0.2), "kernel": (0.0, 0.5)}
    found = [random.normal(*spread.get(name, (0.0, 0.2)), shape).astype("float32") for name, shape in shapes]
    return [
        np.abs(value) + 0.1 if name == "moving_variance" else value
        for (name, _), value in zip(shapes, found, strict=True)
    ]


@pytest.fixture(scope="module")
def networks(weights, tmp_path_factory):
    folder, found = tmp_path_factory.mktemp("formats"), {}
    three, two = _inverted_residual(keras), _inverted_residual(tf_keras)
    by_name = dict(zip([weight.path for weight in three.weights], weights, strict=True))
    three.set_weights(weights)
    names = [weight.name.removesuffix(":0").replace("depthwise_kernel", "kernel") for weight in two.weights]
    two.set_weights([by_name[name] for name in names])
    for number, name in enumerate(FORMATS):
        path = folder / f"{number}{name.removeprefix('Keras 2 ') if '.' in name else ''}"
        model = two if name.startswith("Keras 2") else three
        if name == "export":
            model.export(path, verbose=False)
        else:
            model.save(path, **({"save_format": "tf"} if name.endswith("SavedModel") else {}))
        found[name] = kv.open(path)
    return found


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("engine", ENGINES, ids=["gradcam", "gradcam of a middle layer", "saliency", "guided-backprop"])
def test_every_format_gives_the_heatmaps_of_the_first(engine, name, networks):
    for one, first in zip(engine(networks[name], PIXELS), engine(networks[".keras"], PIXELS), strict=True):
        assert np.abs(first.heatmap).max() > 0
        np.testing.assert_allclose(one.values, first.values, rtol=0, atol=1e-5 * np.abs(first.values).max())
        np.testing.assert_allclose(one.heatmap, first.heatmap, rtol=0, atol=1e-5 * np.abs(first.heatmap).max())
        assert one.target.score == pytest.approx(first.target.score, abs=1e-5)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_knows_the_layers(name, networks):
    def known(network):
        return {(layer.path, layer.shape, layer.parameters, layer.field) for layer in network.layers}

    assert known(networks[name]) == known(networks[".keras"])
    assert networks[name].default_layer == networks[".keras"].default_layer == "both"
