"""The statement of one segment's history.

Every number that the rule asks for (`plan`) changes by deltas: an event counts from when its window gets to it until the
window has passed it. All deltas of a contact are laid together in the order of time, with what is so from the beginning
on; running sums are the numbers at every instant. Where the rule's answer with a delta is another than without it, the
contact enters or leaves. Deltas of one instant come in any order: what they do and undo within it adds up to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.history.edges import Edges
from segdsl.backends.sql.history.plan import plan_of
from segdsl.backends.sql.history.rewriting import by_counts
from segdsl.backends.sql.measures import Passes, united_name
from segdsl.backends.sql.names import Namer, Names
from segdsl.backends.sql.reading import Schema
from segdsl.backends.sql.rules import Rules
from segdsl.backends.sql.statement import Statement
from segdsl.catalog.model import Catalog
from segdsl.core import nodes
from segdsl.core.program import Program, Segment
from segdsl.core.time import FromNow, Span
from segdsl.core.walking import mapped, walk

Value = nodes.Property | nodes.PeriodOf
KNOWN = "known"  # the number that tells contacts from what is stored of nobody


class Told(Rules):
    """Rules over running sums: a test that has a number of its own holds while that is above 0."""

    numbers: Mapping[nodes.Rule, str]

    def rule(self, rule: nodes.Rule, strict: bool = False) -> Node:
        if rule in self.numbers:
            return b.compare(">", b.column(self.numbers[rule]), b.number(0))
        return super().rule(rule, strict)


class HistoryStatement(Statement):
    """Plans and builds; see `Statement` for what it knows."""

    def __init__(
        self, program: Program, catalog: Catalog, segment: str, since: int, until: int, schema: Schema | None,
        dialect: Dialect,
    ) -> None:  # fmt: skip
        """since, until: microseconds since 1970 (UTC); both count. Raises Unsaid where SQL has no form for the rule."""
        rule = by_counts(program, segment)
        self.plan = plan_of(rule)
        alone = Program({segment: Segment(segment, rule, words=program.segments[segment].words)}, {})
        super().__init__(alone, catalog, [segment], since, schema, dialect)
        self.rule = rule
        self.edges = Edges(dialect, since, until)
        self._columns: dict[object, str] = {KNOWN: KNOWN}
        self._deltas: list[tuple[Node, dict[str, Node]]] = []  # a source, and the numbers that it changes
        self._ctes: list[Node] = []

    def _collect(self, found: Sequence[object]) -> None:
        """An attribute with a history is read by its changes, and not as it is at one instant."""
        held = [node for node in found if isinstance(node, nodes.Held)]
        super()._collect([node for node in found if not isinstance(node, nodes.Held)])
        for node in held:
            values = [nodes.Property(end, node.type) for end in ("from", "to")]
            self._uses(nodes.Branch(nodes.changes_of(node.key), nodes.EVERYONE), values, None)

    # --- the whole ----------------------------------------------------------------------------------------------------

    def tree(self) -> Node:
        """`contact, entered, left`, in the order of contacts and of time, the instants in microseconds; as sqlglot's
        tree."""
        kinds = {kind: self.tables.name(self.reading.title(kind)) for kind in self.kinds}
        properties = {kind: self._property_columns(kind) for kind in self.kinds}
        self._ctes = [b.cte(kinds[kind], self._events(kind, properties[kind])) for kind in self.kinds]
        names = Namer(["id"])
        attributes = {node: self._attribute_columns(node, names) for node in self.attributes}
        contact = self.tables.name("contact")
        self._ctes.append(b.cte(contact, self.reading.contacts(attributes, self.clock)))
        rules = Rules(Names(attributes, {}, {}, {}, contact), self.program, self.dialect, self.reading, self.clock)
        passes = Passes(rules, kinds, properties)
        self._contacts(rules)
        for date in self.plan.dates:
            self._date(date, rules)
        for rule, node in self.plan.held.items():
            self._held(rule, node, passes)
        for rule, (measure, least) in self.plan.groups.items():
            self._group(rule, measure, least, passes)
        self._measured(passes)
        return self._finished_history(self._flips(attributes))

    def _finished_history(self, flips: Node) -> Node:
        following = self._neighbour(b.column("at"), ["contact"], "at", 1)
        stays = select([("contact", b.column("contact")), ("step", b.column("step")), ("entered", b.column("at")),
                        ("gone", following)], flips.subquery("flips"))  # fmt: skip
        gone = b.case([(b.known(b.column("gone")), self.dialect.micros(b.column("gone")))])
        columns = [("contact", b.column("contact")), ("came", self.dialect.micros(b.column("entered"))), ("left_at", gone)]
        rows = select(columns, stays.subquery("stays"), [b.compare("=", b.column("step"), b.number(1))])
        contact = b.column("contact") if self.reading.whole_keys else self.dialect.ordered(b.column("contact"))
        tree = select([(name, b.column(name)) for name, _ in columns], rows.subquery("told"))
        tree.set("order", exp.Order(expressions=[
            exp.Ordered(this=each, nulls_first=False) for each in (contact, b.column("came"))
        ]))  # fmt: skip
        tree.set("with_", exp.With(expressions=self._ctes))
        return tree

    def _flips(self, attributes: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]) -> Node:
        """`contact, at, step`: 1 where a contact enters, -1 where it leaves."""
        names = list(dict.fromkeys(self._columns.values()))
        rows = []
        for source, changed in self._deltas:
            cells = [(name, changed.get(name, b.number(0))) for name in names]
            rows.append(select([("contact", b.column("contact")), ("at", b.column("at")), *cells], source))
        laid = [("contact", b.column("contact")), ("at", b.column("at"))]
        measured = {name: measure for measure, name in self._columns.items() if isinstance(measure, nodes.Measure)}
        summed = [(f"{name}_now", self._running(name, ["contact"], measured.get(name))) for name in names]
        sums = select([*laid, *((name, b.column(name)) for name in names), *summed], b.united(rows).subquery("laid"))
        both = [*laid, *((f"{name}_now", b.column(f"{name}_now")) for name in names)]
        both += [(f"{name}_before", self._without(name, measured.get(name))) for name in names]
        steps = [self._answer(suffix, attributes) for suffix in ("_now", "_before")]
        step = exp.Sub(this=b.paren(steps[0]), expression=b.paren(steps[1]))
        answers = select([*laid, ("step", step)], select(both, sums.subquery("sums")).subquery("states"))
        return self._net(answers)

    def _net(self, steps: Node, keys: Sequence[str] = ("contact",)) -> Node:
        """Steps of one instant added up, and those that come to nothing left out."""
        total = exp.Sum(this=b.column("step"))
        named = [(name, b.column(name)) for name in (*keys, "at")]
        taken = [exp.NEQ(this=b.column("step"), expression=b.number(0))]
        query = select([*named, ("step", total)], steps.subquery("steps"), taken)
        query = query.group_by(*(b.column(name) for name in (*keys, "at")), copy=False)
        rows = select([(name, b.column(name)) for name in (*keys, "at", "step")], query.subquery("added"),
                      [exp.NEQ(this=b.column("step"), expression=b.number(0))])  # fmt: skip
        return rows

    def _answer(self, suffix: str, attributes: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]) -> Node:
        """1 if the rule holds by the numbers with a suffix, else 0."""
        measures = {measure: ("states", f"{name}{suffix}") for measure, name in self._columns.items()
                    if isinstance(measure, nodes.Measure)}  # fmt: skip
        rules = Told(Names(attributes, measures, {}, {}, "states"), self.program, self.dialect, self.reading, self.clock)
        rules.numbers = {rule: f"{name}{suffix}" for rule, name in self._columns.items()
                         if not isinstance(rule, nodes.Measure | str)}  # type: ignore[misc]  # fmt: skip
        is_known = b.compare(">", b.column(f"{KNOWN}{suffix}"), b.number(0))
        holds = rules.rule(self.rule)
        return b.case([(b.conjunction([is_known, holds]), b.number(1))], b.number(0))

    # --- running sums --------------------------------------------------------------------------------------------------

    def _running(self, name: str, keys: Sequence[str], measure: nodes.Measure | None = None) -> Node:
        """The sum of a column up to a row, in the order of time."""
        frame = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
        of = measure.of.type if measure is not None and measure.kind == "sum" and measure.of is not None else None
        column = b.column(name)
        total = exp.Sum(this=column) if of is None else self.dialect.summed(column, of)  # type: ignore[arg-type]
        return exp.Window(this=total, partition_by=[b.column(key) for key in keys], order=_by("at"), spec=frame)

    def _without(self, name: str, measure: nodes.Measure | None) -> Node:
        """A sum without what its own row adds."""
        return exp.Sub(this=b.column(f"{name}_now"), expression=b.column(name))

    def _neighbour(self, value: Node, keys: Sequence[str], order: str, places: int) -> Node:
        """A value of the row so many places behind, or before if negative; NULL if there is none."""
        side = "FOLLOWING" if places > 0 else "PRECEDING"
        frame = exp.WindowSpec(kind="ROWS", start=str(abs(places)), start_side=side, end=str(abs(places)), end_side=side)
        partition = [b.column(key) for key in keys]
        return exp.Window(this=exp.Min(this=value), partition_by=partition, order=_by(order), spec=frame)

    def _name(self, of: object, wanted: str) -> str:
        """The column of a number."""
        return self._columns.setdefault(of, f"{wanted}_{len(self._columns)}")

    # --- deltas --------------------------------------------------------------------------------------------------------

    def _contacts(self, rules: Rules) -> None:
        """What is so from the beginning on: that there is the contact, and what has no time."""
        columns = [("contact", b.column("id", rules.contact)), ("at", self.dialect.instant(self.edges.since))]
        changed: dict[str, Node] = {KNOWN: b.number(1)}
        for rule in self.plan.constants:
            name = self._name(rule, "always")
            columns.append((name, b.case([(rules.rule(rule), b.number(1))], b.number(0))))
            changed[name] = b.column(name)
        query = select(columns, b.table(rules.contact))
        self._deltas.append((query.subquery("contacts"), changed))

    def _date(self, rule: nodes.InSpan, rules: Rules) -> None:
        """An attribute's instant lies in a window: from when its end gets there until its beginning does."""
        assert isinstance(rule.span, Span)
        value = rules.value(rule.value)
        instants = select([("contact", b.column("id", rules.contact)), ("t", value)], b.table(rules.contact),
                          [b.known(value.copy())])  # fmt: skip
        spells = self._spells(instants.subquery("dates"), [], rule.span, cut=False)
        self._spelled(spells, {self._name(rule, "date"): b.number(1)})

    def _held(self, rule: nodes.Rule, node: nodes.Held, passes: Passes) -> None:
        """A test of an attribute with a history: each change takes it from its answer before to that behind."""
        kind = nodes.changes_of(node.key)
        inside = passes.inside(kind)
        answers = []
        for end in ("to", "from"):
            value = nodes.Property(end, node.type)
            asked = mapped(rule, lambda each, value=value: value if isinstance(each, nodes.Held) else each)
            answers.append(b.case([(inside.rule(asked), b.number(1))], b.number(0)))
        t = b.column("t")
        at = t if node.at == FromNow() else self.edges.reached(node.at, t)
        step = exp.Sub(this=b.paren(answers[0]), expression=b.paren(answers[1]))
        changes = select([("contact", b.column("contact")), ("reached", at), ("step", step)], b.table(passes.kinds[kind]))
        in_time = [b.compare("<=", b.column("reached"), self.dialect.instant(self.edges.until))]
        in_time.append(exp.NEQ(this=b.column("step"), expression=b.number(0)))
        columns = [("contact", b.column("contact")), ("at", self._no_earlier(b.column("reached"))),
                   ("step", b.column("step"))]  # fmt: skip
        source = select(columns, changes.subquery("answers"), in_time)
        self._deltas.append((source.subquery("changes"), {self._name(rule, "held"): b.column("step")}))

    def _measured(self, passes: Passes) -> None:
        """Counts, sums and distinct counts; those over the same events share their deltas."""
        shared: dict[nodes.Events, list[nodes.Measure]] = {}
        for measure in self.plan.measures:
            if measure.kind == "distinct":
                self._distinct(measure, passes)
            else:
                shared.setdefault(measure.events, []).append(measure)
        for events, measures in shared.items():
            values: list[Value] = [measure.of for measure in measures if measure.of is not None]
            rows = self._rows(events, values, passes)
            spells = self._spells(rows, [united_name(value) for value in dict.fromkeys(values)], events.span)
            changed = {}
            for measure in measures:
                column = None if measure.of is None else b.column(united_name(measure.of))
                amount: Node = b.number(1)
                if column is not None and measure.kind == "sum":
                    amount = b.coalesce(column, b.number(0))
                elif column is not None:
                    amount = b.case([(b.known(column), b.number(1))], b.number(0))
                changed[self._name(measure, measure.kind)] = amount
            self._spelled(spells, changed)

    def _distinct(self, measure: nodes.Measure, passes: Passes) -> None:
        """How many values there are: one more when a value comes that is not there, one less when it is there no more."""
        assert measure.of is not None
        rows = self._rows(measure.events, [measure.of], passes, apart=[measure.of])
        spells = self._spells(rows, [united_name(measure.of)], measure.events.span, known=[measure.of])
        self._grouped(spells, [united_name(measure.of)], 1, self._name(measure, "distinct"))

    def _group(self, rule: nodes.Rule, measure: nodes.Measure, least: int, passes: Passes) -> None:
        """Some group, or crowd, of events is large enough: how many such there are."""
        keys = [united_name(value) for value in measure.same]
        rows = self._rows(measure.events, list(measure.same), passes, apart=list(measure.same))
        name = self._name(rule, "groups")
        if measure.within is None:
            spells = self._spells(rows, keys, measure.events.span, known=list(measure.same))
            self._grouped(spells, keys, least, name)
            return
        # From the last of a crowd on, until the first of them leaves.
        columns = [(key, b.column(key)) for key in ("contact", "t", *keys)]
        first = b.column("t") if least == 1 else self._neighbour(b.column("t"), ["contact", *keys], "t", 1 - least)
        behind = select([*columns, ("first_t", first)], rows, [b.known(b.column(key)) for key in keys])
        close = b.compare(">", self.dialect.moved(b.column("first_t"), measure.within), b.column("t"))
        crowds = select([("contact", b.column("contact")), ("t", b.column("t")), ("first_t", b.column("first_t"))],
                        behind.subquery("behind"), [b.known(b.column("first_t")), close])  # fmt: skip
        spells = self._spells(crowds.subquery("crowds"), [], measure.events.span, leaves="first_t")
        self._spelled(spells, {name: b.number(1)})

    def _rows(
        self, events: nodes.Events, values: Sequence[Value], passes: Passes, apart: Sequence[Value] = ()
    ) -> Node:
        """`contact, t` and values of some events, whenever they happened; without `t` where they have no time."""
        timed = events.span is not None
        queries = [passes.rows(branch, None, values, timed, apart) for branch in events.branches]
        return b.united(queries).subquery("events")

    def _spells(
        self, rows: Node, carried: Sequence[str], span: Span | nodes.Anchored | None, cut: bool = True,
        known: Sequence[Value] = (), leaves: str = "t",
    ) -> str:  # fmt: skip
        """The CTE of `contact, came, gone` and what is carried: from when until when each row's `t` counts.

        cut: it counts no earlier than it is. leaves: the column that the beginning of the window has to get to.
        """
        assert not isinstance(span, nodes.Anchored)
        t = b.column("t")
        came: Node = self.dialect.instant(self.edges.since)
        gone: Node = self.edges.never()
        if span is not None:
            here = [t] if cut else []
            if span.hi is not None and not (cut and span.hi == FromNow()):
                here.append(self.edges.reached(span.hi, t.copy()))
            came = b.extreme(exp.Greatest, here) if here else came
            if span.lo is not None:
                gone = self.edges.reached(span.lo, b.column(leaves))
        columns = [(name, b.column(name)) for name in ("contact", *carried)]
        spells = select([*columns, ("came", came), ("gone", gone)], rows,
                        [b.known(b.column(united_name(value))) for value in known])  # fmt: skip
        # What is gone before it comes was never there: it takes away what it gives, in the same instant.
        late = b.extreme(exp.Greatest, [b.column("came"), b.column("gone")])
        until = self.dialect.instant(self.edges.until)
        in_time = [b.compare("<=", b.column("came"), until),
                   b.compare(">", b.column("gone"), self.dialect.instant(self.edges.since))]  # fmt: skip
        ordered = select([*columns, ("came", self._no_earlier(b.column("came"))), ("gone", late)],
                         spells.subquery("spells"), in_time)  # fmt: skip
        table = self.tables.name("spells")
        self._ctes.append(b.cte(table, ordered))
        return table

    def _no_earlier(self, at: Node) -> Node:
        """An instant, or the beginning if it lies before that."""
        return b.extreme(exp.Greatest, [at, self.dialect.instant(self.edges.since)])

    def _spelled(self, spells: str, changed: Mapping[str, Node]) -> None:
        """The deltas of spells: what they add when they come, and take away when they are gone."""
        for source, sign in self._both_ends(spells):
            cells = {name: amount.copy() if sign > 0 else exp.Neg(this=b.paren(amount.copy()))
                     for name, amount in changed.items()}  # fmt: skip
            self._deltas.append((source, cells))

    def _both_ends(self, spells: str) -> list[tuple[Node, int]]:
        """Spells as sources with `at`, first by when they come, then by when they are gone."""
        until = self.dialect.instant(self.edges.until)
        every = exp.Star()
        came = exp.Select(expressions=[every, b.aliased(b.column("came"), "at")]).from_(b.table(spells), copy=False)
        gone = exp.Select(expressions=[every.copy(), b.aliased(b.column("gone"), "at")]).from_(b.table(spells), copy=False)
        gone = gone.where(b.compare("<=", b.column("gone"), until), copy=False)
        return [(came.subquery("coming"), 1), (gone.subquery("going"), -1)]

    def _grouped(self, spells: str, keys: Sequence[str], least: int, name: str) -> None:
        """The deltas of how many groups of spells, those that agree in the keys, are at least so large."""
        columns = [(key, b.column(key)) for key in ("contact", *keys, "at")]
        ends = [select([*columns, ("delta", b.number(sign))], source) for source, sign in self._both_ends(spells)]
        running = self._running("delta", ["contact", *keys])
        counted = select([*columns, ("delta", b.column("delta")), ("size", running)], b.united(ends).subquery("ends"))
        enough = b.case([(b.compare(">=", b.column("size"), b.number(least)), b.number(1))], b.number(0))
        before = exp.Sub(this=b.column("size"), expression=b.column("delta"))
        was = b.case([(b.compare(">=", before, b.number(least)), b.number(1))], b.number(0))
        step = exp.Sub(this=b.paren(enough), expression=b.paren(was))
        steps = select([("contact", b.column("contact")), ("at", b.column("at")), ("step", step)],
                       counted.subquery("counted"))  # fmt: skip
        self._deltas.append((self._net(steps).subquery("groups_of"), {name: b.column("step")}))


def _by(name: str) -> Node:
    return exp.Order(expressions=[exp.Ordered(this=b.column(name), nulls_first=False)])
