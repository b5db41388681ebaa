"""`kerasviz`: a lazy group. A command's module is imported when the command is used, TensorFlow when it runs."""

import importlib
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

import kerasviz
from kerasviz.errors import KerasvizError, near
from kerasviz.registry import MODEL, PIXELS, TECHNIQUES, Technique

from .terminal import Terminal

BELIEF = "Can I believe it?"
BROWSER = "In the browser"
GROUPS = (MODEL, PIXELS, BELIEF, BROWSER)


@dataclass(frozen=True)
class Own:
    """A command that is not a technique: it lives in the module of its name."""

    name: str
    group: str
    summary: str

    def load(self) -> click.Command:
        """Imports its module."""
        return importlib.import_module(f".{self.name}", __package__).command()


OWN = (
    Own("doctor", MODEL, "what a model is, whether it is safe, what fits it, what it says of pictures"),
    Own("layers", MODEL, "every layer: path, type, shape, parameters, what its cells see"),
    Own("predict", MODEL, "the first classes of each picture, and how sure the network is"),
    Own("replay", BELIEF, "the command that makes a picture again"),
    Own("timeline", BROWSER, "page, strips and animations of a training, from its log folder"),
)
COMMANDS: dict[str, Own | Technique] = {entry.name: entry for entry in (*OWN, *TECHNIQUES)}


class Commands(click.Group):
    """The group; it answers for every error, so that each is one sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order of the groups."""
        return [entry.name for group in GROUPS for entry in COMMANDS.values() if entry.group == group]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command, imported now."""
        entry = COMMANDS.get(name)
        if isinstance(entry, Technique):
            from .from_engine import command

            return command(entry)
        return entry.load() if entry else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """As click does, with near names where there is no such command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(
                f"There is no command {args[0]!r}.{near(args[0], COMMANDS)} 'kerasviz --help' lists them all.", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The groups with one line a command; nothing is imported for it."""
        for group in GROUPS:
            rows = [(entry.name, entry.summary) for entry in COMMANDS.values() if entry.group == group]
            with formatter.section(group):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Names of commands, without importing them."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(e.name, help=e.summary) for e in COMMANDS.values() if e.name.startswith(incomplete)]
        return found or click.Command.shell_complete(self, ctx, incomplete)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run a command and leave the process with its exit code."""
        os.environ["KERAS_BACKEND"] = "tensorflow"
        terminal = Terminal()
        extra = {name: value for name, value in extra.items() if name != "standalone_mode"}
        try:
            code = super().main(args, prog_name or "kerasviz", standalone_mode=False, **{"obj": terminal, **extra})
        except (click.exceptions.Abort, KeyboardInterrupt):
            code = 130
        except BrokenPipeError:  # `| head` has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in the buffer
            code = 0
        except Exception as error:
            code = explain_error(terminal, error)
        sys.exit(code if isinstance(code, int) else 0)


def explain_error(terminal: Terminal, error: Exception) -> int:
    """The sentence on stderr, the traceback with -vv; the exit code."""
    if terminal.verbose > 1:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if isinstance(error, KerasvizError):
        terminal.error(str(error).replace("kerasviz layers MODEL", f"kerasviz layers {shlex.quote(terminal.model)}"))
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        terminal.error(_usage(error))
        return error.exit_code
    first = (str(error).strip().splitlines() or [""])[0][:300]
    terminal.error(
        f"Something failed that kerasviz did not expect: {type(error).__name__}: {first}. "
        "Type the command with -vv to see where, and report it."
    )
    return 1


def _usage(error: click.ClickException) -> str:
    """click's sentence with near names, and where help is."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context is not None:
        known = [name for param in context.command.get_params(context) for name in (*param.opts, *param.secondary_opts)]
        message = f"There is no option {error.option_name!r}.{near(error.option_name, known)}"
    else:
        message = error.format_message().rstrip()
        message += "" if message.endswith((".", "?")) else "."
    more = context is not None and "--help" not in message
    return f"{message} '{context.command_path} --help' lists what can be typed." if context and more else message


@click.group("kerasviz", cls=Commands, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(kerasviz.__version__, message="kerasviz %(version)s")
def main() -> None:
    """See what a Keras convolutional network looks at and has learned.

    \b
    kerasviz gradcam model.h5 photo.jpg         why the predicted class?
    kerasviz gradcam model.h5 photos/ -t tabby  why this class? a whole folder
    kerasviz doctor model.h5                    what is this model, and what fits it?
    kerasviz layers model.h5                    what the layers are called

    For completion in bash, add to ~/.bashrc (zsh and fish likewise):

    \b
    eval "$(_KERASVIZ_COMPLETE=bash_source kerasviz)"
    """


if __name__ == "__main__":
    main()
