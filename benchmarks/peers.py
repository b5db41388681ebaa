"""Other tools beside ours: each environment is a process of its own, which times its own call when it is its turn."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.timing import Contestant

_WORKER = Path(__file__).with_name("peer_worker.py")


class Peers:
    """The peers of one environment, in a process that answers one line of JSON with another.

    Attributes:
        names: of the tools that can be imported there.
    """

    def __init__(self, python: str):
        self._python = python
        self._process = subprocess.Popen(
            [python, str(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.names: list[str] = self._ask(do="names")["names"]

    def contestants(self, technique: str, model: Path, pixels: Path, layer: str) -> list[Contestant]:
        """Who of them can explain these pictures of this model; the others are named with their error.

        Args:
            technique: `gradcam` or `saliency`.
            model: a .keras file.
            pixels: a .npy file, float32 (N, H, W, C).
            layer: whose maps Grad-CAM explains.
        """
        found = self._ask(do="prepare", technique=technique, model=str(model), pixels=str(pixels), layer=layer)
        for name, error in found["failed"].items():
            print(f"{name} {technique}: {error}", flush=True)
        return [Contestant(name, self._seconds(name)) for name in found["ready"]]

    def _seconds(self, name: str) -> Callable[[], float]:
        return lambda: self._ask(do="time", name=name)["seconds"]

    def _ask(self, **request: Any) -> dict[str, Any]:
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
