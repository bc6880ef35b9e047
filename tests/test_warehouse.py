"""Stored membership on every database that keeps it: refreshes, definitions, lists, and being broken off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import segdsl
from segdsl.backends.sql import build as b
from segdsl.backends.sql.dialects import get
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import DAY, to_datetime
from segdsl.engines import connect
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Errors
from segdsl.types import String, Timestamp
from segdsl.warehouse.lists import snapshot
from segdsl.warehouse.refresh import apply, plan
from segdsl.warehouse.results import Refresh
from segdsl.warehouse.state import lateness
from segdsl.warehouse.tables import COLUMNS, Tables
from tests.support.databases import Table, database
from tests.support.world import instant, program_of

ENGINES = ["duckdb", "sqlite", "postgres", "clickhouse"]
CATALOG = """\
version: 1
database: {url}
contacts: {{table: people, key: id, attributes: {{country: string}}}}
events:
  visited: {{table: visits, contact: id, time: at, object: path, properties: {{path: string}}}}
refresh: {{tables: own_}}
"""
RULES = """\
segment keen:
    visited "/pricing" >= 2 in 30d
segment quiet:
    not visited in 7d
segment german:
    country = "DE"
"""
NOON = instant("2026-03-31T12:00:00Z")


class Shop:
    """Two tables in a running database, and the catalog of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = database(name)
        self.people = {"a": "DE", "b": "FR", "c": "DE"}
        self.visits = [("a", "/pricing", NOON - 29 * DAY), ("a", "/pricing", NOON - 8 * DAY),
                       ("b", "/docs", NOON - 7 * DAY + 1)]  # fmt: skip
        self.catalog = self.declared("")
        self.save()
        self.forget()

    def declared(self, more: str) -> Catalog:
        folder = Path("/nowhere")
        catalog, found = load_text(CATALOG.format(url=self.running.url) + more, "segdsl.yml", folder)
        assert catalog is not None, found
        return catalog

    def save(self, **more: Table) -> None:
        dialect = get(self.name)
        text, time = dialect.physical_of(String()), dialect.physical_of(Timestamp())
        visits = [[who, path, to_datetime(at)] for who, path, at in self.visits]
        people = Table({"id": text, "country": text}, [list(each) for each in self.people.items()])
        self.running.load({"people": people, "visits": Table({"id": text, "path": text, "at": time}, visits), **more})

    def forget(self) -> None:
        with connect(self.catalog, writing=True) as engine, engine.writing() as execute:
            for table in COLUMNS:
                execute(f"DROP TABLE IF EXISTS {Tables(engine).name(table)}", {})

    def program(self, text: str = RULES) -> Program:
        return program_of(text, self.catalog)

    def apply(self, now: int, text: str = RULES, full: bool = False) -> Refresh:
        with connect(self.catalog, writing=True) as engine:
            return apply(engine, self.program(text), now, full)

    def plan(self, now: int, text: str = RULES) -> Refresh:
        with connect(self.catalog) as engine:
            return plan(engine, self.program(text), now)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with connect(self.catalog) as engine:
            query = b.select([(name, b.column(name)) for name in columns], Tables(engine).node(table))
            return sorted(engine.ask(query))

    def members(self) -> list[tuple[str, str]]:
        return self.rows("members", "segment", "contact")

    def asked(self, now: int, text: str = RULES) -> list[tuple[str, str | int]]:
        program = self.program(text)
        with connect(self.catalog) as engine:
            return sorted(engine.members(program, list(program.segments), now))


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(request.param)


def told(found: Refresh) -> dict[str, tuple[str, int, int]]:
    return {each.segment: (each.status, each.entered, each.left) for each in found.segments if each.differs}


def test_a_refresh_looks_at_news_and_at_what_is_due(shop: Shop) -> None:
    first = shop.apply(NOON)
    assert first.everyone and told(first) == {"keen": ("new", 1, 0), "quiet": ("new", 2, 0), "german": ("new", 2, 0)}
    assert shop.members() == [("german", "a"), ("german", "c"), ("keen", "a"), ("quiet", "a"), ("quiet", "c")]
    # A microsecond before anything is due, nobody but those with news of the last day is looked at.
    assert shop.apply(NOON).contacts == 0
    due = shop.plan(NOON + 1)
    assert due.contacts == 1 and told(due) == {"quiet": ("same", 1, 0)}
    assert shop.apply(NOON + 1) == replace(due, applied=True)
    assert shop.apply(NOON + DAY - 1).contacts == 0
    left = shop.apply(NOON + DAY)
    assert left.contacts == 1 and told(left) == {"keen": ("same", 0, 1)}
    shop.visits.append(("c", "/pricing", NOON + DAY + 5))
    shop.people["b"] = "DE"
    shop.people["d"] = "DE"
    del shop.people["a"]
    shop.save()
    assert told(shop.apply(NOON + DAY + 4)) == {"german": ("same", 2, 1), "quiet": ("same", 1, 1)}
    assert told(shop.apply(NOON + DAY + 5)) == {"quiet": ("same", 0, 1)}
    assert shop.members() == shop.asked(NOON + DAY + 5)
    log = shop.rows("changes", "refresh", "segment", "contact", "change", "reason")
    assert (3, "quiet", "b", "entered", "data") in log and len(log) == len(set(log))


