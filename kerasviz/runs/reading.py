"""Pictures are read ahead in a few threads and handed over in order, a broken one as its error."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from kerasviz.errors import KerasvizError
from kerasviz.inputs.given import Frame, Given, one
from kerasviz.inputs.sources import Source

THREADS, AHEAD = 2, 4

Complete = Callable[[int, Source, Given], Given]  # adds what is not in the file: its class, further inputs


def as_it_is(number: int, source: Source, given: Given) -> Given:
    """Nothing to add."""
    return given


@dataclass(frozen=True)
class Read:
    """A picture that was asked for, the `number` of it from 0, and what came of reading it: `given`, or `error`."""

    number: int
    source: Source
    given: Given | None = None
    error: KerasvizError | None = None


def read_ahead(sources: Iterable[Source], frame: Frame, complete: Complete = as_it_is) -> Iterator[Read]:
    """Reads and fits pictures while earlier ones are used; at most a few wait, however many there are.

    Args:
        sources: what to read, taken only as fast as it is used.
        frame: what the network wants.
        complete: called in the reading threads.
    """

    def read(number: int, source: Source) -> Read:
        try:
            given = replace(one(source.path, frame), name=source.name)
            return Read(number, source, complete(number, source, given))
        except KerasvizError as error:
            return Read(number, source, error=error)

    waiting: deque[Future[Read]] = deque()
    remaining = enumerate(sources)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="kerasviz-reading")
    try:
        waiting.extend(pool.submit(read, *each) for each in islice(remaining, AHEAD))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(read, *each) for each in islice(remaining, 1))
            yield done
    finally:
        pool.shutdown(cancel_futures=True)
