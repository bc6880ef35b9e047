"""What every engine does alike: compare the catalog with the database, ask for members, read contacts."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.lookups import Lookup
from segdsl.backends.sql.reading import Reading, Schema
from segdsl.backends.sql.statement import Statement
from segdsl.catalog import model
from segdsl.core import nodes
from segdsl.core.contact import Facts, changes
from segdsl.core.program import Program
from segdsl.core.time import LAST
from segdsl.engines.columns import used_columns
from segdsl.engines.declared import used
from segdsl.engines.fitting import unfit
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.suggest import nearest
from segdsl.types import Type

Row = tuple[Any, ...]
BATCH = 10_000  # rows that are fetched at once
NEAR = 1000  # keys that are looked at for one that may have been meant


def failure(code: str, message: str, help: str = "") -> Errors:
    """One error of the database, to be raised."""
    return Errors([Diagnostic(code, message, help=help)])


class Engine(ABC):
    """An open database; a context manager. Every error of the database is an `Errors`."""

    dialect: ClassVar[Dialect]
    minds_case: ClassVar[bool] = False  # whether `Name` and `name` are two columns
    lookup: Lookup | None = None  # another way to ask for neighbours in time than the dialect's own

    def __init__(self, catalog: model.Catalog) -> None:
        """Opens the catalog's `database`. Raises `Errors`: SEG0710 where there is none."""
        self.catalog = catalog
        self.used = used_columns(catalog)
        self._schema: dict[tuple[str, str], str] | None = None
        self.last = Fixed(self.dialect, LAST)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- what each engine has to say ---------------------------------------------------------------------------

    @abstractmethod
    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        """The rows of a statement, streamed: never all of them in memory. `values` are what its placeholders stand for.

        An error of the database is raised as `Errors` (SEG0719).
        """

    @abstractmethod
    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """The names and the physical types of a table's columns, as `schema` has them; None if there is no such table.

        table: `name` or `schema.name`, as the catalog has it.
        """

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of all tables and views that a catalog might speak of, sorted."""

    @abstractmethod
    def interrupt(self) -> None:
        """Stop what is running: it ends with `Errors`. For another thread; harmless if nothing runs."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def home(self, table: str) -> str:
        """Where a table would be found, for people who look for it."""
        return "name a table of the database in segdsl.yml, or make this one"

    # --- what there is -------------------------------------------------------------------------------------------

    def schema(self) -> Schema:
        """The physical type of every column of the tables that the catalog uses."""
        if self._schema is None:
            self._schema = {}
            for table in self.used:
                declared = {} if self.minds_case else {column.lower(): column for column in self.used[table]}
                for name, physical in self.columns(table) or ():
                    self._schema[table, declared.get(name.lower(), name)] = physical
        return self._schema

    def require(self, wanted: Iterable[str] | None = None) -> None:
        """Raises `Errors` (SEG0711, SEG0712) for tables and columns of the catalog that do not exist."""
        found = self.missing(wanted)
        if found:
            raise Errors(found)

    def missing(self, wanted: Iterable[str] | None = None) -> list[Diagnostic]:
        """Declared tables and columns that the database lacks; of all declared tables, or of those wanted."""
        schema = self.schema()
        stored: dict[str, list[str]] = {}
        for table, column in schema:
            stored.setdefault(table, []).append(column)
        found = []
        for table in self.used if wanted is None else wanted:
            if table not in stored:
                close = nearest(table, self.tables())
                help_ = f"did you mean `{close}`?" if close else self.home(table)
                found.append(Diagnostic("SEG0711", f"there is no table `{table}` in the database", help=help_))
                continue
            found += [self._lacks(table, column, stored[table])
                      for column in self.used[table] if (table, column) not in schema]  # fmt: skip
        return found

    def _lacks(self, table: str, column: str, stored: Sequence[str]) -> Diagnostic:
        close = nearest(column, stored)
        help_ = f"did you mean `{close}`?" if close else ""
        return Diagnostic("SEG0712", f"table `{table}` has no column `{column}`", help=help_)

    def reading(self, only: Sequence[str | int] = ()) -> Reading:
        """The catalog's tables as this database stores them; see `Reading` for `only`."""
        return Reading(self.catalog, self.dialect, self.schema(), only)

    # --- questions -------------------------------------------------------------------------------------------------

    def ask(self, query: Node) -> Iterator[Row]:
        """The rows of a query that was built with `backends.sql.build`, streamed."""
        return self.rows(*self.dialect.question(query))

    def members(
        self, program: Program, names: Sequence[str], now: int
    ) -> Generator[tuple[str, str | int], None, None]:
        """`(segment, contact)` in that order, for the named segments; streamed."""
        yield from self.ask(self._sound(program, names, now).tree())

    def sizes(self, program: Program, names: Sequence[str], now: int) -> dict[str, int]:
        """How many members each of the named segments has, in the order of the names."""
        found = {segment: int(size) for segment, size in self.ask(self._sound(program, names, now).sizes())}
        return {name: found.get(name, 0) for name in names}

    def statement(self, program: Program, names: Sequence[str], now: int) -> Statement:
        """The statement about segments, whether the database can answer it or not."""
        return Statement(program, self.catalog, names, now, self.schema(), self.dialect, self.lookup)

    def _sound(self, program: Program, names: Sequence[str], now: int) -> Statement:
        statement = self.statement(program, names, now)
        self.require(statement.used_tables())
        found = unfit(self.reading(), used(statement), self.ask)
        if any(each.severity == "error" for each in found):
            raise Errors(found)
        return statement

    def ready(self, program: Program, names: Sequence[str], now: int) -> None:
        """Raises `Errors` for tables and columns that segments ask, and that there are not (SEG0711, SEG0712) or that
        can hold no value of the declared type (SEG0713). `members` and `sizes` see to it themselves."""
        self._sound(program, names, now)

    def facts(self, kinds: Iterable[str] | None = None, contact: str | int | None = None) -> Iterator[Facts]:
        """Every contact with its attributes, events of the given kinds (None: all), lists and history, by id.

        contact: a key; only this contact, and the database may skip what it stores of others.
        """
        self.require()
        catalog, attributes = self.catalog, self.catalog.attributes
        reading = self.reading() if contact is None else self.reading([contact, *self.aliases(contact)])
        wanted = [nodes.Attribute(key, own.type) for key, own in attributes.items() if not own.history]
        for relation, related in catalog.relations.items():
            wanted += [nodes.Attribute(key, attribute.type, relation) for key, attribute in related.attributes.items()]
        names: dict[nodes.Attribute | nodes.Held, tuple[str, ...]] = {
            node: tuple(f"a{i}_{j}" for j in range(2 if isinstance(node.type, types.Geo) else 1))
            for i, node in enumerate(wanted)
        }
        streams = {kind: _Merge(self._events(reading, kind)) for kind in (catalog.events if kinds is None else kinds)}
        lists = _Merge(self._on_lists(reading)) if catalog.lists else None
        histories = {
            key: _Merge(self._history(reading, key, attribute.type))
            for key, attribute in attributes.items() if attribute.history
        }  # fmt: skip
        outputs = [("id", b.column("id"))]
        outputs += [(name, self.dialect.output(b.column(name), node.type)) for node in wanted for name in names[node]]
        query = select(outputs, reading.contacts(names, self.last).subquery("c"))
        for row in self.ask(self._sorted(query, "id")):
            if contact is not None and row[0] != contact:
                continue
            values: dict[tuple[str | None, str], object] = {}
            at = 1
            for node in wanted:
                cell = [self.dialect.python(value, node.type) for value in row[at : at + len(names[node])]]
                at += len(cell)
                value = cell[0] if len(cell) == 1 else None if None in cell else tuple(cell)
                if value is not None:
                    values[node.relation, node.key] = value
            yield Facts(
                row[0], values,
                {kind: [self._event(kind, each) for each in stream.take(row[0])] for kind, stream in streams.items()},
                frozenset(each[1] for each in lists.take(row[0]) if each[1] is not None) if lists else frozenset(),
                {
                    key: changes([(t, self.dialect.python(value, kind)) for _, t, value in stream.take(row[0])], kind)
                    for key, stream in histories.items() for kind in [attributes[key].type]
                },
            )  # fmt: skip

    def one(self, text: str | int, kinds: Iterable[str] | None = None) -> Facts:
        """One contact with events of the given kinds, by its key or the key's text.

        Raises `Errors` (SEG0716) if there is none.
        """
        self.require()
        key = self.reading().find_key(str(text))
        found = None if key is None else next(self.facts(kinds, key), None)
        if found is None:
            raise failure("SEG0716", f"there is no contact `{text}`", self._who(str(text)))
        return found

    def aliases(self, contact: str | int) -> list[str]:
        """The other ids under which a contact's events are recorded."""
        return [alias for alias, key in self._identities("contact", contact) if key == contact]

    def total(self) -> int:
        """How many contacts there are."""
        counted = exp.Count(this=exp.Star())
        [(total,)] = self.ask(select([("n", counted)], self.reading().contacts({}, self.last).subquery("c")))
        return int(total)

    def lists(self) -> list[str]:
        """The names of all static lists that somebody is on, sorted; empty where the catalog declares none."""
        if self.catalog.lists is None:
            return []
        name = b.column("list")
        query = select([("list", name)], self.reading().on_list().subquery("l"), [b.known(name.copy())])
        return sorted(row[0] for row in self.ask(query.distinct(copy=False)))

    def _identities(self, column: str, wanted: str | int) -> list[tuple[str, str | int]]:
        """`(alias, contact)` of the identities in which a column is the wanted one, sorted."""
        identities = self.catalog.identities
        if identities is None:
            return []
        reading = self.reading()
        columns = [("alias", reading.text(identities.table, identities.alias)),
                   ("contact", reading.key(identities.table, identities.contact))]  # fmt: skip
        source = select(columns, reading.source(identities.table)).subquery("i")
        value = b.number(wanted) if isinstance(wanted, int) else b.text(wanted)
        query = select([(name, b.column(name)) for name, _ in columns], source,
                       [b.compare("=", b.column(column), value)])  # fmt: skip
        return sorted(set(self.ask(query)), key=str)

    def _who(self, text: str) -> str:
        """Which contact may have been meant: whose alias this is, or one whose key is a letter away."""
        known = self._identities("alias", text)
        if known:
            return f"`{text}` is an alias of `{known[0][1]}`: ask about that one"
        reading = self.reading()
        ids = select([("name", self.dialect.key_text(b.column("id"), reading.whole_keys))],
                     reading.contacts({}, self.last).subquery("c")).subquery("n")  # fmt: skip
        # One wrong letter leaves the first or the second half as it was meant.
        half = max(1, len(text) // 2)
        halves: list[tuple[str | nodes.Wild, ...]] = [
            (text[:half], nodes.Wild.RUN), (nodes.Wild.RUN, text[-half:])
        ]  # fmt: skip
        near = [self.dialect.like(b.column("name"), glob) for glob in halves]
        near.append(b.compare("=", self.dialect.folded(b.column("name")), b.text(text.lower())))
        query = self._sorted(select([("name", b.column("name"))], ids, [b.disjunction(near)]), "name")
        close = nearest(text, [row[0] for row in itertools.islice(self.ask(query), NEAR)])
        key = self.catalog.key.name
        return f"did you mean `{close}`?" if close else f"contacts are named by `{key}` of `{self.catalog.contacts}`"

    def _on_lists(self, reading: Reading) -> Iterator[Row]:
        query = select([(name, b.column(name)) for name in ("contact", "list")], reading.on_list().subquery("e"),
                       [b.known(b.column("contact"))])  # fmt: skip
        return self.ask(self._sorted(query, "contact"))

    def _history(self, reading: Reading, key: str, kind: Type) -> Iterator[Row]:
        columns = [("contact", b.column("contact")), ("at", self.dialect.micros(b.column("t"))),
                   ("held", self.dialect.output(b.column("value"), kind))]  # fmt: skip
        conditions = [b.known(b.column("contact")), self._stored_until()]
        query = select(columns, reading.stored_changes(key).subquery("e"), conditions)
        return self.ask(self._sorted(query, "contact"))

    def _events(self, reading: Reading, kind: str) -> Iterator[Row]:
        event = self.catalog.events[kind]
        names = {key: f"v{i}" for i, key in enumerate(event.properties)}
        at = self.dialect.micros(b.column("t")) if event.time else b.number(0)
        columns = [("contact", b.column("contact")), ("at", at)]
        columns += [(f"o{i}", self.dialect.output(b.column(names[key]), prop.type))
                    for i, (key, prop) in enumerate(event.properties.items())]  # fmt: skip
        conditions = [b.known(b.column("contact")), *([self._stored_until()] if event.time else [])]
        return self.ask(self._sorted(select(columns, reading.event(kind, names).subquery("e"), conditions), "contact"))

    def _stored_until(self) -> Node:
        """The condition that drops rows without a time, and times beyond the year 9999: databases have some."""
        return b.compare("<=", b.column("t"), self.last.now())

    def _sorted(self, query: Node, name: str) -> Node:
        """A query's rows in the order of a key, which is also the order that Python gives to keys."""
        key = b.column(name)
        order = key if name != "name" and self.reading().whole_keys else self.dialect.ordered(key)
        query.set("order", exp.Order(expressions=[exp.Ordered(this=order, nulls_first=False)]))
        return query

    def _event(self, kind: str, row: Row) -> tuple[int, dict[str, object]]:
        properties = self.catalog.events[kind].properties
        values = [self.dialect.python(v, prop.type) for v, prop in zip(row[2:], properties.values(), strict=True)]
        return int(row[1]), {key: value for key, value in zip(properties, values, strict=True) if value is not None}


class _Merge:
    """Rows ordered by contact, handed out contact by contact, in the same order."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self.rows = rows
        self.next: Row | None = next(rows, None)

    def take(self, contact: object) -> list[Row]:
        found = []
        while self.next is not None and self.next[0] < contact:
            self.next = next(self.rows, None)
        while self.next is not None and self.next[0] == contact:
            found.append(self.next)
            self.next = next(self.rows, None)
        return found
