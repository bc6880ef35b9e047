"""The stream after each line and each step of the clock: it says what Python says, and what DuckDB does.

`SEGDSL_STEPS` says how many steps to take in all; DuckDB, which is slow to ask, is then asked after each of them.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from segdsl.backends.python import compile_program
from segdsl.contact import Contact, facts
from segdsl.core.time import DAY, isoformat
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Flip, Line
from segdsl.stream.reading import read
from tests.support import strategies
from tests.support.arrivals import Arrivals, instant_of
from tests.support.world import World, by_duckdb, program_of
from tests.test_next_change import rules as changing_rules

STEPS = int(os.environ.get("SEGDSL_STEPS", "1500"))
ASKED = 1 if "SEGDSL_STEPS" in os.environ else 10  # DuckDB is asked after each step, or after one of so many
A_RUN = 25
RULES = 6
NAMED = """\
segment quiet:
    not visited in 7d and fit >= 0
segment cart:
    visited then not purchased within 1d in 7d
"""
names = st.sampled_from("abcx")
times = strategies.instants_at
lengths = st.sampled_from([0, 1, 10**6, *(n * 10**6 + d for n in strategies.DURATIONS.values() for d in (-1, 0, 1))])


def event(row: dict[str, Any], kind: str) -> dict[str, Any]:
    properties = {key: value for key, value in row.items() if key not in ("id", "at", "delivery")}
    return {"event": kind, "properties": properties, "id": row.get("delivery")}


events = st.one_of(
    strategies.visit_rows.map(lambda row: event(row, "visited")),
    strategies.visit_rows.map(lambda row: event(row, "visited")),
    strategies.order_rows.map(lambda row: event(row, "purchased")),
    st.fixed_dictionaries({"size": strategies._whole, "owner": strategies._text}).map(lambda row: event(row, "deal")),
)
attributes = st.one_of(
    st.fixed_dictionaries({"country": strategies._text, "lead score": strategies._whole}),
    strategies.people.map(
        lambda row: {
            "city": row["city"], "balance": row["balance"], "ratio": row["ratio"], "subscribed": row["subscribed"],
            "stage": row["stage"], "signup date": row["signup_date"], "renewal date": row["renewal_date"],
            "home": [row["lat"], row["lon"]], "tags": row["tags"],
        }
    ),
    strategies.plan_rows.map(lambda row: {"plan": row["plan"], "seats": row["seats"]}),
    strategies.owner_rows.map(
        lambda row: {
            "owner": row["owner"], "next call": row["call"], "trial end": row["trial_end"], "spent": row["spent"]
        }
    ),
    st.fixed_dictionaries({"company.industry": strategies._text, "company.employees": strategies._whole}),
)  # fmt: skip
news = st.one_of(
    events, events, events,
    attributes.map(lambda given: {"set": given}),
    st.fixed_dictionaries({"lists": st.fixed_dictionaries({"vips": st.booleans()})}),
)  # fmt: skip
deals = st.lists(st.fixed_dictionaries({"size": strategies._whole, "owner": strategies._text}), max_size=3)
plans = st.lists(st.tuples(lengths, strategies.plan_rows), max_size=3)


def history(at: int, rows: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """All plans up to an instant; each row is so long ago by then."""
    told = [(isoformat(at - ago), row) for ago, row in rows]
    return {"history": {key: [[moment, row[key]] for moment, row in told] for key in ("plan", "seats")}}


class Following(RuleBasedStateMachine):
    """One evaluator, and beside it all lines that it was given."""

    @initialize(
        zone=st.sampled_from(strategies.ZONES),
        texts=st.lists(st.one_of(strategies.rules, changing_rules), min_size=RULES, max_size=RULES),
        start=times,
    )
    def begin(self, zone: str, texts: list[str], start: str) -> None:
        self.text = strategies.CATALOG.format(zone=zone)
        self.folder = tempfile.TemporaryDirectory()
        self.catalog = World(self.text, {}).catalog(Path(self.folder.name))
        written = [f"segment r{i}:\n    {text}\n" for i, text in enumerate(texts)]
        self.program = program_of(strategies.SCORE + NAMED + "".join(written), self.catalog)
        self.compiled = compile_program(self.program)
        self.names = list(self.program.segments)
        self.arrivals = Arrivals(self.catalog)
        self.taken: list[Line] = []
        self.stream = Evaluator(self.catalog, self.program)
        self.clock = instant_of({"at": start})
        self.inside: set[tuple[str, str]] = set()
        self.steps = 0
        self.stream.advance(self.clock)

    @rule(contact=names, what=news, ago=lengths)
    def tell_soon(self, contact: str, what: dict[str, Any], ago: int) -> None:
        self._push({"contact": contact, "at": isoformat(self.clock + ago), **what})

    @rule(contact=names, what=news, ago=lengths)
    def tell_late(self, contact: str, what: dict[str, Any], ago: int) -> None:
        self._push({"contact": contact, "at": isoformat(self.clock - ago), **what})

    @rule(contact=names, rows=plans, ago=lengths, waits=st.booleans())
    def tell_a_history(self, contact: str, rows: list[tuple[int, dict[str, Any]]], ago: int, waits: bool) -> None:
        at = self.clock + (ago if waits else -ago)
        limit = self.clock if waits else None
        self._push({"contact": contact, "at": isoformat(at), **history(at, rows)}, limit)

    @rule(contact=names, rows=deals, ago=lengths, waits=st.booleans())
    def tell_all_deals(self, contact: str, rows: list[dict[str, Any]], ago: int, waits: bool) -> None:
        at = self.clock + (ago if waits else -ago)
        self._push({"contact": contact, "at": isoformat(at), "has": {"deal": rows}}, self.clock if waits else None)

    @rule(contact=names, what=news, at=times)
    def tell(self, contact: str, what: dict[str, Any], at: str) -> None:
        self._push({"contact": contact, "at": at, **what})

    @rule(contact=names, what=news, ahead=lengths)
    def tell_beforehand(self, contact: str, what: dict[str, Any], ahead: int) -> None:
        self._push({"contact": contact, "at": isoformat(self.clock + ahead), **what}, limit=self.clock)

    @rule(contact=names, after=lengths, waits=st.booleans())
    def delete(self, contact: str, after: int, waits: bool) -> None:
        line = {"contact": contact, "deleted": True, "at": isoformat(self.clock + after)}
        self._push(line, limit=self.clock if waits else None)

    @rule(contact=names, alias=st.sampled_from("abcxy"), ago=lengths, waits=st.booleans())
    def name(self, contact: str, alias: str, ago: int, waits: bool) -> None:
        if alias != contact:
            line = {"contact": contact, "alias": alias, "at": isoformat(self.clock + (ago if waits else -ago))}
            self._push(line, limit=self.clock if waits else None)

    @rule(length=lengths)
    def wait(self, length: int) -> None:
        self._check(self.stream.advance(self.clock + length), self.clock + length)

    @rule(days=st.integers(1, 40))
    def wait_days(self, days: int) -> None:
        self._check(self.stream.advance(self.clock + days * DAY), self.clock + days * DAY)

    @rule()
    def restart(self) -> None:
        self.stream = Evaluator(self.catalog, self.program)
        self.stream.restore(self.clock, self._left())
        self._check([], self.clock)

    def _ask_duckdb(self) -> None:
        world = self.arrivals.world(self.text, self.clock)
        with tempfile.TemporaryDirectory() as folder:
            found = by_duckdb(world, world.catalog(Path(folder)), self.program, self.clock)
        assert {(name, contact) for name in self.names for contact in found[name]} == self.inside

    def _left(self) -> list[Line]:
        """The lines that no deletion has made void, each contact's together: whose they are by now."""
        told, _, waiting = self.arrivals.told(self.clock)
        owners = {number: name for name, lines in told.items() for number, _ in lines} | waiting
        left = [
            replace(self.taken[number], contact=owner, taken=self.arrivals.lines[number][0])
            for number, owner in sorted(owners.items())
        ]
        return sorted(left, key=lambda line: str(line.contact))

    def _push(self, fields: dict[str, Any], limit: int | None = None) -> None:
        line = read(fields, self.catalog)
        assert isinstance(line, Line)
        if self.stream.refusal(line) is not None:
            return
        line = replace(line, number=len(self.taken))
        self.arrivals.add(fields, self.clock)
        self.taken.append(line)
        until = self.clock if limit is not None else max(self.clock, line.at)
        self._check(self.stream.push(line, limit), until)

    def _check(self, flips: list[Flip], until: int) -> None:
        begun, self.clock = self.clock, until
        assert self.stream.clock == until
        expected = self.arrivals.members(self.compiled, self.names, until)
        for flip in flips:
            assert begun <= flip.at <= until
            member = (flip.segment, str(flip.contact))
            assert (member in self.inside) != flip.entered, f"said twice: {flip}"
            (self.inside.add if flip.entered else self.inside.discard)(member)
            if flip.at > begun:
                before = self.arrivals.members(self.compiled, [flip.segment], flip.at - 1)
                after = self.arrivals.members(self.compiled, [flip.segment], flip.at)
                assert (member in before, member in after) == (not flip.entered, flip.entered), flip
        assert [flip.at for flip in flips] == sorted(flip.at for flip in flips)
        if self.inside != expected:
            note(f"at {isoformat(until)}: {sorted(self.inside ^ expected)}")
        assert self.inside == expected
        assert {(name, str(contact)) for name, contact in self.stream.members()} == expected
        self.steps += 1
        if self.steps % ASKED == 0:
            self._ask_duckdb()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


