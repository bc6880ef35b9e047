"""Tests of events that ask for `now` (`where (due in next 7d)`), over a stretch of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from segdsl.analysis.outlook import ranges
from segdsl.analysis.outlook.probe import Probe
from segdsl.analysis.outlook.ranges import Answer, exactly
from segdsl.analysis.outlook.spans import anniversary_in, in_anchored, window
from segdsl.backends.python.columns import value_of
from segdsl.backends.python.index import Index
from segdsl.backends.python.runtime import BEGIN, END
from segdsl.core import nodes as core
from segdsl.core.contact import Row
from segdsl.core.time import Span
from segdsl.core.walking import asks_now

# Of a stretch (a, b): whether an event fits throughout it.
RowTest = Callable[[int, int], Callable[[Row], Answer]]


class Fitting:
    """The events that fit some branches: throughout a stretch, and those of which that is open.

    What is decided for a stretch is decided for every part of it, so that of a part only what was open is asked
    again: the stretches around the last one are kept.
    """

    def __init__(self, probe: Probe, index: Index, branches: Sequence[core.Branch]) -> None:
        self._tests = [row_test(probe, index, branch) for branch in branches]
        rows = [(row, i) for i, branch in enumerate(branches) for row in index.events(branch.kind)]
        self._kept: list[tuple[int, int, list[Row], list[tuple[Row, int]]]] = [(BEGIN, END, [], rows)]

    def over(self, a: int, b: int, lo: int = BEGIN, hi: int = END) -> tuple[list[Row], list[Row]]:
        """The fitting and the open events in (lo, hi], sorted by time.

        (lo, hi] is a window that over a part of the stretch holds no more than it does now.
        """
        while not (self._kept[-1][0] <= a and b <= self._kept[-1][1]):
            self._kept.pop()
        _, _, sure, waiting = self._kept[-1]
        tests = [test(a, b) for test in self._tests]
        fitting = [row for row in sure if lo < row[0] <= hi]
        still: list[tuple[Row, int]] = []
        for row, i in waiting:
            if lo < row[0] <= hi:
                answer = tests[i](row)
                if answer is None:
                    still.append((row, i))
                elif answer:
                    fitting.append(row)
        fitting.sort(key=itemgetter(0))
        self._kept.append((a, b, fitting, still))
        return fitting, sorted((row for row, _ in still), key=itemgetter(0))


def row_test(probe: Probe, index: Index, branch: core.Branch) -> RowTest:
    """Whether an event of the branch's kind fits it throughout a stretch."""

    def fitting(alone: core.Branch) -> RowTest:
        number, _ = probe.compiled.slot((alone,))
        rows = frozenset(id(row) for row in index.rows(number, 0))
        return lambda a, b: lambda row: id(row) in rows

    def build(rule: core.Rule) -> RowTest:
        match rule:
            case core.All() | core.Any():
                parts = [build(part) for part in rule.parts]
                return lambda a, b: _joined([part(a, b) for part in parts], isinstance(rule, core.All))
            case core.Not():
                part = build(rule.part)
                return lambda a, b: _negated(part(a, b))
            case _ if not asks_now(alone := core.Branch(branch.kind, rule)):
                return fitting(alone)
            case core.InSpan(value=value, span=core.Anchored(anchor=anchor, lo=lo, hi=hi)):
                return lambda a, b: (
                    lambda row: in_anchored(exactly(_of(value, row)), exactly(_of(anchor, row)), lo, hi, a, b)
                )
            case core.InSpan(value=value, span=Span() as span):
                return lambda a, b: _windowed(value, window(span, a, b))
            case core.Anniversary(value=value, zone=zone, span=span):
                return lambda a, b: lambda row: anniversary_in(exactly(_of(value, row)), span, zone, a, b)
        raise AssertionError(f"a test of one event asks for now in no other way: {rule}")

    return build(branch.where) if asks_now(branch) else fitting(branch)


def _joined(parts: list[Callable[[Row], Answer]], everyone: bool) -> Callable[[Row], Answer]:
    if everyone:
        return lambda row: ranges.both(part(row) for part in parts)
    return lambda row: ranges.opposite(ranges.both(ranges.opposite(part(row)) for part in parts))


def _negated(part: Callable[[Row], Answer]) -> Callable[[Row], Answer]:
    return lambda row: ranges.opposite(part(row))


def _windowed(value: core.Value, edges: tuple[int, int, int, int]) -> Callable[[Row], Answer]:
    narrow_lo, wide_lo, narrow_hi, wide_hi = edges

    def test(row: Row) -> Answer:
        instant = _of(value, row)
        if instant is None or instant <= wide_lo or instant > wide_hi:
            return False
        return True if narrow_lo < instant <= narrow_hi else None

    return test


def _of(value: core.Value, row: Row) -> Any:
    assert isinstance(value, core.Property | core.PeriodOf)
    return value_of(value, *row)
