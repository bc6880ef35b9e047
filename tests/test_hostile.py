"""Hostile texts and names, through every place where text can enter: bound or refused, never executed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlglot import TokenType, parse, tokenize

from segdsl.backends.sql import compile_segments
from segdsl.backends.sql.dialects import DIALECTS, get
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.engines import connect
from segdsl.syntax import parse_rule
from segdsl.text.diagnostic import Errors
from segdsl.text.source import Source
from tests.support import storage
from tests.support.databases import DATABASES
from tests.support.hostile import NAMES, REFUSED, TEXTS
from tests.support.strategies import quoted
from tests.support.world import World, by_python, by_segment, instant, program_of

NOW = instant("2026-03-10T00:00:00Z")
CHUNK = 50  # texts in one statement


def in_yaml(value: str | list[str]) -> str:
    """Texts as YAML holds them, whatever they are made of."""
    if isinstance(value, list):
        return f"[{', '.join(map(in_yaml, value))}]"
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'


# A project file takes no control characters, and no empty value of an enum.
IN_PROJECTS = [text for text in TEXTS if text and all(c.isprintable() or c in "\n\r\t\u2028\u2029\u00a0" for c in text)]

CATALOG = f"""
version: 1
contacts:
  table: people
  key: id
  attributes:
    country: string
    tags: list<string>
    kind: {{enum: {in_yaml(IN_PROJECTS)}}}
events:
  visited: {{table: visits, contact: id, time: at, object: path, properties: {{path: string}}}}
lists: {{table: members, list: list, contact: id}}
"""
# A place where text can enter -> the rule with the text there.
PLACES = {
    "value": "country = {}",
    "folded": "country = {} ignoring case",
    "option": 'country in ("none", {})',
    "part": "country contains {}",
    "end": "country ends with {} ignoring case",
    "item": "tags has {}",
    "list": "in list {}",
    "enum": "kind = {}",
    "object": "visited {}",
    "property": "visited where (path starts with {}) in 30d",
}


def test_there_are_enough() -> None:
    assert len(TEXTS) >= 300 and len(NAMES) >= 50


def the_world() -> World:
    people = {f"c{i}": {"country": text, "tags": [text, "other"], "kind": text} for i, text in enumerate(TEXTS)}
    visits = [{"id": f"c{i}", "at": "2026-03-09T00:00:00Z", "path": text} for i, text in enumerate(TEXTS)]
    members = [{"list": text, "id": f"c{i}"} for i, text in enumerate(TEXTS)]
    return World(CATALOG, people, {"visits": visits, "members": members})


def rules(texts: list[str]) -> str:
    """For each text one segment that asks for it in every place."""
    found = []
    for i, text in enumerate(texts):
        glob = text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
        asked = [
            rule.format(quoted(glob if place == "object" else text)) for place, rule in PLACES.items()
            if place != "enum" or text in IN_PROJECTS
        ]  # fmt: skip
        found.append(f"segment s{i}:\n    {' and '.join(asked)}\n")
    return "".join(found)


def chunks() -> list[list[str]]:
    allowed = [text for text in TEXTS if refusal(f"country = {quoted(text)}") is None]
    assert len(allowed) >= 300
    return [allowed[i : i + CHUNK] for i in range(0, len(allowed), CHUNK)]


def refusal(rule: str) -> str | None:
    _, diagnostics = parse_rule(Source("rule", rule))
    return diagnostics[0].code if diagnostics else None


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_what_is_refused(text: str) -> None:
    for rule in PLACES.values():
        assert refusal(rule.format(quoted(text))) is not None


def printed(
    catalog: Catalog, program: Program, dialect: str, schema: Any = None, names: Sequence[str] | None = None
) -> str:
    """The text for people, which must be one statement, whoever reads it."""
    text = compile_segments(program, catalog, names or list(program.segments), NOW, schema, dialect)
    assert all(token.token_type != TokenType.SEMICOLON for token in tokenize(text, read=get(dialect).printer))
    return text


@pytest.mark.parametrize("name", DATABASES)
def test_texts(name: str, tmp_path: Path) -> None:
    """Bound to a statement for the driver, and as literals in the text for people: both find what Python finds."""
    world = the_world()
    declared = world.catalog(tmp_path)
    catalog = storage.load(name, "typed", world, declared)
    for texts in chunks():
        program = program_of(rules(texts), declared)
        expected = by_python(world, declared, program, NOW)
        assert storage.by_sql(catalog, program, NOW) == expected
        with connect(catalog) as engine:
            driven = get(name).verbatim(printed(catalog, program, name, engine.schema()))
            assert by_segment(engine.rows(driven, {}), program) == expected


@pytest.mark.parametrize("name", [name for name in DIALECTS if name not in DATABASES])
def test_texts_that_are_only_printed(name: str, tmp_path: Path) -> None:
    catalog = the_world().catalog(tmp_path)
    for number, texts in enumerate(chunks()):
        try:
            text = printed(catalog, program_of(rules(texts), catalog), name)
        except Errors as error:
            assert [d.code for d in error.diagnostics] == ["SEG0704"]
            continue
        if not number:  # to parse takes long
            assert len([tree for tree in parse(text, dialect=get(name).printer) if tree is not None]) == 1


def named(names: list[str]) -> str:
    kinds = "".join(
        f"  kind k{i}: {{table: {in_yaml(name)}, contact: id, time: at,"
        f" where: {{{in_yaml(name)}: here}},"
        f" properties: {{p: {{type: string, column: {in_yaml(name)}}},"
        f" q: {{type: string, json: data, path: {in_yaml(name)}}}}}}}\n"
        for i, name in enumerate(names)
    )
    attributes = "".join(f"    a{i}: {{type: string, column: {in_yaml(name)}}}\n" for i, name in enumerate(names))
    return f"version: 1\ncontacts:\n  table: people\n  key: id\n  attributes:\n{attributes}events:\n{kinds}"


def world_of(names: list[str]) -> World:
    row = dict.fromkeys(names, "here")
    tables = {
        name: [{"id": "a", "at": "2026-03-09T00:00:00Z", name: "here", "data": json.dumps({name: "found"})},
               {"id": "b", "at": "2026-03-09T00:00:00Z", name: "other", "data": "{}"}]
        for name in names
    }  # fmt: skip
    return World(named(names), {"a": row, "b": {}}, tables)


def distinct(names: list[str]) -> list[str]:
    """Names that no database takes for one another, and that are none of the tables' own columns."""
    return list({name.lower(): name for name in names if name.lower() not in {"id", "at", "data", "people"}}.values())


