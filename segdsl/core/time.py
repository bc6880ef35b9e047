"""Time as integers: the only place where dates are reckoned (language reference, section 5).

An instant is an `int`: microseconds since 1970-01-01 UTC. A window is `(lo, hi]` in those integers, so the
calendar's `[a, b)` is `(a - 1, b - 1]`. Edges are symbolic until `now` is given.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from time import time_ns
from typing import Literal
from zoneinfo import ZoneInfo

UTC = timezone.utc  # noqa: UP017  (one name for both spellings)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = {"ms": 1_000, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6, "w": 604800 * 10**6}
DAY = MICROSECONDS["d"]
FIRST = -62_135_596_800_000_000  # 0001-01-01T00:00Z
LAST = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z

Period = Literal["day", "week", "month", "quarter", "year"]


# --- between integers and clocks ----------------------------------------------------------------------------


def from_datetime(moment: datetime) -> int:
    """The instant of a timezone-aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone is not an instant; give it one, such as timezone.utc")
    delta = moment - EPOCH
    return (delta.days * 86400 + delta.seconds) * 10**6 + delta.microseconds


def to_datetime(instant: int) -> datetime:
    """The UTC datetime of an instant."""
    return EPOCH + timedelta(microseconds=instant)


def to_zoned(instant: int, zone: str) -> datetime:
    """An instant as a datetime with the offset that a time zone has then (UTC at the ends of the years 1 to 9999).

    The offset is fixed, so that a microsecond less is a microsecond earlier where clocks jump, too.
    """
    try:
        clock = to_datetime(instant).astimezone(ZoneInfo(zone))
        return clock.replace(tzinfo=timezone(clock.utcoffset() or timedelta(0)), fold=0)
    except OverflowError:
        return to_datetime(instant)


def now() -> int:
    """This machine's time. Only surfaces and followers ask for it: whatever answers takes `now` as an argument."""
    return time_ns() // 1000


def isoformat(instant: int) -> str:
    """`2026-03-09T00:00:00Z`; microseconds only when there are some."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def clamp(instant: int) -> int:
    """Instants outside the years 1 to 9999 are beyond every stored time: the nearest end serves as well."""
    return max(FIRST, min(LAST, instant))


@lru_cache(maxsize=4096)
def local(moment: datetime, zone: str) -> int:
    """The instant at which the clocks of `zone` show a naive `moment`.

    A time that a jump forward left out moves forward by the gap; one that exists twice is the earlier:
    both are what fold=0 means.
    """
    try:
        return from_datetime(moment.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC))
    except OverflowError:
        return FIRST if moment.year < 5000 else LAST


def midnight(day: date, zone: str) -> int:
    """The first instant of a calendar day in `zone`."""
    return local(datetime(day.year, day.month, day.day), zone)


def local_day(instant: int, zone: str) -> date:
    """The calendar day that holds an instant in `zone`."""
    try:
        return to_datetime(clamp(instant)).astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return date.min if instant < 0 else date.max


def local_days(first: int, last: int, zone: str) -> tuple[date, date]:
    """The earliest and the latest day that holds some instant of `first` to `last` in `zone`, or wider by a day.

    Wider only where clocks fall back meanwhile, which may take them to the day before (St. John's did at 00:01), or
    where the stretch is too long to tell. Of one instant it is the exact day.
    """
    a, b = local_day(first, zone), local_day(last, zone)
    if last - first > DAY or _offset(first, zone) > _offset(last, zone):
        return period_start(a, "day", -1), period_start(b, "day", 1)
    return a, b


def _offset(instant: int, zone: str) -> timedelta:
    try:
        return to_datetime(clamp(instant)).astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    except OverflowError:
        return timedelta(0)


@lru_cache(maxsize=64)
def transitions(zone: str) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """The first offset of `zone` from UTC, and its changes `(instant, offset before, offset after)`; microseconds.

    Those from 1800 to 2099, which are all that happened and those that the rules of today foretell until then.
    """
    day = from_datetime(datetime(1800, 1, 1, tzinfo=UTC))
    end = from_datetime(datetime(2100, 1, 1, tzinfo=UTC))
    first = before = _microseconds(_offset(day, zone))
    found = []
    while day < end:
        following = day + MICROSECONDS["w"]
        if _microseconds(_offset(following, zone)) != before:
            low, high = day, following
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _microseconds(_offset(middle, zone)) == before else (low, middle)
            after = _microseconds(_offset(high, zone))
            found.append((high, before, after))
            before, day = after, high
        else:
            day = following
    return first, tuple(found)


@lru_cache(maxsize=64)
def repeats_days(zone: str) -> bool:
    """Whether the clocks of `zone` ever fell back across midnight, to the day before: there edges move back, too."""
    return any(local_day(at, zone) < local_day(at - 1, zone) for at, _, _ in transitions(zone)[1])


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def parse_instant(text: str, zone: str) -> int | None:
    """The instant of `2026-01-01T08:00[:00[.000000]][Z|+02:00]`; without an offset, in `zone`. None if impossible."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, hour, minute, second, fraction, offset = match.groups()
    begin = _utc_day(day)
    h, m, seconds, micro = int(hour), int(minute), int(second or 0), int((fraction or "").ljust(6, "0"))
    if begin is None or h > 23 or m > 59 or seconds > 59:
        return None
    if offset is None and zone != "UTC":
        return local(datetime.fromisoformat(day).replace(hour=h, minute=m, second=seconds, microsecond=micro), zone)
    shift = 0
    if offset is not None and offset not in "Zz":
        digits = offset[1:].replace(":", "").ljust(4, "0")
        if int(digits[:2]) > 23 or int(digits[2:]) > 59:
            return None
        shift = (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if offset[0] == "-" else 1)
    return begin + ((h * 60 + m - shift) * 60 + seconds) * 10**6 + micro


@lru_cache(maxsize=4096)
def _utc_day(day: str) -> int | None:
    """The midnight, in UTC, that begins `2026-01-31`; None if there is no such day."""
    try:
        return from_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))
    except ValueError:
        return None


