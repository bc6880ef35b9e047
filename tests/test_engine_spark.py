"""Spark's own ways: its types, names, files, settings and errors, on a session of this process."""

from __future__ import annotations

import json
import math
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from segdsl import types
from segdsl.backends.sql import compile_segments
from segdsl.catalog import model
from segdsl.engines import connect
from segdsl.engines import spark as engine_module
from segdsl.engines.engine import Engine
from segdsl.engines.spark import Spark
from segdsl.text.diagnostic import Errors
from tests.support.databases import database
from tests.support.databases.spark import SparkDatabase
from tests.support.own_ways import (
    DAY,
    DECLARED,
    HALF,
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
    rules_of,
    word,
)
from tests.support.world import instant


@pytest.fixture
def spark() -> SparkDatabase:
    """The session, without the views that other tests have made."""
    found = database("spark")
    assert isinstance(found, SparkDatabase)
    for _, name, temporary in found.session.sql("SHOW TABLES").collect():
        if temporary:
            found.session.catalog.dropTempView(name)
    return found


@pytest.fixture
def view(spark: SparkDatabase) -> Iterator[Callable[[str, str], None]]:
    """Makes a view of the session, whose rows are held; it is gone behind the test."""
    made: list[str] = []

    def view(name: str, query: str) -> None:
        spark.session.sql(query).localCheckpoint().createOrReplaceTempView(engine_module.quoted(name))
        made.append(name)

    yield view
    for name in made:
        spark.session.catalog.dropTempView(name)


def project(text: str, url: str = "spark:local", folder: Path = Path()) -> model.Catalog:
    return catalog_of(text, url, folder)


# --- stored types ----------------------------------------------------------------------------------------------------

