"""A picture says how it is made again, and then it is the same, byte for byte."""

import hashlib
import json
import shlex

import pytest
from tiny import picture, shell, tiny_model

import kerasviz as kv


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_model(tmp_path)
    for number in range(3):
        picture(tmp_path / "photos" / "a folder" / f"{number}.png", number)
    return tmp_path


@pytest.mark.parametrize(
    "typed",
    [
        "gradcam -t top2 --style panel --style overlay --alpha 0.4",
        "saliency --reduce l2 --fit crop --style heatmap --scale 1",
        "gradcam -t bright-red -l conv_first --placement receptive-field --background black --style overlay",
        "cam --all-classes --labels tiny.labels.txt",
        "activations --layer conv_first,conv_second --order index --batch-size 2",
    ],
)
def test_every_picture_of_a_run_is_made_again_alone(here, typed):
    technique, *options = shlex.split(typed)
    first = shell(technique, "tiny.keras", "photos", *options)
    assert first.exit_code == 0, first.stderr
    pictures = sorted((here / "kerasviz_out").rglob("*.png"))
    assert len(pictures) == len(first.stdout.splitlines()) >= 3
    for path in pictures[:2]:
        again = shlex.split(shell("replay", path).stdout)
        assert again[:3] == ["kerasviz", technique, "tiny.keras"]
        assert shell(*again[1:], "-o", "again").exit_code == 0
        assert (here / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_picture_of_somebody_else_carries_no_command(here):
    answer = shell("replay", "photos/a folder/0.png")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("Error: Expected a record in")
    assert shell("replay", "tiny.keras").exit_code == 1


def test_a_picture_saved_from_python_says_how_the_model_was_opened(here):
    (here / "names.txt").write_text("one\ntwo\nthree\n")
    network = kv.open("tiny.keras", labels="names.txt", preprocess="none", fit="pad", trust=True)
    (path,) = kv.GradCAM()(network, "photos/a folder/0.png", target="two").save("out")
    answer = shell("replay", path)
    assert "--trust, which runs code" in answer.stderr
    again = shlex.split(answer.stdout)
    assert shell(*again[1:], "-o", "again").exit_code == 0
    (made,) = (here / "again").rglob("*.png")
    assert made.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("typed", ["net.json", "building_net:build"])
def test_weights_with_an_architecture_are_explained_and_replayed(here, typed):
    import keras

    model = keras.models.load_model("tiny.keras")
    model.save_weights("tiny.weights.h5")
    (here / "net.json").write_text(model.to_json(), encoding="utf-8")
    (here / "building_net.py").write_text("import keras\ndef build(): return keras.models.load_model('tiny.keras')\n")
    photo = "photos/a folder/0.png"
    first = shell("saliency", "tiny.weights.h5", photo, "--architecture", typed, "--json")
    assert first.exit_code == 0, first.stderr
    record = json.loads(first.stdout)
    sha256 = hashlib.sha256((here / typed).read_bytes()).hexdigest() if typed == "net.json" else None
    assert record["model"]["format"] == "weights-h5"
    assert record["model"]["architecture"] == {"given": typed, "sha256": sha256}
    (path,) = (here / "kerasviz_out").rglob("*.png")
    told = shell("replay", path)
    assert ("--architecture, which runs code" in told.stderr) == (sha256 is None)
    again = shlex.split(told.stdout)
    assert again[again.index("--architecture") + 1] == typed
    assert shell(*again[1:], "-o", "again").exit_code == 0
    (made,) = (here / "again").rglob("*.png")
    assert made.read_bytes() == path.read_bytes()
