"""The timeline's page as a file: what stands in it, and that nothing can break out of its place."""

import base64
import hashlib
import json
import re
import tracemalloc
from html.parser import HTMLParser

import numpy as np
import pytest
from log_folders import CAM, COLUMNS, PICTURE, cell, frame, log_folder, row

from kerasviz.errors import OutputError, SourceError
from kerasviz.pages.material import embedded
from kerasviz.pages.timeline import write_page
from kerasviz.pictures.colormaps import table
from kerasviz.timelines.frames import Cell
from kerasviz.timelines.store import Timeline

HOSTILE = '</script><img src=x onerror="alert(1)"><!--<script> \'quotes" & 한국 \u2028'


class Reader(HTMLParser):
    """Every tag with its attributes, and the text of each script and style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.ended = [], [], True
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.texts.append("")
        self.ended = False

    def handle_endtag(self, tag):
        self.ended = True

    def handle_data(self, data):
        if not self.ended:
            self.texts[-1] += data

    def inside(self, tag, **wanted):
        return [
            text
            for (name, attributes), text in zip(self.tags, self.texts, strict=True)
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        ]


def read(timeline, **options):
    path = write_page(timeline, **options)
    assert path == timeline.folder / "timeline.html"
    return Reader(path.read_text(encoding="utf-8"))


def frames(page):
    return [json.loads(text) for text in page.inside("script", **{"class": "frame"})]


def summary(page):
    return json.loads(*page.inside("script", id="summary"))


def test_every_dump_stands_in_the_page_as_it_lies_on_the_disk(tmp_path):
    timeline = log_folder(tmp_path, 3, every=5)
    page = read(timeline)
    texts = page.inside("script", **{"class": "frame"})
    assert texts == [(tmp_path / f"epoch_{n:04d}" / "frame.json").read_text() for n in (0, 5, 10)]
    assert json.loads(*page.inside("script", id="layout")) == json.loads((tmp_path / "layout.json").read_text())
    found = summary(page)
    assert [dump["folder"] for dump in found["dumps"]] == ["epoch_0000", "epoch_0005", "epoch_0010"]
    assert [dump["x"] for dump in found["dumps"]] == [0, 5, 10]
    assert found["epochs"] == list(range(1, 11))
    assert found["limits"]["cam"] == [1.0, 1.0]  # the largest of all dumps
    assert found["chances"][0] == pytest.approx([0, 1 / 3, 1 / 2])
    assert [plot["title"] for plot in found["plots"]] == ["Moved", "Loss", "Accuracy"]


def test_colours_are_those_of_the_pictures(tmp_path):
    tables = summary(read(log_folder(tmp_path, 1)))["tables"]
    assert set(tables) == {"inferno", "rdbu", "ink", "grey"}
    for name, text in tables.items():
        np.testing.assert_array_equal(np.frombuffer(base64.b64decode(text), np.uint8).reshape(256, 3), table(name))


def test_names_of_strangers_stay_names(tmp_path):
    def hostile(column, number, k):
        return cell(column, number, k, note=HOSTILE)

    columns = [*COLUMNS, PICTURE.__class__(**{**vars(PICTURE), "key": HOSTILE, "title": HOSTILE, "words": HOSTILE})]
    timeline = log_folder(
        tmp_path,
        2,
        rows=[row(HOSTILE, HOSTILE, boxes=[(0, 0, 1, 1)])],
        columns=columns,
        make=lambda column, number, k: None if column.kind == "picture" else hostile(column, number, k),
        model=HOSTILE,
    )
    timeline.epoch(2, {HOSTILE: 1.0, "loss": 0.5})
    page, harmless = read(timeline), read(log_folder(tmp_path / "harmless", 2, rows=[row(boxes=[(0, 0, 1, 1)])]))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.inside("title") == [f"Timeline of {HOSTILE}"]
    assert frames(page)[0]["cells"]["gradcam"][0]["note"] == HOSTILE
    assert HOSTILE in [plot["title"].replace("_", " ") for plot in summary(page)["plots"]]


def test_the_policy_allows_this_style_and_this_script_only(tmp_path):
    page = read(log_folder(tmp_path, 1))
    (rules,) = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert rules.startswith("default-src 'none'; img-src data: blob:;")
    script = page.inside("script")[-1]
    for kind, text in (("style", *page.inside("style")), ("script", script)):
        found = re.search(rf"{kind}-src '([^']+)'", rules)[1]
        assert found == "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert "</" not in script
    assert "<!--" not in script
    assert not re.search(
        r"\bhref=|\bsrc=|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", script + page.inside("style")[0]
    )


def test_json_keeps_its_meaning():
    assert json.loads(embedded(json.dumps({"a<b": HOSTILE}))) == {"a<b": HOSTILE}
    assert "<" not in embedded(json.dumps(HOSTILE))


def test_dumps_that_are_gone_or_broken_are_counted_and_left_out(tmp_path):
    timeline = log_folder(tmp_path, 6)
    (tmp_path / "epoch_0001" / "frame.json").unlink()
    (tmp_path / "epoch_0002" / "frame.json").write_text('{"cells": ')
    (tmp_path / "epoch_0003" / "frame.json").write_text('{"cells": {}, "standings": [NaN, NaN]}')
    (tmp_path / "epoch_0004" / "frame.json").write_text('{"cells": [], "standings": 3}')
    with open(tmp_path / "timeline.jsonl", "a") as journal:
        line = '{"kind": "dump", "folder": "%s", "unit": "epoch", "number": 9, "epoch": 9, "step": 90, "why": "end"}\n'
        journal.write(line % "../epoch_0000" + line % "epoch_0009" + line.replace("90", '"many"') % "epoch_0000x")
    page = read(timeline)
    assert [one["epoch"] for one in frames(page)] == [0, 5]
    assert [dump["folder"] for dump in summary(page)["dumps"]] == ["epoch_0000", "epoch_0005"]
    assert summary(page)["gone"] == 6  # a line that is no dump at all is passed over
    assert [len(curve) for curve in summary(page)["chances"]] == [2, 2]


def test_a_page_without_dumps_is_a_page(tmp_path):
    assert summary(read(log_folder(tmp_path, 0)))["dumps"] == []


def test_a_training_that_goes_on_says_so(tmp_path):
    timeline = log_folder(tmp_path, 1)
    live = read(timeline, live=True)
    assert [text.strip() for text in live.inside("span", id="live")] == ["training"]
    assert summary(live)["live"] is True
    done = read(timeline)
    assert done.inside("span", id="live") == []
    assert summary(done)["live"] is False


def test_a_long_training_takes_no_more_memory(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3)).astype(np.uint8)
    timeline = log_folder(tmp_path, 1, rows=[row()], columns=[PICTURE], make=lambda *_: Cell(picture=noise))
    for number in range(1, 120):
        timeline.add(frame(number, number, [row()], [CAM], lambda *_: None))
        (tmp_path / f"epoch_{number:04d}" / "frame.json").write_bytes((tmp_path / "epoch_0000/frame.json").read_bytes())
    write_page(timeline)
    tracemalloc.start()
    path = write_page(timeline)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(frames(Reader(path.read_text()))) == 120
    assert peak < path.stat().st_size / 8


def test_the_page_is_there_whole_or_as_it_was(tmp_path):
    timeline = log_folder(tmp_path, 1)
    (tmp_path / "timeline.html" / "in the way").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"timeline\.html' cannot be written .*Make room"):
        write_page(timeline)
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("layout", [None, "[]", '{"rows": [], "columns": 3}', '{"rows": NaN}', "{"])
def test_a_folder_that_is_no_timeline_is_refused(tmp_path, layout):
    if layout:
        (tmp_path / "timeline.jsonl").write_text("")
        (tmp_path / "layout.json").write_text(layout)
    with pytest.raises(SourceError, match=r"^Expected .*, found .*"):
        write_page(Timeline(tmp_path))
    assert not (tmp_path / "timeline.html").exists()
