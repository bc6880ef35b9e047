"""PostgreSQL's own ways: its types, names, transactions and errors."""

from __future__ import annotations

import json
import math
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from segdsl.backends.sql.statement import Statement
from segdsl.catalog import model
from segdsl.engines import connect
from segdsl.text.diagnostic import Errors
from tests.support.databases import Table, database
from tests.support.databases.postgres import PostgresDatabase
from tests.support.own_ways import (
    HALF,
    IN_ZONE,
    LEAD,
    MARCH,
    NOW,
    PEOPLE,
    SEVEN,
    TEN,
    all_types,
    catalog_of,
    found_by_keys,
    members,
    misread,
    refused,
    word,
)
from tests.support.world import instant, program_of


@pytest.fixture(scope="module")
def server() -> PostgresDatabase:
    found = database("postgres")
    assert isinstance(found, PostgresDatabase)
    return found


@pytest.fixture
def schema(server: PostgresDatabase) -> Iterator[psycopg.Connection]:
    """A connection whose tables lie in a schema of their own."""
    server.connection.execute("DROP SCHEMA IF EXISTS odd CASCADE; CREATE SCHEMA odd; SET search_path = odd, public")
    yield server.connection
    server.connection.execute("DROP SCHEMA odd CASCADE; RESET search_path")
    server.made.clear()


def project(server: PostgresDatabase, text: str) -> model.Catalog:
    """A catalog with the tables of schema `odd`."""
    return catalog_of(text, f"{server.url}&options=-csearch_path%3Dodd")


# --- stored types ----------------------------------------------------------------------------------------------------

FINE = "2026-03-01 10:00:00.123456789+05:30"


