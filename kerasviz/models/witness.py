"""A witness of what a network was trained on: the statistics that its first BatchNormalization has kept.

They are the mean and variance of what the first kernel made of the pictures of the training. What it makes of the
pictures at hand is compared with that, for each scaling they may have had.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.models.beginnings import Beginning
from kerasviz.models.constants import Weights
from kerasviz.models.operations import ancestors
from kerasviz.models.preprocessing import Preprocess

_MOST = 4000  # patches of a picture that are looked at
_MEANS, _DEVIATION = (123.7, 116.8, 103.9), 60.0  # of photographs; neighbours are alike by .95, colours by .85


@dataclass(frozen=True, eq=False)
class Witness:
    """The first kernel (h, w, C, K), its bias (K,), and mean and variance (K,) that were kept of what it makes."""

    kernel: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    start: Beginning

    def misfits(self, scalings: Iterable[Preprocess], pictures: Sequence[np.ndarray] = ()) -> dict[str, float]:
        """How badly each scaling explains what was kept: 0 well, above 1 badly.

        Args:
            scalings: the candidates, all of them scales and offsets.
            pictures: (H, W, C) in 0..255, as the network would get them; without any, photographs as they mostly are.
        """
        height, width = self.kernel.shape[:2]
        channels = max(self.start.source) + 1
        large = [p for p in pictures if p.shape[0] >= height and p.shape[1] >= width and p.shape[2] >= channels]
        seen = _patches(large, height, width) if large else _photographs(height, width, channels)
        return {one.name: self._misfit(one, *seen) for one in scalings}

    def _misfit(self, scaling: Preprocess, means: np.ndarray, covariance: np.ndarray) -> float:
        """The median over channels of how far two normal distributions lie apart (Jeffreys)."""
        height, width, _, maps = self.kernel.shape
        channels = means.shape[-1]
        source = np.arange(channels)[::-1] if scaling.bgr and channels == 3 else np.arange(channels)
        scale, offset = (np.resize(np.asarray(each), channels) for each in (scaling.scale, scaling.offset))
        weights, bias = np.zeros((height, width, channels, maps)), self.bias.copy()
        for k, (place, s, o) in enumerate(zip(self.start.source, self.start.scale, self.start.offset, strict=True)):
            weights[:, :, source[place]] += self.kernel[:, :, k] * s * scale[place]
            bias += self.kernel[:, :, k].sum((0, 1)) * (s * offset[place] + o)
        flat = weights.reshape(-1, maps)
        mean = flat.T @ means.ravel() + bias
        variance = np.einsum("pk,pq,qk->k", flat, covariance, flat)
        least = 1e-3 * np.median(self.variance) + 1e-12
        kept, found = np.maximum(self.variance, least), np.maximum(variance, least)
        apart = kept / found + found / kept - 2 + (mean - self.mean) ** 2 * (1 / kept + 1 / found)
        return float(np.median(apart / 2))


def best(misfits: Mapping[str, float]) -> str | None:
    """The scaling that explains the statistics clearly better than all others, and well; None where none does."""
    ranked = sorted(misfits, key=lambda name: misfits[name])
    if not ranked or misfits[ranked[0]] > 1:
        return None
    return ranked[0] if all(misfits[name] > 2 * misfits[ranked[0]] + 0.5 for name in ranked[1:]) else None


def contradicts(misfits: Mapping[str, float], name: str) -> bool:
    """Whether another scaling explains the statistics far better than the one of that name."""
    return name in misfits and misfits[name] > 3 * min(misfits.values()) + 1


def witness(start: Beginning, operations: Sequence[Any], weights: Weights) -> Witness | None:
    """The statistics behind the first kernel; None where there are none, or where they have never been trained."""
    op = start.first
    if op is None:
        return None
    kernel, bias, tensor = np.eye(len(start.source))[None, None], np.zeros(len(start.source)), None
    if op.type == "Conv2D":
        found = weights.value(op.inputs[1])
        if found is None or found.shape[2] != len(start.source):
            return None
        kernel, bias, tensor = found, np.zeros(found.shape[-1]), op.outputs[0]
    names = {each.name for each in operations}
    if tensor is not None:
        op = _only_user(tensor, names)
        while op is not None and op.type in ("BiasAdd", "Identity", "AddV2", "Add", "Cast"):
            if op.type in ("BiasAdd", "AddV2", "Add"):
                added = weights.value(op.inputs[1])
                if added is None or added.size != bias.size:
                    return None
                bias = bias + added.ravel()
            op = _only_user(op.outputs[0], names)
    kept = _statistics(op, names, weights) if op is not None else None
    if kept is None or kept[0].size != bias.size or _untrained(*kept):
        return None
    return Witness(kernel, bias, *kept, start)


def _untrained(mean: np.ndarray, variance: np.ndarray) -> bool:
    return bool((np.abs(mean) < 1e-6).all() and (np.abs(variance - 1) < 1e-3).all())


def _only_user(tensor: Any, names: set[str]) -> Any:
    users = [op for op in tensor.consumers() if op.name in names]
    return users[0] if len(users) == 1 else None


def _statistics(op: Any, names: set[str], weights: Weights) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and variance that a BatchNormalization for inference was traced with."""
    if op.type.startswith("FusedBatchNorm") and not op.get_attr("is_training"):
        mean, variance = weights.value(op.inputs[3]), weights.value(op.inputs[4])
        return None if mean is None or variance is None else (mean.ravel(), variance.ravel())
    last = _only_user(op.outputs[0], names) if op.type == "Mul" else None
    if last is None or last.type not in ("AddV2", "Add", "Sub"):
        return None
    inverse, root = weights.value(op.inputs[1]), _root(op.inputs[1])
    shift = last.inputs[1].op  # beta - mean * inverse, or -mean * inverse
    product = weights.value(shift.inputs[1] if shift.type == "Sub" else shift.inputs[0]) if shift.inputs else None
    variance = weights.value(root) if root is not None else None
    if inverse is None or product is None or variance is None or not inverse.all():
        return None
    sign = -1 if shift.type not in ("Sub", "Neg") else 1
    return (sign * product / inverse).ravel(), variance.ravel()


