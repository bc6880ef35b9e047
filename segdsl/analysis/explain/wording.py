"""Values, instants and lengths of time for people: as plain Python values, and as text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segdsl import types
from segdsl.core.time import MICROSECONDS, Edge, FromNow, to_zoned
from segdsl.types import Type

_UNITS = [(unit, MICROSECONDS[unit]) for unit in ("w", "d", "h", "min", "s", "ms")]


def plain(value: Any, type: Type, zone: str) -> Any:
    """The Python form of a type as a caller would write it: Decimal, datetime, date, list; None is unknown."""
    if value is None:
        return None
    match type:
        case types.Number(scale=scale) if scale:
            return Decimal(f"{value}e-{scale}")  # exact, where arithmetic would round to 28 digits
        case types.Timestamp():
            return to_zoned(value, zone)
        case types.Date():
            return to_zoned(value, zone).date()
        case types.ListOf() | types.Geo():
            return list(value)
        case _:
            return value


def text(value: Any) -> str:
    """A plain value as a rule or a reader would write it."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case datetime():
            return clock(value)
        case date():
            return value.isoformat()
        case []:
            return "empty"
        case Decimal():
            return f"{value:f}"  # never `1E-10`
        case list():
            return "(" + ", ".join(map(text, value)) + ")"
        case _:
            return str(value)


def clock(at: datetime) -> str:
    """`2026-04-02 09:30:00 (+02:00)`; microseconds only when there are some."""
    shown = at.replace(tzinfo=None).isoformat(sep=" ")
    offset = at.strftime("%z")
    return f"{shown} ({offset[:3]}:{offset[3:5]})"


def length(microseconds: int) -> str:
    """A length of time as rules write it: `36h`, `7d`; mixed ones in the largest unit that divides them."""
    for unit, size in _UNITS:
        if microseconds % size == 0 and microseconds >= size and (unit != "w" or microseconds >= 8 * size):
            return f"{microseconds // size}{unit}"
    return f"{Decimal(microseconds).scaleb(-3)}ms"


def ago(edge: Edge) -> str:
    """How far an edge lies from now: `30d ago`, `3mo ago`; the empty text if it is now or no such edge."""
    if not isinstance(edge, FromNow) or not (edge.months or edge.microseconds):
        return ""
    size = f"{abs(edge.months)}mo" if edge.months else length(abs(edge.microseconds))
    return f"{size} ago" if edge.months < 0 or edge.microseconds < 0 else f"{size} ahead"


def distance(start: datetime, end: datetime) -> str:
    """`in 2 days`, `in 5 hours`, `in 3 years`: the largest unit of which there is at least one, rounded down."""
    seconds = int((end - start).total_seconds())
    for unit, size in (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = seconds // size
        if count >= 1 and (unit != "year" or count >= 2):
            return f"in {count} {unit}{'s' if count > 1 else ''}"
    return "in less than a second"
