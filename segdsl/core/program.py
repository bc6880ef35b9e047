"""The segments and scores of some rule files, in core form: what check makes and backends take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from segdsl.core.nodes import Node, Part, Points, Rule, Value
from segdsl.core.walking import references, walk

BARE = "rule"  # the name of the segment that a rule without a heading is


@dataclass(frozen=True, slots=True)
class Segment:
    """A named rule; `words` is the rule as it was written, `outline` its parts."""

    name: str
    rule: Rule
    title: str = field(default="", compare=False)
    words: str = field(default="", compare=False)
    outline: Part | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Program:
    """Segments and scores by name, each after those that it refers to."""

    segments: Mapping[str, Segment]
    scores: Mapping[str, Points]

    def outlines(self) -> list[Part]:
        """The rules of segments, then those of scores' lines, as they were written."""
        found = [segment.outline for segment in self.segments.values()]
        found += [award.outline for points in self.scores.values() for award in points.awards]
        return [outline for outline in found if outline is not None]


def needed(program: Program, names: Iterable[str]) -> Program:
    """The named segments and all that they ask, through others too, in the order of the program.

    A name that the program lacks is left out, as are all of a program whose references make a circle.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in program.segments:
            waiting += references(program.segments[name].rule)
        elif name in program.scores:
            waiting += references(program.scores[name])
    return Program(
        {name: segment for name, segment in program.segments.items() if name in found},
        {name: score for name, score in program.scores.items() if name in found},
    )


def nodes_of(program: Program, roots: Iterable[Rule]) -> tuple[Node, ...]:
    """Every node of some rules and of the segments and scores that they refer to."""
    roots = tuple(roots)
    inner = needed(program, [name for root in roots for name in references(root)])
    whole: list[Rule | Value] = [*roots, *(s.rule for s in inner.segments.values()), *inner.scores.values()]
    return tuple(node for one in whole for node in walk(one))
