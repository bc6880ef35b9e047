"""The rules shown in the documentation can be read; `console` blocks with `segdsl explain` print what they show."""

from __future__ import annotations

import re
import shlex
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
PAGES = ("README.md", "docs/language.md", "docs/repl.md")
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


def test_output_is_shown() -> None:
    assert len(SHOWN) >= 3
