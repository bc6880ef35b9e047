"""What generated code calls by name: measures over sorted instants, tests, conversions.

Every array of instants ends with `END`, which is later than any `now`: so no array is ever empty (false).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from hashlib import md5
from math import asin, cos, radians, sin, sqrt
from typing import Any, assert_never

from segdsl.core.nodes import Measure
from segdsl.core.time import Period, days_begun, has_anniversary, local_day, midnight, period_start

BEGIN = -(2**63)
END = 2**63
EARTH_RADIUS_KM = 6371.0088

Times = list[int]
Column = tuple[Times, list[Any]]  # instants, and a value beside each


def period(time: int, unit: Period, zone: str) -> int:
    """The first instant of the day, week or month in `zone` that holds `time`."""
    return midnight(period_start(local_day(time, zone), unit, 0), zone)


# --- measures over (lo, hi] ---------------------------------------------------------------------------------


def positions(times: Times, lo: int, hi: int) -> tuple[int, int]:
    """The positions [i, j) whose instants lie in (lo, hi]; never reversed."""
    j = bisect_right(times, hi)
    return bisect_right(times, lo, 0, j), j


def count(times: Times, lo: int, hi: int) -> int:
    """How many instants lie in (lo, hi]."""
    j = bisect_right(times, hi)
    return j - bisect_right(times, lo, 0, j)


def total(column: Column, lo: int, hi: int) -> Any:
    """The exact sum of the known values (the column holds sums so far)."""
    i, j = positions(column[0], lo, hi)
    return column[1][j] - column[1][i]


def least(column: Column, lo: int, hi: int) -> Any:
    """The least known value; None if there is none."""
    i, j = positions(column[0], lo, hi)
    return min(column[1][i:j], default=None)


def greatest(column: Column, lo: int, hi: int) -> Any:
    """The greatest known value; None if there is none."""
    i, j = positions(column[0], lo, hi)
    return max(column[1][i:j], default=None)


def distinct(column: Column, lo: int, hi: int) -> int:
    """How many different known values there are."""
    i, j = positions(column[0], lo, hi)
    return len(set(column[1][i:j]))


def first(column: Column, lo: int, hi: int) -> Any:
    """The value at the earliest instant, the least of several; None if there is none."""
    i, j = positions(column[0], lo, hi)
    return column[1][i] if i < j else None


def last(column: Column, lo: int, hi: int) -> Any:
    """The value at the latest instant, the greatest of several; None if there is none."""
    i, j = positions(column[0], lo, hi)
    return column[1][j - 1] if i < j else None


def percentile(column: Column, lo: int, hi: int, numerator: int, denominator: int) -> Any:
    """The value at rank ceil(n * numerator/denominator), counted from 1, of the sorted known values."""
    i, j = positions(column[0], lo, hi)
    return sorted(column[1][i:j])[rank(j - i, numerator, denominator) - 1] if i < j else None


def rank(count: int, numerator: int, denominator: int) -> int:
    """The rank of a percentile among so many values, counted from 1."""
    return max(-(-count * numerator // denominator), 1)


def first_time(times: Times, lo: int, hi: int) -> int | None:
    """The earliest instant in (lo, hi]."""
    i, j = positions(times, lo, hi)
    return times[i] if i < j else None


def last_time(times: Times, lo: int, hi: int) -> int | None:
    """The latest instant in (lo, hi]."""
    i, j = positions(times, lo, hi)
    return times[j - 1] if i < j else None


def burst(times: Times, lo: int, hi: int, within: int) -> int:
    """The largest count in any (s - within, s], of instants in (lo, hi]."""
    i, j = positions(times, lo, hi)
    return _densest(times[i:j], within)


def largest_group(column: Column, lo: int, hi: int, within: int | None) -> int:
    """The largest count of one key; with `within`, in any (s - within, s]."""
    i, j = positions(column[0], lo, hi)
    if within is None:
        return max(Counter(column[1][i:j]).values(), default=0)
    groups: dict[Any, Times] = {}
    for k in range(i, j):
        groups.setdefault(column[1][k], []).append(column[0][k])
    return max((_densest(times, within) for times in groups.values()), default=0)


def measure(node: Measure, column: Column, lo: int, hi: int) -> Any:
    """Any measure over (lo, hi] of its column, which holds keys of groups if it is `same`, and sums so far if a sum."""
    if node.same:
        return largest_group(column, lo, hi, node.within)
    if node.within is not None:
        return burst(column[0], lo, hi, node.within)
    match node.kind:
        case "count":
            return count(column[0], lo, hi)
        case "sum":
            return total(column, lo, hi)
        case "min":
            return least(column, lo, hi)
        case "max":
            return greatest(column, lo, hi)
        case "distinct":
            return distinct(column, lo, hi)
        case "first":
            return first(column, lo, hi)
        case "last":
            return last(column, lo, hi)
        case "percentile":
            assert node.rank is not None
            return percentile(column, lo, hi, *node.rank)
    assert_never(node.kind)


def _densest(times: Times, within: int) -> int:
    best = tail = 0
    for head, time in enumerate(times):
        while times[tail] <= time - within:
            tail += 1
        best = max(best, head - tail + 1)
    return best


# --- values and tests ---------------------------------------------------------------------------------------

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def fold(text: str | None) -> str | None:
    """A-Z lowered and nothing else, as every engine can; None stays None."""
    return None if text is None else text.translate(_LOWER)


def near(place: tuple[float, float] | None, latitude: float, longitude: float, kilometres: float) -> bool:
    """Whether a known place lies within a great-circle distance."""
    if place is None:
        return False
    half = sin(radians(place[0] - latitude) / 2)
    side = sin(radians(place[1] - longitude) / 2)
    a = half * half + cos(radians(latitude)) * cos(radians(place[0])) * side * side
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(a))) <= kilometres


def ratio(points: int, value: int, divisor: int) -> int:
    """points * value / divisor, halves away from zero."""
    product = points * value
    quotient = (2 * abs(product) + divisor) // (2 * divisor)
    return quotient if product >= 0 else -quotient


def anniversary(instant: int | None, zone: str, lo: int | None, hi: int | None) -> bool:
    """Whether a later year's anniversary of a known instant's day begins in (lo, hi]."""
    return instant is not None and has_anniversary(instant, zone, days_begun(lo, hi, zone))


def sampled(contact: str | int, salt: str, threshold: int) -> bool:
    """Whether what is drawn for a contact is below the threshold."""
    return drawn(contact, salt) < threshold


def drawn(contact: str | int, salt: str) -> int:
    """The first 32 bits of the hash of salt and contact."""
    digest = md5(f"{salt}:{contact}".encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big")
