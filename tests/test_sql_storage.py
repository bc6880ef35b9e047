"""Stored columns of every physical type: each fits its declared type or is unknown, and nothing raises."""

from __future__ import annotations

from pathlib import Path

import pytest

import segdsl
from segdsl import types
from segdsl.backends.sql import compile_segments
from segdsl.catalog import model
from segdsl.core import nodes
from segdsl.core.nodes import All, Compare, Const, Measure
from segdsl.core.program import Program, Segment
from segdsl.core.time import DAY, FromNow, Span
from segdsl.engines import connect
from segdsl.text.source import Source
from tests.test_sql import AMOUNT, MONEY, NOW, STAGES, C, at_least, events, members, project

__all__ = ["project"]  # a fixture


STORED = {"active": types.Bool(), "n": types.INT, "money": MONEY, "ratio": types.Float(), "word": types.String(),
          "stage": STAGES, "at": types.Timestamp(), "day": types.Date(), "tags": types.ListOf()}  # fmt: skip
ODD = [
    "{'a': {'b': 1}}", "MAP {'a': 1}", "MAP {1: 2}", "[1, 2]", "[{'a': 1}]", "['x', NULL]",
    "CAST('lead' AS ENUM('lead', 'x'))",
    "CAST(7 AS UINTEGER)", "CAST(7 AS UTINYINT)", "170141183460469231731687303715884105727::HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT", "18446744073709551615::UBIGINT", "1.1::FLOAT", "'nan'::FLOAT",
    "'-infinity'::DOUBLE", "99999999999999999999999999999999999.999::DECIMAL(38, 3)", "TIME '10:00'",
    "'\\xAA\\x00'::BLOB",
    "'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMPTZ", "'infinity'::DATE", "'-infinity'::TIMESTAMP_S",
    "'0044-03-15 (BC) 00:00:00'::TIMESTAMP", "'0044-03-15 (BC)'::DATE", "'5000000-01-01'::DATE", "INTERVAL '1' MONTH",
    "'290000-01-01 (BC)'::TIMESTAMP", "UUID '00000000-0000-0000-0000-000000000000'", "'101'::BIT", "TRUE", "JSON '[1]'",
    "['nan'::DOUBLE]", "CAST(['a'] AS VARCHAR[1])", "TIMESTAMP_NS '2026-01-01 00:00:00.123456789'", "NULL",
]  # fmt: skip


def stored(
    folder: Path, contacts: str, suffix: str = "duckdb", visits: str = "SELECT 1 AS id", **how: str
) -> model.Catalog:
    """A project whose tables are the rows of queries, in a database file or in Parquet files."""
    import duckdb

    path = folder / "w.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, query in (("contacts", contacts), ("visits", visits)):
            connection.execute(f"CREATE TABLE {table} AS {query}")
            if suffix == "parquet":
                connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
    path = how.get("column", "")
    names = {key: C(path.split(".")[0], tuple(path.split(".")[1:])) if path else C(key) for key in STORED}
    return model.Catalog(
        source=Source("segdsl.yml", ""), folder=folder, timezone="Europe/Berlin", rules=(), contacts="contacts",
        database=str(folder) if suffix == "parquet" else f"duckdb:///{folder / 'w.duckdb'}", key=C("id"),
        attributes={key: model.Attribute(key, kind, (names[key],)) for key, kind in STORED.items()},
        events={"visited": model.Event(
            "visited", "visits", C("id"), model.TimeColumn(C("at"), unit=how.get("unit"), timezone=how.get("zone")),
            {key: model.Property(key, kind, names[key]) for key, kind in STORED.items() if "at" not in how},
        )},
    )  # fmt: skip


def attributes(project: model.Catalog) -> dict[str, object]:
    """What is known of the one contact, read back; every segment over it and its events runs, too."""
    known = [nodes.Known(nodes.Attribute(key, kind)) for key, kind in STORED.items()]
    visited = [at_least(1, events("visited", span=Span(FromNow(-DAY), FromNow()))), at_least(1, events("visited"))]
    members(project, *known, *visited)
    with connect(project) as engine:
        facts = list(engine.facts())
    return {key: value for (_, key), value in facts[0].attributes.items()}


def columns(value: str) -> str:
    return ", ".join(f'{value} AS "{key}"' for key in STORED)


REST = columns("1").replace('1 AS "at", ', "")


