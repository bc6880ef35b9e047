"""Measures: values over a contact's events, as grouped queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select, united
from segdsl.backends.sql.clock import NOW, Clock
from segdsl.backends.sql.names import Names
from segdsl.backends.sql.rules import Rules
from segdsl.backends.sql.terms import texts_of
from segdsl.core import nodes
from segdsl.core.time import Edge, Span
from segdsl.core.walking import walk

WIDEST = 24  # aggregates in one GROUP BY: beyond 32 DuckDB plans in quadratic time


def simple(measure: nodes.Measure) -> bool:
    """Whether one conditional aggregate is enough, so that it can share a pass over the events with others."""
    if measure.same or measure.within is not None or isinstance(measure.events.span, nodes.Anchored):
        return False
    if any(
        isinstance(node, nodes.Attribute | nodes.Held | nodes.Measure | nodes.Points)
        for br in measure.events.branches
        for node in walk(br.where)
    ):
        return False
    return measure.kind in {"count", "sum", "min", "max", "distinct"} or (
        measure.kind in {"first", "last"} and measure.of is None
    )


class Passes:
    """Builds the bodies of measure CTEs. `kinds` maps event kinds to their CTEs."""

    def __init__(self, rules: Rules, kinds: Mapping[str, str], properties: Mapping[str, Mapping[str, str]]) -> None:
        self.rules, self.kinds, self.properties = rules, kinds, properties

    def inside(self, kind: str) -> Rules:
        """The rules as seen by one kind's events."""
        old = self.rules
        seen = old.names
        names = Names(seen.contact, seen.attributes, seen.measures, self.properties[kind], seen.segments)
        return Rules(names, old.program, old.dialect, old.reading, old.clock)

    def span(self, span: Span | None) -> list[Node]:
        """The conditions that put `t` into a span."""
        if span is None:
            return []
        return self.rules.dialect.within(b.column("t"), *self.rules.clock.events(span))

    # --- simple measures ---------------------------------------------------------------------------------------

    def shared(self, group: Sequence[tuple[nodes.Measure, str]]) -> Node:
        """One pass for measures over the same branches, or (each its own condition) over the same single kind.

        What all of them ask is asked of the rows, once, and what only some ask inside their aggregates.
        """
        measures = [measure for measure, _ in group]
        branches = measures[0].events.branches
        alike = all(measure.events.branches == branches for measure in measures)
        if len(branches) > 1:
            source = self.union(branches, [m.of for m in measures if m.of is not None])
            conditions: list[Node] = []
        else:
            source = b.table(self.kinds[branches[0].kind])
            conditions = self.where(branches[0]) if alike else self.texts([m.events.branches[0] for m in measures])
        spans = [measure.events.span for measure in measures]
        common = common_span([span for span in spans if isinstance(span, Span)], self.rules.clock)
        if common is not None:
            conditions += self.within(common.lo, common.hi)
        columns = [("contact", b.column("contact"))]
        for (measure, name), span in zip(group, spans, strict=True):
            each = [] if alike else self.where(measure.events.branches[0])
            if common is not None and isinstance(span, Span):
                hi = None if common.hi else span.hi or NOW
                each += self.within(None if span.lo == common.lo else span.lo, hi)
            columns.append((name, self.aggregate(measure, each, len(branches) > 1)))
        return select(columns, source, conditions).group_by(b.column("contact"), copy=False)

    def within(self, lo: Edge | None, hi: Edge | None) -> list[Node]:
        """The conditions that put `t` after one edge, and not after another or now; None is not asked for."""
        clock = self.rules.clock
        since, until = clock.edge(lo) if lo else None, clock.until(hi) if hi else None
        return self.rules.dialect.within(b.column("t"), since, until)

    def texts(self, branches: Sequence[nodes.Branch]) -> list[Node]:
        """The condition that events of one kind fit some of the branches, if all of these ask for texts of the same
        property; none otherwise."""
        found = [texts_of(branch) for branch in branches]
        wanted = [each for each in found if each is not None]
        if len(wanted) < len(found) or len({prop for prop, _ in wanted}) > 1:
            return []
        globs = dict.fromkeys((text,) for _, texts in wanted for text in texts)
        return [self.inside(branches[0].kind).rule(nodes.Match(wanted[0][0], tuple(globs)))]

    def where(self, branch: nodes.Branch) -> list[Node]:
        """The condition of a branch on its own events; none if it takes all."""
        rule = self.inside(branch.kind).rule(branch.where)
        if isinstance(rule, exp.Boolean) and rule.this:
            return []
        return [exp.Paren(this=rule) if isinstance(rule, exp.Or) else rule]

    def aggregate(self, measure: nodes.Measure, conditions: list[Node], united: bool) -> Node:
        """The aggregate of a simple measure over the rows that fit the conditions."""
        value = self.of(measure, united)
        if conditions:
            value = b.case([(b.conjunction(conditions), b.number(1) if value is None else value)])
        match measure.kind:
            case "count":
                return exp.Count(this=exp.Star() if value is None else value)
            case "sum":
                assert measure.of is not None
                assert isinstance(measure.of.type, types.Number) and isinstance(measure.type, types.Number)
                return self.rules.dialect.sized(self.rules.dialect.summed(value, measure.of.type), measure.type)
            case "distinct":
                return exp.Count(this=exp.Distinct(expressions=[value]))
            case "min" | "first":
                return exp.Min(this=value)
            case _:
                return exp.Max(this=value)

    def of(self, measure: nodes.Measure, united: bool) -> Node | None:
        """What a simple measure is taken of; None for a count of the events themselves."""
        if measure.of is None:
            return b.column("t") if measure.kind in {"first", "last"} else None
        if united:
            return b.column(united_name(measure.of))
        return self.inside(measure.events.branches[0].kind).told(measure.of)

    def union(self, branches: Sequence[nodes.Branch], values: Sequence[nodes.Property | nodes.PeriodOf]) -> Node:
        """The events of several kinds, with the values asked of them."""
        queries = []
        for branch in branches:
            inside = self.inside(branch.kind)
            columns = [("contact", b.column("contact")), ("t", b.column("t"))]
            columns += [(united_name(value), inside.told(value)) for value in dict.fromkeys(values)]
            queries.append(select(columns, b.table(self.kinds[branch.kind]), self.where(branch)))
        return united(queries).subquery("events")

    # --- measures that need a query of their own ------------------------------------------------------------------

    def own(self, measure: nodes.Measure, name: str) -> Node:
        """The query of one measure that cannot share a pass: `contact` and the value under `name`."""
        events = measure.events
        values = [value for value in (measure.of, *measure.same) if value is not None]
        timed = events.span is not None
        queries = [self.rows(branch, events.span, values, timed, measure.same) for branch in events.branches]
        rows = united(queries).subquery("events")
        contact = b.column("contact")
        same = [b.column(united_name(value)) for value in measure.same]
        conditions = [b.known(column) for column in same]
        value = b.column(united_name(measure.of)) if measure.of is not None else None
        if value is not None:
            conditions.append(b.known(value))
        if measure.within is not None:
            self.rules.dialect.require("bursts")
            found = self.frames if self.rules.dialect.ranges else self.crowds
            return self.best(found(measure, rows, conditions), name)
        if measure.kind == "count" and same:
            counted = select([("contact", contact), ("n", exp.Count(this=exp.Star()))], rows, conditions)
            return self.best(counted.group_by(contact, *same, copy=False), name)
        if measure.kind == "percentile":
            return self.percentile(measure, value, rows, conditions, name)
        if measure.kind in {"first", "last"} and measure.of is not None:
            return self.outermost(measure, value, rows, conditions, name)
        aggregate = self.aggregate(measure, [], True)
        return select([("contact", contact), (name, aggregate)], rows).group_by(contact, copy=False)

    def rows(
        self, branch: nodes.Branch, span: Span | nodes.Anchored | None,
        values: Sequence[nodes.Property | nodes.PeriodOf], timed: bool,
        same: Sequence[nodes.Property | nodes.PeriodOf] = (),
    ) -> Node:  # fmt: skip
        """One branch's events, joined with the contact (and the anchor's measure) if they are asked about.

        same: those of the values that events have in common.
        """
        inside = self.inside(branch.kind)
        kind = self.kinds[branch.kind]
        columns = [("contact", b.column("contact", kind))]
        columns += [("t", b.column("t"))] if timed else []
        for value in dict.fromkeys(values):
            x = inside.told(value)
            columns.append((united_name(value), inside.dialect.told_apart(x, value.type) if value in same else x))
        conditions = self.where(branch)
        asked = list(walk(branch.where))
        if isinstance(span, nodes.Anchored):
            conditions += inside.anchored(b.column("t"), span)
            asked += list(walk(span.anchor))
        else:
            conditions += self.span(span)
        node = select(columns, b.table(kind), conditions)
        here = b.column("contact", kind)
        if any(isinstance(each, nodes.Attribute | nodes.Held) for each in asked):
            contact = inside.names.contact
            node = node.join(b.table(contact), on=b.compare("=", b.column("id", contact), here), copy=False)
        tables = dict.fromkeys(
            inside.names.measures[each][0]
            for each in asked
            if isinstance(each, nodes.Measure) and each in inside.names.measures
        )
        for table in tables:
            on = b.compare("=", b.column("contact", table), here.copy())
            node = node.join(b.table(table), on=on, join_type="left", copy=False)
        return node

    def outermost(self, measure: nodes.Measure, value: Node, rows: Node, conditions: list[Node], name: str) -> Node:
        """The value of the first or last event; of several at that instant the least or greatest."""
        assert measure.of is not None
        contact = b.column("contact")
        down = measure.kind == "last"
        keys = [b.column("t"), self.rules.reading.ranked(value, measure.of.type)]
        window = exp.Window(
            this=exp.RowNumber(), partition_by=[contact],
            order=exp.Order(expressions=[exp.Ordered(this=key, desc=down, nulls_first=False) for key in keys]),
        )  # fmt: skip
        places = select([("contact", contact), ("v", value), ("place", window)], rows, conditions)
        return select(
            [("contact", contact), (name, b.column("v"))], places.subquery("places"),
            [b.compare("=", b.column("place"), b.number(1))],
        )  # fmt: skip

    def best(self, rows: Node, name: str) -> Node:
        """The largest `n` of each contact."""
        contact = b.column("contact")
        columns = [("contact", contact), (name, exp.Max(this=b.column("n")))]
        return select(columns, rows.subquery("groups_")).group_by(contact, copy=False)

    def frames(self, measure: nodes.Measure, rows: Node, conditions: list[Node]) -> Node:
        """`contact, n`: how many events of a burst end with each, by a frame over time."""
        assert measure.within is not None
        contact, same = b.column("contact"), [b.column(united_name(value)) for value in measure.same]
        length = self.rules.dialect.interval(measure.within - 1)
        frame = exp.WindowSpec(kind="RANGE", start=length, start_side="PRECEDING", end="CURRENT ROW")
        window = exp.Window(
            this=exp.Count(this=exp.Star()), partition_by=[contact, *same],
            order=b.order([b.column("t")]), spec=frame,
        )  # fmt: skip
        return select([("contact", contact), ("n", window)], rows, conditions)

    def crowds(self, measure: nodes.Measure, rows: Node, conditions: list[Node]) -> Node:
        """The same without such a frame: how many have come and not gone again, each after the length of a burst."""
        assert measure.within is not None
        keys = [("contact", b.column("contact"))]
        keys += [(united_name(value), b.column(united_name(value))) for value in measure.same]
        gone = self.rules.dialect.moved(b.column("t"), measure.within)
        steps = [select([*keys, ("t", t), ("step", b.number(step))], rows.copy(), conditions)
                 for t, step in ((b.column("t"), 1), (gone, -1))]  # fmt: skip
        there = exp.Window(
            this=exp.Sum(this=b.column("step")), partition_by=[key for _, key in keys],
            order=b.order([b.column("t"), b.column("step")]), spec=b.so_far(),
        )  # fmt: skip
        return select([keys[0], ("n", there)], united(steps).subquery("steps"))

    def percentile(self, measure: nodes.Measure, value: Node, rows: Node, conditions: list[Node], name: str) -> Node:
        """The value at rank r = ceil(n * p), found without dividing: (r - 1) * d < n * m <= r * d for p = m / d."""
        assert measure.rank is not None
        m, d = (b.number(part) for part in measure.rank)
        contact = b.column("contact")
        places = select(
            [("contact", contact), ("v", value),
             ("r", exp.Window(this=exp.RowNumber(), partition_by=[contact], order=b.order([value]))),
             ("n", exp.Window(this=exp.Count(this=exp.Star()), partition_by=[contact]))],
            rows, conditions,
        )  # fmt: skip
        rank = [b.template("(r - 1) * _d < n * _m", d=d, m=m), b.template("n * _m <= r * _d", d=d, m=m)]
        return select([("contact", contact), (name, b.column("v"))], places.subquery("places"), rank)


def common_span(spans: Sequence[Span], clock: Clock) -> Span | None:
    """What the windows of several measures have in common, an edge being None where they have none; None without
    windows."""
    if not spans:
        return None
    ends = {span.hi or NOW for span in spans}
    begins = [span.lo for span in spans if span.lo is not None]
    lo = clock.first_of(begins) if len(begins) == len(spans) else None
    return Span(lo, ends.pop() if len(ends) == 1 else None)


def united_name(value: nodes.Property | nodes.PeriodOf) -> str:
    """What a value is called among the events of several kinds."""
    if isinstance(value, nodes.PeriodOf):
        return f"{value.unit}_of_{''.join(c if c.isalnum() else '_' for c in value.zone.lower())}"
    return "v_" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" if c != " " else "_" for c in value.key)
