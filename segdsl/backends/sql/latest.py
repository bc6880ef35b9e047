"""Counts of which is only asked whether there is one at all: the instant of the latest event answers them.

`visited in 7d` and `not visited in 30d` are two counts of the same events; when the latest of these was tells both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segdsl import types
from segdsl.backends.sql.measures import simple
from segdsl.core import nodes
from segdsl.core.time import FromNow, Span

INSTANT = types.Timestamp()
NOW = FromNow()


def plan(
    compared: Mapping[nodes.Measure, Iterable[int]], asked: Iterable[nodes.Measure], now: int
) -> dict[nodes.Measure, nodes.Measure]:
    """The counts that the latest event of the same filter answers, and the measure of that event's instant.

    compared: counts that are only asked whether they are at least so many. asked: all measures. now: an instant.
    """
    counts: dict[tuple[nodes.Branch, ...], list[nodes.Measure]] = {}
    for measure, leasts in compared.items():
        if simple(measure) and up_to_now(measure) and max(leasts) == 1:
            counts.setdefault(measure.events.branches, []).append(measure)
    latest: dict[tuple[nodes.Branch, ...], list[nodes.Measure]] = {}
    for measure in asked:
        if measure.kind == "last" and measure.of is None and measure.events.branches in counts and up_to_now(measure):
            latest.setdefault(measure.events.branches, []).append(measure)
    found: dict[nodes.Measure, nodes.Measure] = {}
    for branches, same in counts.items():
        others = latest.get(branches, [])
        if len(same) + len(others) > 1:  # one count alone is as cheap, and easier to read
            last = latest_of(branches, [*others, *same], now)
            found.update((measure, last) for measure in same)
    return found


def up_to_now(measure: nodes.Measure) -> bool:
    """Whether the measure's window ends now."""
    span = measure.events.span
    return isinstance(span, Span) and span.hi in (None, NOW)


def latest_of(branches: tuple[nodes.Branch, ...], measures: Iterable[nodes.Measure], now: int) -> nodes.Measure:
    """The instant of the latest event in the longest of the windows of some measures, all of which end now."""

    def begins(measure: nodes.Measure) -> tuple[bool, int]:
        assert isinstance(measure.events.span, Span)
        lo = measure.events.span.lo
        return (False, 0) if lo is None else (True, lo.resolve(now))

    longest = min(measures, key=begins)
    assert isinstance(longest.events.span, Span)
    return nodes.Measure("last", nodes.Events(branches, Span(longest.events.span.lo, NOW)), INSTANT)
