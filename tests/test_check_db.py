"""`check --db`: what is declared, against what a database holds; and what is refused before a question is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

import segdsl
from segdsl import types
from segdsl.backends.sql.dialects import DIALECTS, get
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.cli.main import cli
from segdsl.engines import connect
from segdsl.engines.checks import check_database
from segdsl.text.diagnostic import Diagnostic, Errors
from tests.support.databases import DATABASES, Table, database
from tests.support.world import instant, program_of

NOW = instant("2026-03-09T00:00:00Z")
TEXT, INT = types.String(), types.INT


def catalog_of(text: str, url: str) -> Catalog:
    catalog, found = load_text(f"version: 1\ndatabase: {url}\n{text}", "segdsl.yml", Path.cwd())
    assert catalog is not None, found
    return catalog


def checked(catalog: Catalog) -> list[Diagnostic]:
    with connect(catalog) as engine:
        return check_database(catalog, None, engine)


def told(found: Sequence[Diagnostic]) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in found]


# --- on every database ------------------------------------------------------------------------------------

SHOP = """\
contacts:
  table: people
  key: id
  attributes:
    country: {enum: [DE, US, AT]}
    score: int
    email: {type: string, required: true}
relations:
  company: {table: firms, key: key, contact: firm, attributes: {name: string}}
events:
  visited:
    table: visits
    contact: person
    where: {kind: visit}
    time: {column: ts, unit: s}
    properties: {amount: "decimal(6,2)"}
  left: {table: visits, contact: person, where: {kind: exit}, time: {column: ts, unit: s}}
"""
PEOPLE = [
    ("a", "DE", "12", "a@x.com", "f"), ("b", "de", "x", None, "f"), ("c", "FR", "", "", None),
    ("d", "FR", "nan", "d", "f"), ("d", "UK", "1.5", "d", None),
    (None, "AT", None, None, None), ("e", "ES", "-3", "e", None),
]  # fmt: skip
VISITS = [
    ("a", "visit", 1772800000000, "12.34"), ("nobody", "visit", 1772800000000, "12.345"), (None, "exit", 1, "many"),
    ("nobody", "other", None, "99999.00"), ("b", "visit", None, "9999.00"),
]  # fmt: skip


@pytest.fixture(params=list(DATABASES))
def shop(request: pytest.FixtureRequest) -> Catalog:
    """A project whose data is wrong in many ways, on each database."""
    name = request.param
    running, text, whole = database(name), get(name).physical_of(TEXT), get(name).physical_of(INT)
    running.load({
        "people": Table(dict.fromkeys(["id", "country", "score", "email", "firm"], text), PEOPLE),
        "visits": Table({"person": text, "kind": text, "ts": whole, "amount": text}, VISITS),
        "firms": Table({"key": text, "name": text}, [("f", "x"), ("f", "y"), (None, "z"), (None, "z")]),
    })  # fmt: skip
    return catalog_of(SHOP, running.url)


def test_what_is_wrong_with_the_data(shop: Catalog) -> None:
    found = checked(shop)
    assert told(found) == [
        ("SEG0714", "two rows of `people` have the key `d`"),
        ("SEG0714", "two rows of `firms` have the key `f`"),
        ("SEG0727", "1 row of `people` has no `id`"),
        ("SEG0727", "of 5 rows of `visits`, 1 has no key in `person` and 2 have one that is no contact's"),
        ("SEG0722", "the latest time in `ts` of `visits`, 1772800000000, lies in the year 58147 if it counts seconds"),
        ("SEG0726", "5 of 7 values of `country` in `country` of `people` are not declared: `FR` (2), `ES` (1), `UK` (1)"
         " and others"),
        ("SEG0724", "2 of 4 values of `score` in `score` of `people` do not fit int, such as `1.5`"),
        ("SEG0725", "`email` is declared `required`, and unknown for 2"),
        ("SEG0724", "1 of 3 values of `amount` in `amount` of `visits` does not fit decimal(6,2), such as `12.345`"),
    ]  # fmt: skip
    assert [each.severity for each in found[:3]] == ["error", "error", "warning"]
    unit = next(each for each in found if each.code == "SEG0722")
    assert (unit.why, unit.help) == ("in milliseconds it is 2026-03-06", "write `unit: ms`")
    for each in found:
        if each.code in {"SEG0722", "SEG0724", "SEG0725", "SEG0726"}:
            assert each.source is not None and each.source.name == "segdsl.yml"


def test_a_database_without_faults(shop: Catalog) -> None:
    event = replace(shop.events["visited"], where=())
    clean = replace(shop, events={"visited": replace(event, properties={}, time=None)}, relations={})
    clean = replace(clean, attributes={"country": replace(shop.attributes["country"], type=TEXT)})
    assert {code for code, _ in told(checked(clean))} == {"SEG0714", "SEG0727"}


@pytest.mark.parametrize("name", list(DIALECTS))
def test_what_holds_a_type_is_never_refused(name: str) -> None:
    from segdsl.backends.sql import build as b

    dialect = get(name)
    for declared in (types.Bool(), INT, types.decimal(12, 2), types.Float(), TEXT, types.Enum(("a",)),
                     types.Timestamp(), types.Date(), types.Geo(), types.ListOf()):  # fmt: skip
        for physical in (dialect.physical_of(declared), dialect.physical_of(TEXT)):
            found = dialect.convert(b.column("stored"), physical, declared, "Europe/Berlin")
            assert "stored" in found.sql(), (declared, physical)


# --- what the schema tells --------------------------------------------------------------------------------

TYPES = """\
timezone: Europe/Berlin
contacts:
  table: people
  key: id
  attributes:
    active: bool
    signup date: timestamp
    tags: list<string>
    paid: decimal(12,2)
    mark: float
    spare: string
