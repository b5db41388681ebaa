"""The reader of protocol buffers, against messages that TensorFlow's own writer made."""

import pytest
import tensorflow as tf

from kerasviz.models.protobuf import fields, inner, numbers, text, texts


def test_it_reads_what_was_written():
    node = tf.compat.v1.NodeDef(name="a", op="Conv2D", input=["x:0", "w:0"])
    node.attr["n"].i = -1  # ten bytes long
    node.attr["f"].f = 0.5
    message = memoryview(node.SerializeToString())
    assert (texts(message, 1), texts(message, 2), texts(message, 3)) == (["a"], ["Conv2D"], ["x:0", "w:0"])
    values = {texts(entry, 1)[0]: inner(entry, 2)[0] for entry in inner(message, 5)}
    assert numbers(values["n"], 3) == [2**64 - 1]
    assert [(number, wire, bytes(value)) for number, wire, value in fields(values["f"])] == [(4, 5, b"\x00\x00\x00?")]


def test_a_path_of_numbers_leads_through_messages():
    graph = tf.compat.v1.GraphDef(node=[tf.compat.v1.NodeDef(name=name) for name in "ab"])
    assert texts(memoryview(graph.SerializeToString()), 1, 1) == ["a", "b"]


@pytest.mark.parametrize(
    "damaged", [b"\x0a\xff", b"\x0a", b"\x80" * 11, b"\x0b\x00", b"\x02\x01a", b"\x0d\x00"],
    ids=["longer than it is", "cut", "endless number", "group", "field 0", "cut number"],
)  # fmt: skip
def test_damage_is_a_value_error(damaged):
    with pytest.raises(ValueError, match="no protocol buffer"):
        list(fields(memoryview(damaged)))


def test_numbers_may_be_packed_into_one_field():
    shape = tf.compat.v1.AttrValue.ListValue(i=[3, 300, 70000])  # packed, as proto3 writes them
    assert numbers(memoryview(shape.SerializeToString()), 3) == [3, 300, 70000]


def test_texts_that_are_none_are_shown_all_the_same():
    assert text(memoryview(b"a\xff")) == "a\ufffd"
