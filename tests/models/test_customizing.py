"""The author's own code: taken from a Python file that says `keras` and means the Keras of the model file."""

import sys
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import kerasviz as kv
from kerasviz.errors import ModelError, UnsafeModelError
from kerasviz.models.customizing import objects_in
from kerasviz.models.loading import load

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = {
    "custom_registered__k215_H.h5": "custom_registered__k215.npz",
    "custom_registered__k215_K.keras": "custom_registered__k215.npz",
    "custom_registered__k3_K.keras": "custom_registered__k3.npz",
    "custom_unregistered__k215_H.h5": "custom_unregistered__k215.npz",
    "custom_unregistered__k215_K.keras": "custom_unregistered__k215.npz",
    "custom_unregistered__k24_H.h5": "custom_unregistered__k24.npz",
    "custom_unregistered__k3_H.h5": "custom_unregistered__k3.npz",
    "custom_unregistered__k3_K.keras": "custom_unregistered__k3.npz",
}
KERAS_2, KERAS_3 = "custom_registered__k215_H.h5", "custom_registered__k3_K.keras"
LAYER = """
class ChannelScale({base}):
    def build(self, shape):
        self.s = self.add_weight(name="s", shape=(int(shape[-1]),), initializer="ones")

    def call(self, x):
        return x * self.s
"""
WAYS = {  # how authors write it
    "import keras": "keras.layers.Layer",
    "from tensorflow import keras": "keras.layers.Layer",
    "import tensorflow as tf": "tf.keras.layers.Layer",
    "import tensorflow.keras.layers as L": "L.Layer",
    "from tensorflow.keras import layers": "layers.Layer",
    "from keras.layers import Layer": "Layer",
}


def written(folder, way="import keras", head=""):
    path = folder / "own.py"
    path.write_text(f"{way}\n{head}{LAYER.format(base=WAYS[way])}", encoding="utf-8")
    return path


def assert_as_written(model, name):
    stored = dict(np.load(CORPUS / FILES[name]))
    found = model((stored["x0"] * stored["x_scale"]).astype("float32"), training=False)
    np.testing.assert_allclose(found, stored["y0"], rtol=1e-6, atol=1e-6)


def world():
    """Everything that a file which is run could change for others."""
    registry = keras.src.saving.object_registration
    modules = {
        name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("keras", "tensorflow")
    }
    registered = [dict(registry.GLOBAL_CUSTOM_OBJECTS), dict(tf_keras.saving.get_custom_objects())]
    return modules, registered, list(sys.path), list(sys.meta_path), tf_keras.layers.__spec__, tf_keras.__spec__


@pytest.mark.parametrize("name", FILES)
def test_one_file_serves_models_of_both_keras(name, tmp_path):
    model, _ = load(CORPUS / name, custom_objects=written(tmp_path))
    assert_as_written(model, name)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_however_the_author_imports_keras_it_is_the_files(way, library, tmp_path):
    base = objects_in(str(written(tmp_path, way)), library)["ChannelScale"].__mro__[1]
    assert base is sys.modules[library].layers.Layer


def test_a_registered_class_is_found_by_its_full_name_and_registered_nowhere(tmp_path):
    own = written(tmp_path, head="@keras.saving.register_keras_serializable('corpus', 'Scale')")
    before = world()
    for library in ("tf_keras", "keras", "tf_keras"):  # again: nothing stands in the way
        found = objects_in(str(own), library)
        assert set(found) == {"ChannelScale", "corpus>Scale"}
        assert found["ChannelScale"] is found["corpus>Scale"]
    load(CORPUS / KERAS_2, custom_objects=written(tmp_path, head="@keras.saving.register_keras_serializable('corpus')"))
    assert world() == before


def test_nothing_stays_behind_when_the_file_fails(tmp_path):
    (tmp_path / "own.py").write_text("import keras.layers, tensorflow.keras.models\nraise SystemExit(3)\n")
    before = world()
    with pytest.raises(ModelError, match=r"'.*own\.py'; running it ended in SystemExit: 3\. Repair it\."):
        load(CORPUS / KERAS_2, custom_objects=tmp_path / "own.py")
    assert world() == before


