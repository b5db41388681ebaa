"""Files that would do harm: each is refused for what it is, by Python and by every command, and nothing of it runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import attack_files
import numpy as np
import pytest
from attack_files import ATTACKS, MODULE, make_outside
from corpus_files import CORPUS, INDEX, names
from kerasviz_cli.main import COMMANDS, main
from tiny import picture
from touched_files import touched

from kerasviz.errors import UnsafeModelError
from kerasviz.models.loading import load
from kerasviz.models.scanning import scan
from kerasviz.models.sniffing import sniff

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every attack, and what they reach for."""
    folder = tmp_path_factory.mktemp("attacks")
    make_outside(folder)
    for name in ATTACKS:
        attack_files.write(name, folder)
    return folder


@pytest.fixture(scope="module")
def paths(folder):
    return {name: next(folder.glob(f"{name}*")) for name in ATTACKS}


def child(code, *arguments, check=True, **environment):
    """What a fresh process printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(TESTS), **environment},
    )
    assert not check or done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_there_is_an_attack_for_every_rule():
    rules = {rule for _, _, rule in ATTACKS.values()}
    assert rules == {
        *("code:lambda", "code:module", "code:class", "code:tf-symbol", "code:graph-op", "code:layer"),
        *("file:path", "file:h5-link", "file:h5-external", "file:h5-filter", "file:zip", "file:polyglot"),
        *("file:savedmodel", "file:link"),
        *("bomb:h5", "bomb:config", "bomb:zip", "bomb:const"),
    }


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_found_by_its_rule(name, paths):
    _, kind, rule = ATTACKS[name]
    assert sniff(paths[name]).kind == kind
    assert rule in {finding.rule for finding in scan(paths[name], kind)}


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_refused_and_nothing_runs(name, paths, folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder / "outside"))
    before = sorted(folder.rglob("*"))
    with touched(folder / "outside") as files, pytest.raises(UnsafeModelError, match=r"^Expected .* trust=True\)\.$"):
        load(paths[name])
    assert files <= {".", "__pycache__"}  # looked for modules by their names, but touched none
    assert MODULE not in sys.modules
    assert sorted(folder.rglob("*")) == before


COSTS = r"""
import json, re, sys, time
from kerasviz.models.scanning import scan
from kerasviz.models.sniffing import sniff
costs = {}
for path in sys.argv[1:]:
    start = time.process_time()
    found = scan(path, sniff(path).kind)
    assert found, path
    most = int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read())[1])  # of this process so far
    costs[path] = time.process_time() - start, most / 1024
print(json.dumps(costs))
"""


def test_finding_takes_little_time_and_memory(paths):
    """Processors' time: what else the machine does has no part in it. The memory is that of all of them together."""
    costs = json.loads(child(COSTS, *paths.values()))
    assert len(costs) == len(ATTACKS)
    assert [path for path, (seconds, _) in costs.items() if seconds > 1] == []
    assert max(megabytes for _, megabytes in costs.values()) < 200


# Takes the command, the picture and the models; does for each what a shell would, and tells what was seen of it.
COMMAND = """
import json, sys
from click.testing import CliRunner
from kerasviz_cli.main import main
seen = []
USUAL = "subprocess.Popen ('uname', ['uname', '-p']"  # a library asks what machine this is
watched = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "pickle.")
sys.addaudithook(lambda event, arguments: seen.append(f"{event} {arguments}") if event.startswith(watched) else None)
command, pictures, models = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
answers = {}
for model in models:
    answer = CliRunner().invoke(main, [command, model, *pictures])
    answers[model] = answer.exit_code, answer.stdout, answer.stderr
loaded = sorted({"tensorflow", "keras", "tf_keras", "module_of_attack"} & set(sys.modules))
print(json.dumps([answers, [each for each in seen if not each.startswith(USUAL)], loaded]))
"""


def takes_a_model(command):
    return any(param.name == "model" for param in main.get_command(None, command).params)


@pytest.mark.parametrize("command", [name for name in COMMANDS if takes_a_model(name)])
def test_every_command_refuses_it_and_nothing_runs(command, paths, folder, tmp_path):
    takes_pictures = any(param.name == "images" for param in main.get_command(None, command).params)
    pictures = [str(picture(tmp_path / "photo.png"))] if takes_pictures else []
    before = sorted(folder.rglob("*"))
    with touched(folder / "outside") as files:
        answers, seen, loaded = json.loads(
            child(COMMAND, command, json.dumps(pictures), *paths.values(), PYTHONPATH=f"{TESTS}:{folder / 'outside'}")
        )
    assert len(answers) == len(ATTACKS)
    for model, (code, stdout, stderr) in answers.items():
        assert code == 3, model
        assert stdout.startswith(Path(model).name) if command == "doctor" else not stdout, model
        assert stderr.startswith("Error: Expected"), model
        assert "--trust" in stderr, model
    assert files <= {".", "__pycache__"}
    assert sorted(folder.rglob("*")) == before
    assert seen == []
    assert loaded == []  # there was nobody who could have run anything


def test_the_watch_sees_what_is_read_and_written(tmp_path):
    (tmp_path / "read").write_text("x")
    with touched(tmp_path) as files:
        (tmp_path / "read").read_text()
        (tmp_path / "written").write_text("x")
    assert files == {"read", "written"}


LOADERS = """
import sys, warnings
warnings.simplefilter("ignore")
import tensorflow as tf, tf_keras
tf_keras.models.load_model(sys.argv[1], compile=False, safe_mode=True)
tf.saved_model.load(sys.argv[2])
"""


def test_the_loaders_themselves_still_run_what_they_find(tmp_path):
    """The reason for the scan. When this fails, they have become safer, and the scan may be thought over."""
    for number, name in enumerate(("lambda_layer-keras2-h5", "writing_when_loaded-savedmodel-tf2")):
        (tmp_path / str(number)).mkdir()
        attack_files.write(name, tmp_path / str(number))
    models = [next((tmp_path / number).glob("*-*")) for number in "01"]
    child(LOADERS, *models)
    assert (tmp_path / "0" / "outside" / "mark").exists()
    assert (tmp_path / "1" / "outside" / "mark").exists()


@pytest.mark.parametrize("name", ["writing_when_loaded-savedmodel-tf2", "lambda_layer-keras2-h5"])
def test_trust_opens_it(name, tmp_path):
    path, _, _ = attack_files.write(name, tmp_path)
    model, _ = load(path, trust=True)
    assert model is not None
    assert (tmp_path / "outside" / "mark").exists()


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_trust_opens_a_lambda(library, suffix, tmp_path):
    keras = pytest.importorskip(library)
    layers = [keras.Input((2,)), keras.layers.Lambda(lambda x: 3 * x, output_shape=(2,), name="thrice")]
    keras.Sequential(layers).save(tmp_path / f"m{suffix}")
    with pytest.raises(UnsafeModelError, match="thrice"):
        load(tmp_path / f"m{suffix}")
    model, _ = load(tmp_path / f"m{suffix}", trust=True)
    np.testing.assert_array_equal(model(np.ones((1, 2), "float32")), [[3, 3]])


@pytest.mark.parametrize("name", names("refuse:lambda"))
def test_a_lambda_of_the_corpus_is_refused_with_its_layer_and_the_way_to_open_it(name):
    assert INDEX[name]["case"] == "lambda_code"
    with pytest.raises(UnsafeModelError, match=r"Python code in its Lambda layer 'scale'.*--trust .*trust=True"):
        load(CORPUS / name)
