"""Class Network: a model opened for looking. What engines, front ends and notebooks see of it."""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import ModelError
from kerasviz.inputs.given import Frame, Given, prepared
from kerasviz.lazy import tf
from kerasviz.models import preprocessing
from kerasviz.models.building import build
from kerasviz.models.copying import FastCopy, fast_copy
from kerasviz.models.doors import Door, door_of
from kerasviz.models.labels import Labels, as_labels
from kerasviz.models.loading import ModelFile
from kerasviz.models.preprocessing import Preprocess
from kerasviz.models.view import View, find_path

_MOST_FUNCTIONS = 64  # compiled functions kept; the least recently used goes first


@dataclass(frozen=True)
class Question:
    """What is asked of a network, and under which key its compiled function is kept.

    Attributes:
        key: equal for questions that can share a compiled function.
        answer: (view, *numbers) -> (name -> tensor with the batch first, facts known while tracing).
        taps: the layers that `answer` looks at; None for the last maps. All layers can be seen in the usual
            way; the fast copy keeps just these.
    """

    key: Hashable
    answer: Callable[..., tuple[dict[str, Any], Any]]
    taps: tuple[str | None, ...] = ()
    check: Callable[[Any], None] = lambda facts: None  # called with the facts before anything runs


@dataclass(frozen=True)
class Answer:
    """One batch of answers: arrays by name, facts from the trace, and how the network was entered."""

    arrays: dict[str, np.ndarray]
    facts: Any
    way: str  # "watched" or "fast"
    batch: int  # the padded size that ran


@dataclass(frozen=True)
class _Compiled:
    run: Callable[..., dict[str, Any]]
    facts: Any
    way: str


