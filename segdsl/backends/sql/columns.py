"""Stored columns as canonical values of the dialect: what does not fit its declared type is NULL.

A column that is stored in canonical form stays a bare column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.names import Namer
from segdsl.catalog import model
from segdsl.core.time import FIRST
from segdsl.types import Type

INT, TEXT, INSTANT = types.INT, types.String(), types.Timestamp()

Schema = Mapping[tuple[str, str], str]  # (table, column) -> the stored type, as the database spells it


class Columns:
    """The columns of a catalog's tables, as physically stored according to a schema.

    Who has asked for columns of a table selects them from `source`, which has what they need out of JSON.
    whole_keys: whether keys of contacts are compared as whole numbers, and not as texts.
    """

    def __init__(self, catalog: model.Catalog, dialect: Dialect, schema: Schema | None) -> None:
        self.catalog, self.dialect, self.schema = catalog, dialect, schema or {}
        key = self.schema.get((catalog.contacts, catalog.key.name), dialect.physical_of(TEXT))
        self.whole_keys = not catalog.key.path and dialect.whole_key(key)
        self._extracted: dict[tuple[str, str | None], dict[model.Column, str]] = {}

    def raw(self, table: str, column: model.Column, declared: str, source: str | None) -> tuple[Node, str]:
        """The stored expression and its physical type. declared: the type that it has if there is no schema."""
        x = b.column(column.name, source)
        if column.path:
            stored = self._stored(table, column)
            if self.dialect.family(stored) == "nested":
                found = self.dialect.field(x, column.path, stored)
                if found is not None:
                    return found
            return b.column(self._extract(table, column, source), source), "JSON"
        return x, self.schema.get((table, column.name), self.dialect.unseen(declared))

    def _extract(self, table: str, column: model.Column, source: str | None) -> str:
        """The name under which `source` will offer a value inside a JSON column."""
        names = self._extracted.setdefault((table, source), {})
        if column not in names:
            taken = Namer([*(name for at, name in self.schema if at == table), *names.values()])
            names[column] = taken.name("_".join((column.name, *column.path)))
        return names[column]

    def source(self, table: str, alias: str | None = None, excerpt: str | None = None) -> Node:
        """What to select from, once all columns are known: the table, with what they need out of JSON beside it.

        excerpt: another table to read instead, which has all that is wanted of this one.
        """
        names = self._extracted.pop((table, alias), {})
        if not names:
            return b.table(excerpt or table, alias)
        wanted = [(name, b.column(column.name), column.path, self._stored(table, column))
                  for column, name in names.items()]  # fmt: skip
        inner = self.dialect.extracting(b.table(excerpt or table), wanted)
        return exp.Subquery(this=inner, alias=exp.TableAlias(this=b.identifier(alias or table.split(".")[-1])))

    def value(self, table: str, column: model.Column, declared: Type, source: str | None = None) -> Node:
        """A column's canonical value."""
        x, physical = self.raw(table, column, self.dialect.physical_of(declared), source)
        if self.dialect.bare(physical, declared):
            return x
        return self.dialect.convert(x, physical, declared, self.catalog.timezone)

    def time(
        self, table: str, time: model.TimeColumn, source: str | None = None, since: Callable[[], Node] | None = None
    ) -> tuple[Node, list[Node]]:
        """An event's instant, and the conditions on the stored column that must hold for it to be one.

        since: an instant before which none is asked for; there may be some all the same.
        """
        x, physical = self.raw(table, time.column, self.dialect.physical_of(INT if time.unit else INSTANT), source)
        if time.unit:
            return self.dialect.epoch(x, physical, time.unit), []
        if time.timezone and time.timezone != "UTC":
            return self.dialect.clock(x, physical, time.timezone), []
        plain = self.dialect.unguarded(x, physical)
        if plain is None:
            return self.dialect.convert(x, physical, INSTANT, self.catalog.timezone), []
        # On the column itself, so that the database can skip what is not asked for.
        first = since() if since is not None and self.dialect.skips else self.dialect.instant(FIRST)
        return plain, [b.compare(">=", x.copy(), self.dialect.stored(first, physical))]

    def not_before(self, table: str, time: model.TimeColumn, source: str | None, since: Node) -> list[Node]:
        """The condition that drops rows of a table from before an instant, if a bare column tells."""
        x, physical = self.raw(table, time.column, self.dialect.physical_of(INT if time.unit else INSTANT), source)
        if time.unit or time.timezone not in (None, "UTC") or self.dialect.unguarded(x, physical) is None:
            return []
        return [b.compare(">=", x.copy(), self.dialect.stored(since, physical))]

    def key(self, table: str, column: model.Column, source: str | None = None) -> Node:
        """A column that holds contacts' keys."""
        x, physical = self.raw(table, column, self.dialect.physical_of(INT if self.whole_keys else TEXT), source)
        return self.dialect.key(x, physical, self.whole_keys)

    def bare_key(self, table: str, column: model.Column, source: str | None = None) -> tuple[Node, list[Node]]:
        """The same as a bare column if it can be one, which the database can find by an index, and when it is a key."""
        x, physical = self.raw(table, column, self.dialect.physical_of(INT if self.whole_keys else TEXT), source)
        bare = self.dialect.bare_key(x, physical, self.whole_keys)
        return (bare[0], [bare[1]]) if bare else (self.dialect.key(x, physical, self.whole_keys), [])

    def key_order(self, key: Node) -> Node:
        """What puts keys of contacts into the order that Python gives them: of numbers, or of code points."""
        return key if self.whole_keys else self.dialect.ordered(key)

    def comparable(self, x: Node, physical: str) -> Node:
        """A column for comparing it with texts that are keys: what is none may be anything that is equal to no text."""
        bare = self.dialect.bare_key(x, physical, False)
        return bare[0] if bare else self.dialect.key(x, physical, False)

    def is_text(self, table: str, column: model.Column, texts: Sequence[str], source: str | None = None) -> Node:
        """Whether a column, as text, is one of some texts."""
        x = self.comparable(*self.raw(table, column, self.dialect.physical_of(TEXT), source))
        return b.one_of(x, [b.text(text) for text in texts])

    def text(self, table: str, column: model.Column, source: str | None = None) -> Node:
        """Any column as text: discriminators, delivery ids, list names, keys of related records."""
        x, physical = self.raw(table, column, self.dialect.physical_of(TEXT), source)
        return self.dialect.key(x, physical, False)

    def find_key(self, text: str) -> str | int | None:
        """A contact's key as the database has it, from its text; None if that can be no key."""
        if not self.whole_keys:
            return text
        whole = re.fullmatch(r"0|-?[1-9][0-9]{0,37}", text)
        return int(text) if whole and -(2**127) <= int(text) < 2**127 else None

    def attribute(self, table: str, attribute: model.Attribute, source: str | None) -> list[Node]:
        """The column, or the two columns, of an attribute."""
        values = [self.value(table, column, attribute.type, source) for column in attribute.columns]
        if isinstance(attribute.type, types.Geo):
            limits = [(values[0], 90), (values[1], 180)]
            return [
                b.case([(exp.Between(this=b.paren(v.copy()), low=b.number(-n), high=b.number(n)), v)])
                for v, n in limits
            ]
        return values

    def ranked(self, value: Node, declared: Type) -> Node:
        """What a value is ordered by: enums by their place in the declared list, texts by code points."""
        if not isinstance(declared, types.Enum):
            return self.ordered(value, declared)
        places = [(b.compare("=", value.copy(), b.text(v)), b.number(i)) for i, v in enumerate(declared.values)]
        return b.case(places)

    def ordered(self, value: Node, declared: Type) -> Node:
        """A value for ORDER BY."""
        return self.dialect.ordered(value) if isinstance(declared, types.String | types.Enum) else value

    def _stored(self, table: str, column: model.Column) -> str:
        """The stored type of the column that holds a JSON document."""
        return self.schema.get((table, column.name), self.dialect.json_column())
