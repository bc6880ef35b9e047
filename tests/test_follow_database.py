"""`segdsl follow` on the project's database: its history, its tables, and changes into a table."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import segdsl
from segdsl.catalog import load_text
from segdsl.stream.lines import Flip
from segdsl.stream.state import Batch, State
from segdsl.stream.table_sink import Inserted
from segdsl.stream.table_writers import Away, SQLiteWriter, Written, writer
from tests.support.databases import database
from tests.support.databases.postgres import PostgresDatabase
from tests.support.following import (
    PROJECT,
    ROOT,
    RULES,
    SEGDSL,
    follow,
    killed,
    project_in,
    random_lines,
    told,
    visit,
    write,
)  # fmt: skip

TABLES = """
CREATE TABLE contacts (id VARCHAR, country VARCHAR);
CREATE TABLE plans (id VARCHAR, "at" VARCHAR, plan VARCHAR);
CREATE TABLE visits (id VARCHAR, "at" VARCHAR, delivery VARCHAR, path VARCHAR);
CREATE TABLE mails (id VARCHAR, "at" VARCHAR);
CREATE TABLE deals (id VARCHAR, status VARCHAR);
CREATE TABLE members (list VARCHAR, id VARCHAR);
CREATE TABLE aliases (alias VARCHAR, id VARCHAR)
"""


def ago(**length: float) -> str:
    return (datetime.now(UTC) - timedelta(**length)).isoformat()


def project(folder: Path, url: str) -> None:
    project_in(folder)
    more = "identities: {table: aliases, from: alias, to: id}\n"
    (folder / "segdsl.yml").write_text(PROJECT.replace("version: 1", f"version: 1\ndatabase: {url}") + more)
    (folder / "rules.seg").write_text(RULES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project(tmp_path, "sqlite:///w.db")
    sql(tmp_path, *TABLES.split(";"))
    return tmp_path


def sql(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "w.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def members(folder: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "state.db")) as state:
        return set(state.execute("SELECT segment, contact FROM members"))


def asked(folder: Path) -> set[tuple[str, str]]:
    done = subprocess.run(
        [*SEGDSL, "run", "--format", "jsonl"], cwd=folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {(row["segment"], row["contact"]) for row in map(json.loads, done.stdout.splitlines())}


def rows_for(folder: Path) -> None:
    sql(
        folder, "INSERT INTO contacts VALUES ('a', 'DE'), ('b', 'FR')",
        f"INSERT INTO plans VALUES ('a', '{ago(days=9)}', 'pro')",
        f"INSERT INTO visits VALUES ('a', '{ago(hours=1)}', 'd1', '/pricing')",
        f"INSERT INTO visits VALUES ('anon', '{ago(hours=2)}', NULL, '/pricing')",
        f"INSERT INTO mails VALUES ('a', '{ago(minutes=5)}')",
    )  # fmt: skip


def test_the_history_is_the_start_and_what_is_new_is_told(folder: Path) -> None:
    rows_for(folder)
    arguments = ["--database", "--state", "state.db"]
    done = follow(folder, *arguments)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "2 members at the start" in done.stderr
    assert members(folder) == asked(folder) == {("german_pro", "a"), ("quiet", "b")}
    late = ago(minutes=8)  # before the mail that was read already
    sql(
        folder, "INSERT INTO aliases VALUES ('anon', 'a')", "INSERT INTO members VALUES ('staff', 'a')",
        f"INSERT INTO visits VALUES ('b', '{late}', NULL, '/cart'), ('b', '{late}', NULL, '/cart')",
    )  # fmt: skip
    done = follow(folder, *arguments)
    changes = {(segment, contact, change) for _, segment, contact, change in told(done.stdout)}
    assert changes == {("quiet", "b", "left"), ("engaged", "a", "entered"), ("german_pro", "a", "left")}
    assert members(folder) == asked(folder) == {("engaged", "a")}
    sql(folder, "DELETE FROM contacts WHERE id = 'a'")
    assert [change[1:] for change in told(follow(folder, *arguments).stdout)] == [("engaged", "a", "left")]
    sql(folder, "INSERT INTO contacts VALUES ('a', 'AT')")  # its events were there all the time
    assert [change[1:] for change in told(follow(folder, *arguments).stdout)] == [("engaged", "a", "entered")]
    with closing(sqlite3.connect(folder / "state.db")) as state:
        paths = [json.loads(line)["properties"]["path"] for (line,) in state.execute(
            "SELECT line FROM lines WHERE contact = 'b' AND line LIKE '%event%'")]  # fmt: skip
    assert paths == ["/cart", "/cart"]  # two rows, each once


def test_announced_all_who_are_in_are_told(folder: Path) -> None:
    rows_for(folder)
    done = follow(folder, "--database", "--announce", "--state", "state.db")
    assert {change[1:] for change in told(done.stdout)} == {("german_pro", "a", "entered"), ("quiet", "b", "entered")}


def test_lines_follow_a_backfill(folder: Path) -> None:
    """Lines tell once more what the database has told: each event counts once, and what is new in them counts."""
    rows_for(folder)
    recent = ago(minutes=1)
    sql(folder, f"INSERT INTO mails VALUES ('b', '{recent}')")
    write(
        folder, visit("a", ago(days=1), "/pricing"),  # before the start of the file: in the database, or nowhere
        {"contact": "b", "set": {"country": "XX"}},
        {"contact": "b", "event": "opened email", "at": recent},
        {"contact": "b", "event": "opened email", "at": recent},
        visit("c", ago(seconds=30), "/cart"),
    )  # fmt: skip
    arguments = ["events.jsonl", "--backfill", "--state", "state.db"]
    done = follow(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert "3 lines tell what the database's history has told already" in done.stderr
    with closing(sqlite3.connect(folder / "state.db")) as state:
        lines = [json.loads(line) for (line,) in state.execute("SELECT line FROM lines WHERE contact = 'b'")]
        assert state.execute("SELECT count(*) FROM lines WHERE contact = 'anon'").fetchone() == (0,)
    assert sum(line.get("event") == "opened email" for line in lines) == 2
    assert members(folder) == {("german_pro", "a"), ("quiet", "b")}
    write(folder, visit("b", ago(seconds=1), "/cart"), {"contact": "a", "set": {"country": "FR"}})
    done = follow(folder, *arguments)
    assert {change[1:] for change in told(done.stdout)} == {("quiet", "b", "left"), ("german_pro", "a", "left")}


def test_a_state_is_of_one_kind_of_news(folder: Path) -> None:
    rows_for(folder)
    write(folder, visit("a", "2026-03-01T00:00:00Z"))
    follow(folder, "--database", "--state", "tables.db")
    follow(folder, "events.jsonl", "--state", "lines.db")
    for arguments in (["events.jsonl", "--state", "tables.db"], ["--database", "--state", "lines.db"],
                      ["events.jsonl", "--backfill", "--state", "lines.db"]):  # fmt: skip
        done = follow(folder, *arguments)
        assert (done.returncode, "SEG0757" in done.stderr) == (2, True), done.stderr
    for arguments in (["events.jsonl", "--database"], ["--database", "--until", "2026-03-01"], ["-", "--announce"],
                      ["-", "--late", "soon"], ["-", "--table-in", "sqlite:///x.db"], ["-", "--late", "1h"],
                      ["--database", "--every", "1s"], ["-", "--live", "--compare", "1s"]):  # fmt: skip
        assert follow(folder, *arguments, "--state", "x.db").returncode == 2
    sql(folder, "DELETE FROM contacts")
    done = follow(folder, "--database", "--state", "tables.db")
    assert (done.returncode, "SEG0756" in done.stderr) == (2, True)


def test_killed_while_it_takes_in_the_history(folder: Path) -> None:
    """It goes on where it was: nothing is lost, nothing is there twice, and nobody is told."""
    with closing(sqlite3.connect(folder / "w.db")) as connection:
        connection.executemany("INSERT INTO contacts VALUES (?, 'DE')", ((f"c{i}",) for i in range(300)))
        for number, line in enumerate(random_lines(3, 4000)):
            if line.get("event") == "visited":
                row = (f"c{number * 7 % 400}", line["at"], None, line["properties"]["path"])
                connection.executemany("INSERT INTO visits VALUES (?, ?, ?, ?)", [row, row])
        connection.commit()
        [(events,)] = connection.execute("SELECT count(*) FROM visits")
    assert killed(folder, 30, 7, "--database") >= 15
    assert members(folder) == asked(folder)
    with closing(sqlite3.connect(folder / "state.db")) as state:
        assert state.execute("SELECT count(*) FROM lines WHERE line LIKE '%\"event\"%'").fetchone() == (events,)
        assert state.execute("SELECT count(*) FROM changes").fetchone() == (0,)


def test_live_the_tables_are_read_again_and_a_writer_is_waited_for(tmp_path: Path) -> None:
    project(tmp_path, "duckdb:///w.duckdb")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(TABLES)
        connection.execute("INSERT INTO contacts VALUES ('a', 'DE')")
    process = subprocess.Popen(
        [*SEGDSL, "follow", "--database", "--live", "--every", "300ms", "--compare", "1s", "--state", "state.db",
         "--table", "told"], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        assert "1 member at the start" in process.stderr.readline()
        with opened(tmp_path / "w.duckdb") as connection:
            time.sleep(1)  # meanwhile the follower finds it closed
            connection.execute(f"INSERT INTO visits VALUES ('a', '{ago(seconds=1)}', NULL, '/cart')")
        assert json.loads(process.stdout.readline())["change"] == "left"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        assert connection.execute("SELECT number, segment, contact, change FROM told").fetchall() == [
            (1, "quiet", "a", "left")
        ]


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """The file for writing, as soon as nobody reads it."""
    for _ in range(200):
        try:
            return duckdb.connect(str(path))
        except duckdb.IOException:
            time.sleep(0.05)
    raise AssertionError("the follower never closed the file")


def changes_in(url: str, statement: str) -> list[Any]:
    if url.startswith("postgresql:"):
        import psycopg

        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchall()
    catalog = catalog_at(url)
    with writer(catalog).opened() as execute:
        return [tuple(row) for row in execute(statement, ())]


def catalog_at(url: str) -> Any:
    catalog, _ = load_text(f"version: 1\ndatabase: {url}\ncontacts: {{table: c, key: id}}\n", "segdsl.yml", Path.cwd())
    return catalog


@pytest.fixture(params=["sqlite", "duckdb", "postgres", "clickhouse"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    yield database(request.param).url


def test_a_table_has_each_change_once_and_goes_on(url: str, tmp_path: Path) -> None:
    name = f"told_{os.getpid()}"
    with closing(State(tmp_path / "state.db")) as state:
        state.save(Batch(flips=[Flip(1, "s", "it's \\ \u00e4", True), Flip(2_000_001, "s", 7, False)]), 0)
        sink = Inserted(state, writer(catalog_at(url)), name, url)
        sink.deliver()
        state.tell(sink._name, 0)  # as if it had been killed before it remembered
        state.save(Batch(flips=[Flip(3, "t", "b", True)]), 0)
        sink = Inserted(state, writer(catalog_at(url)), name, url)
        assert (sink.finish(5), sink.last, sink.told) == (True, 3, 1)
    rows = changes_in(url, f"SELECT number, segment, contact, change FROM {name} ORDER BY number")
    assert [tuple(row) for row in rows] == [
        (1, "s", "it's \\ \u00e4", "entered"), (2, "s", "7", "left"), (3, "t", "b", "entered")
    ]  # fmt: skip
    with closing(State(tmp_path / "other.db")) as state, pytest.raises(Exception, match="another follower"):
        Inserted(state, writer(catalog_at(url)), name, url)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "postgres"])
def test_killed_at_any_moment_a_table_has_each_change_once(kind: str, tmp_path: Path) -> None:
    project_in(tmp_path)
    write(tmp_path, *random_lines(11, 450))
    made = {"sqlite": f"sqlite:///{tmp_path}/t.db", "duckdb": f"duckdb:///{tmp_path}/t.duckdb"}
    url, name = made.get(kind) or database(kind).url, f"killed_{os.getpid()}"
    assert killed(tmp_path, 7, 3, "events.jsonl", "--table", name, "--table-in", url) >= 5
    expected = [change[1:] for change in told((tmp_path / "changes.jsonl").read_text())]
    rows = changes_in(url, f"SELECT number, segment, contact, change FROM {name} ORDER BY number")
    assert len(expected) > 50
    assert [tuple(row) for row in rows] == [
        (number, segment, str(contact), change) for number, (segment, contact, change) in enumerate(expected, 1)
    ]


def test_live_a_database_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    """Following goes on meanwhile, and nothing is lost or there twice when it is back."""
    (project_in(tmp_path) / "rules.seg").write_text("".join(f'segment s{i}:\n    visited "/{i}"\n\n' for i in range(4)))
    server = PostgresDatabase()
    process = subprocess.Popen(
        [*SEGDSL, "follow", "--live", "--state", "state.db", "--table", "told", "--table-in", server.url], cwd=tmp_path,
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None

    def tell(number: int) -> None:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(visit("a", ago(seconds=1), f"/{number}")) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["segment"] == f"s{number}"

    def rows() -> list[Any]:
        return changes_in(server.url, "SELECT number, segment FROM told ORDER BY number")

    try:
        tell(0)
        wait_for(lambda: len(rows()) == 1)
        server.stop()
        tell(1)
        assert "error[SEG0758]: the database of the table of changes does not answer" in process.stderr.readline()
        tell(2)
        server.start()
        wait_for(lambda: len(rows()) == 3)
        tell(3)
        process.stdin.close()
        assert process.wait(60) == 0
        assert rows() == [(number + 1, f"s{number}") for number in range(4)]
        assert "SEG0758" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        server.close()


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 90
    while not what():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_rows_of_which_nobody_knows_whether_they_are_there_are_looked_for(tmp_path: Path) -> None:
    """The connection was lost after the last word to the database, and before its answer."""
    url, told = f"sqlite:///{tmp_path}/t.db", list[segdsl.Errors]()

    class Losing(SQLiteWriter):
        def insert(self, table: str, rows: Sequence[Written]) -> None:
            super().insert(table, rows)
            if not told:
                raise Away("the connection was lost")

    losing = Losing(writer(catalog_at(url)).opened)
    with closing(State(tmp_path / "state.db")) as state:
        sink = Inserted(state, losing, "told", url, told.append)
        state.save(Batch(flips=[Flip(1, "s", "a", True), Flip(2, "s", "b", True)]), 0)
        sink.deliver()
        assert sink.last == 0 and "does not answer: the connection was lost" in str(told[0])
        state.save(Batch(flips=[Flip(3, "s", "a", False)]), 0)
        assert sink.finish(5)
        assert (sink.last, sink.told, len(told)) == (3, 3, 1)
        assert [row[0] for row in changes_in(url, "SELECT number FROM told ORDER BY number")] == [1, 2, 3]
        told.clear()
        state.save(Batch(flips=[Flip(4, "s", "b", False)]), 0)
        with pytest.raises(segdsl.Errors, match="does not answer"):  # nobody would be told that it waits
            Inserted(state, losing, "told", url).deliver()


def test_a_server_that_does_not_answer_is_not_waited_for_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, closing(State(tmp_path / "state.db")) as state:
        url = f"postgresql://postgres:secret@127.0.0.1:{silent.getsockname()[1]}/postgres"
        begun = time.monotonic()
        with pytest.raises(segdsl.Errors, match="timeout") as raised:
            Inserted(state, writer(catalog_at(url)), "told", url)
        assert time.monotonic() - begun < 30 and "secret" not in str(raised.value)
        assert "see that its server runs" in str(raised.value.diagnostics[0].help)


def test_who_may_only_insert_into_a_table_need_not_make_it(tmp_path: Path) -> None:
    import psycopg

    url, name = database("postgres").url, f"granted_{os.getpid()}"
    writer(catalog_at(url)).make(name)
    user = f"inserter_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (f"CREATE ROLE {user} LOGIN PASSWORD 'x'", f"GRANT SELECT, INSERT ON {name} TO {user}",
                          "REVOKE CREATE ON SCHEMA public FROM PUBLIC"):  # fmt: skip
            connection.execute(statement.encode())
    theirs = url.replace("//postgres:@", f"//{user}:x@").replace("//postgres@", f"//{user}:x@")
    assert user in theirs
    with closing(State(tmp_path / "state.db")) as state:
        state.save(Batch(flips=[Flip(1, "s", "a", True)]), 0)
        assert Inserted(state, writer(catalog_at(theirs)), name, theirs).finish(5)
        # With another password, or as another user, it is the same table.
        assert Inserted(state, writer(catalog_at(url)), name, url).last == 1
        assert ":x" not in str(state._connection.execute("SELECT sink FROM told").fetchall())
        with pytest.raises(Exception, match="permission denied"):
            Inserted(state, writer(catalog_at(theirs)), name + "_more", theirs)


def test_what_was_told_is_removed_when_it_is_old(folder: Path) -> None:
    write(folder, visit("a", "2026-03-01T00:00:00Z"), "nonsense", {"at": "2026-03-09T00:00:00Z"})
    arguments = ["events.jsonl", "--state", "state.db"]
    assert follow(folder, *arguments).returncode == 1
    done = follow(folder, *arguments, "--keep", "1d")
    assert "1 change removed" in done.stderr
    write(folder, visit("a", "2026-03-10T00:00:00Z"))
    assert [change[3] for change in told(follow(folder, *arguments).stdout)] == ["left"]
    with closing(sqlite3.connect(folder / "state.db")) as state:
        assert state.execute("SELECT number FROM changes").fetchall() == [(2,)]
