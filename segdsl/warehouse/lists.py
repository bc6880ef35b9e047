"""Static lists: a segment's members as they are at one instant, kept under a name for `in list "…"`."""

from __future__ import annotations

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import select
from segdsl.core.program import Program
from segdsl.core.time import to_datetime
from segdsl.engines.engine import Engine, failure
from segdsl.warehouse.results import Snapshot
from segdsl.warehouse.tables import Tables


def snapshot(engine: Engine, program: Program, segment: str, name: str, now: int) -> Snapshot:
    """Puts a segment's members on the list `name`, in place of all who were on it; the engine is open for writing.

    The list is in the table of `lists` in the project file, or in one of segdsl's own.
    Raises `Errors`: SEG0746 for a list that cannot be written, SEG0742 and SEG0743 of the database, and what the data
    lack (SEG0711 to SEG0713).
    """
    tables = Tables(engine)
    declared = engine.catalog.lists
    if declared is not None and (declared.list.path or declared.contact.path):
        help = "let `lists` name a table with plain columns"
        raise failure("SEG0746", f"the lists in `{declared.table}` are inside JSON, and are only read", help)
    engine.ready(program, [segment], now)
    table = declared.table if declared else tables.name("lists")
    named, contact = (declared.list.name, declared.contact.name) if declared else ("list", "contact")
    members = engine.statement(program, [segment], now).unordered()
    rows = b.over(members, [(named, b.text(name)), (contact, b.column("contact"))], "found")
    on_it = b.compare("=", b.column(named), b.text(name))
    if declared is not None:
        on_it = engine.reading().is_text(table, declared.list, [name])
    with engine.writing() as execute:
        if declared is None:
            tables.make(execute, "lists")
        tables.delete_from(execute, table, [on_it])
        tables.insert_into(execute, table, [named, contact], rows)
    [(size,)] = engine.ask(select([("n", exp.Count(this=exp.Star()))], b.table(table), [on_it.copy()]))
    line = "" if declared else f"lists: {{table: {table}, list: list, contact: contact}}"
    return Snapshot(name, segment, to_datetime(now), int(size), line)
