"""What the catalog declares of stored columns, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from segdsl.backends.sql.build import Node
from segdsl.backends.sql.columns import INSTANT
from segdsl.backends.sql.reading import Reading
from segdsl.backends.sql.sources import Sources
from segdsl.catalog.model import Attribute, Catalog, Column, Event, Place, TimeColumn
from segdsl.core import nodes
from segdsl.text.diagnostic import Diagnostic, Severity
from segdsl.types import Type

Where = tuple[tuple[Column, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Declared:
    """A column of a table, and the type that its values should have.

    name: what people call the value. time: how it is an event's time, or a change's; its type is then `Timestamp`.
    where: the rows that count, as `Event.where` has it. required: whether the catalog says that it is always known.
    """

    name: str
    table: str
    column: Column
    type: Type
    time: TimeColumn | None = None
    where: Where = ()
    required: bool = False
    place: Place | None = None

    def finding(
        self, code: str, message: str, why: str = "", help: str = "", severity: Severity = "warning"
    ) -> Diagnostic:
        """A finding about this declaration, which shows it."""
        source, span = (self.place.source, self.place.span) if self.place else (None, None)
        return Diagnostic(code, message, source, span, why=why, help=help, severity=severity)

    @property
    def stored(self) -> str:
        """The column as messages call it."""
        return ".".join((self.column.name, *self.column.path))

    def canonical(self, reading: Reading) -> Node:
        """The column's value in canonical form; NULL where what is stored does not fit."""
        if self.time is not None and (self.time.unit or self.time.timezone not in (None, "UTC")):
            return reading.time(self.table, self.time)[0]
        return reading.value(self.table, self.column, self.type)


def everything(catalog: Catalog) -> list[Declared]:
    """All of a catalog, in its order."""
    found = [each for attribute in catalog.attributes.values() for each in _attribute(catalog.contacts, attribute)]
    for relation in catalog.relations.values():
        for attribute in relation.attributes.values():
            found += _attribute(relation.table, attribute)
    for event in catalog.events.values():
        found += _event(event, event.properties)
    return found


def asked_by(statement: Sources) -> list[Declared]:
    """The declared columns that a statement asks, each once."""
    catalog = statement.catalog
    found: list[Declared] = []
    for node in statement.attributes:
        relation = catalog.relations[node.relation] if isinstance(node, nodes.Attribute) and node.relation else None
        owner = relation or catalog
        found += _attribute(relation.table if relation else catalog.contacts, owner.attributes[node.key])
    for kind, properties in statement.kinds.items():
        changed = nodes.changed_attribute(kind)
        if changed is None:
            found += _event(catalog.events[kind], properties)
        else:
            found += _attribute(catalog.contacts, catalog.attributes[changed])
    return list(dict.fromkeys(found))


def _attribute(table: str, attribute: Attribute) -> Iterator[Declared]:
    history, place = attribute.history, attribute.place
    if history is None:
        for column in attribute.columns:
            yield Declared(attribute.name, table, column, attribute.type, None, (), attribute.required, place)
    else:
        yield _time(attribute.name, history.table, history.time, (), place)
        yield Declared(attribute.name, history.table, history.value, attribute.type, place=place)


def _event(event: Event, properties: Iterable[str]) -> Iterator[Declared]:
    if event.time is not None:
        yield _time(event.name, event.table, event.time, event.where, event.place)
    for key in properties:
        prop = event.properties[key]
        yield Declared(prop.name, event.table, prop.column, prop.type, None, event.where, place=prop.place)


def _time(name: str, table: str, time: TimeColumn, where: Where, place: Place | None) -> Declared:
    return Declared(name, table, time.column, INSTANT, time, where, place=place)
