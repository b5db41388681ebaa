"""Where pictures enter a Keras model, how large they must be, and how the model is called with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kerasviz.errors import ModelError
from kerasviz.lazy import tf
from kerasviz.models.importing import Imported
from kerasviz.models.preserving import every_layer

_LAYOUTS = {4: "NHWC", 3: "NHW"}


@dataclass(frozen=True)
class Input:
    """One input of a model."""

    name: str
    shape: tuple[int | None, ...]  # with the batch axis; None where any size is taken
    dtype: str


@dataclass(frozen=True)
class Door:
    """The inputs of a model, and which of them is the picture.

    Attributes:
        inputs: empty while the model has not been built and nothing is known.
        picture: number of the input that takes the picture.
        layout: `NHWC`, `NCHW`, or `NHW` for grey pictures without a channel axis.
        structure: how the model wants its inputs together; None for the picture alone.
        free: whether the size is only the one that was seen first: a subclassed model may take another.
    """

    inputs: tuple[Input, ...]
    picture: int = 0
    layout: str = "NHWC"
    structure: Any = None
    free: bool = False

    @property
    def known(self) -> bool:
        """Whether the model has said what it takes."""
        return bool(self.inputs)

    @property
    def channels(self) -> int | None:
        """1 or 3 mostly; None while unknown."""
        if not self.known:
            return None
        return 1 if self.layout == "NHW" else self.inputs[self.picture].shape[1 if self.layout == "NCHW" else 3]

    @property
    def size(self) -> tuple[int | None, int | None]:
        """(height, width) of pictures; None where any is taken."""
        if not self.known:
            return None, None
        shape = self.inputs[self.picture].shape
        return (shape[2], shape[3]) if self.layout == "NCHW" else (shape[1], shape[2])

    @property
    def batch(self) -> int | None:
        """The batch size that the model insists on, or None."""
        return self.inputs[self.picture].shape[0] if self.known else None

    @property
    def others(self) -> tuple[Input, ...]:
        """The inputs that are not the picture."""
        return tuple(one for k, one in enumerate(self.inputs) if k != self.picture)

    def values(self, pixels: Any, others: Mapping[str, Any]) -> list[Any]:
        """What each input takes, for pixels (N, H, W, C)."""
        pixels = {"NHWC": lambda p: p, "NCHW": lambda p: tf.transpose(p, (0, 3, 1, 2)), "NHW": lambda p: p[..., 0]}[
            self.layout
        ](pixels)
        values = [pixels if k == self.picture else others[one.name] for k, one in enumerate(self.inputs)]
        return [_cast(value, one.dtype) for value, one in zip(values, self.inputs, strict=True)]

    def enter(self, model: Any, pixels: Any, others: Mapping[str, Any]) -> Any:
        """What the model returns for pixels (N, H, W, C), called for inference."""
        if not self.known:
            return model(pixels, training=False)
        values = self.values(pixels, others)
        if self.structure is None or not isinstance(self.structure, (list, tuple, dict)):
            return model(values[0], training=False)
        return model(tf.nest.pack_sequence_as(self.structure, values), training=False)


def _cast(value: Any, dtype: str) -> Any:
    """A fitted photograph has fractions, which whole numbers are rounded to, not cut to."""
    whole = tf.as_dtype(dtype).is_integer and value.dtype.is_floating
    return tf.cast(tf.round(value) if whole else value, dtype)


def door_of(model: Any) -> Door:
    """The door of a Keras 3 or tf_keras model, functional, Sequential, subclassed, built or not, or of a SavedModel."""
    if isinstance(model, Imported):
        specs = model.signature.items()
        return _door([Input(n, _known(s.shape), s.dtype.name) for n, s in specs], None, channels_first=True)
    inputs = getattr(model, "inputs", None)
    if inputs:
        flat = [Input(str(t.name).split(":")[0], _shape(model, t), _dtype(t.dtype)) for t in inputs]
        return _door(flat, _structure(model, inputs), _channels_first(model))
    flat, structure = _built_inputs(model)
    return _door(flat, structure, free=True) if flat else Door(())


def _known(shape: Any) -> tuple[int | None, ...]:
    """The shape of an input; where a graph leaves all of it open, that of pictures."""
    return (None, None, None, 3) if shape.rank is None else tuple(shape)


def _shape(model: Any, tensor: Any) -> tuple[int | None, ...]:
    """A Sequential model that was built by a call on n pictures takes any number, unless a layer keeps states."""
    chain = any(cls.__name__ == "Sequential" for cls in type(model).__mro__)
    free = chain and not any(getattr(layer, "stateful", False) for layer in every_layer(model))
    return (None, *tensor.shape[1:]) if free else tuple(tensor.shape)


def _channels_first(model: Any) -> bool:
    return any(getattr(layer, "data_format", None) == "channels_first" for layer in every_layer(model))


def _structure(model: Any, inputs: Any) -> Any:
    structure = getattr(model, "input", None)
    return structure if structure is not None else (inputs if len(inputs) > 1 else inputs[0])


def _dtype(dtype: Any) -> str:
    return dtype if isinstance(dtype, str) else tf.as_dtype(dtype).name


def _built_inputs(model: Any) -> tuple[list[Input], Any]:
    """What a subclassed model was built with, as Keras remembers it: inputs, and how they lie together."""
    if not getattr(model, "built", False):
        return [], None
    config: dict[str, Any] = getattr(model, "get_build_config", dict)() or {}
    several = config.get("shapes_dict") or {}
    if len(several) > 1:
        raise ModelError(
            f"Expected a model that takes its inputs as one argument, found {len(several)}: {', '.join(several)}. "
            "Let its call take a dict, or wrap it into a functional model."
        )
    shapes = config.get("input_shape") or next(iter(several.values()), None)
    if isinstance(shapes, dict):
        names = sorted(shapes)
        return [Input(name, (None, *shapes[name][1:]), "float32") for name in names], dict.fromkeys(names)
    if not isinstance(shapes, (list, tuple)) or not shapes:
        return [], None
    if isinstance(shapes[0], (list, tuple)):
        inputs = [Input(f"in{k}", (None, *shape[1:]), "float32") for k, shape in enumerate(shapes)]
        return inputs, [None] * len(shapes)
    return [Input("input", (None, *shapes[1:]), "float32")], None


def _door(inputs: list[Input], structure: Any, channels_first: bool = False, free: bool = False) -> Door:
    pictures = [k for k, one in enumerate(inputs) if len(one.shape) == 4] or [
        k for k, one in enumerate(inputs) if len(one.shape) == 3
    ]
    if not pictures:
        shapes = ", ".join(str(one.shape) for one in inputs)
        raise ModelError(
            f"Expected a network that takes pictures, (batch, height, width, channels); this one takes {shapes}. "
            "kerasviz explains convolutional networks."
        )
    pictures.sort(key=lambda k: 3 not in (inputs[k].shape[1], inputs[k].shape[-1]))  # colour before a mask
    shape = inputs[pictures[0]].shape
    layout = _LAYOUTS[len(shape)]
    if channels_first and len(shape) == 4 and shape[1] in (1, 3, 4) and shape[3] not in (1, 3, 4):
        layout = "NCHW"
    return Door(tuple(inputs), pictures[0], layout, structure, free)


def output_names(model: Any, outputs: Any, count: int) -> list[str]:
    """A name for each of `count` tensors in what the model returned, in order; `out0`, `out1` where it has none."""
    if isinstance(outputs, Mapping):
        names = [str(key) for key in sorted(outputs) if tf.is_tensor(outputs[key])]
    else:
        names = list(getattr(model, "output_names", None) or [])
    return names if len(names) == len(set(names)) == count else [f"out{k}" for k in range(count)]
