"""SavedModels that would read, write or run something, each made with TensorFlow; and honest ones beside them."""

import os

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from kerasviz.models.scanning import scan
from kerasviz.models.sniffing import sniff


class Looking(tf.Module):
    """Names of classes, looked up in a table that an initialiser fills from a text file."""

    def __init__(self, path, through=None):
        super().__init__()
        self.weight = tf.Variable(2.0)
        column, line = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
        source = tf.lookup.TextFileInitializer(path, tf.int64, column, tf.string, line)
        self.table = through(source) if through else tf.lookup.StaticHashTable(source, "unknown")

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4, 3), tf.float32)])
    def run(self, image):
        score = self.weight * tf.reduce_sum(image, (1, 2))
        return {"scores": score, "names": self.table.lookup(tf.argmax(score, -1))}


def _saved(module, folder):
    tf.saved_model.save(module, folder, signatures=module.run)
    return folder


def _rules(folder):
    kind = sniff(folder)
    assert kind.opener == "tf.saved_model"
    return {finding.rule for finding in scan(folder, kind.kind)}


@pytest.fixture
def names(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("cat\ndog\nbird\n")
    return str(path)


def test_a_table_from_the_models_own_asset_may_be_opened(names, tmp_path):
    assert _rules(_saved(Looking(names), tmp_path / "m")) == set()


def test_also_after_it_was_loaded_and_saved_again(names, tmp_path):
    again = tf.saved_model.load(_saved(Looking(names), tmp_path / "m"))
    tf.saved_model.save(again, tmp_path / "again", signatures=again.signatures)
    assert _rules(tmp_path / "again") == set()


class _Table(tf.saved_model.experimental.TrackableResource):
    """A table whose initialiser takes its path in one of the ways that do not make an asset of it."""

    def __init__(self, fill):
        super().__init__()
        self._fill = fill
        self._resource_handle = self._create_resource()
        self._initialize()

    def _create_resource(self):
        return tf.raw_ops.HashTableV2(key_dtype=tf.int64, value_dtype=tf.string)

    def _initialize(self):
        self._fill(self.resource_handle)

    def lookup(self, keys):
        return tf.raw_ops.LookupTableFindV2(table_handle=self.resource_handle, keys=keys, default_value="unknown")


def _fill(handle, path):
    tf.raw_ops.InitializeTableFromTextFileV2(
        table_handle=handle, filename=path, key_index=-1, value_index=-2, vocab_size=-1, delimiter="\t"
    )


def _written_inside(path):
    return lambda handle: _fill(handle, tf.constant(path))


def _captured(path):
    with tf.init_scope():
        kept = tf.constant(path)
    return lambda handle: _fill(handle, kept)


def _passed_on(path):
    inner = tf.function(_fill)
    return lambda handle: inner(handle, tf.constant(path))


def _read_from_a_variable(path):
    kept = tf.Variable(path)

    def fill(handle):
        _fill(handle, kept.read_value())

    fill.kept = kept
    return fill


@pytest.mark.parametrize("way", [_written_inside, _captured, _passed_on, _read_from_a_variable])
def test_a_table_from_a_path_is_refused_however_the_path_comes_in(way, names, tmp_path):
    fill = way(names)
    module = Looking(names, lambda source: _Table(fill))
    module.kept = getattr(fill, "kept", None)  # TensorFlow wants to see what its functions use
    assert _rules(_saved(module, tmp_path / "m")) == {"file:path"}


class Summing(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4, 3), tf.float32)])
    def run(self, image):
        return {"sums": self.weight * tf.reduce_sum(image, (1, 2))}


@pytest.fixture
def summing(tmp_path):
    return _saved(Summing(), tmp_path / "m")


def _edited(folder, edit):
    """The same SavedModel with its graph changed by hand, as a stranger could."""
    path = folder / "saved_model.pb"
    message = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    edit(message.meta_graphs[0])
    path.write_bytes(message.SerializeToString())
    return folder


def _function(graph, word):
    return next(f for f in graph.graph_def.library.function if word in f.signature.name)


def test_an_honest_one_has_no_finding_and_needs_no_tensorflow(summing):
    assert _rules(summing) == set()


def test_a_network_that_calls_its_own_saver_is_refused(summing):
    def edit(graph):
        node = _function(graph, "inference_run").node_def.add(name="sly", op="StatefulPartitionedCall")
        node.attr["f"].func.name = _function(graph, "traced_save").signature.name

    assert _rules(_edited(summing, edit)) == {"code:graph-op"}


def test_a_saver_that_is_offered_as_a_function_is_refused(summing):
    def edit(graph):
        saver = _function(graph, "traced_save").signature.name
        graph.object_graph_def.nodes.add().function.concrete_functions.append(saver)

    assert _rules(_edited(summing, edit)) == {"code:graph-op"}


@pytest.mark.parametrize("operation", ["XlaCallModule", "ReadFile", "NoSuchOperation", "MapDataset", "SaveV2"])
def test_an_operation_that_is_not_listed_is_refused(operation, summing):
    def edit(graph):
        _function(graph, "inference_run").node_def.add(name="sly", op=operation)

    folder = _edited(summing, edit)
    (finding,) = scan(folder, sniff(folder).kind)
    assert (finding.rule, operation in finding.text, finding.where.endswith(":sly")) == ("code:graph-op", True, True)


def test_two_functions_of_one_name_are_both_looked_at(summing):
    def edit(graph):
        library = graph.graph_def.library
        twin = library.function.add()
        twin.CopyFrom(_function(graph, "inference_run"))
        twin.node_def.add(name="sly", op="WriteFile")

    assert _rules(_edited(summing, edit)) == {"code:graph-op"}


def test_an_asset_with_a_climbing_name_is_refused(summing):
    def edit(graph):
        graph.asset_file_def.add(filename="../../secret.txt")

    assert _rules(_edited(summing, edit)) == {"file:path"}


def test_a_registered_class_is_refused(summing):
    def edit(graph):
        graph.object_graph_def.nodes[0].registered_name = "Custom.Evil"

    assert _rules(_edited(summing, edit)) == {"code:class"}


def test_a_constant_that_declares_more_than_it_stores_is_refused(summing):
    def edit(graph):
        node = _function(graph, "inference_run").node_def.add(name="big", op="Const")
        tensor = node.attr["value"].tensor
        tensor.dtype, tensor.float_val[:] = tf.float32.as_datatype_enum, [1.0]
        for _ in range(2):
            tensor.tensor_shape.dim.add(size=1 << 20)

    assert _rules(_edited(summing, edit)) == {"bomb:const"}


def test_links_and_second_graphs_are_refused(summing, tmp_path):
    (tmp_path / "secret.txt").write_text("alpha")
    os.symlink(tmp_path / "secret.txt", summing / "assets" / "linked.txt")
    (summing / "saved_model.pbtxt").write_text("")
    assert _rules(summing) == {"file:link", "file:savedmodel"}


def test_one_without_its_weights_is_damaged(summing):
    for path in (summing / "variables").iterdir():
        path.unlink()
    (summing / "variables").rmdir()
    assert _rules(summing) == {"broken:savedmodel"}
