"""Writes what the documents say about the code from the code: `python scripts/make_reference.py`.

docs/reference.md as a whole, and between their markers the table of settings on each technique's page and the table of
arguments on the callback's.
"""

import ast
import html
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from kerasviz_cli.main import COMMANDS, GROUPS, main

import kerasviz
from kerasviz import errors
from kerasviz.grammar import FORMS
from kerasviz.registry import BY_CLASS, TECHNIQUES, Technique
from kerasviz.results.drawing import Drawing
from kerasviz.settings import Anything, settings_of

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference.md"
MARKERS = ("<!-- settings -->", "<!-- /settings -->")
CALLBACK = ROOT / "docs" / "callback.md"
ARGUMENTS = ("<!-- arguments -->", "<!-- /arguments -->")

HEAD = """\
# Reference

Written from the code by `python scripts/make_reference.py`; a test compares them.
"""
NAMES = """\
## Output files

`OUT/IMAGE.TECHNIQUE[.TARGET].STYLE.EXT`, and one line for each result in `OUT/manifest.jsonl`.

* IMAGE is the path of the picture below the folder that was given (with several, below their common parent), its own \
extension kept; pictures that never were files are `image_0000`.
* TARGET stands where one was asked for: `tabby`, `top3-1`, `281-285`; everything but letters, digits and `+-_@,` is \
written `-`. For `activations` it is the layer that was asked for.
* STYLE is `panel`, `overlay`, `heatmap` or `values`; further pages of a grid are `panel-2`, `panel-3`, ... \
EXT is `png`, and `npy` for `values`.
* A file is written under a temporary name and renamed, so half a file never bears its final name. The same command \
writes the same files again. Nothing in OUT is ever read as a picture.
"""
MORE = {  # exit code: when else
    1: " The other pictures are finished. Also: whatever fails without being foreseen.",
    2: " Also: an unknown command or option.",
}
RECORD = {  # key: what it holds; a test compares the keys with those of a real record
    "schema": "1; within a number keys are added, never renamed",
    "kerasviz": "version of kerasviz",
    "versions": "of Python and of the packages that numbers and pictures depend on",
    "status": "`ok`, `warning`, or `failed` where nothing could be computed",
    "messages": "plain sentences where something matters; of a failure the reason",
    "technique": "its name in the shell",
    "settings": "of the technique",
    "model": "`path`, `sha256`, `format` and `writer` of its file; null for a live model",
    "diagnosis": "what was measured in passing: probability, margin, norm of the gradient, negative evidence, ...",
    "network": "`way`: `watched`, or `fast` for the fast copy",
    "image": "`path`, `sha256`, `width` and `height` of the photograph; `notes` where it was converted",
    "preprocess": "`name`, `how` it is known (`given`, `sidecar`, `inside`, `family NAME`) and `fit`",
    "batch": "how many pictures ran together, padding included",
    "layer": "`path` and `index` of the layer that was explained",
    "target": "what was `asked`, and its `kind`, `index`, `name`, `score`, `scale` and `part`",
    "predictions": "the first five classes: `index`, `name`, `probability`, `score`",
    "values": "`shape`, `min`, `max`, `sum`, and whether they are `signed`",
    "placement": "`stretch` or `receptive-field`",
    "options": "whatever else must be typed to make it again",
    "files": "style -> file below the output folder; not in the record that a PNG carries",
    "seconds": "time per picture; not in the record that a PNG carries",
}


def reference() -> str:
    """The page."""
    parts = (HEAD, commands(), targets(), NAMES, record(), exit_codes(), python())
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """What stands in a table: bars as entities, and code with bars as HTML, for all dialects of Markdown."""
    code = re.sub(r"`([^`]*\|[^`]*)`", lambda match: f"<code>{html.escape(match[1], quote=False)}</code>", text)
    return code.replace("|", "&#124;").replace("\n", " ")


# Commands.


def commands() -> str:
    """Every command with its own options, and those that several have."""
    known = {name: main.get_command(click.Context(main), name) for name in COMMANDS}
    rows = {
        name: [option_row(p) for p in command.params if isinstance(p, click.Option)] for name, command in known.items()
    }
    shared = {row for name in rows for row in rows[name] if sum(row in other for other in rows.values()) > 1}
    parts = ["## Commands", "`kerasviz --version` and `kerasviz --help` answer without a command."]
    for group in GROUPS:
        for name in (name for name, entry in COMMANDS.items() if entry.group == group):
            own = [row for row in rows[name] if row not in shared]
            summary = COMMANDS[name].summary
            parts += [f"### kerasviz {name}", f"{summary[0].upper()}{summary[1:]}.", usage(known[name])]
            parts += [table(("option", "meaning"), own)] if own else []
    parts += ["### Options of several commands", table(("option", "meaning", "of"), shared_rows(rows, shared))]
    return "\n\n".join(parts) + "\n"


