"""One contact with a long history: what a rule costs that is asked again at each event, as the history grows.

    python benchmarks/growing.py [SMALL] [LARGE]

By the stream's evaluator, a line at a time, and by the replay that tells histories. The peer is the same with fewer
events: costs that grow with events alone are as many times as large, those that grow with their square that squared.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from segdsl.catalog import load_text
from segdsl.core.contact import Facts
from segdsl.core.story import Happened
from segdsl.core.time import MICROSECONDS
from segdsl.history.replay import Replay
from segdsl.pipeline import compile_files
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Line
from segdsl.text.source import Source

PROPERTIES = "properties: {path: string, number: int}"
PROJECT = "version: 1\ncontacts: {table: people, key: id}\nevents:\n" + "".join(
    f"  {kind}: {{table: log, contact: id, time: at, where: {{kind: {kind}}}, object: path, {PROPERTIES}}}\n"
    for kind in ("view", "cart", "buy")
)
RULES = [
    "view then cart then buy",
    "view then not buy then cart within 30min",
    "view then cart all within 3h without buy",
    "view without buy within 1d before",
    "cart then not buy within 1d in 30d",
    "cart then not buy",
    "view then cart then not buy all within 1d",
    "view then cart then buy in 30d",
    "view then cart with same path",
    "view then cart then not buy with same path",
    "view >= 9 within 1h",
    "view >= 9 within 3h with same path in 30d",
    "view >= 30 with same path",
    "distinct(path of view in 30d) >= 300",
    "max(number of view) > 99",
    "median(number of view) > 60",
    "sum(number of view in 30d) > 30000",
    'last(path of view) = "/p/3"',
    "view in at least 3 of last 4 weeks",
    "view >= 3 within 7d after first(buy)",
    "view this month",
]


def events(count: int) -> list[tuple[str, int, dict[str, object]]]:
    """One event in half an hour, about; of each path there are ten, however many there are."""
    chance, at = random.Random(1), 1_700_000_000_000_000
    found: list[tuple[str, int, dict[str, object]]] = []
    for _ in range(count):
        at += chance.randrange(1, MICROSECONDS["h"])
        kind = chance.choices(["view", "cart", "buy"], [5, 3, 1])[0]
        found.append((kind, at, {"path": f"/p/{chance.randrange(count // 10)}", "number": chance.randrange(100)}))
    return found


def streamed(rule: str, count: int) -> float:
    """Processor seconds of the stream."""
    catalog, program = _compiled(rule)
    stream = Evaluator(catalog, program)
    lines = [Line(at, "c", (Happened(at, kind, of),), number=i) for i, (kind, at, of) in enumerate(events(count))]
    started = time.process_time()
    for line in lines:
        stream.push(line)
    return time.process_time() - started


def replayed(rule: str, count: int) -> float:
    """Processor seconds of a replay of all the time."""
    replay = Replay(_compiled(rule)[1], "rule")
    log = events(count)
    kinds: dict[str, list[tuple[int, dict[str, object]]]] = {kind: [] for kind, _, _ in log}
    for kind, at, of in log:
        kinds[kind].append((at, of))
    started = time.process_time()
    for _ in replay.stays(Facts("c", {}, kinds), log[0][1] - 1, log[-1][1] + 30 * MICROSECONDS["d"]):
        pass
    return time.process_time() - started


def _compiled(rule: str):  # type: ignore[no-untyped-def]
    catalog, found = load_text(PROJECT, "segdsl.yml", Path())
    assert catalog is not None, found
    program = compile_files([Source("rules.seg", f"segment rule:\n    {rule}\n")], catalog).program
    assert program is not None, rule
    return catalog, program


def main() -> None:
    small, large = (int(each) for each in (sys.argv[1:] + ["2000", "16000"][len(sys.argv) - 1 :]))
    print(f"processor seconds at {small:,} and {large:,} events, which are {large / small:.1f} x as many")
    for rule in RULES:
        for what, measured in (("stream", streamed), ("replay", replayed)):
            few, many = measured(rule, small), measured(rule, large)
            print(f"{rule:<44} {what}  {few:7.3f} s  {many:8.3f} s   {many / few:6.1f} x", flush=True)


if __name__ == "__main__":
    main()
