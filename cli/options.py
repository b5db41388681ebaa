"""The options that mean the same everywhere, and how the help shows them."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from .completing import layer_names, words
from .terminal import Terminal

MODEL, PICTURES, DRAWING, OUTPUT = "The model", "Pictures in", "Pictures out", "Output"
PATH = click.Path(readable=False, allow_dash=True)  # completes paths, and leaves every check to the library


class Said(click.Option):
    """An option that stands in a section of the help."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.section = section


class Sectioned(click.Command):
    """A command whose help shows its options in sections, and whose errors name near options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each section with its options, in the order in which they were given."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            row = param.get_help_record(ctx)
            if row is not None and isinstance(param, click.Option):
                sections.setdefault(getattr(param, "section", OUTPUT), []).append(row)
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def model_argument() -> click.Argument:
    """MODEL, a file or a SavedModel folder."""
    return click.Argument(["model"], type=PATH)


def image_argument() -> click.Argument:
    """IMAGES: files, folders, patterns, `-`."""
    return click.Argument(["images"], nargs=-1, metavar="IMAGE|FOLDER|GLOB|-...", type=PATH)


def model_options(section: str = MODEL) -> list[click.Option]:
    """How a model is opened."""
    return [
        Said(["--labels"], section=section, metavar="FILE", type=PATH, help="class names (txt, json, csv)"),
        Said(["--device"], section=section, metavar="cpu|gpu:N", help="default: the first GPU, else the CPU"),
        Said(["--trust"], section=section, is_flag=True, help="open a file that could run code or touch files"),
        Said(["--custom"], section=section, metavar="MODULE.py", type=PATH, help="the author's own layers; runs it"),
        Said(
            ["--architecture"],
            section=section,
            metavar="FILE|NAME",
            type=PATH,
            help="for weights alone: a model file, its JSON, a keras.applications name or MODULE:FUNCTION",
        ),
        Said(["--signature"], section=section, metavar="NAME", help="the function of a SavedModel that has several"),
        Said(
            ["--allow-random"],
            section=section,
            is_flag=True,
            help="take a SavedModel that answers at random: an export that keeps its augmentation",
        ),
        _size(section),
    ]


def _size(section: str) -> click.Option:
    return Said(
        ["--size"],
        section=section,
        metavar="HxW",
        help="for networks without a fixed input size; default: the photograph's, longer side at most 512",
    )


def picture_options() -> list[click.Option]:
    """How photographs become the network's input."""
    ways = ("squash", "crop", "pad")
    return [
        Said(
            ["--fit"], section=PICTURES, default="squash", metavar="|".join(ways), shell_complete=words(ways),
            show_default=True, help="how a photograph becomes the network's input size",
        ),
        Said(
            ["--preprocess"], section=PICTURES, default="auto", metavar="NAME", show_default=True,
            shell_complete=words(("auto", "none", "0..1", "-1..1", "caffe", "torch")),
            help="auto, none, 0..1, -1..1, caffe, torch or MODULE:FUNCTION: what the network was trained on",
        ),
        Said(
            ["--input", "inputs"], section=PICTURES, metavar="NAME=FILE", multiple=True,
            help="a further input of the model, .npy: one row for each picture, or one for all",
        ),
        Said(["--batch-size"], section=PICTURES, metavar="N", help="pictures at once; default: found from their size"),
        Said(
            ["--fast/--no-fast"], section=PICTURES, default=None,
            help="a copy of the network with weights baked in; default: for 200 pictures or more",
        ),
    ]  # fmt: skip


def target_options() -> list[click.Option]:
    """What is explained."""
    return [
        Said(
            ["-t", "--target"], section="What is explained", metavar="TEXT", default="auto", show_default=True,
            shell_complete=words(("auto", "top", "top3", "true", "value")),
            help="a class (281, tabby), top3, 281-285, LAYER:CHANNEL, p(CLASS), map:CLASS, value, true",
        ),
        Said(
            ["--classes"], section="What is explained", metavar="FILE", type=PATH,
            help="which class each picture has, for --target true (csv, json); default: its folder's name",
        ),
    ]  # fmt: skip


def output_options(styles: Sequence[str]) -> list[click.Option]:
    """Where to, and in which form."""
    return [
        Said(
            ["-o", "--out"], section=OUTPUT, metavar="DIR", default="kerasviz_out", show_default=True,
            type=PATH, help="the output folder",
        ),
        Said(
            ["--style", "styles"], section=OUTPUT, metavar="|".join(styles), multiple=True, default=["panel"],
            show_default=True, shell_complete=words(styles),
            help="repeatable; values writes the float32 array as .npy",
        ),
    ]  # fmt: skip


def json_option(help: str = "one record a line on stdout, and nothing else") -> click.Option:
    """`--json`."""
    return Said(["--json", "as_json"], section=OUTPUT, is_flag=True, help=help)


def terminal_options() -> list[click.Option]:
    """How much is said; they set the Terminal, and no command sees them."""
    return [
        Said(
            ["-q", "--quiet"], section=OUTPUT, is_flag=True, expose_value=False, callback=_set("quiet"),
            help="no progress, no warnings",
        ),
        Said(
            ["-v", "--verbose"], section=OUTPUT, count=True, expose_value=False, callback=_set("verbose"),
            help="let TensorFlow's own words through; -vv shows tracebacks",
        ),
        Said(
            ["--no-color"], section=OUTPUT, is_flag=True, expose_value=False, callback=_set("plain"),
            help="no colours; NO_COLOR does the same",
        ),
    ]  # fmt: skip


def layer_completion() -> Callable[..., Any]:
    """Layers of the model that stands on the line, as far as its file tells them without TensorFlow."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        # click stops at the option that still lacks its value, and leaves the words before it in args
        return layer_names(ctx.params.get("model") or next(iter(ctx.args), ""), incomplete)

    return complete


def _set(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(Terminal), attribute, value)

    return set
