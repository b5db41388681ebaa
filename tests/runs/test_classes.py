"""Which class a picture has."""

import json
from pathlib import Path

import pytest

import kerasviz as kv
from kerasviz.inputs.sources import Source
from kerasviz.runs.classes import Classes, read_classes

ROWS = [
    {"file": "a.jpg", "class_index": 281, "class_name": "tabby"},
    {"file": "sub/b.jpg", "class": "tiger cat", "box": [0, 0, 1, 1]},
    {"file": "c.jpg", "class_index": None, "class_name": None},
]
FILES = {
    "list.json": json.dumps(ROWS),
    "object.json": '{"a.jpg": 281, "sub/b.jpg": "tiger cat"}',
    "table.csv": "file,class,x0\na.jpg,281,3\nsub/b.jpg,tiger cat,4\nc.jpg,,5\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_form_says_the_same(tmp_path, name):
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    classes = read_classes(tmp_path / name)
    found = [classes.of(Source(Path("photos") / one, one)) for one in ("a.jpg", "sub/b.jpg", "c.jpg", "d.jpg")]
    assert found == [281, "tiger cat", None, None]


def test_a_file_is_known_by_its_name_below_the_folder_its_path_or_its_own_name():
    for known in ("cats/a.jpg", "photos/cats/a.jpg", "a.jpg"):
        assert Classes({known: 7}).of(Source(Path("photos/cats/a.jpg"), "cats/a.jpg")) == 7


def test_without_a_file_the_folder_is_the_class(tmp_path, monkeypatch):
    assert Classes().of(Source(Path("photos/tabby/a.jpg"), "tabby/a.jpg")) == "tabby"
    (tmp_path / "lynx").mkdir()
    monkeypatch.chdir(tmp_path / "lynx")
    assert Classes().of(Source(Path("a.jpg"), "a.jpg")) == "lynx"


@pytest.mark.parametrize("text", ["", "[]", "[1]", "{", "name,kind\na,b\n", '{"a.jpg": null}'])
def test_what_says_no_class_is_refused(tmp_path, text):
    (tmp_path / "classes").write_text(text, encoding="utf-8")
    with pytest.raises(kv.SettingError, match="Expected the classes of pictures in"):
        read_classes(tmp_path / "classes")
    with pytest.raises(kv.SettingError, match="FileNotFoundError"):
        read_classes(tmp_path / "missing")
