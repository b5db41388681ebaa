"""Names of classes, read from what people have, and found again by what people type."""

import json
from pathlib import Path

import pytest

import kerasviz as kv
from kerasviz.models.labels import NO_LABELS, as_labels

CATS = as_labels([["n02123045", "tabby"], ["n02123159", "tiger cat"], ["n02123394", "Persian_cat"], ["n01", "tiger"]])


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("tabby", 0),
        ("TABBY", 0),
        ("tab", 0),  # a unique beginning
        ("persian cat", 2),
        ("Persian_cat", 2),
        ("n02123159", 1),
        ("tiger", 3),  # the whole name goes before the beginning of another
        ("lion", None),
        ("", None),
    ],
)
def test_a_class_is_found_by_name_beginning_or_synset(text: str, index: int | None) -> None:
    assert CATS.find(text) == index


def test_a_beginning_of_several_is_refused_with_their_numbers() -> None:
    with pytest.raises(kv.TargetError, match=r"found 'ti', which stands for 2: 'tiger cat' \(1\), 'tiger' \(3\)"):
        CATS.find("ti")


def test_names_have_numbers_where_they_end() -> None:
    assert (CATS.name(1), CATS.name(99), CATS.name(-1), NO_LABELS.name(7)) == (
        "tiger cat",
        "class 99",
        "class -1",
        "class 7",
    )
    assert CATS.near("tigger") == " Did you mean 'tiger' or 'tiger cat'?"


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (".txt", "cat\ndog\n\n"),
        (".txt", "\ufeffcat\r\ndog\r\n"),
        (".txt", "n00000001\tcat\nn00000002\tdog\n"),
        (".json", '["cat", "dog"]'),
        (".json", '{"1": "dog", "0": "cat"}'),
        (".json", '{"0": ["n00000001", "cat"], "1": ["n00000002", "dog"]}'),
        (".json", '[{"synset": "n00000001", "name": "cat"}, {"synset": "n00000002", "name": "dog"}]'),
        (".csv", "index,name\n1,dog\n0,cat\n"),
        (".csv", "0,cat\n1,dog\n"),
        (".csv", "synset,name\nn00000001,cat\nn00000002,dog\n"),
    ],
)
def test_files_that_people_have_are_read(tmp_path: Path, ending: str, text: str) -> None:
    path = tmp_path / f"names{ending}"
    path.write_text(text, encoding="utf-8")
    labels = as_labels(path)
    assert labels.names == ("cat", "dog")
    assert labels.synsets == (("n00000001", "n00000002") if "n00000001" in text else ())


def test_numbers_order_ten_classes_as_numbers() -> None:
    assert as_labels({str(k): f"c{k}" for k in range(11)}).names[10] == "c10"
    assert as_labels(json.loads('{"10": "ten", "9": "nine"}')).names == ("nine", "ten")


def test_what_is_labels_already_stays() -> None:
    assert as_labels(CATS) is CATS
    assert as_labels(None) is NO_LABELS


@pytest.mark.parametrize("source", [[0, 1], [1.5], {"a": "cat"}, 3])
def test_what_is_no_list_of_names_is_a_sentence(source: object) -> None:
    with pytest.raises(kv.SettingError, match=r"Expected class names as texts, .* found .*Give a list of names"):
        as_labels(source)


@pytest.mark.parametrize(
    ("ending", "text"), [(".json", "{"), (".json", "3"), (".json", '{"a": "cat"}'), (".txt", None)]
)
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, ending: str, text: str | None) -> None:
    path = tmp_path / f"names{ending}"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(kv.SettingError, match=r"Expected class names in .*names\..*one a line, or as JSON or CSV"):
        as_labels(path)


def test_a_beginning_that_is_a_word_of_other_names_is_ambiguous():
    labels = as_labels(["tiger cat", "catamaran", "Egyptian cat", "dog sled"])
    with pytest.raises(kv.TargetError, match=r"'cat', which stands for 3: 'tiger cat' \(0\), 'catamaran' \(1\)"):
        labels.find("cat")
    assert (labels.find("cata"), labels.find("dog"), labels.find("egypt")) == (1, 3, 2)


def test_class_indices_as_keras_writes_them_are_read():
    assert as_labels({"null": 1, "one": 0, "two": 2}).names == ("one", "null", "two")
