"""SQLite: a database file, opened for reading through the standard library's `sqlite3`.

Many cursors may be half-read on the one connection. Text that is not UTF-8 is read with replacement characters, since
the driver would raise for it. A file whose text is UTF-16 is refused: its BINARY order is not the order of code points.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.catalog import model
from segdsl.engines.engine import BATCH, Engine, Execute, Row, failure
from segdsl.engines.sqlite_functions import SQLiteWithFunctions, register

ON_PATHS = "`database` in segdsl.yml is `sqlite:///path`; a relative path starts from segdsl.yml's folder"
OLDEST = (3, 35, 0)  # the first with MATERIALIZED and with sines
SETTINGS = (
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",  # views of the file call no function that could do more than compute
    "PRAGMA cache_size = -65536",  # KiB
)


class SQLite(Engine):
    """An open SQLite file; see `Engine`."""

    dialect: ClassVar[Dialect] = SQLiteWithFunctions()

    def __init__(self, catalog: model.Catalog, writing: bool = False) -> None:
        """writing: is allowed to everyone who may write the file; the connection that asks reads only all the same."""
        super().__init__(catalog)
        if sqlite3.sqlite_version_info < OLDEST:
            message = f"SQLite {sqlite3.sqlite_version} is too old"
            raise failure("SEG0710", message, "segdsl needs 3.35 or later; a newer Python brings one")
        self._path = path = _path(catalog)
        if not path.is_file():
            raise failure("SEG0710", f"there is no database file `{path}`", ON_PATHS)
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
            self._connection.text_factory = partial(str, encoding="utf-8", errors="replace")
            for setting in SETTINGS:
                self._connection.execute(setting)
            encoding = self._connection.execute("PRAGMA encoding").fetchone()[0]
            self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise failure("SEG0710", f"cannot open `{path}`: {error}", _remedy(error)) from error
        if encoding != "UTF-8":
            self.close()
            raise failure(
                "SEG0710", f"the text in `{path}` is {encoding}", "make a copy in UTF-8: `.dump` it into a new file"
            )
        register(self._connection)
        self._writer: sqlite3.Connection | None = None

    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        """The rows of a statement, streamed; see `Engine`."""
        try:
            cursor = self._connection.cursor()
            try:
                cursor.execute(statement, values)
                while batch := cursor.fetchmany(BATCH):
                    yield from batch
            finally:
                with suppress(sqlite3.ProgrammingError):  # the connection may be closed by now
                    cursor.close()  # a question that is not read to its end would keep its snapshot of the file
        except sqlite3.Error as error:
            raise failure("SEG0719", f"the database says: {error}", _remedy(error)) from error

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """Names and declared types; see `Engine`. A type may be any text, or none.

        Types of views and of virtual tables have `any` before them: what is there has not been through their affinity.
        """
        schema, _, name = table.rpartition(".")
        schema = schema.lower() or "main"
        if schema not in {"main", "temp"}:
            return None  # nothing else is attached, and to ask about it would be an error
        # Hidden columns are the arguments of table-valued functions; generated ones are like any other.
        query = "SELECT name, type FROM pragma_table_xinfo(:name, :schema) WHERE hidden <> 1"
        found = list(self.rows(query, {"name": name, "schema": schema}))
        if found and not self._stores(schema, name):
            found = [(column, f"any {physical}".strip()) for column, physical in found]
        return found or None

    def _stores(self, schema: str, name: str) -> bool:
        """Whether this is a table of SQLite's own."""
        master = {"main": "sqlite_master", "temp": "sqlite_temp_master"}[schema]
        query = (f"SELECT 1 FROM {master} WHERE name = :name COLLATE NOCASE AND type = 'table'"
                 " AND LTRIM(sql) NOT LIKE 'CREATE VIRTUAL%'")  # fmt: skip
        return next(self.rows(query, {"name": name}), None) is not None

    def tables(self) -> list[str]:
        """The names of all tables and views, sorted; see `Engine`."""
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*'"
        return sorted(row[0] for row in self.rows(query, {}))

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """A transaction of a connection of its own; see `Engine`."""
        try:
            writer = sqlite3.connect(f"file:{quote(str(self._path))}?mode=rw", uri=True, isolation_level=None)
            self._writer = writer
            try:
                writer.execute("PRAGMA trusted_schema = OFF")
                register(writer)
                writer.execute("BEGIN IMMEDIATE")
                yield lambda statement, values: _executed(writer, statement, values)
                writer.execute("COMMIT")
            finally:
                self._writer = None
                writer.close()  # what is not committed is undone
        except sqlite3.Error as error:
            code = "SEG0743" if "locked" in str(error) else "SEG0742"
            help = _remedy(error) or "nothing was changed"
            raise failure(code, f"the database refuses: {error}", help) from error

    def interrupt(self) -> None:
        """Stop what is running; see `Engine`."""
        for connection in (self._connection, self._writer):
            if connection is not None:
                connection.interrupt()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _executed(writer: sqlite3.Connection, statement: str, values: Mapping[str, str]) -> None:
    writer.execute(statement, values).close()


def _path(catalog: model.Catalog) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`; options behind a `?` are not for us."""
    url = (catalog.database or "").partition("?")[0]
    return catalog.folder / url.removeprefix("sqlite://").removeprefix("/")


def _remedy(error: sqlite3.Error) -> str:
    """What can be done about some of SQLite's own errors."""
    known = {
        "file is not a database": ON_PATHS,
        "unable to open database file": "is the file readable? One in WAL mode wants its folder to be writable, too",
        "database is locked": "another program writes to it; try again when it is done",
        "attempt to write a readonly database": "may you write the file and its folder? Nothing was changed",
        "database or disk is full": "nothing was changed; make room on the disk, and run it again",
        "database disk image is malformed": "the file is damaged: `PRAGMA integrity_check` tells where",
    }
    return known.get(str(error), "")