# type -> what is stored, as the server reads it -> what is known of it
ODD: dict[str, dict[str, dict[str, object]]] = {
    "boolean": {"true": {"bool": True}},
    "smallint": {"7": SEVEN},
    "odd.small": {"7": SEVEN},
    "bigint": {"9223372036854775807": {"int": 2**63 - 1, "float": 2.0**63}},
    "numeric(12,2)": {"7.50": HALF, "NaN": {}},
    "numeric": {
        "7.0": SEVEN,
        "123.456": {"wide": 123456 * 10**17, "float": 123.456},
        "NaN": {},
        "9223372036854775808": {"float": 2.0**63},
        "-9223372036854775808": {"int": -(2**63), "float": -(2.0**63)},
        "1e400": {},
        "1e-400": {"float": 0.0},
    },
    "money": {"7.5": HALF},
    "real": {"7.5": HALF, "NaN": {}},
    "double precision": {
        "1.005": {"money": 101, "wide": 1005 * 10**17, "float": 1.005},
        "-1.005": {"money": -101, "wide": -1005 * 10**17, "float": -1.005},
        "9999999999.995": {"wide": 9999999999995 * 10**17, "float": 9999999999.995},
        "-0": {"int": 0, "money": 0, "wide": 0, "float": 0.0},
        "NaN": {},
        "-Infinity": {"float": -math.inf},
        "9.2233720368547748e18": {"int": 2**63 - 1024, "float": 2.0**63 - 1024},
        "9.2233720368547758e18": {"float": 2.0**63},
    },
    "char(8)": {"lead  ": LEAD, "7": {**SEVEN, "word": "7"}},
    "varchar(5)": {"x  ": word("x  ")},
    "name": {"abc": word("abc")},
    '"char"': {"q": word("q")},
    "odd.stage": {"lead": LEAD, "gone": word("gone")},
    "odd.word": {"lead": LEAD},
    'text COLLATE "POSIX"': {"lead": LEAD},
    "uuid": {"00000000-0000-0000-0000-0000000000aa": word("00000000-0000-0000-0000-0000000000aa")},
    "bytea": {"\\xaa00": {}, "\\x31": {}},
    "time": {"12:30": {}},
    "interval": {"1 month": {}},
    "inet": {"10.0.0.1": {}},
    "bit(3)": {"101": {}},
    "int4range": {"[1,5)": {}},
    "odd.pair": {"(1,a)": {}},
    "timestamp": {
        "2026-03-01 10:00:00.123456": {"time": TEN + 123456},
        "2026-03-01": {"time": MARCH, "day": IN_ZONE},
        "infinity": {},
        "0044-03-15 BC": {},
        "294276-12-31 23:59:59": {},
        "9999-12-31 23:59:59.999999": {"time": instant("9999-12-31T23:59:59.999999Z")},
    },
    "timestamp(3)": {"2026-03-01 10:00:00.123456": {"time": TEN + 123000}},
    "timestamptz": {
        "2026-03-01 12:00+02": {"time": TEN},
        "2026-03-01 00:00+00": {"time": MARCH, "day": IN_ZONE},
        "-infinity": {},
        "294276-12-31 23:59:59+00": {},
    },
    "date": {"2026-03-01": {"time": MARCH, "day": IN_ZONE}, "infinity": {}, "5874897-12-31": {}},
    "text[]": {
        "{a,NULL,b}": {"list": ("a", "b")},
        "{}": {"list": ()},
        "{{a,b},{c,d}}": {"list": ()},
        "[2:3]={a,b}": {"list": ("a", "b")},
    },
    "char(5)[]": {"{a,b}": {"list": ("a", "b")}},
    "odd.stage[]": {"{lead}": {"list": ("lead",)}},
    "odd.word[]": {"{lead}": {"list": ("lead",)}},
    "int[]": {"{1,2}": {"list": ()}},
    "jsonb": {
        '["a", 1, null, ["b"], "c"]': {"list": ("a", "c")},
        '"lead"': LEAD,
        "7": SEVEN,
        "7.50": HALF,
        "0.12345678901234567891": {"money": 12, "wide": 12345678901234568000, "float": 0.12345678901234568},
        "true": {"bool": True},
        "null": {},
    },
    "json": {
        '["\\u0000", "ok", "\\ud800", "\\\\u0000"]': {"list": ("ok", "\\u0000")},
        '"[\\"x\\"]"': word('["x"]', list=("x",)),
        '"\\u0000"': {},
        '"\\ud83d\\ude00"': word("😀"),
        "7e0": SEVEN,
        "12345678901234567890": {"float": 12345678901234567890.0},
        "1e-400": {"int": 0, "money": 0, "wide": 0, "float": 0.0},
        "1e999999": {},
    },
    "text": {
        "": word(""),
        "007": {**SEVEN, "word": "007"},
        "7.0": word("7.0", money=700, wide=7 * 10**20, float=7.0),
        "7.5000": {**HALF, "word": "7.5000"},
        "7.505": word("7.505", wide=7505 * 10**17, float=7.505),
        "+7": word("+7"),
        "1e3": word("1e3"),
        "Infinity": word("Infinity"),
        "7\n": word("7\n"),
        "9223372036854775808": word("9223372036854775808", float=2.0**63),
        "9" * 2000: word("9" * 2000),
        "true": word("true", bool=True),
        "TRUE": word("TRUE"),
        "2026-02-29": word("2026-02-29"),
        "1900-02-29": word("1900-02-29"),
        "0000-01-01": word("0000-01-01"),
        "2026-03-01": word("2026-03-01", time=MARCH, day=IN_ZONE),
        "2026-03-01t10:00z": word("2026-03-01t10:00z", time=TEN),
        FINE: word(FINE, time=TEN - 330 * 60 * 10**6 + 123456),
        "2026-03-01T10:00-2300": word("2026-03-01T10:00-2300", time=TEN + 23 * 3600 * 10**6),
        "2026-03-01T24:00": word("2026-03-01T24:00"),
        "2026-03-01T10:00+24": word("2026-03-01T10:00+24"),
        '["a", 1, {"b": "c"}, "é😀"]': word('["a", 1, {"b": "c"}, "é😀"]', list=("a", "é😀")),
        '["a"': word('["a"'),
        "[#]": word("[#]"),
        "[" * 9000: word("[" * 9000),
    },
}


