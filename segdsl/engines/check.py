"""The catalog against the live database: what `check --db` finds."""

from __future__ import annotations

from segdsl import types
from segdsl.backends.sql.dialects import get
from segdsl.backends.sql.reading import Reading
from segdsl.catalog.model import Catalog, Column
from segdsl.core.nodes import InList
from segdsl.core.program import Program
from segdsl.core.walking import walk
from segdsl.engines.duckdb import Engine
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.suggest import nearest
from segdsl.types import Type

FITS = {
    "bool": {"bool"},
    "number": {"int", "decimal", "float"},
    "string": {"label"},
    "instant": {"timestamp", "timestamptz", "timestamp_ns", "date"},
    "list": {"list"},
}


def check_database(catalog: Catalog, program: Program | None, engine: Engine) -> list[Diagnostic]:
    """Missing tables and columns, columns whose type can never hold what is declared, and errors of the data.

    program: the rules (None: there are errors in them), whose static lists should have members.
    """
    found = engine.missing()
    if not found:
        found += _types(catalog, engine)
        found += _data(catalog, engine)
        found += _lists(catalog, program, engine) if program else []
    return found


def _types(catalog: Catalog, engine: Engine) -> list[Diagnostic]:
    declared: list[tuple[str, Column, Type, str]] = []
    for attribute in catalog.attributes.values():
        if attribute.history is None:
            declared += [(catalog.contacts, column, attribute.type, attribute.name) for column in attribute.columns]
        else:
            declared.append((attribute.history.table, attribute.history.value, attribute.type, attribute.name))
    for relation in catalog.relations.values():
        for attribute in relation.attributes.values():
            declared += [(relation.table, column, attribute.type, attribute.name) for column in attribute.columns]
    for event in catalog.events.values():
        declared += [(event.table, prop.column, prop.type, prop.name) for prop in event.properties.values()]
        if event.time and not event.time.unit:
            declared.append((event.table, event.time.column, types.Timestamp(), event.name))
    schema, dialect = engine.schema(), get(engine.dialect)
    found = []
    for table, column, kind, name in declared:
        physical = schema.get((table, column.name))
        if physical is None or column.path:
            continue
        family = dialect.family(physical)
        if family not in {"text", "json"} and family not in FITS[_sort(kind)]:
            message = f"`{name}` is declared {kind}, but column `{column.name}` of `{table}` is {physical}"
            found.append(Diagnostic("SEG0713", message, help="no value of it fits: declare the type that is stored"))
    return list(dict.fromkeys(found))


def _lists(catalog: Catalog, program: Program, engine: Engine) -> list[Diagnostic]:
    """Static lists that rules name and that nobody is on: most likely misspelt."""
    asked = [
        (node.name, part)
        for outline in program.outlines()
        for part in outline.walk() if part.op == "test"
        for node in walk(part.rule) if isinstance(node, InList)
    ]  # fmt: skip
    if not asked or catalog.lists is None:
        return []
    query = Reading(catalog, get(engine.dialect), engine.schema()).on_list().sql(dialect=engine.dialect)
    names = engine.sql(f"SELECT DISTINCT list FROM ({query}) AS l WHERE NOT list IS NULL ORDER BY 1")
    known = [row[0] for row in names]
    found = []
    for name, part in asked:
        if name not in known:
            close = nearest(name, known)
            found.append(Diagnostic(
                "SEG0717", f"nobody is on the list `{name}`", part.source, part.span, "no such list in the database",
                help=f"did you mean `{close}`?" if close else f"`{catalog.lists.table}` has no row with this name",
                severity="warning",
            ))  # fmt: skip
    return found


def _sort(kind: Type) -> str:
    match kind:
        case types.Bool():
            return "bool"
        case types.Number() | types.Float() | types.Geo():
            return "number"
        case types.Timestamp() | types.Date():
            return "instant"
        case types.ListOf():
            return "list"
        case _:
            return "string"


def _data(catalog: Catalog, engine: Engine) -> list[Diagnostic]:
    reading = Reading(catalog, get(engine.dialect), engine.schema())
    contacts = reading.contacts({}, 0).sql(dialect=engine.dialect)
    found = []
    twice = list(engine.sql(f"SELECT id FROM ({contacts}) AS c GROUP BY id HAVING COUNT(*) > 1 ORDER BY id LIMIT 1"))
    if twice:
        message = f"two rows of `{catalog.contacts}` have the key `{twice[0][0]}`"
        found.append(Diagnostic("SEG0714", message, help=f"each `{catalog.key.name}` may stand there once"))
    if catalog.identities:
        table = catalog.identities.table
        alias = reading.text(table, catalog.identities.alias).sql(dialect=engine.dialect)
        contact = reading.text(table, catalog.identities.contact).sql(dialect=engine.dialect)
        from_ = reading.source(table).sql(dialect=engine.dialect)
        chained = list(engine.sql(
            f"SELECT {contact} FROM {from_} WHERE {contact} IN (SELECT {alias} FROM {from_}"
            f" WHERE {alias} <> {contact}) ORDER BY 1 LIMIT 1"
        ))  # fmt: skip
        if chained:
            message = f"`{chained[0][0]}` in `{table}` stands for a contact and is an alias of another"
            found.append(Diagnostic("SEG0715", message, help="an alias must name the contact itself"))
        many = list(engine.sql(
            f"SELECT {alias} FROM {from_} GROUP BY 1 HAVING COUNT(DISTINCT {contact}) > 1 ORDER BY 1 LIMIT 1"
        ))  # fmt: skip
        if many:
            found.append(Diagnostic("SEG0715", f"`{many[0][0]}` in `{table}` is an alias of several contacts"))
    return found
