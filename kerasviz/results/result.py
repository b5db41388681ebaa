"""Results: they draw, show and save themselves."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasviz.results import drawing as draw
from kerasviz.results.data import ResultData
from kerasviz.results.drawing import Drawing
from kerasviz.results.saving import save


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(ResultData):
    """One technique's answer about one picture; shows itself in a notebook."""

    def overlay(self, **drawing: Any) -> np.ndarray:
        """uint8 (H, W, 3): the heatmap over the photograph, at the photograph's own resolution."""
        return draw.overlay_of(self, Drawing(**drawing))

    def heatmap_picture(self, **drawing: Any) -> np.ndarray:
        """uint8 (H, W, 3): the heatmap alone, at the photograph's own resolution."""
        return draw.heatmap_of(self, Drawing(**drawing))

    def panel(self, **drawing: Any) -> np.ndarray:
        """uint8 (h, w, 3): photograph, heatmap with its scale, overlay and caption; or the first page of a grid."""
        return next(draw.pages_of(self, Drawing(**drawing)))

    def save(self, out: str | Path = "kerasviz_out", styles: Sequence[str] = ("panel",), **drawing: Any) -> list[Path]:
        """Write pictures and a line of the manifest, as the command line does; the paths of the pictures."""
        return save(self, Path(out), styles, Drawing(**drawing))

    def _repr_png_(self) -> bytes:
        return _png(self.panel(scale=1))

    def _repr_html_(self) -> str:
        said = html.escape(" ".join(self.messages))
        return f'{_tag(self.panel(scale=1))}<p style="margin:0">{said}</p>'


class Results(list):
    """Results of several pictures or targets; shows itself in a notebook."""

    def __getitem__(self, which: Any) -> Any:
        found = super().__getitem__(which)
        return Results(found) if isinstance(which, slice) else found

    def save(self, out: str | Path = "kerasviz_out", styles: Sequence[str] = ("panel",), **drawing: Any) -> list[Path]:
        """Save each; all paths."""
        return [path for result in self for path in result.save(out, styles, **drawing)]

    def _repr_html_(self) -> str:
        more = f"<p>and {len(self) - 8} more</p>" if len(self) > 8 else ""
        return "".join(result._repr_html_() for result in self[:8]) + more


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def _tag(picture: np.ndarray) -> str:
    data = base64.b64encode(_png(picture)).decode()
    return f'<img style="max-width:100%" src="data:image/png;base64,{data}">'
