"""HDF5 files, read only where that can neither hang the HDF5 library nor fill the memory.

The library keeps the texts of attributes in heaps: collections of objects, each behind a header
with its size. It believes the sizes. One damaged byte there, and it goes round in a circle for
ever, in C, where no Ctrl-C reaches it; one in an attribute, and it asks for 4 GB before it notices
(both seen with HDF5 1.14.6). So heaps and attributes are compared here first.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEAP = b"GCOL\x01"
_HEADER = 16  # bytes, of a heap and of each object in it
_ATTRIBUTE, _CONTINUATION, _ATTRIBUTE_INFO = 0x0C, 0x10, 0x15  # kinds of messages in an object's header
_PLAIN_TYPES, _TEXTS = {0, 1, 3, 8}, 9  # whole and other numbers, texts of fixed length, choices; texts of any length
_NOWHERE = (1 << 64) - 1


@dataclass
class Checked:
    """An open HDF5 file, and what is needed to check its objects.

    Attributes:
        file: the `h5py.File`. Its root was checked.
        data: the file's bytes.
        heaps: of each heap, by its address: the sizes of its objects, by their index.
    """

    file: Any
    data: mmap.mmap | bytes
    heaps: dict[int, dict[int, int]]

    def check(self, item: Any) -> Any:
        """The same group or data set, whose attributes may now be read; ValueError where they may not."""
        import h5py

        for message in self._attributes(h5py.h5o.get_info(item.id).addr):
            _refuse_false_texts(message, self.heaps)
        return item

    def _attributes(self, address: int) -> Iterator[bytes]:
        """The bytes of each attribute in an object's header, wherever the header is continued."""
        second = self.data[address : address + 4] == b"OHDR"
        blocks = [_first_block(self.data, address, second)]
        for start, end in blocks:  # grows while it is gone through
            for kind, flags, body in _messages(self.data, start, end, second, address):
                if kind == _ATTRIBUTE and not flags & 2:
                    yield body
                elif kind == _ATTRIBUTE or (kind == _ATTRIBUTE_INFO and not _is_compact(body)):
                    raise ValueError("attributes lie outside of their object")
                elif kind == _CONTINUATION:
                    start = _number(body, 0) + 4 * second
                    blocks.append((start, start + _number(body, 8) - 8 * second))
            if len(blocks) > 1000:
                raise ValueError("the header of an object is continued without end")


@contextmanager
def open_hdf5(file: str | os.PathLike[str] | IO[bytes]) -> Iterator[Checked]:
    """An HDF5 file for reading, from a path or an open file on disk; attributes are to be checked before they are read.

    Raises:
        ValueError: a heap is damaged, or the file is laid out as no Keras lays it out.
        OSError: the HDF5 library cannot open it.
    """
    import h5py

    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as opened, open_hdf5(opened) as checked:
            yield checked
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:8] != SIGNATURE or _bytes_of_a_length(data) != 8:
            raise ValueError("the layout is not the one of Keras's files")
        heaps = dict(_heaps(data))
        with h5py.File(file, "r") as found:
            checked = Checked(found, data, heaps)
            checked.check(found["/"])
            yield checked


def _bytes_of_a_length(data: Any) -> int:
    """How wide sizes and addresses in the file are, which its superblock says; 0 where they differ."""
    version = data[8]
    if version > 3:
        return 0
    place = 13 if version < 2 else 9
    return data[place] if data[place] == data[place + 1] else 0


def _heaps(data: Any) -> Iterator[tuple[int, dict[int, int]]]:
    start = data.find(_HEAP)
    while start >= 0:
        yield start, _sizes_in_heap(data, start)
        start = data.find(_HEAP, start + 1)


def _sizes_in_heap(data: Any, start: int) -> dict[int, int]:
    """The sizes by index, where the objects fill the heap one after the other and none exceeds what is left."""
    end, place, sizes = start + _number(data, start + 8), start + _HEADER, {}
    whole = place <= end <= len(data)
    while whole and end - place >= _HEADER:
        index, size = int.from_bytes(data[place : place + 2], "little"), _number(data, place + 8)
        if index == 0:  # the free space, with its header, is the last
            whole, place = size == end - place, end
        else:
            sizes[index] = size
            place += _HEADER + (size + 7) // 8 * 8
    if not whole or place > end:
        raise ValueError(f"the heap at byte {start} is damaged")
    return sizes


def _first_block(data: Any, address: int, second: bool) -> tuple[int, int]:
    """Where the messages of an object's header begin and end, in the first or second version of the format."""
    if not second:
        return address + 16, address + 16 + int.from_bytes(data[address + 8 : address + 12], "little")
    flags = data[address + 5]
    place = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    return place + width, place + width + int.from_bytes(data[place : place + width], "little")


def _messages(data: Any, place: int, end: int, second: bool, address: int) -> Iterator[tuple[int, int, bytes]]:
    """Kind, flags and body of each message of a block."""
    if end > len(data):
        raise ValueError("the header of an object runs past the end of the file")
    length = (6 if data[address + 5] & 4 else 4) if second else 8
    while end - place >= length:
        kind = data[place] if second else int.from_bytes(data[place : place + 2], "little")
        size = int.from_bytes(data[place + 1 + (not second) : place + 3 + (not second)], "little")
        yield kind, data[place + 3 + (not second)], data[place + length : place + length + size]
        place += length + size


def _is_compact(info: bytes) -> bool:
    """Whether an object keeps its attributes in its header, not in a heap of their own."""
    return _number(info, 4 if info[1] & 1 else 2) == _NOWHERE


def _refuse_false_texts(attribute: bytes, heaps: dict[int, dict[int, int]]) -> None:
    """A text is stored as its length (4 bytes), the address of its heap (8), and its index there (4)."""
    version, (name, kind, space) = attribute[0], struct.unpack("<HHH", attribute[2:8])
    if version == 1:  # the three parts before the values are padded
        name, kind, space = (-(-part // 8) * 8 for part in (name, kind, space))
    start = (9 if version == 3 else 8) + name
    if attribute[start] & 15 in _PLAIN_TYPES:
        return
    if attribute[start] & 15 != _TEXTS or attribute[start + 8] & 15 not in _PLAIN_TYPES:
        raise ValueError("an attribute is of a kind that Keras does not write")
    values = attribute[start + kind + space :]
    for length, address, index in struct.iter_unpack("<IQI", values[: len(values) // 16 * 16]):
        if length > heaps.get(address, {}).get(index, 0):
            raise ValueError("an attribute is longer than what is stored of it")


def _number(data: Any, place: int) -> int:
    return int.from_bytes(data[place : place + 8], "little")
