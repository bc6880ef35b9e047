"""A small prover over core rules: what holds for every contact at every instant, whatever the data.

Sound, and far from complete: what it says is so (`tests/test_prove.py` tries to refute it with generated rules and
histories), and what it does not say may be so all the same. Logic has two values, and a test on something unknown is
false (language reference, section 1).

A question is turned into "can these rules hold and those not?" and answered by a tableau: `and`, `or` and `not` are
taken apart into branches, each a set of tests that hold or do not, until every branch is impossible by itself
(`theory`). The number of branches is bounded; a question that needs more stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segdsl.analysis.proof.theory import impossible
from segdsl.core import nodes as core
from segdsl.core.program import Program, Segment

MOST_BRANCHES = 200
MOST_SEGMENTS = 4  # looked into within one question; further ones are taken as they are

Literal = tuple[core.Rule, bool]


class Prover:
    """Answers about rules of one program.

    required: keys of attributes that are declared to be never unknown.
    effort: how many tests were looked at so far, on all branches of all questions. Once it has reached `limit`,
      questions stay open.
    """

    def __init__(self, program: Program | None = None, required: Iterable[str] = ()) -> None:
        self.segments: Mapping[str, Segment] = program.segments if program else {}
        self.scores: Mapping[str, core.Points] = program.scores if program else {}
        self.required = frozenset(required)
        self.effort = 0
        self.limit: int | None = None
        self._implied: dict[tuple[core.Rule, core.Rule], bool] = {}

    def always(self, rule: core.Rule) -> bool:
        """Whether the rule is proven to hold for everyone."""
        return self._refuted([(rule, False)])

    def never(self, rule: core.Rule) -> bool:
        """Whether the rule is proven to hold for nobody."""
        return self._refuted([(rule, True)])

    def contradict(self, first: core.Rule, second: core.Rule) -> bool:
        """Whether the two are proven never to hold together."""
        return self._refuted([(first, True), (second, True)])

    def equivalent(self, first: core.Rule, second: core.Rule) -> bool:
        """Whether the two are proven to hold for the same contacts."""
        return first == second or (self.implies(first, second) and self.implies(second, first))

    def implies(self, first: core.Rule, second: core.Rule) -> bool:
        """Whether everyone for whom `first` holds is proven to be one for whom `second` holds."""
        if first == second:
            return True
        known = self._implied.get((first, second))
        if known is None:
            known = self._refuted([(first, True), (second, False)])
            if known or not self.tired:
                self._implied[first, second] = known
        return known

    @property
    def tired(self) -> bool:
        """Whether the effort that was allowed is spent."""
        return self.limit is not None and self.effort >= self.limit

    def _refuted(self, literals: list[Literal]) -> bool:
        return not self.tired and _Tableau(self).closes({}, literals, [])


class _Tableau:
    """One question: how many branches and segments it has looked into."""

    def __init__(self, prover: Prover) -> None:
        self.prover = prover
        self.branches = 0
        self.opened: set[str] = set()

    def closes(self, known: Mapping[core.Rule, bool], todo: list[Literal], splits: list[list[Literal]]) -> bool:
        """Whether the branch is impossible: the tests `known` and all of `todo`, and one of each of `splits`."""
        self.branches += 1
        if self.branches > MOST_BRANCHES or self.prover.tired:
            return False
        tests = dict(known)
        while todo:
            rule, holds = todo.pop()
            match rule:
                case core.Not():
                    todo.append((rule.part, not holds))
                case core.All() | core.Any():
                    parts = [(part, holds) for part in rule.parts]
                    if isinstance(rule, core.All) == holds:
                        todo += parts
                    else:
                        splits = [*splits, [_stripped(part) for part in parts]]
                case _:
                    if rule in tests:
                        if tests[rule] != holds:
                            return True
                        continue
                    tests[rule] = holds
                    if isinstance(rule, core.InSegment):
                        todo += self._opened(rule, holds)
            if not todo:
                # An alternative that holds anyhow settles its split; one that cannot be is none.
                splits = [split for split in splits if not any(tests.get(rule) == holds for rule, holds in split)]
                splits = [[(r, holds) for r, holds in split if tests.get(r) != (not holds)] for split in splits]
                if [] in splits:
                    return True
                todo = [split[0] for split in splits if len(split) == 1]
                splits = [split for split in splits if len(split) > 1]
        self.prover.effort += 1 + len(tests)
        if impossible(tests, self.prover):
            return True
        if not splits:
            return False
        split = min(splits, key=len)
        rest = [other for other in splits if other is not split]
        return all(self.closes(tests, [alternative], rest) for alternative in split)

    def _opened(self, rule: core.InSegment, holds: bool) -> list[Literal]:
        """The segment's own rule; on another branch it may have to be opened again."""
        segment = self.prover.segments.get(rule.name)
        if segment is None or (rule.name not in self.opened and len(self.opened) >= MOST_SEGMENTS):
            return []
        self.opened.add(rule.name)
        return [(segment.rule, holds)]


def _stripped(literal: Literal) -> Literal:
    """The same literal without a `not` around its rule."""
    rule, holds = literal
    while isinstance(rule, core.Not):
        rule, holds = rule.part, not holds
    return rule, holds
