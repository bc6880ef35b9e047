"""Which edges move over a contact's instants as time passes: all by which the answer of a test may change by itself.

Between two instants at which some edge gets to the next of the instants that it moves over, no answer changes. Who
waits for a change (the stream for one contact, the warehouse's refresh for all) asks here what there is to wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from segdsl.core import nodes as core
from segdsl.core.time import At, Edge, FromNow, PeriodStart, Span, repeats_days
from segdsl.core.walking import asks_now


@dataclass(frozen=True, slots=True)
class OverEvents:
    """An edge that moves over the instants of some events."""

    branches: tuple[core.Branch, ...]
    edge: Edge


@dataclass(frozen=True, slots=True)
class OverValue:
    """An edge that moves towards an instant that is known of the contact, as that is now."""

    value: core.Attribute | core.Held | core.Measure
    edge: Edge


@dataclass(frozen=True, slots=True)
class OverHistory:
    """An edge that moves over the changes of an attribute with a history."""

    key: str
    at: Edge


@dataclass(frozen=True, slots=True)
class OverAnniversaries:
    """An edge that moves over the anniversaries, in a zone, of a date that is known of the contact."""

    value: core.Attribute | core.Held | core.Measure
    zone: str
    edge: Edge


@dataclass(frozen=True, slots=True)
class Unsure:
    """A node of which edges do not tell: tests of events that ask for now themselves, and calendar windows and
    anniversaries where clocks fell back across midnight, so that what an edge has passed it may have to pass again."""

    node: core.Events | core.Chain | core.InSpan | core.Anniversary


Moving = OverEvents | OverValue | OverHistory | OverAnniversaries | Unsure


def moving(node: core.Node) -> Iterator[Moving]:
    """What moves in one node, whatever is inside it; nothing for a node that asks for no time."""
    match node:
        case core.Events(branches=branches, span=span):
            edges = _edges(span) if isinstance(span, Span) else []
            if _ask_now(branches) or edges is None:
                yield Unsure(node)
            else:
                yield from (OverEvents(branches, edge) for edge in edges)
        case core.Chain():
            yield from _of_chain(node)
        case core.InSpan() | core.Anniversary() if isinstance(node.value, core.Property | core.PeriodOf):
            return  # of one event: what holds it is unsure, or it does not move
        case core.InSpan(value=value, span=span):
            # Around an anchor a window goes up to now.
            edges = _edges(span) if isinstance(span, Span) else [FromNow()]
            if edges is None or not isinstance(value, core.Attribute | core.Held | core.Measure):
                yield Unsure(node)
            else:
                yield from (OverValue(value, edge) for edge in edges)
        case core.Held(key=key, at=at) if not isinstance(at, At):
            yield OverHistory(key, at)
        case core.Anniversary(value=value, zone=zone, span=span):
            edges = None if repeats_days(zone) else _edges(span)
            if edges is None or not isinstance(value, core.Attribute | core.Held | core.Measure):
                yield Unsure(node)
            else:
                yield from (OverAnniversaries(value, zone, edge) for edge in edges)
        case (
            core.All() | core.Any() | core.Not() | core.Compare() | core.OneOf() | core.Match() | core.Known()
            | core.Contains() | core.Near() | core.InSegment() | core.InList() | core.InSample() | core.Const()
            | core.Attribute() | core.Held() | core.Property() | core.PeriodOf() | core.Folded() | core.Arithmetic()
            | core.Measure() | core.Points() | core.ScoreOf() | core.Anchored()
        ):  # fmt: skip
            return
        case _:
            assert_never(node)


def _of_chain(chain: core.Chain) -> Iterator[Moving]:
    edges = _edges(chain.span) if isinstance(chain.span, Span) else []
    if _ask_now(chain.branches()) or edges is None:
        yield Unsure(chain)
        return
    for step in chain.steps:
        yield from (OverEvents(step.branches, edge) for edge in edges)
    for wait in chain.waits:
        # A wait is over so long after the last event, or after the first.
        if wait.within is not None:
            yield OverEvents(chain.steps[-1].branches, FromNow(-wait.within))
        elif chain.total is not None:
            yield OverEvents(chain.steps[0].branches, FromNow(-chain.total))


def _ask_now(branches: Iterable[core.Branch]) -> bool:
    return any(asks_now(branch) for branch in branches)


def _edges(span: Span) -> list[Edge] | None:
    """The edges of a span that move; None if one may move back."""
    edges: list[Edge] = [edge for edge in (span.lo, span.hi) if edge is not None and not isinstance(edge, At)]
    return None if any(isinstance(edge, PeriodStart) and repeats_days(edge.zone) for edge in edges) else edges
