"""A model file is told by what is in it, without opening it."""

import json
import subprocess
import sys
import zipfile

import pytest
from tiny import tiny_model

from kerasviz.examining.files import facts_of, refused


def archive(path, config=None):
    """A .keras archive that names a class outside Keras, or is as `config` says."""
    outside = {"module": "os", "class_name": "System", "config": {}, "registered_name": None}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(outside if config is None else config))
        file.writestr("metadata.json", json.dumps({"keras_version": "3.9.0"}))
        file.writestr("model.weights.h5", b"")
    return path


def test_an_honest_file_has_a_kind_a_writer_and_no_finding(tmp_path):
    found = facts_of(tiny_model(tmp_path))
    assert (found.format, found.said, found.findings) == ("keras3-zip", "a .keras archive of Keras 3", ())
    assert found.writer.startswith("3.")
    assert found.looked_through
    assert refused(found.path) is None


def test_a_file_that_is_refused_still_tells_all_that_was_found(tmp_path):
    path = archive(tmp_path / "odd.keras")
    found = refused(path)
    assert found.refusal.startswith("Expected a ")
    assert (found.title, found.file.writer, found.network) == ("odd.keras", "3.9.0", None)
    assert found.file.findings
    assert refused(path, trust=True) is None  # whatever comes of it then


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.onnx", b"\x08\x07\x12\x07pytorch\x1a", "an ONNX file"),
        ("model.h5", b"just text", "a text file"),
        ("model.keras", b"", "empty"),
    ],
)
def test_what_is_no_model_is_named_and_not_looked_through(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    found = refused(tmp_path / name)
    assert (found.file.said, found.file.looked_through, found.file.findings) == (said, False, ())


def test_weights_alone_are_refused_unless_their_network_is_given(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file.create_group("layers/dense/vars")["0"] = [1.0]
    assert "--architecture" in refused(tmp_path / "w.weights.h5").refusal
    assert refused(tmp_path / "w.weights.h5", architecture="net.json") is None


def test_nothing_at_all_has_no_facts(tmp_path):
    found = refused(tmp_path / "none.h5")
    assert found.file is None
    assert found.refusal.startswith("There is no model file")


def test_a_refusal_imports_no_tensorflow(tmp_path):
    path = archive(tmp_path / "odd.keras")
    code = (
        "import sys; from kerasviz.examining.files import refused; "
        f"assert refused({str(path)!r}).file.findings; print([m for m in sys.modules if m in ('tensorflow', 'keras')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
