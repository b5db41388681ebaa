"""Work that goes on beside a training: one thread, a few jobs waiting at most, and nothing left undone."""

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]
_WAITING = 2  # jobs; each holds the results of one dump
_GLANCE = 0.5  # seconds: how often it is looked whether the interpreter is ending
_NICENESS = 10  # of the thread: the training comes first


class Beside:
    """Runs jobs one after the other in a thread of its own, which ends when nothing is left to do.

    It is no daemon: when the interpreter ends, whatever the reason, it waits for the jobs that were handed over.

    Args:
        failed: called with what a job raised, in the thread; the next job goes on.
        idle: called in the thread when no job is left, with whether somebody waits; the seconds after which it wants
            to be called again, or 0.
    """

    def __init__(self, failed: Callable[[BaseException], None], idle: Callable[[bool], float]):
        self._failed, self._idle = failed, idle
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._awaited = 0

    def submit(self, job: Job, *, waits: bool = True) -> None:
        """Hand a job over; waits while too many of them wait, but for what is a moment's work."""
        with self._changed:
            if waits:
                self._changed.wait_for(lambda: len(self._jobs) < _WAITING or self._thread is None)
            self._jobs.append(job)
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="kerasviz-writing")
                thread.start()
                self._thread = thread  # not before: Ctrl-C in between would leave one that never ran
            self._changed.notify_all()

    def finish(self) -> None:
        """Wait until everything is done."""
        with self._changed:
            self._awaited += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._thread is None)
            finally:
                self._awaited -= 1

    def _work(self) -> None:
        _step_back()
        pause = 0.0
        while True:
            with self._changed:
                if pause:
                    self._changed.wait_for(lambda: self._jobs or self._awaited, min(pause, _GLANCE))
                job = self._jobs.popleft() if self._jobs else None
                awaited = bool(self._awaited) or not threading.main_thread().is_alive()
                self._changed.notify_all()
            pause = self._do(job, awaited)
            with self._changed:
                if job is None and not pause and not self._jobs:
                    self._thread = None
                    self._changed.notify_all()
                    return

    def _do(self, job: Job | None, awaited: bool) -> float:
        try:
            if job is None:
                return self._idle(awaited)
            job()
        except BaseException as error:  # also what should never happen: a dead thread would block the training
            self._failed(error)
        return 0.0


def _step_back() -> None:
    """A lower priority for this thread alone, where the system has that."""
    if sys.platform == "linux":  # elsewhere the number of a thread is not that of a process, or of another one
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


class Seldom:
    """Something that takes long is done for at most a small share of the time."""

    def __init__(self, share: float = 0.05):
        self._share, self._next = share, 0.0

    @property
    def pause(self) -> float:
        """Seconds until it may be done again."""
        return max(0.0, self._next - time.monotonic())

    def do(self, work: Job) -> None:
        """Do it; the pause follows also where it raises."""
        start = time.monotonic()
        try:
            work()
        finally:
            end = time.monotonic()
            self._next = end + (end - start) / self._share
