"""Sources: what the arguments of a command mean, and what their pictures are called."""

import io
import os
import sys
from itertools import islice
from pathlib import Path

import pytest

from kerasviz.errors import SourceError
from kerasviz.inputs import sources
from kerasviz.inputs.sources import find_images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with pictures, other things and hidden ones; nothing is read, so all are empty."""
    for name in (
        *("photos/b.jpg", "photos/a.PNG", "photos/notes.txt", "photos/.hidden.jpg", "photos/.git/z.png"),
        *("photos/cats/x.webp", "photos/cats/deep/y.tif", "photos/dogs/x.webp", "other/c.bmp", "other/scan.dat"),
        "kerasviz_out/b.jpg.gradcam.panel.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments, **options):
    return [source.name for source in find_images(arguments, **options)]


def test_a_folder_gives_the_pictures_below_it_in_order(folder):
    found = list(find_images(["photos"]))
    assert [s.name for s in found] == ["a.PNG", "b.jpg", "cats/deep/y.tif", "cats/x.webp", "dogs/x.webp"]
    assert found[2].path == Path("photos/cats/deep/y.tif")
    assert names(str(folder / "photos")) == names("photos") == names("photos/")


def test_a_named_file_is_taken_whatever_its_suffix(folder):
    assert names("other/scan.dat") == ["scan.dat"]
    assert names("photos/.hidden.jpg") == [".hidden.jpg"]


def test_several_arguments_are_named_below_their_common_parent(folder):
    assert names("photos/cats", "photos/dogs") == ["cats/deep/y.tif", "cats/x.webp", "dogs/x.webp"]
    assert names("photos/b.jpg", "other/c.bmp") == ["photos/b.jpg", "other/c.bmp"]
    assert names("photos/b.jpg", "photos/a.PNG") == ["b.jpg", "a.PNG"]


def test_names_never_leave_their_folder(folder, monkeypatch):
    monkeypatch.chdir(folder / "other")
    assert names("../photos/b.jpg", "c.bmp") == ["photos/b.jpg", "other/c.bmp"]


def test_a_picture_that_two_arguments_mean_comes_once(folder):
    assert names("photos/cats", "photos/cats/x.webp", "photos/cats/*.webp") == ["deep/y.tif", "x.webp"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photos/*.jpg", ["b.jpg"]),
        ("photos/?.*", ["a.PNG", "b.jpg"]),
        ("photos/[ab].*", ["a.PNG", "b.jpg"]),
        ("photos/*/x.webp", ["cats/x.webp", "dogs/x.webp"]),
        ("photos/*", ["a.PNG", "b.jpg", "cats/deep/y.tif", "cats/x.webp", "dogs/x.webp"]),  # as the shell: folders, too
        ("photos/**/*.tif", ["cats/deep/y.tif"]),
        ("photos/**/x.*", ["cats/x.webp", "dogs/x.webp"]),
        ("**/deep/*", ["photos/cats/deep/y.tif"]),
        ("photos/c*", ["cats/deep/y.tif", "cats/x.webp"]),
        ("other/*.dat", ["scan.dat"]),
    ],
)
def test_patterns_mean_what_they_mean_in_a_shell(folder, pattern, expected):
    assert names(pattern) == expected


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    (folder / "photos/a[1].jpg").touch()
    assert names("photos/a[1].jpg") == ["a[1].jpg"]


def test_folders_that_cannot_match_are_not_opened(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(sources, "_visible", lambda path, real=sources._visible: opened.append(path.name) or real(path))
    assert names("photos/d*/*.webp") == ["dogs/x.webp"]
    assert opened == ["photos", "dogs"]


def test_folders_are_read_while_pictures_are_used(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(sources, "_visible", lambda path, real=sources._visible: opened.append(path.name) or real(path))
    assert [s.name for s in islice(find_images(["photos"]), 2)] == ["a.PNG", "b.jpg"]
    assert opened == ["photos"]


def test_links_that_go_round_end(folder):
    os.symlink(folder / "photos", folder / "photos/cats/up")
    os.symlink(folder / "photos/dogs", folder / "photos/again")
    assert names("photos") == ["a.PNG", "again/x.webp", "b.jpg", "cats/deep/y.tif", "cats/x.webp"]


def test_a_broken_link_is_not_passed_over_in_silence(folder):
    os.symlink(folder / "gone.jpg", folder / "other/link.jpg")
    assert names("other") == ["c.bmp", "link.jpg"]


def test_the_output_folder_is_never_read(folder):
    assert names(".", exclude="photos") == ["kerasviz_out/b.jpg.gradcam.panel.png", "other/c.bmp"]
    assert "kerasviz_out/b.jpg.gradcam.panel.png" not in names(".", exclude=folder / "kerasviz_out")
    with pytest.raises(SourceError, match=r"only what lies in the output folder 'photos', .* --out"):
        names("photos/cats", exclude="photos")
    assert names("photos/cats", "photos/b.jpg", exclude="photos") == ["b.jpg"]  # a file that is named is meant
    assert names("photos", exclude="phot") == names("photos")  # a folder, not the beginning of a name


def test_the_output_folder_is_known_through_a_link(folder):
    os.symlink(folder / "kerasviz_out", folder / "photos/results")
    assert names("photos", exclude="kerasviz_out") == names("photos/*", exclude="kerasviz_out")
    assert not any("gradcam" in name for name in names("photos", exclude="kerasviz_out"))


def stdin(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input_names_one_path_a_line(folder, monkeypatch):
    stdin(monkeypatch, b"photos/b.jpg\r\n\nother/scan.dat\nnot there.jpg\n")
    assert names("-") == ["photos/b.jpg", "other/scan.dat", "not there.jpg"]
    stdin(monkeypatch, str(folder.parent / "elsewhere.png").encode())
    assert names("-") == [(folder.parent / "elsewhere.png").relative_to("/").as_posix()]


def test_names_that_are_not_utf_8_pass(folder, monkeypatch):
    stdin(monkeypatch, b"photos/caf\xe9.jpg\n")
    assert next(find_images(["-"])).path == Path(os.fsdecode(b"photos/caf\xe9.jpg"))
    try:
        Path(os.fsdecode(b"photos/caf\xe9.jpg")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    assert os.fsencode(names("photos")[2]) == b"caf\xe9.jpg"
    with pytest.raises(SourceError, match=r"There is no picture or folder 'photos/caf\\udce8.jpg'"):
        names(os.fsdecode(b"photos/caf\xe8.jpg"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "found none named"),
        (["photos/c.jpg"], r"There is no picture or folder 'photos/c.jpg'\. Did you mean 'b.jpg'"),
        (["fotos"], r"There is no picture or folder 'fotos'\. Did you mean 'photos'"),
        (["photos/*.gif"], r"that match 'photos/\*.gif', found none below 'photos'"),
        (["fotos/*.jpg"], r"no folder 'fotos' for the pattern 'fotos/\*.jpg'\. Did you mean 'photos'"),
    ],
)
def test_what_is_missing_is_said_before_any_work(folder, arguments, sentence):
    with pytest.raises(SourceError, match=sentence):
        find_images(arguments)
    assert SourceError.exit_code == 4


def test_nothing_matched_says_what_was_looked_for(folder, monkeypatch):
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match=r"Expected pictures in 'empty', found none with a known suffix \(.avif .bmp"):
        names("empty")
    stdin(monkeypatch, b"\n")
    with pytest.raises(SourceError, match="on standard input, found none"):
        names("-")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_permission_comes_as_itself(folder):
    (folder / "photos/cats").chmod(0)
    assert "cats" in names("photos")
    (folder / "photos/cats").chmod(0o755)


def test_what_an_earlier_run_drew_is_no_photograph(folder):
    (folder / "kerasviz_out" / "manifest.jsonl").write_text('{"schema": 1, "kerasviz": "0.1.0", "status": "ok"}\n')
    (folder / "photos" / "manifest.jsonl").write_text('{"image": "b.jpg"}\n')  # somebody else's
    assert not [name for name in names(".") if name.startswith("kerasviz_out")]
    assert "photos/b.jpg" in names(".")
    assert names("kerasviz_out") == ["b.jpg.gradcam.panel.png"]  # named itself, it is meant


def test_a_picture_on_standard_input_is_told_from_paths(folder, monkeypatch):
    stdin(monkeypatch, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(SourceError, match=r"found a file's content\. Name the file"):
        names("-")
