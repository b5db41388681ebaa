"""Targets: every way to name a scalar, against gradients of a float64 twin made by hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from networks import LABELS, RANDOM_SHAPE, random_model, random_network, random_pictures, random_weights

import kerasviz as kv

PICTURES = random_pictures(3)
CLASSES, TWO = ("predictions",), ("predictions", "extra")


def twin(pixels: Any) -> dict[str, Any]:
    """Layers, and what stands behind every head, of pixels (N, h, w, C) in float64."""
    weights = {name: [tf.constant(part, tf.float64) for part in pair] for name, pair in random_weights().items()}
    found = {}
    for name in ("conv4", "conv5"):
        kernel, bias = weights[name]
        pixels = found[name] = tf.nn.relu(tf.nn.conv2d(pixels, kernel, 1, "SAME") + bias)
    found["mean"] = tf.reduce_mean(found["conv5"], (1, 2))
    for name in ("predictions", "extra", "side", "value", "values"):
        found[name] = found["mean"] @ weights[name][0] + weights[name][1]
    for name in ("segments", "mask"):
        found[name] = tf.einsum("nhwk,kc->nhwc", found["conv5"], weights[name][0][0, 0]) + weights[name][1]
    return found


def answers(score: Callable[[dict[str, Any]], Any], pictures: np.ndarray = PICTURES) -> tuple[Any, Any, Any]:
    """Scores (N,), their slopes at the pixels, and Grad-CAM at "conv5", or None where they do not depend on it."""
    with tf.GradientTape(persistent=True) as tape:
        pixels = tf.constant(pictures, tf.float64)
        tape.watch(pixels)
        found = twin(pixels)
        values = score(found)
    slopes = tape.gradient(values, found["conv5"])
    maps = None
    if slopes is not None:
        evidence = tf.reduce_sum(tf.reduce_mean(slopes, (1, 2), keepdims=True) * found["conv5"], -1)
        maps = tf.nn.relu(evidence).numpy()
    return values.numpy(), tape.gradient(values, pixels).numpy(), maps


@dataclass(frozen=True)
class Case:
    """A target, and what it means."""

    target: Any
    score: Callable[[dict[str, Any]], Any]
    kind: str = "class"
    scale: str = "logit"
    name: str | None = None  # where it is the same for every picture
    heads: tuple[str, ...] = CLASSES


def unit(k, head="predictions"):
    return lambda found: found[head][:, k]


def less(a, b):
    return lambda found: found["predictions"][:, a] - found["predictions"][:, b]


def largest(found, rank=0):
    return tf.sort(found["predictions"], direction="DESCENDING")[:, rank]


def chance(k):
    return lambda found: tf.nn.softmax(found["predictions"])[:, k]


def channel(k, layer="conv5"):
    return lambda found: tf.reduce_mean(found[layer][..., k], (1, 2))


def neuron(y, x, k):
    return lambda found: found["conv5"][:, y, x, k]


def region(k, rows=slice(None), columns=slice(None)):
    """The sum of a class's logits where it wins, within rows and columns."""

    def score(found):
        logits = found["segments"]
        mine = tf.cast(tf.argmax(logits, -1) == k, tf.float64) * logits[..., k]
        return tf.reduce_sum(mine[:, rows, columns], (1, 2))

    return score


def largest_region(found):
    winners = tf.argmax(found["segments"], -1).numpy().reshape(len(PICTURES), -1)
    k = [int(np.bincount(row, minlength=3).argmax()) for row in winners]
    return tf.stack([region(c)(found)[n] for n, c in enumerate(k)])


def foreground(found):
    return tf.reduce_sum(tf.nn.relu(found["mask"]), (1, 2, 3))


def background(found):
    return tf.reduce_sum(tf.nn.relu(-found["mask"]), (1, 2, 3))


def predicted_side(found):
    return tf.abs(found["side"][:, 0])


def picked(*classes):
    return lambda found: tf.gather(found["predictions"], classes, axis=1, batch_dims=1)


def ours(view):
    """A target function: what a user of Python writes."""
    return 2 * view.logits["predictions"][:, 0] - tf.reduce_mean(view.layer("conv4"), (1, 2, 3))


