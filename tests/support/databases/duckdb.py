"""DuckDB: a database file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from segdsl.engines.files import quoted
from tests.support.databases import Table


class DuckDBDatabase:
    """A file in a folder of its own, which is opened only while it is written or read."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="segdsl-"))
        self.path = self.folder / "w.duckdb"
        self.url = f"duckdb:///{self.path}"

    def load(self, tables: Mapping[str, Table]) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for name, table in tables.items():
                columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in table.columns.items())
                connection.execute(f"CREATE OR REPLACE TABLE {quoted(name)} ({columns})")
                rows = [[plain(value) for value in row] for row in table.rows]
                marks = ", ".join("?" for _ in table.columns)
                if rows:
                    connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def plain(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
