"""A run over many pictures: batches of one size, failures in their place, a stream that is never held."""

import itertools
import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny import picture, tiny_model

import kerasviz as kv
from kerasviz.inputs.sources import Source, find_images
from kerasviz.results.drawing import Drawing
from kerasviz.runs import pipeline
from kerasviz.runs.pipeline import batches, run
from kerasviz.runs.reading import AHEAD, as_it_is, read_ahead


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return kv.open(tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def photos(tmp_path):
    for number in range(5):
        picture(tmp_path / "photos" / f"{number}.png", number)
    return tmp_path / "photos"


def outcomes(network, photos, out, engine=None, **options):
    return list(run(engine or kv.GradCAM(), network, find_images([str(photos)]), out=out, **options))


def test_a_run_gives_the_values_of_pictures_one_by_one_in_their_order(network, photos, tmp_path):
    found = outcomes(network, photos, tmp_path / "out", batch_size=2)
    assert [outcome.source.name for outcome in found] == [f"{number}.png" for number in range(5)]
    for outcome in found:
        alone = kv.GradCAM()(network, outcome.source.path)
        np.testing.assert_allclose(outcome.result.values, alone.values, rtol=1e-4, atol=1e-6)


def test_every_batch_is_padded_to_the_runs_size_and_traced_once(photos, tmp_path):
    fresh = kv.open(tiny_model(tmp_path))
    found = outcomes(fresh, photos, tmp_path / "out", batch_size=2)
    assert {outcome.record["batch"] for outcome in found} == {2}
    assert fresh.traces == 1


def test_without_a_batch_size_a_short_run_is_one_batch(network, photos, tmp_path):
    assert {outcome.record["batch"] for outcome in outcomes(network, photos, tmp_path / "out")} == {5}


def test_a_run_is_the_same_to_the_bit_whatever_comes_beside_a_picture(network, photos, tmp_path):
    whole = outcomes(network, photos, tmp_path / "whole", batch_size=4)
    for path in list(photos.iterdir())[:2]:
        path.unlink()
    less = {outcome.source.name: outcome for outcome in outcomes(network, photos, tmp_path / "less", batch_size=4)}
    for outcome in whole:
        if outcome.source.name in less:
            np.testing.assert_array_equal(outcome.result.values, less[outcome.source.name].result.values)


def test_a_picture_that_cannot_be_read_is_a_failed_record_and_the_rest_goes_on(network, photos, tmp_path):
    (photos / "2.png").write_bytes(b"")
    found = {outcome.source.name: outcome for outcome in outcomes(network, photos, tmp_path / "out", batch_size=2)}
    assert [name for name, outcome in found.items() if outcome.failed] == ["2.png"]
    assert len(found) == 5
    assert found["2.png"].files == []
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    (failed,) = [line for line in lines if line["status"] == "failed"]
    assert failed["image"]["path"] == str(photos / "2.png")
    assert "empty file" in failed["messages"][0]


def test_what_was_yielded_is_on_the_disk_when_the_loop_is_left(network, photos, tmp_path):
    outcome = next(run(kv.GradCAM(), network, find_images([str(photos)]), out=tmp_path / "out", batch_size=1))
    assert all(path.is_file() for path in outcome.files)
    assert len((tmp_path / "out" / "manifest.jsonl").read_text().splitlines()) == 1


def test_targets_and_layers_of_a_picture_come_together(network, photos, tmp_path):
    found = outcomes(network, photos, tmp_path / "out", target="top2", batch_size=3)
    assert [outcome.source.name for outcome in found] == [f"{n}.png" for n in range(5) for _ in range(2)]
    engine = kv.Activations(layer="conv_first,pool")
    found = outcomes(network, photos, tmp_path / "out", engine, drawing=Drawing(scale=1), batch_size=3)
    assert [outcome.record["layer"]["path"] for outcome in found] == ["conv_first", "pool"] * 5


def test_pictures_of_several_sizes_pass_through_a_network_of_any_size(tmp_path):
    import keras

    layers = keras.layers
    shape = [keras.Input((None, None, 3)), layers.Rescaling(1 / 255), layers.Conv2D(3, 3), layers.GlobalMaxPooling2D()]
    network = kv.open(keras.Sequential(shape))
    sizes = [(32, 32), (32, 32), (64, 32), (32, 32)]
    for number, size in enumerate(sizes):
        picture(tmp_path / "photos" / f"{number}.png", number, size)
    found = outcomes(network, tmp_path / "photos", tmp_path / "out")
    assert [outcome.record["batch"] for outcome in found] == [2, 2, 2, 2]
    assert [outcome.result.given.pixels.shape[:2] for outcome in found] == sizes


def test_large_photographs_make_smaller_batches_of_the_same_padded_size(network, photos, monkeypatch):
    monkeypatch.setattr(pipeline, "MOST_BYTES", 2 * 20 * 24 * 3)  # two of them
    found = [(size, len(batch)) for size, batch in batches(network, find_images([str(photos)]), as_it_is, 4)]
    assert found == [(4, 2), (4, 2), (4, 1)]


def test_a_true_class_that_nobody_knows_fails_that_picture_alone(network, photos, tmp_path):
    def complete(number, source, given):
        return replace(given, truth=number if number < 3 else None)

    found = outcomes(network, photos, tmp_path / "out", target="true", complete=complete)
    assert [outcome.failed for outcome in sorted(found, key=lambda o: o.source.name)] == [False] * 3 + [True] * 2
    assert {o.source.name: o.record["target"]["index"] for o in found if not o.failed} == {
        f"{number}.png": number for number in range(3)
    }


def test_sources_are_taken_only_as_fast_as_they_are_used(tmp_path):
    path = picture(tmp_path / "photo.png")
    taken = itertools.count()
    last = 0

    def endless():
        nonlocal last
        for last in taken:
            yield Source(path, f"{last}.png")

    reading = read_ahead(endless(), kv.open(tiny_model(tmp_path)).frame)
    for _ in range(20):
        next(reading)
    reading.close()
    assert last <= 20 + AHEAD
    assert [thread for thread in threading.enumerate() if thread.name.startswith("kerasviz-reading")] == []


def test_pictures_come_in_order_however_long_each_takes(tmp_path, network):
    for number in range(8):
        picture(tmp_path / f"{number}.png", number, (900, 900) if number % 3 == 0 else (4, 4))
    read = list(read_ahead(find_images([str(tmp_path)]), network.frame))
    assert [one.source.name for one in read] == [f"{number}.png" for number in range(8)]
    assert [one.number for one in read] == list(range(8))
    with Image.open(tmp_path / "1.png") as image:
        np.testing.assert_array_equal(read[1].given.photo.pixels, np.asarray(image))
