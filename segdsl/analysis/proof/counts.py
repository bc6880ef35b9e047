"""What counts say about each other: events that are among others are no more than those."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Protocol

from segdsl.analysis.proof import spans
from segdsl.analysis.proof.values import Range
from segdsl.core import nodes as core

MOST_COUNTS = 16  # counts that are compared with each other


class Knowledge(Protocol):
    """What the prover knows beside the tests."""

    scores: Mapping[str, core.Points]
    required: frozenset[str]

    def implies(self, first: core.Rule, second: core.Rule) -> bool: ...

    def never(self, rule: core.Rule) -> bool: ...


class Counts:
    """Relations between counts, as far as the prover can tell them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    def relate(self, ranges: dict[core.Value, Range]) -> None:
        """Narrows the ranges of counts by each other."""
        counts = [v for v in ranges if isinstance(v, core.Measure) and v.kind in ("count", "distinct")]
        for measure in counts:
            if self.no_events(measure.events):
                ranges[measure].at_most(0)
        if len(counts) > MOST_COUNTS:
            return
        for small, large in permutations(counts, 2):
            if not self.at_most(small, large):
                continue
            low, high = ranges[small].low, ranges[large].high
            if low is not None:
                ranges[large].at_least(low)
            if high is not None:
                ranges[small].at_most(high)

    def no_events(self, events: core.Events) -> bool:
        """Whether there are proven to be no such events."""
        if spans.empty(events.span, of_events=True):
            return True
        return all(branch.where != core.EVERYONE and self.knowledge.never(branch.where) for branch in events.branches)

    def at_most(self, small: core.Measure, large: core.Measure) -> bool:
        """Whether one count is proven to be never more than the other."""
        if large.kind == "distinct" and (small.kind != "distinct" or small.of != large.of):
            return False
        if large.within is not None and (small.within is None or small.within > large.within):
            return False
        if large.same and not set(large.same) <= set(small.same):
            return False
        if small.kind == "distinct" and (large.same or large.within is not None):
            return False
        return self.among(small.events, large.events)

    def among(self, inner: core.Events, outer: core.Events) -> bool:
        """Whether each of some events is proven to be one of the others."""
        if not spans.within(inner.span, outer.span, of_events=True):
            return False
        wheres = {branch.kind: branch.where for branch in outer.branches}
        return all(
            branch.kind in wheres and self.knowledge.implies(branch.where, wheres[branch.kind])
            for branch in inner.branches
        )
