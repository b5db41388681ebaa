"""What is written, checked before a training begins."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from kerasviz.errors import SettingError
from kerasviz.results.drawing import Drawing
from kerasviz.runs.wanted import Wanted

LOGS = Path("logs")


def wanted(**others):
    told = {"styles": ("panel",), "page": True, "animation": None, "tensorboard": None, "boxes": None}
    return Wanted.of(LOGS, Drawing(), **{**told, **others})


def test_styles_and_the_folder_of_tensorboard():
    assert wanted(styles="overlay").styles == ("overlay",)
    assert wanted(styles=["overlay", "values", "overlay"]).styles == ("overlay", "values")
    assert wanted().tensorboard is wanted(tensorboard=False).tensorboard is None
    assert wanted(tensorboard=True).tensorboard == LOGS / "tensorboard"
    assert wanted(tensorboard="theirs").tensorboard == wanted(tensorboard=Path("theirs")).tensorboard == Path("theirs")
    with pytest.raises(SettingError, match=r"no style 'overly'\. Did you mean 'overlay'"):
        wanted(styles="overly")


def test_an_animation_that_cannot_be_made_is_refused_before_the_training():
    assert [wanted(animation=form).animation for form in ("webp", "gif", None)] == ["webp", "gif", None]
    with pytest.raises(SettingError, match=r"found 'wepb'\. Did you mean 'webp'"):
        wanted(animation="wepb")
    if importlib.util.find_spec("av") is None:
        with pytest.raises(SettingError, match="needs the package 'av'"):
            wanted(animation="mp4")


def test_each_picture_has_a_list_of_boxes():
    one, other = (0.0, 1.0, 5.0, 6.0), (2.0, 2.0, 3.0, 4.0)
    assert wanted().boxes == wanted(boxes=[]).boxes == []
    assert wanted(boxes=[one, None, [], [other], [one, other]]).boxes == [[one], [], [], [other], [one, other]]
    assert wanted(boxes=np.array([one, other])).boxes == [[one], [other]]
    assert wanted(boxes=np.array([[one, other]], int)).boxes == [[one, other]]


NO_BOXES = [
    5,
    "boxes",
    [5],
    ["abcd"],
    [{"x0": 1}],
    [(1, 2, 3)],
    [[(1, 2, 3)] * 4],
    [[(0, 1), (5, 6)]],
    [[(0, 0, 1, 1), (1, 2)]],
    [(5, 0, 1, 6)],
    [(0, 6, 5, 1)],
    [(0, 0, 5, float("nan"))],
]


@pytest.mark.parametrize("boxes", NO_BOXES)
def test_what_are_no_boxes_is_refused(boxes):
    with pytest.raises(SettingError, match=r"boxes \(x0, y0, x1, y1\) for each picture, x0 < x1 .* Give a list"):
        wanted(boxes=boxes)
