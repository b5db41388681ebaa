"""`kerasviz timeline LOG_DIR`: everything again from what is there, without TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from log_folders import CAM, COLUMNS, log_folder, row
from tiny import shell

from kerasviz.timelines.layout import Layout
from kerasviz.timelines.store import Timeline


@pytest.fixture
def log(tmp_path):
    """A log folder of three dumps, two pictures and one technique."""
    log_folder(tmp_path / "log", 3, columns=[CAM])
    return tmp_path / "log"


def there(log):
    return {path for path in [log / "timeline.html", *(log / "timeline").rglob("*")] if path.is_file()}


def test_page_strips_and_animations_are_made_again(log):
    first = shell("timeline", log)
    assert (first.exit_code, first.stderr) == (0, "")
    paths = [Path(line) for line in first.stdout.splitlines()]
    assert paths[0] == log / "timeline.html"
    assert set(paths) == there(log)
    assert [path.name for path in paths[1:]] == [
        "bee.jpg.gradcam.strip.png", "bee.jpg.gradcam.animation.webp",
        "red.jpg.gradcam.strip.png", "red.jpg.gradcam.animation.webp",
    ]  # fmt: skip
    for path in paths:
        path.unlink()
    assert shell("timeline", log).stdout == first.stdout
    assert there(log) == set(paths)


@pytest.mark.parametrize(
    ("options", "endings"),
    [
        (["--animation", "none"], {".html", ".png"}),
        (["--no-strips"], {".html", ".webp"}),
        (["--animation", "gif", "--no-strips"], {".html", ".gif"}),
        (["--animation=none", "--no-strips"], {".html"}),
    ],
)
def test_only_what_was_asked_for_is_made(log, options, endings):
    answer = shell("timeline", log, *options)
    assert answer.exit_code == 0
    assert {Path(line).suffix for line in answer.stdout.splitlines()} == endings
    assert {path.suffix for path in there(log)} == endings


def test_json_has_a_line_for_each_file(log):
    lines = [json.loads(line) for line in shell("timeline", log, "--json", "--animation=none").stdout.splitlines()]
    assert lines == [
        {"path": str(log / "timeline.html"), "kind": "page"},
        *(
            {"path": str(log / "timeline" / f"{image}.gradcam.strip.png"), "kind": "strip", "image": image,
             "column": "gradcam", "dumps": 3}
            for image in ("bee.jpg", "red.jpg")
        ),
    ]  # fmt: skip


def test_a_folder_that_is_no_log_folder_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        answer = shell("timeline", folder)
        assert (answer.exit_code, answer.stdout) == (4, "")
        assert answer.stderr.startswith(
            "Error: Expected the log folder of a VisualizationLogger, found no 'layout.json'"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--animation", "wepb"], "Expected animation as webp, gif, mp4 or none, found 'wepb'. Did you mean 'webp'?"),
        (["--strips"], "There is no option '--strips'. Did you mean '--no-strips'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_any_work(log, options, sentence):
    answer = shell("timeline", log, *options)
    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"Error: {sentence}")
    assert not there(log)


def test_mp4_without_its_package_says_what_to_install(log, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as where it was never installed
    answer = shell("timeline", log, "--animation", "mp4")
    assert answer.exit_code == 2
    assert "pip install 'kerasviz[video]'" in answer.stderr
    assert not there(log)


def test_what_cannot_be_written_says_so(log):
    (log / "timeline").write_text("in the way")
    answer = shell("timeline", log)
    assert answer.exit_code == 4
    assert "cannot be written" in answer.stderr


def test_a_training_before_its_first_dump_has_a_page_and_a_warning(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.keep(Layout("tiny", [row()], COLUMNS))
    timeline.begin(0, 0)
    answer = shell("timeline", tmp_path)
    assert (answer.exit_code, answer.stdout) == (0, f"{tmp_path / 'timeline.html'}\n")
    assert answer.stderr.startswith("Warning: There are no pictures yet")


def test_tensorflow_is_not_imported(log):
    program = (
        f"import sys; from kerasviz_cli.main import main\ntry:\n    main(['timeline', {str(log)!r}])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'tf_keras'}, file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ})
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.splitlines()[-1] == "set()"
    assert there(log)


def test_ctrl_c_keeps_what_was_finished(log, monkeypatch):
    import kerasviz.timelines.films as films

    written = films.Cutting.write_animation

    def interrupted(self, *args):
        if self.number == 1:
            raise KeyboardInterrupt
        return written(self, *args)

    monkeypatch.setattr(films.Cutting, "write_animation", interrupted)
    answer = shell("timeline", log)
    assert answer.exit_code == 130
    assert "Interrupted. Files that were finished: 4; they are kept in" in answer.stderr
    assert {Path(line) for line in answer.stdout.splitlines()} == there(log)
