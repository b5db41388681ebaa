"""`--preprocess auto` is right, or it asks: the families of keras.applications, and networks trained on each scaling.

KERASVIZ_TABLES=1 writes the table of docs/models.md anew from what is found here.
"""

import functools
import gc
import os
import re
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tf_keras
from keras import layers as kl
from sklearn.datasets import load_digits

import kerasviz as kv
from kerasviz.models.beginnings import beginning
from kerasviz.models.families import MEMBERS
from kerasviz.models.knowing import known
from kerasviz.models.operations import ancestors
from kerasviz.models.preprocessing import named
from kerasviz.models.witness import best, contradicts

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
NAMES = ("none", "0..1", "-1..1", "caffe", "torch")

# The smallest member of each family, and what is found of it: scaling and how.
FAMILIES = {
    "MobileNet": ("-1..1", "family MobileNet"),
    "MobileNetV2": ("-1..1", "family MobileNetV2"),
    "MobileNetV3Small": ("none", "inside"),
    "VGG16": ("caffe", "family VGG16"),
    "ResNet50": ("caffe", "family ResNet50"),
    "ResNet50V2": ("-1..1", "family ResNet50V2"),
    "DenseNet121": ("torch", "family DenseNet121"),
    "Xception": ("-1..1", "family Xception"),
    "InceptionV3": ("-1..1", "family InceptionV3"),
    "InceptionResNetV2": ("-1..1", "family InceptionResNetV2"),
    "NASNetMobile": ("-1..1", "family NASNetMobile"),
    "EfficientNetB0": ("none", "inside"),
    "EfficientNetV2B0": ("none", "inside"),
    "ConvNeXtTiny": ("none", "inside"),
    "RegNetX002": ("none", "inside"),
    "ResNetRS50": ("none", "inside"),
}
QUICK = ("MobileNet", "MobileNetV3Small")
WITHOUT_NAMES = ("ConvNeXtTiny", "RegNetX002", "ResNetRS50")  # whose kernels are not in the table
TRAINED = {
    "none": ("0..255", lambda p: p),
    "0..1": ("0..1", lambda p: p / 255),
    "-1..1": ("-1..1", lambda p: p / 127.5 - 1),
}


def application(name: str, **options):
    own = keras.applications if hasattr(keras.applications, name) else tf_keras.applications
    return getattr(own, name)(weights=None, **options)


@functools.cache
def found(name: str) -> dict:
    """What is found of the smallest member, random as it is; the model goes again."""
    network = kv.open(application(name))
    scaling, told = network.preprocess, network._entrance.told
    facts = {
        "scaling": scaling and (scaling.name, scaling.how),
        "family": told.family and (told.family.name, told.family.original),
        "names": network.labels.names[:1],
        "misfits": dict(told.misfits),
    }
    del network, told
    keras.backend.clear_session()
    gc.collect()
    return facts


def slow_but(names):
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", slow_but(FAMILIES))
def test_each_family_is_recognised_by_its_kernels_or_scales_itself(name):
    facts = found(name)
    assert facts["scaling"] == FAMILIES[name]
    assert facts["misfits"] == {}  # what was never trained is no witness
    assert facts["family"] == (None if name in WITHOUT_NAMES else (name, True))
    assert facts["names"] == (() if name in WITHOUT_NAMES else ("tench",))


@pytest.mark.parametrize(
    "build",
    [
        lambda: keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(64, 64, 3)),
        lambda: tf_keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(64, 64, 3)),
    ],
)
def test_a_mobilenet_of_any_width_and_of_both_keras_is_one(build):
    network = kv.open(build())
    assert (network.preprocess.name, network.preprocess.how) == ("-1..1", "family MobileNet")
    assert network.labels.name(281) == "tabby"
    assert network.labels.find("n02123045") == 281


def small(**options):
    return keras.applications.MobileNet(weights=None, alpha=0.25, input_shape=(64, 64, 3), **options)


def test_another_head_is_no_proof():
    tail = [kl.GlobalAveragePooling2D(), kl.Dense(1000, activation="softmax")]
    for model in (small(classes=999), keras.Sequential([small(include_top=False), *tail])):
        network = kv.open(model)
        assert (network.preprocess, network.labels.names) == (None, ())
        with pytest.raises(kv.SettingError, match=r"MobileNet was published with -1..1; this file does not say"):
            kv.Saliency()(network, np.zeros((64, 64, 3), "uint8"))


def test_another_network_of_1000_classes_is_none():
    model = keras.Sequential([keras.Input((32, 32, 3)), kl.Conv2D(8, 3), kl.GlobalMaxPooling2D(), kl.Dense(1000)])
    network = kv.open(model)
    assert (network.preprocess, network.labels.names) == (None, ())


def test_what_was_said_leaves_the_family_its_names():
    assert kv.open(small(), preprocess="none").labels.name(0) == "tench"


@pytest.mark.slow
def test_a_family_takes_its_scaling_only_in_its_colours():
    grey = kv.open(keras.applications.ResNet50(weights=None, input_shape=(32, 32, 1)))
    assert grey.preprocess is None  # caffe is of colours
    with pytest.raises(kv.SettingError, match=r"--preprocess none, 0\.\.1, -1\.\.1 or MODULE"):
        kv.Saliency()(grey, np.zeros((32, 32, 3), "uint8"))


# --- the witness


