"""The fast copy, as a question sees it: the same view, fewer layers in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kerasviz.lazy import tf
from kerasviz.models.folding import Folded, agree, fold
from kerasviz.models.view import View


@dataclass(frozen=True)
class FastCopy:
    """A folded network that gives the heads of the original and the layers that were asked for."""

    folded: Folded
    original: View
    paths: tuple[str, ...]

    def view(self, pixels: Any) -> View:
        """Built into the current graph."""
        tensors = self.folded.build(pixels)
        heads = tuple(
            replace(head, output=tensors[2 * k], logits=tensors[2 * k + 1])
            for k, head in enumerate(self.original.heads)
        )
        rest = tensors[2 * len(heads) :]
        taps = {p: replace(self.original.taps[p], tensor=t) for p, t in zip(self.paths, rest, strict=True)}
        return View(pixels, heads, taps, default=self.paths[0] if self.paths else None)


def fast_copy(build: Callable[[Any], View], spec: Any, paths: Sequence[str], *, photograph: bool) -> FastCopy | None:
    """The fast copy of a network that keeps these layers; None where nothing is gained, or where it is not equal.

    The network is traced once, and the copy held against that trace: on noise both have to give the same values
    for everything that is kept, and the same pixel gradient.

    Args:
        build: pixels -> the network, inside the function that is being traced.
        spec: of the pixels (N, H, W, C).
        paths: layers that are asked for, the default one first.
        photograph: whether pixels are photographs, 0..255; else noise is drawn in -1..1, as most networks take it.
    """
    paths, seen = tuple(dict.fromkeys(paths)), []

    def plain(pixels: Any) -> list[Any]:
        seen.append(build(pixels))
        return _kept(seen[-1], paths)

    traced = tf.function(plain, autograph=False).get_concrete_function(spec)
    view = seen[-1]
    folded = fold(traced.graph, traced.inputs[0], _kept(view, paths))
    return FastCopy(folded, view, paths) if folded and _agrees(traced, folded, spec, photograph) else None


def _kept(view: View, paths: Sequence[str]) -> list[Any]:
    """Output and logits of each head, and the layers: what `FastCopy.view` takes apart again."""
    return [
        *(tensor for head in view.heads for tensor in (head.output, head.logits)),
        *(view.taps[path].tensor for path in paths),
    ]


def _agrees(plain: Callable[[Any], Any], folded: Folded, spec: Any, photograph: bool) -> bool:
    def scaled(noise: Any) -> Any:
        return noise if photograph else noise / 127.5 - 1

    return agree(lambda noise: plain(scaled(noise)), lambda noise: folded.build(scaled(noise)), spec)
