"""One contact's facts as sorted arrays, built when generated code first asks for them.

Instants are microseconds (int). A *slot* holds the instants of the events that a filter takes, a *column* values
beside them; both are known by numbers, which the generated code holds. Every array of instants ends with `END`, so
`slots[k] or x.slot(k)` is a lookup that builds the array when it is missing. What a filter takes may depend on
`now` (it is *dated*); then the array is kept only until another `now` is asked about.

A sequence that is asked for once is searched for; asked again, it is worth keeping what was found out on the way.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import itemgetter
from typing import Any

from segdsl import types
from segdsl.backends.python import chains
from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.kept_chains import KeptChain, kept_chain
from segdsl.backends.python.kept_groups import Groups, KeptGroups
from segdsl.backends.python.runtime import END, Column, Times, period
from segdsl.core.contact import Facts
from segdsl.core.nodes import PeriodOf, Property

Row = tuple[int, Mapping[str, Any]]  # an event: its instant and its known properties
Where = Callable[["Index", int, Any, int, Mapping[str, Any]], bool]


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
    _filters: dict[str, list[tuple[int, Where | None]]] = field(default_factory=dict)
    _beside: dict[int, list[int]] = field(default_factory=dict)
    _of_chains: dict[tuple[int, bool], list[int]] = field(default_factory=dict)
    _dated_chains: dict[int, bool] = field(default_factory=dict)

    def filters_of(self, kind: str) -> list[tuple[int, Where | None]]:
        """The slots that do not depend on `now` and take events of a kind, each with its test."""
        found = self._filters.get(kind)
        if found is None:
            found = self._filters[kind] = [
                (number, where) for number, slot in enumerate(self.slots) if not slot.dated
                for each, where in slot.branches if each == kind
            ]  # fmt: skip
        return found

    def columns_of(self, slot: int) -> list[int]:
        """The columns beside a slot."""
        found = self._beside.get(slot)
        if found is None:
            found = self._beside[slot] = [number for number, plan in enumerate(self.columns) if plan.slot == slot]
        return found

    def chains_of(self, source: int, grouped: bool) -> list[int]:
        """The sequences that look at a slot or, `grouped`, at a column."""
        found = self._of_chains.get((source, grouped))
        if found is None:
            found = self._of_chains[source, grouped] = [
                number for number, plan in enumerate(self.chains) if plan.grouped == grouped and source in plan.sources
            ]  # fmt: skip
        return found

    def dated_source(self, chain: ChainPlan, source: int) -> bool:
        """Whether a sequence's slot or column depends on `now`."""
        return self.slots[self.columns[source].slot if chain.grouped else source].dated

    def dated_chain(self, number: int) -> bool:
        """Whether what a sequence looks at depends on `now`."""
        found = self._dated_chains.get(number)
        if found is None:
            plan = self.chains[number]
            found = any(self.dated_source(plan, source) for source in plan.sources)
            self._dated_chains[number] = found
        return found


