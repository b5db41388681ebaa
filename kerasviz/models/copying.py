"""The fast copy, as a question sees it: the same view, fewer layers in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kerasviz.models.folding import Folded, fold
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


def fast_copy(traced: Any, view: View, paths: Sequence[str]) -> FastCopy | None:
    """The fast copy of a traced network that keeps these layers; None where nothing is gained.

    Args:
        traced: the concrete function in which `view` was built; its only input is the pixels.
        view: its heads and layers.
        paths: layers that are asked for, the default one first.
    """
    paths = tuple(dict.fromkeys(paths))
    fetches = [tensor for head in view.heads for tensor in (head.output, head.logits)]
    folded = fold(traced.graph, traced.inputs[0], [*fetches, *(view.taps[path].tensor for path in paths)])
    return FastCopy(folded, view, paths) if folded else None
