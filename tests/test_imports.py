"""What starts quickly stays quick: a fresh interpreter lists which heavy modules were imported."""

import os
import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "tf_keras", "cv2", "numpy", "PIL", "h5py", "rich", "sklearn", "jinja2")


def imported_by(code):
    """(heavy packages, CPU seconds) of a fresh interpreter."""
    program = f"""
import os, sys
try:
    {code}
except SystemExit:
    pass
used = sum(os.times()[:2])
packages = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(packages & set({HEAVY!r})), used, file=sys.stderr)
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert answer.returncode == 0, answer.stderr
    found, _, seconds = answer.stderr.strip().splitlines()[-1].rpartition(" ")
    return set(eval(found)), float(seconds)


def command(*words):
    return f"from kerasviz_cli.main import main; main({list(words)!r})"


def test_the_package_imports_nothing_heavy():
    assert imported_by("import kerasviz")[0] == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["layers", "--help"], ["predict", "--help"]])
def test_help_imports_nothing_heavy(words):
    assert imported_by(command(*words))[0] == set()


@pytest.mark.parametrize("technique", ["gradcam", "activations"])
def test_the_help_of_a_technique_leaves_tensorflow_alone_and_is_quick(technique):
    packages, seconds = imported_by(command(technique, "--help"))
    assert packages <= {"numpy", "cv2", "PIL"}
    assert seconds < 0.5
