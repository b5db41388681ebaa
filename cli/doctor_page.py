"""How `doctor` shows a diagnosis: sections of aligned facts, then the tree of layers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .predict import sure
from .terminal import Terminal, harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from kerasviz.examining.diagnosis import Diagnosis, FileFacts, NetworkFacts, Pictures
    from kerasviz.examining.trees import Block, Branch
    from kerasviz.models.describing import LayerInfo

_WIDTH = 120  # where no terminal says it
_SHOWN = 20  # pictures and findings
_DEAD = 8  # layers with dead units
_COLUMNS = ("layer", "type", "shape", "parameters", "sees")
_GUIDES = {True: ("|- ", "`- ", "|  ", "   "), False: ("├─ ", "└─ ", "│  ", "   ")}


def show(terminal: Terminal, found: "Diagnosis") -> None:
    """The page on stdout."""
    from rich.console import Console

    console = Console(no_color=terminal.color is False, width=None if terminal.person else _WIDTH, highlight=False)
    if not found.file and not found.network:
        return
    console.print(_text(found.title, "bold"))
    rows = [("File", line) for line in _of_file(found.file)] if found.file else []
    rows += _of_network(found.network) if found.network else []
    console.print(_facts(rows))
    if found.network:
        lines = _lines(found.network, terminal, console.options.ascii_only)
        shown, layers = len(lines), len(found.network.layers)
        _heading(console, "Layers", f"{layers} of them in {shown} lines; -v shows each" if shown < layers else "")
        console.print(_tree(found.network, lines, console.width))
        _heading(console, "Techniques")
        console.print(_facts(_of_techniques(found.network)))
    if found.pictures and found.pictures.answered:
        _heading(console, "Pictures")
        console.print(_facts(_of_pictures(found.pictures)))


def _heading(console: "Console", title: str, note: str = "") -> None:
    console.print()
    console.print(_text(title, "bold") if not note else _text(title, "bold") + _text(f"  {note}", "dim"))


def _text(text: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(harmless(text), style=style)


def _facts(rows: Iterable[tuple[str, str]]) -> "Table":
    """A name once, dim, and its lines beside it."""
    from rich.table import Table

    table, before = Table.grid(padding=(0, 2)), None
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row("" if name == before else _text(name), _text(text))
        before = name
    return table


def _of_file(file: "FileFacts") -> Iterator[str]:
    saved_model = file.format.startswith("savedmodel")  # these say it themselves: `TF 2.15.1`
    writer = f", written by {'' if saved_model else 'Keras '}{file.writer}" if file.writer else ""
    yield f"{file.said} ({file.format}){writer}"
    if not file.findings and file.looked_through:
        yield "nothing in it could run code, touch other files or fill the memory"
    for finding in file.findings[:_SHOWN]:
        where = f" (at {finding.where})" if finding.where else ""
        yield f"{finding.rule}: it {finding.text}{where}"
    if len(file.findings) > _SHOWN:
        yield f"and {len(file.findings) - _SHOWN} more findings"


def _of_network(network: "NetworkFacts") -> Iterator[tuple[str, str]]:
    for one in network.inputs:
        yield "Input", f"{one.name!r}: {_shape(one.shape)}, {one.dtype}{'' if one.picture else ', besides the picture'}"
    for output in network.outputs:
        yield "Output", f"{output.name!r}: {_shape(output.shape)}, {output.said}; its scores are {output.scores}s"
    more = ", …" if network.labels.count > len(network.labels.first) else ""
    names = f": {', '.join(network.labels.first)}{more}" if network.labels.count else ""
    yield "Classes", network.labels.said + names
    total = network.parameters
    frozen = f", {total.frozen:,} frozen or statistics" if total.frozen else ""
    counted = f"{total.total:,}: {total.trainable:,} trainable{frozen}"
    yield "Parameters", counted if total.total else "none that can be counted"
    yield "Pixels", f"{network.scaling.name}, {network.scaling.said}" if network.scaling.name else network.scaling.said
    layer = f"{network.default.path}, " if network.default.path else ""
    yield "Default layer", layer + network.default.why
    steady = {True: "the same picture gives the same answer", None: "it could not be run on noise"}
    yield "Steady", steady.get(network.steady, "no: the same picture gives another answer each time")


def _of_techniques(network: "NetworkFacts") -> Iterator[tuple[str, str]]:
    for fit in network.techniques:
        yield fit.technique, "fits" if fit.fits else f"does not fit: {fit.why}"


def _of_pictures(pictures: "Pictures") -> Iterator[tuple[str, str]]:
    answered = [seen for seen in pictures.seen if not seen.error]
    several = len({guess.output for seen in answered for guess in seen.guesses}) > 1
    for seen in answered[:_SHOWN]:
        for guess in seen.guesses:
            output = f"{guess.output}: " if several else ""
            yield seen.path, f"{sure(guess):>7}  {output}{guess.name} ({guess.index})"
    if len(answered) > _SHOWN:
        yield "…", f"and {len(answered) - _SHOWN} more; 'kerasviz predict' lists them all"
    how_many = f"{pictures.answered} pictures" if pictures.answered > 1 else "one picture"
    few = "; with so few that says little" if pictures.answered < 50 else ""
    found = f"in {len(pictures.dead) or 'none'} of {pictures.watched} layers, over {how_many}{few}"
    yield "Dead units", found if pictures.watched else "there is no layer that could have any"
    for dead in sorted(pictures.dead, key=lambda one: -one.dead / one.channels)[:_DEAD]:
        numbers = ", ".join(map(str, dead.first)) + (", …" if dead.dead > len(dead.first) else "")
        yield "Dead units", f"{dead.layer}: {dead.dead} of {dead.channels} ({numbers})"
    if len(pictures.dead) > _DEAD:
        yield "Dead units", f"and {len(pictures.dead) - _DEAD} more layers; --json lists them all"


def _lines(network: "NetworkFacts", terminal: Terminal, ascii_only: bool = False) -> "list[tuple[str, Branch | Block]]":
    """Every line of the tree with the guides before its name; the network's own layers have none."""
    from kerasviz.examining.trees import folded, tree_of

    after, end, through, blank = _GUIDES[ascii_only]

    def walk(branches: "Sequence[Branch]", before: str, top: bool) -> "Iterator[tuple[str, Branch | Block]]":
        lines = list(branches) if terminal.verbose else folded(branches)
        for k, line in enumerate(lines):
            last = k == len(lines) - 1
            yield "" if top else before + (end if last else after), line
            yield from walk(line.inside, "" if top else before + (blank if last else through), False)

    return list(walk(tree_of(network.layers), "", True))


