"""Every format that the installed Keras and tf_keras write opens; and the table of formats in the documents is so."""

import os
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest
import tf_keras
from corpus_files import CORPUS, INDEX, digests

import kerasviz as kv
from kerasviz.models.sniffing import OPENERS, REFUSALS, sniff

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
MARKERS = ("<!-- formats -->\n", "<!-- /formats -->")
LIBRARIES = {"keras": keras, "tf_keras": tf_keras}


def network(library):
    """Inputs in 0..255, a BatchNormalization that has seen something, two ways that meet again."""
    library.utils.set_random_seed(3)
    layers = library.layers
    start = library.Input((12, 10, 3), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1, name="scale")(start)
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="first")(x))
    x = layers.Concatenate(name="both")([layers.ReLU(name="relu")(x), layers.DepthwiseConv2D(1, name="deep")(x)])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = library.Model(start, layers.Dense(3, activation="softmax", name="classes")(x))
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.1, 1, weight.shape).astype("float32") for weight in model.get_weights()])
    return model


# What each library can write: the file's name, how it is saved, what it is.
FORMATS = {
    "keras": [
        ("m.keras", lambda model, path: model.save(path), "keras3-zip"),
        ("m.h5", lambda model, path: model.save(path), "keras3-h5"),
        ("m.weights.h5", lambda model, path: model.save_weights(path), "weights-h5"),
        ("m", lambda model, path: model.export(path, verbose=False), "savedmodel-export"),
    ],
    "tf_keras": [
        ("m.keras", lambda model, path: model.save(path), "keras2-zip"),
        ("m.h5", lambda model, path: model.save(path), "keras2-h5"),
        ("m.weights.h5", lambda model, path: model.save_weights(path), "weights-h5"),
        ("w.h5", lambda model, path: model.save_weights(path), "weights-h5-legacy"),
        ("m", lambda model, path: model.save(path), "savedmodel-keras2"),
        ("e", lambda model, path: model.export(path), "savedmodel-export"),
    ],
}
WRITTEN = [(library, *entry) for library, entries in FORMATS.items() for entry in entries]


@pytest.mark.filterwarnings("ignore:You are saving")
@pytest.mark.parametrize(("library", "name", "save", "kind"), WRITTEN, ids=lambda value: str(value).split(" ")[0])
def test_what_the_installed_keras_writes_opens_and_is_equal(library, name, save, kind, tmp_path):
    model = network(LIBRARIES[library])
    save(model, str(tmp_path / name))
    assert sniff(tmp_path / name).kind == kind
    given = {}
    if kind.startswith("weights"):
        with pytest.raises(kv.ModelError, match="--architecture"):
            kv.open(tmp_path / name)
        (tmp_path / "architecture.json").write_text(model.to_json())
        given = {"architecture": tmp_path / "architecture.json"}
    opened = kv.open(tmp_path / name, **given)
    pixels = np.random.default_rng(2).uniform(0, 255, (3, 12, 10, 3)).astype("float32")
    np.testing.assert_allclose(opened.predict(pixels), model(pixels, training=False), rtol=1e-6, atol=1e-6)
    assert opened.file.format == kind
    if kind.startswith("savedmodel"):
        parts = {id(weight): weight for tap in opened.description.taps.values() for weight in tap.layer.weights}
        weights = [weight.numpy() for weight in parts.values()]
    else:
        weights = opened.model.get_weights()
    assert digests(weights) == digests(model.get_weights())
    first = library_layer(model, library)(pixels)
    np.testing.assert_allclose(opened.activations(pixels, "first"), first, rtol=1e-6, atol=1e-6)


def library_layer(model, library):
    return LIBRARIES[library].Model(model.inputs, model.get_layer("first").output)


# The table in the documents.

