"""Which of several workers writes: by TensorFlow's own resolvers of clusters."""

import json

import keras
import pytest
import tensorflow as tf

from kerasviz.models.workers import is_chief, several_workers

WORKERS = {"worker": ["localhost:1", "localhost:2"]}


class Strategy:
    """A strategy as far as a model knows of it: making a real one of several workers waits for the others."""

    def __init__(self, resolver):
        self.cluster_resolver = resolver


class Trained:
    def __init__(self, resolver):
        self.distribute_strategy = Strategy(resolver)


def at(monkeypatch, cluster, kind, index):
    """A model of the worker that TF_CONFIG says this process is."""
    task = {"type": kind, "index": index}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task} if cluster else {}))
    return Trained(tf.distribute.cluster_resolver.TFConfigClusterResolver())


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "several", "chief"),
    [
        (WORKERS, "worker", 0, True, True),
        (WORKERS, "worker", 1, True, False),
        ({"chief": ["localhost:1"], **WORKERS}, "chief", 0, True, True),
        ({"chief": ["localhost:1"], **WORKERS}, "worker", 0, True, False),
        ({"master": ["localhost:1"], **WORKERS}, "master", 0, True, True),
        ({"worker": ["localhost:1"]}, "worker", 0, False, True),
        ({"worker": ["localhost:1"], "evaluator": ["localhost:2"]}, "evaluator", 0, False, True),
        ({"worker": ["localhost:1", "localhost:2"], "evaluator": ["localhost:3"]}, "evaluator", 0, True, False),
        ({"worker": ["localhost:1"], "ps": ["localhost:2", "localhost:3"]}, "worker", 0, False, True),
        ({}, "worker", 0, False, True),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)
def test_the_chief_writes_or_worker_0_where_there_is_none(monkeypatch, cluster, kind, index, several, chief):
    model = at(monkeypatch, cluster, kind, index)
    assert several_workers(model) is several
    assert is_chief(model) is chief


def test_a_resolver_that_was_told_its_task_by_hand():
    spec = tf.train.ClusterSpec(WORKERS)
    resolvers = [
        tf.distribute.cluster_resolver.SimpleClusterResolver(spec, task_type="worker", task_id=k) for k in (0, 1)
    ]
    assert [is_chief(Trained(one)) for one in resolvers] == [True, False]


def test_who_trains_alone_writes():
    class Other:
        """No Keras model at all."""

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    mirrored = tf.distribute.MirroredStrategy(["CPU:0"])
    with mirrored.scope():
        copies = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    assert [is_chief(one) for one in (model, copies, Other(), Trained(None))] == [True] * 4
    assert not any(several_workers(one) for one in (model, copies, Other(), Trained(None)))
