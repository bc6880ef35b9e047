"""Which contacts a refresh looks at: those with news since the last one, and those whose next change has come due.

News are events and rows of histories by their own time, and attributes, lists and aliases by comparison with what was
seen of them. Nothing here reads events that are older than the refresh looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import md5
from typing import Literal

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.among import Among, Part
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.excerpts import excerpts
from segdsl.core import nodes as core
from segdsl.core.program import Program, nodes_of
from segdsl.engines.engine import Engine, Execute
from segdsl.types import INT, Enum, String, Type
from segdsl.warehouse.tables import Tables
from segdsl.warehouse.waits import Due


class Watched:
    """What some segments ask, and how it may come to be news at an instant."""

    def __init__(self, engine: Engine, tables: Tables, program: Program, names: list[str], now: int) -> None:
        self.engine, self.tables, self.program, self.names, self.now = engine, tables, program, names, now
        self.dialect, self.catalog = engine.dialect, engine.catalog
        self.clock = Fixed(self.dialect, now)
        self.due = Due(program, names, now)
        self.statement = engine.statement(program, names, now, values=self.due.values)
        nodes = nodes_of(program, [program.segments[name].rule for name in names])
        self.lists = sorted({node.name for node in nodes if isinstance(node, core.InList)})

    def among(self, since: int) -> Among:
        """The contacts that are touched, and what is stored of them, as CTEs."""
        contacts = Among(self.tables.working("looked_at"))
        parts = self._excerpts(contacts)
        queries = {contacts.contacts: self.touched(since), **dict(parts.values())}
        return Among(contacts.contacts, {part: name for part, (name, _) in parts.items()}, queries)

    def copied(self, execute: Execute) -> Among:
        """The same out of working tables, which are made, for those whom the table of the touched has."""
        contacts = Among(self.tables.name("touched"))
        parts = self._excerpts(contacts)
        for (_, key, _), (name, query) in parts.items():
            self.tables.copy(execute, name, query, key.name)
        return Among(contacts.contacts, {part: name for part, (name, _) in parts.items()})

    def _excerpts(self, contacts: Among) -> dict[Part, tuple[str, Node]]:
        """What the segments ask of what is stored of some contacts: names for tables of it, and their queries."""
        found = excerpts(self.statement, self.engine.reading(among=contacts))
        return {part: (self.tables.working(f"rows_{number}"), query)
                for number, (part, query) in enumerate(found.items(), 1)}  # fmt: skip

    def touched(self, since: int) -> Node:
        """`contact` of all with news after `since` or due by now, in any order, each once; also of those who are gone.

        since: an instant; news before it were seen.
        """
        found = [*self._recent(since), self._due(), *self._others(), *self._alias_changes()]
        contact = b.column("contact")
        news = select([("contact", contact)], b.united(found).subquery("news"), [b.known(contact.copy())])
        return news.distinct(copy=False)

    def _recent(self, since: int) -> Iterator[Node]:
        """The contacts of events and of rows of histories that happened after an instant."""
        reading = self.engine.reading()
        first = self.dialect.instant(since)
        keys: dict[str, None] = {node.key: None for node in self.statement.attributes if isinstance(node, core.Held)}
        changed = [(kind, core.changed_attribute(kind)) for kind in self.statement.kinds]
        keys |= {key: None for _, key in changed if key is not None}
        rows = reading.deliveries([kind for kind, key in changed if key is None], first.copy)
        rows += [reading.stored_changes(key, self.clock.now()) for key in keys]
        for each in rows:
            within = self.dialect.within(b.column("t"), first.copy(), self.clock.now())
            yield select([("contact", b.column("contact"))], each.subquery("recent"), within)

    def _due(self) -> Node:
        late = b.compare("<=", b.column("due"), b.number(self.now))
        return select([("contact", b.column("contact"))], self.tables.node("contacts"), [late])

    def _others(self) -> list[Node]:
        """Contacts that are new or not as they were seen, and those that are gone."""
        now, stored = b.column("contact", "now_"), b.column("contact", "stored")
        seen, table = self.seen(None).subquery("now_"), b.table(self.tables.name("contacts"), "stored")
        changed = exp.NEQ(this=b.column("seen", "now_"), expression=b.column("seen", "stored"))
        fresh, gone = _unknown(stored), _unknown(now)
        sides = [(seen, table, "full", [fresh, gone, changed])]
        if not self.dialect.joins_full:
            sides = [(seen, table, "left", [fresh, changed]), (table.copy(), seen.copy(), "left", [gone])]
        return [self._joined(*side) for side in sides]

    def _joined(self, one: Node, other: Node, kind: str, which: list[Node]) -> Node:
        """The contacts of the two tables of `_others` for which some condition holds."""
        now, stored = b.column("contact", "now_"), b.column("contact", "stored")
        query = select([("contact", b.coalesce(now, stored))], one)
        query = query.join(other, on=b.compare("=", now.copy(), stored.copy()), join_type=kind, copy=False)
        return query.where(b.disjunction(which), copy=False)

    def seen(self, among: Among | None) -> Node:
        """`contact, seen`: a fingerprint of each contact's asked attributes and lists; of all contacts or of those
        among."""
        reading = self.engine.reading(among=among)
        wanted = [node for node in self.statement.attributes if isinstance(node, core.Attribute)]
        columns: dict[core.Attribute | core.Held, tuple[str, ...]] = {
            node: tuple(f"a{i}_{j}" for j in range(self._width(node))) for i, node in enumerate(wanted)
        }
        pieces = [self._piece(b.column(name), node.type) for node, names in columns.items() for name in names]
        for name in self.lists:
            on = exp.In(this=b.column("id"), query=reading.on_list(name).subquery())
            pieces.append(b.case([(on, b.literal("1"))], b.literal("0")))
        # What is asked stands before it: else other attributes with the same values would look the same.
        asked = md5(repr((wanted, self.lists)).encode(), usedforsecurity=False).hexdigest()
        whole = b.literal(asked if pieces else "")
        for piece in pieces:
            whole = exp.DPipe(this=whole, expression=b.paren(piece), safe=True)
        seen = self.dialect.md5(whole, 32) if pieces else whole
        contacts = reading.contacts(columns, self.clock).subquery("c")
        return select([("contact", b.column("id")), ("seen", seen)], contacts)

    def _width(self, node: core.Attribute) -> int:
        """How many columns hold an attribute."""
        owner = self.catalog.attributes if node.relation is None else self.catalog.relations[node.relation].attributes
        return len(owner[node.key].columns)

    def _piece(self, value: Node, declared: Type) -> Node:
        """A value as text that tells where it ends; one that is unknown is no text of a value."""
        text = value if isinstance(declared, String | Enum) else self.dialect.printed(value, declared)
        length = self.dialect.printed(exp.Length(this=text.copy()), INT)
        told = exp.DPipe(this=exp.DPipe(this=length, expression=b.literal(":"), safe=True), expression=text, safe=True)
        return b.coalesce(told, b.literal("-"))

    def _alias_changes(self) -> list[Node]:
        """The contacts of aliases that were not seen, or were and are gone; and contacts whose key is such an alias, as
        what is recorded under it was theirs before, or is now."""
        if self.catalog.identities is None:
            return []
        sides: list[tuple[Node, Literal[1, -1]]] = [
            (self.engine.reading().aliases().subquery("now_"), 1), (self.tables.node("aliases"), -1)
        ]  # fmt: skip
        alias, contact = b.column("alias"), b.column("contact")
        rows = [select([("alias", alias.copy()), ("contact", contact.copy()), ("side", b.number(side))], source)
                for source, side in sides]  # fmt: skip
        total = exp.Sum(this=b.column("side"))

        def differ(column: Node) -> Node:
            found = select([(column.name, column)], b.united([row.copy() for row in rows]).subquery("sides"))
            found = found.group_by(alias.copy(), contact.copy(), copy=False)
            return found.having(exp.NEQ(this=total.copy(), expression=b.number(0)), copy=False)

        reading = self.engine.reading()
        key = self.dialect.key_text(b.column("id"), reading.whole_keys)
        named = select([("contact", b.column("id"))], reading.contacts({}, self.clock).subquery("known"),
                       [exp.In(this=key, query=differ(alias).subquery())])  # fmt: skip
        return [differ(contact), named]

    def answers(self, names: Sequence[str], among: Among | None) -> Node:
        """The members of some segments, and when each contact is due, of all contacts or of those among; the table
        `answers` has these rows."""
        if list(names) == self.names:
            statement = self.statement.about(among)
        else:
            statement = self.engine.statement(self.program, names, self.now, among, self.due.values)
        asked = statement.parts()
        columns = [("segment", b.column("segment")), ("contact", b.column("contact")), ("due", b.number(0))]
        members = select(columns, asked.members.subquery("members", copy=False))
        due = self.due.query(asked.values, self.dialect)
        columns = [("segment", b.literal("")), ("contact", b.column("id")), ("due", b.column("due"))]
        tree = b.united([members, select(columns, due.subquery("waits", copy=False))])
        tree.set("with_", asked.opening)
        return tree

    def members(self) -> Node:
        """`segment, contact` of the members that `answers` has."""
        columns = [(name, b.column(name)) for name in ("segment", "contact")]
        named = exp.NEQ(this=b.column("segment"), expression=b.literal(""))
        return select(columns, self.tables.node("answers"), [named])

    def contacts(self, among: Among | None) -> Node:
        """`contact, due, seen`, as they are stored after a refresh, out of what `answers` has of the same contacts."""
        columns = [(name, b.column(name, at)) for name, at in (("contact", "s"), ("due", "d"), ("seen", "s"))]
        due = select([(n, b.column(n)) for n in ("contact", "due")], self.tables.node("answers"),
                     [b.compare("=", b.column("segment"), b.literal(""))])  # fmt: skip
        on = b.compare("=", b.column("contact", "d"), b.column("contact", "s"))
        return select(columns, self.seen(among).subquery("s")).join(due.subquery("d"), on=on, copy=False)


def _unknown(column: Node) -> Node:
    return exp.Is(this=column, expression=b.NULL())
