"""Saved results: names, contents, records, and the line of the manifest."""

import json

import numpy as np
import pytest
from PIL import Image
from tiny import NAMES, picture, tiny_model

import kerasviz as kv
from kerasviz.records import read_recipe


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return kv.open(tiny_model(tmp_path_factory.mktemp("model")))


def lines_of(out):
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def test_each_style_is_a_file_named_by_picture_technique_target_and_style(network, tmp_path):
    path = picture(tmp_path / "photo.png")
    result = kv.GradCAM()(network, path, target="bright")
    files = result.save(tmp_path / "out", styles=("panel", "overlay", "heatmap", "values"))
    assert [file.name for file in files] == [
        f"photo.png.gradcam.bright.{ending}" for ending in ("panel.png", "overlay.png", "heatmap.png", "values.npy")
    ]
    np.testing.assert_array_equal(np.load(files[-1]), result.values)
    with Image.open(files[1]) as overlay:
        np.testing.assert_array_equal(np.asarray(overlay), result.overlay())
        assert overlay.size == (24, 20)


@pytest.mark.parametrize(("scale", "dpi"), [(1, 150), (2, 300)])
def test_a_picture_says_how_large_it_is_on_paper(network, tmp_path, scale, dpi):
    (file,) = kv.GradCAM()(network, picture(tmp_path / "photo.png")).save(tmp_path / "out", scale=scale)
    with Image.open(file) as panel:
        assert panel.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)


def test_the_record_says_how_and_what(network, tmp_path):
    result = kv.GradCAM(layer="conv_first")(network, picture(tmp_path / "photo.png"), target="red")
    result.save(tmp_path / "out", styles=("overlay",), alpha=0.5)
    (record,) = lines_of(tmp_path / "out")
    assert record["schema"] == 1
    assert record["status"] == result.status
    assert (record["technique"], record["settings"]) == ("gradcam", {"layer": "conv_first"})
    assert record["layer"] == {"path": "conv_first", "index": result.layer.index}
    target = record["target"]
    assert (target["asked"], target["index"], target["name"], target["scale"]) == (
        "red",
        NAMES.index("red"),
        "red",
        "logit",
    )
    assert target["score"] == pytest.approx(result.target.score)
    assert record["model"]["sha256"] == network.file.sha256
    assert record["image"]["sha256"] == result.given.photo.sha256
    assert (record["image"]["width"], record["image"]["height"]) == (24, 20)
    assert record["preprocess"] == {"name": "none", "how": "inside", "fit": "squash"}
    assert record["values"]["shape"] == [14, 14]
    assert record["values"]["sum"] == pytest.approx(float(result.values.sum()), rel=1e-6)
    assert record["options"] == {"style": ["overlay"], "alpha": 0.5}
    assert [p["index"] for p in record["predictions"]] == [p.index for p in result.predictions]
    assert record["versions"]["tensorflow"]


def test_a_picture_carries_the_line_of_the_manifest_without_seconds_and_sisters(network, tmp_path):
    (file,) = kv.Saliency()(network, picture(tmp_path / "photo.png")).save(tmp_path / "out")
    (line,), carried = lines_of(tmp_path / "out"), read_recipe(file)
    assert set(line) - set(carried) == {"seconds", "files"}
    assert carried["values"] == line["values"]
    assert carried["target"] == line["target"]


def test_saving_again_adds_a_line_and_changes_no_byte(network, tmp_path):
    result = kv.GradCAM()(network, picture(tmp_path / "photo.png"))
    (file,) = result.save(tmp_path / "out")
    before = file.read_bytes()
    assert result.save(tmp_path / "out") == [file]
    assert file.read_bytes() == before
    assert len(lines_of(tmp_path / "out")) == 2


def test_pages_of_a_grid_are_numbered_from_the_second_on(tmp_path):
    import keras

    wide = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(300, 3), keras.layers.GlobalMaxPooling2D()])
    files = kv.Activations()(wide, np.ones((8, 8, 3), "float32")).save(tmp_path)
    names = [file.name for file in files]
    assert names[0] == "image_0000.activations.panel.png"
    assert names[1:] == [f"image_0000.activations.panel-{page}.png" for page in range(2, len(names) + 1)]
    assert len(names) > 1
    assert list(lines_of(tmp_path)[0]["files"].values()) == names


def test_several_pictures_never_overwrite_each_other(network, tmp_path):
    paths = [picture(tmp_path / "in" / folder / "same.png", seed) for seed, folder in enumerate("ab")]
    files = kv.GradCAM()(network, paths).save(tmp_path / "out")
    assert files == [tmp_path / "out" / folder / "same.png.gradcam.panel.png" for folder in "ab"]
    arrays = kv.GradCAM()(network, np.random.default_rng(1).random((2, 16, 16, 3), np.float32))
    assert [file.name for file in arrays.save(tmp_path / "out")] == [
        f"image_000{number}.gradcam.panel.png" for number in (0, 1)
    ]


def test_float_inputs_say_how_they_were_drawn(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3), keras.layers.GlobalMaxPooling2D()])
    batch = np.linspace(-2, 3, 2 * 8 * 8 * 3, dtype="float32").reshape(2, 8, 8, 3)
    kv.Saliency()(model, batch).save(tmp_path)
    for line in lines_of(tmp_path):
        assert line["preprocess"]["drawn"] == {"how": "stretched", "span": [-2.0, 3.0]}
        assert line["image"]["path"] is None


def test_an_unknown_style_is_refused_before_anything_is_written(network, tmp_path):
    result = kv.GradCAM()(network, picture(tmp_path / "photo.png"))
    with pytest.raises(kv.SettingError, match=r"no style 'pannel'.* Did you mean 'panel'"):
        result.save(tmp_path / "out", styles=("overlay", "pannel"))
    assert not (tmp_path / "out").exists()


def test_a_part_of_several_results_can_be_saved_too(network, tmp_path):
    results = kv.GradCAM()(network, [picture(tmp_path / f"{k}.png", k) for k in range(3)])
    assert [file.name for file in results[:2].save(tmp_path / "out")] == [f"{k}.png.gradcam.panel.png" for k in (0, 1)]


def test_whole_numbers_that_are_no_photograph_are_refused(network):
    with pytest.raises(kv.ImageError, match=r"Expected uint8 .* or float .*, found int64"):
        kv.GradCAM()(network, np.zeros((16, 16, 3), np.int64))
