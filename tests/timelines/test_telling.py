"""What strips and animations say: only what is known, in the order in which it matters."""

import dataclasses

import numpy as np
import pytest
from log_folders import CAM, FINE, PICTURE, SIGNED

from kerasviz.timelines import telling
from kerasviz.timelines.frames import Cell, Frame, Standing
from kerasviz.timelines.layout import Layout
from kerasviz.timelines.store import History

LAYOUT = Layout("small", [], [])
MAP = np.full((2, 2), 255, np.uint8)
BEE = Cell(share=MAP, limit=1.0, maximum=1.0, target="bee", score=2.345)
SURE = Standing("bee", 0.37, 1, [("bee", 0.37), ("cat", 0.2)])
UNSURE = Standing("bee", 0.004, 7, [("cat", 0.6), ("dog", 0.2)])


def history(**metrics):
    epochs = {k + 1: {name: values[k] for name, values in metrics.items() if k < len(values)} for k in range(3)}
    return History(epochs=epochs)


def frame(unit="epoch", number=2, epoch=2):
    return Frame("f", unit, number, epoch, 10 * epoch, "every")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["loss", "accuracy", "val_loss", "val_accuracy"], "val_accuracy"),
        (["loss", "accuracy"], "accuracy"),
        (["loss", "auc", "sparse_categorical_accuracy"], "sparse_categorical_accuracy"),
        (["loss", "val_loss", "lr"], "val_loss"),
        (["dense_loss", "loss"], "loss"),
        (["kerasviz/gradcam/moved", "learning_rate"], None),
        ([], None),
    ],
)
def test_the_metric_of_a_strip(names, chosen):
    assert telling.metric_of(history(**{name: [0.1, 0.2, 0.3] for name in names})) == chosen


def test_a_share_runs_from_0_to_1_and_a_loss_between_round_limits():
    curve = telling.curve_of(history(val_accuracy=[0.2, 0.3, 0.4]), "val_accuracy")
    assert (curve.title, curve.facts, curve.low, curve.high) == ("Accuracy", "validation", 0, 1)
    assert curve.points == [(1, 0.2), (2, 0.3), (3, 0.4)]
    curve = telling.curve_of(history(loss=[2.27, 0.4, 0.1]), "loss")
    assert (curve.title, curve.facts, curve.low) == ("Loss", "training", 0)
    assert 2.27 <= curve.high <= 3


@pytest.mark.parametrize("values", [[], [float("nan")] * 3, [None] * 3, ["many"] * 3])
def test_a_metric_without_numbers_is_no_curve(values):
    assert telling.curve_of(history(loss=values), "loss") is None
    assert telling.curve_of(history(loss=values), None) is None


def test_a_value_is_known_after_epochs_only():
    found = history(loss=[3.0, 2.0, float("inf")])
    assert telling.value_of(found, "loss", frame(number=2)) == 2
    assert telling.value_of(found, "loss", frame(number=3, epoch=3)) is None
    assert telling.value_of(found, "loss", frame("step", 25, 2)) is None
    assert telling.value_of(found, None, frame()) is None
    assert telling.value_of(found, "loss", frame(number=0, epoch=0)) is None


def test_times_are_epochs_or_steps():
    assert [telling.time_of(frame()), telling.time_of(frame("step", 12_000))] == ["epoch 2", "step 12,000"]


@pytest.mark.parametrize(
    ("cell", "standing", "expected"),
    [
        (BEE, SURE, (0.37, True)),
        (BEE, UNSURE, (0.004, False)),
        (dataclasses.replace(BEE, target="cat"), UNSURE, (0.6, True)),
        (dataclasses.replace(BEE, target="dog"), UNSURE, (0.2, False)),
        (dataclasses.replace(BEE, target="owl"), UNSURE, (None, False)),
        (dataclasses.replace(BEE, target=""), SURE, (0.37, True)),
        (BEE, Standing(), (None, False)),
        (BEE, Standing("bee", "much", 1), (None, True)),
    ],
)
def test_the_probability_of_what_was_explained(cell, standing, expected):
    assert telling.chance_of(cell, standing) == expected


