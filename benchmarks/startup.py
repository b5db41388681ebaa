"""CPU time of `import kerasviz` and of `kerasviz --help`, each in a fresh process.

Seconds are user and system time of the whole process, Python's own start included.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.timing import Contestant, race, table

_WANTED = {"import kerasviz": 0.15, "kerasviz --help": 0.5}  # seconds


def add_options(parser: argparse.ArgumentParser) -> None:
    """How often."""
    parser.add_argument("--rounds", type=int, default=15, help="how often each is started (15)")


def run(options: argparse.Namespace) -> None:
    """Print the table, and whether the times are what was promised."""
    command = Path(sysconfig.get_path("scripts")) / "kerasviz"
    started = {
        "python": [sys.executable, "-c", "pass"],
        "import kerasviz": [sys.executable, "-c", "import kerasviz"],
        "kerasviz --help": [str(command), "--help"],
        "kerasviz gradcam --help": [str(command), "gradcam", "--help"],
    }
    contestants = [Contestant(name, _cpu_seconds(arguments)) for name, arguments in started.items()]
    rows = race("CPU time", contestants, options.rounds)
    print(table(rows))
    for row in rows:
        most = _WANTED.get(row.contestant.name)
        if most is not None:
            slowest = max(row.seconds)
            print(f"{row.contestant.name}: at most {slowest:.3f} s, wanted {most} s: {_verdict(slowest <= most)}")


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _cpu_seconds(arguments: Sequence[str]) -> Callable[[], float]:
    def seconds() -> float:
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with exit code {child.returncode}.")
        return used.ru_utime + used.ru_stime

    return seconds
