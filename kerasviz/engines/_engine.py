"""What every engine is: an immutable bundle of settings that asks a network about pictures."""

import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from kerasviz import targets
from kerasviz.engines.diagnosis import diagnose, head_facts
from kerasviz.inputs.given import Given
from kerasviz.lazy import tf
from kerasviz.models.compiling import Question
from kerasviz.models.labels import NO_LABELS
from kerasviz.models.network import Answer, Network
from kerasviz.models.opening import opened
from kerasviz.models.view import View
from kerasviz.registry import BY_CLASS, Technique
from kerasviz.results.facts import LayerFacts, MapGrid, Origin, TargetFacts, predictions_of
from kerasviz.results.result import Result, Results
from kerasviz.scores import Score
from kerasviz.settings import check, settings_of


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Settings of one technique; called with a network, pictures and a target, it gives results.

    A technique fills `compute`, an equation on tensors; `heatmap` and `unit` say how its values are read.
    """

    signed: ClassVar[bool] = False  # whether the heatmap has a meaning below zero
    explains: ClassVar[bool] = True  # whether it is about a target
    steep: ClassVar[bool] = False  # whether it takes pixel gradients

    def __post_init__(self) -> None:
        for field in settings_of(self):
            object.__setattr__(self, field.name, check(self.technique.name, field, getattr(self, field.name)))

    @property
    def technique(self) -> Technique:
        """Its line in the registry."""
        return BY_CLASS[type(self).__name__]

    @property
    def settings(self) -> dict[str, Any]:
        """Name -> value, as the record keeps them."""
        return {field.name: getattr(self, field.name) for field in settings_of(self)}

    @property
    def structure(self) -> Hashable:
        """The settings that another compiled function is needed for."""
        return tuple(getattr(self, f.name) for f in fields(self) if f.metadata.get("structural"))

    @property
    def taps(self) -> tuple[str | None, ...]:
        """The layers that it looks at; None for the last maps."""
        return ()

    def compute(self, view: View, score: Score | None) -> tuple[dict[str, Any], str | None]:
        """The technique itself, inside a trace.

        Returns:
            Tensors with the batch first, `values` among them, and the path of the layer that was explained.
        """
        raise TypeError(f"{type(self).__name__} does not say how it computes")

    def parts(self, view: View, score: Score | None) -> list[tuple[dict[str, Any], str | None]]:
        """What becomes a result of its own, for one target: mostly one thing, for feature maps one a layer."""
        return [self.compute(view, score)]

    def try_on(self, view: View) -> None:
        """Write the question with the default target into the graph of `view`; nothing is run.

        Raises:
            KerasvizError: the technique does not fit this network; the sentence names the cure.
        """
        score = None
        if self.explains:
            (target,) = targets.targets_of(None, NO_LABELS, [])
            count = tf.shape(view.pixels)[0]
            rows = target.numbers([], NO_LABELS)  # of no picture: only their shapes matter
            score = target.score(view, *(tf.zeros((count, *row.shape[1:]), row.dtype) for row in rows))
        self.parts(view, score)

    def heatmap(self, values: np.ndarray) -> np.ndarray:
        """Values of one picture -> (h, w), never normalised, clipped or resized."""
        return values

    def unit(self, scale: str, photograph: bool) -> str:
        """The unit of the heatmap, for a score on that scale and a photograph (0..255) or a float input."""
        return scale

    def grid(self, result: Result) -> MapGrid | None:
        """The maps side by side, where the result is shown as a grid."""
        return None

    def colours(self, values: np.ndarray) -> np.ndarray | None:
        """Values (h, w, 3) that are drawn as red, green and blue about grey in place of the heatmap, or None."""
        return None

    def caveat(self) -> str:
        """A sentence for the caption about this variant, or nothing."""
        return ""

    def __call__(
        self, network: Any, images: Any, target: Any = None, *, batch_size: int | None = None
    ) -> "Result | Results":
        """Explain pictures.

        Args:
            network: a Network, a live model, or the path of a model file.
            images: a path, an array (H, W, C) or (N, H, W, C), a list of these, a `tf.data.Dataset`.
            target: what about (`interface`: `auto`, class, `topk`, `layer:unit`, a function); default: by the head.
            batch_size: at most so many pictures at once.

        Returns:
            One Result for one picture and target, else a list of them, the targets of a picture together.
        """
        network = opened(network)
        given, single = network.prepare(images)
        results = Results(self.explain(network, given, target, batch_size=batch_size))
        return results[0] if single and len(results) == 1 else results

    def explain(
        self,
        network: Network,
        given: Sequence[Given],
        target: Any = None,
        *,
        batch_size: int | None = None,
        pad: bool = False,
    ) -> Iterator[Result]:
        """The results for prepared pictures, in their order, as the batches come."""
        wanted = targets.targets_of(target, network.labels, given) if self.explains else []
        numbers = [np.stack(rows, 1) for rows in zip(*(t.numbers(given, network.labels) for t in wanted), strict=True)]
        question = self._question(network, wanted)
        done, started = 0, time.perf_counter()
        for answer in network.ask(question, given, numbers, batch_size, pad):
            count = len(next(iter(answer.arrays.values())))
            seconds = (time.perf_counter() - started) / count
            for k, one in enumerate(given[done : done + count]):
                yield from self._results(network, one, wanted, answer, k, seconds)
            done, started = done + count, time.perf_counter()

    def _question(self, network: Network, wanted: Sequence[targets.Target]) -> Question:
        """All targets of a picture are answered in one pass; they share structure (`topk`)."""
        labels = network.labels

        def answer(view: View, *numbers: Any) -> tuple[dict[str, Any], list["Facts"]]:
            arrays: dict[str, Any] = {}
            facts: list[Facts] = []
            for t, target in enumerate(wanted or [None]):  # type: ignore[list-item]
                score = target.score(view, *(rows[:, t] for rows in numbers)) if target else None
                about = head_facts(view, score)
                for found, path in self.parts(view, score):
                    arrays |= {f"{len(facts)}:{name}": tensor for name, tensor in (about | found).items()}
                    facts.append(Facts.of(view, score, path))
            return arrays, facts

        def within(facts: list["Facts"]) -> None:
            for target, fact in zip(wanted, facts, strict=True):
                targets.check_range(target, fact.limits, fact.is_class, labels)

        structure = (wanted[0].structure, len(wanted)) if wanted else ()
        own: tuple[str, ...] | None = wanted[0].taps if wanted else ()
        taps = None if own is None else (*self.taps, *own)
        check = within if wanted else lambda facts: None
        return Question((type(self), self.structure, structure), answer, taps, check, steep=self.steep)

    def _results(
        self, network: Network, one: Given, wanted: Sequence[targets.Target], answer: Answer, k: int, seconds: float
    ) -> Iterator[Result]:
        origin = Origin(
            network.title,
            network.file,
            network.known_preprocess,
            answer.way,
            answer.batch,
            network.labels,
            network.said,
        )
        for t, facts in enumerate(answer.facts):
            arrays = {n.split(":", 1)[1]: a[k] for n, a in answer.arrays.items() if n.startswith(f"{t}:")}
            values = arrays.pop("values")  # a view: copying it would cost a hundredth of the whole answer
            target = facts.target(wanted[t], arrays, network, t + 1 if len(wanted) > 1 else 0) if wanted else None
            heatmap = self.heatmap(arrays.get("map", values))
            found = diagnose(heatmap, arrays, target, facts.layer.path if facts.layer else None, one.pixels)
            yield Result(
                engine=self,
                values=values,
                heatmap=heatmap,
                given=one,
                origin=origin,
                target=target,
                layer=facts.layer,
                predictions=predictions_of(arrays, network.labels, facts.probable, facts.classes),
                measures=arrays,
                status=found.status,
                messages=found.messages,
                diagnosis=found.facts,
                seconds=seconds,
            )


@dataclass(frozen=True)
class Facts:
    """What is known once a question has been traced."""

    layer: LayerFacts | None
    kind: str
    scale: str
    limits: tuple[int | None, ...]
    probable: bool  # whether the head gives probabilities
    classes: int | None  # of the head

    @classmethod
    def of(cls, view: View, score: Score | None, path: str | None) -> "Facts":
        """The facts of a target's score and of the layer that was explained."""
        tap = view.taps.get(path) if path else None
        layer = LayerFacts(tap.path, tap.index, view.field(tap)) if tap else None
        head = (score.head if score else None) or view.head()
        probable, classes = head.activation != "linear", head.scores.shape[-1] if head.scores.shape.rank else None
        if score is None:
            return cls(layer, "none", "output", (), probable, classes)
        return cls(layer, score.kind, score.scale, score.shape, probable, classes)

    @property
    def is_class(self) -> bool:
        """Whether labels name what the target points at."""
        return self.kind in ("class", "map") and bool(self.limits)

    def target(self, asked: targets.Target, arrays: dict[str, np.ndarray], network: Network, part: int) -> TargetFacts:
        """What was explained, in words and numbers."""
        index = int(arrays["index"])
        own = "value" if (self.kind, asked.asked) == ("value", "auto") else asked.asked
        name = asked.called or (network.labels.name(index) if self.is_class else own)
        return TargetFacts(asked.asked, self.kind, index, name, float(arrays["score"]), self.scale, part)
