"""Harmless model files that would do what an attacker wants: leave a mark, read a secret, ask for memory.

`ATTACKS` says of each which rule must find it. What an attack reaches for lies in a folder of its own, `outside`.
"""

from pathlib import Path

import attack_configurations
import attack_containers
import attack_graphs
import h5py
import numpy as np
from attack_making import ATTACKS, HONEST, MODULE

__all__ = ["ATTACKS", "HONEST", "MODULE", "attack_configurations", "attack_containers", "attack_graphs"]


def make_outside(folder):
    """What attacks reach for: a text, another HDF5 file, raw numbers, code. The folder `outside` below `folder`."""
    outside = Path(folder) / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("alpha\nbeta\n")
    (outside / "raw.bin").write_bytes(np.full(162, 9, "f4").tobytes())
    (outside / f"{MODULE}.py").write_text("open(__file__[:-3] + '.imported', 'w').close()\nclass Thing: pass\n")
    with h5py.File(outside / "other.h5", "w") as file:
        file["k"] = np.full((3, 3, 3, 6), 7, "f4")
    return outside


def write(name, folder):
    """Write one attack file, and `outside` beside it where that is not there; gives its path, kind and rule."""
    maker, kind, rule = ATTACKS[name]
    outside = Path(folder) / "outside"
    if not outside.exists():
        make_outside(folder)
    suffix = {"h5": ".h5", "ip": ".keras"}.get(kind[-2:], "")
    target = Path(folder) / f"{name}{suffix}"
    maker(kind, target, outside)
    return target, kind, rule
