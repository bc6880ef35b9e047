"""PostgreSQL: each question is a cursor on the server, in a transaction that cannot write.

Questions that are open at the same time share one transaction and see one state of the database. It begins with the
first of them and ends with the last, so that a session at the prompt does not keep the server from tidying up.

Facts about PostgreSQL that are dealt with here:

- A cursor is planned for its first tenth of rows unless `cursor_tuple_fraction` is 1.
- Settings of a role or a database may change what a query means (`transform_null_equals`) or how a value is written
  (`extra_float_digits`, `DateStyle`): each transaction sets them for itself, which also outlives a connection pool
  that hands out another session for every transaction.
- `format_type` names an enum or a domain, not what it is: `columns` looks behind both.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from segdsl.backends.sql.dialects import get
from segdsl.catalog import model
from segdsl.core.contact import Facts
from segdsl.engines.engine import BATCH, Engine, Execute, Row, failure

OLDEST = 13  # the first version that this project's statements are written for
LOCK = 0x73656764736C  # `segdsl` in ASCII: the key of the lock that one refresh holds at a time
PATIENCE = 10  # seconds that a server may take to answer, unless the URL says otherwise
FORM = "postgresql://user:password@host:5432/database"
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "cursor_tuple_fraction": "1",
    "idle_in_transaction_session_timeout": "0",  # whoever reads slowly is not idle
}
_SETTINGS = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in SETTINGS.items())

_TABLES = """
    SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""

# Each column of some tables, whose names come as JSON, with its type. Through domains to what they are made of; `ENUM`
# for an enum, with `[]` for a list of them. A text whose collation is neither the database's own nor C says so: two
# of those cannot even be compared.
_COLUMNS = """
    WITH RECURSIVE wanted AS (
        SELECT place, to_regclass(name) AS relation
        FROM json_array_elements_text($1::json) WITH ORDINALITY AS named (name, place)
    ), made AS (
        SELECT w.place, a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS modifier, a.attcollation AS collation
        FROM pg_attribute AS a JOIN wanted AS w ON a.attrelid = w.relation
        WHERE a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT m.place, m.attnum, m.attname, t.typbasetype, t.typtypmod, m.collation
        FROM made AS m JOIN pg_type AS t ON t.oid = m.type
        WHERE t.typtype = 'd'
    )
    SELECT m.place, m.attname,
        CASE
            WHEN t.typtype = 'e' THEN 'ENUM'
            WHEN item.typtype = 'e' THEN 'ENUM[]'
            WHEN t.typtype = 'c' THEN 'ROW'
            WHEN item.typtype IN ('c', 'd') THEN 'ROW[]'
            WHEN t.typname = 'citext' THEN 'citext'
            ELSE format_type(m.type, m.modifier)
        END
        || CASE WHEN l.collname <> 'default' AND l.collname <> 'C' THEN ' COLLATE ' || l.collname ELSE '' END
    FROM made AS m
    JOIN pg_type AS t ON t.oid = m.type
    LEFT JOIN pg_type AS item ON item.oid = t.typelem AND t.typcategory = 'A'
    LEFT JOIN pg_collation AS l ON l.oid = m.collation
    WHERE t.typtype <> 'd'
    ORDER BY m.place, m.attnum
"""


@dataclass(eq=False)
class _Transaction:
    """One state of the database, and how many questions about it are not answered yet."""

    questions: int = 0


