"""VisualizationLogger: a Keras callback that looks at a network while it learns."""

import contextlib
import inspect
import logging
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import keras

from kerasviz.errors import SettingError, near
from kerasviz.models.workers import several_workers
from kerasviz.results.drawing import Drawing
from kerasviz.runs.dumping import sentence, watched
from kerasviz.runs.schedule import Budget, Clock, Schedule
from kerasviz.runs.wanted import Wanted
from kerasviz.runs.watching import Watching
from kerasviz.settings import settings_of

_LOG = logging.getLogger("kerasviz")
_T = TypeVar("_T")


class VisualizationLogger(keras.callbacks.Callback):
    """Pictures of what a network looks at, every few epochs of its training.

    `model.fit(x, y, callbacks=[kv.VisualizationLogger("gradcam", images, "logs", every=5)])` leaves in `logs`
    a folder for each time (`epoch_0005/`, with the same files and records as the command line), a page with a slider
    over the training (`timeline.html`), and strips and animations (`timeline/`).

    It changes nothing of a training: weights, random states, metrics and compiled functions are what they would
    be without it. Writing goes on beside the training, and what fails is told once.

    Args:
        techniques: a technique's name, an engine (`kv.GradCAM(layer="conv")`), or a list of these.
        images: what is looked at, the same each time: an array (N, H, W, C), a list of arrays or paths, a
            `tf.data.Dataset` (its first pictures, drawn once), a folder, a pair (any of these, classes), a dict
            input name -> array, or a function that returns any of these. uint8 are photographs, floats are the
            network's own inputs.
        log_dir: the folder for everything.
        every: 5 or "5 epochs"; "100 steps" counts batches.
        target: what is explained; default: with classes the true and the predicted one, else `auto`.
        layer: for techniques that look at one.
        preprocess: how photographs are scaled, as of `kv.open`.
        labels: class names, as of `kv.open`.
        when: also at the `start`, before training, and at the `end`.
        monitor: a metric, "val_loss"; also when it is better than ever before. ("val_dice", "max") says which way.
        tensorboard: True, or the folder that Keras' own TensorBoard callback writes to.
        page: whether there is a page, kept up to date.
        time_budget: at most this share of the training's time, 0.05 for example; dumps are skipped to keep it, all
            but the first. Of several workers none keeps one, for they look together.
        on_error: "warn" tells once what failed, and the training goes on; "raise" ends it.
        seed: for which pictures of a folder are taken, and for techniques that draw at random.
        count: how many pictures of a dataset or folder (16), or of an array (all).
        boxes: for each picture its boxes, (x0, y0, x1, y1) each, in pixels of the photograph.
        styles: what is written of each result: `panel`, `overlay`, `heatmap`, `values`.
        animation: `webp`, `gif`, `mp4` (needs kerasviz[video]) or None.
        log_measures: whether `kerasviz/TECHNIQUE/moved` and `.../inside` appear among the metrics of the epochs.
        draw: colours and scale, as of `result.save`; scale is 1, half of what the command line writes.

    Attributes:
        skipped: dumps that were left out to keep the time budget.
        held: seconds for which the training has waited for pictures.
        traces: functions traced for them so far.

    Raises:
        SettingError: an argument is none of these; at once, before the training.
    """

    _supports_tf_logs = True  # what tf_keras asks of its callbacks
    _chief_worker_only = False

    def _implements_train_batch_hooks(self) -> bool:
        return self._schedule.unit == "step"

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False

    def __init__(
        self,
        techniques: Any,
        images: Any,
        log_dir: str | Path,
        every: int | str = 1,
        *,
        target: Any = None,
        layer: str | None = None,
        preprocess: str = "auto",
        labels: Any = None,
        when: Sequence[str] = ("start", "end"),
        monitor: Any = None,
        tensorboard: bool | str | Path | None = None,
        page: bool = True,
        time_budget: float | None = None,
        on_error: str = "warn",
        seed: int = 0,
        count: int | None = None,
        boxes: Sequence[Any] | None = None,
        styles: Sequence[str] = ("panel",),
        animation: str | None = "webp",
        log_measures: bool = False,
        **draw: Any,
    ):
        super().__init__()
        if on_error not in ("warn", "raise"):
            raise SettingError(f"Expected on_error 'warn' or 'raise', found {on_error!r}.")
        self._schedule, self._budget = Schedule.of(every, when, monitor), Budget(time_budget)
        self._on_error, self._log_measures = on_error, log_measures
        self._log_dir = folder_of(log_dir)
        wanted = Wanted.of(
            self._log_dir,
            drawing_of(draw),
            styles=(styles,) if isinstance(styles, str) else styles,
            page=page,
            animation=animation,
            tensorboard=tensorboard,
            boxes=boxes,
        )
        self._watching = Watching(
            watched(techniques, layer, seed),
            images,
            self._log_dir,
            wanted,
            target=target,
            preprocess=preprocess,
            labels=labels,
            seed=seed,
            count=count,
            at_once=log_measures,
        )
        self._clock = Clock()
        self._told: set[str] = set()
        self._best: float | None = None
        self._listen()

    def _listen(self) -> None:
        """Keras waits for every batch where somebody asks to be told of its end, so nobody asks without need."""
        if self._schedule.unit == "step":
            self.on_train_batch_end = self._after_batch

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: without the model, and without what is compiled for it."""
        return {name: value for name, value in vars(self).items() if name not in ("_model", "on_train_batch_end")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _model=None)
        self._listen()

    @property
    def skipped(self) -> int:
        """Dumps that were left out to keep the time budget."""
        return self._budget.skipped

    @property
    def held(self) -> float:
        """Seconds for which the training has waited for pictures."""
        return self._budget.spent

    @property
    def traces(self) -> int:
        """Functions traced for them so far."""
        return self._watching.traces

    def on_train_begin(self, logs: Any = None) -> None:
        """After which epoch a training begins is not known before its first one does."""
        self._clock.begin()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before the first epoch: the network as it is."""
        if not self._clock.epoch_began(epoch):
            return
        self._safely(lambda: self._watching.begin(self.model, self._clock, self.params.get("steps")))
        if self._schedule.start:
            self._dump("start", {})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The network after an epoch, where that is due."""
        metrics = numbers_of(logs)
        self._clock.epoch_ended(self.params.get("steps"))
        self._safely(lambda: self._watching.epoch(self.model, self._clock, metrics))
        if missing := self._schedule.missing(metrics, last=False):
            self._tell(missing)
        better = self._schedule.better(metrics, self._best)
        self._best = self._best if better is None else better
        if self._schedule.after_epoch(self._clock.completed):
            self._dump("every", metrics)
        elif better is not None:
            self._dump("improved", metrics)
        if self._log_measures and logs is not None:
            logs.update(self._watching.means())

    def on_train_end(self, logs: Any = None) -> None:
        """The network at last; everything is finished."""
        if self._clock.moved:  # a finished training that is taken up again has no epoch left
            if self._schedule.end:
                self._dump("end", numbers_of(logs))
            self._finish()
            missing = self._schedule.missing(numbers_of(logs), last=True)
            if missing and self._best is None:
                self._tell(missing)
        self._clock.end()

    def _finish(self) -> None:
        """Wait for what is still to be written."""
        started = time.perf_counter()
        filmed = self._safely(
            lambda: self._watching.end(self.skipped, lambda seconds: self._budget.affords(seconds, self._clock.elapsed))
        )
        self._budget.pay_besides(time.perf_counter() - started)
        if filmed is False:
            command = f"kerasviz timeline {shlex.quote(str(self._log_dir))}"
            self._tell(f"Strips and animations of all dumps would take too long now. '{command}' makes them.")

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        before, now = self._clock.batch_ended(batch, self.params.get("steps"))
        if self._schedule.after_steps(before, now):
            self._dump("every", numbers_of(logs))

    def _dump(self, why: str, metrics: dict[str, float]) -> None:
        """Look at the network now, unless that was done, or takes more than its share of the time."""
        moment = self._clock.moment(self._schedule.unit, why, metrics)
        if moment.folder in self._clock.dumped or not self._allowed(moment.folder):
            return
        if not getattr(self.model, "built", True):  # building it here would draw other weights than its first batch
            self._tell("Pictures from before the training are left out: the model is built by its first batch.")
            return
        started = time.perf_counter()
        failures = self._safely(lambda: self._watching.look(self.model, moment)) or {}
        self._budget.pay(time.perf_counter() - started)
        self._clock.dumped.add(moment.folder)
        for failure in failures.values():
            self._failed(failure.error, failure.said)

    def _allowed(self, dump: str) -> bool:
        """Workers that train together look together, whatever each one's clock says."""
        return several_workers(self.model) or self._budget.allows(self._clock.elapsed, dump)

    def _safely(self, work: Callable[[], _T]) -> _T | None:
        """What may fail must not end the training, unless that is wanted; and what failed beside it is told."""
        try:
            return work()
        except Exception as error:
            self._failed(error, sentence("Pictures", error))
            return None
        finally:
            for late in self._watching.errors():
                self._failed(late, sentence("Pictures", late))

    def _failed(self, error: BaseException, said: str) -> None:
        if self._on_error == "raise":
            raise error
        cause = error.__cause__  # a full disk is told once, not for each file
        self._tell(f"{said} The training goes on.", (cause.strerror or "") if isinstance(cause, OSError) else "")

    def _tell(self, said: str, why: str = "") -> None:
        """Once for each reason. By logging, which never raises: `-W error` would make an error of a warning."""
        if (why or said) not in self._told:
            self._told.add(why or said)
            _LOG.warning("VisualizationLogger: %s", said)


def folder_of(log_dir: Any) -> Path:
    """The log folder, absolute, since a training may change its own; SettingError where that is no path."""
    if not isinstance(log_dir, (str, os.PathLike)) or not os.fspath(log_dir):
        raise SettingError(f"Expected log_dir as the path of a folder, found {log_dir!r}. Try 'logs'.")
    return Path(log_dir).expanduser().absolute()


def drawing_of(draw: Mapping[str, Any]) -> Drawing:
    """SettingError where there is no such way to draw."""
    known = [field.name for field in settings_of(Drawing)]
    for name in draw:
        if name not in known:
            raise SettingError(f"VisualizationLogger has no argument {name!r}.{near(name, [*known, *_ARGUMENTS])}")
    return Drawing(**{"scale": 1, **draw})  # a training leaves many: 1050 pixels wide will do


def numbers_of(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """The metrics that are single numbers."""
    found = {}
    for name, value in (logs or {}).items():
        with contextlib.suppress(TypeError, ValueError):
            found[name] = float(value)
    return found


_ARGUMENTS = tuple(inspect.signature(VisualizationLogger.__init__).parameters)[1:]
