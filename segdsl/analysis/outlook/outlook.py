"""One contact with nothing new happening: what holds throughout a stretch of time.

`Outlook.answer(rule)(a, b)` is True or False if the rule is that at every instant from a to b, None if that is not
told. Edges of windows only move forward, so over a stretch each lies between two instants; a count, say, then
lies between those of the narrowest and of the widest window. The closer a is to b, the more is told; where no
instant enters or leaves any window from a to b, everything is. So a search for the next change (`next_change`)
looks at whole stretches, not at every event that leaves a window.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from operator import itemgetter
from typing import Any, assert_never

from segdsl import types
from segdsl.analysis.outlook import ranges
from segdsl.analysis.outlook.measures import Measured, Windowed
from segdsl.analysis.outlook.probe import Probe
from segdsl.analysis.outlook.ranges import Answer, Range, exactly
from segdsl.analysis.outlook.rows import Fitting
from segdsl.analysis.outlook.spans import anniversary_in, in_anchored, in_window, window
from segdsl.backends.python import Index
from segdsl.backends.python.runtime import BEGIN, END, fold, ratio
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.time import At, Edge, FromNow, Span, bounds
from segdsl.core.walking import asks_now, children, walk

Test = Callable[[int, int], Answer]
Value = Callable[[int, int], Range]
MANY = 50  # references from segment to segment, at which Python's stack is spared


class Outlook:
    """What one contact's facts say from `now` on; every stretch that is asked for begins after `now`."""

    def __init__(self, probe: Probe, facts: Facts | Index, now: int) -> None:
        """facts: what happened after `now` is left out; an index (of `probe.compiled`) holds no such thing."""
        self.probe = probe
        self.now = now
        self.index = facts if isinstance(facts, Index) else probe.index(facts, now)
        self._tests: dict[int, Test] = {}
        self._named: dict[str, Test] = {}
        self._scores: dict[str, Value] = {}
        self._memo: tuple[tuple[int, int], dict[str, Any]] = ((0, 0), {})

    def answer(self, rule: core.Rule) -> Test:
        """The answers of a rule that the probe knows, of any part of it, or of what it refers to."""
        test = self._tests.get(id(rule))
        if test is None:
            test = self._tests[id(rule)] = self._rule(rule)
        return test

    def prepare(self, a: int, b: int) -> None:
        """Answer long chains of segments that refer to each other from their end, before they are asked for."""
        program = self.probe.program
        if len(program.segments) + len(program.scores) > MANY:
            for name in program.scores:
                if not any(isinstance(node, core.InSegment) for node in walk(program.scores[name])):
                    self._score(name, a, b)
            for name in program.segments:
                self._segment(name, a, b)

    # --- rules ------------------------------------------------------------------------------------------------

    def _rule(self, rule: core.Rule) -> Test:
        match rule:
            case core.All():
                parts = [self.answer(part) for part in rule.parts]
                return lambda a, b: ranges.both(part(a, b) for part in parts)
            case core.Any():
                parts = [self.answer(part) for part in rule.parts]
                return lambda a, b: ranges.opposite(ranges.both(ranges.opposite(part(a, b)) for part in parts))
            case core.Not():
                part = self.answer(rule.part)
                return lambda a, b: ranges.opposite(part(a, b))
            case core.InSegment():
                return lambda a, b: self._segment(rule.name, a, b)
            case _ if still(rule):
                answer = self.probe.holds(rule)(self.index, self.now)
                return lambda a, b: answer
            case core.Compare():
                return self._compare(rule)
            case core.OneOf() | core.Match() | core.Known() | core.Contains() | core.Near():
                return self._of_value(rule)
            case core.InSpan():
                return self._in_span(rule)
            case core.Anniversary():
                return self._anniversary(rule)
            case core.Chain():
                return self._chain(rule)
            case core.InList() | core.InSample():
                raise AssertionError("stands still")
        assert_never(rule)

    def _compare(self, rule: core.Compare) -> Test:
        left, right = self.value(rule.left), self.value(rule.right)
        mine, other = rule.left.type, rule.right.type

        def test(a: int, b: int) -> Answer:
            return ranges.compare(
                rule.op, ranges.in_unit(left(a, b), mine, other), ranges.in_unit(right(a, b), other, mine)
            )

        return test

    def _of_value(self, rule: core.OneOf | core.Match | core.Known | core.Contains | core.Near) -> Test:
        """A test of one value: false while it is unknown, and as the predicate says while it is one value."""
        value, holds = self.value(rule.value), self.probe.holds(rule)

        def test(a: int, b: int) -> Answer:
            found = value(a, b)
            if found.low is None:
                return False
            if isinstance(rule, core.Known) and not found.unknown:
                return True
            return holds(self.index, a) if found.exact else None

        return test

    def _in_span(self, rule: core.InSpan) -> Test:
        value, span = self.value(rule.value), rule.span
        if isinstance(span, core.Anchored):
            anchor = self.value(span.anchor)
            return lambda a, b: in_anchored(value(a, b), anchor(a, b), span.lo, span.hi, a, b)
        moving = span
        return lambda a, b: in_window(value(a, b), moving, a, b)

    def _anniversary(self, rule: core.Anniversary) -> Test:
        value = self.value(rule.value)
        return lambda a, b: anniversary_in(value(a, b), rule.span, rule.zone, a, b)

    def _chain(self, rule: core.Chain) -> Test:
        number, _ = self.probe.compiled.chain(rule)
        windowed = self._window(rule.span)
        dated = list(dict.fromkeys(branch for branch in rule.branches() if asks_now(branch)))
        fitting = Fitting(self.probe, self.index, dated)

        def test(a: int, b: int) -> Answer:
            narrow_lo, wide_lo, narrow_hi, wide_hi = windowed(a, b)
            if dated and fitting.over(a, b)[1]:
                return None
            # What is waited for is over at a later `now` if it was at an earlier one.
            if self.index.has_chain(number, a, narrow_lo, narrow_hi):
                return True
            return None if self.index.has_chain(number, b, wide_lo, wide_hi) else False

        return test

    # --- values -----------------------------------------------------------------------------------------------

    def value(self, node: core.Value) -> Value:
        """What a value may be over a stretch: a function of its first and its last instant."""
        match node:
            case core.Const():
                constant = exactly(node.value)
                return lambda a, b: constant
            case core.Attribute():
                stored = exactly(self.index.attributes.get((node.relation, node.key)))
                return lambda a, b: stored
            case core.Held():
                return self._held(node)
            case core.Folded():
                inner = self.value(node.text)
                return lambda a, b: folded(inner(a, b))
            case core.Arithmetic():
                return self._arithmetic(node)
            case core.Measure():
                measured = Measured(self.probe, self.index, node, self._window(node.events.span))
                return measured.range
            case core.Points():
                return self._points(node)
            case core.ScoreOf():
                return lambda a, b: self._score(node.name, a, b)
            case core.Property() | core.PeriodOf():
                raise AssertionError("only inside the tests of events")
        assert_never(node)

    def _held(self, node: core.Held) -> Value:
        changes = self.index.facts.history.get(node.key, ())

        def value(a: int, b: int) -> Range:
            first, last = (bisect_right(changes, at, key=itemgetter(0)) for at in bounds(node.at, a, b))
            held = [changes[i - 1][1] if i else None for i in range(first, last + 1)]
            return ranges.among((v for v in held if v is not None), None in held)

        return value

    def _arithmetic(self, node: core.Arithmetic) -> Value:
        sides = [(self.value(side), side.type) for side in (node.left, node.right)]
        scale = None if node.op == "*" else node.type.scale

        def value(a: int, b: int) -> Range:
            left, right = (
                side(a, b) if scale is None else ranges.scaled(side(a, b), own, scale) for side, own in sides
            )
            return ranges.arithmetic(node.op, left, right)

        return value

    def _points(self, node: core.Points) -> Value:
        awards = [
            (award, self.answer(award.rule) if award.rule else None, self.value(award.per) if award.per else None)
            for award in node.awards
        ]

        def value(a: int, b: int) -> Range:
            low = high = 0
            for award, test, per in awards:
                answer: Answer = True if test is None else test(a, b)
                if answer is False:
                    continue
                least, greatest = (award.points, award.points) if per is None else _points_per(award, per(a, b))
                low += least if answer else min(least, 0)
                high += greatest if answer else max(greatest, 0)
            return Range(low, high)

        return value

    # --- names and windows ------------------------------------------------------------------------------------

    def _at(self, a: int, b: int) -> dict[str, Any]:
        if self._memo[0] != (a, b):
            self._memo = ((a, b), {})
        return self._memo[1]

    def _segment(self, name: str, a: int, b: int) -> Answer:
        memo = self._at(a, b)
        key = f"segment {name}"
        if key not in memo:
            memo[key] = self.answer(self.probe.program.segments[name].rule)(a, b)
        answer: Answer = memo[key]
        return answer

    def _score(self, name: str, a: int, b: int) -> Range:
        memo = self._at(a, b)
        key = f"score {name}"
        if key not in memo:
            if name not in self._scores:
                self._scores[name] = self._points(self.probe.program.scores[name])
            memo[key] = self._scores[name](a, b)
        found: Range = memo[key]
        return found

    def _window(self, span: Span | core.Anchored | None) -> Windowed:
        """The greatest and the least lower edge, and the least and the greatest upper edge, of a window for events."""
        if span is None:
            return lambda a, b: (BEGIN, BEGIN, END - 1, END - 1)
        if isinstance(span, core.Anchored):
            anchor, lo, hi = self.value(span.anchor), span.lo, span.hi

            def around(a: int, b: int) -> tuple[int, int, int, int]:
                found = anchor(a, b)
                if found.low is None:
                    return END - 1, END - 1, BEGIN, BEGIN
                return (END - 1 if found.unknown else found.high + lo, found.low + lo,
                        found.low + hi, found.high + hi)  # fmt: skip

            return around
        moving = span
        # No event lies after `now`, so it does not matter that windows end there.
        return lambda a, b: window(moving, a, b)


