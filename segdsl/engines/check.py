"""The catalog against the live database: what `check --db` finds."""

from __future__ import annotations

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import select
from segdsl.catalog.model import Catalog, Column
from segdsl.core.nodes import InList
from segdsl.core.program import Program
from segdsl.core.walking import walk
from segdsl.engines.engine import Engine
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
    schema, dialect = engine.schema(), engine.dialect
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
    known = engine.lists()
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
    reading = engine.reading()
    found = []
    ids = reading.contacts({}, engine.last).subquery("c")
    twice = _first(engine, _more_than_once([("id", b.column("id"))], ids, exp.Star()))
    if twice is not None:
        message = f"two rows of `{catalog.contacts}` have the key `{twice}`"
        found.append(Diagnostic("SEG0714", message, help=f"each `{catalog.key.name}` may stand there once"))
    if catalog.identities:
        table = catalog.identities.table
        columns = [("alias", reading.text(table, catalog.identities.alias)),
                   ("contact", reading.text(table, catalog.identities.contact))]  # fmt: skip
        rows = select(columns, reading.source(table))
        alias, contact = b.column("alias"), b.column("contact")
        others = select([("alias", alias)], rows.subquery("a"), [exp.NEQ(this=contact, expression=alias.copy())])
        among = exp.In(this=contact.copy(), query=others.subquery())
        chained = _first(engine, select([("contact", contact.copy())], rows.copy().subquery("i"), [among]))
        if chained is not None:
            message = f"`{chained}` in `{table}` stands for a contact and is an alias of another"
            found.append(Diagnostic("SEG0715", message, help="an alias must name the contact itself"))
        distinct = exp.Distinct(expressions=[contact.copy()])
        many = _first(engine, _more_than_once([("alias", alias.copy())], rows.copy().subquery("i"), distinct))
        if many is not None:
            found.append(Diagnostic("SEG0715", f"`{many}` in `{table}` is an alias of several contacts"))
    return found


def _more_than_once(columns: list[tuple[str, b.Node]], rows: b.Node, counted: b.Node) -> b.Node:
    """The values of a column of which there are several."""
    query = select(columns, rows).group_by(columns[0][1].copy(), copy=False)
    return query.having(b.compare(">", exp.Count(this=counted), b.number(1)), copy=False)


def _first(engine: Engine, query: b.Node) -> object:
    """The least of a query's values, which are of one column; None if it has none."""
    name = query.expressions[0].alias_or_name
    least = exp.Min(this=b.column(name))
    return next(iter(engine.ask(select([(name, least)], query.subquery("found")))))[0]
