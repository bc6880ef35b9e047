"""Measures over windows that move on: what lies in a window is kept, and an answer pays for what came and what went.

The measures themselves, over any window, are in `runtime`: these here give the same, whatever was asked before. Where
a window jumps, its content is laid in anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from threading import Lock
from typing import Any

from segdsl.backends.python import runtime
from segdsl.backends.python.runtime import Times
from segdsl.core.nodes import Measure


@dataclass(frozen=True)
class SlidePlan:
    """A measure that looks at every event of its window.

    source: the number of a column, or of a slot if not `beside`.
    """

    measure: Measure
    source: int
    beside: bool

    def plain(self, times: Times, values: list[Any], lo: int, hi: int) -> Any:
        """The measure over (lo, hi], worked out from the events."""
        return runtime.measure(self.measure, (times, values), lo, hi)

    def slide(self) -> Slide:
        """A window that holds nothing yet."""
        measure = self.measure
        if measure.within is not None:
            return _Bursts(measure.within, bool(measure.same))
        if measure.same:
            return _Groups()
        match measure.kind:
            case "distinct":
                return _Distinct()
            case "min":
                return _Sorted(lambda count: 1)
            case "max":
                return _Sorted(lambda count: count)
        assert measure.rank is not None
        numerator, denominator = measure.rank
        return _Sorted(lambda count: runtime.rank(count, numerator, denominator))


class Slide(ABC):
    """The events at positions [first, end) of sorted instants, and what is measured of them."""

    ordered = False  # whether events come in at the end alone

    def __init__(self) -> None:
        self._first = self._end = 0
        self._lock = Lock()

    @abstractmethod
    def clear(self) -> None:
        """Nothing is in the window."""

    @abstractmethod
    def enter(self, time: int, value: Any) -> None:
        """One more event is."""

    @abstractmethod
    def leave(self, time: int, value: Any) -> None:
        """The first of those that are in it is not."""

    def back(self, time: int, value: Any) -> None:
        """The last of those that are in it is not."""
        self.leave(time, value)

    @abstractmethod
    def result(self) -> Any:
        """The measure."""

    def over(self, times: Times, values: list[Any], lo: int, hi: int) -> Any:
        """The measure over (lo, hi]; always of the same arrays, whose changes `inserted` and `going` were told of."""
        with self._lock:
            end = bisect_right(times, hi)
            first = bisect_right(times, lo, 0, end)
            before = self.ordered and first < self._first
            if before or abs(first - self._first) + abs(end - self._end) > end - first:
                self.clear()
                self._first = self._end = first
            for at in range(self._end - 1, end - 1, -1):
                self.back(times[at], values[at])
            for at in range(self._end, end):
                self.enter(times[at], values[at])
            for at in range(first, self._first):
                self.enter(times[at], values[at])
            for at in range(self._first, first):
                self.leave(times[at], values[at])
            self._first, self._end = first, end
            return self.result()

    def inserted(self, times: Times, values: list[Any], at: int) -> None:
        """An event has come into the arrays, at a position."""
        if at >= self._end:
            return
        self._end += 1
        if at <= self._first:
            self._first += 1
        elif not self.ordered:
            self.enter(times[at], values[at])
        else:  # what lies behind it comes again
            for later in range(self._end - 1, at, -1):
                self.back(times[later], values[later])
            self._end = at

    def going(self, times: Times, values: list[Any], at: int) -> None:
        """The event at a position is about to go out of the arrays."""
        if at >= self._end:
            return
        if at < self._first:
            self._first -= 1
            self._end -= 1
        elif not self.ordered:
            self.leave(times[at], values[at])
            self._end -= 1
        else:  # what lies behind it comes again
            for later in range(self._end - 1, at - 1, -1):
                self.back(times[later], values[later])
            self._end = at


class _Distinct(Slide):
    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[Any, int] = {}

    def clear(self) -> None:
        self._counts.clear()

    def enter(self, time: int, value: Any) -> None:
        self._counts[value] = self._counts.get(value, 0) + 1

    def leave(self, time: int, value: Any) -> None:
        self._counts[value] -= 1
        if not self._counts[value]:
            del self._counts[value]

    def result(self) -> int:
        return len(self._counts)


class _Groups(_Distinct):
    """The largest of the groups that values make."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes = _Numbers()

    def clear(self) -> None:
        super().clear()
        self._sizes = _Numbers()

    def enter(self, time: int, value: Any) -> None:
        self._sizes.replace(self._counts.get(value, 0), self._counts.get(value, 0) + 1)
        super().enter(time, value)

    def leave(self, time: int, value: Any) -> None:
        self._sizes.replace(self._counts[value], self._counts[value] - 1)
        super().leave(time, value)

    def result(self) -> int:
        return self._sizes.largest


