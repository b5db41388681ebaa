"""A model file to a live Keras model: exactly, or not at all."""

import hashlib
import json
import logging
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from corpus_files import CORPUS, digests, stored

from kerasviz.errors import ModelError, UnsafeModelError
from kerasviz.models.loading import ModelFile, load


def assert_as_written(model, name):
    inputs, wanted, numbers = stored(name)
    np.testing.assert_allclose(model(inputs[0], training=False), wanted[0], rtol=1e-6, atol=1e-6)
    assert digests(model.get_weights()) == numbers["weights"].tolist()


def test_what_a_record_says_of_a_file():
    path = CORPUS / "func_bn__k215_H.h5"
    _, file = load(path)
    assert file == ModelFile(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), "keras2-h5", "2.15.0")


def test_hard_sigmoid_of_keras_2_stays_what_it_was(tmp_path):
    """Keras 3 opens such files without a word, and computes relu6(x + 3) / 6 instead."""
    import tf_keras

    layers = [tf_keras.Input((1,)), tf_keras.layers.Activation("hard_sigmoid")]
    tf_keras.Sequential(layers).save(tmp_path / "m.h5", save_format="h5")
    x = np.linspace(-4, 4, 33, dtype="float32")[:, None]
    model, _ = load(tmp_path / "m.h5")
    np.testing.assert_array_equal(model(x), np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_convnext_of_keras_2_opens(suffix, tmp_path):
    """Its LayerScale is a part of Keras that Keras itself does not find."""
    import tf_keras
    from tf_keras.src.applications.convnext import LayerScale

    model = tf_keras.Sequential([tf_keras.Input((4, 4, 3)), LayerScale(0.5, 3)])
    model.save(tmp_path / f"m{suffix}")
    opened, _ = load(tmp_path / f"m{suffix}")
    np.testing.assert_array_equal(opened(np.ones((1, 4, 4, 3), "float32")), np.full((1, 4, 4, 3), 0.5))


def test_a_compiled_model_comes_without_its_training():
    model, _ = load(CORPUS / "custom_loss__k215_H.h5")  # its loss is in no file
    assert model.optimizer is None
    assert model.compiled_loss is None


def scale_layer(keras):
    class ChannelScale(keras.layers.Layer):
        def build(self, shape):
            self.s = self.add_weight(name="s", shape=(int(shape[-1]),), initializer="ones")

        def call(self, x):
            return x * self.s

    return ChannelScale


@pytest.mark.parametrize(
    ("name", "library"), [("custom_registered__k215_H.h5", "tf_keras"), ("custom_registered__k3_K.keras", "keras")]
)
def test_the_authors_class_is_asked_for_and_taken(name, library):
    with pytest.raises(ModelError, match=r"'corpus>ChannelScale' for 'scale'.*custom_objects=\{'ChannelScale': ") as no:
        load(CORPUS / name)
    assert not isinstance(no.value, UnsafeModelError)
    model, _ = load(CORPUS / name, custom_objects={"ChannelScale": scale_layer(pytest.importorskip(library))})
    assert_as_written(model, name)


def test_a_registered_class_needs_no_asking():
    import keras

    registered = keras.saving.register_keras_serializable("corpus")(scale_layer(keras))
    try:
        assert_as_written(load(CORPUS / "custom_registered__k3_K.keras")[0], "custom_registered__k3_K.keras")
    finally:
        registry = sys.modules["keras.src.saving.object_registration"]
        registry.GLOBAL_CUSTOM_OBJECTS.pop("corpus>ChannelScale")
        registry.GLOBAL_CUSTOM_NAMES.pop(registered)


def test_a_class_of_the_wrong_keras_is_said_to_be_so():
    import keras

    with pytest.raises(ModelError, match="must derive from tf_keras, not from keras"):
        load(CORPUS / "custom_registered__k215_H.h5", custom_objects={"ChannelScale": scale_layer(keras)})


def test_given_objects_do_not_open_a_lambda():
    with pytest.raises(UnsafeModelError):
        load(CORPUS / "lambda_code__k210_H.h5", custom_objects={"Lambda": object, "scale": object})


def test_what_keras_3_cannot_read_of_its_own_is_said_so():
    with pytest.raises(ModelError, match=r"keras found: Unknown layer: 'TrueDivide'.*save it as \.keras"):
        load(CORPUS / "tfop_arith__k3_H.h5")


@pytest.mark.parametrize("name", ["func_bn__k215_H.h5", "func_bn__k215_K.keras", "func_bn__k3_K.keras"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_cut_file_is_refused(name, share, tmp_path):
    whole = (CORPUS / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"is cut off or damaged.*Copy or download it again\.$"):
        load(tmp_path / name)


def test_a_missing_file_brings_near_names(tmp_path):
    (tmp_path / "resnet.h5").touch()
    with pytest.raises(ModelError, match=r"no model file .*resnet\.keras'. Did you mean 'resnet\.h5'\?"):
        load(tmp_path / "resnet.keras")
    with pytest.raises(ModelError, match="no folder"):
        load(tmp_path / "nowhere" / "resnet.keras")


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(ModelError, match="Expected to read"):
        load("model\0.h5")


@pytest.mark.parametrize("name", ["func_bn__k115_H.h5", "func_bn__k215_K.keras", "func_bn__k3_H.h5"])
def test_loaders_are_silent_and_their_loggers_left_as_they_were(name, capfd, caplog, recwarn):
    import tf_keras  # noqa: F401  (its import may speak, once)

    levels = [logging.getLogger(n).level for n in ("tensorflow", "absl")]
    capfd.readouterr()
    load(CORPUS / name)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not recwarn.list
    assert [logging.getLogger(n).level for n in ("tensorflow", "absl")] == levels


def test_a_file_of_keras_3_leaves_tf_keras_alone():
    code = (
        "import sys\nfrom kerasviz.models.loading import load\n"
        "assert 'tensorflow' not in sys.modules\n"
        "load(sys.argv[1])\nprint('tf_keras' in sys.modules)\n"
    )
    arguments = [sys.executable, "-c", code, str(CORPUS / "func_bn__k3_K.keras")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_tf_keras_is_the_one_of_this_tensorflow():
    import tensorflow as tf
    import tf_keras

    assert tf.__version__.split(".")[:2] == tf_keras.__version__.split(".")[:2]


def test_a_file_of_a_newer_keras_says_what_to_upgrade(tmp_path):
    """As Keras itself would fail on an argument that it does not know yet."""
    with zipfile.ZipFile(CORPUS / "func_bn__k3_K.keras") as old, zipfile.ZipFile(tmp_path / "new.keras", "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "metadata.json":
                data = json.dumps({**json.loads(data), "keras_version": "3.99.0"}).encode()
            if member == "config.json":
                data = data.replace(b'"axis"', b'"axes_of_tomorrow": 1, "axis"', 1)
            new.writestr(member, data)
    with pytest.raises(ModelError, match=r"written by Keras 3\.99\.0.* which is older: pip install --upgrade keras"):
        load(tmp_path / "new.keras")
