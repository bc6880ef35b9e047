"""ClickHouse's own ways: its types, names, settings and errors; embedded, and through the driver for servers."""

from __future__ import annotations

import json
import math
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chdb.state.sqlitelike import ChdbError

from segdsl import types
from segdsl.backends.sql import compile_segments
from segdsl.backends.sql.statement import Statement
from segdsl.catalog import model
from segdsl.engines import connect
from segdsl.engines.chdb import ChDB
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Errors
from tests.support.databases import database
from tests.support.databases.clickhouse import ClickHouseDatabase, ClickHouseServer
from tests.support.own_ways import (
    DAY,
    DECLARED,
    HALF,
    LEAD,
    NOW,
    PEOPLE,
    SEVEN,
    TEN,
    ZONE,
    all_types,
    catalog_of,
    found_by_keys,
    members,
    misread,
    refused,
    rules_of,
    word,
)
from tests.support.world import instant


@pytest.fixture(scope="module")
def chdb() -> ClickHouseDatabase:
    found = database("clickhouse")
    assert isinstance(found, ClickHouseDatabase)
    return found


@pytest.fixture(scope="module")
def server(chdb: ClickHouseDatabase) -> Iterator[ClickHouseServer]:
    running = ClickHouseServer(chdb)
    yield running
    running.close()


@pytest.fixture
def run(chdb: ClickHouseDatabase) -> Iterator[Callable[[str], str]]:
    """Runs statements, one on each line that ends with a semicolon; what they made is gone behind the test."""

    def run(statements: str) -> str:
        answer = b""
        for statement in statements.split(";\n"):
            if statement.strip():
                answer = chdb.connection.query(statement, "TabSeparated").bytes()
        return answer.decode()

    def clean() -> None:
        for name in run("SELECT name FROM system.tables WHERE database = currentDatabase()").split("\n")[:-1]:
            chdb.connection.query(f"DROP TABLE IF EXISTS {name}")  # the server's TabSeparated escapes as names do

    clean()
    yield run
    clean()


def project(found: ClickHouseDatabase | ClickHouseServer, text: str) -> model.Catalog:
    return catalog_of(text, found.url)


# --- stored types ----------------------------------------------------------------------------------------------------

