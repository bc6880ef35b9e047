"""A small world of contacts and events, given to every backend in its own way.

A world is plain data, as a conformance file holds it:

- `catalog`: the text of a `segdsl.yml` without `database`;
- `contacts`: id -> attributes, by their column names;
- `events`: table -> rows, by their column names.

The Python backend gets `segdsl.Contact`s; the SQL backends get tables. The two ways share no code but the catalog.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segdsl.backends.python import compile_program
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog, Event
from segdsl.check import check
from segdsl.contact import Contact, facts
from segdsl.contact import Event as ContactEvent
from segdsl.core import nodes as core
from segdsl.core.time import parse_instant

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

    def write(self, folder: Path, catalog: Catalog) -> None:
        """The world as JSON Lines files."""
        key = catalog.key.name
        people = [{key: name, **row} for name, row in self.contacts.items()]
        for table, rows in {catalog.contacts: people, **self.tables}.items():
            with (folder / f"{table}.jsonl").open("w", encoding="utf-8") as file:
                for row in rows:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def people(self, catalog: Catalog) -> Iterable[Contact]:
        """The world as contacts of the Python API."""
        for name, row in self.contacts.items():
            attributes: dict[str, object] = {}
            for attribute in catalog.attributes.values():
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
            yield Contact(name, attributes, tuple(self._events(catalog, name)), tuple(lists))

    def _events(self, catalog: Catalog, contact: str) -> Iterable[ContactEvent]:
        for kind in catalog.events.values():
            for row in self.tables.get(kind.table, ()):
                if row.get(kind.contact.name) != contact:
                    continue
                if any(row.get(column.name) not in values for column, values in kind.where):
                    continue
                at = None if kind.time is None else row.get(kind.time.column.name)
                if kind.time is not None and at is None:
                    continue
                yield _event(kind, row, at)


def _event(kind: Event, row: Row, at: Any) -> ContactEvent:
    properties = {p.name: row.get(p.column.name) for p in kind.properties.values()}
    identity = row.get(kind.id.name) if kind.id is not None else None
    return ContactEvent(kind.name, at, properties, identity)


def program_of(text: str, catalog: Catalog) -> core.Program:
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


def by_python(world: World, catalog: Catalog, program: core.Program, now: int) -> dict[str, list[str]]:
    """Segment -> sorted members, by the Python backend."""
    compiled = compile_program(program)
    people = [facts(contact, catalog) for contact in world.people(catalog)]
    return {
        name: sorted(str(person.id) for person in people if compiled.predicate(name)(person, now))
        for name in program.segments
    }


def by_duckdb(world: World, catalog: Catalog, program: core.Program, now: int) -> dict[str, list[str]]:
    """Segment -> sorted members, by SQL on DuckDB over JSON Lines files."""
    world.write(catalog.folder, catalog)
    members: dict[str, list[str]] = {name: [] for name in program.segments}
    from segdsl.engines import connect

    with connect(catalog) as engine:
        for segment, contact in engine.members(program, list(program.segments), now):
            members[segment].append(str(contact))
    return {name: sorted(found) for name, found in members.items()}


BACKENDS = {"python": by_python, "duckdb": by_duckdb}
