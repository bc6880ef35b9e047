"""One contact's facts as sorted arrays, built when generated code first asks for them.

Instants are microseconds (int). A *slot* holds the instants of the events that a filter takes, a *column* values
beside them; both are known by numbers, which the generated code holds. Every array of instants ends with `END`, so
`slots[k] or x.slot(k)` is a lookup that builds the array when it is missing. What a filter takes may depend on
`now` (it is *dated*); then the array is kept only until another `now` is asked about.

A sequence or a measure that looks at many events is worked out when it is asked for once. Asked again, it is worth
keeping what was found out (`kept_chains`, `sliding`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from segdsl.backends.python import chains
from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.columns import column_of, insert, place, remove, take_out
from segdsl.backends.python.kept_chains import KeptChain, kept_chain
from segdsl.backends.python.kept_groups import Groups, KeptGroups
from segdsl.backends.python.plan import Plan
from segdsl.backends.python.runtime import END, Column, Times
from segdsl.backends.python.sliding import Slide, SlidePlan
from segdsl.core.contact import Facts, Row

FEW = 32  # so many events are looked at as fast as anything that could be kept of them


class Index:
    """One contact's facts, arranged for one program. Arrays are built when first asked for.

    While the index is in use the facts change by one thread alone, and only by `add`, `remove` and `forget_answers`.
    """

    __slots__ = (
        "_groups", "_kept", "_kinds", "_memo", "_plan", "_slides", "attributes", "columns", "facts", "lists", "slots",
    )  # fmt: skip

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
        self._slides: dict[int, Slide | None] = {}
        self._memo: tuple[int, dict[Any, Any]] = (0, {})

    def add(self, kind: str, row: Row) -> None:
        """One more event, in the facts too, whose `events` are a dict then.

        Arrays that exist take it where it belongs, which is at their end for most events.
        """
        rows = self._rows_to_change(kind)
        if rows and rows[-1][0] > row[0]:
            rows.insert(bisect_right(rows, row[0], key=itemgetter(0)), row)
        else:
            rows.append(row)
        for number in self._filters_of(kind, row):
            self._count(number, row)

    def remove(self, kind: str, row: Row) -> None:
        """One event less, in the facts too; it must be among them."""
        take_out(self._rows_to_change(kind), row)
        for number in self._filters_of(kind, row):
            self._count(number, row, gone=True)

    def _rows_to_change(self, kind: str) -> list[Row]:
        """The events of a kind, which the facts and the index share; what was told by them counts no more."""
        events = self.facts.events
        assert isinstance(events, dict)
        rows: list[Row] = events.get(kind, [])
        if rows is not self._kinds.get(kind):
            rows = self._kinds[kind] = events[kind] = list(self.events(kind))
        self._memo = (0, {})
        self._groups.clear()
        return rows

    def _filters_of(self, kind: str, row: Row) -> Iterator[int]:
        """The slots that do not depend on `now` and take an event."""
        for number, where in self._plan.filters_of.get(kind, ()):
            if where is None or where(self, 0, (), *row):
                yield number

    def _count(self, number: int, row: Row, gone: bool = False) -> None:
        """One more event that a filter takes, or one less."""
        time, times = row[0], self.slots[number]
        if times is not None and gone:
            at = bisect_left(times, time)
            self._slid((number, False), times, times, at, gone)
            del times[at]
        elif times is not None:
            at = bisect_right(times, time)
            times.insert(at, time)
            self._slid((number, False), times, times, at, gone)
        for chain in self._plan.chains_of.get((number, False), ()):
            kept = self._kept.get(chain)
            if isinstance(kept, KeptChain):
                kept.forget(time)
        for beside in self._plan.columns_of.get(number, ()):
            self._count_beside(beside, row, gone)

    def _count_beside(self, number: int, row: Row, gone: bool) -> None:
        """The same for a column beside the filter."""
        plan, column = self._plan.columns[number], self.columns[number]
        (time, *known), values = column_of(plan, [row])
        if not known:  # it is `END`: of this event the column takes nothing
            return
        if column is not None and gone:
            at = place(column, plan, time, values[-1])
            self._slid((number, True), *column, at, gone)
            remove(column, plan, at, values[-1])
        elif column is not None:
            at = insert(column, plan, time, values[-1])
            self._slid((number, True), *column, at, gone)
        for chain in self._plan.chains_of.get((number, True), ()):
            kept = self._kept.get(chain)
            if isinstance(kept, KeptGroups):
                (kept.remove if gone else kept.add)(number, values[-1], time)

    def _slid(self, source: tuple[int, bool], times: Times, values: list[Any], at: int, gone: bool) -> None:
        """What has come into an array, or is about to go, for the windows that move over it."""
        for number in self._plan.slides_of.get(source, ()):
            slide = self._slides.get(number)
            if slide is not None:
                (slide.going if gone else slide.inserted)(times, values, at)

    def forget_answers(self) -> None:
        """Attributes, or the lists that the contact is on, are others now."""
        self.lists = self.facts.lists
        self._memo = (0, {})

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
        kept = self._kept.get(number)
        plan = self._plan.chains[number]
        if kept is None:
            if number not in self._kept or number in self._plan.dated_chains or self._has_few(plan):
                self._kept[number] = None
                return self.chain(number, now, lo, hi) is not None
            kept = KeptGroups(plan, self._grouped(plan, now)) if plan.grouped else kept_chain(plan, lo)
            self._kept[number] = kept
        if isinstance(kept, KeptGroups):
            return kept.holds(now, lo, hi)
        return kept.holds(self._instants(plan, now), now, lo, hi)

    def _has_few(self, plan: ChainPlan) -> bool:
        """Whether a sequence that was looked for looks at few instants."""
        if plan.grouped:
            return sum(len((self.columns[source] or self.column(source))[0]) for source in plan.sources) <= FEW
        return sum(len(self.slots[source] or self.slot(source)) for source in plan.sources) <= FEW

    def sliding(self, number: int, now: int, lo: int, hi: int) -> Any:
        """The measure over (lo, hi] whose windows move on; hi <= now."""
        plan = self._plan.slides[number]
        times, values = self._measured(plan, now)
        slide = self._slides.get(number)
        if slide is None:
            dated = self._plan.dated_source(plan.source, plan.beside)
            if number not in self._slides or dated or len(times) <= FEW:
                self._slides[number] = None
                return plan.plain(times, values, lo, hi)
            slide = self._slides[number] = plan.slide()
        return slide.over(times, values, lo, hi)

    def _measured(self, plan: SlidePlan, now: int) -> Column:
        """The instants, and the values beside them, that a measure looks at: instants again if it wants no values."""
        if plan.beside:
            return self._values(plan.source, now)
        times = self._times(plan.source, now)
        return times, times

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
            if number not in self._plan.dated_chains:
                self._groups[number] = groups
        for times in groups:
            found = chains.find(plan, times, now, lo, hi)
            if found is not None:
                return found
        return None

    def _instants(self, plan: ChainPlan, now: int) -> dict[int, Times]:
        """The instants that a sequence without groups looks at."""
        return {source: self._times(source, now) for source in plan.sources}

    def _grouped(self, plan: ChainPlan, now: int) -> Groups:
        """The instants of a sequence, for each group."""
        groups: Groups = {}
        for source in plan.sources:
            times, keys = self._values(source, now)
            for time, key in zip(times, keys, strict=False):  # the instants end with END, which has no key
                groups.setdefault(key, {}).setdefault(source, []).append(time)
        return groups

    def _times(self, number: int, now: int) -> Times:
        """The instants of any filter, whether it depends on `now` or not."""
        if self._plan.slots[number].dated:
            return self.dated_slot(number, now)
        return self.slots[number] or self.slot(number)

    def _values(self, number: int, now: int) -> Column:
        """The same for the values beside one."""
        if self._plan.dated_source(number, beside=True):
            return self.dated_column(number, now)
        return self.columns[number] or self.column(number)

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
                edges = self._plan.edges(now) if plan.dated else ()
                rows = [row for row in rows if where(self, now, edges, row[0], row[1])]
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
