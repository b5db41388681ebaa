"""The program as a process of its own: what reaches which stream, Ctrl-C, a reader that stops reading."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import picture, tiny_model

WORDS = [sys.executable, "-c", "from kerasviz_cli.main import main; main()"]


def start(folder, *words, **streams):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_CPP")}
    kept = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen([*WORDS, *words], cwd=folder, env=environment, preexec_fn=_heed_ctrl_c, **kept)


def _heed_ctrl_c() -> None:
    """Even where the tests themselves run in the background, and so with Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("process")
    tiny_model(folder)
    for number in range(2):
        picture(folder / "photos" / f"{number}.png", number)
    return folder


def test_tensorflows_chatter_stays_away_unless_it_is_wanted(folder):
    quiet = start(folder, "gradcam", "tiny.keras", "photos/0.png")
    loud = start(folder, "layers", "tiny.keras", "-v")
    out, error = quiet.communicate(timeout=120)
    assert (out, error, quiet.returncode) == (b"kerasviz_out/0.png.gradcam.panel.png\n", b"", 0)
    _, chatter = loud.communicate(timeout=120)
    assert b"oneDNN" in chatter or b"TensorFlow" in chatter


def test_errors_reach_stderr_through_the_hush(folder):
    process = start(folder, "gradcam", "tiny.keras", "photos/0.png", "-l", "nothing")
    out, error = process.communicate(timeout=120)
    assert (out, process.returncode) == (b"", 2)
    assert error.decode().startswith("Error: The network has no layer 'nothing'.")


def test_ctrl_c_keeps_and_records_what_was_finished(folder):
    process = start(folder, "saliency", "tiny.keras", "-", "-o", "stopped", "--batch-size", "1", stdin=subprocess.PIPE)
    # more lines than are looked at before the first is read, and then a reader that waits for more
    process.stdin.write(b"photos/0.png\n" * 204)
    process.stdin.flush()
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"Interrupted." in error
    assert (folder / first.decode().strip()).is_file()
    assert (folder / "stopped" / "manifest.jsonl").read_text().count('"status": "ok"') >= 1
    assert [path for path in (folder / "stopped").iterdir() if path.name.endswith(".part")] == []


def test_a_bar_is_drawn_where_a_person_looks_and_stdout_stays_clean(folder):
    master, slave = pty.openpty()
    process = start(folder, "predict", "tiny.keras", "photos", "--json", stderr=slave)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        seen += part
    out, _ = process.communicate(timeout=120)
    os.close(master)
    assert process.returncode == 0
    assert b"2/2" in seen
    assert [line[:1] for line in out.splitlines()] == [b"{", b"{"]
