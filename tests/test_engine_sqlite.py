"""SQLite's own ways: cells of any class, affinities, collations, files and errors."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from segdsl import types
from segdsl.backends.python.fit import fit
from segdsl.backends.sql import compile_segments
from segdsl.catalog import model
from segdsl.engines import connect
from segdsl.engines.engine import Engine
from segdsl.engines.sqlite_functions import register
from segdsl.text.diagnostic import Errors
from segdsl.text.source import Source
from tests.support.own_ways import (
    DECLARED,
    NOW,
    PEOPLE,
    ZONE,
    catalog_of,
    found_by_keys,
    members,
    refused,
    rules_of,
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the file `w.db` in the test's folder; it writes what the engine reads."""
    connection = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
    yield connection
    connection.close()


def project(folder: Path, text: str, url: str = "sqlite:///w.db") -> model.Catalog:
    return catalog_of(text, url, folder)


# --- stored types ----------------------------------------------------------------------------------------------------

KINDS = (
    "BIGINT", "DOUBLE PRECISION", "DECIMAL(12,2)", "BOOLEAN", "DATETIME", "VARCHAR(9)", "TEXT COLLATE NOCASE", "BLOB",
    "",
)  # fmt: skip
CELLS: tuple[object, ...] = (
    0, 1, 2, 7, -7, 20260301, 2**53 + 1, 2**63 - 1, -(2**63), 10**15,
    0.0, -0.0, 7.0, 7.5, 1.005, -1.005, 0.1 + 0.2, 1e-300, 9999999999.995, 2.0**63 - 1024, 2.0**63, -(2.0**63), 1e300,
    math.inf, -math.inf, 2461100.5, 123456789.123456789,
    b"7", b"lead", b"", b"\xff",
    "", " ", "007", "7", "7 ", "+7", "7.0", "7.5000", "7.505", "-7.", ".5", "1e3", "0x10", "Infinity", "NaN", "7\n",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "12345678901234567890.123", "9" * 2000,
    "0.00000000000000000001", "0.000000000000000000001", "true", "TRUE", "false", "lead", "LEAD", "lead ", "é😀", "a%_",
    "now", "12:30", "2461100.5", "2026-03-01", "2026-02-29", "1900-02-29", "2024-02-29", "2026-04-31", "0000-01-01",
    "0001-01-02", "9999-12-31T23:59:59.999999", "2026-3-1", "20260301", "2026-W09-7", "2026-03-01 00:00",
    "2026-03-01t10:00z", "2026-03-01T10:00:59.1", "2026-03-01 10:00:00.123456789+05:30", "2026-03-01T10:00-2300",
    "2026-03-01T24:00", "2026-03-01T10:00+24", "2026-03-01 10:00:00 +02:00", "2026-03-01T00:00:00.000000Z",
    "0001-01-01T00:00+23:59", "2026-03-01 +1 day", '["a", 1, null, ["b"], {"c": 1}, "é😀", ""]', "[]", '["a"', "{}",
    '"x"', '["\\u0000", "ok", "\\\\u0000"]', "null", "[" * 900,
)  # fmt: skip


MIDNIGHT = re.compile(r"[0-9-]{10}[T ]00:00(:00([.]0+)?)?Z?")


def read(folder: Path, columns: list[str]) -> list[dict[str, dict[str, object]]]:
    """What the engine knows of each row, column by column, by the types of DECLARED."""
    catalog = model.Catalog(
        source=Source("segdsl.yml", ""), folder=folder, timezone=ZONE, rules=(), contacts="contacts",
        database="sqlite:///w.db", key=model.Column("id"), events={},
        attributes={f"{name}:{kind}": model.Attribute(f"{name}:{kind}", declared, (model.Column(name),))
                    for name in columns for kind, declared in DECLARED.items()},
    )  # fmt: skip
    with connect(catalog) as engine:
        people = [person.attributes for person in engine.facts()]
    return [
        {name: {kind: known[None, f"{name}:{kind}"] for kind in DECLARED if (None, f"{name}:{kind}") in known}
         for name in columns}
        for known in people
    ]  # fmt: skip


