"""The catalog: what the company's contacts and events are called, typed and where they are stored.

Plain frozen data, made by `catalog.load` from `segdsl.yml` and read by everything after it.
Names are looked up by their key, `name_key(text)` (language reference, section 3).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from segdsl.syntax.ast import DurationUnit
from segdsl.text.source import Source, Span
from segdsl.types import Type


@lru_cache(maxsize=4096)  # data tell the same names again and again
def name_key(text: str) -> str:
    """What two spellings of one name share: NFC, ASCII letters lowered, underscores and blanks alike."""
    words = unicodedata.normalize("NFC", text).replace("_", " ").split()
    return " ".join("".join(c.lower() if c.isascii() else c for c in word) for word in words)


@dataclass(frozen=True)
class Place:
    """Where the catalog file declares something."""

    source: Source
    span: Span


@dataclass(frozen=True)
class Column:
    """A stored value: a column, or `path` (keys from the outside in) inside a JSON column."""

    name: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """A table of an attribute's values over time: one row a change."""

    table: str
    contact: Column
    time: TimeColumn
    value: Column


@dataclass(frozen=True)
class Attribute:
    """A contact's (or a related record's) value; `columns` is one column, or latitude and longitude for geo."""

    name: str
    type: Type
    columns: tuple[Column, ...]
    required: bool = False
    history: History | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Property:
    """A value of one event."""

    name: str
    type: Type
    column: Column
    place: Place | None = None


@dataclass(frozen=True)
class TimeColumn:
    """When an event happened: `unit` for epoch numbers, `timezone` for local clock times, else UTC."""

    column: Column
    unit: Literal["s", "ms", "us"] | None = None
    timezone: str | None = None


@dataclass(frozen=True)
class Length:
    """A length of time as it was declared, `400d`."""

    amount: int
    unit: DurationUnit
    place: Place


@dataclass(frozen=True)
class Event:
    """A kind of event: the rows of `table` whose `where` columns hold one of the given texts.

    `properties` and `attributes` mappings everywhere are keyed by `name_key`. `object` is the key of the
    property that `visited "/pricing"` is matched against. `time` is None for events without one. `retention` is
    how long its rows are kept, None for always. `increasing` is a whole number that is greater in each new row.
    """

    name: str
    table: str
    contact: Column
    time: TimeColumn | None
    properties: Mapping[str, Property]
    object: str | None = None
    id: Column | None = None
    where: tuple[tuple[Column, tuple[str, ...]], ...] = ()
    place: Place | None = None
    retention: Length | None = None
    increasing: Column | None = None


@dataclass(frozen=True)
class Relation:
    """Many contacts to one record: `contact` is the contacts' column that holds the record's `key`."""

    name: str
    table: str
    key: Column
    contact: Column
    attributes: Mapping[str, Attribute]
    place: Place | None = None


@dataclass(frozen=True)
class Lists:
    """A table of static memberships: one row a (list name, contact)."""

    table: str
    list: Column
    contact: Column


@dataclass(frozen=True)
class Identities:
    """A table of aliases: events recorded under `alias` belong to the contact `contact`."""

    table: str
    alias: Column
    contact: Column


@dataclass(frozen=True)
class Refresh:
    """How membership is stored: `tables` is what the names of segdsl's own tables begin with, perhaps a schema, too.

    late: how long after its own time a row may come and still be found by a refresh; None is a day.
    """

    tables: str = "segdsl_"
    late: Length | None = None


@dataclass(frozen=True)
class Catalog:
    """The whole project file.

    `database` is a URL or an absolute path; `timezone` an IANA name; `lints` says which lints are on or off, by name.
    """

    source: Source
    folder: Path
    database: str | None
    timezone: str
    rules: tuple[str, ...]
    contacts: str
    key: Column
    attributes: Mapping[str, Attribute]
    events: Mapping[str, Event] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    lists: Lists | None = None
    identities: Identities | None = None
    lints: Mapping[str, bool] = field(default_factory=dict)
    refresh: Refresh = Refresh()
