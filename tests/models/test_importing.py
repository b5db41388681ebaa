"""SavedModels against the live models that they were made from: layers, numbers and gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import kerasviz as kv

PIXELS = np.random.default_rng(0).uniform(0, 1, (2, 16, 16, 3)).astype("float32")


def _shared(library):
    layers, start = library.layers, library.Input((16, 16, 3))
    convolution, act = layers.Conv2D(4, 3, padding="same", name="shared"), layers.ReLU(name="act")
    first = act(convolution(layers.Conv2D(4, 1, name="stem")(start)))
    both = layers.Add(name="add")([first, act(convolution(first))])
    pooled = layers.GlobalAveragePooling2D(name="gap")(both)
    return library.Model(start, layers.Dense(3, activation="softmax", name="fc")(pooled), name="net")


def _nested(library):
    layers, start = library.layers, library.Input((16, 16, 3))
    inner = [layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="bn")]
    inner += [layers.Activation("relu", name="act"), layers.Conv2D(4, 3, name="conv_2")]
    inner += [layers.DepthwiseConv2D(3, name="deep"), layers.ReLU(6.0, name="r")]
    maps = library.Sequential(inner, name="backbone")(start)
    pooled = layers.GlobalAveragePooling2D(name="gap")(layers.MaxPooling2D(name="pool")(maps))
    return library.Model(start, layers.Dense(3, name="fc")(pooled), name="outer")


def _silu(library):
    layers = library.layers
    stack = [library.Input((16, 16, 3)), layers.Conv2D(4, 3, activation="swish", name="conv")]
    return library.Sequential([*stack, layers.GlobalAveragePooling2D(name="gap"), layers.Dense(2, name="fc")])


def _recurrent(library):
    layers = library.layers
    stack = [library.Input((16, 16, 3)), layers.Conv2D(4, 3, name="conv"), layers.Reshape((14, 56), name="rows")]
    return library.Sequential([*stack, layers.LSTM(5, name="memory"), layers.Dense(2, name="fc")])


def saved(model, folder):
    """The SavedModel of a model of Keras 2 or 3, and its path."""
    path = folder / "saved"
    if isinstance(model, keras.Model):
        model.export(path, verbose=False)
    else:
        model.save(path, save_format="tf")
    return path


@pytest.mark.parametrize("library", [keras, tf_keras], ids=["Keras 3", "Keras 2"])
@pytest.mark.parametrize("make", [_shared, _nested, _silu, _recurrent])
def test_it_has_the_layers_numbers_and_gradients_of_the_live_model(make, library, tmp_path):
    model = make(library)
    live, network = kv.open(model), kv.open(saved(model, tmp_path))
    theirs, ours = live.layers, network.layers
    inside = {layer.path for layer in theirs if layer.path.startswith("memory/")}  # the cell of a recurrent layer
    assert {layer.path for layer in theirs} - inside <= {layer.path for layer in ours}
    for layer in theirs:
        same = next((one for one in ours if one.path == layer.path), None)
        if layer.path not in inside and not layer.path.startswith("memory"):
            assert (same.shape, same.parameters, same.field) == (layer.shape, layer.parameters, layer.field)
    assert network.default_layer == live.default_layer
    np.testing.assert_allclose(network.predict(PIXELS), live.predict(PIXELS), rtol=0, atol=1e-6)
    for engine in (kv.Saliency(), kv.GradCAM()):
        for one, other in zip(engine(network, PIXELS), engine(live, PIXELS), strict=True):
            np.testing.assert_allclose(one.heatmap, other.heatmap, rtol=0, atol=1e-5 * np.abs(other.heatmap).max())
    assert one.origin.way == "imported"


def test_layers_of_an_export_bear_the_classes_that_they_look_like(tmp_path):
    network = kv.open(saved(_nested(keras), tmp_path))
    kinds = {layer.path: layer.type for layer in network.layers}
    assert kinds == {
        "backbone/conv": "Conv2D",
        "backbone/bn": "BatchNormalization",
        "backbone/act": "ReLU",
        "backbone/conv_2": "Conv2D",
        "backbone/deep": "DepthwiseConv2D",
        "backbone/r": "ReLU",
        "backbone": "Functional",
        "pool": "MaxPooling2D",
        "gap": "GlobalAveragePooling2D",
        "fc": "Dense",
    }


def test_those_of_keras_2_the_classes_that_the_file_names(tmp_path):
    kinds = {layer.path: layer.type for layer in kv.open(saved(_nested(tf_keras), tmp_path)).layers}
    assert kinds["backbone"] == "Sequential"
    assert kinds["backbone/conv_2"] == "Conv2D"


def test_the_file_may_go_once_it_is_open_and_is_left_as_it_was(tmp_path):
    path = saved(_shared(keras), tmp_path)
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    network = kv.open(path)
    assert {p: p.read_bytes() for p in path.rglob("*") if p.is_file()} == before
    for p in before:
        p.unlink()
    assert network.predict(PIXELS).shape == (2, 3)
    assert (network.file.format, network.file.writer) == ("savedmodel-export", f"TF {tf.__version__}")


def test_its_fast_copy_gives_the_same(tmp_path):
    model = _nested(keras)
    path = saved(model, tmp_path)
    fast = kv.GradCAM()(kv.open(path, fast=True), PIXELS)
    plain = kv.GradCAM()(kv.open(model), PIXELS)
    assert fast[0].origin.way == "fast"
    for one, other in zip(fast, plain, strict=True):
        np.testing.assert_allclose(one.heatmap, other.heatmap, rtol=0, atol=1e-5 * np.abs(other.heatmap).max())


class Branching(tf.Module):
    """A choice between two functions: the graph keeps it as control flow."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(np.random.default_rng(1).normal(size=(3, 3, 3, 2)).astype("float32"))

    @tf.function(input_signature=[tf.TensorSpec((None, 16, 16, 3), tf.float32, name="image")])
    def __call__(self, image):
        maps = tf.nn.conv2d(image, self.kernel, 1, "SAME")
        chosen = tf.cond(tf.reduce_mean(maps) > 0, lambda: tf.nn.relu(maps), lambda: 2 * tf.nn.relu(-maps))
        return {"maps": chosen, "sums": tf.reduce_sum(chosen, (1, 2))}


