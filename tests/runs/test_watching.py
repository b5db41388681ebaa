"""A network watched: opened once, again where it is another, and copied without what is compiled."""

import copy
import pickle

import numpy as np
import pytest
from networks import random_model, random_pictures

import kerasviz as kv
from kerasviz.results.drawing import Drawing
from kerasviz.runs.dumping import watched
from kerasviz.runs.schedule import Clock
from kerasviz.runs.wanted import Wanted
from kerasviz.runs.watching import Watching

PICTURES = random_pictures(3)


def watching(folder, images=PICTURES, boxes=None, **options):
    wanted = Wanted.of(
        folder, Drawing(scale=1), styles="overlay", page=False, animation=None, tensorboard=None, boxes=boxes
    )
    told = {"target": None, "preprocess": "auto", "labels": None, "seed": 0, "count": None, "at_once": True}
    return Watching(watched("gradcam"), images, folder, wanted, **{**told, **options})


def moment(epoch):
    clock = Clock()
    clock.completed = epoch
    return clock.moment("epoch", "every", {})


def test_a_network_is_traced_once_and_another_one_anew(tmp_path):
    watch, first, second = watching(tmp_path), random_model("predictions"), random_model("predictions")
    for epoch in range(3):
        assert watch.look(first, moment(epoch)) == {}
        assert watch.traces == 1
    assert watch.look(second, moment(3)) == {}
    assert watch.traces == 1  # of the second
    watch.end(0)
    assert watch.errors() == []
    assert len(list(tmp_path.glob("epoch_*"))) == 4


def test_means_are_of_the_last_dump_and_nan_in_an_epoch_without(tmp_path):
    watch, model, clock = watching(tmp_path, boxes=[(0, 0, 7, 6)] * 3), random_model("predictions"), Clock()
    watch.look(model, moment(0))
    assert watch.means()["kerasviz/gradcam/inside"] == pytest.approx(1)
    assert np.isnan(watch.means()["kerasviz/gradcam/moved"])  # there from the first dump, as CSVLogger wants it
    watch.look(model, moment(1))
    assert watch.means() == {"kerasviz/gradcam/inside": pytest.approx(1), "kerasviz/gradcam/moved": pytest.approx(0)}
    watch.epoch(model, clock, {})
    assert np.isnan(list(watch.means().values())).all()
    watch.end(0)


def test_a_function_is_asked_for_pictures_once(tmp_path):
    asked = []

    def pictures():
        asked.append(len(asked))
        return PICTURES

    watch = watching(tmp_path, pictures)
    assert asked == []
    for epoch in range(2):
        watch.look(random_model("predictions"), moment(epoch))
    watch.end(0)
    assert asked == [0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_sees_the_same_pictures_and_opens_anew(copied, tmp_path):
    watch, model = watching(tmp_path, iter(PICTURES)), random_model("predictions")
    watch.look(model, moment(0))
    other = copied(watch)
    assert (other.traces, watch.traces) == (0, 1)
    np.testing.assert_array_equal(other.panel().images, PICTURES)
    other.look(model, moment(1))
    for one in (watch, other):
        one.end(0)
        assert one.errors() == []
    assert sorted(path.name for path in tmp_path.glob("epoch_*")) == ["epoch_0000", "epoch_0001"]


def test_what_cannot_be_used_is_refused_with_the_cure(tmp_path):
    model = random_model("predictions")
    with pytest.raises(kv.SettingError, match="boxes for each of 3 pictures, found 2"):
        watching(tmp_path, boxes=[(0, 0, 1, 1)] * 2).look(model, moment(0))
    with pytest.raises(kv.SettingError, match="Expected count as a number of pictures"):
        watching(tmp_path, count=0)
    with pytest.raises(kv.ImageError):
        watching(tmp_path, random_pictures(2, shape=(9, 9, 3))).look(model, moment(0))
    assert list(tmp_path.iterdir()) == []
