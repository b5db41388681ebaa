"""From the command line to the first pixel: what of it is TensorFlow's import, Keras' own opening, and ours.

For each kind of model file three processes are started in turns: one that only imports TensorFlow and the Keras that
opens the file; one that also opens it and calls it once; and `kerasviz gradcam MODEL PHOTO`. `first pixel` is the wall
clock's time until its first picture lies in the folder. The other seconds are processors' time, in which nothing else
that the machine does has a part: medians of the rounds. `ours` is what the command takes beyond opening and calling by
hand: looking the file through, reading and fitting the photograph, tracing the network with its gradient, drawing. Its
share is that of the whole command.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.opening_worker import FILES, SIZES

_WANTED = 0.25  # of the whole: ours at most
_PHOTO = Path(__file__).parents[1] / "sample_models" / "photos" / "astronaut.jpg"
_HEAD = ("network", "file", "first pixel, s", "all", "import", "opening", "ours", "import", "ours", "wanted")


def add_options(parser: argparse.ArgumentParser) -> None:
    """How often, and which."""
    parser.add_argument("--rounds", type=int, default=5, help="how often each is started (5)")
    parser.add_argument("--only", choices=SIZES, action="append", help="this network alone")


def run(options: argparse.Namespace) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("writing the model files", file=sys.stderr, flush=True)
        _seconds([*_worker(), "make", name, *(options.only or SIZES)])
        lines = [_HEAD]
        for network in options.only or SIZES:
            for kind, (file, _) in FILES.items():
                print(f"{network}, {kind}", file=sys.stderr, flush=True)
                lines.append((network, kind, *_cells(_measured(kind, folder / file.format(network), options.rounds))))
    widths = [max(len(line[k]) for line in lines) for k in range(len(_HEAD))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _measured(kind: str, model: Path, rounds: int) -> tuple[float, float, float, float]:
    """Seconds of the import, of opening by hand, of the command, and until its first pixel: medians.

    A round before them, which is not counted, warms the disk.
    """
    times: list[tuple[float, float, float, float]] = []
    for _ in range(rounds + 1):
        bare = _seconds([*_worker(), "import", kind])
        by_hand = _seconds([*_worker(), "open", kind, str(model)])
        times.append((bare, by_hand, *_command(model)))
    bare, by_hand, whole, first = (median(column) for column in zip(*times[1:], strict=True))
    return bare, by_hand, whole, first


def _cells(measured: tuple[float, float, float, float]) -> tuple[str, ...]:
    bare, by_hand, whole, first = measured
    ours = whole - by_hand
    verdict = f"<= {_WANTED:.0%} {'met' if ours <= _WANTED * whole else 'MISSED'}"
    seconds = (first, whole, bare, by_hand - bare, ours)
    return (*(f"{value:.2f}" for value in seconds), f"{bare / whole:.0%}", f"{ours / whole:.0%}", verdict)


def _worker() -> list[str]:
    return [sys.executable, "-m", "benchmarks.opening_worker"]


def _seconds(arguments: list[str]) -> float:
    """Processors' seconds of a process."""
    return _ended(subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), arguments)


def _ended(child: "subprocess.Popen[bytes]", arguments: list[str]) -> float:
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with exit code {child.returncode}.")
    return used.ru_utime + used.ru_stime


def _command(model: Path) -> tuple[float, float]:
    """Processors' seconds of the command, and the wall clock's from its start until a picture has its name."""
    command = Path(sysconfig.get_path("scripts")) / "kerasviz"
    with tempfile.TemporaryDirectory() as out:
        arguments = [str(command), "gradcam", str(model), str(_PHOTO), "--preprocess", "0..1", "--out", out]
        start = first = time.perf_counter()
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            first = time.perf_counter()
            if any(name.endswith(".png") for name in os.listdir(out)):
                break
            time.sleep(0.01)
        return _ended(child, arguments), first - start
