"""Running SQL on a real database: one file for each engine, chosen by the project's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdsl.catalog.model import Catalog
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    from segdsl.engines.engine import Engine

SUPPORTED = "a folder of CSV, JSONL or Parquet files, `duckdb:///path` and `spark:local`"


def connect(catalog: Catalog) -> Engine:
    """An open engine for the project's database; use it as a context manager.

    Raises `Errors`: SEG0702 for a database of a kind that is not supported, SEG0710 where there is none.
    """
    url = catalog.database
    if url is None:
        raise Errors([Diagnostic("SEG0710", "the project names no `database`", help=f"it may be {SUPPORTED}")])
    if url.startswith(("spark:", "sc://")):
        from segdsl.engines.spark import Spark

        return Spark(catalog)
    if "://" in url and not url.startswith("duckdb://"):
        kind = url.split(":")[0]
        raise Errors([Diagnostic("SEG0702", f"`{kind}` is not supported yet", help=f"supported are {SUPPORTED}")])
    from segdsl.engines.duckdb import DuckDB

    return DuckDB(catalog)
