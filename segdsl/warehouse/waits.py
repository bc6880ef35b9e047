"""How long nothing changes by itself: for each contact a lower bound of the instant of its next change, as SQL.

A bound that is too early costs one evaluation, one that is too late would be a wrong answer. So edges are asked where
they get to next (`analysis.outlook.edges`), and what they do not tell is looked at with every refresh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from segdsl import types
from segdsl.analysis.outlook.edges import Moving, OverEvents, OverHistory, OverValue, Unsure, moving
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.core import nodes as core
from segdsl.core.counts import counted
from segdsl.core.program import Program, needed
from segdsl.core.time import (
    DAY,
    EVER,
    LAST,
    At,
    Edge,
    FromNow,
    Span,
    local_day,
    midnight,
    period_start,
    reaches,
    repeats_days,
)
from segdsl.core.walking import asks_now, children

Value = core.Attribute | core.Held | core.Measure
INSTANT = types.Timestamp()
CENTURY = 36_525 * DAY
FAR = 600  # months: to step further is left to another look


@dataclass(frozen=True)
class Turn:
    """An instant of a contact, and when the answer may change because of it.

    value: the instant; None is of everyone.
    edge: what moves towards it. None: the answer may change at `at`, at the earliest, if the instant is known.
    count, least: nothing changes if the count is less than that.
    """

    value: Value | None
    edge: Edge | None = None
    at: int | None = None
    count: core.Measure | None = None
    least: int = 0


def turns(program: Program, names: list[str], now: int) -> list[Turn]:
    """All turns of some segments and of what they ask. `at` of a turn is `now` where nothing is known."""
    found: dict[Turn, None] = {}
    asked = needed(program, names)
    for rule in (*(segment.rule for segment in asked.segments.values()), *asked.scores.values()):
        found.update((turn, None) for turn in _within(rule, now))
    return list(found)


def asking(turns: list[Turn]) -> dict[str, core.Value]:
    """All values of turns, under names that are given to them."""
    values: dict[core.Value, None] = {}
    for turn in turns:
        values.update((value, None) for value in (turn.value, turn.count) if value is not None)
    return {f"v{i}": value for i, value in enumerate(values)}


def due(turns: list[Turn], names: dict[str, core.Value], dialect: Dialect, now: int) -> Node:
    """Microseconds since 1970 until which nothing changes, from a table with the values of `asking` as columns."""
    columns = {value: b.column(name) for name, value in names.items()}
    options = [_earliest(turn, columns, dialect, now) for turn in turns]
    return b.extreme(exp.Least, [b.number(LAST), *options])


def _within(node: core.Rule | core.Value | core.Events | core.Anchored, now: int) -> Iterator[Turn]:
    counts = _of_count(node) if isinstance(node, core.Compare) else None
    if counts is not None:
        yield from counts
        return
    for each in moving(node):
        yield from _of(each, now)
    for child in children(node):
        yield from _within(child, now)


def _of_count(rule: core.Compare) -> list[Turn] | None:
    """A count up to now against a number: by itself it only falls, and that matters where it falls below the number."""
    asked = counted(rule)
    if asked is None:
        return None
    events, span = asked.measure.events, asked.measure.events.span
    if not isinstance(span, Span) or span.hi not in (None, FromNow()):
        return None
    if not isinstance(span.lo, At | FromNow | None) or any(asks_now(branch) for branch in events.branches):
        return None
    if not isinstance(span.lo, FromNow):
        return []
    last, first = (core.Measure(kind, events, INSTANT) for kind in ("last", "first"))
    return [Turn(last, span.lo) if least == 1 else Turn(first, span.lo, count=asked.measure, least=least)
            for least in asked.leasts if least > 0]  # fmt: skip


def _of(moves: Moving, now: int) -> Iterator[Turn]:
    match moves:
        case OverEvents(branches=branches, edge=edge):
            yield _when(_first(branches, edge), edge, now)
        case OverValue(value=value, edge=edge):
            yield _when(value, edge, now)
        case OverHistory(at=FromNow(microseconds=0, months=0)):
            return  # a change that comes then is news
        case OverHistory(key=key, at=at):
            yield _when(_first((core.Branch(core.changes_of(key), core.EVERYONE),), at), at, now)
        case Unsure(node=core.Anniversary() as node):
            yield Turn(_known(node.value), at=_next_day(node, now))
        case Unsure(node=core.InSpan() as node):
            yield Turn(_known(node.value), at=now)
        case Unsure(node=core.Events(span=None)):
            return  # who asks for events without a time is evaluated for everyone
        case Unsure(node=core.Events() | core.Chain() as node):
            branches = node.branches if isinstance(node, core.Events) else tuple(node.branches())
            for kind in dict.fromkeys(branch.kind for branch in branches):
                yield Turn(_first((core.Branch(kind, core.EVERYONE),), None), at=now)


def _when(value: Value, edge: Edge, now: int) -> Turn:
    """When an edge gets to an instant; of edges that do not simply move with now, when they next move at all."""
    if isinstance(edge, FromNow):
        return Turn(value, edge)
    moved = reaches(edge, edge.resolve(now) + 1)
    return Turn(value, edge, at=LAST if moved is None else moved)


def _first(branches: tuple[core.Branch, ...], edge: Edge | None) -> core.Measure:
    """The first of some events after an edge, up to now."""
    span = EVER if edge is None else Span(edge, FromNow())
    return core.Measure("first", core.Events(branches, span), INSTANT)


def _known(value: core.Value) -> Value | None:
    return value if isinstance(value, Value) else None


def _next_day(node: core.Anniversary, now: int) -> int:
    """When some edge of the span next gets to the beginning of a day."""
    if repeats_days(node.zone):
        return now
    found = [LAST]
    for edge in (node.span.lo, node.span.hi):
        if edge is not None and not isinstance(edge, At):
            day = period_start(local_day(edge.resolve(now), node.zone), "day", 1)
            instant = reaches(edge, midnight(day, node.zone))
            found += [] if instant is None else [instant]
    return min(found)


def _earliest(turn: Turn, columns: dict[core.Value, Node], dialect: Dialect, now: int) -> Node:
    """A turn's bound in microseconds, never NULL."""
    if turn.value is None:
        return b.number(now if turn.at is None else turn.at)
    value = columns[turn.value]
    conditions = [b.known(value.copy())]
    if turn.edge is not None:
        conditions = [b.compare(">", value.copy(), dialect.instant(turn.edge.resolve(now)))]
    if turn.count is not None:
        conditions.append(b.compare(">=", columns[turn.count].copy(), b.number(turn.least)))
    cases = [(b.conjunction(conditions), _reached(turn, value, dialect, now))]
    if turn.edge is not None and turn.at is None and turn.edge.months:  # type: ignore[union-attr]
        # Calendars of databases end earlier than those of segdsl.
        beyond = b.compare(">", value.copy(), dialect.instant(now + CENTURY))
        cases.insert(0, (beyond, b.number(now)))
    return b.case(cases, b.number(LAST))


def _reached(turn: Turn, value: Node, dialect: Dialect, now: int) -> Node:
    if turn.at is not None or not isinstance(turn.edge, FromNow):
        return b.number(now if turn.at is None else turn.at)
    edge = turn.edge
    if not edge.months:
        return dialect.micros(dialect.moved(value.copy(), -edge.microseconds))
    if abs(edge.months) > FAR:
        return b.number(now)
    # Stepped back from a microsecond earlier: the first instant of a month is also where a day that the month lacks
    # is put, and so it is reached before its own step.
    before = dialect.moved(value.copy(), -edge.microseconds - 1)
    return dialect.micros(dialect.since_month(before, -edge.months))
