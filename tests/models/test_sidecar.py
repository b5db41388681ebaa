"""What lies beside a model: read as a stranger's data, written once and never over another."""

import json
import os
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from kind import body, functional, top

import kerasviz as kv
from kerasviz.models.sidecar import save_beside, sidecar_text

NAMES = ["a", "b", "c", "d", "e"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("beside") / "net.keras"
    functional([*body(), *top()]).save(path)
    return path


@pytest.fixture
def file(written: Path, tmp_path: Path) -> Path:
    path = tmp_path / "net.keras"
    os.link(written, path)
    return path


def beside(file: Path, text: object) -> Path:
    path = file.with_name("net.kerasviz.json")
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def test_it_says_scaling_names_and_layer_and_the_rest_is_ignored(file):
    beside(file, {"preprocess": "0..1", "labels": NAMES, "layer": "first", "author": {"name": [1, 2]}})
    network = kv.open(file)
    assert (network.preprocess.name, network.preprocess.how) == ("0..1", "sidecar")
    assert network.labels.names == tuple(NAMES)
    assert network.default_layer == "first"
    picture = tf.zeros((8, 8, 3)).numpy().astype("uint8")
    for fast in (False, True):
        assert kv.GradCAM()(kv.open(file, fast=fast), picture).layer.path == "first"
    assert kv.GradCAM(layer="last")(network, picture).layer.path == "last"


@pytest.mark.parametrize("nothing", [{}, {"preprocess": None, "labels": None, "layer": None}, {"preprocess": "auto"}])
def test_what_it_does_not_say_is_not_known(file, nothing):
    beside(file, nothing)
    network = kv.open(file)
    assert (network.preprocess, network.labels.names, network.default_layer) == (None, (), "last")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"preprocess": 3}, "'preprocess' is no text"),
        ({"layer": ["conv"]}, "'layer' is no text"),
        ({"preprocess": "vgg"}, "must be one of none, 0..1, -1..1, caffe, torch"),
        ({"preprocess": "os:system"}, "must be one of none"),
        ({"labels": 7}, '"labels" is no list of names'),
        ({"labels": [1, 2]}, '"labels" is no list of names'),
        ({"labels": ".."}, "'..', which names no file"),
        ({"labels": "/"}, "'/', which names no file"),
        ([], "it is no object"),
        ("{", "it cannot be read as JSON"),
        ("[" * 100_000, "it cannot be read as JSON"),
        (" " * (5 << 20), "it has 5 MB"),
    ],
)
def test_nonsense_is_one_sentence_until_all_is_said(file, said, why):
    beside(file, said)
    with pytest.raises(kv.SettingError) as caught:
        kv.open(file)
    assert why in str(caught.value)
    assert "net.kerasviz.json' to hold" in str(caught.value)
    assert "Repair or remove it" in str(caught.value)
    assert kv.open(file, preprocess="none", labels=NAMES).labels.names == tuple(NAMES)


def test_a_layer_that_is_not_there_is_told_with_the_file_that_names_it(file):
    beside(file, {"layer": "lasd"})
    with pytest.raises(kv.LayerError, match=r"'lasd'.*Did you mean 'last'.*'.kerasviz.json' beside the model"):
        kv.open(file).default_layer  # noqa: B018


