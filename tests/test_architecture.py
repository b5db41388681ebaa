"""The house: imports point one way, and TensorFlow and Keras stay where they belong."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kerasviz"

# From the ground up; a module may import what stands on its own line or further up in this list.
LEVELS = (
    ("errors", "grammar", "lazy", "registry", "settings"),
    ("inputs",),
    ("models",),
    ("scores",),
    ("targets",),
    ("pictures", "writing"),
    ("records",),
    ("results",),
    ("engines",),
    ("explaining",),
    ("timelines",),
    ("runs", "pages"),
    ("examining",),
    ("callback",),
    ("cli",),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
FRONT = ("kerasviz", "kerasviz.__version__")  # the front door knows nobody before it is asked


def room(module: str) -> str:
    """`kerasviz.models.view` -> `models`."""
    return module.split(".")[1]


def imports(path: Path) -> list[str]:
    """Every module that a file imports, wherever in it; names of the front door's own left out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [f"{node.module}.{n.name}" if node.module == "kerasviz" else str(node.module) for n in node.names]
    return found


def files(*, cli: bool = True) -> list[Path]:
    own = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]
    return own + (sorted((ROOT / "cli").rglob("*.py")) if cli else [])


def rooms_of(path: Path) -> str:
    return "cli" if path.is_relative_to(ROOT / "cli") else path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = rooms_of(path)
    assert own in LEVEL, f"{own} has no place in LEVELS: give it one"
    inner = [name for name in imports(path) if name.startswith("kerasviz.") and name not in FRONT]
    upward = [name for name in inner if LEVEL[room(name)] > LEVEL[own]]
    assert upward == []


def test_the_table_names_what_there_is():
    there = {rooms_of(path) for path in files()}
    assert there <= set(LEVEL)
    assert {"models", "engines", "results"} <= there


def test_pictures_know_numbers_only():
    for path in (PACKAGE / "pictures").rglob("*.py"):
        inner = {room(name) for name in imports(path) if name.startswith("kerasviz.")}
        assert inner <= {"pictures", "errors", "settings"}, path.name


# The callback is a Keras class, so Keras is there before it is; the front door imports it when it is asked for.
KERAS_CLASS = {"keras"}


def knows(path: Path, *packages: str) -> list[str]:
    return [name for name in imports(path) if name.split(".")[0] in packages]


@pytest.mark.parametrize("room_", ["pictures", "inputs", "runs", "engines"])
def test_only_models_import_keras(room_):
    paths = (PACKAGE / room_).rglob("*.py")
    assert [(path.name, found) for path in paths if (found := knows(path, "keras", "tf_keras"))] == []


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_tensorflow_comes_lazily_and_never_into_pictures(path):
    top = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Import)]
    early = {name.name.split(".")[0] for node in top for name in node.names} & {"tensorflow", "keras", "tf_keras"}
    assert early == (KERAS_CLASS if rooms_of(path) == "callback" else set())
    if rooms_of(path) in ("pictures", "inputs"):
        assert [name for name in imports(path) if name.split(".")[0] == "tensorflow" or name == "kerasviz.lazy"] == []


def test_nobody_but_the_registry_names_engines_one_by_one():
    named = [
        (path.name, name)
        for path in files()
        if rooms_of(path) != "engines"
        for name in imports(path)
        if name.count(".") >= 3 and name.startswith("kerasviz.engines.")
    ]
    assert named == []
