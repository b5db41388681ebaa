"""What stands at the end of a network: softmax, sigmoid or neither, and the logits behind it."""

from dataclasses import dataclass
from typing import Any

from kerasviz.lazy import tf

_HEADS = {"Softmax": "softmax", "LogSoftmax": "softmax", "Sigmoid": "sigmoid"}
_AGAIN = {  # what may stand between the head and the output, and how it is done again on the logits
    "Identity": lambda op, x: x,
    "StopGradient": lambda op, x: x,
    "PreventGradient": lambda op, x: x,
    "Cast": lambda op, x: x,
    "Reshape": lambda op, x: tf.reshape(x, op.inputs[1]),
    "Transpose": lambda op, x: tf.transpose(x, op.inputs[1]),
    "Squeeze": lambda op, x: tf.squeeze(x, op.get_attr("squeeze_dims") or None),
    "ExpandDims": lambda op, x: tf.expand_dims(x, op.inputs[1]),
}


@dataclass(frozen=True)
class Head:
    """One output of a network."""

    name: str
    output: Any  # the model's own, float32
    logits: Any  # what stands behind a softmax or sigmoid, else the output; float32, of the output's shape
    activation: str  # "softmax", "sigmoid", or "linear" where nothing was found to look behind

    @property
    def kind(self) -> str:
        """`classes` (N, C), `sides` (one sigmoid unit), `map` (N, h, w, C), `values`, or `other`."""
        rank, units = self.output.shape.rank, self.output.shape[-1] if self.output.shape.rank else None
        if rank == 4:
            return "map"
        if rank != 2:
            return "other"
        if units == 1:
            return "sides" if self.activation == "sigmoid" else "values"
        return "classes"

    @property
    def scale(self) -> str:
        """`logit` where a softmax or sigmoid was looked behind, else `output`."""
        return "output" if self.activation == "linear" else "logit"

    @property
    def scores(self) -> Any:
        """One score a class, (N, C): a single sigmoid unit has two classes, minus and plus its logit."""
        return tf.concat([-self.logits, self.logits], -1) if self.kind == "sides" else self.logits

    @property
    def probabilities(self) -> Any:
        """One probability a class, (N, C); of a linear head, its raw outputs."""
        if self.kind == "sides":
            return tf.sigmoid(self.scores)
        if self.activation == "softmax":
            return tf.nn.softmax(self.logits)  # also right for a log-softmax
        return self.output


def head(name: str, output: Any) -> Head:
    """The head that gives `output`, a tensor of the graph that is being traced."""
    logits, activation = _behind(output)
    return Head(name, tf.cast(output, tf.float32), tf.cast(logits, tf.float32), activation)


def _behind(output: Any) -> tuple[Any, str]:
    chain, op = [], output.op
    while op.type in _AGAIN:
        chain.append(op)
        op = op.inputs[0].op
    if op.type not in _HEADS:
        return output, "linear"
    logits = tf.cast(op.inputs[0], tf.float32)
    for step in reversed(chain):  # a reshape or transpose after the softmax is done again on its logits
        logits = _AGAIN[step.type](step, logits)
    return logits, _HEADS[op.type]
