"""Protocol buffers read as what they are on disk, numbered fields, without TensorFlow and without building messages.

https://protobuf.dev/programming-guides/encoding: a message is a row of (number << 3 | wire type, value).
"""

from collections.abc import Iterator
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(message: memoryview) -> Iterator[tuple[int, int, Any]]:
    """(number, wire type, value) of each field: an int for wire type 0, else a slice of the message.

    Raises:
        ValueError: these bytes are no message.
    """
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _varint(message, place)
            yield number, wire, value
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            length, place = _varint(message, place)
        if length is None or not number or place + length > end:
            raise ValueError("these bytes are no protocol buffer")
        yield number, wire, message[place : place + length]
        place += length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(message) or shift > 63:
            raise ValueError("these bytes are no protocol buffer")
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def inner(message: memoryview, *path: int) -> list[memoryview]:
    """All submessages, texts or bytes that are reached by a path of field numbers."""
    found = [message]
    for wanted in path:
        found = [v for one in found for number, wire, v in fields(one) if number == wanted and wire == _BYTES]
    return found


def texts(message: memoryview, *path: int) -> list[str]:
    """The same, as texts."""
    return [text(value) for value in inner(message, *path)]


def numbers(message: memoryview, wanted: int) -> list[int]:
    """The values of a field of whole numbers, one a field or packed into one."""
    found: list[int] = []
    for number, wire, value in fields(message):
        if number == wanted and wire == _VARINT:
            found.append(value)
        elif number == wanted and wire == _BYTES:
            place = 0
            while place < len(value):
                one, place = _varint(value, place)
                found.append(one)
    return found


def text(value: memoryview) -> str:
    """Bytes as a text, whatever they are."""
    return bytes(value).decode("utf8", "replace")
