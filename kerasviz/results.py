"""What engines return: values, where they came from, and how they show and save themselves."""

import base64
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz import drawing as draw
from kerasviz.drawing import Drawing, MapGrid
from kerasviz.errors import SettingError
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


def predictions_of(arrays: Mapping[str, np.ndarray], labels: Labels, probable: bool) -> list[Prediction]:
    """The first five, best first; empty for networks that do not classify."""
    if "top" not in arrays:
        return []
    rows = zip(arrays["top"], arrays["top_probabilities"], arrays["top_scores"], strict=True)
    return [Prediction(int(k), labels.name(int(k)), float(p) if probable else None, float(s)) for k, p, s in rows]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """One technique's answer about one picture.

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
    source: "Source" = field(repr=False)
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
        return self.source.shown(self.given)

    @property
    def image_name(self) -> str:
        """What the picture is called, or nothing."""
        path = self.given.photo.path if self.given.photo else None
        return self.given.name or draw.file_stem(path)

    @property
    def model_name(self) -> str:
        """What the model is called on pictures: its file, or its own name."""
        return self.source.name

    @property
    def grid(self) -> MapGrid | None:
        """The maps side by side, where the result is shown as a grid."""
        return self.engine.grid(self)

    def overlay(self, **drawing: Any) -> np.ndarray:
        """uint8 (H, W, 3): the heatmap over the photograph, at the photograph's own resolution."""
        return draw.overlay_of(self, Drawing(**drawing))

    def heatmap_picture(self, **drawing: Any) -> np.ndarray:
        """uint8 (H, W, 3): the heatmap alone, at the photograph's own resolution."""
        return draw.heatmap_of(self, Drawing(**drawing))

    def panel(self, **drawing: Any) -> np.ndarray:
        """uint8 (h, w, 3): photograph, heatmap with its scale, overlay and caption; or the first page of a grid."""
        return next(draw.pages_of(self, Drawing(**drawing)))

    def pictures(self, style: str, drawing: Drawing) -> Iterator[np.ndarray]:
        """The picture of a style, or its pages."""
        if style == "panel":
            yield from draw.pages_of(self, drawing)
        elif style in ("overlay", "heatmap"):
            yield (draw.overlay_of if style == "overlay" else draw.heatmap_of)(self, drawing)
        else:
            raise SettingError(f"Expected a style of {', '.join(draw.STYLES)}, found {style!r}.")

    def save(self, out: str | Path = "kerasviz_out", styles: Sequence[str] = ("panel",), **drawing: Any) -> list[Path]:
        """Write pictures and a line of the manifest, as the command line does; the paths of the pictures."""
        from kerasviz.saving import save

        return save(self, Path(out), styles, Drawing(**drawing))

    def _repr_png_(self) -> bytes:
        return _png(self.panel(scale=1))

    def _repr_html_(self) -> str:
        said = html.escape(" ".join(self.messages))
        return f'{_tag(self.panel(scale=1))}<p style="margin:0">{said}</p>'


class Results(list):
    """Results of several pictures or targets; shows itself in a notebook."""

    def save(self, out: str | Path = "kerasviz_out", styles: Sequence[str] = ("panel",), **drawing: Any) -> list[Path]:
        """Save each; all paths."""
        return [path for result in self for path in result.save(out, styles, **drawing)]

    def _repr_html_(self) -> str:
        more = f"<p>and {len(self) - 8} more</p>" if len(self) > 8 else ""
        return "".join(result._repr_html_() for result in self[:8]) + more


@dataclass(frozen=True)
class Source:
    """Which model answered, and how: what a record needs to know of a network, without keeping it alive."""

    name: str
    file: Any = None  # ModelFile
    preprocess: Any = None  # Preprocess
    way: str = "watched"
    batch: int = 1
    labels: Labels = NO_LABELS

    def shown(self, given: Given) -> np.ndarray:
        """A float input as a picture: preprocessing undone where it is known, else stretched as one with its batch."""
        pixels = given.pixels
        if self.preprocess is not None and self.preprocess.invertible:
            pixels = self.preprocess.undo(pixels)
        elif given.span:
            low, high = given.span
            pixels = (pixels - low) * (255 / (high - low) if high > low else 0.0)
        pixels = np.rint(np.clip(np.nan_to_num(pixels), 0, 255)).astype(np.uint8)
        if pixels.shape[-1] != 3:
            pixels = np.repeat(pixels[..., :1], 3, -1)
        return pixels


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def _tag(picture: np.ndarray) -> str:
    data = base64.b64encode(_png(picture)).decode()
    return f'<img style="max-width:100%" src="data:image/png;base64,{data}">'
