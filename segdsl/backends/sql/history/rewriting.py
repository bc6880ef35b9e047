"""A segment's rule said by counts alone, as far as it can be: what is left to do for SQL is to count.

The last event lies in a window if one does and none came later; the largest value is at least 5 if some value is.
"""

from __future__ import annotations

from segdsl.backends.sql.history.edges import Unsaid
from segdsl.core import nodes as core
from segdsl.core.counts import Counted, counted
from segdsl.core.program import Program
from segdsl.core.time import EVER, FromNow, Span
from segdsl.core.walking import mapped
from segdsl.types import INT

FAR = 2**31 - 1  # rows to a neighbour that no database has
MOST = 5000  # nodes of a rule with all that it refers to


def by_counts(program: Program, segment: str) -> core.Rule:
    """The rule of a segment with those of segments and scores that it refers to in their places.

    Raises Unsaid if that would be too long.
    """
    count = 0

    def change(node: object) -> object:
        nonlocal count
        count += 1
        if count > MOST:
            raise Unsaid
        match node:
            case core.InSegment():
                return mapped(program.segments[node.name].rule, change)
            case core.ScoreOf():
                return mapped(program.scores[node.name], change)
            case core.InSpan(value=core.Measure() as measure, span=Span() as span) if _outermost(measure):
                return _lies_in(measure, span)
            case core.Known(value=core.Measure() as measure) if measure.kind not in ("count", "sum", "distinct"):
                return _some(measure.events if measure.of is None else _among(measure.events, core.Known(measure.of)))
            case core.Compare():
                return _compared(node)
        return node

    found = mapped(program.segments[segment].rule, change)
    assert isinstance(found, core.Rule)
    return found


def _some(events: core.Events) -> core.Rule:
    return core.Compare(">=", core.Measure("count", events), core.Const(1, INT))


def _none(events: core.Events) -> core.Rule:
    return core.Not(_some(events))


def _among(events: core.Events, rule: core.Rule) -> core.Events:
    """Those of some events that fit one more rule."""
    branches = tuple(core.Branch(branch.kind, core.All((branch.where, rule))) for branch in events.branches)
    return core.Events(branches, events.span)


def _outermost(measure: core.Measure) -> bool:
    """Whether a measure is the first or the last of all events up to now."""
    ever = measure.events.span is not None and measure.events.span in (EVER, Span(None, None))
    return measure.kind in ("first", "last") and measure.of is None and ever


def _lies_in(measure: core.Measure, span: Span) -> core.Rule:
    """That the first, or the last, of all events lies in a window."""
    branches = measure.events.branches

    def within(lo: object, hi: object) -> core.Events:
        return core.Events(branches, Span(lo, hi))  # type: ignore[arg-type]

    if measure.kind == "last":
        parts = [_some(within(span.lo, FromNow()))]
        return core.All((*parts, _none(within(span.hi, FromNow())))) if span.hi is not None else parts[0]
    parts = [_some(within(None, span.hi or FromNow()))]
    return core.All((*parts, _none(within(None, span.lo)))) if span.lo is not None else parts[0]


def _in_window(rule: core.Rule) -> Counted | None:
    """A comparison of how many events lie in a window with a whole number."""
    asked = counted(rule)
    return asked if asked is not None and isinstance(asked.measure.events.span, Span) else None


def _reaching(asked: Counted) -> core.Rule:
    """A comparison of a count by what it is at least."""

    def at_least(number: int) -> core.Rule:
        return core.Compare(">=", asked.measure, core.Const(number, INT)) if number > 0 else core.EVERYONE

    least, *more = map(at_least, asked.leasts)
    if more:
        return core.All((least, *map(core.Not, more)))
    return least if asked.op in (">=", ">") else core.Not(least)


def enough(rule: core.Rule) -> tuple[core.Measure, int] | None:
    """A count of events in a window and how many they must at least be, where that is all that a rule says and a
    neighbour so far away can be asked for."""
    asked = _in_window(rule)
    if asked is None or asked.op != ">=" or not 0 < asked.number < FAR:
        return None
    return asked.measure, asked.number


def _compared(rule: core.Compare) -> core.Rule:
    """A comparison of a count of events, or of their least or greatest value, with a constant."""
    asked = _in_window(rule)
    if asked is not None:
        return _reaching(asked)
    op, left, right = rule.op, rule.left, rule.right
    if not (isinstance(left, core.Measure) and left.kind in ("min", "max") and isinstance(right, core.Const)):
        return rule
    of, bound = left.of, right
    if not isinstance(of, core.Property):
        return rule
    events = left.events

    def having(op: core.CompareOp) -> core.Events:
        return _among(events, core.Compare(op, of, bound))

    known = _some(_among(events, core.Known(of)))
    outward: core.CompareOp = ">" if left.kind == "max" else "<"
    reaching: core.CompareOp = ">=" if left.kind == "max" else "<="
    if op in (outward, reaching):
        return _some(having(op))
    if op == "=":
        return core.All((_some(having(reaching)), _none(having(outward))))
    beyond = reaching if op in ("<", ">") else outward
    return core.All((known, _none(having(beyond))))