def parse_day(text: str) -> date | None:
    """The calendar day of `2026-01-31`; None if there is no such day."""
    try:
        return date.fromisoformat(text) if len(text) == 10 and text[7] == "-" else None  # no week dates
    except ValueError:
        return None


def parse_moment(text: str, zone: str) -> int | None:
    """The instant that a person names: a day is its midnight in UTC, a clock time without offset is `zone`'s.

    None if it is neither `2026-03-09` nor `2026-03-09T08:00` (a blank may stand for the T).
    """
    day = parse_day(text.strip())
    return midnight(day, "UTC") if day else parse_instant(text.strip(), zone)


# --- stepping -------------------------------------------------------------------------------------------------


def add_months(instant: int, months: int) -> int:
    """`instant` stepped by calendar months in UTC.

    A day that the month reached does not have becomes that month's end, the midnight that begins the next
    month: so a window's edge only moves forward as `now` does, and an event leaves once.
    """
    moment = to_datetime(clamp(instant))
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    if year < 1:
        return FIRST
    if year > 9999:
        return LAST
    if moment.day > monthrange(year, month + 1)[1]:
        return add_months(from_datetime(datetime(year, month + 1, 1, tzinfo=UTC)), 1)
    return from_datetime(moment.replace(year=year, month=month + 1))


