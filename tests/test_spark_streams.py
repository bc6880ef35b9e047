"""Streams on Spark: contacts spread over tasks and batches say what each says by itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import segdsl
from segdsl.core.time import DAY, isoformat, parse_instant
from segdsl.spark import PROVIDER, ROCKSDB, follow
from segdsl.stream.alone import Alone
from segdsl.stream.evaluator import Evaluator
from segdsl.text.diagnostic import Errors
from tests.support.databases import database
from tests.support.databases.spark import SparkDatabase
from tests.support.following import RULES, START, project_in, random_lines, visit

Told = tuple[Any, ...]
PAGE = Path(__file__).parents[1] / "docs" / "spark.md"


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    running = database("spark")
    assert isinstance(running, SparkDatabase)
    before = running.session.conf.get(PROVIDER)
    running.session.conf.set(PROVIDER, ROCKSDB)
    yield running.session
    running.session.conf.set(PROVIDER, before)


@pytest.fixture
def project(tmp_path: Path) -> segdsl.Project:
    return segdsl.load(project_in(tmp_path))


class Query:
    """A query over a folder of lines, which goes on from its checkpoint. Its sink keeps a batch by its number."""

    def __init__(self, session: Any, folder: Path, delay: str) -> None:
        self.session, self.folder, self.delay = session, folder, delay
        self.batches: dict[int, list[Any]] = {}
        (folder / "in").mkdir()

    def write(self, name: str, lines: list[Any]) -> None:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path = self.folder / "in" / name
        path.write_text("".join(text + "\n" for text in texts))
        os.utime(path, (START.timestamp() + int(name),) * 2)  # Spark takes files by their age

    def run(self, project: segdsl.Project, sink: Callable[[Any, int], None] | None = None) -> None:
        """Until all files are taken."""
        lines = self.session.readStream.option("maxFilesPerTrigger", 1).text(str(self.folder / "in"))
        writer = follow(lines, project, self.delay).writeStream.foreachBatch(sink or self.keep)
        writer = writer.option("checkpointLocation", str(self.folder / "checkpoint"))
        writer.trigger(availableNow=True).start().awaitTermination()

    def keep(self, frame: Any, batch: int) -> None:
        micros = frame.selectExpr("unix_micros(at)", "segment", "contact", "change", "line", "reason")
        self.batches[batch] = [tuple(row) for row in micros.collect()]

    @property
    def told(self) -> list[Told]:
        """Instant, segment, contact, change."""
        return sorted(row[:4] for rows in self.batches.values() for row in rows if row[3] != "refused")


def at(line: dict[str, Any]) -> int:
    found = parse_instant(line["at"], "UTC")
    assert found is not None
    return found


def alone(project: segdsl.Project, batches: list[list[dict[str, Any]]], delay: int = 0) -> list[Told]:
    """What is told of each contact by an evaluator of its own; before each batch it is moved to the watermark."""
    rules = Evaluator(project.catalog, project.program)
    contacts: dict[str | int, Alone] = {}
    told: list[Told] = []
    watermark = 0
    for batch in [*batches, []]:
        names = dict.fromkeys([*contacts, *(line["contact"] for line in batch if "contact" in line)])
        for name in names:
            contact = contacts.setdefault(name, Alone(rules))
            flips = contact.advance(watermark) if watermark else []
            own = sorted((line for line in batch if line.get("contact") == name), key=lambda x: (at(x), json.dumps(x)))
            flips += contact.take([json.dumps(line) for line in own]).flips
            told += [(f.at, f.segment, str(f.contact), "entered" if f.entered else "left") for f in flips]
        latest = max((at(line) for line in batch), default=0)
        watermark = max(watermark, (latest // 1000) * 1000 - delay)
    return sorted(told)


def test_contacts_say_what_each_says_by_itself(session: Any, tmp_path: Path, project: segdsl.Project) -> None:
    """Late lines, deliveries, deletions, in batches and with a start from the checkpoint between any two."""
    lines = random_lines(7, 900)
    end = {"at": isoformat(max(map(at, lines)) + 30 * DAY)}
    batches = [lines[:300], lines[300:550], lines[550:], [end]]
    query = Query(session, tmp_path, "1 hour")
    query.write("0", batches[0])
    query.run(project)
    for number in (1, 2, 3):
        query.write(str(number), batches[number])
    query.run(project)
    assert query.told == alone(project, batches, delay=3600 * 10**6)
    assert len(query.told) > 100


def test_lines_in_their_order_say_what_one_stream_says(session: Any, tmp_path: Path, project: segdsl.Project) -> None:
    lines = sorted((line for line in random_lines(8, 500)), key=at)
    # A contact's lines of one instant have no order on a cluster.
    lines = list({(line["contact"], line["at"]): line for line in lines}.values())
    end = isoformat(at(lines[-1]) + 30 * DAY)
    query = Query(session, tmp_path, "0 seconds")
    for number, part in enumerate([lines[:200], lines[200:], [{"at": end}]]):
        query.write(str(number), part)
    query.run(project)
    stream = project.follow()
    changes = [change for line in [*lines, None] for change in (stream.push(line or {"at": end}))]
    assert query.told == sorted(
        ((parse_instant(c.at.isoformat(), "UTC"), c.segment, str(c.contact), "entered" if c.entered else "left"))
        for c in changes
    )


def test_nothing_is_lost_or_doubled(session: Any, tmp_path: Path, project: segdsl.Project) -> None:
    """A sink that fails in the middle: the batch comes again, with the same number and the same rows."""
    query = Query(session, tmp_path, "0 seconds")
    first = [visit(name, "2026-03-01T10:00:00Z") for name in ("c", 1, "1")]
    query.write("0", [*first, {"contact": "late", "set": {"country": "DE"}, "at": "2999-01-01T00:00:00Z"}])
    query.run(project)
    query.write("1", ["{bad", {"contact": None}, {"contact": "c", "event": "vistied", "at": "2026-03-02T10:00:00Z"}])
    query.write("2", [{"at": "2026-03-04T10:00:00Z"}])

    def fails(frame: Any, batch: int) -> None:
        query.keep(frame, batch)
        raise RuntimeError("the sink is away")

    with pytest.raises(Exception, match="the sink is away"):
        query.run(project, fails)
    [failed] = [batch for batch in query.batches if query.batches[batch] and query.batches[batch][0][3] == "refused"]
    rows = query.batches[failed]
    query.run(project)
    assert sorted(map(str, query.batches[failed])) == sorted(map(str, rows))
    refused = {row[4]: row[5].partition(":")[0] for row in rows}
    assert refused == {
        "{bad": "it is no JSON", '{"contact": null}': "`contact` is a text or a whole number, not null",
        '{"contact": "c", "event": "vistied", "at": "2026-03-02T10:00:00Z"}':
            "unknown event `vistied`; did you mean `visited`?",
    }  # fmt: skip
    # The line of the year 2999 waits, and made no other late.
    ten = int(START.timestamp()) * 10**6 + 3 * DAY + 10 * 3600 * 10**6
    assert query.told == [(ten, "quiet", name, "entered") for name in ("1", "1", "c")]


def test_changed_rules_are_told_with_the_next_news(session: Any, tmp_path: Path, project: segdsl.Project) -> None:
    query = Query(session, tmp_path, "0 seconds")
    query.write("0", [visit("c", "2026-03-01T10:00:00Z")])
    query.run(project)
    (tmp_path / "rules.seg").write_text(RULES + "segment seen:\n    visited\n")
    query.write("1", [{"contact": "c", "set": {"country": "DE"}, "at": "2026-03-01T11:00:00Z"}])
    query.run(segdsl.load(tmp_path))
    assert [row[1:] for row in query.told] == [("seen", "c", "entered")]
    assert query.told[0][0] == at({"at": "2026-03-01T10:00:00Z"})


def refused(frame: Any, project: segdsl.Project, delay: str = "1 minute") -> tuple[str, str]:
    with pytest.raises(Errors) as caught:
        follow(frame, project, delay)
    [found] = caught.value.diagnostics
    assert found.help
    return found.code, found.message


def test_what_cannot_be_followed_is_told(session: Any, tmp_path: Path, project: segdsl.Project) -> None:
    lines = session.readStream.text(str(tmp_path))
    assert refused(session.range(3), project) == ("SEG0750", "this DataFrame is no stream")
    unfit = lines.selectExpr("CAST(value AS BINARY) AS value")
    assert refused(unfit, project) == ("SEG0750", "the column `value` is no text, but binary")
    assert refused(lines.selectExpr("value AS line"), project) == (
        "SEG0750", "the stream has no column `value`, only line"
    )  # fmt: skip
    assert refused(lines, project, "soon") == ("SEG0753", "`soon` is no duration that Spark can read")
    session.conf.set(PROVIDER, "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider")
    try:
        assert refused(lines, project)[0] == "SEG0752"
    finally:
        session.conf.set(PROVIDER, ROCKSDB)


def test_a_package_that_is_missing_or_too_old(project: segdsl.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before Spark is asked for anything."""
    import pyspark.sql

    with monkeypatch.context() as patch:
        patch.setattr("segdsl.spark.find_spec", lambda name: None if name == "pyarrow" else name)
        assert refused(None, project) == ("SEG0751", "Spark's streams need the package `pyarrow`")
    with monkeypatch.context() as patch:
        patch.setattr(pyspark.sql, "GroupedData", object)  # one that has no `transformWithState`
        code, message = refused(None, project)
        assert (code, message.partition(", and")[0]) == ("SEG0751", "following needs Spark 4.1 or later")


