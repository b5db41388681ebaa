"""Weights that came without a network: opened with `architecture=`, exactly, or refused with what differs."""

import hashlib
import json
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from kerasviz.errors import ModelError, SettingError, UnsafeModelError
from kerasviz.models import applications
from kerasviz.models.loading import load
from kerasviz.models.stored_weights import Layer, difference, stored_layers

CORPUS = Path(__file__).parents[1] / "corpus"
WEIGHTS = {
    "weights_only__k24_w0.h5": "weights_only__k24.npz",
    "weights_only__k215_w0.h5": "weights_only__k215.npz",
    "weights_only__k215_W.weights.h5": "weights_only__k215.npz",
    "weights_only__k3_W.weights.h5": "weights_only__k3.npz",
}
NEW = CORPUS / "weights_only__k3_W.weights.h5"
OLD = CORPUS / "weights_only__k215_w0.h5"
ARCHITECTURES = ["keras2.h5", "keras2.keras", "keras3.keras", "keras2.json", "keras3.json"]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """The network of the weights, as files of all kinds, with other weights in them."""
    folder = tmp_path_factory.mktemp("networks")
    for source, name in (("func_bn__k215_H.h5", "keras2"), ("func_bn__k3_K.keras", "keras3")):
        model, _ = load(CORPUS / source)
        model.set_weights([np.full(w.shape, 0.5, "float32") for w in model.get_weights()])
        model.save(folder / f"{name}.keras")
        (folder / f"{name}.json").write_text(model.to_json(), encoding="utf-8")
        if name == "keras2":
            model.save(folder / "keras2.h5", save_format="h5")
    return folder


def digests(model):
    arrays = [np.ascontiguousarray(array) for array in model.get_weights()]
    return sorted(hashlib.sha256(str((a.shape, str(a.dtype))).encode() + a.tobytes()).hexdigest()[:24] for a in arrays)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_every_form_of_weights_goes_into_every_form_of_a_network(weights, architecture, networks):
    before = (CORPUS / weights).read_bytes()
    model, file = load(CORPUS / weights, architecture=networks / architecture)
    stored = dict(np.load(CORPUS / WEIGHTS[weights]))
    outputs = np.asarray(model((stored["x0"] * stored["x_scale"]).astype("float32"), training=False))
    np.testing.assert_allclose(outputs, stored["y0"], rtol=1e-6, atol=1e-6)
    assert digests(model) == stored["weights"].tolist()
    assert type(model).__module__.startswith("tf_keras") == architecture.startswith("keras2")
    assert file.sha256 == hashlib.sha256(before).hexdigest()
    assert file.format == ("weights-h5" if weights.endswith(".weights.h5") else "weights-h5-legacy")
    described = hashlib.sha256((networks / architecture).read_bytes()).hexdigest()
    assert file.architecture == (str(networks / architecture), described)
    assert (CORPUS / weights).read_bytes() == before


def test_names_of_files_may_lie(networks, tmp_path):
    for source, name in ((NEW, "a.h5"), (OLD, "b.weights.h5")):
        shutil.copyfile(source, tmp_path / name)
        assert digests(load(tmp_path / name, architecture=networks / "keras3.json")[0]) == digests(
            load(source, architecture=networks / "keras3.json")[0]
        )


def with_other_numbers(model):
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.05, 0.1, w.shape).astype("float32") for w in model.get_weights()])
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "suffix", "typed", "how"),
    [
        ("keras", ".weights.h5", "mobilenetv2", {"alpha": 0.35, "classes": 7}),
        ("tf_keras", ".h5", "MobileNetV2", {"alpha": 0.35, "include_top": False}),
        ("tf_keras", ".weights.h5", "MOBILENET", {"alpha": 0.25, "classes": 3}),
        ("tf_keras", ".h5", "DenseNet121", {"classes": 2}),  # whose layers have a slash in their names
    ],
)
def test_a_network_of_keras_applications_is_built_as_the_weights_tell(library, suffix, typed, how, tmp_path):
    there = pytest.importorskip(library).applications
    model = with_other_numbers(getattr(there, applications.names()[typed.lower()])(weights=None, **how))
    model.save_weights(tmp_path / f"m{suffix}")
    opened, file = load(tmp_path / f"m{suffix}", architecture=typed)
    assert file.architecture == (typed, None)
    assert type(opened).__module__.split(".")[0] == library
    assert opened.output_shape == model.output_shape
    assert digests(opened) == digests(model)


def test_the_size_that_a_vgg_had_is_told_by_its_first_dense_layer():
    dense = [Layer(name, shapes) for name, shapes in (
        ("fc1", ((3 * 3 * 512, 64), (64,))), ("fc2", ((64, 64), (64,))), ("predictions", ((64, 5), (5,))),
    )]  # fmt: skip
    (whole, _) = applications._heads(dense)
    assert whole == {"include_top": True, "classes": 5, "input_shape": (96, 96, 3)}


