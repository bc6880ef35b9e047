"""The SQL dialects: one file each, and this one list."""

from __future__ import annotations

from segdsl.backends.sql.dialects.bigquery import BigQuery
from segdsl.backends.sql.dialects.clickhouse import ClickHouse
from segdsl.backends.sql.dialects.databricks import Databricks
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.dialects.duckdb import DuckDB
from segdsl.backends.sql.dialects.mysql import MySQL
from segdsl.backends.sql.dialects.postgres import Postgres
from segdsl.backends.sql.dialects.redshift import Redshift
from segdsl.backends.sql.dialects.snowflake import Snowflake
from segdsl.backends.sql.dialects.spark import Spark
from segdsl.backends.sql.dialects.sqlite import SQLite
from segdsl.backends.sql.dialects.trino import Trino
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.suggest import nearest

_EVERY: tuple[Dialect, ...] = (
    DuckDB(),
    SQLite(),
    Postgres(),
    ClickHouse(),
    Spark(),
    Snowflake(),
    BigQuery(),
    Redshift(),
    Trino(),
    Databricks(),
    MySQL(),
)
DIALECTS = {dialect.name: dialect for dialect in _EVERY}


def get(name: str) -> Dialect:
    """The dialect of a name; raises `Errors` (SEG0701) for an unknown one."""
    if name in DIALECTS:
        return DIALECTS[name]
    close = nearest(name, DIALECTS)
    known = ", ".join(f"`{each}`" for each in DIALECTS)
    raise Errors(
        [
            Diagnostic(
                "SEG0701",
                f"no such dialect: `{name}`",
                help=f"did you mean `{close}`?" if close else f"there is {known}",
            )
        ]
    )
