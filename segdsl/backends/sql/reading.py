"""From stored tables to canonical ones: events, contacts, histories and lists, as the catalog maps them.

Every SELECT built here yields the canonical values that `columns` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.among import Among, Part
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Clock
from segdsl.backends.sql.columns import TEXT, Columns, Schema
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.catalog import model
from segdsl.core import nodes


class Reading(Columns):
    """Table expressions for one catalog.

    only: what one contact is called, as key and as aliases; rows of others need not be read then. Who asks must still
      leave out what is not that contact's: a stored key may be an alias of another.
    among: the only contacts that are wanted; those and rows of others are left out.
    """

    def __init__(
        self, catalog: model.Catalog, dialect: Dialect, schema: Schema | None, only: Sequence[str | int] = (),
        among: Among | None = None,
    ) -> None:  # fmt: skip
        super().__init__(catalog, dialect, schema)
        self.only = tuple(only)
        self.among = among

    # --- kinds of events -----------------------------------------------------------------------------------------

    def title(self, kind: str) -> str:
        """What a kind is called."""
        changed = nodes.changed_attribute(kind)
        return self.catalog.events[kind].name if changed is None else f"{self.catalog.attributes[changed].name} changed"

    def table_of(self, kind: str) -> str:
        """The table that holds a kind's events."""
        changed = nodes.changed_attribute(kind)
        return self.catalog.events[kind].table if changed is None else self.history(changed).table

    def history(self, key: str) -> model.History:
        """Where the values of an attribute that has a history are stored."""
        history = self.catalog.attributes[key].history
        assert history is not None
        return history

    # --- tables --------------------------------------------------------------------------------------------------

    def event(
        self,
        kind: str,
        names: Mapping[str, str],
        timed: bool = True,
        since: Callable[[], Node] | None = None,
    ) -> Node:
        """`contact, t, properties...` of one kind, duplicates dropped; `names` maps property keys to column names.

        since: an instant before which no event is asked for; some may be there all the same.
        """
        changed = nodes.changed_attribute(kind)
        if changed is not None:
            return self.changes(changed, names)
        event = self.catalog.events[kind]
        delivered = event.id
        # Of deliveries with one id the earliest counts: it may lie before what is asked for.
        time, after = event.time if timed else None, since if delivered is None else None
        every = dict(names)
        if delivered is not None:
            every |= {key: f"p{i}" for i, key in enumerate(event.properties) if key not in names}
        columns = []
        for key, name in every.items():
            prop = event.properties[key]
            columns.append((name, self.value(event.table, prop.column, prop.type, self._side)))
        if delivered is not None:
            columns.append(("delivery", self.text(event.table, delivered, self._side)))
        rows = self._events(event.table, event.contact, time, after, columns, self._is_kind(event))
        if delivered is None:
            return rows
        # The earliest row of a delivery counts, ties go to the least of all declared properties.
        order = [b.column("t")] if time else []
        order += [self.ordered(b.column(every[key]), prop.type) for key, prop in event.properties.items()]
        return _delivered_once(rows, ["contact", *(["t"] if time else []), *names.values()], order)

    def deliveries(self, kinds: Iterable[str], since: Callable[[], Node]) -> list[Node]:
        """`contact, t` of every delivery of some kinds' events, if they have a time: a query for each table, not kind.

        since: an instant before which none is asked for; some may be there all the same.
        """
        together: dict[tuple[str, model.Column, model.TimeColumn], list[Node]] = {}
        for event in (self.catalog.events[kind] for kind in kinds):
            if event.time is not None:
                of_kind = b.conjunction(self._is_kind(event))
                together.setdefault((event.table, event.contact, event.time), []).append(of_kind)
        return [self._events(table, contact, time, since, [], [b.disjunction(of_kinds)])
                for (table, contact, time), of_kinds in together.items()]  # fmt: skip

    @property
    def _side(self) -> str | None:
        """What a table of events is called where aliases are joined to it."""
        return "e" if self.catalog.identities else None

    def _is_kind(self, event: model.Event) -> list[Node]:
        return [self.is_text(event.table, column, values, self._side) for column, values in event.where]

    def _events(
        self,
        table: str,
        contact: model.Column,
        time: model.TimeColumn | None,
        since: Callable[[], Node] | None,
        columns: Sequence[tuple[str, Node]],
        where: Iterable[Node],
    ) -> Node:
        """`contact`, `t` if they have a time, and columns of a table's events of those contacts that are wanted."""
        owner, original = self._owner(table, contact, self._side)
        first = [("contact", owner)]
        conditions = [*where, *self._only(table, contact, self._side)]
        excerpt, among = self._part((table, contact, True), self._side, owner)
        conditions += among
        if time is not None:
            at, stored = self.time(table, time, self._side, since)
            first.append(("t", at))
            conditions += stored
        rows = select([*first, *columns], self.source(table, self._side, excerpt), conditions)
        return self._joined(rows, original)

    def excerpt(self, part: Part, names: Iterable[str], time: model.TimeColumn | None, since: Node | None) -> Node:
        """Columns, as they are stored, of the rows of `among`'s contacts in a part of what is stored.

        names: the columns. time, since: the rows' time, and an instant before which none is asked for, if there is one.
        """
        table, column, aliased = part
        side = self._side if aliased else None
        contact, original = self._owner(table, column, side)
        _, conditions = self._part(part, side, contact)
        if time is not None and since is not None:
            conditions += self.not_before(table, time, side, since)
        rows = select([(name, b.column(name, side)) for name in names], self.source(table, side), conditions)
        return self._joined(rows, original) if side else rows

    def _owner(self, table: str, column: model.Column, source: str | None) -> tuple[Node, Node]:
        """The contact that a row belongs to, and what it is recorded under, as text if `source` joins aliases."""
        contact = self.key(table, column, source)
        if source is None:
            return contact, contact
        return b.coalesce(b.column("contact", "alias"), contact), self.text(table, column, source)

    def _part(self, part: Part, source: str | None, contact: Node) -> tuple[str | None, list[Node]]:
        """Where `among`'s rows of a part of what is stored are, if not in its table, and the condition that finds them.

        contact: whose a row is, if `source` joins aliases.
        """
        if self.among is None:
            return None, []
        if part in self.among.excerpts:
            return self.among.excerpts[part], []
        owner = contact if source else self.bare_key(part[0], part[1])[0]
        return None, [_is_one(owner, self.among.contacts)]

    def _only(self, table: str, column: model.Column, source: str | None = None) -> list[Node]:
        """The condition on a table's contacts that `only` sets, on the bare column where that is possible."""
        if not self.only:
            return []
        if all(isinstance(name, int) for name in self.only):
            return [b.one_of(self.bare_key(table, column, source)[0], [b.number(int(name)) for name in self.only])]
        return [self.is_text(table, column, [str(name) for name in self.only], source)]

    def _joined(self, node: Node, original: Node) -> Node:
        """A query of events that finds behind `alias` the contact of those recorded under an alias, NULL for others.

        original: what the event is recorded under, as text.
        """
        aliases = self.catalog.identities
        if aliases is None:
            return node
        # An alias named twice is an error of the data; it must not multiply events all the same.
        table = aliases.table
        names = [("name", self.text(table, aliases.alias)),
                 ("contact", exp.Min(this=self.key(table, aliases.contact)))]  # fmt: skip
        known = select(names, self.source(table)).group_by(names[0][1].copy(), copy=False)
        return node.join(
            known.subquery("alias"),
            on=b.compare("=", b.column("name", "alias"), original),
            join_type="left", copy=False,
        )  # fmt: skip

    def contacts(self, wanted: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]], clock: Clock) -> Node:
        """`id, attributes...`: `wanted` maps attributes to column names (two for geo)."""
        catalog = self.catalog
        relations = sorted({node.relation for node in wanted if isinstance(node, nodes.Attribute) and node.relation})
        held = [node for node in wanted if isinstance(node, nodes.Held)]
        side = "c" if relations or held else None
        identity, conditions = self.bare_key(catalog.contacts, catalog.key, side)
        columns = [("id", identity)]
        joins = []
        for node, names in wanted.items():
            if isinstance(node, nodes.Held):
                alias = f"h{held.index(node) + 1}"
                columns.append((names[0], b.column("value", alias)))
                source = self.held(node.key, clock.edge(node.at))
                joins.append((source, alias, b.compare("=", b.column("contact", alias), identity.copy())))
                continue
            relation, key = node.relation, node.key
            owner = catalog.attributes if relation is None else catalog.relations[relation].attributes
            table = catalog.contacts if relation is None else catalog.relations[relation].table
            at = side if relation is None else f"r{relations.index(relation) + 1}"
            columns += zip(names, self.attribute(table, owner[key], at), strict=True)
        related_on = []
        for i, name in enumerate(relations):
            related = catalog.relations[name]
            alias = f"r{i + 1}"
            left, physical_left = self.raw(catalog.contacts, related.contact, self.dialect.physical_of(TEXT), side)
            right, physical_right = self.raw(related.table, related.key, self.dialect.physical_of(TEXT), alias)
            families = {self.dialect.family(physical_left), self.dialect.family(physical_right)}
            if families not in self.dialect.comparable:
                left = self.comparable(left, physical_left)
                right = self.comparable(right, physical_right)
            related_on.append((related.table, alias, b.compare("=", left, right)))
        conditions += [self.dialect.is_key(identity.copy(), self.whole_keys)]
        conditions += self._only(catalog.contacts, catalog.key, side)
        if self.among is not None:
            conditions.append(_is_one(identity, self.among.contacts))
        query = select(columns, self.source(catalog.contacts, side), conditions)
        for table, alias, on in related_on:
            query = query.join(self.source(table, alias), on=on, join_type="left", copy=False)
        for source, alias, on in joins:
            query = query.join(source.subquery(alias), on=on, join_type="left", copy=False)
        return query

    def held(self, key: str, at: Node) -> Node:
        """`contact, value` of an attribute with a history as it stood at an instant."""
        changes = self.stored_changes(key, at)
        return _first_of_each([b.column("contact")], [("contact", b.column("contact")), ("value", b.column("value"))],
                              changes, [(b.column("t"), True), self._greatest(key)])  # fmt: skip

    def changes(self, key: str, names: Mapping[str, str]) -> Node:
        """`contact, t` of an attribute's changes, with the values `from` and `to` under the names that are wanted."""
        kept = _first_of_each(
            [b.column("contact"), b.column("t")], [(n, b.column(n)) for n in ("contact", "t", "value")],
            self.stored_changes(key), [self._greatest(key)],
        )  # fmt: skip
        by_time = b.order([b.column("t")])
        before = exp.Window(this=exp.Lag(this=b.column("value")), partition_by=[b.column("contact")], order=by_time)
        columns = [*((n, b.column(n)) for n in ("contact", "t", "value")), ("value_before", before)]
        ends = {"from": b.column("value_before"), "to": b.column("value")}
        differs = b.disjunction([
            exp.NEQ(this=ends["from"].copy(), expression=ends["to"].copy()),
            exp.NEQ(this=exp.Paren(this=exp.Is(this=ends["from"].copy(), expression=b.NULL())),
                    expression=exp.Paren(this=exp.Is(this=ends["to"].copy(), expression=b.NULL()))),
        ])  # fmt: skip
        wanted = [(n, b.column(n)) for n in ("contact", "t")] + [(name, ends[key]) for key, name in names.items()]
        return select(wanted, select(columns, kept.subquery("kept")).subquery("followed"), [differs])

    def stored_changes(self, key: str, until: Node | None = None) -> Node:
        """`contact, t, value`: the rows of an attribute's history, up to an instant."""
        attribute, history = self.catalog.attributes[key], self.history(key)
        time, stored = self.time(history.table, history.time)
        columns = [("contact", self.key(history.table, history.contact)), ("t", time),
                   ("value", self.value(history.table, history.value, attribute.type))]  # fmt: skip
        limit = b.known(time.copy()) if until is None else b.compare("<=", time.copy(), until)
        conditions = [*stored, limit, *self._only(history.table, history.contact)]
        excerpt, among = self._part((history.table, history.contact, False), None, columns[0][1])
        conditions += among
        return select(columns, self.source(history.table, excerpt=excerpt), conditions)

    def aliases(self) -> Node:
        """`alias, contact` of the catalog's identities, each pair once."""
        identities = self.catalog.identities
        assert identities is not None
        columns = [("alias", self.text(identities.table, identities.alias)),
                   ("contact", self.key(identities.table, identities.contact))]  # fmt: skip
        conditions = [b.known(value.copy()) for _, value in columns]
        return select(columns, self.source(identities.table), conditions).distinct(copy=False)

    def _greatest(self, key: str) -> tuple[Node, bool]:
        """How rows of one instant are ordered: the greatest value first, no value last."""
        return self.ranked(b.column("value"), self.catalog.attributes[key].type), True

    def on_list(self, name: str | None = None) -> Node:
        """The contacts on a static list; without a name, `list, contact` of all of them."""
        lists = self.catalog.lists
        assert lists is not None
        columns = [("contact", self.key(lists.table, lists.contact))]
        if name is None:
            columns = [("list", self.text(lists.table, lists.list)), *columns]
            conditions = self._only(lists.table, lists.contact)
        else:
            conditions = [self.is_text(lists.table, lists.list, [name])]
        return select(columns, self.source(lists.table), conditions)


