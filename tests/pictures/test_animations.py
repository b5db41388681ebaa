"""Animations: every frame is there, as long as it should be, and looks like what was drawn."""

import io
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kerasviz.errors import SettingError
from kerasviz.pictures.animations import (
    FORMATS,
    FRAME_MS,
    LAST_MS,
    STRIP,
    Overlays,
    animation,
    evenly,
    noted,
    refuse_form,
)
from kerasviz.pictures.overlays import overlay
from kerasviz.pictures.papers import PAPERS
from kerasviz.pictures.scales import Scale

KINDS = [("inferno", False), ("rdbu", True), ("rdbu", False), ("viridis", True)]
RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (33, 41, 3), dtype=np.uint8)


def shade(k):
    """A smooth picture that grows lighter: grey, with a corner of colour."""
    picture = np.full((45, 61, 3), 40 + 30 * k, np.uint8)
    picture[:16, :16] = (200, 40 + 30 * k, 30)
    return picture


def frames_of(data, form):
    """(pixels uint8 (h, w, 3), seconds it stands) of each frame."""
    if form == "mp4":
        import av

        with av.open(io.BytesIO(data)) as video:
            assert video.streams.video[0].codec_context.pix_fmt == "yuv420p"
            assert video.streams.video[0].codec_context.name == "h264"
            return [(frame.to_ndarray(format="rgb24"), FRAME_MS) for frame in video.decode(video=0)]
    found = []
    with Image.open(io.BytesIO(data)) as image:
        for k in range(image.n_frames):
            image.seek(k)
            image.load()
            found.append((np.asarray(image.convert("RGB")), image.info["duration"]))
    return found


def rms(one, other):
    return float(np.sqrt(np.mean((one.astype(float) - other) ** 2)))


@pytest.fixture(params=FORMATS)
def form(request):
    if request.param == "mp4":
        pytest.importorskip("av")
    return request.param


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_frame_is_there_and_the_last_stands_longest(form, count):
    found = frames_of(animation(shade, count, form), form)
    if form == "mp4":  # frames of one length
        assert len(found) == count - 1 + LAST_MS // FRAME_MS
        found = found[:count]
    elif count > 1:
        assert [duration for _, duration in found] == [FRAME_MS] * (count - 1) + [LAST_MS]
    for k, (picture, _) in enumerate(found):
        assert rms(picture[:45, :61], shade(k)) < 5, k
    assert len(found) == count


@pytest.mark.parametrize("form", ["webp", "gif"])
def test_it_begins_again_at_its_end(form):
    with Image.open(io.BytesIO(animation(shade, 3, form))) as image:
        assert image.info["loop"] == 0


def test_a_slow_change_is_not_kept_back():
    # The encoder of animated WebP keeps blocks that changed little since the frame before, however much it adds up to.
    last = frames_of(animation(lambda k: np.full((64, 64, 3), 100 + 2 * k, np.uint8), 30, "webp"), "webp")[-1][0]
    assert rms(last, np.full((64, 64, 3), 158, np.uint8)) < 3


def test_frames_are_drawn_one_after_the_other():
    asked = []

    def draw(k):
        asked.append(k)
        return shade(k)

    animation(draw, 4, "webp")
    assert asked == [0, 1, 2, 3]


def test_a_form_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(SettingError, match=r"webp, gif, mp4 or none, found 'wepb'\. Did you mean 'webp'"):
        animation(shade, 2, "wepb")


def test_without_the_package_mp4_is_refused_with_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as where it was never installed
    with pytest.raises(SettingError, match=r"pip install 'kerasviz\[video\]'"):
        refuse_form("mp4")
    refuse_form("webp")


@given(st.integers(1, 300), st.integers(2, 60))
def test_evenly_takes_the_first_and_the_last_and_no_number_twice(count, most):
    shown = evenly(count, most)
    assert shown[0] == 0
    assert shown[-1] == count - 1
    assert len(shown) == min(count, most)
    steps = np.diff(shown)
    assert not len(steps) or (steps.min() >= 1 and steps.max() - steps.min() <= 1)


def test_of_nothing_nothing_is_shown():
    assert evenly(0, 8) == []


@pytest.mark.parametrize(("colormap", "signed"), KINDS)
@pytest.mark.parametrize("alpha", [0.0, 0.65, 1.0])
def test_many_overlays_are_the_one_overlay(colormap, signed, alpha):
    values = RANDOM.normal(0, 1.5, PHOTO.shape[:2]).astype(np.float32)
    values[:5] = np.nan
    values[5:9] = 0
    quick = Overlays(PHOTO, colormap=colormap, alpha=alpha, signed=signed).draw(values / np.float32(2))
    exact = overlay(PHOTO, values, Scale(-2 if signed else 0, 2), colormap=colormap, alpha=alpha, signed=signed)
    assert np.abs(quick.astype(int) - exact).max() <= 1 + 4 * alpha  # next to nothing, where opacity is steepest
    assert np.abs(quick.astype(int) - exact).mean() < 0.3


def test_an_overlay_leaves_its_shares_as_they_were():
    values = np.array([[np.nan, 0.5], [-1, 2]], np.float32)
    kept = values.copy()
    Overlays(PHOTO[:2, :2]).draw(values)
    np.testing.assert_array_equal(values, kept)


def inked(strip, name):
    return bool((strip == getattr(PAPERS["white"], name)).all(axis=-1).any())


def test_the_note_stands_below_the_picture_and_never_on_it():
    picture = np.full((30, 300, 3), 77, np.uint8)
    page = noted(picture, "epoch 5", "bee 0.37", more="all 0")
    assert page.shape == (30 + STRIP, 300, 3)
    np.testing.assert_array_equal(page[:30], picture)
    assert inked(page[30:, :60], "ink")
    assert inked(page[30:, 60:120], "dim")
    assert inked(page[30:, 240:], "ink")
    assert inked(noted(picture, "epoch 5", more="It failed.", bad=True)[30:], "bad")
    assert not inked(page[30:], "bad")


@pytest.mark.parametrize("wide", [1, 16, 61, 120])
def test_notes_of_strangers_do_not_make_a_narrow_picture_wider(wide):
    page = noted(np.zeros((9, wide, 3), np.uint8), "epoch 1,000", "a long name\x1b[2J " * 9 + "0.37", more="more " * 50)
    assert page.shape == (9 + STRIP, wide, 3)
