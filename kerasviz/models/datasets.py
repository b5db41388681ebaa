"""Elements of a `tf.data.Dataset`, without anything of it moving: whoever trains on it draws what he would have drawn.

A shuffled dataset counts its iterators, a map may draw from a generator or a layer, a cache may be a file that only one
may fill. So the elements come from a copy of it, made from its graph, which has random states of its own.
"""

import random
from collections.abc import Iterator
from typing import Any

from kerasviz.errors import SettingError
from kerasviz.lazy import tf

MOST_BYTES = 100e6  # of arrays in a dataset that is copied: copying takes seven times their memory, and 4 s
_PASSING = {"Shuffle", "Batch", "ParallelBatch", "Prefetch", "Repeat", "Options", "Cache"}  # leave elements as they are
_ENOUGH = 1000  # rows of large arrays, more than are ever watched


def elements_of(dataset: Any) -> Iterator[Any]:
    """What it yields, in an order of its own where it is shuffled; of an iterator, what comes next.

    Raises:
        SettingError: it cannot be copied.
    """
    if not hasattr(dataset, "_variant_tensor"):  # an iterator, or a dataset of `tf.distribute`
        return iter(dataset)
    if _bytes(dataset) > MOST_BYTES:
        return _rows(dataset)
    try:
        return iter(_copy(dataset))
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise _refused("cannot be copied") from error


def _refused(why: str) -> SettingError:
    return SettingError(
        f"Expected a dataset whose pictures can be drawn beside the training, found one that {why}. "
        "Give its first pictures as an array: images[:16]."
    )


def _copy(dataset: Any) -> Any:
    # 1: random states and captured variables are taken as they are now, and become the copy's own
    data = tf.raw_ops.DatasetToGraphV2(input_dataset=tf.data.experimental.to_variant(dataset), external_state_policy=1)
    graph = tf.compat.v1.GraphDef.FromString(data.numpy())
    for node in graph.node:
        if node.op == "ShuffleDatasetV3":  # its last input is the seed generator that the training draws from
            node.op = "ShuffleDataset"
            del node.input[4]
    _leave_out_caches(graph)
    variant = tf.raw_ops.DatasetFromGraph(graph_def=graph.SerializeToString())
    return tf.data.experimental.from_variant(variant, dataset.element_spec)


def _leave_out_caches(graph: Any) -> None:
    """Read what is cached from where the cache has it: a half filled file would stop the training."""
    behind = {n.name: n.input[0] for n in graph.node if n.op.startswith(("CacheDataset", "SnapshotDataset"))}
    for node in graph.node:
        for k, name in enumerate(node.input):
            while name in behind:
                name = behind[name]
            node.input[k] = name


def _chain(dataset: Any) -> list[Any]:
    """The dataset and those that it is made from, to any depth."""
    return [dataset, *(one for inner in dataset._inputs() for one in _chain(inner))]


def _bytes(dataset: Any) -> int:
    """Of the arrays in it."""
    tensors = [tensor for one in _chain(dataset) for tensor in getattr(one, "_tensors", ())]
    return sum(tensor.dtype.size * (tensor.shape.num_elements() or 0) for tensor in tensors)


def _rows(dataset: Any) -> Iterator[Any]:
    """Rows of large arrays that nothing changes on their way: from all over them where they are shuffled."""
    *steps, root = _chain(dataset)
    kinds = {type(one).__name__.strip("_").removesuffix("Dataset") for one in steps}
    if not kinds <= _PASSING or type(root).__name__ != "_TensorSliceDataset":
        raise _refused(f"holds {_bytes(dataset) / 1e6:.0f} MB of arrays")
    rows: Any = range(root._tensors[0].shape[0])
    if "Shuffle" in kinds:
        rows = random.Random(0).sample(rows, min(len(rows), _ENOUGH))
    for k in rows:
        yield tf.nest.pack_sequence_as(root.element_spec, [tensor[k] for tensor in root._tensors])
