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


@dataclass(frozen=True)
class Read:
    """A picture that was asked for, and what came of reading it: `given`, or `error`."""

    source: Source
    given: Given | None = None
    error: KerasvizError | None = None


def read_ahead(
    sources: Iterable[Source], frame: Frame, complete: Callable[[Source, Given], Given] = lambda source, given: given
) -> Iterator[Read]:
    """Reads and fits pictures while earlier ones are used; at most a few wait, however many there are.

    Args:
        sources: what to read, taken only as fast as it is used.
        frame: what the network wants.
        complete: adds what is not in the file: its class, further inputs. Called in the reading threads.
    """

    def read(source: Source) -> Read:
        try:
            given = replace(one(source.path, frame), name=source.name)
            return Read(source, complete(source, given))
        except KerasvizError as error:
            return Read(source, error=error)

    waiting: deque[Future[Read]] = deque()
    remaining = iter(sources)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="kerasviz-reading")
    try:
        waiting.extend(pool.submit(read, source) for source in islice(remaining, AHEAD))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(read, source) for source in islice(remaining, 1))
            yield done
    finally:
        pool.shutdown(cancel_futures=True)