# type -> what is stored, as an expression of SQL -> what is known of it
ODD: dict[str, dict[str, dict[str, object]]] = {
    "BOOLEAN": {"TRUE": {"bool": True}, "NULL": {}},
    "BIGINT": {"9223372036854775807": {"int": 2**63 - 1, "float": 2.0**63}},
    "DECIMAL(12,2)": {
        "7.50": HALF,
        "-9999999999.99": {"money": -999999999999, "wide": -999999999999 * 10**18, "float": -9999999999.99},
    },
    "DECIMAL(38,20)": {"7": SEVEN, "123.456": {"wide": 123456 * 10**17, "float": 123.456}},
    "DECIMAL(38,0)": {
        "9223372036854775808": {"float": 2.0**63},
        "-9223372036854775808": {"int": -(2**63), "float": -(2.0**63)},
        "10000000000000000000000000000000000000": {"float": 1e37},
    },
    "DOUBLE": {
        "1.005": {"money": 101, "wide": 1005 * 10**17, "float": 1.005},
        "-1.005": {"money": -101, "wide": -1005 * 10**17, "float": -1.005},
        "9999999999.995": {"wide": 9999999999995 * 10**17, "float": 9999999999.995},
        "-0.0D": {"int": 0, "money": 0, "wide": 0, "float": 0.0},
        "'NaN'": {},
        "'-Infinity'": {"float": -math.inf},
        "1e-300": {"money": 0, "wide": 0, "float": 1e-300},
        "9.2233720368547748e18": {"int": 2**63 - 1024, "float": 2.0**63 - 1024},
        "9.2233720368547758e18": {"float": 2.0**63},
        "-9.2233720368547758e18": {"int": -(2**63), "float": -(2.0**63)},
    },
    "BINARY": {"X'31'": {}, "X'ff'": {}},
    "DATE": {
        "'2026-03-01'": DAY,
        "'0001-01-02'": {"time": instant("0001-01-02T00:00Z"), "day": instant("0001-01-01T23:06:32Z")},
    },
    "TIMESTAMP": {
        "'2026-03-01 12:00:00.123456+02:00'": {"time": TEN + 123456},
        "'2026-03-01 00:00:00Z'": DAY,
        "'294247-01-10 04:00:54Z'": {},
        "'-0044-03-15 00:00:00Z'": {},
        "'9999-12-31 23:59:59.999999Z'": {"time": instant("9999-12-31T23:59:59.999999Z")},
    },
    "TIMESTAMP_NTZ": {
        "'2026-03-01 10:00:00.123456'": {"time": TEN + 123456},
        "'2026-03-01'": DAY,
        "'+10000-01-01 00:00:00'": {},
    },
    "ARRAY<STRING>": {"ARRAY('a', NULL, 'b')": {"list": ("a", "b")}, "ARRAY()": {"list": ()}},
    "ARRAY<INT>": {"ARRAY(1, 2)": {"list": ()}},
    "INTERVAL DAY TO SECOND": {"INTERVAL '1' DAY": {}},
    "VARIANT": {
        'PARSE_JSON(\'["a", 1, null, ["b"], "c"]\')': {"list": ("a", "c")},
        "PARSE_JSON('\"lead\"')": LEAD,
        "PARSE_JSON('7')": SEVEN,
        "PARSE_JSON('7.50')": HALF,
        "PARSE_JSON('7e0')": SEVEN,
        "PARSE_JSON('12345678901234567890')": {"float": 12345678901234567890.0},
        "PARSE_JSON('true')": {"bool": True},
        "PARSE_JSON('null')": {},
    },
    "STRING": {
        "''": word(""),
        "'007'": {**SEVEN, "word": "007"},
        "'7.0'": word("7.0", money=700, wide=7 * 10**20, float=7.0),
        "'7.505'": word("7.505", wide=7505 * 10**17, float=7.505),
        "' 7'": word(" 7"),
        "'+7'": word("+7"),
        "'1e3'": word("1e3"),
        "'Infinity'": word("Infinity"),
        "'7\\n'": word("7\n"),
        "'9223372036854775808'": word("9223372036854775808", float=2.0**63),
        "REPEAT('9', 2000)": word("9" * 2000),
        "'true'": word("true", bool=True),
        "'TRUE'": word("TRUE"),
        "'a\\0b'": word("a\0b"),
        "'2026-02-29'": word("2026-02-29"),
        "'0000-01-01'": word("0000-01-01"),
        "'2026-3'": word("2026-3"),
        "'2026-03-01'": word("2026-03-01", **DAY),
        "'2026-03-01t10:00z'": word("2026-03-01t10:00z", time=TEN),
        "'2026-03-01 15:30:00.123456789+05:30'": word("2026-03-01 15:30:00.123456789+05:30", time=TEN + 123456),
        "'2026-03-01T10:00-2300'": word("2026-03-01T10:00-2300", time=TEN + 23 * 3600 * 10**6),
        "'2026-03-01T24:00'": word("2026-03-01T24:00"),
        "'2026-03-01T10:00 Europe/Berlin'": word("2026-03-01T10:00 Europe/Berlin"),
        """'["a", 1, null, {"b": "c"}, "é😀"]'""": word('["a", 1, null, {"b": "c"}, "é😀"]', list=("a", "é😀")),
        "'[\"a\"'": word('["a"'),
        "'[] x'": word("[] x"),
        "REPEAT('[', 9000)": word("[" * 9000),
    },
}


def asked(kind: str) -> set[str]:
    """As what a column is declared: as all types where anything may be written, else as those that it might be."""
    return set(DECLARED) if kind == "STRING" else {"bool", "int", "word", "time"}.union(*ODD[kind].values())


def test_every_stored_type_fits_or_is_unknown(spark: SparkDatabase, view: Callable[[str, str], None]) -> None:
    cases = [(kind, stored) for kind, values in ODD.items() for stored in values]
    columns = [
        "CASE id " + " ".join(f"WHEN {n} THEN CAST({stored} AS {kind})"
                              for n, (own, stored) in enumerate(cases) if own == kind) + f" END AS x{i}"
        for i, kind in enumerate(ODD)
    ]  # fmt: skip
    view("contacts", f"SELECT CAST(id AS INT) AS id, {', '.join(columns)} FROM RANGE({len(cases)})")
    assert misread(all_types(len(ODD), "contacts", spark.url, lambda column: asked(list(ODD)[column])), ODD) == ""


def test_values_inside_json_are_found_by_any_key(view: Callable[[str, str], None]) -> None:
    document = json.dumps({
        "a.b": {"$": {"/~": 1}}, "0": "x", 'q"\\': "é😀", "it's": True, "$x %s": ":p1", "list": ["y"], "n": None,
        "[0]": "z", "?": "w",
    })  # fmt: skip
    text = engine_module.dialect.b.literal(document).sql(dialect="spark")
    view("contacts", f"SELECT 1 AS id, {text} AS text, PARSE_JSON({text}) AS variant, '[' AS none")
    keys = [["a.b", "$", "/~"], ["0"], ['q"\\'], ["it's"], ["$x %s"], ["list", "0"], ["n"], ["list"], ["gone"],
            ["[0]"], ["?"]]  # fmt: skip
    found = found_by_keys(project(PEOPLE), ("text", "variant", "none"), keys)
    known = {0: 1, 1: "x", 2: "é😀", 3: True, 4: ":p1", 7: ("y",), 9: "z", 10: "w"}
    assert found == {f"{column}{i}": value for column in ("text", "variant") for i, value in known.items()}


