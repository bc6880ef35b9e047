"""The project file: all its forms, its mistakes with their places, and texts meant to harm."""

from __future__ import annotations

import random
import string
import subprocess
import sys
from pathlib import Path

import pytest

from segdsl.catalog import Catalog, find, load, load_text
from segdsl.catalog.model import Column, History, Identities, Lists, TimeColumn
from segdsl.catalog.schema import json_schema
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.suggest import nearest
from segdsl.types import INT, Enum, Geo, ListOf, String, Timestamp, decimal

SAMPLE = """\
version: 1
database: ./data
timezone: Europe/Berlin
rules: ["segments/**/*.seg"]
contacts:
  table: contacts
  key: contact_id
  attributes:
    country: string
    lead score: int              # column defaults to the name with underscores
    email: {type: string, required: true}
    signup date: {type: timestamp, column: signed_up_at}
    home: {type: geo, latitude: lat, longitude: lon}
    tags: list<string>
    norway: {enum: [no, yes, 007, null, 1.0]}
    lifecycle stage:
      enum: [subscriber, lead, customer]
      history: {table: stage_changes, contact: contact_id, time: changed_at, value: stage}
events:
  visited:
    table: page_views
    contact: visitor
    time: viewed_at
    id: event_id
    object: Path
    properties:
      path: string
      device: {enum: [mobile, desktop, tablet]}
      seconds: int
  opened email:
    table: emails
    where: {kind: open}
    time: {column: at, timezone: America/New_York}
    object: campaign
    properties: {campaign: string}
  purchased:
    table: events
    where: {event: [Order Completed, order_done]}
    time: ts
    properties:
      amount: {type: "decimal(18,2)", json: props, path: cart.total}
      voucher code: {type: string, json: props}
      odd: {type: int, json: props, path: [a.b, c]}
  viewed product: {from: clicks, where: {kind: product_view}, object: product, properties: {product: string}}
  deal open: {table: deals}
sources:
  clicks:
    table: clicks
    where: {kind: any, site: shop}
    time: ts
    id: event_id
    properties: {session: {column: session_id, type: string}, product: int}
  tracks:
    table: tracks
    time: {column: timestamp_ms, unit: ms}
    kinds: {column: event, names: [signup, Order Completed, $pageview]}
    properties: {plan: string}
relations:
  company: {table: companies, key: company_id, contact: company, attributes: {industry: string, employees: int}}
lists: {table: static_members, list: list_name}
identities: {table: aliases, from: anonymous_id, to: contact_id}
"""

BASE = "version: 1\ncontacts: {table: c, key: id}\n"


def catalog(text: str) -> Catalog:
    loaded, found = load_text(text, "segdsl.yml", Path("/project"))
    assert found == []
    assert loaded is not None
    return loaded


def mistakes(text: str) -> list[Diagnostic]:
    loaded, found = load_text(text, "segdsl.yml", Path("/project"))
    assert loaded is None
    assert found
    return found


def places(text: str) -> list[tuple[str, int, int]]:
    return [(d.code, *d.source.position(d.span.start)) for d in mistakes(text) if d.source and d.span]


def test_the_sample_loads() -> None:
    c = catalog(SAMPLE)
    assert (c.database, c.timezone, c.rules) == ("/project/data", "Europe/Berlin", ("segments/**/*.seg",))
    assert (c.contacts, c.key) == ("contacts", Column("contact_id"))
    a = c.attributes
    assert a["lead score"].type == INT
    assert a["lead score"].columns == (Column("lead_score"),)
    assert a["email"].required
    assert a["signup date"].type == Timestamp()
    assert a["signup date"].columns == (Column("signed_up_at"),)
    assert (a["home"].type, a["home"].columns) == (Geo(), (Column("lat"), Column("lon")))
    assert a["tags"].type == ListOf()
    assert a["norway"].type == Enum(("no", "yes", "007", "null", "1.0"))
    assert a["lifecycle stage"].history == History(
        "stage_changes", Column("contact_id"), TimeColumn(Column("changed_at")), Column("stage")
    )


