"""What every engine does alike: compare the catalog with the database, ask for members, read contacts."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Self

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.among import Among
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.history.edges import Unsaid
from segdsl.backends.sql.history.statement import HistoryStatement
from segdsl.backends.sql.lookups import Lookup
from segdsl.backends.sql.reading import Reading, Schema
from segdsl.backends.sql.statement import Statement
from segdsl.catalog import model
from segdsl.core import nodes
from segdsl.core.contact import Facts, changes
from segdsl.core.program import Program
from segdsl.core.time import LAST
from segdsl.engines.columns import used_columns
from segdsl.engines.declared import used as asked_columns
from segdsl.engines.fitting import unfit
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.suggest import nearest
from segdsl.types import Type

Row = tuple[Any, ...]
Execute = Callable[[str, Mapping[str, str]], None]  # a statement without an answer, and what its placeholders stand for
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
        self.used = used_columns(catalog)  # table -> the columns that the catalog speaks of
        self._schema: dict[tuple[str, str], str] | None = None
        self.last = Fixed(self.dialect, LAST)  # the end of the year 9999: no later time is known

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

    def writing(self) -> AbstractContextManager[Execute]:
        """One transaction: all that is executed in it is there after its end, or nothing of it, after an exception.

        Questions that are asked meanwhile do not see it. A database without transactions keeps what was executed. Where
        two would write at the same time, the second is refused (SEG0743). The engine must have been opened for writing.
        Raises `Errors`: SEG0741 where nothing can be written, SEG0742 for what the database refuses.
        """
        raise failure("SEG0741", "this database is only read", "open it for writing")

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
        """That a table has no such column among those that are stored."""
        close = nearest(column, stored)
        help_ = f"did you mean `{close}`?" if close else ""
        return Diagnostic("SEG0712", f"table `{table}` has no column `{column}`", help=help_)

    def reading(self, only: Sequence[str | int] = (), among: Among | None = None) -> Reading:
        """The catalog's tables as this database stores them; see `Reading` for `only` and `among`."""
        return Reading(self.catalog, self.dialect, self.schema(), only, among)

    # --- questions -------------------------------------------------------------------------------------------------

    def ask(self, query: Node) -> Iterator[Row]:
        """The rows of a query that was built with `backends.sql.build`, streamed."""
        return self.rows(*self.dialect.question(query))

    def members(
        self, program: Program, names: Sequence[str], now: int
    ) -> Generator[tuple[str, str | int], None, None]:
        """`(segment, contact)` in that order, for the named segments; streamed."""
        yield from self.ask(self._answerable(program, names, now).tree())

    def sizes(self, program: Program, names: Sequence[str], now: int) -> dict[str, int]:
        """How many members each of the named segments has, in the order of the names."""
        found = {segment: int(size) for segment, size in self.ask(self._answerable(program, names, now).sizes())}
        return {name: found.get(name, 0) for name in names}

    def statement(
        self, program: Program, names: Sequence[str], now: int, among: Among | None = None,
        values: Mapping[str, nodes.Value] | None = None,
    ) -> Statement:  # fmt: skip
        """The statement about segments, whether the database can answer it or not; see `Statement` for the rest."""
        return Statement(program, self.catalog, names, now, self.schema(), self.dialect, self.lookup, among, values)

    def history(
        self, program: Program, name: str, since: int, until: int
    ) -> Iterator[tuple[str | int, int, int | None]] | None:
        """`(contact, entered, left)` of a segment's stays between two instants (microseconds since 1970, UTC), which
        both count; in the order of contacts and of time, streamed. None where SQL has no form for the segment.

        `entered` is `since` for those who are in by then, `left` None for those who are still in at `until`.
        Raises `Errors` as `ready` does.
        """
        try:
            statement = HistoryStatement(program, self.catalog, name, since, until, self.schema(), self.dialect)
            tree = statement.tree()
        except Unsaid:
            return None
        except Errors as error:
            if all(each.code == "SEG0704" for each in error.diagnostics):  # what the dialect cannot do
                return None
            raise
        self._checked(statement)
        rows = self.ask(tree)
        return ((contact, int(entered), None if left is None else int(left)) for contact, entered, left in rows)

    def _answerable(self, program: Program, names: Sequence[str], now: int) -> Statement:
        """The statement about segments. Raises `Errors`, as `ready` does, if the database cannot answer it."""
        return self._checked(self.statement(program, names, now))

    def _checked(self, statement: Statement) -> Statement:
        """A statement that the database can answer; raises `Errors` otherwise."""
        self.require(statement.used_tables())
        found = unfit(self.reading(), asked_columns(statement), self.ask)
        if any(each.severity == "error" for each in found):
            raise Errors(found)
        return statement

    def ready(self, program: Program, names: Sequence[str], now: int) -> None:
        """Raises `Errors` for tables and columns that segments ask, and that there are not (SEG0711, SEG0712) or that
        can hold no value of the declared type (SEG0713). `members` and `sizes` see to it themselves."""
        self._answerable(program, names, now)

    def facts(self, kinds: Iterable[str] | None = None, contact: str | int | None = None) -> Iterator[Facts]:
        """Every contact with its attributes, events of the given kinds (None: all), lists and history, by id.

        contact: a key; only this contact, and the database may skip what it stores of others.
        """
        self.require()
        catalog = self.catalog
        reading = self.reading() if contact is None else self.reading([contact, *self.aliases(contact)])
        columns = self._attribute_columns()
        streams = {kind: _Merge(self._events(reading, kind)) for kind in (catalog.events if kinds is None else kinds)}
        lists = _Merge(self._on_lists(reading)) if catalog.lists else None
        histories = {
            key: _Merge(self._history(reading, key, attribute.type))
            for key, attribute in catalog.attributes.items() if attribute.history
        }  # fmt: skip
        for own, *cells in self._contacts(reading, columns):
            if contact is not None and own != contact:
                continue
            yield Facts(
                own, self._attributes(columns, cells),
                {kind: [self._event(kind, each) for each in stream.take(own)] for kind, stream in streams.items()},
                frozenset(name for _, name in lists.take(own) if name is not None) if lists else frozenset(),
                {key: self._changes(key, stream.take(own)) for key, stream in histories.items()},
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
        query = self._sorted(select([("name", b.column("name"))], ids, [b.disjunction(near)]), "name", text=True)
        close = nearest(text, [row[0] for row in itertools.islice(self.ask(query), NEAR)])
        key = self.catalog.key.name
        return f"did you mean `{close}`?" if close else f"contacts are named by `{key}` of `{self.catalog.contacts}`"

    # --- one kind of rows each, sorted by contact ------------------------------------------------------------------

    def _attribute_columns(self) -> list[tuple[nodes.Attribute, tuple[str, ...]]]:
        """Each attribute without a history, the contacts' and those of related records, and names for its columns."""
        attributes = self.catalog.attributes
        wanted = [nodes.Attribute(key, own.type) for key, own in attributes.items() if not own.history]
        for relation, related in self.catalog.relations.items():
            wanted += [nodes.Attribute(key, own.type, relation) for key, own in related.attributes.items()]
        return [(node, tuple(f"a{i}_{j}" for j in range(2 if isinstance(node.type, types.Geo) else 1)))
                for i, node in enumerate(wanted)]  # fmt: skip

    def _contacts(self, reading: Reading, columns: Sequence[tuple[nodes.Attribute, tuple[str, ...]]]) -> Iterator[Row]:
        """`id`, then the cells of the attributes in the order of `_attribute_columns`."""
        outputs = [("id", b.column("id"))]
        outputs += [(name, self.dialect.output(b.column(name), node.type)) for node, names in columns for name in names]
        query = select(outputs, reading.contacts(dict(columns), self.last).subquery("c"))
        return self.ask(self._sorted(query, "id"))

    def _attributes(
        self, columns: Sequence[tuple[nodes.Attribute, tuple[str, ...]]], cells: Sequence[object]
    ) -> dict[tuple[str | None, str], object]:
        """What is known of one contact's attributes, as `Facts` has them. A place half unknown is unknown."""
        known: dict[tuple[str | None, str], object] = {}
        at = 0
        for node, names in columns:
            parts = [self.dialect.python(cell, node.type) for cell in cells[at : at + len(names)]]
            at += len(names)
            value = parts[0] if len(parts) == 1 else None if None in parts else tuple(parts)
            if value is not None:
                known[node.relation, node.key] = value
        return known

    def _on_lists(self, reading: Reading) -> Iterator[Row]:
        """`contact, list` of all static lists."""
        columns = [(name, b.column(name)) for name in ("contact", "list")]
        query = select(columns, reading.on_list().subquery("e"), [self._is_contact(reading)])
        return self.ask(self._sorted(query, "contact"))

    def _history(self, reading: Reading, key: str, kind: Type) -> Iterator[Row]:
        """`contact`, the instant in microseconds and the value of each row of an attribute's history."""
        columns = [("contact", b.column("contact")), ("at", self.dialect.micros(b.column("t"))),
                   ("held", self.dialect.output(b.column("value"), kind))]  # fmt: skip
        conditions = [self._is_contact(reading), self._stored_until()]
        query = select(columns, reading.stored_changes(key).subquery("e"), conditions)
        return self.ask(self._sorted(query, "contact"))

    def _changes(self, key: str, rows: Iterable[Row]) -> list[tuple[int, object]]:
        """One contact's rows of `_history` as `Facts` has them."""
        kind = self.catalog.attributes[key].type
        return changes([(t, self.dialect.python(value, kind)) for _, t, value in rows], kind)

    def _events(self, reading: Reading, kind: str) -> Iterator[Row]:
        """`contact`, the instant in microseconds (0 where the kind has none) and the properties in the catalog's order.

        `_event` makes one of such a row.
        """
        event = self.catalog.events[kind]
        names = {key: f"v{i}" for i, key in enumerate(event.properties)}
        at = self.dialect.micros(b.column("t")) if event.time else b.number(0)
        columns = [("contact", b.column("contact")), ("at", at)]
        columns += [(f"o{i}", self.dialect.output(b.column(names[key]), prop.type))
                    for i, (key, prop) in enumerate(event.properties.items())]  # fmt: skip
        conditions = [self._is_contact(reading), *([self._stored_until()] if event.time else [])]
        return self.ask(self._sorted(select(columns, reading.event(kind, names).subquery("e"), conditions), "contact"))

    def _is_contact(self, reading: Reading) -> Node:
        """The condition that drops rows of nobody."""
        return self.dialect.is_key(b.column("contact"), reading.whole_keys)

    def _stored_until(self) -> Node:
        """The condition that drops rows without a time, and times beyond the year 9999: databases have some."""
        return b.compare("<=", b.column("t"), self.last.now())

    def _sorted(self, query: Node, name: str, text: bool = False) -> Node:
        """A query's rows in the order of a column of keys, which is also the order that Python gives to keys.

        text: the column holds the keys as text even where they are whole numbers.
        """
        key = b.column(name)
        order = key if self.reading().whole_keys and not text else self.dialect.ordered(key)
        query.set("order", exp.Order(expressions=[exp.Ordered(this=order, nulls_first=False)]))
        return query

    def _event(self, kind: str, row: Row) -> tuple[int, dict[str, object]]:
        """A row of `_events` as `Facts` has it: the instant, and the properties that are known."""
        properties = self.catalog.events[kind].properties
        values = [self.dialect.python(v, prop.type) for v, prop in zip(row[2:], properties.values(), strict=True)]
        return int(row[1]), {key: value for key, value in zip(properties, values, strict=True) if value is not None}


class _Merge:
    """Rows ordered by contact, handed out contact by contact, in the same order."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self.rows = rows
        self.next: Row | None = next(rows, None)

    def take(self, contact: object) -> list[Row]:
        """The rows of a contact, who comes after all that were asked for before; rows of those between are dropped."""
        found = []
        while self.next is not None and self.next[0] < contact:
            self.next = next(self.rows, None)
        while self.next is not None and self.next[0] == contact:
            found.append(self.next)
            self.next = next(self.rows, None)
        return found