def test_control_flow_is_kept_and_has_its_gradient(tmp_path):
    module = Branching()
    tf.saved_model.save(module, tmp_path / "m", signatures=module.__call__)
    network = kv.open(tmp_path / "m")
    assert network.outputs == ["maps", "sums"]
    with tf.GradientTape() as tape:
        pixels = tf.constant(PIXELS)
        tape.watch(pixels)
        score = module(pixels)["sums"][:, 1]
    expected = tape.gradient(score, pixels).numpy()
    found = kv.Saliency(reduce="sum")(network, PIXELS, target="sums:1")
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.values, other, rtol=0, atol=1e-5 * np.abs(other).max())


class Plain(tf.Module):
    """One convolution; `layout` and `dtype` as they come in files of others."""

    def __init__(self, shape, dtype="float32", layout="NHWC"):
        super().__init__()
        self.kernel = tf.Variable(np.ones((2, 2, 3, 2), "float32"), name="kernel")

        @tf.function(input_signature=[tf.TensorSpec(shape, dtype, name="image")])
        def run(image):
            pixels = tf.cast(image, tf.float32)
            if layout == "NCHW":
                pixels = tf.transpose(pixels, (0, 2, 3, 1))
            return {"sums": tf.reduce_sum(tf.nn.conv2d(pixels, self.kernel, 1, "VALID"), (1, 2))}

        self.run = run


@pytest.mark.parametrize(
    ("shape", "dtype", "layout"),
    [((1, 8, 8, 3), "float32", "NHWC"), ((None, 8, 8, 3), "uint8", "NHWC"), ((None, 3, 8, 8), "float32", "NCHW")],
    ids=["a batch of one", "uint8", "channels first"],
)
def test_inputs_of_other_kinds(shape, dtype, layout, tmp_path):
    module = Plain(shape, dtype, layout)
    tf.saved_model.save(module, tmp_path / "m", signatures=module.run)
    network = kv.open(tmp_path / "m", preprocess="none")
    photos = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 3)).astype("uint8")
    expected = [photo[:7, :7].sum() + photo[1:, :7].sum() + photo[:7, 1:].sum() + photo[1:, 1:].sum() for photo in
                photos.astype("float64")]  # fmt: skip
    np.testing.assert_allclose(network.predict(photos)[:, 0], expected, rtol=1e-6)


def test_of_two_signatures_one_must_be_meant(tmp_path):
    one, two = Plain((None, 8, 8, 3)), Plain((None, 6, 6, 3))
    one.other = two
    tf.saved_model.save(one, tmp_path / "m", signatures={"large": one.run, "small": two.run})
    with pytest.raises(kv.ModelError, match=r"one signature, but 'm' has 'large', 'small'.*--signature"):
        kv.open(tmp_path / "m")
    assert kv.open(tmp_path / "m", signature="small").size == (6, 6)
    with pytest.raises(kv.SettingError, match=r"'large', 'small'.*found 'smal'.*Did you mean 'small'"):
        kv.open(tmp_path / "m", signature="smal")
    assert kv.open(tmp_path / "m", signature="large").said == {"signature": "large"}


def test_a_signature_of_a_file_without_any_is_refused(tmp_path):
    _shared(keras).save(tmp_path / "m.keras")
    with pytest.raises(kv.SettingError, match=r"Expected no signature for 'm.keras'"):
        kv.open(tmp_path / "m.keras", signature="serve")


def _augmented():
    layers = keras.layers
    stack = [keras.Input((8, 8, 3)), layers.RandomFlip(), layers.RandomRotation(0.3), layers.Conv2D(2, 3, name="conv")]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(2)])


def test_an_export_that_answers_at_random_is_refused_unless_it_is_allowed(tmp_path):
    path = saved(_augmented(), tmp_path)
    with pytest.raises(kv.ModelError, match=r"keeps its augmentation.*--allow-random"):
        kv.open(path)
    network = kv.open(path, allow_random=True)
    assert network.predict(PIXELS[:, :8, :8]).shape == (2, 2)
    assert network.said == {"allow_random": True}


def test_what_takes_encoded_pictures_is_refused(tmp_path):
    class Decoding(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="jpeg")])
        def run(self, jpeg):
            return tf.strings.length(jpeg)

    module = Decoding()
    tf.saved_model.save(module, tmp_path / "m", signatures=module.run)
    with pytest.raises(kv.ModelError, match=r"takes texts or encoded pictures .*'jpeg'.*without its decoder"):
        kv.open(tmp_path / "m")
