"""A stream that is opened again on its state file knows what the one knew that wrote it, whatever lines came.

Lines of all kinds, late ones and early ones, in batches: after each the members are those of the Python backend over
the same lines, gathered with none of the stream's code, and now and then the stream is opened anew.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from segdsl.backends.python import CompiledProgram, compile_program
from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import isoformat
from segdsl.stream.follower import Follower
from segdsl.stream.person import Person
from tests.support.arrivals import Arrivals
from tests.support.world import World, instant, program_of

CATALOG = """\
version: 1
contacts:
  table: people
  key: id
  attributes:
    country: string
    plan: {enum: [free, pro], history: {table: plans, contact: id, time: at, value: plan}}
    seats: {type: int, history: {table: plans, contact: id, time: at, value: seats}}
events:
  visited: {table: visits, contact: id, time: at, id: delivery, properties: {path: string, n: int}}
  opened email: {table: mails, contact: id, time: at}
  deal: {table: deals, contact: id, properties: {status: string}}
  ticket: {table: tickets, contact: id, id: delivery, properties: {size: int}}
relations:
  company: {table: companies, key: company_id, contact: company_id, attributes: {industry: string}}
lists: {table: members, list: list, contact: id}
"""
RULES = """\
segment engaged: visited where (path = "/p") >= 2 in 2d
segment quiet: not visited in 1d
segment some: sum(n of visited) >= 3
segment any_of_them: any of (visited, opened email) >= 3 in 2d
segment mails: opened email >= 2 in 6h
segment cart: visited where (path = "/p") then not opened email within 6h in 3d
segment deals: deal where (status = "open") >= 2
segment one_deal: deal = 1
segment tickets: sum(size of ticket) > 3
segment two_tickets: ticket >= 2
segment pro: plan = "pro" and not in list "staff"
segment became_pro: plan changed to "pro" in 1d
segment was_free: plan was "free" 1d ago
segment was_ever: plan was ever "free"
segment three_seats: seats > 2
segment changed: seats changed in 12h
segment german: country = "DE" or company.industry = "DE"
"""
HOUR = 3600 * 10**6
START = instant("2026-03-10T00:00:00Z")
EXAMPLES = int(os.environ.get("SEGDSL_STEPS", "2500")) // 25

Fields = dict[str, Any]

times = st.builds(
    lambda hours, beside: START + hours * HOUR + beside, st.integers(0, 60), st.sampled_from([-1, 0, 0, 1])
)
texts = st.sampled_from(["DE", "open", None])
rows = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["free", "pro", None]), st.sampled_from([1, 3, None])), max_size=3
)


def _history(at: int, told: list[tuple[int, str | None, int | None]]) -> Fields:
    moments = [isoformat(at - ago * HOUR) for ago, _, _ in told]
    return {"history": {
        "plan": [[moment, plan] for moment, (_, plan, _) in zip(moments, told, strict=True)],
        "seats": [[moment, seats] for moment, (_, _, seats) in zip(moments, told, strict=True)],
    }}  # fmt: skip


def _event(kind: str, id: str | None, **properties: Any) -> Fields:
    return {"event": kind, "properties": properties, **({"id": id} if id is not None else {})}


ids = st.sampled_from([None, "1", "2"])
news = st.one_of(
    st.builds(lambda id, path, n: _event("visited", id, path=path, n=n), ids, st.sampled_from(["/p", "/q"]),
              st.sampled_from([1, 2, None])),
    st.just(_event("opened email", None)),
    st.builds(lambda status: _event("deal", None, status=status), texts),
    st.builds(lambda id, size: _event("ticket", id, size=size), ids, st.sampled_from([1, 3, None])),
    st.builds(lambda plan, seats: {"set": {"plan": plan, "seats": seats}}, st.sampled_from(["free", "pro", None]),
              st.sampled_from([1, 3, None])),
    st.builds(lambda key, value: {"set": {key: value}}, st.sampled_from(["country", "company.industry"]), texts),
    st.builds(lambda member: {"lists": {"staff": member}}, st.booleans()),
    st.builds(lambda statuses: {"has": {"deal": [{"status": each} for each in statuses]}}, st.lists(texts, max_size=3)),
    st.builds(lambda sizes: {"has": {"ticket": [{"size": each} for each in sizes]}},
              st.lists(st.sampled_from([1, 3, None]), max_size=3)),
)  # fmt: skip
names = st.sampled_from("abcx")
lines = st.one_of(
    st.tuples(names, times, news),
    st.tuples(names, times, news),
    st.tuples(names, times, rows).map(lambda line: (*line[:2], _history(*line[1:]))),
    st.tuples(names, times, names.map(lambda name: {"alias": name})).filter(lambda line: line[0] != line[2]["alias"]),
    st.tuples(names, times, st.just({"deleted": True})),
).map(lambda line: {"contact": line[0], "at": isoformat(line[1]), **line[2]})


# Batches of lines; whether those of later instants wait, and whether the stream is opened anew afterwards.
batches = st.lists(st.tuples(st.lists(lines, min_size=1, max_size=6), st.booleans(), st.booleans()), max_size=8)


def known(stream: Follower) -> dict[str | int, Any]:
    """All that a stream knows."""
    return {name: _known(person) for name, person in stream.people.items()}


def _known(person: Person) -> Any:
    events = {kind: sorted(map(repr, rows)) for kind, rows in person.events.items() if rows}
    history = {key: rows for key, rows in person.history.items() if rows}
    latest = {number: times for number, times in person.latest.items() if times}
    told = {kind: sorted(map(repr, rows)) for kind, rows in person.told.items() if list(rows)}
    delivered = {kind: rows for kind, rows in person.delivered.items() if rows}
    return (
        person.attributes, events, history, person.facts.lists, person.set_at, latest, told, delivered,
        sorted(map(str, person.names)), person.known, person.inside,
    )  # fmt: skip


@cache
def followed() -> tuple[Catalog, Program, CompiledProgram]:
    with tempfile.TemporaryDirectory() as folder:
        catalog = World(CATALOG, {}).catalog(Path(folder))
    program = program_of(RULES.replace(": ", ":\n    "), catalog)
    return catalog, program, compile_program(program)


ours = settings(
    max_examples=max(1, EXAMPLES), deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
    derandomize="CI" in os.environ,
)  # fmt: skip


@ours
@given(batches=batches)
def test_a_stream_that_is_opened_again_knows_the_same(batches: Any) -> None:
    catalog, program, compiled = followed()
    segments = list(program.segments)
    arrivals = Arrivals(catalog)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        stream = Follower(catalog, program, path)
        try:
            stream.take([(START, "")])
            for batch, waits, restarts in [*batches, ([], False, True)]:
                clock = stream.clock
                assert clock is not None
                told: list[tuple[Fields | int, str]] = []
                now = clock
                for fields in batch:
                    at = now if waits else max(now, instant(fields["at"]))
                    if "alias" in fields:  # one that is refused does not move the clock
                        told.append((at, ""))
                        now = at
                    arrivals.add(fields, now)
                    told.append((fields, json.dumps(fields)))
                    now = at
                stream.take(told, None, clock if waits else None)
                assert stream.clock == now
                expected = arrivals.members(compiled, segments, now)
                assert {(name, str(contact)) for name, contact in stream.members()} == expected
                if restarts:
                    stream = opened_again(stream, path)
        finally:
            stream.close()


@ours
@given(batches=batches, lines_follow=st.integers(0, 8))
def test_a_history_of_a_database_is_known_again_and_so_are_lines_that_follow_it(
    batches: Any, lines_follow: int
) -> None:
    """There events make nobody known, aliases are of events alone, and the events of who is deleted stay."""
    catalog, program, _ = followed()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        stream = Follower(catalog, program, path)
        try:
            stream.begin("history")
            stream.take([(START, "")])
            for number, (batch, waits, restarts) in enumerate([*batches, ([], False, True)]):
                if number == lines_follow:
                    stream.begin_lines(silent=True)
                told = [
                    fields for fields in batch if fields.get("event") not in ("deal", "ticket") and _identifies(fields)
                ]
                stream.take([(fields, json.dumps(fields)) for fields in told], None, stream.clock if waits else None)
                if restarts or number == lines_follow:
                    stream = opened_again(stream, path)
        finally:
            stream.close()


def _identifies(fields: Fields) -> bool:
    """Whether a line is none of an alias that has aliases: in a database that is an error."""
    return "alias" not in fields or (fields["alias"] == "x" and fields["contact"] != "x")


def opened_again(stream: Follower, path: Path) -> Follower:
    """Another stream on the same state file, which knows the same."""
    before = known(stream), dict(stream.owners), stream.waiting
    stream.close()
    catalog, program, _ = followed()
    stream = Follower(catalog, program, path)
    after = known(stream), dict(stream.owners), stream.waiting
    note(f"{before}\n{after}")
    assert stream.resumed == []
    assert after == before
    return stream
