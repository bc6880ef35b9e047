"""Histories of membership: the stays that the stream tells over the same log, however they are found.

The command and the API are in test_history_command.

`SEGDSL_CASES` says how many rule × world cases to run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from segdsl import types
from segdsl.backends.sql.dialects import get
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.core.contact import Facts
from segdsl.core.program import Program
from segdsl.core.time import DAY, isoformat, to_datetime
from segdsl.engines import connect
from segdsl.history.history import History, SegmentStay
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Flip
from tests.support import strategies
from tests.support.databases import Table, database
from tests.support.logs import log_of
from tests.support.storage import load
from tests.support.world import World, instant, program_of
from tests.test_next_change import rules as changing_rules
from tests.test_stream import NAMED

CASES = int(os.environ.get("SEGDSL_CASES", "600"))
RULES = 8
NOW = instant(strategies.NOW.isoformat())
COMMON = settings(
    deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, derandomize="CI" in os.environ
)
rules = st.one_of(strategies.rules, strategies.event_tests, changing_rules)
stretches = st.tuples(
    st.sampled_from([0, 1, DAY, 7 * DAY, 31 * DAY, 400 * DAY]), st.sampled_from([-1, 0, 1]),
    st.sampled_from([0, 1, DAY, 40 * DAY]),
).map(lambda t: (NOW - t[0] + t[1], NOW + t[1] + t[2]))  # fmt: skip


def by_stream(catalog: Catalog, program: Program, people: list[Facts], since: int, until: int) -> list[SegmentStay]:
    """What the stream tells of contacts that are known from before the beginning on."""
    stream = Evaluator(catalog, program)
    log = [line for facts in people for line in log_of(facts, catalog, since)]
    for line in sorted(log, key=lambda line: line.at):
        if line.at <= since:
            stream.push(line)
    stream.advance(since)
    inside = list(stream.members())
    flips = [flip for line in sorted(log, key=lambda line: line.at) if since < line.at <= until
             for flip in stream.push(line)] + stream.advance(until)  # fmt: skip
    return stays_of(flips, inside, since)


def stays_of(flips: Iterable[Flip], inside: Iterable[tuple[str, str | int]], since: int) -> list[SegmentStay]:
    """The stays that changes tell, after an instant at which some are in."""
    open_ = dict.fromkeys(inside, since)
    found: list[SegmentStay] = []
    for flip in flips:
        member = (flip.segment, flip.contact)
        if flip.entered:
            assert member not in open_
            open_[member] = flip.at
        else:
            entered = open_.pop(member)
            if entered < flip.at:
                found.append(SegmentStay(*member, entered, flip.at))
    found += [SegmentStay(*member, entered, None) for member, entered in open_.items()]
    return _merged(found)


def _merged(rows: list[SegmentStay]) -> list[SegmentStay]:
    """Stays in order; where one ends at the instant at which the next begins (lines of one instant), they are one."""
    found: list[SegmentStay] = []
    for row in sorted(rows, key=lambda row: row[:3]):  # type: ignore[arg-type, return-value]
        if found and found[-1][:2] == row[:2] and found[-1].left == row.entered:
            row = found.pop()._replace(left=row.left)
        found.append(row)
    return found


def told(rows: list[SegmentStay]) -> str:
    return "\n".join(f"{s} {c} {isoformat(a)} {None if b is None else isoformat(b)}" for s, c, a, b in rows)


@settings(COMMON, max_examples=max(1, CASES // RULES // 4))
@given(strategies.worlds, st.lists(rules, min_size=RULES, max_size=RULES), stretches)
def test_replays_say_what_the_stream_says(world: dict[str, Any], texts: list[str], stretch: tuple[int, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small, catalog, program = world_and_program(world, texts, folder)
        small.write_jsonl(catalog)
        with connect(catalog) as engine:
            found = list(History(engine, program, sorted(program.segments), *stretch).stays(replay=True))
            expected = by_stream(catalog, program, list(engine.facts()), *stretch)
        assert told(found) == told(expected)


def world_and_program(world: dict[str, Any], texts: list[str], folder: str) -> tuple[World, Catalog, Program]:
    small = World(strategies.CATALOG.format(zone=world["zone"]), world["contacts"], world["tables"])
    catalog = small.catalog(Path(folder))
    segments = "".join(f"segment r{i}:\n    {text}\n" for i, text in enumerate(texts))
    note(f"zone {world['zone']}\n{segments}")
    return small, catalog, program_of(strategies.SCORE + NAMED + segments, catalog)


def agree(catalog: Catalog, program: Program, stretch: tuple[int, int]) -> list[str]:
    """SQL and replays tell the same; the segments of which SQL does not."""
    with connect(catalog) as engine:
        history = History(engine, program, sorted(program.segments), *stretch)
        found = told(list(history.stays()))
        assert found == told(list(History(engine, program, history.names, *stretch).stays(replay=True)))
        return history.replayed


@settings(COMMON, max_examples=max(1, CASES // RULES // 4))
@given(strategies.worlds, st.lists(rules, min_size=RULES, max_size=RULES), stretches)
def test_duckdb_says_what_replays_say(world: dict[str, Any], texts: list[str], stretch: tuple[int, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small, catalog, program = world_and_program(world, texts, folder)
        small.write_jsonl(catalog)
        agree(catalog, program, stretch)


# One of each way in which SQL has a form for a test, at least.
SAID = [
    "visited >= 2 in 7d and not purchased in 1d", 'visited ("/pricing", "a*") 1 to 2 times between 1d and 30d ago',
    "any event < 3 in 1mo", "visited = 1 today", "purchased this month or visited last week",
    "visited since 2026-03-01", "visited before 2026-03-15", "not any event", "everyone", "deal >= 2",
    'country in ("DE", "a") and visited',
    "sum(amount of purchased in 30d) > 20", "avg(amount of purchased in 1y) >= 10.01", "2 * count(visited in 7d) > 3",
    "sum(amount of purchased in 30d) > sum(amount of purchased between 30d and 60d ago)", "fit >= 4",
    "distinct(path of visited in 30d) >= 2", "distinct(day of any event in 60d) >= 2",
    "visited >= 2 with same path in 30d", "visited >= 2 within 1d in 30d", "visited >= 2 within 1h with same device",
    "visited in at least 2 of last 4 weeks", "signup date in 30d", "renewal date in next 14d", "signup date today",
    'plan = "pro"', 'owner != "a"', 'plan was "team" 7d ago', 'plan changed to "pro" in 30d', "seats >= 2 and visited",
    "spent > 10", "last(visited) more than 7d ago", "first(purchased) in 30d", "last(purchased) is known",
    "max(amount of purchased in 30d) >= 10.01", "min(seconds of visited in 30d) < 2", 'in list "vips"',
    'in sample 50% of "x" and visited', 'visited where (device = "mobile") >= 1 in 28d',
    'last(path of visited) = "/pricing"', 'first(device of visited in 7d) in ("desktop", "mobile") and visited',
    "last(amount of purchased between 1d and 30d ago) >= 10",
    'not last(shared of any of (visited, purchased) in 30d) contains "a"',
    "visited then purchased", "visited then purchased within 7d in 30d", "visited then not purchased within 1d in 7d",
    "visited then not purchased", "visited then visited all within 7d with same shared without purchased in 60d",
    "visited then visited without any purchased", "purchased without visited within 1d before",
]  # fmt: skip
UNSAID = [
    "visited then not purchased all within 1d",
    "median(amount of purchased in 30d) > 1",
    "anniversary of signup date in next 7d",
    "purchased where (due in next 7d)",
    "count(visited) > lead score",
]


def written(rules: list[str]) -> str:
    return "".join(f"segment r{i:02}:\n    {rule}\n" for i, rule in enumerate(rules))


# Spark takes seconds for a statement: a few, with each kind of step.
FEW = {
    "visited >= 2 in 7d and not purchased in 1d", "any event < 3 in 1mo", "purchased this month or visited last week",
    "sum(amount of purchased in 30d) > 20", "visited >= 2 within 1d in 30d", 'plan was "team" 7d ago',
    "distinct(path of visited in 30d) >= 2", "renewal date in next 14d", "visited then purchased within 7d in 30d",
    'last(path of visited) = "/pricing"',
}  # fmt: skip


@pytest.mark.parametrize("name", ["duckdb", "postgres", "clickhouse", "spark", "sqlite"])
def test_every_engine_says_what_replays_say(name: str, tmp_path: Path) -> None:
    slow = name == "spark"
    asked = [rule for rule in SAID + UNSAID if rule in FEW or not slow]
    unsaid = set(asked if name == "sqlite" else UNSAID)

    @settings(COMMON, max_examples=1 if slow else max(2, CASES // 800))
    @given(strategies.worlds, stretches)
    def check(world: dict[str, Any], stretch: tuple[int, int]) -> None:
        small = World(strategies.CATALOG.format(zone=world["zone"]), world["contacts"], world["tables"])
        catalog = small.catalog(tmp_path)
        program = program_of(strategies.SCORE + written(asked), catalog)
        note(f"zone {world['zone']}, from {isoformat(stretch[0])} to {isoformat(stretch[1])}")
        replayed = agree(load(name, "typed", small, catalog), program, stretch)
        assert replayed == [f"r{i:02}" for i, rule in enumerate(asked) if rule in unsaid]

    check()


@pytest.mark.parametrize("name", ["duckdb", "postgres", "clickhouse"])
def test_columns_without_unknown_values(name: str) -> None:
    text, time = get(name).kept_as(types.String()), get(name).kept_as(types.Timestamp())
    running = database(name)
    visits = [["a", to_datetime(NOW)], ["a", to_datetime(NOW + DAY)]]
    running.load({"people": Table({"id": text}, [["a"], ["b"]]), "visits": Table({"id": text, "at": time}, visits)})
    declared = f"""\
