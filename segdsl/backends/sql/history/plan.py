"""What a rule needs to be told at every instant: tests of numbers that change from one instant to another.

A number is a running sum of deltas. A test that is no comparison of such numbers turns at instants of its own, or is a
number itself, which is above 0 while the test holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from segdsl import types
from segdsl.backends.sql.history.edges import Unsaid
from segdsl.backends.sql.history.rewriting import FAR, enough
from segdsl.core import nodes as core
from segdsl.core.time import At, Span
from segdsl.core.walking import asks_now, mapped, walk

NUMBERS = 24  # of tests and sums in a statement: a bit or a column each


@dataclass
class Plan:
    """What the statement of one rule has to lay together.

    constants: tests of what has no time. dates: those of an instant that an attribute holds. held: those of an
      attribute with a history, with what it is asked for. groups: tests that some group of events is large enough, with
      the count and how much is enough. terms: for a count of events in a window, how many are enough, one or several.
      outermost: tests of the value of a first or last event, with that value. chains: sequences of events.
      measures: counts, sums and distinct counts that other comparisons ask for.
    """

    constants: dict[core.Rule, None] = field(default_factory=dict)
    dates: dict[core.InSpan, None] = field(default_factory=dict)
    held: dict[core.Rule, core.Held] = field(default_factory=dict)
    groups: dict[core.Rule, tuple[core.Measure, int]] = field(default_factory=dict)
    terms: dict[core.Measure, dict[int, core.Rule]] = field(default_factory=dict)
    outermost: dict[core.Rule, core.Measure] = field(default_factory=dict)
    chains: dict[core.Chain, None] = field(default_factory=dict)
    measures: dict[core.Measure, None] = field(default_factory=dict)

    def size(self) -> int:
        """How many numbers there are."""
        others = len(self.constants) + len(self.dates) + len(self.held) + len(self.groups) + len(self.measures)
        others += len(self.outermost) + len(self.chains)
        return others + sum(len(terms) for terms in self.terms.values())

    def at_rest(self, rule: core.Rule) -> bool | None:
        """What a rule of the plan says of a contact whose numbers are all 0; None if that depends on the contact."""
        match rule:
            case core.Not():
                inside = self.at_rest(rule.part)
                return None if inside is None else not inside
            case core.All() | core.Any():
                parts = [self.at_rest(part) for part in rule.parts]
                decided = isinstance(rule, core.Any)
                if decided in parts:
                    return decided
                return None if None in parts else not decided
        count = enough(rule)
        if count is not None and count[0] in self.terms:
            return False
        if rule in self.dates or rule in self.held or rule in self.groups:
            return False
        return False if rule in self.outermost or rule in self.chains else None


def plan_of(rule: core.Rule) -> Plan:
    """The plan of a rule that `rewriting` has been over. Raises Unsaid for a test that has no such form."""
    plan = Plan()
    _rule(rule, plan)
    if plan.size() > NUMBERS:
        raise Unsaid
    return plan


def _rule(rule: core.Rule, plan: Plan) -> None:
    match rule:
        case core.All() | core.Any():
            for part in rule.parts:
                _rule(part, plan)
            return
        case core.Not():
            _rule(rule.part, plan)
            return
    inside = list(walk(rule))
    if all(_timeless(node) for node in inside):
        plan.constants[rule] = None
        return
    held = {node for node in inside if isinstance(node, core.Held)}
    if held and not any(isinstance(node, core.Points) for node in inside):  # those of points are tests of their own
        if len(held) > 1 or not all(isinstance(node, core.Held) or _constant(node) for node in inside):
            raise Unsaid
        plan.held[rule] = held.pop()
        return
    outermost = _outermost(rule)
    if outermost is not None:
        _events(outermost)
        plan.outermost[rule] = outermost
        return
    match rule:
        case core.Chain():
            _sequence(rule)
            plan.chains[rule] = None
        case core.InSpan(value=core.Attribute(), span=Span()):
            plan.dates[rule] = None
        case core.Compare() if (count := enough(rule)) is not None:
            _events(count[0])
            plan.terms.setdefault(count[0], {})[count[1]] = rule
        case core.Compare() if (group := _grouped(rule)) is not None:
            plan.groups[rule] = group
        case core.Compare():
            _value(rule.left, plan)
            _value(rule.right, plan)
        case core.OneOf():
            _value(rule.value, plan)
        case _:
            raise Unsaid


def _timeless(node: object) -> bool:
    """Whether what a node asks of a contact is always so."""
    match node:
        case core.Attribute() | core.Const() | core.Folded() | core.Arithmetic() | core.InList() | core.InSample():
            return True
        case core.Compare() | core.OneOf() | core.Match() | core.Known() | core.Contains() | core.Near():
            return True
        case core.InSpan(span=Span() as span):
            return all(edge is None or isinstance(edge, At) for edge in (span.lo, span.hi))
    return False


def _constant(node: object) -> bool:
    """Whether a node asks nothing of the contact itself."""
    return _timeless(node) and not isinstance(node, core.Attribute | core.InList | core.InSample | core.Near)


def _value(value: core.Value, plan: Plan) -> None:
    """A number that is made of constants and of what can be summed up."""
    match value:
        case core.Const(type=types.Number()):
            return
        case core.Arithmetic():
            _value(value.left, plan)
            _value(value.right, plan)
        case core.Points():
            for award in value.awards:
                if award.rule is not None:
                    _rule(award.rule, plan)
                if award.per is not None:
                    _value(award.per, plan)
        case core.Measure(kind="count" | "sum" | "distinct") if not value.same and value.within is None:
            _events(value)
            plan.measures[value] = None
        case _:
            raise Unsaid


def _grouped(rule: core.Compare) -> tuple[core.Measure, int] | None:
    """A count of the largest group of events, or of their closest crowd, and how large it must at least be."""
    op, left, right = rule.op, rule.left, rule.right
    if not (isinstance(left, core.Measure) and (left.same or left.within is not None)):
        return None
    if op not in (">", ">=") or not (isinstance(right, core.Const) and right.type == types.INT):
        raise Unsaid
    _events(left)
    least = int(right.value) + (op == ">")
    if not 0 < least < FAR:
        raise Unsaid
    return left, least


def _outermost(rule: core.Rule) -> core.Measure | None:
    """The value of a first or last event, where a rule asks for it and for nothing else of the contact."""
    found = {node for node in walk(rule) if isinstance(node, core.Measure)}
    measure = found.pop() if len(found) == 1 else None
    if measure is None or measure.kind not in ("first", "last") or not isinstance(measure.of, core.Property):
        return None
    of = measure.of
    alone = mapped(rule, lambda each: of if each == measure else each)
    return measure if all(node == of or _constant(node) for node in walk(alone)) else None


def _sequence(chain: core.Chain) -> None:
    """Raises Unsaid where more has to be known of the chains that end with an event than the latest first one."""
    if isinstance(chain.span, core.Anchored) or (chain.total is not None and chain.waits):
        raise Unsaid
    _settled(chain.branches())


def _events(measure: core.Measure) -> None:
    """Raises Unsaid unless whether an event counts is settled when it happens, and its window is of time alone."""
    _settled(measure.events.branches)
    if isinstance(measure.events.span, core.Anchored):
        raise Unsaid


def _settled(branches: Iterable[core.Branch]) -> None:
    """Raises Unsaid unless events alone say, when they happen, whether they count."""
    for branch in branches:
        if asks_now(branch) or any(isinstance(node, core.Attribute | core.Held) for node in walk(branch.where)):
            raise Unsaid
