"""A small world of contacts and events, given to every backend in its own way.

A world is plain data, as a conformance file holds it:

- `catalog`: the text of a `segdsl.yml` without `database`;
- `contacts`: id -> attributes, by their column names;
- `events`: table -> rows, by their column names.

The Python backend gets `segdsl.Contact`s; the SQL backends get tables. The two ways share no code but the catalog.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from segdsl.backends.python import compile_program
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog, Event, History
from segdsl.check import check
from segdsl.contact import Contact, facts
from segdsl.contact import Event as ContactEvent
from segdsl.core.program import Program
from segdsl.core.time import parse_instant
from segdsl.engines import connect
from segdsl.syntax import parse_file
from segdsl.text.source import Source

Row = Mapping[str, Any]


@dataclass
class World:
    catalog_text: str
    contacts: Mapping[str, Row]
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def catalog(self, folder: Path) -> Catalog:
        catalog, diagnostics = load_text(f"{self.catalog_text}\ndatabase: .\n", str(folder / "segdsl.yml"), folder)
        assert catalog is not None, [d.message for d in diagnostics]
        return catalog

    def rows(self, catalog: Catalog) -> dict[str, Sequence[Row]]:
        """Table -> rows, the contacts' table included."""
        people = [{catalog.key.name: name, **row} for name, row in self.contacts.items()]
        return {catalog.contacts: people, **self.tables}

    def as_text(self) -> World:
        """The same world with every value as text, as a CSV file holds it: empty text is unknown."""
        contacts = {name: _texts(row) for name, row in self.contacts.items()}
        return World(self.catalog_text, contacts, {t: [_texts(r) for r in rows] for t, rows in self.tables.items()})

    def write_jsonl(self, catalog: Catalog) -> None:
        """The world as JSON Lines files in the catalog's folder."""
        for table, rows in self.rows(catalog).items():
            with (catalog.folder / f"{table}.jsonl").open("w", encoding="utf-8") as file:
                for row in rows:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def write_csv(self, catalog: Catalog) -> None:
        """The world as CSV files in the catalog's folder."""
        for table, rows in self.rows(catalog).items():
            columns = list(dict.fromkeys(column for row in rows for column in row)) or ["id"]
            with (catalog.folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)

    def write_parquet(self, catalog: Catalog, types: Mapping[str, str]) -> None:
        """The world as Parquet files; `types` gives columns' physical types, the others are text.

        A value that its column cannot hold is stored as nothing.
        """
        with duckdb.connect() as connection:
            for table, rows in self.rows(catalog).items():
                columns = list(dict.fromkeys(column for row in rows for column in row)) or ["id"]
                declared = ", ".join(f'"{c}" {types.get(c, "VARCHAR")}' for c in columns)
                connection.execute(f'CREATE TABLE "{table}" ({declared})')
                for row in rows:
                    values = [json.dumps(v) if isinstance(v, list) else v for v in (row.get(c) for c in columns)]
                    casts = ", ".join(
                        "CAST(CAST(? AS JSON) AS VARCHAR[])"
                        if types.get(c) == "VARCHAR[]"
                        else f"TRY_CAST(CAST(? AS VARCHAR) AS {types.get(c, 'VARCHAR')})"
                        for c in columns
                    )
                    connection.execute(f'INSERT INTO "{table}" SELECT {casts}', values)
                target = catalog.folder / f"{table}.parquet"
                connection.execute(f"COPY \"{table}\" TO '{target}' (FORMAT parquet)")

    def read_back(self, catalog: Catalog) -> World:
        """The world that the Parquet files hold, values as DuckDB's Python client gives them."""
        tables: dict[str, list[dict[str, Any]]] = {}
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for table in self.rows(catalog):
                path = f"{catalog.folder / table}.parquet"
                described = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
                columns = [name for name, *_ in described]
                # DuckDB's client would want another package to make a Python value of a time with a zone
                chosen = ", ".join(
                    f"timezone('UTC', \"{name}\")" if "ZONE" in kind else f'"{name}"' for name, kind, *_ in described
                )
                cursor = connection.execute(f"SELECT {chosen} FROM '{path}'")
                tables[table] = [
                    {c: _naive_is_utc(v) for c, v in zip(columns, row, strict=True)} for row in cursor.fetchall()
                ]
        contacts = {row.pop(catalog.key.name): row for row in tables.pop(catalog.contacts)}
        return World(self.catalog_text, contacts, tables)

    def people(self, catalog: Catalog) -> Iterable[Contact]:
        """The world as contacts of the Python API."""
        for name, row in self.contacts.items():
            attributes: dict[str, object] = {}
            history: dict[str, list[tuple[Any, object]]] = {}
            for attribute in catalog.attributes.values():
                if attribute.history is not None:
                    history[attribute.name] = list(self._held(attribute.history, name))
                    continue
                values = [row.get(column.name) for column in attribute.columns]
                attributes[attribute.name] = values[0] if len(values) == 1 else tuple(values)
            for relation in catalog.relations.values():
                for record in self.tables.get(relation.table, ()):
                    if row.get(relation.contact.name) is not None and record.get(relation.key.name) == row.get(
                        relation.contact.name
                    ):
                        for attribute in relation.attributes.values():
                            attributes[f"{relation.name}.{attribute.name}"] = record.get(attribute.columns[0].name)
            lists: list[str] = []
            if catalog.lists is not None:
                for member in self.tables.get(catalog.lists.table, ()):
                    if member.get(catalog.lists.contact.name) == name:
                        lists.append(member[catalog.lists.list.name])
            yield Contact(name, attributes, tuple(self._events(catalog, name)), tuple(lists), history)

    def _held(self, history: History, contact: str) -> Iterable[tuple[Any, object]]:
        for row in self.tables.get(history.table, ()):
            at = row.get(history.time.column.name)
            if row.get(history.contact.name) == contact and at is not None:
                yield at, row.get(history.value.name)

    def _owner(self, catalog: Catalog, contact: object) -> object:
        """Whose an event is that was recorded under `contact`."""
        aliases = catalog.identities
        if aliases is not None:
            for row in self.tables.get(aliases.table, ()):
                if row.get(aliases.alias.name) == contact:
                    return row.get(aliases.contact.name)
        return contact

    def _events(self, catalog: Catalog, contact: str) -> Iterable[ContactEvent]:
        for kind in catalog.events.values():
            for row in self.tables.get(kind.table, ()):
                if self._owner(catalog, row.get(kind.contact.name)) != contact:
                    continue
                if any(row.get(column.name) not in values for column, values in kind.where):
                    continue
                at = None if kind.time is None else row.get(kind.time.column.name)
                if kind.time is not None and at is None:
                    continue
                yield _event(kind, row, at)