class Network:
    """A model opened for looking; made by `kv.open`. Read-only: the model is left as it was found.

    Attributes:
        file: where it was opened from, or None.
        preprocess: how photographs are scaled, or None while that is not known.
        labels: names of the classes.
        fit: how photographs are brought to size: `squash`, `crop` or `pad`.
        traces: how many functions have been traced so far.
    """

    def __init__(
        self,
        model: Any,
        *,
        file: ModelFile | None = None,
        preprocess: Preprocess | None = None,
        labels: Any = None,
        size: tuple[int, int] | None = None,
        fit: str = "squash",
        device: str | None = None,
        fast: bool | str = "auto",
    ):
        self._model: Callable[[], Any] = lambda: model
        self.file, self.fit = file, fit
        self.labels: Labels = as_labels(labels)
        self.traces = 0
        self._preprocess, self._size, self._device, self._fast = preprocess, size, device, fast
        self._door: Door = door_of(model)
        self._functions: OrderedDict[Hashable, _Compiled] = OrderedDict()
        self._copies: dict[Hashable, FastCopy | None] = {}
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<kerasviz.Network {self.name!r}, pictures {self.size[0]} x {self.size[1]} x {self._door.channels}>"

    def __getstate__(self) -> Any:
        raise ModelError("A Network holds compiled functions and cannot be pickled or copied; open the model again.")

    @property
    def model(self) -> Any:
        """The live Keras model."""
        return self._model()

    def hold_weakly(self) -> None:
        """Let the model go when its owner does: this Network is kept beside it, not instead of it."""
        self._model = weakref.ref(self.model)

    @property
    def name(self) -> str:
        """What the model calls itself."""
        return str(getattr(self.model, "name", "model"))

    @property
    def size(self) -> tuple[int | None, int | None]:
        """(height, width) of its pictures; None where it takes any."""
        own, wanted = self._door.size, self._size or (None, None)
        return (own[0] or wanted[0], own[1] or wanted[1])

    @property
    def channels(self) -> int | None:
        """1 for grey, 3 for colour; None before an unbuilt model has seen a picture."""
        return self._door.channels

    @property
    def preprocess(self) -> Preprocess | None:
        """How photographs are scaled: as given, or by layers inside the model; None where that is not known."""
        if self._preprocess is None and self._door.known:
            with self._lock:
                view = self._description
                layers = [(tap.layer, tap.tensor) for tap in view.taps.values()]
                self._preprocess = preprocessing.INSIDE if preprocessing.found_inside(layers) else None
        return self._preprocess

    @property
    def title(self) -> str:
        """What pictures call it: the name of its file, or its own."""
        return os.path.basename(self.file.path) if self.file else self.name

    @property
    def known_preprocess(self) -> Preprocess | None:
        """How photographs are scaled, as far as that is known without building the network once more."""
        return self._preprocess

    @property
    def description(self) -> View:
        """The network built once without numbers: its layers, heads and shapes."""
        return self._description

    @property
    def layers(self) -> list[Any]:
        """Every layer's path, index, type, shape, parameters and receptive field, in the order of the calls."""
        from kerasviz.models.describing import layers_of

        return layers_of(self)

    @property
    def default_layer(self) -> str:
        """The layer that is explained when none is named: the last maps before pooling."""
        return self._description.last_maps().path

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return [head.name for head in self._description.heads]

    def find_layer(self, name: str) -> str:
        """The full path of a layer, a unique ending or an index; LayerError with near names."""
        return find_path(name, self._description.taps)

    def prepare(self, images: Any) -> tuple[list[Given], bool]:
        """The pictures in what a user handed over, fitted to the network, and whether it was just one."""
        picture = self._door.inputs[self._door.picture].name if self._door.known else None
        return prepared(images, self.frame, picture)

    @property
    def frame(self) -> Frame:
        """What the network wants of a picture."""
        return Frame(self.size, self.channels, self.fit)

    def predict(self, images: Any) -> Any:
        """The model's own outputs, float32 (N, ...); a dict by name where it has several."""
        given, single = self.prepare(images)
        question = Question("predict", lambda view: (dict(view.outputs), None))
        rows = [row for answer in self.ask(question, given) for row in _rows(answer.arrays)]
        arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        arrays = {name: array[0] if single else array for name, array in arrays.items()}
        return next(iter(arrays.values())) if len(arrays) == 1 else arrays

    def activations(self, images: Any, layers: str | Sequence[str]) -> Any:
        """What layers return, float32, channels last: an array for one layer, a dict by name for several."""
        names = [layers] if isinstance(layers, str) else list(layers)
        given, single = self.prepare(images)
        question = Question(
            ("activations", tuple(names)),
            lambda view: ({str(k): view.layer(name) for k, name in enumerate(names)}, None),
            tuple(names),
        )
        rows = [row for answer in self.ask(question, given) for row in _rows(answer.arrays)]
        found = {name: np.stack([row[str(k)] for row in rows]) for k, name in enumerate(names)}
        found = {name: array[0] if single else array for name, array in found.items()}
        return found[names[0]] if isinstance(layers, str) else found

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
        limit = self._door.batch or batch_size or self.default_batch(given)
        for first, last in _stretches(given, limit):
            chunk, rows = given[first:last], [array[first:last] for array in numbers]
            padded = limit if self._door.batch or pad or len(given) > limit else len(chunk)
            yield self._answer(question, chunk, rows, padded)

    def default_batch(self, given: Sequence[Given]) -> int:
        """Pictures that are run at once when nobody says: about four million pixels, at most 32."""
        largest = max((g.pixels.shape[0] * g.pixels.shape[1] for g in given), default=1)
        return int(np.clip(2**22 // largest, 1, 32))

    def fast_for(self, count: int) -> None:
        """A run of `count` pictures begins: from 200 on, a network from a file makes its fast copy."""
        if self._fast == "auto" and self.file is not None and count >= 200:
            self._fast = True

    def _answer(self, question: Question, chunk: Sequence[Given], rows: Sequence[np.ndarray], padded: int) -> Answer:
        photograph = chunk[0].photo is not None
        if photograph and not self._door.known:
            self._meet(chunk[0])
        if photograph and self.preprocess is None:
            raise preprocessing.unknown(repr(self.file.path) if self.file else f"the model {self.name!r}")
        pixels = _padded([g.pixels for g in chunk], padded)
        others = [_padded([_other(g, one.name) for g in chunk], padded) for one in self._door.others]
        arrays = [pixels, *others, *(_padded(list(row), padded) for row in rows)]
        compiled = self._compiled(question, arrays, len(others), photograph)
        question.check(compiled.facts)
        with tf.device(self._device):
            tensors = compiled.run(*(tf.constant(array) for array in arrays))
        found = {name: tensor.numpy()[: len(chunk)] for name, tensor in tensors.items()}
        return Answer(found, compiled.facts, compiled.way, padded)

    def _compiled(self, question: Question, arrays: Sequence[np.ndarray], others: int, photograph: bool) -> _Compiled:
        specs = [tf.TensorSpec((self._door.batch, *array.shape[1:]), array.dtype) for array in arrays]
        key = (question.key, photograph, tuple((spec.shape, spec.dtype) for spec in specs))
        with self._lock:
            if key not in self._functions:
                self._functions[key] = self._trace(question, specs, others, photograph)
                self.traces += 1
                while len(self._functions) > _MOST_FUNCTIONS:
                    self._functions.popitem(last=False)
            self._functions.move_to_end(key)
            return self._functions[key]

    def _trace(self, question: Question, specs: Sequence[Any], others: int, photograph: bool) -> _Compiled:
        copy = self._copy(question, specs[: 1 + others], photograph) if self._fast is True else None
        kept = []

        def run(*tensors: Any) -> dict[str, Any]:
            inputs, numbers = tensors[: 1 + others], tensors[1 + others :]
            view = copy.view(inputs[0]) if copy else self._build(inputs, photograph)
            answers, facts = question.answer(view, *numbers)
            kept.append(facts)
            return answers

        if not self._door.known:
            self._build_first(specs[0])
        with tf.device(self._device):
            function = tf.function(run, autograph=False).get_concrete_function(*specs)
        return _Compiled(function, kept[-1], "fast" if copy else "watched")

    def _build(self, inputs: Sequence[Any], photograph: bool) -> View:
        scaling = self.preprocess if photograph else None
        return build(self.model, self._door, inputs[0], list(inputs[1:]), scaling.apply if scaling else None)

    def _copy(self, question: Question, specs: Sequence[Any], photograph: bool) -> FastCopy | None:
        """The fast copy that keeps what this question looks at; None where nothing is gained."""
        paths = tuple(self.find_layer(path) if path else self.default_layer for path in question.taps)
        key = (paths, photograph, tuple(spec.shape for spec in specs))
        if key not in self._copies:
            traced = self._traced(specs, photograph)
            self._copies[key] = None if len(specs) > 1 else fast_copy(*traced, paths)
        return self._copies[key]

    def _traced(self, specs: Sequence[Any], photograph: bool) -> tuple[Any, View]:
        kept = []

        def run(*inputs: Any) -> Any:
            kept.append(self._build(inputs, photograph))
            return [head.output for head in kept[-1].heads]

        return tf.function(run, autograph=False).get_concrete_function(*specs), kept[-1]

    @property
    def _description(self) -> View:
        with self._lock:
            if not hasattr(self, "_described"):
                if not self._door.known:
                    raise ModelError(
                        f"The model {self.name!r} has not been built, so its layers are not known yet. "
                        "Call it on a batch, or explain a picture first."
                    )
                self._described = self._traced(self._specs(), photograph=False)
            return self._described[1]

    def _specs(self) -> list[Any]:
        door = self._door
        picture = tf.TensorSpec((door.batch, *self.size, door.channels), tf.float32)
        return [picture, *(tf.TensorSpec(one.shape, one.dtype) for one in door.others)]

    def _meet(self, given: Given) -> None:
        self._build_first(tf.TensorSpec((None, *given.pixels.shape), tf.float32))

    def _build_first(self, spec: Any) -> None:
        """An unbuilt model is called once on zeros: its first trace would see scratch tensors."""
        with self._lock:
            if not self._door.known:
                self.model(tf.zeros((1, *spec.shape[1:])), training=False)
                self._door = door_of(self.model)


def _rows(arrays: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    for k in range(len(next(iter(arrays.values())))):
        yield {name: array[k] for name, array in arrays.items()}


def _other(given: Given, name: str) -> np.ndarray:
    if name not in given.others:
        raise ModelError(
            f"The model has another input, {name!r}, and no value was given for it. "
            "Pass a dict input name -> array (in the shell --input NAME=FILE)."
        )
    return np.asarray(given.others[name])


def _stretches(given: Sequence[Given], limit: int) -> Iterator[tuple[int, int]]:
    """(first, last) of neighbours that can run in one batch: one size, one kind, at most `limit`."""
    first = 0
    for k in range(1, len(given) + 1):
        if k == len(given) or k - first == limit or _kind(given[k]) != _kind(given[first]):
            yield first, k
            first = k


def _kind(given: Given) -> tuple[Any, ...]:
    return given.pixels.shape, given.photo is None


def _padded(rows: Sequence[np.ndarray], count: int) -> np.ndarray:
    array = np.stack(rows)
    if len(array) == count:
        return array
    return np.concatenate([array, np.repeat(array[-1:], count - len(array), 0)])
