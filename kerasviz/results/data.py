"""The numbers of one technique about one picture, and where they came from; what drawing and saving look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.inputs.given import Given
from kerasviz.results.facts import LayerFacts, MapGrid, Origin, Prediction, TargetFacts


@dataclass(frozen=True, eq=False, kw_only=True)
class ResultData:
    """One technique's answer about one picture: what was computed, and where it came from.

    Never made itself: `Result` is this, and draws and saves itself.

    Attributes:
        engine: the technique and its settings.
        values: what the technique's paper defines, float32, in its own units.
        heatmap: the same reduced to float32 (h, w): never normalised, clipped or resized until it is drawn.
        given: the picture, before and after it was fitted to the network.
        target, layer: what was explained, where.
        predictions: the network's first five guesses, from the same pass.
        status: `ok`, `warning`, or `failed` where nothing could be computed.
        messages: plain sentences, where something matters.
        diagnosis: probability, margin, gradient norm, share of negative evidence, ...
    """

    engine: Any
    values: np.ndarray = field(repr=False)
    heatmap: np.ndarray = field(repr=False)
    given: Given = field(repr=False)
    origin: Origin = field(repr=False)
    target: TargetFacts | None = None
    layer: LayerFacts | None = None
    predictions: list[Prediction] = field(default_factory=list, repr=False)
    measures: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)
    status: str = "ok"
    messages: Sequence[str] = ()
    diagnosis: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seconds: float = 0.0

    @property
    def unit(self) -> str:
        """The unit of the heatmap."""
        return self.engine.unit(self.target.scale if self.target else "output", self.given.photo is not None)

    @property
    def has_probabilities(self) -> bool:
        """Whether the network's head gives probabilities."""
        return any(p.probability is not None for p in self.predictions)

    @cached_property
    def photo(self) -> np.ndarray:
        """uint8 (H, W, 3): the photograph, or what the float input looks like."""
        if self.given.photo is not None:
            return self.given.photo.pixels
        return self.origin.shown(self.given)

    @property
    def image_name(self) -> str:
        """What the picture is called, or nothing."""
        path = self.given.photo.path if self.given.photo else None
        return self.given.name or (Path(path).name if path else "")

    @property
    def model_name(self) -> str:
        """What the model is called on pictures: its file, or its own name."""
        return self.origin.name

    @property
    def grid(self) -> MapGrid | None:
        """The maps side by side, where the result is shown as a grid."""
        return self.engine.grid(self)