def test_events_of_the_sample() -> None:
    e = catalog(SAMPLE).events
    visited = e["visited"]
    assert (visited.contact, visited.object, visited.id) == (Column("visitor"), "path", Column("event_id"))
    assert visited.properties["device"].type == Enum(("mobile", "desktop", "tablet"))
    assert visited.place is not None
    assert visited.place.source.position(visited.place.span.start) == (20, 3)
    assert e["opened email"].time == TimeColumn(Column("at"), None, "America/New_York")
    assert e["opened email"].contact == Column("contact_id")
    purchased = e["purchased"]
    assert purchased.where == ((Column("event"), ("Order Completed", "order_done")),)
    assert purchased.properties["amount"].type == decimal(18, 2)
    assert purchased.properties["amount"].column == Column("props", ("cart", "total"))
    assert purchased.properties["voucher code"].column == Column("props", ("voucher_code",))
    assert purchased.properties["odd"].column == Column("props", ("a.b", "c"))
    assert e["deal open"].time is None


def test_sources_of_the_sample() -> None:
    e = catalog(SAMPLE).events
    viewed = e["viewed product"]
    assert (viewed.table, viewed.id, viewed.object) == ("clicks", Column("event_id"), "product")
    assert viewed.where == ((Column("kind"), ("product_view",)), (Column("site"), ("shop",)))
    assert viewed.properties["product"].type == String()
    assert viewed.properties["session"].column == Column("session_id")
    kind = e["order completed"]
    assert (kind.name, kind.table) == ("Order Completed", "tracks")
    assert kind.where == ((Column("event"), ("Order Completed",)),)
    assert kind.time == TimeColumn(Column("timestamp_ms"), "ms")
    assert list(e["$pageview"].properties) == ["plan"]


def test_the_rest_of_the_sample() -> None:
    c = catalog(SAMPLE)
    assert c.relations["company"].contact == Column("company")
    assert c.relations["company"].attributes["employees"].type == INT
    assert c.lists == Lists("static_members", Column("list_name"), Column("contact_id"))
    assert c.identities == Identities("aliases", Column("anonymous_id"), Column("contact_id"))


def test_retention_and_lints() -> None:
    found = catalog(
        "version: 1\ncontacts: {table: c, key: id}\nlints: {SEG0416: on, redundant: off}\nevents:\n"
        "  a: {from: s}\n  b: {from: s, retention: 13 Months}\n  c: {table: t}\n"
        "sources: {s: {table: t, retention: 400d, kinds: {column: k, names: [d]}}}\n"
    )
    assert found.lints == {"unknown-under-not": True, "redundant": False}
    kept = {name: event.retention for name, event in found.events.items()}
    assert kept.pop("c") is None
    written = {name: (length.amount, length.unit) for name, length in kept.items() if length}
    assert written == {"a": (400, "d"), "b": (13, "mo"), "d": (400, "d")}


def test_defaults() -> None:
    c = catalog(BASE)
    assert (c.database, c.timezone, c.rules) == (None, "UTC", ("segments/**/*.seg",))
    assert (c.attributes, c.events, c.relations, c.lists, c.identities) == ({}, {}, {}, None, None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("data", "/project/data"),
        ("../data", "/data"),
        ("/srv/data", "/srv/data"),
        ("duckdb:///w.duckdb", "duckdb:////project/w.duckdb"),
        ("duckdb:////srv/w.duckdb", "duckdb:////srv/w.duckdb"),
        ("duckdb:///:memory:", "duckdb:///:memory:"),
        ("sqlite:///a/w.db?mode=ro", "sqlite:////project/a/w.db?mode=ro"),
        ("chdb:///dir", "chdb:////project/dir"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("spark:local", "spark:local"),
        ("spark://host:7077", "spark://host:7077"),
    ],
)
def test_database(written: str, meant: str) -> None:
    assert catalog(f"{BASE}database: '{written}'\n").database == meant


EVENT = BASE + "events:\n  e: "
ATTRIBUTE = "version: 1\ncontacts:\n  table: c\n  key: id\n  attributes:\n    a: "