@pytest.mark.slow
def test_an_application_that_does_not_fit_is_told_what_it_takes():
    with pytest.raises(ModelError, match=r"'weights_only__k215_w0\.h5' to be those of MobileNetV2, which with its head "
                       r"takes 105 layers with weights, found 5; 3 x 3 x 3 x 32 for its layer 'Conv1', found "
                       r"3 x 3 x 3 x 6 of 'conv1'\. Give the network"):  # fmt: skip
        load(OLD, architecture="MobileNetV2")


def test_efficientnets_with_a_layer_that_no_weights_tell_of_are_refused():
    layer = keras.layers.Normalization()
    model = keras.Sequential([keras.Input((4, 4, 3)), layer])
    layer.set_weights([np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225]), np.array(0)])
    with pytest.raises(ModelError, match="a Rescaling after it, of which weights cannot tell"):
        applications.expect_whole("EfficientNetB0", model, "e.h5")
    layer.set_weights([np.float32([0, 0, 0]), np.float32([1, 1, 1]), np.array(0)])
    applications.expect_whole("EfficientNetB0", model, "e.h5")


def test_a_function_of_the_users_own_builds_the_network(networks, tmp_path, monkeypatch):
    (tmp_path / "building_it.py").write_text(
        "import keras\n"
        f"def build(): return keras.models.load_model({str(networks / 'keras3.keras')!r})\n"
        "def number(): return 3\n"
        "def fails(): raise RuntimeError('no such data')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    model, file = load(NEW, architecture="building_it:build")
    assert digests(model) == dict(np.load(CORPUS / WEIGHTS[NEW.name]))["weights"].tolist()
    assert file.architecture == ("building_it:build", None)
    for name, words in {
        "building_it:number": "to return a Keras model, found int",
        "building_it:fails": "it ended in RuntimeError: no such data",
        "building_it:nothing": "no attribute 'nothing'",
        "no_such_module:build": "No module named 'no_such_module'",
    }.items():
        with pytest.raises(ModelError, match=words):
            load(NEW, architecture=name)


def test_without_an_architecture_the_option_is_named():
    for weights in (NEW, OLD):
        with pytest.raises(ModelError, match=r"weights without the network.* --architecture .*architecture=\)"):
            load(weights)


def test_a_whole_model_needs_no_architecture():
    with pytest.raises(
        SettingError, match=r"'func_bn__k3_K\.keras', which holds a whole network.*Leave --architecture"
    ):
        load(CORPUS / "func_bn__k3_K.keras", architecture="MobileNetV2")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("MobilNetV2", "found 'MobilNetV2'. Did you mean 'MobileNetV2'"),
        ("nowhere/net.json", "Check the path"),
        ("./keras3.jsn", "'keras3.json'"),
    ],
)
def test_an_unknown_architecture_is_asked_for(given, hint, networks, monkeypatch):
    monkeypatch.chdir(networks)
    with pytest.raises(ModelError, match=rf"Expected as architecture a model file, .*{hint}"):
        load(NEW, architecture=given)


def test_a_live_model_is_no_architecture():
    with pytest.raises(SettingError, match="load_weights"):
        load(NEW, architecture=keras.Sequential([keras.Input((2,))]))


def test_weights_are_no_architecture_for_weights():
    with pytest.raises(ModelError, match="weights without the network"):
        load(NEW, architecture=OLD)


@pytest.mark.parametrize("prefix", [False, True])
def test_a_checkpoint_is_refused_with_what_to_do(prefix, tmp_path):
    (tmp_path / "ckpt.index").write_bytes(bytes(40) + bytes.fromhex("57fb808b247547db"))
    for given in ({}, {"architecture": "MobileNetV2"}):
        with pytest.raises(ModelError, match=r"is a TensorFlow checkpoint.* model\.load_weights, and save the whole"):
            load(tmp_path / "ckpt" if prefix else tmp_path, **given)


def layers(*filters):
    stack = [keras.layers.Conv2D(k, 1, name=f"conv_{n}") for n, k in enumerate(filters)]
    return keras.Sequential([keras.Input((4, 4, 3)), *stack])


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ((4, 6), r"takes 1 x 1 x 4 x 6 and 6 for its layer 'conv_1', found 1 x 1 x 4 x 5 and 5 of 'conv_1'"),
        ((4, 5, 5), r"takes 3 layers with weights, found 2; 1 x 1 x 5 x 5 and 5 for its layer 'conv_2', found none"),
        ((4,), r"takes 1 layers? with weights, found 2; no further layer, found 1 x 1 x 4 x 5 and 5 of 'conv_1'"),
    ],
)
def test_the_first_layer_that_differs_is_named(filters, words, tmp_path):
    layers(4, 5).save_weights(tmp_path / "m.weights.h5")
    (tmp_path / "other.json").write_text(layers(*filters).to_json())
    with pytest.raises(ModelError, match=words):
        load(tmp_path / "m.weights.h5", architecture=tmp_path / "other.json")


