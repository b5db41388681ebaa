"""Model files with something wrong in them: bytes flipped, cut off, fields of their JSON swapped, sizes inflated.

A mutant is made from a number, always the same. What only breaks a checksum is uninteresting, so archives are mostly
changed inside and zipped again.
"""

import io
import json
import random
import shutil
import zipfile
from pathlib import Path

import h5py
from corpus_files import CORPUS

SOURCES = (
    *("func_bn__k3_K.keras", "nested_seq_in_func__k3_K.keras", "custom_registered__k3_K.keras"),
    *("prep_norm_adapted__k215_K.keras", "tfop_arith__k215_K.keras", "shared_siamese__k215_K.keras"),
    *("func_bn__k3_H.h5", "prep_norm_adapted__k3_H.h5"),
    *("seq_basic__k210_J.keras", "nested_compiled__k215_H.h5", "tfop_arith__k115_H.h5", "custom_loss__k215_H.h5"),
    *("custom_traced__k215_S.sm", "subclassed__k215_S.sm", "tfop_arith__k3_E.export.sm"),
    *("tf_module__k215_R.sm", "tf_asset_table__k215_R.sm", "tf1_saved_model__k215_R.sm"),
    *("weights_only__k3_W.weights.h5", "weights_only__k24_w0.h5"),
)
_SIZES = ("units", "filters", "kernel_size", "axis", "shape", "batch_shape", "batch_input_shape", "size", "groups")


def mutant(number, folder):
    """Write mutant `number` into a folder; gives its path and what was done to which source."""
    chance = random.Random(number)
    source = CORPUS / SOURCES[number % len(SOURCES)]
    ways = [flipped, cut, inflated]
    target = Path(folder) / f"{number}{source.suffix}"
    if source.is_dir():
        shutil.copytree(source, target)
        parts = [each for each in target.rglob("*") if each.is_file() and each.stat().st_size]
        part = target / "saved_model.pb" if chance.random() < 0.7 else chance.choice(sorted(parts))
        way = chance.choice(ways)
        part.write_bytes(way(part.read_bytes(), chance))
        return target, f"{source.name}/{part.name} {way.__name__}"
    if (source.suffix == ".keras" and "_J" not in source.name) or "weights" not in source.name:
        ways += [swapped, swapped, grown]
    way = chance.choice(ways)
    if way in (swapped, grown):
        with_json(source, target, lambda config: way(config, chance))
    elif zipfile.is_zipfile(source) and chance.random() < 0.8:
        rezipped(source, target, way, chance)
    else:
        target.write_bytes(way(source.read_bytes(), chance))
    return target, f"{source.name} {way.__name__}"


def flipped(data, chance):
    """One to twenty bits."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def cut(data, chance):
    """Its end is missing."""
    return data[: chance.randrange(len(data))]


def inflated(data, chance):
    """Small whole numbers of eight bytes, lengths and counts among them, become large."""
    found = bytearray(data)
    places = [k for k in range(0, len(found) - 8, 4) if 0 < int.from_bytes(found[k : k + 8], "little") <= 4096]
    for place in chance.sample(places, min(len(places), chance.randint(1, 3))):
        number = int.from_bytes(found[place : place + 8], "little") << chance.choice((4, 12, 20, 31, 50))
        found[place : place + 8] = (number & (1 << 64) - 1).to_bytes(8, "little")
    return bytes(found)


def swapped(config, chance):
    """Values of fields change places, perhaps with one of another kind."""
    for _ in range(chance.randint(1, 3)):
        (first, one), (second, other) = (chance.choice(_fields(config)) for _ in range(2))
        first[one], second[other] = second[other], first[one]
    return config


def grown(config, chance):
    """A number of the configuration becomes large, small, or a number of another kind."""
    places = [(holder, key) for holder, key in _fields(config) if isinstance(holder[key], int)]
    sizes = [(holder, key) for holder, key in places if key in _SIZES or isinstance(holder, list)]
    holder, key = chance.choice(sizes if sizes and chance.random() < 0.7 else places)
    holder[key] = chance.choice((holder[key] * 1000, 1 << 31, 1 << 62, -1, 0, 1e30, 2.5, "3", 4096, None))
    return config


def _fields(config):
    """(holder, key) of everything below the outermost level."""
    found, waiting = [], [config]
    while waiting:
        holder = waiting.pop()
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found


def with_json(source, target, change):
    """The file with its configuration changed."""
    if not zipfile.is_zipfile(source):
        shutil.copyfile(source, target)
        with h5py.File(target, "r+") as file:
            text = _changed(file.attrs["model_config"], change)
            file.attrs["model_config"] = text
        return
    members = _members(source)
    members["config.json"] = _changed(members["config.json"], change).encode()
    _zipped(members, target)


def _changed(text, change):
    try:
        return json.dumps(change(json.loads(text)))
    except (ValueError, RecursionError):  # a container was put into itself
        return "{}"


def rezipped(source, target, way, chance):
    """The archive with one member changed, and checksums that fit."""
    members = _members(source)
    name = chance.choice(("model.weights.h5", "model.weights.h5", "config.json", "metadata.json"))
    members[name] = way(members[name], chance)
    _zipped(members, target)


def _members(source):
    with zipfile.ZipFile(source) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members, target):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    target.write_bytes(data.getvalue())
