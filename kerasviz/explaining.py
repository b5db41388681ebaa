"""One line, from file to result."""

from typing import Any

from kerasviz.models.opening import open_network, opened
from kerasviz.registry import technique as find
from kerasviz.settings import settings_of


def explain(model: Any, images: Any, technique: str = "gradcam", target: Any = None, **options: Any) -> Any:
    """Open a model, explain pictures with one technique.

    Args:
        model: a path, a live model or a Network.
        images: whatever an engine takes.
        technique: its name, as `kerasviz --help` lists it.
        target: what about; default: by the head.
        options: settings of the technique, and options of `kv.open`.

    Returns:
        A Result, or Results.
    """
    engine = find(technique).load()
    own = {field.name for field in settings_of(engine)}
    others = {name: value for name, value in options.items() if name not in own}
    network = open_network(model, **others) if others else opened(model)
    return engine(**{name: value for name, value in options.items() if name in own})(network, images, target)
