"""Which calls of a network can never be made."""

import json

import h5py
import pytest
from corpus_files import CORPUS

from kerasviz.errors import ModelError
from kerasviz.models.call_order import waiting_for_ever
from kerasviz.models.loading import load


def layer(name, *calls, kind="Dense"):
    """A layer, and for each of its calls the (layer, call) that it takes."""
    nodes = [[[taken, number, 0, {}] for taken, number in call] for call in calls]
    return {"name": name, "class_name": kind, "config": {}, "inbound_nodes": nodes}


START = layer("i", kind="InputLayer")


def test_calls_in_any_order_can_be_made():
    shared = [layer("b", [("a", 0)]), START, layer("a", [("i", 0)], [("b", 0)]), layer("c", [("a", 1), ("b", 0)])]
    assert waiting_for_ever(shared) is None


@pytest.mark.parametrize(
    "layers",
    [
        [START, layer("a", [("i", 0)]), layer("b", [("a", 1)])],
        [START, layer("a", [("i", 0)]), layer("b", [("a", -1)])],
        [START, layer("a", [("i", 0)]), layer("b", [("a", "0")])],
        [START, layer("a", [("i", 0)]), layer("b", [("a", 0.5)])],
        [START, layer("a", [("b", 0)]), layer("b", [("a", 0)])],
        [START, layer("a", [("b", 0)], [("i", 0)]), layer("b", [("a", 1)])],  # its calls are made in their order
        [START, layer("b", [("b", 0)])],
    ],
)
def test_a_call_that_never_comes_is_found(layers):
    assert waiting_for_ever(layers)[0] in ("a", "b")


def test_the_first_call_of_an_inner_model_is_its_second():
    inner = layer("a", [("i", 0)], kind="Functional")
    assert waiting_for_ever([START, inner, layer("b", [("a", 1)])]) is None
    assert waiting_for_ever([START, inner, layer("b", [("a", 2)])]) == ("b", "a")


def test_what_stands_in_arguments_counts():
    kept = layer("b", [("i", 0)])
    kept["inbound_nodes"][0][0][3] = {"y": ["a", 0, 0]}
    assert waiting_for_ever([START, kept]) is None  # no such layer: that is an error at once
    assert waiting_for_ever([START, kept, layer("a", [("b", 0)])]) is not None


@pytest.mark.parametrize("odd", [None, 3, "x", [], [3], [{"inbound_nodes": 3}], [{"name": [], "inbound_nodes": []}]])
def test_anything_else_is_not_its_business(odd):
    assert waiting_for_ever(odd) is None


def test_a_file_that_tf_keras_would_never_finish_is_refused(tmp_path):
    path = tmp_path / "m.h5"
    path.write_bytes((CORPUS / "func_bn__k215_H.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["inbound_nodes"][0][0][1] = 1
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ModelError, match="'probs' waits for a call of 'gap' that never comes"):
        load(path)
