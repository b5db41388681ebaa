"""setup.cfg names the packages one by one; here they are counted against the folders."""

import configparser
import re
from pathlib import Path

import kerasviz_cli

ROOT = Path(__file__).parents[1]


def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def lines(text: str) -> list[str]:
    return text.split("\n")[1:]


def test_packages_are_the_folders_with_an_init():
    inits = (ROOT / "kerasviz").rglob("__init__.py")
    folders = [".".join(init.parent.relative_to(ROOT).parts) for init in inits]
    assert sorted(lines(setup()["options"]["packages"])) == sorted([*folders, "kerasviz_cli"])


def test_every_folder_of_modules_has_an_init():
    folders = {module.parent for room in ("kerasviz", "cli") for module in (ROOT / room).rglob("*.py")}
    assert [folder.name for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_folder_cli_is_installed_as_kerasviz_cli():
    assert "kerasviz_cli = cli" in lines(setup()["options"]["package_dir"])
    assert Path(kerasviz_cli.__file__).parent.name in ("cli", "kerasviz_cli")


def test_every_requirement_has_its_reason_in_the_documents():
    options = setup()
    required = lines(options["options"]["install_requires"])
    optional = [line for extra in options["options.extras_require"].values() for line in lines(extra)]
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = [re.match(r"[\w-]+", line)[0] for line in required + optional]
    assert len(names) > 10
    assert [name for name in names if f"| {name} |" not in reasons] == []


def test_the_oldest_set_pins_each_requirement_at_its_minimum():
    pins = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "scripts" / "oldest.txt").read_text(), re.MULTILINE))
    for line in lines(setup()["options"]["install_requires"]):
        name, _, least = line.partition(">=")
        assert name in pins
        assert pins[name].startswith(least)  # `2` fits `2.0.2`: the oldest release of it that the others take
