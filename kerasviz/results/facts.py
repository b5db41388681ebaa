"""What is known of a result beside its numbers: target, layer, guesses, and the network that answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasviz.inputs.given import Given
from kerasviz.models.labels import NO_LABELS, Labels
from kerasviz.models.receptive import Field


@dataclass(frozen=True)
class LayerFacts:
    """The layer that was explained: its path, its place in the order of calls, and what its cells see."""

    path: str
    index: int
    field: Field | None = None


@dataclass(frozen=True)
class TargetFacts:
    """What was explained.

    Attributes:
        asked: as it was typed.
        kind: class, map, value, unit, neuron or callable.
        index: class, unit or channel; -1 where there is none.
        name: the class's name, else what was asked.
        score: the scalar that was differentiated.
        scale: logit, output or probability.
        part: which of several targets of one picture (`top3`), from 1; 0 where there is one.
    """

    asked: str
    kind: str
    index: int
    name: str
    score: float
    scale: str
    part: int = 0

    @property
    def label(self) -> str | None:
        """What stands in file names, or None for the default."""
        if self.asked == "auto":
            return None
        return f"{self.asked}-{self.part}" if self.part else self.asked


@dataclass(frozen=True)
class Prediction:
    """One of the network's first guesses; `probability` is None where the network gives none."""

    index: int
    name: str
    probability: float | None
    score: float


def predictions_of(
    arrays: Mapping[str, np.ndarray], labels: Labels, probable: bool, classes: int | None
) -> list[Prediction]:
    """The first five, best first; empty for networks that do not classify. Labels of another output name nothing."""
    if "top" not in arrays or not np.isfinite(arrays["top_scores"]).all():
        return []
    if len(labels.names) != classes:
        labels = NO_LABELS
    rows = zip(arrays["top"], arrays["top_probabilities"], arrays["top_scores"], strict=True)
    return [Prediction(int(k), labels.name(int(k)), float(p) if probable else None, float(s)) for k, p, s in rows]


@dataclass(frozen=True)
class Origin:
    """Which model answered, and how: what a record needs to know of a network, without keeping it alive."""

    name: str
    file: Any = None  # ModelFile
    preprocess: Any = None  # Preprocess
    way: str = "watched"
    batch: int = 1
    labels: Labels = NO_LABELS
    said: Mapping[str, Any] = field(default_factory=dict)  # how the model was opened

    def shown(self, given: Given) -> np.ndarray:
        """A float input as a picture: preprocessing undone where it is known, else stretched as one with its batch."""
        pixels = given.pixels
        if self.preprocess is not None and self.preprocess.invertible:
            pixels = self.preprocess.undo(pixels)
        elif given.span:
            low, high = given.span
            pixels = (pixels - low) * (255 / (high - low) if high > low else 0.0)
        pixels = np.rint(np.clip(np.nan_to_num(pixels), 0, 255)).astype(np.uint8)
        colour = pixels.shape[-1] in (3, 4)  # of RGBA the colours
        return pixels[..., :3] if colour else np.repeat(pixels[..., :1], 3, -1)


@dataclass(frozen=True, kw_only=True)
class MapGrid:
    """Maps float32 (h, w, K) that are shown side by side in one scale.

    `names` None: their numbers. `order`: strongest, highest or index. `clip`: where the scale ends, as of Drawing.
    """

    maps: np.ndarray
    title: str
    names: list[str] | None = None
    order: str = "strongest"
    clip: float | None = None
