"""The documents: what they tell people to type is typed here, and what they list is what there is."""

import html
import importlib.util
import inspect
import json
import re
import shlex
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from kerasviz_cli.main import main
from log_folders import log_folder
from PIL import Image

import kerasviz as kv
from kerasviz.models.preprocessing import named
from kerasviz.records import command_of, read_recipe
from kerasviz.registry import BY_NAME, TECHNIQUES
from kerasviz.settings import settings_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())
SCREENSHOTS = [ROOT / "docs" / "pictures" / "timeline.png"]  # what a browser shows of an example's page
PAPERS = {
    "gradcam": "1610.02391",
    "saliency": "1312.6034",
    "guided-backprop": "1412.6806",
    "cam": "1512.04150",
    "activations": "1311.2901",
}


def name_of(path):
    return str(path.relative_to(ROOT))


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page):
    """The lines of its shell blocks, and their words without remarks and redirections."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines() if line.strip()]
    return [(line, shlex.split(line.split(" > ")[0], comments=True)) for line in lines]


def sections(text):
    """`## Heading` -> what stands under it."""
    return dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))


def codes(text):
    return re.findall(r"`([^`]+)`", text)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network of a thousand classes, with the layer that the documents name, in an .h5 file."""
    layers = keras.layers
    keras.utils.set_random_seed(5)
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", name="conv1"),
            layers.Conv2D(20, 3, activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1000, activation="softmax"),
        ]
    )
    path = tmp_path_factory.mktemp("model") / "model.h5"
    network.save(path)
    network.save_weights(path.with_name("only.weights.h5"))
    path.with_name("net.json").write_text(network.to_json(), encoding="utf-8")
    return path


@pytest.fixture
def here(model, tmp_path, monkeypatch):
    """Where a reader sits: model.h5 with class names, weights.h5, net.json, photo.jpg, photos/, logs/, samples."""
    shutil.copy(model, tmp_path)
    shutil.copy(model.with_name("only.weights.h5"), tmp_path / "weights.h5")
    shutil.copy(model.with_name("net.json"), tmp_path)
    shutil.copy(ROOT / "sample_models" / "efficientnet_lite0.labels.txt", tmp_path / "model.labels.txt")
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(("photo.jpg", "photos/a.jpg", "photos/b.jpg")):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    log_folder(tmp_path / "logs")
    (tmp_path / "sample_models").symlink_to(ROOT / "sample_models", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def script():
    """scripts/make_reference.py as a module."""
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "scripts" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What is typed.


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name_of)
def test_every_command_runs(here, page):
    for line, words in commands(page):
        listed = None
        if words[0] == "python3":  # makes an environment, as .ci/run does; what comes after that is run here
            words = words[len(words) - words[::-1].index("&&") :]
        if words[0] == "ls":
            listed = "\n".join(str(path.relative_to(here)) for path in sorted(here.glob(words[1])))
            words = words[words.index("|") + 1 :]
        if words == [".venv/bin/python", "-m", "pytest"]:
            continue
        assert Path(words[0]).name == "kerasviz", line
        answer = CliRunner().invoke(main, words[1:], input=listed)
        assert answer.exit_code == 0, f"{line}\n{answer.stderr}"
        assert answer.stdout.strip(), line


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_every_python_block_runs(here, page):
    for block in blocks(page, "python"):
        exec(compile(block, name_of(page), "exec"), {})


# What is listed.


def test_the_reference_is_what_the_code_says(script):
    assert script.REFERENCE.read_text(encoding="utf-8") == script.reference(), "run scripts/make_reference.py"


def test_the_reference_has_every_option_of_every_command(script):
    text = html.unescape(script.REFERENCE.read_text(encoding="utf-8"))
    for command in main.list_commands(None):
        flags = {flag for option in main.get_command(None, command).params for flag in option.opts if flag[0] == "-"}
        own, shared = text.split(f"### kerasviz {command}\n")[1].split("\n### ")[0], text.split("### Options of")[1]
        assert flags
        assert [flag for flag in flags if not re.search(rf"[`>]{flag}\b", own + shared.split("\n## ")[0])] == []


def test_exit_codes_are_those_of_the_contract(script):
    table = sections(script.REFERENCE.read_text(encoding="utf-8"))["Exit codes"]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "130"]


