"""DuckDB: a database file, or a folder of files read in memory."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from segdsl.backends.sql.dialects import duckdb as dialect
from segdsl.backends.sql.lookups import by_windows
from segdsl.catalog import model
from segdsl.engines import files
from segdsl.engines.engine import BATCH, Engine, Execute, Row, failure

# What questions may take at first: what does not fit is put on disk. Only one that cannot be answered so, of a thousand
# segments perhaps, is asked again with all the memory that DuckDB takes by itself.
MEMORY = "600MB"
ON_PATHS = (
    "`database` in segdsl.yml is a folder of files or a URL such as duckdb:///warehouse.duckdb; "
    "a relative path starts from segdsl.yml's folder"
)
ON_WRITERS = (
    "DuckDB lets nobody else in as long as one process may write: let it close the file, and ask again; "
    "`segdsl follow --live` waits for that by itself"
)
# What can be done about some of DuckDB's own errors.
REMEDIES = {
    "not a valid DuckDB database file": ON_PATHS,
    "Cannot open file": "may you read the file? To store membership you must be allowed to write it and its folder",
    "No space left on device": "make room on the disk, and run it again",
}


class DuckDB(Engine):
    """A database file, read only unless it is opened for writing, or a folder of files."""

    dialect = dialect.DuckDB()

    def __init__(self, catalog: model.Catalog, writing: bool = False) -> None:
        super().__init__(catalog)
        url = catalog.database or ""
        self.folder: Path | None = None
        try:
            if url.startswith("duckdb://"):
                path = Path(url.removeprefix("duckdb://").removeprefix("/"))
                if not path.is_absolute():
                    path = catalog.folder / path
                if not path.is_file():
                    raise failure("SEG0710", f"there is no database file `{path}`", ON_PATHS)
                self._connection = duckdb.connect(str(path), read_only=not writing)
            else:
                self.folder = Path(url)
                if not self.folder.is_dir():
                    raise failure("SEG0710", f"there is no folder `{url}`", ON_PATHS)
                self._connection = duckdb.connect()
                self._read_folder(self.folder)
            self._connection.execute("SET TimeZone = 'UTC'")
            self._connection.execute(f"SET memory_limit = '{MEMORY}'")
            # Not beside the database, where nobody may be allowed to write; DuckDB removes the folder at its end.
            spilled = Path(tempfile.gettempdir()) / f"segdsl-{secrets.token_hex(8)}"
            self._connection.execute(f"SET temp_directory = {files.literal(str(spilled))}")
            tables = self._connection.execute("SELECT COUNT(*) FROM duckdb_tables() WHERE sql ILIKE '% COLLATE %'")
            self._collations = tables.fetchall() != [(0,)]
            # Where DuckDB expects few rows it runs an ASOF JOIN as a nested loop.
            self._connection.execute("SET asof_loop_join_threshold = 0")
        except duckdb.Error as error:
            if "set lock on file" in str(error):
                raise failure("SEG0755", f"another process has `{url}` open for writing", ON_WRITERS) from error
            raise failure("SEG0719", f"the database says: {error}", _remedy(error)) from error
        self._asked: set[duckdb.DuckDBPyConnection] = set()  # the cursors of questions that are not answered yet

    def close(self) -> None:
        self._connection.close()

    def _read_folder(self, folder: Path) -> None:
        for table, columns in self.used.items():
            path = files.find(folder, table)
            if path is not None:
                # DuckDB knows how many rows a table or a Parquet file has; of others it expects none, for which it
                # would still run an ASOF JOIN as a nested loop.
                self.lookup = self.lookup if path.suffix == ".parquet" else by_windows
                parts = table.split(".")
                if len(parts) > 1:
                    self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {files.quoted(parts[0])}")
                self._connection.execute(
                    f"CREATE VIEW {self.table(table)} AS {files.view(path, columns, self._connection)}"
                )

    # --- what there is -------------------------------------------------------------------------------------------

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        try:
            rows = self._connection.execute(f"DESCRIBE {self.table(table)}").fetchall()
        except duckdb.CatalogException:
            return None
        # DuckDB tells a column's collation nowhere but in the text of the table, and a view has that of its tables.
        text = dialect.COLLATED if self._collations else "VARCHAR"
        return [(row[0], text if row[1] == "VARCHAR" else row[1]) for row in rows]

    def table(self, name: str) -> str:
        """A table's name as SQL spells it."""
        return ".".join(files.quoted(part) for part in name.split("."))

    def tables(self) -> list[str]:
        if self.folder is not None:
            return files.stems(self.folder)
        return [row[0] for row in self.rows("SELECT table_name FROM information_schema.tables ORDER BY 1", {})]

    def home(self, table: str) -> str:
        if self.folder is None:
            return super().home(table)
        return f"a table is a file: put {table}.csv, {table}.jsonl or {table}.parquet into {self.folder}"

    # --- questions -------------------------------------------------------------------------------------------------

    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        cursor: duckdb.DuckDBPyConnection | None = None
        try:
            cursor = self._connection.cursor()
            self._asked.add(cursor)
            cursor.execute("SET TimeZone = 'UTC'")
            try:
                cursor.execute(statement, values or None)
            except duckdb.OutOfMemoryException:
                cursor.execute("RESET memory_limit")
                cursor.execute(statement, values or None)
            while rows := cursor.fetchmany(BATCH):
                yield from rows
        except duckdb.Error as error:
            raise failure("SEG0719", f"the database says: {error}", _remedy(error)) from error
        except RuntimeError as error:  # how DuckDB takes Ctrl-C, if it hears it
            if "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise
        finally:
            if cursor is not None:
                self._asked.discard(cursor)

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        cursor = self._connection.cursor()
        try:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("BEGIN")
            self._asked.add(cursor)
            yield lambda statement, values: _executed(cursor, statement, values)
            cursor.execute("COMMIT")
        except duckdb.Error as error:
            help = _remedy(error) or "nothing was changed"
            raise failure("SEG0742", f"the database refuses: {error}", help) from error
        except RuntimeError as error:
            if "interrupted" in str(error):
                raise KeyboardInterrupt from error
            raise
        finally:
            self._asked.discard(cursor)
            cursor.close()  # what is not committed is undone

    def interrupt(self) -> None:
        for connection in (self._connection, *list(self._asked)):
            connection.interrupt()


def _executed(cursor: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, str]) -> None:
    cursor.execute(statement, dict(values) or None)


def _remedy(error: duckdb.Error) -> str:
    """What can be done about an error; "" if DuckDB's own words have to do."""
    return next((help for words, help in REMEDIES.items() if words in str(error)), "")
