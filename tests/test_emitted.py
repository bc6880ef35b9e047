"""The dialects that are written for people, and never executed here: their text is read by sqlglot, and by you.

The text of every feature stands in `tests/snapshots/<dialect>.sql`. Write those files anew, after a change that was
meant, with

    python -m tests.test_emitted

and read what has changed beside the database's own documentation.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse

from segdsl.backends.sql import compile_segments
from segdsl.backends.sql.build import identifier
from segdsl.backends.sql.dialects import DIALECTS
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.text.diagnostic import Errors
from tests.support import strategies
from tests.support.world import instant, program_of
from tests.test_agreement import program_text

EMITTED = ["snowflake", "bigquery", "redshift", "trino", "databricks", "mysql"]
SNAPSHOTS = Path(__file__).parent / "snapshots"
FOLDER = Path(__file__).parent
NOW = instant("2026-03-09T08:00:00Z")

# A company in Kathmandu: there is no other offset than UTC's that has changed so rarely.
PLAIN = """\
version: 1
timezone: Asia/Kathmandu
contacts:
  table: contacts
  key: contact_id
  attributes:
    country: string
    lead score: int
    balance: decimal(12,2)
    rate: decimal(18,9)
    ratio: float
    subscribed: bool
    stage: {enum: [subscriber, lead, customer]}
    signup date: timestamp
    renewal date: date
    home: {type: geo, latitude: lat, longitude: lon}
    tags: list<string>
    plan: {enum: [free, pro], history: {table: plans, time: at, value: plan}}
events:
  visited:
    {table: page_views, time: viewed_at, object: path, properties: {path: string, seconds: int}}
  purchased:
    table: orders
    time: {column: paid_ms, unit: ms}
    id: order_id
    object: product
    properties: {product: string, amount: "decimal(12,2)", weight: float}
  opened:
    {table: mails, where: {kind: [open, "open again"]}, time: {column: at, timezone: Asia/Kathmandu},
     object: campaign, properties: {campaign: string}}
  deal: {table: deals, properties: {size: int}}
relations:
  company: {table: crm.companies, key: company_id, contact: company_id, attributes: {industry: string}}
lists: {table: members, list: list_name, contact: contact_id}
"""
# The same things inside JSON; and contacts that were called otherwise.
JSON = """\
version: 1
timezone: Asia/Kathmandu
contacts:
  table: contacts
  key: contact_id
  attributes:
    country: {type: string, json: data, path: home.country}
    lead score: {type: int, json: data, path: score}
    balance: {type: "decimal(12,2)", json: data}
    ratio: {type: float, json: data}
    subscribed: {type: bool, json: data}
    stage: {enum: [lead, customer], json: data}
    signup date: {type: timestamp, json: data}
    renewal date: {type: date, json: data}
    tags: {type: list<string>, json: data, path: ["it's", 'the "tags"', "back\\\\slash"]}
events:
  visited: {table: page_views, time: at, object: path, properties: {path: {type: string, json: data}}}
