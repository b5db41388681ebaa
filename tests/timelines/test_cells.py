"""A result becomes a cell, a row, a column: numbers that come back, and words that stand on the page."""

import dataclasses

import keras
import numpy as np
import pytest

import kerasviz as kv
from kerasviz.inputs.fitting import WAYS
from kerasviz.pictures.scales import scale_of
from kerasviz.results.drawing import Drawing
from kerasviz.timelines.cells import FINE_SIDE, cell_of, column_of, row_of, shrunk, standing_of
from kerasviz.timelines.layout import LARGEST_PHOTO
from kerasviz.timelines.placing import Placing

DRAWING = Drawing()
PHOTO = np.random.default_rng(3).integers(0, 255, (60, 100, 3), dtype=np.uint8)
ENGINES = (kv.GradCAM(), kv.Saliency(), kv.Saliency(reduce="sum"), kv.CAM(), kv.CAM(all_classes=True), kv.Activations())


@pytest.fixture(scope="module")
def model():
    """80 x 96 pixels: saliency has more cells a side than a timeline keeps."""
    layers = keras.layers
    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            keras.Input((80, 96, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(6, 5, strides=8, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ],
        name="small",
    )


@pytest.fixture(scope="module")
def network(model):
    return kv.open(model, labels=["ant", "bee", "cat", "dog"])


def result_of(network, engine, photo=PHOTO, target="bee"):
    return engine(network, photo, target) if engine.explains else engine(network, photo)


def maps(network):
    results = [result_of(network, engine) for engine in ENGINES]
    return [result for result in results if result.grid is None]


def test_there_are_coarse_fine_and_signed_maps_and_grids(network):
    found = maps(network)
    assert {(result.heatmap.size > 1024, bool(result.engine.signed)) for result in found} >= {
        (False, False), (True, False), (True, True)
    }  # fmt: skip
    assert len(found) < len(ENGINES)


def test_a_cell_gives_the_heatmap_back(network):
    for result in maps(network):
        signed, heatmap = bool(result.engine.signed), np.asarray(result.heatmap)
        cell = cell_of(result, DRAWING)
        assert cell.limit == scale_of(heatmap, signed=signed).high > 0
        assert cell.maximum == pytest.approx(np.abs(heatmap).max() if signed else heatmap.max())
        expected = np.clip(heatmap, -cell.limit if signed else 0, cell.limit)
        if heatmap.shape[0] > FINE_SIDE or heatmap.shape[1] > FINE_SIDE:
            assert max(cell.share.shape) == FINE_SIDE
            assert cell.share.shape[0] / cell.share.shape[1] == pytest.approx(80 / 96, abs=0.02)
            # averaging and clipping change the mean by what they clip, no more
            assert cell.values(signed).mean() == pytest.approx(heatmap.mean(), abs=0.05 * cell.limit)
        else:
            np.testing.assert_allclose(cell.values(signed), expected, atol=0.51 * cell.limit / 127)
        assert (cell.target, cell.failed) == ("bee", False)
        assert cell.score == pytest.approx(float(result.target.score))


def test_fine_maps_are_averaged_down(network):
    result = result_of(network, kv.Saliency())
    board = np.indices((4 * FINE_SIDE, 2 * FINE_SIDE)).sum(axis=0) % 2
    cell = cell_of(dataclasses.replace(result, heatmap=board.astype(np.float32)), DRAWING)
    assert cell.share.shape == (FINE_SIDE, FINE_SIDE // 2)
    np.testing.assert_allclose(cell.values(False), 0.5, atol=0.01)
    assert (cell.limit, cell.maximum) == (1, 1)


def test_clip_ends_the_scale_as_in_pictures(network):
    result = result_of(network, kv.Saliency())
    clipped = cell_of(result, Drawing(clip=90))
    assert clipped.limit == pytest.approx(np.percentile(result.heatmap, 90))
    assert clipped.maximum > clipped.limit


def test_a_grid_is_a_small_picture(network):
    cell = cell_of(result_of(network, kv.Activations()), DRAWING)
    assert cell.share is None
    assert max(cell.picture.shape) == LARGEST_PHOTO


def with_heatmap(result, heatmap, **about):
    return dataclasses.replace(result, heatmap=np.asarray(heatmap, np.float32), **about)


def test_a_map_of_nothing_has_an_empty_scale_and_says_why(network):
    result = result_of(network, kv.GradCAM())
    cell = cell_of(with_heatmap(result, np.zeros((3, 4)), status="warning", messages=["All values are 0."]), DRAWING)
    assert (cell.limit, cell.maximum, cell.note, cell.failed) == (0, 0, "All values are 0.", False)
    assert not cell.values(False).any()


def test_a_failure_says_why(network):
    result = result_of(network, kv.GradCAM())
    cell = cell_of(with_heatmap(result, np.full((3, 4), np.nan), status="failed", messages=["NaN."]), DRAWING)
    assert (cell.failed, cell.note, cell.limit) == (True, "NaN.", 0)
    assert not cell.values(False).any()


def test_single_values_that_are_no_numbers_are_drawn_as_nothing(network):
    heatmap = np.full((4, 4), 0.5, np.float32)
    heatmap[0] = np.nan, np.inf, -np.inf, 1
    cell = cell_of(with_heatmap(result_of(network, kv.GradCAM()), heatmap), DRAWING)
    assert cell.limit == cell.maximum == 1
    assert cell.share[0, 0] == 0
    assert np.isfinite(cell.values(False)).all()


@pytest.mark.parametrize("fit", WAYS)
@pytest.mark.parametrize("size", [(60, 100), (100, 60), (80, 96)])
def test_a_row_says_what_the_network_saw(model, fit, size):
    network = kv.open(model, labels=list("abcd"), fit=fit)
    photo = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    result = kv.GradCAM()(network, photo, target=1)
    row = row_of(result, "bee", [(10, 20, 30, 40)])
    placed = Placing(row.seen, result.heatmap.shape, size).place(result.heatmap)
    np.testing.assert_allclose(placed, result.given.fit.place(result.heatmap, size), atol=1e-5)
    assert (row.title, row.size) == ("bee", size)
    np.testing.assert_allclose(row.boxes, [[10 / size[1], 20 / size[0], 30 / size[1], 40 / size[0]]])
    np.testing.assert_array_equal(row.photo, photo)


def test_large_photographs_are_made_smaller():
    for size, expected in {(3000, 1000): (480, 160), (480, 480): (480, 480), (5, 9000): (1, 480)}.items():
        assert shrunk(np.zeros((*size, 3), np.uint8)).shape[:2] == expected


def test_columns_say_how_their_maps_are_drawn(network):
    columns = {
        name: column_of(result_of(network, engine), name, "true", DRAWING)
        for name, engine in {"cam": kv.GradCAM(), "fine": kv.Saliency(), "sum": kv.Saliency(reduce="sum")}.items()
    }
    assert [(c.kind, c.signed, c.alone, c.colormap, c.paper) for c in columns.values()] == [
        ("map", False, False, "inferno", "inferno"),
        ("map", False, True, "inferno", "ink"),
        ("map", True, True, "rdbu", "rdbu"),
    ]
    assert {column.question for column in columns.values()} == {"true class"}
    assert columns["cam"].words.startswith("conv")
    assert "reduce sum" in columns["sum"].words
    assert "reduce" not in columns["fine"].words
    assert columns["cam"].unit == result_of(network, kv.GradCAM()).unit
    assert column_of(result_of(network, kv.Activations()), "maps", "", DRAWING).kind == "picture"


def test_a_question_is_told_in_words(network):
    result = result_of(network, kv.GradCAM())
    for asked, words in {"true": "true class", "top": "predicted class", "auto": "", "bee": "bee"}.items():
        assert column_of(result, "gradcam", asked, DRAWING).question == words


def test_a_standing_has_the_first_three_guesses(network):
    result = result_of(network, kv.GradCAM())
    standing = standing_of(result)
    assert standing.name == "bee"
    assert len(standing.guesses) == 3
    chances = [chance for _, chance in standing.guesses]
    assert chances == sorted(chances, reverse=True)
    ranked = [one.name for one in result.predictions]
    assert standing.rank == ranked.index("bee") + 1
    assert standing.probability == pytest.approx(result.predictions[standing.rank - 1].probability)
