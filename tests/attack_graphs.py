"""Attacks by SavedModels: an honest little graph with one thing too many. Needs TensorFlow."""

import shutil

from attack_making import attack

_KIND = "savedmodel-tf2"


def saved(target, body=None, prepared=None, table=None):
    """Save a module whose call does `body(x)`, and whose loading does `prepared()`.

    Args:
        target: the folder.
        body: (N, 8, 8, 3) -> a tensor, or None where only what it does matters.
        prepared: an initialiser: runs while the model is loaded.
        table: path of the file that a lookup table is filled from.
    """
    import tensorflow as tf

    class Resource(tf.saved_model.experimental.TrackableResource):
        def _create_resource(self):
            if table:
                return tf.raw_ops.HashTableV2(key_dtype=tf.int64, value_dtype=tf.string, shared_name="t")
            return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=(), shared_name="r")

        def _initialize(self):
            if table:
                tf.raw_ops.InitializeTableFromTextFileV2(
                    table_handle=self.resource_handle, filename=str(table), key_index=-1, value_index=-2
                )
            else:
                prepared()

        def _destroy_resource(self):
            pass

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.weight = tf.Variable(1.0)
            if prepared or table:
                self.resource = Resource()

        @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, name="x")])
        def __call__(self, x):
            found = body(x) if body else None
            if table:
                keys = tf.constant([0, 1], tf.int64)
                found = tf.raw_ops.LookupTableFindV2(
                    table_handle=self.resource.resource_handle, keys=keys, default_value=""
                )
            mean = tf.reduce_mean(x, [1, 2]) * self.weight
            return {"y": mean} if found is None else {"y": mean, "z": found}

    net = Net()
    tf.saved_model.save(net, str(target), signatures=net.__call__)


def doing(operation):
    """The same, with nothing to return."""

    def body(x):
        operation(x)

    return body


@attack("code:graph-op", _KIND)
def writing_when_called(kind, target, outside):
    import tensorflow as tf

    saved(target, doing(lambda x: tf.io.write_file(str(outside / "mark"), "x")))
    (outside / "mark").unlink(missing_ok=True)


@attack("code:graph-op", _KIND)
def writing_when_loaded(kind, target, outside):
    import tensorflow as tf

    saved(target, prepared=lambda: tf.io.write_file(str(outside / "mark"), "x"))
    (outside / "mark").unlink(missing_ok=True)


@attack("code:graph-op", _KIND)
def reading(kind, target, outside):
    import tensorflow as tf

    saved(target, lambda x: tf.io.read_file(str(outside / "secret.txt")))


@attack("code:graph-op", _KIND)
def listing(kind, target, outside):
    import tensorflow as tf

    saved(target, lambda x: tf.io.matching_files(str(outside / "*.txt")))


@attack("code:graph-op", _KIND)
def calling_python(kind, target, outside):
    import tensorflow as tf

    saved(target, lambda x: tf.numpy_function(lambda a: a, [x], tf.float32))


@attack("code:graph-op", _KIND)
def saving(kind, target, outside):
    import tensorflow as tf

    def body(x):
        tf.raw_ops.SaveV2(prefix=str(outside / "mark"), tensor_names=["a"], shape_and_slices=[""], tensors=[x])

    saved(target, body)


@attack("code:graph-op", _KIND)
def printing_to_a_file(kind, target, outside):
    import tensorflow as tf

    saved(target, doing(lambda x: tf.print("x", output_stream=f"file://{outside / 'mark'}")))


@attack("code:graph-op", _KIND)
def memory_of_a_file(kind, target, outside):
    import tensorflow as tf

    region = str(outside / "secret.txt")
    saved(target, lambda x: tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[4], memory_region_name=region))


@attack("bomb:const", _KIND)
def constant_of_a_few_bytes(kind, target, outside):
    import tensorflow as tf

    saved(target, lambda x: tf.reduce_sum(tf.constant(1.0, shape=[1 << 12, 1 << 12])))


@attack("file:path", _KIND)
def table_from_a_path(kind, target, outside):
    saved(target, table=outside / "secret.txt")


@attack("file:path", _KIND)
def climbing_asset_of_a_graph(kind, target, outside):
    """Its asset is an honest one, `secret.txt`, until the name is changed to as long a one that climbs."""
    import tensorflow as tf

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.asset = tf.saved_model.Asset(str(outside / "secret.txt"))

        @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, name="x")])
        def __call__(self, x):
            return tf.reduce_mean(x, [1, 2])

    tf.saved_model.save(Net(), str(target))
    graph = target / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"\x12\x0asecret.txt", b"\x12\x0a../../../s"))


@attack("file:savedmodel", _KIND)
def second_graph(kind, target, outside):
    saved(target)
    shutil.copy(target / "saved_model.pb", target / "saved_model.cpb")  # chunked form: some loaders read it instead


@attack("file:link", _KIND)
def link_inside(kind, target, outside):
    saved(target)
    (target / "assets").mkdir(exist_ok=True)
    (target / "assets" / "words.txt").symlink_to(outside / "secret.txt")