def test_every_stored_type_fits_or_is_unknown(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("""
        CREATE TYPE odd.stage AS ENUM ('lead', 'gone'); CREATE TYPE odd.pair AS (a int, b text);
        CREATE DOMAIN odd.word AS text; CREATE DOMAIN odd.least AS smallint; CREATE DOMAIN odd.small AS odd.least;
    """)
    cases = [(kind, stored) for kind, values in ODD.items() for stored in values]
    rows = [[str(i), *(stored if kind == own else None for own in ODD)] for i, (kind, stored) in enumerate(cases)]
    columns = {"id": "text", **{f"x{i}": kind for i, kind in enumerate(ODD)}}
    server.load({"odd.contacts": Table(columns, rows)})
    assert misread(all_types(len(ODD), "odd.contacts", server.url), ODD) == ""


def test_values_inside_json_are_found_by_any_key(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    document = json.dumps({
        "a.b": {"$": {"/~": 1}}, "0": "x", 'q"\\': "é😀", "it's": True, "%s": "%(p1)s", "list": ["y"], "n": None,
    })  # fmt: skip
    columns = {"id": "int", "json": "json", "jsonb": "jsonb", "text": "text", "none": "text", "list": "jsonb"}
    server.load({"odd.contacts": Table(columns, [[1, document, document, document, "[", '["x"]']])})
    keys = [["a.b", "$", "/~"], ["0"], ['q"\\'], ["it's"], ["%s"], ["list", "0"], ["n"], ["list"], ["gone"]]
    found = found_by_keys(project(server, PEOPLE), ("json", "jsonb", "text", "none", "list"), keys)
    known = {0: 1, 1: "x", 2: "é😀", 3: True, 4: "%(p1)s", 7: ("y",)}
    assert found == {f"{column}{i}": value for column in ("json", "jsonb", "text") for i, value in known.items()}


def test_texts_are_compared_by_code_points(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("""
        CREATE TABLE contacts (id text COLLATE ucs_basic, ship text COLLATE "POSIX", bill varchar COLLATE ucs_basic);
        INSERT INTO contacts VALUES
            ('b', 'é', 'é'), ('B', 'e', 'é'), ('😀', 'E', 'e'), ('｡', 'a%_\\', 'a!'), ('a', 'x', NULL)
    """)
    catalog = project(server, "contacts: {table: contacts, key: id, attributes: {ship: string, bill: string}}")
    assert members(
        catalog, "ship = bill", "ship != bill", 'ship = "E"', 'ship = "e" ignoring case', r'ship matches "a%_\\"',
        'bill contains "!"', 'ship matches "?"',
    ) == [["b"], ["B", "a", "｡", "😀"], ["😀"], ["B", "😀"], ["｡"], ["｡"], ["B", "a", "b", "😀"]]  # fmt: skip


def test_related_records_are_found_by_code_points(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("""
        CREATE TABLE contacts (id int, company text COLLATE ucs_basic);
        CREATE TABLE companies (name text COLLATE "POSIX", industry varchar(9));
        INSERT INTO contacts VALUES (1, 'é'), (2, 'É'); INSERT INTO companies VALUES ('é', 'tea'), ('É', 'ice')
    """)
    catalog = project(server, """
contacts: {table: contacts, key: id}
relations: {company: {table: companies, key: name, contact: company, attributes: {industry: string}}}
""")  # fmt: skip
    assert members(catalog, 'company.industry = "tea"', 'company.industry = "ice"') == [["1"], ["2"]]


@pytest.mark.parametrize("kind, keys", [
    ("bigint", "(1), (-7)"), ("smallint", "(1), (-7)"), ("numeric", "(1.00), (-7)"), ("float8", "(1), (-7)"),
    ("char(4)", "('1'), ('-7')"), ("bytea", "('1'), ('-7'), ('\\xff')"), ("jsonb", "('1'), ('\"-7\"')"),
    ("name", "('1'), ('-7')"),
])  # fmt: skip
def test_keys_meet_whatever_their_types(
    server: PostgresDatabase, schema: psycopg.Connection, kind: str, keys: str
) -> None:
    schema.execute(f"""
        CREATE TABLE contacts (id {kind}); INSERT INTO contacts VALUES {keys};
        CREATE TABLE visits AS
            SELECT id, timestamp '2026-02-28' AS at FROM (VALUES ('1'), ('x'), ('01'), (NULL)) AS v(id);
        CREATE TABLE lists AS SELECT i AS id, 'vip' AS list FROM generate_series(-7, -7) AS t(i);
    """.encode())  # fmt: skip
    catalog = project(server, """
contacts: {table: contacts, key: id}
events: {visited: {table: visits, time: at}}
lists: {table: lists, list: list, contact: id}
""")  # fmt: skip
    assert members(catalog, "visited", 'in list "vip"') == [["1"], ["-7"]]


def test_names_are_meant_as_they_are_written(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    table, column = 'odd."Odd %s ""Table"', '"a""b; DROP TABLE x; --"'
    schema.execute(f"""
        CREATE TABLE {table} (id int, "Name" text, name text, {column} text, "select" int);
        INSERT INTO {table} VALUES (1, 'A', 'a', 'it''s', 5)
    """.encode())  # fmt: skip
    catalog = project(server, """
contacts:
  table: 'odd.Odd %s "Table'
  key: id
  attributes:
    big: {type: string, column: Name}
    small: {type: string, column: name}
    odd: {type: string, column: 'a"b; DROP TABLE x; --'}
    word: {type: int, column: select}
""")  # fmt: skip
    assert members(catalog, """big = "A" and small = "a" and odd = "it's" and word = 5""") == [["1"]]
    catalog = project(server, """contacts: {table: 'odd.odd %s "table', key: ID}""")
    assert "odd %s" in refused(catalog, lambda engine: engine.require()).message
    catalog = project(server, """contacts: {table: 'Odd %s "Table', key: ID}""")
    missing = refused(catalog, lambda engine: engine.require())
    assert (missing.code, missing.help) == ("SEG0712", "did you mean `id`?")


def test_tables_are_named_as_a_catalog_names_them(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("""
        CREATE SCHEMA "Other"; CREATE TABLE "Other".orders (id int);
        CREATE TABLE orders (id int, day date) PARTITION BY RANGE (day);
        CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE VIEW recent AS SELECT * FROM orders; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id;
    """)
    try:
        with connect(project(server, "contacts: {table: recent, key: id}")) as engine:
            found = [name for name in engine.tables() if not name.startswith("public.")]
            assert found == ["Other.orders", "kept", "orders", "recent"]
            assert engine.columns("Other.orders") == [("id", "integer")]
            assert engine.columns("recent") == [("id", "integer"), ("day", "date")]
            assert engine.columns("Recent") is engine.columns("no.where") is engine.columns('a"b.c"') is None
            missing = engine.missing()
            assert not missing
    finally:
        schema.execute('DROP SCHEMA "Other" CASCADE')
    missing_ = refused(project(server, "contacts: {table: recents, key: id}"), lambda engine: engine.require())
    assert (missing_.code, missing_.help) == ("SEG0711", "did you mean `recent`?")


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_times_that_are_none_make_no_events(server: PostgresDatabase, schema: psycopg.Connection, kind: str) -> None:
    last = "294276-12-31 23:59:59"
    times = ["infinity", "-infinity", last, "4713-01-01 BC", "0001-12-31 23:59 BC", "10000-01-01", "2026-02-28"]
    server.load({
        "odd.contacts": Table({"id": "text"}, [["a"]]),
        "odd.visits": Table({"id": "text", "at": kind, "n": "int"}, [["a", time, i] for i, time in enumerate(times)]),
        "odd.stages": Table({"id": "text", "at": kind, "stage": "text"}, [["a", time, time] for time in times]),
    })  # fmt: skip
    catalog = project(server, """
timezone: America/New_York
contacts:
  table: contacts
  key: id
  attributes: {stage: {type: string, history: {table: stages, contact: id, time: at, value: stage}}}
events: {visited: {table: visits, time: at, properties: {n: int}}}
""")  # fmt: skip
    assert members(
        catalog, "visited = 1", "visited then visited within 9000d", "visited then not visited within 1h in 5y",
        "visited >= 2 within 3000000d", "visited within 99999d before last(visited)", 'stage was ever "infinity"',
        f'stage was ever "{last}"', "stage changed", "distinct(week of visited) = 1", "last(n of visited) = 6",
    ) == [["a"], [], ["a"], [], [], [], [], ["a"], ["a"], ["a"]]  # fmt: skip
    with connect(catalog) as engine:
        [person] = engine.facts()
    assert person.events["visited"] == [(instant("2026-02-28T00:00Z"), {"n": 6})]
    assert person.history == {"stage": [(instant("2026-02-28T00:00Z"), "2026-02-28")]}


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_windows_use_the_index(server: PostgresDatabase, schema: psycopg.Connection, kind: str) -> None:
    schema.execute(
        f"""
        CREATE TABLE contacts AS SELECT i::text AS id FROM generate_series(1, 100) AS t(i);
        CREATE TABLE visits AS SELECT (i % 100)::text AS id, ({kind} '2026-03-01' - i * interval '10 min') AS at
            FROM generate_series(1, 20000) AS t(i);
        CREATE INDEX by_time ON visits (at); ANALYZE visits
    """.encode()
    )
    catalog = project(server, """
contacts: {table: contacts, key: id}
events: {visited: {table: visits, time: at}}
""")  # fmt: skip
    program = program_of("segment r:\n    visited >= 2 in 1d and visited in 3h\n", catalog)
    with connect(catalog) as engine:
        statement, values = engine.dialect.question(
            Statement(program, catalog, ["r"], NOW, engine.schema(), engine.dialect).tree()
        )
    explained = psycopg.RawCursor(schema).execute(f"EXPLAIN {statement}".encode(), list(values.values()))
    plan = "\n".join(line for (line,) in explained)
    assert "by_time" in plan and "Seq Scan on visits" not in plan, plan


# --- transactions ----------------------------------------------------------------------------------------------------

SERIES = "SELECT i FROM generate_series(1, 25000) AS t(i)"


def test_questions_that_are_open_together_see_one_state(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("CREATE TABLE contacts (id int); INSERT INTO contacts SELECT generate_series(1, 25000)")
    with connect(project(server, "contacts: {table: contacts, key: id}")) as engine:
        ask = "SELECT id FROM contacts ORDER BY id"
        first = engine.rows(ask, {})
        assert next(first) == (1,)
        schema.execute("INSERT INTO contacts VALUES (0)")
        assert engine.total() == 25000  # still in the first one's state
        second = engine.rows(ask, {})
        assert [next(second), next(first), next(second)] == [(1,), (2,), (2,)]
        assert len(list(first)) == 24998
        del second
        assert engine.total() == 25001
        people = engine.facts()
        assert next(people).id == 0
        schema.execute("DELETE FROM contacts")
        assert len(list(people)) == 25000
        assert engine.total() == 0


def test_an_error_ends_what_is_open_and_nothing_more(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("CREATE TABLE contacts (id int)")
    with connect(project(server, "contacts: {table: contacts, key: id}")) as engine:
        half_read = engine.rows(SERIES, {})
        assert next(half_read) == (1,)
        for statement in ("SELECT 1 / 0", "INSERT INTO contacts VALUES (1)", "SELECT pg_read_file('/x')", "nonsense"):
            with pytest.raises(Errors) as caught:
                list(engine.rows(statement, {}))
            assert caught.value.diagnostics[0].code == "SEG0719"
        assert engine.total() == 0
        with pytest.raises(Errors, match="another question"):
            list(half_read)
        assert list(engine.rows("SELECT $1::text, '100% $1 %s'", {"p1": "%s '\\"})) == [("%s '\\", "100% $1 %s")]


def test_a_question_can_be_stopped(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("CREATE TABLE contacts (id int)")
    with connect(project(server, "contacts: {table: contacts, key: id}")) as engine:
        engine.interrupt()  # nothing runs
        assert engine.total() == 0
        timer = threading.Timer(0.3, engine.interrupt)
        timer.start()
        with pytest.raises(Errors, match="cancel"):
            list(engine.rows("SELECT pg_sleep(60)", {}))
        timer.join()
        assert engine.total() == 0


def test_a_lost_connection_is_found_again(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("CREATE TABLE contacts (id int)")
    with connect(project(server, "contacts: {table: contacts, key: id}")) as engine:
        [(pid,)] = engine.rows("SELECT pg_backend_pid()", {})
        schema.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        with pytest.raises(Errors):
            engine.total()
        assert engine.total() == 0


def test_settings_of_a_role_change_nothing(server: PostgresDatabase, schema: psycopg.Connection) -> None:
    schema.execute("""
        CREATE TABLE contacts AS SELECT 1 AS id, timestamptz '2026-02-28 23:30+00' AS seen, date '2026-02-03' AS day,
            0.1::float8 + 0.2::float8 AS share, NULL::text AS word, '[1e0]' AS list;
        CREATE ROLE odd_reader LOGIN; GRANT USAGE ON SCHEMA odd TO odd_reader; GRANT SELECT ON contacts TO odd_reader;
        ALTER ROLE odd_reader SET TimeZone = 'Asia/Tokyo'; ALTER ROLE odd_reader SET DateStyle = 'SQL, DMY';
        ALTER ROLE odd_reader SET extra_float_digits = -5; ALTER ROLE odd_reader SET transform_null_equals = on;
        ALTER ROLE odd_reader SET IntervalStyle = 'iso_8601'; ALTER ROLE odd_reader SET bytea_output = 'escape';
    """)
    try:
        catalog = project(
            server,
            """
contacts:
  table: contacts
  key: id
  attributes: {seen: timestamp, day: date, share: float, exact: {type: "decimal(20,17)", column: share}, word: string}
""",
        )
        reader = replace(catalog, database=(catalog.database or "").replace("postgres@", "odd_reader@", 1))
        rules = ["seen on 2026-02-28", "day on 2026-02-03", "share = 0.30000000000000004"]
        rules += ["exact = 0.30000000000000004", "word is unknown"]
        assert members(reader, *rules) == members(catalog, *rules) == [["1"]] * 5
    finally:
        schema.execute("DROP OWNED BY odd_reader; DROP ROLE odd_reader")


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url, said", [
    ("postgresql://u:p@ss/w0rd@localhost/db", "no URL such as"),
    ("postgresql://u:secret/w0rd@localhost/db", "no URL such as"),
    ("postgresql://u:w0rd?x@localhost/db", "no connection"),
    ("postgresql://localhost/db?w0rd", "no URL such as"),
    ("postgresql://u:w0rd@localhost:1/db", "no connection"),
    ("postgres://u:w%30rd@/db?host=/nowhere", "no connection"),
    ("postgresql://u:w0rd@no.such.host.invalid/db?connect_timeout=2", "no connection"),
])  # fmt: skip
def test_no_connection_and_no_password_shown(server: PostgresDatabase, url: str, said: str) -> None:
    catalog = replace(project(server, "contacts: {table: contacts, key: id}"), database=url)
    found = refused(catalog, lambda engine: None)
    assert found.code == "SEG0710" and said in found.message and "w0rd" not in found.message + found.help


def test_a_password_that_is_wrong(server: PostgresDatabase) -> None:
    rules = server.folder / "pg_hba.conf"
    rules.write_text("local all odd_guarded scram-sha-256\n" + rules.read_text())
    server.connection.execute("CREATE ROLE odd_guarded LOGIN PASSWORD 'right'; SELECT pg_reload_conf()")
    try:
        for password, said in (("wr0ng", "password authentication failed"), ("right", "permission denied")):
            url = server.url.replace("postgres@", f"odd_guarded:{password}@", 1)
            catalog = replace(project(server, "contacts: {table: pg_authid, key: oid}"), database=url)
            found = refused(catalog, lambda engine: engine.total())
            assert said in found.message and password not in found.message
    finally:
        server.connection.execute("DROP ROLE odd_guarded")


def test_the_missing_driver_says_what_to_install(server: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "segdsl.engines.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    found = refused(project(server, "contacts: {table: contacts, key: id}"), lambda engine: None)
    assert (found.code, found.help) == ("SEG0718", 'pip install "segdsl[postgres]"')


def test_only_encodings_that_hold_every_text(server: PostgresDatabase) -> None:
    server.connection.execute("CREATE DATABASE odd_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        url = server.url.replace("/postgres?", "/odd_latin?", 1)
        catalog = replace(project(server, "contacts: {table: contacts, key: id}"), database=url)
        assert "LATIN1" in refused(catalog, lambda engine: None).message
    finally:
        server.connection.execute("DROP DATABASE odd_latin WITH (FORCE)")
