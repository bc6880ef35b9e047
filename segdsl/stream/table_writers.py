"""How each database takes rows of changes: a table is made, its last number is read, and batches are inserted.

A batch is there as a whole or not at all. Each writing opens the database for itself, so that a file is left to others.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from segdsl.catalog.model import Catalog
from segdsl.core.time import isoformat, to_datetime
from segdsl.engines.engine import failure

NAMES = 'number, "at", segment, contact, change'
WAIT = 1.0  # seconds for another process that writes
PATIENCE = 5  # seconds for a server to take a connection, and for an answer to get through
Written = tuple[int, int, str, str, str]  # number, instant in microseconds, segment, contact, change
Execute = Callable[[str, Sequence[Written]], list[tuple[Any, ...]]]  # a statement for each of some rows, or once


class Busy(Exception):  # noqa: N818  (no error: the batch is written the next time)
    """Somebody else has the database open for writing, or this process for reading."""


class Away(Exception):  # noqa: N818  (the same)
    """There is no connection to the database, or not any more: whether the batch is there nobody knows."""


class Writer:
    """A database that can be written to. columns: how the table is made. mark: what stands for a value.

    opened: gives, for a block that is one transaction, what executes a statement. Raises `Busy`, `Away`, and
      `Errors` (SEG0758) for what will not pass by itself.
    """

    columns = (
        'number BIGINT PRIMARY KEY, "at" TIMESTAMPTZ NOT NULL, segment TEXT NOT NULL, contact TEXT NOT NULL, '
        "change TEXT NOT NULL"
    )
    mark = "?"

    def __init__(self, opened: Callable[[], AbstractContextManager[Execute]]) -> None:
        self.opened = opened

    def make(self, table: str) -> None:
        """Make the table, unless it is there."""
        with self.opened() as execute:
            execute(f"CREATE TABLE IF NOT EXISTS {named(table)} ({self.columns})", ())

    def last(self, table: str) -> int:
        """The greatest number that the table has; 0 for an empty one."""
        with self.opened() as execute:
            [(number,)] = execute(f"SELECT coalesce(max(number), 0) FROM {named(table)}", ())
            return int(number)

    def insert(self, table: str, rows: Sequence[Written]) -> None:
        """Insert rows, all of them or none."""
        with self.opened() as execute:
            execute(f"INSERT INTO {named(table)} ({NAMES}) VALUES ({', '.join([self.mark] * 5)})", rows)


class SQLiteWriter(Writer):
    """Times are texts, as `2026-03-09T00:00:00Z`."""

    columns = Writer.columns.replace("BIGINT", "INTEGER").replace("TIMESTAMPTZ", "TEXT")


class PostgresWriter(Writer):
    """The driver's mark for a value is its own."""

    mark = "%s"

    def make(self, table: str) -> None:
        """Make the table, unless it is there: only then is the right to make one needed."""
        with self.opened() as execute:
            name = named(table).replace("'", "''")
            [(there,)] = execute(f"SELECT to_regclass('{name}') IS NOT NULL", ())
        if not there:
            super().make(table)


class ClickHouseWriter(Writer):
    """One INSERT is one block, and so one part of the table, which is there or not."""

    columns = "number Int64, \"at\" DateTime64(6, 'UTC'), segment String, contact String, change String"

    def make(self, table: str) -> None:
        """Make the table, unless it is there."""
        with self.opened() as execute:
            made = f"CREATE TABLE IF NOT EXISTS {named(table)} ({self.columns}) ENGINE = MergeTree ORDER BY number"
            execute(made, ())

    def insert(self, table: str, rows: Sequence[Written]) -> None:
        """Insert rows, all of them or none."""
        values = ", ".join(
            f"({number}, fromUnixTimestamp64Micro(toInt64({at}), 'UTC'), {', '.join(map(_literal, texts))})"
            for number, at, *texts in rows
        )  # fmt: skip
        with self.opened() as execute:
            execute(f"INSERT INTO {named(table)} ({NAMES}) VALUES {values}", ())


