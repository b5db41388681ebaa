"""The corpus: model files of TensorFlow 1.15 to 2.21, each with its writer's own numbers beside it in an .npz.

`INDEX` says of each what it is (`kind`), what must come of it (`expect`) and how near its outputs must come (`tol`).
The .npz hold x0.. (uint8, times x_scale), y0.., one inner layer's output for the first picture, digests of the weights.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

CORPUS = Path(__file__).parent / "corpus"
INDEX = json.loads((CORPUS / "index.json").read_text(encoding="utf-8"))


def names(*expected, kind=""):
    """Files from which that is expected, of kinds that begin so; all without an argument."""
    return [n for n, e in INDEX.items() if (not expected or e["expect"] in expected) and e["kind"].startswith(kind)]


def smallest():
    """One file of each kind that opens."""
    found = {}
    for name in sorted(names("opens"), key=lambda name: INDEX[name]["bytes"]):
        if INDEX[name]["tol"] is not None:
            found.setdefault(INDEX[name]["kind"], name)
    return found


def stored(name):
    """The .npz of a file: inputs as the writer fed them, and its outputs in their order."""
    numbers = dict(np.load(CORPUS / INDEX[name]["npz"]))
    inputs = [numbers[key].astype("float32") * numbers["x_scale"] for key in sorted(numbers) if _numbered(key, "x")]
    return inputs, [numbers[key] for key in sorted(numbers) if _numbered(key, "y")], numbers


def _numbered(key, letter):
    return key[0] == letter and key[1:].isdigit()


def digests(arrays):
    """How the writers noted their weights: the same bytes, or not."""
    contiguous = [np.ascontiguousarray(a) for a in arrays]
    texts = [str((a.shape, str(a.dtype))).encode() + a.tobytes() for a in contiguous]
    return sorted(hashlib.sha256(text).hexdigest()[:24] for text in texts)


def snapshot(path):
    """Digests of all files at and below a path, by their names."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {str(each.relative_to(path.parent)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}
