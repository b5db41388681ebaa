"""`kerasviz layers MODEL`: what `--layer` can name."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kerasviz.errors import LayerError

from . import options
from .opening import network_of
from .options import Sectioned
from .terminal import Terminal

if TYPE_CHECKING:
    from kerasviz.models.describing import LayerInfo

HEADING = ("path", "index", "type", "shape", "parameters", "sees", "every", "default")


def command() -> click.Command:
    """The command."""
    return Sectioned(
        "layers",
        callback=layers,
        help="""List every layer in the order of the calls: what --layer can name.

        SHAPE is the output without the batch axis; SEES how many pixels a cell looks at (height x width)
        and EVERY how many lie between two cells, where that is less than the whole picture and can be computed. The
        layer that is explained when none is named is marked as the default.""",
        no_args_is_help=True,
        params=[
            options.model_argument(),
            *options.model_options(),
            options.json_option("one layer a line on stdout, and nothing else"),
            *options.terminal_options(),
        ],
    )


def layers(model: str, as_json: bool, **typed: Any) -> None:
    """The table, or one line of JSON a layer."""
    terminal = click.get_current_context().ensure_object(Terminal)
    network = network_of(terminal, model, typed)
    try:
        default = network.default_layer
    except LayerError:  # a network without maps still has layers
        default = ""
    if as_json:
        from kerasviz.records import as_json as line

        for layer in network.layers:
            terminal.answer(line(asdict(layer) | {"default": layer.path == default}).decode())
        return
    terminal.table(HEADING, [row(layer, default) for layer in network.layers], numbers=("index", "parameters"))


def row(layer: "LayerInfo", default: str) -> tuple[str, ...]:
    """One line of the table."""
    field = layer.field
    return (
        layer.path,
        str(layer.index),
        layer.type,
        " x ".join("?" if size is None else str(size) for size in layer.shape),
        str(layer.parameters),
        " x ".join(map(str, field.size)) if field else "",
        " x ".join(map(str, field.step)) if field else "",
        "default" if layer.path == default else "",
    )