MISTAKES = {
    "unknown key": (BASE + "databse: x", "SEG0601", 3, 1, "`database`"),
    "unknown inner key": (EVENT + "{tabel: t}", "SEG0601", 4, 7, "`table`"),
    "duplicate key": (BASE + "version: 1", "SEG0602", 3, 1, "keep one"),
    "text for a mapping": (BASE + "events: many", "SEG0603", 3, 9, "names as keys"),
    "list for a text": (EVENT + "{table: [t]}", "SEG0603", 4, 14, "one text"),
    "text for a list": (BASE + "rules: a.seg", "SEG0603", 3, 8, "`[one, two]`"),
    "no value": (BASE + "database:", "SEG0603", 3, 1, "delete the key"),
    "not a boolean": (ATTRIBUTE + "{type: int, required: yes}", "SEG0603", 6, 30, "`true`"),
    "unknown unit": (EVENT + "{table: t, time: {column: c, unit: mss}}", "SEG0603", 4, 41, "`ms`"),
    "key that is a list": (BASE + "? [a]\n: b", "SEG0603", 3, 3, "name"),
    "missing key": ("version: 1\ncontacts: {table: c}", "SEG0604", 2, 1, "`key:`"),
    "missing version": ("contacts: {table: c, key: id}", "SEG0604", 1, 1, "`version:`"),
    "missing table": (EVENT + "{time: t}", "SEG0604", 4, 3, "`from:`"),
    "missing type": (ATTRIBUTE + "{column: x}", "SEG0604", 6, 5, "`enum"),
    "missing longitude": (ATTRIBUTE + "{type: geo, latitude: x}", "SEG0604", 6, 5, "longitude"),
    "history without value": (ATTRIBUTE + "{type: int, history: {table: t, time: x}}", "SEG0604", 6, 20, "`value:`"),
    "alias": (BASE + "database: *x", "SEG0605", 3, 11, "write the value out"),
    "anchor": (BASE + "database: &x data", "SEG0605", 3, 11, "delete"),
    "unknown type": (ATTRIBUTE + "strng", "SEG0606", 6, 8, "`string`"),
    "type of another system": (ATTRIBUTE + "{type: varchar(20)}", "SEG0606", 6, 15, "`string`"),
    "geo property": (EVENT + "{table: t, properties: {p: geo}}", "SEG0606", 4, 33, "`float`"),
    "attribute and event": (ATTRIBUTE + "int\nevents: {A: {table: t}}", "SEG0607", 7, 10, "rename"),
    "two attributes": (ATTRIBUTE + "int\n    A_: int", "SEG0607", 7, 5, "rename"),
    "event and kind": (
        EVENT + "{table: t}\nsources: {s: {table: t, kinds: {column: c, names: [x, E]}}}",
        "SEG0607",
        5,
        55,
        "rename",
    ),
    "relation": (
        EVENT + "{table: t}\nrelations: {e: {table: t, key: k, contact: c, attributes: {}}}",
        "SEG0607",
        5,
        13,
        "rename",
    ),
    "properties": (EVENT + "{table: t, properties: {p q: int, p_q: int}}", "SEG0607", 4, 40, "rename"),
    "backtick": (BASE + "events: {'a`b': {table: t}}", "SEG0608", 3, 10, "another"),
    "line break in a name": (BASE + 'events: {"a\\nb": {table: t}}', "SEG0608", 3, 10, "another"),
    "empty name": (BASE + "events: {' ': {table: t}}", "SEG0608", 3, 10, "name"),
    "reserved property": (EVENT + "{table: t, properties: {Week: int}}", "SEG0609", 4, 30, "`column:`"),
    "time zone": (BASE + "timezone: Europe/Berln", "SEG0610", 3, 11, "`Europe/Berlin`"),
    "time zone folder": (BASE + "timezone: Europe", "SEG0610", 3, 11, ""),
    "time zone path": (BASE + "timezone: ../../etc/passwd", "SEG0610", 3, 11, ""),
    "zone of a time": (EVENT + "{table: t, time: {column: c, timezone: Berlin}}", "SEG0610", 4, 45, "`Europe/Berlin`"),
    "precision": (ATTRIBUTE + "decimal(39,2)", "SEG0611", 6, 8, "`decimal(18,2)`"),
    "scale": (ATTRIBUTE + "decimal(2,3)", "SEG0611", 6, 8, "`decimal(18,2)`"),
    "half a decimal": (ATTRIBUTE + "decimal(18)", "SEG0611", 6, 8, "`decimal(18,2)`"),
    "object": (EVENT + "{table: t, object: pth, properties: {path: string}}", "SEG0612", 4, 25, "`path`"),
    "object of a source": (EVENT + "{from: s}\nsources: {s: {table: t, object: o}}", "SEG0612", 5, 33, "`properties`"),
    "from": (EVENT + "{from: clcks}\nsources: {clicks: {table: t}}", "SEG0613", 4, 13, "`clicks`"),
    "empty enum": (ATTRIBUTE + "{enum: []}", "SEG0614", 6, 15, "at least one"),
    "twice in an enum": (ATTRIBUTE + "{enum: [x, y, x]}", "SEG0614", 6, 22, "delete"),
    "no kinds": (BASE + "sources: {s: {table: t, kinds: {column: c, names: []}}}", "SEG0615", 3, 51, "at least one"),
    "unit and zone": (
        EVENT + "{table: t, time: {column: c, unit: s, timezone: UTC}}",
        "SEG0616",
        4,
        44,
        "keep one",
    ),
    "type and enum": (ATTRIBUTE + "{type: int, enum: [x]}", "SEG0616", 6, 15, "`enum`"),
    "json and column": (ATTRIBUTE + "{type: int, json: j, column: c}", "SEG0616", 6, 29, "delete"),
    "path without json": (ATTRIBUTE + "{type: int, path: j}", "SEG0616", 6, 20, "delete"),
    "tag": (BASE + "database: !!python/object:os.system x", "SEG0617", 3, 11, "delete"),
    "other version": ("version: 2\ncontacts: {table: c, key: id}", "SEG0618", 1, 10, "`1`"),
    "object that is no text": (EVENT + "{table: t, object: p, properties: {p: int}}", "SEG0619", 4, 25, "`string`"),
    "not YAML": (BASE + "events: [}", "SEG0620", 3, 10, "brackets"),
    "two documents": (BASE + "---\na: b", "SEG0620", 3, 1, "delete"),
    "not a mapping": ("[version, 1]", "SEG0603", 1, 1, "`version`"),
    "empty": ("# nothing\n", "SEG0604", 1, 1, "segdsl init"),
    "NUL": (BASE + "database: a\0b", "SEG0622", 3, 12, "delete"),
    "escaped NUL": (BASE + 'database: "a\\0b"', "SEG0622", 3, 11, "delete"),
    "retention": (EVENT + "{table: t, retention: a while}", "SEG0625", 4, 28, "`400d`"),
    "no retention at all": (EVENT + "{table: t, retention: 0d}", "SEG0625", 4, 28, "`400d`"),
    "retention of a source": (EVENT + "{from: s}\nsources: {s: {table: t, retention: 1}}", "SEG0625", 5, 36, "`13mo`"),
    "retention that is a list": (EVENT + "{table: t, retention: [1d]}", "SEG0603", 4, 28, "one text"),
    "unknown lint": (BASE + "lints: {redundnt: on}", "SEG0601", 3, 9, "`redundant`"),
    "not a lint": (BASE + "lints: {SEG0203: off}", "SEG0601", 3, 9, "SEG041"),
    "half on": (BASE + "lints: {redundant: yes}", "SEG0603", 3, 20, "`on`"),
    "one lint twice": (BASE + "lints: {redundant: on, SEG0414: off}", "SEG0602", 3, 24, "keep one"),
    "path of dots": (ATTRIBUTE + "{type: int, json: j, path: a..b}", "SEG0624", 6, 35, "`outer.inner`"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake(name: str) -> None:
    text, code, line, column, help = MISTAKES[name]
    assert places(text) == [(code, line, column)]
    (found,) = mistakes(text)
    assert help in found.help
    assert not found.message[0].isupper()


def test_every_mistake_is_reported_at_once_in_order() -> None:
    text = """\
version: 1
databse: x
contacts:
  table: c
  key: id
  attributes:
    a: strng
    Lead Score: int
    lead_score: int
timezone: Nowhere/Land
events:
  e: {table: t, object: q, time: {column: c, unit: h}, properties: {p: string, day: date}}
  f: {from: missing}
  g: {table: *x}
"""
    assert [(code, line) for code, line, _ in places(text)] == [
        ("SEG0601", 2),
        ("SEG0606", 7),
        ("SEG0607", 9),
        ("SEG0610", 10),
        ("SEG0612", 12),
        ("SEG0603", 12),
        ("SEG0609", 12),
        ("SEG0613", 13),
        ("SEG0605", 14),
    ]


def test_one_mistake_of_a_source_is_reported_once() -> None:
    source = "{table: t, properties: {p: it, day: int}, time: {column: c, timezone: X}}"
    text = EVENT + f"{{from: s}}\n  f: {{from: s}}\nsources: {{s: {source}}}"
    assert [code for code, _, _ in places(text)] == ["SEG0606", "SEG0609", "SEG0610"]


def test_what_is_broken_is_not_missing_as_well() -> None:
    text = EVENT + "{table: t, object: p, properties: {p: strng}}"
    assert [code for code, _, _ in places(text)] == ["SEG0606"]


def test_yaml_bomb() -> None:
    layers = "\n".join(f"l{i + 1}: &l{i + 1} [{', '.join([f'*l{i}'] * 9)}]" for i in range(9))
    assert {code for code, _, _ in places(f"l0: &l0 [x]\n{layers}\n")} >= {"SEG0605"}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting(opening: str) -> None:
    codes = {code for code, _, _ in places(opening * 20_000)}
    assert codes & {"SEG0620", "SEG0621"}


def test_large_text() -> None:
    assert places("#" * 2_000_001) == [("SEG0621", 1, 1)]


def test_no_text_makes_a_traceback() -> None:
    """Mutations of a good file: whatever comes out, it is a catalog or diagnostics with spans inside the text."""
    chance = random.Random(7)
    pieces = [*string.printable, "\x00", "é", "\u2028", "\ud800", "*a ", "&a ", "!t ", "---\n", "<<: ", "{", "[", ": "]
    for _ in range(150):
        text = SAMPLE
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice(pieces) + text[at + chance.randint(0, 12) :]
        loaded, found = load_text(text, "segdsl.yml", Path("/project"))
        assert (loaded is None) == bool(found)
        for diagnostic in found:
            assert diagnostic.span is not None
            assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "segdsl.yml"
    assert [d.code for d in load(file)[1]] == ["SEG0623"]
    file.write_bytes(b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode())
    loaded, found = load(file)
    assert found == []
    assert loaded is not None
    assert loaded.database == str(tmp_path / "data")
    file.write_bytes(b"version: 1\ndatabase: caf\xe9\n")
    (bad,) = load(file)[1]
    assert bad.code == "SEG0622"
    assert bad.source is not None
    assert bad.span is not None
    assert bad.source.position(bad.span.start) == (2, 14)
    file.write_bytes(b"x" * 2_000_001)
    assert [d.code for d in load(file)[1]] == ["SEG0621"]


def test_find(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "segdsl.yml").write_text(BASE)
    (deep / "x.seg").write_text("")
    assert find(deep / "x.seg") == tmp_path / "segdsl.yml"
    assert find(deep) == tmp_path / "segdsl.yml"


def test_json_schema_tells_what_is_checked() -> None:
    schema = json_schema()
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["version", "contacts"]
    assert schema["properties"]["version"]["enum"] == [1]
    event = schema["$defs"]["an-event"]
    keys = {"from", "table", "contact", "time", "id", "object", "where", "properties", "retention", "increasing"}
    assert set(event["properties"]) == keys
    assert schema["$defs"]["lints"]["properties"]["SEG0411"]["enum"] == ["on", "off"]
    text = str(schema)
    for name in schema["$defs"]:
        assert f"'#/$defs/{name}'" in text


def test_loading_the_package_is_light() -> None:
    code = "import sys, segdsl.catalog; sys.exit('yaml' in sys.modules or 'zoneinfo' in sys.modules)"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(
    ("word", "guess"),
    [("opend email", "opened email"), ("Opened_Email", "opened email"), ("vistied", "visited"), ("zebra", None)],
)
def test_nearest(word: str, guess: str | None) -> None:
    assert nearest(word, ["visited", "opened email", "purchased"]) == guess
