"""Every file of the corpus: it opens and gives its writer's own numbers, or it is refused with the reason."""

import re
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from corpus_files import CORPUS, INDEX, digests, names, smallest, snapshot, stored
from tiny import shell

import kerasviz as kv
from kerasviz.models.loading import load
from kerasviz.models.sniffing import OPENERS, REFUSALS, sniff

VIDEO = "timedistributed_bidir__k215_H.h5"  # opens, but what goes in is no picture
RANDOM = [name for name in names("opens") if INDEX[name]["tol"] is None]
OPENED = [name for name in names("opens") if name not in (VIDEO, *RANDOM)]
READ = {"tf_asset_table": ["logits"]}  # outputs that the writer noted, where it did not note all


@pytest.fixture(scope="module", autouse=True)
def the_corpus_stays_as_it_was():
    before = snapshot(CORPUS)
    yield
    assert snapshot(CORPUS) == before


def pictures(network, inputs):
    return inputs[0] if len(inputs) == 1 else dict(zip(network.inputs, inputs, strict=True))


def assert_as_written(network, name):
    """Outputs, one inner layer, and weights are those of the writer."""
    inputs, wanted, numbers = stored(name)
    tolerance, found = INDEX[name]["tol"], network.predict(pictures(network, inputs))
    if isinstance(found, dict):
        found = [found[key] for key in READ.get(INDEX[name]["case"], found)]
    for y, right in zip(found if isinstance(found, list) else [found], wanted, strict=True):
        np.testing.assert_allclose(y, right, rtol=tolerance, atol=tolerance)
    if "mid_layer" in numbers and len(inputs) == 1:
        inner = network.activations(inputs[0][:1], str(numbers["mid_layer"]))
        np.testing.assert_allclose(inner, numbers["mid"], rtol=tolerance, atol=tolerance)
    if "weights" in numbers:
        assert_weights(network, numbers["weights"].tolist())


def assert_weights(network, wanted):
    if hasattr(network.model, "get_weights"):
        assert digests(network.model.get_weights()) == wanted
        return
    parts = {id(weight): weight for tap in network.description.taps.values() for weight in tap.layer.weights}
    lacking = Counter(wanted)
    lacking.subtract(digests(weight.numpy() for weight in parts.values()))
    assert min(lacking.values()) == 0  # all that it has are the writer's
    # a graph keeps the three statistics of an adapted Normalization as constants
    assert sum(lacking.values()) == (3 if any(tap.kind == "Normalization" for tap in taps(network)) else 0)


def taps(network):
    return network.description.taps.values()


@pytest.mark.parametrize("name", INDEX)
def test_its_kind_is_told(name):
    assert sniff(CORPUS / name).kind == INDEX[name]["kind"]


@pytest.mark.parametrize("name", names(*{e["expect"] for e in INDEX.values() if e["kind"] in OPENERS}))
def test_its_writer_and_opener_are_told(name):
    kind, said = sniff(CORPUS / name), INDEX[name]["writer"]
    if kind.opener is None:
        return
    tensorflow, _, keras = said.partition(", Keras ")
    assert kind.writer == (tensorflow if kind.opener == "tf.saved_model" else keras)
    expected = "tf.saved_model" if kind.kind.startswith("savedmodel") else "keras" if keras[0] == "3" else "tf_keras"
    assert kind.opener == expected


def test_kinds_and_findings_are_told_without_tensorflow():
    code = (
        "import sys, pathlib\n"
        "from kerasviz.models.scanning import scan\n"
        "from kerasviz.models.sniffing import sniff\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    kind = sniff(path)\n"
        "    kind.opener and scan(path, kind.kind)\n"
        "print(sorted({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(CORPUS)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", OPENED)
def test_it_gives_its_writers_numbers(name):
    network = kv.open(CORPUS / name)
    assert_as_written(network, name)
    assert network.file.format == INDEX[name]["kind"]


def test_a_network_for_films_opens_and_is_not_for_pictures():
    model, _ = load(CORPUS / VIDEO)
    inputs, wanted, numbers = stored(VIDEO)
    np.testing.assert_allclose(model(inputs[0], training=False), wanted[0], rtol=1e-6, atol=1e-6)
    assert digests(model.get_weights()) == numbers["weights"].tolist()
    with pytest.raises(kv.ModelError, match=r"takes pictures.*\(None, 3, 16, 16, 3\)"):
        kv.open(CORPUS / VIDEO)


@pytest.mark.parametrize("name", RANDOM)
def test_an_export_that_keeps_its_augmentation_is_taken_only_when_asked_for(name):
    with pytest.raises(kv.ModelError, match=r"at random.*--allow-random"):
        kv.open(CORPUS / name)
    network = kv.open(CORPUS / name, allow_random=True)
    inputs, wanted, _ = stored(name)
    np.testing.assert_allclose(network.predict(inputs[0]), wanted[0], atol=0.2)  # spread: 0.02


# What each that does not open is said to be, in its first sentence.
SENTENCES = {
    "refuse:lambda": "holds Python code in its Lambda layer 'scale', which would run",
    "refuse:loader": "keras found: Unknown layer: 'TrueDivide'",
    "refuse:input": "takes texts or encoded pictures",
    "needs:custom-objects": r"uses the class '(corpus>)?ChannelScale' for 'scale'",
}
REFUSED = [name for name in INDEX if INDEX[name]["expect"] != "opens"]


def first_sentence(name):
    """The sentence by which a file is refused, as a pattern."""
    kind = INDEX[name]["kind"]
    return re.escape(REFUSALS[kind][0]) if kind in REFUSALS else SENTENCES[INDEX[name]["expect"]]


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_as_the_index_says(name):
    answer = shell("layers", CORPUS / name)
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert answer.stderr.startswith("Error: Expected ")
    assert "Traceback" not in answer.stderr
    words = " ".join(answer.stderr.split())
    assert re.search(first_sentence(name), words.split(". ")[0] + ".")
    unsafe = INDEX[name]["expect"] == "refuse:lambda"
    with pytest.raises(kv.UnsafeModelError if unsafe else kv.ModelError) as refused:
        kv.open(CORPUS / name)
    assert isinstance(refused.value, kv.UnsafeModelError) == unsafe


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".txt", ""])
@pytest.mark.parametrize("name", smallest().values())
def test_names_may_lie(name, suffix, tmp_path):
    renamed = tmp_path / f"my model{suffix}"
    (shutil.copytree if (CORPUS / name).is_dir() else shutil.copyfile)(CORPUS / name, renamed)
    assert_as_written(kv.open(renamed), name)


@pytest.mark.parametrize("name", smallest().values())
def test_a_folder_for_reading_alone_suffices_and_stays_as_it_was(name, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (shutil.copytree if (CORPUS / name).is_dir() else shutil.copy)(CORPUS / name, folder / name)
    before = snapshot(folder)
    everything = [folder, *folder.rglob("*")]
    modes = [each.stat().st_mode for each in everything]
    for each in everything:
        each.chmod(0o500 if each.is_dir() else 0o400)
    try:
        assert_as_written(kv.open(folder / name), name)
        assert [folder, *folder.rglob("*")] == everything
    finally:
        for each, mode in zip(everything, modes, strict=True):
            each.chmod(mode)
    assert snapshot(folder) == before


def test_every_file_of_the_corpus_is_in_the_index():
    stems = {path.name for path in CORPUS.iterdir()} - {"index.json"}
    numbers = {entry["npz"] for entry in INDEX.values()} - {None}
    assert stems == set(INDEX) | numbers
