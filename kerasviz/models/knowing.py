"""What is known of a network's scaling, once it has been traced: what it does itself, its family, and the witness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kerasviz.models import preprocessing
from kerasviz.models.beginnings import Beginning, beginning
from kerasviz.models.constants import Weights
from kerasviz.models.families import Family, family
from kerasviz.models.operations import ancestors
from kerasviz.models.preprocessing import Preprocess, candidates
from kerasviz.models.view import View
from kerasviz.models.witness import best, contradicts, witness


@dataclass(frozen=True)
class Known:
    """What a trace tells about photographs.

    Attributes:
        preprocess: how they are scaled; None where nothing says it.
        start: what the network does to pixels itself.
        family: of keras.applications, by its kernels.
        misfits: scaling -> how badly it explains what the first BatchNormalization has kept; empty without one.
        usual: the same for photographs as they mostly are: a single one may well be darker or smoother than those.
    """

    preprocess: Preprocess | None
    start: Beginning
    family: Family | None = None
    misfits: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)

    @property
    def imagenet(self) -> bool:
        """Whether its classes are those of ImageNet: the head is there, and nothing speaks against the training."""
        return self.family is not None and self.family.original and not self._contradicted

    @property
    def _contradicted(self) -> bool:
        scaling = self.family.member.scaling if self.family else ""
        return contradicts(self.misfits, scaling) and contradicts(self.usual, scaling)

    @property
    def hints(self) -> list[str]:
        """What speaks for one of the candidates, without proving it."""
        found, likely = [], best(self.misfits)
        if likely:
            found.append(f"The statistics of its first BatchNormalization fit {likely} best.")
        if self.family is not None and self.family.member.scaling:
            found.append(
                f"{self.family.name} was published with {self.family.member.scaling}; "
                "this file does not say what it was trained with."
            )
        if self.start.reversed:
            found.append("It exchanges red and blue itself, so it takes RGB.")
        return found


def known(view: View, dtype: str, pictures: Sequence[np.ndarray] = ()) -> Known:
    """What `view` tells, which was built from pixels as they are.

    Args:
        view: inside a graph.
        dtype: of the input: whole numbers are 0..255.
        pictures: photographs as the network would get them, (H, W, C) in 0..255, for the witness.
    """
    operations = ancestors([head.output for head in view.heads])
    weights = Weights(view.pixels.graph, view.pixels, operations)
    start = beginning(view, weights)
    recognised = family(operations, view.heads)
    whole = dtype.startswith(("uint", "int"))
    inside = preprocessing.named("none", "inside") if whole else preprocessing.inside(start)
    if inside is not None:
        return Known(inside, start, recognised)
    stored, possible = witness(start, operations, weights), candidates(start)
    misfits = stored.misfits(possible, pictures) if stored else {}
    usual = stored.misfits(possible) if stored and len(pictures) else misfits
    told = Known(None, start, recognised, misfits, usual)
    if recognised and told.imagenet and start.unscaled and not start.reversed:
        published = recognised.member.scaling
        if published in [one.name for one in possible]:
            return replace(told, preprocess=preprocessing.named(published, f"family {recognised.name}"))
    return told
