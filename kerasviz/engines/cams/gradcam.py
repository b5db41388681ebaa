"""Grad-CAM: where the last maps of the network speak for the target."""

from dataclasses import dataclass
from typing import Any

from kerasviz.engines.cams._family import CamFamily
from kerasviz.lazy import tf


@dataclass(frozen=True, kw_only=True)
class GradCAM(CamFamily):
    """Weigh every map by its mean slope, add them up, keep what speaks for the target.

    heatmap = relu(sum over k of w_k A_k), w_k = mean over y, x of d target / d A_k[y, x]

    Values (h, w), never negative, in the units of the target; all zero where nothing in the layer
    speaks for it. Selvaraju et al. 2017, arXiv 1610.02391, equations 1 and 2.
    """

    @staticmethod
    def combine(maps: Any, slopes: Any) -> Any:  # (N, h, w, K), (N, h, w, K) -> (N, h, w)
        """Equation 2, before its ReLU."""
        weights = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)  # (N, 1, 1, K)
        return tf.reduce_sum(weights * maps, axis=-1)
