"""What <TAB> offers, through click's own mechanism and without TensorFlow."""

from pathlib import Path

import pytest
from kerasviz_cli.completing import layer_names
from tiny import shell, tiny_model

import kerasviz as kv

CORPUS = Path(__file__).parents[1] / "corpus"


def offered(monkeypatch, line):
    """The words offered for the last one of a line, which may be empty."""
    words = line.split(" ")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    monkeypatch.setenv("_KERASVIZ_COMPLETE", "bash_complete")
    return [row.partition(",")[2] for row in shell().stdout.splitlines() if row]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kerasviz pre", ["predict"]),
        ("kerasviz gradcam --sty", ["--style"]),
        ("kerasviz gradcam tiny.keras --style o", ["overlay"]),
        ("kerasviz gradcam tiny.keras --colormap vi", ["viridis"]),
        ("kerasviz gradcam tiny.keras --fit c", ["crop"]),
        ("kerasviz saliency tiny.keras --reduce p", ["positive"]),
        ("kerasviz gradcam tiny.keras photo.png --layer conv_", ["conv_first", "conv_second"]),
        ("kerasviz activations tiny.keras -l conv_first,po", ["conv_first,pool"]),
        ("kerasviz gradcam missing.keras -l conv", []),
    ],
)
def test_commands_options_words_and_layers_are_completed(tmp_path, monkeypatch, line, words):
    monkeypatch.chdir(tmp_path)
    tiny_model(tmp_path)
    assert offered(monkeypatch, line) == words


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(monkeypatch, shell_name):
    monkeypatch.setenv("_KERASVIZ_COMPLETE", f"{shell_name}_source")
    assert "_KERASVIZ_COMPLETE" in shell().stdout


@pytest.mark.parametrize(
    "name", ["nested_compiled__k3_K.keras", "nested_seq_in_func__k215_H.h5", "nested_seq_in_func__k3_K.keras"]
)
def test_names_read_from_the_file_are_those_of_the_opened_network(name):
    opened = {layer.path for layer in kv.open(CORPUS / name).layers}
    read = layer_names(CORPUS / name, "")
    assert set(read) == opened
    assert any("/" in path for path in read)


def test_an_inner_layer_is_found_by_its_own_name():
    path = CORPUS / "nested_compiled__k3_K.keras"
    inner = next(name for name in layer_names(path, "") if "/" in name)
    assert inner in layer_names(path, inner.rpartition("/")[2])


def test_a_damaged_file_offers_nothing():
    assert layer_names(CORPUS / "refused_cut.h5", "") == []
    assert layer_names(CORPUS, "") == []


def test_a_damaged_file_hangs_no_shell(tmp_path):
    whole = (CORPUS / "func_bn__k215_H.h5").read_bytes()
    heap = whole.index(b"GCOL\x01")
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(whole[: heap + 24] + bytes(8) + whole[heap + 32 :])  # the first object's size: for ever 0
    assert layer_names(CORPUS / "func_bn__k215_H.h5", "")
    assert layer_names(damaged, "") == []
