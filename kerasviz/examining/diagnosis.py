"""What there is to know of a model before anything is explained: the facts that `doctor` prints."""

from dataclasses import asdict, dataclass
from typing import Any

import kerasviz
from kerasviz.models.configurations import Finding
from kerasviz.models.describing import LayerInfo
from kerasviz.runs.predicting import Guess

SCHEMA = 1


@dataclass(frozen=True)
class FileFacts:
    """A model file, as far as it can be told without opening it.

    Attributes:
        path: as it was given.
        format: such as `keras3-zip`.
        said: what that is, in words.
        writer: the version of Keras that wrote it, of TensorFlow for a SavedModel; None where the file does not say.
        findings: what speaks against opening it; none where nothing does.
        looked_through: whether such findings were looked for: not in files that are never opened.
    """

    path: str
    format: str
    said: str
    writer: str | None
    findings: tuple[Finding, ...] = ()
    looked_through: bool = True


@dataclass(frozen=True)
class InputFacts:
    """One input: its shape without the batch axis, None where any size is taken; whether it takes the picture."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    picture: bool


@dataclass(frozen=True)
class OutputFacts:
    """One output.

    Attributes:
        name: as targets name it.
        shape: without the batch axis.
        head: `softmax`, `sigmoid`, `one unit`, `linear`, `map` or `other`.
        said: what that means for targets.
        scores: `logit` where a softmax or sigmoid was looked behind, else `output`.
    """

    name: str
    shape: tuple[int | None, ...]
    head: str
    said: str
    scores: str


@dataclass(frozen=True)
class DefaultLayer:
    """The layer that is explained when none is named, None where there is none, and why this one."""

    path: str | None
    why: str


@dataclass(frozen=True)
class Scaling:
    """How photographs are scaled for the network.

    Attributes:
        name: `none`, `0..1`, ...; None where it must be asked for.
        how: where it is known from: `inside`, `sidecar`, `given`, ...; None where it is not.
        said: how sure that is, in words; of what is not known, the question.
    """

    name: str | None
    how: str | None
    said: str


@dataclass(frozen=True)
class LabelFacts:
    """How many classes have names, the first of them, and what to do where none has."""

    count: int
    first: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class Fit:
    """Whether a technique can be used on the network; where not, why, and what to use instead."""

    technique: str
    title: str
    fits: bool
    why: str = ""


@dataclass(frozen=True)
class Parameters:
    """Numbers that the network has learned; frozen are those that training would not change, and statistics."""

    total: int
    trainable: int
    frozen: int


@dataclass(frozen=True)
class NetworkFacts:
    """What is known of an opened network.

    Attributes:
        steady: whether it answers the same twice; None where it could not be asked.
        layers: every call of every layer, in order; those inside another layer come before it.
    """

    inputs: tuple[InputFacts, ...]
    outputs: tuple[OutputFacts, ...]
    parameters: Parameters
    layers: tuple[LayerInfo, ...]
    default: DefaultLayer
    scaling: Scaling
    labels: LabelFacts
    steady: bool | None
    techniques: tuple[Fit, ...]


@dataclass(frozen=True)
class Seen:
    """One picture: the first classes, or why there are none."""

    path: str
    guesses: tuple[Guess, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class DeadUnits:
    """Channels of a layer that stayed 0 on every picture, out of how many, and the first of their numbers."""

    layer: str
    channels: int
    dead: int
    first: tuple[int, ...]


@dataclass(frozen=True)
class Pictures:
    """What the network made of pictures.

    Attributes:
        seen: one by one, in their order.
        answered: how many the network has answered; dead units are known for these alone.
        watched: how many layers were looked at for dead units.
        dead: the layers that have any.
    """

    seen: tuple[Seen, ...]
    answered: int
    watched: int
    dead: tuple[DeadUnits, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What `doctor` prints.

    Attributes:
        title: what pictures call the model.
        file: None for a live model.
        refusal: why the file was not opened; then there is no network.
        network: what is known of it.
        pictures: None where none were given.
    """

    title: str
    file: FileFacts | None = None
    refusal: str | None = None
    network: NetworkFacts | None = None
    pictures: Pictures | None = None

    def as_dict(self) -> dict[str, Any]:
        """Dicts, lists, texts and numbers, for JSON; within a schema number keys are added, never renamed."""
        return {"schema": SCHEMA, "kerasviz": kerasviz.__version__, **asdict(self)}
