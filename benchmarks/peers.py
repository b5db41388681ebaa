"""Other tools beside ours: in this process where they are installed beside kerasviz, else in one of their own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peer_worker import Worker
from benchmarks.timing import Contestant

_WORKER = Path(__file__).with_name("peer_worker.py")


class Here:
    """Answers as `peer_worker.py` does, for the tools of this environment.

    In one process all share the heap and the thread pool of TensorFlow: two processes that do the very same differ
    by some hundredths, and that is more than lies between the tools where all of them compile one pass.
    """

    def __init__(self) -> None:
        self._worker = Worker()

    def ask(self, **request: Any) -> dict[str, Any]:
        """The worker's answer."""
        return getattr(self._worker, request.pop("do"))(**request)

    def close(self) -> None:
        """Forget the model and all that was compiled for it."""
        self._worker = Worker()


class Elsewhere:
    """The tools of another environment, in a process that answers one line of JSON with another."""

    def __init__(self, python: str):
        self._python = python
        self._process = subprocess.Popen(
            [python, str(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """The process's answer.

        Raises:
            SystemExit: it has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"The process '{self._python} {_WORKER.name}' has ended. Run it by hand to see why.")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def contestants(place: Here | Elsewhere, technique: str, model: Path, pixels: Path, layer: str) -> list[Contestant]:
    """Who can explain these pictures of this model there; the others are named with their error.

    Args:
        place: where the tools are installed.
        technique: `gradcam` or `saliency`.
        model: a .keras file.
        pixels: a .npy file, float32 (N, H, W, C).
        layer: whose maps Grad-CAM explains.
    """
    found = place.ask(do="prepare", technique=technique, model=str(model), pixels=str(pixels), layer=layer)
    for name, error in found["failed"].items():
        print(f"{name} {technique}: {error}", flush=True)
    return [Contestant(name, _seconds(place, name)) for name in found["ready"]]


def _seconds(place: Here | Elsewhere, name: str) -> Callable[[], float]:
    return lambda: place.ask(do="time", name=name)["seconds"]
