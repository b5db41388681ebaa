"""Which metrics become curves, and between which limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasviz.timelines.curves import limits, plots_of
from kerasviz.timelines.store import History

COLUMNS = {"gradcam": "Grad-CAM", "cam": "CAM"}


def history(**metrics):
    """Epochs 1, 2, ... from lists of values."""
    epochs = max(map(len, metrics.values()), default=0)
    logs = [{name.replace("__", "/"): one[k] for name, one in metrics.items() if k < len(one)} for k in range(epochs)]
    return History(epochs={k + 1: log for k, log in enumerate(logs)})


def titles(found):
    return [plot["title"] for plot in found]


def test_loss_then_what_should_rise_each_with_its_validation():
    (loss, accuracy) = plots_of(history(accuracy=[0.1, 0.9], val_loss=[3, 2], loss=[2.0, 1.0]), [], [], {})
    assert titles([loss, accuracy]) == ["Loss", "Accuracy"]
    assert loss["lines"] == [
        {"name": "", "points": [(1, 2.0), (2, 1.0)]},
        {"name": "validation", "points": [(1, 3.0), (2, 2.0)]},
    ]
    assert [line["name"] for line in accuracy["lines"]] == [""]


def test_maps_that_move_and_lie_in_boxes_stand_on_top_and_others_fill_up():
    dumps = [
        {"measures": {"gradcam": {"inside": [0.5, None, 0.7]}}},
        {"measures": {"gradcam": {"inside": [0.6, 0.6], "moved": [0.2, 0.4]}, "cam": {"moved": [None]}}},
    ]
    logs = history(learning_rate=[1], mae=[1], top_k=[0.4], accuracy=[0.2], loss=[2], kerasviz__moved=[0.1])
    assert titles(plots_of(logs, dumps, [0.0, 1.0], COLUMNS)) == ["Moved", "Inside boxes", "Loss", "Accuracy"]
    assert titles(plots_of(logs, [], [], COLUMNS)) == ["Loss", "Accuracy", "Top k", "Mae"]
    moved, inside = plots_of(logs, dumps, [0.0, 1.0], COLUMNS)[:2]
    assert moved["lines"] == [{"name": "Grad-CAM", "points": [(1.0, pytest.approx(0.3))]}]
    assert inside["lines"][0]["points"] == [(0.0, pytest.approx(0.6)), (1.0, pytest.approx(0.6))]


def test_what_is_no_number_is_a_gap():
    (loss,) = plots_of(history(loss=[1.0, None, "3", float("inf"), float("nan"), True, 10**400, 2]), [], [], {})
    assert [value for _, value in loss["lines"][0]["points"]] == [1.0, None, None, None, None, None, None, 2.0]
    assert plots_of(history(loss=[None]), [], [], {}) == []


def test_a_validation_without_its_metric_is_one_of_its_own():
    assert titles(plots_of(history(val_iou=[0.1]), [], [], {})) == ["Val iou"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.244, 2.31], (0, 2.5)),
        ([0.1, 0.96], (0, 1)),
        ([0.91, 0.985], (0.91, 0.99)),
        ([2.2999, 2.3026], (2.2995, 2.303)),
        ([-3, 4], (-3, 4)),
        ([5, 5], (0, 10)),
        ([0, 0], (0, 1)),
        ([-2], (-4, 0)),
        ([], (0, 1)),
    ],
)
def test_limits_are_round(values, expected):
    assert limits(values) == pytest.approx(expected)


@given(st.lists(st.floats(-1e200, 1e200), min_size=1))
def test_limits_hold_every_value(values):
    low, high = limits(values)
    assert low < high
    slack = 1e-6 * (high - low)
    assert low - slack <= min(values) <= max(values) <= high + slack