def test_values_inside_structs_and_maps(view: Callable[[str, str], None]) -> None:
    view(
        "contacts",
        """
        SELECT 1 AS id, NAMED_STRUCT('a`b c', NAMED_STRUCT('n', 7D), 'at', TIMESTAMP '2026-03-01 10:00:00Z') AS s,
            MAP('x', '7', 'it''s', NULL) AS m
    """,
    )
    wanted: dict[str, tuple[tuple[str, ...], types.Type, object]] = {
        "n": (("s", "a`b c", "n"), types.INT, 7), "at": (("s", "at"), types.Timestamp(), TEN),
        "no": (("s", "gone"), types.String(), None), "x": (("m", "x"), types.String(), "7"),
        "whole": (("m", "x"), types.INT, 7), "null": (("m", "it's"), types.String(), None),
        "lost": (("m", "gone"), types.String(), None),
    }  # fmt: skip
    attributes = {name: model.Attribute(name, kind, (model.Column(path[0], path[1:]),))
                  for name, (path, kind, _) in wanted.items()}  # fmt: skip
    with connect(replace(project(PEOPLE), attributes=attributes)) as engine:
        found = {key: value for (_, key), value in next(engine.facts()).attributes.items()}
    assert found == {name: value for name, (_, _, value) in wanted.items() if value is not None}


def test_texts_are_compared_by_code_points(view: Callable[[str, str], None]) -> None:
    view(
        "contacts",
        r"""
        SELECT id, CAST(ship AS STRING COLLATE UTF8_LCASE) AS ship, CAST(bill AS STRING COLLATE UNICODE_CI) AS bill
        FROM VALUES ('b', 'é', 'é'), ('B', 'e', 'E'), ('😀', 'E', 'e'), ('｡', 'a%_\\', 'a!'), ('a', 'x', NULL)
            AS t(id, ship, bill)
    """,
    )
    catalog = project("contacts: {table: contacts, key: id, attributes: {ship: string, bill: string}}")
    assert members(
        catalog, "ship = bill", "ship != bill", 'ship = "E"', 'ship = "e" ignoring case', r'ship matches "a%_\\"',
        'bill contains "!"', 'ship matches "?"',
    ) == [["b"], ["B", "a", "｡", "😀"], ["😀"], ["B", "😀"], ["｡"], ["｡"], ["B", "a", "b", "😀"]]  # fmt: skip


@pytest.mark.parametrize("kind", ["DECIMAL(9,2)", "BINARY"])
def test_keys_meet_whatever_their_types(view: Callable[[str, str], None], kind: str) -> None:
    view("contacts", f"SELECT CAST(x AS {kind}) AS id FROM VALUES ('1'), ('-7') AS t(x)")
    view(
        "visits",
        """
        SELECT x AS id, TIMESTAMP '2026-02-28 00:00:00Z' AS at FROM VALUES ('1'), ('x'), ('01'), (NULL) AS t(x)
    """,
    )
    view("lists", "SELECT -7D AS id, 'vip' AS list")
    catalog = project("""
contacts: {table: contacts, key: id}
events: {visited: {table: visits, time: at}}
lists: {table: lists, list: list, contact: id}
""")  # fmt: skip
    assert members(catalog, "visited", 'in list "vip"') == [["1"], ["-7"]]


def test_times_that_are_none_make_no_events(view: Callable[[str, str], None]) -> None:
    view("contacts", "SELECT 'a' AS id")
    view(
        "visits",
        """
        SELECT 'a' AS id, TIMESTAMP_MICROS(at) AS at, n FROM VALUES
            (9223372036854775807, 0), (-9223372036854775808, 1), (253402300800000000, 2), (1772236800000000, 3),
            (NULL, 4) AS t(at, n)
    """,
    )
    catalog = project("""
timezone: America/New_York
contacts: {table: contacts, key: id}
events: {visited: {table: visits, time: at, properties: {n: int}}}
""")
    assert members(
        catalog, "visited = 1", "visited then visited within 9000d", "last(n of visited) = 3",
    ) == [["a"], [], ["a"]]  # fmt: skip
    with connect(catalog) as engine:
        [person] = engine.facts()
    assert person.events["visited"] == [(instant("2026-02-28T00:00Z"), {"n": 3})]