def test_the_record_has_the_keys_that_the_reference_lists(here, script):
    answer = CliRunner().invoke(main, ["gradcam", "model.h5", "photo.jpg", "--json"])
    record = json.loads(answer.stdout)
    assert set(record) == set(script.RECORD)
    for key in ("model", "network", "image", "preprocess", "layer", "target", "values"):
        assert set(record[key]) <= set(codes(script.RECORD[key])), key
    assert set(record["predictions"][0]) == set(codes(script.RECORD["predictions"]))


def test_the_callbacks_page_has_every_argument(script):
    page = script.CALLBACK.read_text(encoding="utf-8")
    assert page == script.with_arguments(page), "run scripts/make_reference.py"
    listed = page.split(script.ARGUMENTS[0])[1].split(script.ARGUMENTS[1])[0].splitlines()[3:]
    names = list(inspect.signature(kv.VisualizationLogger).parameters)
    assert [codes(line)[0].lstrip("*") for line in listed] == names


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)
def test_a_techniques_page_names_its_paper_and_its_settings(script, technique):
    page = (ROOT / "docs" / "techniques" / f"{technique.name}.md").read_text(encoding="utf-8")
    assert f"https://arxiv.org/abs/{PAPERS[technique.name]}" in page
    assert page == script.with_settings(page, technique), "run scripts/make_reference.py"
    rows = [codes(line)[:3] for line in page.split(script.MARKERS[0])[1].split(script.MARKERS[1])[0].splitlines()[3:]]
    fields = settings_of(technique.load())
    assert rows == [[f"--{f.name.replace('_', '-')}", f.name, repr(f.default)] for f in fields]


def test_the_listed_ways_of_scaling_are_known():
    table = sections((ROOT / "docs" / "models.md").read_text(encoding="utf-8"))["How pixels are scaled"]
    names = [codes(line)[0] for line in table.splitlines() if line.startswith("| `")]
    assert names == ["none", "0..1", "-1..1", "caffe", "torch", "MODULE:FUNCTION"]
    pixel = np.array([[[[255.0, 0.0, 51.0]]]], np.float32)
    found = [named(name).apply(pixel).ravel() for name in names[:-1]]
    expected = [
        [255, 0, 51],
        [1, 0, 0.2],
        [1, -1, -0.6],
        [51 - 103.939, -116.779, 255 - 123.68],
        [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_newest_changes_are_those_of_this_version():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+?),? ", changes, re.MULTILINE)[1] == kv.__version__
    assert [name for name in BY_NAME if f"`{name}`" not in changes] == []


# What is shown, and where links lead.


@pytest.mark.parametrize("picture", [p for p in PICTURES if p not in SCREENSHOTS], ids=lambda picture: picture.name)
def test_a_picture_is_what_its_own_command_draws(here, picture):
    assert picture.stat().st_size < 150_000
    command = command_of(read_recipe(picture))
    answer = CliRunner().invoke(main, shlex.split(command)[1:])
    assert answer.exit_code == 0, f"{command}\n{answer.stderr}"
    drawn = np.asarray(Image.open(answer.stdout.splitlines()[0]).convert("RGB"), np.float32)
    shown = np.asarray(Image.open(picture).convert("RGB"), np.float32)
    assert shown.shape == drawn.shape, "run scripts/make_pictures.py"
    assert np.abs(shown - drawn).mean() < 2, "run scripts/make_pictures.py"  # fewer colours


def test_screenshots_are_small():
    assert [path.name for path in SCREENSHOTS if path.stat().st_size > 300_000] == []


def test_every_link_and_picture_leads_to_a_file_and_every_page_is_on_the_site():
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    shown = set()
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if not link.startswith("https://"):
                assert (page.parent / link).is_file(), f"{name_of(page)}: {link}"
                shown.add((page.parent / link).resolve())
        assert page.name == "README.md" or page.relative_to(ROOT / "docs").as_posix() in site
    assert set(PICTURES) <= shown


def test_every_anchor_is_a_heading_of_its_page():
    for page in PAGES:
        for link, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            target = page.parent / link if link else page
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{name_of(page)}: {link}#{anchor}"
