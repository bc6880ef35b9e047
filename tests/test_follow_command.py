"""`segdsl follow`: files and pipes, the clock, sinks, and being stopped at any point."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from segdsl.cli.lines_in import Reader
from segdsl.core.time import isoformat
from tests.support.following import ROOT, SEGDSL, follow, killed, project_in, random_lines, told, visit, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project_in(tmp_path)


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


def test_the_command_reads_a_file_and_goes_on_behind_it(folder: Path) -> None:
    write(folder, visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-04T00:00:00Z"})
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert done.returncode == 0
    assert told(done.stdout) == [("2026-03-04T00:00:00Z", "quiet", "a", "entered")]
    assert "2 lines, 1 change, up to 2026-03-04T00:00:00Z" in done.stderr
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
    half = visit("half of a character: \ud800", "2026-03-01T00:00:00Z")
    write(folder, half, *(f"nonsense {i}" for i in range(5)), visit("a", "2026-03-01T00:00:00Z"))
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert done.returncode == 1
    assert done.stderr.count("cannot be read:") == 3
    assert "6 lines cannot be read" in done.stderr
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT count(*) FROM refused").fetchone() == (6,)


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
    for url in ("ftp://example.com/hook", "https://"):
        assert "and a host" in follow(folder, "in.jsonl", "--state", "i.db", "--webhook", url).stderr
    write(folder, visit("a", "2026-03-01T00:00:00Z"))
    follow(folder, "events.jsonl", "--state", "state.db")
    (folder / "events.jsonl").write_text("")
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert (done.returncode, "shorter than what was read" in done.stderr) == (2, True)


def test_what_is_meant_for_a_file_or_for_standard_output(folder: Path) -> None:
    write(folder, visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-09T00:00:00Z"})
    done = follow(folder, "events.jsonl", "--state", ":memory:", "-o", "-")
    assert [change[3] for change in told(done.stdout)] == ["entered"]
    assert (folder / ":memory:").is_file() and not (folder / "-").exists()
    for device in ("/dev/null", "/dev/full"):
        done = follow(folder, "events.jsonl", "--state", "state.db", "-o", device)
        assert (done.returncode, done.stderr.startswith(f"error: {device}: is no file")) == (2, True), done.stderr
    done = follow(folder, "-", "--state", "state.db", "--keep", "999999999w", given="")
    assert (done.returncode, "longer than 100 years" in done.stderr) == (2, True)


def test_a_line_that_does_not_end_takes_no_time_but_its_own(tmp_path: Path) -> None:
    """Its pieces are joined once, and not again with each that comes."""
    size = 64 << 20
    (tmp_path / "long").write_bytes(b"x" * size + b"\nshort\nrest")
    with (tmp_path / "long").open("rb") as file:
        begun = time.process_time()
        found = list(Reader(file.fileno(), 0, on=False).chunks(5))
        assert time.process_time() - begun < 3  # joined with each piece, 8 GB would be copied
    assert [(len(c.lines), c.begin, c.whole) for c in found if c] == [(2, 0, True), (1, size + 7, False)]
    assert [len(line) for c in found if c for line in c.lines] == [size, 5, 4]


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
        time.sleep(2)  # in which nothing comes, and the clock is looked at
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()
    done = follow(folder, "events.jsonl", "--state", "file.db")
    assert (done.stdout, "0 lines" in done.stderr) == ("", True)


def test_live_a_file_that_was_rotated_or_cut_is_followed(folder: Path) -> None:
    def now(path: str) -> dict[str, object]:
        return visit("a", datetime.now(UTC).isoformat(), path)

    (folder / "rules.seg").write_text(
        "".join(f'segment s{i}:\n    visited "/{i}"\n\n' for i in range(6))
    )  # fmt: skip
    write(folder, now("/0"))
    process = subprocess.Popen(
        [*SEGDSL, "follow", "events.jsonl", "--live", "--state", "state.db"], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        assert json.loads(process.stdout.readline())["segment"] == "s0"
        (folder / "events.jsonl").rename(folder / "events.1")
        write(folder, now("/1"), name="events.1")  # whoever writes has not noticed yet
        assert json.loads(process.stdout.readline())["segment"] == "s1"
        with (folder / "events.1").open("a") as file:
            file.write('{"contact": "a", "ev')  # and does not end this
        write(folder, now("/2"))
        assert json.loads(process.stdout.readline())["segment"] == "s2"
        assert "and the input ends in the midst of it" in process.stderr.readline()
        assert process.stderr.readline() == '  | {"contact": "a", "ev\n'
        assert "is read from its start" in process.stderr.readline()
        with (folder / "events.jsonl").open("a") as file:
            file.write(json.dumps(now("/4")))  # complete, and without a newline
        (folder / "events.jsonl").rename(folder / "events.2")
        write(folder)
        assert json.loads(process.stdout.readline())["segment"] == "s4"
        assert "is read from its start" in process.stderr.readline()
        write(folder, now("/3"))
        assert json.loads(process.stdout.readline())["segment"] == "s3"
        (folder / "events.jsonl").write_text("")
        assert "is read from its start" in process.stderr.readline()
        write(folder, now("/5"))
        assert json.loads(process.stdout.readline())["segment"] == "s5"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 1
    finally:
        process.kill()
        process.communicate()
    (folder / "events.jsonl").write_text(json.dumps(now("/4")) + "\n" + json.dumps(now("/0")) + "\n")
    done = follow(folder, "events.jsonl", "--state", "state.db")
    assert (done.returncode, "begins otherwise" in done.stderr) == (2, True)
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT line FROM refused").fetchall() == [('{"contact": "a", "ev',)]


def test_half_a_line_at_the_end_of_a_pipe_is_told(folder: Path) -> None:
    line = json.dumps(visit("a", "2026-03-01T00:00:00Z"))
    done = follow(folder, "--state", "state.db", given=line + "\n" + line[:20])
    assert done.returncode == 1
    assert "2 lines" in done.stderr and "the input ends in the midst of it" in done.stderr
    done = follow(folder, "--state", "state.db", given=line)
    assert (done.returncode, "1 line," in done.stderr) == (0, True)


def test_one_process_follows_with_a_state_file(folder: Path) -> None:
    """Another is refused before it reads or writes anything, until the first one has ended, however that ended."""
    write(folder, visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-04T00:00:00Z"})
    arguments = ["events.jsonl", "--state", "state.db", "-o", "changes.jsonl"]
    process = subprocess.Popen(
        [*SEGDSL, "follow", *arguments, "--live"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        changes = folder / "changes.jsonl"
        until = time.monotonic() + 60
        while not (changes.exists() and changes.stat().st_size) and time.monotonic() < until:
            time.sleep(0.05)
        written = changes.read_bytes()
        assert written
        write(folder, visit("b", "2026-03-02T00:00:00Z"), name="others.jsonl")
        refused = follow(folder, "others.jsonl", "--state", "state.db", "-o", "others-changes.jsonl")
        assert refused.returncode == 2
        assert f"error[SEG0728]: process {process.pid} follows with `state.db` already" in refused.stderr
        assert not (folder / "others-changes.jsonl").exists() and changes.read_bytes() == written
    finally:
        process.kill()
        process.wait()
    assert (folder / "state.db.lock").exists()
    done = follow(folder, *arguments)
    assert done.returncode == 0 and changes.read_bytes() == written
    assert not (folder / "state.db.lock").exists()


def test_killed_a_hundred_times_it_loses_and_doubles_nothing(folder: Path) -> None:
    lines = random_lines(2, 6000)
    write(folder, *lines)
    whole = folder / "whole"
    whole.mkdir()
    for name in ("segdsl.yml", "rules.seg", "events.jsonl"):
        (whole / name).write_bytes((folder / name).read_bytes())
    follow(whole, "events.jsonl", "--state", "state.db", "-o", "changes.jsonl")
    sink = ("--table", "told", "--table-in", "sqlite:///sink.db")
    assert killed(folder, 100, 5, "events.jsonl", *sink) >= 60
    expected = (whole / "changes.jsonl").read_text()
    assert expected.count("\n") > 900
    assert (folder / "changes.jsonl").read_text() == expected
    with sqlite3.connect(folder / "sink.db") as table:
        rows = table.execute("SELECT at, segment, contact, change FROM told ORDER BY number").fetchall()
    assert rows == [(at, segment, str(contact), change) for at, segment, contact, change in told(expected)]
    asked = "SELECT at, segment, contact, entered FROM changes ORDER BY number"
    with sqlite3.connect(folder / "state.db") as state, sqlite3.connect(whole / "state.db") as other:
        assert state.execute(asked).fetchall() == other.execute(asked).fetchall()
        assert (
            state.execute("SELECT count(*) FROM lines").fetchone()
            == other.execute("SELECT count(*) FROM lines").fetchone()
        )
