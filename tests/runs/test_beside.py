"""Work beside a training: in order, bounded, never lost, and no thread left behind."""

import subprocess
import sys
import threading
import time

import pytest

from kerasviz.runs.beside import Beside, Seldom

LONG = 30  # seconds after which a test gives up


class Desk:
    """Jobs that say what was done, and a door that holds one of them."""

    def __init__(self, idle=None):
        self.done, self.failed, self.asked = [], [], []
        self.door, self.inside = threading.Event(), threading.Event()
        self.beside = Beside(self.failed.append, idle or self._idle)

    def _idle(self, awaited):
        self.asked.append(awaited)
        return 0.0

    def job(self, name):
        return lambda: self.done.append(name)

    def hold(self):
        self.inside.set()
        assert self.door.wait(LONG)
        self.done.append("held")

    def submit_held(self):
        """Hand over a job that waits at the door, and wait until it does."""
        self.beside.submit(self.hold)
        assert self.inside.wait(LONG)


def threads():
    return [one for one in threading.enumerate() if one.name == "kerasviz-writing"]


def joined(*others):
    for one in others:
        one.join(LONG)
        assert not one.is_alive()


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.door.set()
    desk.beside.finish()


def test_jobs_are_done_in_their_order_by_one_thread(desk):
    where = []
    for k in range(20):
        desk.beside.submit(lambda k=k: (desk.done.append(k), where.append(threading.current_thread().name)))
    desk.beside.finish()
    assert desk.done == list(range(20))
    assert set(where) == {"kerasviz-writing"}


def test_who_hands_over_waits_while_two_jobs_wait(desk):
    desk.submit_held()
    for name in "ab":
        desk.beside.submit(desk.job(name))  # these do not wait
    handed = threading.Event()
    third = threading.Thread(target=lambda: (desk.beside.submit(desk.job("c")), handed.set()))
    third.start()
    assert not handed.wait(0.2)
    desk.door.set()
    joined(third)
    desk.beside.finish()
    assert desk.done == ["held", "a", "b", "c"]


def test_a_moments_work_is_handed_over_without_waiting(desk):
    desk.submit_held()
    for k in range(10):
        desk.beside.submit(desk.job(k), waits=False)
    assert desk.done == []
    desk.door.set()
    desk.beside.finish()
    assert desk.done == ["held", *range(10)]


@pytest.mark.parametrize("error", [ValueError("disk"), KeyboardInterrupt(), SystemExit(3)])
def test_what_fails_is_told_and_the_next_job_goes_on(desk, error):
    def fail():
        raise error

    desk.beside.submit(fail)
    desk.beside.submit(desk.job("next"))
    desk.beside.finish()
    assert desk.failed == [error]
    assert desk.done == ["next"]


def test_what_fails_in_idle_is_told_once_and_the_thread_ends():
    def idle(awaited):
        raise OSError("page")

    desk = Desk(idle)
    desk.beside.submit(desk.job("a"))
    desk.beside.finish()
    assert [str(error) for error in desk.failed] == ["page"]
    assert desk.done == ["a"]


def test_idle_is_called_when_nothing_is_left_and_told_whether_somebody_waits():
    desk = Desk()
    desk.submit_held()
    desk.beside.submit(desk.job("next"))
    assert desk.asked == []
    waiting = threading.Thread(target=desk.beside.finish)
    waiting.start()
    while not desk.beside._awaited:
        time.sleep(0.001)
    desk.door.set()
    joined(waiting)
    assert desk.done == ["held", "next"]
    assert desk.asked == [True]


def test_idle_is_called_again_after_its_pause_and_at_once_for_who_waits():
    asked = []

    def idle(awaited):
        asked.append(awaited)
        return 0.0 if awaited else 1000.0

    desk = Desk(idle)
    desk.beside.submit(desk.job("a"))
    while not asked:
        time.sleep(0.001)
    desk.beside.finish()  # well within those 1000 seconds
    assert asked[0] is False
    assert asked[-1] is True
    assert set(asked[:-1]) == {False}


