"""TensorFlow, imported at first use: `import kerasviz` and every `--help` leave it alone."""

import importlib
import sys
from types import ModuleType
from typing import Any


class LazyModule:
    """A module that is imported when one of its names is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._module(), attribute)

    def _module(self) -> ModuleType:
        return sys.modules.get(self._name) or importlib.import_module(self._name)

    def __repr__(self) -> str:
        return f"LazyModule({self._name!r})"


tf = LazyModule("tensorflow")
