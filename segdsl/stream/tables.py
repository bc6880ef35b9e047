"""The rows of the project's tables as news: events in the order in which a table has them, and aliases.

Events are read as they were recorded, each delivery and under whatever id: what is one event, and whose it is, is for
the stream to say, which may learn more later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.core.time import FIRST, LAST
from segdsl.engines.engine import Engine
from segdsl.stream import writing
from segdsl.stream.overlap import digest
from segdsl.stream.writing import Fields


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event's row. place: its instant, or the number by which its kind increases.

    at: its instant (microseconds since 1970, UTC). digest: the same for rows that are equal in all that is read.
    """

    kind: str
    place: int
    at: int
    digest: bytes
    row: tuple[Any, ...]


def events(engine: Engine, kind: str, above: int | None, now: int) -> Iterator[Arrived]:
    """The rows of a kind of events with a time, in the order of their places, streamed.

    above: those with a greater place alone; None: all.
    now: later ones are left for later; where the kind increases they are read all the same, lest they be missed.
    """
    for row in engine.ask(_query(engine, kind, above, now)):
        yield Arrived(kind, int(row[0]), int(row[1]), digest(tuple(row)), tuple(row))


def _query(engine: Engine, kind: str, above: int | None, now: int) -> Node:
    """`place, at, contact, name, delivery` and the properties in the catalog's order, by place; see `events`."""
    catalog, dialect, reading = engine.catalog, engine.dialect, engine.reading()
    event = catalog.events[kind]
    assert event.time is not None
    since = None if above is None or event.increasing is not None else max(above, FIRST)
    time, conditions = reading.time(
        event.table, event.time, None, None if since is None else lambda: dialect.instant(since)
    )
    columns = [("t", time), ("contact", reading.key(event.table, event.contact)),
               ("name", reading.text(event.table, event.contact))]  # fmt: skip
    conditions += [reading.is_text(event.table, column, values) for column, values in event.where]
    if event.id is not None:
        columns.append(("delivery", reading.text(event.table, event.id)))
    if event.increasing is not None:
        columns.append(("n", reading.value(event.table, event.increasing, types.INT)))
    for i, prop in enumerate(event.properties.values()):
        columns.append((f"v{i}", reading.value(event.table, prop.column, prop.type)))
    rows = select(columns, reading.source(event.table), conditions).subquery("e")
    at = dialect.micros(b.column("t"))
    outputs = [("place", at if event.increasing is None else b.column("n")), ("at", at.copy()),
               *((name, b.column(name)) for name, _ in columns[1:3]),
               ("delivery_", b.column("delivery") if event.id is not None else b.NULL())]  # fmt: skip
    outputs += [(f"o{i}", dialect.output(b.column(f"v{i}"), prop.type))
                for i, prop in enumerate(event.properties.values())]  # fmt: skip
    until = dialect.instant(min(now, LAST) if event.increasing is None else LAST)
    wanted = [b.compare("<=", b.column("t"), until)]
    order = "t"
    if event.increasing is not None:
        order = "n"
        wanted.append(b.known(b.column("n")) if above is None else b.compare(">", b.column("n"), b.number(above)))
    elif since is not None:
        wanted.append(b.compare(">", b.column("t"), dialect.instant(since)))
    query = select(outputs, rows, wanted)
    query.set("order", b.order([b.column(order)]))
    return query


def line(engine: Engine, arrived: Arrived) -> Fields | None:
    """The fields of an event's line, under the id that it is recorded under; None for an event of nobody."""
    _, _, contact, name, delivery, *cells = arrived.row
    recorded = name if contact is None else contact
    if recorded is None:
        return None
    declared = engine.catalog.events[arrived.kind].properties
    values = ((key, engine.dialect.python(cell, prop.type))
              for (key, prop), cell in zip(declared.items(), cells, strict=True))  # fmt: skip
    known = {key: value for key, value in values if value is not None}
    return writing.event(engine.catalog, arrived.kind, recorded, arrived.at, known, delivery)


def aliases(engine: Engine) -> Iterator[tuple[str | int, str | int]]:
    """`(alias, contact)` of all identities: of one that is named twice the least contact, as in every question."""
    if engine.catalog.identities is None:
        return
    reading = engine.reading()
    name, contact = b.column("alias"), exp.Min(this=b.column("contact"))
    query = select([("alias", name), ("contact", contact)], reading.aliases().subquery("i"))
    for alias, owner in engine.ask(query.group_by(name.copy(), copy=False)):
        key = reading.find_key(alias)
        yield (alias if key is None else key), owner