def test_every_cell_fits_or_is_unknown(tmp_path: Path, file: sqlite3.Connection) -> None:
    """What Python's reading makes of a cell as it came out of its column's affinity; 0 and 1 are booleans here."""
    names = [f"x{i}" for i in range(len(KINDS))]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, KINDS, strict=True))
    file.execute(f"CREATE TABLE contacts (id INTEGER PRIMARY KEY, {columns})")
    marks = ", ".join("?" * (1 + len(KINDS)))
    file.executemany(f"INSERT INTO contacts VALUES ({marks})", [[i] + [c] * len(KINDS) for i, c in enumerate(CELLS)])
    stored = file.execute(f"SELECT {', '.join(names)} FROM contacts ORDER BY id").fetchall()
    wrong = []
    for row, known in zip(stored, read(tmp_path, names), strict=True):
        for name, physical, cell in zip(names, KINDS, row, strict=True):
            expected = {kind: fit(cell, declared, ZONE) for kind, declared in DECLARED.items()}
            if type(cell) is int and cell in (0, 1):
                expected["bool"] = bool(cell)
            if isinstance(cell, str) and MIDNIGHT.fullmatch(cell):  # as programs write days that went through a clock
                expected["day"] = fit(cell[:10], types.Date(), ZONE)
            expected = {kind: value for kind, value in expected.items() if value is not None}
            if known[name] != expected:
                wrong.append(f"{physical}: {cell!r:.60} is {known[name]}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_what_python_programs_store(tmp_path: Path, file: sqlite3.Connection) -> None:
    """A few of them word for word, so that both readings cannot be wrong together."""
    file.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY, n NUMERIC, t TEXT)")
    file.executemany("INSERT INTO contacts (n, t) VALUES (?, ?)", [
        [7.0, "2026-03-01 10:00:00"], [1.005, "2026-03-01"], ["9223372036854775808", "7.50"], [math.nan, "7.505"],
    ])  # fmt: skip
    found = read(tmp_path, ["n", "t"])
    ten = NOW + 10 * 3600 * 10**6
    seven = {"int": 7, "money": 700, "wide": 7 * 10**20, "float": 7.0}
    assert found == [
        {"n": seven, "t": {"word": "2026-03-01 10:00:00", "time": ten}},
        {"n": {"money": 101, "wide": 1005 * 10**17, "float": 1.005},
         "t": {"word": "2026-03-01", "time": NOW, "day": NOW - 3600 * 10**6}},
        {"n": {"float": 2.0**63}, "t": {"word": "7.50", "money": 750, "wide": 750 * 10**18, "float": 7.5}},
        {"n": {}, "t": {"word": "7.505", "wide": 7505 * 10**17, "float": 7.505}},
    ]  # fmt: skip


JSONS: dict[str, dict[str, object]] = {
    '["a", 1, null, ["b"], "c"]': {"list": ("a", "c")},
    '"lead"': {"word": "lead", "stage": "lead"},
    "7": {"int": 7, "money": 700, "wide": 7 * 10**20, "float": 7.0},
    "7.50": {"money": 750, "wide": 750 * 10**18, "float": 7.5},
    "7e0": {"int": 7, "money": 700, "wide": 7 * 10**20, "float": 7.0},
    "1e400": {"float": math.inf},
    "9223372036854775807": {"int": 2**63 - 1, "float": 2.0**63},
    "12345678901234567890": {"float": 12345678901234567890.0},
    "true": {"bool": True},
    '"true"': {"bool": True, "word": "true"},
    "null": {},
    '"2026-03-01"': {"word": "2026-03-01", "time": NOW, "day": NOW - 3600 * 10**6},
    '"[\\"x\\"]"': {"word": '["x"]', "list": ("x",)},
    '"\\u0000"': {},
    '"\\ud83d\\ude00"': {"word": "😀"},
    "{": {},
    "lead": {},
}


def test_columns_that_are_declared_json(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY, x JSON)")
    file.executemany("INSERT INTO contacts (x) VALUES (?)", [[text] for text in JSONS])
    found = [known["x"] for known in read(tmp_path, ["x"])]
    wrong = [f"{text}: {known}" for text, known in zip(JSONS, found, strict=True) if known != JSONS[text]]
    assert not wrong, "\n".join(wrong)


