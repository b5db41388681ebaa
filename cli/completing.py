"""What the shell offers after <TAB>: words, and the layers of a model, read from its file without TensorFlow."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

LARGEST_CONFIG = 64 << 20  # bytes; the largest of keras.applications has 2 MB


def words(choices: Iterable[str]) -> Callable[..., list[str]]:
    """Completion from a fixed list."""
    return lambda ctx, param, incomplete: [word for word in choices if word.startswith(incomplete)]


def layer_names(model: Any, incomplete: str) -> list[str]:
    """The layers of a model file whose path, or else whose own name, begins so; of `a,b` the last one is completed."""
    done, comma, last = incomplete.rpartition(",")
    try:
        paths = list(_paths(_config(str(model))))
    except Exception:  # <TAB> never says what is wrong with a file
        return []
    begun = [path for path in paths if path.startswith(last)]
    found = begun or [path for path in paths if path.rpartition("/")[2].startswith(last)]
    return [done + comma + path for path in found]


def _config(path: str) -> Mapping[str, Any]:
    """The network's configuration as Keras wrote it into a .keras or .h5 file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive, archive.open("config.json") as member:
            return json.loads(member.read(LARGEST_CONFIG))
    from kerasviz.models.hdf5 import open_hdf5

    with open_hdf5(path) as checked:  # a damaged file must not hang the shell
        return json.loads(checked.file.attrs["model_config"])


def _paths(config: Mapping[str, Any], outer: str = "") -> Iterator[str]:
    """`outer/inner/conv`: an inner model stands after its layers, as in the order of the calls."""
    inside = config["config"]
    for layer in inside if isinstance(inside, list) else inside.get("layers", []):
        if layer["class_name"] == "InputLayer":
            continue
        name = outer + str(layer["config"]["name"] if isinstance(layer["config"], dict) else layer["name"])
        if isinstance(layer["config"], dict) and "layers" in layer["config"]:
            yield from _paths(layer, name + "/")
        yield name
