"""When a statement's instants are: fixed when it is compiled, or read off the database's clock each time it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.core import time
from segdsl.core.time import Edge, FromNow, PeriodStart, Span

NOW = FromNow()

Day = tuple[Node, Node]  # a calendar day: its year, and 100 * month + day


class Clock(ABC):
    """Edges of windows as expressions."""

    title: str  # for people: when the statement asks

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @abstractmethod
    def edge(self, edge: Edge) -> Node:
        """The instant of an edge."""

    @abstractmethod
    def earliest(self, edges: Sequence[Edge]) -> Node:
        """The earliest of some edges."""

    @abstractmethod
    def first_of(self, edges: Sequence[Edge]) -> Edge | None:
        """Which of some edges is the earliest; None if that is not known before the statement runs."""

    @abstractmethod
    def until(self, edge: Edge) -> Node:
        """The instant of an edge, or now if that is earlier."""

    @abstractmethod
    def anniversaries(self, year: Node, day: Node, span: Span, zone: str) -> Node:
        """Whether a later year's anniversary of a day begins in a span: the day as its year and 100 * month + day."""

    @abstractmethod
    def ctes(self) -> list[Node]:
        """What all that was asked needs at the beginning of the statement."""

    def now(self) -> Node:
        """The instant that the statement asks about."""
        return self.edge(NOW)

    def span(self, span: Span) -> tuple[Node | None, Node | None]:
        """The two ends of a span; None for no bound."""
        return (self.edge(span.lo) if span.lo else None), (self.edge(span.hi) if span.hi else None)

    def events(self, span: Span) -> tuple[Node | None, Node]:
        """The same, cut off at now: no later event exists yet."""
        return (self.edge(span.lo) if span.lo else None), self.until(span.hi or NOW)


class Fixed(Clock):
    """One instant, in microseconds since 1970 UTC: every edge is a literal."""

    def __init__(self, dialect: Dialect, now: int) -> None:
        super().__init__(dialect)
        self.instant = now
        self.title = time.isoformat(now)

    def edge(self, edge: Edge) -> Node:
        return self.dialect.instant(edge.resolve(self.instant))

    def earliest(self, edges: Sequence[Edge]) -> Node:
        return self.dialect.instant(min(edge.resolve(self.instant) for edge in edges))

    def first_of(self, edges: Sequence[Edge]) -> Edge | None:
        return min(edges, key=lambda edge: edge.resolve(self.instant))

    def until(self, edge: Edge) -> Node:
        return self.dialect.instant(min(edge.resolve(self.instant), self.instant))

    def ctes(self) -> list[Node]:
        return []

    def anniversaries(self, year: Node, day: Node, span: Span, zone: str) -> Node:
        first, last = time.days_begun(*span.resolve(self.instant), zone)
        (from_year, from_day), (to_year, to_day) = divmod(first, 10_000), divmod(last, 10_000)

        def earlier_than(later: int) -> Node:
            return b.compare("<", year.copy(), b.number(later))

        since = b.compare(">=", day, b.number(from_day))
        until = b.compare("<=", day.copy(), b.number(to_day))
        if first > last:
            return b.FALSE()
        if from_year == to_year:
            return b.conjunction([earlier_than(from_year), since, until])
        options = [b.conjunction([earlier_than(from_year), since]), b.conjunction([earlier_than(to_year), until])]
        if to_year - from_year > 1:  # some whole year lies in the span
            options.append(earlier_than(to_year - 1))
        return b.disjunction(options)


