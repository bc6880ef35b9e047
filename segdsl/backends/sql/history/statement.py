"""The statement of one segment's history.

Every number that the rule asks for (`plan`) changes by deltas: an event counts from when its window gets to it until
the window has passed it. All deltas of a contact are laid together in the order of time, with what is so from the
beginning on; running sums are the numbers at every instant. Where the rule's answer with a delta is another than
without it, the contact enters or leaves. Deltas of one instant come in any order: what they do and undo within it adds
up to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.history.edges import Edges, Unsaid
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
from segdsl.core.walking import mapped

Value = nodes.Property | nodes.PeriodOf
KNOWN = "known"  # the number that tells contacts from what is stored of nobody


class Told(Rules):
    """Rules over running sums: a test that has a number of its own holds while that is above 0."""

    numbers: Mapping[object, str]

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
        if not dialect.sums_run:
            raise Unsaid
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

    def _stage(self, name: str, query: Node) -> Node:
        """A query under a name, to select from."""
        table = self.tables.name(name)
        self._ctes.append(b.cte(table, query))
        return b.table(table)

    def _finished_history(self, flips: Node) -> Node:
        following = self._neighbour(b.column("at"), ["contact"], "at", 1)
        stays = select([("contact", b.column("contact")), ("step", b.column("step")), ("entered", b.column("at")),
                        ("gone", following)], self._stage("flips", flips))  # fmt: skip
        gone = b.case([(b.known(b.column("gone")), self.dialect.micros(b.column("gone")))])
        columns = [("contact", b.column("contact")), ("came", self.dialect.micros(b.column("entered"))),
                   ("left_at", gone)]  # fmt: skip
        rows = select(columns, self._stage("stays", stays), [b.compare("=", b.column("step"), b.number(1))])
        contact = b.column("contact") if self.reading.whole_keys else self.dialect.ordered(b.column("contact"))
        tree = select([(name, b.column(name)) for name, _ in columns], self._stage("told", rows))
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
        deltas = [(name, b.column(name)) for name in names]
        sums = select([*laid, *deltas, *summed], self._stage("laid", b.united(rows)))
        both = [*laid, *((f"{name}_now", b.column(f"{name}_now")) for name in names)]
        both += [(f"{name}_before", self._without(name, measured.get(name))) for name in names]
        states = self._stage("states", select(both, self._stage("sums", sums)))
        steps = [self._answer(states.name, suffix, attributes) for suffix in ("_now", "_before")]
        step = exp.Sub(this=b.paren(steps[0]), expression=b.paren(steps[1]))
        answers = select([*laid, ("step", step)], states)
        return self._net(answers)

    def _net(self, steps: Node, keys: Sequence[str] = ("contact",)) -> Node:
        """Steps of one instant added up, and those that come to nothing left out."""
        total = exp.Sum(this=b.column("step"))
        named = [(name, b.column(name)) for name in (*keys, "at")]
        taken = [exp.NEQ(this=b.column("step"), expression=b.number(0))]
        query = select([*named, ("step", total)], self._stage("steps", steps), taken)
        query = query.group_by(*(b.column(name) for name in (*keys, "at")), copy=False)
        return select([(name, b.column(name)) for name in (*keys, "at", "step")], self._stage("added", query),
                      [exp.NEQ(this=b.column("step"), expression=b.number(0))])  # fmt: skip

    def _answer(
        self, states: str, suffix: str, attributes: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]
    ) -> Node:
        """1 if the rule holds by the numbers with a suffix, else 0."""
        measures = {measure: (states, f"{name}{suffix}") for measure, name in self._columns.items()
                    if isinstance(measure, nodes.Measure)}  # fmt: skip
        rules = Told(Names(attributes, measures, {}, {}, states), self.program, self.dialect, self.reading, self.clock)
        rules.numbers = {rule: f"{name}{suffix}" for rule, name in self._columns.items()
                         if not isinstance(rule, nodes.Measure | str)}  # fmt: skip
        is_known = b.compare(">", b.column(f"{KNOWN}{suffix}"), b.number(0))
        holds = rules.rule(self.rule)
        return b.case([(b.conjunction([is_known, holds]), b.number(1))], b.number(0))

    # --- running sums -------------------------------------------------------------------------------------------------

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
        far = str(abs(places))
        frame = exp.WindowSpec(kind="ROWS", start=far, start_side=side, end=far, end_side=side)
        partition = [b.column(key) for key in keys]
        return exp.Window(this=exp.Min(this=value), partition_by=partition, order=_by(order), spec=frame)

    def _name(self, of: object, wanted: str) -> str:
        """The column of a number."""
        return self._columns.setdefault(of, f"{wanted}_{len(self._columns)}")

    # --- deltas -------------------------------------------------------------------------------------------------------

    def _contacts(self, rules: Rules) -> None:
        """What is so from the beginning on: that there is the contact, and what has no time."""
        columns = [("contact", b.column("id", rules.contact)), ("at", self.dialect.instant(self.edges.since))]
        changed: dict[str, Node] = {KNOWN: b.number(1)}
        for rule in self.plan.constants:
            name = self._name(rule, "always")
            columns.append((name, b.case([(rules.rule(rule), b.number(1))], b.number(0))))
            changed[name] = b.column(name)
        query = select(columns, b.table(rules.contact))
        self._deltas.append((self._stage("contacts", query), changed))

    def _date(self, rule: nodes.InSpan, rules: Rules) -> None:
        """An attribute's instant lies in a window: from when its end gets there until its beginning does."""
        assert isinstance(rule.span, Span)
        value = rules.value(rule.value)
        instants = select([("contact", b.column("id", rules.contact)), ("t", value)], b.table(rules.contact),
                          [b.known(value.copy())])  # fmt: skip
        spells = self._spells(self._stage("dates", instants), [], rule.span, cut=False)
        self._spelled(spells, {self._name(rule, "date"): b.number(1)})

    def _held(self, rule: nodes.Rule, node: nodes.Held, passes: Passes) -> None:
        """A test of an attribute with a history: each change takes it from its answer before to that behind."""
        kind = nodes.changes_of(node.key)
        inside = passes.inside(kind)
        answers = []
        for end in ("to", "from"):
            asked = _about(nodes.Property(end, node.type), rule)
            answers.append(b.case([(inside.rule(asked), b.number(1))], b.number(0)))
        t = b.column("t")
        at = t if node.at == FromNow() else self.edges.reached(node.at, t)
        step = exp.Sub(this=b.paren(answers[0]), expression=b.paren(answers[1]))
        columns = [("contact", b.column("contact")), ("reached", at), ("step", step)]
        changes = select(columns, b.table(passes.kinds[kind]))
        in_time = [b.compare("<=", b.column("reached"), self.dialect.instant(self.edges.until))]
        in_time.append(exp.NEQ(this=b.column("step"), expression=b.number(0)))
        columns = [("contact", b.column("contact")), ("at", self._no_earlier(b.column("reached"))),
                   ("step", b.column("step"))]  # fmt: skip
        source = select(columns, self._stage("answers", changes), in_time)
        self._deltas.append((self._stage("changes", source), {self._name(rule, "held"): b.column("step")}))

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
        """How many values there are: one more when a value comes that is not there, one less when it is gone."""
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
                        self._stage("behind", behind), [b.known(b.column("first_t")), close])  # fmt: skip
        spells = self._spells(self._stage("crowds", crowds), [], measure.events.span, leaves="first_t")
        self._spelled(spells, {name: b.number(1)})

    def _rows(
        self, events: nodes.Events, values: Sequence[Value], passes: Passes, apart: Sequence[Value] = ()
    ) -> Node:
        """`contact, t` and values of some events, whenever they happened; without `t` where they have no time."""
        timed = events.span is not None
        queries = [passes.rows(branch, None, values, timed, apart) for branch in events.branches]
        return self._stage("happened", b.united(queries))

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
                         self._stage("spells", spells), in_time)  # fmt: skip
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
        came, gone = (
            exp.Select(expressions=[every.copy(), b.aliased(b.column(end), "at")]).from_(b.table(spells), copy=False)
            for end in ("came", "gone")
        )
        gone = gone.where(b.compare("<=", b.column("gone"), until), copy=False)
        return [(self._stage("coming", came), 1), (self._stage("going", gone), -1)]

    def _grouped(self, spells: str, keys: Sequence[str], least: int, name: str) -> None:
        """The deltas of how many groups of spells, those that agree in the keys, are at least so large."""
        columns = [(key, b.column(key)) for key in ("contact", *keys, "at")]
        ends = [select([*columns, ("delta", b.number(sign))], source) for source, sign in self._both_ends(spells)]
        running = self._running("delta", ["contact", *keys])
        sizes = [*columns, ("delta", b.column("delta")), ("size", running)]
        counted = select(sizes, self._stage("ends", b.united(ends)))
        enough = b.case([(b.compare(">=", b.column("size"), b.number(least)), b.number(1))], b.number(0))
        before = exp.Sub(this=b.column("size"), expression=b.column("delta"))
        was = b.case([(b.compare(">=", before, b.number(least)), b.number(1))], b.number(0))
        step = exp.Sub(this=b.paren(enough), expression=b.paren(was))
        steps = select([("contact", b.column("contact")), ("at", b.column("at")), ("step", step)],
                       self._stage("counted", counted))  # fmt: skip
        self._deltas.append((self._stage("groups_of", self._net(steps)), {name: b.column("step")}))


def _by(name: str) -> Node:
    return exp.Order(expressions=[exp.Ordered(this=b.column(name), nulls_first=False)])


def _about(value: nodes.Property, rule: nodes.Rule) -> nodes.Rule:
    """A rule about what an attribute with a history holds, as one about a value."""
    found = mapped(rule, lambda each: value if isinstance(each, nodes.Held) else each)
    assert isinstance(found, nodes.Rule)
    return found
