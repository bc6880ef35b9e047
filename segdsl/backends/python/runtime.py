"""What generated code calls: one contact's facts as sorted arrays, and measures over spans of them.

Instants are microseconds (int). Every array of instants ends with `END`, which is later than any `now`: so no
array is ever empty (false), and `slots[k] or x.slot(k)` is a lookup that builds the array when it is missing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from itertools import accumulate
from math import asin, cos, radians, sin, sqrt
from operator import itemgetter
from typing import Any

from segdsl import types
from segdsl.backends.python import chains
from segdsl.backends.python.chains import ChainPlan
from segdsl.core.contact import Facts
from segdsl.core.nodes import PeriodOf, Property
from segdsl.core.time import Period, days_begun, has_anniversary, local_day, midnight, period_start

BEGIN = -(2**63)
END = 2**63
EARTH_RADIUS_KM = 6371.0088

Row = tuple[int, Mapping[str, Any]]
Where = Callable[["Index", int, Any, int, Mapping[str, Any]], bool]
Times = list[int]
Column = tuple[Times, list[Any]]


@dataclass
class SlotPlan:
    """A filter: kinds of events, each with its test (None: all of them). `dated`: the tests ask for `now`."""

    branches: list[tuple[str, Where | None]]
    dated: bool


@dataclass
class ColumnPlan:
    """Values beside a slot's instants: of one property, sums of it so far, or keys of groups (`same`)."""

    slot: int
    of: Property | PeriodOf | None
    same: tuple[Property | PeriodOf, ...]
    sums: bool


@dataclass
class Plan:
    """What an index holds, by number; `functions` are the generated segments and scores that others refer to."""

    slots: list[SlotPlan] = field(default_factory=list)
    columns: list[ColumnPlan] = field(default_factory=list)
    chains: list[ChainPlan] = field(default_factory=list)
    functions: list[Callable[[Index, int], Any]] = field(default_factory=list)
    spans: Callable[[int], Any] = lambda now: ()


class Index:
    """One contact's facts, arranged for one program. Arrays are built when first asked for.

    The facts must not change while the index is in use.
    """

    __slots__ = ("_groups", "_kinds", "_memo", "_plan", "attributes", "columns", "facts", "lists", "slots")

    def __init__(self, plan: Plan, facts: Facts) -> None:
        self.facts = facts
        self.attributes = facts.attributes
        self.lists = facts.lists
        self.slots: list[Times | None] = [None] * len(plan.slots)
        self.columns: list[Column | None] = [None] * len(plan.columns)
        self._plan = plan
        self._kinds: dict[str, Sequence[Row]] = {}
        self._groups: dict[int, list[dict[int, Times]]] = {}
        self._memo: tuple[int, dict[Any, Any]] = (0, {})

    def slot(self, number: int) -> Times:
        """Sorted instants of a filter that does not depend on `now`; kept for next time."""
        times = self.slots[number] = [*map(itemgetter(0), self._rows(number, 0)), END]
        return times

    def column(self, number: int) -> Column:
        """Values of a filter that does not depend on `now`; kept for next time."""
        column = self.columns[number] = self._column(number, 0)
        return column

    def dated_slot(self, number: int, now: int) -> Times:
        """As `slot`, for a filter that asks for `now`: kept until another `now` comes."""
        memo = self._at(now)
        key = ("slot", number)
        if key not in memo:
            memo[key] = [*map(itemgetter(0), self._rows(number, now)), END]
        times: Times = memo[key]
        return times

    def dated_column(self, number: int, now: int) -> Column:
        """As `column`, for a filter that asks for `now`."""
        memo = self._at(now)
        key = ("column", number)
        if key not in memo:
            memo[key] = self._column(number, now)
        column: Column = memo[key]
        return column

    def chain(self, number: int, now: int, lo: int, hi: int) -> tuple[int, ...] | None:
        """The instants of some chain of events in (lo, hi] that fits sequence `number`, or None."""
        plan = self._plan.chains[number]
        if not plan.grouped:
            slots = self._plan.slots
            times = {
                source: self.dated_slot(source, now) if slots[source].dated else self.slots[source] or self.slot(source)
                for source in plan.sources()
            }
            return chains.find(plan, times, now, lo, hi)
        groups = self._groups.get(number)
        if groups is None:
            groups = self._grouped(plan, now)
            if not any(self._dated_column(source) for source in plan.sources()):
                self._groups[number] = groups
        for times in groups:
            found = chains.find(plan, times, now, lo, hi)
            if found is not None:
                return found
        return None

    def _grouped(self, plan: ChainPlan, now: int) -> list[dict[int, Times]]:
        """The instants of a sequence, for each group that has all of its steps."""
        groups: dict[Any, dict[int, Times]] = {}
        for source in plan.sources():
            dated = self._dated_column(source)
            column = self.dated_column(source, now) if dated else self.columns[source] or self.column(source)
            for time, key in zip(*column, strict=False):  # the instants end with END, which has no key
                groups.setdefault(key, {}).setdefault(source, []).append(time)
        nothing: Times = []
        return [
            {source: times.get(source, nothing) for source in plan.sources()}
            for times in groups.values() if all(step in times for step in plan.steps)
        ]  # fmt: skip

    def _dated_column(self, number: int) -> bool:
        return self._plan.slots[self._plan.columns[number].slot].dated

    def held(self, key: str, at: int) -> Any:
        """The value that an attribute with a history had at an instant; None before its first one."""
        changes = self.facts.history.get(key, ())
        position = bisect_right(changes, at, key=itemgetter(0))
        return changes[position - 1][1] if position else None

    def result(self, number: int, now: int) -> Any:
        """The answer of segment or score `number`: asked for once per `now`, however many refer to it."""
        memo = self._at(now)
        if number not in memo:
            memo[number] = self._plan.functions[number](self, now)
        return memo[number]

    def _at(self, now: int) -> dict[Any, Any]:
        # One tuple, replaced whole: threads with different `now` never see each other's answers.
        memo = self._memo
        if memo[0] != now:
            memo = self._memo = (now, {})
        return memo[1]

    def _rows(self, number: int, now: int) -> Sequence[Row]:
        plan = self._plan.slots[number]
        found: list[Sequence[Row]] = []
        for kind, where in plan.branches:
            rows = self.events(kind)
            if where is not None and rows:
                spans = self._plan.spans(now) if plan.dated else ()
                rows = [row for row in rows if where(self, now, spans, row[0], row[1])]
            if rows:
                found.append(rows)
        if len(found) == 1:
            return found[0]
        return sorted((row for rows in found for row in rows), key=itemgetter(0))

    def rows(self, number: int, now: int) -> Sequence[Row]:
        """The events that a filter takes, sorted by time; `now` counts only for a filter that asks for it."""
        return self._rows(number, now)

    def events(self, kind: str) -> Sequence[Row]:
        """The events of a kind, sorted by time."""
        rows = self._kinds.get(kind)
        if rows is None:
            rows = self._kinds[kind] = sorted(self.facts.events.get(kind, ()), key=itemgetter(0))
        return rows

    def _column(self, number: int, now: int) -> Column:
        plan = self._plan.columns[number]
        return column_of(plan, self._rows(plan.slot, now))


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
            order = {text: i for i, text in enumerate(plan.of.type.values)}
            pairs.sort(key=lambda pair: (pair[0], order.get(pair[1], len(order)), pair[1]))
        else:
            pairs.sort()
    times = [*map(itemgetter(0), pairs), END]
    values = [value for _, value in pairs]
    return times, list(accumulate(values, initial=0)) if plan.sums else values


