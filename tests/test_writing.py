"""Files in pieces: whole or not at all. (A file of one piece: test_records.)"""

import tracemalloc

import pytest

from kerasviz.errors import OutputError
from kerasviz.writing import write_whole


def test_pieces_are_written_one_after_the_other(tmp_path):
    write_whole(tmp_path / "new" / "file", (b"%d," % k for k in range(3)))
    assert (tmp_path / "new" / "file").read_bytes() == b"0,1,2,"


def test_pieces_are_never_held_together(tmp_path):
    tracemalloc.start()
    write_whole(tmp_path / "file", (bytes(100_000) for _ in range(100)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "file").stat().st_size == 10_000_000
    assert peak < 1_000_000


@pytest.mark.parametrize(("error", "seen"), [(KeyboardInterrupt, KeyboardInterrupt), (OSError, OutputError)])
def test_pieces_that_break_off_leave_the_old_file(tmp_path, error, seen):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def pieces():
        yield b"after"
        raise error

    with pytest.raises(seen):
        write_whole(path, pieces())
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"before"
