"""The stream with 100 segments: events a second on one core, as the history grows, and bytes a contact.

    python benchmarks/stream.py [EVENTS]

The peer is what one would write by hand for one segment of the same kind: a dictionary of deques. Lines come parsed, as
mappings; reading JSON is measured beside it.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
import tracemalloc
from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import data

import segdsl
from segdsl.catalog import load_text
from segdsl.core.time import DAY, from_datetime
from segdsl.pipeline import compile_files
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Line
from segdsl.stream.reading import parse, read
from segdsl.text.source import Source

CONTACTS = 20_000
SEGMENTS = 100
START = datetime(2026, 1, 1, tzinfo=UTC)


def rules() -> str:
    """Segments of two terms: counts of one page, and of a kind."""
    found = []
    for number in range(SEGMENTS):
        kind = ("mail", "cart", "buy")[number % 3]
        found.append(
            f'segment s{number}:\n    view "/p/{number}" >= {1 + number % 4} in {1 + number % 30}d '
            f"and not {kind} in {1 + number % 14}d\n"
        )
    return "".join(found)


def lines(count: int) -> Iterator[dict[str, object]]:
    """Events in the order of time, 100 a contact and month."""
    chance = random.Random(7)
    step = timedelta(days=30) / (CONTACTS * 100)
    for number in range(count):
        kind = chance.choices(["view", "cart", "buy", "mail"], [6, 2, 1, 1])[0]
        at = START + number * step
        yield {
            "contact": chance.randrange(CONTACTS), "event": kind, "at": at.isoformat(),
            "properties": {"path": f"/p/{chance.randrange(200)}"},
        }  # fmt: skip


def by_hand(events: list[Line]) -> int:
    """One segment: three views of one page in 30 days."""
    seen: dict[object, deque[int]] = defaultdict(deque)
    inside = 0
    for line in events:
        step = line.steps[0]
        if step.kind == "view" and step.properties.get("path") == "/p/1":  # type: ignore[union-attr]
            times = seen[line.contact]
            times.append(line.at)
            while times[0] <= line.at - 30 * DAY:
                times.popleft()
            inside += len(times) >= 3
    return inside


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    catalog, found = load_text(data.PROJECT, "segdsl.yml", data.folder())
    assert catalog is not None, found
    program = compile_files([Source("rules.seg", rules())], catalog).program
    assert program is not None
    texts = [json.dumps(line) for line in lines(count)]
    started = time.process_time()
    events = [read(parse(text), catalog) for text in texts]
    reading = time.process_time() - started
    print(f"reading lines: {count / reading:,.0f} events/s")
    taken = [event for event in events if isinstance(event, Line)]
    started = time.process_time()
    by_hand(taken)
    hand = time.process_time() - started
    print(f"one segment by hand: {count / hand:,.0f} events/s")
    gc.collect()
    stream = Evaluator(catalog, program)
    first = 0.0
    flips = 0
    tenth = max(count // 10, 1)
    for part in range(0, count, tenth):
        started = time.process_time()
        for line in taken[part : part + tenth]:
            flips += len(stream.push(line))
        spent = time.process_time() - started
        first = first or spent
        speed = f"{tenth / spent:>9,.0f} events/s  ({spent / first:.2f} x the first)"
        print(f"  {SEGMENTS} segments, events {part:>9,} on: {speed}")
    print(f"{flips:,} changes, {len(stream.people):,} contacts")
    del stream
    tracemalloc.start()
    stream = Evaluator(catalog, program)
    before = tracemalloc.get_traced_memory()[0]
    for line in taken[: count // 4]:
        stream.push(line)
    print(f"{(tracemalloc.get_traced_memory()[0] - before) / len(stream.people):,.0f} bytes a contact")


if __name__ == "__main__":
    assert segdsl and from_datetime
    main()
