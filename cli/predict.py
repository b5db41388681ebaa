"""`kerasviz predict MODEL IMAGES`: the first classes of each picture."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from . import options
from .opening import completion_of, count_of, further_inputs, network_of
from .options import Said, Sectioned
from .running import finish, pictures
from .terminal import Terminal

if TYPE_CHECKING:
    from kerasviz.runs.predicting import Guess, Predicted

HEADING = ("image", "output", "rank", "index", "name", "probability", "score")


def command() -> click.Command:
    """The command."""
    return Sectioned(
        "predict",
        callback=predict,
        help="""Print the first classes of each picture, and how sure the network is.

        Of a segmentation the share of the picture that each class takes, of a regression the values.""",
        no_args_is_help=True,
        params=[
            options.model_argument(),
            options.image_argument(),
            Said(
                ["--top"], metavar="K", default="5", show_default=True, help="how many classes", section="Predictions"
            ),
            *options.picture_options(),
            *options.model_options(),
            options.json_option(),
            *options.terminal_options(),
        ],
    )


def predict(model: str, images: Sequence[str], top: str, as_json: bool, **typed: Any) -> None:
    """One line a class, or one record a picture."""
    from kerasviz.runs.predicting import predictions

    terminal = click.get_current_context().ensure_object(Terminal)
    count, size = count_of("top", top) or 5, count_of("batch-size", typed["batch_size"])
    sources, total = pictures(images)
    network = network_of(terminal, model, typed)
    inputs = further_inputs(network, typed["inputs"])
    found = predictions(network, sources, count, size, completion_of(typed, inputs))
    heading = iter(() if as_json or terminal.person else ["\t".join(HEADING)])

    def tell(predicted: "Predicted") -> None:
        for line in heading:  # once, and not before the first answer
            terminal.answer(line)
        say(terminal, predicted, as_json)

    finish(terminal, "predict", found, total, tell, "printed")


def say(terminal: Terminal, predicted: "Predicted", as_json: bool) -> None:
    """The guesses about one picture on stdout; why there are none on stderr."""
    from kerasviz.records import as_json as line

    for message in predicted.record["messages"]:
        terminal.error(message)
    if as_json:
        terminal.answer(line(predicted.record).decode())
    elif terminal.person:
        several = len({guess.output for guess in predicted.guesses}) > 1
        terminal.answer(os.fspath(predicted.source.path))
        for guess in predicted.guesses:
            output = f"{guess.output:<16} " if several else ""
            terminal.answer(f"  {output}{guess.rank:>3}  {sure(guess):>8}  {guess.name} ({guess.index})")
    else:
        for guess in predicted.guesses:
            terminal.answer("\t".join(row(predicted, guess)))


def sure(guess: "Guess") -> str:
    """The number that tells most: probability, share, or the score."""
    number = guess.probability if guess.probability is not None else guess.share
    return f"{number:.1%}" if number is not None else f"{guess.score:.4g}"


def row(predicted: "Predicted", guess: "Guess") -> tuple[str, ...]:
    """One line with tabs; of a segmentation the share stands as probability."""
    number = guess.probability if guess.probability is not None else guess.share
    return (
        os.fspath(predicted.source.path),
        guess.output,
        str(guess.rank),
        str(guess.index),
        guess.name,
        "" if number is None else f"{number:.6g}",
        "" if guess.score is None else f"{guess.score:.6g}",
    )
