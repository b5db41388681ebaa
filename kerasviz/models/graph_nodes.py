"""The operations of a stored graph, read from its bytes: what each is, takes and calls."""

import math
from dataclasses import dataclass

from kerasviz.models.protobuf import fields, inner, numbers, text, texts

_BIG = 1 << 22  # numbers in one constant


@dataclass(frozen=True)
class Node:
    """One operation of a graph, as its NodeDef says it.

    Attributes:
        calls: names of the functions that its attributes hold.
        inflated: numbers in its constant, where that is stored in far fewer bytes; else 0.
    """

    name: str
    operation: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]
    inflated: int


def bodies_of(graph: memoryview) -> list[tuple[str, list[Node]]]:
    """("", the graph's own operations), then (name, operations) of each function; two of one name are both there."""
    found = [("", [_node(one) for one in inner(graph, 2, 1)])]
    for function in inner(graph, 2, 2, 1):
        names = texts(function, 1, 1)
        found.append((names[-1] if names else "?", [_node(one) for one in inner(function, 3)]))
    return found


def _node(message: memoryview) -> Node:
    name = operation = ""
    inputs, calls, inflated = [], [], 0
    for number, _, value in fields(message):
        if number == 1:
            name = text(value)
        elif number == 2:
            operation = text(value)
        elif number == 3:
            inputs.append(text(value))
        elif number == 5:
            for attribute in inner(value, 2):
                calls += texts(attribute, 10, 1) + texts(attribute, 1, 9, 1)
                inflated = max([inflated, *map(_inflated, inner(attribute, 8))])
    return Node(name, operation, tuple(inputs), tuple(calls), inflated)


def _inflated(tensor: memoryview) -> int:
    """How many numbers a constant declares, where it stores far less."""
    sizes = [max(numbers(axis, 1), default=0) for axis in inner(tensor, 2, 2)]
    declared = math.prod(min(size, 1 << 40) for size in sizes)
    return declared if declared > _BIG and declared > 64 * len(tensor) else 0
