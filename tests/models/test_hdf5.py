"""HDF5 files that would hang the HDF5 library, or fill the memory, are found before it reads them."""

import re

import h5py
import numpy as np
import pytest

from kerasviz.models.hdf5 import SIGNATURE, Checked, open_hdf5

TEXT = "2.15.0"


@pytest.fixture(params=["earliest", "latest"])
def whole(request, tmp_path):
    """A small file with texts, in the oldest and the newest layout that the library writes."""
    path = tmp_path / "whole.h5"
    with h5py.File(path, "w", libver=request.param) as file:
        file.attrs["keras_version"] = TEXT
        file.attrs["names"] = ["conv", "dense"]
        file.attrs["fixed"] = np.array([b"a", b"bc"])
        file.attrs["number"] = 3
        file.create_group("g").attrs["weight_names"] = ["kernel:0", "bias:0"]
    return path


def damaged(path, place, new):
    data = bytearray(path.read_bytes())
    assert data[place : place + len(new)] != new
    data[place : place + len(new)] = new
    path.write_bytes(data)
    return path


def heap(path):
    return path.read_bytes().index(b"GCOL")


def references(path, size):
    """Where a text of that size in the heap is pointed at."""
    pattern = re.escape(size.to_bytes(4, "little") + heap(path).to_bytes(8, "little"))
    return [found.start() for found in re.finditer(pattern, path.read_bytes())]


def test_a_whole_file_reads_as_it_was_written(whole):
    with open_hdf5(whole) as checked:
        assert checked.file.attrs["keras_version"] == TEXT
        assert list(checked.check(checked.file["g"]).attrs["weight_names"]) == ["kernel:0", "bias:0"]


def test_an_open_file_is_taken_too(whole):
    with whole.open("rb") as opened, open_hdf5(opened) as checked:
        assert checked.file.attrs["keras_version"] == TEXT


@pytest.mark.parametrize("size", [0, 1 << 20, (1 << 64) - 16, (1 << 64) - 1])
def test_a_damaged_heap_is_refused(whole, size):
    """The size of the heap's first object; with some of these the library never comes back."""
    damaged(whole, heap(whole) + 24, size.to_bytes(8, "little"))
    with pytest.raises(ValueError, match="damaged"), open_hdf5(whole):
        pass


def test_a_heap_larger_than_its_file_is_refused(whole):
    damaged(whole, heap(whole) + 8, (1 << 40).to_bytes(8, "little"))
    with pytest.raises(ValueError, match="damaged"), open_hdf5(whole):
        pass


@pytest.mark.parametrize(("offset", "new"), [(0, b"\xff\xff\xff\xff"), (4, b"\xff" * 8), (12, b"\x00\x02\x00\x00")])
def test_a_text_that_is_not_stored_so_is_refused(whole, offset, new):
    """Its length, its heap, or its index there is wrong. The newest layout has checksums, so the bytes stand apart."""
    places = references(whole, len(TEXT))
    with open_hdf5(whole) as checked:
        data = bytearray(checked.data)
        for place in places:
            data[place + offset : place + offset + len(new)] = new
        with pytest.raises(ValueError, match="longer"):
            Checked(checked.file, bytes(data), checked.heaps).check(checked.file["/"])


def test_a_text_of_an_inner_group_is_found_when_it_is_checked(tmp_path):
    path = tmp_path / "inner.h5"
    with h5py.File(path, "w") as file:
        file.create_group("g").attrs["name"] = TEXT
    damaged(path, references(path, len(TEXT))[0], b"\xff\xff\xff\xff")
    with open_hdf5(path) as checked, pytest.raises(ValueError, match="longer"):
        checked.check(checked.file["g"])


def test_attributes_of_another_kind_are_refused(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["reference"] = file.ref
    with pytest.raises(ValueError, match="kind"), open_hdf5(tmp_path / "m.h5"):
        pass


def test_attributes_in_a_heap_of_their_own_are_refused(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:
        for number in range(20):
            file.attrs[f"a{number}"] = TEXT
    with pytest.raises(ValueError, match="outside"), open_hdf5(tmp_path / "m.h5"):
        pass


def test_another_width_of_addresses_is_refused(tmp_path):
    settings = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    settings.set_sizes(4, 4)
    h5py.h5f.create(str(tmp_path / "m.h5").encode(), fcpl=settings).close()
    assert (tmp_path / "m.h5").read_bytes().startswith(SIGNATURE)
    with pytest.raises(ValueError, match="layout"), open_hdf5(tmp_path / "m.h5"):
        pass
