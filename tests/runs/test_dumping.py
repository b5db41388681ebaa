"""Engines asked about a fixed panel: which questions, of which pictures, under which names."""

from dataclasses import dataclass
from typing import ClassVar

import keras
import networks
import numpy as np
import pytest
from networks import random_network, random_pictures
from tiny import NAMES, tiny_model

import kerasviz as kv
from kerasviz.engines._engine import Engine
from kerasviz.inputs.fixed import Fixed
from kerasviz.runs.dumping import Dumper, Watched, sentence, watched

PICTURES = random_pictures(6)


@pytest.fixture(scope="module")
def network():
    return random_network("predictions")


@pytest.fixture(scope="module")
def guesses(network):
    """The class that the network sees in each of the pictures."""
    return np.argmax(network.predict(PICTURES), 1)


def dumper(network, techniques="gradcam", images=PICTURES, truths=None, target=None, **panel):
    return Dumper(watched(techniques), network, Fixed(images, truths, **panel), target)


def columns(dump):
    return {one.key: sorted(one.results) for one in dump.asked}


# Which engines, under which names.


def test_engines_by_name_by_class_and_as_they_are():
    own = kv.Saliency()
    found = watched(["gradcam", own, kv.GradCAM])
    assert [type(one.engine).__name__ for one in found] == ["GradCAM", "Saliency", "GradCAM"]
    assert found[1].engine is own
    assert [one.engine for one in watched("gradcam")] == [kv.GradCAM()]


def test_two_engines_of_one_technique_have_names_of_their_own():
    found = watched([kv.GradCAM(layer="conv4"), "saliency", "gradcam", kv.GradCAM(layer="conv5")])
    assert [one.key for one in found] == ["gradcam", "saliency", "gradcam-2", "gradcam-3"]


def test_a_layer_is_for_those_that_take_one_and_name_none():
    found = watched(["gradcam", "saliency", kv.GradCAM(), kv.GradCAM(layer="conv5")], layer="conv4")
    assert [one.engine.settings.get("layer") for one in found] == ["conv4", None, "conv4", "conv5"]
    assert watched("activations", layer="conv4")[0].engine == kv.Activations(layer="conv4")
    assert watched("gradcam", layer="conv4")[0].engine == kv.GradCAM(layer="conv4")
    with pytest.raises(kv.SettingError, match="technique that looks at a layer, found none that takes layer='conv4'"):
        watched("saliency", layer="conv4")


@pytest.mark.parametrize(
    ("techniques", "said"),
    [
        ("gradcm", r"no technique 'gradcm'\. Did you mean 'gradcam'"),
        (["gradcam", 5], "technique's name or an engine, found 5. Try 'gradcam'"),
        ([], "at least one technique to watch a training with, found none"),
        (None, "found None"),
        (int, "found <class 'int'>"),
    ],
)
def test_what_is_no_technique_is_refused(techniques, said):
    with pytest.raises(kv.SettingError, match=said):
        watched(techniques)


# Which questions.


def test_without_classes_the_networks_own_guess_is_explained(network):
    made = dumper(network)
    assert made.titles == [""] * 6
    (asked,) = made.dump().asked
    assert (asked.key, asked.question, asked.folder) == ("gradcam", "auto", "")
    assert sorted(asked.results) == sorted(asked.new) == list(range(6))
    alone = kv.GradCAM()(network, PICTURES)
    for k, result in asked.results.items():
        np.testing.assert_allclose(result.values, alone[k].values, rtol=1e-4, atol=1e-5)


def test_the_predicted_class_is_asked_for_only_where_it_is_not_the_true_one(network, guesses):
    truths = guesses.copy()
    truths[[1, 4]] = (truths[[1, 4]] + 1) % 5
    true, top = dumper(network, truths=truths.tolist()).dump().asked
    assert (true.key, true.question, top.key, top.question) == ("gradcam.true", "true", "gradcam.top", "top")
    assert sorted(true.new) == list(range(6))
    assert sorted(top.new) == [1, 4]
    assert [true.results[k].target.index for k in range(6)] == truths.tolist()
    assert [top.results[k].target.index for k in range(6)] == guesses.tolist()
    assert all((top.results[k] is true.results[k]) == (k not in top.new) for k in range(6))