def _root(tensor: Any) -> Any:
    """The variance in 1 / sqrt(variance + epsilon)."""
    found = next((op.inputs[0] for op in ancestors([tensor]) if op.type == "Rsqrt"), None)
    return found.op.inputs[0] if found is not None and found.op.type in ("AddV2", "Add") else found


def _patches(pictures: Sequence[np.ndarray], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (h, w, C) and covariance (hwC, hwC) of what the kernel sees of pictures."""
    rows = []
    for picture in pictures:
        windows = np.lib.stride_tricks.sliding_window_view(picture, (height, width), (0, 1))
        step = max(1, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / _MOST))))
        some = windows[::step, ::step].transpose(0, 1, 3, 4, 2)  # (places, places, h, w, C)
        rows.append(some.reshape(-1, height * width * picture.shape[2]).astype(np.float64))
    every = np.concatenate(rows)
    covariance = np.cov(every, rowvar=False) if len(every) > 1 else np.zeros((every.shape[1],) * 2)
    return every.mean(0).reshape(height, width, -1), np.atleast_2d(covariance)


def _photographs(height: int, width: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of photographs as they mostly are."""
    y, x, c = (axis.ravel() for axis in np.indices((height, width, channels)))
    apart = np.hypot(y[:, None] - y, x[:, None] - x)
    alike = 0.95**apart * np.where(c[:, None] == c, 1, 0.85)
    means = np.resize(_MEANS if channels >= 3 else (117.0,), channels)
    return np.broadcast_to(means, (height, width, channels)), _DEVIATION**2 * alike
