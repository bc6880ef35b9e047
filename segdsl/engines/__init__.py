"""Running SQL on a real database: one file for each engine, chosen by the project's URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segdsl.catalog.model import Catalog
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    from segdsl.engines.engine import Engine

SUPPORTED = "a folder of CSV, JSONL or Parquet files, `duckdb:///path` and `postgresql://user@host/database`"


def connect(catalog: Catalog) -> Engine:
    """An open engine for the project's database; use it as a context manager.

    Raises `Errors`: SEG0702 for a database of a kind that is not supported, SEG0710 where there is none.
    """
    url = catalog.database
    if url is None:
        raise Errors([Diagnostic("SEG0710", "the project names no `database`", help=f"it may be {SUPPORTED}")])
    if url.startswith(("postgresql://", "postgres://")):
        with _driver("postgres", "psycopg"):
            from segdsl.engines.postgres import Postgres
        return Postgres(catalog)
    if ("://" in url and not url.startswith("duckdb://")) or url == "spark:local":
        kind = url.split(":")[0]
        raise Errors([Diagnostic("SEG0702", f"`{kind}` is not supported yet", help=f"supported are {SUPPORTED}")])
    from segdsl.engines.duckdb import DuckDB

    return DuckDB(catalog)


@contextmanager
def _driver(extra: str, package: str) -> Iterator[None]:
    """Imports of a driver, which need not be there. Raises `Errors` (SEG0718)."""
    try:
        yield
    except ImportError as error:
        raise Errors([Diagnostic(
            "SEG0718", f"this database needs the package `{package}`: {error}", help=f'pip install "segdsl[{extra}]"'
        )]) from error  # fmt: skip
