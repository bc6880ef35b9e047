"""Completion: what is offered at a cursor, and that all of it can be gone on with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from lark.exceptions import UnexpectedInput, UnexpectedToken

from segdsl.catalog import load
from segdsl.catalog.model import Catalog
from segdsl.repl.completion import Completion, complete
from segdsl.repl.offers import Names
from segdsl.repl.tokens import tokens, unfinished
from segdsl.syntax import parse_file, parse_rule
from segdsl.syntax.parser import _machine
from segdsl.text.source import Source

ROOT = Path(__file__).resolve().parents[1]
NAMES = Names(("engaged_leads", "readers"), ("fit",), lambda: ("employees", 'the "others"'))


def catalog() -> Catalog:
    found, problems = load(ROOT / "examples/saas/segdsl.yml")
    assert found is not None, problems
    return found


CATALOG = catalog()


def at(text: str) -> list[Completion]:
    """What is offered at the `|`."""
    before, _, after = text.partition("|")
    return complete(before + after, len(before), CATALOG, NAMES)


def words(text: str) -> list[str]:
    return [each.text for each in at(text)]


@pytest.mark.parametrize(
    ("text", "offered", "meta", "start"),
    [
        # names of several words, from wherever they begin
        ("op|", "opened email", "event", 0),
        ("opened em|", "opened email", "event", 0),
        ("opened |", "opened email", "event", 0),
        ("OPENED_E|", "opened email", "event", 0),
        ("country = \"DE\" and opened e|", "opened email", "event", 19),
        ("not lif|", "lifecycle stage", "attribute, enum", 4),
        ("lead|", "lead score", "attribute, int", 0),
        ("fi|", "fit", "score", 0),
        ("any e|", "any event", "keyword", 0),
        ("everyone and last|", "last(", "keyword", 13),
        ("comp|", "company.", "relation", 0),
        ("company.ind|", "industry", "attribute of company", 8),
        # properties of the event, and only there
        ("visited where (dev|", "device", "property of visited", 15),
        ("visited where (device = \"mobile\" and sec|", "seconds", "property of visited", 37),
        ("visited \"/pricing\" where (p|", "path", "property of visited", 26),
        ("sum(amount of purchased where (pl|", "plan", "property of purchased", 31),
        ("any of (opened email, purchased where (am|", "amount", "property of purchased", 39),
        ("last(purchased) has (pl|", "plan", "property of purchased", 21),
        ("visited >= 3 with same p|", "path", "property of visited", 23),
        # values of an enum, quoted, whether or not the quote is typed
        ("lifecycle stage = |", '"lead"', "value of lifecycle stage", 18),
        ('lifecycle stage = "le|', '"lead"', "value of lifecycle stage", 18),
        ('lifecycle stage in ("subscriber", |', '"lead"', "value of lifecycle stage", 34),
        ('lifecycle stage in ("subscriber", "l|', '"lead"', "value of lifecycle stage", 34),
        ("lifecycle stage not in (|", '"lead"', "value of lifecycle stage", 24),
        ("visited where (device != |", '"mobile"', "value of device", 25),
        ("last(plan of purchased) = |", '"pro"', "value of plan", 26),
        ("subscribed = |", "true", "value of subscribed", 13),
        # membership
        ("in seg|", "in segment", "keyword", 0),
        ("in segment eng|", "engaged_leads", "segment", 11),
        ("in list |", '"employees"', "list", 8),
        ('in list "the|', '"the \\"others\\""', "list", 8),
        # what goes on behind a subject
        ("visited |", "in 30d", "keyword", 8),
        ("visited \"/x\" >= 3 t|", "times", "keyword", 18),
        ("visited in|", "in at least 3 of last 4 weeks", "keyword", 8),
        ("email st|", "starts with", "keyword", 6),
        ("email not |", "not contains", "keyword", 6),
        ("signup date in n|", "in next 30d", "keyword", 12),
        ("visited between 30d and 60d |", "ago", "keyword", 28),
        ("visited more than 30d |", "ago", "keyword", 22),
        ("visited within 7d after s|", "signup date", "attribute, timestamp", 24),
        ("added to cart then p|", "purchased", "event", 19),
        ("added to cart then purchased a|", "all within 1d", "keyword", 29),
        ("sum(am|", "amount", "property of purchased", 4),
        ("sum(amount |", "of", "keyword", 11),
        ("sum(amount of |", "purchased", "event", 14),
        ("count(vis|", "visited", "event", 6),
        ("tags has a|", "has any of (", "keyword", 5),
        # declarations and commands
        ("segment warm \"Warm\":\n    vis|", "visited", "event", 25),
        ("score x:\n    +20 if vis|", "visited", "event", 20),
        (".se|", ".segments", "every segment and its size", 0),
        (".sql du|", "duckdb", "dialect", 5),
    ],
)  # fmt: skip
def test_offered(text: str, offered: str, meta: str, start: int) -> None:
    assert Completion(offered, start, meta) in at(text), at(text)


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("visited where (|", "country"),
        ("visited where (|", "amount"),
        ("visited |", "opened email"),
        ("visited in 30d |", "in 30d"),
        ("visited >= 3 |", "where ("),
        ("country |", "in 30d"),
        ("sum(amount of |", "visited"),
        ("added to cart then |", "country"),
        ('lifecycle stage in ("lead", |', '"lead"'),
        ("deal |", "in 30d"),
        ("any of (visited, |", "country"),
    ],
)
def test_not_offered(text: str, absent: str) -> None:
    assert absent not in words(text)


@pytest.mark.parametrize(
    "text",
    ["# op|", 'visited "/pri|', "purchased >= |", "visited >= 3|", "nobody knows |", ".now |", "(visited)|",
     'country = "DE"|', "test a:\n    contact |"],
)  # fmt: skip
def test_nothing_is_offered(text: str) -> None:
    assert at(text) == []


def test_no_text_beginning_with_quote_is_offered_for_a_free_text() -> None:
    assert words('country = "|') == []


def test_names_that_need_backticks(tmp_path: Path) -> None:
    attributes = "{signed in on: bool, $vip: bool, list price: int}"
    (tmp_path / "segdsl.yml").write_text(f"version: 1\ncontacts: {{table: c, key: id, attributes: {attributes}}}\n")
    odd, _ = load(tmp_path)
    assert odd is not None
    found = {each.text for each in complete("", 0, odd, Names())}
    assert {"`signed in on`", "`$vip`", "list price"} <= found
    assert [each.text for each in complete("`sig", 4, odd, Names())] == ["`signed in on`"]


RULES = [
    'visited "/pricing" >= 3 in 30d and not opened email "spring-*" in 7d or country in ("DE", "FR") ignoring case',
    "purchased where (amount > 100 and not plan = \"pro\") >= 2 with same product between 30d and 60d ago",
    "sum(amount of purchased where (plan is known) in 30d) > 2 * sum(amount of purchased between 30d and 60d ago)",
    "distinct(path of visited in 30d) >= 5 and avg(seconds of visited) < 10.5 and count(any event in 7d) = 0",
    "percentile(75, seconds of visited) >= 3 and median(amount of purchased) > 1 and last(plan of purchased) = \"pro\"",
    "last(purchased) has (plan = \"pro\" and amount > 3) and first(visited) more than 30d ago",
    'added to cart then not purchased within 1d then visited "/x" all within 3d with same product in 90d',
    "purchased without visited within 1d before and visited without any opened email",
    "any of (opened email, clicked email \"a\" where (campaign = \"x\")) >= 3 within 1h in 7d and subscribed",
    "visited in at least 3 of last 4 weeks and visited 1 to 3 times in 10d and visited >= 2 times today",
    "signup date within 7d before renewal date and renewal date in next 14d and signup date on the day 4d ago",
    "home within 50 km of (52.52, 13.405) and tags has any of (\"a\", \"b\") and tags has \"x\"",
    'company.industry = "Software" and company.employees >= 50 and email not ends with ("a", "b")',
    'in segment engaged_leads and in list "employees" and not in sample 10% of "salt" and everyone',
    "anniversary of signup date in next 7d and fit + lead score >= 30 and lifecycle stage is unknown",
    "lifecycle stage changed to \"lead\" in 30d and lifecycle stage was \"lead\" 30d ago and subscribed = true",
    "visited since 2026-01-01 and visited between 2026-01-01 and 2026-01-31 and deal where (status = \"open\") > 2",
]  # fmt: skip


def can_go_on(text: str) -> bool:
    """Whether a text is a rule, or could be the beginning of one.

    Some keywords are such only before what they stand before: a text in quotes, a number, a word.
    """
    machine, _ = _machine()
    for more in ("", ' "x"', " 3", " x", " of x"):
        try:
            machine.parse(text + more, start="rule")
            return True
        except UnexpectedToken as error:
            if error.token.type == "$END":
                return True
        except UnexpectedInput:
            pass
    return False


@pytest.mark.parametrize("rule", RULES)
def test_whatever_is_offered_can_be_gone_on_with(rule: str) -> None:
    """At the beginning of every word of a rule, and one letter into it."""
    assert parse_rule(Source("", rule))[1] == []
    for token in tokens(rule):
        for cursor in {token.start, min(token.start + 1, token.end)}:
            for each in complete(rule[:cursor], cursor, CATALOG, NAMES):
                text = rule[: each.start] + each.text
                assert can_go_on(text), (rule[:cursor], each)


@pytest.mark.parametrize("rule", RULES)
def test_every_word_of_the_language_is_offered_where_it_stands(rule: str) -> None:
    """Names, keywords and enum values of real rules: those that a completion could know."""
    known = {kind.name for kind in CATALOG.events.values()} | {each.name for each in CATALOG.attributes.values()}
    for match in re.finditer("|".join(map(re.escape, sorted(known, key=len, reverse=True))), rule):
        if re.search(r'["\w.]\Z', rule[: match.start()]) or re.match(r"\w", rule[match.end() :]):
            continue
        offered = [each.text for each in complete(rule, match.start(), CATALOG, NAMES)]
        assert match[0] in offered, (rule[: match.start()], offered)


def test_the_examples_complete_without_a_slip() -> None:
    for path in sorted(ROOT.glob("examples/saas/segments/*.seg")):
        text = path.read_text()
        for cursor in range(0, len(text), 7):
            complete(text, cursor, CATALOG, NAMES)
        assert parse_file(Source("", text))[1] == []


# --- what is finished -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("visited", False), ("visited and", True), ("visited AND ", True), ("not", True), ("visited then", True),
        ("visited then not", True), ("country in (", True), ('country in ("a",', True), ('country in ("a")', False),
        ("opened email with same a,", True), ("visited # and", False), ('visited "and', False), ('a = "("', False),
        ("segment x:", True), ("segment x: visited", False), ('segment x "T":\n  visited', False),
        ('segment x "T":\n  visited and', True), ("segment x: visited in 7d or not", True), ("score x:", True),
        ("score x:\n  +3 if visited", True), ("score x:\n  +3 if visited\n", False), ("visited and\n", False),
        ("visited)", False), ("", False), ("  ", False), (".sql (", False), (".save x and", False), ("`and`", False),
    ],
)  # fmt: skip
def test_unfinished(text: str, more: bool) -> None:
    assert unfinished(text) is more


def test_every_text_is_some_tokens() -> None:
    """Nothing but blanks is left out, whatever is typed."""
    samples: Sequence[str] = ['a "b', "`", '"', "((", "é ü 3d!", "\\", "a.b", "2026-01-01T10:00Z", "10%", "😀"]
    for text in samples:
        assert "".join(each.text for each in tokens(text)) == "".join(text.split()), text
