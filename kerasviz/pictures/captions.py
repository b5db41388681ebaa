"""Words and figures under a picture: short sentences in the present tense, without parentheses."""

import math

from kerasviz.pictures.scales import Scale


def number(value: float, digits: int = 3) -> str:
    """A figure with a true minus: `0.443`, `1.0`, `−12`, `3.2e−4`, `1,234`, `0`.

    Args:
        value: any number; NaN reads `not a number`.
        digits: significant figures; powers of ten always have two.
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if abs(value) < 0.001 or abs(value) >= 1e6:
        figure, power = f"{value:.1e}".split("e")
        text = f"{figure}e{int(power)}"
    elif abs(float(f"{value:.{digits}g}")) >= 10**digits:
        text = f"{value:,.0f}"
    else:
        text = f"{value:#.{digits}g}".rstrip(".")
    return text.replace("-", "−")


def chance(probability: float) -> str:
    """Two decimals, below that `< 0.01`."""
    return f"{probability:.2f}" if probability >= 0.01 else "< 0.01"


def percent(share: float) -> str:
    """A share 0..1 as `1 %`, `< 1 %`, `12 %`."""
    return f"{100 * share:.0f} %" if share >= 0.005 else "< 1 %"


def standing(rank: int) -> str:
    """Why this class: 1 is the predicted one."""
    return "the predicted class" if rank == 1 else f"ranked {rank:,}"


def score_words(score: float, unit: str = "logit") -> str:
    """`logit 10.5`, `probability 0.77`, `value 12.3`."""
    if unit == "probability":
        return f"probability {chance(score)}"
    whole = unit == "logit" and abs(score) >= 1
    return f"{unit} {score:.1f}".replace("-", "−") if whole else f"{unit} {number(score, 2 if unit == 'logit' else 3)}"


def question(technique: str, name: str, *facts: str) -> str:
    """`Grad-CAM for Egyptian cat, the predicted class, logit 10.5.` from its parts; empty ones are left out."""
    return sentence(", ".join([f"{technique} for {name}", *filter(None, facts)]))


def runners_up(others: list[tuple[str, float]]) -> str:
    """`After it: tiger cat 0.10, tabby 0.08.` from names and probabilities; nothing from nothing."""
    return sentence("After it: " + ", ".join(f"{name} {chance(p)}" for name, p in others)) if others else ""


def scale_words(scale: Scale, unit: str = "", digits: int = 3, begin: str = "Scale") -> str:
    """`Scale 0 to 0.443, the maximum: nothing is clipped.`, `Scale −1.9 to 1.9 logit, 99th percentile, 1 % clipped.`"""
    if scale.high == 0:
        return "Every value is 0, so the scale is empty."
    ends = f"{begin} {number(scale.low, digits)} to {number(scale.high, digits)} {unit}".rstrip()
    if not scale.clipped:
        return ends + (", the maximum: nothing is clipped." if scale.kind == "maximum" else f", {scale.kind}.")
    kind = "the largest finite value" if scale.kind == "maximum" else scale.kind
    return f"{ends}, {kind}, {percent(scale.clipped)} clipped."


def opacity_words(alpha: float) -> str:
    """How to read the overlay."""
    return f"Overlay: opacity {alpha:.2f} × √share."


def sentence(text: str) -> str:
    """With its full stop."""
    return text if not text or text[-1] in ".!?…" else text + "."


def small_print(*parts: str) -> str:
    """Sentences, one after the other; empty ones are left out."""
    return " ".join(sentence(part) for part in parts if part)
