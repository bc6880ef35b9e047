"""Measures over a stretch of time: between what the narrowest and what the widest window holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any, assert_never

from segdsl.analysis.outlook.probe import Probe
from segdsl.analysis.outlook.ranges import UNKNOWN, Range, among, exactly
from segdsl.analysis.outlook.rows import Fitting
from segdsl.backends.python import runtime
from segdsl.backends.python.columns import Row, column_of
from segdsl.backends.python.index import Index
from segdsl.backends.python.runtime import END, Column, Times
from segdsl.core import nodes as core

# The greatest and the least lower edge, the least and the greatest upper edge, throughout (a, b).
Windowed = Callable[[int, int], tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Data:
    """A filter's sorted instants; beside them the column that the measure takes (its instants are `times`, then)."""

    times: Times
    column: Column


class Measured:
    """One measure over one contact's events."""

    def __init__(self, probe: Probe, index: Index, node: core.Measure, window: Windowed) -> None:
        self.node = node
        self.index = index
        self.window = window
        number, plan = probe.compiled.slot(node.events.branches)
        self.column = probe.compiled.column(node)
        self.data: Data | None = None
        if plan.dated:
            self.fitting = Fitting(probe, index, node.events.branches)
        elif self.column is None:
            times = index.slots[number] or index.slot(number)
            self.data = Data(times, (times, times[:-1]))
        else:
            values = index.columns[self.column[0]] or index.column(self.column[0])
            self.data = Data(values[0], values)
        self._risen: list[Any] | None = None

    def range(self, a: int, b: int) -> Range:
        """The values that the measure may have from a to b."""
        narrow_lo, wide_lo, narrow_hi, wide_hi = self.window(a, b)
        surely, perhaps = self._rows_decided(a, b, wide_lo, wide_hi)
        narrow, wide = (narrow_lo, narrow_hi), (wide_lo, wide_hi)
        if surely is perhaps and _same_place(surely.times, narrow, wide):
            return exactly(self._exact(surely, *narrow))
        return self._between(surely, narrow, perhaps, wide)

    def _rows_decided(self, a: int, b: int, lo: int, hi: int) -> tuple[Data, Data]:
        """The events that fit throughout, and those that may; one object if they are the same."""
        if self.data is not None:
            return self.data, self.data
        sure, open_ = self.fitting.over(a, b, lo, hi)
        surely = self._arranged(sure)
        return surely, self._arranged(sorted([*sure, *open_], key=itemgetter(0))) if open_ else surely

    def _arranged(self, rows: list[Row]) -> Data:
        if self.column is None:
            times = [*map(itemgetter(0), rows), END]
            return Data(times, (times, times[:-1]))
        values = column_of(self.column[1], rows)
        return Data(values[0], values)

    def _exact(self, data: Data, lo: int, hi: int) -> Any:
        """The measure over (lo, hi], as the predicate takes it."""
        node = self.node
        return runtime.measure(node.kind, bool(node.same), node.within, node.rank, data.column, lo, hi)

    def _between(self, surely: Data, narrow: tuple[int, int], perhaps: Data, wide: tuple[int, int]) -> Range:
        """The range over windows that hold at least what is sure in `narrow`, and at most what may be in `wide`."""
        match self.node.kind:
            case "count" | "distinct":
                return Range(self._exact(surely, *narrow), self._exact(perhaps, *wide))
            case "sum":
                low, rise = self._sums(surely, *narrow)
                high, most = self._sums(perhaps, *wide)
                fall, deepest = low - rise, high - most
                return Range(low + deepest - fall, low + most - rise)
        values, every = _values(surely.column, *narrow), _values(perhaps.column, *wide)
        if not every:
            return UNKNOWN
        match self.node.kind:
            case "min":
                return Range(min(every), min(values) if values else max(every), not values)
            case "max":
                return Range(max(values) if values else min(every), max(every), not values)
            case "percentile":
                return self._percentile(len(values), every)
            case "first" | "last":
                return self._end(surely, narrow, perhaps, wide)
        assert_never(self.node.kind)

    def _sums(self, data: Data, lo: int, hi: int) -> tuple[Any, Any]:
        """The sum over (lo, hi], and that of what is above 0 in it."""
        times, sums = data.column
        risen = self._risen if data is self.data else None
        if risen is None:
            risen = list(accumulate((max(after - before, 0) for before, after in pairwise(sums)), initial=0))
            if data is self.data:
                self._risen = risen
        return runtime.total(data.column, lo, hi), runtime.total((times, risen), lo, hi)

    def _percentile(self, count: int, every: list[Any]) -> Range:
        """A set of at least `count` out of `every` has its rank that far from the ends of `every`, or farther."""
        assert self.node.rank is not None
        if count == 0:
            return Range(min(every), max(every), True)
        rank = runtime.rank(count, *self.node.rank)
        every = sorted(every)
        return Range(every[rank - 1], every[len(every) - count + rank - 1])

    def _end(self, surely: Data, narrow: tuple[int, int], perhaps: Data, wide: tuple[int, int]) -> Range:
        """The first or last value: what is sure bounds how far from the end of what may be it lies."""
        times, values = perhaps.column
        i, j = _place(times, *wide)
        k, end = _place(surely.column[0], *narrow)
        some = k < end
        if some and self.node.kind == "last":
            i = max(i, bisect_left(times, surely.column[0][end - 1]))
            if surely is perhaps:
                i = max(i, end - 1)
        elif some:
            j = min(j, bisect_right(times, surely.column[0][k]))
            if surely is perhaps:
                j = min(j, k + 1)
        return among(values[i:j], not some)


def _place(times: Times, lo: int, hi: int) -> tuple[int, int]:
    j = bisect_right(times, hi)
    return bisect_right(times, lo, 0, j), j


def _same_place(times: Times, narrow: tuple[int, int], wide: tuple[int, int]) -> bool:
    """Whether two windows hold the same."""
    i, j = _place(times, *narrow)
    k, end = _place(times, *wide)
    return (i, j) == (k, end) or (i == j and k == end)


def _values(column: Column, lo: int, hi: int) -> list[Any]:
    i, j = _place(column[0], lo, hi)
    return column[1][i:j]
