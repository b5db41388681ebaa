"""What every technique of the registry owes: one test for all of them, and for those to come."""

import dataclasses
import json
import re

import keras
import numpy as np
import pytest
from networks import LABELS, RANDOM_SHAPE, random_model, random_network, random_pictures

import kerasviz as kv
from kerasviz.records import as_json
from kerasviz.results.drawing import Drawing
from kerasviz.results.recording import record_of
from kerasviz.settings import Between, OneOf, settings_of, truth

ENGINES = [technique.load() for technique in kv.techniques()]
SETTINGS = [(engine, field) for engine in ENGINES for field in settings_of(engine)]
PICTURES = random_pictures(5)
each = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
each_setting = pytest.mark.parametrize(
    ("engine", "field"), SETTINGS, ids=lambda x: x.__name__ if isinstance(x, type) else x.name
)


def opened():
    return random_network("predictions")


def others(field):
    """Values of a setting that are not its default."""
    limit, default = field.metadata["limit"], field.default
    if isinstance(limit, OneOf):
        return [word for word in limit.words if word != default]
    if field.metadata["parse"] is truth:
        return [not default]
    if isinstance(limit, Between):
        return [value for value in (limit.low, limit.high) if value != default]
    return ["conv4"] if field.name == "layer" else []


def bad(field):
    """A value beyond the setting's limit, or nothing where there is no limit."""
    limit = field.metadata["limit"]
    if isinstance(limit, OneOf):
        return "no such word"
    if isinstance(limit, Between):
        return limit.low - 1
    return "perhaps" if field.metadata["parse"] is truth else None


def variants(engine):
    """The engine by default, and with each setting at another value that this network can be asked with."""
    yield engine()
    for field in settings_of(engine):
        if not (engine is kv.CAM and field.name == "layer"):
            yield from (engine(**{field.name: value}) for value in others(field))


VARIANTS = [variant for engine in ENGINES for variant in variants(engine)]


