"""The tables of a database through the stream: after each reading it says what the database says.

`SEGDSL_TAILED` says how many readings to make on each of the quick databases.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import isoformat
from segdsl.engines import connect
from segdsl.stream.follower import Follower
from segdsl.stream.tailing import Tail
from tests.support import storage, strategies
from tests.support.world import World, program_of
from tests.test_agreement import NOW
from tests.test_next_change import rules as changing_rules
from tests.test_stream import NAMED

READINGS = int(os.environ.get("SEGDSL_TAILED", "10"))
STEPS = 5
LATE = 3600 * 10**6
SIZE = 3  # lines that are saved together: few, so that readings are saved in parts
CATALOG = strategies.CATALOG.replace("    table: orders\n", "    table: orders\n    increasing: number\n")
lengths = st.sampled_from([0, 1, 10**6, *(n * 10**6 + d for n in strategies.DURATIONS.values() for d in (-1, 0, 1))])
delays = st.sampled_from([0, 0, 1, 10**6, LATE - 1, LATE])
deals = st.fixed_dictionaries({"id": st.sampled_from("abc"), "size": strategies._whole, "owner": strategies._text})
members = st.fixed_dictionaries({"list": st.sampled_from(["vips", "others"]), "id": st.sampled_from("abcd")})
companies = st.fixed_dictionaries(
    {"company_id": st.sampled_from("xy"), "industry": strategies._text, "employees": strategies._whole}
)
aliases = st.sampled_from([{"alias": "anon", "id": "a"}, {"alias": "e", "id": "b"}, {"alias": "d", "id": "zed"}])
SOME = 4


class Database:
    """Tables that are written to, in a real database."""

    def __init__(self, name: str, form: str, zone: str, folder: Path) -> None:
        self.name, self.form = name, form
        self.text = CATALOG.format(zone=zone)
        self.declared = World(self.text, {}).catalog(folder)
        self.people: dict[str, Any] = {}
        self.tables: dict[str, list[Any]] = {
            name: [] for name in ("visits", "orders", "deals", "plans", "owners", "companies", "members", "aliases")
        }
        self.numbers = 0

    def event(self, table: str, row: dict[str, Any], at: int | None = None) -> None:
        self.numbers += 1
        stamp = {} if at is None else {"at": isoformat(at)}
        number = {"number": self.numbers} if table == "orders" else {}
        self.tables[table].append({**row, **stamp, **number})

    def write(self) -> Catalog:
        unique = {row["company_id"]: row for row in self.tables["companies"]}
        aliases = {row["alias"]: row for row in self.tables["aliases"]}
        tables = {**self.tables, "companies": list(unique.values()), "aliases": list(aliases.values())}
        return storage.load(self.name, self.form, World(self.text, self.people, tables), self.declared)


def change(database: Database, draw: Any, now: int) -> None:
    """Some of what happens to tables between two readings, some of it late and some of it beforehand."""
    for row in draw(st.lists(strategies.visit_rows, max_size=SOME)):
        at = now - draw(delays)
        for _ in range(draw(st.sampled_from([1, 1, 2]))):
            database.event("visits", row, at)
    for row in draw(st.lists(strategies.order_rows, max_size=SOME)):
        database.event("orders", row, now + draw(lengths) * draw(st.sampled_from([-1, -1, 1])))
    for row in draw(st.lists(strategies.visit_rows, max_size=1)):
        database.event("visits", row, now + 1 + draw(lengths))
    for name in draw(st.lists(st.sampled_from("abcde"), max_size=2)):
        if name in database.people and draw(st.booleans()):
            del database.people[name]
        else:
            database.people[name] = draw(strategies.people)
    database.tables["deals"] = draw(st.lists(deals, max_size=SOME))
    database.tables["members"] = draw(st.lists(members, max_size=SOME))
    database.tables["companies"] += draw(st.lists(companies, max_size=1))
    database.tables["aliases"] += draw(st.lists(aliases, max_size=1))
    for table, rows in (("plans", strategies.plan_rows), ("owners", strategies.owner_rows)):
        database.tables[table] += draw(st.lists(rows, max_size=2))
        if database.tables[table] and draw(st.booleans()):
            del database.tables[table][draw(st.integers(0, len(database.tables[table]) - 1))]


class Reopened:
    """A stream on a state file, which is opened again now and then."""

    def __init__(self, catalog: Catalog, program: Program, state: Path) -> None:
        self.catalog, self.program, self.state = catalog, program, state
        self.now = 0
        self.told = 0
        self.inside: set[tuple[str, str | int]] = set()
        self.open()
        self.tail.begin()

    def open(self) -> None:
        self.stream = Follower(self.catalog, self.program, self.state)
        assert not self.stream.resumed
        self.tail = Tail(self.stream, LATE, SIZE, lambda: self.now)

    def read(self) -> set[tuple[str, str | int]]:
        """Read the tables; who is in by the database."""
        with connect(self.catalog) as engine:
            list(self.tail.events(engine))
            list(self.tail.contacts(engine))
            self.stream.take([(self.now, "")], None, self.now)
            return set(engine.members(self.program, list(self.program.segments), self.now))

    def check(self, expected: set[tuple[str, str | int]]) -> None:
        found = set(self.stream.members())
        if found != expected:
            note(f"at {isoformat(self.now)}: {sorted(found ^ expected)}")
        assert found == expected
        assert self.stream.state is not None
        if self.tail.starting:
            assert list(self.stream.state.changes(0)) == []
            self.inside = found
        for number, flip in self.stream.state.changes(self.told):
            self.told = number
            member = (flip.segment, flip.contact)
            assert (member in self.inside) != flip.entered
            (self.inside.add if flip.entered else self.inside.discard)(member)
        assert self.inside == found == set(self.stream.state.members())


def tailed(name: str, form: str, readings: int) -> None:
    @settings(
        max_examples=max(1, readings // STEPS), deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
        derandomize="CI" in os.environ,
    )  # fmt: skip
    @given(
        st.sampled_from(strategies.ZONES),
        st.lists(st.one_of(strategies.rules, changing_rules), min_size=6, max_size=6),
        st.data(),
    )
    def run(zone: str, texts: list[str], data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(name, form, zone, Path(folder))
            written = [f"segment r{i}:\n    {text}\n" for i, text in enumerate(texts)]
            program = program_of(strategies.SCORE + NAMED + "".join(written), database.declared)
            world = data.draw(strategies.worlds)
            database.people = dict(world["contacts"])
            for table in ("visits", "orders"):
                for row in world["tables"][table]:
                    database.event(table, row)
            database.tables |= {key: world["tables"][key] for key in ("plans", "owners", "companies", "members")}
            catalog = database.write()
            follower = Reopened(catalog, program, Path(folder) / "state.db")
            follower.now = NOW
            try:
                for step in range(STEPS):
                    follower.check(follower.read())
                    if step == 0:
                        follower.tail.finish()
                    if data.draw(st.sampled_from([True, False, False])):
                        follower.stream.close()
                        follower.open()
                    follower.now += data.draw(lengths)
                    change(database, data.draw, follower.now)
                    database.write()
            finally:
                follower.stream.close()

    run()


@pytest.mark.parametrize("name", ["sqlite", "duckdb", "postgres"])
def test_the_stream_says_what_the_database_says(name: str) -> None:
    tailed(name, "typed", READINGS)


@pytest.mark.parametrize(("name", "form"), [("sqlite", "text"), ("clickhouse", "json"), ("spark", "typed")])
def test_other_forms_and_the_slower_databases_too(name: str, form: str) -> None:
    tailed(name, form, max(STEPS, READINGS // 4))
