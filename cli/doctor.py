"""`kerasviz doctor MODEL [IMAGES]`: what a model is, what fits it, and what it says of pictures."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from kerasviz.errors import ModelError, SettingError

from . import options
from .opening import completion_of, count_of, further_inputs, network_of
from .options import Said, Sectioned
from .running import pictures
from .terminal import Terminal

if TYPE_CHECKING:
    from kerasviz.examining.diagnosis import Diagnosis
    from kerasviz.examining.examination import Batches
    from kerasviz.models.network import Network


def command() -> click.Command:
    """The command."""
    return Sectioned(
        "doctor",
        callback=doctor,
        help="""Tell all that can be known of a model: where it comes from and whether it is safe, its layers, its
        head, how pixels are scaled and how sure that is, the layer that is explained by default, and which techniques
        fit it.

        With pictures also the first classes of each, and the units that none of them wakes. Of a file that is refused
        it tells what was found in it, and ends with exit code 3.""",
        no_args_is_help=True,
        params=[
            options.model_argument(),
            options.image_argument(),
            *options.picture_options(),
            *options.model_options(),
            Said(
                ["--save"],
                section=options.OUTPUT,
                is_flag=True,
                help="keep scaling, class names and layer in MODEL.kerasviz.json, where every command finds them",
            ),
            options.json_option("one JSON document on stdout, and nothing else"),
            *options.terminal_options(),
        ],
    )


def doctor(model: str, images: Sequence[str], as_json: bool, save: bool, **typed: Any) -> None:
    """One page, or one document of JSON."""
    from kerasviz.records import as_json as line

    terminal = click.get_current_context().ensure_object(Terminal)
    size = count_of("batch-size", typed["batch_size"])
    network, found = diagnosed(terminal, model, images, size, typed)
    if as_json:
        terminal.answer(line(found.as_dict()).decode())
    else:
        from .doctor_page import show

        show(terminal, found)
    if network is None:
        raise ModelError(found.refusal)
    failed = [seen for seen in found.pictures.seen if seen.error] if found.pictures else []
    for seen in failed:
        terminal.error(seen.error or "")
    if save:
        from kerasviz.models.sidecar import save_beside

        kept = save_beside(network)
        if not as_json:
            terminal.answer(f"\nKept in {str(kept)!r}.")
    if images and found.network and found.network.scaling.name is None:
        raise SettingError(found.network.scaling.said)
    if failed:
        click.get_current_context().exit(1)


def diagnosed(
    terminal: Terminal, model: str, images: Sequence[str], size: int | None, typed: dict[str, Any]
) -> "tuple[Network | None, Diagnosis]":
    """The network, None where it was refused, and all that is known; TensorFlow is left alone for a refusal."""
    from kerasviz.examining.files import refusal, refused

    terminal.model = model
    found = refused(model, trust=typed["trust"], architecture=typed["architecture"])
    if found is not None:
        return None, found
    sources, total = pictures(images) if images else (None, None)
    try:
        network = network_of(terminal, model, typed)
        from kerasviz.examining.examination import examined
        from kerasviz.runs.pipeline import batches

        if sources is None:
            return network, examined(network)
        inputs = further_inputs(network, typed["inputs"])
        found_in = batches(network, sources, completion_of(typed, inputs), size)
        return network, examined(network, counted(terminal, found_in, total))
    except ModelError as error:
        return None, refusal(model, error)


def counted(terminal: Terminal, batches: "Batches", total: int | None) -> "Iterator[tuple[int, Sequence[Any]]]":
    """The same batches, with a bar as long as they last."""
    with terminal.progress("doctor", total) as steps:
        for size, batch in batches:
            yield size, batch
            for _ in batch:
                steps.advance()
