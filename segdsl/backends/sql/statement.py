"""One statement for many segments: event CTEs, the contacts, the measures, then a SELECT for every segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import NamedTuple

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql import dialects, latest, terms
from segdsl.backends.sql.among import Among
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.chains import Chains
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.columns import Schema
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.lookups import Lookup
from segdsl.backends.sql.measures import WIDEST, Passes, simple
from segdsl.backends.sql.names import Namer
from segdsl.backends.sql.rules import Rules
from segdsl.backends.sql.sources import Sources
from segdsl.catalog.model import Catalog
from segdsl.core import nodes
from segdsl.core.program import Program

FUSE = 12  # with more distinct passes than this over single kinds, measures of a kind share one
MANY = 64  # of more segments than this, so many are asked in one look at the contacts
INLINED = 500  # the same, where the facts about the contacts are computed anew for each look
NAMED = 5  # segments that the first line of a statement names
JOINED = 3  # with more segments than this, all measures are joined to the contacts once


class Parts(NamedTuple):
    """A statement in parts.

    opening: its CTEs, as WITH. members: `segment, contact` of all members, in any order. values: `id`, and a column
    of each value that is asked of every contact.
    """

    opening: Node
    members: Node
    values: Node


def compile_segments(
    program: Program,
    catalog: Catalog,
    names: Sequence[str],
    now: int | None,
    schema: Schema | None = None,
    dialect: str = "duckdb",
) -> str:
    """The SQL statement that yields `segment, contact` for the named segments at `now`, in that order.

    `now`: microseconds since 1970 (UTC); None asks the database's own clock each time that the statement runs.
    `schema` tells how columns are physically stored; without it they are taken to be as declared.
    Raises `Errors`: SEG0701 for an unknown dialect, SEG0704 for what the dialect cannot do.
    """
    return Statement(program, catalog, names, now, schema, dialects.get(dialect)).text()


class Statement(Sources):
    """Plans and prints; what it is about is collected in the constructor.

    terms, latest: how counts are answered that have no column of their own.
    """

    def __init__(
        self, program: Program, catalog: Catalog, names: Sequence[str], now: int | None, schema: Schema | None,
        dialect: Dialect, lookup: Lookup | None = None, among: Among | None = None,
        values: Mapping[str, nodes.Value] | None = None,
    ) -> None:  # fmt: skip
        """`now`: None is the database's clock. `lookup`: another way to ask for neighbours than the dialect's own.
        `among`: only these contacts are looked at. `values`: what is asked of every contact besides, by name."""
        super().__init__(program, catalog, names, now, schema, dialect, among, values)
        self.lookup = lookup or dialect.lookup
        compared = self.compared if isinstance(self.clock, Fixed) else {}
        self.terms = terms.plan(compared) if dialect.joins_rules else terms.Terms()
        self.latest: dict[nodes.Measure, nodes.Measure] = {}
        if isinstance(self.clock, Fixed):
            others = {measure: leasts for measure, leasts in compared.items() if measure not in self.terms.measures}
            self.latest = latest.plan(others, self.measures, self.clock.instant)

    def about(self, among: Among | None) -> Statement:
        """The same statement, at a fixed time, about some contacts only, or about all; what it needs is known."""
        assert isinstance(self.clock, Fixed)
        other = copy(self)
        other._about(among)
        other.terms = terms.Terms(groups=self.terms.groups)
        return other

    # --- the parts ------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The statement as text, for the dialect."""
        return self.dialect.text(self.tree())

    def tree(self) -> Node:
        """The statement as sqlglot's tree."""
        ctes, rules, segments = self._facts()
        members = self._members(rules, segments, ctes)
        return self._finished([*self.clock.ctes(), *ctes], members)

    def parts(self) -> Parts:
        """What the statement says, to be put together otherwise than in `tree`."""
        ctes, rules, segments = self._facts()
        members = self._members(rules, segments, ctes)
        columns = [("id", rules.identity()), *((name, rules.value(value)) for name, value in self.values.items())]
        values = select(columns, b.table(rules.contact))
        return Parts(exp.With(expressions=[*self.clock.ctes(), *ctes]), b.united(members or [self._nobody()]), values)

    def _facts(self) -> tuple[list[Node], Rules, dict[str, str]]:
        """The CTEs of all that is known of contacts, the writer of rules over them, and the names of segments' CTEs."""
        ctes, passes, columns = self.stored()
        rules, names = passes.rules, passes.rules.names
        segments = {name: self.tables.name(f"segment {name}") for name in self.segments if name in self.referred}
        names.segments, names.terms, names.latest = segments, self.terms, self.latest
        ctes += self._measures(passes, columns)
        if isinstance(self.clock, Fixed):
            ctes += self.terms.ctes(passes.kinds, passes.properties, self.clock, self.tables.name, columns.name)
        for chain in self.chains:
            query = Chains(passes, chain, self.lookup, self.tables.name, self.reading.title)
            names.chains[chain] = query.members()
            ctes += query.ctes
        most = 1 if self.dialect.inlines or self.among is not None else JOINED
        if (self.values or len(self.segments) > most) and (names.measures or names.terms.bits):
            rules.facts = self.tables.name("facts of contacts")
            ctes.append(b.cte(rules.facts, self._joined(rules)))
        return ctes, rules, segments

    def unordered(self) -> Node:
        """`segment, contact` of all members, in any order, as sqlglot's tree."""
        opening, members, _ = self.parts()
        members.set("with_", opening)
        return members

    def sizes(self) -> Node:
        """`segment, size` of each segment that has members, in any order, as sqlglot's tree."""
        segment = b.column("segment")
        columns = [("segment", segment), ("size", exp.Count(this=exp.Star()))]
        return b.over(self.unordered(), columns, "members").group_by(segment.copy(), copy=False)

    def _measures(self, passes: Passes, columns: Namer) -> list[Node]:
        """The CTEs of all measures but those that `terms` answers; `passes` learns where each is found."""
        groups: dict[object, list[nodes.Measure]] = {}
        answered = self.terms.measures | self.latest.keys()
        wanted = [measure for measure in self.measures if measure not in answered]
        wanted += [measure for measure in dict.fromkeys(self.latest.values()) if measure not in self.measures]
        fuse = len({measure.events.branches for measure in wanted if simple(measure)}) > FUSE
        for measure in wanted:
            key: object = measure
            if simple(measure):
                branches = measure.events.branches
                key = branches
                if fuse and len(branches) == 1:
                    # Few events have one of the texts that are asked for: they have a pass of their own.
                    texts = terms.texts_of(branches[0])
                    key = branches[0].kind, texts and texts[0]
            groups.setdefault(key, []).append(measure)
        ctes = []
        # Those that share come first: anchors are among them, or come earlier in the order of collection.
        for measures in sorted(groups.values(), key=lambda group: not simple(group[0])):
            for start in range(0, len(measures), WIDEST):
                part = measures[start : start + WIDEST]
                title = self.reading.title(part[0].events.branches[0].kind)
                table = self.tables.name(f"{title} by contact")
                named = [(measure, columns.name(f"{title} {measure.kind}")) for measure in part]
                body = passes.shared(named) if simple(part[0]) else passes.own(*named[0])
                if len(part) > 1:
                    for aggregate, measure in zip(body.expressions[1:], part, strict=True):  # behind `contact`
                        aggregate.comments = [f" {b.safe_comment(measure.words)} "] if measure.words else []
                passes.rules.names.measures.update((measure, (table, name)) for measure, name in named)
                ctes.append(b.cte(table, body, part[0].words if len(part) == 1 else ""))
        return ctes

    def _joined(self, rules: Rules) -> Node:
        """`id`, attributes, measures and terms of every contact: what many segments ask is joined only once."""
        contact = rules.names.contact
        columns = [("id", b.column("id", contact))]
        columns += [(name, b.column(name, contact)) for names in rules.names.attributes.values() for name in names]
        asked = [*rules.names.measures.values(), *rules.names.terms.columns()]
        columns += [(name, b.column(name, table)) for table, name in asked]
        return self._with_tables(select(columns, b.table(contact)), dict.fromkeys(t for t, _ in asked), contact)

    def _with_tables(self, node: Node, tables: Iterable[str], contact: str) -> Node:
        """A query of the contacts, joined with CTEs of one row for each `contact`; their values are NULL for others."""
        for table in tables:
            on = b.compare("=", b.column("contact", table), b.column("id", contact))
            node = node.join(b.table(table), on=on, join_type="left", copy=False)
        return node

    def _select(self, name: str, rules: Rules) -> Node:
        """`contact` of the members of one segment."""
        rule = self.program.segments[name].rule
        contact = rules.contact
        condition = rules.rule(rule)
        everyone = isinstance(condition, exp.Boolean) and condition.this
        node = select([("contact", b.column("id", contact))], b.table(contact), [] if everyone else [condition])
        if rules.facts is None:
            used = {found.table for found in condition.find_all(exp.Column)}
            asked = [*rules.names.measures.values(), *rules.names.terms.columns()]
            tables = dict.fromkeys(table for table, _ in asked if table in used)
            node = self._with_tables(node, tables, contact)
        return node

    def _members(self, rules: Rules, segments: Mapping[str, str], ctes: list[Node]) -> list[Node]:
        """The queries of all wanted segments' members; those that others ask become CTEs first (name -> CTE)."""
        together = [name for name in self.wanted if name not in self.referred]
        most = 1 if self.dialect.inlines or self.among is not None else MANY
        if rules.facts is None or len(together) <= most or not self.dialect.unnests:
            together = []
        once = set(together)
        size = INLINED if self.dialect.inlines else MANY
        selects = [self._together(together[i : i + size], rules) for i in range(0, len(together), size)]
        for name in [name for name in self.segments if name not in once]:
            body = self._select(name, rules)
            words = self.program.segments[name].words
            if name in self.referred:
                ctes.append(b.cte(segments[name], body, words))
                body = select([("segment", b.text(name)), ("contact", b.column("contact"))], b.table(segments[name]))
            else:
                body.set("expressions", [b.aliased(b.text(name), "segment"), *body.expressions])
                body.comments = [f" {b.safe_comment(f'{name}: {words}')} "]
            if name in self.wanted:
                selects.append(body)
        return selects

    def _together(self, names: Sequence[str], rules: Rules) -> Node:
        """The members of many segments in one look at the facts: each contact with a list of what it is in."""
        answers = []
        for name in names:
            segment = self.program.segments[name]
            answer = b.case([(rules.rule(segment.rule), b.text(name))])
            answer.comments = [f" {b.safe_comment(segment.words)} "]
            answers.append(answer)
        columns = [("contact", b.column("id", rules.contact)), ("segment", self.dialect.rows_of(answers))]
        asked = select(columns, b.table(rules.contact)).subquery("asked")
        return select([(n, b.column(n)) for n in ("segment", "contact")], asked, [b.known(b.column("segment"))])

    def _nobody(self) -> Node:
        """The members of no segment."""
        columns = [("segment", b.text("")), ("contact", b.NULL())]
        return select(columns, b.table(self.catalog.contacts), [b.FALSE()])

    def _finished(self, ctes: list[Node], selects: list[Node]) -> Node:
        """The whole statement: the CTEs, and all members sorted by segment and contact."""
        selects = selects or [self._nobody()]
        named, more = ", ".join(self.wanted[:NAMED]), len(self.wanted) - NAMED
        header = f" {b.safe_comment(named)}{f' and {more} more' if more > 0 else ''} at {self.clock.title} "
        order = [self.dialect.ordered(b.column("segment")), self.reading.key_order(b.column("contact"))]
        tree = selects[0]
        # An ORDER BY takes the names that a SELECT gives, but not always expressions of them.
        if len(selects) > 1 or not all(isinstance(each, exp.Column) for each in order):
            columns = [(n, b.column(n)) for n in ("segment", "contact")]
            tree = select(columns, b.united(selects).subquery("members"))
        tree.set("order", b.order(order))
        opening = exp.With(expressions=ctes)
        opening.comments = [header]
        tree.set("with_", opening)
        return tree
