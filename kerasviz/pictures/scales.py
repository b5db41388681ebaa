"""Where a colour scale ends, and how much lies beyond its end."""

from dataclasses import dataclass

import numpy as np

COARSE = 1024  # cells; up to here every cell is seen, so the scale ends at the largest
FINE_PERCENTILE = 99.0


@dataclass(frozen=True)
class Scale:
    """The two ends of a colour scale, in the units of the values.

    `clipped` is the share 0..1 of the values that lie outside, `kind` says what the upper end is:
    "maximum", "99th percentile" (or another one), or "given".
    """

    low: float
    high: float
    clipped: float = 0.0
    kind: str = "maximum"


def scale_of(values: np.ndarray, *, signed: bool, clip: float | None = None) -> Scale:
    """The scale of a map, or of several that are to be compared.

    Up to 1024 values it ends at the largest, above that at the 99th percentile, of |value| where the
    map is signed. A percentile of 0 in a map that is not all 0 would hide all there is, so such a map
    ends at its largest value. All zero: an empty scale, 0 to 0. The lower end is 0 or -high, so a
    constant map is never stretched.

    Args:
        values: any shape; what is not finite is left out (and counted as clipped where infinite).
        signed: -high to high; else 0 to high.
        clip: the percentile 0..100 at which to end instead.
    """
    values = np.asarray(values, np.float32)
    sizes = np.abs(values) if signed else np.maximum(values, 0)
    finite = sizes[np.isfinite(sizes)]
    if not finite.size:
        return Scale(0.0, 0.0)
    percentile = clip if clip is not None else (100.0 if values.size <= COARSE else FINE_PERCENTILE)
    high, kind = float(np.percentile(finite, percentile)), f"{ordinal(percentile)} percentile"
    if percentile >= 100 or high == 0:
        high, kind = float(finite.max()), "maximum"
    return given(values, high, signed=signed, kind=kind)


def given(values: np.ndarray, high: float, *, signed: bool, kind: str = "given") -> Scale:
    """The scale that ends at `high`, with the share of these values that it clips."""
    values = np.asarray(values, np.float32)
    low = -high if signed and high else 0.0
    known = np.count_nonzero(~np.isnan(values))
    outside = np.count_nonzero((values > np.float32(high)) | (values < np.float32(low)))
    return Scale(low, high, outside / known if known else 0.0, kind)


def ordinal(n: float) -> str:
    """99 -> 99th, 99.5 -> 99.5th, 1 -> 1st."""
    ending = "th"
    if n == int(n) and int(n) % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(int(n) % 10, "th")
    return f"{n:g}{ending}"
