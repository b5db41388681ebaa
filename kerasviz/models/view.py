"""A network as a question sees it: built into the current graph, every layer's output in reach."""

from dataclasses import dataclass
from typing import Any

from kerasviz.errors import LayerError, TargetError, near
from kerasviz.lazy import tf
from kerasviz.models.gradients import Guided, guided_slopes, slopes
from kerasviz.models.heads import Head
from kerasviz.models.last_maps import last_maps
from kerasviz.models.receptive import Field, receptive_field
from kerasviz.models.scopes import Part


@dataclass(frozen=True)
class Tap:
    """The output of one call of one layer."""

    path: str
    index: int  # in the order in which the network calls its layers
    layer: Any
    tensor: Any  # as the layer returned it
    channels_first: bool = False

    @property
    def kind(self) -> str:
        """The class of the layer, such as `Conv2D`."""
        return self.layer.kind if isinstance(self.layer, Part) else type(self.layer).__name__

    @property
    def values(self) -> Any:
        """float32, channels last: (N, h, w, K) for a layer with maps."""
        return self._turned(tf.cast(self.tensor, tf.float32))

    @property
    def has_maps(self) -> bool:
        """Whether it returned (N, h, w, K) with more than one place."""
        return len(self.shape) == 3 and self.shape[:2] != (1, 1)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Without the batch, channels last; () where the rank is not known."""
        shape = tuple(self.tensor.shape[1:]) if self.tensor.shape.rank else ()
        return (*shape[1:], shape[0]) if self.channels_first and len(shape) == 3 else shape

    def _turned(self, tensor: Any) -> Any:
        return tf.transpose(tensor, (0, 2, 3, 1)) if self.channels_first and tensor.shape.rank == 4 else tensor


@dataclass(frozen=True)
class View:
    """What engines and targets ask.

    Attributes:
        pixels: (N, H, W, C) float32, in the units of what was given.
        heads: one for each output of the model.
        taps: path -> output of a layer, in the order of the calls.
        default: the path of the last maps, where it is known beforehand (the fast copy keeps few taps).
    """

    pixels: Any
    heads: tuple[Head, ...]
    taps: dict[str, Tap]
    default: str | None = None

    @property
    def outputs(self) -> dict[str, Any]:
        """Name -> the model's own output."""
        return {head.name: head.output for head in self.heads}

    @property
    def logits(self) -> dict[str, Any]:
        """Name -> what stands behind the final softmax or sigmoid."""
        return {head.name: head.logits for head in self.heads}

    def head(self, which: str | int | None = None) -> Head:
        """The output of that name or number; the first when None."""
        names = [head.name for head in self.heads]
        if which in names:
            return self.heads[names.index(which)]
        number = str(0 if which is None else which).removeprefix("out")
        if number.isdigit() and int(number) < len(names):
            return self.heads[int(number)]
        raise TargetError(f"The model has no output {which!r}. Its outputs are {', '.join(map(repr, names))}.")

    def tap(self, path: str) -> Tap:
        """The layer of that path, or of that unique ending; LayerError with near names."""
        return self.taps[find_path(path, self.taps)]

    def layer(self, path: str) -> Any:
        """The output of a layer, float32, channels last."""
        return self.tap(path).values

    def last_maps(self) -> Tap:
        """The last layer with maps: after its non-linearity, before pooling, and not an output itself."""
        if self.default is not None:
            return self.taps[self.default]
        return last_maps(self.taps, self.heads)

    def field(self, tap: Tap) -> Field | None:
        """What a cell of the layer sees of the pixels; None where that is everything, or cannot be computed."""
        return receptive_field(tap.tensor, self.pixels) if tap.tensor.shape.rank == 4 else None

    def slopes(self, score: Any, *taps: Tap) -> list[Any]:
        """d score / d layer for each tap, as `Tap.values` is laid out; LayerError where there is no way."""
        found = slopes(score, [tap.tensor for tap in taps])
        for tap, slope in zip(taps, found, strict=True):
            if slope is None:
                raise LayerError(
                    f"The target does not depend on layer {tap.path!r}. "
                    "Expected a layer between the pixels and the target; 'kerasviz layers' lists them."
                )
        return [tap._turned(slope) for tap, slope in zip(taps, found, strict=True)]

    def pixel_slopes(self, score: Any) -> Any:
        """d score / d pixels, (N, H, W, C), or None where no gradient arrives there."""
        return slopes(score, [self.pixels])[0]

    def guided_pixel_slopes(self, score: Any) -> Guided:
        """The same, of which every ReLU on the way back passes the positive part only."""
        return guided_slopes(score, self.pixels)


def find_path(path: str, paths: Any) -> str:
    """The full path that `path` names: itself, or the only one that ends in it."""
    if path in paths:
        return path
    ends = [p for p in paths if p.endswith("/" + path)]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise LayerError(
            f"Layer {path!r} stands for {len(ends)} layers: {', '.join(map(repr, ends[:4]))}. Give more of its path."
        )
    raise LayerError(f"The network has no layer {path!r}.{near(path, paths)} 'kerasviz layers MODEL' lists them all.")
