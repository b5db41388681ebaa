"""What a network makes of pictures: the first classes of each, and units that none of them has woken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasviz.errors import LayerError
from kerasviz.examining.diagnosis import DeadUnits, Pictures, Seen
from kerasviz.lazy import tf
from kerasviz.models.last_maps import containers_of, source
from kerasviz.models.network import Network, Question
from kerasviz.models.view import Tap, View
from kerasviz.runs.predicting import first_guesses, guesses_of
from kerasviz.runs.reading import Read

_RECTIFIERS = ("Relu", "Relu6")
_NAMED = 8  # dead channels that are listed by number
_TOP = 5


@dataclass
class Alive:
    """Which channels of which layers were not 0 somewhere, over all pictures so far."""

    channels: dict[str, np.ndarray] = field(default_factory=dict)  # path -> (K,) bool

    def add(self, paths: Sequence[str], arrays: dict[str, np.ndarray]) -> None:
        """The rows of one batch: `alive:k` (N, K) are the largest amounts in each channel of layer k."""
        for k, path in enumerate(paths):
            woken = (arrays[f"alive:{k}"] != 0).any(0)  # what is not a number is not dead
            self.channels[path] = woken | self.channels.get(path, False)

    def dead(self) -> tuple[DeadUnits, ...]:
        """The layers with channels that stayed 0."""
        found = ((path, np.flatnonzero(~alive), len(alive)) for path, alive in self.channels.items())
        return tuple(
            DeadUnits(path, channels, len(dead), tuple(int(k) for k in dead[:_NAMED]))
            for path, dead, channels in found
            if len(dead)
        )


def looked_at(network: Network, batches: Iterable[tuple[int, Sequence[Read]]]) -> Pictures:
    """Everything about pictures that one pass through the network tells; see `runs.pipeline.batches`."""
    question = Question(("examination", _TOP), _answer, taps=None)
    seen: list[Seen] = []
    alive, answered = Alive(), 0
    for size, batch in batches:
        given = [read.given for read in batch if read.given is not None]
        guesses = []
        for answer in network.ask(question, given, batch_size=size) if given else ():
            outputs, paths = answer.facts
            alive.add(paths, answer.arrays)
            count = len(next(iter(answer.arrays.values())))
            rows = ({name: array[k] for name, array in answer.arrays.items()} for k in range(count))
            guesses += [tuple(guesses_of(row, outputs, network)) for row in rows]
        remaining = iter(guesses)
        for read in batch:
            known = read.given is not None
            seen.append(Seen(_name(read), next(remaining) if known else (), None if known else str(read.error)))
        answered += len(given)
    return Pictures(tuple(seen), answered, len(alive.channels), alive.dead())


def _name(read: Read) -> str:
    return str(read.source.path)


def _answer(view: View) -> tuple[dict[str, Any], Any]:
    """Inside a trace: the first classes of every output, and the largest amount in each channel of each layer."""
    arrays, outputs = first_guesses(view, _TOP)
    watched = _watched(view)
    for k, tap in enumerate(watched):
        values = tap.values
        arrays[f"alive:{k}"] = tf.reduce_max(tf.abs(values), tuple(range(1, values.shape.rank - 1)))
    return arrays, (outputs, [tap.path for tap in watched])


def _watched(view: View) -> list[Tap]:
    """The last maps, and every layer that ends in a ReLU; what a model only passes on is looked at once."""
    try:
        last = view.last_maps().path
    except LayerError:
        last = ""
    containers = containers_of(view.taps)
    found: dict[Any, Tap] = {}
    for tap in view.taps.values():
        counted = tap.tensor.shape.rank in (2, 4) and tap.shape[-1] is not None and tap.path not in containers
        if counted and (tap.path == last or source(tap.tensor).op.type in _RECTIFIERS):
            found.setdefault(source(tap.tensor).ref(), tap)
    return list(found.values())
