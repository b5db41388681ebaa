"""Guided backpropagation: the gradient to the pixels, of which each ReLU passes the positive part only."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kerasviz.engines.gradients._family import PixelGradients
from kerasviz.errors import TechniqueError
from kerasviz.models.view import View


@dataclass(frozen=True, kw_only=True)
class GuidedBackprop(PixelGradients):
    """The gradient to the pixels, of which each ReLU on its way back passes the positive part only.

    plain: g * 1[z > 0]; guided: relu(g) * 1[z > 0], at every ReLU of input z; heatmap = max over c of |values|

    Values (h, w, C), signed, in the units of saliency. Clean outlines, but nearly the same for every class and for
    random upper weights (Adebayo et al. 2018, Nie et al. 2018): it shows the picture's edges, not the evidence.
    Counts as ReLU: relu, relu6, max(x, 0), clip from 0, x above a threshold; other non-linearities are left as they
    are and counted. Springenberg, Dosovitskiy, Brox, Riedmiller 2014, arXiv 1412.6806, section 3.4.
    """

    warning: ClassVar[str] = (
        "Guided backpropagation barely changes with the class or with random upper weights: do not read it as evidence."
    )

    def colours(self, values: np.ndarray) -> np.ndarray | None:
        """The values of a colour picture as its authors draw them; not where another number was asked for."""
        return values if values.shape[-1] == 3 and self.reduce == "max-abs" else None

    @staticmethod
    def slopes(view: View, score: Any) -> tuple[Any, dict[str, int]]:
        """The guided gradient, and how many non-linearities were changed and left alone."""
        found = view.guided_pixel_slopes(score)
        if found.missed:
            raise TechniqueError(
                "Guided backpropagation reaches no ReLU inside compiled functions, loops or custom gradients, and "
                f"this network has {found.missed} there. Take the tf.function off their layer, or use saliency."
            )
        if found.slopes is not None and not found.guided:
            others = ", ".join(f"{count} {name}" for name, count in sorted(found.others.items()))
            raise TechniqueError(
                "Guided backpropagation changes ReLUs, and between the pixels and the target there is none"
                f"{', but ' + others if others else ''}: it would be the plain gradient. Use saliency, which is that."
            )
        return found.slopes, {"guided": found.guided, "left_alone": sum(found.others.values())}
