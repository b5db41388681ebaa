"""The commands: what they print, what they write, and that they say the same as the library."""

import json
import sys

import numpy as np
import pytest
from tiny import NAMES, picture, shell

import kerasviz as kv
from kerasviz.registry import TECHNIQUES
from kerasviz.settings import settings_of


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("technique", [t.name for t in TECHNIQUES])
def test_a_technique_writes_a_picture_and_its_record_and_prints_the_path(here, technique):
    answer = shell(technique, "tiny.keras", "photo.png")
    assert (answer.exit_code, answer.stderr) == (0, "")
    name = f"photo.png.{technique}.panel.png"
    assert answer.stdout == f"kerasviz_out/{name}\n"
    (record,) = lines_of(here / "kerasviz_out" / "manifest.jsonl")
    assert record["technique"] == technique
    assert record["files"] == {"panel": name}
    assert record["model"]["path"] == "tiny.keras"
    assert {path.name for path in (here / "kerasviz_out").iterdir()} == {name, "manifest.jsonl"}


def test_values_of_the_shell_are_those_of_the_library(here):
    assert shell("gradcam", "tiny.keras", "photo.png", "-t", "bright", "--style", "values").exit_code == 0
    written = np.load(here / "kerasviz_out" / "photo.png.gradcam.bright.values.npy")
    expected = kv.GradCAM()(kv.open("tiny.keras"), "photo.png", target=1).values
    np.testing.assert_array_equal(written, expected)
    assert written.dtype == np.float32


def test_every_setting_of_every_technique_is_an_option_with_its_help(here):
    for technique in TECHNIQUES:
        said = " ".join(shell(technique.name, "--help").stdout.split())
        for field in settings_of(technique.load()):
            assert "--" + field.name.replace("_", "-") in said
            assert field.metadata["help"].split(";")[0][:30] in said


def test_a_setting_reaches_the_engine_as_it_was_typed(here):
    shell("saliency", "tiny.keras", "photo.png", "--reduce", "sum", "--json")
    (record,) = lines_of(here / "kerasviz_out" / "manifest.jsonl")
    assert record["settings"] == {"reduce": "sum"}
    assert record["values"]["signed"] is True


def test_json_is_one_record_a_line_and_nothing_else(here):
    answer = shell("gradcam", "tiny.keras", "photo.png", "--target", "top2", "--json")
    records = [json.loads(line) for line in answer.stdout.splitlines()]
    assert records == lines_of(here / "kerasviz_out" / "manifest.jsonl")
    assert [record["target"]["part"] for record in records] == [1, 2]
    assert records[0]["target"]["score"] > records[1]["target"]["score"]


def test_drawing_options_change_the_picture_and_never_the_values(here):
    typed = ["gradcam", "tiny.keras", "photo.png", "--style", "overlay", "--style", "values"]
    assert shell(*typed, "-o", "a").exit_code == shell(*typed, "-o", "b", "--alpha", ".2").exit_code == 0
    name = "photo.png.gradcam"
    assert (here / "a" / f"{name}.overlay.png").read_bytes() != (here / "b" / f"{name}.overlay.png").read_bytes()
    assert (here / "a" / f"{name}.values.npy").read_bytes() == (here / "b" / f"{name}.values.npy").read_bytes()


def test_several_layers_are_several_files_each_called_after_its_layer(here):
    answer = shell("activations", "tiny.keras", "photo.png", "-l", "conv_first,pool")
    assert answer.stdout.split() == [
        "kerasviz_out/photo.png.activations.conv_first.panel.png",
        "kerasviz_out/photo.png.activations.pool.panel.png",
    ]


def test_true_takes_the_class_from_the_folder_or_from_a_file(here):
    picture(here / "photos" / "red" / "a.png", 2)
    by_folder = json.loads(shell("gradcam", "tiny.keras", "photos", "-t", "true", "--json").stdout)
    assert by_folder["target"]["index"] == NAMES.index("red")
    (here / "classes.csv").write_text("file,class\nred/a.png,dark\n", encoding="utf-8")
    typed = ["gradcam", "tiny.keras", "photos", "-t", "true", "--classes", "classes.csv", "--json"]
    assert json.loads(shell(*typed).stdout)["target"]["index"] == 0


