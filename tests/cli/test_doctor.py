"""`kerasviz doctor`: a page for people, a document for programs, an answer even where the file is refused."""

import json
import subprocess
import sys

import keras
import pytest
from kerasviz_cli.doctor_page import show
from kerasviz_cli.terminal import Terminal
from tiny import NAMES, shell

import kerasviz as kv
from kerasviz.examining.diagnosis import Diagnosis, FileFacts


def document(*words):
    answer = shell("doctor", *words, "--json")
    assert answer.stdout.count("\n") == 1
    return json.loads(answer.stdout)


def test_the_page_tells_everything_in_its_order(here):
    answer = shell("doctor", "tiny.keras", "photo.png")
    assert (answer.exit_code, answer.stderr) == (0, "")
    told = [
        "tiny.keras",
        "a .keras archive of Keras 3 (keras3-zip), written by Keras 3.",
        "nothing in it could run code",
        "16 x 16 x 3, float32",
        "softmax over 3 classes; its scores are logits",
        "3 names: dark, bright, red",
        "315: 315 trainable",
        "none, certain",
        "conv_second, the last maps before pooling in 'pool': 12 x 12 x 5",
        "the same picture gives the same answer",
        "conv_first     Conv2D                  14x14x4         112  3 / 1",
        "gradcam          fits",
        "photo.png",
        "over one picture; with so few that says little",
    ]
    places = [answer.stdout.find(words) for words in told]
    assert -1 not in places
    assert places == sorted(places)


def test_json_is_one_document_with_the_numbers_of_the_library(here):
    found = document("tiny.keras", "photo.png")
    network = kv.open("tiny.keras")
    expected = network.describe("photo.png")
    assert found["network"] == json.loads(json.dumps(expected.as_dict()["network"]))
    guesses = found["pictures"]["seen"][0]["guesses"]
    assert [guess["name"] for guess in guesses] == [guess.name for guess in expected.pictures.seen[0].guesses]
    assert {guess["name"] for guess in guesses} == set(NAMES)
    assert guesses[0]["probability"] == pytest.approx(float(network.predict("photo.png").max()), rel=1e-5)


def test_layers_is_its_short_form(here):
    listed = [json.loads(line) for line in shell("layers", "tiny.keras", "--json").stdout.splitlines()]
    found = document("tiny.keras")["network"]
    assert [{k: v for k, v in layer.items() if k != "default"} for layer in listed] == found["layers"]
    assert [layer["path"] for layer in listed if layer["default"]] == [found["default"]["path"]]


def test_a_refused_file_is_told_all_the_same_and_ends_with_3(here):
    (here / "model.onnx").write_bytes(b"\x08\x07\x12\x07pytorch\x1a")
    answer = shell("doctor", "model.onnx")
    assert answer.exit_code == 3
    assert "an ONNX file (onnx)" in answer.stdout
    assert answer.stderr.startswith("Error: Expected a Keras model")
    found = document("model.onnx")
    assert found["file"]["format"] == "onnx"
    assert found["refusal"] in answer.stderr
    assert found["network"] is None
    assert shell("doctor", "nothing.h5").exit_code == 3


def test_a_refusal_leaves_tensorflow_alone(here):
    (here / "model.onnx").write_bytes(b"\x08\x07\x12\x07pytorch\x1a")
    code = (
        "import sys\nfrom kerasviz_cli.main import main\n"
        "try:\n    main(['doctor', 'model.onnx'])\n"
        "except SystemExit as end:\n    assert end.code == 3\n"
        "print([name for name in sys.modules if name in ('tensorflow', 'keras')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_picture_that_cannot_be_read_ends_with_1_and_scaling_that_must_be_said_with_2(here):
    (here / "broken.png").write_bytes(b"no picture")
    answer = shell("doctor", "tiny.keras", "photo.png", "broken.png")
    assert answer.exit_code == 1
    assert "broken.png" in answer.stderr
    assert "photo.png" in answer.stdout
    assert shell("doctor", "tiny.keras", "missing.png").exit_code == 4
    layers = [keras.layers.Conv2D(4, 3, name="c"), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    keras.Sequential([keras.Input((16, 16, 3)), *layers]).save("asks.keras")
    asked = shell("doctor", "asks.keras", "photo.png")
    assert asked.exit_code == 2
    assert "--preprocess" in asked.stderr
    assert "Default layer" in asked.stdout
    assert shell("doctor", "asks.keras").exit_code == 0
    assert shell("doctor", "asks.keras", "photo.png", "--preprocess", "0..1").exit_code == 0


def test_save_keeps_what_is_known_beside_the_model(here):
    (here / "tiny.labels.txt").rename(here / "names.txt")
    answer = shell("doctor", "tiny.keras", "--labels", "names.txt", "--save")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout.endswith("\nKept in 'tiny.kerasviz.json'.\n")
    kept = json.loads((here / "tiny.kerasviz.json").read_text(encoding="utf-8"))
    assert kept == {"preprocess": "none", "labels": list(NAMES), "layer": "conv_second"}
    found = document("tiny.keras")["network"]
    assert found["scaling"]["how"] == "sidecar"
    assert found["labels"]["count"] == 3
    assert found["default"]["why"].startswith("the file beside the model names it")


def test_long_networks_are_folded_and_v_shows_each_layer(here):
    start = x = keras.Input((8, 8, 3))
    for k in range(30):
        x = keras.layers.Conv2D(3, 3, padding="same", name=f"conv{k}")(x)
        x = keras.layers.ReLU(name=f"relu{k}")(x)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)
    keras.Model(start, keras.layers.Dense(2, name="end")(x)).save("long.keras")
    short, full = (shell("doctor", "long.keras", *words).stdout for words in ((), ("-v",)))
    assert "… relu29  60 layers" in short
    assert "62 of them in 3 lines; -v shows each" in short
    assert "conv17" not in short
    assert "\nconv17 " in full


def test_names_of_strangers_steer_no_terminal(capsys):
    file = FileFacts("p", "onnx", "an \x1b]0;x\x07 [bold]file", None, looked_through=False)
    show(Terminal(plain=True), Diagnosis("a\x1b[2Jb", file))
    out = capsys.readouterr().out
    assert not set("\x1b\x07") & set(out)
    assert "[bold]file" in out