def writer(catalog: Catalog) -> Writer:
    """For the catalog's database. Raises `Errors` (SEG0758) for one that takes no changes."""
    from segdsl.engines import kind_of

    url = catalog.database or ""
    kind = kind_of(url)
    match kind.module if kind is not None and url and kind.scheme else "":
        case "sqlite":
            return SQLiteWriter(lambda: _sqlite(catalog))
        case "duckdb":
            return Writer(lambda: _duckdb(catalog))
        case "postgres":
            return PostgresWriter(lambda: _postgres(url))
        case "chdb":
            return ClickHouseWriter(lambda: _chdb(catalog))
        case "clickhouse":
            return ClickHouseWriter(lambda: _clickhouse(url))
    help = "write it to SQLite, DuckDB, PostgreSQL or ClickHouse: --table-in sqlite:///changes.db"
    raise failure("SEG0758", f"no table of changes can be made in `{url or 'no database'}`", help)


def named(table: str) -> str:
    """A table's name, or `schema.table`, as SQL spells it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))


def _path(catalog: Catalog) -> Path:
    return catalog.folder / (catalog.database or "").partition("://")[2].removeprefix("/").partition("?")[0]


def _executing(connection: Any) -> Execute:
    """With a connection to an embedded database, which takes times as texts."""

    def execute(statement: str, rows: Sequence[Written]) -> list[tuple[Any, ...]]:
        if not rows:
            found: list[tuple[Any, ...]] = connection.execute(statement).fetchall()
            return found
        connection.executemany(statement, [(n, isoformat(at), *texts) for n, at, *texts in rows])
        return []

    return execute


@contextmanager
def _sqlite(catalog: Catalog) -> Iterator[Execute]:
    try:
        with closing(sqlite3.connect(_path(catalog), isolation_level=None, timeout=WAIT)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield _executing(connection)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Busy from error
        raise _refused(error) from error


@contextmanager
def _duckdb(catalog: Catalog) -> Iterator[Execute]:
    import duckdb

    try:
        with duckdb.connect(str(_path(catalog))) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("BEGIN")
            yield _executing(connection)
            connection.execute("COMMIT")
    except duckdb.Error as error:
        if "set lock on file" in str(error) or "different configuration" in str(error):
            raise Busy from error
        raise _refused(error) from error


@contextmanager
def _postgres(url: str) -> Iterator[Execute]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        fixed: dict[str, Any] = {"connect_timeout": PATIENCE, "tcp_user_timeout": PATIENCE * 1000}
        with psycopg.connect(**(fixed | conninfo_to_dict(url))) as connection, connection.cursor() as cursor:

            def execute(statement: str, rows: Sequence[Written]) -> list[tuple[Any, ...]]:
                if not rows:
                    cursor.execute(statement.encode())
                    return cursor.fetchall() if cursor.description else []
                cursor.executemany(statement.encode(), [(n, to_datetime(at), *texts) for n, at, *texts in rows])
                return []

            yield execute
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Away(_line(error)) from error
    except psycopg.Error as error:
        raise _refused(error) from error


@contextmanager
def _chdb(catalog: Catalog) -> Iterator[Execute]:
    from chdb.state.sqlitelike import Connection

    try:
        with closing(Connection(str(_path(catalog)))) as connection:

            def execute(statement: str, rows: Sequence[Written]) -> list[tuple[Any, ...]]:
                found = connection.query(statement, "JSONCompactEachRow")
                return [tuple(json.loads(line)) for line in str(found).splitlines()]

            yield execute
    except RuntimeError as error:
        if "already initialized" in str(error):
            raise Busy from error
        raise _refused(error) from error


@contextmanager
def _clickhouse(url: str) -> Iterator[Execute]:
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

    secure = url.startswith("clickhouses:")
    try:
        with closing(clickhouse_connect.get_client(dsn=url, secure=secure)) as client:

            def execute(statement: str, rows: Sequence[Written]) -> list[tuple[Any, ...]]:
                if statement.startswith("SELECT"):
                    return [tuple(row) for row in client.query(statement).result_rows]
                client.command(statement)
                return []

            yield execute
    except OperationalError as error:
        raise Away(_line(error)) from error
    except ClickHouseError as error:
        raise _refused(error) from error


def _line(error: Exception) -> str:
    """What a database says, in one line."""
    return " ".join(str(error).split())


def _refused(error: Exception) -> Exception:
    help = "nothing is lost: when that is mended, start again, and it goes on with the first change that is missing"
    return failure("SEG0758", f"the table of changes cannot be written: {_line(error)}", help)


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
