"""The facts beside the shared data sets, which independent SQL computed: member counts and the ids' checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from segdsl.backends.python import compile_program
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.engines import connect
from tests.support.world import instant, program_of

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside the project")

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


def test_every_fact_is_told() -> None:
    assert {fact["id"] for fact in facts()} == set(RULES)


@pytest.mark.parametrize("fact", list(facts()), ids=lambda fact: fact["id"])
def test_fact(fact: dict[str, str]) -> None:
    catalog = catalog_of(fact["dataset"])
    program = program_of(f"segment rule:\n    {RULES[fact['id']]}\n", catalog)
    with connect(catalog) as engine:
        ids = sorted(str(contact) for _, contact in engine.members(program, ["rule"], instant(fact["now"])))
    assert len(ids) == fact["count"]
    assert hashlib.md5("\n".join(ids).encode()).hexdigest() == fact["ids_md5"]


SMALL = ("shop_clicks", "weblog", "online_retail")


@pytest.mark.parametrize("fact", [f for f in facts() if f["dataset"] in SMALL], ids=lambda fact: fact["id"])
def test_fact_by_python(fact: dict[str, str]) -> None:
    """The same by predicates over one contact after the other."""
    catalog = catalog_of(fact["dataset"])
    compiled = compile_program(program_of(f"segment rule:\n    {RULES[fact['id']]}\n", catalog))
    predicate, now = compiled.predicate("rule"), instant(fact["now"])
    with connect(catalog) as engine:
        ids = sorted(str(contact.id) for contact in engine.facts() if predicate(contact, now))
    assert (len(ids), hashlib.md5("\n".join(ids).encode()).hexdigest()) == (fact["count"], fact["ids_md5"])