identities: {table: aliases, from: alias, to: contact_id}
"""

# name -> rule, or (rule, what it needs)
FEATURES: dict[str, str | tuple[str, str]] = {
    "a count in a window, by a glob": 'visited "/plans/*" >= 3 in 30d',
    "a count of none": "visited = 0 in 90d",
    "deliveries that count once, at epoch milliseconds": "purchased where (amount > 100 and not weight >= 2.5) >= 2",
    "a local clock, and rows told apart": 'opened "spring sale" >= 1 since 2026-01-01',
    "events without a time": "deal where (size >= 10) >= 2",
    "a union": 'any of (visited "/pricing", opened) >= 3 in 7d',
    "the same value": "visited >= 3 with same path in 30d",
    "the same value that is a double": "purchased >= 2 with same weight",
    "a burst": "visited >= 3 within 1h in 30d",
    "a burst of the same value": "visited >= 3 within 90min with same path",
    "an anchored window": "visited >= 2 within 7d after signup date",
    "sums and averages": "sum(amount of purchased in 30d) > 2 * sum(amount of purchased between 30d and 60d ago)"
                         " and avg(seconds of visited) >= 1.5",
    "a percentile": "percentile(90, amount of purchased) >= 100",
    "distinct values and days": "distinct(path of visited in 7d) >= 5 and distinct(day of visited) >= 3",
    "distinct weeks": "distinct(week of visited) >= 2",
    "the first value and the last event": 'first(product of purchased) = "shoe" and last(purchased) has (amount > 100)',
    "instants compared": "last(visited) > signup date",
    "regularity": "visited >= 2 in at least 3 of last 4 weeks",
    "products of many decimal places": "rate * rate > 0.000000001",
    "a number and a double": "ratio > balance",
    "texts": 'country in ("DE", "O\'Hara", "back\\\\slash") or country = "blank "',
    "texts in pieces": 'country starts with "50%_" or country ends with " " or country matches "d?*"',
    "texts ignoring case": 'country = "de" ignoring case',
    "what is not": 'not (country != "DE" or subscribed) and stage = "lead" and lead score is known',
    "dates": "renewal date in next 14d or renewal date on 2026-03-31",
    "anniversaries": "anniversary of signup date in next 7d",
    "a related record": 'company.industry = "Software"',
    "lists": ('tags has any of ("vip", "it\'s")', "lists"),
    "places": ("home within 50 km of (52.52, 13.405)", "places"),
    "samples": ("in sample 10% of \"spring's test\"", "samples"),
    "static lists": 'in list "employees"',
    "values of once": 'plan was "free" 30d ago and plan = "pro"',
    "changes": 'plan changed from "free" to "pro" in 30d',
    "a sequence": 'visited "/pricing" then purchased within 1d in 30d',
    "a sequence that is waited for": "visited then not purchased within 1d with same day",
    "a sequence within a time": "opened then visited then not purchased all within 2d",
    "a sequence without": "opened then purchased without visited",
}  # fmt: skip
LIVE = {
    "a moving window": "visited >= 3 in 30d",
    "months": "visited >= 3 in 1mo",
    "calendar weeks and quarters": "visited >= 3 last week and purchased this quarter",
    "the day": "renewal date today or anniversary of signup date in next 7d",
}
INSIDE_JSON = {
    "texts and keys": 'country = "DE" or stage = "lead"',
    "numbers": "lead score >= 3 or balance > 99.99 or ratio > 0.5",
    "booleans": "subscribed",
    "times": "signup date in 30d",
    "dates in JSON": "renewal date in next 14d",
    "lists in JSON": 'tags has "vip"',
    "event properties": 'visited "/pricing" in 30d',
}
# Not in any text: a pattern, and why.
NOWHERE = {
    r"\bFILTER \(": "MySQL, Redshift and others have no FILTER, and it is slower where there is one",
    r"\bQUALIFY\b": "Trino, Redshift's older versions and MySQL have none",
    r"\bRANGE BETWEEN\b": "Redshift has no RANGE frame, BigQuery's are of numbers, Trino's not of microseconds",
    r"\bASOF\b": "only some have it, each in its own way",
    r"\bEXPLODE|\bLATERAL\b": "rows out of lists are not needed",
}
FORBIDDEN = {
    "snowflake": {r"TO_TIMESTAMP\(": "its result's type depends on the session", r"\('WEEK'": "as WEEK_START says",
                  r"\bTIMESTAMP\b": "what it stands for depends on the session"},
    "bigquery": {r"\bESCAPE\b": "LIKE has none", r"RADIANS": "there is none", r"(?<!SAFE\.)\bTIMESTAMP_ADD\(": "raises",
                 r"(?<!SAFE\.)\bDATETIME\(": "raises", r"\d\.\d+(?!\d*[e'+])": "a double, where a decimal is meant"},
    "redshift": {r"\bRANGE\b": "no such frames", r"\bGETDATE\b": "whole seconds", r"VARCHAR\)": "256 bytes",
                 r"\bCURRENT_TIMESTAMP\b": "only on the leader node", r"\bMICROSECOND, -?\d{7,}": "32 bits",
                 r"\bINTERVAL\b": "DATEADD is exact"},
    "trino": {r"\bLEFT\(": "there is none", r"\bINTERVAL\b": "no microseconds", r"'MICROSECOND'": "DATE_ADD has none",
              r"AT TIME ZONE": "of a timestamp without a zone it depends on the session"},
    "databricks": {r"\$(?!\[|')": "could be a parameter"},
    "mysql": {r"\bTRY_CAST\b": "there is none", r"\bTRANSLATE\b": "there is none", r"\|\|": "is OR",
              r"CONVERT_TZ": "needs tables that are seldom loaded", r"NULLS (FIRST|LAST)": "no such words",
              r"AS SIGNED INT|AS BIGINT\)|AS VARCHAR\)": "not types of a CAST"},
}  # fmt: skip


def catalog(text: str) -> Catalog:
    found, diagnostics = load_text(text, "segdsl.yml", FOLDER)
    assert found is not None, [d.message for d in diagnostics]
    return found


def program(rule: str, of: Catalog) -> Program:
    return program_of(f"segment rule:\n    {rule}\n", of)


def emitted(dialect: str, rule: str, of: Catalog, live: bool = False) -> str:
    return compile_segments(program(rule, of), of, ["rule"], None if live else NOW, None, dialect)


def statements(dialect: str) -> dict[str, str]:
    """Title -> text, of all that the dialect can do."""
    found = {}
    for name, entry in FEATURES.items():
        rule, need = entry if isinstance(entry, tuple) else (entry, "")
        if need not in DIALECTS[dialect].cannot:
            found[name] = emitted(dialect, rule, catalog(PLAIN))
    if "live" not in DIALECTS[dialect].cannot:
        found |= {f"live: {name}": emitted(dialect, rule, catalog(PLAIN), True) for name, rule in LIVE.items()}
    if "json" not in DIALECTS[dialect].cannot:
        found |= {f"in JSON: {name}": emitted(dialect, rule, catalog(JSON)) for name, rule in INSIDE_JSON.items()}
    return found


def snapshot(dialect: str) -> str:
    return "".join(f"-- {name}\n{text};\n\n" for name, text in statements(dialect).items())


@pytest.mark.parametrize("dialect", EMITTED)
def test_snapshots(dialect: str) -> None:
    assert (SNAPSHOTS / f"{dialect}.sql").read_text(encoding="utf-8") == snapshot(dialect)


@pytest.mark.parametrize("dialect", EMITTED)
def test_each_says_that_it_was_never_executed(dialect: str) -> None:
    for text in statements(dialect).values():
        assert f"/* {DIALECTS[dialect].title}: this text was never executed by segdsl's own tests */" in text


@pytest.mark.parametrize("dialect", EMITTED)
def test_text_is_read_back_as_it_was_meant(dialect: str, caplog: pytest.LogCaptureFixture) -> None:
    for name, text in statements(dialect).items():
        read_back(dialect, text, name)
    assert not caplog.records  # sqlglot tells of what it cannot say


def read_back(dialect: str, text: str, name: str) -> None:
    """One statement, that prints as the same text; but for comments, which sqlglot moves."""
    trees = parse(text, dialect=dialect)
    assert len(trees) == 1 and isinstance(trees[0], exp.Query), name
    again = trees[0].sql(dialect=dialect, pretty=True, comments=False)
    plain = parse(again, dialect=dialect)[0].sql(dialect=dialect, pretty=True, comments=False)
    assert plain == again, name
    meant = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).replace(r"\u0024", "$")  # an escape that sqlglot resolves
    assert squeezed(again) == squeezed(meant), name


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("dialect", EMITTED)
def test_nothing_that_the_database_does_not_have(dialect: str) -> None:
    for name, text in statements(dialect).items():
        bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        for pattern, why in {**NOWHERE, **FORBIDDEN[dialect]}.items():
            found = re.search(pattern, bare)
            assert not found, f"{name}: {found[0]}: {why}" if found else ""


@pytest.mark.parametrize("dialect", EMITTED)
def test_what_it_cannot_do_is_said_in_its_words(dialect: str) -> None:
    of, cannot = catalog(PLAIN), DIALECTS[dialect].cannot
    asked = {need: (rule, of) for rule, need in (e for e in FEATURES.values() if isinstance(e, tuple))}
    asked["json"] = (INSIDE_JSON["booleans"], catalog(JSON))
    assert set(cannot) <= set(asked)
    for need, (rule, where) in asked.items():
        if need not in cannot:
            continue
        with pytest.raises(Errors) as raised:
            emitted(dialect, rule, where)
        assert [(d.code, d.message) for d in raised.value.diagnostics] == [
            ("SEG0704", f"{DIALECTS[dialect].title} cannot do this: {cannot[need]}")
        ]


@settings(deadline=None, max_examples=14, suppress_health_check=list(HealthCheck), derandomize=True,
          phases=[Phase.generate])  # fmt: skip
@given(st.lists(strategies.rules, min_size=4, max_size=4), st.booleans(), st.sampled_from(strategies.ZONES))
def test_any_rule_can_be_written(rules: list[str], live: bool, zone: str) -> None:
    of = catalog(strategies.CATALOG.format(zone=zone))
    asked = program_of(program_text(rules), of)
    for dialect in EMITTED:
        text = compile_segments(asked, of, list(asked.segments), None if live else NOW, None, dialect)
        read_back(dialect, text, "; ".join(rules))


def test_names_that_snowflake_reserves_are_meant_in_capitals() -> None:
    text = emitted("snowflake", "plan is known", catalog(PLAIN))
    assert '"AT"' in text and '"at"' not in text


@pytest.mark.parametrize("word", ["qualify", "connect", "hash", "tag", "listagg", "groups", "rank", "system", "minus"])
def test_words_that_any_of_them_reserves_are_quoted(word: str) -> None:
    assert identifier(word).args["quoted"]


@pytest.mark.parametrize("dialect", EMITTED)
def test_hostile_text_stays_inside_its_literal(dialect: str) -> None:
    evil = "'; DROP TABLE contacts; -- \\' \\\\\\' /* */ ${x} {{x}} %s :x ? \u2019 `"
    rule = "country = " + strategies.quoted(evil) + " or country contains " + strategies.quoted(evil)
    tree = parse(emitted(dialect, rule, catalog(PLAIN)), dialect=dialect)
    assert len(tree) == 1
    texts = {node.name for node in tree[0].find_all(exp.Literal) if node.is_string}
    assert evil in texts


if __name__ == "__main__":
    for each in sys.argv[1:] or EMITTED:
        (SNAPSHOTS / f"{each}.sql").write_text(snapshot(each), encoding="utf-8")
