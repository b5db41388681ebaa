"""The other way into a model: a SavedModel's graph, inlined and imported, its layers found by their scopes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasviz.errors import ModelError
from kerasviz.lazy import tf
from kerasviz.models.inlining import Flat, node_of
from kerasviz.models.scopes import Part, Scope, endings, scopes
from kerasviz.models.watching import Call, own_path

_VARIABLES = ("VariableV2", "Variable", "VarHandleOp")
_CHANCE = (
    "Random",
    "StatelessRandom",
    "StatefulUniform",
    "StatefulStandard",
    "StatefulTruncated",
    "Truncated",
    "Multinomial",
)


class Imported:
    """A function of a SavedModel in the place of a model; it can be built into any graph.

    Attributes:
        name: what pictures call it.
        signature: the specs of its inputs by name, in the order of the function.
        output_names: of its outputs, in their order.
    """

    def __init__(self, function: Any, owner: Any, name: str, *, known: Mapping[str, str], exported: bool):
        self.name, self._owner, self._function = name, owner, function  # variables live as long as their owner
        graph = function.graph
        self._captures = {inside.name: outside for outside, inside in graph.captures}
        self._flat = Flat(graph.as_graph_def())
        self._placeholders = [t.name for t in graph.inputs if t.name not in self._captures]
        specs = [
            spec for spec in tf.nest.flatten(function.structured_input_signature) if isinstance(spec, tf.TensorSpec)
        ]
        self.signature = {
            spec.name or node_of(placeholder): spec for spec, placeholder in zip(specs, self._placeholders, strict=True)
        }
        self.output_names, tensors = _outputs(function)
        self._outputs = [self._flat.source(tensor.name) for tensor in tensors]
        self._nodes = self._flat.needed(self._outputs)
        self._constants = self._stored()
        self._scopes = scopes(self._nodes, self._varying(), self._outputs, known=known, exported=exported)
        self._parts = {scope.path: self._part(scope, known) for scope in self._scopes}

    @property
    def output_shapes(self) -> list[tuple[int | None, ...]]:
        """Of its outputs, in their order; () of one whose rank is not known."""
        return [tuple(t.shape) if t.shape.rank else () for t in _outputs(self._function)[1]]

    @property
    def is_random(self) -> bool:
        """Whether chance has a part in its outputs."""
        return any(node.op.startswith(_CHANCE) for node in self._nodes)

    def build(self, values: Sequence[Any]) -> tuple[list[Any], list[Call]]:
        """Import the graph into the one that is being traced.

        Args:
            values: a tensor for each input, of its type.

        Returns:
            Its outputs, and its layers in the order in which their outputs are computed.
        """
        here = tf.compat.v1.get_default_graph()
        feeds = dict(zip(self._placeholders, values, strict=True))
        feeds |= {name: here.capture(outside) for name, outside in self._captures.items()}
        feeds |= {name: tf.constant(value) for name, value in self._constants.items()}
        fed = {node_of(name) for name in feeds}
        nodes = [node for node in self._nodes if node.name not in fed and node.op not in _VARIABLES]
        definition = tf.compat.v1.GraphDef(node=nodes, library=self._flat.library, versions=self._flat.versions)
        used = {tensor for node in nodes for tensor in node.input}
        wanted = list(dict.fromkeys([*self._outputs, *(scope.tensor for scope in self._scopes)]))
        inside = [name for name in wanted if name not in feeds]
        made = tf.graph_util.import_graph_def(
            definition, {name: value for name, value in feeds.items() if name in used}, inside, name="imported"
        )
        found = feeds | dict(zip(inside, made, strict=True))
        calls = [Call(scope.path, self._parts[scope.path], found[scope.tensor]) for scope in self._scopes]
        return [found[name] for name in self._outputs], calls

    def _varying(self) -> set[str]:
        """Names of the operations that depend on an input."""
        found = {node_of(name) for name in self._placeholders}
        for node in self._nodes:
            if any(node_of(tensor) in found for tensor in node.input):
                found.add(node.name)
        return found - {node_of(name) for name in self._placeholders}

    def _stored(self) -> dict[str, np.ndarray]:
        """What variables hold that stand in the graph itself, as TensorFlow 1 wrote them: they are read once."""
        own = {f"{node.name}:0" for node in self._nodes if node.op in _VARIABLES}
        names = [f"{node.name}:0" for node in self._nodes if own & set(node.input)]  # what reads them
        if not names:
            return {}
        inside = [self._function.graph.get_tensor_by_name(name) for name in names]
        values = self._function.prune([], inside)()
        return {name: value.numpy() for name, value in zip(names, values, strict=True)}

    def _part(self, scope: Scope, known: Mapping[str, str]) -> Part:
        name = own_path(scope.path)
        kind = next((known[end] for end in endings(name.split("/")) if end in known), scope.kind)
        return Part(name, kind, self._weights(scope), scope.data_format)

    def _weights(self, scope: Scope) -> tuple[Any, ...]:
        handles = {id(variable.handle): variable for variable in getattr(self._function.graph, "variables", ())}
        read = [self._captures.get(node.input[0]) for node in scope.nodes if node.op == "ReadVariableOp"]
        found = {id(handle): handles[id(handle)] for handle in read if handle is not None and id(handle) in handles}
        return tuple(found.values())


def _outputs(function: Any) -> tuple[list[str], list[Any]]:
    """Names and tensors of the numbers that a function returns; dicts come in the order of their keys."""
    tensors, structure = list(function.outputs), function.structured_outputs
    names = [str(key) for key in sorted(structure)] if isinstance(structure, Mapping) else []
    if len(names) != len(tensors):
        names = [f"out{k}" for k in range(len(tensors))]
    numbers = [k for k, tensor in enumerate(tensors) if tensor.dtype.is_floating or tensor.dtype.is_integer]
    if not numbers:
        raise ModelError("Expected a function that returns numbers; this one returns none.")
    return [names[k] for k in numbers], [tensors[k] for k in numbers]
