"""`segdsl.spark.follow` in this process's Spark against the embedded evaluator over the same lines, with ten segments.

    python benchmarks/spark_stream.py [EVENTS] [CONTACTS]

Spark takes the lines in batches of one file, in two partitions, and goes through its state once for each contact and
batch. So the figure to look at beside events a second is contacts and batches a second.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyspark.sql import SparkSession

import segdsl
from segdsl.engines.spark import own_python
from segdsl.spark import PROVIDER, ROCKSDB, follow

BATCHES = 4
START = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = """\
version: 1
contacts: {table: contacts, key: id}
events:
  view: {table: views, contact: contact, time: at, object: path, properties: {path: string}}
  buy: {table: buys, contact: contact, time: at}
"""
RULES = "".join(
    f'segment s{number}:\n    view "/p/{number}" >= {1 + number % 3} in {1 + number}d and not buy in {2 + number}d\n'
    for number in range(10)
)


def lines(events: int, contacts: int) -> list[dict[str, object]]:
    """Events in the order of time, over thirty days."""
    chance = random.Random(7)
    step = timedelta(days=30) / events
    return [
        {"contact": chance.randrange(contacts), "event": "buy" if chance.random() < 0.1 else "view",
         "at": (START + number * step).isoformat(), "properties": {"path": f"/p/{chance.randrange(20)}"}}
        for number in range(events)
    ]  # fmt: skip


def by_spark(folder: Path, project: segdsl.Project) -> tuple[float, int]:
    """Seconds, and how many changes were told."""
    own_python()
    settings = {
        PROVIDER: ROCKSDB, "spark.sql.shuffle.partitions": "2", "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder / "scratch"),
    }  # fmt: skip
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    told = 0

    def count(frame: object, batch: int) -> None:
        nonlocal told
        told += frame.count()  # type: ignore[attr-defined]

    news = session.readStream.option("maxFilesPerTrigger", 1).text(str(folder / "in"))
    writer = follow(news, project).writeStream.foreachBatch(count)
    writer = writer.option("checkpointLocation", str(folder / "checkpoint")).trigger(availableNow=True)
    started = time.perf_counter()
    writer.start().awaitTermination()
    spent = time.perf_counter() - started
    session.stop()
    return spent, told


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    contacts = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    made = lines(events, contacts)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "segdsl.yml").write_text(PROJECT)
        (folder / "segments").mkdir()
        (folder / "segments" / "rules.seg").write_text(RULES)
        project = segdsl.load(folder)
        stream = project.follow()
        started = time.perf_counter()
        flips = sum(len(stream.push(line)) for line in made)
        alone = time.perf_counter() - started
        (folder / "in").mkdir()
        size = -(-events // BATCHES)
        for number in range(BATCHES):
            file = folder / "in" / f"{number}.jsonl"
            file.write_text("".join(json.dumps(line) + "\n" for line in made[number * size : (number + 1) * size]))
            os.utime(file, (START.timestamp() + number,) * 2)  # Spark takes files by their age
        spent, told = by_spark(folder, project)
    print(f"embedded: {events / alone:,.0f} events/s, {flips:,} changes")
    print(f"Spark, {BATCHES} batches: {events / spent:,.0f} events/s, {contacts * BATCHES / spent:,.0f} contacts and"
          f" batches/s, {told:,} changes; {spent / alone:,.0f} x the embedded one's time")  # fmt: skip


if __name__ == "__main__":
    main()