def _naive_is_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _texts(row: Row) -> dict[str, str | None]:
    return {column: _text(value) for column, value in row.items()}


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _event(kind: Event, row: Row, at: Any) -> ContactEvent:
    properties = {p.name: row.get(p.column.name) for p in kind.properties.values()}
    identity = row.get(kind.id.name) if kind.id is not None else None
    return ContactEvent(kind.name, at, properties, identity)


def program_of(text: str, catalog: Catalog) -> Program:
    """The program of a rule file's text; any diagnostic fails the test."""
    source = Source("rules.seg", text)
    file, diagnostics = parse_file(source)
    program, more = check([(source, file)], catalog)
    assert not diagnostics and not more, [(d.code, d.message, d.help) for d in (*diagnostics, *more)]
    return program


def instant(text: str) -> int:
    value = parse_instant(text, "UTC")
    assert value is not None, text
    return value


def by_python(world: World, catalog: Catalog, program: Program, now: int) -> dict[str, list[str]]:
    """Segment -> sorted members, by the Python backend."""
    compiled = compile_program(program)
    people = [facts(contact, catalog) for contact in world.people(catalog)]
    return {
        name: sorted(str(person.id) for person in people if compiled.predicate(name)(person, now))
        for name in program.segments
    }


def by_duckdb(world: World, catalog: Catalog, program: Program, now: int) -> dict[str, list[str]]:
    """Segment -> sorted members, by SQL on DuckDB over JSON Lines files."""
    world.write_jsonl(catalog)
    return by_sql(catalog, program, now)


def by_sql(catalog: Catalog, program: Program, now: int) -> dict[str, list[str]]:
    """Segment -> sorted members, by one statement on the catalog's database."""
    with connect(catalog) as engine:
        return by_segment(engine.members(program, list(program.segments), now), program)


def by_segment(rows: Iterable[Sequence[object]], program: Program) -> dict[str, list[str]]:
    """Rows `(segment, contact)` as segment -> sorted members, for every segment of the program."""
    members: dict[str, list[str]] = {name: [] for name in program.segments}
    for segment, contact in rows:
        members[str(segment)].append(str(contact))
    return {name: sorted(found) for name, found in members.items()}


BACKENDS = {"python": by_python, "duckdb": by_duckdb}
