"""When a training is looked at, what that may cost, and how far it has come."""

import numpy as np
import pytest

from kerasviz.errors import SettingError
from kerasviz.runs.schedule import Budget, Clock, Schedule

BOTH = ("start", "end")


@pytest.mark.parametrize(
    ("every", "number", "unit"),
    [
        (1, 1, "epoch"),
        (np.int64(5), 5, "epoch"),
        ("5", 5, "epoch"),
        ("1 epoch", 1, "epoch"),
        (" 5 epochs ", 5, "epoch"),
        ("1 step", 1, "step"),
        ("100 steps", 100, "step"),
        ("100steps", 100, "step"),
        ("1 batch", 1, "step"),
        ("20 batches", 20, "step"),
    ],
)
def test_every(every, number, unit):
    assert Schedule.of(every, (), None) == Schedule(number, unit, False, False)


@pytest.mark.parametrize(
    "every", [0, -1, True, 2.5, None, "", "epochs", "0 steps", "5 epochen", "five epochs", "1e3", [5], "5 5"]
)
def test_what_is_no_every_is_refused_with_what_is(every):
    with pytest.raises(SettingError, match=r"Expected every as 5, '5 epochs' or '100 steps', found .*default is 1\."):
        Schedule.of(every, (), None)


@pytest.mark.parametrize(
    ("when", "start", "end"),
    [(BOTH, True, True), ("start", True, False), (["end"], False, True), ((), False, False), (None, False, False)],
)
def test_when(when, start, end):
    assert Schedule.of(1, when, None) == Schedule(1, "epoch", start, end)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("strat", r"found 'strat'\. Did you mean 'start'\?"),
        (("start", "ends"), r"found 'ends'\. Did you mean 'end'\?"),
        ([1], "found 1"),
        (5, r"found 5\. Try when=\('start', 'end'\)"),
        (True, "found True"),
    ],
)
def test_what_is_no_moment_is_refused_with_a_near_one(when, said):
    with pytest.raises(SettingError, match=rf"Expected when as any of start, end, {said}"):
        Schedule.of(1, when, None)


def test_after_epochs():
    schedule = Schedule.of(3, (), None)
    assert [epoch for epoch in range(1, 10) if schedule.after_epoch(epoch)] == [3, 6, 9]
    assert not schedule.after_steps(0, 100)


def test_after_steps_which_may_come_several_at_once():
    schedule = Schedule.of("10 steps", (), None)
    assert not schedule.after_epoch(10)
    singly = [now for now in range(1, 35) if schedule.after_steps(now - 1, now)]
    assert singly == [10, 20, 30]
    by_four = [now for now in range(4, 45, 4) if schedule.after_steps(now - 4, now)]
    assert by_four == [12, 20, 32, 40]  # the first call in which a tenth batch was completed
    assert schedule.after_steps(5, 35)


# Improvement.


def improvements(monitor, values, name):
    schedule, best, found = Schedule.of(1, (), monitor), None, []
    for k, value in enumerate(values):
        better = schedule.better({name: value}, best)
        best = best if better is None else better
        found += [k] if better is not None else []
    return found


SERIES = [3, 2, 2, 4, float("nan"), 1, float("-inf"), float("inf"), 5]


def test_improvement_is_being_better_than_ever_before():
    assert improvements("val_loss", SERIES, "val_loss") == [0, 1, 5]
    assert improvements(("dice_of_mine", "max"), SERIES, "dice_of_mine") == [0, 3, 8]
    assert improvements(["val_accuracy", "min"], SERIES, "val_accuracy") == [0, 1, 5]
    assert improvements(None, SERIES, "val_loss") == []
    assert improvements("val_loss", SERIES, "loss") == []
    assert improvements("val_loss", [np.float32(2), np.float32(1)], "val_loss") == [0, 1]


