"""At most a share of the training's time goes to pictures; what was left out is counted and told."""

import json
import re
import time
from dataclasses import dataclass

import keras
from trained import pictures, plain

import kerasviz as kv
from kerasviz.timelines.store import Timeline

SHARE, HELD, EPOCH = 0.2, 0.1, 0.05  # seconds that the engine takes, and an epoch at least


@dataclass(frozen=True, kw_only=True)
class Slow(kv.GradCAM):
    """Grad-CAM that takes its time."""

    @property
    def technique(self):
        return kv.GradCAM().technique

    def explain(self, *args, **options):
        time.sleep(HELD)
        yield from super().explain(*args, **options)


class Until(keras.callbacks.Callback):
    """Ends the training when several dumps were made and several left out, and the budget is kept."""

    def __init__(self, logger, made=4, skipped=12):
        super().__init__()
        self.logger, self.made, self.skipped, self.shares = logger, made, skipped, []

    def on_epoch_begin(self, epoch, logs=None):
        time.sleep(EPOCH)

    def on_epoch_end(self, epoch, logs=None):
        self.shares.append(self.logger.held / self.logger._clock.elapsed)
        enough = len(self.logger._clock.dumped) >= self.made and self.logger.skipped >= self.skipped
        self.model.stop_training = enough and self.shares[-1] <= SHARE


def test_the_budget_is_kept_and_what_was_skipped_is_told(tmp_path):
    callback = kv.VisualizationLogger(
        Slow(), pictures(2), tmp_path, when="start", time_budget=SHARE, on_error="raise", animation=None
    )
    until, model = Until(callback), plain()
    epochs = len(
        model.fit(pictures(), pictures()[:, 0, 0, 0] * 0, epochs=1000, verbose=0, callbacks=[callback, until]).epoch
    )
    history = Timeline(tmp_path).history()
    assert epochs < 1000
    assert until.shares[-1] <= SHARE
    assert until.shares[0] > SHARE  # the first dump traced: what it owed was waited off
    assert len(history.dumps) + callback.skipped == epochs + 1
    assert history.skipped == callback.skipped >= 12
    page = (tmp_path / "timeline.html").read_text()
    summary = json.loads(re.search(r'<script type="application/json" id="summary">(.*?)</script>', page, re.S)[1])
    assert summary["skipped"] == callback.skipped


def test_without_a_budget_every_dump_is_made(tmp_path):
    callback = kv.VisualizationLogger(Slow(), pictures(2), tmp_path, on_error="raise", animation=None)
    plain().fit(pictures(), pictures()[:, 0, 0, 0] * 0, epochs=5, verbose=0, callbacks=[callback])
    assert callback.skipped == 0
    assert len(Timeline(tmp_path).history().dumps) == 6
    assert callback.held >= 6 * HELD
