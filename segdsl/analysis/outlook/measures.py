"""Measures over a stretch of time: between what the narrowest and what the widest window holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any, assert_never

from segdsl.analysis.outlook.probe import Probe
from segdsl.analysis.outlook.ranges import UNKNOWN, Range, among, exactly
from segdsl.analysis.outlook.rows import Fitting
from segdsl.backends.python import runtime
from segdsl.backends.python.columns import column_of
from segdsl.backends.python.index import Index
from segdsl.backends.python.runtime import END, Column, Times, positions
from segdsl.core import nodes as core
from segdsl.core.contact import Row

# The greatest and the least lower edge, the least and the greatest upper edge, throughout (a, b).
Windowed = Callable[[int, int], tuple[int, int, int, int]]


class Measured:
    """One measure over one contact's events; what it takes of them is a column, whose values are instants if it wants
    no others."""

    def __init__(self, probe: Probe, index: Index, node: core.Measure, window: Windowed) -> None:
        self.node = node
        self.index = index
        self.window = window
        number, plan = probe.compiled.slot(node.events.branches)
        self.column = probe.compiled.column(node)
        self.taken: Column | None = None  # what is the same at every instant
        if plan.dated:
            self.fitting = Fitting(probe, index, node.events.branches)
        elif self.column is None:
            times = index.slots[number] or index.slot(number)
            self.taken = (times, times[:-1])
        else:
            self.taken = index.columns[self.column[0]] or index.column(self.column[0])
        self._risen: list[Any] | None = None

    def range(self, a: int, b: int) -> Range:
        """The values that the measure may have from a to b."""
        narrow_lo, wide_lo, narrow_hi, wide_hi = self.window(a, b)
        surely, perhaps = self._rows_decided(a, b, wide_lo, wide_hi)
        narrow, wide = (narrow_lo, narrow_hi), (wide_lo, wide_hi)
        if surely is perhaps and _same_place(surely[0], narrow, wide):
            return exactly(self._exact(surely, *narrow))
        return self._between(surely, narrow, perhaps, wide)

    def _rows_decided(self, a: int, b: int, lo: int, hi: int) -> tuple[Column, Column]:
        """Of the events that fit throughout, and of those that may; one object if they are the same."""
        if self.taken is not None:
            return self.taken, self.taken
        sure, open_ = self.fitting.over(a, b, lo, hi)
        surely = self._arranged(sure)
        return surely, self._arranged(sorted([*sure, *open_], key=itemgetter(0))) if open_ else surely

    def _arranged(self, rows: list[Row]) -> Column:
        if self.column is not None:
            return column_of(self.column[1], rows)
        times = [*map(itemgetter(0), rows), END]
        return times, times[:-1]

    def _exact(self, column: Column, lo: int, hi: int) -> Any:
        """The measure over (lo, hi], as the predicate takes it."""
        return runtime.measure(self.node, column, lo, hi)

    def _between(self, surely: Column, narrow: tuple[int, int], perhaps: Column, wide: tuple[int, int]) -> Range:
        """The range over windows that hold at least what is sure in `narrow`, and at most what may be in `wide`."""
        match self.node.kind:
            case "count" | "distinct":
                return Range(self._exact(surely, *narrow), self._exact(perhaps, *wide))
            case "sum":
                low, rise = self._sums(surely, *narrow)
                high, most = self._sums(perhaps, *wide)
                fall, deepest = low - rise, high - most
                return Range(low + deepest - fall, low + most - rise)
        values, every = _values(surely, *narrow), _values(perhaps, *wide)
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

    def _sums(self, column: Column, lo: int, hi: int) -> tuple[Any, Any]:
        """The sum over (lo, hi], and that of what is above 0 in it."""
        times, sums = column
        risen = self._risen if column is self.taken else None
        if risen is None:
            risen = list(accumulate((max(after - before, 0) for before, after in pairwise(sums)), initial=0))
            if column is self.taken:
                self._risen = risen
        return runtime.total(column, lo, hi), runtime.total((times, risen), lo, hi)

    def _percentile(self, count: int, every: list[Any]) -> Range:
        """A set of at least `count` out of `every` has its rank that far from the ends of `every`, or farther."""
        assert self.node.rank is not None
        if count == 0:
            return Range(min(every), max(every), True)
        rank = runtime.rank(count, *self.node.rank)
        every = sorted(every)
        return Range(every[rank - 1], every[len(every) - count + rank - 1])

    def _end(self, surely: Column, narrow: tuple[int, int], perhaps: Column, wide: tuple[int, int]) -> Range:
        """The first or last value: what is sure bounds how far from the end of what may be it lies."""
        times, values = perhaps
        i, j = positions(times, *wide)
        k, end = positions(surely[0], *narrow)
        some = k < end
        if some and self.node.kind == "last":
            i = max(i, bisect_left(times, surely[0][end - 1]))
            if surely is perhaps:
                i = max(i, end - 1)
        elif some:
            j = min(j, bisect_right(times, surely[0][k]))
            if surely is perhaps:
                j = min(j, k + 1)
        return among(values[i:j], not some)


def _same_place(times: Times, narrow: tuple[int, int], wide: tuple[int, int]) -> bool:
    """Whether two windows hold the same."""
    i, j = positions(times, *narrow)
    k, end = positions(times, *wide)
    return (i, j) == (k, end) or (i == j and k == end)


def _values(column: Column, lo: int, hi: int) -> list[Any]:
    i, j = positions(column[0], lo, hi)
    return column[1][i:j]