def _tree(network: "NetworkFacts", lines: "Iterable[tuple[str, Branch | Block]]", width: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    rows = []
    for guides, line in lines:
        chosen = "bold cyan" if line.holds(network.default.path) else ""
        label = Text.assemble((guides, "dim"), (harmless(line.name), chosen))
        parameters = f"{line.parameters:,}" if line.parameters else ""
        rows.append((label, _text(line.type), _shape(line.last.shape, "x"), parameters, _sees(line.last)))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    widths = [max(len(name), *(len(row[k]) for row in rows)) for k, name in enumerate(_COLUMNS)]
    room = width - sum(widths[2:]) - 2 * (len(widths) - 1)  # numbers are never cut off, names and types are
    widths[1] = max(8, min(widths[1], max(room // 3, room - widths[0])))
    widths[0] = max(8, min(widths[0], room - widths[1]))
    for name, wide in zip(_COLUMNS, widths, strict=True):
        justify: Literal["left", "right"] = "right" if name == "parameters" else "left"
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=wide, justify=justify)
    for row in rows:
        table.add_row(*row)
    return table


def _sees(layer: "LayerInfo") -> str:
    """`43 / 4`: how many pixels a cell looks at, and how far the next one lies."""
    if layer.field is None:
        return ""
    pairs = (layer.field.size, layer.field.step)
    return " / ".join(str(pair[0]) if pair[0] == pair[1] else "x".join(map(str, pair)) for pair in pairs)


def _shape(shape: Sequence[int | None], times: str = " x ") -> str:
    return times.join("?" if side is None else str(side) for side in shape) or "one number"
