"""A world in the tables of a real database, in several forms, and who is in there.

- `typed`: every column in the database's own type for what the catalog declares; what does not fit is NULL;
- `json`: a row's values as one JSON text in a column `data`, keys of contacts aside;
- `text`: every column text, as a CSV file holds it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from segdsl import types
from segdsl.backends.python import compile_program
from segdsl.backends.python.fit import fit
from segdsl.backends.sql.dialects import get
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.statement import Statement
from segdsl.catalog.model import Catalog, Column
from segdsl.core.contact import Facts
from segdsl.core.program import Program
from segdsl.core.time import local_day, to_datetime
from segdsl.engines import connect
from tests.support.databases import Table, database
from tests.support.world import World, by_segment
from tests.support.world import by_sql as by_sql  # beside the other ways to ask

Stored = tuple[Catalog, dict[str, Table]]
TEXT, TIME = types.String(), types.Timestamp()
ANY = types.Enum(())  # text out of whatever there is: of a column that is a key, or is declared twice


def columns_of(rows: Sequence[Mapping[str, Any]], used: Mapping[str, object]) -> list[str]:
    return list(dict.fromkeys([*used, *(column for row in rows for column in row)]))


def keys(catalog: Catalog) -> Iterator[tuple[str, Column]]:
    """The columns that hold contacts' keys, and those by which relations are joined."""
    yield catalog.contacts, catalog.key
    yield from ((event.table, event.contact) for event in catalog.events.values())
    yield from ((a.history.table, a.history.contact) for a in catalog.attributes.values() if a.history)
    for relation in catalog.relations.values():
        yield catalog.contacts, relation.contact
        yield relation.table, relation.key
    if catalog.lists:
        yield catalog.lists.table, catalog.lists.contact
        yield catalog.lists.table, catalog.lists.list
    if catalog.identities:
        yield catalog.identities.table, catalog.identities.alias
        yield catalog.identities.table, catalog.identities.contact


def declared(catalog: Catalog) -> dict[str, dict[str, types.Type]]:
    """Table -> column -> its type. A column that is declared twice, or holds JSON, is text."""
    found: dict[str, dict[str, types.Type]] = {}

    def add(table: str, column: Column, kind: types.Type) -> None:
        columns = found.setdefault(table, {})
        kind = ANY if column.path else TEXT if isinstance(kind, types.Enum) and kind is not ANY else kind
        columns[column.name] = kind if columns.get(column.name, kind) == kind else ANY

    for table, column in keys(catalog):
        add(table, column, ANY)
    for attribute in catalog.attributes.values():
        table = attribute.history.table if attribute.history else catalog.contacts
        for column in [attribute.history.value] if attribute.history else attribute.columns:
            add(table, column, attribute.type)
        if attribute.history:
            add(table, attribute.history.time.column, TIME)
    for relation in catalog.relations.values():
        for attribute in relation.attributes.values():
            for column in attribute.columns:
                add(relation.table, column, attribute.type)
    for event in catalog.events.values():
        for prop in event.properties.values():
            add(event.table, prop.column, prop.type)
        for column in [*([event.id] if event.id else []), *(column for column, _ in event.where)]:
            add(event.table, column, ANY)
        if event.time:
            plain = event.time.unit is None and event.time.timezone is None
            add(event.table, event.time.column, TIME if plain else types.INT if event.time.unit else ANY)
    return found


def as_typed(world: World, catalog: Catalog, dialect: Dialect) -> Stored:
    tables = {}
    for table, rows in world.rows(catalog).items():
        kinds = declared(catalog).get(table, {})
        names = columns_of(rows, kinds)
        physical = {name: dialect.physical_of(kinds.get(name, ANY)) for name in names}
        tables[table] = Table(physical, [
            [native(row.get(name), kinds.get(name, ANY), catalog.timezone) for name in names] for row in rows
        ])  # fmt: skip
    return catalog, tables


def native(value: object, kind: types.Type, zone: str) -> object:
    """The value as a typed column holds it; None if it does not fit."""
    if kind is ANY:
        return None if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(kind, types.Geo):
        return fit(value, types.Float(), zone)
    found = fit(value, kind, zone)
    match kind:
        case types.Number() if kind.scale and isinstance(found, int):
            return Decimal(f"{found}e-{kind.scale}")  # exact, where arithmetic would round to 28 digits
        case types.Timestamp() if isinstance(found, int):
            return to_datetime(found)
        case types.Date() if isinstance(found, int):
            return value if isinstance(value, date) else local_day(found, zone)
        case types.ListOf() if isinstance(found, tuple):
            return list(found)
    return found


def as_json(world: World, catalog: Catalog, dialect: Dialect) -> Stored:
    plain = set(keys(catalog))
    text = dialect.physical_of(TEXT)
    tables = {}
    for table, rows in world.rows(catalog).items():
        names = [column.name for at, column in dict.fromkeys(keys(catalog)) if at == table]
        found = [[native(row.get(name), ANY, "UTC") for name in names]
                 + [json.dumps(dict(row), ensure_ascii=False)] for row in rows]  # fmt: skip
        tables[table] = Table(dict.fromkeys([*names, "data"], text), found)
    return moved(catalog, {column for _, column in plain}), tables


def moved(node: Any, plain: set[Column]) -> Any:
    """A catalog whose columns, but for the plain ones, are values inside `data`."""
    match node:
        case Column():
            return node if node in plain else Column("data", (node.name, *node.path))
        case tuple():
            return tuple(moved(each, plain) for each in node)
        case dict():
            return {key: moved(each, plain) for key, each in node.items()}
    if is_dataclass(node) and not isinstance(node, type):
        changed = {f.name: moved(getattr(node, f.name), plain) for f in fields(node)}
        return replace(node, **changed)
    return node


def as_text(world: World, catalog: Catalog, dialect: Dialect) -> Stored:
    text = dialect.physical_of(TEXT)
    tables = {}
    for table, rows in world.as_text().rows(catalog).items():
        names = columns_of(rows, declared(catalog).get(table, {}))
        tables[table] = Table(dict.fromkeys(names, text), [[row.get(name) for name in names] for row in rows])
    return catalog, tables


FORMS: dict[str, Callable[[World, Catalog, Dialect], Stored]] = {"typed": as_typed, "json": as_json, "text": as_text}


def load(name: str, form: str, world: World, catalog: Catalog) -> Catalog:
    """The world in a running database; the catalog that reads it there."""
    running = database(name)
    stored, tables = FORMS[form](world, catalog, get(name))
    running.load(tables)
    return replace(stored, database=running.url)


def by_live(catalog: Catalog, program: Program, now: int) -> dict[str, list[str]]:
    """What `by_sql` gives, by a statement that asks the database's clock, which is said to show `now`."""
    with connect(catalog) as engine:
        dialect, names = engine.dialect, list(program.segments)
        statement = Statement(program, catalog, names, None, engine.schema(), dialect, engine.lookup)
        with patch.object(type(dialect), "current", lambda self: self.instant(now)):
            return by_segment(engine.ask(statement.tree()), program)


def people(catalog: Catalog) -> list[Facts]:
    """All contacts, as the engine reads them."""
    with connect(catalog) as engine:
        return list(engine.facts())


def by_reading(people: Sequence[Facts], program: Program, now: int) -> dict[str, list[str]]:
    """Segment -> sorted members, by predicates over contacts."""
    compiled = compile_program(program)
    return {
        name: sorted(str(person.id) for person in people if compiled.predicate(name)(person, now))
        for name in program.segments
    }