events:
  seen: {table: visits, contact: person, time: naive, properties: {active: bool}}
  seen here: {table: visits, contact: person, time: {column: naive, timezone: Europe/Berlin}}
  seen elsewhere: {table: visits, contact: person, time: {column: naive, timezone: UTC}}
  heard: {table: visits, contact: person, time: aware}
  heard here: {table: visits, contact: person, time: {column: aware, timezone: Europe/Berlin}}
  counted: {table: visits, contact: person, time: number}
  counted so: {table: visits, contact: person, time: {column: number, unit: s}}
  counted wrong: {table: visits, contact: person, time: {column: naive, unit: s}}
"""


@pytest.fixture
def typed(tmp_path: Path) -> Catalog:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("""
            CREATE TABLE people (id BIGINT, active TIMESTAMP, signup_date TIMESTAMP, tags BIGINT, paid DOUBLE,
                mark DOUBLE, spare INTEGER);
            INSERT INTO people VALUES (1, '2026-01-01', '2026-01-01', 1, 0.5, 0.5, NULL);
            CREATE TABLE visits (person BIGINT, naive TIMESTAMP, aware TIMESTAMPTZ, number BIGINT, active BOOLEAN);
            INSERT INTO visits VALUES (1, '2026-01-01', '2026-01-01 00:00:00Z', 1767225600, TRUE);
        """)
    return catalog_of(TYPES, f"duckdb:///{tmp_path}/w.duckdb")


def test_what_the_schema_tells(typed: Catalog) -> None:
    found = checked(typed)
    assert [(each.severity[0], *pair) for each, pair in zip(found, told(found), strict=True)] == [
        ("e", "SEG0713", "`active` is declared bool, but column `active` of `people` is TIMESTAMP"),
        ("e", "SEG0713", "`tags` is declared list<string>, but column `tags` of `people` is BIGINT"),
        ("w", "SEG0713", "`spare` is declared string, but column `spare` of `people` is INTEGER"),
        ("e", "SEG0713",
         "`counted` has its time in a column that holds none: column `number` of `visits` is BIGINT"),
        ("e", "SEG0713",
         "`counted wrong` has its time in `unit: s` in a column that holds none: column `naive` of `visits` is"
         " TIMESTAMP"),
        ("w", "SEG0720",
         "`signup_date` of `people` is TIMESTAMP, without a time zone: its times are taken as UTC"),
        ("w", "SEG0723", "`paid` is declared decimal(12,2), but `paid` of `people` is DOUBLE"),
        ("w", "SEG0720", "`naive` of `visits` is TIMESTAMP, without a time zone: its times are taken as UTC"),
        ("w", "SEG0721", "`aware` of `visits` is TIMESTAMP WITH TIME ZONE: its times have a zone already"),
    ]  # fmt: skip
    helps = [each.help for each in found]
    assert helps[3] == "say what the numbers count: `time: {column: number, unit: s}`, or `ms`, or `us`"
    assert helps[4] == "take `unit` away: it is for times that are stored as numbers"
    assert "`time: {column: naive, timezone: Europe/Berlin}`" in helps[7]


def test_in_a_project_of_utc_nobody_expects_another_zone(typed: Catalog) -> None:
    assert "SEG0720" not in {code for code, _ in told(checked(replace(typed, timezone="UTC")))}


def test_a_type_that_can_hold_nothing_is_refused_where_it_is_asked(typed: Catalog) -> None:
    refused = {
        "active": "`active` is declared bool", 'tags has "x"': "`tags` is declared list<string>",
        "counted": "`counted` has its time", "counted wrong in 7d": "`counted wrong` has its time in `unit: s`",
        "not active": "`active` is declared", "in segment other": "`active` is declared",
    }  # fmt: skip
    fine = ['spare = "x"', "mark > 1", "paid > 1.00", "seen where (not active)", "counted so in 7d", "heard here in 7d",
            "seen elsewhere in 7d"]  # fmt: skip
    with connect(typed) as engine:
        for rule in (*refused, *fine):
            program = program_of(f"segment rule:\n    {rule}\n\nsegment other:\n    active\n", typed)
            asked = (engine.members, engine.sizes, engine.ready)
            for ask in asked:
                if rule in fine:
                    assert not dict(ask(program, ["rule"], NOW) or {}).get("rule")
                    continue
                with pytest.raises(Errors, match="SEG0713") as caught:
                    list(ask(program, ["rule"], NOW) or ())
                assert caught.value.diagnostics[0].message.startswith(refused[rule]), rule


# --- commands ---------------------------------------------------------------------------------------------


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE people AS SELECT 'a' AS id, TIMESTAMP '2026-01-01' AS active, 'x' AS country")
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "a.seg").write_text("segment a:\n    active\n")
    (tmp_path / "segdsl.yml").write_text(
        "version: 1\ndatabase: duckdb:///w.duckdb\n"
        "contacts:\n  table: people\n  key: id\n  attributes:\n    active: bool\n    country: string\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


MESSAGE = "`active` is declared bool, but column `active` of `people` is TIMESTAMP"


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "--count"], ["run", "--backend", "python"], ["explain", "a"], ["explain", "a", "active"]],
)
def test_commands_refuse_it_and_show_the_declaration(project: Path, arguments: list[str]) -> None:
    with pytest.raises(Errors) as caught:
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    [found] = caught.value.diagnostics
    assert (found.code, found.message) == ("SEG0713", MESSAGE)
    assert found.source is not None and found.span is not None
    assert found.source.text[found.span.start : found.span.end] == "active"


def test_what_is_not_asked_is_in_nobodys_way(project: Path) -> None:
    assert call("run", 'country = "x"', "--count").stdout == "rule\t1\n"
    assert call("run", 'country = "x"', "--count", "--backend", "python").stdout == "rule\t1\n"
    assert call("explain", "a", 'country = "x"').exit_code == 0
    with segdsl.load(project).connect() as db, pytest.raises(Errors, match="SEG0713"):
        db.explain("a", "a")


def test_check_db_shows_it(project: Path) -> None:
    done = call("check", "--db")
    assert done.exit_code == 1 and f"error[SEG0713]: {MESSAGE}" in done.stderr
    assert "  --> segdsl.yml:7:5\n" in done.stderr and "checked 1 rule file: 1 error" in done.stderr
    assert call("check").exit_code == 0