def still(node: core.Node) -> bool:
    """Whether a rule or value is the same from `now` on if nothing new happens, as far as its own nodes tell."""
    match node:
        case core.ScoreOf() | core.InSegment():
            return False
        case core.InSpan() | core.Anniversary():
            if not isinstance(node.span, Span) or not (_fixed(node.span.lo) and _fixed(node.span.hi)):
                return False
        case core.Held():
            if not _ahead(node.at):
                return False
        case core.Events():
            if isinstance(node.span, Span) and not _covers(node.span):
                return False
        case core.Chain():
            if isinstance(node.span, Span) and not _covers(node.span):
                return False
            if node.waits and (node.total is not None or any(wait.within is not None for wait in node.waits)):
                return False
        case (
            core.All() | core.Any() | core.Not() | core.Compare() | core.OneOf() | core.Match() | core.Known()
            | core.Contains() | core.Near() | core.InList() | core.InSample() | core.Const() | core.Attribute()
            | core.Property() | core.PeriodOf() | core.Folded() | core.Arithmetic() | core.Measure() | core.Points()
            | core.Anchored()
        ):  # fmt: skip
            pass  # what is inside tells
        case _:
            assert_never(node)
    return all(still(child) for child in children(node))


def _fixed(edge: Edge | None) -> bool:
    return edge is None or isinstance(edge, At)


def _ahead(edge: Edge | None) -> bool:
    return edge is None or (isinstance(edge, FromNow) and edge.microseconds >= 0 and edge.months >= 0)


def _covers(span: Span) -> bool:
    """Whether no event, none of which is later than now, enters or leaves."""
    return _fixed(span.lo) and (_fixed(span.hi) or _ahead(span.hi))


def folded(value: Range) -> Range:
    """A-Z lowered; of several texts, anything."""
    if value.low is None or value.exact:
        return exactly(fold(value.low))
    return Range("", "\U0010ffff" * 8, value.unknown)


def _points_per(award: core.Award, per: Range) -> tuple[int, int]:
    """The least and the most points of a `per` line."""
    if per.low is None:
        return 0, 0
    assert award.per is not None
    divisor = 10 ** (award.per.type.scale if isinstance(award.per.type, types.Number) else 0)
    amounts = [ratio(award.points, value, divisor) for value in (per.low, per.high)]
    if award.cap is not None:
        amounts = [min(amount, award.cap) for amount in amounts]
    if per.unknown:
        amounts.append(0)
    return min(amounts), max(amounts)
