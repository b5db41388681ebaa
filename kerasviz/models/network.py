"""Class Network: a model opened for looking. What engines, front ends and notebooks see of it."""

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from kerasviz.errors import ModelError, SettingError
from kerasviz.inputs.given import Frame, Given, prepared
from kerasviz.lazy import tf
from kerasviz.models.asking import UnknownScaling, first_class
from kerasviz.models.compiling import Compiler, Question
from kerasviz.models.describing import LayerInfo, layers_of
from kerasviz.models.doors import Input
from kerasviz.models.entering import Entrance
from kerasviz.models.labels import NO_LABELS, Labels, as_labels
from kerasviz.models.loading import ModelFile
from kerasviz.models.naming import found_labels
from kerasviz.models.preprocessing import Preprocess
from kerasviz.models.view import View, find_path

_MANY = 200  # pictures from which on a fast copy pays for being made


@dataclass(frozen=True)
class Answer:
    """One batch of answers: arrays by name, facts from the trace, and how the network was entered."""

    arrays: dict[str, np.ndarray]
    facts: Any
    way: str  # "watched", "imported" or "fast"
    batch: int  # the padded size that ran


class Network:
    """A model opened for looking; made by `kv.open`. Read-only: the model is left as it was found.

    Attributes:
        file: where it was opened from, or None.
        fit: how photographs are brought to size: `squash`, `crop` or `pad`.
        said: how it was opened, where that was not the usual way: what a record must say to open it so again.
    """

    def __init__(
        self,
        entrance: Entrance,
        *,
        file: ModelFile | None = None,
        labels: Any = None,
        fit: str = "squash",
        device: str | None = None,
        fast: bool | str = "auto",
        said: Mapping[str, Any] | None = None,
    ):
        self.file, self.fit, self.said = file, fit, dict(said or {})
        self._labels: Labels | None = None if labels is None else as_labels(labels)
        self._entrance, self._device, self._fast = entrance, device, fast
        self._compiler = Compiler(entrance, device)
        self._compiler.fast = "asked" if fast is True else ""

    def __repr__(self) -> str:
        return f"<kerasviz.Network {self.title!r}, pictures {self.size[0]} x {self.size[1]} x {self.channels}>"

    def __getstate__(self) -> Any:
        raise ModelError("A Network holds compiled functions and cannot be pickled or copied; open the model again.")

    def hold_weakly(self) -> None:
        """Let the model go when its owner does: this Network is kept beside it, not instead of it."""
        self._entrance.hold_weakly()

    @property
    def model(self) -> Any:
        """The live Keras model."""
        return self._entrance.model

    @property
    def title(self) -> str:
        """What pictures call it: the name of its file, or its own."""
        return os.path.basename(self.file.path) if self.file else str(getattr(self.model, "name", "model"))

    @property
    def traces(self) -> int:
        """How many questions have been traced so far."""
        return self._compiler.traces

    @property
    def size(self) -> tuple[int | None, int | None]:
        """(height, width) of its pictures; None where it takes any."""
        return self._entrance.size

    @property
    def channels(self) -> int | None:
        """1 for grey, 3 for colour; None before an unbuilt model has seen a picture."""
        return self._entrance.door.channels

    @property
    def frame(self) -> Frame:
        """What the network wants of a picture."""
        door = self._entrance.door
        return Frame(self.size, self.channels, self.fit, strict=not door.free, channels_first=door.layout == "NCHW")

    @property
    def preprocess(self) -> Preprocess | None:
        """How photographs are scaled: as given, or by layers inside the model; None where that is not known."""
        return self._entrance.preprocess

    @property
    def known_preprocess(self) -> Preprocess | None:
        """The same, as far as it is known without building the network once more."""
        return self._entrance.given

    @property
    def scaling_question(self) -> str:
        """What must be asked before photographs can be scaled; nothing where that is known."""
        return "" if self.preprocess else str(UnknownScaling(self._entrance.called, self._entrance.told))

    @property
    def description(self) -> View:
        """The network built once without numbers: its layers, heads and shapes."""
        return self._entrance.description

    @property
    def labels(self) -> Labels:
        """Names of the classes: as given, else ImageNet's for a network that was trained on it, else none."""
        if self._labels is None:
            self._labels = found_labels(self._entrance)
        return self._labels or NO_LABELS

    @property
    def layers(self) -> list[LayerInfo]:
        """Every layer's path, index, type, shape, parameters and receptive field, in the order of the calls."""
        return layers_of(self.description)

    @property
    def default_layer(self) -> str:
        """The layer that is explained when none is named: the last maps before pooling."""
        return self.description.last_maps().path

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs, the picture's first; none before an unbuilt model has seen a picture."""
        return [one.name for one in self.input_specs]

    @property
    def input_specs(self) -> list[Input]:
        """Name, shape with the batch axis and dtype of each input, as the model has them; in the order of `inputs`."""
        door = self._entrance.door
        return [door.inputs[door.picture], *door.others] if door.known else []

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return [head.name for head in self.description.heads]

    def find_layer(self, name: str) -> str:
        """The full path of a layer of that name, path or unique ending; LayerError with near names."""
        return find_path(name, self.description.taps)

    def prepare(self, images: Any) -> tuple[list[Given], bool]:
        """The pictures in what a user handed over, fitted to the network, and whether it was just one."""
        door = self._entrance.door
        return prepared(images, self.frame, door.inputs[door.picture].name if door.known else None)

    def describe(self, images: Any = None) -> Any:
        """What `kerasviz doctor` prints, a `Diagnosis`; with images (as engines take them) also of them."""
        room_above = importlib.import_module("kerasviz.examining.examination")  # by name, as techniques are
        return room_above.describe(self, images)

    def predict(self, images: Any) -> Any:
        """The model's own outputs, float32 (N, ...); a dict by name where it has several."""
        given, single = self.prepare(images)
        found = self._whole(Question("predict", lambda view: (dict(view.outputs), None)), given, single)
        return next(iter(found.values())) if len(found) == 1 else found

    def activations(self, images: Any, layers: str | Sequence[str]) -> Any:
        """What layers return, float32, channels last: an array for one layer, a dict by name for several."""
        names = [layers] if isinstance(layers, str) else list(layers)
        given, single = self.prepare(images)

        def answer(view: View) -> tuple[dict[str, Any], None]:
            return {str(k): view.layer(name) for k, name in enumerate(names)}, None

        found = self._whole(Question(("activations", tuple(names)), answer, tuple(names)), given, single)
        return found["0"] if isinstance(layers, str) else {name: found[str(k)] for k, name in enumerate(names)}

    def ask(
        self,
        question: Question,
        given: Sequence[Given],
        numbers: Sequence[np.ndarray] = (),
        batch_size: int | None = None,
        pad: bool = False,
    ) -> Iterator[Answer]:
        """Answer a question about pictures, batch by batch, in their order.

        Args:
            question: what to compute.
            given: the pictures; neighbours of one size share a batch.
            numbers: arrays with a row for each picture: targets, steps, whatever varies.
            batch_size: at most so many at once; with more pictures than that, every batch is padded to it.
            pad: pad in any case: this is part of a longer run.
        """
        if batch_size is not None and batch_size < 1:
            raise SettingError(f"Expected a batch_size of 1 or more, found {batch_size}. Leave it out for the default.")
        fixed = self._entrance.door.batch
        limit = fixed or batch_size or self.default_batch(given)
        self.expect(len(given))
        for first, last in _stretches(given, limit):
            chunk, rows = given[first:last], [array[first:last] for array in numbers]
            yield self._answer(question, chunk, rows, limit if fixed or pad or len(given) > limit else len(chunk))

    def default_batch(self, given: Sequence[Given]) -> int:
        """Pictures that are run at once when nobody says: about four million pixels, at most 32."""
        largest = max((one.pixels.shape[0] * one.pixels.shape[1] for one in given), default=1)
        return int(np.clip(2**22 // largest, 1, 32))

    def expect(self, count: int) -> None:
        """A run of `count` pictures begins: with many of them a network from a file makes its fast copy."""
        if self._fast == "auto" and self.file is not None and count >= _MANY:
            self._compiler.fast = "many"

    def _whole(self, question: Question, given: Sequence[Given], single: bool) -> dict[str, np.ndarray]:
        """The arrays of all batches, joined; of one picture without the batch axis."""
        answers = [answer.arrays for answer in self.ask(question, given)]
        if not answers:
            raise ModelError("Expected at least one picture, found none.")
        joined = {name: np.concatenate([arrays[name] for arrays in answers]) for name in answers[0]}
        return {name: array[0] for name, array in joined.items()} if single else joined

    def _answer(self, question: Question, chunk: Sequence[Given], rows: Sequence[np.ndarray], padded: int) -> Answer:
        photograph = chunk[0].photo is not None
        self._entrance.meet(chunk[0].pixels.shape)
        if photograph:
            self._entrance.look_at([one.pixels for one in chunk])
        others = [[_other(one, wanted) for one in chunk] for wanted in self._entrance.door.others]
        parts: list[Sequence[np.ndarray] | np.ndarray] = [[one.pixels for one in chunk], *others, *rows]
        arrays = [_padded(part, padded) for part in parts]
        try:
            compiled = self._compiler.function(question, arrays, photograph)
        except UnknownScaling as asked:
            raise asked.with_answers(
                partial(self.ask, Question("first class", first_class)), chunk[0], self.labels
            ) from None
        question.check(compiled.facts)
        with tf.device(self._device):
            tensors = compiled.run(*(tf.constant(array) for array in arrays))
        found = {name: tensor.numpy()[: len(chunk)] for name, tensor in tensors.items()}
        return Answer(found, compiled.facts, compiled.way, padded)


def _other(given: Given, wanted: Input) -> np.ndarray:
    """The value of a further input for one picture."""
    if wanted.name not in given.others:
        raise ModelError(
            f"The model has another input, {wanted.name!r}, and no value was given for it. "
            "Pass a dict input name -> array (in the shell --input NAME=FILE)."
        )
    value = np.asarray(given.others[wanted.name])
    shape = tuple(wanted.shape[1:])
    if len(shape) != value.ndim or any(want not in (None, have) for want, have in zip(shape, value.shape, strict=True)):
        raise SettingError(
            f"Expected {shape} for the input {wanted.name!r} of each picture, found {value.shape}. "
            "Give an array with one such row for each picture."
        )
    return value


def _stretches(given: Sequence[Given], limit: int) -> Iterator[tuple[int, int]]:
    """(first, last) of neighbours that can run in one batch: one size, one kind, at most `limit`."""
    first = 0
    for k in range(1, len(given) + 1):
        if k == len(given) or k - first == limit or _kind(given[k]) != _kind(given[first]):
            yield first, k
            first = k


def _kind(given: Given) -> tuple[Any, ...]:
    return given.pixels.shape, given.photo is None


def _padded(rows: Sequence[np.ndarray] | np.ndarray, count: int) -> np.ndarray:
    array = rows if isinstance(rows, np.ndarray) else _stacked(rows)
    return array if len(array) == count else np.concatenate([array, np.repeat(array[-1:], count - len(array), 0)])


def _stacked(rows: Sequence[np.ndarray]) -> np.ndarray:
    """(N, ...) of N arrays; without copying where they are neighbours in one array, as a batch's pictures are."""
    whole = rows[0].base
    if not isinstance(whole, np.ndarray) or not whole.flags.c_contiguous or whole.shape[1:] != rows[0].shape:
        return np.stack(rows)
    starts = [(row.ctypes.data - whole.ctypes.data) // row.nbytes if row.base is whole else -1 for row in rows]
    first = starts[0]
    return whole[first : first + len(rows)] if starts == list(range(first, first + len(rows))) else np.stack(rows)
