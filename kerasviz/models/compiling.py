"""Questions and their compiled functions: one trace for each question and shape, kept in a bounded cache."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.errors import LayerError
from kerasviz.lazy import tf
from kerasviz.models.copying import FastCopy, fast_copy
from kerasviz.models.entering import Entrance
from kerasviz.models.view import View, find_path

_MOST_FUNCTIONS = 64  # the least recently used goes first


@dataclass(frozen=True)
class Question:
    """What is asked of a network, and under which key its compiled function is kept.

    Attributes:
        key: equal for questions that can share a compiled function.
        answer: (view, *numbers) -> (name -> tensor with the batch first, facts known while tracing).
        taps: the layers that `answer` looks at, None among them for the last maps. All layers can be seen in the
            usual way; the fast copy keeps just these. None alone: it may look at any, so there is no fast copy.
        check: called with the facts before anything runs.
        steep: whether it takes pixel gradients. Rounding puts some rectifiers on the other side of their threshold,
            so the fast copy answers these only when it was asked for by name.
    """

    key: Hashable
    answer: Callable[..., tuple[dict[str, Any], Any]]
    taps: tuple[str | None, ...] | None = ()
    check: Callable[[Any], None] = lambda facts: None
    steep: bool = False


@dataclass(frozen=True)
class Compiled:
    """A traced question: `run(*tensors)` gives tensors by name; `facts` were known while tracing."""

    run: Callable[..., dict[str, Any]]
    facts: Any
    way: str  # "watched", "imported" or "fast"


class ByBatch:
    """A traced question, fitted to the batch size that it meets first; all others share the general form.

    TensorFlow plans a graph whose shapes are all known better: some hundredths of the time. Fitting traces nothing
    again; it is done once, because planning takes as long as a first answer.
    """

    def __init__(self, function: Any, specs: Sequence[Any], device: str | None):
        self._function, self._specs, self._device = function, specs, device
        self._size: int | None = None
        self._fitted = function
        self._lock = threading.Lock()

    def __call__(self, *tensors: Any) -> dict[str, Any]:
        size = tensors[0].shape[0]
        with self._lock:
            if self._size is None:
                self._size, self._fitted = size, self._fit(size)
        return (self._fitted if size == self._size else self._function)(*tensors)

    def _fit(self, size: int) -> Any:
        specs = [tf.TensorSpec((size, *spec.shape[1:]), spec.dtype) for spec in self._specs]
        with tf.device(self._device):
            return tf.compat.v1.wrap_function(lambda *tensors: self._function(*tensors), specs)


class Compiler:
    """The compiled functions of one network; they go when it goes.

    Attributes:
        traces: how many questions have been traced so far.
        fast: whether questions are answered by a fast copy, where one can be made: "asked", "many" or "".
    """

    def __init__(self, entrance: Entrance, device: str | None):
        self.traces, self.fast = 0, ""
        self._entrance, self._device = entrance, device
        self._functions: OrderedDict[Hashable, Compiled] = OrderedDict()
        self._copies: OrderedDict[Hashable, FastCopy | None] = OrderedDict()
        self._lock = threading.RLock()

    def function(self, question: Question, arrays: Sequence[np.ndarray], photograph: bool) -> Compiled:
        """The compiled function for a question about arrays of these shapes, traced if it is new.

        Args:
            question: what to compute.
            arrays: pixels, the model's other inputs, and the question's numbers, all with the batch first.
            photograph: whether pixels are photographs, 0..255, which the network's preprocessing scales.
        """
        door = self._entrance.door
        specs = [tf.TensorSpec((door.batch, *array.shape[1:]), array.dtype) for array in arrays]
        key = (question.key, photograph, self.fast, tuple((spec.shape, spec.dtype) for spec in specs))
        with self._lock:
            if key not in self._functions:
                self._functions[key] = self._trace(question, specs, 1 + len(door.others), photograph)
                self.traces += 1
                _shorten(self._functions, _MOST_FUNCTIONS)
            self._functions.move_to_end(key)
            return self._functions[key]

    def _trace(self, question: Question, specs: Sequence[Any], inputs: int, photograph: bool) -> Compiled:
        wanted = self.fast == "asked" or (self.fast == "many" and not question.steep)
        copy = self._copy(question, specs[:inputs], photograph) if wanted else None
        kept: list[Any] = []

        def run(*tensors: Any) -> dict[str, Any]:
            view = copy.view(tensors[0]) if copy else self._entrance.build(tensors[:inputs], photograph)
            answers, facts = question.answer(view, *tensors[inputs:])
            kept.append(facts)
            return answers

        with tf.device(self._device):
            # not tf.function: that one runs every write in the graph, and a model may count or keep statistics
            function = tf.compat.v1.wrap_function(run, specs)
        return Compiled(ByBatch(function, specs, self._device), kept[-1], "fast" if copy else self._entrance.way)

    def _copy(self, question: Question, specs: Sequence[Any], photograph: bool) -> FastCopy | None:
        """The fast copy that keeps what this question looks at; None where nothing is gained."""
        if question.taps is None:
            return None
        paths = self._paths(question.taps)
        key = (paths, photograph, tuple(spec.shape for spec in specs))
        if key not in self._copies:
            self._copies[key] = self._made(specs[0], paths, photograph) if len(specs) == 1 else None
            _shorten(self._copies, 4)
        return self._copies[key]

    def _made(self, spec: Any, paths: Sequence[str], photograph: bool) -> FastCopy | None:
        return fast_copy(lambda pixels: self._entrance.build([pixels], photograph), spec, paths, photograph=photograph)

    def _paths(self, taps: Sequence[str | None]) -> tuple[str, ...]:
        view: View = self._entrance.description
        paths = []
        for tap in taps:
            try:
                paths.append(view.last_maps().path if tap is None else find_path(tap, view.taps))
            except LayerError:  # the name of an output is no layer: the question itself will say what is wrong
                continue
        return tuple(dict.fromkeys(paths))


def _shorten(cache: OrderedDict[Hashable, Any], most: int) -> None:
    while len(cache) > most:
        cache.popitem(last=False)
