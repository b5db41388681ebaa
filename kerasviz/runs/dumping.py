"""Engines asked again and again about a fixed panel, while its network learns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kerasviz.errors import KerasvizError, SettingError, TargetError
from kerasviz.inputs.fixed import Fixed
from kerasviz.inputs.given import Given
from kerasviz.models.network import Network
from kerasviz.registry import technique
from kerasviz.results.result import Result
from kerasviz.settings import settings_of

BOTH = ("true", "top")  # what is explained where the classes are known


@dataclass(frozen=True)
class Watched:
    """An engine under the name that its columns and files bear."""

    key: str
    engine: Any


@dataclass(frozen=True)
class Asked:
    """The answers to one question: a result for each row; of the true and the predicted class often the same one.

    Attributes:
        key: of its column.
        question: the target as it was asked.
        results: row -> result.
        new: rows whose result is not also that of an earlier question.
    """

    key: str
    folder: str
    question: str
    results: Mapping[int, Result]
    new: frozenset[int]


@dataclass(frozen=True)
class Failure:
    """An engine that could not answer, in plain words, and what it raised."""

    said: str
    error: Exception
    watched: Watched


@dataclass(frozen=True)
class Dump:
    """What the engines said at one time; `failures`: the key of an engine -> why there is nothing."""

    asked: Sequence[Asked]
    failures: Mapping[str, Failure] = field(default_factory=dict)


def watched(techniques: Any, layer: str | None = None, seed: int = 0) -> list[Watched]:
    """The engines, each under a name of its own: `gradcam`, `gradcam-2`.

    Args:
        techniques: a technique's name, an engine, or a list of these.
        layer: for engines that have that setting and say nothing themselves.
        seed: for engines by name that draw at random.

    Raises:
        SettingError: none of these; no technique of that name; a layer where no engine takes one.
    """
    listed = list(techniques) if isinstance(techniques, (list, tuple)) else [techniques]
    if not listed:
        raise SettingError("Expected at least one technique to watch a training with, found none. Try 'gradcam'.")
    engines = [_engine(one, layer, seed) for one in listed]
    if layer is not None and engines == [_engine(one, None, seed) for one in listed]:
        raise SettingError(f"Expected a technique that looks at a layer, found none that takes layer={layer!r}.")
    found: list[Watched] = []
    for engine in engines:
        name = engine.technique.name
        same = sum(one.engine.technique.name == name for one in found)
        found.append(Watched(f"{name}-{same + 1}" if same else name, engine))
    return found


def _engine(one: Any, layer: str | None, seed: int) -> Any:
    if isinstance(one, str):
        cls = technique(one).load()
        names = {each.name for each in settings_of(cls)}
        own = {name: value for name, value in {"layer": layer, "seed": seed}.items() if name in names}
        return cls(**{name: value for name, value in own.items() if value is not None})
    one = one() if isinstance(one, type) and hasattr(one, "explain") else one
    if not (hasattr(one, "explain") and hasattr(one, "technique")):
        raise SettingError(
            f"Expected a technique's name or an engine, found {one!r}. Try 'gradcam', or kv.GradCAM(layer='conv')."
        )
    if layer is not None and one.settings.get("layer", layer) is None:
        return replace(one, layer=layer)
    return one


class Dumper:
    """Asks the engines of a training about its panel; compiled once, whatever the network has learned since.

    Attributes:
        given: the pictures, fitted to the network.
        questions: the targets of each engine that explains one.
        titles: the true class of each picture, or empty.
    """

    def __init__(self, watched: Sequence[Watched], network: Network, panel: Fixed, target: Any):
        self._watched, self._network = list(watched), network
        self._unfit: dict[str, Failure] = {}
        given, _ = network.prepare(panel.images)
        truths = _known_truths(panel, network)
        if truths and len(truths) != len(given):
            raise SettingError(f"Expected one class a picture, found {len(truths)} for {len(given)} pictures.")
        self.given: list[Given] = [
            replace(one, truth=truths[k] if truths else one.truth, name=one.name or f"image_{k:04d}")
            for k, one in enumerate(given)
        ]
        self.questions: Sequence[Any] = BOTH if target is None and truths else (target,)
        self.titles = [_title(one, network) if truths else "" for one in self.given]

    def dump(self) -> Dump:
        """Every engine's answers now; one that does not fit this network is not asked again."""
        asked: list[Asked] = []
        failures: dict[str, Failure] = {}
        for one in self._watched:
            if one.key in self._unfit:
                continue
            try:
                asked += list(self._of(one))
            except Exception as error:
                failures[one.key] = Failure(sentence(one.engine.technique.title, error), error, one)
                if isinstance(error, KerasvizError):  # else it may have been the memory
                    self._unfit[one.key] = failures[one.key]
        return Dump(asked, self._unfit | failures)

    def _of(self, one: Watched) -> Iterator[Asked]:
        """The questions of one engine; of the true and the predicted class the second only where they differ."""
        rows, answered = dict(enumerate(self.given)), dict[int, list[Result]]()
        for question in self.questions if one.engine.explains else (None,):
            new = {k: given for k, given in rows.items() if not _is_predicted(answered.get(k, []))}
            answered = answered | self._results(one, question, new)
            yield from _columns(one, _spoken(question) if one.engine.explains else "", answered, frozenset(new))

    def _results(self, one: Watched, question: Any, rows: Mapping[int, Given]) -> dict[int, list[Result]]:
        """Row -> its results, all rows in one call; every batch has one size, so nothing is traced again."""
        by_picture = {id(given): k for k, given in rows.items()}
        found: dict[int, list[Result]] = {k: [] for k in rows}
        if rows:
            for result in one.engine.explain(self._network, list(rows.values()), question):
                found[by_picture[id(result.given)]].append(result)
        return found