@pytest.mark.parametrize("value", ODD)
def test_no_stored_type_raises(value: str, tmp_path: Path) -> None:
    for rows in (f"SELECT 1 AS id, {columns(value)}", f"SELECT 1 AS id, {{'a': {{'b': {value}}}}} AS data"):
        path = {"column": "data.a.b"} if "data" in rows else {}
        visits = rows if "AS data" not in rows else f'{rows}, {value} AS "at"'
        for how in ({},) if path else ({}, {"unit": "s"}, {"zone": "Europe/Berlin"}):
            attributes(stored(tmp_path, rows, visits=visits, **path, **how))
    keys = f"SELECT {value} AS id, {columns('1')}"
    for contacts, visits in (
        (f"SELECT 1 AS id, {columns('1')}", keys),
        (keys, f"SELECT -1::BIGINT AS id, {columns('1')}"),
    ):
        assert len(members(stored(tmp_path, contacts, visits=visits), All(()))) == 1


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("CAST(7 AS UINTEGER)", {"n": 7, "money": 700, "ratio": 7.0}),
        ("CAST(7 AS UHUGEINT)", {"n": 7, "money": 700, "ratio": 7.0}),
        ("CAST(1.1 AS FLOAT)", {"money": 110, "ratio": pytest.approx(1.1, rel=1e-6)}),
        ("1234567890123456.78::DECIMAL(25, 2)", {"money": 123456789012345678}),
        ("CAST('lead' AS ENUM('lead'))", {"word": "lead", "stage": "lead"}),
        ("['x', NULL]", {"tags": ("x",)}),
        ("CAST(['a'] AS VARCHAR[1])", {"tags": ("a",)}),
        ("'infinity'::TIMESTAMP", {}),
        ("'0044-03-15 (BC)'::DATE", {}),
        ("'x'::BLOB", {}),
        ("TIME '10:00'", {}),
    ],
)
def test_odd_types_fit_or_are_unknown(value: str, known: dict[str, object], tmp_path: Path) -> None:
    nested = f"SELECT 1 AS id, {{'a': {{'b': {value}}}}} AS data"
    for suffix in ("parquet", "duckdb"):
        for rows, how in ((f"SELECT 1 AS id, {columns(value)}", {}), (nested, {"column": "data.a.b"})):
            visits = 'SELECT 1 AS id, NULL::TIMESTAMP AS "at", * EXCLUDE (id) FROM contacts' if how else "FROM contacts"
            found = attributes(stored(tmp_path, rows, suffix, visits, **how))
            assert {key: each for key, each in found.items() if key in known or not known} == known
            assert set(found) <= {*known, "ratio"}


def test_a_map_is_read_like_json(tmp_path: Path) -> None:
    for value, known in (("7", {"n": 7, "money": 700, "ratio": 7.0}), ("'lead'", {"word": "lead", "stage": "lead"})):
        rows = f"SELECT 1 AS id, {{'a': MAP {{'b': {value}}}}} AS data, NULL::TIMESTAMP AS \"at\""
        assert attributes(stored(tmp_path, rows, "parquet", "FROM contacts", column="data.a.b")) == known


def test_columns_that_a_parquet_file_lacks_are_unknown(tmp_path: Path) -> None:
    project = stored(tmp_path, "SELECT 1 AS id, 5 AS N", "parquet")
    assert attributes(project) == {"n": 5}
    (tmp_path / "contacts.parquet").write_bytes(b"")
    assert members(project, All(()), at_least(1, events("visited"))) == ["", ""]


@pytest.mark.parametrize("left", ["7::BIGINT", "7::UTINYINT", "'7'", "7.0::DOUBLE", "7.00::DECIMAL(9, 2)",
                                  "7::UHUGEINT", "7::HUGEINT", "'7'::BLOB", "CAST('7' AS ENUM('7'))"])  # fmt: skip
def test_keys_may_differ_in_their_physical_type(left: str, tmp_path: Path) -> None:
    for right in ["7::BIGINT", "'7'", "7::FLOAT", "7.0::DECIMAL(38, 1)", "7::UHUGEINT", "'7'::BLOB", "JSON '7'"]:
        visits = f"SELECT {right} AS id, TIMESTAMP '2026-03-01' AS \"at\", {REST}"
        project = stored(tmp_path, f"SELECT {left} AS id, {columns('1')}", visits=visits)
        assert members(project, at_least(1, events("visited"))) == ["7"]


def test_times_out_of_range_are_no_events(tmp_path: Path) -> None:
    for kind in ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_S", "DATE"):
        values = ["infinity", "-infinity", "0044-03-15 (BC)", "2026-03-01", "290000-01-01"]
        visits = f'SELECT 1 AS id, TRY_CAST(unnest({values}) AS {kind}) AS "at", {REST}'
        project = stored(tmp_path, f"SELECT 1 AS id, {columns('1')}", visits=visits)
        count = Measure("count", events("visited"))
        assert members(project, Compare("=", count, Const(1, types.INT))) == ["1"]
        with connect(project) as engine:
            assert NOW > min(time for time, _ in next(engine.facts()).events["visited"]) > 0


def test_json_is_extracted_once(project: model.Catalog) -> None:
    rule = Compare(">", Measure("sum", events("purchased"), MONEY, AMOUNT), Const(0, MONEY))
    with connect(project) as engine:
        text = compile_segments(Program({"s": Segment("s", rule)}, {}), project, ["s"], NOW, engine.schema())
    assert text.count("/total/net") == 1


def test_capitals_of_names_in_a_folder_of_files(tmp_path: Path) -> None:
    text = (
        "version: 1\ndatabase: .\ncontacts: {table: c, key: id, attributes: {country: string}}\n"
        "events: {v: {table: v, time: at}}\n"
    )
    (tmp_path / "segdsl.yml").write_text(text)
    (tmp_path / "c.csv").write_text("ID,Country\na,DE\n")
    (tmp_path / "v.jsonl").write_text('{"id": "a", "At": "2026-01-01T00:00Z"}\n{"id": "a", "at": "2026-01-01"}\n')
    project = segdsl.load(tmp_path)
    with project.connect() as database:
        for rule, count in (('country = "DE"', 1), ("v >= 1", 1), ("v >= 2", 0)):
            assert database.count(project.compile(rule)) == {"rule": count}, rule
