"""May this model file be opened?"""

import zipfile

import h5py
import pytest
from attack_making import HONEST, layer, with_configuration, with_members
from corpus_files import CORPUS, INDEX

from kerasviz.models.configurations import Weights, allow_lists, configuration_findings
from kerasviz.models.scanning import scan
from kerasviz.models.sniffing import OPENERS

RULES = {"needs:custom-objects": {"needs:custom-objects"}, "refuse:lambda": {"code:lambda"}}


@pytest.mark.parametrize("name", [n for n in INDEX if INDEX[n]["kind"] in OPENERS])
def test_honest_files_pass_and_others_are_found_out(name):
    found = scan(CORPUS / name, INDEX[name]["kind"])
    assert {finding.rule for finding in found} == RULES.get(INDEX[name]["expect"], set())


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("custom_registered__k215_H.h5", "corpus>ChannelScale"),
        ("custom_registered__k3_K.keras", "corpus>ChannelScale"),
        ("custom_unregistered__k215_K.keras", "ChannelScale"),
    ],
)
def test_the_authors_class_is_named_with_its_layer(name, spelled):
    found = scan(CORPUS / name, INDEX[name]["kind"])
    assert {finding.name for finding in found} == {spelled}
    assert "'scale'" in found[0].text
    assert found[0].where.endswith("/scale")


def findings(entry, **weights):
    return list(configuration_findings(entry, Weights(**(weights or {"sizes": {8}, "count": 1000}))))


def rules(entry, **weights):
    return [finding.rule for finding in findings(entry, **weights)]


def dense(**config):
    return {"class_name": "Dense", "config": {"name": "d", "units": 8, **config}}


def test_a_plain_layer_passes():
    assert findings(dense(activation="relu", kernel_initializer="zeros", bias_constraint="non_neg")) == []


@pytest.mark.parametrize("role", ["activation", "kernel_initializer", "bias_regularizer", "kernel_constraint"])
def test_plain_names_are_looked_up_too(role):
    found = findings(dense(**{role: "system"}))
    assert [(finding.rule, finding.name) for finding in found] == [("needs:custom-objects", "system")]


def test_a_function_of_the_author_is_named():
    function = {"class_name": "function", "config": "my_swish", "module": "builtins", "registered_name": "function"}
    assert [finding.name for finding in findings(dense(activation=function))] == ["my_swish"]


def test_a_named_function_in_a_lambda_is_the_authors():
    entry = {"class_name": "Lambda", "config": {"name": "l", "function": "prepare", "function_type": "function"}}
    assert [(finding.rule, finding.name) for finding in findings(entry)] == [("needs:custom-objects", "prepare")]


def test_a_lambda_of_an_activation_passes():
    entry = {"class_name": "Lambda", "config": {"name": "l", "function": "relu", "function_type": "function"}}
    assert findings(entry) == []


@pytest.mark.parametrize("role", ["output_shape", "mask"])
def test_code_beside_the_function_of_a_lambda_is_found(role):
    config = {"name": "l", "function": "relu", role: ["4wEAAAA=", None, None], f"{role}_type": "lambda"}
    assert rules({"class_name": "Lambda", "config": config}) == ["code:lambda"]


def test_a_compiled_inner_model_is_looked_through_and_the_outer_one_is_not():
    compiled = {"loss": {"class_name": "__lambda__", "config": {}}}
    outer = {"class_name": "Functional", "config": {"name": "m", "layers": []}, "compile_config": compiled}
    assert rules(outer) == []
    assert rules({"class_name": "Functional", "config": {"name": "n", "layers": [outer]}}) == ["code:lambda"]


def test_a_module_that_only_begins_like_keras_is_foreign():
    assert rules({**dense(), "module": "kerasy.layers"}) == ["code:module"]
    assert rules({**dense(), "module": "keras.layers\n"}) == ["code:module"]
    assert rules({**dense(), "module": ["keras"]}) == ["code:module"]


def test_an_operation_that_takes_functions_is_refused():
    entry = {"class_name": "Map", "module": "keras.src.ops.core", "config": {"name": "m"}}
    assert rules(entry) == ["code:class"]
    assert rules({**entry, "class_name": "Cast"}) == []


def test_a_class_that_is_not_a_name_is_damage():
    assert rules({"class_name": ["Dense"], "config": {}}) == ["broken:config"]


def test_large_sizes_must_be_stored():
    assert rules(dense(units=5000), sizes={5000, 64}, count=320_000) == []
    assert rules(dense(units=5000), sizes={20_000, 64}, count=1_280_000) == []  # the four gates of an LSTM
    assert rules(dense(units=5000), sizes={4999, 64}, count=320_000) == ["bomb:config"]


def test_a_layer_with_several_inputs_declares_several_shapes():
    build = {"input_shape": [[None, 56, 56, 24], [None, 56, 56, 24]]}
    assert findings({**dense(), "build_config": build}) == []
    assert rules({**dense(), "build_config": {"input_shape": [[None, 8], [None, 1 << 15, 1 << 15]]}}) == ["bomb:config"]


def test_an_embedding_must_be_stored():
    entry = {"class_name": "Embedding", "config": {"name": "e", "input_dim": 4096, "output_dim": 4096}}
    assert rules(entry, sizes={4096}, count=1 << 24) == []
    assert rules(entry, sizes={4096}, count=1 << 20) == ["bomb:config"]


@pytest.mark.parametrize("kind", HONEST)
def test_a_change_that_does_no_harm_passes(kind, tmp_path):
    """The attacks are found for what they do, not because the file was written anew."""
    with_configuration(kind, tmp_path / "m", lambda c: layer(c, "Dense")["config"].update(activation="relu"))
    assert scan(tmp_path / "m", kind) == []


def test_a_missing_member_is_damage(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
    assert [finding.rule for finding in scan(tmp_path / "m.keras", "keras3-zip")][:1] == ["broken:file"]


def test_a_configuration_that_is_not_json_is_damage(tmp_path):
    with_members("keras3-zip", tmp_path / "m.keras", {"config.json": "{"})
    assert [finding.rule for finding in scan(tmp_path / "m.keras", "keras3-zip")] == ["broken:config"]


def test_findings_are_bounded(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = "{}"
        for number in range(500):
            file[f"{number}"] = h5py.SoftLink("/x")
    assert len(scan(tmp_path / "m.h5", "keras2-h5")) == 100


def test_what_leads_out_of_the_file_is_on_no_list():
    classes, symbols, operations = (allow_lists()[n] for n in ("classes", "tensorflow_functions", "graph_operations"))
    for name in ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "StringLookup", "Pipeline"):
        assert name not in classes
    for name in ("io.write_file", "io.read_file", "py_function", "numpy_function", "map_fn", "compat.v1.py_func"):
        assert name not in symbols
    for name in (
        "WriteFile",
        "ReadFile",
        "MatchingFiles",
        "PyFunc",
        "ImmutableConst",
        "PrintV2",
        "SaveV2",
        "RestoreV2",
    ):
        assert name not in operations
    assert {"Conv2D", "Functional", "LayerScale"} <= classes
    assert {"math.truediv", "image.resize", "__operators__.getitem"} <= symbols
    assert {"Mul", "Sub", "RealDiv", "StridedSlice", "ResizeBilinear"} <= operations
