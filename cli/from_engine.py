"""A technique's command, made from its fields: nobody writes an option twice."""

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

import click

from kerasviz.registry import Technique
from kerasviz.results.drawing import STYLES, Drawing
from kerasviz.settings import Anything, OneOf, settings_of, truth

from . import options
from .completing import words
from .options import Said, Sectioned
from .running import explain_all

_MOST_LETTERS = 40  # of the words of a choice that stand in its option's line


def command(technique: Technique) -> click.Command:
    """The command of one technique: what every command has, and the engine's fields."""
    engine = technique.load()
    own = [option(field, f"Settings of {technique.name}") for field in settings_of(engine)]
    drawn = [option(field, options.DRAWING) for field in settings_of(Drawing)]

    def run(model: str, images: tuple[str, ...], **typed: Any) -> None:
        settings = {field.name: typed.pop(field.name) for field in settings_of(engine)}
        drawing = {field.name: typed.pop(field.name) for field in settings_of(Drawing)}
        explain_all(engine(**given(settings)), model, images, Drawing(**given(drawing)), typed)

    return Sectioned(
        technique.name,
        callback=run,
        help=help_of(engine),
        short_help=technique.summary,
        no_args_is_help=True,
        params=[
            options.model_argument(),
            options.image_argument(),
            *own,
            *(options.target_options() if engine.explains else []),
            *options.picture_options(),
            *options.model_options(),
            *drawn,
            *options.output_options(STYLES),
            options.json_option(),
            *options.terminal_options(),
        ],
    )


def option(field: dataclasses.Field, section: str) -> click.Option:
    """`noise_level` is `--noise-level`: text, which the setting parses and the engine checks."""
    flag = "--" + field.name.replace("_", "-")
    limit, said = field.metadata["limit"], field.metadata["help"]
    if field.metadata["parse"] is truth:
        both = f"{flag}/--no-{flag[2:]}"
        return Said([both, field.name], section=section, default=None, help=f"{said}; default: {_spoken(field)}")
    chosen = tuple(map(str, limit.words)) if isinstance(limit, OneOf) else ()
    facts = [said, *([] if chosen or isinstance(limit, Anything) else [str(limit)])]
    facts += [", ".join(chosen)] if len("|".join(chosen)) >= _MOST_LETTERS else []
    facts += [f"default: {_spoken(field)}"] if field.default is not None else []
    return Said(
        [*(["-l"] if field.name == "layer" else []), flag, field.name],
        section=section,
        metavar=_metavar(field, chosen),
        help="; ".join(facts),
        shell_complete=options.layer_completion() if field.name == "layer" else words(chosen),
    )


def _spoken(field: dataclasses.Field) -> str:
    return ("yes" if field.default else "no") if isinstance(field.default, bool) else str(field.default)


def _metavar(field: dataclasses.Field, chosen: tuple[str, ...]) -> str:
    """What stands for the value: the words where they are few, else what it is."""
    if chosen:
        return "|".join(chosen) if len("|".join(chosen)) < _MOST_LETTERS else "NAME"
    return "NUMBER" if field.metadata["parse"] in (int, float) else field.name.upper()


def given(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed; the rest keeps its default."""
    return {name: value for name, value in typed.items() if value is not None}


def help_of(engine: type) -> str:
    """The docstring of a technique, its formulas left as they stand."""
    paragraphs = (inspect.getdoc(engine) or "").split("\n\n")
    return "\n\n".join(f"\b\n{text}" if " = " in text else text for text in paragraphs)
