"""What every engine does alike: compare the catalog with the database, and ask it for members and contacts."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.among import Among
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.columns import Schema
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.history.edges import Unsaid
from segdsl.backends.sql.history.statement import HistoryStatement
from segdsl.backends.sql.lookups import Lookup
from segdsl.backends.sql.reading import Reading
from segdsl.backends.sql.sources import Sources
from segdsl.backends.sql.statement import Statement
from segdsl.catalog import model
from segdsl.core import nodes
from segdsl.core.contact import Facts
from segdsl.core.program import Program
from segdsl.core.time import LAST
from segdsl.engines.columns import used_columns
from segdsl.engines.contacts import Contacts
from segdsl.engines.declared import asked_by
from segdsl.engines.fitting import unfit
from segdsl.text.diagnostic import Diagnostic, Errors, has_errors
from segdsl.text.suggest import nearest

S = TypeVar("S", bound=Sources)
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

    def columns_of(self, tables: Iterable[str]) -> dict[str, list[tuple[str, str]] | None]:
        """The same for several tables."""
        return {table: self.columns(table) for table in tables}

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
            for table, found in self.columns_of(self.used).items():
                declared = {} if self.minds_case else {column.lower(): column for column in self.used[table]}
                for name, physical in found or ():
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

    def members(self, program: Program, names: Sequence[str], now: int) -> Generator[tuple[str, str | int], None, None]:
        """`(segment, contact)` in that order, for the named segments; streamed. Raises `Errors` as `ready` does.

        now: microseconds since 1970 (UTC), here and in all questions.
        """
        yield from self.ask(self._answerable(program, names, now).tree())

    def sizes(self, program: Program, names: Sequence[str], now: int) -> dict[str, int]:
        """How many members each of the named segments has, in the order of the names. Raises as `members` does."""
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
        self.checked(statement)
        rows = self.ask(tree)
        return ((contact, int(entered), None if left is None else int(left)) for contact, entered, left in rows)

    def _answerable(self, program: Program, names: Sequence[str], now: int) -> Statement:
        """The statement about segments. Raises `Errors`, as `ready` does, if the database cannot answer it."""
        return self.checked(self.statement(program, names, now))

    def checked(self, statement: S) -> S:
        """A statement that the database can answer. Raises `Errors`, as `ready` does, if it cannot."""
        self.require(statement.used_tables())
        found = unfit(self.reading(), asked_by(statement), self.ask)
        if has_errors(found):
            raise Errors(found)
        return statement

    def ready(self, program: Program, names: Sequence[str], now: int) -> None:
        """Raises `Errors` for tables and columns that segments ask, and that there are not (SEG0711, SEG0712) or that
        can hold no value of the declared type (SEG0713). `members` and `sizes` see to it themselves."""
        self._answerable(program, names, now)

    def facts(self, kinds: Iterable[str] | None = None, contact: str | int | None = None) -> Iterator[Facts]:
        """Every contact with its attributes, events of the given kinds (None: all), lists and history, by id.

        contact: a key; only this contact, and the database may skip what it stores of others.
        Raises `Errors` (SEG0711, SEG0712) for tables and columns that there are not.
        """
        self.require()
        reading = self.reading() if contact is None else self.reading([contact, *self.aliases(contact)])
        yield from Contacts(reading, self.ask, self.last).facts(kinds, contact)

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
        query = select([("name", b.column("name"))], ids, [b.disjunction(near)])
        query.set("order", b.order([self.dialect.ordered(b.column("name"))]))
        close = nearest(text, [row[0] for row in itertools.islice(self.ask(query), NEAR)])
        key = self.catalog.key.name
        return f"did you mean `{close}`?" if close else f"contacts are named by `{key}` of `{self.catalog.contacts}`"