# --- names, files ----------------------------------------------------------------------------------------------------


def test_names_are_meant_as_they_are_written(view: Callable[[str, str], None]) -> None:
    view("Odd $ 'Table", """SELECT 1 AS id, 'A' AS `Name`, "it's" AS `a``b.c; DROP TABLE x; --`, 5 AS `select`""")
    catalog = project("""
contacts:
  table: 'odd $ ''table'
  key: ID
  attributes:
    name: {type: string, column: name}
    odd: {type: string, column: 'a`b.c; DROP TABLE x; --'}
    word: {type: int, column: select}
""")
    assert members(catalog, """name = "A" and odd = "it's" and word = 5""") == [["1"]]
    missing = refused(project("""contacts: {table: 'odd $ ''table', key: idd}"""), Engine.require)
    assert (missing.code, missing.help) == ("SEG0712", "did you mean `id`?")


def parquet(path: Path, /, **columns: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def test_tables_are_files(spark: SparkDatabase, tmp_path: Path) -> None:
    """Of the folder that the URL names, or where their own name says; whoever asks next does not see them."""
    parquet(tmp_path / "lake" / "contacts.parquet", id=["a", "b"])
    parquet(tmp_path / "lake" / "visits" / "day=1" / "x.parquet", id=["a"], path=["/it's"])
    parquet(tmp_path / "lake" / "visits" / "day=2" / "y.parquet", id=["b"], path=["/"])
    parquet(tmp_path / "else" / "lists.parquet", id=["b"], list=["vip"])
    text = """
contacts: {table: contacts, key: id}
events: {visited: {table: visits, properties: {path: string, part: {type: int, column: day}}}}
lists: {table: else/lists.parquet, list: list, contact: id}
"""
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    catalog = project(text, "spark:local?path=lake", tmp_path)
    rules = 'visited where (path = "/it\'s" and part = 1)', 'in list "vip"'
    assert members(catalog, *rules) == [["a"], ["b"]]
    with connect(catalog) as engine:
        assert {"contacts", "visits"} <= set(engine.tables())
        assert engine.columns("visits") == [("id", "STRING"), ("path", "STRING"), ("day", "INT")]
    close = project("contacts: {table: contact, key: id}", f"spark:local?path={tmp_path}/lake")
    missing = refused(close, Engine.require)
    assert (missing.code, missing.help) == ("SEG0711", "did you mean `contacts`?")
    missing = refused(project("contacts: {table: people, key: id}", "spark:local?path=lake", tmp_path), Engine.require)
    assert missing.help == "a table is a file or a folder: put people.parquet into lake"
    assert refused(project(PEOPLE), Engine.require).code == "SEG0711"
    assert not [name for name in spark.session.catalog.listTables() if name.name in ("contacts", "visits")]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    # Printed text names a path as Spark reads it where it lies.
    printed = compile_segments(rules_of(catalog, rules[1]), catalog, ["r0"], NOW, None, "spark")
    assert "FROM parquet.`else/lists.parquet`" in printed and "parquet.`contacts`" not in printed


def test_windows_skip_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window's edges reach the files' statistics, and a day that folders are named by their names."""
    at = pyarrow.array([MARCH, TEN], pyarrow.timestamp("us", "UTC"))
    parquet(tmp_path / "contacts.parquet", id=["a"])
    parquet(tmp_path / "visits.parquet", id=["a", "a"], at=at)
    catalog = project(f"{PEOPLE}\nevents: {{visited: {{table: visits, time: at}}}}", f"spark:local?path={tmp_path}")
    with connect(catalog) as engine:
        rows, plans = engine.rows, []

        def explained(statement: str, values: Any) -> Iterator[Any]:
            [(plan,)] = rows(f"EXPLAIN {statement}", values)
            plans.append(plan)
            return rows(statement, values)

        monkeypatch.setattr(engine, "rows", explained)
        found = list(engine.members(rules_of(catalog, "visited in 5d"), ["r0"], NOW))
    assert found == [("r0", "a")]
    assert re.search(r"PushedFilters: \[.*GreaterThan\(at,2026-02-24 00:00:00.0\), LessThan", plans[-1]), plans[-1]


def test_tables_are_named_as_a_catalog_names_them(spark: SparkDatabase, view: Callable[[str, str], None]) -> None:
    spark.session.sql("CREATE DATABASE IF NOT EXISTS other")
    spark.session.sql("CREATE TABLE other.orders USING parquet AS SELECT 1 AS id, 'x' AS word")
    try:
        view("recent", "SELECT 1 AS id, CAST(NULL AS MAP<STRING, STRUCT<a: DECIMAL(9,2)>>) AS m")
        with connect(project("contacts: {table: other.orders, key: id, attributes: {word: string}}")) as engine:
            assert "recent" in engine.tables()
            assert engine.columns("Other.Orders") == [("id", "INT"), ("word", "STRING")]
            assert engine.columns("recent") == [("id", "INT"), ("m", "MAP<STRING, STRUCT<`a`: DECIMAL(9,2)>>")]
            assert engine.columns("orders") is engine.columns("no.where") is engine.columns("a`b.c") is None
            assert not engine.missing() and engine.total() == 1
    finally:
        spark.session.sql("DROP DATABASE other CASCADE")
    missing = refused(project("contacts: {table: recents, key: id}"), Engine.require)
    assert (missing.code, missing.help) == ("SEG0711", "did you mean `recent`?")


# --- questions -------------------------------------------------------------------------------------------------------


def test_settings_of_a_session_change_nothing(spark: SparkDatabase, view: Callable[[str, str], None]) -> None:
    """A program's own session, however it is set, is asked in a copy, and stays as it is."""
    odd = {"spark.sql.session.timeZone": "Asia/Tokyo", "spark.sql.ansi.enabled": "false",
           "spark.sql.ansi.doubleQuotedIdentifiers": "true", "spark.sql.timestampType": "TIMESTAMP_NTZ"}  # fmt: skip
    view("contacts", "SELECT 1 AS id, TIMESTAMP '2026-02-28 23:30:00Z' AS seen, DATE '2026-02-03' AS day, 0.3D AS n")
    catalog = project("""
timezone: Europe/Berlin
contacts: {table: contacts, key: id, attributes: {seen: timestamp, day: date, n: float}}
""")  # fmt: skip
    before = {name: spark.session.conf.get(name) for name in odd}
    try:
        for name, value in odd.items():
            spark.session.conf.set(name, value)
        assert members(catalog, "seen on 2026-03-01", "day on 2026-02-03", "n = 0.3") == [["1"]] * 3
        with Spark(catalog, spark.session) as engine:
            assert engine.total() == 1
        assert {name: spark.session.conf.get(name) for name in odd} == odd
    finally:
        for name, value in before.items():
            spark.session.conf.set(name, value)
    assert spark.session.sql("SELECT 1").first() == (1,)  # closing an engine does not stop it


def test_questions_may_be_open_together(
    spark: SparkDatabase, view: Callable[[str, str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    view("contacts", "SELECT 1 AS id")
    with connect(project(PEOPLE)) as engine:
        first, second = engine.rows("SELECT id FROM RANGE(2000)", {}), engine.rows("SELECT id FROM RANGE(2000)", {})
        assert [next(first), next(second), next(first)] == [(0,), (0,), (1,)]
        for statement, said in {
            "SELECT 1 / 0": "DIVIDE_BY_ZERO", "nonsense": "PARSE_SYNTAX_ERROR", "SELECT * FROM nowhere": "NOT_FOUND",
            "SELECT ASSERT_TRUE(id < 5) FROM RANGE(9)": "is not true",
        }.items():  # fmt: skip
            with pytest.raises(Errors) as caught:
                list(engine.rows(statement, {}))
            [found] = caught.value.diagnostics
            assert found.code == "SEG0719" and said in found.message and "\tat " not in found.message
        assert engine.total() == 1
        assert len(list(first)) == 1998 and len(list(second)) == 1999
        assert list(engine.rows("SELECT :p1, '100% :p1'", {"p1": "${x} '\\\n"})) == [("${x} '\\\n", "100% :p1")]
    assert capfd.readouterr() == ("", "")  # of all Java's calls


SLOW = "SELECT SUM(HASH(id)) FROM RANGE(0, {}, 1, {})"


def test_a_question_can_be_stopped(spark: SparkDatabase, view: Callable[[str, str], None]) -> None:
    view("contacts", "SELECT 1 AS id")
    with connect(project(PEOPLE)) as engine, connect(project(PEOPLE)) as another:
        engine.interrupt()  # nothing runs
        assert engine.total() == 1
        found: list[Any] = []
        beside = threading.Thread(target=lambda: found.extend(another.rows(SLOW.format(1_000_000, 20), {})))
        timer = threading.Timer(1, engine.interrupt)
        beside.start()
        timer.start()
        with pytest.raises(Errors, match="CANCELLED"):  # of 10,000 tasks no other is begun
            list(engine.rows(SLOW.format(10**10, 10**4), {}))
        timer.join()
        beside.join()
        assert len(found) == 1
        assert engine.total() == another.total() == 1


# --- printed text ----------------------------------------------------------------------------------------------------


def test_printed_text_says_what_session_it_needs(spark: SparkDatabase, view: Callable[[str, str], None]) -> None:
    """With those settings any program may run it; with `--live` it is fit for a view."""
    view("contacts", "SELECT 'a' AS id, CONCAT('$$', '{x}') AS w UNION ALL SELECT 'b', '$x'")
    view(
        "visits",
        """
        SELECT 'a' AS id, NOW() - INTERVAL 2 HOURS AS at UNION ALL SELECT 'b', NOW() - INTERVAL 4 HOURS
    """,
    )
    catalog = project("""
contacts: {table: contacts, key: id, attributes: {w: string}}
events: {visited: {table: visits, time: at}}
""")  # fmt: skip
    printed = compile_segments(rules_of(catalog, 'w = "$${x}"'), catalog, ["r0"], NOW, None, "spark")
    live = compile_segments(rules_of(catalog, "visited in 3h"), catalog, ["r0"], None, None, "spark")
    comment = printed.partition("*/")[0].split("\n")
    settings = [line.strip().removesuffix(";") for line in comment if line.startswith("  SET ")]
    assert len(settings) == len(engine_module.dialect.SETTINGS)
    copied = engine_module._copy(spark.session)
    for setting in settings:
        copied.sql(setting)
    assert [tuple(row) for row in copied.sql(printed).collect()] == [("r0", "a")]
    copied.sql(f"CREATE TEMPORARY VIEW recent AS {live}")
    assert [tuple(row) for row in copied.sql("SELECT contact FROM recent").collect()] == [("a",)]


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url, said", [
    ("spark:local?paths=x", "`?paths` means nothing"), ("spark:", "names no Spark"), ("spark:remote", "names no Spark"),
    ("spark:local[x]", "names no Spark"), ("spark:yarn", "names no Spark"),
    ("spark://127.0.0.1:1", "this process works with the Spark at `local[1]` already"),
])  # fmt: skip
def test_what_names_no_spark(spark: SparkDatabase, url: str, said: str) -> None:
    found = refused(project(PEOPLE, url))
    assert found.code == "SEG0710" and said in found.message and found.help


def test_a_master_that_does_not_answer() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        port = bound.getsockname()[1]
        for master in (f"spark://127.0.0.1:{port}", "spark://127.0.0.1", f"spark://127.0.0.1:{port},127.0.0.1:none"):
            with pytest.raises(Errors, match="no Spark master answers"):
                engine_module._reach(master)
        bound.listen()
        engine_module._reach(f"spark://127.0.0.1:none,127.0.0.1:{port}")


def test_the_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)
    found = refused(project(PEOPLE, "sc://127.0.0.1:1/;token=s3cret"))
    assert (found.code, found.help) == ("SEG0718", 'pip install "pyspark[connect]"')
    assert "s3cret" not in found.message
    monkeypatch.setitem(sys.modules, "pyspark", None)
    found = refused(project(PEOPLE))
    assert (found.code, found.help) == ("SEG0718", 'pip install "segdsl[spark]"') and "`pyspark`" in found.message


def test_java_that_is_missing_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = tmp_path / "bin" / "java"
    for version, said in {
        "": "there is none here", "1.8.0_402": "here is Java 8", "11.0.2": "here is Java 11", "no": "none here",
    }.items():  # fmt: skip
        if version:
            java.parent.mkdir(exist_ok=True)
            java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\nexit {int(version == 'no')}\n")
            java.chmod(0o755)
        with pytest.raises(Errors, match=said) as caught:
            engine_module.require_java()
        assert caught.value.diagnostics[0].code == "SEG0718" and "openjdk-17" in caught.value.diagnostics[0].help
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    engine_module.require_java()