def period_start(day: date, unit: Period, offset: int) -> date:
    """The first day of the period that holds `day`, moved by `offset` periods; clamped to the years 1 to 9999."""
    try:
        if unit == "day":
            return day + timedelta(days=offset)
        if unit == "week":
            return day - timedelta(days=day.weekday()) + timedelta(weeks=offset)
        size = {"month": 1, "quarter": 3, "year": 12}[unit]
        index = (day.year * 12 + day.month - 1) // size * size + offset * size
        return date(index // 12, index % 12 + 1, 1)
    except (OverflowError, ValueError):
        return date.min if offset < 0 else date.max


# --- anniversaries --------------------------------------------------------------------------------------------


def day_number(day: date) -> int:
    """`20260331`: days as numbers in the order of the calendar."""
    return day.year * 10_000 + day.month * 100 + day.day


def days_begun(lo: int | None, hi: int | None, zone: str) -> tuple[int, int]:
    """The numbers of the first and the last day in `zone` that begins in (lo, hi]; reversed if none does.

    A last day of 28 February counts as the 29th in a year without one: those whose day that is keep it then.
    """
    first = date.min if lo is None else local_day(lo, zone)
    last = date.max if hi is None else local_day(hi, zone)
    return _first_begun(first, lo), _last_begun(last)


def _first_begun(day: date, lo: int | None) -> int:
    return day_number(day if lo is None else period_start(day, "day", 1))


def _last_begun(day: date) -> int:
    leap = (day.month, day.day) == (2, 28) and monthrange(day.year, 2)[1] == 28
    return day_number(day) + leap


@lru_cache(maxsize=1024)
def days_begun_meanwhile(span: Span, first: int, last: int, zone: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """The days that begin in a span at every `now` of `first` to `last`, and those that do at some, as `days_begun`."""
    starts, ends = (date.min, date.min), (date.max, date.max)
    if span.lo is not None:
        starts = local_days(*bounds(span.lo, first, last), zone)
    if span.hi is not None:
        ends = local_days(*bounds(span.hi, first, last), zone)
    early, late = (_first_begun(day, None if span.lo is None else 0) for day in starts)
    sooner, later = map(_last_begun, ends)
    return (late, sooner), (early, later)


def has_anniversary(instant: int, zone: str, days: tuple[int, int]) -> bool:
    """Whether a later year's anniversary of the instant's day in `zone` is one of `days`, from `days_begun`."""
    year, day = divmod(day_number(local_day(instant, zone)), 10_000)
    (from_year, from_day), (to_year, to_day) = (divmod(number, 10_000) for number in days)
    if from_year >= to_year:
        return year < from_year == to_year and from_day <= day <= to_day
    whole_year = from_year < to_year - 1 and year < to_year - 1
    return (year < from_year and day >= from_day) or (year < to_year and day <= to_day) or whole_year


def next_anniversary(instant: int, zone: str, after: int) -> int | None:
    """The first instant of the next anniversary, as `has_anniversary` knows them, that begins after an instant.

    None after the year 9999. Not for zones whose clocks ever fell back across midnight (`repeats_days`).
    """
    day = local_day(instant, zone)
    year = max(day.year + 1, local_day(after, zone).year)
    for each in (year, year + 1):
        if each > date.max.year:
            return None
        kept = day.replace(year=each, day=min(day.day, monthrange(each, day.month)[1]))
        if (begun := midnight(kept, zone)) > after:
            return begun
    return None


# --- edges and spans ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class At:
    """A fixed instant."""

    instant: int

    def resolve(self, now: int) -> int:
        """The instant that the edge is at `now`, both in microseconds."""
        return self.instant


@dataclass(frozen=True, slots=True)
class FromNow:
    """`now` stepped by calendar months or by microseconds, either of them possibly negative."""

    microseconds: int = 0
    months: int = 0

    def resolve(self, now: int) -> int:
        """The instant that the edge is at `now`, both in microseconds."""
        if self.months:
            now = add_months(now, self.months)
        return clamp(now + self.microseconds)


@dataclass(frozen=True, slots=True)
class PeriodStart:
    """The last microsecond before a calendar period in `zone`.

    The period is the one that holds `now` stepped by `base`, moved on by `offset` periods.
    """

    unit: Period
    offset: int
    zone: str
    base: FromNow = FromNow()

    def resolve(self, now: int) -> int:
        """The instant that the edge is at `now`, both in microseconds."""
        day = local_day(self.base.resolve(now), self.zone)
        return midnight(period_start(day, self.unit, self.offset), self.zone) - 1


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier of two edges: `between 30d and 1mo ago` may be written in either order."""

    first: FromNow
    second: FromNow

    def resolve(self, now: int) -> int:
        """The instant that the edge is at `now`, both in microseconds."""
        return min(self.first.resolve(now), self.second.resolve(now))


@dataclass(frozen=True, slots=True)
class Later:
    """The later of two edges."""

    first: FromNow
    second: FromNow

    def resolve(self, now: int) -> int:
        """The instant that the edge is at `now`, both in microseconds."""
        return max(self.first.resolve(now), self.second.resolve(now))


Edge = At | FromNow | PeriodStart | Earlier | Later


@dataclass(frozen=True, slots=True)
class Span:
    """The instants t with `lo < t <= hi`; None is no bound."""

    lo: Edge | None
    hi: Edge | None

    def resolve(self, now: int) -> tuple[int | None, int | None]:
        """The two bounds for a given `now`."""
        return (self.lo.resolve(now) if self.lo else None, self.hi.resolve(now) if self.hi else None)

    def resolve_for_events(self, now: int) -> tuple[int | None, int]:
        """The same, cut off at `now`: no later event exists yet."""
        lo, hi = self.resolve(now)
        return lo, now if hi is None else min(hi, now)


EVER = Span(None, FromNow())


# --- as now moves on ------------------------------------------------------------------------------------------


def bounds(edge: Edge, first: int, last: int) -> tuple[int, int]:
    """The least and the greatest instant, or less and more, that an edge has while `now` goes from `first` to `last`.

    Edges move forward only; `local_days` tells the exception, for which the bounds are wider. At one `now` the two
    are equal.
    """
    if not isinstance(edge, PeriodStart):
        return edge.resolve(first), edge.resolve(last)
    days = local_days(edge.base.resolve(first), edge.base.resolve(last), edge.zone)
    least, greatest = (midnight(period_start(day, edge.unit, edge.offset), edge.zone) - 1 for day in days)
    return least, greatest


def reaches(edge: Edge, instant: int) -> int | None:
    """The first `now` at which an edge lies at `instant` or later: the inverse of `resolve`. None if it never does.

    As a window's lower edge it is when the instant leaves the window, as its upper edge when the instant enters.
    Of the minutes in which clocks fall back across midnight (`local_days`) it may be the second one.
    """
    if isinstance(edge, FromNow) and edge.months == 0 and FIRST < instant <= LAST:
        found = max(instant - edge.microseconds, FIRST)
        return found if found <= LAST else None
    if isinstance(edge, Earlier | Later):
        both = (reaches(edge.first, instant), reaches(edge.second, instant))
        known = [found for found in both if found is not None]
        if isinstance(edge, Later):
            return min(known, default=None)
        return max(known) if len(known) == 2 else None
    if edge.resolve(LAST) < instant:
        return None
    if isinstance(edge, FromNow) and (close := _reached_by_months(edge, instant)) is not None:
        return close
    return _reached_by_halves(edge, instant)


@lru_cache(10_000)
def _reached_by_halves(edge: Edge, instant: int) -> int:
    """`reaches` by halving all of time; kept, as all that happens in a month waits for the same instant, say."""
    before, at = FIRST, LAST
    if edge.resolve(before) >= instant:
        return before
    while at - before > 1:
        middle = (before + at) // 2
        before, at = (before, middle) if edge.resolve(middle) >= instant else (middle, at)
    return at


def _reached_by_months(edge: FromNow, instant: int) -> int | None:
    """`reaches` for calendar steps, looked for among the days where it must be; None near the ends of time."""
    wanted = instant - edge.microseconds
    near = add_months(wanted, -edge.months)
    day = near - near % DAY - 4 * DAY  # months differ by less than that
    for _ in range(9):
        begin = add_months(day, edge.months)
        if add_months(day + DAY - 1, edge.months) >= wanted:
            # A day that the month reached lacks is one instant there; any other keeps its time of day.
            found = day + max(wanted - begin, 0)
            exact = edge.resolve(found - 1) < instant <= edge.resolve(found)
            return found if exact else None
        day += DAY
    return None