def test_keras_own_names_say_which_way_is_better():
    import keras

    larger = ["Accuracy", "SparseTopKCategoricalAccuracy", "AUC", "Precision", "Recall", "MeanIoU", "CosineSimilarity"]
    larger += ["F1Score", "FBetaScore", "R2Score", "BinaryIoU", "TruePositives"]
    smaller = ["MeanSquaredError", "KLDivergence", "FalsePositives", "Hinge", "LogCoshError"]
    options = {"MeanIoU": {"num_classes": 2}}
    names = {name: getattr(keras.metrics, name)(**options.get(name, {})).name for name in larger + smaller}
    rises = {name: Schedule.of(1, (), f"val_{own}").larger for name, own in names.items()}
    assert [name for name, up in rises.items() if up] == larger
    assert [Schedule.of(1, (), name).larger for name in ("acc", "auc_1", "head_accuracy", "loss", "inacc")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("monitor", [5, ("loss",), ("loss", "down"), ("a", "b", "c"), {"loss": "min"}])
def test_what_is_no_monitor_is_refused(monitor):
    with pytest.raises(SettingError, match=r"name of a metric or \(name, 'min' or 'max'\).*Try 'val_loss'"):
        Schedule.of(1, (), monitor)


def test_a_metric_that_is_not_there_is_told_with_a_near_one():
    schedule = Schedule.of(1, (), "val_los")
    assert schedule.missing({"loss": 1, "val_loss": 2}, last=True) == (
        "Expected the metric 'val_los' after an epoch, found loss, val_loss. Did you mean 'val_loss' or 'loss'?"
    )
    assert schedule.missing({"loss": 1}, last=False) is None  # a validation may come later
    assert schedule.missing({"val_los": 1}, last=True) is None
    assert "'acc'" in Schedule.of(1, (), "acc").missing({"accuracy": 1}, last=False)
    assert Schedule().missing({}, last=True) is None


# What it may cost.


def test_without_a_budget_everything_is_allowed():
    budget = Budget(None)
    for _ in range(5):
        assert budget.allows(0.0)
        budget.pay(10.0)
    assert (budget.spent, budget.skipped) == (50.0, 0)


def test_a_budget_holds_over_a_training_of_dear_dumps():
    """Each epoch takes 10 s, a dump 3 s, the first one 20 s."""
    budget, elapsed, dumps = Budget(0.05), 0.0, []
    for epoch in range(400):
        elapsed += 10
        if budget.allows(elapsed):
            cost = 3 if dumps else 20
            budget.pay(cost)
            elapsed += cost
            dumps.append(epoch)
            if len(dumps) > 2:  # only with the second it is known what they cost
                assert budget.spent <= 0.05 * elapsed
    assert dumps[0] == 0
    assert budget.spent == 20 + 3 * (len(dumps) - 1)
    assert 0.045 * elapsed < budget.spent <= 0.05 * elapsed
    assert budget.skipped == 400 - len(dumps)


def test_the_dearest_of_the_last_three_is_expected_and_the_first_is_not():
    budget = Budget(0.5)
    budget.pay(100.0)
    assert budget.allows(200.0)
    budget.pay(10.0)
    assert not budget.allows(239.0)  # 110 spent, 10 expected: 240 are needed
    assert budget.allows(240.0)
    for cost in (1.0, 1.0, 1.0):
        budget.pay(cost)
    assert budget.allows(228.0)  # 113 spent, 1 expected
    assert budget.skipped == 1


@pytest.mark.parametrize("share", [0, -0.1, 1.1, 5, float("nan"), "0.05", True, [0.05]])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(SettingError, match=r"time_budget as a share above 0 and up to 1, found .*Try 0\.05"):
        Budget(share)


# How far it has come.


def train(clock, epochs, *, first=0, batches=4, told=True, at_once=1):
    """What a call of `fit` tells a clock; the epochs it has completed after each."""
    clock.begin()
    found = []
    for epoch in range(first, epochs):
        clock.epoch_began(epoch)
        for batch in range(at_once - 1, batches, at_once):
            if told:
                clock.batch_ended(batch)
        clock.epoch_ended(batches)
        found.append(clock.completed)
    clock.end()
    return found


def test_a_second_call_that_counts_from_0_goes_on():
    clock = Clock()
    assert train(clock, 3) == [1, 2, 3]
    assert train(clock, 2) == [4, 5]
    assert clock.step == 20


def test_a_call_with_initial_epoch_counts_as_keras_does():
    clock = Clock()
    assert train(clock, 3) == [1, 2, 3]
    assert train(clock, 5, first=3) == [4, 5]
    assert train(Clock(), 7, first=5) == [6, 7]
    assert train(clock, 12, first=10) == [11, 12]


def test_only_the_first_epoch_of_a_call_is_its_beginning():
    clock = Clock()
    clock.begin()
    assert [clock.epoch_began(epoch) for epoch in (0, 1)] == [True, False]
    clock.begin()
    assert clock.epoch_began(0)


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_batches_are_counted_also_where_keras_tells_of_every_few(at_once):
    clock = Clock()
    train(clock, 2, at_once=at_once)
    assert clock.step == 8


def test_batches_that_nobody_told_of_are_counted_by_the_epoch():
    clock = Clock()
    train(clock, 2, told=False)
    assert clock.step == 8
    clock.epoch_ended(None)  # a generator whose length nobody knows
    assert (clock.completed, clock.step) == (3, 8)


def test_before_and_after_a_batch():
    clock = Clock()
    clock.begin()
    clock.epoch_began(0)
    assert [clock.batch_ended(batch) for batch in (2, 5, 7)] == [(0, 3), (3, 6), (6, 8)]
    clock.epoch_began(1)
    assert clock.batch_ended(2) == (8, 11)


def test_a_moment_says_when_and_where_to():
    clock = Clock()
    train(clock, 5)
    moment = clock.moment("epoch", "every", {"loss": 1.0})
    assert vars(moment) == {
        "folder": "epoch_0005",
        "unit": "epoch",
        "number": 5,
        "epoch": 5,
        "step": 20,
        "why": "every",
        "logs": {"loss": 1.0},
    }
    moment = clock.moment("step", "end", {})
    assert (moment.folder, moment.number, moment.why) == ("step_0000020", 20, "end")


def test_time_passes_within_calls_only(monkeypatch):
    moments = iter([100.0, 103.0, 107.0, 200.0, 205.0, 210.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(moments))
    clock = Clock()
    clock.begin()
    assert clock.elapsed == 3
    clock.end()  # at 107
    clock.begin()
    assert [clock.elapsed, clock.elapsed] == [12, 17]
