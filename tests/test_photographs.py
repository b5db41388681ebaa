"""Real photographs through the sample network: the class is found, and the heatmap's top lies on the subject."""

import json
from pathlib import Path

import numpy as np
import pytest

import kerasviz as kv

SAMPLES = Path(__file__).parent.parent / "sample_models"
ENTRIES = [e for e in json.loads((SAMPLES / "photos/photos.json").read_text()) if e["class_index"] is not None]


@pytest.fixture(scope="module")
def explained():
    network = kv.open(SAMPLES / "efficientnet_lite0.keras")
    photos = [SAMPLES / "photos" / entry["file"] for entry in ENTRIES]
    results = kv.GradCAM()(network, photos, target=[entry["class_index"] for entry in ENTRIES])
    return list(zip(ENTRIES, results, strict=True))


def test_the_expected_class_is_among_the_first_five(explained):
    right = [entry["class_index"] in [p.index for p in result.predictions] for entry, result in explained]
    assert len(right) == 12
    assert sum(right) >= 10  # the space shuttle behind the astronaut is ranked 43rd, and known to be


def test_the_maximum_lies_inside_the_box(explained):
    assert sum(_hit(entry, result) for entry, result in explained) >= 11


def test_the_heatmap_is_the_class_s_own(explained):
    for entry, result in explained:
        assert result.target.index == entry["class_index"]
        assert result.heatmap.shape == (7, 7)
        assert result.heatmap.max() > 0


def test_an_overlay_has_the_photograph_s_own_resolution(explained):
    for _, result in explained[:3]:
        assert result.overlay().shape == result.photo.shape


def _hit(entry, result):
    placed = result.given.fit.place(result.heatmap)
    y, x = np.unravel_index(np.argmax(placed), placed.shape)
    x0, y0, x1, y1 = entry["box"]
    return x0 <= x <= x1 and y0 <= y <= y1
