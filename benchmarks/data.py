"""Made-up contacts and events in a DuckDB file, the same for every benchmark."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb

SCALE = float(os.environ.get("SCALE", "1"))
NOW = datetime(2026, 6, 30, tzinfo=UTC)
PROJECT = """\
version: 1
database: duckdb:///events.duckdb
contacts: {table: contacts, key: id, attributes: {country: string, score: int}}
sources:
  log: {table: events, contact: contact_id, time: ts, object: path, properties: {path: string, amount: "decimal(12,2)"}}
events:
  view: {from: log, where: {kind: view}}
  cart: {from: log, where: {kind: cart}}
  buy: {from: log, where: {kind: buy}}
  mail: {from: log, where: {kind: mail}}
"""


def folder() -> Path:
    """A folder with `segdsl.yml` and `events.duckdb`; made once for each scale."""
    place = Path(tempfile.gettempdir()) / f"segdsl-benchmark-{SCALE:g}"
    file = place / "events.duckdb"
    place.mkdir(exist_ok=True)
    (place / "segdsl.yml").write_text(PROJECT)
    if not file.exists():
        contacts, events = int(200_000 * SCALE), int(4_000_000 * SCALE)
        unfinished = place / "unfinished.duckdb"
        unfinished.unlink(missing_ok=True)
        with duckdb.connect(str(unfinished)) as connection:
            connection.execute("SELECT setseed(0.5)")
            connection.execute(
                "CREATE TABLE contacts AS SELECT i::BIGINT AS id, ['DE', 'US', 'FR', 'AT'][1 + i % 4] AS country,"
                f" (i % 100)::BIGINT AS score FROM range({contacts}) AS t(i)"
            )
            # Skewed: most contacts have few events, one has 37,000.
            connection.execute(
                "CREATE TABLE events AS SELECT contact_id, kind, path, amount, ts FROM ("
                f"SELECT ({contacts} * pow(random(), 1.3))::BIGINT % {contacts} AS contact_id, random() AS k,"
                " '/p/' || (random() * 200)::INT AS path, (random() * 100)::DECIMAL(12, 2) AS amount,"
                " TIMESTAMP '2026-01-01' + to_microseconds((random() * 180 * 86400 * 1e6)::BIGINT) AS ts"
                f" FROM range({events})), LATERAL (SELECT CASE WHEN k < 0.6 THEN 'view' WHEN k < 0.8 THEN 'cart'"
                " WHEN k < 0.9 THEN 'buy' ELSE 'mail' END AS kind)"
            )
            connection.execute(
                "INSERT INTO events SELECT 7, ['view', 'cart', 'buy'][1 + i % 3], '/p/1', 1,"
                " TIMESTAMP '2026-01-01' + to_seconds(i * 400) FROM range(37000) AS t(i)"
            )
        unfinished.rename(file)
    return place
