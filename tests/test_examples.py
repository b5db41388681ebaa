"""The examples: each runs as it is typed, ends in a page, and shows what it says that it shows."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from kerasviz.timelines.measures import inside
from kerasviz.timelines.store import Timeline

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
pytestmark = pytest.mark.slow


def run(name, folder):
    """The log folder of an example, run in a process of its own."""
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), str(folder / "logs")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "VisualizationLogger:" not in done.stderr  # where it says what failed
    assert done.stdout.splitlines()[-1] == f"The page: {(folder / 'logs' / 'timeline.html').resolve()}"
    return Timeline(folder / "logs")


def test_every_example_has_a_test_and_says_how_it_is_run():
    names = [path.stem for path in EXAMPLES]
    assert names == ["finetune_photos", "watch_digits"]
    for path in EXAMPLES:
        assert f"\n    python examples/{path.name} [LOG_DIR]\n" in path.read_text(encoding="utf-8")


def test_evidence_gathers_on_digits(tmp_path):
    timeline = run("watch_digits", tmp_path)
    history = timeline.history()
    assert list(history.dumps) == [f"epoch_{epoch:04d}" for epoch in range(15)]
    assert history.epochs[14]["val_accuracy"] > 0.7
    page = (tmp_path / "logs" / "timeline.html").read_text(encoding="utf-8")
    assert page.count('class="frame"') == 15
    first, *_, last = (np.array(frame.measures["gradcam.true"]["inside"], float) for frame in timeline.frames())
    assert np.nanmean(last) > 0.5  # the digit takes a quarter
    assert np.nanmean(last) > np.nanmean(first) + 0.1


def test_what_speaks_for_an_animal_lies_on_the_animal(tmp_path):
    timeline = run("finetune_photos", tmp_path)
    *_, last = timeline.frames()
    assert (last.number, last.logs["accuracy"]) == (10, 1)
    photographs = json.loads((ROOT / "sample_models" / "photos" / "photos.json").read_text(encoding="utf-8"))
    boxes = {one["file"]: one["box"] for one in photographs}
    for row, cell in list(zip(timeline.layout().rows, last.cells["gradcam.true"], strict=True))[:2]:
        assert row.title == "animal"
        height, width = row.size
        x0, y0, x1, y1 = box = np.array(boxes[row.name]) / (width, height, width, height)
        placed = cv2.resize(cell.values(signed=False), (width, height))
        assert inside(placed, [box]) > 1.5 * (x1 - x0) * (y1 - y0), row.name
