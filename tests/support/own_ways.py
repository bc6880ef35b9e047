"""What tests of databases' own ways share: questions, and columns of any stored type, declared as all types."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase, digits

import pytest

from segdsl import types
from segdsl.catalog import load_text, model
from segdsl.core.program import Program
from segdsl.engines import connect
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.source import Source
from tests.support.world import instant, program_of

ZONE = "Europe/Berlin"
NOW = MARCH = instant("2026-03-01T00:00Z")
IN_ZONE = instant("2026-02-28T23:00Z")
TEN = instant("2026-03-01T10:00Z")
PEOPLE = "contacts: {table: contacts, key: id}"
DECLARED: dict[str, types.Type] = {
    "bool": types.Bool(), "int": types.INT, "money": types.decimal(12, 2), "wide": types.decimal(38, 20),
    "float": types.Float(), "word": types.String(), "stage": types.Enum(("lead", "customer")),
    "time": types.Timestamp(), "day": types.Date(), "list": types.ListOf(),
}  # fmt: skip

# What is known of a cell: name in DECLARED -> value; what is left out is unknown.
Known = dict[str, object]
SEVEN: Known = {"int": 7, "money": 700, "wide": 7 * 10**20, "float": 7.0}
HALF: Known = {"money": 750, "wide": 750 * 10**18, "float": 7.5}
LEAD: Known = {"word": "lead", "stage": "lead"}
DAY: Known = {"time": MARCH, "day": IN_ZONE}


def word(text: str, **also: object) -> Known:
    return {"word": text, **also}


# --- questions -------------------------------------------------------------------------------------------------------


def catalog_of(text: str, url: str, folder: Path = Path()) -> model.Catalog:
    """A project file's text, but for its version and database."""
    catalog, diagnostics = load_text(f"version: 1\n{text}", str(folder / "segdsl.yml"), folder)
    assert catalog is not None, diagnostics
    return replace(catalog, database=url)


def rules_of(catalog: model.Catalog, *rules: str) -> Program:
    """The rules as segments r0, r1, …"""
    return program_of("".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules)), catalog)


def members(catalog: model.Catalog, *rules: str) -> list[list[str]]:
    """Who is in each of the rules, by one statement."""
    with connect(catalog) as engine:
        found = list(engine.members(rules_of(catalog, *rules), [f"r{i}" for i in range(len(rules))], NOW))
    return [[str(contact) for segment, contact in found if segment == f"r{i}"] for i in range(len(rules))]


def refused(catalog: model.Catalog, ask: Callable[[Engine], object] = lambda engine: None) -> Diagnostic:
    """The one error with which a question, or the connection, is refused."""
    with pytest.raises(Errors) as caught, connect(catalog) as engine:
        ask(engine)
    [diagnostic] = caught.value.diagnostics
    return diagnostic


# --- stored types ----------------------------------------------------------------------------------------------------


def all_types(
    count: int, table: str, url: str, asked: Callable[[int], Collection[str]] = lambda column: DECLARED
) -> model.Catalog:
    """Columns x0, x1, … of a table, each declared as all types, or as those asked, under names like `int0`."""
    return model.Catalog(
        source=Source("segdsl.yml", ""), folder=Path(), timezone=ZONE, rules=(), contacts=table,
        database=url, key=model.Column("id"), events={},
        attributes={f"{kind}{i}": model.Attribute(f"{kind}{i}", declared, (model.Column(f"x{i}"),))
                    for i in range(count) for kind, declared in DECLARED.items() if kind in asked(i)},
    )  # fmt: skip


def misread(catalog: model.Catalog, odd: Mapping[str, Mapping[str, Known]], own: bool = False) -> str:
    """What is known of stored values and should not be, or the other way round: a line for each, of `all_types`.

    odd: stored type -> stored value -> what is known of it. The contact that has the n-th value is n, in the column of
    its type. own: only that column is looked at, as others may hold something, too; else they must be unknown.
    """
    with connect(catalog) as engine:
        found = {str(person.id): person.attributes for person in engine.facts()}
    wrong = []
    cases = [(i, kind, stored) for i, (kind, values) in enumerate(odd.items()) for stored in values]
    for number, (column, kind, stored) in enumerate(cases):
        attributes = {key: value for (_, key), value in found[str(number)].items()}
        if own:
            attributes = {key: value for key, value in attributes.items() if key.strip(ascii_lowercase) == str(column)}
        known = {key.rstrip(digits): value for key, value in attributes.items()}
        if known != odd[kind][stored]:
            wrong.append(f"{kind} {stored[:60]}: {known}")
    return "\n".join(wrong)


def found_by_keys(catalog: model.Catalog, columns: Sequence[str], keys: Sequence[Sequence[str]]) -> Known:
    """What the first contact has under keys inside JSON columns, the n-th key under names like `text0`.

    The key `list` is declared a list, keys with a `'` a bool, those of three parts an int, and all others a string.
    """
    attributes = {
        f"{column}{i}": model.Attribute(f"{column}{i}", kind, (model.Column(column, tuple(key)),))
        for i, key in enumerate(keys) for column in columns
        for kind in [types.ListOf() if key == ["list"] else types.Bool() if "'" in key[0] else
                     types.INT if len(key) == 3 else types.String()]
    }  # fmt: skip
    with connect(replace(catalog, attributes=attributes)) as engine:
        return {key: value for (_, key), value in next(engine.facts()).attributes.items()}
