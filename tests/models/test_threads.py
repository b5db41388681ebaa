"""Questions asked from several threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from kinds import KINDS
from looking import Pictures, expected, same
from snapshots import Snapshot

import kerasviz as kv
from kerasviz.models.opening import opened


@pytest.mark.parametrize("names", [("nested", "tf-keras-subclassed"), ("subclassed", "subclassed")], ids="+".join)
def test_two_threads_do_not_mix(names: tuple[str, str]) -> None:
    models = {name: KINDS[name].make() for name in names}
    wanted = {name: expected(models[name], KINDS[name], Pictures.of(KINDS[name]))["saliency"] for name in names}
    before = {name: Snapshot.of(model) for name, model in models.items()}

    def explain(name: str) -> np.ndarray:
        results = kv.Saliency()(models[name], Pictures.of(KINDS[name]).given())
        return np.stack([result.values for result in results])

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(explain, names * 4))
    for name, got in zip(names * 4, answers, strict=True):
        same(got, wanted[name], 1e-5)
    for name, model in models.items():
        assert before[name].changes(Snapshot.of(model)) == []
    assert {opened(model).traces for model in models.values()} == {1}


def test_a_thread_that_only_calls_a_model_is_not_seen() -> None:
    """Another thread trains or predicts while a question is traced: its layers are none of the question's."""
    mine, other = KINDS["functional"].make(), KINDS["nested"].make()
    stop, failures = threading.Event(), []

    def call() -> None:
        while not stop.is_set():
            try:
                other(np.zeros((1, 8, 8, 3), "float32"))
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        paths = [[layer.path for layer in kv.open(mine).layers] for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    assert paths == [["first", "pool", "last", "gap", "scores"]] * 5
    assert not failures