@pytest.mark.parametrize(("name", "schema"), [("sqlite", "main"), ("postgres", "public")])
def test_what_is_looked_up_in_a_refresh_has_an_index(name: str, schema: str) -> None:
    shop = Shop(name)
    of = {"sqlite": "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index'",
          "postgres": "SELECT tablename, indexdef FROM pg_indexes"}[name]  # fmt: skip
    for prefix in ("own_", f"{schema}.indexed_"):
        shop.catalog = replace(shop.catalog, refresh=replace(shop.catalog.refresh, tables=prefix))
        shop.forget()
        shop.apply(NOON)
        shop.apply(NOON + 1)
        with connect(shop.catalog) as engine:
            found = sorted((table, sql.rpartition("(")[2]) for table, sql in engine.rows(of, {}))
        shop.forget()
        bare = prefix.rpartition(".")[2]
        mine = [each for each in found if each[0].startswith(bare)]
        assert mine == [(f"{bare}changes", "refresh)"), (f"{bare}members", "contact)")]


def test_other_definitions_are_told_as_such(shop: Shop) -> None:
    shop.apply(NOON)
    # Layout and titles are no change; a segment that asks a changed one is.
    assert not shop.plan(NOON, RULES.replace("keen:", 'keen "Keen":').replace(">= 2", ">=  2")).differs
    other = RULES.replace(">= 2", ">= 1").replace("german", "both").replace('country = "DE"', "in segment keen")
    found = shop.plan(NOON, other)
    assert told(found) == {"keen": ("changed", 0, 0), "both": ("new", 1, 0), "german": ("removed", 0, 2)}
    assert told(shop.apply(NOON, other)) == told(found) and shop.members() == shop.asked(NOON, other)
    again = shop.plan(NOON, other.replace(">= 1", ">= 3"))
    assert told(again) == {"keen": ("changed", 0, 1), "both": ("changed", 0, 1)}
    reasons = {row[1:] for row in shop.rows("changes", "refresh", "segment", "reason") if row[0] == 2}
    assert reasons == {("both", "new segment"), ("german", "segment removed")}


def test_another_definition_is_waited_for_by_everyone(shop: Shop) -> None:
    shop.apply(NOON, RULES.replace("quiet:\n    not visited in 7d", "quiet:\n    not visited in 365d"))
    # Nobody is touched; and yet it is another instant at which each of them is due.
    shop.apply(NOON, RULES)
    assert told(shop.apply(NOON + 1, RULES)) == {"quiet": ("same", 1, 0)}
    more = RULES + 'segment new:\n    visited "/pricing" in 9d\n'
    shop.apply(NOON + 1, more)
    assert told(shop.apply(NOON + DAY, more)) == {"keen": ("same", 0, 1), "new": ("same", 0, 1)}
    assert shop.members() == shop.asked(NOON + DAY, more)


def test_what_came_too_late_is_found_by_full(shop: Shop) -> None:
    shop.apply(NOON)
    shop.visits.append(("b", "/pricing", NOON - 3 * DAY))
    shop.visits.append(("b", "/pricing", NOON - 2 * DAY))
    shop.visits.append(("c", "/docs", NOON - DAY + 1))
    shop.save()
    assert told(shop.apply(NOON)) == {"quiet": ("same", 0, 1)}, "late, but not too late"
    full = shop.apply(NOON, full=True)
    assert told(full) == {"keen": ("same", 1, 0)} and sum(each.corrected for each in full.segments) == 1
    assert shop.members() == shop.asked(NOON)
    assert ("keen", "b", "found by full") in shop.rows("changes", "segment", "contact", "reason")
    assert not shop.apply(NOON, full=True).differs


def test_another_project_file_is_a_reason_to_look_at_everyone(shop: Shop) -> None:
    shop.apply(NOON)
    assert not shop.plan(NOON).everyone
    shop.catalog = shop.declared("timezone: Europe/Berlin\n")
    found = shop.plan(NOON)
    assert found.everyone and not found.differs and "segdsl.yml" in found.why


