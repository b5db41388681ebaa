"""The fast copy: taken where it is asked for and pays, declined where it is not equal, and named in the record."""

from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasviz as kv
from kerasviz.models import copying
from kerasviz.models.folding import Folded, fold
from kerasviz.models.opening import open_network
from kerasviz.results.drawing import Drawing
from kerasviz.results.recording import record_of

layers = keras.layers
SPEC = tf.TensorSpec((None, 12, 12, 3))
PICTURES = np.random.default_rng(5).uniform(-1, 1, (3, 12, 12, 3)).astype("float32")


def network(normalised=True):
    """Two convolutions, each with a BatchNorm of statistics of its own, and a softmax over five classes."""
    keras.utils.set_random_seed(2)
    x = inputs = keras.Input((12, 12, 3))
    for filters in (6, 8):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=not normalised)(x)
        x = layers.BatchNormalization()(x) if normalised else x
        x = layers.ReLU(name=f"relu{filters}")(x)
    outputs = layers.Dense(5, activation="softmax", name="scores")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    random = np.random.default_rng(4)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("copying") / "network.keras"
    network().save(path)
    return str(path)


def copied(model, photograph=False):
    entrance = open_network(model)._entrance
    paths = [entrance.description.last_maps().path]
    return copying.fast_copy(lambda x: entrance.build([x], photograph=False), SPEC, paths, photograph=photograph)


@pytest.mark.parametrize("photograph", [False, True])
def test_batchnorm_is_folded_and_the_copy_agrees(photograph):
    assert copied(network(), photograph).folded.folds == 2


def test_nothing_is_copied_where_nothing_is_folded():
    assert copied(network(normalised=False)) is None


def scaled(graph, pixels, fetches):
    """A copy that is one in a hundred wrong in one kernel."""
    folded = fold(graph, pixels, fetches)
    kernel = next(node for node in folded.definition.node if node.name.endswith("/kernel"))
    value = kernel.attr["value"].tensor
    value.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(value) * np.float32(1.01)))
    return folded


@dataclass(frozen=True, eq=False)
class Stopped(Folded):
    """A copy with the right values and half of the gradient."""

    def build(self, pixels):
        return super().build(pixels / 2 + tf.stop_gradient(pixels / 2))


def stopped(graph, pixels, fetches):
    return Stopped(**vars(fold(graph, pixels, fetches)))


def broken(graph, pixels, fetches):
    """A copy that gives what is no number."""
    folded = fold(graph, pixels, fetches)
    kernel = next(node for node in folded.definition.node if node.name.endswith("/kernel"))
    value = kernel.attr["value"].tensor
    value.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(value) * np.float32(np.nan)))
    return folded


@pytest.mark.parametrize("tampered", [scaled, stopped, broken])
def test_a_copy_that_is_not_equal_is_declined(monkeypatch, tampered):
    monkeypatch.setattr(copying, "fold", tampered)
    assert copied(network()) is None


@pytest.mark.parametrize("engine", [kv.GradCAM(), kv.Saliency(), kv.CAM(), kv.Activations(layer="relu6,scores")])
def test_the_copy_gives_what_the_network_gives(engine):
    model = network()
    ours, theirs = (engine(kv.open(model, fast=fast), PICTURES) for fast in (True, False))
    assert {result.origin.way for result in ours} == {"fast"}
    assert {result.origin.way for result in theirs} == {"watched"}
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(one.values - other.values).max() <= 1e-4 * np.abs(other.values).max()
        assert [guess.index for guess in one.predictions] == [guess.index for guess in other.predictions]
        assert one.layer == other.layer


def test_a_function_that_may_look_at_any_layer_is_answered_without_a_copy(file):
    def middle(view):
        return view.layer("relu6")[:, 5, 5, 2]

    ours, theirs = (kv.Saliency()(kv.open(file, fast=fast), PICTURES[0], middle) for fast in (True, False))
    assert (ours.origin.way, theirs.origin.way) == ("watched", "watched")
    np.testing.assert_array_equal(ours.values, theirs.values)


def test_predictions_come_from_the_copy_too(file):
    fast, slow = (kv.open(file, fast=fast).predict(PICTURES) for fast in (True, False))
    np.testing.assert_allclose(fast, slow, rtol=1e-4)


def test_the_record_names_the_way(file):
    for fast, way in ((True, "fast"), (False, "watched"), ("auto", "watched")):
        result = kv.GradCAM()(kv.open(file, fast=fast), PICTURES[0])
        assert record_of(result, {}, Drawing())["network"]["way"] == way


def ways(model, count, **options):
    pictures = np.resize(PICTURES, (count, 12, 12, 3))
    return {result.origin.way for result in kv.GradCAM()(kv.open(model, **options), pictures)}


def test_many_pictures_of_a_file_are_explained_by_a_copy(file):
    assert ways(file, 200) == {"fast"}
    assert ways(file, 199) == {"watched"}
    assert ways(file, 200, fast=False) == {"watched"}


def test_pixel_gradients_are_those_of_the_network_however_many_pictures(file):
    pictures = np.resize(PICTURES, (200, 12, 12, 3))
    assert {result.origin.way for result in kv.Saliency()(kv.open(file), pictures)} == {"watched"}
    assert kv.Saliency()(kv.open(file, fast=True), PICTURES[0]).origin.way == "fast"


def test_a_live_model_is_copied_only_when_asked():
    model = network()
    assert ways(model, 200) == {"watched"}
    assert ways(model, 2, fast=True) == {"fast"}


def test_a_copy_that_is_declined_leaves_the_usual_way(monkeypatch, file):
    monkeypatch.setattr(copying, "fold", scaled)
    assert ways(file, 2, fast=True) == {"watched"}
