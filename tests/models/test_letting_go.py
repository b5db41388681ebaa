"""A Network dies with its owner, and a live model with its own."""

import gc
import weakref
from dataclasses import dataclass
from typing import Any

import pytest
import tensorflow as tf
from kinds import KINDS, Kind
from looking import Pictures

import kerasviz as kv
from kerasviz.models.opening import opened


@dataclass
class Remains:
    """What is left of a model, and of all that looked into it, when its owner lets go."""

    traces: list[int]
    alive: list[str]


@pytest.fixture(scope="session")
def remains() -> dict[str, Remains]:
    """For each kind: a live model handed to an engine twice and opened, then all of it dropped."""
    told, gone = {}, {}
    for kind in KINDS.values():
        gone[kind.name], traces = _let_go(kind)
        told[kind.name] = traces
    for _ in range(3):  # what goes in one round may have held what goes in the next
        gc.collect()
    return {
        name: Remains(told[name], [what for what, reference in references.items() if reference() is not None])
        for name, references in gone.items()
    }


def _let_go(kind: Kind) -> tuple[dict[str, Any], list[int]]:
    pictures, model, traces = Pictures.of(kind), kind.make(), []
    for _ in range(2):
        kv.GradCAM()(model, pictures.given(slice(0, 4)))
        traces.append(opened(model).traces)
    network = kv.open(model)
    network.predict(pictures.given(slice(0, 4)))
    found = {"the model": model, "the Network of an engine": opened(model), "the Network": network}
    for name, one in list(found.items())[1:]:
        functions = _functions(one)
        assert functions
        found |= {f"function {k} of {name}": function for k, function in enumerate(functions)}
    return {name: weakref.ref(one) for name, one in found.items()}, traces


def _functions(network: kv.Network) -> list[Any]:
    """Concrete functions that a Network keeps, wherever it keeps them."""
    kinds = type(tf.function(lambda: 0).get_concrete_function())
    found, waiting, known = [], [network], set()
    while waiting:
        one = waiting.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        if isinstance(one, kinds):
            found.append(one)
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, (list, tuple)):
            waiting += one
        elif type(one).__module__.startswith("kerasviz"):
            waiting += getattr(one, "__dict__", {}).values()
    return found


@pytest.mark.parametrize("name", KINDS)
def test_a_live_model_is_traced_once_for_all_its_calls(remains: dict[str, Remains], name: str) -> None:
    assert remains[name].traces == [1, 1]


@pytest.mark.parametrize("name", KINDS)
def test_nothing_stays_alive(remains: dict[str, Remains], name: str) -> None:
    assert remains[name].alive == []