@pytest.mark.parametrize("engine", VARIANTS, ids=repr)
def test_a_batch_equals_its_pictures_one_by_one(engine):
    together = engine(opened(), PICTURES)
    for result, picture in zip(together, PICTURES, strict=True):
        alone = engine(opened(), picture)
        assert alone.values.dtype == result.values.dtype == np.float32
        np.testing.assert_allclose(result.values, alone.values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(result.heatmap, alone.heatmap, rtol=1e-4, atol=1e-6)
        assert [p.index for p in result.predictions] == [p.index for p in alone.predictions]


@each
def test_at_the_same_padded_size_they_are_equal_to_the_bit(engine):
    network = opened()
    given, _ = network.prepare(PICTURES)
    together = list(engine().explain(network, given, batch_size=8, pad=True))
    for k, result in enumerate(together):
        (alone,) = engine().explain(network, given[k : k + 1], batch_size=8, pad=True)
        np.testing.assert_array_equal(alone.values, result.values)
        assert alone.origin.batch == result.origin.batch == 8


@each
def test_the_order_of_pictures_and_the_size_of_batches_do_not_matter(engine):
    network = opened()
    together, parts = engine()(network, PICTURES), engine()(network, PICTURES, batch_size=2)
    backwards = engine()(network, PICTURES[::-1])[::-1]
    for one, two, three in zip(together, parts, backwards, strict=True):
        np.testing.assert_allclose(two.values, one.values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(three.values, one.values, rtol=1e-4, atol=1e-6)


@each
def test_one_trace_answers_batches_of_every_size(engine):
    network = kv.open(random_model("predictions"))
    for count in (4, 4, 3):
        engine()(network, PICTURES[:count])
    equal = engine()  # another object with the same settings
    equal(network, PICTURES)
    assert network.traces == 1


@each
def test_a_run_of_one_picture_is_one_result_and_of_several_a_list(engine):
    assert isinstance(engine()(opened(), PICTURES[0]), kv.Result)
    assert isinstance(engine()(opened(), PICTURES[:1]), kv.Results)
    assert len(engine()(opened(), PICTURES)) == len(PICTURES)


@pytest.mark.parametrize("engine", VARIANTS, ids=repr)
def test_repr_makes_it_again(engine):
    again = eval(repr(engine), {type(engine).__name__: type(engine)})
    assert again == engine
    assert again is not engine
    assert hash(again) == hash(engine)


@each
def test_it_is_frozen_and_keyword_only(engine):
    one = engine()
    for field in dataclasses.fields(one):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field.name, None)
    if dataclasses.fields(one):
        with pytest.raises(TypeError):
            engine(one)
    with pytest.raises(TypeError):
        engine(no_such_setting=1)


@each_setting
def test_a_setting_beyond_its_limit_is_refused_with_the_one_sentence(engine, field):
    value = bad(field)
    if value is None:
        assert type(field.metadata["limit"]).__name__ == "Anything"
        return
    with pytest.raises(kv.SettingError) as refused:
        engine(**{field.name: value})
    limit, default = field.metadata["limit"], field.default
    sentence = f"{engine().technique.name}: {field.name} must be {limit}, found {value!r}. The default is {default!r}."
    assert str(refused.value) == sentence
    assert refused.value.exit_code == 2


@each_setting
def test_a_setting_is_read_from_text(engine, field):
    for value in others(field):
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        assert engine(**{field.name: text}) == engine(**{field.name: value})


@each_setting
def test_a_setting_says_what_it_does(engine, field):
    assert field.metadata["help"]
    assert str(field.metadata["limit"])


@each_setting
def test_no_setting_is_without_effect(engine, field):
    """Each one changes numbers, or how maps are laid out in a picture."""
    first = engine()(opened(), PICTURES[0])
    for value in others(field):
        second = engine(**{field.name: value})(opened(), PICTURES[0])
        same = (
            first.values.shape == second.values.shape
            and np.array_equal(first.values, second.values)
            and np.array_equal(first.heatmap, second.heatmap)
        )
        assert not same or not np.array_equal(first.panel(scale=1), second.panel(scale=1))


@each
def test_only_structural_settings_trace_again(engine):
    network = kv.open(random_model("predictions"))
    engine()(network, PICTURES)
    for field in settings_of(engine):
        if not field.metadata["structural"]:
            for value in others(field):
                engine(**{field.name: value})(network, PICTURES)
    assert network.traces == 1


def state(model):
    """Everything of a model that must not change."""
    weights = [(w.path, w.trainable, w.numpy().tobytes()) for w in model.weights]
    layers = [(layer.name, layer.trainable, {k: id(v) for k, v in vars(layer).items()}) for layer in model.layers]
    return weights, layers, {k: id(v) for k, v in vars(model).items()}, model.compiled


@each
def test_the_model_is_left_as_it_was(engine):
    model = random_model("predictions")
    model.get_layer("conv4").trainable = False
    model.compile("sgd", "categorical_crossentropy")
    before, call, chance = state(model), keras.layers.Layer.__call__, np.random.get_state()[1].tobytes()
    engine()(model, PICTURES)
    assert state(model) == before
    assert keras.layers.Layer.__call__ is call
    assert np.random.get_state()[1].tobytes() == chance


@each
def test_pictures_are_left_as_they_were(engine):
    picture = PICTURES[0].copy()
    picture.flags.writeable = False
    engine()(opened(), picture)
    np.testing.assert_array_equal(picture, PICTURES[0])


@each
def test_its_documentation_names_the_source_and_the_registry_knows_it(engine):
    assert re.search(r"(arXiv \d{4}\.\d{4,5}|\b(19|20)\d\d\b)", engine.__doc__)
    technique = engine().technique
    assert technique.load() is engine is getattr(kv, engine.__name__)
    assert technique.title
    assert technique.summary == technique.summary.strip().rstrip(".")


@pytest.mark.parametrize("engine", VARIANTS, ids=repr)
def test_the_record_says_how_it_was_made(engine):
    result = engine(opened(), PICTURES[0], "tabby" if engine.explains else None)
    record = record_of(result, {"panel": "a.png"}, Drawing())
    wanted = "schema kerasviz versions status messages diagnosis technique settings model network image preprocess"
    wanted += " batch layer target predictions values placement files seconds"
    assert set(wanted.split()) <= set(record)
    assert record["technique"] == engine.technique.name
    assert (record["status"], record["messages"]) == (result.status, list(result.messages))
    assert type(engine)(**json.loads(as_json(record))["settings"]) == engine
    assert record["values"]["shape"] == list(result.values.shape)
    assert record["values"]["sum"] == pytest.approx(float(result.values.sum()), rel=1e-4, abs=1e-4)
    assert [guess["name"] for guess in record["predictions"]] == [guess.name for guess in result.predictions]
    assert as_json(record).startswith(b'{"schema": 1')
    if engine.explains:
        target = record["target"]
        assert (target["asked"], target["index"], target["name"], target["scale"]) == ("tabby", 0, LABELS[0], "logit")
        assert target["score"] == pytest.approx(result.target.score)


@pytest.mark.parametrize("engine", VARIANTS, ids=repr)
def test_results_show_themselves(engine):
    results = engine(opened(), PICTURES[:2])
    assert results[0]._repr_png_().startswith(b"\x89PNG")
    assert "<img" in results[0]._repr_html_()
    assert results._repr_html_().count("<img") == 2
    assert results[0].panel().ndim == 3
    assert results[0].overlay().shape == (*RANDOM_SHAPE[:2], 3)


@each
def test_names_from_elsewhere_are_no_html(engine):
    model = random_model("predictions")
    model.get_layer("predictions").set_weights([np.zeros((5, 5)), np.zeros(5)])  # nothing to see: messages with names
    network = kv.open(model, labels=["<script>alert(1)</script>"] * 4 + ["harmless"])
    shown = engine()(network, PICTURES[0], 0 if engine.explains else None)._repr_html_()
    assert "<script" not in shown


@each
def test_a_live_model_a_network_and_a_file_give_the_same(engine, tmp_path):
    model = random_model("predictions")
    model.save(tmp_path / "model.keras")
    expected = engine()(kv.open(model), PICTURES[0])
    for way in (model, tmp_path / "model.keras", str(tmp_path / "model.keras")):
        np.testing.assert_allclose(engine()(way, PICTURES[0]).values, expected.values, rtol=1e-6, atol=1e-7)
    explained = kv.explain(model, PICTURES[0], engine().technique.name)
    np.testing.assert_array_equal(explained.values, expected.values)


@pytest.fixture(scope="module")
def normalised(tmp_path_factory):
    """A file of a network with BatchNormalization, whose fast copy is another graph."""
    start = keras.Input(RANDOM_SHAPE)
    maps = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, padding="same", name="conv4")(start))
    maps = keras.layers.ReLU(name="maps")(maps)
    scores = keras.layers.Dense(5, "softmax")(keras.layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(start, scores)
    rng = np.random.default_rng(2)
    model.set_weights([rng.uniform(0.2, 1, w.shape) for w in model.get_weights()])
    path = tmp_path_factory.mktemp("normalised") / "model.keras"
    model.save(path)
    return kv.open(path, fast=False), kv.open(path, fast=True)


@pytest.mark.parametrize("engine", VARIANTS, ids=repr)
def test_the_fast_copy_gives_the_same(engine, normalised):
    watched, fast = (engine(network, PICTURES[0], 1 if engine.explains else None) for network in normalised)
    kept = "conv4" in repr(engine)  # what the normalisation takes in is asked for: nothing can be folded
    assert (watched.origin.way, fast.origin.way) == ("watched", "watched" if kept else "fast")
    np.testing.assert_allclose(fast.values, watched.values, rtol=1e-4, atol=1e-5)
    assert (fast.layer and fast.layer.path) == (watched.layer and watched.layer.path)
    assert fast.target is None or fast.target.score == pytest.approx(watched.target.score, rel=1e-5)
    assert fast.diagnosis == pytest.approx(dict(watched.diagnosis), rel=1e-3, abs=1e-5)
