"""What `kv.VisualizationLogger` costs a training, and beside it what other callbacks cost.

held: how long the training waits for a dump beyond the engine's own passes. share: wall time of a fine-tuning with a
dump after each epoch, writing included, over that of the epochs without one that lie between them; and what a dump
takes by itself, of an epoch in which all processors are busy, for machines that others use meanwhile. others: a small
training with each callback in a process of its own: time, memory, graphs traced. tf-explain takes part where it and
the package tensorboard are installed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.callback_worker import CONTESTANTS, HEAD

_PARTS = ("held", "share", "others")
_HELD, _SHARE = 0.010, 1.02  # wanted: seconds a dump; times the training without


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which parts, how many pictures, how long."""
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=[*_PARTS], help="default: all")
    parser.add_argument("--pictures", type=int, default=16, help="how many are looked at (16)")
    parser.add_argument("--dumps", type=int, default=50, help="held: so many (50)")
    parser.add_argument("--pause", type=float, default=3.0, help="held: seconds of training between dumps (3)")
    parser.add_argument("--epoch", type=float, default=32.0, help="share: seconds of an epoch (32)")
    parser.add_argument("--rounds", type=int, default=10, help="share: epochs with a dump that are counted (10)")
    parser.add_argument("--epochs", type=int, default=50, help="others: epochs, a dump after each (50)")
    parser.add_argument(
        "--peers-python", default=sys.executable, metavar="PYTHON", help="others: with kerasviz and tf-explain"
    )


def run(options: argparse.Namespace) -> None:
    """Print what each part found."""
    parts = {"held": _held, "share": _share, "others": _others}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.parts:
            print("\n".join(parts[name](options, Path(folder) / name)), flush=True)


def _held(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    from benchmarks.trainings import GradCAM, HeldBeside, epoch_of, fine_tuning, photographs

    model = fine_tuning()
    logger = HeldBeside(GradCAM(), photographs(options.pictures), folder)
    model.fit(epoch_of(model, options.pause), epochs=options.dumps, shuffle=False, verbose=0, callbacks=[logger])
    beyond = median(logger.beyond)
    yield f"{options.dumps} dumps of Grad-CAM, {options.pictures} photographs, {options.pause:g} s of training between"
    yield f"the engine's own passes: {_milliseconds(logger.own)}"
    yield f"the training is held beyond them: {_milliseconds(logger.beyond)}, wanted <= {_HELD * 1000:g} ms: " + (
        _verdict(beyond <= _HELD)
    )


def _share(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    from benchmarks.trainings import Alone, InTurns, epoch_of, fine_tuning, photographs

    model = fine_tuning()
    pictures = photographs(options.pictures)
    alone = Alone(pictures, folder / "alone")
    model.fit(epoch_of(model, 1), epochs=options.rounds, shuffle=False, verbose=0, callbacks=[alone])
    data = epoch_of(model, options.epoch)
    logger = InTurns(pictures, folder / "turns")
    model.fit(data, epochs=2 * options.rounds + 3, shuffle=False, verbose=0, callbacks=[logger])
    wall, processors = logger.ratios()
    without = median(spent.wall for spent in logger.epochs[::2])
    yield f"every=1, {options.pictures} photographs, a fine-tuning with epochs of {without:.1f} s"
    held = median(spent.wall for spent in alone.passes)
    written, cores = median(spent.processors for spent in alone.written), os.cpu_count() or 1
    bound = 100 * (held + written / cores) / without
    yield f"a dump alone: {held:.2f} s of passes, {written:.2f} s of a processor beside: {bound:.1f} % of an epoch"
    yield f"wall time with a dump over without: {_ratios(wall)}, wanted <= {_SHARE}: {_verdict(median(wall) <= _SHARE)}"
    yield f"the same of all processors' time: {_ratios(processors)}"
    yield f"once: {logger.start:.1f} s for the first pictures, which trace; {logger.end:.1f} s at the end"


def _others(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    yield f"{options.epochs} epochs of a small training, {options.pictures} pictures after each"
    lines = [HEAD]
    for name in CONTESTANTS:
        print(f"others: {name}", file=sys.stderr, flush=True)
        numbers = [str(number) for number in (options.epochs, options.pictures)]
        out = folder / name.replace(" ", "-")
        command = [options.peers_python, "-m", "benchmarks.callback_worker", name, *numbers, str(out)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
        if done.returncode:
            yield f"{name}: {done.stderr.strip().splitlines()[-1]}"
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        lines.append((name, *(found[key] for key in HEAD[1:])))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    for name, *numbers in lines:
        yield "  ".join([name.ljust(widths[0]), *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True))])


def _milliseconds(seconds: Sequence[float]) -> str:
    low, middle, high = (1000 * value for value in (min(seconds), median(seconds), max(seconds)))
    return f"median {middle:.1f} ms ({low:.1f} .. {high:.1f})"


def _ratios(values: Sequence[float]) -> str:
    return f"median {median(values):.4f} ({min(values):.3f} .. {max(values):.3f}, {len(values)} epochs)"


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"
