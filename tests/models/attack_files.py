"""Harmless model files that would do what an attacker wants: leave a mark, read a secret, ask for memory.

Each is an honest file of the corpus with one thing changed. `ATTACKS` says which rule must find it.
"""

import base64
import io
import json
import marshal
import shutil
import warnings
import zipfile
from pathlib import Path

import h5py

CORPUS = Path(__file__).parents[1] / "corpus"
HONEST = {
    "keras2-h5": CORPUS / "func_bn__k215_H.h5",
    "keras2-zip": CORPUS / "func_bn__k215_K.keras",
    "keras3-zip": CORPUS / "func_bn__k3_K.keras",
}
ATTACKS = {}  # name: (function of kind, target and mark; rule; kinds)


def attack(rule, *kinds):
    """Note down a function (kind, target, mark) that writes an attack file; it must be found under `rule`."""

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
            change(file, "model_weights/conv1/conv1/kernel:0")
        return
    weights = io.BytesIO(zipfile.ZipFile(HONEST[kind]).read("model.weights.h5"))
    with h5py.File(weights, "r+") as file:
        change(file, "layers/conv2d/vars/0")
    with_members(kind, target, {"model.weights.h5": weights.getvalue()})


def layer(config, cls):
    """The first layer of that class, as the configuration has it."""
    return next(entry for entry in config["config"]["layers"] if entry["class_name"] == cls)


def byte_code(mark):
    """What a Lambda layer stores of a function that writes a file."""
    code = compile(f"lambda x: (open({str(mark)!r}, 'w').close(), x)[1]", "<attack>", "eval").co_consts[0]
    return base64.b64encode(marshal.dumps(code)).decode()


@attack("code:lambda")
def lambda_layer(kind, target, mark):
    code = [byte_code(mark), None, None]
    if kind == "keras3-zip":
        code = {"class_name": "__lambda__", "config": {"code": code[0], "defaults": None, "closure": None}}

    def change(config):
        entry = layer(config, "BatchNormalization")
        entry["class_name"] = "Lambda"
        entry["config"] = {"name": "bn1", "function": code, "function_type": "lambda", "arguments": {}}

    with_configuration(kind, target, change)


@attack("code:module", "keras2-zip", "keras3-zip")
def foreign_module(kind, target, mark):
    thing = {"module": mark.stem, "class_name": "Thing", "config": {}, "registered_name": None}
    with_configuration(kind, target, lambda c: layer(c, "Conv2D")["config"].update(kernel_initializer=thing))


@attack("code:module", "keras2-zip")
def foreign_name(kind, target, mark):
    with_configuration(
        kind, target, lambda c: layer(c, "Conv2D").update(module="keras.src.utils", registered_name="os")
    )


@attack("code:class", "keras2-zip", "keras3-zip")
def other_part_of_keras(kind, target, mark):
    thing = {"module": "keras.utils", "class_name": "get_file", "config": {"fname": "x"}, "registered_name": None}
    with_configuration(kind, target, lambda c: layer(c, "Conv2D")["config"].update(bias_initializer=thing))


@attack("code:tf-symbol", "keras2-h5")
def tensorflow_function(kind, target, mark):
    """Constant arguments make tf_keras run it while the file is opened."""

    def change(config):
        writer = {"name": "w", "trainable": True, "dtype": "float32", "function": "io.write_file"}
        nodes = [["_CONSTANT_VALUE", -1, str(mark), {"contents": "x"}]]
        config["config"]["layers"].append(
            {"class_name": "TFOpLambda", "config": writer, "name": "w", "inbound_nodes": nodes}
        )

    with_configuration(kind, target, change)


@attack("code:graph-op", "keras2-h5")
def graph_operation(kind, target, mark):
    node = {"name": "w", "op": "WriteFile", "input": ["a", "b"]}
    config = {"name": "w", "node_def": node, "constants": {"0": str(mark)}}
    entry = {"class_name": "TensorFlowOpLayer", "config": config, "name": "w", "inbound_nodes": []}
    with_configuration(kind, target, lambda c: c["config"]["layers"].append(entry))


@attack("file:path")
def vocabulary(kind, target, mark):
    config = {"name": "look", "vocabulary": str(mark)}
    entry = {"class_name": "StringLookup", "config": config, "name": "look", "inbound_nodes": []}
    with_configuration(kind, target, lambda c: c["config"]["layers"].append(entry))


@attack("code:layer", "keras3-zip")
def pickled_layer(kind, target, mark):
    entry = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"name": "t", "module": {}}}
    with_configuration(kind, target, lambda c: c["config"]["layers"].append(entry))


@attack("code:layer", "keras3-zip")
def graph_of_another_folder(kind, target, mark):
    entry = {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"name": "t", "filepath": str(mark)}}
    with_configuration(kind, target, lambda c: c["config"]["layers"].append(entry))


