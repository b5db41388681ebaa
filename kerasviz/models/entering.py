"""A model and the way into it: built for the first time if nobody did, then into any graph."""

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from kerasviz.errors import ModelError
from kerasviz.lazy import tf
from kerasviz.models import preprocessing
from kerasviz.models.building import build
from kerasviz.models.doors import Door, door_of
from kerasviz.models.importing import Imported
from kerasviz.models.preprocessing import Preprocess
from kerasviz.models.view import View


class Entrance:
    """The live model, its door, and how photographs are scaled before it.

    Attributes:
        called: what errors call the model.
        door: the model's inputs; they are not known before an unbuilt model has met a picture.
        given: the preprocessing that somebody said, or None.
    """

    def __init__(self, model: Any, called: str, given: Preprocess | None, size: tuple[int, int] | None):
        self._model: Callable[[], Any] = lambda: model
        self.door: Door = door_of(model)
        self.called, self.given, self._size = called, given, size
        self._described: tuple[Any, View] | None = None
        self._lock = threading.RLock()

    @property
    def model(self) -> Any:
        """The live Keras model."""
        return self._model()

    @property
    def way(self) -> str:
        """How it is built: `watched` while Keras calls it, or `imported` from a graph."""
        return "imported" if isinstance(self.model, Imported) else "watched"

    def hold_weakly(self) -> None:
        """Let the model go when its owner does."""
        self._model = weakref.ref(self.model)

    @property
    def size(self) -> tuple[int | None, int | None]:
        """(height, width) of pictures; None where any is taken."""
        first, then = self.door.size, self._size or (None, None)
        if self.door.free:
            first, then = then, first
        return first[0] or then[0], first[1] or then[1]

    @property
    def preprocess(self) -> Preprocess | None:
        """How photographs are scaled: as given, or by layers inside the model; None where that is not known."""
        if self.given is None and self.door.known:
            self.given = preprocessing.inside(self.description)
        return self.given

    @property
    def description(self) -> View:
        """The network built once without numbers: its layers, heads and shapes."""
        with self._lock:
            if not self.door.known:
                raise ModelError(
                    "The model has not been built, so its layers are not known yet. "
                    "Call it on a batch, or explain a picture first."
                )
            if self._described is None:
                self._described = self.traced(self._specs(), photograph=False)
            return self._described[1]

    def meet(self, shape: Sequence[int]) -> None:
        """An unbuilt model is built for pictures (H, W, C) first: its first trace would see scratch tensors."""
        with self._lock:
            if not self.door.known:
                if any(cls.__name__ == "Sequential" for cls in type(self.model).__mro__):
                    self.model.build((None, *shape))  # a call would bind it to its number of pictures
                else:
                    self.model(tf.zeros((1, *shape)), training=False)
                self.door = door_of(self.model)

    def build(self, inputs: Sequence[Any], photograph: bool) -> View:
        """The network for (pixels, other inputs ...), inside the function that is being traced."""
        scaling = self.given.apply if photograph and self.given else None
        view = build(self.model, self.door, inputs[0], list(inputs[1:]), scaling)
        if self.given is None:  # only layers inside can know, and this build has seen them
            self.given = preprocessing.inside(view)
            if photograph and self.given is None:
                raise preprocessing.unknown(self.called)
        return view

    def traced(self, specs: Sequence[Any], photograph: bool) -> tuple[Any, View]:
        """A concrete function of the network alone, and the view inside it."""
        kept: list[View] = []

        def run(*inputs: Any) -> Any:
            kept.append(self.build(inputs, photograph))
            return [head.output for head in kept[-1].heads]

        return tf.function(run, autograph=False).get_concrete_function(*specs), kept[-1]

    def _specs(self) -> list[Any]:
        picture = tf.TensorSpec((self.door.batch, *self.size, self.door.channels), tf.float32)
        return [picture, *(tf.TensorSpec(one.shape, one.dtype) for one in self.door.others)]
