"""How long nothing changes by itself: for each contact a lower bound of the instant of its next change, as SQL.

A bound that is too early costs one evaluation, one that is too late would be a wrong answer. So edges are asked where
they get to next (`analysis.outlook.edges`), and what they do not tell is looked at with every refresh. What cannot
change an answer, whenever it turns, is not waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from segdsl import types
from segdsl.analysis.outlook.edges import Moving, OverAnniversaries, OverEvents, OverHistory, OverValue, Unsure, moving
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.latest import latest_of, up_to_now
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
)
from segdsl.core.walking import asks_now, children

Value = core.Attribute | core.Held | core.Measure
INSTANT = types.Timestamp()
CENTURY = 36_525 * DAY
FAR = 600  # months: to step further is left to another look


@dataclass(frozen=True)
class Turn:
    """An instant of a contact, and when the answer may change because of it; `at` is now where nothing is known.

    value: the instant; None is of everyone.
    edge: what moves towards it. None: the answer may change at `at`, at the earliest, if the instant is known.
    count, least: nothing changes if the count is less than that.
    """

    value: Value | None
    edge: Edge | None = None
    at: int | None = None
    count: core.Measure | None = None
    least: int = 0


@dataclass(frozen=True)
class Wait:
    """What an answer waits for: the earliest of some turns and of other waits.

    only: counts that fall below their number by themselves, and never reach it again. While one of them is below, the
    answer stays as it is, whatever else turns: `a and b` is false as long as `a` is.
    """

    turns: tuple[Turn, ...]
    waits: tuple[Wait, ...] = ()
    only: tuple[Turn, ...] = ()

    def all(self) -> Iterator[Turn]:
        """Every turn in it."""
        yield from self.turns
        for wait in self.waits:
            yield from wait.all()


class Due:
    """Until when nothing changes by itself in the answers of some segments.

    values: what must be asked of every contact, under names that are given to it.
    """

    def __init__(self, program: Program, names: list[str], now: int) -> None:
        self.now = now
        asked = needed(program, names)
        parts = [_of_rule(segment.rule, now) for segment in asked.segments.values()]
        # What several segments ask, through another or of a score, is waited for once, whoever asks.
        parts += [_flat(score, now) for score in asked.scores.values()]
        self.wait = _gathered(parts)
        turns = list(dict.fromkeys(self.wait.all()))
        self.turns = dict(zip(turns, _by_latest(turns, now), strict=True))
        values: dict[core.Value, None] = {}
        for turn in self.turns.values():
            values.update((value, None) for value in (turn.value, turn.count) if value is not None)
        self.values = {f"v{i}": value for i, value in enumerate(values)}

    def query(self, asked: Node, dialect: Dialect) -> Node:
        """`id, due`, the latter in microseconds since 1970, from a query of `id` and the values, which it takes in."""
        values = {value: b.column(name) for name, value in self.values.items()}
        names = {turn: f"t{i}" for i, turn in enumerate(self.turns)}
        columns = [("id", b.column("id"))]
        columns += [(names[turn], _earliest(to_ask, values, dialect, self.now)) for turn, to_ask in self.turns.items()]
        turns = select(columns, asked.subquery("asked", copy=False))
        due = self._earliest_of(self.wait, names, frozenset())
        return select([("id", b.column("id")), ("due", due)], turns.subquery("turns", copy=False))

    def _earliest_of(self, wait: Wait, names: Mapping[Turn, str], known: frozenset[Turn]) -> Node:
        """known: turns of which the result is waited for anyway."""
        options = [b.column(names[turn]) for turn in wait.turns if turn not in known]
        within = known | frozenset(wait.turns)
        options += [self._earliest_of(each, names, within) for each in wait.waits]
        earliest = b.extreme(exp.Least, [b.number(LAST), *options])
        if not wait.only or not options:
            return earliest
        ahead = [b.compare("<", b.column(names[turn]), b.number(LAST)) for turn in wait.only]
        return b.case([(b.conjunction(ahead), earliest)], b.number(LAST))


def _of_rule(rule: core.Rule, now: int) -> Wait:
    match rule:
        case core.Not(part=part):
            return _of_rule(part, now)
        case core.All(parts=parts) | core.Any(parts=parts):
            stays = [_once_below(part, isinstance(rule, core.Any)) for part in parts]
            return _gathered([_of_rule(part, now) for part in parts], [turn for turn in stays if turn is not None])
    return _flat(rule, now)


def _flat(node: core.Rule | core.Value, now: int) -> Wait:
    return Wait(tuple(dict.fromkeys(_within(node, now))))


def _gathered(parts: list[Wait], only: Sequence[Turn] = ()) -> Wait:
    """Everything that some parts wait for."""
    turns = dict.fromkeys(turn for part in parts if not part.only for turn in part.turns)
    waits = dict.fromkeys(wait for part in parts for wait in ([part] if part.only else part.waits))
    return Wait(tuple(turns), tuple(waits), tuple(dict.fromkeys(only)))


def _once_below(rule: core.Rule, so: bool) -> Turn | None:
    """The turn of a count that, once it is below its number, keeps the rule as it is; `so`: true, else false."""
    if isinstance(rule, core.Not):
        return _once_below(rule.part, not so)
    asked, counts = counted(rule), _of_count(rule)
    if asked is None or not counts or len(counts) > 1:
        return None
    return counts[0] if (asked.op in {">=", ">"}) != so else None


def _by_latest(turns: list[Turn], now: int) -> list[Turn]:
    """The same turns, where an edge that leaves the latest event of its window behind goes by the latest of the longest
    window over the same events: whether that one is still ahead of it is asked anyway."""
    same: dict[tuple[core.Branch, ...], list[core.Measure]] = {}
    for value in (turn.value for turn in turns if _leaves_latest(turn)):
        assert isinstance(value, core.Measure)
        same.setdefault(value.events.branches, []).append(value)
    longest = {branches: latest_of(branches, measures, now) for branches, measures in same.items()}
    return [replace(turn, value=longest[turn.value.events.branches])  # type: ignore[union-attr]
            if _leaves_latest(turn) else turn for turn in turns]  # fmt: skip


def _leaves_latest(turn: Turn) -> bool:
    value = turn.value
    return (
        isinstance(value, core.Measure) and value.kind == "last" and value.of is None and up_to_now(value)
        and turn.count is None and isinstance(turn.edge, FromNow) and turn.edge == value.events.span.lo  # type: ignore[union-attr]
    )  # fmt: skip


def _within(node: core.Rule | core.Value | core.Events | core.Anchored, now: int) -> Iterator[Turn]:
    counts = _of_count(node) if isinstance(node, core.Compare) else None
    if counts is not None:
        yield from counts
        return
    for each in moving(node):
        yield from _of(each, now)
    for child in children(node):
        yield from _within(child, now)


def _of_count(rule: core.Rule) -> list[Turn] | None:
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
        case OverAnniversaries(value=value, zone=zone, edge=edge):
            yield Turn(value, at=_next_day(edge, zone, now))
        case Unsure(node=core.Anniversary() | core.InSpan() as node):
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


def _next_day(edge: Edge, zone: str, now: int) -> int:
    """When an edge next gets to the beginning of a day."""
    day = period_start(local_day(edge.resolve(now), zone), "day", 1)
    instant = reaches(edge, midnight(day, zone))
    return LAST if instant is None else instant


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
