"""A program compiled so that each of its parts can be asked for by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from segdsl.backends.python import CompiledProgram, Index, compile_program
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.program import Program, needed, nodes_of
from segdsl.core.walking import asks_now, branches_of, references, walk


def leaves(rule: core.Rule) -> Iterator[core.Rule]:
    """The rules that are not made of others by `and`, `or`, `not`; those inside scores' lines, too."""
    match rule:
        case core.All() | core.Any():
            for part in rule.parts:
                yield from leaves(part)
        case core.Not():
            yield from leaves(rule.part)
        case _:
            yield rule
            for node in walk(rule):
                if isinstance(node, core.Points):
                    yield from _leaves_of_awards(node)


def _leaves_of_awards(points: core.Points) -> Iterator[core.Rule]:
    for award in points.awards:
        if award.rule is not None:
            yield from leaves(award.rule)


class Probe:
    """The compiled parts of some rules and of what they refer to. Made once for a rule; asks any contact.

    kinds: the events that they speak of, by the catalog's keys.
    timeless: those of them that have no time.
    nodes: every node inside the roots and what they refer to.
    rules: more rules that will be asked for; values: more values. Nodes are known by identity, so that asking is
    fast: ask for the very nodes that were given.
    """

    def __init__(
        self, program: Program, roots: Iterable[core.Rule],
        rules: Iterable[core.Rule] = (), values: Iterable[core.Value] = (),
    ) -> None:  # fmt: skip
        self.roots = tuple(roots)
        self.program = needed(program, [name for root in self.roots for name in references(root)])
        segments = [segment.rule for segment in self.program.segments.values()]
        scores = list(self.program.scores.values())
        self.nodes = nodes = nodes_of(program, self.roots)
        asked = [*self.roots, *rules]
        asked += [leaf for rule in (*self.roots, *segments) for leaf in leaves(rule)]
        asked += [leaf for score in scores for leaf in _leaves_of_awards(score)]
        branches = branches_of(nodes)
        wanted: list[core.Value] = [*values, *(node for node in nodes if isinstance(node, core.Measure))]
        wanted += [measure for branch in branches for measure in _tests_of(branch)]
        self.compiled: CompiledProgram = compile_program(self.program, wanted, asked)
        self._rules = {id(rule): i for i, rule in enumerate(asked)}
        self._values = {id(value): i for i, value in enumerate(wanted)}
        self._kept = (asked, wanted)  # an id is a name only while its node lives
        self.kinds = frozenset(b.kind for b in branches if core.changed_attribute(b.kind) is None)
        self.timeless = {
            branch.kind for node in nodes if isinstance(node, core.Events) and node.span is None
            for branch in node.branches
        }  # fmt: skip

    def index(self, facts: Facts, now: int) -> Index:
        """A contact as it is at `now`: what happened later is left out."""
        kept = {
            kind: rows if kind in self.timeless else [row for row in rows if row[0] <= now]
            for kind, rows in facts.events.items()
            if kind in self.kinds or core.changed_attribute(kind) is not None
        }  # fmt: skip
        history = {key: [row for row in held if row[0] <= now] for key, held in facts.history.items()}
        return self.compiled.index(Facts(facts.id, facts.attributes, kept, facts.lists, history))

    def holds(self, rule: core.Rule) -> Callable[[Facts | Index, int], bool]:
        """The predicate of a root, of a leaf, or of one of `rules`."""
        return self.compiled.rule(self._rules[id(rule)])

    def value(self, value: core.Value) -> Callable[[Facts | Index, int], object]:
        """The function of a measure, or of one of `values`."""
        return self.compiled.value(self._values[id(value)])


def every(branch: core.Branch) -> core.Measure:
    """All events of a branch, whenever they happened: a measure that makes them known to a probe."""
    return core.Measure("count", core.Events((branch,), None))


def _tests_of(branch: core.Branch) -> Iterator[core.Measure]:
    """What makes a branch known by itself, and each test of one that asks for `now`."""
    yield every(branch)
    if asks_now(branch):
        for leaf in leaves(branch.where):
            yield every(core.Branch(branch.kind, leaf))