def test_views_and_virtual_tables_have_no_affinity(tmp_path: Path, file: sqlite3.Connection) -> None:
    """What a view computes has not been through a column, whatever type is declared for it."""
    file.executescript("""
        CREATE TABLE kept (id INTEGER PRIMARY KEY, n INTEGER, twice AS (n * 2), text TEXT AS (n || '') STORED);
        INSERT INTO kept VALUES (1, 7), (2, 8);
        CREATE VIEW contacts AS SELECT id, n, CASE id WHEN 1 THEN '7' ELSE 8.0 END AS mixed, twice, text FROM kept;
        CREATE VIRTUAL TABLE found USING fts5(id, word); INSERT INTO found VALUES (1, 'tea'), ('2', 'ice');
    """)
    attributes = "{n: int, mixed: int, twice: int, text: int}"
    catalog = project(tmp_path, f"""
contacts: {{table: contacts, key: id, attributes: {attributes}}}
relations: {{page: {{table: found, key: id, contact: id, attributes: {{word: string}}}}}}
""")  # fmt: skip
    rules = ["n = 7 and mixed = 7 and twice = 14 and text = 7", "mixed = 8 and twice = 16 and text = 8"]
    assert members(catalog, *rules, 'page.word = "tea"', 'page.word = "ice"') == [["1"], ["2"], ["1"], ["2"]]


def test_values_inside_json_are_found_by_any_key(tmp_path: Path, file: sqlite3.Connection) -> None:
    document = json.dumps({
        "a.b": {"$": {"/~": 1}}, "0": "x", 'q"\\': "é😀", "it's": True, "%s": ":p1 ?", "list": ["y"], "n": None,
        "[0]": "z", "é": "w", "": "v", "#": "u",
    })  # fmt: skip
    file.execute("CREATE TABLE contacts (id INT, json JSON, text TEXT, none TEXT, list JSON, blob BLOB)")
    row = [1, document, document, "[", '["x"]', document.encode()]
    file.execute("INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?)", row)
    keys = [["a.b", "$", "/~"], ["0"], ['q"\\'], ["it's"], ["%s"], ["list", "0"], ["n"], ["list"], ["gone"], ["[0]"],
            ["é"], [""], ["#"], ["a.b", "$"]]  # fmt: skip
    found = found_by_keys(project(tmp_path, PEOPLE), ("json", "text", "none", "list", "blob"), keys)
    known = {0: 1, 1: "x", 2: "é😀", 3: True, 4: ":p1 ?", 7: ("y",), 9: "z", 10: "w", 11: "v", 12: "u"}
    assert found == {f"{column}{i}": value for column in ("json", "text") for i, value in known.items()}


