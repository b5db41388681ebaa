"""What a network says about pictures: the first classes of each, over any number of them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np

from kerasviz.errors import SettingError
from kerasviz.inputs.given import Given
from kerasviz.inputs.sources import Source
from kerasviz.lazy import tf
from kerasviz.models.heads import Head
from kerasviz.models.labels import NO_LABELS, Labels
from kerasviz.models.network import Network, Question
from kerasviz.models.view import View
from kerasviz.results.recording import beginning
from kerasviz.runs.pipeline import batches
from kerasviz.runs.reading import Complete, Read, as_it_is


@dataclass(frozen=True)
class Guess:
    """One line of what an output says.

    Attributes:
        output: the output's name.
        rank: from 1.
        index: class or unit.
        name: of the class; `unit 3` of an output that is no classification.
        score: logit, or the output itself where no softmax or sigmoid was found.
        probability: None where the network gives none.
        share: of a segmentation: the part of the picture where the class is predicted, 0..1; else None.
    """

    output: str
    rank: int
    index: int
    name: str
    score: float | None
    probability: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Predicted:
    """A picture and what the network says about it, best first; none where the picture could not be read."""

    source: Source
    record: dict[str, Any]
    guesses: list[Guess] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the picture could not be read."""
        return self.record["status"] == "failed"


def predictions(
    network: Network,
    sources: Iterable[Source],
    top: int = 5,
    batch_size: int | None = None,
    complete: Complete = as_it_is,
) -> Iterator[Predicted]:
    """The first `top` classes of each picture, for every output of the network; pictures in their order."""
    check = partial(_named, labels=network.labels)
    question = Question(("predictions", top), lambda view: first_guesses(view, top), check=check)
    for size, batch in batches(network, sources, complete, batch_size):
        given = [read.given for read in batch if read.given is not None]
        if not given:
            yield from (_failure(network, read) for read in batch)
            continue
        done = 0
        for answer in network.ask(question, given, batch_size=size, pad=size > 1):
            count = len(next(iter(answer.arrays.values())))
            for k, read in enumerate(batch[done : done + count]):
                guesses = guesses_of({n: a[k] for n, a in answer.arrays.items()}, answer.facts, network)
                yield Predicted(read.source, _record(network, given[done + k], answer.batch, guesses), guesses)
            done += count


@dataclass(frozen=True)
class _Output:
    """What is known of an output once it has been traced; `classes` is 0 of one that is no classification."""

    name: str
    classes: int
    probable: bool

    @classmethod
    def of(cls, head: Head) -> "_Output":
        classes = head.kind in ("classes", "sides", "map")
        return cls(head.name, max(2, head.output.shape[-1]) if classes else 0, head.activation != "linear")


def _named(outputs: Sequence[_Output], labels: Labels) -> None:
    """SettingError where class names were given that fit none of the outputs."""
    if labels.names and len(labels.names) not in [output.classes for output in outputs]:
        raise SettingError(
            f"Expected as many class names as the network has classes ({outputs[0].classes}), "
            f"found {len(labels.names)}. Give the right file with --labels."
        )


def first_guesses(view: View, top: int) -> tuple[dict[str, Any], list[_Output]]:
    """What `guesses_of` reads, inside a trace: tensors `OUTPUT:NAME` (N, k), and what is known of each output."""
    arrays: dict[str, Any] = {}
    for number, head in enumerate(view.heads):
        arrays |= {f"{number}:{name}": tensor for name, tensor in _best(head, top).items()}
    return arrays, [_Output.of(head) for head in view.heads]


def _best(head: Head, top: int) -> dict[str, Any]:
    """The first classes of a classification, the largest classes of a segmentation, else the first units."""
    if head.kind in ("classes", "sides"):
        best = tf.math.top_k(head.scores, min(top, head.scores.shape[-1]))
        chances = tf.gather(head.probabilities, best.indices, axis=1, batch_dims=1)
        return {"index": best.indices, "score": best.values, "chance": chances}
    if head.kind == "map":
        sides = head.logits if head.logits.shape[-1] > 1 else tf.concat([-head.logits, head.logits], -1)
        area = tf.reduce_mean(tf.one_hot(tf.argmax(sides, -1), sides.shape[-1]), (1, 2))  # (N, C)
        best = tf.math.top_k(area, min(top, area.shape[-1]))
        return {"index": best.indices, "share": best.values}
    units = tf.reshape(head.output, (tf.shape(head.output)[0], -1))[:, :top]
    return {"index": tf.zeros_like(units, tf.int32) + tf.range(tf.shape(units)[1]), "score": units}


def guesses_of(arrays: dict[str, np.ndarray], outputs: Sequence[_Output], network: Network) -> list[Guess]:
    """What the outputs say about one picture, best first; `arrays` are its rows of `first_guesses`."""
    guesses = []
    for number, output in enumerate(outputs):
        row = {name.partition(":")[2]: array for name, array in arrays.items() if name.startswith(f"{number}:")}
        labels = network.labels if len(network.labels.names) == output.classes else NO_LABELS
        for k, index in enumerate(int(i) for i in row["index"]):
            name = labels.name(index) if output.classes else f"unit {index}"
            score, chance, share = (float(row[key][k]) if key in row else None for key in ("score", "chance", "share"))
            guesses.append(Guess(output.name, k + 1, index, name, score, chance if output.probable else None, share))
    return guesses


def _record(network: Network, given: Given, batch: int, guesses: Sequence[Guess]) -> dict[str, Any]:
    photo, scaling = given.photo, network.known_preprocess
    image = {"path": photo and photo.path, "sha256": photo and photo.sha256}
    size = {"width": given.fit.photo_size[1], "height": given.fit.photo_size[0]}
    broken = any(not math.isfinite(guess.score) for guess in guesses if guess.score is not None)
    said = ["The network's answer is not a number: it overflows, or its weights are broken."] if broken else []
    return beginning(None, network.file, "failed" if broken else "ok", said) | {
        "image": image | size,
        "preprocess": {"name": scaling and scaling.name, "how": scaling and scaling.how, "fit": given.fit.how},
        "batch": batch,
        "predictions": [asdict(guess) for guess in guesses],
    }


def _failure(network: Network, read: Read) -> Predicted:
    record = beginning(None, network.file, "failed", [str(read.error)]) | {"image": {"path": str(read.source.path)}}
    return Predicted(read.source, record)