def usage(command: Any) -> str:
    """The line that is typed."""
    words = [param.metavar or str(param.name).upper() for param in command.params if isinstance(param, click.Argument)]
    return f"    kerasviz {command.name} {' '.join(words)} [options]"


def option_row(option: click.Option) -> tuple[str, str]:
    """How it is typed, and what it means."""
    value = "" if option.is_flag or option.count else f" {option.metavar or 'TEXT'}"
    typed = [f"`{flag}{value}`" for flag in (*option.opts, *option.secondary_opts) if flag.startswith("-")]
    default = option.default if isinstance(option.default, (list, tuple)) else [option.default]
    shown = f"; default: {', '.join(map(str, default))}" if option.show_default else ""
    return ", ".join(typed), f"{option.help or ''}{shown}"


def shared_rows(rows: dict[str, list[tuple[str, str]]], shared: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The options of several commands in the order of the help, and the commands that have them."""
    longest = max(rows, key=lambda name: len(rows[name]))
    ordered = dict.fromkeys(row for name in (longest, *rows) for row in rows[name] if row in shared)
    found = []
    for row in ordered:
        having, lacking = ([name for name in rows if (row in rows[name]) is there] for there in (True, False))
        of = "all" if not lacking else f"all but {', '.join(lacking)}" if len(lacking) < 4 else ", ".join(having)
        found.append((*row, of))
    return found


# Targets, records, exit codes.


def targets() -> str:
    """The forms of a target."""
    rows = [(", ".join(f"`{example}`" for example in form.examples), form.kind, form.means) for form in FORMS]
    return f"""\
## Targets

What `--target` takes, and `target=` in Python. A softmax or sigmoid at the end of the network is looked behind: \
scores are logits, and the record says so. A network with one sigmoid unit has two classes, 1 \
with the logit and 0 with minus the logit.

{table(("text", "kind", "means"), rows)}

Layers are named as `kerasviz layers` lists them; an ending of the path is enough where only one layer has it. In \
Python a target can also be a number, a sequence with one class for each picture, or a function: it is called with a \
view of the network (`view.outputs`, `view.logits`, `view.layer(name)`) inside the compiled function and returns one \
differentiable number for each picture, shape `(N,)`.
"""


def record() -> str:
    """The keys of a record."""
    return f"""\
## The record

One line of JSON for each result: in `manifest.jsonl`, on stdout with `--json`, and inside each PNG as the text chunk \
`kerasviz`, there with paths relative to the folder that the command ran in. `predict --json` prints those of these \
keys that apply to it. A manifest's last line for a file is the valid one.

{table(("key", "holds"), [(f"`{key}`", means) for key, means in RECORD.items()])}
"""


def exit_codes() -> str:
    """Every exit code, and the error of Python that has it."""
    every = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.KerasvizError)]
    rows = [("0", "", "Everything asked for is there.")]
    for code in sorted({cls.exit_code for cls in every}):
        having = [cls for cls in every[1:] if cls.exit_code == code]
        said = " ".join(map(first_line, having)) + MORE.get(code, "")
        rows.append((str(code), ", ".join(f"`{cls.__name__}`" for cls in having), said))
    rows.append(("130", "", "Ctrl-C. What was finished is kept and recorded."))
    return f"""\
## Exit codes

{table(("code", "in Python", "when"), rows)}

All of them are a `kv.{every[0].__name__}`; its text is the sentence that the command line prints on stderr. \
With `-vv` the traceback stands before it.
"""


def first_line(thing: Any) -> str:
    """The first paragraph of its docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


# Python.


def python() -> str:
    """Every public name: how it is called, and its docstring."""
    parts = ["## Python", "`import kerasviz as kv` imports TensorFlow only when something is computed."]
    for name in kerasviz.__all__:
        thing = getattr(kerasviz, name)
        if name.startswith("__") or (isinstance(thing, type) and issubclass(thing, errors.KerasvizError)):
            continue  # errors stand with their exit codes
        parts += [f"### kv.{name}", *described(name, thing)]
    parts += ["### Drawing", "What `overlay`, `heatmap_picture`, `panel` and `save` take by name.", settings(Drawing)]
    return "\n\n".join(parts) + "\n"


def described(name: str, thing: Any) -> Iterator[str]:
    """A function, an engine, or a class with its properties and methods."""
    if name in BY_CLASS:
        call = ", ".join(f"{field.name}={field.default!r}" for field in settings_of(thing))
        yield fenced(f"kv.{name}({call})(network, images, target=None, *, batch_size=None)")
        yield prose(thing)
        yield settings(thing)
    elif isinstance(thing, type):
        yield prose(thing)
        bases = [cls for cls in thing.__mro__ if cls.__module__.startswith("kerasviz")]
        yield from (fenced(attributes) for cls in bases[1:] if (attributes := after(cls, "Attributes:")))
        members = [(key, member) for cls in bases for key, member in vars(cls).items() if ours(member)]
        shown = {key: (f"`{called(key, member)}`", first_line(member)) for key, member in members if key[0] != "_"}
        yield table(("member", "is"), list(shown.values()))
    else:
        yield fenced(f"kv.{called(name, thing)}")
        yield prose(thing)


def after(thing: Any, word: str) -> str:
    """Its docstring from a word on; nothing where that does not stand there."""
    said = inspect.getdoc(thing) or ""
    return said[said.index(word) :] if word in said else ""


def ours(member: Any) -> bool:
    """Whether it is a property or method with a docstring, written here."""
    function = getattr(member, "fget", None) or getattr(member, "func", None) or member
    return inspect.isfunction(function) and function.__module__.startswith("kerasviz") and bool(function.__doc__)


def called(name: str, thing: Any) -> str:
    """`name`, or `name(arguments)` as they stand in the source: the same under every version of Python."""
    if not inspect.isfunction(thing):
        return name
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    assert isinstance(function, ast.FunctionDef)
    return f"{name}({re.sub(r'^self(, )?', '', ast.unparse(function.args))})"


def fenced(text: str) -> str:
    """As it stands."""
    return f"```text\n{text}\n```"


def prose(thing: Any) -> str:
    """The docstring: its first line as text, the rest as it stands."""
    first, _, rest = (inspect.getdoc(thing) or "").partition("\n\n")
    return "\n\n".join([" ".join(first.split()), *([fenced(rest.strip())] if rest.strip() else [])])


def settings(owner: Any) -> str:
    """How each setting is typed, its default, its help, and its limits where there are any."""
    rows = []
    for field in settings_of(owner):
        limit = field.metadata["limit"]
        means = field.metadata["help"] + ("" if isinstance(limit, Anything) else f"; {limit}")
        rows.append((f"`--{field.name.replace('_', '-')}`", f"`{field.name}`", f"`{field.default!r}`", means))
    return table(("in the shell", "in Python", "default", "meaning"), rows)


# The pages of the techniques.


def with_settings(page: str, technique: Technique) -> str:
    """The page with the table of the technique's settings between its markers."""
    first, last = MARKERS
    return f"{page.split(first)[0]}{first}\n{settings(technique.load())}\n{last}{page.split(last)[1]}"


# The page of the callback.


def with_arguments(page: str) -> str:
    """The page with the table of the callback's arguments, as its docstring has them, between its markers."""
    first, last = ARGUMENTS
    return f"{page.split(first)[0]}{first}\n{arguments(kerasviz.VisualizationLogger)}\n{last}{page.split(last)[1]}"


def arguments(cls: Any) -> str:
    """The name, default and meaning of each argument."""
    said = after(cls, "Args:").split("Attributes:")[0]
    means = dict(re.findall(r"^    (\w+): (.*(?:\n        .*)*)", said, re.MULTILINE))
    rows = []
    for parameter in inspect.signature(cls).parameters.values():
        default = "" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
        rows.append((f"`{str(parameter).split(':')[0]}`", default, " ".join(means[parameter.name].split())))
    return table(("argument", "default", "meaning"), rows)


def write() -> None:
    """All of it."""
    REFERENCE.write_text(reference(), encoding="utf-8")
    CALLBACK.write_text(with_arguments(CALLBACK.read_text(encoding="utf-8")), encoding="utf-8")
    for technique in TECHNIQUES:
        page = ROOT / "docs" / "techniques" / f"{technique.name}.md"
        page.write_text(with_settings(page.read_text(encoding="utf-8"), technique), encoding="utf-8")


if __name__ == "__main__":
    write()