def value_of(part: Property | PeriodOf, time: int, properties: Mapping[str, Any]) -> Any:
    """A property of one event, or the start of the period that holds it; None if unknown."""
    return properties.get(part.key) if isinstance(part, Property) else period(time, part.unit, part.zone)


def period(time: int, unit: Period, zone: str) -> int:
    """The first instant of the day, week or month in `zone` that holds `time`."""
    return midnight(period_start(local_day(time, zone), unit, 0), zone)


# --- measures over (lo, hi] ---------------------------------------------------------------------------------


def _range(times: Times, lo: int, hi: int) -> tuple[int, int]:
    """The positions [i, j) whose instants lie in (lo, hi]; never reversed."""
    j = bisect_right(times, hi)
    return bisect_right(times, lo, 0, j), j


def count(times: Times, lo: int, hi: int) -> int:
    """How many instants lie in (lo, hi]."""
    j = bisect_right(times, hi)
    return j - bisect_right(times, lo, 0, j)


def total(column: Column, lo: int, hi: int) -> Any:
    """The exact sum of the known values (the column holds sums so far)."""
    i, j = _range(column[0], lo, hi)
    return column[1][j] - column[1][i]


def least(column: Column, lo: int, hi: int) -> Any:
    """The least known value; None if there is none."""
    i, j = _range(column[0], lo, hi)
    return min(column[1][i:j], default=None)


def greatest(column: Column, lo: int, hi: int) -> Any:
    """The greatest known value; None if there is none."""
    i, j = _range(column[0], lo, hi)
    return max(column[1][i:j], default=None)


def distinct(column: Column, lo: int, hi: int) -> int:
    """How many different known values there are."""
    i, j = _range(column[0], lo, hi)
    return len(set(column[1][i:j]))


def first(column: Column, lo: int, hi: int) -> Any:
    """The value at the earliest instant, the least of several; None if there is none."""
    i, j = _range(column[0], lo, hi)
    return column[1][i] if i < j else None


def last(column: Column, lo: int, hi: int) -> Any:
    """The value at the latest instant, the greatest of several; None if there is none."""
    i, j = _range(column[0], lo, hi)
    return column[1][j - 1] if i < j else None


def percentile(column: Column, lo: int, hi: int, numerator: int, denominator: int) -> Any:
    """The value at rank ceil(n * numerator/denominator), counted from 1, of the sorted known values."""
    i, j = _range(column[0], lo, hi)
    if i == j:
        return None
    rank = -(-(j - i) * numerator // denominator)
    return sorted(column[1][i:j])[max(rank, 1) - 1]


def first_time(times: Times, lo: int, hi: int) -> int | None:
    """The earliest instant in (lo, hi]."""
    i, j = _range(times, lo, hi)
    return times[i] if i < j else None


def last_time(times: Times, lo: int, hi: int) -> int | None:
    """The latest instant in (lo, hi]."""
    i, j = _range(times, lo, hi)
    return times[j - 1] if i < j else None


def burst(times: Times, lo: int, hi: int, within: int) -> int:
    """The largest count in any (s - within, s], of instants in (lo, hi]."""
    i, j = _range(times, lo, hi)
    return _densest(times[i:j], within)


def largest_group(column: Column, lo: int, hi: int, within: int | None) -> int:
    """The largest count of one key; with `within`, in any (s - within, s]."""
    i, j = _range(column[0], lo, hi)
    if within is None:
        return max(Counter(column[1][i:j]).values(), default=0)
    groups: dict[Any, Times] = {}
    for k in range(i, j):
        groups.setdefault(column[1][k], []).append(column[0][k])
    return max((_densest(times, within) for times in groups.values()), default=0)


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
