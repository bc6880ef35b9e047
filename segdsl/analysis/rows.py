"""Tests of events that ask for `now` (`where (due in next 7d)`), over a stretch of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segdsl.analysis import ranges
from segdsl.analysis.probe import Probe, leaves
from segdsl.analysis.ranges import Answer, exactly
from segdsl.analysis.spans import anniversary_in, in_anchored, in_window
from segdsl.backends.python.module import asks_now
from segdsl.backends.python.runtime import Index, Row, value_of
from segdsl.core import nodes as core

RowTest = Callable[[int, int, Row], Answer]


def row_test(probe: Probe, index: Index, branch: core.Branch) -> RowTest:
    """Whether an event of the branch's kind fits it throughout a stretch: `(a, b, row)`."""

    def fitting(alone: core.Branch) -> frozenset[int]:
        number, _ = probe.compiled.slot((alone,))
        return frozenset(id(row) for row in index.rows(number, 0))

    if not asks_now(branch):
        every = fitting(branch)
        return lambda a, b, row: id(row) in every
    apart = [core.Branch(branch.kind, leaf) for leaf in leaves(branch.where)]
    still = {id(alone.where): fitting(alone) for alone in apart if not asks_now(alone)}

    def build(rule: core.Rule) -> RowTest:
        match rule:
            case core.All() | core.Any() if rule.parts:
                parts = [build(part) for part in rule.parts]
                if isinstance(rule, core.All):
                    return lambda a, b, row: ranges.both(part(a, b, row) for part in parts)
                return lambda a, b, row: ranges.opposite(
                    ranges.both(ranges.opposite(part(a, b, row)) for part in parts)
                )
            case core.All() | core.Any():
                return lambda a, b, row: isinstance(rule, core.All)
            case core.Not():
                part = build(rule.part)
                return lambda a, b, row: ranges.opposite(part(a, b, row))
            case _ if id(rule) in still:
                rows = still[id(rule)]
                return lambda a, b, row: id(row) in rows
            case core.InSpan():
                value, span = rule.value, rule.span
                if isinstance(span, core.Anchored):
                    anchor, lo, hi = span.anchor, span.lo, span.hi
                    return lambda a, b, row: in_anchored(
                        exactly(_of(value, row)), exactly(_of(anchor, row)), lo, hi, a, b
                    )
                window = span
                return lambda a, b, row: in_window(exactly(_of(value, row)), window, a, b)
            case core.Anniversary():
                of, zone, days = rule.value, rule.zone, rule.span
                return lambda a, b, row: anniversary_in(exactly(_of(of, row)), days, zone, a, b)
        raise AssertionError(f"a test of one event asks for now in no other way: {rule}")

    return build(branch.where)


def _of(value: core.Value, row: Row) -> Any:
    assert isinstance(value, core.Property | core.PeriodOf)
    return value_of(value, *row)


def undecided(probe: Probe, index: Index, branch: core.Branch) -> Callable[[int, int], bool]:
    """Whether some event comes to fit the branch, or ceases to, within a stretch, as far as is told."""
    test = row_test(probe, index, branch)
    return lambda a, b: any(test(a, b, row) is None for row in index.events(branch.kind))
