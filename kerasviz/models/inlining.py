"""A graph that calls functions becomes one flat graph: each call is replaced by the function's own operations.

    f(x) = Relu(g(x)), g(y) = Conv2D(y, w)     becomes     call/Conv2D(x, w) -> Relu

Control edges are dropped: what remains is arithmetic. Asserts and writes never run, so looking changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kerasviz.lazy import tf

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_DROPPED = ("_class", "_output_shapes", "_gradient_op_type")  # natural gradients stand for custom ones: equal for silu
_DEEPEST = 64


class Flat:
    """The operations of a graph with every call inlined.

    Attributes:
        nodes: name -> NodeDef; inputs are tensors of other nodes, `name:0`.
        library: the functions that control flow (If, While) still calls.
        versions: of the graph.
    """

    def __init__(self, definition: Any):
        self.library, self.versions = definition.library, definition.versions
        self.nodes: dict[str, Any] = {}
        self._functions = {function.signature.name: function for function in definition.library.function}
        self._bodies: dict[str, tuple[Any, Mapping[str, str]]] = {}
        self._aliases: dict[str, str] = {}
        self._scratch = tf.Graph()
        if self._functions:
            with self._scratch.as_default():
                library = tf.compat.v1.GraphDef(library=definition.library, versions=definition.versions)
                tf.graph_util.import_graph_def(library, name="")
        self._inline(definition.node, "", {}, 0)
        for node in self.nodes.values():
            inputs = [self.tensor(name) for name in node.input]
            del node.input[:]
            node.input.extend(inputs)

    def tensor(self, name: str) -> str:
        """The tensor of the flat graph that stands for one of the original graph."""
        name = _tensor(name)
        while name in self._aliases:
            name = self._aliases[name]
        return name

    def source(self, name: str) -> str:
        """The same, back over what only passes it on."""
        name = self.tensor(name)
        while self.nodes[node_of(name)].op == "Identity":
            name = self.nodes[node_of(name)].input[0]
        return name

    def needed(self, tensors: Iterable[str]) -> list[Any]:
        """The NodeDefs that lead to `tensors`, inputs before what uses them."""
        order: list[Any] = []
        done: set[str] = set()
        waiting = [(node_of(name), False) for name in tensors]
        while waiting:
            name, is_ready = waiting.pop()
            if is_ready:
                order.append(self.nodes[name])
            elif name not in done:
                done.add(name)
                waiting.append((name, True))
                waiting += [(node_of(each), False) for each in self.nodes[name].input if node_of(each) not in done]
        return order

    def _inline(self, nodes: Iterable[Any], prefix: str, arguments: Mapping[str, str], depth: int) -> None:
        for source in nodes:
            if source.name in arguments:
                self._aliases[f"{prefix}{source.name}:0"] = arguments[source.name]
                continue
            node = type(source)()
            node.CopyFrom(source)
            node.name = prefix + source.name
            inputs = [prefix + _tensor(name) for name in source.input if not name.startswith("^")]
            del node.input[:]
            node.input.extend(inputs)
            for attribute in _DROPPED:
                node.attr.pop(attribute, None)
            called = node.attr["f"].func.name if node.op in _CALLS else node.op
            if called not in self._functions or depth > _DEEPEST:
                self.nodes[node.name] = node
                continue
            function, (body, returned) = self._functions[called], self._body(called)
            inside = f"{node.name}/"
            names = [argument.name for argument in function.signature.input_arg]
            self._inline(body.node, inside, dict(zip(names, inputs, strict=True)), depth + 1)
            for k, output in enumerate(function.signature.output_arg):
                self._aliases[f"{node.name}:{k}"] = inside + returned[function.ret[output.name]]

    def _body(self, name: str) -> tuple[Any, Mapping[str, str]]:
        """A function's operations as a GraphDef, and the tensor behind each of its results."""
        from tensorflow.python.framework.function_def_to_graph import function_def_to_graph_def

        if name not in self._bodies:
            with self._scratch.as_default():
                self._bodies[name] = function_def_to_graph_def(self._functions[name])
        return self._bodies[name]


def node_of(tensor: str) -> str:
    """The name of the operation that returns a tensor."""
    return tensor.rpartition(":")[0] if ":" in tensor else tensor


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"