def test_under_a_picture_stands_its_probability_or_else_its_score():
    assert telling.under(BEE, SURE, False) == {"under": ["0.37"], "strong": True}
    assert telling.under(BEE, UNSURE, True) == {"under": ["bee", "< 0.01"], "strong": False}
    assert telling.under(BEE, Standing(), False)["under"] == ["2.3"]
    assert telling.under(dataclasses.replace(BEE, limit=0.0), SURE, False)["under"] == ["0.37", "all 0"]
    assert telling.under(Cell(failed=True, note="No."), SURE, True) == {"under": ["failed"], "bad": True}
    assert telling.under(None, SURE, True) == {}


def test_a_note_below_a_frame():
    assert telling.note_of(BEE, SURE) == {"right": "bee 0.37", "more": ""}
    assert telling.note_of(dataclasses.replace(BEE, limit=0.0), SURE)["more"] == "all 0"
    assert telling.note_of(Cell(failed=True, note="No gradient."), SURE) == {"more": "No gradient.", "bad": True}
    assert telling.note_of(Cell(failed=True), SURE)["more"] == "failed"
    assert telling.note_of(Cell(picture=np.zeros((2, 2, 3), np.uint8)), Standing()) == {"right": "", "more": ""}
    assert telling.note_of(None, SURE) == {}


def caption(column, times, high=1.0, clipped=False):
    key = telling.key_of(column, high, clipped, column.colormap) if column.kind == "map" else None
    return telling.caption_of(LAYOUT, column, key, times)


def test_the_caption_of_a_map():
    assert caption(CAM, {"epoch 1": (BEE, UNSURE), "epoch 2": (BEE, SURE)}, 0.443) == (
        "Grad-CAM for bee, the true class. small, conv_second. One scale for all dumps: 0 to 0.44 logit, the maximum: "
        "nothing is clipped. Figures: its probability, dark where it is predicted. Overlay: opacity 0.65 × √share."
    )


def test_the_caption_of_a_signed_map_says_what_the_colours_mean():
    said = caption(SIGNED, {"epoch 1": (BEE, SURE)}, 2.0)
    assert "One scale for all dumps: −2.0 to 2.0 logit" in said
    assert "Red supports, blue opposes." in said


def test_the_caption_of_a_fine_map_says_that_it_is_clipped_and_stands_alone():
    said = caption(FINE, {"epoch 1": (BEE, Standing())}, 3.2e-4, True)
    assert said.endswith(
        "One scale for all dumps: 0 to 3.2e−4 logit per grey level, what lies beyond is clipped. Figures: its score."
    )


def test_the_caption_of_classes_that_change():
    cat = dataclasses.replace(BEE, target="cat")
    said = caption(SIGNED, {"epoch 1": (cat, UNSURE), "epoch 2": (BEE, SURE)})
    assert said.startswith("CAM for the predicted class. small.")
    assert "Figures: their probabilities." in said
    assert "cat" not in said


def test_the_caption_of_maps_of_nothing():
    said = caption(CAM, {"epoch 1": (dataclasses.replace(BEE, limit=0.0), SURE)}, 0.0)
    assert "Every value is 0, so the scale is empty." in said
    assert "opacity" not in said


def test_the_caption_of_a_failure_says_what_failed_and_when():
    said = caption(
        CAM, {"epoch 1": (Cell(failed=True, note="The logits are not numbers"), SURE), "epoch 2": (BEE, SURE)}
    )
    assert said.endswith("Epoch 1: The logits are not numbers.")


def test_the_caption_of_pictures_has_no_scale():
    pictures = {"epoch 1": (Cell(picture=np.zeros((2, 2, 3), np.uint8)), SURE)}
    assert caption(PICTURE, pictures) == (
        "Feature maps. small, conv_first. Figures: probability of bee, dark where it is predicted."
    )


def test_the_ends_of_the_bar_say_what_lies_beyond():
    assert telling.key_of(FINE, 2.0, True, "ink").limits(2) == ("0", "≥ 2.0")
    assert telling.key_of(SIGNED, 2.0, False, "rdbu").limits(2) == ("−2.0", "2.0")
    assert telling.key_of(SIGNED, 0.0, False, "rdbu").scale.high == 0
