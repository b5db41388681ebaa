"""`python -m benchmarks NAME [options]`: one file a question, one table an answer."""

import argparse
import os

from benchmarks import callback, engines, opening, startup

BENCHMARKS = {"engines": engines, "startup": startup, "opening": opening, "callback": callback}


def main() -> None:
    """Run the benchmark that was named, or list what there is."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What kerasviz costs.")
    names = parser.add_subparsers(dest="name", metavar="NAME", title="benchmarks")
    for name, module in BENCHMARKS.items():
        said = (module.__doc__ or "").strip()
        module.add_options(names.add_parser(name, help=said.splitlines()[0], description=said))
    options = parser.parse_args()
    if options.name is None:
        parser.print_help()
    else:
        BENCHMARKS[options.name].run(options)


main()
