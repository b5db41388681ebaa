"""Thousands of damaged files: each is refused in a sentence or opened; nothing crashes, hangs or fills the memory."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from model_mutations import SOURCES

TESTS = Path(__file__).parents[1]
MUTANTS = 2000
OPENED = 150  # at most so many of those that pass are opened
LIMIT = 30  # processors' seconds for one file: what else the machine does has no part in them
MEMORY = 4 << 10  # megabytes

LOOKING = r"""
import json, shutil, signal, sys
from model_mutations import mutant
from kerasviz.models.scanning import scan
from kerasviz.models.sniffing import sniff
folder, count, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
outcomes = {}
for number in range(count):
    path, what = mutant(number, folder)
    signal.setitimer(signal.ITIMER_PROF, limit)  # ends the process: it hangs
    kind = sniff(path)
    found = scan(path, kind.kind) if kind.opener else []
    signal.setitimer(signal.ITIMER_PROF, 0)
    outcomes[number] = what, kind.kind, found[0].rule if found else "passes" if kind.opener else "refused"
    if found or not kind.opener:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
print(json.dumps([outcomes, int(most) >> 10, sorted({"tensorflow", "keras", "tf_keras"} & set(sys.modules))]))
"""

OPENING = r"""
import json, os, resource, signal, sys, warnings
warnings.simplefilter("ignore")
answers = os.fdopen(os.dup(1), "w")
resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))  # the machine survives what the test would find
import kerasviz as kv
import keras, tensorflow, tf_keras
for line in sys.stdin:
    signal.setitimer(signal.ITIMER_PROF, int(sys.argv[1]))  # ends the process: it hangs
    try:
        network = kv.open(line.strip(), preprocess="none", allow_random=True)
        outcome = f"opens, {len(network.layers)} layers"
    except kv.KerasvizError as error:
        outcome = f"{type(error).__name__}: {error}"
    except BaseException as error:
        outcome = f"TRACEBACK {type(error).__name__}: {error}"
    signal.setitimer(signal.ITIMER_PROF, 0)
    most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
    print(json.dumps([outcome, int(most) >> 10]), file=answers, flush=True)
"""


def environment():
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}


class Worker:
    """A process that opens one file after the other; another takes its place when it fails."""

    def __init__(self):
        self._start()

    def _start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPENING, str(LIMIT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=environment(),
        )  # fmt: skip

    def opened(self, path):
        """(what became of it, megabytes at most so far)."""
        watch = threading.Timer(20 * LIMIT, self.process.kill)  # it waits, and takes no time for it
        watch.start()
        print(path, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        watch.cancel()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self._start()
        return ("HANGS" if code == -signal.SIGPROF else f"CRASHES with {code}"), 0

    def end(self):
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """What each mutant was found to be, by one process without TensorFlow; those that pass lie in the folder."""
    folder = tmp_path_factory.mktemp("mutants")
    done = subprocess.run(
        [sys.executable, "-c", LOOKING, str(folder), str(MUTANTS), str(LIMIT)],
        capture_output=True, text=True, timeout=3000, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes, most, loaded = json.loads(done.stdout)
    assert loaded == []
    return folder, {int(number): outcome for number, outcome in outcomes.items()}, most


@pytest.mark.slow
def test_mutants_end_in_a_kind_or_a_finding(looked):
    _, outcomes, most = looked
    assert len(outcomes) == MUTANTS
    assert most < 500  # megabytes
    found = Counter(rule for _, _, rule in outcomes.values())
    assert {"passes", "refused", "broken:file", "broken:config", "bomb:config", "code:class"} <= set(found)
    assert {what.split()[0].split("/")[0] for what, _, _ in outcomes.values()} == set(SOURCES)


@pytest.mark.slow
def test_mutants_that_pass_open_or_are_refused_in_a_sentence(looked):
    folder, outcomes, _ = looked
    passed = [number for number, (_, _, rule) in outcomes.items() if rule == "passes"]
    chosen = passed[:: -(-len(passed) // OPENED)]
    assert len(chosen) > OPENED // 3
    worker, seen = Worker(), {}
    for number in chosen:
        outcome, most = worker.opened(next(folder.glob(f"{number}.*")))
        seen[f"{number} {outcomes[number][0]}"] = outcome if most < MEMORY else f"TAKES {most} MB, {outcome}"
    worker.end()
    bad = {what: said for what, said in seen.items() if said.startswith(("TRACEBACK", "HANGS", "CRASHES", "TAKES"))}
    assert bad == {}
    assert {said.split(" ")[0] for said in seen.values()} >= {"opens,", "ModelError:"}
    assert all(said.endswith((".", "?", ".)")) for said in seen.values() if not said.startswith("opens"))
