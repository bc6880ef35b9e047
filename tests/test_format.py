"""The formatter: canonical, idempotent, and never another meaning."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from segdsl.format import format_file, format_rule
from segdsl.syntax import parse_file, parse_rule
from segdsl.text.source import Source

sys.path.insert(0, str(Path(__file__).parent))
from syntax_samples import FILE, RULES


def formatted(text: str) -> str:
    result, found = format_file(Source("f", text))
    assert result is not None, found
    return result


@pytest.mark.parametrize("text", [*RULES, "(a or b) and c", "not (a and b)", "(a then b) then c", "(a + b) * c > 3",
                                  "a - (b - c) > 3", "(a * b) + c > 3", "(a > 3) then b", "x = (a > 3)"])  # fmt: skip
def test_rules_come_back_the_same(text: str) -> None:
    rule, found = parse_rule(Source("r", text))
    assert rule is not None and not found
    once = format_rule(rule)
    again, found = parse_rule(Source("r", once))
    assert again == rule, (once, found)
    assert format_rule(again) == once
    text_of_file = f"segment s:\n    {text}\n"
    result = formatted(text_of_file)
    assert formatted(result) == result
    assert parse_file(Source("f", result))[0] == parse_file(Source("f", text_of_file))[0]


def test_the_sample_is_already_formatted() -> None:
    assert formatted(FILE) == FILE


def test_canonical_spelling() -> None:
    messy = 'SEGMENT a "T" :VISITED>=3 TIMES  IN 30 days AND((NOT x))\r\nscore s:\r\n + 3 if a\r\n'
    assert formatted(messy) == 'segment a "T":\n    VISITED >= 3 in 30d and not x\n\nscore s:\n    +3 if a\n'


def test_long_rules_break_at_and_and_or() -> None:
    long = ["a" * 40, "b" * 40, "c" * 40]
    assert formatted("segment s: " + " and ".join(long)) == (
        f"segment s:\n    {long[0]}\n    and {long[1]}\n    and {long[2]}\n"
    )
    assert formatted(f"segment s: x and ({' or '.join(long)})") == (
        f"segment s:\n    x\n    and (\n        {long[0]}\n        or {long[1]}\n        or {long[2]}\n    )\n"
    )


COMMENTED = """\
# header

# about a
segment a: # head
  # first
  x >= 3 AND ( # open
    b or c # c!
    or d where ( # inner
     e = 3 # innermost
      # own
    ) # closing
    # before paren
  ) # after paren
  # end of a

# about b
score s:
   +20   if a # x
   - 3 per b in 30 days, at most 3
   # tail
test a:
   contact x = 3 # c
   # foo
   2026-01-01 visited "x" # d
   on 2026-01-02t10:00z IN
# tail"""


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_comments_are_kept(newline: str) -> None:
    result = formatted(COMMENTED.replace("\n", newline))
    assert formatted(result) == result
    remarks = sorted(c.text for c in parse_file(Source("f", COMMENTED))[0].comments)
    assert sorted(c.text for c in parse_file(Source("f", result))[0].comments) == remarks
    assert result.startswith("# header\n\n# about a\nsegment a:  # head\n    # first\n    x >= 3\n    and (  # open\n")
    assert result.endswith("    on 2026-01-02T10:00Z in\n\n# tail\n")


def test_broken_files_are_left_alone() -> None:
    result, found = format_file(Source("f", "segment a:\n  x = = 3\n"))
    assert result is None
    assert [d.code for d in found] == ["SEG0101"]


def test_empty_file() -> None:
    assert formatted("") == ""
    assert formatted("\n\n# only\n\n") == "# only\n"


@pytest.mark.parametrize(
    "text",
    ["any # c\n event in 3d", "sum(amount # c\n of x) > 3", "x in 3 # c\n d", "x 1 # c\n to 3",
     "((not ((not a then # c\n b) then d)) and e) then f"],
)  # fmt: skip
def test_a_comment_may_break_a_keyword(text: str) -> None:
    result = formatted(f"segment s:\n    {text}\n")
    assert "# c" in result
    assert formatted(result) == result
