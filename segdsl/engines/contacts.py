"""Contacts out of a database: each with its attributes, events, lists and histories, one after the other.

Each kind of rows is one question, whose answer comes in the order of contacts; here they are laid together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.reading import Reading
from segdsl.core import nodes
from segdsl.core.contact import Facts, changes
from segdsl.types import Type

Cells = tuple[Any, ...]  # a row as the database gives it
Columns = Sequence[tuple[nodes.Attribute, tuple[str, ...]]]  # attributes, and the names of each one's columns


class Contacts:
    """Reads contacts of a catalog.

    ask: gives the rows of a query, streamed. last: the end of the time that is known; later rows are left out.
    """

    def __init__(self, reading: Reading, ask: Callable[[Node], Iterator[Cells]], last: Fixed) -> None:
        self._reading, self._ask, self._last = reading, ask, last
        self._catalog, self._dialect = reading.catalog, reading.dialect

    def facts(self, kinds: Iterable[str] | None, contact: str | int | None = None) -> Iterator[Facts]:
        """Every contact, or only this one, by id, with its events of the given kinds (None: all); one that is in the
        data twice comes once."""
        catalog = self._catalog
        columns = self._attribute_columns()
        streams = {kind: _Merge(self._events(kind)) for kind in (catalog.events if kinds is None else kinds)}
        lists = _Merge(self._on_lists()) if catalog.lists else None
        histories = {
            key: _Merge(self._history(key, attribute.type))
            for key, attribute in catalog.attributes.items() if attribute.history
        }  # fmt: skip
        before: object = None
        for own, *cells in self._contacts(columns):
            if own == before or (contact is not None and own != contact):
                continue
            before = own
            yield Facts(
                own, self._attributes(columns, cells),
                {kind: [self._event(kind, each) for each in stream.take(own)] for kind, stream in streams.items()},
                frozenset(name for _, name in lists.take(own) if name is not None) if lists else frozenset(),
                {key: self._changes(key, stream.take(own)) for key, stream in histories.items()},
            )  # fmt: skip

    # --- contacts and their attributes ---------------------------------------------------------------------------

    def _attribute_columns(self) -> Columns:
        """Each attribute without a history, the contacts' and those of related records, and names for its columns."""
        attributes = self._catalog.attributes
        wanted = [nodes.Attribute(key, own.type) for key, own in attributes.items() if not own.history]
        for relation, related in self._catalog.relations.items():
            wanted += [nodes.Attribute(key, own.type, relation) for key, own in related.attributes.items()]
        return [(node, tuple(f"a{i}_{j}" for j in range(2 if isinstance(node.type, types.Geo) else 1)))
                for i, node in enumerate(wanted)]  # fmt: skip

    def _contacts(self, columns: Columns) -> Iterator[Cells]:
        """`id`, then the cells of the attributes in the order of `_attribute_columns`."""
        outputs = [("id", b.column("id"))]
        outputs += [
            (name, self._dialect.output(b.column(name), node.type)) for node, names in columns for name in names
        ]
        query = select(outputs, self._reading.contacts(dict(columns), self._last).subquery("c"))
        return self._in_order(query, "id")

    def _attributes(self, columns: Columns, cells: Sequence[object]) -> dict[tuple[str | None, str], object]:
        """What is known of one contact's attributes, as `Facts` has them. A place half unknown is unknown."""
        known: dict[tuple[str | None, str], object] = {}
        at = 0
        for node, names in columns:
            parts = [self._dialect.python(cell, node.type) for cell in cells[at : at + len(names)]]
            at += len(names)
            value = parts[0] if len(parts) == 1 else None if None in parts else tuple(parts)
            if value is not None:
                known[node.relation, node.key] = value
        return known

    # --- lists and histories -------------------------------------------------------------------------------------

    def _on_lists(self) -> Iterator[Cells]:
        """`contact, list` of all static lists."""
        columns = [(name, b.column(name)) for name in ("contact", "list")]
        query = select(columns, self._reading.on_list().subquery("e"), [self._is_contact()])
        return self._in_order(query, "contact")

    def _history(self, key: str, kind: Type) -> Iterator[Cells]:
        """`contact`, the instant in microseconds and the value of each row of an attribute's history."""
        columns = [("contact", b.column("contact")), ("at", self._dialect.micros(b.column("t"))),
                   ("held", self._dialect.output(b.column("value"), kind))]  # fmt: skip
        conditions = [self._is_contact(), self._is_known_time()]
        query = select(columns, self._reading.stored_changes(key).subquery("e"), conditions)
        return self._in_order(query, "contact")

    def _changes(self, key: str, rows: Iterable[Cells]) -> list[tuple[int, object]]:
        """One contact's rows of `_history` as `Facts` has them."""
        kind = self._catalog.attributes[key].type
        return changes([(t, self._dialect.python(value, kind)) for _, t, value in rows], kind)

    # --- events --------------------------------------------------------------------------------------------------

    def _events(self, kind: str) -> Iterator[Cells]:
        """`contact`, the instant in microseconds (0 where the kind has none) and the properties in the catalog's order.

        `_event` makes one of such a row.
        """
        event = self._catalog.events[kind]
        names = {key: f"v{i}" for i, key in enumerate(event.properties)}
        at = self._dialect.micros(b.column("t")) if event.time else b.number(0)
        columns = [("contact", b.column("contact")), ("at", at)]
        columns += [(f"o{i}", self._dialect.output(b.column(names[key]), prop.type))
                    for i, (key, prop) in enumerate(event.properties.items())]  # fmt: skip
        conditions = [self._is_contact(), *([self._is_known_time()] if event.time else [])]
        return self._in_order(select(columns, self._reading.event(kind, names).subquery("e"), conditions), "contact")

    def _event(self, kind: str, row: Cells) -> tuple[int, dict[str, object]]:
        """A row of `_events` as `Facts` has it: the instant, and the properties that are known."""
        properties = self._catalog.events[kind].properties
        values = [self._dialect.python(v, prop.type) for v, prop in zip(row[2:], properties.values(), strict=True)]
        return int(row[1]), {key: value for key, value in zip(properties, values, strict=True) if value is not None}

    # --- of all rows ---------------------------------------------------------------------------------------------

    def _is_contact(self) -> Node:
        """The condition that drops rows of nobody."""
        return self._dialect.is_key(b.column("contact"), self._reading.whole_keys)

    def _is_known_time(self) -> Node:
        """The condition that drops rows without a time, and times beyond the year 9999: databases have some."""
        return b.compare("<=", b.column("t"), self._last.now())

    def _in_order(self, query: Node, key: str) -> Iterator[Cells]:
        """A query's rows in the order of a column of keys."""
        query.set("order", b.order([self._reading.key_order(b.column(key))]))
        return self._ask(query)


class _Merge:
    """Rows ordered by contact, handed out contact by contact, in the same order."""

    def __init__(self, rows: Iterator[Cells]) -> None:
        self.rows = rows
        self.next: Cells | None = next(rows, None)

    def take(self, contact: object) -> list[Cells]:
        """The rows of a contact, who comes after all that were asked for before; rows of those between are dropped."""
        found = []
        while self.next is not None and self.next[0] < contact:
            self.next = next(self.rows, None)
        while self.next is not None and self.next[0] == contact:
            found.append(self.next)
            self.next = next(self.rows, None)
        return found
