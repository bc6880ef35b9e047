"""The facts beside the shared data sets, the rules that say the same, and the data sets in any database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb

from segdsl import types
from segdsl.backends.sql.dialects import get
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.engines import connect
from tests.support.databases import Table, database
from tests.support.world import instant, program_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

EVENTS = """\
version: 1
database: {folder}
contacts: {{table: contacts, key: contact_id, attributes: {{first seen: {{type: timestamp, column: {first}}}}}}}
sources:
  log:
    table: events
    time: ts
    properties: {{}}
events:
"""
KINDS = {
    "complete_journey": {
        "purchase": {"value": '"decimal(18,2)"', "basket_id": "int"},
        "purchase_item": {"department": "string"},
        "campaign_received": {"campaign_id": "int"},
        "coupon_redeemed": {"campaign_id": "int"},
    },
    "online_retail": {"purchase": {}, "cancellation": {}, "purchase_item": {"description": "string"}},
    "shop_clicks": {
        "add_to_cart": {"session_id": "string"},
        "purchase": {"session_id": "string"},
        "product_view": {"session_id": "string"},
        "payment_details": {"session_id": "string"},
    },
    "weblog": {
        "page_view": {"path": "string"}, "asset_view": {}, "error": {}, "redirect": {}, "other": {},
    },
}  # fmt: skip
RULES = {
    "cj1": "purchase >= 10 in 30d",
    "cj2": "purchase and not purchase in 30d",
    "cj3": "sum(value of purchase in 90d) >= 500.00",
    "cj6": "distinct(department of purchase item in 30d) >= 10",
    "or1": "purchase >= 3 in 90d",
    "or2": "purchase and not purchase in 90d",
    "or6": 'purchase item where (description contains "CHRISTMAS" ignoring case) in 60d',
    "sc1": "add to cart in 30d and not purchase in 30d",
    "wl1": "page view >= 5 in 24h",
    "wl4": "first(any event) in 24h",
    "cj4": "campaign received then coupon redeemed within 45d with same campaign_id",
    "or3": "purchase then cancellation within 7d",
    "sc2": "product view then purchase within 7d",
    "sc6": "product view then add to cart then payment details with same session_id without any purchase",
    "wl2": 'page view where (path starts with "/presentations/")'
    ' then page view where (path starts with "/blog/") within 24h',
}


def facts() -> Iterator[dict[str, str]]:
    path = DATA / "reference.json"
    if path.exists():
        yield from json.loads(path.read_text())["facts"]


def catalog_of(dataset: str) -> Catalog:
    folder = DATA / dataset
    first = "first_purchase_at" if dataset == "complete_journey" else "first_seen_at"
    text = EVENTS.format(folder=folder, first=first)
    for kind, properties in KINDS[dataset].items():
        declared = ", ".join(f"{name}: {type_}" for name, type_ in properties.items())
        text += f"  {kind}: {{from: log, where: {{kind: {kind}}}, properties: {{{declared}}}}}\n"
    catalog, diagnostics = load_text(text, "segdsl.yml", folder)
    assert catalog is not None, [(d.code, d.message) for d in diagnostics]
    return catalog


def stored(name: str, dataset: str) -> Catalog:
    """A data set in a running database: the columns that rules ask, each in the database's own type for it."""
    dialect, running = get(name), database(name)
    text, time, number = types.String(), types.Timestamp(), types.Float()
    kinds = {"ts": time, "first_seen_at": time, "first_purchase_at": time, "value": number,
             "basket_id": types.INT, "campaign_id": types.INT}  # fmt: skip
    tables = {}
    with duckdb.connect() as connection:
        for table in ("contacts", "events"):
            path = DATA / dataset / f"{table}.parquet"
            there = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
            properties = {name for wanted in KINDS[dataset].values() for name in wanted}
            columns = [each for each in there if each in {"contact_id", "kind", *kinds, *properties}]
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM '{path}'").fetchall()
            times = [i for i, column in enumerate(columns) if kinds.get(column) == time]
            physical = {column: dialect.physical_of(kinds.get(column, text)) for column in columns}
            tables[table] = Table(physical, [aware(row, times) for row in rows])
    running.load(tables)
    return replace(catalog_of(dataset), database=running.url)


def aware(row: Iterable[Any], times: Iterable[int]) -> list[Any]:
    found = list(row)
    for i in times:
        found[i] = found[i] and found[i].replace(tzinfo=UTC)
    return found


def told(catalog: Catalog, fact: dict[str, str]) -> tuple[int, str]:
    """How many members a fact's rule has, and the checksum of their ids, by SQL."""
    program = program_of(f"segment rule:\n    {RULES[fact['id']]}\n", catalog)
    with connect(catalog) as engine:
        return checked(contact for _, contact in engine.members(program, ["rule"], instant(fact["now"])))


def checked(ids: Iterable[object]) -> tuple[int, str]:
    texts = sorted(map(str, ids))
    return len(texts), hashlib.md5("\n".join(texts).encode()).hexdigest()