class Index:
    """One contact's facts, arranged for one program. Arrays are built when first asked for.

    The facts must not change while the index is in use, except through `add` and `drop`, by one thread alone.
    """

    __slots__ = ("_groups", "_kept", "_kinds", "_memo", "_plan", "attributes", "columns", "facts", "lists", "slots")

    def __init__(self, plan: Plan, facts: Facts) -> None:
        self.facts = facts
        self.attributes = facts.attributes
        self.lists = facts.lists
        self.slots: list[Times | None] = [None] * len(plan.slots)
        self.columns: list[Column | None] = [None] * len(plan.columns)
        self._plan = plan
        self._kinds: dict[str, Sequence[Row]] = {}
        self._groups: dict[int, list[dict[int, Times]]] = {}
        self._kept: dict[int, KeptChain | KeptGroups | None] = {}  # None: asked for once
        self._memo: tuple[int, dict[Any, Any]] = (0, {})

    def add(self, kind: str, row: Row) -> None:
        """One more event, in the facts too, whose `events` are a dict then.

        Arrays that exist take it at their end, where most events belong; others are made anew when asked for.
        """
        events = self.facts.events
        assert isinstance(events, dict)
        rows: list[Row] = events.get(kind, [])
        if rows is not self._kinds.get(kind):
            rows = self._kinds[kind] = events[kind] = list(self.events(kind))
        time, properties = row
        if rows and rows[-1][0] > time:
            rows.insert(bisect_right(rows, time, key=itemgetter(0)), row)
        else:
            rows.append(row)
        self._memo = (0, {})
        self._groups.clear()
        for number, where in self._plan.filters_of(kind):
            if where is None or where(self, 0, (), time, properties):
                self._count(number, row)

    def _count(self, number: int, row: Row) -> None:
        """One more event that a filter takes."""
        times = self.slots[number]
        if times is not None:
            insort(times, row[0])
        for chain in self._plan.chains_of(number, grouped=False):
            kept = self._kept.get(chain)
            if isinstance(kept, KeptChain):
                kept.forget(row[0])
        for beside in self._plan.columns_of(number):
            (_, *known), added = column_of(plan := self._plan.columns[beside], [row])
            if not known:  # it is `END`: of this event the column takes nothing
                continue
            column = self.columns[beside]
            if column is not None and not _append(column, plan, row[0], added):
                self.columns[beside] = None
            for chain in self._plan.chains_of(beside, grouped=True):
                kept = self._kept.get(chain)
                if isinstance(kept, KeptGroups):
                    kept.add(beside, added[0], row[0])

    def slot(self, number: int) -> Times:
        """Sorted instants of a filter that does not depend on `now`; kept for next time."""
        times = self.slots[number] = [*map(itemgetter(0), self.rows(number, 0)), END]
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
            memo[key] = [*map(itemgetter(0), self.rows(number, now)), END]
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

    def has_chain(self, number: int, now: int, lo: int, hi: int) -> bool:
        """Whether some chain of events in (lo, hi] fits sequence `number`; hi <= now."""
        if number not in self._kept or self._plan.dated_chain(number):
            self._kept.setdefault(number)
            return self.chain(number, now, lo, hi) is not None
        plan, kept = self._plan.chains[number], self._kept[number]
        if kept is None:
            kept = KeptGroups(plan, self._grouped(plan, now)) if plan.grouped else kept_chain(plan, lo)
            self._kept[number] = kept
        if isinstance(kept, KeptGroups):
            return kept.holds(now, lo, hi)
        return kept.holds(self._instants(plan, now), now, lo, hi)

    def chain(self, number: int, now: int, lo: int, hi: int) -> tuple[int, ...] | None:
        """The instants of some chain of events in (lo, hi] that fits sequence `number`, or None."""
        plan = self._plan.chains[number]
        if not plan.grouped:
            return chains.find(plan, self._instants(plan, now), now, lo, hi)
        groups = self._groups.get(number)
        if groups is None:
            groups = [
                {source: times.get(source, []) for source in plan.sources}
                for times in self._grouped(plan, now).values() if all(step in times for step in plan.steps)
            ]  # fmt: skip
            if not self._plan.dated_chain(number):
                self._groups[number] = groups
        for times in groups:
            found = chains.find(plan, times, now, lo, hi)
            if found is not None:
                return found
        return None

    def _instants(self, plan: ChainPlan, now: int) -> dict[int, Times]:
        """The instants that a sequence without groups looks at."""
        return {
            source: self.dated_slot(source, now) if self._plan.slots[source].dated
            else self.slots[source] or self.slot(source)
            for source in plan.sources
        }  # fmt: skip

    def _grouped(self, plan: ChainPlan, now: int) -> Groups:
        """The instants of a sequence, for each group."""
        groups: Groups = {}
        for source in plan.sources:
            dated = self._plan.dated_source(plan, source)
            column = self.dated_column(source, now) if dated else self.columns[source] or self.column(source)
            for time, key in zip(*column, strict=False):  # the instants end with END, which has no key
                groups.setdefault(key, {}).setdefault(source, []).append(time)
        return groups

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

    def rows(self, number: int, now: int) -> Sequence[Row]:
        """The events that a filter takes, sorted by time; `now` counts only for a filter that asks for it."""
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

    def events(self, kind: str) -> Sequence[Row]:
        """The events of a kind, sorted by time."""
        rows = self._kinds.get(kind)
        if rows is None:
            rows = self._kinds[kind] = sorted(self.facts.events.get(kind, ()), key=itemgetter(0))
        return rows

    def _column(self, number: int, now: int) -> Column:
        plan = self._plan.columns[number]
        return column_of(plan, self.rows(plan.slot, now))


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


def _append(column: Column, plan: ColumnPlan, time: int, added: Sequence[Any]) -> bool:
    """Put what a column takes of an event at its end; False if it belongs elsewhere (of one instant it is sorted)."""
    times, values = column
    if len(times) > 1 and times[-2] >= time:
        return False
    times.insert(-1, time)
    values.append(values[-1] + added[-1] if plan.sums else added[0])
    return True


def value_of(part: Property | PeriodOf, time: int, properties: Mapping[str, Any]) -> Any:
    """A property of one event, or the start of the period that holds it; None if unknown."""
    return properties.get(part.key) if isinstance(part, Property) else period(time, part.unit, part.zone)