def test_where_all_are_right_nothing_is_asked_twice(network, guesses):
    true, top = dumper(network, truths=guesses.tolist()).dump().asked
    assert top.new == frozenset()
    assert top.results == true.results


def test_no_number_of_wrong_ones_traces_again(network, guesses):
    fresh = kv.open(networks.random_model("predictions"))
    made = []
    for wrong in range(6):
        truths = (guesses + (np.arange(6) < wrong)) % 5
        made.append(dumper(fresh, truths=truths.tolist()))
        assert [len(one.new) for one in made[-1].dump().asked] == [6, wrong]
    traces = fresh.traces
    for one in made:
        one.dump()
    assert fresh.traces == traces <= 2


def test_a_target_that_was_asked_for_is_asked_of_all(network, guesses):
    made = dumper(network, truths=guesses.tolist(), target=2)
    (asked,) = made.dump().asked
    assert (asked.key, asked.question) == ("gradcam.2", "2")
    assert {one.target.index for one in asked.results.values()} == {2}
    assert made.titles == [network.labels.name(k) for k in guesses]


def test_each_of_several_classes_has_a_column(network):
    found = dumper(network, target="top3").dump()
    assert columns(found) == {f"gradcam.top3.{part}": list(range(6)) for part in (1, 2, 3)}
    for k in range(6):
        ranked = [one.results[k].target.index for one in found.asked]
        assert ranked == np.argsort(-network.predict(PICTURES)[k])[:3].tolist()
    assert all(sorted(one.new) == list(range(6)) for one in found.asked)


def brightest(view):
    return view.head().logits[:, 0]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (brightest, "brightest"),
        ([0, 1, 2, 3, 4, 0], "classes"),
        (np.arange(6) % 5, "classes"),
        ("conv5:1", "conv5:1"),
        (np.int64(3), "3"),
    ],
)
def test_a_target_has_a_word(network, target, said):
    (asked,) = dumper(network, target=target).dump().asked
    assert (asked.key, asked.question) == (f"gradcam.{said}", said)


def test_several_layers_are_several_columns_and_ask_for_no_class(network, guesses):
    engine = kv.Activations(layer="conv4,conv5")
    found = dumper(network, [engine, "gradcam"], truths=guesses.tolist()).dump()
    keys = ["activations.1", "activations.2", "gradcam.true", "gradcam.top"]
    assert columns(found) == {key: list(range(6)) for key in keys}
    assert [one.results[0].layer.path for one in found.asked[:2]] == ["conv4", "conv5"]
    assert [one.question for one in found.asked[:2]] == ["", ""]


def test_a_second_engine_of_a_technique_has_a_folder_of_its_own(network):
    found = dumper(network, [kv.GradCAM(layer="conv4"), kv.GradCAM(layer="conv5")]).dump()
    assert [(one.key, one.folder) for one in found.asked] == [("gradcam", ""), ("gradcam-2", "gradcam-2")]


# What cannot be answered.


def test_an_engine_that_does_not_fit_is_told_once_and_the_others_go_on(network, guesses):
    made = dumper(network, [kv.GradCAM(layer="conv9"), "saliency"], truths=guesses.tolist())
    found = made.dump()
    assert list(columns(found)) == ["saliency.true", "saliency.top"]
    (failure,) = found.failures.values()
    assert failure.said.startswith("Grad-CAM could not be made: ")
    assert "conv9" in failure.said
    assert isinstance(failure.error, kv.LayerError)
    again = made.dump()
    assert again.failures == {"gradcam": failure}  # the same, not another try
    assert list(columns(again)) == ["saliency.true", "saliency.top"]


