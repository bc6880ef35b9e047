"""Test blocks: what their lines mean, what is refused, and what failures and coverage say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdsl.analysis.stories.trial import Result, Trial, tree
from segdsl.catalog import load
from segdsl.catalog.model import Catalog
from segdsl.check import stories
from segdsl.contact import Contact, Event
from segdsl.core.time import isoformat, to_datetime
from segdsl.format import format_file
from segdsl.pipeline import compile_files
from segdsl.project import Project
from segdsl.text.source import Source

DATA = Path(__file__).parent / "data"
GOOD = (DATA / "stories.seg").read_text(encoding="utf-8")


def the_catalog() -> Catalog:
    catalog, found = load(DATA / "stories.yml")
    assert catalog is not None, found
    return catalog


CATALOG = the_catalog()


def trial(text: str) -> Trial:
    compiled = compile_files([Source("s.seg", text)], CATALOG)
    assert compiled.program is not None and not compiled.failed, compiled.diagnostics
    return Trial(compiled.program, stories(compiled.files, CATALOG), CATALOG.timezone)


def outcomes(text: str) -> list[Result]:
    return trial(text).run()


def slips(text: str) -> list[tuple[str, int, str]]:
    source = Source("s.seg", text)
    compiled = compile_files([source], CATALOG)
    assert all(d.span and d.help and d.label for d in compiled.diagnostics), compiled.diagnostics
    return [(d.code, source.position(d.span.start)[0], source.slice(d.span)) for d in compiled.diagnostics if d.span]


# --- meaning --------------------------------------------------------------------------------------------------


def test_every_kind_of_line() -> None:
    failed = [(r.segment, r.title, d.message) for r in outcomes(GOOD) for d in r.diagnostics]
    assert failed == []


def test_and_the_contrary_fails() -> None:
    """Each `on` line turned round: a test that cannot fail would still pass."""
    turned = {" in\n": " out\n", " out\n": " in\n"}
    lines = GOOD.splitlines(keepends=True)
    text = "".join(
        line[: -len(end)] + turned[end] if line.startswith("    on 2") or line.startswith("    on 1") else line
        for line in lines
        for end in [" out\n" if line.endswith(" out\n") else " in\n"]
    )
    results = outcomes(text)
    assert sum(len(result.outcomes) for result in results) == text.count("    on ")
    assert [result.title for result in results for outcome in result.outcomes if outcome.passed] == []


def test_a_day_is_its_first_instant_in_the_projects_zone() -> None:
    [result] = outcomes("segment a:\n    visited\n\ntest a:\n    2026-03-01 visited\n    on 2026-02-28T23:00Z in\n")
    assert result.passed
    assert (result.title, result.outcomes[0].at) == ("on 2026-02-28T23:00Z", "2026-02-28T23:00:00Z")


def test_the_ends_of_time() -> None:
    lines = 'contact country = "DE"\n    9999-12-31T23:59:59.999999Z visited'
    text = f'segment a:\n    country = "DE" and visited = 0\n\ntest a:\n    {lines}\n'
    ends = ("0001-01-01", "9999-12-31T23:59:59.999999Z"), ("0001-01-01T00:00+12:00", "9999-12-31T23:59-12:00")
    for first, last in ends:
        [result] = outcomes(text + f"    on {first} in\n    on {last} out\n")
        assert [(outcome.passed, outcome.at[:4]) for outcome in result.outcomes] == [(True, "0001"), (True, "9999")]


def test_outcomes_come_in_the_order_of_time() -> None:
    [result] = outcomes("segment a:\n    visited\n\ntest a:\n    on 2026-03-02 out\n    on 2026-03-01 out\n")
    assert [outcome.at[:10] for outcome in result.outcomes] == ["2026-02-28", "2026-03-01"]


@pytest.mark.parametrize("name", ["stories.seg", "slips.seg"])
def test_the_formatter_keeps_every_kind_of_line(name: str) -> None:
    source = Source(name, (DATA / name).read_text(encoding="utf-8"))
    text, found = format_file(source)  # which proves that nothing changed its meaning
    assert text is not None and not found
    assert text == source.text


# --- what is refused ------------------------------------------------------------------------------------------


def test_every_slip_in_one_run() -> None:
    assert slips((DATA / "slips.seg").read_text(encoding="utf-8")) == [
        ("SEG0203", 8, "countr"),
        ("SEG0301", 9, '"high"'),
        ("SEG0534", 10, "lead score"),
        ("SEG0304", 10, "3.5"),
        ("SEG0301", 11, "1"),
        ("SEG0301", 12, "5"),
        ("SEG0301", 13, '"vip"'),
        ("SEG0301", 14, '"2026-01-01"'),
        ("SEG0301", 15, "2026-01-01T10:00"),
        ("SEG0302", 16, '"prro"'),
        ("SEG0530", 17, "purchased"),
        ("SEG0530", 18, "s"),
        ("SEG0530", 19, "a"),
        ("SEG0535", 20, "true"),
        ("SEG0208", 21, "industy"),
        ("SEG0301", 22, "4"),
        ("SEG0301", 23, "3d"),
        ("SEG0301", 23, "(1, 2)"),
        ("SEG0304", 24, "99999999999.00"),
        ("SEG0512", 25, '"x"'),
        ("SEG0503", 26, "2026-02-30"),
        ("SEG0301", 26, "4"),
        ("SEG0530", 27, "contact_id"),
        ("SEG0534", 29, "country"),
        ("SEG0534", 30, 'not in list "y"'),
        ("SEG0535", 31, "(99, 5)"),
        ("SEG0503", 35, "2026-02-30"),
        ("SEG0203", 36, 'visted "/x"'),
        ("SEG0203", 37, "country"),
        ("SEG0532", 38, '"/x*"'),
        ("SEG0302", 39, '"tablt"'),
        ("SEG0202", 39, "pth"),
        ("SEG0532", 40, '"/x", "/y"'),
        ("SEG0531", 41, 'device = "mobile" or path = "/x"'),
        ("SEG0534", 42, '"/x"'),
        ("SEG0516", 43, '"x"'),
        ("SEG0304", 43, "3.001"),
        ("SEG0531", 44, "day"),
        ("SEG0531", 44, 'plan != "pro"'),
        ("SEG0531", 44, "gift"),
        ("SEG0531", 45, "path = country"),
        ("SEG0531", 46, "seconds = 2 + 3"),
        ("SEG0503", 47, "2026-13-01"),
        ("SEG0503", 48, "2026-03-01T25:00"),
        ("SEG0534", 50, "on 2026-03-01 out"),
        ("SEG0201", 52, "aa"),
        ("SEG0533", 52, "aa"),
        ("SEG0203", 53, "countr"),
        ("SEG0201", 55, "s"),
    ]


@pytest.mark.parametrize(
    "lines,at,help",
    [
        (['2026-03-01 visited', 'contact country = "DE"'], "=", "`contact` lines come first"),
        (["contact country = DE"], "DE", "in quotes"),
        (["contact country"], "on", "these lines give values"),
        (["contact country is unknown"], "is", "`country = unknown`"),
        (["2026-03-01 set subscribed, country = unknown"], ",", "`subscribed = true`"),
        (["2026-03-01 visited >= 3"], ">=", "one line is one event"),
        (['2026-03-01 visited "/x" 3 times'], "3", "one line is one event"),
        (['set country = "x"'], "set", "begin the line with a day"),
        (['2026-03-01 visited "/x"', 'visited "/x"'], "visited", "begin the line with a day"),
        (['contact tags = "x", "y"'], '"y"', "in parentheses"),
        (['2026-03-01 country = "DE"'], "=", 'write `2026-03-05 set country = "AT"`'),
        (['2026-03-01 purchased where (amount = 3, plan = "pro")'], ",", "joined by `and`"),
        (['2026-03-01 in list "x"'], "in", "`2026-03-05 set in list"),
        (["on 2026-03-02 yes"], "yes", "`on 2026-03-09 in`"),
        (["on March 3 in"], "March", "`2026-01-31`"),
    ],
)  # fmt: skip
def test_slips_of_the_pen(lines: list[str], at: str, help: str) -> None:
    text = "segment a:\n    visited\n\ntest a:\n" + "".join(f"    {line}\n" for line in [*lines, "on 2026-03-02 in"])
    source = Source("s.seg", text)
    [found] = compile_files([source], CATALOG).diagnostics
    assert found.code == "SEG0101" and found.span is not None
    assert source.slice(found.span) == at
    assert help in found.help


def test_a_line_later_than_every_question_is_a_warning() -> None:
    lines = 'contact country = "DE"\n    2027-03-02 visited\n    2026-03-02 visited\n    on 2026-03-02 in'
    text = f"segment a:\n    visited\n\ntest a:\n    {lines}\n"
    compiled = compile_files([Source("s.seg", text)], CATALOG)
    [found] = compiled.diagnostics
    assert (found.code, found.severity) == ("SEG0536", "warning") and found.span is not None
    assert text[found.span.start : found.span.end] == "2027-03-02 visited"
    assert len(stories(compiled.files, CATALOG)) == 1


def test_an_impossible_day_is_told_once_for_each_line() -> None:
    lines = '2026-02-30 set country = "DE"\n    2026-02-30 set country = "AT"\n    on 2026-03-02 in'
    found = slips(f"segment a:\n    visited\n\ntest a:\n    {lines}\n")
    assert found == [("SEG0503", 5, "2026-02-30"), ("SEG0503", 6, "2026-02-30")]


def test_lists_need_a_table() -> None:
    catalog, _ = load(DATA / "pages" / "segdsl.yml")
    assert catalog is not None
    text = 'segment a:\n    visited\n\ntest a:\n    contact in list "x"\n    on 2026-03-02 in\n'
    assert [d.code for d in compile_files([Source("s.seg", text)], catalog).diagnostics] == ["SEG0207"]


# --- failures -------------------------------------------------------------------------------------------------

FAILING = """\
segment hot "Hot":
    fit >= 5 and (country = "DE" or in segment warm) and not purchased in 30d

