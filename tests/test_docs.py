"""What the documentation shows is true: rules can be read, tests pass, commands print what is shown."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from segdsl.analysis.stories.trial import Trial
from segdsl.catalog import load
from segdsl.check import stories
from segdsl.cli.main import cli
from segdsl.pipeline import compile_files
from segdsl.syntax import parse_file, parse_rule
from segdsl.text.source import Source

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/language.md", "docs/repl.md", "docs/warehouse.md")
BLOCK = re.compile(r"^```seg\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DECLARATION = re.compile(r"^(segment|score|test)\b.*:", re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{page}:{line}", match[1]))
    return found


@pytest.mark.parametrize(("place", "text"), blocks(), ids=lambda value: value if ".md:" in value else "")
def test_rules_in_the_docs_parse(place: str, text: str) -> None:
    source = Source(place, text)
    if DECLARATION.search(text):
        tree, found = parse_file(source)
        assert tree.declarations
    else:
        rule, found = parse_rule(source)
        assert rule is not None, found
    assert found == []


@pytest.mark.parametrize("text", [text for _, text in blocks() if "\ntest " in text])
def test_tests_in_the_docs_pass(text: str) -> None:
    catalog, found = load(ROOT / "examples" / "saas" / "segdsl.yml")
    assert catalog is not None, found
    compiled = compile_files([Source("page.seg", text)], catalog)
    assert compiled.program is not None, compiled.diagnostics
    results = Trial(compiled.program, stories(compiled.files, catalog), catalog.timezone).run()
    assert results and [found.message for result in results for found in result.diagnostics] == []


def test_every_page_shows_rules() -> None:
    assert {place.split(":")[0] for place, _ in blocks()} == set(PAGES)


CONSOLE = re.compile(r"^```console\n\$ segdsl (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = CONSOLE.findall((ROOT / "docs/explain.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=lambda value: value.split("\n")[0][:40])
def test_shown_output_is_real(command: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "examples" / "saas")
    assert CliRunner().invoke(cli, shlex.split(command)).stdout == output


README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```bash\n\$ ([^\n]*)\n```\n```(?:text|sql)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("command", "output"), SHELL, ids=lambda value: value.split("\n")[0][:40])
def test_the_tour_is_real(command: str, output: str) -> None:
    """Both streams as a terminal shows them; `…` stands for the rest."""
    script = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{script}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT / "examples" / "saas", env=env, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    shown, dots, _ = output.partition("…\n")
    assert done.stdout.startswith(shown) if dots else done.stdout == shown


def test_the_program_in_the_tour(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (program, output) = re.findall(r"^```python\n(.*?)^```\n```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[0]
    monkeypatch.chdir(ROOT / "examples" / "saas")
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out == output


def test_output_is_shown() -> None:
    assert len(SHELL) >= 6
    assert len(SHOWN) >= 3