@pytest.mark.parametrize("name", DATABASES)
def test_names(name: str, tmp_path: Path) -> None:
    """Of tables, columns and keys inside JSON. A name that the database itself does not take is left out, and told."""
    names = distinct(NAMES)
    taken = [each for each in names if loads(name, each, tmp_path)]
    print(f"{name} takes {len(taken)} of {len(names)} names, not {sorted(set(names) - set(taken))}")
    assert len(taken) >= 45
    world = world_of(taken)
    declared = world.catalog(tmp_path)
    catalog = storage.load(name, "typed", world, declared)
    text = "".join(
        f'segment s{i}:\n    a{i} = "here" and kind k{i} where (p = "here" and q = "found") in 30d\n'
        for i in range(len(taken))
    )
    program = program_of(text, declared)
    expected = {f"s{i}": ["a"] for i in range(len(taken))}
    assert storage.by_sql(catalog, program, NOW) == expected
    assert storage.by_reading(storage.people(catalog), program, NOW) == expected
    if name == "spark":  # in text that is printed for it, a name with a / in it is a path
        expected = {f"s{i}": ["a"] for i, each in enumerate(taken) if "/" not in each}
    with connect(catalog) as engine:
        driven = get(name).verbatim(printed(catalog, program, name, engine.schema(), list(expected)))
        rows = list(engine.rows(driven, {}))
    assert sorted(rows) == sorted((segment, "a") for segment in expected)


def loads(database: str, name: str, folder: Path) -> bool:
    """Whether the database can have a table and a column of this name at all."""
    world = world_of([name])
    try:
        storage.load(database, "typed", world, world.catalog(folder))
    except Exception:
        return False
    return True


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "a\u202eb"], ids=ascii)
def test_names_that_are_refused(name: str, tmp_path: Path) -> None:
    raw = f'"{name}"' if name.isascii() or "\u202e" in name else in_yaml(name)
    text = f"version: 1\ndatabase: .\ncontacts: {{table: people, key: {raw}, attributes: {{}}}}\n"
    catalog, diagnostics = load_text(text, "segdsl.yml", tmp_path)
    assert catalog is None and diagnostics


@pytest.mark.parametrize("name", DATABASES)
def test_tables_that_are_not_there(name: str, tmp_path: Path) -> None:
    """A hostile name of no table is a diagnostic that shows it."""
    world = world_of(["nobody"])
    declared = world.catalog(tmp_path)
    catalog = storage.load(name, "typed", world, declared)
    for each in distinct(NAMES):
        with connect(replace(catalog, contacts=f"no {each}")) as engine, pytest.raises(Errors) as raised:
            list(engine.members(program_of('segment s:\n    a0 = "x"\n', declared), ["s"], NOW))
        assert "SEG0711" in [d.code for d in raised.value.diagnostics]