@attack("bomb:config")
def units(kind, target, mark):
    with_configuration(kind, target, lambda c: layer(c, "Dense")["config"].update(units=2_000_000_000))


@attack("bomb:config")
def many_layers(kind, target, mark):
    """Each size is unremarkable, and all together are not."""
    dense = {"class_name": "Dense", "config": {"units": 4096}, "inbound_nodes": []}
    with_configuration(kind, target, lambda c: c["config"]["layers"].extend([dense] * 1000))


@attack("bomb:config")
def input_shape(kind, target, mark):
    shape = [None, 100_000, 100_000, 3]
    with_configuration(kind, target, lambda c: layer(c, "InputLayer")["config"].update(batch_shape=shape))


@attack("bomb:config")
def nesting(kind, target, mark):
    deep = json.loads("[" * 100 + "]" * 100)
    with_configuration(kind, target, lambda c: c["config"].update(name=deep))


@attack("bomb:config", "keras3-zip")
def bottomless_nesting(kind, target, mark):
    with_members(kind, target, {"config.json": "[" * 200_000 + "]" * 200_000})


@attack("bomb:h5", "keras2-h5", "keras3-zip")
def declared_array(kind, target, mark):
    def change(file, name):
        del file[name]
        file.create_dataset(name, (1 << 15, 1 << 14, 1, 1), "f4", chunks=(1024, 1024, 1, 1), compression="gzip")

    with_arrays(kind, target, change)


@attack("bomb:h5", "keras2-h5", "keras3-zip")
def array_that_was_never_written(kind, target, mark):
    def change(file, name):
        del file[name]
        file.create_dataset(name, (1 << 14, 1 << 10), "f4", chunks=(1024, 1024))

    with_arrays(kind, target, change)


@attack("file:h5-external", "keras2-h5", "keras3-zip")
def array_in_another_file(kind, target, mark):
    def change(file, name):
        del file[name]
        file.create_dataset(name, (3, 3, 3, 6), "f4", external=[(str(mark), 0, 648)])

    with_arrays(kind, target, change)


@attack("file:h5-external", "keras2-h5", "keras3-zip")
def virtual_array(kind, target, mark):
    def change(file, name):
        del file[name]
        layout = h5py.VirtualLayout((3, 3, 3, 6), "f4")
        layout[:] = h5py.VirtualSource(str(mark), "k", (3, 3, 3, 6))
        file.create_virtual_dataset(name, layout)

    with_arrays(kind, target, change)


@attack("file:h5-link", "keras2-h5", "keras3-zip")
def link_to_another_file(kind, target, mark):
    def change(file, name):
        del file[name]
        file[name] = h5py.ExternalLink(str(mark), "k")

    with_arrays(kind, target, change)


@attack("file:h5-link", "keras2-h5", "keras3-zip")
def soft_link(kind, target, mark):
    def change(file, name):
        file.move(name, "elsewhere")
        file[name] = h5py.SoftLink("/elsewhere")

    with_arrays(kind, target, change)


@attack("file:h5-link", "keras2-h5")
def group_in_itself(kind, target, mark):
    def change(file, name):
        file["model_weights/conv1/again"] = file["model_weights"]

    with_arrays(kind, target, change)


@attack("file:h5-filter", "keras2-h5", "keras3-zip")
def plug_in_filter(kind, target, mark):
    def change(file, name):
        shape = file[name].shape
        del file[name]
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_chunk(shape)
        settings.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1,))
        space = h5py.h5s.create_simple(shape)
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, dcpl=settings)

    with_arrays(kind, target, change)


@attack("file:zip", "keras3-zip")
def climbing_member(kind, target, mark):
    with_members(kind, target, {f"../{mark.name}": b"x"})


@attack("file:zip", "keras3-zip")
def climbing_asset(kind, target, mark):
    with_members(kind, target, {f"assets/../../{mark.name}": b"x"})


@attack("file:zip", "keras2-zip")
def member_twice(kind, target, mark):
    with_members(kind, target, {}, twice=[("config.json", b"{}")])


@attack("bomb:zip", "keras3-zip")
def zip_bomb(kind, target, mark):
    with_members(kind, target, {"config.json": b" " * (100 << 20)})


@attack("file:polyglot", "keras2-h5")
def two_files_in_one(kind, target, mark):
    target.write_bytes(HONEST["keras2-h5"].read_bytes() + HONEST["keras2-zip"].read_bytes())


def write(name, folder):
    """Write one attack file; gives its path, kind, rule, and the file that must not come to be or be read.

    The mark ends in .py, so that importing the module of its name would be seen, too.
    """
    maker, kind, rule = ATTACKS[name]
    target = Path(folder) / ("attack.h5" if kind.endswith("h5") else "attack.keras")
    maker(kind, target, Path(folder) / "mark_of_attack.py")
    return target, kind, rule