def _columns(one: Watched, question: str, answered: Mapping[int, list[Result]], new: frozenset[int]) -> Iterator[Asked]:
    """A column for each part: of `top3` three, of several layers one each."""
    parts = max(map(len, answered.values()), default=0)
    folder = one.key if one.key != one.engine.technique.name else ""
    for part in range(parts):
        words = [one.key, "" if question in ("", "auto") else question, str(part + 1) if parts > 1 else ""]
        kept = {k: found[part] for k, found in sorted(answered.items()) if part < len(found)}
        yield Asked(".".join(filter(None, words)), folder, question, kept, new)


def _is_predicted(results: Sequence[Result]) -> bool:
    """Whether what was explained is also the predicted class."""
    return len(results) == 1 and int(results[0].measures.get("rank", 0)) == 1


def _spoken(question: Any) -> str:
    """A word for a target: itself, the name of a function, `classes` where each picture has its own."""
    if question is None or isinstance(question, str):
        return question or "auto"
    if callable(question):
        return getattr(question, "__name__", "callable")
    return "classes" if isinstance(question, Iterable) else str(question)


def _known_truths(panel: Fixed, network: Network) -> Sequence[int | str] | None:
    """The true classes; guessed ones count only where each is a class of the network."""
    if panel.truths is None or not panel.guessed:
        return panel.truths
    return panel.truths if all(_is_class(one, network) for one in panel.truths) else None


def _title(given: Given, network: Network) -> str:
    """The name of its true class."""
    index = given.truth if isinstance(given.truth, int) else network.labels.find(str(given.truth))
    return network.labels.name(index) if index is not None else str(given.truth)


def _is_class(one: int | str, network: Network) -> bool:
    if isinstance(one, int):
        return one < _classes_of(network)
    try:
        return network.labels.find(one) is not None
    except TargetError:  # it may be any of several
        return False


def _classes_of(network: Network) -> int:
    """How many classes its first output tells apart; none where it is no classifier."""
    head = network.description.head()
    return {"classes": head.output.shape[-1], "sides": 2}.get(head.kind, 0)


def sentence(what: str, error: BaseException) -> str:
    """What failed, in plain words."""
    said = (str(error).strip().splitlines() or [""])[0][:600]
    kind = "" if isinstance(error, KerasvizError) else f"{type(error).__name__}: "
    return f"{what} could not be made: {kind}{said}"
