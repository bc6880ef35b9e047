"""DuckDB: a database file, or a folder of files read in memory."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from segdsl import types
from segdsl.backends.sql.build import select
from segdsl.backends.sql.dialects import get
from segdsl.backends.sql.lookups import Lookup, by_windows
from segdsl.backends.sql.reading import Reading, Schema
from segdsl.backends.sql.statement import Statement
from segdsl.catalog import model
from segdsl.core import nodes
from segdsl.core.contact import Facts, changes
from segdsl.core.program import Program
from segdsl.core.time import LAST
from segdsl.engines import files
from segdsl.engines.columns import used_columns
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.suggest import nearest
from segdsl.types import Type

BATCH = 10_000
ON_PATHS = "`database` in segdsl.yml is a folder of files or a URL; a relative path starts from segdsl.yml's folder"


def failure(code: str, message: str, help: str = "") -> Errors:
    """One error of the database, to be raised."""
    return Errors([Diagnostic(code, message, help=help)])


class Engine:
    """An open database; a context manager. Every error of the database is an `Errors`."""

    dialect = "duckdb"

    def __init__(self, catalog: model.Catalog) -> None:
        self.catalog = catalog
        self.used = used_columns(catalog)
        url = catalog.database or ""
        self.folder: Path | None = None
        # None: the dialect's own. DuckDB knows how many rows a table or a Parquet file has; of others it expects none,
        # for which it would still run an ASOF JOIN as a nested loop.
        self.lookup: Lookup | None = None
        try:
            if url.startswith("duckdb://"):
                path = Path(
                    url.removeprefix("duckdb://").removeprefix("/") if url.startswith("duckdb:////") else url[10:]
                )
                if not path.is_absolute():
                    path = catalog.folder / path
                if not path.is_file():
                    raise failure("SEG0710", f"there is no database file `{path}`", ON_PATHS)
                self._connection = duckdb.connect(str(path), read_only=True)
            else:
                self.folder = Path(url)
                if not self.folder.is_dir():
                    raise failure("SEG0710", f"there is no folder `{url}`", ON_PATHS)
                self._connection = duckdb.connect()
                self._read_folder(self.folder)
            self._connection.execute("SET TimeZone = 'UTC'")
            # Where DuckDB expects few rows it runs an ASOF JOIN as a nested loop.
            self._connection.execute("SET asof_loop_join_threshold = 0")
        except duckdb.Error as error:
            raise failure("SEG0719", f"the database says: {error}") from error
        self._schema: dict[tuple[str, str], str] | None = None
        self._asked: set[duckdb.DuckDBPyConnection] = set()  # the cursors of questions that are not answered yet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read_folder(self, folder: Path) -> None:
        for table, columns in self.used.items():
            path = files.find(folder, table)
            if path is not None:
                self.lookup = self.lookup if path.suffix == ".parquet" else by_windows
                parts = table.split(".")
                if len(parts) > 1:
                    self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {files.quoted(parts[0])}")
                self._connection.execute(
                    f"CREATE VIEW {self.table(table)} AS {files.view(path, columns, self._connection)}"
                )

    # --- what there is -------------------------------------------------------------------------------------------

    def schema(self) -> Schema:
        """The physical type of every column of the tables that the catalog uses."""
        if self._schema is None:
            self._schema = {}
            for table in self.used:
                try:
                    rows = self._connection.execute(f"DESCRIBE {self.table(table)}").fetchall()
                except duckdb.CatalogException:
                    continue
                declared = {column.lower(): column for column in self.used[table]}
                self._schema.update({(table, declared.get(row[0].lower(), row[0])): row[1] for row in rows})
        return self._schema

    def table(self, name: str) -> str:
        """A table's name as SQL spells it."""
        return ".".join(files.quoted(part) for part in name.split("."))

    def tables(self) -> list[str]:
        """The names of all tables there are."""
        if self.folder is not None:
            return files.stems(self.folder)
        return [row[0] for row in self.sql("SELECT table_name FROM information_schema.tables ORDER BY 1")]

    def require(self, wanted: Iterable[str] | None = None) -> None:
        """Raises `Errors` (SEG0711, SEG0712) for tables and columns of the catalog that do not exist."""
        found = self.missing(wanted)
        if found:
            raise Errors(found)

    def _home(self, table: str) -> str:
        """Where a table would be found."""
        if self.folder is None:
            return "name a table of the database in segdsl.yml, or make this one"
        return f"a table is a file: put {table}.csv, {table}.jsonl or {table}.parquet into {self.folder}"

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
                help_ = f"did you mean `{close}`?" if close else self._home(table)
                found.append(Diagnostic("SEG0711", f"there is no table `{table}` in the database", help=help_))
                continue
            for column in self.used[table]:
                if (table, column) not in schema and self.folder is None:
                    close = nearest(column, stored[table])
                    help_ = f"did you mean `{close}`?" if close else ""
                    found.append(Diagnostic("SEG0712", f"table `{table}` has no column `{column}`", help=help_))
        return found

    # --- questions -------------------------------------------------------------------------------------------------

    def sql(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, in batches."""
        cursor: duckdb.DuckDBPyConnection | None = None
        try:
            cursor = self._connection.cursor()
            self._asked.add(cursor)
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute(statement)
            while rows := cursor.fetchmany(BATCH):
                yield from rows
        except duckdb.Error as error:
            raise failure("SEG0719", f"the database says: {error}") from error
        finally:
            if cursor is not None:
                self._asked.discard(cursor)

    def interrupt(self) -> None:
        """Stop what is running: it ends with `Errors`. For another thread; harmless if nothing runs."""
        for connection in (self._connection, *list(self._asked)):
            connection.interrupt()

    def members(self, program: Program, names: Sequence[str], now: int) -> Iterator[tuple[str, str | int]]:
        """`(segment, contact)` in that order, for the named segments."""
        statement = Statement(program, self.catalog, names, now, self.schema(), self.dialect, self.lookup)
        self.require(statement.used_tables())
        yield from self.sql(statement.text())

    def facts(self, kinds: Iterable[str] | None = None, contact: str | int | None = None) -> Iterator[Facts]:
        """Every contact with its attributes, events of the given kinds (None: all), lists and history, by id.

        contact: a key; only this contact, and the database may skip what it stores of others.
        """
        self.require()
        catalog = self.catalog
        reading = Reading(catalog, get("duckdb"), self.schema())
        if contact is not None:
            reading = Reading(catalog, get("duckdb"), self.schema(), [contact, *self.aliases(contact)])
        attributes = catalog.attributes
        wanted = [nodes.Attribute(key, own.type) for key, own in attributes.items() if not own.history]
        for relation, related in catalog.relations.items():
            wanted += [nodes.Attribute(key, attribute.type, relation) for key, attribute in related.attributes.items()]
        names: dict[nodes.Attribute | nodes.Held, tuple[str, ...]] = {
            node: tuple(f"a{i}_{j}" for j in range(2 if isinstance(node.type, types.Geo) else 1))
            for i, node in enumerate(wanted)
        }
        streams = {kind: _Merge(self._events(reading, kind)) for kind in (catalog.events if kinds is None else kinds)}
        lists = _Merge(self._ordered(reading.on_list(), ["list"])) if catalog.lists else None
        histories = {
            key: _Merge(self._history(reading, key, attribute.type))
            for key, attribute in attributes.items() if attribute.history
        }  # fmt: skip
        outputs = [_output(name, node.type) for node, parts in names.items() for name in parts]
        source = reading.contacts(names, LAST).sql(dialect="duckdb")
        statement = f"SELECT {', '.join(['id', *outputs])} FROM ({source}) AS c ORDER BY id"
        for row in self.sql(statement):
            if contact is not None and row[0] != contact:
                continue
            values: dict[tuple[str | None, str], object] = {}
            at = 1
            for node in wanted:
                cell = row[at : at + len(names[node])]
                at += len(cell)
                value = _python(cell[0], node.type) if len(cell) == 1 else None if None in cell else tuple(cell)
                if value is not None:
                    values[node.relation, node.key] = value
            yield Facts(
                row[0], values,
                {kind: [self._event(kind, each) for each in stream.take(row[0])] for kind, stream in streams.items()},
                frozenset(each[1] for each in lists.take(row[0]) if each[1] is not None) if lists else frozenset(),
                {
                    key: changes([(t, _python(value, kind)) for _, t, value in stream.take(row[0])], kind)
                    for key, stream in histories.items() for kind in [attributes[key].type]
                },
            )  # fmt: skip

    def one(self, text: str | int, kinds: Iterable[str] | None = None) -> Facts:
        """One contact with events of the given kinds, by its key or the key's text.

        Raises `Errors` (SEG0716) if there is none.
        """
        self.require()
        reading = Reading(self.catalog, get("duckdb"), self.schema())
        key = reading.find_key(str(text))
        found = None if key is None else next(self.facts(kinds, key), None)
        if found is None:
            raise failure("SEG0716", f"there is no contact `{text}`", self._who(str(text), reading))
        return found

    def aliases(self, contact: str | int) -> list[str]:
        """The other ids under which a contact's events are recorded."""
        return [alias for alias, _ in self._identities(f"CAST(contact AS VARCHAR) = {files.literal(str(contact))}")]

    def _identities(self, where: str) -> list[tuple[str, str | int]]:
        identities = self.catalog.identities
        if identities is None:
            return []
        reading = Reading(self.catalog, get("duckdb"), self.schema())
        columns = [("alias", reading.text(identities.table, identities.alias)),
                   ("contact", reading.key(identities.table, identities.contact))]  # fmt: skip
        source = select(columns, reading.source(identities.table)).sql(dialect="duckdb")
        return list(self.sql(f"SELECT DISTINCT alias, contact FROM ({source}) AS i WHERE {where} ORDER BY ALL"))

    def _who(self, text: str, reading: Reading) -> str:
        """Which contact may have been meant: whose alias this is, or one whose key is a letter away."""
        wanted = files.literal(text)
        known = self._identities(f"alias = {wanted}")
        if known:
            return f"`{text}` is an alias of `{known[0][1]}`: ask about that one"
        ids = reading.contacts({}, LAST).sql(dialect="duckdb")
        near = f"LEVENSHTEIN(name, {wanted}) <= 1 OR LOWER(name) = LOWER({wanted})"
        statement = f"SELECT name FROM (SELECT CAST(id AS VARCHAR) AS name FROM ({ids}) AS c) AS n WHERE {near}"
        close = [row[0] for row in self.sql(f"{statement} ORDER BY name LIMIT 1")]
        key = self.catalog.key.name
        return f"did you mean `{close[0]}`?" if close else f"contacts are named by `{key}` of `{self.catalog.contacts}`"

    def _history(self, reading: Reading, key: str, kind: Type) -> Iterator[tuple[Any, ...]]:
        return self._ordered(reading.stored_changes(key), ["EPOCH_US(t)", _output("value", kind)])

    def _events(self, reading: Reading, kind: str) -> Iterator[tuple[Any, ...]]:
        event = self.catalog.events[kind]
        names = {key: f"v{i}" for i, key in enumerate(event.properties)}
        outputs = [_output(names[key], prop.type) for key, prop in event.properties.items()]
        time = ["EPOCH_US(t)"] if event.time else ["0"]
        return self._ordered(
            reading.event(kind, names), [*time, *outputs], "EPOCH_US(t) IS NOT NULL" if event.time else "TRUE"
        )

    def _ordered(self, query: Any, outputs: list[str], where: str = "TRUE") -> Iterator[tuple[Any, ...]]:
        source = query.sql(dialect="duckdb")
        columns = ", ".join(["contact", *outputs])
        return self.sql(f"SELECT {columns} FROM ({source}) AS e WHERE contact IS NOT NULL AND {where} ORDER BY contact")

    def _event(self, kind: str, row: tuple[Any, ...]) -> tuple[int, dict[str, object]]:
        properties = self.catalog.events[kind].properties
        pairs = zip(properties.items(), row[2:], strict=True)
        return row[1], {key: _python(v, prop.type) for (key, prop), v in pairs if v is not None}


class _Merge:
    """Rows ordered by contact, handed out contact by contact, in the same order."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.next: tuple[Any, ...] | None = next(rows, None)

    def take(self, contact: object) -> list[tuple[Any, ...]]:
        found = []
        while self.next is not None and self.next[0] < contact:
            self.next = next(self.rows, None)
        while self.next is not None and self.next[0] == contact:
            found.append(self.next)
            self.next = next(self.rows, None)
        return found


def _output(name: str, kind: Type) -> str:
    return f"EPOCH_US({name})" if isinstance(kind, types.Timestamp | types.Date) else name


def _python(value: Any, kind: Type) -> object:
    """The Python form of a canonical value."""
    if value is None:
        return None
    if isinstance(kind, types.Number) and kind.scale:
        with decimal.localcontext(prec=80):
            return int(decimal.Decimal(value).scaleb(kind.scale))
    if isinstance(kind, types.Number):
        return int(value)
    return tuple(value) if isinstance(kind, types.ListOf) else value
