"""`segdsl diff`: two versions of the rules, from files and from git, on the project's data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from segdsl.analysis.diff import Change, changes, compare
from segdsl.catalog import load_text
from segdsl.cli.main import cli, run
from segdsl.pipeline import compile_files
from segdsl.text.source import Source

PROJECT = """\
version: 1
database: ./data
contacts:
  table: contacts
  key: contact_id
  attributes: {country: string, age: int}
"""
RULES = """\
segment germans "Germans": country = "DE"

segment adults: age >= 18

score fit: +10 if age >= 18

segment fit_germans: fit >= 10 and in segment germans
"""
NOW = "2026-03-09"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "segments").mkdir()
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    (tmp_path / "data" / "contacts.csv").write_text(
        "contact_id,country,age\nc1,DE,17\nc2,DE,18\nc3,FR,40\nc4,AT,50\nc5,,\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def git(*arguments: str) -> None:
    identity = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={**os.environ, **identity})


@pytest.fixture
def repository(project: Path) -> Path:
    git("init", "-q", ".")
    git("add", ".")
    git("commit", "-qm", "one")
    git("tag", "v1")
    return project


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["diff", "--now", NOW, *arguments])


def rows(*arguments: str) -> list[tuple[str, str, str]]:
    done = call("--format", "jsonl", *arguments)
    assert done.exit_code == 0, done.stderr
    return [(row["segment"], row["contact"], row["change"]) for row in map(json.loads, done.stdout.splitlines())]


def edit(project: Path, old: str, new: str) -> None:
    path = project / "segments" / "a.seg"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


# --- from git ---------------------------------------------------------------------------------------------


def test_a_revision_against_the_working_tree(repository: Path) -> None:
    edit(repository, 'country = "DE"', 'country in ("DE", "AT") and age >= 18')
    assert rows("HEAD") == [
        ("fit_germans", "c4", "enters"),
        ("germans", "c1", "leaves"),
        ("germans", "c4", "enters"),
    ]
    done = call("HEAD")
    assert done.stdout == (
        "fit_germans: the same, but asks germans, 1 enters, 0 leave (1 → 2)\n  + c4\n"
        "germans: changed, 1 enters, 1 leaves (2 → 2)\n  + c4\n  - c1\n"
        "unchanged: adults\n"
    )
    assert done.stderr == "2 of 3 segments differ, 2 enter, 1 leave; --now 2026-03-09T00:00:00Z\n"
    assert call("HEAD", "--count").stdout == "adults\t0\t0\nfit_germans\t1\t0\ngermans\t1\t1\n"
    assert call("HEAD", "--format", "csv", "--segment", "Fit Germans").stdout == (
        "segment,contact,change\nfit_germans,c4,enters\n"
    )
    assert rows("v1", "HEAD") == []
    # the other way round
    assert [row[2] for row in rows("segments", "HEAD")] == ["leaves", "enters", "leaves"]


def test_new_removed_and_respelled(repository: Path) -> None:
    edit(repository, "segment adults: age >= 18", 'segment others: country != "DE"')
    edit(repository, "segment germans", "segment Germans")
    done = call("HEAD")
    assert done.stdout == (
        "adults: removed, 3 leave\n  - c2, c3, c4\nothers: new, 3 enter\n  + c3, c4, c5\n"
        "unchanged: Germans, fit_germans\n"
    )


def test_layout_is_no_change(repository: Path) -> None:
    edit(repository, 'segment germans "Germans": country = ', 'SEGMENT GERMANS "Title": # who\n   COUNTRY   =\n\n ')
    edit(repository, "age >= 18\n\nscore", "(Age   >= 18)\n\nscore")
    assert call("HEAD").stdout == "unchanged: GERMANS, adults, fit_germans\n"


def test_a_score_changes_what_asks_it(repository: Path) -> None:
    edit(repository, "+10 if age >= 18", "+1000 if age >= 17")
    assert rows("HEAD") == [("fit_germans", "c1", "enters")]
    assert call("HEAD").stdout.startswith("fit_germans: the same, but asks fit, 1 enters")


def test_revisions_of_a_part(repository: Path) -> None:
    (repository / "segments" / "b.seg").write_text('segment french: country = "FR"\n')
    edit(repository, 'country = "DE"', 'country = "AT"')
    names = {row[0] for row in rows("HEAD:segments/a.seg", "segments/a.seg")}
    assert names == {"germans", "fit_germans"} == {row[0] for row in rows("HEAD", "segments/a.seg")}
    assert {row[0] for row in rows("HEAD", "segments")} == {"germans", "fit_germans", "french"}
    # a file that the revision lacks: only what it declares is compared
    assert call("HEAD", "segments/b.seg").stdout == "french: new, 1 enters\n  + c3\n"
    copy = repository.parent / f"{repository.name}.seg"
    copy.write_text('segment germans: country = "FR"\n')
    assert rows("v1", str(copy)) == [("germans", c, s) for c, s in
                                     (("c1", "leaves"), ("c2", "leaves"), ("c3", "enters"))]  # fmt: skip


def test_a_project_in_a_folder_of_the_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "sub").mkdir()
    git("mv", "segments", "segdsl.yml", "data", "sub")
    (repository / "sub/segments/deep/er").mkdir(parents=True)
    (repository / "sub/segments/deep/er/ü x.seg").write_text('segment deep: country = "FR"')
    (repository / "ignored.seg").write_text('segment deep: country = "FR"')
    git("add", ".")
    git("commit", "-qm", "moved")
    monkeypatch.chdir(repository / "sub")
    (repository / "sub/segments/deep/er/ü x.seg").write_text('segment deep: country = "AT"')
    assert rows("HEAD") == [("deep", "c3", "leaves"), ("deep", "c4", "enters")]
    assert rows("HEAD:sub/segments/deep", "segments/deep") == rows("HEAD")


def test_nothing_is_touched(repository: Path) -> None:
    edit(repository, 'country = "DE"', 'country = "AT"')
    before = subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout
    rows("HEAD")
    assert subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout == before


# --- from files -------------------------------------------------------------------------------------------


def test_two_files(project: Path) -> None:
    old, new = project / "old.seg", project / "new.seg"
    old.write_text("segment adults: age > 18\n")
    new.write_text("segment adults: age > 17\n\nsegment both: in segment adults and in segment germans\n")
    # neither git nor the project's own `adults` is in the way; its other segments may be asked
    assert rows("old.seg", "new.seg") == [("adults", "c2", "enters"), ("both", "c2", "enters")]
    assert rows("new.seg") == [("both", "c2", "leaves")]


def test_errors_of_either_side(repository: Path) -> None:
    edit(repository, 'country = "DE"', 'cuntry = "DE"')
    done = call("HEAD")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "SEG0203" in done.stderr and "segments/a.seg:1:28" in done.stderr
    git("commit", "-qam", "broken")
    edit(repository, 'cuntry = "DE"', 'country = "DE"')
    done = call("HEAD")
    assert (done.exit_code, done.stdout) == (1, "") and "--> HEAD:segments/a.seg:1:28" in done.stderr
    (repository / "segments" / "a.seg").write_bytes(b"segment a: \xff")
    assert "SEG0008" in call("v1").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["HEAD~1"], "no such file, folder or git revision: HEAD~1"),
        (["gone.seg"], "no such file or folder: gone.seg"),
        (["HEAD", "gone.seg"], "no such file or folder: gone.seg"),
        (["HEAD:gone"], "no .seg files at HEAD:gone"),
        (["gone:segments"], "no such file, folder or git revision: gone"),
        (["data"], "no .seg files in data"),
        (["--", "--output=x"], "no such file, folder or git revision: --output=x"),
        (["HEAD", "--segment", "germens"], "did you mean germans?"),
        (["HEAD", "--now", "soon"], "not a time"),
    ],
)
def test_usage(repository: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


def test_without_a_repository_or_git(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert run(["diff", "HEAD"]) == 2
    assert "is in no git work tree" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(project))
    assert run(["diff", "HEAD"]) == 2
    assert "git must be installed" in capsys.readouterr().err


# --- the comparison itself --------------------------------------------------------------------------------

pairs = st.sets(st.tuples(st.sampled_from(["a", "b", "é"]), st.text("xyé😀", max_size=2)))


@given(pairs, pairs)
def test_changes_are_the_difference_of_sets(old: set[tuple[str, str]], new: set[tuple[str, str]]) -> None:
    found = list(changes(sorted(old), sorted(new)))
    assert [(each.segment, each.contact) for each in found] == sorted(old | new)
    sides = {"enters": new - old, "leaves": old - new, None: old & new}
    assert all((each.segment, each.contact) in sides[each.side] for each in found)


def test_numbers_as_contacts() -> None:
    assert list(changes([("a", 2), ("a", 10)], [("a", 10), ("b", 1)])) == [
        Change("a", 2, "leaves"), Change("a", 10, None), Change("b", 1, "enters")
    ]  # fmt: skip


def test_what_follows_from_a_change(tmp_path: Path) -> None:
    catalog, _ = load_text(PROJECT, "segdsl.yml", tmp_path)
    assert catalog is not None
    middle = "segment b: in segment a or age = 1\nsegment c: not in segment b\nsegment d: age = 2\n"
    old = compile_files([Source("a.seg", "segment a: age = 3\n" + middle)], catalog).program
    new = compile_files([Source("a.seg", "segment a: age = 4\n" + middle)], catalog).program
    assert old is not None and new is not None
    found = compare(old, new, "abcd", "abcd")
    assert [(each.name, each.status, each.through) for each in found] == [
        ("a", "changed", ()), ("b", "affected", ("a",)), ("c", "affected", ("b",)), ("d", "unchanged", ())
    ]  # fmt: skip