def test_what_tensorflow_calls_keras_stays_so_for_the_files_own_functions(tmp_path):
    (tmp_path / "own.py").write_text("import tensorflow as tf\ndef later(): return tf.keras.layers.Dense, tf.add\n")
    dense, add = objects_in(str(tmp_path / "own.py"), "tf_keras")["later"]()
    assert dense is tf_keras.layers.Dense
    assert add is tf.add
    assert tf.keras.layers.Dense is keras.layers.Dense


@pytest.mark.parametrize("name", [KERAS_2, KERAS_3])
def test_a_module_beside_the_file_may_define_it(name, tmp_path):
    written(tmp_path).rename(tmp_path / "own_layers_beside.py")
    (tmp_path / "own.py").write_text("from own_layers_beside import ChannelScale\n")
    path = list(sys.path)
    assert_as_written(load(CORPUS / name, custom_objects=tmp_path / "own.py")[0], name)
    assert "own_layers_beside" not in sys.modules
    assert sys.path == path


def test_two_threads_do_not_disturb_each_other(tmp_path):
    own, found = str(written(tmp_path)), []

    def run(library):
        for _ in range(5):
            found.append(objects_in(own, library)["ChannelScale"].__mro__[1] is sys.modules[library].layers.Layer)

    threads = [threading.Thread(target=run, args=(library,)) for library in ("keras", "tf_keras")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 10


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ModelError, match=r"found no file '.*none\.py'\. Check the path"):
        load(CORPUS / KERAS_2, custom_objects=tmp_path / "none.py")


def test_a_class_that_the_file_lacks_is_named_with_near_names(tmp_path):
    own = written(tmp_path)
    own.write_text(own.read_text().replace("ChannelScale", "ChanelScale"))
    with pytest.raises(ModelError, match=r"'corpus>ChannelScale' .* has 'ChanelScale'\. Did you mean 'ChanelScale'\?"):
        load(CORPUS / KERAS_2, custom_objects=own)
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ModelError, match=r"empty\.py' defines no class or function\. Define 'ChannelScale' in it"):
        load(CORPUS / KERAS_2, custom_objects=tmp_path / "empty.py")


@pytest.mark.parametrize(("name", "other", "wrote"), [(KERAS_2, keras, "Keras 2"), (KERAS_3, tf_keras, "Keras 3")])
def test_a_class_of_the_wrong_keras_is_said_to_be_so(name, other, wrote):
    wrong = type("ChannelScale", (other.layers.Layer,), {})
    with pytest.raises(ModelError, match=rf"made for {wrote}, which wrote .* not from {other.__name__}\. "):
        load(CORPUS / name, custom_objects={"ChannelScale": wrong})


def test_a_file_that_means_one_keras_is_refused_for_the_other(tmp_path):
    (tmp_path / "own.py").write_text("import tf_keras\n" + LAYER.format(base="tf_keras.layers.Layer"))
    assert_as_written(load(CORPUS / KERAS_2, custom_objects=tmp_path / "own.py")[0], KERAS_2)
    with pytest.raises(ModelError, match="must derive from keras, not from tf_keras"):
        load(CORPUS / KERAS_3, custom_objects=tmp_path / "own.py")


def test_the_file_does_not_run_for_a_model_that_is_refused(tmp_path):
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w').close()\n")
    with pytest.raises(UnsafeModelError):
        load(CORPUS / "lambda_code__k210_H.h5", custom_objects=tmp_path / "own.py")
    assert not (tmp_path / "mark").exists()


def test_open_takes_the_path_and_the_record_keeps_it(tmp_path):
    own = written(tmp_path)
    assert kv.open(CORPUS / KERAS_2, custom_objects=str(own), preprocess="0..1").said == {"custom": str(own)}