def test_texts_are_compared_by_code_points(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript(r"""
        CREATE TABLE contacts (id TEXT COLLATE NOCASE, ship TEXT COLLATE NOCASE, bill TEXT COLLATE RTRIM);
        INSERT INTO contacts VALUES
            ('b', 'é', 'é'), ('B', 'e', 'E'), ('😀', 'E', 'E '), ('｡', 'a%_\', 'a*[?!'), ('a', 'x', NULL)
    """)
    catalog = project(tmp_path, "contacts: {table: contacts, key: id, attributes: {ship: string, bill: string}}")
    assert members(
        catalog, "ship = bill", "ship != bill", 'ship = "E"', 'ship = "e" ignoring case', r'ship matches "a%_\\"',
        'bill contains "*["', 'ship matches "?"', 'bill = "E"', 'bill in ("E ", "é ")',
    ) == [
        ["b"], ["B", "a", "｡", "😀"], ["😀"], ["B", "😀"], ["｡"], ["｡"], ["B", "a", "b", "😀"], ["B"], ["😀"],
    ]  # fmt: skip


def test_related_records_are_found_by_code_points(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript("""
        CREATE TABLE contacts (id INT, company TEXT COLLATE NOCASE);
        CREATE TABLE companies (name TEXT COLLATE NOCASE, industry TEXT);
        INSERT INTO contacts VALUES (1, 'a'), (2, 'A'); INSERT INTO companies VALUES ('a', 'tea'), ('A', 'ice')
    """)
    catalog = project(tmp_path, """
contacts: {table: contacts, key: id}
relations: {company: {table: companies, key: name, contact: company, attributes: {industry: string}}}
""")  # fmt: skip
    assert members(catalog, 'company.industry = "tea"', 'company.industry = "ice"') == [["1"], ["2"]]


@pytest.mark.parametrize("kind, keys", [
    ("INTEGER PRIMARY KEY", "(1), (-7)"), ("INT", "(1), (-7), ('x')"), ("REAL", "(1), (-7)"), ("", "(1.0), ('-7')"),
    ("TEXT COLLATE NOCASE PRIMARY KEY", "(1), (-7)"), ("JSON", "('1'), ('\"-7\"')"),
    ("BLOB", "(X'31'), (X'2d37'), (X'ff')"),
])  # fmt: skip
def test_keys_meet_whatever_their_types(tmp_path: Path, file: sqlite3.Connection, kind: str, keys: str) -> None:
    file.executescript(f"""
        CREATE TABLE contacts (id {kind}); INSERT INTO contacts VALUES {keys};
        CREATE TABLE visits (id TEXT, at TEXT);
        INSERT INTO visits SELECT column1, '2026-02-28' FROM (VALUES ('1'), ('X'), ('01'), (NULL));
        CREATE TABLE lists AS SELECT -7.0 AS id, 'vip' AS list;
    """)
    catalog = project(tmp_path, """
contacts: {table: contacts, key: id}
events: {visited: {table: visits, time: at}}
lists: {table: lists, list: list, contact: id}
""")  # fmt: skip
    assert members(catalog, "visited", 'in list "vip"') == [["1"], ["-7"]]
    with connect(catalog) as engine:
        assert list(engine.one("1").events) == ["visited"] and engine.one("-7").lists == {"vip"}


@pytest.mark.parametrize("kind, unit", [("TEXT", ""), ("DATETIME", ""), ("INTEGER", "s"), ("REAL", "s"), ("", "ms")])
def test_times_that_are_none_make_no_events(tmp_path: Path, file: sqlite3.Connection, kind: str, unit: str) -> None:
    """SQLite itself would take a Julian day, `now` and the time of a day for times."""
    size = {"": 1, "s": 1, "ms": 1000}[unit]
    none = ["now", "12:00", 2461100.5, "2461100.5", "0000-12-31", "2026-02-30"] if not unit else [
        253402300800 * size, -62135596801 * size, math.inf, "now", "2026-02-28"]  # fmt: skip
    right = NOW // 10**6 * size if unit else "2026-03-01"
    file.execute("CREATE TABLE contacts (id TEXT); ").execute("INSERT INTO contacts VALUES ('a')")
    file.execute(f"CREATE TABLE visits (id TEXT, at {kind}, n INT)")
    file.executemany("INSERT INTO visits VALUES ('a', ?, ?)", [(at, i) for i, at in enumerate([*none, right])])
    column = f"{{column: at, unit: {unit}}}" if unit else "at"
    catalog = project(tmp_path, f"""
{PEOPLE}
events: {{visited: {{table: visits, time: {column}, properties: {{n: int}}}}}}
""")  # fmt: skip
    assert members(
        catalog, "visited = 1", "visited then visited within 9000d", "visited >= 2 within 3000000d",
        f"last(n of visited) = {len(none)}", "distinct(week of visited) = 1",
    ) == [["a"], [], [], ["a"], ["a"]]  # fmt: skip
    with connect(catalog) as engine:
        [person] = engine.facts()
    assert person.events["visited"] == [(NOW, {"n": len(none)})]


# --- names, plans ----------------------------------------------------------------------------------------------------


def test_names_are_found_without_minding_case(tmp_path: Path, file: sqlite3.Connection) -> None:
    table, column = '"Odd %s "":p1 Table"', '"a""b; DROP TABLE x; --"'
    file.executescript(f"""
        CREATE TABLE {table} (ID int, Name text, {column} text, "select" int);
        INSERT INTO {table} VALUES (1, 'A', 'it''s', 5);
    """)
    catalog = project(
        tmp_path,
        """
contacts:
  table: 'odd %S ":P1 table'
  key: id
  attributes:
    name: {type: string, column: NAME}
    odd: {type: string, column: 'A"b; DROP TABLE x; --'}
    word: {type: int, column: select}
""",
    )
    assert members(catalog, """name = "A" and odd = "it's" and word = 5""") == [["1"]]
    missing = refused(project(tmp_path, """contacts: {table: 'odd %s ":p1 table', key: idd}"""), Engine.require)
    assert (missing.code, missing.help) == ("SEG0712", "did you mean `ID`?")


def test_tables_are_named_as_a_catalog_names_them(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript("""
        CREATE TABLE orders (id int, day date); CREATE VIEW recent AS SELECT * FROM orders;
        CREATE VIRTUAL TABLE words USING fts5(word); INSERT INTO orders VALUES (1, '2026-03-01'); ANALYZE
    """)
    with connect(project(tmp_path, "contacts: {table: main.recent, key: id}")) as engine:
        assert [name for name in engine.tables() if not name.startswith("words_")] == ["orders", "recent", "words"]
        assert engine.columns("Orders") == engine.columns("MAIN.orders") == [("id", "INT"), ("day", "date")]
        assert engine.columns("recent") == [("id", "any INT"), ("day", "any date")]
        assert engine.columns("temp.orders") is engine.columns("other.orders") is engine.columns('a"b.c') is None
        assert not engine.missing() and engine.total() == 1
    missing = refused(project(tmp_path, "contacts: {table: recents, key: id}"), Engine.require)
    assert (missing.code, missing.help) == ("SEG0711", "did you mean `recent`?")


def plan(engine: Engine, file: sqlite3.Connection, ask: Callable[[], object]) -> str:
    """How SQLite goes about all the statements of a question."""
    asked: list[tuple[str, Any]] = []
    rows = engine.rows

    def noted(statement: str, values: Any) -> Any:
        asked.append((statement, values))
        return rows(statement, values)

    engine.rows = noted  # type: ignore[method-assign]
    ask()
    assert asked
    register(file)
    lines = [line for statement, values in asked for line in file.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    return "\n".join(str(line[3]) for line in lines)


def test_one_contact_is_found_by_the_index(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript("""
        CREATE TABLE contacts (id INTEGER PRIMARY KEY); CREATE TABLE visits (id INTEGER, us INTEGER);
        CREATE INDEX by_contact ON visits (id); CREATE INDEX by_time ON visits (us);
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
            INSERT INTO visits SELECT i % 100, 1772323200000000 - i * 1000000000 FROM n;
        INSERT INTO contacts SELECT DISTINCT id FROM visits; ANALYZE
    """)
    catalog = project(tmp_path, f"{PEOPLE}\nevents: {{visited: {{table: visits, time: {{column: us, unit: us}}}}}}")
    with connect(catalog) as engine:
        one = plan(engine, file, lambda: engine.one("7"))
        assert "SEARCH visits USING INDEX by_contact" in one and "SCAN visits" not in one, one
    with connect(catalog) as engine:  # a window is about what a cell stands for, which no index knows
        all_ = plan(engine, file, lambda: list(engine.members(rules_of(catalog, "visited in 1d"), ["r0"], NOW)))
        assert "SCAN visits" in all_ and "by_time" not in all_, all_


# --- questions -------------------------------------------------------------------------------------------------------

SERIES = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) SELECT i FROM n"
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"


def test_questions_may_be_open_together(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE contacts (id int)").execute("INSERT INTO contacts VALUES (1)")
    with connect(project(tmp_path, PEOPLE)) as engine:
        first, second = engine.rows(SERIES, {}), engine.rows(SERIES, {})
        assert [next(first), next(second), next(first)] == [(1,), (1,), (2,)]
        for statement in ("SELECT abs(-9223372036854775808)", "nonsense", "SELECT * FROM nowhere"):
            with pytest.raises(Errors) as caught:
                list(engine.rows(statement, {}))
            assert caught.value.diagnostics[0].code == "SEG0719"
        assert engine.total() == 1
        assert len(list(first)) == 24998 and len(list(second)) == 24999
        assert list(engine.rows("SELECT :p1, '100% :p1 ?'", {"p1": ":p2 '\\"})) == [(":p2 '\\", "100% :p1 ?")]


def test_a_question_can_be_stopped(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE contacts (id int)")
    with connect(project(tmp_path, PEOPLE)) as engine:
        engine.interrupt()  # nothing runs
        assert engine.total() == 0
        timer = threading.Timer(0.3, engine.interrupt)
        timer.start()
        with pytest.raises(Errors, match="interrupted"):
            list(engine.rows(ENDLESS, {}))
        timer.join()
        assert engine.total() == 0


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_nothing_is_written(tmp_path: Path, file: sqlite3.Connection, journal: str) -> None:
    file.execute(f"PRAGMA journal_mode = {journal}")
    file.executescript("CREATE TABLE contacts (id int); INSERT INTO contacts VALUES (1)")
    file.close()
    path = tmp_path / "w.db"
    before = path.read_bytes()
    with connect(project(tmp_path, PEOPLE, "sqlite:///w.db?mode=rwc")) as engine:
        for statement in (
            "INSERT INTO contacts VALUES (2)", "DROP TABLE contacts", "CREATE TABLE more (id)",
            "PRAGMA user_version = 7", "VACUUM",
        ):  # fmt: skip
            with pytest.raises(Errors, match="readonly"):
                list(engine.rows(statement, {}))
        assert engine.total() == 1
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} <= {"w.db", "w.db-wal", "w.db-shm"}


def test_an_answer_that_is_half_read_outlives_its_engine(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE contacts (id int)")
    with connect(project(tmp_path, PEOPLE)) as engine:
        rows = engine.rows(SERIES, {})
        assert next(rows) == (1,)
    rows.close()  # type: ignore[attr-defined]


def test_whoever_writes_is_not_kept_waiting(tmp_path: Path, file: sqlite3.Connection) -> None:
    """An answer that is half read, in a file with a write-ahead log: it stays in the state that it began with."""
    file.executescript(f"PRAGMA journal_mode = WAL; CREATE TABLE contacts (id TEXT); INSERT INTO contacts {SERIES}")
    with connect(project(tmp_path, PEOPLE)) as engine:
        people = engine.facts()
        assert next(people).id == "1"
        file.execute("DELETE FROM contacts")
        assert len(list(people)) == 24999
        assert engine.total() == 0


def test_a_file_that_is_being_written(
    tmp_path: Path, file: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.execute("CREATE TABLE contacts (id int)")
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0.1))
    with connect(project(tmp_path, PEOPLE)) as engine:
        assert engine.total() == 0
        file.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Errors) as caught:
            engine.total()
        [found] = caught.value.diagnostics
        assert (found.code, found.message) == ("SEG0719", "the database says: database is locked")
        assert "try again" in found.help
        file.execute("COMMIT")
        assert engine.total() == 0


def test_views_call_nothing_that_does_more_than_compute(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript("""
        CREATE TABLE t (id); CREATE VIEW contacts AS SELECT load_extension('x') AS id;
        CREATE VIEW fine AS SELECT upper('a') AS id
    """)
    assert "load_extension" in refused(project(tmp_path, PEOPLE), Engine.total).message
    fine = project(tmp_path, "contacts: {table: fine, key: id, attributes: {id: string}}")
    assert members(fine, 'id = "A"') == [["A"]]


# --- printed text ----------------------------------------------------------------------------------------------------


def printed(catalog: model.Catalog, rule: str, now: int | None = NOW) -> str:
    return compile_segments(rules_of(catalog, rule), catalog, ["r0"], now, None, "sqlite")


def test_printed_text_takes_cells_as_they_come(tmp_path: Path, file: sqlite3.Connection) -> None:
    """It knows no types: whole keys, digits in a column of text and a number in one of none are read all the same."""
    file.executescript("""
        CREATE TABLE contacts (id INTEGER PRIMARY KEY, age TEXT, paid BLOB);
        CREATE TABLE visits (id INTEGER, at DATETIME); INSERT INTO visits VALUES (1, '2026-02-28 10:00:00');
        CREATE TABLE lists (id REAL, list TEXT); INSERT INTO lists VALUES (1, 'vip');
        INSERT INTO contacts VALUES (1, '7', 7.5), (2, '8', '7.50'), (3, 'x', 'x')
    """)
    catalog = project(tmp_path, """
contacts: {table: contacts, key: id, attributes: {age: int, paid: "decimal(12,2)"}}
events: {visited: {table: visits, time: at}}
lists: {table: lists, list: list, contact: id}
""")  # fmt: skip
    for rule, expected in {
        "age >= 7 and paid = 7.5": ["1", "2"], "visited in 1d": ["1"], 'in list "vip"': ["1"],
        'not (visited in 1d) and not (in list "vip")': ["2", "3"],
    }.items():  # fmt: skip
        assert members(catalog, rule) == [expected]
        assert [str(contact) for _, contact in file.execute(printed(catalog, rule))] == expected, rule


def test_printed_text_calls_no_functions_of_ours(tmp_path: Path, file: sqlite3.Connection) -> None:
    """`run` has functions for MD5 and for sums beyond 64 bits; text for other programs is refused, or raises."""
    file.executescript("""
        CREATE TABLE contacts (id TEXT, debt TEXT); INSERT INTO contacts VALUES ('a', '12345678901234567890.5');
        CREATE TABLE visits (id TEXT, at TEXT, n INT);
        INSERT INTO visits VALUES ('a', '2026-02-01', 9223372036854775807), ('a', '2026-02-02', 9223372036854775807)
    """)
    catalog = project(tmp_path, """
contacts: {table: contacts, key: id, attributes: {debt: "decimal(38,2)"}}
events: {visited: {table: visits, time: at, properties: {n: int}}}
""")  # fmt: skip
    rules = ["debt = 12345678901234567890.5", 'in sample 99% of "all"', "sum(n of visited) > 9223372036854775807"]
    assert members(catalog, *rules) == [["a"], ["a"], ["a"]]
    for rule in rules[:2]:
        with pytest.raises(Errors) as caught:
            printed(catalog, rule)
        assert [each.code for each in caught.value.diagnostics] == ["SEG0704"]
    with pytest.raises(sqlite3.OperationalError, match="integer overflow"):
        file.execute(printed(catalog, rules[2])).fetchall()


def test_a_live_statement_is_a_view(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript("""
        CREATE TABLE contacts (id TEXT); INSERT INTO contacts VALUES ('a'), ('b');
        CREATE TABLE visits (id TEXT, at TEXT);
        INSERT INTO visits VALUES ('a', datetime('now', '-2 hours')), ('b', datetime('now', '-4 hours'))
    """)
    catalog = project(tmp_path, f"{PEOPLE}\nevents: {{visited: {{table: visits, time: at}}}}")
    file.execute(f"CREATE VIEW recent AS {printed(catalog, 'visited in 3h', None)}")
    assert file.execute("SELECT contact FROM recent").fetchall() == [("a",)]


def test_a_live_statement_is_no_deeper_than_the_parser(tmp_path: Path, file: sqlite3.Connection) -> None:
    """The day on which a calendar period begins is a clock's time out of a clock's time."""
    file.executescript("""
        CREATE TABLE contacts (id TEXT, joined TEXT);
        INSERT INTO contacts VALUES ('a', datetime('now', '-730 days')), ('b', datetime('now'))
    """)
    attributes = "contacts: {table: contacts, key: id, attributes: {joined: timestamp}}"
    catalog = project(tmp_path, f"timezone: Europe/Berlin\n{attributes}")
    found = file.execute(printed(catalog, "anniversary of joined this year", None)).fetchall()
    assert found == [("r0", "a")]


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a b.db", "50% off.db", "a#b.db", "é😀.db", "w%2Fx.db", "a&b=c.sqlite3"])
def test_names_of_files_are_meant_as_they_are_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / name
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE contacts (id TEXT)")
        connection.execute("INSERT INTO contacts VALUES ('a')")
    connection.close()
    for url in (f"sqlite:///in/{name}", f"sqlite:///{path}", f"sqlite:///in/../in/{name}?mode=ro"):
        with connect(project(tmp_path, PEOPLE, url)) as engine:
            assert engine.total() == 1


@pytest.mark.parametrize("url", ["sqlite:///gone.db", "sqlite:////gone/w.db", "sqlite:///.", "sqlite://", "sqlite:"])
def test_no_file(tmp_path: Path, url: str) -> None:
    found = refused(project(tmp_path, PEOPLE, url))
    assert found.code == "SEG0710" and "no database file" in found.message and "sqlite:///path" in found.help
    assert list(tmp_path.iterdir()) == []  # SQLite itself would have made one


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "w.db").write_text("id,name\n1,x\n" * 100)
    found = refused(project(tmp_path, PEOPLE))
    assert found.code == "SEG0710" and "file is not a database" in found.message and "sqlite:///path" in found.help


def test_a_file_that_is_damaged(tmp_path: Path, file: sqlite3.Connection) -> None:
    file.executescript(f"CREATE TABLE contacts (id TEXT); INSERT INTO contacts {SERIES}")
    file.close()
    path = tmp_path / "w.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    found = refused(project(tmp_path, PEOPLE), lambda engine: list(engine.facts()))
    assert found.code == "SEG0719" and "malformed" in found.message and "integrity_check" in found.help


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_only_an_encoding_in_the_order_of_code_points(tmp_path: Path, file: sqlite3.Connection, encoding: str) -> None:
    file.executescript(f"PRAGMA encoding = '{encoding}'; CREATE TABLE contacts (id TEXT)")
    found = refused(project(tmp_path, PEOPLE))
    assert found.code == "SEG0710" and encoding in found.message and ".dump" in found.help


def test_an_old_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    found = refused(project(tmp_path, PEOPLE))
    assert found.code == "SEG0710" and "too old" in found.message and "3.35" in found.help
