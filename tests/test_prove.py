"""The prover: what it must see, and that no generated rules over generated histories refute what it says."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from segdsl.analysis.linting.fixes import fix
from segdsl.analysis.proof import spans
from segdsl.analysis.proof.prover import Prover
from segdsl.backends.python import compile_program
from segdsl.catalog import load_text
from segdsl.contact import facts
from segdsl.core import nodes as core
from segdsl.core.time import At, Earlier, Edge, FromNow, Later, PeriodStart, Span
from segdsl.pipeline import compile_files
from segdsl.text import codes
from segdsl.text.source import Source
from tests.support import strategies
from tests.support.world import World, by_python, instant, program_of

CASES = int(os.environ.get("SEGDSL_CASES", "1400"))
RULES = 10
NOW = instant(strategies.NOW.isoformat())
DAY = 86_400_000_000
INSTANTS = [NOW, NOW + 1, NOW - DAY, NOW + 33 * DAY, NOW + 2 * 365 * DAY]
COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    derandomize="CI" in os.environ,
)


def program_text(rules: list[str]) -> str:
    return strategies.SCORE + "".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules))


def proven(*rules: str) -> tuple[Prover, list[core.Rule]]:
    catalog, _ = load_text(strategies.CATALOG.format(zone="Europe/Berlin"), "segdsl.yml", Path("/"))
    assert catalog is not None
    program = program_of(program_text(list(rules)), catalog)
    return Prover(program, ["city"]), [program.segments[f"r{i}"].rule for i in range(len(rules))]


@pytest.mark.parametrize(
    "rule",
    [
        "visited >= 0",
        "visited >= 0 in 30d",
        "sum(seconds of visited) > 3 or sum(seconds of visited) <= 3",
        'country = "DE" or country != "DE"',
        "city is known",
        'not (city = "a" and city = "b")',
        'in sample 100% of "x"',
        "everyone or subscribed",
        "count(visited) >= count(visited)",
        "fit > -16",
        "not visited in next 30d",
        "visited in at least 1 of last 2 weeks or not visited in at least 1 of last 2 weeks",
        "visited < 3 in 30d or visited in 60d",
    ],
)
def test_always(rule: str) -> None:
    prover, (lowered,) = proven(rule)
    assert prover.always(lowered)
    assert not prover.never(lowered)


@pytest.mark.parametrize(
    "rule",
    [
        "visited < 0",
        "visited in next 30d",
        "visited where (seconds > 3 and seconds < 4)",
        'stage is known and stage not in ("subscriber", "lead", "customer")',
        "lead score > 3 and lead score < 4",
        'country is unknown and country starts with "D"',
        "fit < -15",
        "last(visited) is known and visited = 0",
        "not everyone",
        'country in ("DE", "AT") and country != "DE" and country != "AT"',
        "visited then purchased in 7d and not visited in 30d",
    ],
)
def test_never(rule: str) -> None:
    prover, (lowered,) = proven(rule)
    assert prover.never(lowered)
    assert not prover.always(lowered)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("visited >= 3 in 30d", "visited in 90d"),
        ("visited >= 3 in 30d", "visited in 2mo"),
        ("visited today", "visited this week"),
        ("visited this month", "visited this year"),
        ("visited in 1y", "visited in 13mo"),
        ("visited since 2026-03-01", "visited since 2026-02-28"),
        ("visited between 40d and 50d ago", "visited between 30d and 60d ago"),
        ('visited "/pricing"', 'visited ("/pricing", "/plans/*")'),
        ('visited "/plans/a*"', 'visited "/plans/*"'),
        ('visited "/plans/a"', 'visited "/plans/?"'),
        ("visited where (seconds > 3)", "visited where (seconds > 1)"),
        ("visited", "any event"),
        ("visited >= 3 within 1h in 7d", "visited >= 2 within 2h in 30d"),
        ("visited >= 3 with same path, device in 7d", "visited >= 3 with same path in 7d"),
        ("distinct(path of visited) >= 2", "visited >= 2"),
        ("lead score > 5", "lead score > 3"),
        ("lead score > 5", "lead score >= 6"),
        ("balance > 0.30", "balance >= 0.3"),
        ("ratio < 0.1", "ratio < 0.3"),
        ("lead score in (1, 2)", "lead score in (1, 2, 3)"),
        ('country = "DE"', 'country != "FR"'),
        ('country = "DE"', 'country = "de" ignoring case'),
        ("stage is known", 'stage in ("subscriber", "lead", "customer")'),
        ('stage != "lead" and stage is known', 'stage in ("subscriber", "customer")'),
        ("last(visited) in 7d", "last(visited) in 30d"),
        ("signup date in 7d", "signup date is known"),
        ("last(visited) in 7d", "visited"),
        ("last(visited) in 7d", "visited in 30d"),
        ("visited >= 2 in 7d", "last(visited) in 30d"),
        ("first(visited) in 7d", "not visited more than 30d ago"),
        ("visited then purchased in 7d", "purchased in 30d"),
        ("visited then visited in 7d", "visited >= 2 in 7d"),
        ("visited then purchased within 1d in 7d", "visited then purchased within 1d in 30d"),
        ("home within 10 km of (52.5, 13.4)", "home within 20 km of (52.5, 13.4)"),
        ('in sample 10% of "x"', 'in sample 20% of "x"'),
        ('subscribed and country = "DE"', 'country = "DE" or in list "vips"'),
        ("last(purchased) has (amount > 3)", "purchased where (amount > 2)"),
        ("in segment r1 and subscribed", "visited"),
    ],
)
def test_implies_and_not_the_other_way_round(narrow: str, wide: str) -> None:
    prover, (first, second) = proven(narrow, wide)
    assert prover.implies(first, second)
    assert prover.contradict(first, core.Not(second))
    even = {"lead score > 5", "balance > 0.30", "stage is known", 'stage != "lead" and stage is known', "visited today"}
    assert narrow in even or not prover.implies(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("visited = 0 in 30d", "visited >= 2 in 7d"),
        ("not visited in 30d", 'visited "/pricing" in 30d'),
        ("lead score > 5", "lead score < 3"),
        ('country = "DE"', 'country = "FR"'),
        ('country starts with "a"', 'country starts with "b"'),
        ('country ends with "a"', 'country ends with "b"'),
        ("subscribed", "not subscribed"),
        ("subscribed", "subscribed is unknown"),
        ("signup date in 7d", "signup date more than 30d ago"),
        ("last(visited) > signup date", "signup date > last(visited)"),
        ("last(visited) is unknown", "visited in 7d"),
        ("last(visited) more than 60d ago", 'visited "/pricing" in 30d'),
        ("first(visited) in 30d", "visited between 40d and 50d ago"),
    ],
)
def test_contradict(first: str, second: str) -> None:
    prover, (one, other) = proven(first, second)
    assert prover.contradict(one, other)
    assert prover.implies(one, core.Not(other))
    assert not prover.never(one)
    assert not prover.never(other)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("visited in 90d", "visited in 3mo"),
        ("visited in 3mo", "visited in 90d"),
        ("visited since 2026-01-01", "visited in 365d"),
        ("visited >= 3 in 90d", "visited >= 3 in 30d"),
        ('country != "DE"', "country is known"),
        ("not lead score > 3", "lead score <= 3"),
        ("first(visited) in 7d", "last(visited) more than 3d ago"),
        ('last(visited "/a") in 7d', 'visited "/b" more than 7d ago'),
        ("balance > 3", "balance >= 4"),
        ("renewal date in 30d", "renewal date before 2100-01-01"),
        ('visited "/a*"', 'visited "/a"'),
        ("max(seconds of visited in 7d) > 3", "max(seconds of visited where (seconds < 2) in 7d) > 3"),
    ],
)
def test_what_does_not_follow_is_not_said(first: str, second: str) -> None:
    prover, (one, other) = proven(first, second)
    assert not prover.implies(one, other)
    assert not prover.contradict(one, other)


def test_large_rules_stay_open_and_quick() -> None:
    groups = " and ".join(f'(country = "a{i}" or city = "b{i}" or lead score = {i})' for i in range(12))
    prover, (rule,) = proven(groups)
    assert not prover.always(rule)


# --- against generated worlds ---------------------------------------------------------------------------------


@st.composite
def related_rules(draw: st.DrawFn) -> list[str]:
    """Rules about few things, so that much follows from each other."""
    events = draw(st.lists(strategies.timed, min_size=1, max_size=2))
    wide = [events[0].split(" ")[0]] if events[0].startswith(("visited", "purchased")) else []
    about = st.sampled_from([*events, *wide])
    window = st.sampled_from(draw(st.lists(strategies.event_windows, min_size=1, max_size=4)))
    single = st.one_of(
        strategies.joined(about, strategies.counts, window),
        strategies.joined(about, strategies.counts, window),
        strategies.joined("last(", about, ") ", st.sampled_from(["is known", "in 7d", "more than 7d ago"])),
        strategies.joined(st.sampled_from(["first(", "last("]), about, ") ", strategies.windows),
        strategies.joined(about, " then ", about, window.filter(lambda w: not w.startswith(" within"))),
        strategies.joined(st.sampled_from(draw(st.lists(strategies.value_tests, min_size=1, max_size=2)))),
        strategies.text_tests("country"),
        strategies.joined("lead score ", strategies.compare_ops, " ", strategies.small.map(str)),
        strategies.tests,
    )
    pool = draw(st.lists(single, min_size=3, max_size=5))
    built = strategies.combined(st.sampled_from(pool), 4)
    return pool + draw(st.lists(built, min_size=RULES - len(pool), max_size=RULES - len(pool)))


def claims(prover: Prover, rules: list[core.Rule]) -> list[tuple[str, int, int]]:
    """Everything that the prover says about some rules."""
    found = []
    for i, rule in enumerate(rules):
        found += [("always", i, i)] * prover.always(rule) + [("never", i, i)] * prover.never(rule)
        for j, other in enumerate(rules):
            if i != j:
                found += [("implies", i, j)] * prover.implies(rule, other)
            if i < j:
                found += [("contradict", i, j)] * prover.contradict(rule, other)
    return found


HOLDS = {
    "always": lambda a, b: a,
    "never": lambda a, b: not a,
    "implies": lambda a, b: b or not a,
    "contradict": lambda a, b: not (a and b),
}


@settings(COMMON, max_examples=max(1, CASES // 24))
@given(strategies.worlds, related_rules())
def test_no_claim_is_refuted(world: dict[str, Any], rules: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = World(strategies.CATALOG.format(zone=world["zone"]), world["contacts"], world["tables"])
        catalog = small.catalog(Path(folder))
        program = program_of(program_text(rules), catalog)
        said = claims(Prover(program), [program.segments[f"r{i}"].rule for i in range(len(rules))])
        for claim, i, j in said:
            event(claim if i == j or rules[i] != rules[j] else "of one rule")
        compiled = compile_program(program)
        predicates = [compiled.predicate(f"r{i}") for i in range(len(rules))]
        for contact in small.people(catalog):
            person = facts(contact, catalog)
            for now in INSTANTS:
                values = [bool(predicate(person, now)) for predicate in predicates]
                for claim, i, j in said:
                    assert HOLDS[claim](values[i], values[j]), f"{rules[i]}\n  {claim}\n{rules[j]}"


# --- windows --------------------------------------------------------------------------------------------------

_exact = st.builds(
    FromNow, st.sampled_from([0, 1, -1, *(-d * DAY for d in (1, 7, 28, 30, 31, 59, 90, 365, 366)), 30 * DAY])
)
_months = st.builds(lambda months: FromNow(0, months), st.sampled_from([-25, -13, -12, -3, -2, -1, 1, 2, 12]))
_steps = st.one_of(_exact, _months)
_periods = st.builds(
    PeriodStart,
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.integers(-2, 2),
    st.sampled_from(["Europe/Berlin", "Pacific/Apia", "America/Havana"]),
    st.sampled_from([FromNow(), FromNow(-4 * DAY), FromNow(4 * DAY)]),
)
edges: st.SearchStrategy[Edge] = st.one_of(
    _steps, _steps, _periods, st.builds(At, st.just(NOW)), st.builds(Earlier, _steps, _steps),
    st.builds(Later, _steps, _steps),
)  # fmt: skip
_spans = st.builds(Span, st.none() | edges, st.none() | edges)
# Month ends, leap days, and the days on which clocks moved or a day was skipped.
_nows = st.builds(
    lambda day, micro: instant(day) + micro,
    st.sampled_from(
        ["2026-03-31T10:00Z", "2024-02-29T23:59Z", "2026-03-29T01:00Z", "2025-10-26T00:30Z", "2011-12-30T10:00Z",
         "2011-12-31T00:00Z", "2026-01-01T00:00Z", "2025-12-31T23:59:59Z", "2026-03-01T00:00Z", "2026-11-01T04:30Z"]
    ),
    st.integers(-2, 2) | st.integers(-400 * DAY, 400 * DAY),
)  # fmt: skip


@settings(COMMON, max_examples=CASES)
@given(_spans, _spans, st.lists(_nows, min_size=5, max_size=10))
def test_windows_lie_as_they_are_said_to(first: Span, second: Span, nows: list[int]) -> None:
    for now in nows:
        for of_events in (False, True):
            (a, b), (c, d) = (
                span.resolve_for_events(now) if of_events else span.resolve(now) for span in (first, second)
            )
            lo, hi = (a if a is not None else -(2**70)), (b if b is not None else 2**70)
            other_lo, other_hi = (c if c is not None else -(2**70)), (d if d is not None else 2**70)
            nothing = hi <= lo
            if spans.empty(first, of_events):
                assert nothing
            if spans.within(first, second, of_events):
                assert nothing or (other_lo <= lo and hi <= other_hi)
            if spans.apart(first, second, of_events):
                assert nothing or other_hi <= other_lo or hi <= other_lo or other_hi <= lo
        if first.lo is not None and not isinstance(first.lo, At):
            furthest = spans.furthest(first.lo)
            assert furthest is not None
            assert now - first.lo.resolve(now) <= furthest * 1.12 + 6 * DAY


# --- fixes ----------------------------------------------------------------------------------------------------


@settings(COMMON, max_examples=max(1, CASES // 60))
@given(strategies.worlds, related_rules())
def test_fixes_change_nothing_about_anybody(world: dict[str, Any], rules: list[str]) -> None:
    """What `check --fix` makes of generated files has the members that it had; and no lint stumbles over any rule."""
    with tempfile.TemporaryDirectory() as folder:
        small = World(strategies.CATALOG.format(zone=world["zone"]), world["contacts"], world["tables"])
        catalog = replace(small.catalog(Path(folder)), lints=dict.fromkeys(codes.lints(), True))
        before = text = program_text([*rules, f"({rules[0]}) and ({rules[1]}) and ({rules[0]} or {rules[2]})"])
        fixed = 0
        for _ in range(8):
            compiled = compile_files([Source("rules.seg", text)], catalog)
            assert compiled.program is not None and not compiled.failed
            text, count = fix(compiled.files[0][0], compiled.diagnostics, compiled.files, compiled.program, catalog)
            fixed += count
            if not count:
                break
        event("fixed" if fixed else "nothing to fix")
        if text != before:
            one, other = program_of(before, catalog), program_of(text, catalog)
            for now in INSTANTS:
                assert by_python(small, catalog, one, now) == by_python(small, catalog, other, now), text