segment warm:
    visited in at least 2 of last 4 weeks or lifecycle stage was "lead" 7d ago

score fit:
    +3 if tags has "vip" or budget > 100
    +1 per visited in 30d, at most 2
    -1 if last(purchased) in 7d
    -1 if not visited in 30d

test hot "bought":
    contact country = "FR", tags = ("beta", "vip"), budget = 10.50, lifecycle stage = "customer"
    2026-03-02T10:00 visited "/x"
    2026-03-03 visited "/y"
    2026-03-04T08:00 purchased where (amount = 3)
    on 2026-03-03T12:00 out
    on 2026-03-05 in
"""


def test_a_failure_shows_the_rule_part_by_part() -> None:
    [result] = outcomes(FAILING)
    assert [outcome.passed for outcome in result.outcomes] == [True, False]
    verdict = result.outcomes[1].verdict
    assert verdict is not None
    assert tree(verdict) == [
        "false  all of:",
        "  false  fit >= 5  (fit is 4)",
        '    true   +3 if tags has "vip" or budget > 100',
        "      true   any of:",
        '        true   tags has "vip"  (tags is ("beta", "vip"))',
        "        false  budget > 100  (budget is 10.50)",
        "    true   +1 per visited in 30d, at most 2  (count is 2)",
        "    true   -1 if last(purchased) in 7d  (last is 2026-03-04T08:00:00+01:00)",
        "    false  -1 if not visited in 30d",
        "      false  not visited in 30d  (count is 2)",
        "  false  any of:",
        '    false  country = "DE"  (country is "FR")',
        "    false  in segment warm",
        "      false  any of:",
        "        false  visited in at least 2 of last 4 weeks  (1 of them)",
        '        false  lifecycle stage was "lead" 7d ago  (lifecycle stage was "customer")',
        "  false  not purchased in 30d  (count is 1)",
    ]


def test_values_in_a_failure() -> None:
    rule = (
        "home within 5 km of (1, 2) or birthday on 2026-01-01 or ratio > 0.5 or avg(amount of purchased) > 3 "
        "or subscribed or signup date in 3d"
    )
    lines = "    contact home = (3, -4), birthday = 2026-02-02, ratio = 0.25, signup date = 9999-12-31T23:59Z\n"
    [result] = outcomes(f"segment a:\n    {rule}\n\ntest a:\n{lines}    on 2026-03-01 in\n")
    verdict = result.outcomes[0].verdict
    assert verdict is not None
    assert [part.found for part in verdict.parts] == [
        "home is (3.0, -4.0)",
        "birthday is 2026-02-02",
        "ratio is 0.25",
        "count is 0; sum is 0.00",
        "subscribed is unknown",
        "signup date is 9999-12-31T23:59:00+00:00",
    ]


def test_a_long_chain_of_segments_is_cut_short_in_a_failure() -> None:
    links = "".join(f"segment s{n}:\n    in segment s{n + 1}\n\n" for n in range(2000))
    text = links + "segment s2000:\n    visited\n\ntest s0:\n    on 2026-03-01 in\n"
    [result] = outcomes(text)
    assert 10 < len(result.diagnostics[0].why.splitlines()) < 100


# --- coverage -------------------------------------------------------------------------------------------------


def gaps(text: str, *names: str) -> dict[str, list[tuple[bool, str]]]:
    tried = trial(text)
    tried.run(covering=True)
    coverage = tried.coverage(names or list(tried.program.segments))
    return {each.name: [(gap.missing, gap.part.words) for gap in each.gaps] for each in coverage.covered}


def test_coverage_lists_what_was_never_true_or_never_false() -> None:
    found = gaps(FAILING)
    assert list(found) == ["hot", "warm", "fit"]
    assert found["hot"] == [
        (True, 'fit >= 5 and (country = "DE" or in segment warm) and not purchased in 30d'),
        (True, '(country = "DE" or in segment warm)'),
        (True, 'country = "DE"'),
        (True, "in segment warm"),
    ]
    assert found["fit"] == [
        (False, 'tags has "vip" or budget > 100'),
        (False, 'tags has "vip"'),
        (True, "budget > 100"),
        (False, "+1 per visited in 30d, at most 2"),
        (False, "visited in 30d"),
    ]  # fmt: skip


def test_coverage_counts() -> None:
    tried = trial("segment a:\n    visited or everyone\n\nsegment b:\n    purchased\n\ntest a:\n    on 2026-03-01 in\n")
    tried.run(covering=True)
    coverage = tried.coverage(["a", "b"])
    a, b = coverage.covered
    # `everyone` can only be true, so it is no goal; the whole rule is.
    assert (a.tests, a.goals, a.reached, a.percent) == (1, 4, 2, 50)
    assert (b.tests, b.goals, b.reached, b.percent) == (0, 2, 0, 0)
    assert (coverage.untested, coverage.percent, coverage.goals) == (["b"], 33, 6)


# --- as the public API says -----------------------------------------------------------------------------------

RULES = """\
segment s1:
    country = "DE" and visited ("/a", "/b*") >= 2 in 7d or lead score > 3
