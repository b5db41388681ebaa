"""How attack files are made: an honest file of the corpus, with one thing changed."""

import io
import json
import shutil
import warnings
import zipfile

import h5py
from corpus_files import CORPUS

HONEST = {
    "keras2-h5": CORPUS / "func_bn__k215_H.h5",
    "keras3-h5": CORPUS / "func_bn__k3_H.h5",
    "keras2-zip": CORPUS / "func_bn__k215_K.keras",
    "keras3-zip": CORPUS / "func_bn__k3_K.keras",
}
ZIPS = ("keras2-zip", "keras3-zip")
ATTACKS = {}  # name: (function of kind, target and outside; rule; kinds)
MODULE = "module_of_attack"  # the attack's own code, to be imported
_KERNELS = {  # where the arrays of a 3 x 3 kernel lie
    "keras2-h5": "model_weights/conv1/conv1/kernel:0",
    "keras3-h5": "model_weights/conv1/conv1/kernel",
    "keras2-zip": "layers/conv2d/vars/0",
    "keras3-zip": "layers/conv2d/vars/0",
}


def attack(rule, *kinds):
    """Note down a function (kind, target, outside) that writes an attack file; it must be found under `rule`."""

    def noted(write):
        for kind in kinds or HONEST:
            ATTACKS[f"{write.__name__}-{kind}"] = (write, kind, rule)
        return write

    return noted


def with_configuration(kind, target, change):
    """The honest file of that kind with `change(config)` done to its configuration."""
    if kind.endswith("h5"):
        shutil.copyfile(HONEST[kind], target)
        with h5py.File(target, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            file.attrs["model_config"] = json.dumps(change(config) or config)
        return
    config = json.loads(zipfile.ZipFile(HONEST[kind]).read("config.json"))
    with_members(kind, target, {"config.json": json.dumps(change(config) or config)})


def with_members(kind, target, members, twice=()):
    """The honest archive with members replaced or added."""
    with zipfile.ZipFile(HONEST[kind]) as honest, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in {**dict.fromkeys(honest.namelist()), **members}:
            archive.writestr(name, members.get(name) or honest.read(name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "Duplicate name": that is the point
            for name, data in twice:
                archive.writestr(name, data)


def with_arrays(kind, target, change):
    """The honest file with `change(file, name)` done to the HDF5 data set `name`, a kernel."""
    if kind.endswith("h5"):
        shutil.copyfile(HONEST[kind], target)
        with h5py.File(target, "r+") as file:
            change(file, _KERNELS[kind])
        return
    weights = io.BytesIO(zipfile.ZipFile(HONEST[kind]).read("model.weights.h5"))
    with h5py.File(weights, "r+") as file:
        change(file, _KERNELS[kind])
    with_members(kind, target, {"model.weights.h5": weights.getvalue()})


def layer(config, cls):
    """The first layer of that class, as the configuration has it."""
    return next(entry for entry in config["config"]["layers"] if entry["class_name"] == cls)


def with_layer(kind, target, entry):
    """The honest file with one more layer in its configuration."""
    with_configuration(kind, target, lambda c: c["config"]["layers"].append({"inbound_nodes": [], **entry}))
