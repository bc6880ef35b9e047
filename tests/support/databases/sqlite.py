"""A SQLite file in a folder of its own."""

from __future__ import annotations

import atexit
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tests.support.databases import Table


class SQLiteDatabase:
    """Written through a connection of its own; the engines under test read the file."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="segdsl-sqlite-"))
        atexit.register(self.close)
        path = self.folder / "w.db"
        self.url = f"sqlite:///{path}"
        self._connection = sqlite3.connect(path, isolation_level=None)
        # A write-ahead log lets tables be replaced while a test still holds a half-read answer.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")

    def load(self, tables: Mapping[str, Table]) -> None:
        """Make these tables, in place of those that had their names."""
        self._connection.execute("BEGIN")
        for name, table in tables.items():
            columns = ", ".join(f"{_quoted(column)} {physical}" for column, physical in table.columns.items())
            self._connection.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")
            self._connection.execute(f"CREATE TABLE {_quoted(name)} ({columns})")
            marks = ", ".join("?" * len(table.columns))
            rows = ([_stored(value) for value in row] for row in table.rows)
            self._connection.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection and remove the folder."""
        self._connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _stored(value: object) -> object:
    """A value as Python programs store it: ISO text for times, JSON for lists, digits for decimals."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return value