def test_the_checkpoint_of_a_newer_version(project: segdsl.Project) -> None:
    """Spark is not asked: its state is what a later version will have put there."""
    from segdsl.spark.processor import FORM, Processor

    class State:
        def get(self) -> tuple[Any, ...]:
            return (FORM + 1, "token", 0, "[]", 0, 0)

    class Handle:
        def getValueState(self, name: str, schema: str) -> State:  # noqa: N802
            return State()

        getListState = getValueState  # noqa: N815

    class Timers:
        def getCurrentWatermarkInMs(self) -> int:  # noqa: N802
            return 0

    processor = Processor(b"")
    processor.init(Handle())  # type: ignore[arg-type]
    with pytest.raises(Errors) as caught:
        list(processor.handleInputRows(('"c"',), iter(()), Timers()))
    assert [found.code for found in caught.value.diagnostics] == ["SEG0754"]


def test_the_page_shows_what_works(
    session: Any, tmp_path: Path, project: segdsl.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events").mkdir()
    news = [visit("c", "2026-03-01T10:00:00.000001Z"), {"at": "2026-03-05T00:00:00Z"}]
    (tmp_path / "events" / "0").write_text("".join(json.dumps(line) + "\n" for line in news) + "{bad\n")
    [shown, *_] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    # The session's folder is where the process began, and not where the test is.
    for name in ("events", "checkpoint", "changes"):
        shown = shown.replace(f'"{name}"', repr(str(tmp_path / name)))
    found: dict[str, Any] = {"spark": session}
    exec(shown, found)
    found["query"].processAllAvailable()
    found["query"].stop()
    rows = [json.loads(line) for path in tmp_path.glob("changes/*.json") for line in path.read_text().splitlines()]
    assert [row["line"] for row in rows if row["change"] == "refused"] == ["{bad"]
    [entered] = [row for row in rows if row["change"] == "entered"]
    assert (entered["contact"], entered["segment"]) == ("c", "quiet")
    assert at(entered) == at({"at": "2026-03-04T10:00:00.000001Z"})