def test_membership_does_not_go_back(shop: Shop) -> None:
    shop.apply(NOON)
    for attempt in (shop.apply, shop.plan):
        with pytest.raises(Errors) as raised:
            attempt(NOON - 1)
        assert raised.value.diagnostics[0].code == "SEG0740"


def test_a_refresh_for_a_wrong_year_can_be_taken_back(shop: Shop) -> None:
    shop.apply(NOON)
    before, log = shop.members(), shop.rows("changes", "refresh", "segment", "contact", "change")
    assert shop.apply(NOON + 365 * DAY).differs
    shop.apply(NOON + 730 * DAY)
    with pytest.raises(Errors) as raised:
        shop.apply(NOON + 1)
    [undoing] = re.findall("`(DELETE [^`]*)`", raised.value.diagnostics[0].help)
    with connect(shop.catalog, writing=True) as engine, engine.writing() as execute:
        execute(undoing, {})
    planned = shop.plan(NOON)
    assert planned.everyone and "broken off" in planned.why and told(planned) == {}
    assert told(shop.apply(NOON)) == {} and shop.members() == before
    assert shop.rows("changes", "refresh", "segment", "contact", "change") == log
    assert told(shop.apply(NOON + 1)) == {"quiet": ("same", 1, 0)}


def test_the_members_of_a_last_segment_leave(shop: Shop) -> None:
    shop.apply(NOON)
    gone = {"keen": ("removed", 0, 1), "quiet": ("removed", 0, 2), "german": ("removed", 0, 2)}
    planned = shop.plan(NOON + 1, "")
    assert told(planned) == gone == told(shop.apply(NOON + 1, ""))
    assert shop.members() == [] and told(shop.apply(NOON + 2, "")) == {}
    assert told(shop.apply(NOON + 3)) == {"keen": ("new", 1, 0), "quiet": ("new", 3, 0), "german": ("new", 2, 0)}


def test_tables_of_others_are_left_alone(shop: Shop) -> None:
    shop.save(own_members=Table({"name": get(shop.name).physical_of(String())}, [["x"]]))
    with pytest.raises(Errors) as raised:
        shop.apply(NOON)
    assert raised.value.diagnostics[0].code == "SEG0745"
    assert shop.rows("members", "name") == [("x",)]


def test_a_snapshot_is_a_list(shop: Shop) -> None:
    with connect(shop.catalog, writing=True) as engine:
        made = snapshot(engine, shop.program(), "german", "it's", NOON)
        assert made.size == 2 and made.declaration == "lists: {table: own_lists, list: list, contact: contact}"
        snapshot(engine, shop.program(), "keen", "other", NOON)
    shop.catalog = shop.declared(f"{made.declaration}\n")
    on_it = 'segment on_it:\n    in list "it\'s"\n'
    assert shop.asked(NOON, on_it) == [("on_it", "a"), ("on_it", "c")]
    shop.apply(NOON, on_it)
    with connect(shop.catalog, writing=True) as engine:
        again = snapshot(engine, shop.program(), "quiet", "it's", NOON + 1)
        assert again.size == 3 and again.declaration == ""
    # Lists are compared by who is on them: the next refresh looks at those for whom that changed.
    found = shop.apply(NOON, on_it)
    assert found.contacts == 1 and told(found) == {"on_it": ("same", 1, 0)}
    assert shop.asked(NOON, 'segment o:\n    in list "other"\n') == [("o", "a")]


# --- broken off -------------------------------------------------------------------------------------------------------


class Broken(Exception):  # noqa: N818
    pass


@contextmanager
def breaking(engine: Engine, after: int) -> Iterator[list[int]]:
    """An engine whose writing ends with an exception behind some statement."""
    whole, count = engine.writing, [0]

    @contextmanager
    def writing() -> Iterator[Callable[[str, Mapping[str, str]], None]]:
        with whole() as execute:

            def counted(statement: str, values: Mapping[str, str]) -> None:
                if count[0] == after:
                    raise Broken
                count[0] += 1
                execute(statement, values)

            yield counted

    engine.writing = writing  # type: ignore[method-assign]
    yield count


def statements(shop: Shop, now: int) -> int:
    with connect(shop.catalog, writing=True) as engine, breaking(engine, -1) as count:
        apply(engine, shop.program(), now)
    return count[0]