def test_equal_layers_in_another_order_do_not_fit():
    shapes = ((3, 3), (3,))
    wanted, stored = [Layer("a", shapes), Layer("b", shapes)], [Layer("b", shapes), Layer("a", shapes)]
    assert difference(wanted, wanted) == ""
    assert "in another order, beginning with 'a'" in difference(wanted, stored)
    assert difference(wanted, [Layer("c", shapes), Layer("d", shapes)]) == ""  # names are free


def test_states_of_random_numbers_are_no_weights(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Dropout(0.5), keras.layers.Conv2D(2, 1)])
    model.save_weights(tmp_path / "m.weights.h5")
    assert [layer.path for layer in stored_layers(tmp_path / "m.weights.h5", "weights-h5")] == ["layers/conv2d"]


def test_layers_are_counted_as_numbers(tmp_path):
    model = layers(*range(1, 13))
    model.save_weights(tmp_path / "m.weights.h5")
    found = stored_layers(tmp_path / "m.weights.h5", "weights-h5")
    assert [layer.name for layer in found] == [f"conv_{k}" for k in range(12)]


def test_groups_as_keras_2_12_called_them_are_read(networks, tmp_path):
    path = tmp_path / "m.weights.h5"
    shutil.copyfile(CORPUS / "weights_only__k215_W.weights.h5", path)
    with h5py.File(path, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    before = path.read_bytes()
    for architecture in ("keras2.keras", "keras3.json"):
        model, _ = load(path, architecture=networks / architecture)
        assert digests(model) == dict(np.load(CORPUS / "weights_only__k215.npz"))["weights"].tolist()
    assert path.read_bytes() == before


def test_an_inner_normalization_goes_on_with_its_new_numbers(tmp_path):
    def network(mean):
        layer = keras.layers.Normalization()
        inner = keras.Sequential([keras.Input((1, 1, 3)), layer])
        layer.set_weights([np.float32([mean] * 3), np.float32([4] * 3), np.array(0)])
        return keras.Sequential([keras.Input((1, 1, 3)), inner])

    network(7).save_weights(tmp_path / "m.weights.h5")
    network(0).save(tmp_path / "m.keras")
    opened, _ = load(tmp_path / "m.weights.h5", architecture=tmp_path / "m.keras")
    np.testing.assert_allclose(opened(np.full((1, 1, 1, 3), 9, "float32")), np.ones((1, 1, 1, 3)), rtol=1e-6)


@pytest.mark.parametrize("version", ["keras2.json", "keras3.json"])
def test_what_a_json_file_must_not_say_is_refused(version, networks, tmp_path):
    text = (networks / version).read_text()
    config = json.loads(text)
    lambda_layer = {"class_name": "Lambda", "config": {"name": "scale", "function": ["4wEAAAA=", None, None]}}
    config["config"]["layers"][1] |= lambda_layer
    (tmp_path / "lambda.json").write_text(json.dumps(config))
    with pytest.raises(UnsafeModelError, match=r"'lambda\.json' holds Python code in its Lambda layer 'scale'"):
        load(NEW, architecture=tmp_path / "lambda.json")
    (tmp_path / "bomb.json").write_text(text.replace('"units": 5', '"units": 500000000'))
    with pytest.raises(UnsafeModelError, match=r"'bomb\.json' declares units=500000000"):
        load(NEW, architecture=tmp_path / "bomb.json")
    config = json.loads(text)
    config["config"]["layers"][2] |= {"class_name": "OwnNormalization", "module": None}
    config["config"]["layers"][2]["registered_name"] = "OwnNormalization"
    (tmp_path / "own.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"'own\.json' uses the class 'OwnNormalization'.*--custom FILE\.py"):
        load(NEW, architecture=tmp_path / "own.json")
    (tmp_path / "cut.json").write_text(text[: len(text) // 2])
    with pytest.raises(ModelError, match=r"'cut\.json' is cut off or damaged"):
        load(NEW, architecture=tmp_path / "cut.json")


def test_weights_that_lie_in_another_file_are_refused(networks, tmp_path):
    (tmp_path / "raw.bin").write_bytes(bytes(4 * 162))
    shutil.copyfile(NEW, tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        del file["layers/conv2d/vars/0"]
        where = [(str(tmp_path / "raw.bin"), 0, 4 * 162)]
        file.create_dataset("layers/conv2d/vars/0", (3, 3, 3, 6), "f4", external=where)
    with pytest.raises(UnsafeModelError, match="from another file"):
        load(tmp_path / "m.h5", architecture=networks / "keras3.json")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        del file["layers/conv2d/vars/0"]
        file["layers/conv2d/vars/0"] = h5py.ExternalLink("raw.bin", "/k")
    with pytest.raises(UnsafeModelError, match="outside of itself"):
        load(tmp_path / "m.h5", architecture=networks / "keras3.json")


def test_a_network_that_was_not_built_is_asked_to_be(tmp_path):
    (tmp_path / "net.json").write_text(keras.Sequential([keras.layers.Conv2D(2, 1)]).to_json())
    with pytest.raises(ModelError, match=r"'net\.json' was not built"):
        load(NEW, architecture=tmp_path / "net.json")
