"""May this configuration be built? Everything it names must be a known, harmless part of Keras.

A Keras model file says in JSON which classes and functions to make and call. Loaders follow it
far: the names may lead to byte code, other modules, file operations or absurd sizes. So the names
are held against allow lists (`allow_lists.json`, written by scripts/make_allow_lists.py).
"""

import functools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from kerasviz.models.call_order import waiting_for_ever

MAX_DEPTH, MAX_CONTAINERS = 48, 200_000
MAX_INPUT = 1 << 28  # numbers in one input: a 9000 x 9000 RGB picture has fewer
UNREMARKABLE = 4096  # sizes up to this are not looked for among the stored weights

_KERAS = re.compile(r"((tf_|tensorflow\.)?keras(\.[a-z0-9_]+)*|builtins)")
_OPERATIONS = re.compile(r"keras\.src\.ops\.([a-z]+)")
_VALUES = {
    *("__tensor__", "__keras_tensor__", "__numpy__", "__bytes__", "__tuple__"),
    *("__ellipsis__", "__slice__", "slice", "TensorShape"),
}
_OUTSIDE = {
    "TFSMLayer": "would load and run a graph from another folder",
    "TorchModuleWrapper": "would unpickle, and so run, code",
    "JaxLayer": "would run a function from outside the file",
    "FlaxLayer": "would run a function from outside the file",
    "NNXLayer": "would run a function from outside the file",
    "StringLookup": "may read its vocabulary from any file",
    "IntegerLookup": "may read its vocabulary from any file",
    "TextVectorization": "may read its vocabulary from any file",
    "__typespec__": "would call a class that the file names",
    "ClassMethod": "would call a method that the file names",
    "InstanceMethod": "would call a method that the file names",
    "InstanceProperty": "would read an attribute that the file names",
}
_PATHS = {
    *("vocabulary", "vocabulary_file", "filename", "filepath", "file_path", "path"),
    *("url", "fname", "origin", "directory", "asset"),
}
_SIZES = {
    *("units", "filters", "input_dim", "output_dim", "num_heads", "num_query_heads", "num_key_value_heads"),
    *("key_dim", "value_dim", "head_dim", "projection_dim", "kernel_size", "depth_multiplier"),
}
_SHAPES = {"shape", "batch_shape", "input_shape", "batch_input_shape", "build_input_shape", "kernel_shape"}
_FUNCTION_ROLE = re.compile(r"(\w+_)?activation")
_CLASS_ROLE = re.compile(r"\w+_(initializer|regularizer|constraint)")


@dataclass(frozen=True)
class Finding:
    """One reason not to open a file.

    Attributes:
        rule: `code:*` could run code, `file:*` could touch other files, `bomb:*` could fill the
            memory, `broken:*` cannot be read, `needs:custom-objects` lacks its author's code.
        where: the place in the file, such as `config/net/scale`.
        text: what stands there and what it could do; ends a sentence that begins with the file's name.
        name: for `needs:custom-objects` the class or function, as the file spells it.
    """

    rule: str
    where: str
    text: str
    name: str = ""


@dataclass
class Weights:
    """The sizes of the arrays that a file stores: what its configuration may ask for.

    Attributes:
        sizes: every length of every axis.
        count: numbers in all arrays together.
    """

    sizes: set[int] = field(default_factory=set)
    count: int = 0


@functools.cache
def allow_lists() -> dict[str, frozenset[str]]:
    """`classes`, `functions`, `operations`, `tensorflow_functions`, `graph_operations`: names that may be used."""
    text = files("kerasviz.models").joinpath("allow_lists.json").read_text("utf8")
    return {name: frozenset(names) for name, names in json.loads(text).items()}


def configuration_findings(config: Any, weights: Weights, *, bare_operations: bool = False) -> Iterator[Finding]:
    """What speaks against building a model from this configuration.

    Args:
        config: parsed JSON: dicts, lists, strings, numbers.
        weights: what the file stores.
        bare_operations: operations may stand without their module, as in the HDF5 files of Keras 3.
    """
    declared = 0
    for containers, (value, where, depth) in enumerate(_containers(config)):
        if depth > MAX_DEPTH or containers > MAX_CONTAINERS:
            yield Finding("bomb:config", where[:200], f"nests deeper than {MAX_DEPTH} or in more than "
                          f"{MAX_CONTAINERS} parts, which could fill the memory")  # fmt: skip
            return
        if isinstance(value, dict):
            yield from _object_findings(value, where, bare_operations)
            yield from _path_findings(value, where)
            yield from _size_findings(value, where, weights)
            yield from _order_findings(value, where)
            declared += _declared(value)
    if declared > 4 * weights.count + UNREMARKABLE:  # a shared layer may be told of more than once
        yield Finding("bomb:config", "config", f"declares at least {declared} weights but stores {weights.count}, "
                      "and could fill the memory")  # fmt: skip


