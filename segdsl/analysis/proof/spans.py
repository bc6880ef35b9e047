"""What can be said about two windows before `now` is known: which holds which, which never meet.

Everything here is one-sided. `True` is proven for every instant `now`; `False` says nothing. Lengths of months and
calendar periods are bounded by their shortest and longest, so `in 30d` lies in `in 2mo`, and `in 90d` in `in 3mo`
is left open (three months can be 89 days).
"""

from __future__ import annotations

from segdsl.core.nodes import Anchored
from segdsl.core.time import DAY, At, Earlier, Edge, FromNow, Later, PeriodStart, Span

NOW = FromNow()

# The days of n months in a row, at least and at most, for n = 0 … 11; twelve are 365 or 366.
_SHORTEST = (0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334)
_LONGEST = (0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337)
_OVERFLOW = 3  # days: a month's end stands for the days that the month does not have
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
_ZONES = 2  # days: what changing clocks, and places that skipped a day, can add to or take from a period
# Each unit's periods are made of whole periods of those named behind it.
_MADE_OF = {
    "year": ("year", "quarter", "month", "day"),
    "quarter": ("quarter", "month", "day"),
    "month": ("month", "day"),
    "week": ("week", "day"),
    "day": ("day",),
}


def _days(months: int) -> tuple[int, int]:
    """The shortest and the longest of a number of months, in days."""
    years, rest = divmod(months, 12)
    return years * 365 + _SHORTEST[rest], years * 366 + _LONGEST[rest]


def _range(edge: FromNow | PeriodStart) -> tuple[int, int]:
    """Between which two distances from `now`, in microseconds, an edge always lies."""
    if isinstance(edge, FromNow):
        low = high = edge.microseconds
        shortest, longest = _days(abs(edge.months))
        if edge.months < 0:
            return low - (longest + _OVERFLOW) * DAY, high - shortest * DAY
        if edge.months > 0:
            return low + (shortest - _OVERFLOW) * DAY, high + longest * DAY
        return low, high
    low, high = _range(edge.base)
    steps = abs(edge.offset)
    one = _period(edge, 1)[1]
    shortest, longest = _period(edge, steps)
    first, last = (shortest, longest) if edge.offset >= 0 else (-longest, -shortest)
    return low + (first - one - _ZONES) * DAY, high + (last + _ZONES) * DAY


def _period(edge: PeriodStart, count: int) -> tuple[int, int]:
    """The shortest and the longest of some calendar periods in a row, in days."""
    if edge.unit in _DAYS:
        return _DAYS[edge.unit] * count, _DAYS[edge.unit] * count
    return _days(_MONTHS[edge.unit] * count)


def never_after(first: Edge, second: Edge) -> bool:
    """Whether `first` is proven to be at or before `second`, whatever `now` is."""
    if first == second:
        return True
    match first, second:
        case Earlier(), _:
            return never_after(first.first, second) or never_after(first.second, second)
        case _, Earlier():
            return never_after(first, second.first) and never_after(first, second.second)
        case Later(), _:
            return never_after(first.first, second) and never_after(first.second, second)
        case _, Later():
            return never_after(first, second.first) or never_after(first, second.second)
        case At(), At():
            return first.instant <= second.instant
        case (At(), _) | (_, At()):
            return False
        case FromNow(), FromNow() if first.months == second.months:
            return first.microseconds <= second.microseconds
        case FromNow(), FromNow() if first.microseconds == second.microseconds == 0:
            return first.months <= second.months
        case PeriodStart(), FromNow() if second == first.base and first.offset <= 0:
            return True  # the period that holds an instant has begun
        case PeriodStart(), PeriodStart() if (first.zone, first.base) == (second.zone, second.base):
            if _nested(first, second):
                return True
    assert isinstance(first, FromNow | PeriodStart)
    assert isinstance(second, FromNow | PeriodStart)
    return _range(first)[1] <= _range(second)[0]


def _nested(first: PeriodStart, second: PeriodStart) -> bool:
    """Whether the order of two periods around one instant follows from their units alone."""
    if first.unit == second.unit:
        return first.offset <= second.offset
    if second.unit in _MADE_OF[first.unit]:  # the year begins no later than its month
        return first.offset <= 0 <= second.offset
    if first.unit in _MADE_OF[second.unit]:  # and ends no earlier
        return first.offset <= 1 <= second.offset
    return False


def within(inner: Span | Anchored | None, outer: Span | Anchored | None, of_events: bool) -> bool:
    """Whether every instant of `inner` is proven to lie in `outer`.

    of_events: of events, none of which lies after `now`; otherwise of dates, which may. None is no time at all, and
    stands only beside itself.
    """
    if inner == outer:
        return True
    if inner is None or outer is None:
        return False
    if isinstance(inner, Anchored) or isinstance(outer, Anchored):
        if isinstance(inner, Anchored) and isinstance(outer, Anchored):
            return inner.anchor == outer.anchor and outer.lo <= inner.lo and inner.hi <= outer.hi
        # An anchored window ends at now; where it starts is anybody's guess.
        return isinstance(outer, Span) and outer.lo is None and (outer.hi is None or never_after(NOW, outer.hi))
    starts = outer.lo is None or (inner.lo is not None and never_after(outer.lo, inner.lo))
    return starts and _ends_within(inner.hi, outer.hi, of_events)


def _ends_within(inner: Edge | None, outer: Edge | None, of_events: bool) -> bool:
    if outer is None or (of_events and never_after(NOW, outer)):
        return True
    if inner is None:
        return False
    return never_after(inner, outer)


def empty(span: Span | Anchored | None, of_events: bool) -> bool:
    """Whether no instant is proven to lie in the window."""
    if not isinstance(span, Span) or span.lo is None:
        return False
    if of_events and never_after(NOW, span.lo):
        return True
    return span.hi is not None and never_after(span.hi, span.lo)


def apart(first: Span | Anchored, second: Span | Anchored, of_events: bool) -> bool:
    """Whether no instant is proven to lie in both windows."""
    if empty(first, of_events) or empty(second, of_events):
        return True
    if not isinstance(first, Span) or not isinstance(second, Span):
        return False
    pairs = ((first.hi, second.lo), (second.hi, first.lo))
    return any(hi is not None and lo is not None and never_after(hi, lo) for hi, lo in pairs)


def furthest(edge: Edge | None) -> int | None:
    """How far before `now` an edge can lie, in microseconds; None if it is fixed, or there is none.

    Not for proofs: some months are taken as the shortest that there are, so that a year is 365 days.
    """
    match edge:
        case None | At():
            return None
        case FromNow():
            return -edge.microseconds + _days(max(-edge.months, 0))[0] * DAY
        case PeriodStart():
            base = furthest(edge.base) or 0
            return base + max(0, _period(edge, 1)[1] + (_period(edge, -edge.offset)[1] if edge.offset < 0 else 0)) * DAY
        case Earlier() | Later():
            sides = [furthest(side) or 0 for side in (edge.first, edge.second)]
            return max(sides) if isinstance(edge, Earlier) else min(sides)