def test_where_a_day_was_twice(tmp_path: Path) -> None:
    """St. John's clocks fell back from 00:01 to 23:01: for a minute it was the next day, and then the day before."""
    text = "version: 1\ntimezone: America/St_Johns\ncontacts: {table: p, key: id}\n"
    text += "events: {visited: {table: v, time: at}}\n"
    catalog = World(text, {}).catalog(tmp_path)
    program = program_of("segment s:\n    visited today\n", catalog)
    stream = Evaluator(catalog, program)
    line = read({"contact": "a", "event": "visited", "at": "2010-11-06T20:31:00Z"}, catalog)
    assert isinstance(line, Line)
    flips = [*stream.push(line), *stream.advance(line.at + DAY)]
    assert [(isoformat(flip.at), flip.entered) for flip in flips] == [
        ("2010-11-06T20:31:00Z", True), ("2010-11-07T02:30:00Z", False), ("2010-11-07T02:31:00Z", True),
        ("2010-11-07T03:30:00Z", False),
    ]  # fmt: skip
    person = facts(Contact("a", {}, [{"event": "visited", "at": "2010-11-06T20:31:00Z"}]), catalog)
    holds = compile_program(program).predicate("s")
    for flip in flips:
        assert (holds(person, flip.at - 1), holds(person, flip.at)) == (not flip.entered, flip.entered)


Following.TestCase.settings = settings(
    max_examples=max(1, STEPS // A_RUN),
    stateful_step_count=A_RUN,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    derandomize="CI" in os.environ,
)
TestFollowing = Following.TestCase
