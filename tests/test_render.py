"""Diagnostics as terminal text: exactly what is printed."""

from __future__ import annotations

from segdsl.text.diagnostic import Diagnostic
from segdsl.text.render import render
from segdsl.text.source import Source, Span


def shown(text: str, marked: str, label: str = "here", help: str = "") -> str:
    start = text.index(marked)
    span = Span(start, start + len(marked))
    return render([Diagnostic("SEG0203", "wrong", Source("a.seg", text), span, label, help=help)])


def test_the_whole_form() -> None:
    text = 'segment a:\n    visited "/pricing" >= 3 in 30d and opend email in 7d\n'
    assert shown(text, "opend email", "not in the catalog", "did you mean `opened email`? (segdsl.yml:31)") == (
        "error[SEG0203]: wrong\n"
        "  --> a.seg:2:40\n"
        "  |\n"
        '2 |     visited "/pricing" >= 3 in 30d and opend email in 7d\n'
        "  |                                        ^^^^^^^^^^^ not in the catalog\n"
        "  help: did you mean `opened email`? (segdsl.yml:31)"
    )


def test_tabs_and_wide_characters_keep_the_underline_in_place() -> None:
    assert shown('\ta = "日本" b', "b").splitlines()[3:] == ['1 |     a = "日本" b', "  |                ^ here"]
    assert shown("a\tbb", "bb").splitlines()[3:] == ["1 | a   bb", "  |     ^^ here"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = shown("a \x1b[31m \u202e b", "b")
    assert "\x1b" not in text and "\u202e" not in text and "<U+202E>" in text


def test_long_lines_are_cut_around_the_span() -> None:
    lines = shown("x" * 5000 + " here " + "y" * 5000, "here").splitlines()
    assert len(lines[3]) < 230
    at = lines[4].index("^^^^")
    assert lines[3][at : at + 4] == "here"


def test_a_span_over_lines_underlines_the_first() -> None:
    assert shown("a (b\nc) d", "(b\nc)").splitlines()[3:] == ["1 | a (b", "  |   ^^ here"]


def test_the_end_of_the_text_can_be_shown() -> None:
    found = Diagnostic("SEG0101", "ends", Source("a.seg", "a\n"), Span(2, 2), "here")
    assert render([found]).splitlines()[3:] == ["2 |", "  | ^ here"]
    found = Diagnostic("SEG0101", "ends", Source("a.seg", ""), Span(0, 0))
    assert render([found]).splitlines()[3:] == ["1 |", "  | ^"]
