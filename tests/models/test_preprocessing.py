"""What photographs are scaled to: known from the model, its sidecar or the user, never guessed."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers as kl
from kind import body, functional, inner, through, top

import kerasviz as kv
from kerasviz.models.preprocessing import named

PHOTOS = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 3)).astype("uint8")
MODES = {"caffe": "caffe", "torch": "torch", "-1..1": "tf"}


def halved(pixels):
    """What `MODULE:FUNCTION` may name."""
    return pixels / 2 + 1


# --- the named ones


@pytest.mark.parametrize("name", MODES)
def test_named_scalings_are_those_of_keras_applications(name: str) -> None:
    wanted = keras.applications.imagenet_utils.preprocess_input(PHOTOS.astype("float32"), mode=MODES[name])
    got = named(name).apply(tf.constant(PHOTOS, tf.float32)).numpy()
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-6 * np.abs(wanted).max())


def test_two_more_scalings_by_hand() -> None:
    pixels = tf.constant([[[[0.0, 51.0, 255.0]]]])
    np.testing.assert_allclose(named("0..1").apply(pixels), [[[[0, 0.2, 1]]]], atol=1e-7)
    assert named("none").apply(pixels) is pixels


@pytest.mark.parametrize("name", ["none", "0..1", "-1..1", "caffe", "torch"])
def test_undo_is_the_way_back(name: str) -> None:
    scaling = named(name)
    back = scaling.undo(scaling.apply(tf.constant(PHOTOS, tf.float32)).numpy())
    np.testing.assert_allclose(back, PHOTOS, atol=1e-4)
    assert scaling.invertible


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(kv.SettingError, match=r"none, 0..1, -1..1, caffe, torch or MODULE:FUNCTION, found 'imagenet'"):
        named("imagenet")
    with pytest.raises(kv.SettingError, match="found 'no_such_module:scale'"):
        named("no_such_module:scale")
    with pytest.raises(kv.SettingError, match="found 'math:no_such_function'"):
        named("math:no_such_function")


@pytest.mark.parametrize("name", ["caffe", "torch"])
def test_scalings_of_colours_refuse_grey_networks(name: str) -> None:
    network = kv.open(functional([*body(), *top()], (8, 8, 1)), preprocess=name)
    with pytest.raises(kv.SettingError, match=f"Expected colour pictures for preprocessing '{name}', found 1 channels"):
        network.predict(PHOTOS)


@pytest.mark.parametrize("name", ["none", "0..1", "-1..1", "caffe", "torch", f"{__name__}:halved"])
def test_photographs_are_scaled_and_their_slopes_are_per_grey_level(name: str) -> None:
    """The saliency of a photograph is that of the float input times the scaling's own slope (chain rule)."""
    model = functional([*body(), *top()])
    network = kv.open(model, preprocess=name)
    pixels = tf.constant(PHOTOS, tf.float32)
    scaled = network.preprocess.apply(pixels)
    np.testing.assert_allclose(network.predict(PHOTOS), model(scaled).numpy(), atol=1e-5)
    results = kv.Saliency()(network, PHOTOS, target=1)
    own = kv.Saliency()(network, np.asarray(scaled), target=1)
    slope = {"0..1": 1 / 255, "-1..1": 1 / 127.5, f"{__name__}:halved": 0.5}.get(name, 1.0)
    for result, one in zip(results, own, strict=True):
        wanted = one.values * (slope if name != "torch" else 1 / (255 * np.array([0.229, 0.224, 0.225])))
        wanted = wanted[..., ::-1] if name == "caffe" else wanted
        np.testing.assert_allclose(result.values, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


# --- layers inside the model


def _arithmetic(k, scale):
    start = k.Input((8, 8, 3))
    return k.Model(start, through([*body(k.layers), *top(of=k.layers)], scale(start)))


def _adapted(normalization, high: float):
    normalization.adapt(np.random.default_rng(0).uniform(0, high, (20, 8, 8, 3)).astype("float32"))
    return normalization


def _beside(scaling_of: str):
    image, vector = keras.Input((8, 8, 3), name="image"), keras.Input((3,), name="vector")
    pooled = through(
        [*body(), kl.GlobalAveragePooling2D()], kl.Rescaling(1 / 255)(image) if scaling_of == "image" else image
    )
    other = kl.Normalization(mean=0.0, variance=1.0)(vector) if scaling_of == "vector" else kl.Dense(2)(vector)
    return keras.Model([vector, image], kl.Dense(2)(kl.Concatenate()([other, pooled])))


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: functional([kl.Rescaling(1 / 255), *body(), *top()]), "none"),
        (lambda: functional([kl.Normalization(mean=1.0, variance=2.0), *body(), *top()]), "none"),
        (lambda: functional([kl.Resizing(8, 8), kl.RandomFlip(), kl.Rescaling(1 / 255), *body(), *top()]), "none"),
        (lambda: functional([inner(parts=[kl.Rescaling(1 / 255), *body()]), *top()]), "none"),
        (lambda: _arithmetic(keras, lambda x: x / 255), "none"),
        (lambda: _arithmetic(keras, lambda x: (x - 127.5) * 0.01), "none"),
        (lambda: _arithmetic(tf_keras, lambda x: x / 255), "none"),
        (lambda: _arithmetic(tf_keras, lambda x: tf.reshape(x, (-1, 8, 8, 3))), None),
        (lambda: functional([*body(), kl.Rescaling(2.0), *top()]), None),  # after the first kernel
        (lambda: functional([*body(), *top()]), None),
        (lambda: functional([kl.BatchNormalization(), *body(), *top()]), None),
        (lambda: functional([kl.Resizing(8, 8), *body(), *top()]), None),
        # made for inputs of 0..1 or -1..1: photographs are brought to these
        (lambda: functional([kl.Rescaling(2.0, -1.0), *body(), *top()]), "0..1"),
        (lambda: functional([kl.Normalization(mean=0.5, variance=0.08), *body(), *top()]), "0..1"),
        (lambda: functional([_adapted(kl.Normalization(), 1), *body(), *top()]), "0..1"),
        (lambda: functional([_adapted(kl.Normalization(), 255), *body(), *top()]), "none"),
        (lambda: _arithmetic(tf_keras, _adapted(tf_keras.layers.Normalization(), 1)), "0..1"),
        (lambda: _arithmetic(tf_keras, _adapted(tf_keras.layers.Normalization(), 255)), "none"),
        (lambda: _beside("image"), "none"),
        (lambda: _beside("vector"), None),  # what another input is normalised by says nothing about pictures
    ],
)
def test_what_is_done_before_the_first_kernel_tells(build, name: str | None) -> None:
    found = kv.open(build()).preprocess
    assert (found and (found.name, found.how)) == (name and (name, "inside"))