@pytest.mark.parametrize("name", ["../names.txt", "sub/names.txt", "/etc/names.txt", "..\\names.txt"])
def test_labels_are_never_read_elsewhere(file, name):
    (file.parent / "sub").mkdir()
    for folder in (file.parent / "sub", file.parent.parent):
        (folder / "names.txt").write_text("stranger\n" * 5, encoding="utf-8")
    beside(file, {"labels": name})
    with pytest.raises(kv.SettingError, match="Expected class names in"):
        kv.open(file)
    (file.parent / "names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    assert kv.open(file).labels.names == tuple(NAMES)


@pytest.mark.parametrize(
    "ending", ["net.labels.txt", "net.keras.labels.txt", "net.kerasviz.json", "--labels", "labels"]
)
def test_as_many_names_as_classes(file, ending):
    names, options = NAMES[:4], {}
    if ending.endswith("json"):
        beside(file, {"labels": names})
    elif ending == "--labels":
        (file.parent / "four.txt").write_text("\n".join(names), encoding="utf-8")
        options["labels"] = file.parent / "four.txt"
    elif ending == "labels":
        options["labels"] = names
    else:
        file.with_name(ending).write_text("\n".join(names), encoding="utf-8")
    with pytest.raises(kv.SettingError, match=r"as many class names as '.*net.keras' has classes \(5\), found 4"):
        kv.open(file, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "net.v1"
    functional([*body(), *top()]).export(path, verbose=False)
    return path


def test_a_savedmodel_has_it_beside_its_folder(folder):
    path = folder.with_name("net.v1.kerasviz.json")
    path.write_text(json.dumps({"preprocess": "torch", "labels": NAMES}), encoding="utf-8")
    network = kv.open(f"{folder}/")
    path.unlink()
    assert (network.preprocess.how, network.labels.names) == ("sidecar", tuple(NAMES))


def test_a_savedmodel_may_carry_the_names(folder):
    assets = folder / "assets"
    assets.mkdir(exist_ok=True)
    (assets / "vocabulary.txt").write_text("other\n" * 9, encoding="utf-8")
    assert kv.open(folder).labels.names == ()
    (assets / "classes.txt").write_text("\n".join(NAMES), encoding="utf-8")
    assert kv.open(folder).labels.names == tuple(NAMES)
    assert kv.open(folder, labels=list("vwxyz")).labels.names == tuple("vwxyz")
    (assets / "more.txt").write_text("\n".join(NAMES), encoding="utf-8")  # which of the two is not known
    assert kv.open(folder).labels.names == ()
    for path in assets.glob("*.txt"):
        path.unlink()


# --- written


def test_what_is_written_is_read_again(file):
    network = kv.open(file, preprocess="caffe", labels=[["n00000001", n] for n in NAMES])
    path = save_beside(network)
    assert path == file.with_name("net.kerasviz.json")
    assert path.read_text(encoding="utf-8") == sidecar_text(network)
    again = kv.open(file)
    assert (again.preprocess.name, again.preprocess.how) == ("caffe", "sidecar")
    assert (again.labels, again.default_layer) == (network.labels, network.default_layer)


def test_what_is_not_known_is_not_written(file):
    assert json.loads(sidecar_text(kv.open(file))) == {"layer": "last"}


def test_a_network_without_maps_has_no_layer_to_write():
    dense = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    assert json.loads(sidecar_text(kv.open(dense, preprocess="0..1"))) == {"preprocess": "0..1"}


@pytest.mark.parametrize("name", ["net.kerasviz.json", "net.keras.kerasviz.json"])
def test_another_file_is_not_written_over(file, name):
    file.with_name(name).write_text("{}", encoding="utf-8")
    with pytest.raises(kv.OutputError, match=f"{name}' is there already, and is not overwritten"):
        save_beside(kv.open(file))
    assert file.with_name(name).read_text(encoding="utf-8") == "{}"


def test_what_cannot_be_written_is_a_sentence(file):
    with pytest.raises(kv.SettingError, match="found the function 'math:sqrt': such a file names no code"):
        save_beside(kv.open(file, preprocess="math:sqrt"))
    with pytest.raises(kv.OutputError, match="this one is live"):
        save_beside(kv.open(keras.Sequential([keras.Input((8, 8, 3)), *body(), *top()]), preprocess="none"))
    network = kv.open(file)
    file.with_name("net.kerasviz.json").symlink_to(file.parent / "nowhere" / "else")
    with pytest.raises(kv.OutputError, match="is there already"):
        save_beside(network)