def ours_in_the_twin(found):
    return 2 * found["predictions"][:, 0] - tf.reduce_mean(found["conv4"], (1, 2, 3))


UNIT = {"kind": "unit", "scale": "output"}
CASES = {
    "auto": Case("auto", largest),
    "nothing": Case(None, largest),
    "index": Case(2, unit(2), name=LABELS[2]),
    "index of numpy": Case(np.int64(2), unit(2), name=LABELS[2]),
    "index as text": Case(" 2 ", unit(2), name=LABELS[2]),
    "name": Case("black-footed ferret", unit(2), name=LABELS[2]),
    "name, case-blind": Case("Tiger CAT", unit(1), name=LABELS[1]),
    "name with underscores": Case("tiger_cat", unit(1), name=LABELS[1]),
    "unique beginning": Case("black-f", unit(2), name=LABELS[2]),
    "synset": Case("n02443484", unit(2), name=LABELS[2]),
    "top": Case("top", largest),
    "top1": Case("top1", largest),
    "contrast of indices": Case("0-3", less(0, 3), name="tabby less black swan"),
    "contrast of names": Case("tabby - tiger cat", less(0, 1), name="tabby less tiger cat"),
    "contrast of names, no spaces": Case("tabby-tiger cat", less(0, 1), name="tabby less tiger cat"),
    "contrast of synsets": Case("n02123045-n02123159", less(0, 1), name="tabby less tiger cat"),
    "contrast of name and index": Case("tabby-3", less(0, 3), name="tabby less black swan"),
    "contrast, the second with a hyphen": Case("tabby - black-footed ferret", less(0, 2)),
    "contrast, the first with a hyphen": Case("black-footed ferret - tabby", less(2, 0)),
    "probability": Case("p(tabby)", chance(0), scale="probability", name="tabby"),
    "probability of an index": Case("p(3)", chance(3), scale="probability", name=LABELS[3]),
    "contrast of probabilities": Case("p(0-3)", lambda f: chance(0)(f) - chance(3)(f), scale="probability"),
    "one a picture": Case([3, "tabby", "n02443484"], picked(3, 0, 2)),
    "one a picture, as an array": Case(np.array([1, 1, 4]), picked(1, 1, 4)),
    "unit of the output by name": Case("predictions:3", unit(3), name=LABELS[3]),
    "unit of the output by number": Case("out0:3", unit(3), name=LABELS[3]),
    "less a class": Case("predictions:-2", lambda f: -unit(2)(f), name="predictions:-2"),
    "difference in an output": Case("predictions:1-2", less(1, 2), kind="unit", name="predictions:1-2"),
    "unit of the second output by name": Case("extra:3", unit(3, "extra"), kind="unit", heads=TWO, name="extra:3"),
    "unit of the second output by number": Case("out1:3", unit(3, "extra"), kind="unit", heads=TWO, name="out1:3"),
    "sum in the second output": Case(
        "extra:0+3", lambda f: unit(0, "extra")(f) + unit(3, "extra")(f), kind="unit", heads=TWO
    ),
    "channel": Case("conv5:3", channel(3), **UNIT, name="conv5:3"),
    "channel of an earlier layer": Case("conv4:2", channel(2, "conv4"), **UNIT),
    "less a channel": Case("conv5:-3", lambda f: -channel(3)(f), **UNIT),
    "sum of channels": Case("conv5:1+3", lambda f: channel(1)(f) + channel(3)(f), **UNIT),
    "difference of channels": Case("conv5:1-3", lambda f: channel(1)(f) - channel(3)(f), **UNIT),
    "three channels": Case("conv5:1-3+4", lambda f: channel(1)(f) - channel(3)(f) + channel(4)(f), **UNIT),
    "neuron": Case("conv5:3@4,5", neuron(4, 5, 3), kind="neuron", scale="output"),
    "difference of neurons": Case(
        "conv5:3@4,5-1@0,6", lambda f: neuron(4, 5, 3)(f) - neuron(0, 6, 1)(f), kind="neuron", scale="output"
    ),
    "neuron less a channel": Case(
        "conv5:3@4,5-1", lambda f: neuron(4, 5, 3)(f) - channel(1)(f), kind="neuron", scale="output"
    ),
    "mean square of a layer": Case("conv5:*", lambda f: tf.reduce_mean(f["conv5"] ** 2, (1, 2, 3)), **UNIT),
    "mean square of a vector": Case("mean:*", lambda f: tf.reduce_mean(f["mean"] ** 2, 1), **UNIT),
    "unit of a vector": Case("mean:2", unit(2, "mean"), **UNIT),
    "function": Case(ours, ours_in_the_twin, kind="callable", scale="output", name="ours"),
    "one side": Case(1, unit(0, "side"), heads=("side",), name="class 1"),
    "the other side": Case(0, lambda f: -f["side"][:, 0], heads=("side",), name="class 0"),
    "the predicted side": Case("auto", predicted_side, heads=("side",)),
    "probability of a side": Case("p(0)", lambda f: tf.sigmoid(-f["side"][:, 0]), scale="probability", heads=("side",)),
    "the value": Case("auto", unit(0, "value"), kind="value", scale="output", heads=("value",), name="value"),
    "the value, named": Case("value", unit(0, "value"), kind="value", scale="output", heads=("value",), name="value"),
    "a value": Case("value:2", unit(2, "values"), kind="value", scale="output", heads=("values",), name="value:2"),
    "a class without a softmax": Case(2, unit(2, "values"), scale="output", heads=("values",)),
    "region": Case("map:1", region(1), kind="map", heads=("segments",)),
    "region in a box": Case("map:1@2,1,5,4", region(1, slice(1, 4), slice(2, 5)), kind="map", heads=("segments",)),
    "the largest region": Case("auto", largest_region, kind="map", heads=("segments",)),
    "foreground": Case("auto", foreground, kind="map", heads=("mask",)),
    "background": Case("map:0", background, kind="map", heads=("mask",)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_score_and_slopes_are_those_of_a_float64_twin(case):
    scores, slopes, _ = answers(case.score)
    results = kv.Saliency()(random_network(*case.heads), PICTURES, case.target)
    np.testing.assert_allclose([r.target.score for r in results], scores, rtol=1e-4, atol=1e-5)
    for result, expected in zip(results, slopes, strict=True):
        np.testing.assert_allclose(result.values, expected, rtol=1e-3, atol=1e-5)
        assert (result.target.kind, result.target.scale) == (case.kind, case.scale)
        assert case.name in (None, result.target.name)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_gradcam_is_that_of_a_float64_twin(case):
    _, _, maps = answers(case.score)
    engine, opened = kv.GradCAM(layer="conv5"), random_network(*case.heads)
    if maps is None:
        with pytest.raises(kv.LayerError, match="does not depend on layer 'conv5'"):
            engine(opened, PICTURES, case.target)
        return
    for result, expected in zip(engine(opened, PICTURES, case.target), maps, strict=True):
        np.testing.assert_allclose(result.values, expected, rtol=1e-3, atol=1e-5)


def test_the_first_three_are_explained_each():
    scores = [answers(lambda found, rank=rank: largest(found, rank)) for rank in range(3)]
    results = kv.Saliency()(random_network(*CLASSES), PICTURES, "top3")
    order = np.argsort(-twin(tf.constant(PICTURES, tf.float64))["predictions"].numpy(), 1)
    for n in range(3):
        for rank in range(3):
            result = results[3 * n + rank]  # the targets of a picture stand together
            assert (result.target.index, result.target.part) == (order[n, rank], rank + 1)
            assert result.target.label == f"top3-{rank + 1}"
            assert result.predictions[rank].index == order[n, rank]
            np.testing.assert_allclose(result.target.score, scores[rank][0][n], rtol=1e-4)
            np.testing.assert_allclose(result.values, scores[rank][1][n], rtol=1e-3, atol=1e-5)


def with_truth(opened, *truths):
    return [replace(one, truth=truth) for one, truth in zip(opened.prepare(PICTURES)[0], truths, strict=True)]


def test_the_true_class_of_each_picture():
    opened = random_network(*CLASSES)
    scores, slopes, _ = answers(picked(4, 0, 2))
    results = list(kv.Saliency().explain(opened, with_truth(opened, 4, "tabby", "n02443484"), "true"))
    assert [r.target.index for r in results] == [4, 0, 2]
    assert [r.target.name for r in results] == [LABELS[4], LABELS[0], LABELS[2]]
    np.testing.assert_allclose([r.target.score for r in results], scores, rtol=1e-4)
    np.testing.assert_allclose([r.values for r in results], slopes, rtol=1e-3, atol=1e-5)


def test_a_box_is_in_pixels_of_the_photograph():
    opened = kv.open(random_model("segments"), preprocess="0..1")
    photograph = np.random.default_rng(1).integers(0, 256, (12, 14, 3), np.uint8)  # twice the network's size
    result = kv.Saliency()(opened, photograph, "map:1@4,2,10,8")
    pixels = opened.prepare(photograph)[0][0].pixels[None] / 255
    scores, slopes, _ = answers(region(1, slice(1, 4), slice(2, 5)), pixels)
    np.testing.assert_allclose(result.target.score, scores[0], rtol=1e-4)
    np.testing.assert_allclose(result.values, slopes[0] / 255, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("heads", "asked"),
    [
        (CLASSES, ["0", "tabby", 3, np.int32(4), "tiger", "0-3", "tabby - tiger cat", "top", [1, 2, 3]]),
        (CLASSES, ["p(0)", "p(tiger cat)", "p(0-1)"]),
        (CLASSES, ["conv5:0", "conv5:4", "conv5:-2"]),
        (CLASSES, ["conv5:0+1", "conv5:3-2"]),
        (CLASSES, ["conv5:0@1,1", "conv5:4@5,6"]),
        (CLASSES, ["top2", "top2"]),
        (TWO, ["extra:0", "extra:3"]),
        (("side",), [0, 1, "1-0"]),
        (("segments",), ["map:0", "map:2", "map:1@0,0,3,3", "map:1@1,1,2,6.5"]),
        (("values",), ["value", "value:0", "value:2"]),
    ],
)
def test_another_class_never_traces_again(heads, asked):
    opened = kv.open(random_model(*heads), labels=LABELS if heads == CLASSES else None)
    for target in asked:
        kv.GradCAM(layer="conv5")(opened, PICTURES, target)
    assert opened.traces == 1


def test_a_function_is_traced_once():
    opened = kv.open(random_model(*CLASSES))
    for _ in range(2):
        kv.Saliency()(opened, PICTURES, ours)
    assert opened.traces == 1


NOT_THERE = {
    "class too large": (CLASSES, 5, "a class from 0 to 4, found '5'"),
    "class of the contrast": (CLASSES, "0-9", "a class from 0 to 4, found '0-9'"),
    "class below zero": (CLASSES, -1, "a class number .*found '-1'"),
    "class of a probability": (CLASSES, "p(7)", "a class from 0 to 4"),
    "one of several": (CLASSES, [0, 1, 5], "a class from 0 to 4"),
    "more ranks than classes": (CLASSES, "top6", "found 'top6'"),
    "no rank": (CLASSES, "top0", "top1 to top100, found 'top0'"),
    "more ranks than anybody reads": (CLASSES, "top99999999999", "top1 to top100, found 'top99999999999'"),
    "class of no int32": (CLASSES, "99999999999", "a class from 0 to 4, found '99999999999'"),
    "class of ten thousand digits": (CLASSES, "9" * 10_000, "a class from 0 to 4, found '999"),
    "channel of no int32": (CLASSES, "conv5:99999999999", "a unit from 0 to 4"),
    "row of no int32": (CLASSES, "conv5:1@99999999999,0", "from 0 to 5"),
    "value of no int32": (("values",), "value:99999999999", "from 0 to 2"),
    "class of no int32 of the map": (("segments",), "map:99999999999", "a class from 0 to 2"),
    "box of no numbers": (("segments",), "map:1@1..2,3,4,5", "found '1@1..2,3,4,5'"),
    "box without a side": (("segments",), "map:1@5,1,5,4", "x0 below x1 and y0 below y1, found 'map:1@5,1,5,4'"),
    "side": (("side",), 2, "a class from 0 to 1"),
    "not one a picture": (CLASSES, [0, 1], "one target a picture, 3, found 2"),
    "ambiguous name": (CLASSES, "black", "found 'black', which stands for 2: .*'black-footed ferret' .2.*'black swan'"),
    "ambiguous contrast": (CLASSES, "black - tabby", "found 'black', which stands for 2"),
    "unknown name": (CLASSES, "tabbi", "found 'tabbi'. Did you mean 'tabby'"),
    "a name where there are none": (TWO[1:], "tabby", "no class names: give --labels, or a number"),
    "channel": (CLASSES, "conv5:5", "a unit from 0 to 4, found 'conv5:5'"),
    "channel of a sum": (CLASSES, "conv5:0+5", "a unit from 0 to 4"),
    "row": (CLASSES, "conv5:1@6,0", "from 0 to 5, found 'conv5:1@6,0'"),
    "column": (CLASSES, "conv5:1@0,7", "from 0 to 6, found 'conv5:1@0,7'"),
    "unit of a vector": (CLASSES, "mean:5", "a unit from 0 to 4"),
    "place in a vector": (CLASSES, "mean:1@0,0", "a layer with maps for a neuron @row,column, found 'mean'"),
    "whole and channel": (CLASSES, "conv5:*+1", r"Expected \* alone"),
    "unit of an output": (TWO, "extra:4", "from 0 to 3, found 'extra:4'"),
    "value": (("values",), "value:3", "from 0 to 2, found 'value:3'"),
    "value of a map": (("segments",), "value", "Use map:CLASS for a segmentation"),
    "class of a map": (("segments",), 1, "Use map:CLASS for a segmentation"),
    "class of the map": (("segments",), "map:3", "a class from 0 to 2, found 'map:3'"),
    "map of classes": (CLASSES, "map:1", "a segmentation output .*Use a class number or name"),
    "contrast of maps": (("segments",), "map:1-2", "found 'map:1-2'"),
    "function of the wrong shape": (CLASSES, lambda view: view.logits["predictions"], "one number a picture"),
    "function without pictures": (CLASSES, lambda view: tf.constant(1.0), "one number a picture"),
    "no such thing": (CLASSES, True, "found True"),
    "a fraction": (CLASSES, 1.5, "found 1.5"),
    "a digit that is none": (CLASSES, "²", "found '²'"),
}


@pytest.mark.parametrize(("heads", "target", "sentence"), NOT_THERE.values(), ids=NOT_THERE)
def test_what_is_not_there_is_refused(heads, target, sentence):
    with pytest.raises(kv.TargetError, match=f"Expected .*{sentence}|{sentence}"):
        kv.GradCAM(layer="conv5")(random_network(*heads), PICTURES, target)


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(kv.LayerError, match=r"no layer 'conv6'.*Did you mean 'conv"):
        kv.Saliency()(random_network(*CLASSES), PICTURES, "conv6:1")


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [(None, "The true class .*--classes FILE"), ("tabbi", "No class is called 'tabbi'.*'tabby'"), (9, "from 0 to 4")],
)
def test_a_true_class_that_is_not_known_is_refused(truth, sentence):
    opened = random_network(*CLASSES)
    with pytest.raises(kv.TargetError, match=sentence):
        list(kv.Saliency().explain(opened, with_truth(opened, 0, 1, truth), "true"))


def test_what_is_no_probability_is_not_called_one():
    result = kv.Saliency()(random_network("values"), PICTURES[0], "p(1)")
    assert (result.target.scale, result.has_probabilities) == ("output", False)
    assert result.target.score == kv.Saliency()(random_network("values"), PICTURES[0], 1).target.score


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(kv.SettingError, match=r"as many class names as .* has classes \(5\), found 2.*--labels"):
        kv.open(random_model(*CLASSES), labels=["a", "b"])


def test_nothing_of_a_refused_target_was_computed():
    opened = kv.open(random_model(*CLASSES))
    with pytest.raises(kv.TargetError):
        kv.Saliency()(opened, PICTURES, 99)
    result = kv.Saliency()(opened, PICTURES[0], 0)
    assert result.values.shape == RANDOM_SHAPE
    assert opened.traces == 1
