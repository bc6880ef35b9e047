"""`--live`: a statement that asks the database's own clock says at each instant what one of that instant says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from sqlglot import exp, parse

from segdsl.backends.sql import compile_segments
from segdsl.backends.sql.dialects import DIALECTS, get
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.statement import Statement
from segdsl.catalog.model import Catalog
from segdsl.core.time import to_datetime
from segdsl.engines import connect
from segdsl.text.diagnostic import Errors
from tests.support import storage
from tests.support.databases import DATABASES
from tests.support.world import World, program_of
from tests.test_conformance import FILES, by_now


@pytest.mark.parametrize("name", DATABASES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_conformance(path: Path, name: str, tmp_path: Path) -> None:
    """What a dialect cannot ask of its clock is refused, in its own words."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    world = World(data["catalog"], data.get("contacts") or {}, data.get("events") or {})
    declared = world.catalog(tmp_path)
    catalog = storage.load(name, "typed", world, declared)
    with connect(catalog) as engine:
        dialect = engine.dialect
    wrong = []
    for now, every in by_now(data["cases"]).items():
        cases = [case for case in every if not _is_refused(case["rule"], declared, dialect)]
        text = "".join(f"segment case_{i}:\n    {case['rule']}\n" for i, case in enumerate(cases))
        found = storage.by_live(catalog, program_of(text, declared), now)
        wrong += [
            f"{case['rule']} at {case['now']}: expected {sorted(case['in'])}, got {found[f'case_{i}']}"
            for i, case in enumerate(cases) if found[f"case_{i}"] != sorted(case["in"])
        ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def _is_refused(rule: str, catalog: Catalog, dialect: Dialect) -> bool:
    program = program_of(f"segment rule:\n    {rule}\n", catalog)
    try:
        Statement(program, catalog, ["rule"], None, None, dialect).tree()
    except Errors as error:
        [diagnostic] = error.diagnostics
        assert diagnostic.code == "SEG0704" and dialect.cannot["live calendars"] in diagnostic.message
        return True
    return False


CATALOG = """
version: 1
timezone: Europe/Berlin
contacts: {table: people, key: id, attributes: {renewal date: timestamp}}
events: {visited: {table: visits, contact: id, time: at, properties: {path: string}}}
"""


@pytest.mark.parametrize("name", DATABASES)
def test_the_real_clock(name: str, tmp_path: Path) -> None:
    now = time.time_ns() // 1000
    visits = [{"id": "past", "at": _iso(now - 10**6)}, {"id": "future", "at": _iso(now + 600 * 10**6)}]
    world = World(CATALOG, {"past": {}, "future": {"renewal_date": _iso(now + 60 * 10**6)}}, {"visits": visits})
    declared = world.catalog(tmp_path)
    catalog = storage.load(name, "typed", world, declared)
    rules = {"visited in 10min": ["past"], "visited ever": ["past"], "renewal date in next 10min": ["future"],
             "visited more than 1h ago": []}  # fmt: skip
    program = program_of("".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules)), declared)
    with connect(catalog) as engine:
        statement = Statement(program, catalog, list(program.segments), None, engine.schema(), engine.dialect)
        found = [(str(segment), str(contact)) for segment, contact in engine.ask(statement.tree())]
    assert sorted(found) == sorted(
        (f"r{i}", contact) for i, members in enumerate(rules.values()) for contact in members
    )


def _iso(micros: int) -> str:
    return str(to_datetime(micros).isoformat())


@pytest.mark.parametrize("name", DIALECTS)
def test_the_clock_is_read_in_one_place(name: str, tmp_path: Path) -> None:
    catalog = World(CATALOG, {}).catalog(tmp_path)
    program = program_of("segment s:\n    visited >= 2 in 30d and renewal date in next 1mo\n", catalog)
    text = compile_segments(program, catalog, ["s"], None, None, name)
    [tree] = parse(text, dialect=get(name).printer)
    assert tree is not None
    clocks = [cte for cte in tree.find_all(exp.CTE) if cte.alias == "clock"]
    assert len(clocks) == 1
    clock = clocks[0].this.expressions[0].this.sql(dialect=get(name).printer)
    assert tree.sql(dialect=get(name).printer).count(clock) == 1


@pytest.mark.parametrize("name", DIALECTS)
def test_tables_may_be_called_like_its_parts(name: str, tmp_path: Path) -> None:
    """A query of the WITH would hide a table of its name."""
    tables = ["clock", "periods", "Days", "edges"]
    events = "".join(f"  seen in {table}: {{table: {table}, contact: id, time: at}}\n" for table in tables)
    text = "version: 1\ncontacts: {table: people, key: id, attributes: {born: timestamp}}\nevents:\n" + events
    catalog = World(text, {}).catalog(tmp_path)
    rules = [*(f"`seen in {table}` this month" for table in tables), "anniversary of born this month"]
    program = program_of(f"segment s:\n    {' and '.join(rules)}\n", catalog)
    printed = compile_segments(program, catalog, ["s"], None, None, name)
    [tree] = parse(printed, dialect=get(name).printer)
    assert tree is not None
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    assert not named & {table.lower() for table in tables}