class _Sorted(Slide):
    """A value at some rank of the sorted ones. rank: how many there are -> the one that is asked for, from 1."""

    def __init__(self, rank: Callable[[int], int]) -> None:
        super().__init__()
        self._rank = rank
        self._values: list[Any] = []

    def clear(self) -> None:
        self._values.clear()

    def enter(self, time: int, value: Any) -> None:
        insort(self._values, value)

    def leave(self, time: int, value: Any) -> None:
        del self._values[bisect_left(self._values, value)]

    def result(self) -> Any:
        return self._values[self._rank(len(self._values)) - 1] if self._values else None


class _Bursts(Slide):
    """The largest count in any (s - within, s], of one group's events."""

    ordered = True

    def __init__(self, within: int, grouped: bool) -> None:
        super().__init__()
        self._within, self._grouped = within, grouped
        self.clear()

    def clear(self) -> None:
        self._groups: dict[Any, _Group] = {}
        self._sizes = _Numbers()

    def enter(self, time: int, value: Any) -> None:
        key = value if self._grouped else None
        if key not in self._groups:
            self._groups[key] = _Group(self._within, self._sizes)
        self._groups[key].enter(time)

    def leave(self, time: int, value: Any) -> None:
        key = value if self._grouped else None
        if not self._groups[key].leave():
            del self._groups[key]

    def back(self, time: int, value: Any) -> None:
        key = value if self._grouped else None
        if not self._groups[key].back():
            del self._groups[key]

    def result(self) -> int:
        return self._sizes.largest


class _Group:
    """One group's events, and the sizes of its bursts, written among those of all groups.

    The window's beginning cuts bursts short that end less than `within` after its first event: of these the last is
    the largest, and holds all of them. Bursts that end later are whole, and each of them has its size for good.
    """

    def __init__(self, within: int, sizes: _Numbers) -> None:
        self._within, self._sizes = within, sizes
        self._times: list[int] = []
        self._whole: list[int] = []  # for each event the size of the burst that ends with it, as if it were whole
        self._first = 0  # the position of the window's first event
        self._cut = 0  # and of the first whose burst is not cut short
        self._tail = 0  # and of the first in the burst that ends with the last event

    def enter(self, time: int) -> None:
        self._times.append(time)
        while self._times[self._tail] <= time - self._within:
            self._tail += 1
        self._whole.append(len(self._times) - self._tail)
        if self._cut < len(self._times) - 1 or time >= self._times[self._first] + self._within:
            self._sizes.replace(0, self._whole[-1])
        else:
            self._sizes.replace(self._cut - self._first, self._cut + 1 - self._first)
            self._cut += 1

    def leave(self) -> bool:
        """The first event is no longer in the window; whether any is."""
        before = self._cut - self._first
        self._first += 1
        if self._first < len(self._times):
            until = self._times[self._first] + self._within
            while self._cut < len(self._times) and self._times[self._cut] < until:
                self._sizes.replace(self._whole[self._cut], 0)
                self._cut += 1
        self._sizes.replace(before, self._cut - self._first)
        return self._first < len(self._times)

    def back(self) -> bool:
        """The last event is no longer in the window; whether any is."""
        self._times.pop()
        whole = self._whole.pop()
        if self._cut <= len(self._times):
            self._sizes.replace(whole, 0)
        else:
            self._sizes.replace(self._cut - self._first, self._cut - 1 - self._first)
            self._cut -= 1
        self._tail = len(self._times) - self._whole[-1] if self._whole else 0
        return self._first < len(self._times)


class _Numbers:
    """Numbers, some of them many times, of which the largest is asked for; there is no 0 among them."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._falling: list[int] = []  # negative and as a heap, each once; some may be there no more

    def replace(self, old: int, new: int) -> None:
        """One number becomes another; from 0 it comes, to 0 it goes."""
        if old:
            self._counts[old] -= 1
        if new:
            if new not in self._counts:
                self._counts[new] = 0
                heappush(self._falling, -new)
            self._counts[new] += 1

    @property
    def largest(self) -> int:
        """0 if there is none."""
        while self._falling and not self._counts[-self._falling[0]]:
            del self._counts[-heappop(self._falling)]
        return -self._falling[0] if self._falling else 0
