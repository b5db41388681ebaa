"""Nothing is traced again after the first dump, and memory does not grow."""

import json
import subprocess
import sys

import pytest
from trained import KINDS, classes, pictures

import kerasviz as kv


@pytest.mark.parametrize("name", ["sequential", "own train_step", "tf_keras functional", "several inputs and outputs"])
def test_the_count_of_traces_stays(name, tmp_path):
    """Whatever the network predicts meanwhile: the predicted class is asked for other numbers of pictures each time."""
    kind, counts = KINDS[name], []
    callback = kv.VisualizationLogger(
        list(kind.techniques), kind.images(), tmp_path, on_error="raise", animation=None, page=False
    )
    model = kind.make()

    class Counts(type(callback).__mro__[1]):
        def _implements_train_batch_hooks(self):
            return False

        _implements_test_batch_hooks = _implements_predict_batch_hooks = _implements_train_batch_hooks

        def on_epoch_end(self, epoch, logs=None):
            counts.append(callback.traces)

    for _ in range(2):
        model.fit(kind.x(), kind.y(), epochs=4, batch_size=5, verbose=0, callbacks=[callback, Counts()])
    assert counts == [len(kind.techniques)] * 8


def test_pictures_of_different_sizes_are_traced_once_each(tmp_path):
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = [*pictures(2), pictures(1)[0, :9, :10]]
    callback = kv.VisualizationLogger("gradcam", (images, classes(3)), tmp_path, on_error="raise", animation=None)
    model.fit(pictures(), classes(), epochs=1, verbose=0, callbacks=[callback])
    first = callback.traces
    model.fit(pictures(), classes(), epochs=4, verbose=0, callbacks=[callback])
    assert callback.traces == first == 2


LONG = """
import json, sys
import keras
sys.path[:0] = [{tests!r}, {here!r}]
from trained import classes, pictures, plain
import kerasviz as kv


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


found = {{}}


class Notes(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in (20, 200):
            callback._watching.logbook.wait()
            found[epoch + 1] = resident(), callback.traces


callback = kv.VisualizationLogger(
    ["gradcam", "saliency"], (pictures(3), classes(3)), {folder!r},
    on_error="raise", animation=None, tensorboard=True, log_measures=True,
)
plain().fit(pictures(), classes(), epochs=200, verbose=0, callbacks=[callback, Notes()])
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resident memory is read from /proc")
def test_memory_after_200_epochs_is_that_after_20(tmp_path, request):
    here = request.path.parent
    script = LONG.format(tests=str(here.parent), here=str(here), folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    (early, traces), (late, traces_late) = found["20"], found["200"]
    assert traces == traces_late == 2
    assert late <= early * 1.02