def remember(model, name: str, photos: np.ndarray) -> None:
    """The first BatchNormalization keeps what the first convolution makes of photographs that are scaled so."""
    layers = [layer for layer in model.layers if type(layer).__name__ in ("Conv2D", "BatchNormalization")]
    seen = np.asarray(layers[0](named(name).apply(photos.astype("float32"))))
    layers[1].moving_mean.assign(seen.mean((0, 1, 2)))
    layers[1].moving_variance.assign(seen.var((0, 1, 2)))


@functools.cache
def photographs() -> np.ndarray:
    """uint8 (8, 64, 64, 3), smooth as photographs are."""
    noise = np.random.default_rng(5).normal(size=(8, 64, 64, 3)).astype("float32")
    shared = noise.mean(-1, keepdims=True) * 3 + noise
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), 3) for one in shared])
    return np.clip(smooth / smooth.std() * 60 + (124, 117, 104), 0, 255).astype("uint8")


@pytest.mark.parametrize("k", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_kept_statistics_confirm_a_family_or_speak_against_it(k):
    model = k.applications.MobileNet(weights=None, alpha=0.25, input_shape=(64, 64, 3))
    for name in NAMES:
        remember(model, name, photographs())
        network = kv.open(model)
        misfits = known(network.description, "float32", photographs()).misfits
        assert min(misfits, key=misfits.get) == name
        assert misfits[name] < 0.05
        if name == "-1..1":
            assert (network.preprocess.name, network.labels.name(0)) == ("-1..1", "tench")
            continue
        assert (network.preprocess, network.labels.names) == (None, ())
        with pytest.raises(kv.SettingError, match=f"fit {name} best"):
            kv.Saliency()(network, photographs())


@functools.cache
def digits():
    """Pictures uint8 (1797, 16, 16, 3) and their classes."""
    data = load_digits()
    grey = [cv2.resize((image * (255 / 16)).astype("float32"), (16, 16)) for image in data.images]
    return np.repeat(np.stack(grey)[..., None], 3, -1).astype("uint8"), data.target


@functools.cache
def trained(name: str):
    keras.utils.set_random_seed(3)
    pictures, classes = digits()
    begin = [keras.Input((16, 16, 3)), kl.Conv2D(8, 3, padding="same"), kl.BatchNormalization(momentum=0.9), kl.ReLU()]
    end = [kl.MaxPooling2D(), kl.Conv2D(16, 3, activation="relu"), kl.GlobalMaxPooling2D(), kl.Dense(10, "softmax")]
    model = keras.Sequential([*begin, *end])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(TRAINED[name][1](pictures.astype("float32")), classes, epochs=4, verbose=0)
    return model


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_network_that_says_nothing_is_asked_about_and_its_statistics_do_not_lie(name):
    network = kv.open(trained(name))
    with pytest.raises(kv.SettingError, match="It cannot be known") as caught:
        kv.Saliency()(network, digits()[0][:8])
    hint = re.search(r"fit (\S+) best", str(caught.value))
    assert hint is None or hint[1] == name
    misfits = known(network.description, "float32", list(digits()[0][:8])).misfits
    assert not contradicts(misfits, name)
    assert best(misfits) in (None, name)


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_network_that_scales_itself_is_known(name):
    scaling = named(name)
    begin = kl.Rescaling(scaling.scale[0], scaling.offset[0])
    model = keras.Sequential([keras.Input((16, 16, 3)), begin, trained(name)])
    network = kv.open(model)
    if name == "none":  # a Rescaling by 1 says nothing
        assert network.preprocess is None
        return
    assert (network.preprocess.name, network.preprocess.how) == ("none", "inside")
    expected = trained(name).predict(TRAINED[name][1](digits()[0][:4].astype("float32")), verbose=0)
    np.testing.assert_allclose(network.predict(digits()[0][:4]), expected, atol=1e-5)


# --- the table


def rows() -> list[str]:
    lines = ["| network | `--preprocess auto` | known from |", "|---|---|---|"]
    lines += [f"| {name} | `{scaling}` | {how} |" for name, (scaling, how) in FAMILIES.items()]
    lines += [f"| {name} with another head | asks | its name is told as a hint |" for name in ("MobileNet",)]
    lines += [f"| digits, trained on {told}, no scaling inside | asks | |" for told, _ in TRAINED.values()]
    return lines


def test_the_documents_hold_this_table():
    text = DOCS.read_text(encoding="utf-8")
    begin, end = "<!-- found by tests/models/test_recognising.py -->\n", "<!-- end -->"
    table = begin + "\n".join(rows()) + "\n" + end
    if os.environ.get("KERASVIZ_TABLES"):
        DOCS.write_text(re.sub(f"{begin}.*?{end}", lambda match: table, text, flags=re.DOTALL), encoding="utf-8")
    assert table in DOCS.read_text(encoding="utf-8")


def test_no_two_members_look_alike():
    looks = {(tuple(sorted(member.trunk.items())), member.width) for member in MEMBERS}
    assert len(looks) == len(MEMBERS) == 35
    assert {member.scaling for member in MEMBERS} == {"", "-1..1", "caffe", "torch"}


def test_the_way_to_the_first_kernel_is_found_in_a_nested_backbone():
    inner = small(include_top=False)
    start = keras.Input((64, 64, 3))
    view = kv.open(keras.Model(start, inner(kl.Rescaling(1 / 127.5, -1)(start)))).description
    assert beginning(view).first.type == "Conv2D"
    assert len(ancestors([view.heads[0].output])) > 100
