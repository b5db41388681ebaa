"""What can be found out without pictures: whether a network answers the same twice, and which techniques fit it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import KerasvizError
from kerasviz.examining.diagnosis import Fit
from kerasviz.lazy import tf
from kerasviz.models.network import Network, Question
from kerasviz.models.view import View
from kerasviz.registry import TECHNIQUES

_SIDE = 224  # of the noise, where any size is taken


@dataclass(frozen=True)
class Trial:
    """`steady`: whether equal pictures got equal answers; None where the network could not be asked."""

    steady: bool | None
    techniques: tuple[Fit, ...]


def tried(network: Network) -> Trial:
    """One trace of the network with every technique's question in it; only the network itself is run, on noise.

    Raises:
        ModelError: the network has not been built, or cannot be traced.
    """
    fits: list[Fit] = []

    def answer(view: View) -> tuple[dict[str, Any], None]:
        fits.extend(_fits(view))
        return {head.name: head.output for head in view.heads}, None

    question = Question(("trial", object()), answer, taps=None)
    given, _ = network.prepare(_noise(network))
    try:
        first, second = (next(network.ask(question, given)).arrays for _ in range(2))
    except (tf.errors.OpError, KerasvizError):
        if not fits:
            raise
        return Trial(None, tuple(fits))
    same = all(np.allclose(first[name], second[name], rtol=1e-4, atol=1e-6, equal_nan=True) for name in first)
    return Trial(same, tuple(fits))


def _fits(view: View) -> list[Fit]:
    """Each technique with its default settings and target, written into the graph of `view`."""
    found = []
    for technique in TECHNIQUES:
        try:
            technique.load()().try_on(view)
            found.append(Fit(technique.name, technique.title, True))
        except KerasvizError as error:
            found.append(Fit(technique.name, technique.title, False, str(error)))
        except (LookupError, ValueError, TypeError, tf.errors.OpError) as error:  # as TensorFlow says that it cannot
            said = str(error).strip().partition("\n")[0][:200]
            found.append(Fit(technique.name, technique.title, False, f"TensorFlow cannot compute it here: {said}"))
    return found


def _noise(network: Network) -> dict[str, np.ndarray]:
    """A picture of noise, and a row for each further input, in the network's own units."""
    draw = np.random.default_rng(0)
    height, width = (side or _SIDE for side in network.size)
    shape = (height, width, network.channels or 3)
    picture = draw.random(shape, np.float32)
    if network.frame.channels_first:
        picture = picture.transpose(2, 0, 1)
    first, *others = network.input_specs
    rows = {one.name: draw.random((1, *(size or 1 for size in one.shape[1:])), np.float32) for one in others}
    return {first.name: picture[None], **rows}
