"""Whether some tests can hold together, and others not: one branch of the prover (`segdsl.analysis.proof.prover`).

Each test says something about a value: that it is known, and where it lies. What the tests say together is kept per
value (a range of numbers, a set of texts, windows), and between counts, since events that are among others are no
more than those. Where the data decides, everything is possible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segdsl.analysis.proof import spans
from segdsl.analysis.proof.counts import Counts, Knowledge
from segdsl.analysis.proof.values import (
    Impossible,
    Range,
    bounds,
    candidates,
    covers,
    decide,
    disjoint,
    points_range,
    refute,
)
from segdsl.core import nodes as core
from segdsl.core.time import Span
from segdsl.syntax.strings import Wild
from segdsl.types import Bool, Enum, String

EVERYBODY = 2**32  # the threshold of a sample that leaves out nobody

Tests = Mapping[core.Rule, bool]
_NEGATED: dict[str, str] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!="}
_MIRRORED: dict[str, str] = dict([*core.MIRRORED.items(), ("!=", "!=")])
_ORDERS: dict[str, frozenset[str]] = {
    "=": frozenset("="), "<": frozenset("<"), ">": frozenset(">"), "<=": frozenset("<="), ">=": frozenset(">="),
}  # fmt: skip


def impossible(tests: Tests, knowledge: Knowledge) -> bool:
    """Whether no contact at any instant is proven to pass exactly the tests that hold and none of the others."""
    try:
        _Branch(tests, knowledge).check()
    except Impossible:
        return True
    return False


# --- the branch ---------------------------------------------------------------------------------------------


class _Branch:
    def __init__(self, tests: Tests, knowledge: Knowledge) -> None:
        self.tests = tests
        self.knowledge = knowledge
        self.counts = Counts(knowledge)
        self.known: set[core.Value] = set()
        self.ranges: dict[core.Value, Range] = {}
        self.texts: dict[core.Value, list[tuple[core.Rule, bool]]] = {}
        self.orders: dict[tuple[core.Value, core.Value], frozenset[str]] = {}

    def check(self) -> None:
        """Raises Impossible if the branch is."""
        holding = [rule for rule, holds in self.tests.items() if holds]
        failing = [rule for rule, holds in self.tests.items() if not holds]
        for rule in holding:
            for value in _asked(rule):
                self._is_known(value)
            self._holds(rule)
        for rule in failing:
            if isinstance(rule, core.Known):
                self._is_unknown(rule.value)
        for rule in failing:
            # On an unknown value every test fails, so the failing of one says something of known values only.
            if all(self.sure(value) for value in _asked(rule)):
                self._fails(rule)
        self._check_windows(holding, failing)
        self._check_ends([(rule, holds) for rule, holds in self.tests.items() if isinstance(rule, core.InSpan)])
        self._check_places(holding, failing)
        for value, about in self.texts.items():
            self._check_texts(value, about)
        self.counts.relate(self.ranges)
        for found in self.ranges.values():
            found.check()

    # --- known and unknown ---

    def sure(self, value: core.Value) -> bool:
        """Whether the value is known on this branch."""
        match value:
            case core.Const() | core.Points() | core.ScoreOf() | core.PeriodOf():
                return True
            case core.Measure(kind="count" | "sum" | "distinct"):
                return True
            case core.Attribute(relation=None) if value.key in self.knowledge.required:
                return True
            case core.Folded():
                return self.sure(value.text)
            case core.Arithmetic():
                return self.sure(value.left) and self.sure(value.right)
            case _:
                return value in self.known

    def _is_known(self, value: core.Value) -> None:
        self.known.add(value)
        match value:
            case core.Folded():
                self._is_known(value.text)
            case core.Arithmetic():
                self._is_known(value.left)
                self._is_known(value.right)
            case core.Measure(kind="min" | "max" | "first" | "last" | "percentile"):
                self.range(core.Measure("count", value.events)).at_least(1)

    def _is_unknown(self, value: core.Value) -> None:
        refute(self.sure(value))
        if isinstance(value, core.Folded):
            self._is_unknown(value.text)
        if isinstance(value, core.Measure) and value.of is None and value.kind in ("first", "last"):
            self.range(core.Measure("count", value.events)).at_most(0)

    # --- what a test says ---

    def range(self, value: core.Value) -> Range:
        """What is known of a number; started with what is known of every value of its kind."""
        found = self.ranges.get(value)
        if found is None:
            match value:
                case core.Measure(kind="count" | "distinct"):
                    found = Range(0)
                case core.Points():
                    found = points_range(value)
                case core.ScoreOf() if value.name in self.knowledge.scores:
                    found = points_range(self.knowledge.scores[value.name])
                case _:
                    found = Range()
            self.ranges[value] = found
        return found

    def _holds(self, rule: core.Rule) -> None:
        match rule:
            case core.Compare():
                self._compare(rule.op, rule.left, rule.right, rule, True)
            case core.OneOf():
                self._one_of(rule, True)
            case core.Match():
                self.texts.setdefault(rule.value, []).append((rule, True))
            case core.Chain():
                for step in rule.steps:
                    alike = sum(other.branches == step.branches for other in rule.steps)
                    self.range(core.Measure("count", core.Events(step.branches, rule.span))).at_least(alike)

    def _fails(self, rule: core.Rule) -> None:
        match rule:
            case core.Compare():
                self._compare(_NEGATED[rule.op], rule.left, rule.right, rule, False)
            case core.OneOf():
                self._one_of(rule, False)
            case core.Match():
                self.texts.setdefault(rule.value, []).append((rule, False))
            case core.InSample():
                refute(rule.threshold >= EVERYBODY)

    def _compare(self, op: str, left: core.Value, right: core.Value, rule: core.Compare, holds: bool) -> None:
        if isinstance(left.type, String | Enum | Bool) and isinstance(right, core.Const):
            self.texts.setdefault(left, []).append((core.Compare("=", left, right), holds))
        elif isinstance(right, core.Const):
            limits = bounds(right, left.type)
            if limits is None:
                return
            if isinstance(left, core.Const):
                own = bounds(left, left.type)
                assert own is not None
                constant = Range(own[0], own[0])
                constant.add(op, *limits)
                constant.check()
            else:
                self.range(left).add(op, *limits)
        else:
            self._order(op, left, right)

    def _order(self, op: str, left: core.Value, right: core.Value) -> None:
        """Two values that vary: one of `<`, `=`, `>` holds between them."""
        allowed = frozenset("<=>") - frozenset("=") if op == "!=" else _ORDERS[op]
        if left == right:
            refute("=" not in allowed)
            return
        if (right, left) in self.orders:
            left, right = right, left
            allowed = frozenset(_MIRRORED[order] for order in allowed)
        allowed &= self.orders.get((left, right), frozenset("<=>"))
        refute(not allowed)
        self.orders[left, right] = allowed

    def _one_of(self, rule: core.OneOf, holds: bool) -> None:
        type_ = rule.value.type
        if isinstance(type_, String | Enum | Bool):
            self.texts.setdefault(rule.value, []).append((rule, holds))
            return
        keys: set[int] = set()
        for option in rule.options:
            limits = bounds(core.Const(option, type_), type_)
            if limits is None:
                return
            keys.add(limits[0])
        found = self.range(rule.value)
        if not holds:
            found.holes |= keys
            return
        refute(not keys)
        found.at_least(min(keys))
        found.at_most(max(keys))
        if max(keys) - min(keys) < 1000:
            found.holes |= set(range(min(keys), max(keys) + 1)) - keys

    # --- windows, places, samples ---

    def _check_windows(self, holding: list[core.Rule], failing: list[core.Rule]) -> None:
        inside = [rule for rule in holding if isinstance(rule, core.InSpan)]
        for index, rule in enumerate(inside):
            past = _past(rule.value)
            refute(spans.empty(rule.span, past))
            for other in inside[:index]:
                refute(other.value == rule.value and spans.apart(rule.span, other.span, past))
        for rule in (rule for rule in failing if isinstance(rule, core.InSpan)):
            past = _past(rule.value)
            everything = isinstance(rule.span, Span) and spans.within(Span(None, None), rule.span, past)
            refute(everything and self.sure(rule.value))
            refute(any(o.value == rule.value and spans.within(o.span, rule.span, past) for o in inside))

    def _check_ends(self, windows: list[tuple[core.InSpan, bool]]) -> None:
        """The first and the last of some events, against events that are known to have happened."""
        for rule, holds in windows:
            measure, span = rule.value, rule.span
            if not (isinstance(measure, core.Measure) and measure.of is None and isinstance(span, Span)):
                continue
            if holds and spans.within(span, measure.events.span, of_events=True):
                self.range(core.Measure("count", core.Events(measure.events.branches, span))).at_least(1)
            edge = span.hi if measure.kind == "last" else span.lo
            for count, found in list(self.ranges.items()):
                if not (isinstance(count, core.Measure) and count.kind == "count" and (found.low or 0) > 0):
                    continue
                seen = count.events.span
                if not isinstance(seen, Span) or not self.counts.among(count.events, measure.events):
                    continue
                if holds:  # none of them is later than the last, none earlier than the first
                    pair = (edge, seen.lo) if measure.kind == "last" else (seen.hi, edge)
                    refute(pair[0] is not None and pair[1] is not None and spans.never_after(pair[0], pair[1]))
                elif measure.kind == "last":  # the last is no earlier than any of them
                    reaches = span.lo is None or (seen.lo is not None and spans.never_after(span.lo, seen.lo))
                    refute(reaches and (span.hi is None or spans.never_after(spans.NOW, span.hi)))

    def _check_places(self, holding: list[core.Rule], failing: list[core.Rule]) -> None:
        """Tests of which a narrower one holds while a wider one fails."""
        for rule in failing:
            if isinstance(rule, core.Near | core.InSample | core.Chain):
                refute(any(_narrower(other, rule) for other in holding))

    # --- texts ---

    def _check_texts(self, value: core.Value, about: list[tuple[core.Rule, bool]]) -> None:
        if not self.sure(value):
            return
        if not isinstance(value, core.Folded):
            folded = core.Folded(value)
            about = [*about, *self.texts.get(folded, ())]
        possible = candidates(value, about)
        if possible is not None:
            refute(not any(all(decide(rule, c) == holds for rule, holds in about) for c in possible))
            return
        matches = [(rule.value, rule.globs, holds) for rule, holds in about if isinstance(rule, core.Match)]
        for subject, globs, holds in matches:
            if not holds:
                continue
            for other, others, so in matches:
                if other != subject:
                    continue
                if so:
                    refute(all(disjoint(a, b) for a in globs for b in others))
                else:
                    refute(all(any(covers(b, a) for b in others) for a in globs))
        for subject, globs, holds in matches:
            refute(not holds and any(glob == (Wild.RUN,) for glob in globs) and self.sure(subject))


# --- tests, one by one ----------------------------------------------------------------------------------------


def _asked(rule: core.Rule) -> Iterator[core.Value]:
    """The values that are known if the test holds."""
    match rule:
        case core.Compare():
            yield rule.left
            yield rule.right
        case core.InSpan():
            yield rule.value
            if isinstance(rule.span, core.Anchored):
                yield rule.span.anchor
        case core.OneOf() | core.Match() | core.Known() | core.Contains() | core.Near() | core.Anniversary():
            yield rule.value


def _past(value: core.Value) -> bool:
    """Whether an instant is that of an event, and so never after now."""
    return isinstance(value, core.Measure) and value.of is None


def _narrower(inner: core.Rule, outer: core.Rule) -> bool:
    """Whether the second test is proven to hold where the first does, for tests alike but for their width."""
    match inner, outer:
        case core.Near(), core.Near():
            alike = (inner.value, inner.latitude, inner.longitude) == (outer.value, outer.latitude, outer.longitude)
            return alike and inner.kilometres <= outer.kilometres
        case core.InSample(), core.InSample():
            return inner.salt == outer.salt and inner.threshold <= outer.threshold
        case core.Chain(), core.Chain():
            alike = core.Chain(inner.steps, outer.span, inner.waits, inner.total, inner.same, inner.without) == outer
            return alike and spans.within(inner.span, outer.span, of_events=True)
    return False
