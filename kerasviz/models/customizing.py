"""The author's own classes and functions: given by name, or defined by a Python file, which runs to find out.

Authors of Keras 2 models write `import keras` or `from tensorflow import keras`, and mean what is called
tf_keras today. So while such a file runs, these names lead there; and nothing of it stays behind: neither
in `sys.modules`, nor in what either Keras has registered.
"""

import importlib
import os
import runpy
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, cast

from kerasviz.errors import ModelError
from kerasviz.models.configurations import Finding

_CALLED = "kerasviz_custom"  # what the author's file is called while it runs
_ALIASES = ("keras", "tensorflow.keras")
_running = threading.RLock()


@dataclass(frozen=True)
class Objects:
    """What was given for the author's code that a model file needs.

    Attributes:
        by_name: under the names that the model file uses.
        given: names that were given.
        missing: what none was given for.
        path: the file that defines them, or None.
    """

    by_name: Mapping[str, Any]
    given: tuple[str, ...] = ()
    missing: list[Finding] = field(default_factory=list)
    path: str | None = None


def matched(
    given: Mapping[str, Any] | str | os.PathLike[str] | None, found: Sequence[Finding], library: str, called: str
) -> Objects:
    """The author's objects under the names that a model file uses.

    Args:
        given: objects by name, or the path of the Python file that defines them. It runs.
        found: what the scan found.
        library: the Keras that opens the file: `keras` or `tf_keras`.
        called: the model file, for messages.

    Raises:
        ModelError: the Python file is not there or fails, or a class is made with the other Keras.
    """
    path = os.fspath(given) if isinstance(given, (str, os.PathLike)) else None
    own = objects_in(path, library) if path is not None else dict(cast("Mapping[str, Any]", given or {}))
    needs = [finding for finding in found if finding.name]
    objects = dict(own)
    for finding in needs:
        bare = finding.name.rpartition(">")[2]  # `package>Name` is how registered classes are spelled in files
        if finding.name not in objects and bare in own:
            objects[finding.name] = own[bare]
        _refuse_other_keras(objects.get(finding.name), bare, library, called)
    registered = _registered(library) if needs else {}
    missing = [finding for finding in needs if finding.name not in objects and finding.name not in registered]
    return Objects(objects, tuple(own), missing, path)


def _refuse_other_keras(thing: Any, name: str, library: str, called: str) -> None:
    other = "keras" if library == "tf_keras" else "tf_keras"
    roots = {base.__module__.partition(".")[0] for base in thing.__mro__} if isinstance(thing, type) else set()
    if other in roots and library not in roots:
        writer = "Keras 2" if library == "tf_keras" else "Keras 3"
        raise ModelError(
            f"Expected {name!r} to be made for {writer}, which wrote {called!r}: it must derive from {library}, "
            f"not from {other}. Import {library} where it is defined; a file given with --custom may say "
            "'import keras' for both."
        )


def _registered(library: str) -> Mapping[str, Any]:
    """What the author's program has registered in this process, as `@register_keras_serializable` does."""
    if library == "keras":
        import keras

        return keras.saving.get_custom_objects() | keras.src.saving.object_registration.GLOBAL_CUSTOM_OBJECTS
    import tf_keras

    return tf_keras.saving.get_custom_objects()


def objects_in(path: str, library: str) -> dict[str, Any]:
    """Run a Python file; what it defines by name, and what it registers by `package>name`.

    Args:
        path: the file. Modules beside it can be imported by it.
        library: what `keras` and `tensorflow.keras` are for it: `keras` or `tf_keras`.

    Raises:
        ModelError: there is no such file, or running it fails.
    """
    if not os.path.isfile(path):
        raise ModelError(f"Expected a Python file with the model's own layers, found no file {path!r}. Check the path.")
    folder = os.path.dirname(os.path.abspath(path))
    with _running, ExitStack() as stack:
        registered = stack.enter_context(_registries(library))
        stack.enter_context(_modules_of(folder))
        if library == "tf_keras":
            stack.enter_context(_keras_2())
        try:
            defined = runpy.run_path(path, run_name=_CALLED)
        except (Exception, SystemExit) as error:
            raise ModelError(
                f"Expected a Python file with the model's own layers in {path!r}; "
                f"running it ended in {type(error).__name__}: {error}. Repair it."
            ) from error
        # what the file only imported is not the author's: a Keras 3 layer must not stand for a tf_keras one
        own = {name: thing for name, thing in defined.items() if _is_own(thing, folder)}
        return {**own, **registered()}


def _is_own(thing: Any, folder: str) -> bool:
    """Whether it was defined by the file, or by a module beside it."""
    module = getattr(thing, "__module__", None)
    return module == _CALLED or (isinstance(module, str) and _lies_in(sys.modules.get(module), folder))


def _lies_in(module: ModuleType | None, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and os.path.dirname(os.path.abspath(file)) == folder


@contextmanager
def _modules_of(folder: str) -> Iterator[None]:
    """Modules in the folder can be imported, after all others, and are forgotten: they may mean another Keras next."""
    before = set(sys.modules)
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if _lies_in(sys.modules[name], folder):
                del sys.modules[name]


@contextmanager
def _registries(library: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Gives what has been registered since; afterwards the registry is as it was."""
    registry = importlib.import_module(f"{library}.src.saving.object_registration")
    prefix = "_" if library == "tf_keras" else ""
    objects, names = (getattr(registry, f"{prefix}GLOBAL_CUSTOM_{what}") for what in ("OBJECTS", "NAMES"))
    before = dict(objects), dict(names)
    try:
        yield lambda: {name: thing for name, thing in objects.items() if before[0].get(name) is not thing}
    finally:
        for now, then in zip((objects, names), before, strict=True):
            now.clear()
            now.update(then)


@contextmanager
def _keras_2() -> Iterator[None]:
    """`keras` and `tensorflow.keras` are tf_keras, for those who import them meanwhile."""
    import tensorflow
    import tf_keras

    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _rest(name) is not None}
    finder, stand_in = _Finder(), _TensorFlow(tensorflow, tf_keras)
    sys.modules["tensorflow"] = stand_in
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _rest(name) is not None]:
            del sys.modules[name]
        sys.modules["tensorflow"] = tensorflow
        sys.modules.update(hidden)


class _TensorFlow(ModuleType):
    """TensorFlow as it is, with Keras 2 in it; those who imported it keep it, so what they call later is right, too."""

    def __init__(self, whole: ModuleType, keras: ModuleType):
        super().__init__("tensorflow", whole.__doc__)
        self.__dict__.update(__path__=whole.__path__, __spec__=whole.__spec__, __file__=whole.__file__)
        self._whole, self.keras = whole, keras

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def __dir__(self) -> list[str]:
        return dir(self._whole)


class _Finder:
    """Finds `keras.x` and `tensorflow.keras.x` where tf_keras has them: the same modules, not imported twice."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Of a module of Keras; None of any other."""
        rest = _rest(name)
        return None if rest is None else ModuleSpec(name, _Loader(f"tf_keras{rest}"))


class _Loader(Loader):
    """Hands out a module that exists, and leaves it as it was."""

    def __init__(self, name: str):
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of tf_keras."""
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It ran when it was imported; its spec, which importing has just replaced, is put back."""
        module.__spec__ = self._spec


def _rest(name: str) -> str | None:
    """`.layers` of `keras.layers` and `tensorflow.keras.layers`; None of what is not Keras."""
    for alias in _ALIASES:
        if name == alias or name.startswith(f"{alias}."):
            return name.removeprefix(alias)
    return None
