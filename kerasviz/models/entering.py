"""A model and the way into it: built for the first time if nobody did, then into any graph."""

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kerasviz.errors import LayerError, ModelError
from kerasviz.lazy import tf
from kerasviz.models.asking import UnknownScaling
from kerasviz.models.building import build
from kerasviz.models.doors import Door, door_of
from kerasviz.models.importing import Imported
from kerasviz.models.knowing import Known, known
from kerasviz.models.preprocessing import Preprocess
from kerasviz.models.sidecar import SIDECAR
from kerasviz.models.view import View, find_path

_WITNESSES = 8  # pictures that are held against the network's statistics


class Entrance:
    """The live model, its door, and how photographs are scaled before it.

    Attributes:
        called: what errors call the model.
        door: the model's inputs; they are not known before an unbuilt model has met a picture.
        given: the preprocessing that somebody said, or that was found; None as long as it is not known.
        layer: the default layer, where somebody said it.
    """

    def __init__(
        self,
        model: Any,
        called: str,
        given: Preprocess | None,
        size: tuple[int, int] | None,
        layer: str | None = None,
    ):
        self._model: Callable[[], Any] = lambda: model
        self.door: Door = door_of(model)
        self.called, self.given, self._size, self.layer = called, given, size, layer
        self._told: Known | None = None
        self._pictures: tuple[np.ndarray, ...] = ()
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
            self.given = self.told.preprocess
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
        """The network for (pixels, other inputs ...), inside the function that is being traced.

        Raises:
            UnknownScaling: these are photographs, and nothing tells how to scale them.
        """
        scaling = self.given.apply if photograph and self.given else None
        view = build(self.model, self.door, inputs[0], list(inputs[1:]), scaling)
        if self.given is None and (photograph or self._told is None):  # only a network that was built can tell
            self._told = known(view, self._dtype, self._pictures)
            self.given, self._pictures = self._told.preprocess, ()
            if photograph and self.given is None:
                raise UnknownScaling(self.called, self._told)
            if photograph and self.given and not self.given.changes_nothing:
                view = build(self.model, self.door, inputs[0], list(inputs[1:]), self.given.apply)
        return self._with_default(view)

    def look_at(self, pictures: Sequence[np.ndarray]) -> None:
        """Photographs (H, W, C), 0..255, are on their way: where their scaling is not known, they are its witnesses."""
        if self.given is None:
            self._pictures = tuple(pictures[:_WITNESSES])

    @property
    def told(self) -> Known:
        """What the network itself tells of its scaling and its family."""
        if self._told is None:
            view = self.description
            self._told = self._told or known(view, self._dtype)
        return self._told

    @property
    def _dtype(self) -> str:
        return self.door.inputs[self.door.picture].dtype if self.door.known else "float32"

    def _with_default(self, view: View) -> View:
        if self.layer is None:
            return view
        try:
            return replace(view, default=find_path(self.layer, view.taps))
        except LayerError as error:
            raise LayerError(f"{error} It is named in the file {SIDECAR!r} beside the model.") from None

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
