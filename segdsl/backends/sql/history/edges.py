"""When an edge of a window gets to an instant that is a column: the inverse of an edge (`core.time.reaches`) as SQL.

Instants are whole numbers here, microseconds since 1970 (UTC), on every database: they are added to and compared faster
than times.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.core.time import DAY, FIRST, LAST, At, Earlier, Edge, FromNow, Later, PeriodStart, reaches, repeats_days
from segdsl.types import INT

STEPS = 2000  # of a calendar edge, at most


class Unsaid(Exception):  # noqa: N818  (no error: it is asked another way then)
    """SQL has no form for a test here."""


class Edges:
    """Edges between two instants, microseconds since 1970 (UTC), of which `until` lies before the end of time."""

    def __init__(self, dialect: Dialect, since: int, until: int) -> None:
        self.dialect, self.since, self.until = dialect, since, until
        self._steps: dict[PeriodStart, list[tuple[int, int]]] = {}

    def never(self) -> Node:
        """An instant behind the last one."""
        return whole(self.until + 1)

    def begin(self) -> Node:
        """The first instant."""
        return whole(self.since)

    def reached(self, edge: Edge, t: Node) -> Node:
        """The first `now` at which an edge lies at `t` or later.

        Any instant up to `since` stands for "by then", any behind `until` for "not yet". `t` must be known.
        Raises Unsaid for a calendar edge that may go back, or moves too often.
        """
        match edge:
            case At():
                return b.case([(b.compare("<=", t, b.number(edge.instant)), self.begin())], self.never())
            case FromNow():
                wanted = later(t, -edge.microseconds)
                return self._by_months(wanted, -edge.months) if edge.months else wanted
            case PeriodStart():
                return self._by_periods(t, self._moves(edge))
            case Earlier():
                return b.extreme(exp.Greatest, [self.reached(each, t.copy()) for each in (edge.first, edge.second)])
            case Later():
                return b.extreme(exp.Least, [self.reached(each, t.copy()) for each in (edge.first, edge.second)])

    def _by_months(self, wanted: Node, months: int) -> Node:
        """A step of months runs on from the middle of what it stepped from, and stands still at a month's end."""
        room = (abs(months) + 2) * 31 * DAY
        lowest, highest = FIRST + room, LAST - room
        if self.since < lowest + room or self.until > highest - room:
            raise Unsaid
        # What is beyond can be reached at no instant that is asked for, and databases' times do not go on for ever.
        near = b.extreme(exp.Least, [b.extreme(exp.Greatest, [wanted, b.number(lowest)]), b.number(highest)])
        moment = self.dialect.epoch(near, self.dialect.physical_of(INT), "us")
        close = self.dialect.moved(self.dialect.since_month(self.dialect.moved(moment.copy(), -1), months), 1)
        return self.dialect.micros(b.extreme(exp.Least, [self.dialect.since_month(moment, months), close]))

    def _moves(self, edge: PeriodStart) -> list[tuple[int, int]]:
        """Where the edge is from which `now` on, between the two instants: reckoned here, where all calendars are."""
        if edge in self._steps:
            return self._steps[edge]
        if repeats_days(edge.zone):
            raise Unsaid
        now: int | None = self.since
        found: list[tuple[int, int]] = []
        while now is not None and now <= self.until:
            found.append((now, edge.resolve(now)))
            if len(found) > STEPS:
                raise Unsaid
            now = reaches(edge, found[-1][1] + 1)
        self._steps[edge] = found
        return found

    def _by_periods(self, t: Node, moves: Sequence[tuple[int, int]]) -> Node:
        """The first move that takes the edge as far as `t`: a CASE that halves them again and again."""
        if not moves:
            return self.never()
        middle = len(moves) // 2
        now, place = moves[middle]
        if len(moves) == 1:
            found, after = whole(now), self.never()
        else:
            found, after = self._first(t, moves[: middle + 1]), self._by_periods(t, moves[middle + 1 :])
        return b.case([(b.compare("<=", t.copy(), b.number(place)), found)], after)

    def _first(self, t: Node, moves: Sequence[tuple[int, int]]) -> Node:
        """The same where the last of the moves is known to take the edge that far."""
        if len(moves) == 1:
            return whole(moves[0][0])
        middle = (len(moves) - 1) // 2
        here = b.compare("<=", t.copy(), b.number(moves[middle][1]))
        return b.case([(here, self._first(t, moves[: middle + 1]))], self._first(t, moves[middle + 1 :]))


def whole(instant: int) -> Node:
    """The literal of an instant; with its type, as small numbers and large ones are not alike everywhere."""
    return b.cast(b.number(instant), "BIGINT")


def later(t: Node, microseconds: int) -> Node:
    """An instant that much later, or earlier if negative."""
    return exp.Paren(this=b.added(t, b.number(microseconds))) if microseconds else t