def test_a_refresh_may_be_broken_off_anywhere(shop: Shop) -> None:
    stride = 1 if shop.name == "clickhouse" else 5  # of one transaction, some points are as good as all
    later = NOON + DAY
    shop.apply(NOON)
    shop.apply(later)
    wanted, log = shop.members(), shop.rows("changes", "segment", "contact", "change")
    assert wanted == shop.asked(later)
    shop.forget()
    shop.apply(NOON)
    before = shop.members()
    total = 0
    while True:
        with connect(shop.catalog, writing=True) as engine, breaking(engine, total):
            try:
                apply(engine, shop.program(), later)
                break  # all of it was written
            except Broken:
                pass
        if shop.name != "clickhouse":
            assert shop.members() == before, "a transaction is all or nothing"
        # Broken off again while it is put right, and then let go.
        with connect(shop.catalog, writing=True) as engine, breaking(engine, 9 + total % 5), pytest.raises(Broken):
            apply(engine, shop.program(), later)
        assert total < 100
        shop.apply(later)
        assert shop.members() == wanted and shop.rows("changes", "segment", "contact", "change") == log, total
        shop.forget()
        shop.apply(NOON)
        total += stride
    assert total > 10


# DuckDB lets one process open a file; ClickHouse promises nothing.
@pytest.mark.parametrize("shop", ["sqlite", "postgres"], indirect=True)
def test_a_second_refresh_at_the_same_time_is_refused(shop: Shop) -> None:
    with connect(shop.catalog, writing=True) as engine, engine.writing() as execute:
        execute("CREATE TABLE own_busy (n integer)", {})
        with pytest.raises(Errors) as raised:
            shop.apply(NOON)
        assert raised.value.diagnostics[0].code == "SEG0743"
        execute("DROP TABLE own_busy", {})


def test_the_right_that_is_missing_is_named() -> None:
    shop = Shop("postgres")
    shop.apply(NOON)
    run = shop.running.connection.execute  # type: ignore[attr-defined]
    every = ", ".join(f"own_{table}" for table in COLUMNS if table != "lists")

    def refused(attempt: Callable[[int], Refresh]) -> tuple[str, str]:
        with pytest.raises(Errors) as raised:
            attempt(NOON + 1)
        [found] = raised.value.diagnostics
        return found.code, found.help

    run("CREATE ROLE odd_stores LOGIN; GRANT SELECT ON people, visits TO odd_stores")
    shop.catalog = replace(shop.catalog, database=shop.running.url.replace("postgres@", "odd_stores@", 1))
    try:
        code, help = refused(shop.plan)
        assert code == "SEG0719" and "`GRANT SELECT ON own_" in help
        run(f"GRANT SELECT ON {every} TO odd_stores")
        assert told(shop.plan(NOON + 1)) == {"quiet": ("same", 1, 0)}
        code, help = refused(shop.apply)
        assert code == "SEG0742" and "`GRANT SELECT, INSERT, DELETE ON own_" in help and "nothing was changed" in help
        run(f"GRANT SELECT, INSERT, DELETE ON {every} TO odd_stores; REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
        code, help = refused(shop.apply)
        assert code == "SEG0742" and "`GRANT TEMPORARY ON DATABASE`" in help
        run("GRANT TEMPORARY ON DATABASE postgres TO PUBLIC")
        assert told(shop.apply(NOON + 1)) == {"quiet": ("same", 1, 0)}
        run("DROP TABLE own_touched; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        code, help = refused(shop.apply)
        assert code == "SEG0742" and "`GRANT USAGE, CREATE ON SCHEMA public TO`" in help
    finally:
        run("GRANT TEMPORARY ON DATABASE postgres TO PUBLIC; DROP OWNED BY odd_stores; DROP ROLE odd_stores")


def test_folders_say_where_membership_is_stored(tmp_path: Path) -> None:
    (tmp_path / "segdsl.yml").write_text("version: 1\ndatabase: .\ncontacts: {table: people, key: id}\n")
    (tmp_path / "people.csv").write_text("id\na\n")
    project = segdsl.load(tmp_path)
    with project.connect() as db:
        for attempt in (db.plan, db.apply):
            with pytest.raises(segdsl.Errors) as raised:
                attempt()
            assert raised.value.diagnostics[0].code == "SEG0741" and "duckdb://" in raised.value.diagnostics[0].help


def test_lateness_is_the_project_s(tmp_path: Path) -> None:
    text = "version: 1\nrefresh: {late: 6h}\ncontacts: {table: p, key: id}\n"
    catalog, found = load_text(text, "segdsl.yml", tmp_path)
    assert catalog is not None, found
    assert lateness(catalog) == 6 * 3600 * 10**6
    assert load_text(text.replace("6h", "0h"), "segdsl.yml", tmp_path)[0] is None
