"""The stream with 100 segments: events a second on one core, as the history grows, and on two; bytes a contact.

    python benchmarks/stream.py [EVENTS]

The peer is what one would write by hand for one segment of the same kind: a dictionary of deques. Lines come parsed, as
mappings; reading JSON is measured beside it.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import random
import sys
import time
import tracemalloc
from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import data

from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.time import DAY
from segdsl.pipeline import compile_files
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Line
from segdsl.stream.reading import parse, read
from segdsl.text.source import Source

CONTACTS = 20_000
SEGMENTS = 100
PROCESSES = 2
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


def compiled() -> tuple[Catalog, Program]:
    catalog, found = load_text(data.PROJECT, "segdsl.yml", data.folder())
    assert catalog is not None, found
    program = compile_files([Source("rules.seg", rules())], catalog).program
    assert program is not None
    return catalog, program


def read_all(catalog: Catalog, count: int) -> list[Line]:
    texts = [json.dumps(line) for line in lines(count)]
    started = time.process_time()
    events = [read(parse(text), catalog) for text in texts]
    reading = time.process_time() - started
    print(f"reading lines: {count / reading:,.0f} events/s")
    return [event for event in events if isinstance(event, Line)]


def growing(stream: Evaluator, taken: list[Line]) -> None:
    """Whether an event costs the same, however much came before it."""
    first = 0.0
    flips = 0
    tenth = max(len(taken) // 10, 1)
    for part in range(0, len(taken), tenth):
        started = time.process_time()
        for line in taken[part : part + tenth]:
            flips += len(stream.push(line))
        spent = time.process_time() - started
        first = first or spent
        speed = f"{tenth / spent:>9,.0f} events/s  ({spent / first:.2f} x the first)"
        print(f"  {SEGMENTS} segments, events {part:>9,} on: {speed}")
    print(f"{flips:,} changes, {len(stream.people):,} contacts")


def share(stream: Evaluator, taken: list[Line], number: int, ready: Barrier, told: Queue[float]) -> None:
    """One process's part of the contacts; they need nothing of one another."""
    mine = [line for line in taken if hash(line.contact) % PROCESSES == number]
    ready.wait()
    started = time.perf_counter()
    for line in mine:
        stream.push(line)
    told.put(time.perf_counter() - started)


def spread(stream: Evaluator, taken: list[Line]) -> None:
    """Contacts shared out to processes, by the clock: from when all begin until the last one is done."""
    context = multiprocessing.get_context("fork")
    ready, told = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=share, args=(stream.another(), taken, number, ready, told))
        for number in range(PROCESSES)
    ]  # fmt: skip
    for process in processes:
        process.start()
    slowest = max(told.get() for _ in processes)
    for process in processes:
        process.join()
    print(f"{PROCESSES} processes, a part of the contacts each: {len(taken) / slowest:,.0f} events/s by the clock")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    catalog, program = compiled()
    taken = read_all(catalog, count)
    started = time.process_time()
    by_hand(taken)
    hand = time.process_time() - started
    print(f"one segment by hand: {count / hand:,.0f} events/s")
    gc.collect()
    growing(Evaluator(catalog, program), taken)
    gc.collect()
    spread(Evaluator(catalog, program), taken)
    tracemalloc.start()
    stream = Evaluator(catalog, program)
    before = tracemalloc.get_traced_memory()[0]
    for line in taken[: count // 4]:
        stream.push(line)
    print(f"{(tracemalloc.get_traced_memory()[0] - before) / len(stream.people):,.0f} bytes a contact")


if __name__ == "__main__":
    main()
