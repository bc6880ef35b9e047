"""Columns that can hold no value of the type that is declared (SEG0713): known from the schema alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.reading import Reading
from segdsl.engines.declared import Declared
from segdsl.text.diagnostic import Diagnostic, Severity

Ask = Callable[[Node], Iterator[tuple[object, ...]]]


def hopeless(reading: Reading, each: Declared) -> bool:
    """Whether no stored value can be one: the dialect makes NULL of the column without looking at it."""
    return each.canonical(reading).find(exp.Column) is None


def unfit(reading: Reading, declared: Iterable[Declared], ask: Ask) -> list[Diagnostic]:
    """A finding for each column that can hold no value; columns that there are not are left out.

    An error if something is stored there; where nothing is, nothing is lost yet. `ask`: see `Engine.ask`.
    """
    found: dict[object, Diagnostic] = {}  # of a column that several events share, the first one's
    for each in declared:
        key = each.table, each.column, each.type, each.time
        physical = reading.schema.get((each.table, each.column.name))
        if physical is None or key in found or not hopeless(reading, each):
            continue
        where = f"column `{each.stored}` of `{each.table}` is {physical}"
        if each.time is None:
            message = f"`{each.name}` is declared {each.type}, but {where}"
        else:
            how = f" in `unit: {each.time.unit}`" if each.time.unit else ""
            message = f"`{each.name}` has its time{how} in a column that holds none: {where}"
        help = _help(each, reading.dialect.family(physical))
        severity: Severity = "error" if _filled(reading, each, ask) else "warning"
        found[key] = each.finding("SEG0713", message, help=help, severity=severity)
    return list(found.values())


def _filled(reading: Reading, each: Declared, ask: Ask) -> bool:
    """Whether some row has a value there. Asked of columns that are in the way anyway."""
    raw, _ = reading.raw(each.table, each.column, "", None)
    query = select([("one", b.number(1))], reading.source(each.table), [b.known(raw)])
    return next(ask(query.limit(1, copy=False)), None) is not None


def _help(each: Declared, family: str) -> str:
    if each.time is not None and each.time.unit and family in {"timestamp", "timestamptz", "timestamp_ns", "date"}:
        return "take `unit` away: it is for times that are stored as numbers"
    if isinstance(each.type, types.Timestamp) and family in {"int", "float", "decimal"}:
        if each.time is None:
            return "make a view that turns the numbers into times, and declare that"
        return f"say what the numbers count: `time: {{column: {each.stored}, unit: s}}`, or `ms`, or `us`"
    return "no value of it fits: declare the type that is stored"
