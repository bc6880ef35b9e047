"""ClickHouse embedded in this process through chdb: a folder that it keeps.

Facts about chdb that are dealt with here:

- A connection asks one question at a time, so each question gets one of its own. They see the same tables.
- A process has one folder open at a time, in any number of connections, and no other process may have it open, too.
- It makes the folder that it is to open, and ends with an error that names no reason where it cannot.
- Within it a thread hears no signal: blocks are fetched in another thread, so that Ctrl-C ends a long question.
- Texts that placeholders stand for are read like a field of a TSV file, backslashes and all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from chdb.state.sqlitelike import ChdbError, Connection  # type: ignore[attr-defined]

from segdsl.catalog import model
from segdsl.engines.clickhouse_common import ClickHouse, reason
from segdsl.engines.engine import Execute, Row, failure

JSON = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 1,
    "output_format_json_escape_forward_slashes": 0,
}


class ChDB(ClickHouse):
    """A folder of chdb, `chdb:///folder`."""

    def __init__(self, catalog: model.Catalog, writing: bool = False) -> None:
        super().__init__(catalog, writing)
        name = (catalog.database or "").removeprefix("chdb://").removeprefix("/")
        folder = catalog.folder / name
        if not (folder / "metadata").is_dir() or "?" in str(folder):
            raise failure("SEG0710", f"there is no chdb database in `{folder}`",
                          "write `chdb:///folder`, from segdsl.yml's folder, or `chdb:////folder`")  # fmt: skip
        self._path = str(folder.resolve())
        self._first = self._connected()  # chdb is started with the first connection and ends with the last one
        self._worker = ThreadPoolExecutor(1, "chdb")

    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        for block in self._blocks(statement, values):
            lines = block.decode("utf-8", "replace").rstrip("\n")  # in a line of JSON there is no other line feed
            yield from map(tuple, json.loads("[" + lines.replace("\n", ",") + "]"))

    def _blocks(self, statement: str, values: Mapping[str, str]) -> Iterator[bytes]:
        connection = stream = None
        try:
            connection = self._connected()
            escaped = {name: _escaped(value) for name, value in values.items()}
            stream = connection.send_query(statement, "JSONCompactEachRow", params=escaped)
            while block := self._worker.submit(stream.fetch).result():
                yield block.bytes()
        except ChdbError as error:
            raise failure("SEG0719", f"the database says: {reason(error)}") from error
        except KeyboardInterrupt:  # while the worker still waits for its block
            self.interrupt()
            raise
        finally:
            if stream is not None:
                stream.cancel()  # type: ignore[no-untyped-call]
            if connection is not None:
                connection.close()

    def command(self, statement: str, values: Mapping[str, str] | None = None) -> None:
        with self.session() as execute:
            execute(statement, values or {})

    @contextmanager
    def session(self) -> Iterator[Execute]:
        connection = self._connected()
        try:
            yield lambda statement, values: _executed(connection, statement, values)
        finally:
            connection.close()

    def close(self) -> None:
        self._worker.shutdown()
        self._first.close()

    def _connected(self) -> Connection:
        """Another connection to the folder, with all settings. Raises `Errors` (SEG0710)."""
        try:
            connection = Connection(self._path)
        except RuntimeError as error:
            where = " in this process" if "already initialized" in str(error) else ""
            help = "chdb has one folder open at a time" if where else "another process may have it open"
            raise failure("SEG0710", f"the chdb database in `{self._path}` cannot be opened{where}", help) from error
        settings = {"session_timezone": "UTC", **JSON, **self.settings()}
        connection.query("SET " + ", ".join(f"{name} = {_literal(value)}" for name, value in settings.items()))
        return connection


def _executed(connection: Connection, statement: str, values: Mapping[str, str]) -> None:
    connection.query(statement, params={name: _escaped(value) for name, value in values.items()})


def _escaped(text: str) -> str:
    """A text as a placeholder takes it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _literal(value: str | int) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
