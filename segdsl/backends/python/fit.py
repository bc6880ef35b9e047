"""Stored and given values in the Python form of their declared type (language reference, section 6).

A value that does not fit is unknown (None), never an error. What counts as fitting is the same for every
engine, so it is narrow: a text is a number only if it is written as exactly one.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from segdsl import types
from segdsl.core.time import UTC, from_datetime, midnight, parse_instant
from segdsl.types import Type

_INTEGER = re.compile(r"-?[0-9]+")
_PLAIN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FINE = re.compile(r"(\.[0-9]{6})[0-9]{1,3}(?![0-9])")
_SPACED = re.compile(r"\d\s+([Zz+-]|$)")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MOST_DIGITS = 100  # of any number that fits a type; longer ones are not worth converting


def fit(value: object, type: Type, zone: str) -> object:
    """The value in the form that `segdsl.types` gives for `type`, or None if it does not fit.

    zone: an IANA name; the midnight that begins a date is taken there. Clock times without an offset are UTC.
    """
    if value is None:
        return None
    match type:
        case types.Bool():
            return _bool(value)
        case types.Number():
            return _number(value, type)
        case types.Float():
            return _float(value)
        case types.String():
            return _string(value)
        case types.Enum():
            return value if isinstance(value, str) and value in type.values else None
        case types.Timestamp():
            return _timestamp(value)
        case types.Date():
            return _date(value, zone)
        case types.Geo():
            return _geo(value)
        case types.ListOf():
            return _list(value)
    assert_never(type)


def _bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and not _UNSTORABLE.search(value) else None


def _number(value: object, type: types.Number) -> int | None:
    if isinstance(value, bool):
        return None
    scaled: int | None = None
    if isinstance(value, int):
        scaled = value * 10**type.scale
    elif isinstance(value, float):
        # A whole float is that integer, to the last digit. Otherwise a float has no digits of its own: its shortest
        # text is what people see.
        if type == types.INT:
            scaled = int(value) if value.is_integer() else None
        else:
            scaled = _shift(Decimal(repr(value)), type.scale, rounded=True)
    elif isinstance(value, Decimal):
        scaled = _shift(value, type.scale, rounded=False)
    elif isinstance(value, str):
        match = (_PLAIN if type.scale else _INTEGER).fullmatch(value)
        if match is not None and len(value.lstrip("-0").rstrip("0")) <= _MOST_DIGITS:
            scaled = _shift(Decimal(value), type.scale, rounded=False)
    # int is two's complement in every database: its least value has no positive twin
    least = -type.limit - 1 if type == types.INT else -type.limit
    return scaled if scaled is not None and least <= scaled <= type.limit else None


def _shift(value: Decimal, scale: int, rounded: bool) -> int | None:
    """`value` times 10**scale as an int; further digits are rounded half away from zero, or must be zeros."""
    sign, digits, exponent = value.as_tuple()
    if isinstance(exponent, str):  # infinity or no number
        return None
    if len(digits) > 20 * _MOST_DIGITS:
        return None
    whole = int("".join(map(str, digits)) or "0")
    shift = exponent + scale
    if whole == 0:
        return 0
    if shift >= 0:
        if shift > _MOST_DIGITS:
            return None
        whole *= 10**shift
    elif -shift > len(digits):
        if not rounded:
            return None
        whole = 0
    else:
        divisor = 10**-shift
        whole, rest = divmod(whole, divisor)
        if rest and not rounded:
            return None
        whole += 2 * rest >= divisor
    return -whole if sign else whole


def _float(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return None
    if not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    if number != number or (number in (float("inf"), float("-inf")) and not isinstance(value, float)):
        return None
    return number + 0.0  # -0.0 becomes 0.0


def _timestamp(value: object) -> int | None:
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return midnight(value, "UTC")
    if not isinstance(value, str):
        return None
    if _DAY.fullmatch(value):
        day = _calendar_day(value)
        return None if day is None else midnight(day, "UTC")
    # People may put a blank before an offset, stored times have none.
    return None if _SPACED.search(value) else parse_instant(_FINE.sub(r"\1", value), "UTC")


def _instant(moment: datetime) -> int:
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _date(value: object, zone: str) -> int | None:
    if isinstance(value, datetime):
        # Databases give dates as datetimes at midnight; with a time of day it is no date.
        try:
            moment = value.astimezone(UTC) if value.tzinfo else value
        except OverflowError:
            return None
        clock = (moment.hour, moment.minute, moment.second, moment.microsecond)
        return None if any(clock) else midnight(moment.date(), zone)
    if isinstance(value, date):
        return midnight(value, zone)
    day = _calendar_day(value) if isinstance(value, str) else None
    return None if day is None else midnight(day, zone)


def _calendar_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):  # `fromisoformat` would take `2026-W01-1`, too
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _geo(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    latitude, longitude = _float(value[0]), _float(value[1])
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude


def _list(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, list | tuple):
        return None
    return tuple(item for item in value if isinstance(item, str) and _string(item) is not None)
