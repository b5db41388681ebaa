"""Several devices, and several processes that train together."""

import json
import os
import socket
import subprocess
import sys

import pytest
import tensorflow as tf

from kerasviz.models.workers import is_chief, several_workers
from kerasviz.timelines.store import Timeline

START = """
import sys
sys.path[:0] = [{tests!r}, {here!r}]
import hashlib, json
import keras
import tensorflow as tf
import tf_keras
import kerasviz as kv
"""
MIRRORED = """
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from trained import classes, functional, pictures, sequential


def trained(make, callbacks):
    keras.utils.set_random_seed(3)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = make()
    history = model.fit(pictures(), classes(), epochs=3, batch_size=4, verbose=0, callbacks=callbacks)
    return [weight.tobytes() for weight in model.get_weights()], history.history


for name, make in {{"keras": sequential, "tf_keras": lambda: functional(tf_keras)}}.items():
    callback = kv.VisualizationLogger(
        ["gradcam", "saliency"], (pictures(3), classes(3)), f"{folder}/{{name}}", animation=None, on_error="raise"
    )
    assert trained(make, []) == trained(make, [callback]), name
    assert callback.traces == 2, name
print("equal")
"""


@pytest.mark.slow
def test_two_devices_train_as_without_the_callback(tmp_path, request):
    """Each weight is there twice; statistics of BatchNormalization are read as their mean."""
    here = request.path.parent
    names = {"tests": str(here.parent), "here": str(here), "folder": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", (START + MIRRORED).format(**names)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["equal"], done.stderr[-3000:]
    for name in ("keras", "tf_keras"):
        assert list(Timeline(tmp_path / name).history().dumps) == [f"epoch_{epoch:04d}" for epoch in range(4)]


WORKER = """
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from trained import classes, functional, pictures

tf_keras.utils.set_random_seed(3)
with strategy.scope():
    model = functional(tf_keras)
data = tf.data.Dataset.from_tensor_slices((pictures(), classes())).batch(4)
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
task = strategy.cluster_resolver.task_id
callbacks = []
if {watched}:
    callbacks = [kv.VisualizationLogger(
        ["gradcam"], (pictures(3), classes(3)), f"{folder}/{{task}}", animation=None, on_error="raise", {options}
    )]
history = model.fit(data.with_options(options), epochs=3, verbose=0, callbacks=callbacks)
weights = hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()
print(json.dumps([weights, history.history["loss"]]))
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def workers(request, folder, watched, options=""):
    """What each of two processes that train one model together says at the end."""
    here = request.path.parent
    names = {"tests": str(here.parent), "here": str(here), "folder": str(folder), "watched": watched}
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", (START + WORKER).format(**names, options=options)],
            env={**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": k}})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for k in range(2)
    ]
    try:
        said = [one.communicate(timeout=180) for one in running]
    finally:
        for one in running:
            one.kill()
    assert [one.returncode for one in running] == [0, 0], [err[-2000:] for _, err in said]
    return [json.loads(out.splitlines()[-1]) for out, _ in said]


@pytest.mark.slow
@pytest.mark.parametrize("options", ["", "time_budget=0.01", "every='2 steps'"])
def test_of_two_workers_only_the_chief_writes(options, tmp_path, request):
    """Nor does one wait for the other's pictures: each may leave out dumps of its own."""
    alone, watched = (workers(request, tmp_path, one, options) for one in (False, True))
    assert alone == watched
    assert alone[0][0] == alone[1][0]
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
    assert Timeline(tmp_path / "0").history().dumps


class Model:
    """As much of a model as says under which strategy it is trained."""

    def __init__(self, resolver):
        self.distribute_strategy = type("Strategy", (), {"cluster_resolver": resolver})()


@pytest.mark.parametrize(
    ("jobs", "task", "chief"),
    [
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, ("chief", 0), True),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, ("worker", 0), False),
        ({"worker": ["a:1", "b:1"]}, ("worker", 0), True),
        ({"worker": ["a:1", "b:1"]}, ("worker", 1), False),
        ({"worker": ["a:1"]}, ("worker", 0), True),
        ({"worker": ["a:1", "b:1"], "evaluator": ["c:1"]}, ("evaluator", 0), False),
    ],
)
def test_who_is_the_chief(jobs, task, chief, monkeypatch):
    kind, index = task
    resolvers = tf.distribute.cluster_resolver
    simple = resolvers.SimpleClusterResolver(tf.train.ClusterSpec(jobs), task_type=kind, task_id=index)
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}}))
    for resolver in (simple, resolvers.TFConfigClusterResolver()):
        assert is_chief(Model(resolver)) == chief
        assert several_workers(Model(resolver)) == (sum(map(len, jobs.values())) > 1)
