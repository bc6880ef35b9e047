"""Times that are stored as numbers in another unit than declared: SEG0722."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import select
from segdsl.catalog.model import TimeColumn
from segdsl.engines.checks.asking import one_row
from segdsl.engines.declared import Declared
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Diagnostic

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# When an event is taken to have happened; a thousandfold of one of these instants lies outside.
PLAUSIBLE = range(int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()))


def wrong_units(engine: Engine, declared: Iterable[Declared]) -> dict[Declared, Diagnostic]:
    """A warning where the latest time of a column would be plausible in another unit; a query for each column."""
    found = {}
    latest: dict[tuple[str, TimeColumn], float | None] = {}
    for each in declared:
        if each.time is None or each.time.unit is None:
            continue
        if (each.table, each.time) not in latest:
            latest[each.table, each.time] = _latest(engine, each)
        value = latest[each.table, each.time]
        fits = [unit for unit, size in UNITS.items() if value is not None and int(value / size) in PLAUSIBLE]
        if value is not None and fits and fits != [each.time.unit]:
            found[each] = _wrong(each, each.time.unit, int(value), fits[0])
    return found


def _latest(engine: Engine, each: Declared) -> float | None:
    reading = engine.reading()
    value = reading.value(each.table, each.column, types.Float())
    rows = select([("v", value)], reading.source(each.table))
    found: float | None = one_row(engine, [("latest", exp.Max(this=b.column("v")))], rows)[0]
    return found


def _wrong(each: Declared, unit: str, latest: int, fits: str) -> Diagnostic:
    year = 1970 + latest // UNITS[unit] // 31_556_952  # seconds in a mean year
    day = datetime.fromtimestamp(latest // UNITS[fits], UTC).date()
    help = "no `unit` is as small: make a view that divides them by 1000, and declare `unit: us`"
    where = f"`{each.stored}` of `{each.table}`"
    return each.finding(
        "SEG0722", f"the latest time in {where}, {latest}, lies in the year {year} if it counts {NAMES[unit]}",
        f"in {NAMES[fits]} it is {day}", f"write `unit: {fits}`" if fits != "ns" else help,
    )  # fmt: skip
