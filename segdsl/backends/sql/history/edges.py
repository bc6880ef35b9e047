"""When an edge of a window gets to an instant that is a column: the inverse of an edge (`core.time.reaches`) as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.core.time import At, Earlier, Edge, FromNow, Later, PeriodStart, reaches, repeats_days

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
        return self.dialect.instant(self.until + 1)

    def reached(self, edge: Edge, t: Node) -> Node:
        """The first `now` at which an edge lies at `t` or later.

        Any instant up to `since` stands for "by then", any behind `until` for "not yet". `t` must be known.
        Raises Unsaid for a calendar edge that may go back, or moves too often.
        """
        match edge:
            case At():
                begin = self.dialect.instant(self.since)
                return b.case([(b.compare("<=", t, self.dialect.instant(edge.instant)), begin)], self.never())
            case FromNow():
                wanted = self.dialect.moved(t, -edge.microseconds)
                return self._by_months(wanted, -edge.months) if edge.months else wanted
            case PeriodStart():
                return self._by_periods(t, self._moves(edge))
            case Earlier():
                return b.extreme(exp.Greatest, [self.reached(each, t.copy()) for each in (edge.first, edge.second)])
            case Later():
                return b.extreme(exp.Least, [self.reached(each, t.copy()) for each in (edge.first, edge.second)])

    def _by_months(self, wanted: Node, months: int) -> Node:
        """A step of months runs on from the middle of what it stepped from, and stands still at a month's end."""
        close = self.dialect.moved(self.dialect.since_month(self.dialect.moved(wanted.copy(), -1), months), 1)
        return b.extreme(exp.Least, [self.dialect.since_month(wanted, months), close])

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
            found, later = self.dialect.instant(now), self.never()
        else:
            found, later = self._first(t, moves[: middle + 1]), self._by_periods(t, moves[middle + 1 :])
        return b.case([(b.compare("<=", t.copy(), self.dialect.instant(place)), found)], later)

    def _first(self, t: Node, moves: Sequence[tuple[int, int]]) -> Node:
        """The same where the last of the moves is known to take the edge that far."""
        if len(moves) == 1:
            return self.dialect.instant(moves[0][0])
        middle = (len(moves) - 1) // 2
        here = b.compare("<=", t.copy(), self.dialect.instant(moves[middle][1]))
        return b.case([(here, self._first(t, moves[: middle + 1]))], self._first(t, moves[middle + 1 :]))
