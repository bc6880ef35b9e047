"""`segdsl check` and the lints: switching them, fixing, and where warnings are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from segdsl.cli.main import cli

PROJECT = """\
version: 1
database: ./data
contacts: {table: contacts, key: id, attributes: {country: string, subscribed: bool}}
events:
  visited: {table: views, time: at, object: path, properties: {path: string}}
"""
RULES = """\
segment keen:
    visited >= 3 in 30d
    and visited in 90d
    and country != "DE"
"""
FIXED = RULES.replace("    and visited in 90d\n", "")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "contacts.csv").write_text("id,country,subscribed\na,FR,true\n")
    (tmp_path / "data" / "views.csv").write_text("id,at,path\na,2026-03-01,/x\n")
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


def test_warnings_leave_the_exit_code_0(project: Path) -> None:
    result = call("check")
    assert result.exit_code == 0
    assert "warning[SEG0414]" in result.stderr
    assert result.stderr.endswith("checked 1 rule file: 1 warning\n")
    assert result.stdout == ""
    (found,) = json.loads(call("check", "--format", "json").stdout)
    assert found["severity"] == "warning"
    assert found["fix"] == [{"line": 2, "column": 24, "endLine": 3, "endColumn": 23, "text": ""}]


def test_the_project_file_switches_lints(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT + "lints: {SEG0414: off, unknown-under-not: on}\n")
    assert "SEG0416" in call("check").stderr
    assert "SEG0414" not in call("check").stderr
    (project / "segdsl.yml").write_text(PROJECT + "lints: {redundnt: off, SEG0416: maybe}\n")
    result = call("check")
    assert result.exit_code == 1
    assert "did you mean `redundant`?" in result.stderr
    assert "`SEG0416` cannot be `maybe`" in result.stderr


@pytest.mark.parametrize("name", ["unknown-under-not", "SEG0416", "seg0416"])
def test_a_lint_for_one_run(project: Path, name: str) -> None:
    result = call("check", "--lint", name)
    assert result.exit_code == 0
    assert "warning[SEG0416]" in result.stderr


def test_a_lint_that_there_is_not(project: Path) -> None:
    result = call("check", "--lint", "redundnt")
    assert result.exit_code == 2
    assert "did you mean redundant?" in result.stderr
    assert call("check", "--lint", "everything").exit_code == 2


def test_fix(project: Path) -> None:
    file = project / "segments" / "a.seg"
    file.chmod(0o640)
    result = call("check", "--fix")
    assert result.exit_code == 0
    assert result.stderr == "fixed 1 finding in segments/a.seg\nchecked 1 rule file: no problems\n"
    assert file.read_text() == FIXED
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]
    again = call("check", "--fix")
    assert again.stderr.startswith("fixed nothing: no finding has a fix that is proven safe\n")


def test_fix_keeps_the_bytes_around(project: Path) -> None:
    file = project / "segments" / "a.seg"
    file.write_bytes(b"\xef\xbb\xbf" + RULES.replace("\n", "\r\n").encode())
    assert call("check", "--fix").exit_code == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode()


def test_fix_leaves_files_with_errors_and_others_alone(project: Path) -> None:
    broken = project / "segments" / "b.seg"
    broken.write_text(RULES.replace("keen", "b") + "    and opend\n")
    result = call("check", "--fix")
    assert result.exit_code == 1
    assert broken.read_text() == RULES.replace("keen", "b") + "    and opend\n"
    assert (project / "segments" / "a.seg").read_text() == FIXED
    other = project / "segments" / "c.seg"
    other.write_text(RULES.replace("keen", "c"))
    call("check", "--fix", "segments/a.seg")
    assert other.read_text() == RULES.replace("keen", "c")
    broken.write_text("segment b:\n    visited and and\n")
    assert "fixed nothing: there are errors" in call("check", "--fix").stderr


def test_fix_is_for_files(project: Path) -> None:
    result = call("check", "--fix", "visited >= 0")
    assert result.exit_code == 2
    assert "--fix rewrites files" in result.stderr


def test_other_commands_warn_of_the_rule_that_was_typed(project: Path) -> None:
    assert "SEG0414" not in call("run", "--count", "--now", "2026-03-09").stderr
    result = call("run", "visited >= 0", "--count", "--now", "2026-03-09")
    assert result.stdout == "rule\t1\n"
    assert "warning[SEG0411]" in result.stderr


@pytest.mark.parametrize(
    ("rule", "help"),
    [
        ("subscribed adn visited", "did you mean `subscribed and visited`?"),
        ("nto subscribed", "did you mean `not subscribed`?"),
        ("country iss known", "did you mean `country is known`?"),
        ("visited evr", "did you mean `visited ever`?"),
        ("in segmnt keen", "did you mean `in segment keen`?"),
        ('visited "/x" adn subscribed', "did you mean `and`?"),
        ('visited "/x" >= 3 im 30d', "did you mean `in`?"),
        ('visited "/x" >= 3 wihtin 1h', "did you mean `within`?"),
        ("visited ni 30d", "did you mean `in` instead of `ni`?"),
        ("visited betwen 30d and 60d ago", "did you mean `between` instead of `betwen`?"),
        ('visited wher (path = "x")', "did you mean `where` instead of `wher`?"),
        ('subscribed and nott in list "x"', "did you mean `not` instead of `nott`?"),
        ('visited "/x" >= 3 with in 30d', "it is one word, `within 1h`"),
        ("visitd in 30d", "did you mean `visited`?"),
        ("contry = 3", "did you mean `country`?"),
    ],
)
def test_misspelt_keywords(project: Path, rule: str, help: str) -> None:
    result = call("check", rule)
    assert result.exit_code == 1
    assert help in result.stderr
