"""The lints: sources and what is said of them, together in `tests/data/lints`.

Each file there holds rules, a line of dashes, and the warnings as `segdsl check` prints them. With
SEGDSL_SNAPSHOTS=write in the environment the lower halves are written anew: read the difference before it is committed.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

import segdsl
from segdsl.analysis.linting.fixes import fix
from segdsl.analysis.linting.runner import lints
from segdsl.catalog import load
from segdsl.catalog.model import Catalog
from segdsl.pipeline import Compiled, compile_files, compile_rule
from segdsl.text import codes
from segdsl.text.render import render
from segdsl.text.source import Source

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "data" / "lints"
RULER = "-" * 80 + "\n"


def catalog(on: tuple[str, ...] = ()) -> Catalog:
    found, diagnostics = load(FOLDER / "segdsl.yml")
    assert found is not None, diagnostics
    return replace(found, lints=dict.fromkeys(on, True))


def compiled(text: str, **more: str) -> Compiled:
    on = re.findall(r"^# on: (\S+)", text, re.MULTILINE)
    sources = [Source("rules.seg", text), *(Source(f"{name}.seg", other) for name, other in more.items())]
    return compile_files(sources, catalog(tuple(on)))


def said(text: str, **more: str) -> list[tuple[str, str]]:
    """The codes of the warnings about a text, and the words underlined."""
    diagnostics = compiled(text, **more).diagnostics
    assert all(d.severity == "warning" for d in diagnostics), diagnostics
    return [(d.code, d.source.slice(d.span)) for d in diagnostics if d.source and d.span]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_what_is_said(path: Path) -> None:
    source, _, expected = path.read_text(encoding="utf-8").partition(RULER)
    found = compiled(source.rstrip("\n") + "\n")
    assert not found.failed, render(found.diagnostics)
    shown = render(found.diagnostics) + "\n"
    if os.environ.get("SEGDSL_SNAPSHOTS") == "write":
        path.write_text(source.rstrip("\n") + "\n" + RULER + shown, encoding="utf-8")
    else:
        assert shown == expected


def test_every_lint_has_its_snapshot() -> None:
    assert {lint.name for lint in lints()} | {"silences"} == {path.stem for path in FOLDER.glob("*.txt")}
    for lint in lints():
        assert f"[{lint.code}]" in (FOLDER / f"{lint.name}.txt").read_text(encoding="utf-8")


def test_pages_and_files_name_the_same_lints() -> None:
    assert {lint.name: lint.code for lint in lints()} == codes.lints()


def test_the_table_of_lints_is_the_lints() -> None:
    text = (ROOT / "docs" / "lints.md").read_text(encoding="utf-8")
    rows = [
        f"| [{lint.code}](errors/{lint.code}.md) | `{lint.name}` | {lint.what} | {lint.fix or '–'} |"
        f" {'on' if lint.on else 'off'} |"
        for lint in lints()
    ]
    assert re.findall(r"^\| \[SEG04.*$", text, re.MULTILINE) == rows


# --- what is not said -----------------------------------------------------------------------------------------


def test_nothing_is_concluded_from_a_file_with_errors() -> None:
    broken = "segment b:\n    visited >= 0 and opend email\n"
    text = "segment a:\n    visited >= 0 and in segment b\n\nscore unused:\n    +1 if subscribed\n"
    found = compiled(text, broken=broken)
    assert [d.code for d in found.diagnostics] == ["SEG0411", "SEG0203"]


def test_a_score_of_another_file_may_be_used_there() -> None:
    assert said("score fit:\n    +1 if subscribed\n", more="segment s:\n    fit >= 1\n") == []


def test_a_bare_rule_is_linted_and_the_rules_around_it_are_not() -> None:
    around = compiled("segment a:\n    visited >= 0 and subscribed\n").files
    found = compile_rule("in segment a and visited < 0", catalog(), around)
    assert [d.code for d in found.diagnostics] == ["SEG0412"]


def test_lints_can_be_switched_off() -> None:
    off = replace(catalog(), lints={"always-true": False})
    assert not compile_rule("visited >= 0 and subscribed", off).diagnostics
    assert compile_rule("visited >= 0 and subscribed", catalog()).diagnostics


def test_very_long_rules_are_looked_through_for_repetitions_only() -> None:
    texts = " or ".join(f'country = "c{i}"' for i in range(60))
    assert said(f'segment s:\n    {texts} or country in ("c1", "x") or country = "c7"\n') == [
        ("SEG0414", 'country = "c7"')
    ]


def test_a_project_holds_its_warnings(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "a.seg").write_text("segment s:\n    visited >= 0 and subscribed\n")
    (tmp_path / "segdsl.yml").write_text((FOLDER / "segdsl.yml").read_text())
    project = segdsl.load(tmp_path)
    assert [d.code for d in project.diagnostics] == ["SEG0411"]
    assert project.compile("visited >= 0").name == "rule"


# --- fixes ----------------------------------------------------------------------------------------------------

FIXED = {
    "the last": ("visited >= 3 in 30d and visited in 90d", "visited >= 3 in 30d"),
    "the first": ("visited in 90d and visited >= 3 in 30d", "visited >= 3 in 30d"),
    "between": (
        'country = "DE"\n    and visited >= 0\n    and subscribed',
        'country = "DE"\n    and subscribed',
    ),
    "of an or": ('country = "DE" or visited < 0 or country in ("DE", "FR")', 'country in ("DE", "FR")'),
    "in parentheses": ("visited in 7d and (subscribed and visited in 30d)", "visited in 7d and (subscribed)"),
    "parentheses": ("(visited >= 0) and (subscribed or visited)", "(subscribed or visited)"),
    "one after another": (
        "lead score > 1 and lead score > 2 and lead score > 3 and visited",
        "lead score > 3 and visited",
    ),
    "all of a group": ("lead score > 3 and (lead score > 2 and lead score > 1)", "lead score > 3"),
    "not across a comment": (
        "subscribed  # first\n    and subscribed  # second",
        "subscribed  # first\n    and subscribed  # second",
    ),
    "a comment stays": ("visited >= 0 and subscribed  # why", "subscribed  # why"),
    "a needless silence": ("subscribed  # segdsl: allow SEG0411 gone", "subscribed"),
    "one on its own line": ("# segdsl: allow SEG0411 gone\n    subscribed", "subscribed"),
    "not a silenced one": (
        "visited >= 0 and subscribed  # segdsl: allow SEG0411 wanted",
        "visited >= 0 and subscribed  # segdsl: allow SEG0411 wanted",
    ),
    "nothing to be sure of": ('country = "DE" and country = "FR"', 'country = "DE" and country = "FR"'),
    "always true alone": ("visited >= 0", "visited >= 0"),
    "inside where": (
        "visited where (seconds > 3 and seconds > 4) then purchased where (amount > 3 and amount > 3) in 30d\n"
        "    and last(purchased) has (amount > 3 and amount > 4)",
        "visited where (seconds > 4) then purchased where (amount > 3) in 30d\n"
        "    and last(purchased) has (amount > 4)",
    ),
    "under not": ("not (subscribed and visited >= 0)", "not (subscribed)"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_fixes(name: str) -> None:
    before, after = FIXED[name]
    text = f"segment s:\n    {before}\n"
    for _ in range(5):
        found = compiled(text)
        assert found.program is not None
        text, count = fix(found.files[0][0], found.diagnostics, found.files, found.program, catalog())
        if not count:
            break
    assert text == f"segment s:\n    {after}\n"


def test_a_fix_in_a_score() -> None:
    text = 'score fit:\n    +5 if country = "DE" and country != "FR"\n\nsegment s:\n    fit >= 5\n'
    found = compiled(text)
    assert found.program is not None
    fixed, count = fix(found.files[0][0], found.diagnostics, found.files, found.program, catalog())
    assert (count, fixed) == (1, text.replace(' and country != "FR"', ""))


def test_a_fix_that_changes_the_meaning_is_not_applied() -> None:
    text = "segment s:\n    visited >= 0 and subscribed\n"
    found = compiled(text)
    assert found.program is not None
    (warning,) = found.diagnostics
    wrong = replace(warning, fix=(replace(warning.fix[0], text='country = "DE" and '),))
    assert fix(found.files[0][0], [wrong], found.files, found.program, catalog()) == (text, 0)
    unreadable = replace(warning, fix=(replace(warning.fix[0], text="and "),))
    assert fix(found.files[0][0], [unreadable], found.files, found.program, catalog()) == (text, 0)
    # One bad fix does not keep the good one from being applied.
    text = "segment s:\n    visited >= 0 and subscribed and purchased >= 0\n"
    found = compiled(text)
    first, second = found.diagnostics
    bad = replace(first, fix=(replace(first.fix[0], text='country = "DE" and '),))
    assert found.program is not None
    fixed = fix(found.files[0][0], [bad, second], found.files, found.program, catalog())
    assert fixed == ("segment s:\n    visited >= 0 and subscribed\n", 1)


def test_fixes_in_json_and_sarif() -> None:
    found = compiled("segment s:\n    visited >= 0 and subscribed\n").diagnostics
    assert '"text": ""' in render(found, "json")
    assert '"endColumn": 22' in render(found, "json")
    assert '"deletedRegion"' in render(found, "sarif")


def test_the_examples_are_clean() -> None:
    for project in ("saas", "grocer"):
        found, _ = load(ROOT / "examples" / project / "segdsl.yml")
        assert found is not None
        sources = [Source(path.name, path.read_text()) for path in (ROOT / "examples" / project).glob("segments/*.seg")]
        assert sources and render(compile_files(sources, found).diagnostics) == ""
