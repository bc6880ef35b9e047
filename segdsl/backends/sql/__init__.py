"""SQL: one statement for many segments."""

from segdsl.backends.sql.columns import Schema
from segdsl.backends.sql.statement import compile_segments

__all__ = ["Schema", "compile_segments"]
