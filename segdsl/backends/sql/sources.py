"""What a statement stands on: CTEs of events and of contacts with their attributes, in canonical values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.among import Among
from segdsl.backends.sql.asked import Asked
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.clock import Clock, Fixed, Live
from segdsl.backends.sql.columns import Schema
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.measures import Passes
from segdsl.backends.sql.names import Namer, Names
from segdsl.backends.sql.reading import Reading
from segdsl.backends.sql.rules import Rules
from segdsl.catalog.model import Catalog
from segdsl.core import nodes
from segdsl.core.program import Program


class Sources(Asked):
    """What is asked, of which stored tables. tables: hands out names for CTEs, which no stored table has."""

    def __init__(
        self, program: Program, catalog: Catalog, names: Sequence[str], now: int | None, schema: Schema | None,
        dialect: Dialect, among: Among | None = None, values: Mapping[str, nodes.Value] | None = None,
    ) -> None:  # fmt: skip
        """`now`: microseconds since 1970 (UTC); None is the database's clock. `among`: only these contacts are looked
        at."""
        super().__init__(program, names, values or {})
        self.catalog, self.schema, self.dialect = catalog, schema, dialect
        self._about(among)
        self.clock: Clock = Live(dialect, self.tables.name) if now is None else Fixed(dialect, now)

    def _about(self, among: Among | None) -> None:
        catalog = self.catalog
        tables = [catalog.contacts, *(e.table for e in catalog.events.values())]
        tables += [relation.table for relation in catalog.relations.values()]
        tables += [part.table for part in (catalog.lists, catalog.identities) if part is not None]
        tables += [a.history.table for a in catalog.attributes.values() if a.history]
        tables += [among.contacts, *among.excerpts.values()] if among else []
        self.among = among
        self.tables = Namer([*tables, "events", "groups_", "places", "ranked", "rows_", "alias", "facts"])
        self.reading = Reading(catalog, self.dialect, self.schema, among=among)

    def used_tables(self) -> list[str]:
        """The stored tables that the statement reads."""
        catalog = self.catalog
        tables = [catalog.contacts, *(self.reading.table_of(kind) for kind in self.kinds)]
        for node in self.attributes:
            if isinstance(node, nodes.Held):
                tables.append(self.reading.table_of(nodes.changes_of(node.key)))
            elif node.relation is not None:
                tables.append(catalog.relations[node.relation].table)
        if self.lists and catalog.lists:
            tables.append(catalog.lists.table)
        if self.kinds and catalog.identities:
            tables.append(catalog.identities.table)
        return list(dict.fromkeys(tables))

    def stored(self) -> tuple[list[Node], Passes, Namer]:
        """The CTEs of events and of contacts, passes over the events, and the names of the contacts' columns."""
        kinds = {kind: self.tables.name(self.reading.title(kind)) for kind in self.kinds}
        properties = {kind: self._property_columns(kind) for kind in self.kinds}
        ctes = []
        if self.among is not None:
            ctes += [b.cte(name, query.copy()) for name, query in self.among.queries.items()]
        ctes += [b.cte(kinds[kind], self._events(kind, properties[kind])) for kind in self.kinds]
        columns = Namer(["id"])
        attributes = {node: self._attribute_columns(node, columns) for node in self.attributes}
        contact = self.tables.name("contact")
        ctes.append(b.cte(contact, self.reading.contacts(attributes, self.clock)))
        rules = Rules(Names(contact, attributes), self.program, self.dialect, self.reading, self.clock)
        return ctes, Passes(rules, kinds, properties), columns

    def _property_columns(self, kind: str) -> dict[str, str]:
        """The properties of a kind that are asked for -> what its CTE calls them."""
        used = self.kinds[kind]
        changed = nodes.changed_attribute(kind) is not None
        declared = () if changed else self.catalog.events[kind].properties
        # The names that `Reading.event` gives: p0, p1, … are the properties that only tell deliveries apart.
        columns = Namer(["contact", "t", "delivery", "place", *(f"p{i}" for i in range(len(declared)))])
        return {key: columns.name(f"{key} value" if changed else key) for key in used}  # `from` and `to` are reserved

    def _events(self, kind: str, names: Mapping[str, str]) -> Node:
        """The query of a kind's events, from where the earliest of all windows over them begins if all begin."""
        begins = [edge for edge in self.begins[kind] if edge is not None]
        since = partial(self.clock.earliest, begins) if len(begins) == len(self.begins[kind]) else None
        return self.reading.event(kind, names, since=since)

    def _attribute_columns(self, node: nodes.Attribute | nodes.Held, columns: Namer) -> tuple[str, ...]:
        """What the contacts' CTE calls an attribute: two names for a place, one for all others."""
        relation = node.relation if isinstance(node, nodes.Attribute) else None
        wanted = node.key if relation is None else f"{relation} {node.key}"
        parts = [f"{wanted} latitude", f"{wanted} longitude"] if isinstance(node.type, types.Geo) else [wanted]
        return tuple(columns.name(part) for part in parts)
