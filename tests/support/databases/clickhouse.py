"""ClickHouse for tests: embedded through chdb, and the same database as a server that speaks HTTP.

The HTTP server is a stand-in of our own in front of chdb, as no package ships a ClickHouse server. What the driver gets
to read are ClickHouse's own bytes; accounts, TLS and the behaviour of a real server under way are not tested.
"""

from __future__ import annotations

import atexit
import base64
import json
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb.state.sqlitelike import ChdbError, Connection

from tests.support.databases import Table

USER, PASSWORD = "tester", "p@ss/w:rd%?"
_READING = {"date_time_input_format": "'best_effort'", "session_timezone": "'UTC'"}


class ClickHouseDatabase:
    """A folder that this process has open. engine: what every table is made with."""

    engine = "Memory"

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="segdsl-ch-")
        atexit.register(self.close)
        self.url = f"chdb:///{self.folder}"
        self.connection = Connection(self.folder)
        self.connection.query("SET " + ", ".join(f"{name} = {value}" for name, value in _READING.items()))

    def load(self, tables: Mapping[str, Table]) -> None:
        for name, table in tables.items():
            if "." in name:
                self.connection.query(f"CREATE DATABASE IF NOT EXISTS {quoted(name.split('.')[0])}")
            named = ".".join(map(quoted, name.split(".")))
            columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in table.columns.items())
            self.connection.query(f"CREATE OR REPLACE TABLE {named} ({columns}) ENGINE = {self.engine}")
            if table.rows:
                kinds = table.columns.values()
                lines = "\n".join(
                    json.dumps([_value(v, kind) for v, kind in zip(row, kinds, strict=True)], ensure_ascii=False)
                    for row in table.rows
                )
                with self.connection.send_insert(f"INSERT INTO {named}", "JSONCompactEachRow") as inserting:
                    inserting.append(lines)
                    inserting.finish()

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _value(value: object, kind: str) -> object:
    """A value as it stands in a line of JSON."""
    match value:
        case list() if not kind.startswith("Array"):
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return value


# --- over HTTP -------------------------------------------------------------------------------------------------------


class ClickHouseServer:
    """The same database behind a port: as much of ClickHouse's HTTP interface as clickhouse-connect uses."""

    def __init__(self, database: ClickHouseDatabase) -> None:
        self.load = database.load
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.folder = database.folder  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        self.url = f"clickhouse://{USER}:p%40ss%2Fw%3Ard%25%3F@127.0.0.1:{self.port}/default"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        atexit.register(self.close)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


# What the driver sends in the URL that is no setting.
_NO_SETTINGS = {"database", "query", "query_id", "default_format", "wait_end_of_query", "client_protocol_version",
                "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
                "cancel_http_readonly_queries_on_client_close"}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, body: bytes) -> None:
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            for part in form.iter_parts():  # type: ignore[attr-defined]
                name = part.get_param("name", header="Content-Disposition")
                fields[name] = part.get_payload(decode=True).decode()
        else:
            fields["query"] = fields.get("query", "") + body.decode()
        statement = fields["query"]
        parameters = {key.removeprefix("param_"): v for key, v in fields.items() if key.startswith("param_")}
        settings = {key: v for key, v in fields.items() if key not in _NO_SETTINGS and not key.startswith("param_")}
        if self._refused() or self._unknown(fields.get("database", "default")):
            return
        form_of_answer = re.search(r"\bFORMAT\s+(\w+)\s*;?\s*$", statement)
        if form_of_answer:
            statement = statement[: form_of_answer.start()]
        connection = Connection(self.server.folder)  # type: ignore[attr-defined]
        try:
            if settings:  # `readonly` comes last
                ordered = sorted(settings, key=lambda name: name == "readonly")
                connection.query("SET " + ", ".join(f"{name} = '{settings[name]}'" for name in ordered))
            if statement.startswith("KILL"):
                connection.query(statement)
                statement = "SELECT 1"
            form = form_of_answer.group(1) if form_of_answer else "TabSeparated"
            self._stream(connection, statement, form, parameters)
        except ChdbError as error:
            self._failed(500, str(error))
        finally:
            connection.close()

    def _stream(self, connection: Connection, statement: str, form: str, parameters: Mapping[str, str]) -> None:
        stream = connection.send_query(statement, form, params=parameters)
        block = stream.fetch()  # an error before the first block is an HTTP status of its own
        self.send_response(200)
        self.send_header("X-ClickHouse-Format", form)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while block is not None:
                data = block.bytes()
                if data:
                    self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                block = stream.fetch()
            self.wfile.write(b"0\r\n\r\n")
        except ChdbError as error:  # as a server that is in the middle of an answer: words, and the line goes dead
            words = str(error).encode()
            self.wfile.write(f"{len(words):x}\r\n".encode() + words + b"\r\n")
            self.close_connection = True
        except OSError:  # nobody reads on
            self.close_connection = True
        finally:
            stream.cancel()

    def _refused(self) -> bool:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            return False
        self._failed(403, "Code: 516. DB::Exception: tester: Authentication failed: password is incorrect, or there is "
                     "no user with such name. (AUTHENTICATION_FAILED)")  # fmt: skip
        return True

    def _unknown(self, database: str) -> bool:
        if database == "default":
            return False
        self._failed(404, f"Code: 81. DB::Exception: Database {database} does not exist. (UNKNOWN_DATABASE)")
        return True

    def _failed(self, status: int, words: str) -> None:
        code = re.search(r"Code: (\d+)", words)
        data = words.encode()
        self.send_response(status)
        self.send_header("X-ClickHouse-Exception-Code", code.group(1) if code else "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
