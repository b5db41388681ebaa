"""The family of class activation maps: evidence for a target, read off the maps of one layer."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasviz.engines._engine import Engine
from kerasviz.engines.diagnosis import evidence_facts
from kerasviz.errors import LayerError
from kerasviz.lazy import tf
from kerasviz.models.view import Tap, View
from kerasviz.scores import Score
from kerasviz.settings import Anything, setting


@dataclass(frozen=True, kw_only=True)
class CamFamily(Engine):
    """Asks the network for a layer's maps and the target's slopes there; a technique says how they combine."""

    positive: ClassVar[bool] = True  # whether only what speaks for the target is kept

    layer: str | None = setting(
        None,
        "the layer whose maps are explained; default: the last one with maps",
        Anything("a layer"),
        structural=True,
    )

    @property
    def taps(self) -> tuple[str | None, ...]:
        return (self.layer,)

    @staticmethod
    def combine(maps: Any, slopes: Any) -> Any:
        """(N, h, w, K), (N, h, w, K) -> evidence (N, h, w), before anything is cut off."""
        raise TypeError("a technique of this family says how maps and slopes combine")

    def compute(self, view: View, score: Score | None) -> tuple[dict[str, Any], str | None]:
        """Maps and slopes of the layer, combined; and the measures of a diagnosis."""
        assert score is not None
        tap = maps_of(view, self.layer)
        (slopes,) = view.slopes(score.value, tap)
        evidence = self.combine(tap.values, slopes)
        values = tf.nn.relu(evidence) if self.positive else evidence
        return {"values": values, **evidence_facts(tap.values, slopes, evidence)}, tap.path


def maps_of(view: View, layer: str | None) -> Tap:
    """The layer of that name, or the last with maps; LayerError where it has no grid."""
    tap = view.last_maps() if layer is None else view.tap(layer)
    if tap.tensor.shape.rank != 4:
        raise LayerError(
            f"Expected a layer with maps (N, height, width, channels), found {tap.path!r}: {tuple(tap.tensor.shape)}. "
            "'kerasviz layers MODEL' shows every layer's shape."
        )
    return tap
