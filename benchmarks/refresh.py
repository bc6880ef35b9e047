"""Stored membership: a refresh after 1% new events against an evaluation of everyone.

    python benchmarks/refresh.py [duckdb] [postgres]

Twenty segments. In each hour between two refreshes 1% new events come, of one contact in fifty; `late` is an hour. Of
three such hours the median counts. The peers are the first refresh, which evaluates everyone, and the bare question
about all members. On PostgreSQL there are indexes that a sensible user has: of events by time, and by contact and time.

Of DuckDB, which is in this process, processor seconds are told; of a server those that pass.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
from batch import segments
from data import NOW, PROJECT, folder

import segdsl
from segdsl.backends.sql.dialects.dialect import shown
from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import from_datetime
from segdsl.engines import connect
from segdsl.engines.engine import Engine
from segdsl.warehouse.refresh import apply
from segdsl.warehouse.results import Refresh

ROOT = Path(__file__).resolve().parents[1]

COUNT = 20
TARGET = "at most 5%"
END = from_datetime(NOW)
HOUR = 3600 * 10**6
HOURS = 3
# Numbered by a series, which both databases have.
NEW = """
    INSERT INTO events SELECT n * 50 % (SELECT COUNT(*) FROM contacts), 'view', '/p/1', 1,
        TIMESTAMP '{since}' + n % 3600 * INTERVAL '1' SECOND
    FROM generate_series(1, {count}) AS numbers (n)
"""


CLOCKS = {"duckdb": time.process_time, "postgres": time.perf_counter}


def seconds(clock: Callable[[], float], work: Callable[[], object]) -> tuple[float, object]:
    started = clock()
    found = work()
    return clock() - started, found


def duckdb_copy(place: Path, target: Path) -> str:
    """The data in a file that may be written, in the order of time, as a log is."""
    with duckdb.connect(str(target / "w.duckdb")) as connection:
        connection.execute(f"ATTACH '{place / 'events.duckdb'}' AS made (READ_ONLY)")
        connection.execute("CREATE TABLE contacts AS FROM made.contacts")
        connection.execute("CREATE TABLE events AS FROM made.events ORDER BY ts")
    return f"duckdb:///{target / 'w.duckdb'}"


def postgres_copy(place: Path, target: Path) -> str:
    """The same on a server, with an index by time, and one by contact and time."""
    sys.path.insert(0, str(ROOT))  # its server is the tests'
    from tests.support.databases import database

    server = database("postgres")
    run = server.connection.execute  # type: ignore[attr-defined]
    run("CREATE TABLE contacts (id bigint, country text, score bigint)")
    run("CREATE TABLE events (contact_id bigint, kind text, path text, amount numeric(12,2), ts timestamp)")
    with duckdb.connect(str(place / "events.duckdb"), read_only=True) as connection:
        for table, order in (("contacts", "id"), ("events", "ts")):
            file = target / f"{table}.csv"
            connection.execute(f"COPY (FROM {table} ORDER BY {order}) TO '{file}' (HEADER FALSE)")
            with (
                file.open("rb") as rows,
                server.connection.cursor() as cursor,  # type: ignore[attr-defined]
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy,
            ):
                while block := rows.read(2**20):
                    copy.write(block)
            file.unlink()
    run("CREATE INDEX ON events (ts)")
    run("CREATE INDEX ON events (contact_id, ts)")
    run("ANALYZE")
    return server.url


def measured(name: str, catalog: Catalog, program: Program) -> None:
    clock = CLOCKS[name]

    def refresh(now: int, full: bool = False) -> Refresh:
        with connect(catalog, writing=True) as engine:
            return apply(engine, program, now, full)

    def question(engine: Engine) -> int:
        return sum(engine.sizes(program, list(program.segments), END).values())

    with connect(catalog) as engine:
        asked, members = min((seconds(clock, lambda: question(engine)) for _ in range(2)), key=lambda found: found[0])
        [(count,)] = engine.rows("SELECT COUNT(*) FROM events", {})
    first, _ = seconds(clock, lambda: refresh(END - HOUR))
    hours = []
    for hour in range(HOURS):
        since = END + (hour - 1) * HOUR
        with connect(catalog, writing=True) as engine, engine.writing() as execute:
            execute(NEW.format(count=count // 100, since=shown(since)), {})
        hours.append(seconds(clock, lambda now=since + HOUR: refresh(now)))
    part, found = sorted(hours, key=lambda each: each[0])[HOURS // 2]
    assert isinstance(found, Refresh) and not found.everyone
    everyone, _ = seconds(clock, lambda: refresh(END + (HOURS - 1) * HOUR, True))
    changed = sum(each.entered + each.left for each in found.segments)
    print(f"{name}, {members} members: first {first:.2f} s, --full {everyone:.2f} s, bare question {asked:.2f} s")
    print(f"  1% new events: {part:.2f} s, {found.contacts} contacts looked at, {changed} changes")
    print(f"  {part / first:.1%} of the first (wanted: {TARGET}), {part / asked:.0%} of the question", flush=True)


def main() -> None:
    place = folder()
    rules, _ = segments(COUNT)
    for name in sys.argv[1:] or ["duckdb", "postgres"]:
        with tempfile.TemporaryDirectory() as made:
            target = Path(made)
            (target / "segments").mkdir()
            (target / "segments" / "all.seg").write_text(rules)
            (target / "segdsl.yml").write_text(PROJECT + "refresh: {late: 1h}\n")
            copy = {"duckdb": duckdb_copy, "postgres": postgres_copy}[name]
            project = segdsl.load(target)
            measured(name, replace(project.catalog, database=copy(place, target)), project.program)


if __name__ == "__main__":
    main()
