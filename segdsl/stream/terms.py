"""A program as terms: yes-or-no questions about one contact, and segments as formulas over their answers.

A `Latest` is answered by a few instants. Any other test is `Asked` of the Python backend, over the events that it
may still speak of, and the outlook says when its answer changes by itself. Equal tests are one term, whichever
segments they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from segdsl.core import nodes as core
from segdsl.core.counts import counted
from segdsl.core.program import Program, nodes_of
from segdsl.core.time import At, Edge, FromNow, Span, reaches
from segdsl.core.walking import asks_now, walk

Branches = tuple[core.Branch, ...]
Formula = Callable[[int, int], int]  # of the words of terms' and of segments' answers: the segment's bit, or 0


@dataclass(frozen=True, slots=True)
class Latest:
    """At least `least` of some events lie after `lo` and not after now: the `least`-th latest of them does.

    width: how long ago `lo` is, in microseconds, where that is always the same.
    """

    branches: Branches
    lo: Edge | None
    least: int
    width: int | None

    def answer(self, times: Sequence[int], now: int) -> tuple[bool, int | None]:
        """Whether it holds over the last few instants, which are sorted, and if so when it will not by itself."""
        if len(times) < self.least:
            return False, None
        decides = times[-self.least]
        if self.width is not None:
            end = decides + self.width
            return (True, end) if now < end else (False, None)
        if self.lo is None:
            return True, None
        return (True, reaches(self.lo, decides)) if decides > self.lo.resolve(now) else (False, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """Any other test that is not made of others by `and`, `or`, `not`."""

    rule: core.Rule


Term = Latest | Asked


@dataclass
class Terms:
    """The terms of a program, by number.

    names: the segments, in the program's order. formulas: for each, a function of two words: bit n of the first is
      the answer of term n, bit n of the second that of segment n. It gives the segment's own bit, or 0.
    dependents: for each term the numbers of the segments that it may change, through others too, in order.
    """

    program: Program
    terms: list[Term] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    formulas: list[Formula] = field(default_factory=list)
    dependents: list[list[int]] = field(default_factory=list)

    def nodes(self, number: int) -> tuple[core.Node, ...]:
        """Every node that a term asks, in the segments and scores that it refers to, too."""
        term = self.terms[number]
        if isinstance(term, Asked):
            return nodes_of(self.program, [term.rule])
        return tuple(node for branch in term.branches for node in walk(branch.where))


def terms_of(program: Program) -> Terms:
    """The terms of a program's segments."""
    found = Terms(program)
    numbers: dict[Term, int] = {}
    segments = {name: number for number, name in enumerate(program.segments)}
    asking: list[set[int]] = []  # the terms of each segment, through others too
    for name, segment in program.segments.items():
        writer = _Writer(numbers, segments)
        code = writer.rule(segment.rule)
        # Only numbers of bits stand in the text: nothing out of a rule does.
        found.formulas.append(eval(f"lambda w, m: {1 << segments[name]} if {code} else 0"))
        found.names.append(name)
        asking.append(writer.terms.union(*(asking[other] for other in writer.segments)))
    found.terms = list(numbers)
    found.dependents = [[number for number, terms in enumerate(asking) if each in terms] for each in numbers.values()]
    return found


def terms_of_rule(rule: core.Rule, program: Program) -> list[Term]:
    """The terms of one rule; it may refer to the program's segments, whose terms are not among them."""
    numbers: dict[Term, int] = {}
    _Writer(numbers, {name: number for number, name in enumerate(program.segments)}).rule(rule)
    return list(numbers)


class _Writer:
    """Writes one segment's formula."""

    def __init__(self, numbers: dict[Term, int], segments: dict[str, int]) -> None:
        self._numbers = numbers
        self._names = segments
        self.terms: set[int] = set()
        self.segments: set[int] = set()

    def rule(self, rule: core.Rule) -> str:
        """Python text that is true or false."""
        match rule:
            case core.All():
                return f"({' and '.join(map(self.rule, rule.parts)) or 'True'})"
            case core.Any():
                return f"({' or '.join(map(self.rule, rule.parts)) or 'False'})"
            case core.Not():
                return f"(not {self.rule(rule.part)})"
            case core.InSegment():
                number = self._names[rule.name]
                self.segments.add(number)
                return f"m & {1 << number}"
            case core.Compare():
                return self._count(rule) or self._term(Asked(rule))
        return self._term(Asked(rule))

    def _term(self, term: Term) -> str:
        number = self._numbers.setdefault(term, len(self._numbers))
        self.terms.add(number)
        return f"w & {1 << number}"

    def _count(self, rule: core.Compare) -> str | None:
        """A count of events up to now against a whole number, as one or two `Latest`s."""
        asked = counted(rule)
        if asked is None:
            return None
        events = asked.measure.events
        if not _up_to_now(events.span) or any(
            asks_now(branch) or core.changed_attribute(branch.kind) is not None for branch in events.branches
        ):
            return None
        least, *more = [self._least(events, least) for least in asked.leasts]
        if more:
            return f"({least} and not {more[0]})"
        return least if asked.op in (">", ">=") else f"(not {least})"

    def _least(self, events: core.Events, least: int) -> str:
        if least <= 0:
            return "True"
        lo = events.span.lo if isinstance(events.span, Span) else None
        width = -lo.microseconds if isinstance(lo, FromNow) and lo.months == 0 else None
        return self._term(Latest(events.branches, lo, least, width))


def _up_to_now(span: Span | core.Anchored | None) -> bool:
    """Whether a window's end is now, or it has none, and its beginning moves by steps that can be taken back."""
    if span is None:
        return True
    return (
        isinstance(span, Span)
        and (span.lo is None or isinstance(span.lo, At | FromNow))
        and (span.hi is None or span.hi == FromNow())
    )