# type -> what is stored, as an expression of SQL -> what is known of it
ODD: dict[str, dict[str, dict[str, object]]] = {
    "Nullable(Bool)": {"true": {"bool": True}, "NULL": {}},
    "UInt8": {"7": SEVEN, "1": {"int": 1, "money": 100, "wide": 10**20, "float": 1.0}},
    "Int64": {"9223372036854775807": {"int": 2**63 - 1, "float": 2.0**63}},
    "UInt64": {"18446744073709551615": {"float": 2.0**64}, "9223372036854775808": {"float": 2.0**63}},
    "Int128": {
        "toInt128('-9223372036854775808')": {"int": -(2**63), "float": -(2.0**63)},
        "toInt128('170141183460469231731687303715884105727')": {"float": 2.0**127},
    },
    "UInt256": {"toUInt256('99999999999999999999999999999999999999999999')": {"float": 1e44}},
    "Decimal(12, 2)": {
        "'7.50'": HALF,
        "'-9999999999.99'": {"money": -999999999999, "wide": -999999999999 * 10**18, "float": -9999999999.99},
    },
    "Decimal(38, 20)": {"'7'": SEVEN, "'123.456'": {"wide": 123456 * 10**17, "float": 123.456}},
    "Decimal(76, 0)": {"'1e40'": {"float": 1e40}, "'9223372036854775808'": {"float": 2.0**63}},
    "Float32": {"7.5": HALF, "0.1": {"money": 10, "wide": 10**19, "float": 0.10000000149011612}, "nan": {}},
    "Float64": {
        "1.005": {"money": 101, "wide": 1005 * 10**17, "float": 1.005},
        "-1.005": {"money": -101, "wide": -1005 * 10**17, "float": -1.005},
        "9999999999.995": {"wide": 9999999999995 * 10**17, "float": 9999999999.995},
        "-0.": {"int": 0, "money": 0, "wide": 0, "float": 0.0},
        "nan": {},
        "-inf": {"float": -math.inf},
        "1e300": {"float": 1e300},
        "1e-300": {"money": 0, "wide": 0, "float": 1e-300},
        "9.2233720368547748e18": {"int": 2**63 - 1024, "float": 2.0**63 - 1024},
        "9.2233720368547758e18": {"float": 2.0**63},
        "-9.2233720368547758e18": {"int": -(2**63), "float": -(2.0**63)},
    },
    "LowCardinality(String)": {"'lead'": LEAD, "'LEAD'": word("LEAD")},
    "LowCardinality(Nullable(String))": {"NULL": {}, "'7'": {**SEVEN, "word": "7"}},
    "FixedString(8)": {"'lead'": LEAD, "'lead  '": word("lead  "), "'7'": {**SEVEN, "word": "7"}},
    "Enum8('lead' = 1, 'gone' = 2)": {"'lead'": LEAD, "'gone'": word("gone")},
    "UUID": {"'00000000-0000-0000-0000-0000000000aa'": word("00000000-0000-0000-0000-0000000000aa")},
    "IPv4": {"'10.0.0.1'": word("10.0.0.1")},
    "IPv6": {"'::1'": word("::1")},
    "Date": {"'2026-03-01'": DAY, "'1970-01-01'": {"time": 0, "day": -3600 * 10**6}},
    "Date32": {
        "'2026-03-01'": DAY,
        "'1900-01-01'": {"time": instant("1900-01-01T00:00Z"), "day": instant("1899-12-31T23:00Z")},
    },
    "DateTime": {"'2026-03-01 10:00:00'": {"time": TEN}, "'2026-03-01 00:00:00'": DAY},
    "DateTime('Asia/Tokyo')": {"'2026-03-01 19:00:00'": {"time": TEN}, "'2026-03-01 09:00:00'": DAY},
    "DateTime64(3)": {"'2026-03-01 10:00:00.123'": {"time": TEN + 123000}},
    "DateTime64(0)": {"'2026-03-01 00:00:00'": DAY},
    "DateTime64(6, 'America/New_York')": {"'2026-03-01 05:00:00.123456'": {"time": TEN + 123456}},
    "DateTime64(9)": {"'2026-03-01 10:00:00.123456789'": {"time": TEN + 123456}, "'2026-03-01 00:00:00'": DAY},
    "Nullable(DateTime64(6))": {"NULL": {}, "'1969-12-31 23:59:59.999999'": {"time": -1}},
    "Array(String)": {
        "['a', 'b']": {"list": ("a", "b")},
        "[]": {"list": ()},
        "['é😀', unhex('ff'), 'a\\0']": {"list": ("é😀",)},
    },
    "Array(Nullable(String))": {"['a', NULL, 'b']": {"list": ("a", "b")}},
    "Array(LowCardinality(String))": {"['a']": {"list": ("a",)}},
    "Array(UInt8)": {"[1, 2]": {"list": ()}},
    "Array(Array(String))": {"[['a']]": {"list": ()}},
    "Map(String, String)": {"map('a', 'b')": {}},
    "Tuple(String, UInt8)": {"('a', 1)": {"list": ("a",)}},
    "Tuple(a String)": {"tuple('a')": {}},
    "IntervalDay": {"INTERVAL 1 DAY": {}},
    "JSON": {"'{\"a\": 1}'": {}},
    "String": {
        "''": word(""),
        "unhex('ff')": {},
        "'a\\0b'": {},
        "'007'": {**SEVEN, "word": "007"},
        "'7.0'": word("7.0", money=700, wide=7 * 10**20, float=7.0),
        "'7.5000'": {**HALF, "word": "7.5000"},
        "'7.505'": word("7.505", wide=7505 * 10**17, float=7.505),
        "'+7'": word("+7"),
        "'1e3'": word("1e3"),
        "'inf'": word("inf"),
        "'7\\n'": word("7\n"),
        "'9223372036854775808'": word("9223372036854775808", float=2.0**63),
        "repeat('9', 2000)": word("9" * 2000),
        "'true'": word("true", bool=True),
        "'TRUE'": word("TRUE"),
        "'2026-02-29'": word("2026-02-29"),
        "'1900-02-29'": word("1900-02-29"),
        "'0000-01-01'": word("0000-01-01"),
        "'0001-01-01 01:00'": word("0001-01-01 01:00", time=instant("0001-01-01T01:00Z")),
        "'9999-12-31T23:59:59.999999'": word("9999-12-31T23:59:59.999999", time=instant("9999-12-31T23:59:59.999999Z")),
        "'2026-03-01'": word("2026-03-01", **DAY),
        "'2026-03-01t10:00z'": word("2026-03-01t10:00z", time=TEN),
        "'2026-03-01 15:30:00.123456789+05:30'": word("2026-03-01 15:30:00.123456789+05:30", time=TEN + 123456),
        "'2026-03-01T10:00-2300'": word("2026-03-01T10:00-2300", time=TEN + 23 * 3600 * 10**6),
        "'2026-03-01T24:00'": word("2026-03-01T24:00"),
        "'2026-03-01T10:00+24'": word("2026-03-01T10:00+24"),
        "'1772359200'": word(
            "1772359200", int=1772359200, money=177235920000, wide=1772359200 * 10**20, float=1772359200.0
        ),
        """'["a", 1, null, {"b": "c"}, "é😀"]'""": word('["a", 1, null, {"b": "c"}, "é😀"]', list=("a", "é😀")),
        r"""'["\\u0000", "ok", "\\\\u0000"]'""": word(r'["\u0000", "ok", "\\u0000"]', list=("ok", r"\u0000")),
        r"""'["\\ud83d\\ude00"]'""": word(r'["\ud83d\ude00"]', list=("😀",)),
        "'[\"a\"'": word('["a"'),
        "repeat('[', 9000)": word("[" * 9000),
    },
}


