"""One engine over many pictures: read ahead, asked in batches of one size, saved one by one, bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from kerasviz.errors import KerasvizError
from kerasviz.inputs.given import Given
from kerasviz.inputs.sources import MANIFEST, Source
from kerasviz.lazy import tf
from kerasviz.models.network import Network
from kerasviz.records import append_line
from kerasviz.results.drawing import Drawing
from kerasviz.results.recording import beginning
from kerasviz.results.result import Result
from kerasviz.results.saving import checked_styles, write
from kerasviz.runs.reading import Complete, Read, as_it_is, read_ahead
from kerasviz.targets import targets_of

MANY = 200  # sources looked at before the first is read: enough to know whether the fast copy pays
MOST_BYTES = 1 << 28  # of photographs held for one batch


@dataclass(frozen=True)
class Outcome:
    """What became of one picture and target: a result and its files, or a record of why there is none."""

    source: Source
    record: Mapping[str, Any]
    result: Result | None = None
    files: Sequence[Path] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether nothing could be computed."""
        return self.record["status"] == "failed"


def run(
    engine: Any,
    network: Network,
    sources: Iterable[Source],
    *,
    out: Path,
    target: Any = None,
    styles: Sequence[str] = ("panel",),
    drawing: Drawing | None = None,
    batch_size: int | None = None,
    options: Callable[[int], Mapping[str, Any]] = lambda number: {},
    complete: Complete = as_it_is,
) -> Iterator[Outcome]:
    """Explain pictures, save each result and its line of the manifest, and say so.

    A picture that cannot be read is a failed record, and the rest goes on. What was yielded is on
    the disk: the loop may be left at any time.

    Args:
        engine: the technique.
        network: what is asked.
        sources: the pictures; streamed, never held as a list.
        out: the output folder.
        target: as engines take it.
        styles: what is written of each result.
        drawing: how it is drawn.
        batch_size: every batch is padded to it; default: as many of the first pictures as run at once.
        options: for the record of a picture, by its number: what was typed and is not known otherwise.
        complete: adds what is not in a picture's file: its class, further inputs.

    Raises:
        KerasvizError: the technique, target or layer does not fit, or the output cannot be written.
    """
    styles, drawing = checked_styles(styles), drawing or Drawing()
    for read, results in explained(engine, network, sources, target, batch_size, complete):
        if read.error is not None:
            yield _failure(engine, network, read, out)
        for result in results:
            saved = write(result, out, styles, drawing, options(read.number))
            yield Outcome(read.source, saved.record, result, saved.files)


def explained(
    engine: Any,
    network: Network,
    sources: Iterable[Source],
    target: Any,
    batch_size: int | None,
    complete: Complete,
) -> Iterator[tuple[Read, list[Result]]]:
    """Each picture in its order with its results: one for each target or layer, none where it could not be read."""

    def ready(number: int, source: Source, given: Given) -> Given:
        given = complete(number, source, given)
        if target == "true" and engine.explains:  # a picture whose class nobody knows must not stop the others
            targets_of(target, network.labels, [given])
        return given

    for size, batch in batches(network, sources, ready, batch_size):
        given = [read.given for read in batch if read.given is not None]
        by_picture: dict[int, list[Result]] = {}
        for result in _asked(engine, network, given, target, size):
            by_picture.setdefault(id(result.given), []).append(result)
        for read in batch:
            yield read, by_picture.pop(id(read.given), [])


def batches(
    network: Network,
    sources: Iterable[Source],
    complete: Complete,
    batch_size: int | None,
) -> Iterator[tuple[int, list[Read]]]:
    """The run's batch size with the pictures of a batch; one that cannot be read comes at once and alone.

    The size is that of the first batch: the pictures of one size that come first, as many as run at once.
    """
    remaining = iter(sources)
    first = list(islice(remaining, MANY))
    network.expect(len(first))
    batch: list[Read] = []
    size = batch_size
    for read in read_ahead(chain(first, remaining), network.frame, complete):
        if read.given is None:
            yield size or 1, [read]
            continue
        if batch and not _fits(network, batch, read.given, size):
            size = size or len(batch)
            yield size, batch
            batch = []
        batch.append(read)
    if batch:
        yield size or len(batch), batch


def _fits(network: Network, batch: Sequence[Read], given: Given, size: int | None) -> bool:
    """Whether a picture still belongs to the batch: of the same size, and not too many or too much at once."""
    held = [read.given for read in batch if read.given is not None]
    if len(held) >= (size or network.default_batch(held)) or held[0].pixels.shape != given.pixels.shape:
        return False
    return sum(one.photo.pixels.nbytes for one in [*held, given] if one.photo) <= MOST_BYTES


def _asked(engine: Any, network: Network, given: Sequence[Given], target: Any, size: int) -> Iterator[Result]:
    """The results of one batch, padded to the run's size: a picture's neighbours change no bit of its result."""
    if not given:
        return
    try:
        yield from engine.explain(network, given, target, batch_size=size, pad=size > 1)
    except tf.errors.ResourceExhaustedError as error:
        raise KerasvizError(
            f"Expected memory for {size} pictures at once, found too little. Give a smaller --batch-size."
        ) from error


def _failure(engine: Any, network: Network, read: Read, out: Path) -> Outcome:
    """A picture that cannot be explained: its line in the manifest says why."""
    record = beginning(engine, network.file, "failed", [str(read.error)])
    record |= {"image": {"path": str(read.source.path)}, "files": {}}
    append_line(out / MANIFEST, record)
    return Outcome(read.source, record)