def _containers(config: Any) -> Iterator[tuple[Any, str, int]]:
    """Every dict and list with its place and depth, outer before inner; recursion would let a file choose the stack."""
    pending = [(config, "config", 0)]
    while pending:
        value, where, depth = pending.pop()
        if not isinstance(value, dict | list):
            continue
        if isinstance(value, dict) and "class_name" in value:
            where = f"{where}/{_name(value)}"
        yield value, where, depth
        inner = value if isinstance(value, list) else [v for k, v in value.items() if depth or k != "compile_config"]
        pending += [(v, where, depth + 1) for v in reversed(inner)]  # the outer compile_config is never used


def _name(entry: dict) -> str:
    """The name of a layer, else of its class, short enough for a message."""
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return (name if isinstance(name, str) else str(entry.get("class_name")))[:60]


def _object_findings(entry: dict, where: str, bare_operations: bool) -> Iterator[Finding]:
    if "node_def" in entry:
        yield from _graph_operation_findings(entry["node_def"], where)
    if "class_name" not in entry:
        return
    name, config = entry["class_name"], entry.get("config")
    if not isinstance(name, str):
        yield Finding("broken:config", where, "has a class that is not a name")
    elif name in _OUTSIDE:
        yield Finding("code:layer", where, f"holds a {name} ({_name(entry)!r}), which {_OUTSIDE[name]}")
    elif name == "__lambda__":
        yield Finding("code:lambda", where, "holds Python code, which would run")
    elif name == "Lambda":
        yield from _lambda_findings(config if isinstance(config, dict) else {}, where)
    elif name == "function":
        yield from _function_findings(entry, where)
    elif name not in _VALUES:
        yield from _class_findings(entry, name, where, bare_operations)
    if name in ("TFOpLambda", "SlicingOpLambda"):
        symbol = config.get("function") if isinstance(config, dict) else None
        if not _listed(symbol, "tensorflow_functions"):
            yield Finding("code:tf-symbol", where, f"calls the TensorFlow function {_short(symbol)} while it is opened")


def _class_findings(entry: dict, name: str, where: str, bare_operations: bool) -> Iterator[Finding]:
    module, registered = entry.get("module"), entry.get("registered_name")
    own = module is None or (isinstance(module, str) and _KERAS.fullmatch(module))
    known = own and _known_class(name, module, bare_operations)
    if known and registered not in (None, name) and not str(registered).endswith(f">{name}"):
        yield Finding("code:module", where, f"gives Keras's {_short(name)} the foreign name {_short(registered)}")
    elif known:
        yield from _role_findings(entry.get("config"), where)
    elif isinstance(module, str) and own and module != "builtins":
        yield Finding("code:class", where, f"names {_short(module + '.' + name)}, which is no part of a network")
    elif own or isinstance(registered, str):
        spelled = registered if isinstance(registered, str) else name
        yield Finding("needs:custom-objects", where, f"uses the class {_short(spelled)} for {_name(entry)!r}", spelled)
    else:
        yield Finding("code:module", where, f"would import {_short(module)}, a module outside Keras")


def _known_class(name: str, module: str | None, bare_operations: bool) -> bool:
    operations = allow_lists()["operations"]
    if module and (inside := _OPERATIONS.fullmatch(module)):
        return f"{inside[1]}.{name}" in operations
    if name in allow_lists()["classes"]:
        return True
    return bare_operations and module is None and any(known.endswith(f".{name}") for known in operations)


def _function_findings(entry: dict, where: str) -> Iterator[Finding]:
    name, module, registered = entry.get("config"), entry.get("module"), entry.get("registered_name")
    own = module is None or (isinstance(module, str) and _KERAS.fullmatch(module))
    plain = registered in (None, "function", name) or str(registered).endswith(f">{name}")
    if own and plain and _listed(name, "functions"):
        return
    if (own and module not in (None, "builtins")) or not plain:
        yield Finding("code:module", where, f"names the function {_short(f'{module}.{name}')}, no part of a network")
    else:
        yield Finding("needs:custom-objects", where, f"uses the function {_short(name)}", str(name))


