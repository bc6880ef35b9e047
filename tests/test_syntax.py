"""The parser: what each construct becomes, and what a mistake is called."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from segdsl.syntax import ast, parse_file, parse_rule
from segdsl.syntax.parser import grammar_text
from segdsl.syntax.strings import Wild, glob, plain
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span

sys.path.insert(0, str(Path(__file__).parent))
from syntax_samples import FILE, RULES

AT = Span(0, 0)


def read(text: str) -> ast.Expression:
    rule, found = parse_rule(Source("<rule>", text))
    assert not found, found
    assert rule is not None
    return rule


def errors(text: str) -> list[Diagnostic]:
    return parse_rule(Source("<rule>", text))[1]


def name(text: str, quoted: bool = False) -> ast.Name:
    return ast.Name(text, quoted, span=AT)


def operand(text: str, *objects: str) -> ast.Operand:
    return ast.Operand(name(text), tuple(ast.Text(o, span=AT) for o in objects), span=AT)


def number(text: str) -> ast.Number:
    return ast.Number(text, span=AT)


def duration(amount: str, unit: ast.DurationUnit) -> ast.Duration:
    return ast.Duration(amount, unit, span=AT)


def test(subject: ast.Expression, *clauses: ast.Clause) -> ast.Test:
    return ast.Test(subject, clauses, span=AT)


test.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", RULES)
def test_every_construct_is_read(text: str) -> None:
    rule = read(text)
    assert 0 <= rule.span.start < rule.span.end <= len(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("visited", operand("visited")),
        ("any visited", operand("visited")),
        ("`signed in`", ast.Operand(name("signed in", True), span=AT)),
        ("company.industry", ast.Operand(name("company"), (), name("industry"), span=AT)),
        ('visited ("/a", "/b")', operand("visited", "/a", "/b")),
        ("a - 5 > 1", test(ast.Arithmetic(operand("a"), (("-", number("5")),), span=AT),
                           ast.Compare(">", number("1"), span=AT))),
        ("a > -5", test(operand("a"), ast.Compare(">", number("-5"), span=AT))),
        ("visited 1 to 3 times in 10d",
         test(operand("visited"), ast.Range(number("1"), number("3"), span=AT),
              ast.InLast(duration("10", "d"), span=AT))),
        ("visited in at least 3 of last 4 weeks",
         test(operand("visited"), ast.Regularity(number("3"), number("4"), duration("1", "w"), span=AT))),
        ("visited in at least 3 of last 4 periods of 10d",
         test(operand("visited"), ast.Regularity(number("3"), number("4"), duration("10", "d"), span=AT))),
        ('purchased without visited "/p" within 1d before',
         test(operand("purchased"), ast.Without(False, operand("visited", "/p"), span=AT),
              ast.Within(duration("1", "d"), span=AT), ast.Before(None, span=AT))),
        ("added to cart then not purchased within 1d in 7d",
         ast.Sequence((ast.Step(False, operand("added to cart"), span=AT),
                       ast.Step(True, test(operand("purchased"), ast.Within(duration("1", "d"), span=AT),
                                           ast.InLast(duration("7", "d"), span=AT)), span=AT)), span=AT)),
        ("last(plan of subscribed) is known",
         test(ast.Call("last", operand("subscribed"), name("plan"), span=AT), ast.IsKnown(True, span=AT))),
        ("seen last day", test(operand("seen"), ast.Calendar("day", -1, span=AT))),
        ('stage changed from "a" to "b"',
         test(operand("stage"), ast.Changed(ast.Text("a", span=AT), ast.Text("b", span=AT), span=AT))),
        ("a in 3 Months", test(operand("a"), ast.InLast(duration("3", "mo"), span=AT))),
    ],
)  # fmt: skip
def test_trees(text: str, tree: ast.Expression) -> None:
    assert read(text) == tree


def test_precedence() -> None:
    a, b, c = operand("a"), operand("b"), operand("c")
    assert read("a or b and not c") == ast.Or((a, ast.And((b, ast.Not(c, span=AT)), span=AT)), span=AT)
    assert read("(a and b) and c") == ast.And((ast.And((a, b), span=AT), c), span=AT)
    chain = ast.Sequence((ast.Step(False, a, span=AT), ast.Step(False, b, span=AT)), span=AT)
    assert read("not a then b") == ast.Not(chain, span=AT)


@pytest.mark.parametrize(
    "plain_name",
    ["added to cart", "first device", "last seen", "kids count", "list price", "signed up", "lead score",
     "date of birth", "last month revenue", "contact count", "segment", "test", "score", "count", "in progress",
     "last_seen", "straße", "cafe\u0301", "times", "set up", "sample"],
)  # fmt: skip
def test_words_that_stay_plain(plain_name: str) -> None:
    assert read(plain_name) == operand(plain_name)
    assert read(f"{plain_name} in 3d and x").operands[0].subject == operand(plain_name)  # type: ignore[union-attr]


def test_a_file() -> None:
    file, found = parse_file(Source("f", FILE))
    assert found == []
    assert [type(d).__name__ for d in file.declarations] == ["Segment", "Segment", "Score", "Segment", "TestCase"]
    score = file.declarations[2]
    assert isinstance(score, ast.Score)
    assert [line.points.text for line in score.lines] == ["+20", "+10", "+2", "-15"]
    assert score.lines[2].cap == number("10")
    case = file.declarations[4]
    assert isinstance(case, ast.TestCase)
    assert [type(line).__name__ for line in case.lines] == [
        "GivenContact", "GivenContact", "GivenEvent", "GivenEvent", "GivenEvent", "GivenEvent", "GivenSet", "GivenSet",
        "GivenSet", "GivenEvent", "Expect", "Expect",
    ]  # fmt: skip
    assert [line.inside for line in case.lines if isinstance(line, ast.Expect)] == [True, False]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_newlines_and_byte_order_mark(newline: str, mark: str) -> None:
    file, found = parse_file(Source("f", mark + FILE.replace("\n", newline)))
    assert found == []
    assert file == parse_file(Source("f", FILE))[0]


def test_spans_are_places_in_the_whole_source() -> None:
    source = Source("f", "segment a:\n    x\n\nsegment b:\n    visited in 30d\n")
    second = parse_file(source)[0].declarations[1]
    assert isinstance(second, ast.Segment)
    assert source.slice(second.rule.span) == "visited in 30d"
    assert source.slice(second.name.span) == "b"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a\0", "SEG0002", "\0"),
        ("a\ud800", "SEG0003", "\ud800"),
        ("a # \u202e", "SEG0004", "\u202e"),
        ("(" * 25 + "a" + ")" * 25, "SEG0005", "("),
        ("not " * 30 + "a", "SEG0005", "not"),
        ("x = " + "1" * 70, "SEG0006", "1" * 70),
        ("x = " + "+".join("1" * 300), "SEG0007", "+".join("1" * 300)),
        ("visited in 30", "SEG0101", "30"),
        ("a and and b", "SEG0101", "and"),
        ("a and", "SEG0101", "and"),
        ("x == 3", "SEG0101", "=="),
        ("x = 'de'", "SEG0101", "'"),
        ("opened email >= in 3d", "SEG0101", "in"),
        ('visited "/pri in 3d', "SEG0102", '"'),
        (r'x = "a\q"', "SEG0103", r"\q"),
        (r'x = "a\*"', "SEG0103", r"\*"),
        (r'x = "\u{110000}"', "SEG0103", r"\u{110000}"),
        ("signed in >= 3", "SEG0104", "in"),
        ("`a", "SEG0106", "`"),
        ("", "SEG0109", ""),
        ("a or (b and c", "SEG0110", "("),
        ("a)", "SEG0110", ")"),
    ],
)
def test_mistakes(text: str, code: str, place: str) -> None:
    source = Source("<rule>", text)
    found = parse_rule(source)[1]
    assert [d.code for d in found] == [code]
    assert found[0].span is not None
    assert source.slice(found[0].span) == place
    assert found[0].help


def test_no_message_names_the_grammars_terminals() -> None:
    names = {line.split(".")[0].split(":")[0] for line in grammar_text().splitlines() if line[:1].isupper()}
    names -= {"AND", "OR"}
    for text in ("a in", "a >", "x in (", "a then", "a was", "a changed to", "sum(", "a within 5 km of", "1 2", "a b("):
        for found in errors(text):
            for part in (found.message, found.label, found.help):
                assert not names & set(part.replace("`", " ").split()), part


def test_one_error_for_each_broken_declaration() -> None:
    text = 'segment a\n  x\nsegment b:\n  x = = 3\nsegment c:\n  y\nsegment "t":\n  z\nscore s:\n  20 if a\n'
    file, found = parse_file(Source("f", text))
    assert [d.code for d in found] == ["SEG0105", "SEG0101", "SEG0107", "SEG0101"]
    assert [d.name.text for d in file.declarations if isinstance(d, ast.Segment)] == ["c"]


def test_text_above_the_first_heading() -> None:
    assert [d.code for d in parse_file(Source("f", "# c\nx = 3\nsegment a:\n  b\n"))[1]] == ["SEG0108"]
    assert parse_file(Source("f", "# only a comment\n"))[1] == []


def test_strings() -> None:
    assert plain(ast.Text(r"a\"\\\n\t\u{1F600}", span=AT)) == 'a"\\\n\t\U0001f600'
    assert glob(ast.Text(r"/a\*?\u{2a}b**", span=AT)) == ("/a*", Wild.ONE, "*b", Wild.RUN)
    assert glob(ast.Text("", span=AT)) == ()


def test_speed_and_size() -> None:
    segment = '    visited "/p" >= 3 in 30d and not (country in ("DE", "AT") or sum(amount of purchased) > 100)\n'
    text = "".join(f"segment s{i}:\n{segment}" for i in range(1000))
    start = time.process_time()
    file, found = parse_file(Source("f", text))
    assert time.process_time() - start < 5
    assert found == [] and len(file.declarations) == 1000
    assert [d.code for d in parse_file(Source("f", "#" * 2_000_001))[1]] == ["SEG0001"]
    assert len(read(" and ".join(["x"] * 20_000)).operands) == 20_000  # type: ignore[union-attr]


def test_importing_does_not_load_the_parser_generator() -> None:
    code = "import segdsl.syntax, sys; sys.exit('lark' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_a_declaration_with_a_wrong_escape_is_there_once() -> None:
    file, found = parse_file(Source("r.seg", 'segment r:\n    visited "a\\q"\nsegment q:\n    visited\n'))
    assert [d.code for d in found] == ["SEG0103"]
    assert [type(declaration).__name__ for declaration in file.declarations] == ["Broken", "Segment"]


@pytest.mark.parametrize(
    ("rule", "help_"),
    [
        ("visited then", "`then` stands between two events"),
        ("then visited", "`then` stands between two events"),
        ("visited and", "`and` stands between two tests"),
        ('in sample 10 of "x"', "a sample is written `in sample 10% of"),
        ("in sample 10%", "a sample is written `in sample 10% of"),
        ("in sample", "a sample is written `in sample 10% of"),
        ("anniversary of last(visited) today", "write an attribute: `anniversary of signup date today`"),
    ],
)
def test_help_for_halves_of_tests(rule: str, help_: str) -> None:
    _, found = parse_rule(Source("r", rule))
    assert len(found) == 1 and found[0].help.startswith(help_)


def test_a_clock_time_makes_no_heading() -> None:
    """`score`, `test` and `segment` are plain words of a rule, even where a colon follows on their line."""
    rules = [
        "ratio = lead score and x since 2026-03-29T02:30",
        "a\n    or test since 2026-03-29T02:30",
        "a or\n    test since 2026-03-29T02:30",
        "score and owner changed since 2026-03-29T02:30",
    ]
    for rule in rules:
        file, found = parse_file(Source("x.seg", f"segment s:\n    {rule}\n\nsegment t:\n    everyone\n"))
        assert not found and len(file.declarations) == 2, (rule, found)
