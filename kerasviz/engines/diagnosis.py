"""Never a black picture without a reason: what was computed anyway, and one plain sentence where it matters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.lazy import tf
from kerasviz.models.view import View
from kerasviz.results.facts import TargetFacts
from kerasviz.scores import Score


def head_facts(view: View, score: Score | None) -> dict[str, Any]:
    """The score, the first five predictions and the target's rank, inside a trace."""
    facts: dict[str, Any] = {}
    head = (score.head if score else None) or view.head()
    if head.kind in ("classes", "sides"):
        top = tf.math.top_k(head.scores, min(5, head.scores.shape[-1]))
        chances = tf.gather(head.probabilities, top.indices, axis=1, batch_dims=1)
        facts |= {"top": top.indices, "top_scores": top.values, "top_probabilities": chances}
    if score is not None:
        facts |= {"score": score.value, "index": score.index}
        if score.kind == "class" and head.kind in ("classes", "sides"):
            own = tf.gather(head.scores, score.index, axis=1, batch_dims=1)
            facts["rank"] = 1 + tf.reduce_sum(tf.cast(head.scores > own[:, None], tf.int32), 1)
            facts["probability"] = tf.gather(head.probabilities, score.index, axis=1, batch_dims=1)
    return facts


def evidence_facts(maps: Any, slopes: Any, evidence: Any) -> dict[str, Any]:
    """How maps (N, h, w, K), slopes (N, h, w, K) and evidence (N, h, w) stand to each other, inside a trace."""
    axes = (1, 2, 3)
    weight = tf.reduce_sum(tf.abs(evidence), (1, 2))
    against = tf.reduce_sum(tf.nn.relu(-evidence), (1, 2))
    speaks = tf.reduce_mean(slopes, (1, 2), keepdims=True) * tf.reduce_mean(maps, (1, 2))[:, None, None]  # (N, 1, 1, K)
    return {
        "gradient_norm": tf.sqrt(tf.reduce_sum(tf.square(slopes), axes)),
        "largest_activation": tf.maximum(tf.reduce_max(maps, axes), -tf.reduce_min(maps, axes)),
        "negative_share": tf.math.divide_no_nan(against, weight),
        "channels_for": tf.reduce_sum(tf.cast(speaks > 0, tf.int32), axes),
    }


@dataclass(frozen=True)
class Diagnosis:
    """What a result's measures mean: `status` is `ok`, `warning` or `failed`; one sentence for each finding."""

    status: str
    messages: tuple[str, ...]
    facts: dict[str, Any]


def diagnose(
    heatmap: np.ndarray,
    measures: Mapping[str, np.ndarray],
    target: TargetFacts | None,
    layer: str | None,
    pixels: np.ndarray,
) -> Diagnosis:
    """Why a map looks as it does, from what was computed anyway, and from the pixels (h, w, C) that went in."""
    facts = _facts(measures)
    if not np.isfinite(heatmap).all() or (target is not None and not np.isfinite(target.score)):
        where = f" at layer '{layer}'" if layer else ""
        sentence = f"The network's answer is not a number{where}: it overflows, or its weights are broken."
        return Diagnosis("failed", (sentence,), facts)
    messages = [
        sentence
        for sentence in (
            _constant_picture(pixels),
            _empty(heatmap, measures, target, layer),
            _nothing_but_rounding(heatmap),
        )
        if sentence
    ]
    return Diagnosis("warning" if messages else "ok", tuple(messages), facts)


def _facts(measures: Mapping[str, np.ndarray]) -> dict[str, Any]:
    names: tuple[str, ...] = ("probability", "rank", "gradient_norm", "largest_activation", "negative_share")
    names += ("channels_for", "bias", "guided", "left_alone")
    facts: dict[str, Any] = {name: measures[name].item() for name in names if name in measures}
    chances = measures.get("top_probabilities")
    if chances is not None and len(chances) > 1:
        facts["margin"] = float(chances[0] - chances[1])
    return facts


def _constant_picture(pixels: np.ndarray) -> str:
    first = pixels.flat[0]
    constant = np.all(pixels[0] == first) and np.all(pixels == first)  # mostly the first row says that it is not
    return "Every pixel of the picture has the same value." if constant else ""


def _nothing_but_rounding(heatmap: np.ndarray) -> str:
    largest = float(np.abs(heatmap).max(initial=0))
    return f"Nothing but rounding: the largest value is {largest:.1e}." if 0 < largest < 1e-10 else ""


def _empty(
    heatmap: np.ndarray, measures: Mapping[str, np.ndarray], target: TargetFacts | None, layer: str | None
) -> str:
    """Why there is nothing on the map; nothing where there is something."""
    if np.any(heatmap) or target is None:
        return ""
    name, where = f"'{target.name}'", f"'{layer}'" if layer else "the pixels"
    if measures.get("largest_activation", 1) == 0:
        return f"All values are 0: layer {where} is dead for this picture, every unit of it gives 0."
    if measures.get("gradient_norm", 1) == 0:
        saturated = " The probability is saturated; explain the logit." if target.scale == "probability" else ""
        return (
            f"All values are 0: the score of {name} does not change with {where}; its gradient there is 0.{saturated}"
        )
    if measures.get("negative_share", 1) == 0:  # nothing for it, and nothing against it either
        return f"All values are 0: no channel of {where} argues for or against {name}."
    if "channels_for" not in measures:
        return "All values are 0."
    if measures.get("channels_for", 1) == 0:
        return f"All values are 0: every channel of {where} argues against {name}."
    return f"All values are 0: nowhere in {where} does what speaks for {name} outweigh what speaks against it."
