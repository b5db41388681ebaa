"""kerasviz: see what a Keras convolutional network looks at and has learned.

>>> import kerasviz as kv
>>> kv.GradCAM()("model.keras", "photo.jpg").save("out")
"""

import importlib
from typing import Any

from kerasviz.registry import BY_CLASS

__version__ = "0.1.0"

_HOMES = {
    "open": ("kerasviz.models.opening", "open_network"),
    "Network": ("kerasviz.models.network", "Network"),
    "read_image": ("kerasviz.inputs.reading", "read_image"),
    "explain": ("kerasviz.explaining", "explain"),
    "VisualizationLogger": ("kerasviz.callback", "VisualizationLogger"),
    "techniques": ("kerasviz.registry", "techniques"),
    "Result": ("kerasviz.results.result", "Result"),
    "Results": ("kerasviz.results.result", "Results"),
    **{
        name: ("kerasviz.errors", name)
        for name in (
            "ImageError",
            "KerasvizError",
            "LayerError",
            "ModelError",
            "OutputError",
            "SettingError",
            "SourceError",
            "TargetError",
            "TechniqueError",
            "UnsafeModelError",
        )
    },
    **{cls: (f"kerasviz.engines.{technique.module}", cls) for cls, technique in BY_CLASS.items()},
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kerasviz' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