segment s2:
    lifecycle stage changed to "customer" in 5d or lifecycle stage was "lead" 2d ago and lifecycle stage != "lead"
segment s3:
    in list "vip" or deal where (status = "open") >= 2 or tags has "x"
segment s4:
    visited "/a" then not purchased within 1d in 10d
segment s5:
    fit >= 3 and not in segment s3 or company.industry = "Software"
segment s6:
    sum(amount of purchased in 6d) > 2 * lead score or country is unknown and last(path of visited) = "/a"
score fit:
    +2 if in segment s1
    +1 per visited in 3d, at most 3
    -1 if lifecycle stage changed in 2d
"""
START = 1_772_319_600 * 10**6  # 2026-03-01 00:00 in Berlin
INSTANTS = st.integers(0, 40).map(lambda n: START + n * 6 * 3600 * 10**6)
VALUES: dict[str, list[object]] = {
    "country": ["DE", "FR", None],
    "lead score": [0, 4, -2, None],
    "lifecycle stage": ["subscriber", "lead", "customer", None],
    "tags": [("x", "y"), ("y",), (), None],
    "company.industry": ["Software", "Retail", None],
}
SETS = st.sampled_from([(name, value) for name, values in VALUES.items() for value in values])
EVENTS = st.one_of(
    st.tuples(st.just("visited"), st.fixed_dictionaries({}, optional={"path": st.sampled_from(["/a", "/bc", "/c"])})),
    st.tuples(st.just("purchased"), st.fixed_dictionaries({}, optional={"amount": st.sampled_from(["2.50", "7.00"])})),
    st.tuples(st.just("deal"), st.fixed_dictionaries({"status": st.sampled_from(["open", "won"])})),
)


def literal(value: object) -> str:
    match value:
        case None:
            return "unknown"
        case str():
            return f'"{value}"'
        case tuple():
            return "(" + ", ".join(f'"{item}"' for item in value) + ")"
        case _:
            return str(value)


def written(event: str, properties: dict[str, str]) -> str:
    told = " and ".join(f"{k} = {v if k == 'amount' else literal(v)}" for k, v in properties.items())
    return event + (f" where ({told})" if told else "")


@settings(max_examples=150, deadline=None)
@given(
    first=st.dictionaries(st.sampled_from(list(VALUES)), st.integers(0, 10)),
    sets=st.lists(st.tuples(INSTANTS, SETS), max_size=6, unique_by=lambda s: (s[0], s[1][0])),
    lists=st.lists(st.tuples(INSTANTS, st.booleans()), max_size=3, unique_by=lambda row: row[0]),
    events=st.lists(st.tuples(INSTANTS, EVENTS), max_size=8),
    moments=st.lists(INSTANTS, min_size=1, max_size=4, unique=True),
    order=st.randoms(use_true_random=False),
)
def test_a_story_says_what_the_public_api_says_of_the_same_contact(first, sets, lists, events, moments, order) -> None:  # type: ignore[no-untyped-def]
    known = {name: VALUES[name][n % len(VALUES[name])] for name, n in first.items()}
    lines = [f"{isoformat(at)} set {name} = {literal(value)}" for at, (name, value) in sets]
    lines += [f'{isoformat(at)} set {"" if member else "not "}in list "vip"' for at, member in lists]
    lines += [f"{isoformat(at)} {written(*event)}" for at, event in events]
    lines += [f"on {isoformat(at)} in" for at in moments]
    order.shuffle(lines)
    contact = ["contact " + ", ".join(f"{name} = {literal(value)}" for name, value in known.items())] if known else []
    names = [f"s{n}" for n in range(1, 7)]
    text = RULES + "".join(f"test {name}:\n    " + "\n    ".join([*contact, *lines]) + "\n" for name in names)
    tried = trial(text)
    project = Project(CATALOG, compile_files([Source("s.seg", text)], CATALOG))
    for result in tried.run():
        for outcome in result.outcomes:
            now = outcome.expected.at
            person = person_at(now, known, sets, lists, events)
            assert outcome.inside == project.segments[result.segment].matches(person, to_datetime(now))
            if outcome.verdict is not None:
                assert outcome.verdict.holds == outcome.inside
                check_logic(outcome.verdict)


def person_at(now, known, sets, lists, events) -> Contact:  # type: ignore[no-untyped-def]
    """The contact of a story as a caller of the API would write it down at `now`."""
    attributes = dict(known)
    history = [(to_datetime(at), value) for at, (name, value) in sets if name == "lifecycle stage"]
    for at, (name, value) in sorted(sets, key=lambda row: row[0]):
        if name != "lifecycle stage" and at <= now:
            attributes[name] = value
    on_list = False
    for at, member in sorted(lists):
        on_list = member if at <= now else on_list
    happened = [
        Event(kind, None if kind == "deal" else to_datetime(at), properties)
        for at, (kind, properties) in events
        if kind != "deal" or at <= now
    ]
    return Contact("contact", attributes, happened, ["vip"] if on_list else [], {"lifecycle stage": history})


def check_logic(verdict) -> None:  # type: ignore[no-untyped-def]
    inner = [part.holds for part in verdict.parts]
    match verdict.op:
        case "and":
            assert verdict.holds == all(inner)
        case "or":
            assert verdict.holds == any(inner)
        case "not":
            assert verdict.holds != inner[0]
    for part in verdict.parts:
        check_logic(part)
