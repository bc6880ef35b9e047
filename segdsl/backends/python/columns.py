"""Values beside the instants of a filter's events: what a column takes of each, and where it belongs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Any

from segdsl import types
from segdsl.backends.python.runtime import END, Column, period
from segdsl.core.contact import Row
from segdsl.core.nodes import PeriodOf, Property


def take_out(rows: list[Row], row: Row) -> None:
    """One event less; it, and not only an equal one, must be among them."""
    at = bisect_left(rows, row[0], key=itemgetter(0))
    while rows[at] is not row:
        at += 1
    del rows[at]


@dataclass
class ColumnPlan:
    """Values beside a slot's instants: of one property, sums of it so far, or keys of groups (`same`)."""

    slot: int
    of: Property | PeriodOf | None
    same: tuple[Property | PeriodOf, ...]
    sums: bool


def column_of(plan: ColumnPlan, rows: Iterable[Row]) -> Column:
    """The column that a plan makes of events, which come sorted by time."""
    pairs: list[tuple[int, Any]] = []
    for time, properties in rows:
        value = None if plan.of is None else value_of(plan.of, time, properties)
        if plan.of is not None and value is None:
            continue
        if plan.same:
            value = tuple(value_of(part, time, properties) for part in plan.same)
            if None in value:
                continue
        pairs.append((time, value))
    if plan.of is not None and not plan.same:
        # Sorted by value within an instant: `first` is then the least, `last` the greatest.
        if isinstance(plan.of.type, types.Enum):
            pairs.sort(key=lambda pair: (pair[0], *_rank(plan, pair[1])))
        else:
            pairs.sort()
    times = [*map(itemgetter(0), pairs), END]
    values = [value for _, value in pairs]
    return times, list(accumulate(values, initial=0)) if plan.sums else values


def _rank(plan: ColumnPlan, value: Any) -> tuple[Any, ...]:
    """By what a column's values at one instant are sorted."""
    kind = plan.of.type if plan.of is not None else None
    if isinstance(kind, types.Enum):
        return kind.values.index(value) if value in kind.values else len(kind.values), value
    return (value,)


def insert(column: Column, plan: ColumnPlan, time: int, value: Any) -> int:
    """Put what a column takes of an event where it belongs; the position."""
    times, values = column
    at = bisect_right(times, time)
    if plan.sums:
        values.insert(at + 1, values[at])
        for later in range(at + 1, len(values)):
            values[later] += value
    else:
        if plan.of is not None and not plan.same:
            first = bisect_left(times, time)
            at = bisect_right(values, _rank(plan, value), first, at, key=lambda each: _rank(plan, each))
        values.insert(at, value)
    times.insert(at, time)
    return at


def place(column: Column, plan: ColumnPlan, time: int, value: Any) -> int:
    """The position of an event that a column took; where it holds sums, of any at that instant."""
    times, values = column
    at = bisect_left(times, time)
    return at if plan.sums else values.index(value, at, bisect_right(times, time))


def remove(column: Column, plan: ColumnPlan, at: int, value: Any) -> None:
    """Takes back what a column took of the event at a position."""
    times, values = column
    del times[at]
    if not plan.sums:
        del values[at]
        return
    del values[at + 1]
    for later in range(at + 1, len(values)):
        values[later] -= value


def value_of(part: Property | PeriodOf, time: int, properties: Mapping[str, Any]) -> Any:
    """A property of one event, or the start of the period that holds it; None if unknown."""
    return properties.get(part.key) if isinstance(part, Property) else period(time, part.unit, part.zone)
