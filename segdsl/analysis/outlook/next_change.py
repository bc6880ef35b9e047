"""When an answer changes with nothing new happening: exact to the microsecond, or never.

"Nothing new" means: the events, changes and attributes that there are at `now`, and none besides. What changes then
is only what windows hold, which waits are over, and which dates lie ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segdsl import types
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.analysis.outlook.probe import Probe
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.program import Program
from segdsl.core.time import (
    DAY,
    LAST,
    MICROSECONDS,
    At,
    Edge,
    Span,
    local_day,
    midnight,
    period_start,
    reaches,
)

YEAR = 366 * DAY
CYCLE = 146_097 * DAY  # 400 years: the days of the week and the leap years come round, and with them the clocks
HOUR = MICROSECONDS["h"]


def next_change(program: Program, segment: str, facts: Facts, now: int) -> int | None:
    """The first instant after `now` at which the answer for a contact is another than at `now`; None if there is none.

    now: microseconds since 1970-01-01 UTC, as is the result. Nothing changes after the year 9999.
    Raises KeyError if the program has no such segment. For many contacts make one `Probe` and use `flips`.
    """
    rule = program.segments[segment].rule
    return flips(Outlook(Probe(program, [rule]), facts, now), rule)


def flips(outlook: Outlook, rule: core.Rule) -> int | None:
    """The first instant after the outlook's `now` at which a rule's answer is another one, or None.

    rule: a root or leaf of the outlook's probe, or made of leaves.
    """
    answer, now = outlook.answer(rule), outlook.now
    outlook.prepare(now, now)
    current = answer(now, now)
    assert current is not None, "at one instant everything is told"
    end, turning = _end(outlook), _days(outlook)
    waiting = [(now + 1, end)] if now < end else []
    while waiting:
        first, last = waiting.pop()
        outlook.prepare(first, last)
        found = answer(first, last)
        if found is current:
            continue
        if found is not None:  # the other answer throughout, and the one that is was so up to here
            return first
        middle = _turn(turning, first, last)
        if middle is None:
            # Changes come soon or late: what is close to now is looked at closely.
            middle = min((first + last) // 2, first + max(first - now, HOUR))
        waiting += ((middle + 1, last), (first, middle))
    return None


Turning = Sequence[tuple[Edge, str]]


def _days(outlook: Outlook) -> Turning:
    """The edges, with their time zones, that turn an anniversary when they come to another day."""
    found = {
        (edge, node.zone): None for node in outlook.probe.nodes if isinstance(node, core.Anniversary)
        for edge in (node.span.lo, node.span.hi) if edge is not None and not isinstance(edge, At)
    }  # fmt: skip
    return tuple(found)


def _turn(turning: Turning, first: int, last: int) -> int | None:
    """Within a short stretch, the last instant before an anniversary may turn: there are many, to be met at once."""
    if last - first > 2 * DAY:
        return None
    for edge, zone in turning:
        day = period_start(local_day(edge.resolve(first), zone), "day", 1)
        turn = reaches(edge, midnight(day, zone))
        if turn is not None and first < turn <= last:
            return turn - 1
    return None


def _end(outlook: Outlook) -> int:
    """Where to stop looking: only anniversaries go on for ever, and once all else is past they repeat themselves."""
    nodes = outlook.probe.nodes
    if not any(isinstance(node, core.Anniversary) for node in nodes):
        return LAST
    past = latest = max([outlook.now, *_dates(outlook)]) + 2 * YEAR  # a date's first anniversary is a year later
    length = 0
    for node in nodes:
        edges: list[Edge | None] = []
        match node:
            case core.Held():
                edges = [node.at]
            case core.Anchored():
                length += abs(node.lo) + abs(node.hi)
            case core.Chain():
                length += sum(wait.within or 0 for wait in node.waits) + (node.total or 0)
        if isinstance(node, core.Events | core.Chain | core.InSpan | core.Anniversary) and isinstance(node.span, Span):
            edges = [node.span.lo, node.span.hi]
        for edge in edges:
            if edge is not None and not isinstance(edge, At):
                passed = reaches(edge, latest)
                past = LAST if passed is None else max(past, passed)
    return min(LAST, past + length + CYCLE)


def _dates(outlook: Outlook) -> Iterator[int]:
    """The instants that attributes and events hold, as far as the rules ask for them."""
    facts = outlook.index.facts
    for node in outlook.probe.nodes:
        if isinstance(node, core.Attribute | core.Property) and isinstance(node.type, types.Timestamp | types.Date):
            if isinstance(node, core.Attribute):
                found = [facts.attributes.get((node.relation, node.key))]
            else:
                found = [properties.get(node.key) for rows in facts.events.values() for _, properties in rows]
            yield from (instant for instant in found if isinstance(instant, int))