def _is_one(key: Node, table: str) -> Node:
    """Whether a key is among those of a table's column `contact`."""
    known = select([("contact", b.column("contact"))], b.table(table))
    return exp.In(this=b.operand(key.copy()), query=known.subquery())


def _delivered_once(rows: Node, kept: Sequence[str], order: Sequence[Node]) -> Node:
    """Some columns of rows `contact, delivery, …`: of one contact's delivery the first in the order, and all that have
    no `delivery`."""
    window = exp.Window(this=exp.RowNumber(), partition_by=[b.column("contact"), b.column("delivery")])
    if order:
        window.set("order", b.order(order))
    ranked = select([*((n, b.column(n)) for n in [*kept, "delivery"]), ("place", window)], rows.subquery("rows_"))
    first = b.disjunction([
        exp.Is(this=b.column("delivery"), expression=b.NULL()), b.compare("=", b.column("place"), b.number(1))
    ])  # fmt: skip
    return select([(name, b.column(name)) for name in kept], ranked.subquery("ranked"), [first])


def _first_of_each(
    keys: Sequence[Node], columns: Sequence[tuple[str, Node]], rows: Node, order: Sequence[tuple[Node, bool]]
) -> Node:
    """Of the rows of each key the first one in an order of `(value, descending)`, unknown values last."""
    ordered = [exp.Ordered(this=node, desc=down, nulls_first=False) for node, down in order]
    place = exp.Window(this=exp.RowNumber(), partition_by=list(keys), order=exp.Order(expressions=ordered))
    placed = select([*columns, ("place", place)], rows.subquery("changes"))
    return select([(name, b.column(name)) for name, _ in columns], placed.subquery("placed"),
                  [b.compare("=", b.column("place"), b.number(1))])  # fmt: skip
