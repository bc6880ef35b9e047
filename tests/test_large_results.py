"""Large results: written as they come, counted where they are, and stopped in the middle."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import duckdb
import pytest
from click.testing import CliRunner, Result

import segdsl
from segdsl.cli import output
from segdsl.cli.main import cli, run
from segdsl.cli.output import Members, Pair, write
from segdsl.cli.progress import STEP, Progress
from segdsl.engines import connect
from segdsl.engines import duckdb as engine_module
from segdsl.engines.engine import Engine
from segdsl.history import spill
from segdsl.history.spill import Spill

PROJECT = """\
version: 1
database: duckdb:///w.duckdb
contacts: {table: people, key: id, attributes: {country: string}}
events:
  visited: {table: visits, contact: person, time: at, properties: {}}
"""
RULES = """\
segment a:
    country = "DE"

segment b:
    not country = "DE"

segment nobody:
    country = "XX"

segment z:
    everyone
"""
PEOPLE = 30_000
NOW = "2026-03-09"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT (range * 7) % 30000 AS id, CASE range % 3 WHEN 0 THEN 'DE' ELSE 'FR' END"
            f" AS country FROM range({PEOPLE})"
        )
        connection.execute('CREATE TABLE visits (person BIGINT, "at" TIMESTAMP)')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def pairs(number: int) -> list[Pair]:
    return [("a", contact) for contact in range(number)]


# --- writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_lines_are_written_as_members_come(form: str, tmp_path: Path) -> None:
    many = 5 * output.LINES

    def coming() -> Iterator[Pair]:
        yield from pairs(many)
        [unfinished] = tmp_path.iterdir()  # beside the file that is not there yet
        assert unfinished.stat().st_size > many
        yield "b", 0

    target = tmp_path / "members"
    write(Members(coming(), ["a", "b"], True), form, target)
    lines = target.read_text().splitlines()
    assert len(lines) == many + (1 if form == "jsonl" else 2)
    assert lines[-1] == {"table": "b        0", "csv": "b,0", "jsonl": '{"segment": "b", "contact": 0}'}[form]


@pytest.mark.parametrize(
    ("whole", "contacts", "kind"),
    [
        (True, [1, -(2**63), 2**63 - 1], "BIGINT"),
        (True, [1, 2**63], "VARCHAR"),
        (True, [], "BIGINT"),
        (False, ["1", "", 'a,"b"\nc'], "VARCHAR"),
        (False, [], "VARCHAR"),
    ],
)
def test_parquet_holds_numbers_or_texts(whole: bool, contacts: list[str | int], kind: str, tmp_path: Path) -> None:
    write(Members((("s", contact) for contact in contacts), ["s"], whole), "parquet", tmp_path / "m.parquet")
    found = duckdb.sql(f"SELECT contact, TYPEOF(contact) FROM '{tmp_path}/m.parquet'").fetchall()
    assert [contact for contact, _ in found] == [str(c) if kind == "VARCHAR" else c for c in contacts]
    described = duckdb.sql(f"DESCRIBE FROM '{tmp_path}/m.parquet'").fetchall()
    assert [(name, type_) for name, type_, *_ in described] == [("segment", "VARCHAR"), ("contact", kind)]


@pytest.mark.parametrize("form", list(output.FORMATS))
def test_an_unfinished_answer_leaves_the_old_file(form: str, tmp_path: Path) -> None:
    def stopped() -> Iterator[Pair]:
        yield from pairs(3 * output.LINES)
        raise KeyboardInterrupt

    target = tmp_path / "members"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write(Members(stopped(), ["a"], True), form, target)
    assert [path.name for path in tmp_path.iterdir()] == ["members"] and target.read_text() == "old"


def test_a_question_that_fails_prints_nothing(project: Path) -> None:
    with duckdb.connect("w.duckdb") as connection:
        connection.execute("ALTER TABLE people RENAME TO others")
        connection.execute("CREATE VIEW people AS SELECT id, IF(id >= 0, ERROR('no luck'), '') AS country FROM others")
    done = subprocess.run(
        [sys.executable, "-m", "segdsl", "run", "--format", "csv"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "") and "no luck" in done.stderr


def test_both_backends_write_the_same(project: Path) -> None:
    rules = 'segment longest_of_all:\n    country = "DE"\n\nsegment a:\n    everyone\n'
    (project / "segments" / "a.seg").write_text(rules)
    for form in ("table", "csv", "jsonl"):
        sql, python = (call("run", "--now", NOW, "--format", form, "--backend", each) for each in ("sql", "python"))
        assert sql.exit_code == 0 and sql.stdout == python.stdout and sql.stderr == python.stderr
    rows = [(row["segment"], row["contact"]) for row in map(json.loads, sql.stdout.splitlines())]
    assert rows == sorted(rows) and len(rows) == PEOPLE + PEOPLE // 3
    table = list(csv.reader(io.StringIO(call("run", "--now", NOW, "--format", "csv").stdout)))
    assert table[1:] == [[segment, str(contact)] for segment, contact in rows]


# --- counting ---------------------------------------------------------------------------------------------

SIZES = {"a": 10_000, "b": 20_000, "nobody": 0, "z": 30_000}


@pytest.mark.parametrize("backend", ["sql", "python"])
def test_counts(project: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "members", None)  # nobody asks for them
    done = call("run", "--now", NOW, "--count", "--backend", backend)
    assert done.stdout == "".join(f"{name}\t{size}\n" for name, size in SIZES.items())
    assert done.stderr == "4 segments, 60000 members; --now 2026-03-09T00:00:00Z\n"


def test_the_api_counts_in_the_database(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with segdsl.load(project).connect() as db:
        members = list(db.members(["Z", "nobody", "a"]))
        assert members == sorted(members) and len(members) == 40_000
        monkeypatch.setattr(Engine, "members", None)
        assert db.count() == SIZES
        assert db.count(["Nobody", "a"]) == {"nobody": 0, "a": 10_000}


# --- members contact by contact ---------------------------------------------------------------------------


def test_a_spill_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "HELD", 7)
    with Spill(["b", "none", "a"]) as spilled:
        for number in range(100):
            spilled.add("a" if number % 3 else "b", number)
            assert sum(map(len, spilled._held.values())) < 7
        assert list(spilled) == [("b", n) for n in range(0, 100, 3)] + [("a", n) for n in range(100) if n % 3]


# --- memory -----------------------------------------------------------------------------------------------


def test_a_question_that_does_not_fit_gets_more_memory(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "MEMORY", "30MB")
    with connect(segdsl.load(project).catalog) as engine:
        # Sorting goes on disk; a list must be in memory.
        sorted_ = engine.rows("SELECT HASH(range)::VARCHAR AS h FROM range(1000000) ORDER BY h", {})
        assert next(sorted_) < next(sorted_)
        sorted_.close()  # type: ignore[attr-defined]
        limit = "SELECT CURRENT_SETTING('memory_limit')"
        [(before,)] = engine.rows(limit, {})
        assert list(engine.rows("SELECT LEN(LIST(range)) FROM range(5000000)", {})) == [(5_000_000,)]
        [(after,)] = engine.rows(limit, {})
        assert before != after


# --- progress and interruption ----------------------------------------------------------------------------


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_quiet_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    many = range(2 * STEP)
    with Progress("asking") as progress:
        assert list(progress.over(many, "members")) == list(many) and progress.done == len(many)
        assert list(progress.over([], "members")) == [] and progress.done == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mixed", [False, True])
def test_progress_on_a_terminal(mixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("TERM", "xterm")
    with click.Context(cli), Progress("asking", mixed) as progress:
        members = progress.over(range(STEP + 2), "members")
        time.sleep(0.3)  # the line is drawn some times a second
        assert "asking" in sys.stderr.getvalue()  # type: ignore[attr-defined]
        list(members)
        time.sleep(0.3)
        assert ("10,000 members" in sys.stderr.getvalue()) is not mixed  # type: ignore[attr-defined]


# 10,000,000,000 people, in a country that the database cannot foresee.
SLOW = """
    SELECT a.range * 100000 + b.range AS id, CASE hash(a.range, b.range) WHEN 0 THEN 'DE' ELSE 'FR' END AS country
    FROM range(100000) AS a, range(100000) AS b
"""


def test_ctrl_c_stops_a_long_question(project: Path) -> None:
    with duckdb.connect("w.duckdb") as connection:
        connection.execute(f"DROP TABLE people; CREATE VIEW people AS {SLOW}")
    for arguments in (["--count"], ["--format", "csv", "-o", "members.csv"]):
        command = [sys.executable, "-m", "segdsl", "run", 'country = "DE"', *arguments]
        heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what a shell starts behind `&` ignores it
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heeding)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err.strip()) == (130, b"", b"")
    assert sorted(path.name for path in project.iterdir()) == ["segdsl.yml", "segments", "w.duckdb"]


def test_the_databases_word_for_an_interruption_is_an_interruption(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Engine, *_: object) -> Iterator[Pair]:
        signal.raise_signal(signal.SIGINT)
        yield "a", 1

    monkeypatch.setattr(Engine, "members", interrupted)
    assert run(["run"]) == 130
    assert signal.set_wakeup_fd(-1) == -1  # as it was before
