"""`segdsl history` and `Database.history`: rows, charts, refusals; the examples as `segdsl follow` tells them."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest
from click.testing import CliRunner, Result

import segdsl
from segdsl.cli.drawing import _figure, drawing
from segdsl.cli.growth import bars_of, folded
from segdsl.cli.main import cli, run
from segdsl.core.time import DAY, isoformat
from segdsl.engines import connect
from segdsl.history.history import SegmentStay
from segdsl.history.tally import Tally
from segdsl.stream.lines import Flip
from segdsl.text.diagnostic import Errors
from tests.support.following import follow, write
from tests.support.logs import fields_of
from tests.support.world import instant
from tests.test_cli import call
from tests.test_history import stays_of, told

PROJECT = """\
version: 1
database: .
contacts: {table: people, key: id, attributes: {country: string}}
events:
  visited: {table: visits, contact: id, time: at}
"""
RULES = """\
segment here "Here this week":
    visited in 7d
segment never:
    not everyone
segment steps:
    visited then visited then not visited all within 1d
"""
SOME = 40  # contacts of each example
EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[1] / "examples").glob("*/segdsl.yml"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "segdsl.yml").write_text(PROJECT + 'rules: ["*.seg"]\n')
    (tmp_path / "rules.seg").write_text(RULES)
    (tmp_path / "people.csv").write_text('id,country\na,DE\n"b,""x""",\n')
    visits = ["a,2026-02-27T00:00:00Z", "a,2026-03-10T12:00:00.000001Z", '"b,""x""",2026-03-30T00:00:00Z']
    (tmp_path / "visits.csv").write_text("id,at\n" + "\n".join(visits) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def history(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["history", "--from", "2026-03-01", "--to", "2026-03-31", *arguments])


STAYS = [
    ("here", "a", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z"),
    ("here", "a", "2026-03-10T12:00:00.000001Z", "2026-03-17T12:00:00.000001Z"),
    ("here", 'b,"x"', "2026-03-30T00:00:00Z", None),
]


def test_rows_in_every_format(project: Path) -> None:
    result = history("--format", "jsonl")
    assert result.exit_code == 0
    assert [tuple(json.loads(line).values()) for line in result.stdout.splitlines()] == STAYS
    assert "contact by contact, as SQL has no form for their tests: steps" in result.stderr
    assert "3 segments, 3 stays; --from 2026-03-01T00:00:00Z --to 2026-03-31T00:00:00Z" in result.stderr
    rows = list(csv.reader(history("--format", "csv").stdout.splitlines()))
    assert rows == [["segment", "contact", "entered", "left"], *([*row[:3], row[3] or ""] for row in STAYS)]
    lines = history().stdout.splitlines()  # a table, as this is no terminal
    assert lines[0].split() == ["segment", "entered", "left", "contact"]
    assert [line.split()[0] for line in lines[1:]] == ["here"] * 3 and lines[3].endswith(' b,"x"')
    assert history("--format", "parquet", "-o", "stays.parquet").exit_code == 0
    with duckdb.connect() as connection:
        columns = 'segment, contact, epoch_us(entered), epoch_us("left")'
        found = connection.execute(f"SELECT {columns} FROM 'stays.parquet'")
        micros = [(s, c, instant(a), None if b is None else instant(b)) for s, c, a, b in STAYS]
        assert found.fetchall() == micros


def test_both_ends_of_the_range_count(project: Path) -> None:
    result = CliRunner().invoke(cli, ["history", "--from", "2026-03-06", "--to", "2026-03-30", "visited in 7d",
                                      "--format", "jsonl"])  # fmt: skip
    # One left exactly at the beginning and was not in by then; one entered exactly at the end, and is in.
    assert [tuple(json.loads(line).values())[1:] for line in result.stdout.splitlines()] == [
        row[1:] for row in STAYS[1:]
    ]


def test_history_from_python(project: Path) -> None:
    since, until = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    loaded = segdsl.load(project)
    with loaded.connect() as db:
        found = list(db.history(["Here"], since=since, until=until))
        assert [(row.segment, row.contact) for row in found] == [row[:2] for row in STAYS]
        assert found[0] == segdsl.Interval("here", "a", since, datetime(2026, 3, 6, tzinfo=UTC))
        assert found[2].left is None
        rule = loaded.compile("visited in 7d")
        assert [row.entered for row in db.history(rule, since=since, until=until)] == [row.entered for row in found]
        with pytest.raises(ValueError, match="time zone"):
            list(db.history(since=since, until=datetime(2026, 3, 31)))
        with pytest.raises(KeyError):
            list(db.history(["nobody"], since=since, until=until))
        with pytest.raises(Errors) as caught:
            list(db.history(since=until, until=since))
        assert [each.code for each in caught.value.diagnostics] == ["SEG0731"]


def test_what_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history", "--from", "2026-03-31", "--to", "2026-03-01"]) == 2
    assert "SEG0731" in capsys.readouterr().err
    assert run(["history", "--from", "soon"]) == 2
    assert "--from 2026-03-09" in capsys.readouterr().err
    assert run(["history", "--from", "2026-03-01", "--chart", "growth.pdf"]) == 2
    assert "growth.svg" in capsys.readouterr().err
    assert run(["history", "--from", "2026-03-01", "--chart", "missing/growth.png"]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_chart_without_matplotlib(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(Errors) as caught:
        drawing(project / "growth.png")
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.code == "SEG0718" and "segdsl[charts]" in diagnostic.help


def test_a_chart_is_a_picture_and_the_same_again(project: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("growth.svg", "again.svg", "growth.png"):
        result = history("--chart", name)
        assert result.exit_code == 0 and result.stdout == ""
    assert (project / "growth.svg").read_bytes() == (project / "again.svg").read_bytes()
    ElementTree.parse(project / "growth.svg")
    assert (project / "growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("at", ["2026-03-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"])
def test_a_chart_of_one_instant_has_a_line(at: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    now = instant(at)
    tally = Tally(["s"], now, now)
    list(tally.over(iter([SegmentStay("s", 1, now, None)])))
    drawing(tmp_path / "growth.svg")(tally, {"s": ""}, "UTC")
    line = _figure(tally, {"s": ""}, "UTC").axes[0].lines[0]
    begin, end = line.get_xdata()
    assert end - begin == timedelta(seconds=1) and list(line.get_ydata()) == [1, 1]


def test_a_tally_counts_what_goes_by() -> None:
    tally = Tally(["s"], 100, 200, parts=4)
    stays = [(1, 100, 125), (2, 100, None), (3, 126, 150), (4, 200, None)]
    rows = [SegmentStay("s", *stay) for stay in stays]
    assert list(tally.over(iter(rows))) == rows
    course = tally.courses["s"]
    assert (course.initial, course.entered, course.left) == (2, [0, 1, 0, 1], [1, 1, 0, 0])
    assert course.sizes == [2, 1, 1, 1, 2] and tally.bounds == [100, 125, 150, 175, 200]
    assert Tally(["s"], 5, 5).courses["s"].sizes == [0, 0]


def test_a_bar_is_as_high_as_its_part_of_the_largest() -> None:
    assert bars_of([0, 1, 100, 50]) == " ▁█▄" and bars_of([]) == "" and bars_of([0, 0]) == "  "
    assert folded([1, 2, 3, 4, 5], 2) == [3, 12] and folded([1, 5, 3], 10, largest=True) == [1, 5, 3]


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_history_and_follow_tell_the_same_of_an_example(folder: Path, tmp_path: Path) -> None:
    """Over the whole log of some contacts, by the two commands."""
    project = segdsl.load(folder / "segdsl.yml")
    with connect(project.catalog) as engine:
        people = list(islice(engine.facts(), SOME))
    instants = [at for facts in people for rows in facts.events.values() for at, _ in rows if at]
    since, until = min(instants) - 1, max(instants) + DAY
    log = [fields for facts in people for fields in fields_of(facts, project.catalog, since)]
    write(tmp_path, *sorted(log, key=lambda fields: instant(str(fields["at"]))))
    here, end = ["--project", str(folder / "segdsl.yml")], isoformat(until)
    followed = follow(tmp_path, "events.jsonl", "--state", "state.db", "-o", "told.jsonl", "--until", end, *here)
    assert followed.returncode == 0, followed.stderr
    asked = call("history", "--from", isoformat(since), "--to", end, "--format", "jsonl", *here)
    assert asked.exit_code == 0, asked.stderr
    chosen = {facts.id for facts in people}
    stays = [json.loads(line) for line in asked.stdout.splitlines()]
    found = [(s["segment"], s["contact"], instant(s["entered"]), s["left"] and instant(s["left"]))
             for s in stays if s["contact"] in chosen]  # fmt: skip
    changes = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    flips = [Flip(instant(c["at"]), c["segment"], c["contact"], c["change"] == "entered") for c in changes]
    assert found
    assert told(found) == told(stays_of(flips, (), since)), f"from {isoformat(since)}"
