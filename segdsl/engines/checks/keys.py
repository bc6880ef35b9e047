"""Keys: rows without one, two with the same, aliases that lead astray, events of nobody. SEG0714, SEG0715, SEG0727."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.reading import Reading
from segdsl.catalog.model import Catalog, Column, Event, Place
from segdsl.engines.checks.asking import counted, number, one_row, unknown
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span


def wrong_keys(engine: Engine) -> list[Diagnostic]:
    """Errors of the data, then what is lost because its key leads nowhere."""
    return [*_twice(engine), *_aliases(engine), *_keyless(engine), *_nobodys(engine)]


def _twice(engine: Engine) -> Iterator[Diagnostic]:
    reading = engine.reading()
    catalog = engine.catalog
    rows = reading.contacts({}, engine.last)
    keys: list[tuple[str, Column, Node, Place | None]] = [(catalog.contacts, catalog.key, rows, None)]
    for relation in catalog.relations.values():
        key = reading.text(relation.table, relation.key)
        rows = select([("id", key)], reading.source(relation.table), [b.known(key.copy())])
        keys.append((relation.table, relation.key, rows, relation.place))
    for table, column, rows, place in keys:
        twice = _first(engine, _more_than_once([("id", b.column("id"))], rows.subquery("c"), exp.Star()))
        if twice is not None:
            message = f"two rows of `{table}` have the key `{twice}`"
            help = f"each `{column.name}` may stand there once"
            yield Diagnostic("SEG0714", message, *_at(place), help=help)


def _aliases(engine: Engine) -> Iterator[Diagnostic]:
    identities = engine.catalog.identities
    if identities is None:
        return
    reading = engine.reading()
    table = identities.table
    columns = [("alias", reading.text(table, identities.alias)), ("contact", reading.text(table, identities.contact))]
    rows = select(columns, reading.source(table))
    alias, contact = b.column("alias"), b.column("contact")
    others = select([("alias", alias)], rows.subquery("a"), [exp.NEQ(this=contact, expression=alias.copy())])
    among = exp.In(this=contact.copy(), query=others.subquery())
    chained = _first(engine, select([("contact", contact.copy())], rows.copy().subquery("i"), [among]))
    if chained is not None:
        message = f"`{chained}` in `{table}` stands for a contact and is an alias of another"
        yield Diagnostic("SEG0715", message, help="an alias must name the contact itself")
    distinct = exp.Distinct(expressions=[contact.copy()])
    many = _first(engine, _more_than_once([("alias", alias.copy())], rows.copy().subquery("i"), distinct))
    if many is not None:
        yield Diagnostic("SEG0715", f"`{many}` in `{table}` is an alias of several contacts")


def _keyless(engine: Engine) -> Iterator[Diagnostic]:
    catalog, reading = engine.catalog, engine.reading()
    rows = select([("id", reading.key(catalog.contacts, catalog.key))], reading.source(catalog.contacts))
    (lacking,) = one_row(engine, [("n", counted(unknown("id")))], rows)
    if lacking:
        yield Diagnostic(
            "SEG0727", f"{_rows(lacking)} of `{catalog.contacts}` {_have(lacking)} no `{catalog.key.name}`",
            why="a contact without a key is in no segment", severity="warning",
        )  # fmt: skip


def _nobodys(engine: Engine) -> Iterator[Diagnostic]:
    """Rows of events and histories whose contact there is not: one query for each column that holds keys."""
    catalog = engine.catalog
    asked: dict[tuple[str, Column], tuple[Place | None, Node]] = {}
    for event in catalog.events.values():
        if (event.table, event.contact) not in asked:
            asked[event.table, event.contact] = event.place, _rows_of(engine, event)
    for attribute in catalog.attributes.values():
        if attribute.history is not None:
            table, column = attribute.history.table, attribute.history.contact
            reading = engine.reading()
            rows = select([("contact", reading.key(table, column))], reading.source(table))
            asked.setdefault((table, column), (attribute.place, rows))
    ids = select([("id", b.column("id"))], engine.reading().contacts({}, engine.last).subquery("c"))
    for (table, column), (place, rows) in asked.items():
        by_contact = select([("contact", b.column("contact")), ("n", exp.Count(this=exp.Star()))], rows.subquery("e"))
        by_contact = by_contact.group_by(b.column("contact"), copy=False).subquery("e")
        known = ids.copy().distinct(copy=False).subquery("k")
        joined = select([("contact", b.column("contact", "e")), ("n", b.column("n", "e")), ("id", b.column("id", "k"))],
                        by_contact)  # fmt: skip
        on = b.compare("=", b.column("id", "k"), b.column("contact", "e"))
        joined = joined.join(known, on=on, join_type="left", copy=False)
        stranger = b.conjunction([b.known(b.column("contact")), unknown("id")])
        total, lacking, strangers = (
            int(each or 0) for each in one_row(engine, [
                ("total", exp.Sum(this=b.column("n"))),
                ("lacking", exp.Sum(this=b.case([(unknown("contact"), b.column("n"))]))),
                ("strangers", exp.Sum(this=b.case([(stranger, b.column("n"))]))),
            ], joined)
        )  # fmt: skip
        name = ".".join((column.name, *column.path))
        parts = [f"{number(lacking)} {_have(lacking)} no key in `{name}`"] if lacking else []
        parts += [f"{number(strangers)} {_have(strangers)} one that is no contact's"] if strangers else []
        if parts:
            message = f"of {_rows(total)} of `{table}`, " + " and ".join(parts)
            help = f"is `{name}` the column that holds `{catalog.key.name}` of `{catalog.contacts}`?"
            why = "they count for nobody"
            yield Diagnostic("SEG0727", message, *_at(place), why=why, help=help, severity="warning")


def _rows_of(engine: Engine, event: Event) -> Node:
    """`contact` of all rows of an event's table, whatever kind they are, behind aliases."""
    rows = Event("rows", event.table, event.contact, None, {})
    reading = engine.reading()
    catalog: Catalog = replace(engine.catalog, events={"rows": rows})
    return Reading(catalog, reading.dialect, reading.schema).event("rows", {})


def _at(place: Place | None) -> tuple[Source | None, Span | None]:
    return (place.source, place.span) if place else (None, None)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{number(count)} rows"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _more_than_once(columns: list[tuple[str, Node]], rows: Node, what: Node) -> Node:
    """The values of a column of which there are several."""
    query = select(columns, rows).group_by(columns[0][1].copy(), copy=False)
    return query.having(b.compare(">", exp.Count(this=what), b.number(1)), copy=False)


def _first(engine: Engine, query: Node) -> object:
    """The least of a query's values, which are of one column; None if it has none."""
    name = query.expressions[0].alias_or_name
    return one_row(engine, [(name, exp.Min(this=b.column(name)))], query)[0]
