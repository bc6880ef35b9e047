"""Real databases for tests: each is started when it is first asked for, once in a process."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol


@dataclass(frozen=True)
class Table:
    """What a table holds.

    columns: name -> physical type, as the database spells it.
    rows: values in the order of the columns: None, str, int, float, bool, Decimal, aware datetime, date or list of str.
    """

    columns: Mapping[str, str]
    rows: Sequence[Sequence[object]]


class Database(Protocol):
    """A running database."""

    url: str

    def load(self, tables: Mapping[str, Table]) -> None:
        """Make these tables, in place of those that had their names."""

    def close(self) -> None:
        """Stop it and remove what it stored."""


# name of the dialect -> module:class
DATABASES: dict[str, str] = {
    "duckdb": "duckdb:DuckDBDatabase",
    "sqlite": "sqlite:SQLiteDatabase",
    "postgres": "postgres:PostgresDatabase",
    "clickhouse": "clickhouse:ClickHouseDatabase",
    "spark": "spark:SparkDatabase",
}


@cache
def database(name: str) -> Database:
    """The running database of a dialect."""
    module, _, kind = DATABASES[name].partition(":")
    start: Callable[[], Database] = getattr(import_module(f"tests.support.databases.{module}"), kind)
    running = start()
    atexit.register(running.close)
    return running