def test_what_may_pass_is_tried_again(network):
    @dataclass(frozen=True, kw_only=True)
    class Full(Engine):
        """No memory, the first time."""

        technique = kv.GradCAM().technique
        asked: ClassVar = []

        def explain(self, network, given, target=None, **options):
            self.asked.append(len(given))
            if len(self.asked) == 1:
                raise MemoryError("no room")
            return kv.GradCAM().explain(network, given, target)

    made = Dumper([Watched("full", Full())], network, Fixed(PICTURES), None)
    found = made.dump()
    assert found.asked == []
    assert found.failures["full"].said == "Grad-CAM could not be made: MemoryError: no room"
    assert columns(made.dump()) == {"full": list(range(6))}


def test_a_class_that_the_network_does_not_have_is_told(network):
    found = dumper(network, truths=[0, 1, 2, 3, 4, 5]).dump()
    assert found.asked == []
    assert "Expected a class from 0 to 4, found 5 in 'true'." in found.failures["gradcam"].said


def test_one_class_a_picture(network):
    with pytest.raises(kv.SettingError, match="one class a picture, found 2 for 6 pictures"):
        dumper(network, truths=[0, 1])


def test_a_sentence_has_one_line_and_an_end():
    assert sentence("Pictures", kv.SettingError("Expected a.\nmore")) == "Pictures could not be made: Expected a."
    assert sentence("Pictures", OSError(28, "No space left on device")) == (
        "Pictures could not be made: OSError: [Errno 28] No space left on device"
    )
    assert sentence("Pictures", ValueError()) == "Pictures could not be made: ValueError: "
    assert len(sentence("Pictures", ValueError("x" * 9999))) < 700


# Whose classes they are.


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    return kv.open(tiny_model(tmp_path_factory.mktemp("model")))


PHOTOS = np.random.default_rng(0).integers(0, 255, (3, 20, 24, 3), np.uint8)


def test_names_of_folders_are_classes_where_each_of_them_is_one(named):
    made = dumper(named, images=PHOTOS, truths=["red", "dark", "bri"], guessed=True)
    assert made.titles == ["red", "dark", "bright"]
    assert {one.question for one in made.dump().asked} == {"true", "top"}
    made = dumper(named, images=PHOTOS, truths=["red", "dark", "holiday"], guessed=True)
    assert made.titles == ["", "", ""]
    assert {one.question for one in made.dump().asked} == {"auto"}


def test_names_that_were_given_as_classes_must_be_some(named):
    found = dumper(named, images=PHOTOS, truths=["red", "dark", "holiday"]).dump()
    assert "holiday" in found.failures["gradcam"].said
    assert dumper(named, images=PHOTOS, truths=[NAMES[0], 2, 1]).titles == ["dark", "red", "bright"]


def test_numbers_beside_a_dataset_are_classes_where_the_network_has_them(named):
    assert dumper(named, images=PHOTOS, truths=[0, 2, 1], guessed=True).titles == ["dark", "red", "bright"]
    assert dumper(named, images=PHOTOS, truths=[0, 3, 1], guessed=True).titles == ["", "", ""]


@pytest.mark.parametrize(("head", "known"), [("side", True), ("value", False), ("segments", False)])
def test_numbers_beside_a_dataset_are_classes_of_a_classifier_only(head, known):
    truths = [0, 1, 1, 0, 1, 0]
    made = dumper(random_network(head), truths=truths, guessed=True)
    assert any(made.titles) is known
    found = made.dump()
    assert found.failures == {}
    assert {one.question for one in found.asked} == ({"true", "top"} if known else {"auto"})


def test_several_inputs_by_name():
    photo, age = keras.Input((6, 7, 3), name="photo"), keras.Input((1,), name="age")
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3, activation="relu")(photo))
    model = keras.Model({"photo": photo, "age": age}, keras.layers.Dense(2)(keras.layers.Concatenate()([mean, age])))
    made = dumper(kv.open(model), images={"photo": PICTURES, "age": np.ones((6, 1))}, truths=[0, 1] * 3)
    assert [one.name for one in made.given] == [f"image_{k:04d}" for k in range(6)]
    assert list(columns(made.dump())) == ["gradcam.true", "gradcam.top"]
