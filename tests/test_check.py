"""The checker: many mistakes in one run, each with a code, a place and a way out."""

from __future__ import annotations

from pathlib import Path

from segdsl.catalog import load
from segdsl.pipeline import compile_files
from segdsl.text.source import Source

DATA = Path(__file__).parent / "data"


def codes(text: str) -> list[tuple[str, int, str]]:
    catalog, found = load(DATA / "pages" / "segdsl.yml")
    assert catalog is not None, found
    source = Source("rules.seg", text)
    diagnostics = compile_files([source], catalog).diagnostics
    assert all(d.span is not None and d.help and d.label for d in diagnostics), diagnostics
    return [(d.code, source.position(d.span.start)[0], source.slice(d.span)) for d in diagnostics if d.span]


def test_every_mistake_of_a_file_in_one_run() -> None:
    assert codes((DATA / "eight.seg").read_text()) == [
        ("SEG0203", 2, "opend email"),
        ("SEG0301", 2, "5"),
        ("SEG0502", 5, "since 2026-01-01"),
        ("SEG0503", 5, "2026-02-30"),
        ("SEG0302", 8, '"custmer"'),
        ("SEG0101", 11, "in"),
        ("SEG0204", 13, "a"),
        ("SEG0201", 14, "nobody"),
        ("SEG0501", 14, "lead score"),
    ]


def test_a_circle_is_shown_as_a_path() -> None:
    catalog, _ = load(DATA / "pages" / "segdsl.yml")
    assert catalog is not None
    text = "segment a:\n    in segment b\n\nsegment b:\n    in segment c\n\nsegment c:\n    in segment a\n"
    (found,) = compile_files([Source("x.seg", text)], catalog).diagnostics
    assert found.code == "SEG0206"
    assert "a → b → c → a" in found.message or "b → c → a → b" in found.message or "c → a → b → c" in found.message


def test_a_score_that_cannot_be_read_is_still_known() -> None:
    assert codes("score fit:\n    +5 if visited in\n\nsegment hot:\n    fit >= 2.5\n") == [("SEG0101", 2, "in")]


def test_sums_that_outgrow_exact_arithmetic_are_refused() -> None:
    assert codes("segment s:\n    sum(amount of purchased) * sum(amount of purchased) > 1\n")[0][0] == "SEG0309"
    assert codes("segment s:\n    avg(amount of purchased) > 1.5 * avg(amount of purchased in 90d)\n") == []
