"""Stored membership over a log that grows: after each refresh it is what a full question says, and the log leads there.

Refreshes are at instants where windows' edges meet events, give or take a microsecond. Rows come late, but no later
than the project allows; attributes, lists, aliases, deals, contacts and rules change as they like.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from segdsl import types
from segdsl.backends.python.fit import fit
from segdsl.backends.sql import build as b
from segdsl.catalog.model import Catalog, Refresh
from segdsl.core.program import Program
from segdsl.core.time import DAY
from segdsl.engines import connect
from segdsl.engines.engine import Engine
from segdsl.warehouse.refresh import apply, plan
from segdsl.warehouse.state import lateness
from segdsl.warehouse.tables import COLUMNS, Tables
from tests.support import storage, strategies
from tests.support.databases import DATABASES
from tests.support.world import World, instant, program_of
from tests.test_next_change import rules as changing_rules

# What rules may refer to.
NAMED = """\
segment quiet:
    not visited in 7d and fit >= 0
segment cart:
    visited then not purchased within 1d in 7d
"""
ENGINES = [name for name in DATABASES if name != "spark"]
CASES = int(os.environ.get("SEGDSL_REFRESHES", "4"))  # each several refreshes of several rules
RULES = 4
NOW = instant(strategies.NOW.isoformat())
STEPS = sorted({0, 1, 10**6, *(n * 10**6 + d for n in strategies.DURATIONS.values() for d in (-1, 0, 1)),
                DAY // 2, 13 * 3600 * 10**6 + 59 * 60 * 10**6, 28 * DAY, 31 * DAY, 365 * DAY})  # fmt: skip
TIMED = ("visits", "orders", "plans", "owners")
UNTIMED = ("deals", "companies", "aliases", "members")

some_rules = st.one_of(strategies.rules, changing_rules)
logs = st.fixed_dictionaries({
    "start": st.sampled_from([0, *(-n for n in STEPS)]),
    "steps": st.lists(st.sampled_from(STEPS), min_size=2, max_size=4),
    "coming": st.lists(st.integers(0, 4), min_size=60, max_size=60),
    "people": st.lists(strategies.people, min_size=2, max_size=2),
    "changing": st.lists(st.integers(0, 15), min_size=5, max_size=5),
    "asked": st.lists(st.integers(0, 2 ** (RULES + 1) - 1), min_size=5, max_size=5),
})  # fmt: skip


def instants(log: Mapping[str, Any]) -> list[int]:
    found = [NOW + log["start"]]
    for step in log["steps"]:
        found.append(found[-1] + step)
    return found


def as_it_came(world: Mapping[str, Any], log: Mapping[str, Any], late: int) -> list[World]:
    """What the tables hold at each refresh."""
    nows, coming = instants(log), iter(log["coming"] * 2)
    arrivals: dict[str, list[tuple[int, Any]]] = {}
    for table in TIMED:
        for row in world["tables"][table]:
            at = fit(row.get("at"), types.Timestamp(), "UTC")
            wanted = min(next(coming), len(nows) - 1)
            while wanted and (not isinstance(at, int) or at <= nows[wanted - 1] - late):
                wanted -= 1  # it would come too late, and nobody would look for it
            arrivals.setdefault(table, []).append((wanted, row))
    found = []
    for number in range(len(nows)):
        tables = {table: [row for at, row in arrivals.get(table, ()) if at <= number] for table in TIMED}
        for index, table in enumerate(UNTIMED):
            rows = world["tables"][table]
            tables[table] = rows if log["changing"][index] >> number & 1 else rows[: len(rows) // 2]
        contacts = dict(world["contacts"])
        if log["changing"][4] >> number & 1:
            contacts |= {"b": log["people"][0], "f": log["people"][1]}
            contacts.pop("e")
        found.append(World(strategies.CATALOG.format(zone=world["zone"]), contacts, tables))
    return found


def asked(rules: list[str], mask: int) -> str:
    """The rules of one refresh: some of them, and a segment that has one rule or another."""
    some = [f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules) if mask >> i & 1]
    return strategies.SCORE + NAMED + "".join(some) + f"segment edited:\n    {rules[mask >> RULES]}\n"


def stored(engine: Engine, table: str) -> list[tuple[Any, ...]]:
    tables = Tables(engine)
    times = {"at", "entered_at"}
    columns = [(name, b.column(name)) for name in COLUMNS[table] if name not in times]
    return list(engine.ask(b.select(columns, tables.node(table))))


def replayed(engine: Engine) -> set[tuple[str, Any]]:
    """Who is in by the log of changes."""
    inside: set[tuple[str, Any]] = set()
    for _, segment, contact, change, _ in sorted(stored(engine, "changes"), key=lambda row: row[0]):
        if change == "entered":
            assert (segment, contact) not in inside, "entered twice"
            inside.add((segment, contact))
        else:
            inside.remove((segment, contact))
    return inside


def forget(catalog: Catalog) -> None:
    with connect(catalog, writing=True) as engine, engine.writing() as execute:
        for table in COLUMNS:
            execute(f"DROP TABLE IF EXISTS {Tables(engine).name(table)}", {})


def check(catalog: Catalog, program: Program, now: int) -> None:
    names = list(program.segments)
    with connect(catalog) as engine:
        wanted = set(engine.members(program, names, now))
        planned = plan(engine, program, now)
    with connect(catalog, writing=True) as engine:
        done = apply(engine, program, now)
        assert replace(planned, applied=True, contacts=None) == replace(done, contacts=None)
        found = [(segment, contact) for segment, contact in stored(engine, "members")]
        assert len(found) == len(set(found)) and set(found) == wanted, (now, sorted(set(found) ^ wanted))
        assert replayed(engine) == wanted
        again = apply(engine, program, now)
        assert not again.differs
    with connect(catalog) as engine:
        assert not plan(engine, program, now).differs


@pytest.mark.parametrize("name", ENGINES)
def test_what_is_stored_is_what_a_full_question_says(name: str) -> None:
    @settings(
        # To make a case smaller takes hundreds of refreshes; what is printed tells enough.
        phases=[Phase.explicit, Phase.generate], deadline=None, suppress_health_check=list(HealthCheck),
        print_blob=True, derandomize="CI" in os.environ,
        max_examples=CASES if name == "duckdb" else max(CASES // 4, 1),
    )  # fmt: skip
    @given(strategies.worlds, logs, st.lists(some_rules, min_size=RULES, max_size=RULES))
    def cases(world: dict[str, Any], log: dict[str, Any], rules: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            catalog = World(strategies.CATALOG.format(zone=world["zone"]), {}).catalog(Path(folder))
            catalog = replace(catalog, refresh=Refresh("kept_"))
            worlds = as_it_came(world, log, lateness(catalog))
            note("\n".join([*rules, world["zone"], str(instants(log))]))
            first = True
            for now, each, mask in zip(instants(log), worlds, log["asked"], strict=False):
                there = storage.load(name, "typed", each, catalog)
                if first:
                    forget(there)
                first = False
                check(there, program_of(asked(rules, mask), catalog), now)

    cases()
