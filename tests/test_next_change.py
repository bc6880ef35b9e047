"""The next change of an answer: against evaluation just before it, at it, and at many instants up to it."""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import segdsl
from segdsl.analysis.outlook.next_change import flips
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.analysis.outlook.probe import Probe
from segdsl.analysis.outlook.watching import by_edges
from segdsl.backends.python import CompiledProgram, compile_program
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.contact import facts
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.program import Program
from segdsl.core.time import (
    DAY,
    EVER,
    LAST,
    At,
    Earlier,
    Edge,
    FromNow,
    Later,
    PeriodStart,
    bounds,
    days_begun,
    has_anniversary,
    isoformat,
    midnight,
    next_anniversary,
    reaches,
)
from segdsl.pipeline import Compiled
from segdsl.types import INT
from tests.support import strategies
from tests.support.strategies import joined
from tests.support.world import World, instant, program_of

CASES = int(os.environ.get("SEGDSL_CASES", "1400"))
RULES = 12
COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    derandomize="CI" in os.environ,
)
NOW = instant(strategies.NOW.isoformat())

# --- rules whose answers time changes ---------------------------------------------------------------------------

lengths = strategies.durations
moving = strategies.moving_windows
step = st.one_of(st.just("visited"), strategies.visits, strategies.orders)
window = strategies.event_windows.filter(lambda w: not w.startswith((" after", " before")))
waits = st.one_of(
    joined(step, " then not ", step, " within ", lengths, window),
    joined(step, " then ", step, " then not ", step, " all within ", lengths, window),
    joined(step, " then not ", step, " all within ", lengths, st.sampled_from(["", " with same shared"]), window),
)
dates = st.sampled_from(["signup date", "renewal date"])
ahead = st.one_of(
    joined(dates, " ", moving),
    joined("anniversary of ", dates, " in next ", strategies.window_durations),
    joined("purchased where (due ", moving, ")", strategies.counts, window),
    joined("sum(amount of purchased where (due ", moving, ")", window, ") > 0.30"),
    joined("last(product of purchased where (not due ", moving, ")", window, ') != "a"'),
    joined("purchased where (day ", moving, " or due ", moving, ") then visited", window),
    joined("purchased where (due ", moving, ") >= 2 with same day", window),
)
memberships = st.sampled_from(["in segment quiet", "not in segment cart", "fit >= 2", "2 * fit < lead score"])
changing = st.one_of(waits, waits, ahead, ahead, memberships, strategies.sequences, strategies.event_tests)
rules = strategies.combined(changing, 3)
NAMED = """\
segment quiet:
    not visited in 7d and fit >= 0
segment cart:
    visited then not purchased within 1d in 7d
"""
nows = st.one_of(
    st.just(NOW),
    st.just(NOW),
    st.sampled_from(
        [NOW - 1, NOW + 1, NOW - DAY, instant("2026-03-29T00:59:59.999999Z"), instant("2025-10-26T00:30Z")]
    ),
    st.integers(NOW - 400 * DAY, NOW + 60 * DAY),
)


# --- the check --------------------------------------------------------------------------------------------------


def frozen(person: Facts, now: int) -> Facts:
    """The facts without what happened after `now`."""
    events = {kind: [row for row in rows if row[0] <= now] for kind, rows in person.events.items() if "\t" not in kind}
    history = {key: [row for row in rows if row[0] <= now] for key, rows in person.history.items()}
    return Facts(person.id, person.attributes, events, person.lists, history)


STEPS = sorted(
    {
        *(sign * seconds * 10**6 for seconds in strategies.DURATIONS.values() for sign in (-1, 0, 1)),
        *(days * DAY for days in (28, 29, 30, 31, 59, 60, 61, 89, 90, 91, 92, 365, 366, 730)),
        *(sign * n * 10 * DAY for n in (1, 2, 3, 4, 5, 6, 7) for sign in (-1, 1)),
        *(n * 7 * DAY for n in (1, 2, 3, 4, 5, 6, 7)),
    }
)


SAMPLES = 600  # of some thousands: another choice for each world


