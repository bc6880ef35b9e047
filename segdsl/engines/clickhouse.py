"""A ClickHouse server, asked over HTTP through clickhouse-connect.

A question needs no session, so any number of them may be open at the same time.
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error
from urllib3.exceptions import HTTPError

from segdsl.catalog import model
from segdsl.engines.clickhouse_common import ClickHouse, reason
from segdsl.engines.engine import Execute, Row, failure

FORM = "clickhouse://user:password@host:8123/database"
PATIENCE = 10  # seconds that a server may take to accept a connection
LONGEST = 24 * 3600  # seconds that a server may take to answer
IDLE = 600  # seconds between two statements for which a session keeps its temporary tables

logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # what it logs, it also raises


class ClickHouseServer(ClickHouse):
    """A server, `clickhouse://user:password@host:port/database`, or `clickhouses://` for TLS."""

    def __init__(self, catalog: model.Catalog, writing: bool = False) -> None:
        super().__init__(catalog, writing)
        parts = _parsed(catalog.database or "")
        tls = parts.scheme == "clickhouses"
        try:
            self._client = clickhouse_connect.get_client(
                interface="https" if tls else "http",
                host=parts.hostname or "localhost",
                port=parts.port or (8443 if tls else 8123),
                username=unquote(parts.username or os.environ.get("CLICKHOUSE_USER", "default")),
                password=unquote(parts.password or "") or os.environ.get("CLICKHOUSE_PASSWORD", ""),
                database=unquote(parts.path[1:]) or None,
                client_name="segdsl",
                connect_timeout=PATIENCE,
                send_receive_timeout=LONGEST,
                autogenerate_session_id=False,  # a session would answer one question at a time
                form_encode_query_params=True,  # in a URL there is not room for every value
            )
        except (Error, HTTPError) as error:
            raise failure("SEG0710", f"there is no connection to the database: {reason(error)}",
                          f"`database` in segdsl.yml is like `{FORM}`; is the server running, and may you use it?"
                          ) from None  # fmt: skip
        allowed = self._client.server_settings["readonly"].value
        if allowed == "1":
            self._client.close()
            raise failure("SEG0710", "the database allows its user no settings, and what is asked needs some",
                          "give the user the setting `readonly = 2` instead of 1: it may not write then, either"
                          )  # fmt: skip
        for name, value in self.settings().items():
            if name != "readonly" or allowed == "0":
                self._client.set_client_setting(name, value)

    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        try:
            with self._client.query_row_block_stream(statement, parameters=dict(values)) as blocks:
                yield from map(tuple, itertools.chain.from_iterable(blocks))
        except (Error, HTTPError) as error:
            raise failure("SEG0719", f"the database says: {reason(error)}") from error

    def command(self, statement: str, values: Mapping[str, str] | None = None) -> None:
        self._client.command(statement, parameters=dict(values or {}))

    @contextmanager
    def session(self) -> Iterator[Execute]:
        name = f"segdsl-{secrets.token_hex(8)}"
        settings: dict[str, str | int] = {"session_id": name, "session_timeout": IDLE}
        yield lambda statement, values: _told(self._client, statement, values, settings)

    def close(self) -> None:
        self._client.close()


def _told(client: Client, statement: str, values: Mapping[str, str], settings: dict[str, str | int]) -> None:
    client.command(statement, parameters=dict(values), settings=settings)


def _parsed(url: str) -> SplitResult:
    """The parts of a URL. Raises `Errors` (SEG0710); what is wrong may be a piece of a password: not shown."""
    try:
        parts = urlsplit(url)
        fine = parts.port is None or parts.port > 0
    except ValueError:
        fine = False
    if not fine or parts.query or parts.fragment or "/" in parts.path[1:] or "@" in parts.path:
        help = "write `@`, `/`, `:`, `?`, `#` and `%` in a password as `%40`, `%2F`, `%3A`, `%3F`, `%23` and `%25`"
        raise failure("SEG0710", f"`database` is no URL such as `{FORM}`", help)
    return parts
