"""The README: its table of techniques, its two commands and the files it points to are true."""

import re
from pathlib import Path

from kerasviz.registry import TECHNIQUES, Technique

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def row(technique: Technique) -> str:
    page = f"docs/techniques/{technique.name}.md"
    return f"| [{technique.title}]({page}) | `{technique.name}` | `kv.{technique.cls}` | {technique.summary} |"


def command(marker: str) -> str:
    (block,) = re.findall(rf"^<!-- {marker} -->\n```sh\n(.*?)```$", README, re.MULTILINE | re.DOTALL)
    return block.strip()


def test_the_table_of_techniques_is_the_registry():
    (table,) = re.findall(r"^<!-- techniques -->\n(.*?)\n<!-- /techniques -->$", README, re.MULTILINE | re.DOTALL)
    assert table.splitlines()[2:] == [row(technique) for technique in TECHNIQUES]


def test_every_technique_has_its_page_and_the_site_lists_it():
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for technique in TECHNIQUES:
        page = ROOT / "docs" / "techniques" / f"{technique.name}.md"
        assert page.read_text(encoding="utf-8").startswith(f"# {technique.title}\n")
        assert f"techniques/{technique.name}.md" in site


def test_each_command_is_one_line_that_makes_its_own_environment():
    for marker in ("first-command", "test-command"):
        assert "\n" not in command(marker)
        assert command(marker).startswith("python3 -m venv .venv && .venv/bin/pip install ")


def test_the_first_command_explains_sample_files_that_exist():
    words = command("first-command").split()
    technique, *files = words[words.index(".venv/bin/kerasviz") + 1 :]
    assert technique == "gradcam"
    assert [Path(file).parts[0] for file in files] == ["sample_models", "sample_models"]
    assert all((ROOT / file).is_file() for file in files)


def test_the_tests_of_continuous_integration_are_the_readmes():
    assert command("test-command").endswith(" && .venv/bin/python -m pytest")
    assert "<!-- test-command -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_links_lead_to_files_of_the_project():
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []
