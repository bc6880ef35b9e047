"""The SQL dialects: one file each, and this one list."""

from __future__ import annotations

from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.dialects.duckdb import DuckDB
from segdsl.backends.sql.dialects.spark import Spark
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.suggest import nearest

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (DuckDB(), Spark())}


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
