"""`segdsl follow` and `Project.follow`: lines, state, sinks, and being stopped at any point."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import segdsl
from segdsl.core.time import isoformat

PROJECT = """\
version: 1
timezone: Europe/Berlin
rules: ["*.seg"]
contacts:
  table: contacts
  key: id
  attributes:
    country: string
    plan: {enum: [free, pro], history: {table: plans, contact: id, time: at, value: plan}}
events:
  visited: {table: visits, contact: id, time: at, id: delivery, object: path, properties: {path: string}}
  opened email: {table: mails, contact: id, time: at}
  deal: {table: deals, contact: id, properties: {status: string}}
lists: {table: members, list: list, contact: id}
"""
RULES = """\
segment engaged "Engaged":
    visited "/pricing" >= 2 in 7d and opened email in 7d

segment quiet:
    not visited in 3d

segment german_pro:
    country = "DE" and plan = "pro" and not in list "staff"

segment cart:
    visited "/cart" then not visited "/paid" within 1d in 7d
"""
SEGDSL = [sys.executable, "-m", "segdsl"]
ROOT = Path(__file__).parents[1]
DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "rules.seg").write_text(RULES)
    return tmp_path


def visit(contact: str | int, at: str, path: str = "/pricing", **more: Any) -> dict[str, Any]:
    return {"contact": contact, "event": "visited", "at": at, "properties": {"path": path}, **more}


def write(folder: Path, *lines: dict[str, Any] | str, name: str = "events.jsonl") -> None:
    with (folder / name).open("a") as file:
        file.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)


def follow(folder: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEGDSL, "follow", *arguments], cwd=folder, input=given, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def told(output: str) -> list[tuple[str, str, Any, str]]:
    return [tuple(json.loads(line).values()) for line in output.splitlines()]  # type: ignore[misc]


# --- the API --------------------------------------------------------------------------------------------------


def test_a_contact_enters_on_an_event_and_leaves_by_the_clock(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    stream = project.follow()
    assert stream.now is None
    assert stream.push(visit("c17", "2026-03-01T09:30:00Z")) == []
    assert stream.push(visit("c17", "2026-03-02T09:30:00Z")) == []
    [entered] = stream.push({"contact": "c17", "event": "Opened Email", "at": "2026-03-02T09:31:00Z"})
    assert entered == segdsl.Change(entered.at, "engaged", "c17", True)
    assert isoformat(round(entered.at.timestamp() * 10**6)) == "2026-03-02T09:31:00Z"
    assert entered.at.utcoffset() == timedelta(hours=1)  # Berlin in winter
    changes = stream.advance(datetime(2026, 3, 20, tzinfo=UTC))
    assert [(change.segment, change.at.astimezone(UTC).isoformat(), change.entered) for change in changes] == [
        ("quiet", "2026-03-05T09:30:00+00:00", True),
        ("engaged", "2026-03-08T09:30:00+00:00", False),
    ]
    assert list(stream.members()) == [("quiet", "c17")]


def test_late_lines_count_from_now_on_and_future_ones_wait(folder: Path) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow()
    stream.advance(START + 10 * DAY)
    [change] = stream.push({"contact": 5, "set": {"country": "DE"}, "at": "2026-03-01T00:00:00Z"})
    assert (change.segment, change.at, change.contact) == ("quiet", START + 10 * DAY, 5)
    [change] = stream.push(visit(5, "2026-03-10T12:00:00Z"))
    assert (change.segment, change.at, change.entered) == ("quiet", START + 10 * DAY, False)
    [change] = stream.advance(START + 30 * DAY)
    assert change.at == datetime(2026, 3, 13, 12, tzinfo=UTC)


def test_deliveries_of_one_id_count_once_as_the_earliest(folder: Path) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow()
    stream.push(visit("a", "2026-03-03T00:00:00Z", id="x"))
    stream.push(visit("a", "2026-03-03T00:00:00Z", id="x"))
    stream.push(visit("a", "2026-03-01T00:00:00Z", id="x"))  # late: the visit was two days earlier
    [change] = stream.advance(START + 4 * DAY)
    assert (change.segment, change.at) == ("quiet", START + 3 * DAY)


def test_a_deleted_contact_leaves_and_may_come_back(folder: Path) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow(folder / "state.db")
    stream.push(visit("a", "2026-03-01T00:00:00Z"))
    stream.advance(START + 5 * DAY)
    [change] = stream.push({"contact": "a", "deleted": True, "at": "2026-03-07T00:00:00Z"})
    assert (change.segment, change.entered) == ("quiet", False)
    assert list(stream.members()) == []
    stream.close()
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT count(*) FROM lines").fetchone() == (0,)
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert list(stream.members()) == []
        [change] = stream.push({"contact": "a", "set": {"country": "DE"}, "at": "2026-03-08T00:00:00Z"})
        assert (change.segment, change.entered) == ("quiet", True)


def test_a_late_line_behind_a_deletion_is_kept(folder: Path) -> None:
    """In one batch: what came before the deletion goes, and what came after it stays, whenever that was."""
    write(
        folder, visit("a", "2026-03-01T00:00:00Z"), {"contact": "a", "deleted": True, "at": "2026-03-05T00:00:00Z"},
        visit("a", "2026-03-04T00:00:00Z"), {"at": "2026-03-06T00:00:00Z"},
    )  # fmt: skip
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert told(done.stdout) == [
        ("2026-03-04T00:00:00Z", "quiet", "a", "entered"),
        ("2026-03-05T00:00:00Z", "quiet", "a", "left"),
    ]
    done = follow(folder, "--state", "state.db", given='{"at": "2026-03-09T00:00:00Z"}\n')
    assert told(done.stdout) == [("2026-03-07T00:00:00Z", "quiet", "a", "entered")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"contact": "a"', "no JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "no JSON|nested too deeply"),
        ({"contact": "a", "event": "visitd", "at": "2026-03-01T00:00:00Z"}, "did you mean `visited`"),
        ({"contact": "a", "event": "visited"}, "needs the field `at`"),
        ({"contact": "a", "event": "visited", "at": "yesterday"}, "`at` is no time"),
        ({"contact": "a", "event": "visited", "at": "2026-03-01T00:00:00Z", "properties": {"pat": 1}}, "`path`"),
        ({"contact": True, "set": {"country": "DE"}}, "text or a whole number"),
        ({"contact": 2**63, "set": {"country": "DE"}}, "no database"),
        ({"contact": "\ud800", "set": {"country": "DE"}}, "no database"),
        ({"contact": "a", "set": {}}, "an object of names and values"),
        ({"contact": "a", "set": {"contry": "DE"}}, "did you mean `country`"),
        ({"contact": "a", "lists": {"staff": 1}}, "true or false"),
        ({"contact": "a", "event": "visited", "set": {"country": "DE"}}, "one thing"),
        ({"contact": "a", "at": "2026-03-01T00:00:00Z"}, "one thing"),
        ({"at": "2026-03-01T00:00:00Z", "properties": {}}, "needs the field `contact`"),
        ({"contact": "a", "evnt": "visited"}, "no field `evnt`"),
        ({}, "needs the field `contact`"),
    ],
)
def test_lines_that_cannot_be_read_say_why_and_change_nothing(folder: Path, line: Any, words: str) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow(folder / "state.db")
    stream.advance(START)
    with pytest.raises(ValueError, match=words):
        stream.push(line)
    assert list(stream.members()) == []
    assert not stream.push(visit("a", "2026-03-01T00:00:00Z"))


# --- state ----------------------------------------------------------------------------------------------------


def random_lines(seed: int, count: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    now = START
    lines: list[dict[str, Any]] = []
    for number in range(count):
        now += timedelta(minutes=chance.randrange(90))
        at = now - timedelta(days=chance.choice([0, 0, 0, 0, 1, 5]), microseconds=chance.randrange(3))
        contact = chance.choice([*"abcdefgh", 1, 2])
        stamp = {"contact": contact, "at": at.isoformat().replace("+00:00", "Z")}
        match chance.randrange(10):
            case 0:
                lines.append({**stamp, "set": {"country": chance.choice(["DE", "FR", None])}})
            case 1:
                lines.append({**stamp, "set": {"plan": chance.choice(["free", "pro"])}})
            case 2:
                lines.append({**stamp, "lists": {"staff": chance.random() < 0.5}})
            case 3 | 4:
                lines.append({**stamp, "event": "opened email"})
            case 5 if number % 7 == 0:
                lines.append({**stamp, "deleted": True})
            case _:
                path = chance.choice(["/pricing", "/cart", "/paid"])
                lines.append({**visit(contact, stamp["at"], path), "id": f"d{chance.randrange(count)}"})
    return lines


def test_a_stream_goes_on_where_it_was_closed(folder: Path) -> None:
    """Closed after every few lines, it says what one says that was never closed."""
    lines = random_lines(1, 400)
    project = segdsl.load(folder / "segdsl.yml")
    once = project.follow()
    expected = [change for line in lines for change in once.push(line)]
    found = []
    for start in range(0, len(lines), 23):
        with project.follow(folder / "state.db") as stream:
            assert stream.resumed == []
            found += [change for line in lines[start : start + 23] for change in stream.push(line)]
    assert found == expected
    assert len(expected) > 50
    with project.follow(folder / "state.db") as stream:
        assert sorted(map(str, stream.members())) == sorted(map(str, once.members()))


def test_changed_rules_change_members_when_the_stream_goes_on(folder: Path) -> None:
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        stream.push(visit("a", "2026-03-01T00:00:00Z"))
        stream.push(visit("b", "2026-03-04T12:00:00Z"))
        assert list(stream.members()) == [("quiet", "a")]
    rules = (folder / "rules.seg").read_text()
    (folder / "rules.seg").write_text(rules.replace("visited in 3d", "visited in 6h") + "segment all:\n    everyone\n")
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert [(c.segment, c.contact, c.entered) for c in stream.resumed] == [("all", "a", True), ("all", "b", True)]
        [change] = stream.advance(START + 4 * DAY)
        assert change.at == datetime(2026, 3, 4, 18, tzinfo=UTC)


def test_what_the_catalog_lacks_now_takes_nothing_else_away(folder: Path) -> None:
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        stream.push({"contact": "a", "set": {"country": "DE", "plan": "pro"}, "at": "2026-03-01T00:00:00Z"})
        stream.push(visit("a", "2026-03-01T00:00:00Z"))
        stream.push({"contact": "a", "event": "deal", "properties": {"status": "open"}})
        members = set(stream.members())
    project = (folder / "segdsl.yml").read_text()
    (folder / "segdsl.yml").write_text(project.replace(", object: path, properties: {path: string}", ""))
    (folder / "rules.seg").write_text(
        'segment german_pro:\n    country = "DE" and plan = "pro"\n\nsegment quiet:\n    not visited in 3d\n'
    )
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert stream.resumed == []
        assert (set(stream.members()), stream.dropped) == (members, 0)
    deal = "  deal: {table: deals, contact: id, properties: {status: string}}\n"
    (folder / "segdsl.yml").write_text(project.replace(deal, ""))
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert (set(stream.members()), stream.dropped) == (members, 1)


def test_mappings_of_any_kind_are_remembered(folder: Path) -> None:
    fields = MappingProxyType({**visit("a", "2026-03-01T00:00:00Z"), "properties": MappingProxyType({"path": "/cart"})})
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        stream.push(fields)
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        [change] = [change for change in stream.advance(START + 2 * DAY) if change.segment == "cart"]
        assert change.at == START + DAY


def test_a_state_file_that_cannot_be_used_says_so(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    (folder / "text.db").write_text("no database at all, but long enough to have a header of one" * 20)
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE t (a)")
    for name, words in [("text.db", "not a database"), ("other.db", "another program's"), ("no/where.db", "unable")]:
        with pytest.raises(segdsl.Errors, match=words) as raised:
            project.follow(folder / name)
        assert raised.value.diagnostics[0].help
    with project.follow(folder / "state.db") as stream:
        stream.push(visit("a", "2026-03-01T00:00:00Z"))
        with project.follow(folder / "state.db") as second:
            second.push(visit("a", "2026-03-02T00:00:00Z"))
        with pytest.raises(segdsl.Errors, match="another process follows"):
            stream.push(visit("a", "2026-03-03T00:00:00Z"))
    damaged = bytearray((folder / "state.db").read_bytes())
    damaged[4096:] = b"\x55" * (len(damaged) - 4096)
    (folder / "state.db").write_bytes(damaged)
    with pytest.raises(segdsl.Errors, match="malformed"):
        project.follow(folder / "state.db")


def test_a_full_disk_loses_nothing(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    stream = project.follow(folder / "state.db")
    assert stream.state is not None
    stream.push(visit("a", "2026-03-01T00:00:00Z"))
    pages = stream.state._connection.execute("PRAGMA page_count").fetchone()[0]
    stream.state._connection.execute(f"PRAGMA max_page_count = {pages}")
    taken = 1
    with pytest.raises(segdsl.Errors, match="full") as raised:
        for number in range(2000):
            stream.push(visit(f"c{number}", "2026-03-02T00:00:00Z", "/" + "x" * 500))
            taken += 1
    assert "room" in raised.value.diagnostics[0].help
    stream.close()
    with project.follow(folder / "state.db") as stream:
        assert stream.state is not None
        assert len(list(stream.state.lines())) == taken
        stream.push(visit("z", "2026-03-02T00:00:00Z"))


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_reads_a_file_and_goes_on_behind_it(folder: Path) -> None:
    write(folder, visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-04T00:00:00Z"})
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert done.returncode == 0
    assert told(done.stdout) == [("2026-03-04T00:00:00Z", "quiet", "a", "entered")]
    assert "2 lines, 1 changes, up to 2026-03-04T00:00:00Z" in done.stderr
    write(folder, visit("a", "2026-03-05T00:00:00Z"), '{"contact": "a", "event": "vis')
    with (folder / "events.jsonl").open("r+b") as file:
        file.truncate(file.seek(0, os.SEEK_END) - 1)  # the newline: somebody is still writing it
    done = follow(folder, "events.jsonl", "--state", "state.db", "--until", "2026-03-10")
    assert done.returncode == 0
    assert told(done.stdout) == [
        ("2026-03-05T00:00:00Z", "quiet", "a", "left"),
        ("2026-03-08T00:00:00Z", "quiet", "a", "entered"),
    ]
    assert "left for the next time" in done.stderr
    with (folder / "events.jsonl").open("a") as file:
        file.write('ited", "at": "2026-03-09T12:00:00Z"}\n')
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert told(done.stdout) == [("2026-03-10T00:00:00Z", "quiet", "a", "left")]


def test_news_without_a_time_is_of_the_time_that_it_then_is(folder: Path) -> None:
    """Whatever the batches, and after a restart, too."""
    rules = 'segment de:\n    country = "DE"\n\nsegment open:\n    deal where (status = "open")\n'
    (folder / "rules.seg").write_text(rules)
    write(
        folder, {"contact": "a", "set": {"country": "FR"}, "at": "2026-03-02T00:00:00Z"},
        {"contact": "a", "set": {"country": "DE"}}, {"contact": "a", "event": "deal", "properties": {"status": "open"}},
    )  # fmt: skip
    for size in ("1", "2000"):
        done = follow(folder, "events.jsonl", "--state", f"{size}.db", "--batch", size)
        assert (done.returncode, [change[1] for change in told(done.stdout)]) == (0, ["de", "open"])
        done = follow(folder, "events.jsonl", "--state", f"{size}.db")
        assert (done.stdout, "have changed" in done.stderr) == ("", False)


def test_a_file_of_changes_that_is_not_as_it_was_left(folder: Path) -> None:
    write(folder, visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-05T00:00:00Z"})
    arguments = ["events.jsonl", "--state", "state.db", "-o", "out.jsonl"]
    follow(folder, *arguments)
    out = folder / "out.jsonl"
    first = out.read_text()
    with out.open("a") as file:
        file.write("somebody's\n")
    write(folder, visit("a", "2026-03-06T00:00:00Z"))
    follow(folder, *arguments)
    added = out.read_text().removeprefix(first + "somebody's\n")
    assert told(added) == [("2026-03-06T00:00:00Z", "quiet", "a", "left")]
    out.unlink()
    write(folder, {"at": "2026-03-12T00:00:00Z"})
    follow(folder, *arguments)
    assert told(out.read_text()) == [("2026-03-09T00:00:00Z", "quiet", "a", "entered")]


def test_a_named_pipe_is_read_again_and_again(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for line in (visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-05T00:00:00Z"}):
        writer = threading.Thread(target=write, args=(folder, line), kwargs={"name": "pipe"})
        writer.start()
        done = follow(folder, "pipe", "--state", "state.db")
        writer.join()
        assert done.returncode == 0, done.stderr
    assert told(done.stdout) == [("2026-03-04T00:00:00Z", "quiet", "a", "entered")]


def test_lines_that_cannot_be_read_are_told_and_kept(folder: Path) -> None:
    write(folder, *(f"nonsense {i}" for i in range(5)), visit("a", "2026-03-01T00:00:00Z"))
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert done.returncode == 1
    assert done.stderr.count("cannot be read:") == 3
    assert "5 lines cannot be read" in done.stderr
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT count(*) FROM refused").fetchone() == (5,)


def test_a_line_of_the_future_makes_no_other_late(folder: Path) -> None:
    ahead = isoformat(round((datetime.now(UTC) + timedelta(hours=1)).timestamp()) * 10**6)
    write(folder, "\ufeff" + json.dumps(visit("a", "2026-03-01T00:00:00Z")))
    write(folder, visit("b", ahead), visit("a", "9999-12-31"), visit("c", "2026-03-05T00:00:00Z"))
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert told(done.stdout) == [("2026-03-04T00:00:00Z", "quiet", "a", "entered")]
    assert "up to 2026-03-05T00:00:00Z\n2 lines are of a time that is still to come" in done.stderr
    done = follow(folder, "--state", "state.db", given=json.dumps({"at": ahead}) + "\n")
    assert told(done.stdout) == [("2026-03-08T00:00:00Z", "quiet", "c", "entered")]
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT count(*) FROM lines").fetchone() == (4,)


def test_mistakes_of_usage(folder: Path) -> None:
    assert follow(folder, "events.jsonl", "--state", "state.db").returncode == 2
    assert follow(folder, "--state", "state.db", "--live", "--until", "2026-03-01").returncode == 2
    assert "--state" in follow(folder, "-").stderr
    write(folder, visit("a", "2026-03-01T00:00:00Z"), name="in.jsonl")
    for state, output in (("in.jsonl", "o.jsonl"), ("i.db", "in.jsonl"), ("i.db", "i.db")):
        done = follow(folder, "in.jsonl", "--state", state, "-o", output)
        assert (done.returncode, "at once" in done.stderr) == (2, True)
    assert "write --until" in follow(folder, "in.jsonl", "--state", "i.db", "--until", "soon").stderr
    write(folder, visit("a", "2026-03-01T00:00:00Z"))
    follow(folder, "events.jsonl", "--state", "state.db")
    (folder / "events.jsonl").write_text("")
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert (done.returncode, "shorter than what was read" in done.stderr) == (2, True)


def test_live_it_goes_by_the_clock_and_stops_on_sigterm(folder: Path) -> None:
    (folder / "rules.seg").write_text("segment fresh:\n    visited in 1s\n")
    process = subprocess.Popen(
        [*SEGDSL, "follow", "--live", "--state", "state.db"], cwd=folder, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    try:
        at = datetime.now(UTC)
        ahead = at + timedelta(days=1)
        for when in (at, ahead):
            process.stdin.write(json.dumps(visit("a", when.isoformat())) + "\n")
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        assert first["change"] == "entered"
        second = json.loads(process.stdout.readline())
        assert second["change"] == "left"
        assert datetime.fromisoformat(second["at"]) == at + timedelta(seconds=1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "2 lines, 2 changes" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT count(*) FROM lines").fetchone() == (2,)  # the one ahead waits there


def test_live_it_ends_with_a_pipe_and_waits_for_a_file(folder: Path) -> None:
    line = visit("a", (datetime.now(UTC) - timedelta(days=4)).isoformat())
    done = follow(folder, "--live", "--state", "pipe.db", given=json.dumps(line) + "\n")
    assert [change[1:] for change in told(done.stdout)] == [("quiet", "a", "entered")]
    write(folder, line)
    process = subprocess.Popen(
        [*SEGDSL, "follow", "events.jsonl", "--live", "--state", "file.db"], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline())["change"] == "entered"
        write(folder, visit("a", datetime.now(UTC).isoformat()))
        assert json.loads(process.stdout.readline())["change"] == "left"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_killed_a_hundred_times_it_loses_and_doubles_nothing(folder: Path) -> None:
    lines = random_lines(2, 6000)
    write(folder, *lines)
    whole = folder / "whole"
    whole.mkdir()
    for name in ("segdsl.yml", "rules.seg", "events.jsonl"):
        (whole / name).write_bytes((folder / name).read_bytes())
    follow(whole, "events.jsonl", "--state", "state.db", "-o", "changes.jsonl")
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killing", str(folder), "100", "5"], cwd=ROOT, capture_output=True,
        text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 60, f"{done.stdout} kills in {time.monotonic() - started:.0f} s: make it slower"
    expected = (whole / "changes.jsonl").read_text()
    assert expected.count("\n") > 900
    assert (folder / "changes.jsonl").read_text() == expected
    asked = "SELECT at, segment, contact, entered FROM changes ORDER BY number"
    with sqlite3.connect(folder / "state.db") as state, sqlite3.connect(whole / "state.db") as other:
        assert state.execute(asked).fetchall() == other.execute(asked).fetchall()
        assert state.execute("SELECT count(*) FROM lines").fetchone() == other.execute(
            "SELECT count(*) FROM lines"
        ).fetchone()
