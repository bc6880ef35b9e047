"""The tables of stored membership that segdsl keeps beside the data, and how they and static lists are written.

Statements are built like all others and printed by the dialect; here is only what stands before a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.engines.engine import Engine, Execute, failure

TEXT, NUMBER, TIME, KEY = types.String(), types.INT, types.Timestamp(), None

# table -> column -> its type; KEY is that of contacts.
COLUMNS: Mapping[str, Mapping[str, types.Type | None]] = {
    "members": {"segment": TEXT, "contact": KEY, "entered_at": TIME},
    "changes": {"refresh": NUMBER, "at": TIME, "segment": TEXT, "contact": KEY, "change": TEXT, "reason": TEXT},
    "segments": {"segment": TEXT, "definition": TEXT, "words": TEXT},
    # due: microseconds since 1970; before it nothing changes by itself. seen: a fingerprint of attributes and lists.
    "contacts": {"contact": KEY, "due": NUMBER, "seen": TEXT},
    "aliases": {"alias": TEXT, "contact": KEY},
    "touched": {"contact": KEY},
    # A refresh has a row when it begins and one when it is done. instant: `at` in microseconds since 1970.
    "refreshes": {"refresh": NUMBER, "at": TIME, "instant": NUMBER, "stage": TEXT, "project": TEXT},
    "lists": {"list": TEXT, "contact": KEY},
}
# What a refresh works with, in tables that are there as long as it is.
WORKING: Mapping[str, Mapping[str, types.Type | None]] = {
    # The members of segments, and of each contact a row with the segment "" that has what is known of it.
    "answers": {"segment": TEXT, "contact": KEY, "due": NUMBER},
}

# By what rows are found that are few among many: those of some contacts, and those of the last refresh.
INDEXED = {"members": "contact", "changes": "refresh"}


class Tables:
    """segdsl's own tables in one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.dialect = engine, engine.dialect
        self.prefix = engine.catalog.refresh.tables
        self._known: dict[str, dict[str, str] | None] = {}

    def name(self, table: str) -> str:
        """The name of a table, perhaps with its schema."""
        return self.prefix + table

    def working(self, table: str) -> str:
        """The name of a table that is there as long as a refresh is; such tables have no schema."""
        return self.name(table).rpartition(".")[2]

    def node(self, table: str) -> Node:
        """A table to select from."""
        return b.table(self.working(table) if table in WORKING else self.name(table))

    def columns(self, table: str) -> dict[str, str] | None:
        """The columns that a table has in the database, in small letters, and their types as the database has them;
        None if there is no such table."""
        if not self._known:
            stored = self.engine.columns_of(map(self.name, COLUMNS))
            for each in COLUMNS:
                columns = stored[self.name(each)]
                self._known[each] = None if columns is None else {name.lower(): kind for name, kind in columns}
        return self._known[table]

    def found(self, table: str) -> bool:
        """Whether the database has the table; raises `Errors` (SEG0745) for one that holds something else."""
        stored = self.columns(table)
        if stored is None:
            return False
        catalog = self.engine.catalog
        keyed = (catalog.contacts, catalog.key.name) in self.engine.schema()
        for column, kind in COLUMNS[table].items():
            if kind is KEY and column in stored and not keyed:
                continue  # that the contacts' table has no key is told by whoever asks for it
            if column not in stored or self._family(stored[column]) != self._family(self._kind(kind)):
                what = f"its column `{column}` is {stored[column]}" if column in stored else f"it has no `{column}`"
                help = "set another `tables` under `refresh` in segdsl.yml, or drop the table if nobody needs it"
                raise failure("SEG0745", f"`{self.name(table)}` is not a table of segdsl's: {what}", help)
        return True

    def _family(self, physical: str) -> str:
        """What a column holds; a text is a text in whatever order it stands."""
        family = self.dialect.family(physical)
        return "text" if family == "label" else family

    def rows(self, table: str, where: Iterable[Node] = ()) -> list[tuple[object, ...]]:
        """The rows of a table for which all conditions hold; none if there is no such table."""
        if self.columns(table) is None:
            return []
        return list(self.engine.ask(select([(c, b.column(c)) for c in COLUMNS[table]], self.node(table), where)))

    def make(self, execute: Execute, table: str) -> bool:
        """Makes the table if there is none; whether it did."""
        if self.columns(table) is not None:
            return False
        execute(f"CREATE TABLE IF NOT EXISTS {self._printed(table)} ({self._columns(table)}){self.dialect.storage}", {})
        self._known[table] = {column: self._kind(kind) for column, kind in COLUMNS[table].items()}
        return True

    def index(self, execute: Execute, table: str) -> None:
        """Makes the table's index, if it has one in databases of this kind: quicker once it has been filled."""
        if table in INDEXED:
            statement = self.dialect.index(self.name(table), INDEXED[table])
            if statement:
                execute(statement, {})

    def insert(self, execute: Execute, table: str, query: Node) -> None:
        """Adds the rows of a query, whose columns are those of the table in their order."""
        self.insert_into(execute, self.name(table), list(COLUMNS[table]), query)

    def work_on(self, execute: Execute, table: str, query: Node) -> None:
        """Makes a working table of a query's rows, whose columns are those of the table in their order."""
        execute(f"CREATE TEMPORARY TABLE {self._printed(table)} ({self._columns(table)})", {})
        self.insert_into(execute, self.working(table), list(WORKING[table]), query)
        self._analyze(execute, self.working(table), "contact")

    def copy(self, execute: Execute, name: str, query: Node, key: str) -> None:
        """Makes a working table of that name with a query's columns and rows. Nothing in the query is a bound text.

        key: the column by which its rows belong to contacts.
        """
        text, values = self.dialect.question(query)
        assert not values, "databases have no placeholders there"
        execute(f"CREATE TEMPORARY TABLE {b.table(name).sql(dialect=self.dialect.printer)} AS {text}", {})
        self._analyze(execute, name, key)

    def _analyze(self, execute: Execute, name: str, key: str) -> None:
        """Tells the planner how many contacts there are: all that it has to know, and the other columns take long."""
        if self.dialect.analyze:
            table = b.table(name).sql(dialect=self.dialect.printer)
            execute(f"{self.dialect.analyze} {table} ({self._spelled(key)})", {})

    def insert_into(self, execute: Execute, name: str, columns: Sequence[str], query: Node) -> None:
        """The same with any table."""
        text, values = self.dialect.question(query)
        spelled = ", ".join(map(self._spelled, columns))
        execute(f"INSERT INTO {b.table(name).sql(dialect=self.dialect.printer)} ({spelled}) {text}", values)

    def add(self, execute: Execute, table: str, cells: Sequence[Node]) -> None:
        """Adds one row."""
        named = zip(COLUMNS[table], cells, strict=True)
        self.insert(execute, table, exp.Select(expressions=[b.aliased(cell, name) for name, cell in named]))

    def delete(self, execute: Execute, table: str, where: Iterable[Node] = ()) -> None:
        """Removes the rows for which all conditions hold; all rows if there are none."""
        self.delete_from(execute, self.name(table), where)

    def delete_from(self, execute: Execute, name: str, where: Iterable[Node] = ()) -> None:
        """The same with any table."""
        condition = b.conjunction(list(where))
        tree = exp.Delete(this=b.table(name), where=exp.Where(this=condition))
        execute(*self.dialect.question(tree))

    def among(self, column: str, table: str) -> Node:
        """Whether a column is one of the values that a table has in a column of that name."""
        query = select([(column, b.column(column))], self.node(table))
        return exp.In(this=b.column(column), query=query.subquery())

    def _printed(self, table: str) -> str:
        return str(self.node(table).sql(dialect=self.dialect.printer))

    def _columns(self, table: str) -> str:
        columns = COLUMNS[table] if table in COLUMNS else WORKING[table]
        return ", ".join(f"{self._spelled(column)} {self._kind(kind)}" for column, kind in columns.items())

    def _spelled(self, column: str) -> str:
        return str(b.identifier(column).sql(dialect=self.dialect.printer))

    def _kind(self, kind: types.Type | None) -> str:
        """How the database spells a column's type."""
        if kind is not None:
            return self.dialect.kept_as(kind)
        catalog, reading = self.engine.catalog, self.engine.reading()
        if not reading.whole_keys:
            return self.dialect.kept_as(TEXT)
        return self.dialect.kept_key(self.engine.schema()[catalog.contacts, catalog.key.name])