def samples(person: Facts, now: int, more: Sequence[int]) -> list[int]:
    """Instants at which the answer might change, the microseconds beside them, and others; sorted, after `now`."""
    stored = [value for value in person.attributes.values() if isinstance(value, int) and abs(value) > 10**12]
    stored += [row[0] for rows in person.events.values() for row in rows]
    stored += [v for rows in person.events.values() for _, p in rows for v in p.values() if isinstance(v, int)]
    near = {instant + step for instant in {*stored, now} for step in STEPS}
    near |= {now - now % (DAY // 24) + hours * DAY // 24 for hours in range(24 * 40)}  # midnights, anywhere
    found = sorted({instant + beside for instant in near for beside in (-1, 0, 1)} | {now + n for n in more})
    found = [instant for instant in found if now < instant <= LAST]
    return sorted(Random(now).sample(found, min(len(found), SAMPLES)))


def check(compiled: CompiledProgram, probe: Probe, name: str, person: Facts, now: int, at: list[int]) -> None:
    holds = compiled.predicate(name)
    still = compiled.index(frozen(person, now))
    rule = probe.program.segments[name].rule
    outlook = Outlook(probe, person, now)
    current = holds(person, now)
    assert current == holds(still, now)
    assert outlook.answer(rule)(now, now) == current
    found = flips(outlook, rule)
    if found is not None:
        assert found > now
        assert holds(still, found) != current, isoformat(found)
        assert holds(still, found - 1) == current, isoformat(found)
    for each in at[: len(at) if found is None else bisect_left(at, found)]:
        assert holds(still, each) == current, f"changes at {isoformat(each)}, and {found} was found"


def people(world: dict[str, Any]) -> tuple[Catalog, list[Facts]]:
    text = strategies.CATALOG.format(zone=world["zone"])
    catalog, _ = load_text(f"{text}\ndatabase: .\n", "segdsl.yml", Path())
    assert catalog is not None
    small = World(text, world["contacts"], world["tables"])
    return catalog, [facts(person, catalog) for person in small.people(catalog)]


@settings(COMMON, max_examples=max(1, CASES // RULES // 16))
@given(
    strategies.worlds,
    st.lists(st.one_of(rules, rules, strategies.rules), min_size=RULES, max_size=RULES),
    nows,
    st.lists(st.integers(1, 800 * DAY), max_size=40),
)
def test_nothing_changes_before_and_all_changes_then(
    world: dict[str, Any], texts: list[str], now: int, more: list[int]
) -> None:
    catalog, found = people(world)
    segments = "".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(texts))
    program = program_of(strategies.SCORE + NAMED + segments, catalog)
    compiled = compile_program(program)
    # A segment that others refer to is in the probe's program, so the roots are given as references.
    probe = Probe(program, [core.InSegment(name) for name in program.segments])
    for person in found:
        at = samples(person, now, more)
        for index, text in enumerate(texts):
            try:
                check(compiled, probe, f"r{index}", person, now, at)
            except Exception:
                note(f"rule: {text}\ncontact: {person.id}\nzone: {world['zone']}\nnow: {isoformat(now)}")
                raise


# --- edges ------------------------------------------------------------------------------------------------------

EDGES = [
    FromNow(-DAY),
    FromNow(7 * DAY),
    FromNow(0, -1),
    FromNow(0, 1),
    FromNow(0, -12),
    Earlier(FromNow(-30 * DAY), FromNow(0, -1)),
    Later(FromNow(-30 * DAY), FromNow(0, -1)),
    *(
        PeriodStart(unit, offset, zone, base)
        for unit in ("day", "week", "month", "quarter", "year")
        for offset in (-1, 0, 1)
        for zone in ("UTC", "Europe/Berlin", "America/Havana", "America/St_Johns", "Pacific/Apia")
        for base in (FromNow(), FromNow(-4 * DAY))
    ),  # type: ignore[misc]
]
ODD = [
    "2008-11-02T02:29Z",  # clocks of St. John's go from 00:01 back to 23:01 of the day before at 02:31Z
    "2008-11-02T02:30Z",
    "2008-11-02T02:31Z",
    "2008-11-02T03:30Z",
    "2011-12-30T10:00Z",  # Apia leaves a day out
    "2026-03-29T01:00Z",
    "2026-10-25T01:00Z",
    "2024-02-29T12:00Z",
    "2026-02-28T23:00Z",
    "2026-03-31T22:00Z",
]
odd = st.builds(
    lambda text, seconds, beside: instant(text) + seconds * 10**6 + beside,
    st.sampled_from(ODD), st.sampled_from([0, 0, 30, -30, 3600, -3600, 86400, -86400, 2678400]), st.integers(-1, 1),
)  # fmt: skip


@settings(COMMON, max_examples=CASES)
@given(st.sampled_from(EDGES), odd, st.integers(0, 3 * DAY), st.lists(st.floats(0, 1), max_size=20), odd)
def test_bounds_hold_every_position_of_an_edge(
    edge: Edge, first: int, length: int, shares: list[float], within: int
) -> None:
    least, greatest = bounds(edge, first, first + length)
    for now in (first, first + length, *(first + int(share * length) for share in shares), within):
        if first <= now <= first + length:
            assert least <= edge.resolve(now) <= greatest
    assert bounds(edge, first, first) == (edge.resolve(first),) * 2


@settings(COMMON, max_examples=CASES)
@given(st.sampled_from([edge for edge in EDGES if getattr(edge, "zone", "") != "America/St_Johns"]), odd)
def test_reaches_is_the_inverse_of_resolve(edge: Edge, target: int) -> None:
    found = reaches(edge, target)
    assert found is not None
    assert edge.resolve(found) >= target > edge.resolve(found - 1)


@settings(COMMON, max_examples=CASES // 8)
@given(
    st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo"]),
    st.dates(date(1990, 1, 1), date(2030, 12, 31)) | st.sampled_from([date(2024, 2, 29), date(2009, 12, 30)]),
    st.integers(0, DAY - 1), st.integers(-900, 900), st.sampled_from([-1, 0, 1, DAY // 2]),
)  # fmt: skip
def test_the_next_anniversary_is_the_first_that_begins(zone: str, day: date, time: int, days: int, beside: int) -> None:
    born = midnight(day, zone)
    after = born + days * DAY + beside
    found = next_anniversary(born + time % (DAY - 2 * DAY // 24), zone, after)
    assert found is not None
    begins = [has_anniversary(born, zone, days_begun(lo, hi, zone)) for lo, hi in ((after, found - 1), (after, found))]
    assert begins == [False, True]


def test_edges_that_stand_still() -> None:
    assert reaches(At(5), 6) is None
    assert reaches(FromNow(-DAY), LAST) is None


# --- by hand ----------------------------------------------------------------------------------------------------

PROJECT = """\
version: 1
timezone: Europe/Berlin
contacts:
  table: people
  key: id
  attributes:
    signup date: timestamp
    renewal date: date
    stage: {enum: [lead, customer], history: {table: stages, contact: id, time: at, value: stage}}
events:
  visited: {table: visits, time: at, object: path, properties: {path: string, seconds: int}}
  purchased: {table: orders, time: at, properties: {amount: "decimal(12,2)", due: timestamp}}
"""


ABANDONED = "visited then not purchased within 1d"


def project() -> segdsl.Project:
    catalog, found = load_text(PROJECT, "segdsl.yml", Path())
    assert catalog is not None, found
    return segdsl.Project(catalog, Compiled((), Program({}, {}), ()))


def at(text: str) -> datetime:
    """A clock time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


def person(*visits: str, **more: Any) -> segdsl.Contact:
    events = [segdsl.Event("visited", at(visit), {"path": "/", "seconds": 1}) for visit in visits]
    events += [segdsl.Event("purchased", at(order), {"amount": 5}) for order in more.pop("orders", ())]
    return segdsl.Contact("c", events=events, **more)


def change(rule: str, contact: segdsl.Contact, now: str) -> str | None:
    found = project().compile(rule).next_change(contact, at(now))
    return None if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("rule", "visit", "now", "expected"),
    [
        # days are 24 hours, whatever clocks do
        ("visited in 1d", "2026-03-28T10:00", "2026-03-28T12:00", "2026-03-29T11:00:00+02:00"),
        ("visited in 1d", "2026-10-24T10:00", "2026-10-24T12:00", "2026-10-25T09:00:00+01:00"),
        ("visited today", "2026-03-29T01:00", "2026-03-29T12:00", "2026-03-30T00:00:00+02:00"),
        ("visited this week", "2026-10-25T02:30", "2026-10-25T12:00", "2026-10-26T00:00:00+01:00"),
        ("visited last week", "2026-03-29T23:59:59.999999", "2026-03-30T00:00", "2026-04-06T00:00:00+02:00"),
        ("visited last week", "2026-03-30T00:00", "2026-03-30T00:00", "2026-04-06T00:00:00+02:00"),
        ("visited yesterday", "2026-03-28T12:00", "2026-03-28T13:00", "2026-03-29T00:00:00+01:00"),
        # months step in UTC, and a day that a month does not have is its end
        ("visited in 1mo", "2026-01-31T13:00", "2026-02-01T12:00", "2026-03-01T01:00:00+01:00"),
        ("visited in 1mo", "2026-02-28T13:00", "2026-03-01T12:00", "2026-03-28T13:00:00+01:00"),
        ("visited in 1y", "2024-02-29T13:00", "2024-03-01T12:00", "2025-03-01T01:00:00+01:00"),
        ("visited in 1y", "2024-02-28T13:00", "2024-03-01T12:00", "2025-02-28T13:00:00+01:00"),
        ("visited this month", "2026-02-28T13:00", "2026-02-28T14:00", "2026-03-01T00:00:00+01:00"),
        ("visited this year", "2026-02-28T13:00", "2026-02-28T14:00", "2027-01-01T00:00:00+01:00"),
        # a window further back is entered, too
        ("visited between 1d and 2d ago", "2026-03-01T12:00", "2026-03-01T12:00", "2026-03-02T12:00:00+01:00"),
        ("visited more than 30d ago", "2026-03-01T12:00", "2026-03-01T12:00", "2026-03-31T13:00:00+02:00"),
        ("visited on the day 4d ago", "2026-03-26T12:00", "2026-03-26T13:00", "2026-03-30T01:00:00+02:00"),
        # what cannot change
        ("visited", "2026-03-01T12:00", "2026-03-01T12:00", None),
        ("visited since 2026-03-01", "2026-03-01T12:00", "2026-03-01T12:00", None),
        ("visited in next 7d", "2026-03-01T12:00", "2026-03-01T12:00", None),
        ("purchased in 30d", "2026-03-01T12:00", "2026-03-01T12:00", None),
        # waits
        (ABANDONED + " in 7d", "2026-03-28T12:00", "2026-03-28T12:00", "2026-03-29T13:00:00+02:00"),
        (ABANDONED + " in 7d", "2026-03-24T12:00", "2026-03-29T12:00", "2026-03-31T13:00:00+02:00"),
        (ABANDONED + " in 1d", "2026-03-24T12:00", "2026-03-24T12:00", None),
        # instants that are computed
        ("last(visited) more than 21d ago", "2026-03-01T12:00", "2026-03-01T12:00", "2026-03-22T12:00:00+01:00"),
        ("visited in 2d and not visited in 1d", "2026-03-01T12:00", "2026-03-01T12:00", "2026-03-02T12:00:00+01:00"),
    ],
)  # fmt: skip
def test_by_hand(rule: str, visit: str, now: str, expected: str | None) -> None:
    assert change(rule, person(visit), now) == expected


def test_dates_that_lie_ahead() -> None:
    contact = person(attributes={"renewal date": "2026-04-20", "signup date": "2024-02-29T10:00:00Z"})
    assert change("renewal date in next 14d", contact, "2026-03-29T12:00") == "2026-04-06T00:00:00+02:00"
    assert change("renewal date in the future", contact, "2026-03-29T12:00") == "2026-04-20T00:00:00+02:00"
    assert change("renewal date is known", contact, "2026-03-29T12:00") is None
    assert change("anniversary of signup date today", contact, "2026-03-29T12:00") == "2027-02-28T00:00:00+01:00"
    assert change("anniversary of signup date today", contact, "2028-01-01T12:00") == "2028-02-29T00:00:00+01:00"


def test_history_shows_later() -> None:
    contact = person(history={"stage": [("2026-03-01T11:00:00Z", "lead"), ("2026-03-20T11:00:00Z", "customer")]})
    assert change('stage was "lead" 30d ago', contact, "2026-03-21T12:00") == "2026-03-31T13:00:00+02:00"
    assert change('stage changed to "customer" in 7d', contact, "2026-03-21T12:00") == "2026-03-27T12:00:00+01:00"
    assert change('stage = "customer"', contact, "2026-03-21T12:00") is None


def test_what_happens_later_is_not_known() -> None:
    """An event after now would keep the answer, and does not count: nothing new is to happen."""
    contact = person("2026-03-01T12:00", "2026-03-05T12:00")
    assert change("visited in 7d", contact, "2026-03-02T12:00") == "2026-03-08T12:00:00+01:00"
    assert change("visited in 7d", contact, "2026-03-05T12:00") == "2026-03-12T12:00:00+01:00"
    assert change("visited in 7d", contact, "2026-02-28T12:00") is None


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        project().compile("visited").next_change(person(), datetime(2026, 3, 1))
    with pytest.raises(ValueError, match="time zone"):
        project().compile("visited").explain(person(), datetime(2026, 3, 1))


def test_clocks_that_fall_back_across_midnight() -> None:
    """In St. John's, on 2 November 2008, 00:00 to 00:01 was followed by 23:01 of the day before."""
    catalog, _ = load_text(PROJECT.replace("Europe/Berlin", "America/St_Johns"), "segdsl.yml", Path())
    assert catalog is not None
    rule = segdsl.Project(catalog, Compiled((), Program({}, {}), ())).compile("visited today")
    contact = segdsl.Contact("c", events=[segdsl.Event("visited", "2008-11-01T15:00:00Z")])
    for now, expected in (
        ("2008-11-02T02:00:00", "2008-11-02T02:30:00"),  # midnight comes for a minute
        ("2008-11-02T02:30:30", "2008-11-02T02:31:00"),  # and goes
        ("2008-11-02T02:40:00", "2008-11-02T03:30:00"),
    ):
        asked = datetime.fromisoformat(now).replace(tzinfo=UTC)
        found = rule.next_change(contact, asked)
        assert found is not None
        assert rule.matches(contact, found) != rule.matches(contact, asked)
        assert rule.matches(contact, found - timedelta(microseconds=1)) == rule.matches(contact, asked)
        assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


MANY = 40_000
FAST = [
    "visited >= 3 in 30d",
    'distinct(path of visited between 60d and 30d ago) >= 90 and visited "/1" in 7d',
    "sum(seconds of visited in 30d) > sum(seconds of visited between 30d and 60d ago)",
    "median(seconds of visited in 30d) > 49",
    "visited >= 10 with same path in 30d",
    'visited "/1" then visited "/2" within 1h in 30d',
    'visited "/1" then not visited "/2" within 1d in 7d',
]


def test_edges_tell_of_a_contact_s_anniversaries() -> None:
    """The search for them takes milliseconds, and who asks for them in a score would pay that for each event."""
    catalog = project().catalog
    program = program_of("score s:\n    +5 if anniversary of signup date in next 7d\nsegment x:\n    s > 4\n", catalog)
    rule = program.segments["x"].rule
    probe = Probe(program, [rule])
    watch = by_edges(probe.nodes, probe)
    assert watch is not None
    known = probe.index(facts(person(attributes={"signup date": "2024-02-29T10:00:00Z"}), catalog), NOW)
    instants = [NOW]
    while len(instants) < 4:
        following = watch(known, instants[-1])
        assert following is not None
        instants.append(following)
    zone = ZoneInfo("Europe/Berlin")
    assert [datetime.fromtimestamp(at / 10**6, zone).isoformat() for at in instants[1:]] == [
        "2027-02-21T00:00:00+01:00", "2027-02-28T00:00:00+01:00", "2028-02-22T00:00:00+01:00",
    ]  # fmt: skip


@pytest.mark.parametrize("rule", FAST)
def test_many_events_are_no_square_cost(rule: str) -> None:
    """40,000 events: well under a second on an idle machine; the clock of a busy one is given more room."""
    step = 365 * DAY // MANY
    rows = [(NOW - i * step, {"path": f"/{i * 7919 % 100}", "seconds": i * 104729 % 100}) for i in range(MANY)]
    compiled = project().compile(rule)
    start = time.process_time()
    compiled.explainer.next_change(Facts("c", {}, {"visited": rows}), NOW)
    assert time.process_time() - start < 4


def test_changes_of_an_attribute_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of what was known at `now` takes the changes that the facts hold, cut off there."""
    held = [(NOW - 2 * DAY, "lead"), (NOW - DAY, "customer"), (NOW + DAY, "lead")]
    person = Facts("c", {}, {}, history={"stage": held})
    kind = core.changes_of("stage")
    assert [row[1]["to"] for row in person.events[kind]] == ["lead", "customer", "lead"]
    monkeypatch.setattr("segdsl.core.contact.change_events", lambda held: pytest.fail("worked out again"))
    stage = core.Measure("count", core.Events((core.Branch(kind, core.EVERYONE),), EVER))
    rule = core.Compare("=", stage, core.Const(2, INT))
    probe = Probe(Program({}, {}), [rule])
    assert probe.holds(rule)(probe.index(person, NOW), NOW)
