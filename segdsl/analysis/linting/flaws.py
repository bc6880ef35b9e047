"""What the prover sees in a rule as it was written: parts that decide nothing, contradict or repeat each other.

Four lints report what is found here, each its own kind; parts are compared with those beside them in one `and` or
`or`, never across rules, so that the work grows with the number of rules and not with their pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from segdsl.analysis.proof import spans
from segdsl.analysis.proof.prover import Prover
from segdsl.core import nodes as core
from segdsl.core.walking import walk
from segdsl.text.diagnostic import Edit
from segdsl.text.source import Span
from segdsl.types import Bool, String

MOST_EFFORT = 10_000  # of the prover for one rule, in tests looked at: ordinary rules take a hundred
MOST_COMPARED = 40  # parts of one `and` or `or`; in a longer one only those that are the same are found

Kind = Literal["always true", "always false", "contradiction", "redundant"]
Subjects = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Flaw:
    """A part, the `and` or `or` directly around it, and the part that it contradicts or that makes it redundant."""

    kind: Kind
    part: core.Part
    around: core.Part | None = None
    other: core.Part | None = None

    @property
    def removable(self) -> bool:
        """Whether the rule means the same without the part."""
        if self.around is None or self.kind == "contradiction":
            return False
        return self.kind == "redundant" or self.kind == {"and": "always true", "or": "always false"}[self.around.op]


def removal(flaw: Flaw, comments: list[Span]) -> tuple[Edit, ...]:
    """The edit that takes the part out, with the `and` or `or` before it (or behind, for the first one).

    Nothing if the part decides something, or if a comment stands in what would go.
    """
    if not flaw.removable:
        return ()
    assert flaw.around is not None
    parts = flaw.around.parts
    index = next(i for i, part in enumerate(parts) if part is flaw.part)
    span = flaw.part.span
    gone = Span(parts[index - 1].span.end, span.end) if index else Span(span.start, parts[1].span.start)
    if any(comment.start < gone.end and gone.start < comment.end for comment in comments):
        return ()
    return (Edit(gone),)


class Search:
    """Looks through rules, one at a time."""

    def __init__(self, prover: Prover) -> None:
        self.prover = prover
        self._segments: dict[str, Subjects] = {}

    def flaws(self, outline: core.Part) -> list[Flaw]:
        """What is wrong with a rule, from its inner parts outwards."""
        found: list[Flaw] = []
        self.prover.limit = self.prover.effort + MOST_EFFORT
        # A rule that says `everyone` and nothing else means it.
        if outline.rule != core.EVERYONE:
            self._look(outline, None, found)
        self.prover.limit = None
        return found

    def _look(self, part: core.Part, around: core.Part | None, found: list[Flaw]) -> bool:
        """Whether something in the part is decided; then nothing more is said of what is around it."""
        match part.op:
            case "test":
                # What is wrong in a `where (…)` is said there, and not again of the test that it decides.
                inside = [self._look(inner, None, found) for inner in part.inside if inner.rule != core.EVERYONE]
                return any(inside) or self._decided(part, around, found)
            case "not" if part.parts[0].rule == core.EVERYONE:
                return self._decided(part, around, found)
            case "not":
                return self._look(part.parts[0], None, found)
            case "and" | "or":
                members = list(_members(part))
                fine = [pair for pair in members if not self._look(*pair, found)]
                clash = self._compare(part.op, fine, found)
                if len(fine) < len(members) or clash:
                    return True
                return self._decided(part, around, found)

    def _decided(self, part: core.Part, around: core.Part | None, found: list[Flaw]) -> bool:
        kind: Kind
        if _open(part.rule):
            return False
        if part.op != "and" and self.prover.always(part.rule):
            kind = "always true"
        elif part.op != "or" and self.prover.never(part.rule):
            kind = "always false"
        else:
            return False
        if not isinstance(part.rule, core.InSegment):  # what is wrong with a segment is said where it stands
            found.append(Flaw(kind, part, around))
        return True

    def _compare(self, op: Literal["and", "or"], members: list[tuple[core.Part, core.Part]], found: list[Flaw]) -> bool:
        """The parts of one `and` or `or` against each other; whether two contradict."""
        repeated: set[int] = set()
        clash = False
        for i, j in self._pairs([part.rule for part, _ in members]):
            if i in repeated or j in repeated:
                continue
            (first, _), (second, around) = members[i], members[j]
            if op == "and" and self.prover.contradict(first.rule, second.rule):
                clash = True
                found.append(Flaw("contradiction", second, around, first))
                continue
            # In an `and` the part that follows says nothing; in an `or` the part from which the other follows
            # adds nobody. Of two that mean the same, the later one goes.
            forward = self.prover.implies(first.rule, second.rule)
            backward = self.prover.implies(second.rule, first.rule)
            if forward if op == "and" else backward:
                gone, kept = j, i
            elif backward if op == "and" else forward:
                gone, kept = i, j
            else:
                continue
            if op == "or" and _says_unknown(members[gone][0].rule):
                continue
            repeated.add(gone)
            found.append(Flaw("redundant", *members[gone], members[kept][0]))
        return clash

    def _pairs(self, rules: list[core.Rule]) -> Iterator[tuple[int, int]]:
        """The pairs that may have something to do with each other, by their places."""
        if len(rules) > MOST_COMPARED:
            first: dict[core.Rule, int] = {}
            for index, rule in enumerate(rules):
                if first.setdefault(rule, index) != index:
                    yield first[rule], index
            return
        subjects = [self.subjects(rule) for rule in rules]
        for i, j in combinations(range(len(rules)), 2):
            if subjects[i] & subjects[j] or rules[i] == rules[j]:
                yield i, j

    def subjects(self, rule: core.Rule) -> Subjects:
        """What a rule asks about; rules about different things follow from each other only if they are decided."""
        found: set[tuple[str, str]] = set()
        for node in walk(rule):
            match node:
                case core.Attribute() | core.Held():
                    found.add(("attribute", f"{getattr(node, 'relation', None)}.{node.key}"))
                case core.Property():
                    found.add(("property", node.key))
                case core.PeriodOf():
                    found.add(("property", node.unit))
                case core.Events():
                    found |= {("event", branch.kind) for branch in node.branches}
                case core.Chain():
                    found |= {("event", branch.kind) for branch in node.branches()}
                case core.ScoreOf():
                    found.add(("score", node.name))
                case core.InList():
                    found.add(("list", node.name))
                case core.InSample():
                    found.add(("sample", node.salt))
                case core.InSegment():
                    found |= self._of_segment(node.name)
        return frozenset(found)

    def _of_segment(self, name: str) -> Subjects:
        if name not in self._segments:
            self._segments[name] = frozenset()
            segment = self.prover.segments.get(name)
            inner = self.subjects(segment.rule) if segment is not None else frozenset()
            self._segments[name] = inner | {("segment", name)}
        return self._segments[name]


def _open(rule: core.Rule) -> bool:
    """Whether a test is of the plain kinds that the data can decide either way: most are, and need no proof."""
    match rule:
        case core.Not():
            return _open(rule.part)
        case core.InList():
            return True
        case core.Compare(op="=", left=core.Attribute(type=String() | Bool()), right=core.Const()):
            return True
        case core.Compare(op=">=", left=core.Measure(kind="count") as count, right=core.Const(value=least)):
            wheres = [branch.where for branch in count.events.branches]
            plain = all(w == core.EVERYONE or (isinstance(w, core.Match) and w.value.type == String()) for w in wheres)
            return plain and least != 0 and not spans.empty(count.events.span, of_events=True)
    return False


def _says_unknown(rule: core.Rule) -> bool:
    """`country is unknown`, which an author adds to `country != "DE"` to say that it is meant."""
    return (
        isinstance(rule, core.Not)
        and isinstance(rule.part, core.Known)
        and isinstance(rule.part.value, core.Attribute | core.Held)
    )


def _members(part: core.Part) -> Iterator[tuple[core.Part, core.Part]]:
    """The parts of an `and` (or `or`), with those of an `and` directly inside; each with what is directly around it."""
    for member in part.parts:
        if member.op == part.op:
            yield from _members(member)
        else:
            yield member, part
