"""`kerasviz replay PICTURE`: the command that makes a picture again."""

import click

from .options import PATH, Sectioned, json_option, terminal_options
from .terminal import Terminal


def command() -> click.Command:
    """The command."""
    return Sectioned(
        "replay",
        callback=replay,
        help="Print the command that makes a picture again, from the record that it carries.",
        no_args_is_help=True,
        params=[
            click.Argument(["picture"], type=PATH),
            json_option("the record itself, as one line"),
            *terminal_options(),
        ],
    )


def replay(picture: str, as_json: bool) -> None:
    """The command line, or the record, of a PNG that kerasviz wrote."""
    from kerasviz.records import as_json as line
    from kerasviz.records import command_of, read_recipe

    terminal, record = click.get_current_context().ensure_object(Terminal), read_recipe(picture)
    options = record.get("options") or {}
    risky = [f"--{name}" for name in ("trust", "custom") if name in options]
    risky += ["--architecture"] if ":" in str(options.get("architecture", "")) else []
    if risky and not as_json:
        terminal.warn(f"The command has {' and '.join(risky)}, which runs code: type it only if you trust the picture.")
    terminal.answer(line(record).decode() if as_json else command_of(record))
