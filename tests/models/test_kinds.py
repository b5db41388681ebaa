"""Every kind of model, asked every question: right numbers, one trace, an untouched model, live weights."""

from fnmatch import fnmatch

import numpy as np
import pytest
from kinds import KINDS
from looking import Looked, same

import kerasviz as kv

QUESTIONS = ("predict", "saliency", "gradcam", "activations")


@pytest.fixture(scope="session", params=KINDS.values(), ids=list(KINDS))
def looked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Built, opened, not yet asked."""
    return Looked(request.param, tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_numbers_are_those_of_eager_keras(looked: Looked, question: str) -> None:
    got, wanted = looked.first["got"][question], looked.first["expected"][question]
    for one, other in zip(got, wanted, strict=True) if question == "predict" else [(got, wanted)]:
        same(one, other, looked.kind.tolerance)


def test_the_last_maps_are_explained_when_no_layer_is_named(looked: Looked) -> None:
    got = looked.first["got"]
    (layer,) = got["gradcam layer"]
    assert fnmatch(layer, looked.kind.layer)
    assert got["activations layer"] == {layer}


def test_photographs_are_scaled_by_the_model(looked: Looked) -> None:
    if not looked.kind.photographs:
        with pytest.raises(kv.SettingError, match="cannot be known how pixels must be scaled"):
            looked.network.predict(looked.pictures.given(slice(0, 1), "uint8"))
        return
    assert looked.network.preprocess.how == "inside"
    same(looked.photographs, looked.first["expected"]["saliency"], looked.kind.tolerance)


def test_three_batches_need_one_trace_a_question(looked: Looked) -> None:
    assert looked.first["traces"] == len(QUESTIONS) - looked.kind.unbuilt  # that one has predicted to be built


def test_the_model_is_left_as_it_was_found(looked: Looked) -> None:
    assert looked.first["changes"] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_training_is_seen(looked: Looked, question: str) -> None:
    got, wanted = looked.trained["got"][question], looked.trained["expected"][question]
    for one, other in zip(got, wanted, strict=True) if question == "predict" else [(got, wanted)]:
        same(one, other, looked.kind.tolerance)
    before, after = looked.first["got"]["predict"], looked.trained["got"]["predict"]
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(before, after, strict=True))


def test_training_does_not_trace_again(looked: Looked) -> None:
    assert looked.trained["traces"] == 0
