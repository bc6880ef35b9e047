"""Sequences against an exhaustive search over all chains of events, on both backends, and at size."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segdsl.backends.python import compile_program
from segdsl.backends.sql.lookups import by_asof, by_windows
from segdsl.backends.sql.statement import Statement
from segdsl.catalog import load_text
from segdsl.contact import facts
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.time import isoformat
from segdsl.engines import connect
from tests.support import exhaustive
from tests.support.world import World, by_python, instant, program_of

CASES = int(os.environ.get("SEGDSL_CASES", "1400"))
CATALOG = """\
version: 1
contacts: {table: people, key: id}
events:
  a: {table: log, contact: id, time: at, where: {kind: a}, object: what, properties: {what: string}}
  b: {table: log, contact: id, time: at, where: {kind: b}, object: what, properties: {what: string}}
  c: {table: log, contact: id, time: at, where: {kind: c}, object: what, properties: {what: string}}
"""
START = instant("2026-03-01T00:00Z")
SECOND = 1_000_000
NOW = START + 12 * SECOND
COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize="CI" in os.environ)

gap = st.sampled_from(["", "", " within 1s", " within 2s", " within 3s"])
event = st.sampled_from(["a", "b", "c", "any event", 'a "x"', "any of (a, b)", "any of (b, c)", 'any of (a "x", c)'])
step = st.one_of(
    st.tuples(st.just(" then "), event, gap),
    st.tuples(st.just(" then not "), event, st.just(" then "), event, gap),
    st.tuples(st.just(" then not "), event, st.just(" then not "), event, st.just(" then "), event, gap),
).map("".join)
wait = st.tuples(st.just(" then not "), event, gap).map("".join)
without = st.one_of(
    st.tuples(st.just(" without "), event),
    st.tuples(st.just(" without any "), st.sampled_from(["a", "b", "c"])),
    st.tuples(st.just(" without "), event, st.sampled_from([" within 1s before", " within 3s before"])),
).map("".join)
window = st.sampled_from(["", "", " in 5s", " in 9s", " more than 2s ago", " between 2s and 8s ago"])


@st.composite
def sequence(draw: st.DrawFn) -> str:
    steps = draw(st.lists(step, min_size=1, max_size=3))
    waits = draw(st.lists(wait, max_size=2)) if draw(st.booleans()) else []
    total = draw(st.sampled_from(["", " all within 3s", " all within 6s"]))
    total = "" if any("within" in wait for wait in waits) else total
    same = draw(st.sampled_from(["", "", " with same what"]))
    absent = draw(st.one_of(st.just(""), without))
    return draw(event) + "".join(steps) + "".join(waits) + total + same + absent + draw(window)


@st.composite
def until_total(draw: st.DrawFn) -> str:
    """Sequences whose last wait ends at the first event + D: the one case in which early starts matter, too."""
    steps = draw(st.lists(step, min_size=1, max_size=2))
    total = draw(st.sampled_from([" all within 3s", " all within 5s"]))
    absent = draw(st.sampled_from(["", "", " without c", " without b"]))
    return draw(event) + "".join(steps) + " then not " + draw(event) + total + absent


rows = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from("abc"), st.sampled_from([None, "x", "x", "y"])), max_size=12
)


def chain_of(rule: core.Rule) -> core.Chain:
    assert isinstance(rule, core.Chain)
    return rule


@settings(COMMON, max_examples=CASES // 4)
@given(st.lists(st.one_of(sequence(), until_total()), min_size=6, max_size=6), st.lists(rows, min_size=4, max_size=4))
def test_the_fast_search_finds_what_the_exhaustive_one_does(rules: list[str], logs: list[Any]) -> None:
    catalog, _ = load_text(CATALOG, "segdsl.yml", Path())
    assert catalog is not None
    program = program_of("".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules)), catalog)
    compiled = compile_program(program)
    for log in logs:
        events: dict[str, list[Any]] = {kind: [] for kind in "abc"}
        for second, kind, what in log:
            events[kind].append((START + second * SECOND, {} if what is None else {"what": what}))
        person = Facts("p", {}, events)
        for name, segment in program.segments.items():
            expected = exhaustive.holds(chain_of(segment.rule), person, NOW)
            assert compiled.predicate(name)(person, NOW) == expected, (segment.words, log)


@settings(COMMON, max_examples=CASES // 80)
@given(st.lists(st.one_of(sequence(), until_total()), min_size=8, max_size=8), st.lists(rows, min_size=4, max_size=4))
def test_sql_finds_what_the_exhaustive_search_does(rules: list[str], logs: list[Any]) -> None:
    table = [
        {"id": f"p{i}", "kind": kind, "at": isoformat(START + second * SECOND), "what": what}
        for i, log in enumerate(logs) for second, kind, what in log
    ]  # fmt: skip
    world = World(CATALOG, {f"p{i}": {} for i in range(len(logs))}, {"log": table})
    with tempfile.TemporaryDirectory() as folder:
        catalog = world.catalog(Path(folder))
        program = program_of("".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules)), catalog)
        people = [facts(person, catalog) for person in world.people(catalog)]
        expected = {
            name: [str(p.id) for p in people if exhaustive.holds(chain_of(segment.rule), p, NOW)]
            for name, segment in program.segments.items()
        }
        world.write_jsonl(catalog)
        for lookup in (by_asof, by_windows):
            with connect(catalog) as engine:
                engine.lookup = lookup
                found: dict[str, list[str]] = {name: [] for name in program.segments}
                for segment, contact in engine.members(program, list(found), NOW):
                    found[segment].append(str(contact))
            assert found == expected, lookup.__name__
        assert by_python(world, catalog, program, NOW) == expected


@pytest.mark.parametrize("stored", ["jsonl", "csv", "parquet"])
def test_no_join_grows_with_the_square_of_events(tmp_path: Path, stored: str) -> None:
    """DuckDB may guess that there are few rows; its plan must not be a nested loop all the same."""
    table = [{"id": "p", "kind": "abc"[i % 3], "at": isoformat(START + i), "what": "x"} for i in range(3000)]
    world = World(CATALOG, {"p": {}}, {"log": table})
    catalog = world.catalog(tmp_path)
    if stored == "parquet":
        world.write_parquet(catalog, {"at": "TIMESTAMP"})
    else:
        getattr(world, f"write_{stored}")(catalog)
    rule = "a then not b then c within 1s then not any event all within 3s without b"
    program = program_of(f"segment s:\n    {rule}\n", catalog)
    with connect(catalog) as engine:
        statement = Statement(program, catalog, ["s"], NOW, engine.schema(), engine.dialect, engine.lookup)
        plan = "".join(str(row) for row in engine.rows(f"EXPLAIN {statement.text()}", {})).lower().replace("_", " ")
    assert "asof" in plan if stored == "parquet" else "window" in plan
    assert "nested loop" not in plan