def test_predict_prints_the_first_classes_of_every_picture(here):
    rows = [line.split("\t") for line in shell("predict", "tiny.keras", "photo.png", "--top", 2).stdout.splitlines()]
    outputs = kv.open("tiny.keras").predict("photo.png")
    best = np.argsort(-outputs)
    assert rows[0] == ["image", "output", "rank", "index", "name", "probability", "score"]
    assert [(row[0], int(row[2]), int(row[3]), row[4]) for row in rows[1:]] == [
        ("photo.png", rank, index, NAMES[index]) for rank, index in enumerate(best[:2], 1)
    ]
    np.testing.assert_allclose([float(row[5]) for row in rows[1:]], outputs[best[:2]], rtol=1e-5)


def test_predict_refuses_names_that_fit_no_output(here):
    (here / "two.txt").write_text("one\ntwo\n", encoding="utf-8")
    answer = shell("predict", "tiny.keras", "photo.png", "--labels", "two.txt")
    assert answer.exit_code == 2
    assert "(3), found 2" in answer.stderr


def test_layers_lists_what_the_network_has_and_marks_the_default(here):
    rows = [line.split("\t") for line in shell("layers", "tiny.keras").stdout.splitlines()]
    network = kv.open("tiny.keras")
    assert [row[0] for row in rows[1:]] == [layer.path for layer in network.layers]
    assert [row[0] for row in rows if row[-1] == "default"][1:] == [network.default_layer] == ["conv_second"]
    row = dict(zip(*rows[:1], next(row for row in rows if row[0] == "conv_second"), strict=True))
    assert (row["shape"], row["parameters"], row["sees"]) == ("12 x 12 x 5", str(3 * 3 * 4 * 5 + 5), "5 x 5")


def test_layers_as_json_is_one_layer_a_line(here):
    records = [json.loads(line) for line in shell("layers", "tiny.keras", "--json").stdout.splitlines()]
    assert [record["path"] for record in records if record["default"]] == ["conv_second"]
    assert records[-1]["shape"] == [3]


def test_layers_of_the_authors_own_are_taken_from_their_file(here):
    (here / "own.py").write_text(OWN_LAYER, encoding="utf-8")
    import runpy

    import keras

    double = runpy.run_path("own.py")["Double"]
    keras.Sequential([keras.Input((8, 8, 3)), double(name="twice"), keras.layers.Conv2D(2, 3)]).save("own.keras")
    assert shell("layers", "own.keras").exit_code == 3
    answer = shell("layers", "own.keras", "--custom", "own.py")
    assert answer.exit_code == 0, answer.stderr
    assert "twice\t0\tDouble" in answer.stdout


OWN_LAYER = """
import keras

class Double(keras.layers.Layer):
    def call(self, x):
        return 2 * x
"""


def test_further_inputs_come_from_files_a_row_for_each_picture_or_one_for_all(here):
    import keras

    start, extra = keras.Input((8, 8, 3), name="image"), keras.Input((2,), name="extra")
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(start))
    weights = keras.layers.Dense(2, kernel_initializer="ones", name="sums")(keras.layers.Concatenate()([pooled, extra]))
    keras.Model([start, extra], weights).save("two.keras")
    picture(here / "other.png", 1)
    np.save("rows.npy", np.array([[0, 1], [2, 3]], "float32"))
    answer = shell("predict", "two.keras", "photo.png", "other.png", "--input", "extra=rows.npy", "--top", 1, "--json")
    first, second = (json.loads(line)["predictions"][0]["score"] for line in answer.stdout.splitlines())
    assert second - first == pytest.approx(4, abs=1e-5)  # the same picture; the rows differ by 5 - 1
    chosen = shell("predict", "two.keras", "photo.png", "--input", "extra=rows.npy@1", "--top", 1, "--json")
    assert json.loads(chosen.stdout)["predictions"][0]["score"] == pytest.approx(second, rel=1e-6)
    wrong = shell("predict", "two.keras", "photo.png", "--input", "extr=rows.npy")
    assert wrong.exit_code == 2
    assert "Did you mean 'extra'?" in wrong.stderr


def test_a_preprocessing_function_may_stand_in_the_folder_one_is_in(here, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (here / "own_scaling.py").write_text("def halved(pixels):\n    return pixels / 2\n")
    half = shell("predict", "tiny.keras", "photo.png", "--preprocess", "own_scaling:halved", "--json")
    whole = shell("predict", "tiny.keras", "photo.png", "--json")
    assert half.exit_code == 0, half.stderr
    assert json.loads(half.stdout)["predictions"] != json.loads(whole.stdout)["predictions"]
    lost = shell("predict", "tiny.keras", "photo.png", "--preprocess", "no_such_module:halved")
    assert (lost.exit_code, "No module named 'no_such_module'" in lost.stderr) == (2, True)
