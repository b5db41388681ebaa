"""A network watched while it learns: opened once, asked at each dump, its answers handed to the logbook."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasviz.errors import ImageError, KerasvizError, SettingError
from kerasviz.inputs.fixed import Fixed, expect_count, fixed, readable
from kerasviz.models.chance import same_chance
from kerasviz.models.datasets import elements_of
from kerasviz.models.network import Network
from kerasviz.models.opening import layers_of, open_network
from kerasviz.models.preserving import every_layer
from kerasviz.models.workers import is_chief
from kerasviz.runs.dumping import Dumper, Failure, Watched
from kerasviz.runs.logbook import Logbook, Made
from kerasviz.runs.measuring import Measures, Measuring, mean_of
from kerasviz.runs.schedule import Clock, Moment
from kerasviz.runs.wanted import Wanted


class Watching:
    """Engines, a fixed panel, and a log folder; copies and pickles take these along, never what is compiled.

    Args:
        engines, images, folder, target, preprocess, labels, seed, count: as of `VisualizationLogger`.
        wanted: what is written.
        at_once: whether measures are computed before a dump returns.
    """

    def __init__(
        self,
        engines: Sequence[Watched],
        images: Any,
        folder: Path,
        wanted: Wanted,
        *,
        target: Any,
        preprocess: str,
        labels: Any,
        seed: int,
        count: int | None,
        at_once: bool,
    ):
        expect_count(count)
        self._engines, self._images, self._target = engines, images, target
        self._options = {"preprocess": preprocess, "labels": labels}
        self._seed, self._count, self._at_once, self._wanted = seed, count, at_once, wanted
        self.folder = folder
        self._forget()

    def _forget(self) -> None:
        self._network: Network | None = None
        self._layers: Any = None
        self._refused: KerasvizError | None = None
        self._dumper: Dumper | None = None
        self._logbook: Logbook | None = None
        self._means: dict[str, float] = {}
        self._unread: list[ImageError] = []
        self._measuring = Measuring(self._wanted.boxes)

    def __getstate__(self) -> dict[str, Any]:
        """Without what is compiled or open; a dataset is drawn from first, so that the copy sees the same pictures."""
        self.panel()
        copy = object.__new__(Watching)
        vars(copy).update(vars(self))
        copy._forget()
        return vars(copy)

    @property
    def traces(self) -> int:
        """Functions traced so far."""
        return self._network.traces if self._network else 0

    @property
    def logbook(self) -> Logbook:
        """The log folder."""
        if self._logbook is None:
            self._logbook = Logbook(self.folder, self._wanted)
        return self._logbook

    def panel(self) -> Fixed:
        """The pictures, drawn when they are first needed and kept."""
        if not isinstance(self._images, Fixed):
            with same_chance():
                self._images, self._unread = readable(fixed(self._images, self._count, self._seed, elements_of))
        return self._images

    def begin(self, model: Any, clock: Clock, steps: int | None) -> None:
        """A training with so many batches an epoch begins; the clock is told what an earlier one left."""
        self._refused = None
        if is_chief(model):
            clock.goes_on(*self.logbook.begin(clock.completed, clock.step or clock.completed * (steps or 0)))

    def epoch(self, model: Any, clock: Clock, logs: Mapping[str, float]) -> None:
        """An epoch was completed."""
        self._means = dict.fromkeys(self._means, float("nan"))
        if is_chief(model):
            self.logbook.epoch(clock.completed, clock.step, logs)

    def look(self, model: Any, moment: Moment) -> Mapping[str, Failure]:
        """Ask every engine now, and hand over what they said; what failed, by the engine's key.

        Raises:
            KerasvizError: the pictures or the model cannot be used at all.
        """
        with same_chance(every_layer(model)):
            network, dumper = self._tried(model)
            dump = dumper.dump()
        rows = len(dumper.given)
        now = self._measuring.of(dump, rows) if self._at_once else None
        self._means |= dict.fromkeys(self._measuring.names(dump), float("nan")) | _means(now or {})
        if is_chief(model):
            measures = (lambda: now) if now is not None else (lambda: self._measuring.of(dump, rows))
            self.logbook.dump(moment, Made(dump, dumper.titles, network.title, measures))
        return dump.failures

    def means(self) -> dict[str, float]:
        """`kerasviz/gradcam/moved` -> the mean over the pictures at the last epoch's dump; NaN where there was none."""
        return dict(self._means)

    def end(self, skipped: int, affords: Callable[[float], bool] = lambda seconds: True) -> bool:
        """The training ended: all is written when this returns.

        Args:
            skipped: dumps that were left out.
            affords: whether strips and animations may take so many seconds.

        Returns:
            Whether there are strips and animations of all that was dumped.
        """
        return self._logbook.end(skipped, affords) if self._logbook else True

    def errors(self) -> list[BaseException]:
        """What failed beside the training since this was asked last, pictures of a folder that cannot be read too."""
        unread, self._unread = self._unread, []
        return [*unread, *(self._logbook.errors() if self._logbook else [])]

    def _tried(self, model: Any) -> tuple[Network, Dumper]:
        """The network and the engines; what cannot be opened is not tried again by each dump of this training."""
        if self._refused is not None:
            raise self._refused.with_traceback(None)
        try:
            return self._opened(model)
        except KerasvizError as error:
            self._refused = error
            raise

    def _opened(self, model: Any) -> tuple[Network, Dumper]:
        """The network and the engines; opened anew for another model, or where layers of it were exchanged."""
        now = layers_of(model)
        if self._network is None or self._dumper is None or self._network.model is not model or self._layers != now:
            self._network = self._dumper = None
            network = open_network(model, **self._options)
            network.hold_weakly()  # the model goes when its owner lets it go
            dumper, boxes = Dumper(self._engines, network, self.panel(), self._target), self._wanted.boxes
            if boxes and len(boxes) != len(dumper.given):
                raise SettingError(f"Expected boxes for each of {len(dumper.given)} pictures, found {len(boxes)}.")
            self._network, self._layers, self._dumper = network, now, dumper
        return self._network, self._dumper


def _means(measures: Measures) -> dict[str, float]:
    """`kerasviz/gradcam/moved` -> the mean over the pictures."""
    means = {
        f"kerasviz/{key}/{name}": mean_of(values) for key, kinds in measures.items() for name, values in kinds.items()
    }
    return {name: mean for name, mean in means.items() if mean is not None}
