"""Pictures and numbers for TensorBoard, as events of its plugins `images` and `scalars`.

TensorFlow writes them without the package tensorboard, which only `tf.summary.image` and `tf.summary.scalar` ask for.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kerasviz.errors import OutputError
from kerasviz.lazy import tf
from kerasviz.timelines.frames import Frame

FLUSH_MILLISECONDS = 20_000  # the longest that a page of TensorBoard lags behind a long epoch


def step_of(frame: Frame) -> int:
    """The step at which Keras' own TensorBoard callback writes the scalars of the same moment.

    Keras counts epochs from 0: `epoch_loss` of the first epoch has step 0, after a resumed training
    `initial_epoch` and on; so n completed epochs are step n - 1, and pictures from before the training lie
    at -1, left of all. It counts batches from 1, anew in each `fit`: n completed batches are step n (Keras 3 counts
    a call of several batches, `steps_per_execution`, as one).
    """
    return frame.number - 1 if frame.unit == "epoch" else frame.number


class Summaries:
    """Writes one event file in a folder: a run of TensorBoard, beside Keras' own `train` and `validation`.

    Nothing is opened before the first write. Every write names its own writer and step, so neither the default
    writer, nor its step, nor the `record_if` of whoever trains matters or changes; any thread may write, one at a
    time. Copies and pickles take the folder along, not the open file.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._writer: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_writer": None}

    def picture(self, tag: str, picture: np.ndarray, step: int) -> None:
        """Add a picture, uint8 (H, W, 3); OutputError where it cannot be written."""
        height, width = picture.shape[:2]
        _, png = cv2.imencode(".png", picture[..., ::-1])
        self._write(tag, tf.constant([str(width), str(height), png.tobytes()]), step, "images")

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a number; OutputError where it cannot be written."""
        self._write(tag, tf.constant(value, tf.float32), step, "scalars")

    def flush(self) -> None:
        """What was written so far reaches the disk; OutputError where it cannot."""
        if self._writer is not None:
            with self._errors():
                self._writer.flush()

    def close(self) -> None:
        """Finish the file; a later write opens another one. OutputError where it cannot be finished."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._errors():
                writer.close()

    def _write(self, tag: str, tensor: Any, step: int, plugin: str) -> None:
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = plugin  # no content: version 0 of the plugin's data
        with self._errors():
            if self._writer is None:
                self._writer = tf.summary.create_file_writer(str(self.folder), flush_millis=FLUSH_MILLISECONDS)
            with self._writer.as_default(), tf.summary.record_if(True):
                tf.summary.write(tag, tensor, step=step, metadata=metadata)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """What TensorFlow says about the file, with the cure."""
        try:
            yield
        except tf.errors.OpError as error:
            reason = re.sub(r"{{.*?}} | \[Op:.*", "", error.message)  # without the names of TensorFlow's operations
            raise OutputError(
                f"The TensorBoard folder {str(self.folder)!r} cannot be written ({reason}). "
                "Make room or change its permissions, or give another folder with tensorboard=."
            ) from error