def test_no_time_of_the_processor_goes_while_it_pauses():
    asked = []

    def idle(awaited):
        asked.append(awaited)
        return 0.0 if awaited else 1000.0

    desk = Desk(idle)
    desk.beside.submit(desk.job("a"))
    time.sleep(1.2)
    assert len(asked) <= 4  # every half a second it is looked whether the interpreter is ending
    desk.beside.finish()


def test_a_job_is_done_at_once_in_a_pause():
    desk = Desk(lambda awaited: 0.0 if awaited else 1000.0)
    for name in "ab":
        desk.beside.submit(desk.job(name))
        while name not in desk.done:
            time.sleep(0.001)
    desk.beside.finish()
    assert desk.done == ["a", "b"]


def test_the_thread_ends_and_another_begins_when_it_is_needed(desk):
    desk.beside.finish()  # nothing was ever handed over
    assert threads() == []
    for name in "ab":
        desk.beside.submit(desk.job(name))
        desk.beside.finish()
        for one in threads():
            one.join(LONG)
        assert threads() == []
    assert desk.done == ["a", "b"]


def test_several_may_wait_and_all_see_everything_done(desk):
    desk.submit_held()
    seen = []
    waiting = [threading.Thread(target=lambda: (desk.beside.finish(), seen.append(list(desk.done)))) for _ in range(4)]
    for one in waiting:
        one.start()
    desk.beside.submit(desk.job("a"))
    desk.door.set()
    joined(*waiting)
    assert seen == [["held", "a"]] * 4


def test_several_may_hand_over(desk):
    others = [
        threading.Thread(target=lambda k=k: [desk.beside.submit(desk.job((k, i))) for i in range(50)]) for k in range(4)
    ]
    for one in others:
        one.start()
    joined(*others)
    desk.beside.finish()
    assert sorted(desk.done) == [(k, i) for k in range(4) for i in range(50)]
    for k in range(4):
        assert [i for owner, i in desk.done if owner == k] == list(range(50))


@pytest.mark.parametrize(
    ("ending", "code"), [("", 0), ("raise ValueError('mine')", 1), ("sys.exit(3)", 3), ("del beside", 0)]
)
def test_jobs_are_finished_when_the_interpreter_ends(ending, code, tmp_path):
    said = f"""
import sys, time
from pathlib import Path
from kerasviz.runs.beside import Beside
def idle(awaited):
    if awaited:
        Path({str(tmp_path / "idle")!r}).touch()
    return 0.0 if awaited else 1000.0
def job(name):
    time.sleep(0.3)
    Path({str(tmp_path)!r}, name).touch()
beside = Beside(print, idle)
for name in "abc":
    beside.submit(lambda name=name: job(name))
{ending}
"""
    ended = subprocess.run([sys.executable, "-c", said], timeout=60, capture_output=True)
    assert ended.returncode == code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", "idle"]


def test_a_job_handed_over_while_the_interpreter_ends_is_lost_in_words_not_in_a_hang():
    said = """
import atexit
from kerasviz.runs.beside import Beside
beside = Beside(print, lambda awaited: 0.0)
atexit.register(lambda: (beside.submit(lambda: print("done")), beside.finish()))
"""
    ended = subprocess.run([sys.executable, "-c", said], timeout=60, capture_output=True, text=True)
    assert ended.stdout == "done\n" or "RuntimeError" in ended.stderr


def test_the_thread_steps_back_behind_the_training(desk):
    import os

    if not hasattr(os, "getpriority"):
        pytest.skip("the system has no priorities of threads")
    found = []
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    desk.beside.submit(lambda: found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    desk.beside.finish()
    assert found == [min(19, mine + 10)] or found == [10]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


# What takes long is done seldom.


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_seldom_waits_twenty_times_as_long_as_it_took(clock):
    seldom = Seldom()
    assert seldom.pause == 0

    def work():
        clock[0] += 2

    seldom.do(work)
    assert seldom.pause == 40
    clock[0] += 39
    assert seldom.pause == 1
    clock[0] += 5
    assert seldom.pause == 0


def test_seldom_waits_also_after_what_failed(clock):
    seldom = Seldom(share=0.5)

    def fail():
        clock[0] += 3
        raise OSError

    with pytest.raises(OSError):
        seldom.do(fail)
    assert seldom.pause == 6