def test_every_stored_type_fits_or_is_unknown(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    cases = [(kind, stored) for kind, values in ODD.items() for stored in values]
    columns = ", ".join(f"x{i} {kind}" for i, kind in enumerate(ODD))
    run(f"CREATE TABLE contacts (id String, {columns}) ENGINE = Memory")
    for i, kind in enumerate(ODD):
        rows = ", ".join(f"('{n}', {stored})" for n, (own, stored) in enumerate(cases) if own == kind)
        run(f"INSERT INTO contacts (id, x{i}) VALUES {rows}")
    assert misread(all_types(len(ODD), "contacts", chdb.url), ODD, own=True) == ""


JSONS: dict[str, dict[str, object]] = {
    '["a", 1, null, ["b"], "c"]': {"list": ("a", "c")},
    '"lead"': LEAD,
    "7": SEVEN,
    "7.50": HALF,
    "7e0": SEVEN,
    "0.12345678901234567891": {"money": 12, "wide": 12345678901234568000, "float": 0.12345678901234568},
    "9223372036854775807": {"int": 2**63 - 1, "float": 2.0**63},
    "12345678901234567890": {"float": 12345678901234567890.0},
    "123456789012345678901234567890": {"float": 1.2345678901234568e29},
    "true": {"bool": True},
    '"true"': word("true", bool=True),
    "null": {},
    '"2026-03-01"': word("2026-03-01", **DAY),
    '"[\\"x\\"]"': word('["x"]', list=("x",)),
    '"\\u0000"': {},
    '"a\\u0000"': {},
    '"\\ud83d\\ude00"': word("😀"),
    "{}": {},
    '{"a": "b"}': {},
}


@pytest.mark.parametrize("kind", ["String", "JSON", "Map(String, JSON)"])
def test_values_inside_json(chdb: ClickHouseDatabase, run: Callable[[str], str], kind: str) -> None:
    run(f"CREATE TABLE contacts (id UInt8, data {kind}) ENGINE = Memory")
    for i, text in enumerate(JSONS):
        document = '{"x": ' + text + "}"
        if "Map" in kind:
            document = '{"a": ' + document + "}"
        row = json.dumps({"id": i, "data": document if kind == "String" else json.loads(document)})
        with chdb.connection.send_insert("INSERT INTO contacts", "JSONEachRow") as inserting:
            inserting.append(row)
            inserting.finish()
    path = ("a", "x") if "Map" in kind else ("x",)
    attributes = {declared: model.Attribute(declared, DECLARED[declared], (model.Column("data", path),))
                  for declared in DECLARED}  # fmt: skip
    with connect(replace(project(chdb, PEOPLE), attributes=attributes, timezone=ZONE)) as engine:
        found = [{key: value for (_, key), value in person.attributes.items()} for person in engine.facts()]
    # Of a number beyond 64 bits a column of type JSON keeps the text.
    long = "123456789012345678901234567890"
    expected = JSONS if kind == "String" else {**JSONS, long: word(long, **JSONS[long])}
    wrong = [f"{text}: {known}" for text, known in zip(JSONS, found, strict=True) if known != expected[text]]
    assert not wrong, "\n".join(wrong)


def test_values_inside_json_are_found_by_any_key(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    document = {
        "a.b": {"$": {"/~": 1}}, "0": "x", 'q"\\': "é😀", "it's": True, "%s": "{p1:String}", "list": ["y"], "n": None,
        "[0]": "z", "é": "w", "1": "v", "-1": "u",
    }  # fmt: skip
    run("""
        CREATE TABLE contacts (id UInt8, text String, fixed FixedString(256), json JSON, none String) ENGINE = Memory
    """)
    row = {"id": 1, "text": json.dumps(document), "fixed": json.dumps(document), "json": document, "none": "["}
    with chdb.connection.send_insert("INSERT INTO contacts", "JSONEachRow") as inserting:
        inserting.append(json.dumps(row))
        inserting.finish()
    keys = [["a.b", "$", "/~"], ["0"], ['q"\\'], ["it's"], ["%s"], ["list", "0"], ["n"], ["list"], ["gone"], ["[0]"],
            ["é"], ["1"], ["-1"]]  # fmt: skip
    found = found_by_keys(project(chdb, PEOPLE), ("text", "fixed", "json", "none"), keys)
    known = {0: 1, 1: "x", 2: "é😀", 3: True, 4: "{p1:String}", 7: ("y",), 9: "z", 10: "w", 11: "v", 12: "u"}
    assert found == {f"{column}{i}": value for column in ("text", "fixed", "json") for i, value in known.items()}


def test_values_inside_maps_and_tuples(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    run("""
        CREATE TABLE contacts (
            id UInt8, m Map(String, String), deep Map(String, Map(String, UInt8)),
            t Tuple(n Int64, `a.b` Tuple(s String)), at Map(String, DateTime),
            low Map(LowCardinality(String), Nullable(String))
        ) ENGINE = Memory;
        INSERT INTO contacts VALUES
            (1, map('x', '7', 'it''s', 'y'), map('a', map('b', 7)), (7, tuple('z')), map('x', '2026-03-01 10:00:00'),
             map('x', NULL, 'y', 'w'))
    """)
    wanted: dict[str, tuple[tuple[str, ...], str, object]] = {
        "text": (("m", "x"), "string", "7"), "whole": (("m", "x"), "int", 7), "quote": (("m", "it's"), "string", "y"),
        "none": (("m", "gone"), "string", None), "deep": (("deep", "a", "b"), "int", 7),
        "no": (("deep", "gone", "b"), "int", None), "n": (("t", "n"), "int", 7),
        "s": (("t", "a.b", "s"), "string", "z"), "lost": (("t", "gone"), "string", None),
        "time": (("at", "x"), "timestamp", TEN),
        "never": (("at", "y"), "timestamp", None), "null": (("low", "x"), "string", None),
        "w": (("low", "y"), "string", "w"),
    }  # fmt: skip
    kinds: dict[str, types.Type] = {"string": types.String(), "int": types.INT, "timestamp": types.Timestamp()}
    attributes = {name: model.Attribute(name, kinds[kind], (model.Column(path[0], path[1:]),))
                  for name, (path, kind, _) in wanted.items()}  # fmt: skip
    with connect(replace(project(chdb, PEOPLE), attributes=attributes)) as engine:
        found = {key: value for (_, key), value in next(engine.facts()).attributes.items()}
    assert found == {name: value for name, (_, _, value) in wanted.items() if value is not None}


def test_texts_are_compared_by_code_points(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    run(r"""
        CREATE TABLE contacts (id String, ship FixedString(4), bill LowCardinality(Nullable(String))) ENGINE = Memory;
        INSERT INTO contacts VALUES
            ('b', 'é', 'é'), ('B', 'e', 'é'), ('😀', 'E', 'e'), ('｡', 'a%_\\', 'a!'), ('a', 'x', NULL)
    """)
    catalog = project(chdb, "contacts: {table: contacts, key: id, attributes: {ship: string, bill: string}}")
    assert members(
        catalog, "ship = bill", "ship != bill", 'ship = "E"', 'ship = "e" ignoring case', r'ship matches "a%_\\"',
        'bill contains "!"', 'ship matches "?"',
    ) == [["b"], ["B", "a", "｡", "😀"], ["😀"], ["B", "😀"], ["｡"], ["｡"], ["B", "a", "b", "😀"]]  # fmt: skip


def test_bytes_that_are_no_text(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    """They are unknown, as a NUL is; and nobody has them for a key."""
    run("""
        CREATE TABLE contacts (id String, w String, l Array(String)) ENGINE = Memory;
        INSERT INTO contacts VALUES
            ('a', unhex('41ff'), [unhex('ff'), 'x']), ('b', 'A\\0', []), (unhex('ff'), 'A', []), ('c', 'AB', [])
    """)
    catalog = project(chdb, "contacts: {table: contacts, key: id, attributes: {w: string, l: list<string>}}")
    assert members(catalog, "w is unknown", 'w starts with "A"', 'l has "x"', 'w != "AB"') == [
        ["a", "b"], ["c"], ["a"], ["a", "b"]]  # fmt: skip
    with connect(catalog) as engine:
        assert [person.attributes for person in engine.facts()] == [
            {(None, "l"): ("x",)}, {(None, "l"): ()}, {(None, "w"): "AB", (None, "l"): ()}]  # fmt: skip


@pytest.mark.parametrize("kind, keys", [
    ("Int64", "(1), (-7)"), ("Int8", "(1), (-7)"), ("Decimal(9, 2)", "(1), (-7)"), ("Float64", "(1), (-7), (nan)"),
    ("FixedString(4)", "('1'), ('-7')"), ("LowCardinality(String)", "('1'), ('-7')"),
    ("Nullable(Int32)", "(1), (-7), (NULL)"),
    ("Enum8('1' = 5, '-7' = 6)", "('1'), ('-7')"),
])  # fmt: skip
def test_keys_meet_whatever_their_types(
    chdb: ClickHouseDatabase, run: Callable[[str], str], kind: str, keys: str
) -> None:
    run(f"""
        CREATE TABLE contacts (id {kind}) ENGINE = Memory;
        INSERT INTO contacts VALUES {keys};
        CREATE TABLE visits (id Nullable(String), at DateTime) ENGINE = Memory;
        INSERT INTO visits SELECT x, '2026-02-28 00:00:00' FROM values('x Nullable(String)', '1', 'x', '01', NULL);
        CREATE TABLE lists (id Int128, list LowCardinality(String)) ENGINE = Memory;
        INSERT INTO lists VALUES (-7, 'vip')
    """)
    catalog = project(chdb, """
contacts: {table: contacts, key: id}
events: {visited: {table: visits, time: at}}
lists: {table: lists, list: list, contact: id}
""")  # fmt: skip
    assert members(catalog, "visited", 'in list "vip"') == [["1"], ["-7"]]


@pytest.mark.parametrize("kind", ["DateTime64(3)", "DateTime64(6)", "DateTime64(0)", "String"])
def test_times_that_are_none_make_no_events(chdb: ClickHouseDatabase, run: Callable[[str], str], kind: str) -> None:
    """A DateTime64 may be of a year that no calendar has; text may be anything."""
    far = [
        f"reinterpret(toInt64({way}9000000000000000 / {size}), '{kind}')"
        for way in ("", "-")
        for size in [{"DateTime64(0)": 10000, "DateTime64(3)": 10}.get(kind, 1 / 100)]
    ]
    none = ["'now'", "'0000-12-31'", "'2026-02-30'", "''"] if kind == "String" else far
    rows = ", ".join(f"('a', {at}, {n})" for n, at in enumerate([*none, "'2026-02-28 00:00:00'"]))
    run(f"""
        CREATE TABLE contacts (id String) ENGINE = Memory;
        INSERT INTO contacts VALUES ('a');
        CREATE TABLE visits (id String, at {kind}, n UInt8) ENGINE = Memory;
        INSERT INTO visits VALUES {rows}
    """)
    last = len(none)
    catalog = project(chdb, f"""
timezone: America/New_York
{PEOPLE}
events: {{visited: {{table: visits, time: at, properties: {{n: int}}}}}}
""")  # fmt: skip
    assert members(
        catalog, "visited = 1", "visited then visited within 9000d", "visited >= 2 within 3000000d",
        "visited within 99999d before last(visited)", f"last(n of visited) = {last}", "distinct(week of visited) = 1",
    ) == [["a"], [], [], [], ["a"], ["a"]]  # fmt: skip
    with connect(catalog) as engine:
        [person] = engine.facts()
    assert person.events["visited"] == [(instant("2026-02-28T00:00Z"), {"n": last})]


# --- names, plans ----------------------------------------------------------------------------------------------------


def test_names_are_meant_as_they_are_written(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    table, column = r"""`Odd %s ""\`\\Table`""", r"`a\`b {p1:String}; DROP TABLE x; --`"
    run(f"""
        CREATE TABLE {table} (id UInt8, Name String, name String, {column} String, `select` Int8) ENGINE = Memory;
        INSERT INTO {table} VALUES (1, 'A', 'a', 'it''s', 5)
    """)
    catalog = project(
        chdb,
        r"""
contacts:
  table: 'Odd %s ""`\Table'
  key: id
  attributes:
    big: {type: string, column: Name}
    small: {type: string, column: name}
    odd: {type: string, column: 'a`b {p1:String}; DROP TABLE x; --'}
    word: {type: int, column: select}
""",
    )
    assert members(catalog, """big = "A" and small = "a" and odd = "it's" and word = 5""") == [["1"]]
    missing = refused(project(chdb, r"""contacts: {table: 'Odd %s ""`\Table', key: ID}"""), Engine.require)
    assert (missing.code, missing.help) == ("SEG0712", "did you mean `id`?")
    run(f"DROP TABLE {table}")


def test_tables_are_named_as_a_catalog_names_them(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    run("""
        CREATE DATABASE IF NOT EXISTS Other;
        CREATE TABLE Other.orders (id UInt8) ENGINE = Memory;
        CREATE TABLE orders (id UInt8, day Date, twice UInt8 ALIAS id * 2, next UInt8 MATERIALIZED id + 1,
                             spare UInt8 EPHEMERAL) ENGINE = MergeTree ORDER BY id;
        INSERT INTO orders (id, day) VALUES (1, '2026-03-01');
        CREATE VIEW recent AS SELECT * FROM orders;
        CREATE MATERIALIZED VIEW kept ENGINE = Memory AS SELECT id FROM orders
    """)
    try:
        with connect(project(chdb, "contacts: {table: recent, key: id}")) as engine:
            assert engine.tables() == ["Other.orders", "kept", "orders", "recent"]
            assert engine.columns("Other.orders") == [("id", "UInt8")]
            stored = [("id", "UInt8"), ("day", "Date"), ("twice", "UInt8"), ("next", "UInt8")]
            assert engine.columns("orders") == engine.columns("default.orders") == stored
            assert engine.columns("Recent") is engine.columns("no.where") is engine.columns("a`b.c") is None
            assert not engine.missing()
        catalog = project(chdb, "contacts: {table: orders, key: id, attributes: {twice: int, next: int}}")
        assert members(catalog, "twice = 2 and next = 2") == [["1"]]
    finally:
        run("DROP DATABASE Other;\nDROP VIEW kept")
    missing = refused(project(chdb, "contacts: {table: recents, key: id}"), Engine.require)
    assert (missing.code, missing.help) == ("SEG0711", "did you mean `recent`?")


@pytest.mark.parametrize("kind", ["DateTime", "DateTime64(3)", "DateTime64(9)", "Nullable(DateTime64(6))", "Date"])
def test_windows_skip_what_the_order_tells(chdb: ClickHouseDatabase, run: Callable[[str], str], kind: str) -> None:
    """Of a table that is sorted by time, granules that hold nothing of the window are not read."""
    run(f"""
        CREATE TABLE contacts (id String) ENGINE = Memory;
        CREATE TABLE visits (id String, at {kind}) ENGINE = MergeTree ORDER BY at
            SETTINGS index_granularity = 64, allow_nullable_key = 1;
        INSERT INTO visits SELECT toString(number % 100), toDateTime('2026-03-01 00:00:00', 'UTC') - number * 3600
            FROM numbers(20000)
    """)
    catalog = project(chdb, f"{PEOPLE}\nevents: {{visited: {{table: visits, time: at}}}}")
    with connect(catalog) as engine:
        statement, values = engine.dialect.question(
            Statement(rules_of(catalog, "visited in 5d"), catalog, ["r0"], NOW, engine.schema(), engine.dialect).tree()
        )
    plan = chdb.connection.query(f"EXPLAIN indexes = 1 {statement}", "TabSeparated", params=values).bytes().decode()
    [granules] = re.findall(r"Granules: ([0-9]+)/313", plan)
    assert int(granules) <= 4, plan


# --- questions -------------------------------------------------------------------------------------------------------

SERIES = "SELECT number FROM numbers(200000)"


def both(chdb: ClickHouseDatabase, server: ClickHouseServer) -> list[model.Catalog]:
    return [project(chdb, PEOPLE), project(server, PEOPLE)]


def test_questions_may_be_open_together(
    chdb: ClickHouseDatabase, server: ClickHouseServer, run: Callable[[str], str]
) -> None:
    run("CREATE TABLE contacts (id UInt8) ENGINE = Memory;\nINSERT INTO contacts VALUES (1)")
    for catalog in both(chdb, server):
        with connect(catalog) as engine:
            first, second = engine.rows(SERIES, {}), engine.rows(SERIES, {})
            assert [next(first), next(second), next(first)] == [(0,), (0,), (1,)]
            for statement in ("SELECT throwIf(1, 'no')", "nonsense", "SELECT * FROM nowhere"):
                with pytest.raises(Errors) as caught:
                    list(engine.rows(statement, {}))
                assert caught.value.diagnostics[0].code == "SEG0719"
            assert engine.total() == 1
            assert len(list(first)) == 199998 and len(list(second)) == 199999
            text = "{p2:String} '\\ \t\r\n\\N é😀"
            assert list(engine.rows("SELECT {p1:String}", {"p1": text})) == [(text,)]


def test_a_question_can_be_stopped(
    chdb: ClickHouseDatabase, server: ClickHouseServer, run: Callable[[str], str]
) -> None:
    run("CREATE TABLE contacts (id UInt8) ENGINE = Memory")
    for catalog in both(chdb, server):
        with connect(catalog) as engine, connect(catalog) as another:
            engine.interrupt()  # nothing runs
            assert engine.total() == 0
            timer = threading.Timer(0.5, engine.interrupt)
            timer.start()
            with pytest.raises(Errors, match="cancel"):
                list(engine.rows("SELECT sum(cityHash64(number)) FROM numbers(100000000000)", {}))
            timer.join()
            assert engine.total() == another.total() == 0


def test_nothing_is_written(chdb: ClickHouseDatabase, server: ClickHouseServer, run: Callable[[str], str]) -> None:
    run("CREATE TABLE contacts (id UInt8) ENGINE = Memory;\nINSERT INTO contacts VALUES (1)")
    for catalog in both(chdb, server):
        with connect(catalog) as engine:
            assert list(engine.rows("SELECT value FROM system.settings WHERE name = 'readonly'", {})) == [("2",)]
            for statement in ("INSERT INTO contacts VALUES (2)", "DROP TABLE contacts", "TRUNCATE TABLE contacts",
                              "CREATE TABLE more (id UInt8) ENGINE = Memory", "SET readonly = 0"):  # fmt: skip
                with pytest.raises(Errors):
                    list(engine.rows(statement, {}))
                if isinstance(engine, ChDB):
                    with pytest.raises(ChdbError, match="readonly"):
                        engine.command(statement)
            assert engine.total() == 1
    assert run("SHOW TABLES") == "contacts\n"


def test_settings_of_a_session_change_nothing(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    """What a statement needs stands in its text, so that it means the same for whoever runs it."""
    run("""
        CREATE TABLE contacts (id UInt8, n Nullable(Int8), w String) ENGINE = Memory;
        INSERT INTO contacts VALUES (1, NULL, 'a'), (2, 7, 'b');
        CREATE TABLE visits (id UInt8, at DateTime, n Float64) ENGINE = Memory;
        INSERT INTO visits VALUES (1, '2026-02-28 23:30:00', 0.1)
    """)
    catalog = project(chdb, """
timezone: Europe/Berlin
contacts: {table: contacts, key: id, attributes: {n: int, w: string}}
events: {visited: {table: visits, time: at, properties: {n: "decimal(5,1)"}}}
""")  # fmt: skip
    rules = ["n is unknown", "not visited", "n not in (8, 9)", "sum(n of visited) = 0.1", "visited on 2026-03-01"]
    expected = [["1"], ["2"], ["1", "2"], ["1"], ["1"]]
    assert members(catalog, *rules) == expected
    program = rules_of(catalog, *rules)
    with connect(catalog) as engine:
        text = compile_segments(program, catalog, list(program.segments), NOW, engine.schema(), "clickhouse")
    odd = "join_use_nulls = 0, transform_null_in = 1, aggregate_functions_null_for_empty = 0, join_algorithm = 'hash'"
    try:
        run(f"SET {odd}, session_timezone = 'Asia/Tokyo'")
        found = [line.split("\t") for line in run(text).split("\n")[:-1]]
    finally:
        run("SET join_use_nulls = DEFAULT, transform_null_in = DEFAULT, aggregate_functions_null_for_empty = DEFAULT,"
            " join_algorithm = DEFAULT, session_timezone = 'UTC'")  # fmt: skip
    assert [[contact for name, contact in found if name == f"r{i}"] for i in range(len(rules))] == expected


def test_printed_text_reads_numbers_of_any_type(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    """It knows no tables: what is declared a decimal may be stored as any number."""
    run("""
        CREATE TABLE contacts (id String, long Decimal(10, 4), whole Nullable(Int32), near Float64, word String)
        ENGINE = Memory;
        INSERT INTO contacts VALUES ('a', 12.34, 12, 0.1 + 0.2, '12.34'), ('b', 12.3456, NULL, 12.345, '12.345')
    """)
    money = ", ".join(f'{name}: "decimal(18,2)"' for name in ("long", "whole", "near", "word"))
    catalog = project(chdb, f"contacts: {{table: contacts, key: id, attributes: {{{money}}}}}")
    found = {"long = 12.34": "a", "long is known": "a", "whole = 12.00": "a", "whole is unknown": "b",
             "near = 0.30": "a", "near = 12.35": "b", "word = 12.34": "a", "word is known": "a"}  # fmt: skip
    text = compile_segments(rules_of(catalog, *found), catalog, [f"r{i}" for i in range(8)], NOW, None, "clickhouse")
    assert run(text) == "".join(f"r{i}\t{contact}\n" for i, contact in enumerate(found.values()))
    assert members(catalog, *found) == [[contact] for contact in found.values()]


def test_a_live_statement_is_a_view(chdb: ClickHouseDatabase, run: Callable[[str], str]) -> None:
    run("""
        CREATE TABLE contacts (id String) ENGINE = Memory;
        INSERT INTO contacts VALUES ('a'), ('b');
        CREATE TABLE visits (id String, at DateTime64(6)) ENGINE = Memory;
        INSERT INTO visits VALUES ('a', now64(6) - INTERVAL 2 HOUR), ('b', now64(6) - INTERVAL 4 HOUR)
    """)
    catalog = project(chdb, f"{PEOPLE}\nevents: {{visited: {{table: visits, time: at}}}}")
    text = compile_segments(rules_of(catalog, "visited in 3h"), catalog, ["r0"], None, None, "clickhouse")
    run(f"CREATE VIEW recent AS {text}")
    assert run("SELECT contact FROM recent") == "a\n"


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["chdb:///gone", "chdb:////gone/away", "chdb:///.", "chdb:", "chdb:///gone?x=1"])
def test_no_folder(chdb: ClickHouseDatabase, tmp_path: Path, url: str) -> None:
    catalog = replace(project(chdb, PEOPLE), database=url, folder=tmp_path)
    found = refused(catalog)
    assert found.code == "SEG0710" and "no chdb database" in found.message and "chdb:////folder" in found.help
    assert list(tmp_path.iterdir()) == []  # chdb itself would have made one


def test_one_folder_at_a_time(chdb: ClickHouseDatabase, tmp_path: Path) -> None:
    (tmp_path / "other" / "metadata").mkdir(parents=True)
    found = refused(replace(project(chdb, PEOPLE), database="chdb:///other", folder=tmp_path))
    assert found.code == "SEG0710" and "cannot be opened in this process" in found.message
    assert found.help == "chdb has one folder open at a time"


@pytest.mark.parametrize("url", [
    "clickhouse://u:p@ss/w0rd@localhost/db", "clickhouse://u:w0rd?x@localhost/db", "clickhouse://u:w0rd#x@localhost/db",
    "clickhouse://localhost/db?w0rd=1", "clickhouse://u:w0rd@localhost:none/db", "clickhouse://u@localhost/a/w0rd",
])  # fmt: skip
def test_what_is_no_url(chdb: ClickHouseDatabase, url: str) -> None:
    found = refused(replace(project(chdb, PEOPLE), database=url))
    assert found.code == "SEG0710" and "no URL such as" in found.message and "%40" in found.help
    assert "w0rd" not in found.message + found.help


def test_no_server_no_account_no_database(server: ClickHouseServer) -> None:
    catalog = project(server, PEOPLE)
    for url, said in {
        "clickhouse://u:w0rd@127.0.0.1:1/db": "no connection",
        f"clickhouses://u:w0rd@127.0.0.1:{server.port}/db": "no connection",
        f"clickhouse://tester:w0rd@127.0.0.1:{server.port}/default": "password is incorrect",
        server.url.replace("/default", "/gone"): "Database gone does not exist",
    }.items():
        found = refused(replace(catalog, database=url))
        assert found.code == "SEG0710" and said in found.message, found
        assert "w0rd" not in found.message + found.help and "p@ss" not in found.message


def test_the_environment_names_who_asks(server: ClickHouseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.databases.clickhouse import PASSWORD, USER

    monkeypatch.setenv("CLICKHOUSE_USER", USER)
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", PASSWORD)
    with connect(replace(project(server, PEOPLE), database=f"clickhouse://127.0.0.1:{server.port}")) as engine:
        assert list(engine.rows("SELECT currentDatabase()", {})) == [("default",)]


@pytest.mark.parametrize(
    "kind, module, package",
    [("chdb", "chdb.state.sqlitelike", "chdb"), ("clickhouse", "clickhouse_connect", "clickhouse-connect")],
)
def test_the_missing_driver_says_what_to_install(
    server: ClickHouseServer, chdb: ClickHouseDatabase, monkeypatch: pytest.MonkeyPatch, kind: str, module: str,
    package: str,
) -> None:  # fmt: skip
    monkeypatch.delitem(sys.modules, f"segdsl.engines.{kind}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    found = refused(project(chdb if kind == "chdb" else server, PEOPLE))
    assert (found.code, found.help) == ("SEG0718", f'pip install "segdsl[{kind}]"') and f"`{package}`" in found.message


def test_both_ways_read_the_same(chdb: ClickHouseDatabase, server: ClickHouseServer, run: Callable[[str], str]) -> None:
    """What comes as JSON out of chdb comes in ClickHouse's own format from a server."""
    run("""
        CREATE TABLE contacts (id UInt64, i Int128, f Float64, d Decimal(38, 20), s String, t DateTime64(6), b Bool,
                               l Array(String), day Date32) ENGINE = Memory;
        INSERT INTO contacts VALUES
            (18446744073709551615, 9223372036854775807, -inf, '123.45678901234567891', 'é😀/\\\\\\n\\t"', now64(6),
             true, ['a', '/', '"'], '1900-01-01'),
            (1, -1, 1e-300, '0', '', '2026-03-01 10:00:00.123456', false, [], '2299-12-31')
    """)
    text = """
contacts:
  table: contacts
  key: id
  attributes: {i: int, f: float, d: "decimal(38,20)", s: string, t: timestamp, b: bool, l: list<string>, day: date}
"""
    found = []
    for each in (chdb, server):
        with connect(project(each, text)) as engine:
            found.append(list(engine.facts()))
    assert found[0] == found[1] and [len(person.attributes) for person in found[0]] == [8, 8]
    assert found[0][1].id == 18446744073709551615 and found[0][1].attributes[None, "s"] == 'é😀/\\\n\t"'


def test_an_error_in_the_middle_of_an_answer(chdb: ClickHouseDatabase, server: ClickHouseServer) -> None:
    for catalog in both(chdb, server):
        # Rows before it may have come by then, or not: blocks are made in advance.
        with connect(catalog) as engine, pytest.raises(Errors, match="too far"):
            list(engine.rows("SELECT throwIf(number = 250000, 'too far') FROM numbers(300000)", {}))
