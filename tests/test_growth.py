"""What is asked again at each event of one contact must not cost the more the more events there were."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from segdsl.catalog import load_text
from segdsl.core.contact import Facts
from segdsl.core.story import Happened
from segdsl.core.time import MICROSECONDS, isoformat
from segdsl.history.replay import Replay
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Line
from segdsl.stream.reading import read
from tests.support.world import program_of

HOUR = MICROSECONDS["h"]
KIND = "{{table: log, contact: id, time: at, where: {{kind: {0}}}, object: what, properties: {{what: string, n: int}}}}"
CATALOG = f"""\
version: 1
contacts:
  table: people
  key: id
  attributes: {{quota: int, tier: {{type: string, history: {{table: tiers, contact: id, time: at, value: tier}}}}}}
events: {{a: {KIND.format("a")}, b: {KIND.format("b")}, c: {KIND.format("c")}, deal: {KIND.format("deal")}}}
""".replace("deal: {table: log, contact: id,", "deal: {table: log, contact: id, id: number,")
RULES = [
    "a then b then c", "a then not c then b within 30min", "a then b all within 3h without c", "a then not c",
    "a without c within 1d before", "a then b then not c within 1d", "a then b then not c all within 1d",
    "a then b then c in 2d", "a then b with same what", "a then b then not c with same what",
    "a then b then not c within 1d with same what in 2d", "a then b more than 1d ago", "a >= 3 in 1d",
    "a >= 3 with same what", "a >= 9 within 1h", "a >= 9 within 1h with same what in 2d", "distinct(what of a) >= 900",
    "distinct(what of a in 2d) >= 900", "max(n of a) > 99", "min(n of a in 2d) < 0", "median(n of a) > 99",
    "sum(n of a) > 900000", "avg(n of a in 2d) > 99", 'last(what of a) = "p"', "a in at least 3 of last 4 days",
    "a >= 3 within 2d after last(b)", "first(a) < last(b)", "count(a) > count(b) * 2",
]  # fmt: skip
CHANGES = ['tier changed to "x" in 2d', 'tier was "x" 1d ago', 'tier = "x" and a then c', "a then b and quota > 3"]


def lines_run(run: Callable[[], object]) -> int:
    """How many lines of segdsl's Python run."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "segdsl" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def events(count: int) -> list[tuple[str, int, dict[str, object]]]:
    chance, at = random.Random(1), 1_700_000_000_000_000
    found: list[tuple[str, int, dict[str, object]]] = []
    for _ in range(count):
        at += chance.randrange(1, HOUR)
        what = f"p{chance.randrange(count // 4)}"
        found.append((chance.choices("abc", [5, 3, 1])[0], at, {"what": what, "n": chance.randrange(100)}))
    return found


def streamed(rule: str, lines: list[Line]) -> int:
    """The lines that run while a stream takes some news."""
    catalog, found = load_text(CATALOG, "segdsl.yml", Path())
    assert catalog is not None, found
    stream = Evaluator(catalog, program_of(f"segment s:\n    {rule}\n", catalog))
    return lines_run(lambda: [stream.push(line) for line in lines])


def replayed(rule: str, count: int) -> int:
    catalog, _ = load_text(CATALOG, "segdsl.yml", Path())
    assert catalog is not None
    replay = Replay(program_of(f"segment s:\n    {rule}\n", catalog), "s")
    log = events(count)
    facts = Facts("p", {}, {kind: [(at, of) for each, at, of in log if each == kind] for kind in "abc"})
    return lines_run(lambda: list(replay.stays(facts, log[0][1], log[-1][1])))


def news(count: int) -> list[Line]:
    return [Line(at, "p", (Happened(at, kind, of),), number=i) for i, (kind, at, of) in enumerate(events(count))]


def linear(cost: Callable[[int], int]) -> None:
    few, many = cost(250), cost(1000)
    assert 250 < few < many < 8 * few  # the square were 16


@pytest.mark.parametrize("rule", RULES)
def test_a_stream_pays_for_what_is_new(rule: str) -> None:
    linear(lambda count: streamed(rule, news(count)))


@pytest.mark.parametrize("rule", RULES)
def test_a_replay_pays_for_what_is_new(rule: str) -> None:
    linear(lambda count: replayed(rule, count))


@pytest.mark.parametrize("rule", RULES)
def test_events_that_come_a_little_late_are_no_dearer(rule: str) -> None:
    def cost(count: int) -> int:
        chance = random.Random(2)
        return streamed(rule, sorted(news(count), key=lambda line: line.at + chance.randrange(4 * HOUR)))

    linear(cost)


@pytest.mark.parametrize("rule", CHANGES)
@pytest.mark.parametrize("late", [0, 5 * HOUR])
def test_attributes_that_are_set_are_no_dearer(rule: str, late: int) -> None:
    catalog, _ = load_text(CATALOG, "segdsl.yml", Path())
    assert catalog is not None
    known = catalog

    def cost(count: int) -> int:
        chance = random.Random(3)
        lines: list[Line] = []
        for line in news(count):
            at = isoformat(line.at - chance.randrange(late + 1))
            told = read({"contact": "p", "at": at, "set": {"tier": chance.choice("xyz"), "quota": 3}}, known)
            assert isinstance(told, Line)
            lines += [line, told]
        return streamed(rule, lines)

    linear(cost)


def test_deliveries_that_come_again_are_no_dearer() -> None:
    def cost(count: int) -> int:
        lines: list[Line] = []
        for number, line in enumerate(news(count)):
            for late in (0, HOUR):  # the second delivery happened earlier, and so it is the one that counts
                deal = Happened(line.at - late, "deal", {"n": number})
                lines.append(Line(line.at, "p", (deal,), id=str(number)))
        return streamed("deal then deal then a or sum(n of deal) > 900000 or deal >= 2 in 1d", lines)

    linear(cost)