class Postgres(Engine):
    """A connection to a PostgreSQL server."""

    dialect = get("postgres")
    minds_case = True

    def __init__(self, catalog: model.Catalog, writing: bool = False) -> None:
        """writing: has a connection of its own, in `writing`; the one that asks reads only all the same."""
        super().__init__(catalog)
        self._connection = _connected(catalog.database or "")
        self._writer: psycopg.Connection | None = None
        self._current: _Transaction | None = None
        self._numbers = itertools.count(1)

    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        with self._asking() as mine:
            cursor = psycopg.RawServerCursor(self._connection, f"segdsl_{next(self._numbers)}")
            try:
                cursor.execute(statement.encode(), [values[f"p{i + 1}"] for i in range(len(values))])
                while batch := cursor.fetchmany(BATCH):
                    yield from batch
                    if self._current is not mine:
                        raise failure("SEG0719", "an error in another question ended the reading of this one")
            finally:
                if self._current is mine:
                    cursor.close()

    def facts(self, kinds: Iterable[str] | None = None, contact: str | int | None = None) -> Iterator[Facts]:
        with self._asking():  # of one state, even where a stream is empty before the next one is opened
            yield from super().facts(kinds, contact)

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        return self.columns_of([table])[table]

    def columns_of(self, tables: Iterable[str]) -> dict[str, list[tuple[str, str]] | None]:
        found: dict[str, list[tuple[str, str]] | None] = dict.fromkeys(tables)
        # With a database before the schema: PostgreSQL asks no other than the one it is in.
        here = [table for table in found if table.count(".") < 2]
        quoted = [".".join('"' + part.replace('"', '""') + '"' for part in table.split(".")) for table in here]
        for place, column, physical in self.rows(_COLUMNS, {"p1": json.dumps(quoted)}):
            stored = found[here[place - 1]] or []
            stored.append((column, physical))
            found[here[place - 1]] = stored
        return found

    def tables(self) -> list[str]:
        return sorted(name for (name,) in self.rows(_TABLES, {}))

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        writer = _connected(self.catalog.database or "", writing=True)
        self._writer = writer
        try:
            # Held until the connection ends; asked for before the transaction has its view of the data.
            [(alone,)] = writer.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchall()
            writer.commit()
            if not alone:
                help = "wait until it is done; two at a time would tell the same change twice"
                raise failure("SEG0743", "another refresh writes to this database", help)
            writer.execute(_SETTINGS.encode())
            cursor = psycopg.RawCursor(writer)
            yield lambda statement, values: _executed(cursor, statement, values)
            writer.commit()
        except (psycopg.Error, UnicodeError) as error:
            remedy = _remedy(error, "SELECT, INSERT, DELETE", "USAGE, CREATE")
            help = f"{remedy}; nothing was changed" if remedy else "nothing was changed"
            raise failure("SEG0742", f"the database refuses: {_line(error)}", help) from error
        finally:
            self._writer = None
            writer.close()  # what is not committed is undone

    def interrupt(self) -> None:
        for connection in (self._connection, self._writer):
            if connection is not None:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=PATIENCE)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _asking(self) -> Iterator[_Transaction]:
        """The transaction for a question: the current one, if there is one and no error ended it.

        Errors of the database become `Errors` (SEG0719).
        """
        try:
            if self._connection.broken:  # by an earlier question
                self._connection = _connected(self.catalog.database or "")
            if self._current is None or self._connection.info.transaction_status != TransactionStatus.INTRANS:
                self._connection.rollback()
                self._connection.execute(_SETTINGS.encode())
                self._current = _Transaction()
            mine = self._current
            mine.questions += 1
            try:
                yield mine
            finally:
                mine.questions -= 1
                if self._current is mine and not mine.questions:
                    self._current = None
                    if not self._connection.closed:
                        self._connection.rollback()
        except (psycopg.Error, UnicodeError) as error:
            raise failure("SEG0719", f"the database says: {_line(error)}", _remedy(error, "SELECT", "USAGE")) from error


def _executed(cursor: psycopg.RawCursor[Row], statement: str, values: Mapping[str, str]) -> None:
    cursor.execute(statement.encode(), [values[f"p{i + 1}"] for i in range(len(values))])


def _connected(url: str, writing: bool = False) -> psycopg.Connection:
    """A connection to a server that is fit for it. Raises `Errors` (SEG0710)."""
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        parts = {"port": "none"}
    # Whatever is wrong here may be a piece of a password, and is not shown.
    if not re.fullmatch(r"[0-9,]*", parts.get("port", "")) or "@" in parts.get("host", "") + parts.get("dbname", ""):
        help = "write `@`, `/`, `:`, `?` and `%` in a password as `%40`, `%2F`, `%3A`, `%3F` and `%25`"
        raise failure("SEG0710", f"`database` is no URL such as `{FORM}`", help)
    fixed = {"connect_timeout": PATIENCE, "fallback_application_name": "segdsl", **parts, "client_encoding": "UTF8"}
    try:
        connection = psycopg.connect(**fixed, prepare_threshold=None)  # type: ignore[arg-type]
        connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, not writing
    except psycopg.Error as error:
        said = _line(error)
        if parts.get("password"):
            said = said.replace(parts["password"], "***")
        help = f"`database` in segdsl.yml is like `{FORM}`; is the server running, and may you use it?"
        raise failure("SEG0710", f"there is no connection to the database: {said}", help) from None
    version, encoding = connection.info.server_version, connection.info.parameter_status("server_encoding")
    if version < OLDEST * 10_000 or encoding != "UTF8":
        connection.close()
        what = f"PostgreSQL {version // 10_000}" if version < OLDEST * 10_000 else f"a database encoded as {encoding}"
        raise failure("SEG0710", f"this is {what}", f"segdsl asks PostgreSQL {OLDEST} and newer, encoded as UTF8")
    return connection


def _remedy(error: BaseException, of_table: str, of_schema: str) -> str:
    """The right that somebody has to give where one is missing: of a table, or of a schema; "" for other errors."""
    if not isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ""
    if "temporary tables" in str(error):
        return "a refresh works with temporary tables: `GRANT TEMPORARY ON DATABASE` this one to its user"
    found = re.search(r"permission denied for (table|view|materialized view|foreign table|schema) (\S+)", str(error))
    if found is None:  # of something else, or in the server's language
        return "the user of `database` in segdsl.yml may not do this: let its owner or an administrator allow it"
    kind, name = found.groups()
    rights, on = (of_schema, "SCHEMA ") if kind == "schema" else (of_table, "")
    return f"let its owner allow it to the user of `database` in segdsl.yml: `GRANT {rights} ON {on}{name} TO` that one"


def _line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())
