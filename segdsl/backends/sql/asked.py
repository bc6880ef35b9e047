"""What the segments of a statement, and values that are asked besides, need of what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from segdsl.backends.sql import terms
from segdsl.core import nodes
from segdsl.core.program import Program, needed
from segdsl.core.time import Edge, Span
from segdsl.core.walking import children, walk


class Asked:
    """Collected when it is made; each thing once, in the order of the text, what is inside another before that.

    wanted: the segments whose members are asked for. segments: these, and those that they ask, which come first.
    referred: the segments that others ask. values: what is asked of every contact besides, by name.
    attributes, measures, chains: the nodes that find their facts in CTEs. lists: whether static lists are asked.
    compared: the counts that are asked in no other way than compared with whole numbers -> how many, at least.
    kinds: of events -> the properties that are asked. begins: the same kinds -> where windows over them begin; None:
      nowhere.
    """

    def __init__(self, program: Program, names: Sequence[str], values: Mapping[str, nodes.Value]) -> None:
        self.program, self.values = program, values
        self.wanted = list(dict.fromkeys(names))
        self.segments = list(needed(program, self.wanted).segments)
        self.referred: set[str] = set()
        self.attributes: dict[nodes.Attribute | nodes.Held, None] = {}
        self.measures: dict[nodes.Measure, None] = {}
        self.chains: dict[nodes.Chain, None] = {}
        self.kinds: dict[str, dict[str, None]] = {}
        self.begins: dict[str, dict[Edge | None, None]] = {}
        self.lists = False
        walked = [list(self._walk(program.segments[name].rule, set())) for name in self.segments]
        walked += [list(self._walk(value, set())) for value in values.values()]
        for found in walked:
            self._collect(found)
        self.compared = terms.compared(walked)

    def _walk(self, node: nodes.Rule | nodes.Value | nodes.Events | nodes.Anchored, seen: set[str]) -> Iterator[object]:
        """Every node of a rule, and of the scores that it asks: in the order of the text, what is inside first."""
        for child in children(node):
            yield from self._walk(child, seen)
        if isinstance(node, nodes.ScoreOf) and node.name not in seen:
            seen.add(node.name)
            yield from self._walk(self.program.scores[node.name], seen)
        yield node

    def _collect(self, found: Sequence[object]) -> None:
        """Notes what the nodes of a rule, in the order of `_walk`, need: attributes, kinds, measures, chains, lists."""
        for node in found:
            if isinstance(node, nodes.Attribute | nodes.Held):
                self.attributes[node] = None
            elif isinstance(node, nodes.Chain):
                self.chains[node] = None
                for branch in node.branches():
                    self._uses(branch, node.same, None)
            elif isinstance(node, nodes.InSegment):
                self.referred.add(node.name)
            elif isinstance(node, nodes.InList):
                self.lists = True
            elif isinstance(node, nodes.Measure) and node not in self.measures:
                self.measures[node] = None  # behind its anchor's, which it needs
                for branch in node.events.branches:
                    self._uses(branch, [*([node.of] if node.of else []), *node.same], node.events.span)

    def _uses(self, branch: nodes.Branch, values: Iterable[object], span: Span | nodes.Anchored | None) -> None:
        """Notes that a branch's kind is asked, for which properties, and where the window over it begins."""
        used = self.kinds.setdefault(branch.kind, {})
        self.begins.setdefault(branch.kind, {})[span.lo if isinstance(span, Span) else None] = None
        every = (*walk(branch.where), *values)
        used.update((value.key, None) for value in every if isinstance(value, nodes.Property))
