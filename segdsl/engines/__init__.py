"""Running SQL on a real database: one file for each engine, chosen by the project's URL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from segdsl.catalog.model import Catalog
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    from segdsl.engines.engine import Engine


class Kind(NamedTuple):
    """A kind of database.

    scheme: how its URLs begin. module, engine: where its engine is. dialect: what it speaks. example: of a URL.
    extra, package: what must be installed for its driver; "" if it comes with segdsl or with Python.
    stores: whether segdsl can keep tables of its own there.
    """

    scheme: str
    module: str
    engine: str
    dialect: str
    example: str
    extra: str = ""
    package: str = ""
    stores: bool = True


KINDS = (
    Kind("duckdb:", "duckdb", "DuckDB", "duckdb", "duckdb:///file.duckdb"),
    Kind("sqlite:", "sqlite", "SQLite", "sqlite", "sqlite:///file.db"),
    Kind("postgresql:", "postgres", "Postgres", "postgres", "postgresql://user@host/database", "postgres", "psycopg"),
    Kind("postgres:", "postgres", "Postgres", "postgres", "postgres://user@host/database", "postgres", "psycopg"),
    Kind("clickhouse:", "clickhouse", "ClickHouseServer", "clickhouse", "clickhouse://user@host/database", "clickhouse",
         "clickhouse-connect"),
    Kind("clickhouses:", "clickhouse", "ClickHouseServer", "clickhouse", "clickhouses://user@host/database",
         "clickhouse", "clickhouse-connect"),
    Kind("chdb:", "chdb", "ChDB", "clickhouse", "chdb:///folder", "chdb", "chdb"),
    Kind("spark:", "spark", "Spark", "spark", "spark:local", "spark", "pyspark", False),
    Kind("sc:", "spark", "Spark", "spark", "sc://host", "spark", "pyspark", False),
)  # fmt: skip
FOLDER = Kind("", "duckdb", "DuckDB", "duckdb", "a folder of CSV, JSONL or Parquet files", stores=False)
STORES = ("duckdb", "sqlite", "postgresql", "clickhouse")  # where membership is stored, for people
SUPPORTED = f"{FOLDER.example}, {', '.join(f'`{kind.example}`' for kind in KINDS)}"


def kind_of(url: str) -> Kind | None:
    """The kind of database that a URL names; None for one that is not supported."""
    found = next((kind for kind in KINDS if url.startswith(kind.scheme)), None)
    return found or (None if "://" in url else FOLDER)


def connect(catalog: Catalog, writing: bool = False) -> Engine:
    """An open engine for the project's database; use it as a context manager.

    writing: whether tables of segdsl's own, or static lists, are to be written (`Engine.writing`); all else never is.
    Raises `Errors`: SEG0702 for a database of a kind that is not supported, SEG0718 for a driver that is not
    installed, SEG0710 where there is no such database, SEG0741 where nothing can be written.
    """
    url = catalog.database
    if url is None:
        raise Errors([Diagnostic("SEG0710", "the project names no `database`", help=f"it may be {SUPPORTED}")])
    kind = kind_of(url)
    if kind is None:
        scheme = url.split(":")[0]
        raise Errors([Diagnostic("SEG0702", f"`{scheme}` is not supported", help=f"supported are {SUPPORTED}")])
    if writing:
        require_stores(catalog)
    try:
        module = import_module(f"segdsl.engines.{kind.module}")
    except ImportError as error:
        if not kind.package:
            raise
        message = f"this database needs the package `{kind.package}`: {error}"
        raise Errors([Diagnostic("SEG0718", message, help=f'pip install "segdsl[{kind.extra}]"')]) from error
    engine = getattr(module, kind.engine)
    return cast("Engine", engine(catalog, writing=True) if writing else engine(catalog))


def require_stores(catalog: Catalog) -> None:
    """Raises `Errors` (SEG0741) for a database in which segdsl keeps no tables."""
    kind = kind_of(catalog.database) if catalog.database is not None else None  # `connect` tells that there is none
    if kind is not None and not kind.stores:
        what = "a folder of files" if kind is FOLDER else "Spark"
        where = ", ".join(f"`{each.example}`" for each in KINDS if each.stores and each.scheme[:-1] in STORES)
        raise Errors([Diagnostic(
            "SEG0741", f"membership is not stored in {what}",
            help=f"keep the data in a database: {where}; or follow the events with `segdsl follow --state FILE`",
        )])  # fmt: skip