version: 1
database: {running.url}
contacts: {{table: people, key: id}}
events:
  visited: {{table: visits, contact: id, time: at}}
"""
    catalog, found = load_text(declared, "segdsl.yml", Path("/nowhere"))
    assert catalog is not None, found
    asked = ["visited in 7d", "visited since 2026-03-01", "visited this month", "visited between 1d and 1mo ago",
             "visited in 1mo", "visited >= 2 within 2d", "not visited in 1d"]  # fmt: skip
    assert agree(catalog, program_of(written(asked), catalog), (NOW - DAY, NOW + 40 * DAY)) == []


@pytest.mark.parametrize("name", ["duckdb", "postgres", "clickhouse"])
def test_rows_that_are_there_twice_and_the_least_and_greatest_numbers(name: str) -> None:
    text, time, whole = (get(name).kept_as(kind) for kind in (types.String(), types.Timestamp(), types.INT))
    running = database(name)
    a, b = ["a", "DE", to_datetime(NOW - 6 * DAY)], ["b", "AT", to_datetime(NOW)]
    seen = [["a", to_datetime(NOW), -(2**63)], ["b", to_datetime(NOW + DAY), 2**63 - 1]]

    def stays(people: list[list[object]], replay: bool) -> list[SegmentStay]:
        running.load({"people": Table({"id": text, "country": text, "joined": time}, people),
                      "visits": Table({"id": text, "at": time, "n": whole}, seen)})  # fmt: skip
        with connect(catalog) as engine:
            history = History(engine, program, sorted(program.segments), NOW - DAY, NOW + 40 * DAY)
            found = list(history.stays(replay))
            assert replay or history.replayed == ["r07"]
        return found

    declared = f"""\
version: 1
database: {running.url}
contacts: {{table: people, key: id, attributes: {{country: string, joined: timestamp}}}}
events:
  visited: {{table: visits, contact: id, time: at, properties: {{n: int}}}}
"""
    catalog, found = load_text(declared, "segdsl.yml", Path("/nowhere"))
    assert catalog is not None, found
    asked = ["not visited in 1d", 'country = "DE"', 'country = "AT" or joined in 7d', "sum(n of visited in 1d) < 0",
             "visited < 9223372036854775807", "visited > 9223372036854775807", f"not visited >= {2**31} in 1d",
             f"visited >= {2**31} within 1d"]  # fmt: skip
    program = program_of(written(asked), catalog)
    once = stays([a, b], replay=True)
    assert once == stays([a, a, b], replay=False) == stays([a, a, b], replay=True) != []
