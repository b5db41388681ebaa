"""Where dumps stand on the axis of epochs."""

from hypothesis import given
from hypothesis import strategies as st

from kerasviz.timelines.axis import places


def dump(unit, epoch, step):
    return {"unit": unit, "epoch": epoch, "step": step}


def test_dumps_after_epochs_stand_on_their_epochs():
    assert places([dump("epoch", 0, 0), dump("epoch", 5, 500), dump("epoch", 7, 700)]) == [0.0, 5.0, 7.0]


def test_dumps_after_batches_stand_between_the_epochs_around_them():
    dumps = [
        dump("epoch", 0, 0),
        dump("step", 0, 25),
        dump("epoch", 1, 100),
        dump("step", 1, 150),
        dump("epoch", 2, 200),
    ]
    assert places(dumps) == [0.0, 0.25, 1.0, 1.5, 2.0]


def test_batches_alone_tell_how_long_an_epoch_is():
    dumps = [dump("step", step // 100, step) for step in range(0, 501, 50)]
    assert places(dumps) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]


def test_other_batches_after_a_resumption_are_counted_between_their_own_epochs():
    dumps = [dump("epoch", 1, 100), dump("epoch", 2, 200), dump("step", 2, 210), dump("epoch", 3, 220)]
    assert places(dumps) == [1.0, 2.0, 2.5, 3.0]


def test_within_the_first_epoch_nothing_is_known_and_nothing_fails():
    first, second = places([dump("step", 0, 100), dump("step", 0, 200)])
    assert 0 < first < second < 1
    assert places([dump("step", 0, 0)]) == [0.0]
    assert places([]) == []


@given(batches=st.integers(1, 50), every=st.integers(1, 40), epochs=st.integers(1, 8), both=st.booleans())
def test_time_never_runs_backwards_and_stays_in_its_epoch(batches, every, epochs, both):
    dumps = [
        dump(unit, step // batches, step)
        for step in range(batches * epochs + 1)
        for unit, due in (("step", step % every == 0), ("epoch", both and step % batches == 0))
        if due
    ]
    at = places(dumps)
    assert at == sorted(at)
    assert all(one["epoch"] <= place <= one["epoch"] + 1 for one, place in zip(dumps, at, strict=True))


def test_what_the_journal_knows_of_epochs_places_batches_exactly():
    dumps = [dump("step", 0, 2), dump("step", 0, 4), dump("step", 1, 6), dump("step", 1, 8)]
    assert places(dumps, {1: 4, 2: 8}) == [0.5, 1.0, 1.5, 2.0]
    assert places(dumps[:1], {1: 4}) == [0.5]