class Live(Clock):
    """The database's clock: it is read in one place, and every edge that is asked for is a column beside it."""

    title = "the time of the database's clock"

    def __init__(self, dialect: Dialect, name: Callable[[str], str]) -> None:
        """name: gives a query a name like the one that it is given, which no table has."""
        super().__init__(dialect)
        dialect.require("live")
        self._columns: dict[object, tuple[str, Node]] = {NOW: ("now", b.column("now"))}
        # The beginnings of periods, as clocks show them: in a query of their own, as an edge looks at one repeatedly.
        self._periods: dict[object, tuple[str, Node]] = {NOW: ("now", b.column("now"))}
        # Days that hold such a beginning, in a query upon that one: a zone's clock inside of a zone's clock would be a
        # text that SQLite's parser has no stack for.
        self._days: dict[object, tuple[str, Node]] = {}
        self._tables = {wanted: name(wanted) for wanted in ("clock", "periods", "days", "edges")}

    def edge(self, edge: Edge) -> Node:
        return self.dialect.instant(edge.instant) if isinstance(edge, time.At) else self._asked(edge, self._of(edge))

    def earliest(self, edges: Sequence[Edge]) -> Node:
        if len(edges) == 1:
            return self.edge(edges[0])
        return self._asked(("earliest", *edges), b.extreme(exp.Least, [self._of(edge) for edge in edges]))

    def first_of(self, edges: Sequence[Edge]) -> Edge | None:
        return edges[0] if len(set(edges)) == 1 else None

    def until(self, edge: Edge) -> Node:
        if isinstance(edge, FromNow) and edge.microseconds <= 0 and edge.months <= 0:
            return self.edge(edge)
        return self._asked(("until", edge), b.extreme(exp.Least, [self._of(edge), b.column("now")]))

    def ctes(self) -> list[Node]:
        clock = exp.Select(expressions=[exp.Alias(this=self.dialect.current(), alias=b.identifier("now"))])
        source = self._tables["clock"]
        ctes = [b.cte(source, clock)]
        if len(self._periods) > 1:
            ctes.append(b.cte(self._tables["periods"], select(list(self._periods.values()), b.table(source))))
            source = self._tables["periods"]
        if self._days:
            columns = [(name, b.column(name)) for name, _ in self._periods.values()]
            ctes.append(b.cte(self._tables["days"], select([*columns, *self._days.values()], b.table(source))))
            source = self._tables["days"]
        return [*ctes, b.cte(self._tables["edges"], select(list(self._columns.values()), b.table(source)))]

    def anniversaries(self, year: Node, day: Node, span: Span, zone: str) -> Node:
        (from_year, from_day), (to_year, to_day) = self._first_day(span.lo, zone), self._last_day(span.hi, zone)
        earlier = b.template("_y < _from", y=year, **{"from": from_year})
        spans = {"fy": from_year, "fd": from_day, "ty": to_year, "td": to_day, "y": year, "d": day}
        return b.disjunction([
            b.conjunction([earlier, b.template("_fy = _ty AND _d BETWEEN _fd AND _td", **spans)]),
            b.template("_fy < _ty AND _y < _fy AND _d >= _fd", **spans),
            b.template("_fy < _ty AND _y < _ty AND _d <= _td", **spans),
            b.template("_ty - _fy > 1 AND _y < _ty - 1", **spans),
        ])  # fmt: skip

    def _asked(self, key: object, value: Node) -> Node:
        """The value as a column of its own, read from there."""
        name, _ = self._columns.setdefault(key, (f"edge_{len(self._columns)}", value))
        return self.dialect.cell(self._tables["edges"], name)

    def _of(self, edge: Edge) -> Node:
        """An edge out of the column `now` and out of those of `periods`."""
        match edge:
            case time.At():
                return self.dialect.instant(edge.instant)
            case FromNow():
                now = b.column("now")
                stepped = self.dialect.since_month(now, edge.months) if edge.months else now
                return self.dialect.moved(stepped, edge.microseconds)
            case PeriodStart():
                start = self._beginning(edge.base, edge.zone, edge.unit, edge.offset)
                return self.dialect.moved(self.dialect.from_local(start, edge.zone), -1)
            case time.Earlier():
                return b.extreme(exp.Least, [self._of(each) for each in (edge.first, edge.second)])
            case time.Later():
                return b.extreme(exp.Greatest, [self._of(each) for each in (edge.first, edge.second)])

    def _beginning(self, edge: Edge, zone: str, unit: time.Period = "day", periods: int = 0) -> Node:
        """The beginning of the period that holds an edge, moved by periods, as clocks in the zone show it."""
        known, name = (self._days, "day") if isinstance(edge, PeriodStart) else (self._periods, "period")
        if (edge, zone, unit, periods) not in known:
            if zone != "UTC":
                self.dialect.require("live calendars")
            start = self.dialect.truncated(self.dialect.to_local(self._of(edge), zone), unit)
            new = (f"{name}_{len(known)}", self.dialect.stepped(start, unit, periods))
            known[edge, zone, unit, periods] = new
        return b.column(known[edge, zone, unit, periods][0])

    def _first_day(self, edge: Edge | None, zone: str) -> Day:
        """The first day that begins after an edge."""
        if edge is None:
            return b.number(1), b.number(101)
        day = self._beginning(edge, zone, "day", 1)
        return (self._asked(("first year", edge, zone), self.dialect.year(day)),
                self._asked(("first day", edge, zone), self.dialect.month_and_day(day.copy())))  # fmt: skip

    def _last_day(self, edge: Edge | None, zone: str) -> Day:
        """The last day that begins up to an edge; 28 February counts as the 29th in a year without one."""
        if edge is None:
            return b.number(9999), b.number(1231)
        day, next_day = self._beginning(edge, zone), self._beginning(edge, zone, "day", 1)
        number, following = self.dialect.month_and_day(day), self.dialect.month_and_day(next_day)
        leap = b.template("CASE WHEN _n = 228 AND _f = 301 THEN 229 ELSE _n END", n=number, f=following)
        return (self._asked(("last year", edge, zone), self.dialect.year(day.copy())),
                self._asked(("last day", edge, zone), leap))  # fmt: skip
