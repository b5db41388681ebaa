"""TensorFlow's chatter never reaches the terminal.

Its C++ part writes to file descriptor 2 itself, some of it before any setting is read. So the
descriptor leads nowhere while a command runs, and Python's own stderr has a copy of the real one.
"""

import faulthandler
import logging
import os
import sys
import warnings


def hush() -> None:
    """From now on only this program's own words reach stderr; called before TensorFlow is imported.

    Does nothing to the descriptor where stderr is not the process's own, as under a test runner. A crash of
    the C++ part still shows where it happened.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not _is_real(sys.stderr):
        return
    sys.stderr.flush()
    real = os.dup(2)
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    sys.stderr = open(real, "w", buffering=1, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    faulthandler.enable(file=real)


def _is_real(stream: object) -> bool:
    try:
        return stream is sys.__stderr__ and stream.fileno() == 2  # type: ignore[union-attr, attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
