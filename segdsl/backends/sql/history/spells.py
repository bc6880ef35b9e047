"""From when until when the events of a history count: spells, with `contact` and the instants `came` and `gone`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.history.edges import Edges, later
from segdsl.backends.sql.history.endings import Endings
from segdsl.backends.sql.history.timeline import Stages, Timeline
from segdsl.backends.sql.measures import Passes, united_name
from segdsl.core import nodes
from segdsl.core.time import FromNow, Span

Value = nodes.Property | nodes.PeriodOf


class Spells:
    """Adds to the stages of a statement, and gives the tables to go on with."""

    def __init__(self, passes: Passes, edges: Edges, stages: Stages) -> None:
        self.passes, self.edges, self.stages = passes, edges, stages
        self.dialect = passes.rules.dialect
        self.timeline = Timeline(self.dialect, stages)

    # --- events -------------------------------------------------------------------------------------------------------

    def rows(self, events: nodes.Events, values: Sequence[Value], apart: Sequence[Value] = ()) -> Node:
        """`contact, t` and values of the events that may ever count; without `t` where they have no time."""
        assert not isinstance(events.span, nodes.Anchored)
        timed = events.span is not None
        queries = [self.passes.rows(branch, None, values, timed, apart) for branch in events.branches]
        rows = self.stages.stage("happened", b.united(queries))
        if events.span is None:
            return rows
        # On the instants as they are stored, so that the database can skip what is not asked for.
        lo, _ = events.span.resolve_for_events(self.edges.since)
        _, hi = events.span.resolve_for_events(self.edges.until)
        first = None if lo is None else self.dialect.instant(lo)
        asked = self.dialect.within(b.column("t"), first, self.dialect.instant(hi))
        columns = [(name, b.column(name)) for name in map(united_name, dict.fromkeys(values))]
        micros = self.dialect.micros(b.column("t"))
        columns = [("contact", b.column("contact")), ("t", micros), *columns]
        return self.stages.stage("asked", select(columns, rows, asked))

    def happened(self, measure: nodes.Measure) -> Node:
        """`contact, t` of a count's events, sorted."""
        return self.timeline.sorted(self.rows(measure.events, []), ["t"])

    # --- windows ------------------------------------------------------------------------------------------------------

    def came(self, span: Span | None, t: str = "t", cut: bool = True) -> Node:
        """When a window first holds what happened at a column; cut: not before that itself."""
        here = [b.column(t)] if cut and span is not None else []
        if span is not None and span.hi is not None and not (cut and span.hi == FromNow()):
            here.append(self.edges.reached(span.hi, b.column(t)))
        return b.extreme(exp.Greatest, here) if here else self.edges.begin()

    def gone(self, span: Span | None, t: str = "t") -> Node:
        """When a window's beginning gets to what happened at a column."""
        lo = None if span is None else span.lo
        return self.edges.never() if lo is None else self.edges.reached(lo, b.column(t))

    def cut(self) -> list[tuple[str, Node]]:
        """`came` and `gone`, cut off where the two instants are."""
        return [("came", b.extreme(exp.Greatest, [b.column("came"), self.edges.begin()])),
                ("gone", b.extreme(exp.Least, [b.column("gone"), self.edges.never()]))]  # fmt: skip

    def of_rows(
        self, rows: Node, carried: Sequence[str], span: Span | nodes.Anchored | None, cut: bool = True,
        known: Sequence[Value] = (), leaves: str = "t",
    ) -> Node:  # fmt: skip
        """`contact, came, gone` and what is carried: from when until when each row counts."""
        assert not isinstance(span, nodes.Anchored)
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        columns += [("came", self.came(span, cut=cut)), ("gone", self.gone(span, leaves))]
        spells = select(columns, rows, [b.known(b.column(united_name(value))) for value in known])
        return self.in_time(self.stages.stage("spells", spells), carried)

    def in_time(self, spells: Node, carried: Sequence[str] = ()) -> Node:
        """What of them lies between the two instants; what is gone before it comes was never there."""
        there = [b.compare("<", b.column("came"), b.column("gone")),
                 b.compare("<=", b.column("came"), b.number(self.edges.until)),
                 b.compare(">", b.column("gone"), self.edges.begin())]  # fmt: skip
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        return self.stages.stage("spells", select([*columns, *self.cut()], spells, there))

    # --- tests of how many there are at least -------------------------------------------------------------------------

    def stretches(self, rows: Node, measure: nodes.Measure, least: int) -> Node:
        """`contact, came, gone, begins, ends`: when so many of sorted events count.

        Each event is the last of so many from its coming until the first one's going. Events come and go in the order
        in which they happen, and so do these stretches, which overlap: a row that `begins` is the first, one that
        `ends` is the last of those that do. There are no other rows. One that is gone when it comes changes nothing.
        """
        span = measure.events.span
        assert isinstance(span, Span)
        places = {"first_t": 1 - least, "before_t": -least, "next_t": 1}
        beside = [(name, self.timeline.neighbour("t", ["t"], place)) for name, place in places.items()]
        contact = ("contact", b.column("contact"))
        rows = self.stages.stage("beside", select([contact, ("t", b.column("t")), *beside], rows))
        gone_before, came_next = self.gone(span, "before_t"), self.came(span, "next_t")
        columns = [contact, ("came", self.came(span)), ("gone", self.gone(span, "first_t")),
                   ("before_t", b.column("before_t")), ("gone_before", gone_before),
                   ("next_t", b.column("next_t")), ("came_next", came_next)]  # fmt: skip
        counted = self.stages.stage("counted", select(columns, rows, [b.known(b.column("first_t"))]))
        begins, ends = _apart("before_t", "gone_before", "came"), _apart("next_t", "gone", "came_next")
        outer = [b.compare("<=", b.column("came"), b.column("gone")), b.disjunction([begins, ends])]
        told = [contact, *self.cut(), ("begins", begins.copy()), ("ends", ends.copy())]
        return self.stages.stage("enough", select(told, counted, outer))

    def turns(self, stretches: Node) -> Node:
        """`contact, at`: where overlapping stretches begin and end."""
        turns = self.both_ends(stretches, came=b.column("begins"), gone=b.column("ends"))
        columns = [(name, b.column(name)) for name in ("contact", "at")]
        return self.stages.stage("turns", select(columns, turns, [b.known(b.column("at"))]))

    # --- values and sequences -----------------------------------------------------------------------------------------

    def outermost(self, measure: nodes.Measure) -> Node:
        """`contact, came, gone` and the value: while it is the one of the first, or last, event of those that count.

        An event is the last from its coming until the next one comes, and the first from when the one before is gone.
        Of several at an instant, the one with the greatest or least value stands on the outer side.
        """
        of, span, last = measure.of, measure.events.span, measure.kind == "last"
        assert isinstance(of, nodes.Property) and isinstance(span, Span)
        value = b.column(united_name(of))
        columns = [("contact", b.column("contact")), ("t", b.column("t")), (united_name(of), value)]
        rank = self.passes.rules.reading.ranked(value.copy(), of.type)
        ranked = select([*columns, ("rank_of", rank)], self.rows(measure.events, [of]), [b.known(value.copy())])
        rows = self.timeline.sorted(self.stages.stage("ranked", ranked), ["t", "rank_of"])
        beside = self.timeline.neighbour("t", ["t", "rank_of"], 1 if last else -1)
        rows = self.stages.stage("beside", select([*columns, ("beside_t", beside)], rows))
        alone = exp.Is(this=b.column("beside_t"), expression=b.NULL())
        came, gone = self.came(span), self.gone(span)
        if last:
            gone = b.case([(alone, gone)], b.extreme(exp.Least, [gone.copy(), self.came(span, "beside_t")]))
        else:
            came = b.case([(alone, came)], b.extreme(exp.Greatest, [came.copy(), self.gone(span, "beside_t")]))
        outer = b.disjunction([alone.copy(), exp.NEQ(this=b.column("beside_t"), expression=b.column("t"))])
        told = select([columns[0], columns[2], ("came", came), ("gone", gone)], rows, [outer])
        return self.in_time(self.stages.stage("outermost", told), [united_name(of)])

    def chains(self, chain: nodes.Chain) -> Node:
        """`contact, came, gone`: when some chain fits, a row for each event that ends one."""
        span = chain.span
        assert isinstance(span, Span)
        endings = Endings(self.passes, chain, self.edges, self.stages.name)
        table = b.table(endings.table())
        self.stages.ctes += endings.ctes
        columns = [(name, self.dialect.micros(b.column(name))) for name in ("t", "first_t", *endings.until)]
        rows = self.stages.stage("endings", select([("contact", b.column("contact")), *columns], table))
        came, gone = [self.came(span)], [self.gone(span, "first_t")]
        came += [later(b.column("t"), wait.within) for wait in chain.waits if wait.within is not None]
        gone += [b.coalesce(b.column(name), self.edges.never()) for name in endings.until]
        ends = [("came", b.extreme(exp.Greatest, came)), ("gone", b.extreme(exp.Least, gone))]
        return self.in_time(self.stages.stage("fitting", select([("contact", b.column("contact")), *ends], rows)))

    # --- the ends of spells, which have an instant `at` ---------------------------------------------------------------

    def both_ends(
        self, spells: Node, carried: Sequence[str] = (), came: Node | None = None, gone: Node | None = None
    ) -> Node:
        """`contact, at` and what is carried: when spells come and when they are gone, alike.

        came, gone: whether that end of a row is wanted, where it may not be; `at` may then be NULL.
        """
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        at = [b.case([(wanted or b.TRUE(), b.column(end))]) for wanted, end in ((came, "came"), (gone, "gone"))]
        return self.stages.stage("ends", select([*columns, ("at", self.dialect.rows_of(at))], spells))

    def coming_and_going(self, spells: Node) -> list[tuple[Node, int]]:
        """Spells as sources with `at`, first by when they come, then by when they are gone."""
        sources = []
        for end, sign in (("came", 1), ("gone", -1)):
            columns = [exp.Star(), b.aliased(b.column(end), "at")]
            query = exp.Select(expressions=columns).from_(spells.copy(), copy=False)
            sources.append((self.stages.stage("coming" if sign > 0 else "going", query), sign))
        return sources


def _apart(t: str, gone: str, came: str) -> Node:
    """That there is no neighbour, whose instant is a column, or that the earlier of the two is gone before the later
    one comes."""
    none = exp.Is(this=b.column(t), expression=b.NULL())
    return b.disjunction([none, b.compare("<", b.column(gone), b.column(came))])