def test_what_is_not_known_is_asked_not_guessed() -> None:
    network = kv.open(functional([*body(), *top()]))
    with pytest.raises(
        kv.SettingError,
        match=r"cannot be known how pixels must be scaled for this model.*none, 0..1, -1..1, caffe, torch or MODULE",
    ):
        kv.GradCAM()(network, PHOTOS)
    assert kv.GradCAM()(network, PHOTOS.astype("float32"))[0].values.shape == (4, 4)


def test_a_float_input_is_drawn_alike_whether_or_not_a_photograph_came_before() -> None:
    network = kv.open(functional([kl.Rescaling(1 / 255), *body(), *top()]))
    first = kv.GradCAM()(network, PHOTOS[0].astype("float32"))
    kv.GradCAM()(network, PHOTOS[0])
    second = kv.GradCAM()(network, PHOTOS[0].astype("float32"))
    for result in (first, second):
        np.testing.assert_array_equal(result.photo, PHOTOS[0])


# --- beside a file


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("beside") / "net.keras"
    functional([*body(), *top()]).save(path)
    return path


def _beside_file(file: Path, ending: str, text: str) -> Path:
    path = file.with_name(ending)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def sidecar(file: Path):
    """Writes files beside the model, and takes them away again."""
    written: list[Path] = []
    yield lambda ending, text: written.append(_beside_file(file, ending, text))
    for path in written:
        path.unlink()


@pytest.mark.parametrize("ending", ["net.kerasviz.json", "net.keras.kerasviz.json"])
def test_a_sidecar_says_what_the_network_was_trained_on(file: Path, sidecar, ending: str) -> None:
    sidecar(ending, json.dumps({"preprocess": "caffe", "labels": ["a", "b", "c", "d", "e"]}))
    network = kv.open(file)
    assert (network.preprocess.name, network.preprocess.how) == ("caffe", "sidecar")
    assert network.labels.names == ("a", "b", "c", "d", "e")
    asked = kv.open(file, preprocess="0..1", labels=list("vwxyz"))  # what the user says goes first
    assert (asked.preprocess.name, asked.preprocess.how, asked.labels.names[0]) == ("0..1", "given", "v")


def test_labels_lie_beside_the_model(file: Path, sidecar) -> None:
    sidecar("net.labels.txt", "eins\nzwei\ndrei\nvier\nf\u00fcnf\n")
    assert kv.open(file).labels.names == ("eins", "zwei", "drei", "vier", "f\u00fcnf")
    sidecar("more.txt", "one\ntwo\nthree\nfour\nfive\n")
    sidecar("net.kerasviz.json", '{"labels": "../../more.txt"}')  # the name alone counts: never elsewhere
    assert kv.open(file).labels.names == ("one", "two", "three", "four", "five")


@pytest.mark.parametrize(
    "text", ['{"preprocess": "os:system"}', '{"preprocess": "kerasviz:open"}', '{"preprocess": 3}', "[]", "{", "\udcff"]
)
def test_a_sidecar_never_names_code_and_must_make_sense(file: Path, sidecar, text: str) -> None:
    path = file.with_name("net.kerasviz.json")
    sidecar(path.name, "")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(kv.SettingError, match=r'net.kerasviz.json\' to hold {"preprocess": NAME.*Repair or remove it'):
        kv.open(file)


def test_a_function_that_fails_says_so() -> None:
    with pytest.raises(kv.SettingError, match="'os:getcwd' fails: TypeError"):
        named("os:getcwd").apply(np.zeros((1, 2, 2, 3), np.float32))