def _lambda_findings(config: dict, where: str) -> Iterator[Finding]:
    layer = _name({"class_name": "Lambda", "config": config})
    for role in ("function", "output_shape", "mask"):
        value = config.get(role)
        code = isinstance(value, list) and any(isinstance(part, str) for part in value)
        code = code or (isinstance(value, dict) and value.get("class_name") == "__lambda__")
        if code or config.get(f"{role}_type") == "lambda":
            yield Finding("code:lambda", where, f"holds Python code in its Lambda layer {layer!r}, which would run")
            return
    function = config.get("function")
    if not isinstance(function, dict) and not _listed(function, "functions"):  # a dict is looked at by itself
        yield Finding("needs:custom-objects", where, f"uses the function {_short(function)} in its Lambda layer "
                      f"{layer!r}", str(function))  # fmt: skip


def _role_findings(config: Any, where: str) -> Iterator[Finding]:
    """Activations and the like may be plain names, which loaders look up."""
    for role, name in config.items() if isinstance(config, dict) else ():
        if not isinstance(name, str):
            continue
        if _FUNCTION_ROLE.fullmatch(role):
            known = _listed(name, "functions") or _listed(name, "classes")  # activation="LeakyReLU"
        else:
            known = not _CLASS_ROLE.fullmatch(role) or _listed(name, "classes")
        if not known:
            yield Finding("needs:custom-objects", where, f"uses the {role} {_short(name)}", name)


def _graph_operation_findings(node: Any, where: str) -> Iterator[Finding]:
    operation = node.get("op") if isinstance(node, dict) else None  # a string of bytes or JSON is not looked into
    if not _listed(operation, "graph_operations"):
        yield Finding("code:graph-op", where, f"calls the graph operation {_short(operation or node)}")


def _path_findings(entry: dict, where: str) -> Iterator[Finding]:
    for key in _PATHS & entry.keys():
        if isinstance(entry[key], str):
            yield Finding("file:path", where, f"would read the file or address {_short(entry[key])}")


def _size_findings(entry: dict, where: str, weights: Weights) -> Iterator[Finding]:
    for key in _SIZES & entry.keys():
        for size in _numbers(entry[key]):
            if size > UNREMARKABLE and weights.sizes.isdisjoint({size, 2 * size, 3 * size, 4 * size}):
                yield Finding("bomb:config", where, f"declares {key}={size} but stores no weights of that size, "
                              "and could fill the memory")  # fmt: skip
    for key in _SHAPES & entry.keys():
        if max(math.prod(_numbers(shape)) for shape in _shapes(entry[key])) > MAX_INPUT:
            yield Finding("bomb:config", where, f"declares the {key} {_short(entry[key])}, and could fill the memory")


def _order_findings(entry: dict, where: str) -> Iterator[Finding]:
    if waiting := waiting_for_ever(entry.get("layers")):
        yield Finding("broken:config", where, f"is cut off or damaged ({_short(waiting[0])} waits for a call of "
                      f"{_short(waiting[1])} that never comes)")  # fmt: skip


def _shapes(value: Any) -> list[Any]:
    """The shapes in `[None, 56, 56, 24]`, or in a list of such: those of a layer with several inputs."""
    several = isinstance(value, list) and value and all(isinstance(part, list) for part in value)
    return list(value) if several else [value]


def _declared(entry: dict) -> int:
    """A lower bound of the weights of one layer: never more than it has."""
    sizes = [max(_numbers(entry.get(key)), default=0) for key in ("units", "filters", "input_dim", "output_dim")]
    return max(sizes[0], sizes[1], sizes[2] * sizes[3] if sizes[3] else 0)


def _numbers(value: Any) -> list[int]:
    """The whole numbers above 0 in a number, a list, or a list of lists: what Keras takes for sizes and shapes."""
    flat = value if isinstance(value, list) else [value]
    flat = [number for part in flat for number in (part if isinstance(part, list) else [part])]
    return [int(n) for n in flat if isinstance(n, int | float) and math.isfinite(n) and n >= 1]


def _listed(name: Any, which: str) -> bool:
    return isinstance(name, str) and name in allow_lists()[which]


def _short(value: Any, length: int = 80) -> str:
    text = str(value)
    return repr(text if len(text) <= length else text[: length - 3] + "...")
