"""How the checks ask a database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.engines.engine import Engine, Row


def one_row(engine: Engine, columns: Sequence[tuple[str, Node]], rows: Node) -> Row:
    """Aggregates over the rows of a query."""
    return next(engine.ask(select(columns, rows.subquery("r"))))


def counted(condition: Node) -> Node:
    """How many rows a condition holds for."""
    return exp.Count(this=b.case([(condition, b.number(1))]))


def unknown(name: str) -> Node:
    """Whether a column is NULL."""
    return exp.Is(this=b.column(name), expression=b.NULL())


def number(count: int) -> str:
    """A count as people read it."""
    return f"{count:,}"