TOLD = {  # kind: (what it is, how it is told, who writes it); how it is refused stands in REFUSALS
    "keras3-zip": (
        "Keras archive",
        "zip with config.json; its metadata name Keras 3",
        "`model.save('x.keras')`, Keras 3",
    ),
    "keras2-zip": ("Keras archive", "the same; its metadata name Keras 2", "TensorFlow 2.12 to 2.15, tf-keras"),
    "keras3-h5": ("HDF5", "attributes `model_config`, `keras_version` 3", "`model.save('x.h5')`, Keras 3"),
    "keras2-h5": ("HDF5", "the same, `keras_version` 2 or none", "Keras 1 and 2, `tf.keras`, tf-keras"),
    "savedmodel-keras2": ("SavedModel", "objects of Keras in its graph", "`model.save('folder')`, Keras 2"),
    "savedmodel-export": ("SavedModel", "signatures `serve` and `serving_default`", "`model.export('folder')`"),
    "savedmodel-tf2": ("SavedModel", "objects, none of them of Keras", "`tf.saved_model.save` of a `tf.Module`"),
    "savedmodel-tf1": ("SavedModel", "a graph without objects", "TensorFlow 1, estimators"),
    "savedmodel-text": ("SavedModel", "folder with saved_model.pbtxt", "TensorFlow, as text"),
    "savedmodel-part": ("SavedModel's graph", "begins as saved_model.pb does", "taken out of its folder"),
    "weights-h5": ("HDF5, weights", "groups `layers` or `vars`, no configuration", "`save_weights('x.weights.h5')`"),
    "weights-h5-legacy": (
        "HDF5, weights",
        "attribute `layer_names`, no configuration",
        "`save_weights('x.h5')`, Keras 2",
    ),
    "checkpoint": ("TensorFlow checkpoint", "a `checkpoint` or `.index` file", "`save_weights('ckpt')`, `tf.train`"),
    "keras-json": ("JSON", "`class_name` in it", "`model.to_json()`"),
    "keras-folder": ("folder", "config.json and metadata.json in it", "an unpacked .keras"),
    "folder": ("folder", "nothing of the above in it", ""),
    "tflite": ("TFLite", "`TFL3` at byte 4", "TensorFlow's converter"),
    "onnx": ("ONNX", "its first fields", "other frameworks"),
    "frozen-graph": ("frozen graph", "its first node", "TensorFlow 1"),
    "tfjs": ("TensorFlow.js", "`weightsManifest` in its JSON", "its converter"),
    "pickle": ("pickle", "its first bytes", "`pickle`, `joblib`"),
    "torch": ("PyTorch", "zip with data.pkl, or its first bytes", "`torch.save`"),
    "safetensors": ("safetensors", "its header", "Hugging Face"),
    "numpy": ("NumPy", "its first bytes", "`np.save`, `np.savez`"),
    "hdf5-other": ("HDF5", "neither configuration nor weights of Keras", ""),
    "zip-other": ("zip", "no configuration of Keras in it", ""),
    "compressed": ("gzip, bzip2, xz, 7z, tar", "its first bytes", ""),
    "git-lfs-pointer": ("Git LFS pointer", "its first line", "git without its large files"),
    "web-page": ("HTML", "its first tag", "a download that met a page"),
    "picture": ("picture", "its first bytes", ""),
    "json": ("JSON", "no `class_name` in it", ""),
    "text": ("text", "nothing but text", ""),
    "empty": ("empty file", "no bytes", ""),
    "broken": ("any of these", "what it begins with does not go on so", "a copy that was broken off"),
    "special": ("pipe, socket, device", "what the file system says", ""),
    "unknown": ("anything else", "", ""),
}
HEAD = ("kind", "what it is", "how it is told", "who writes it", "what happens", "files in the tests")


def table():
    counts = Counter(sniff(CORPUS / name).kind for name in INDEX)
    opens = [entry for entry in INDEX.values() if entry["expect"] == "opens" and entry["tol"] is not None]
    good = Counter(entry["kind"] for entry in opens if entry["case"] != "timedistributed_bidir")  # takes films
    lines = [HEAD, ("---",) * len(HEAD)]
    for kind, told in TOLD.items():
        lines.append((f"`{kind}`", *told, happens(kind), corpus(counts[kind], good[kind], kind)))
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n".replace("|   |", "| |") for line in lines)


def happens(kind):
    return f"opens, by {OPENERS[kind]}" if kind in OPENERS else f"refused: it {REFUSALS[kind][0]}. {REFUSALS[kind][1]}"


def corpus(count, good, kind):
    if kind not in OPENERS or count == good:
        return str(count or "")
    return f"{good} open, {count - good} refused"


def test_the_table_of_formats_has_every_kind():
    assert set(TOLD) == OPENERS.keys() | REFUSALS.keys()


def test_the_table_in_the_documents_is_this_one():
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(MARKERS[0])[0], page.split(MARKERS[1])[1]
    made = f"{before}{MARKERS[0]}\n{table()}\n{MARKERS[1]}{after}"
    if os.environ.get("KERASVIZ_GOLDEN") == "write":
        PAGE.write_text(made, encoding="utf-8")
    assert page == made, "run this test with KERASVIZ_GOLDEN=write"
