"""A window that reaches back further than its events are kept.

The catalog says with `retention` how long the rows of an event are kept; what a longer window asks for is gone. Windows
that move with now count: `in 500d`, `more than 500d ago`, `last year`. Literal dates and `ever` are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.subject import Subject
from segdsl.analysis.proof.spans import furthest
from segdsl.catalog.model import Event, Length
from segdsl.core import nodes as core
from segdsl.core.time import DAY, MICROSECONDS, FromNow, Span
from segdsl.core.walking import walk
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source
from segdsl.text.source import Span as Place

CODE = "SEG0417"
ON = True
FIX = ""

_MONTHS = {"mo": 1, "y": 12}


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Tests whose window can reach beyond the retention of an event that they look at; each event once."""
    kept = {key: event for key, event in subject.catalog.events.items() if event.retention is not None}
    if not kept:
        return
    for outline in subject.outlines:
        for part in outline.walk():
            if part.op == "test":
                yield from _beyond(kept, part.rule, part.words, part.source, part.span)
    for line in subject.counted:
        yield from _beyond(kept, line.value, line.words, line.source, line.span)


def _beyond(
    kept: dict[str, Event], root: core.Rule | core.Value, words: str, source: Source, place: Place
) -> Iterator[Diagnostic]:
    reach: dict[str, int] = {}
    for kind, span in _windows(root):
        reach[kind] = max(reach.get(kind, 0), _reach(span))
    for kind, distance in reach.items():
        event = kept.get(kind)
        if event is None or event.retention is None or distance <= _length(event.retention):
            continue
        length, declared = event.retention, event.retention.place
        line = declared.source.position(declared.span.start)[0]
        days = -(-distance // DAY)
        yield Diagnostic(
            CODE,
            f"`{words}` looks back further than `{event.name}` is kept",
            source,
            place,
            f"up to {days} days",
            f"{declared.source.name.rpartition('/')[2]}:{line} says `retention: {length.amount}{length.unit}`",
            "take a shorter window, or correct the retention if the data goes back further",
            "warning",
        )


def _windows(root: core.Rule | core.Value) -> Iterator[tuple[str, Span | core.Anchored | None]]:
    """The kinds of event that a test looks at, each with a window that it is seen through."""
    for node in walk(root):
        match node:
            case core.Events():
                yield from ((branch.kind, node.span) for branch in node.branches)
            case core.Chain():
                yield from ((branch.kind, node.span) for step in node.steps for branch in step.branches)
            case core.InSpan(value=core.Measure(of=None) as measure):  # `last(visited) in 500d`
                yield from ((branch.kind, node.span) for branch in measure.events.branches)


def _reach(span: Span | core.Anchored | None) -> int:
    if not isinstance(span, Span):
        return 0
    return max(furthest(span.lo) or 0, furthest(span.hi) or 0)


def _length(length: Length) -> int:
    if length.unit in _MONTHS:
        return furthest(FromNow(months=-length.amount * _MONTHS[length.unit])) or 0
    return length.amount * MICROSECONDS[length.unit]
