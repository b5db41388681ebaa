"""CAM: the class maps of a network that ends in global average pooling."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.engines._engine import Engine
from kerasviz.engines.diagnosis import evidence_facts
from kerasviz.errors import TechniqueError
from kerasviz.lazy import tf
from kerasviz.models.pooling import pooled_head
from kerasviz.models.view import View
from kerasviz.pictures.scales import COARSE
from kerasviz.results.facts import MapGrid
from kerasviz.scores import Score
from kerasviz.settings import Anything, setting, truth


@dataclass(frozen=True, kw_only=True)
class CAM(Engine):
    """Weigh every map by the class's own weight and add them up.

    M_c = sum over k of W_kc A_k; mean over y, x of M_c + bias_c = logit_c

    For networks that average their last maps and end in one linear layer, or in none: there the last convolution
    has one filter for each class, and a class's map is that filter's own. Values (h, w), signed, in logits, or
    (h, w, C) with all_classes; the heatmap shows what speaks for the class. Zhou et al. 2016, arXiv 1512.04150.
    """

    all_classes: bool = setting(
        False, "the maps of all classes side by side", Anything("yes or no"), parse=truth, structural=True
    )

    @property
    def taps(self) -> tuple[str | None, ...]:
        return (None,)  # what is averaged, so that a fast copy can name it

    def compute(self, view: View, score: Score | None) -> tuple[dict[str, Any], str | None]:
        """The class's map; its mean plus the bias is the logit."""
        assert score is not None
        if score.head is None or score.kind == "map" or score.scale != score.head.scale:  # not linear in the maps
            raise TechniqueError(
                "CAM explains the logit of a class. Expected a class as target; use gradcam for others."
            )
        pooled = pooled_head(view, score.head)
        maps = pooled.maps  # (N, h, w, K)
        weights = pooled.slopes(score.value)[:, None, None, :]  # (N, 1, 1, K): W_kc, as the head is linear
        evidence = tf.reduce_sum(weights * maps, -1)  # (N, h, w)
        bias = score.value - tf.reduce_mean(evidence, (1, 2))
        slopes = tf.broadcast_to(weights, tf.shape(maps)) / tf.cast(tf.reduce_prod(tf.shape(maps)[1:3]), tf.float32)
        values = tf.einsum("nhwk,kc->nhwc", maps, pooled.weights) if self.all_classes else evidence
        return {"values": values, "bias": bias, **evidence_facts(maps, slopes, evidence), "map": evidence}, pooled.path

    def heatmap(self, values: np.ndarray) -> np.ndarray:
        """What speaks for the class: the signed map, cut off at 0."""
        return np.maximum(values, 0)

    def grid(self, result: Any) -> MapGrid | None:
        """With all_classes: one map a class, signed, in one scale."""
        if not self.all_classes:
            return None
        names = [result.origin.labels.name(k) for k in range(result.values.shape[-1])]
        coarse = result.values[..., 0].size <= COARSE
        return MapGrid(
            maps=result.values, title="Class maps", names=names, order="highest", clip=100 if coarse else None
        )
