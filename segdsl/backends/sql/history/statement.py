"""The statement of one segment's history.

Tests turn, and the numbers that other tests ask for change (`plan`), at instants that are found first (`deltas`). All
that happens to a contact's tests and numbers is laid together in the order of time, with what is so from the beginning
on; one bit for each test, and running sums, tell what is so at every instant. Where the rule's answer at an instant is
not the one before, the contact enters or leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.columns import Schema
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.history.deltas import FLIPS, KNOWN, Deltas
from segdsl.backends.sql.history.edges import Edges, Unsaid
from segdsl.backends.sql.history.plan import plan_of
from segdsl.backends.sql.history.rewriting import by_counts, enough
from segdsl.backends.sql.history.timeline import Stages, Timeline
from segdsl.backends.sql.names import Names
from segdsl.backends.sql.rules import Rules
from segdsl.backends.sql.sources import Sources
from segdsl.catalog.model import Catalog
from segdsl.core import nodes
from segdsl.core.program import Program, Segment
from segdsl.types import Number

Attributes = Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]


class Running(Rules):
    """Rules over what runs on: a test that turns holds while its bit is set, any other while its number is above 0."""

    bits: Mapping[nodes.Rule, int]
    numbers: Mapping[object, str]

    def rule(self, rule: nodes.Rule, strict: bool = False) -> Node:
        if rule in self.bits:
            bit = exp.BitwiseAnd(this=b.column(_now(FLIPS)), expression=b.number(self.bits[rule]))
            return b.compare(">", bit, b.number(0))
        if rule in self.numbers:
            return b.compare(">", b.column(self.numbers[rule]), b.number(0))
        return super().rule(rule, strict)


class HistoryStatement(Sources):
    """Plans and builds."""

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
        self.stages = Stages(self.tables.name)
        self.timeline = Timeline(dialect, self.stages)

    def _collect(self, found: Sequence[object]) -> None:
        """An attribute with a history is read by its changes, and not as it is at one instant."""
        held = [node for node in found if isinstance(node, nodes.Held)]
        super()._collect([node for node in found if not isinstance(node, nodes.Held)])
        for node in held:
            changes = nodes.Branch(nodes.changes_of(node.key), nodes.EVERYONE)
            self._uses(changes, [nodes.Property("to", node.type)], None)

    # --- the whole ----------------------------------------------------------------------------------------------------

    def tree(self) -> Node:
        """`contact, came, left_at`, in the order of contacts and of time, the instants in microseconds; as sqlglot's
        tree."""
        ctes, passes, _ = self.stored()
        self.stages.ctes += ctes
        names = passes.rules.names
        deltas = Deltas(self.plan, passes.rules, passes, self.edges, self.stages)
        count = enough(self.rule)
        if count is not None:
            stays = self._enough(deltas, *count)
        else:
            idle = self.plan.at_rest(self.rule) is not False or not self.plan.size()
            deltas.collect(contacts=idle)
            stays = self._flips(deltas, names.attributes)
        return self._told(stays, None if KNOWN in deltas.bits else names.contact)

    def _told(self, stays: Node, contact: str | None) -> Node:
        """The answer of `contact, came, gone`. contact: the CTE of contacts, if there may be others among the stays."""
        until = b.number(self.edges.until)
        left = b.case([(b.compare("<=", b.column("gone"), until), b.column("gone"))])
        columns = [("contact", b.column("contact")), ("came", b.column("came")), ("left_at", left)]
        conditions = []
        if contact is not None:
            known = select([("id", b.column("id"))], b.table(contact))
            conditions.append(exp.In(this=b.column("contact"), query=known.subquery()))
        rows = self.stages.stage("told", select(columns, stays, conditions))
        tree = select([(name, b.column(name)) for name, _ in columns], rows)
        tree.set("order", b.order([self.reading.key_order(b.column("contact")), b.column("came")]))
        tree.set("with_", exp.With(expressions=self.stages.ctes))
        return tree

    def _enough(self, deltas: Deltas, measure: nodes.Measure, least: int) -> Node:
        """The stays in a segment of one test, that enough events lie in a window: nothing has to be laid together."""
        stretches = deltas.spells.stretches(deltas.spells.happened(measure), measure, least)
        # A row that does not end is followed by the one that does, even where the two come and go together.
        following = self.timeline.neighbour("gone", ["came", "gone", "ends"], 1)
        told = [("contact", b.column("contact")), ("came", b.column("came"))]
        gone = b.case([(b.column("ends"), b.column("gone"))], following)
        columns = [*told, ("gone", gone), ("begins", b.column("begins"))]
        table = self.stages.stage("stays", select(columns, stretches))
        begun = [b.column("begins"), b.compare("<", b.column("came"), b.column("gone"))]
        return self.stages.stage("begun", select([*told, ("gone", b.column("gone"))], table, begun))

    def _flips(self, deltas: Deltas, attributes: Attributes) -> Node:
        """The stays in a segment of any tests: from where its answer turns to yes until it turns again."""
        states = self._states(deltas, attributes)
        at, inside = b.column("at"), b.column("inside")
        columns = [("contact", b.column("contact")), ("at", at), ("inside", inside)]
        before = [*columns, ("was_inside", self.timeline.neighbour("inside", ["at"], -1))]
        turned = exp.NEQ(this=inside.copy(), expression=b.coalesce(b.column("was_inside"), b.number(0)))
        flips = select(columns, self.stages.stage("answers", select(before, states)), [turned])
        following = [*columns, ("gone", self.timeline.neighbour("at", ["at"], 1))]
        stays = self.stages.stage("stays", select(following, self.stages.stage("flips", flips)))
        told = [("contact", b.column("contact")), ("came", at), ("gone", b.column("gone"))]
        return self.stages.stage("inside", select(told, stays, [b.compare("=", inside.copy(), b.number(1))]))

    def _states(self, deltas: Deltas, attributes: Attributes) -> Node:
        """`contact, at, inside`: the rule's answer, 1 or 0, at every instant at which some number changes."""
        laid = [("contact", b.column("contact")), ("at", b.column("at"))]
        totals = {name: _total(number, name, self.dialect) for number, name in deltas.columns.items()}
        # Rows that hold nothing but what they are sorted by are sorted faster.
        by = ["at", FLIPS] if deltas.bits and not totals else ["at"]
        if deltas.bits:
            totals[FLIPS] = exp.BitwiseXorAgg(this=b.column(FLIPS))
        rows = []
        for source, changed in deltas.sources:
            cells = [(name, changed.get(name, b.number(0))) for name in totals]
            rows.append(select([*laid, *cells], source))
        ordered = self.timeline.sorted(self.stages.stage("laid", b.united(rows)), by)
        sums = [(_now(name), self.timeline.running(total, "at")) for name, total in totals.items()]
        following = ("next_at", self.timeline.neighbour("at", ["at"], 1))
        table = self.stages.stage("sums", select([*laid, *sums, following], ordered))
        # Deltas of one instant come in any order: the last of them knows all.
        nowhere = b.number(self.edges.since - 1)
        last = exp.NEQ(this=b.coalesce(b.column("next_at"), nowhere), expression=b.column("at"))
        inside = self._answer(table.name, deltas, attributes)
        return self.stages.stage("states", select([*laid, ("inside", inside)], table, [last]))

    def _answer(self, sums: str, deltas: Deltas, attributes: Attributes) -> Node:
        """1 if the rule holds by what runs on in the rows of a table, else 0."""
        columns = {of: _now(name) for of, name in deltas.columns.items()}
        measures = {of: (sums, name) for of, name in columns.items() if isinstance(of, nodes.Measure)}
        rules = Running(Names(sums, attributes, measures), self.program, self.dialect, self.reading, self.clock)
        rules.bits, rules.numbers = deltas.bits, {of: name for of, name in columns.items() if of not in measures}
        known = [rules.rule(KNOWN)] if KNOWN in deltas.bits else []
        return b.case([(b.conjunction([*known, rules.rule(self.rule)]), b.number(1))], b.number(0))


def _now(name: str) -> str:
    """What a column is called that runs on."""
    return f"{name}_now"


def _total(number: nodes.Rule | nodes.Measure, name: str, dialect: Dialect) -> Node:
    """The sum of a number's column: of values, or of small whole numbers that count."""
    of = number.of if isinstance(number, nodes.Measure) and number.kind == "sum" else None
    column = b.column(name)
    return dialect.summed(column, of.type) if of is not None and isinstance(of.type, Number) else exp.Sum(this=column)
