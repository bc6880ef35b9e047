"""Measures over windows that move on, against the same worked out from the events."""

from __future__ import annotations

import os
from bisect import bisect_left, insort
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segdsl.backends.python import compile_program, index
from segdsl.backends.python.runtime import BEGIN, END
from segdsl.backends.python.sliding import SlidePlan
from segdsl.catalog import load_text
from segdsl.core.contact import Facts
from segdsl.core.nodes import Events, Measure, Property
from segdsl.core.time import EVER
from segdsl.types import INT
from tests.support.world import program_of
from tests.test_sequences import CATALOG, NOW, SECOND, START, sequence, until_total

CASES = int(os.environ.get("SEGDSL_CASES", "1800"))
COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize="CI" in os.environ)

KEY = (Property("n", INT),)
MEASURES = [
    partial(Measure, "distinct"),
    partial(Measure, "count", same=KEY),
    partial(Measure, "count", same=KEY, within=3),
    partial(Measure, "count", same=KEY, within=7),
    partial(Measure, "count", within=1),
    partial(Measure, "count", within=4),
    partial(Measure, "min"),
    partial(Measure, "max"),
    partial(Measure, "percentile", rank=(1, 2)),
    partial(Measure, "percentile", rank=(99, 100)),
    partial(Measure, "percentile", rank=(1, 100)),
]
PLANS = [SlidePlan(measure(events=Events((), EVER)), 0, True) for measure in MEASURES]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), st.integers(0, 4)),
        st.tuples(st.just("remove"), st.integers(0, 30), st.integers(0, 30)),
        st.tuples(st.just("ask"), st.integers(0, 32), st.integers(-1, 12)),
    ),
    max_size=40,
)


@settings(COMMON, max_examples=CASES // 2)
@given(st.sampled_from(PLANS), steps, st.booleans())
def test_a_window_that_moves_measures_what_it_holds(
    plan: SlidePlan, steps: list[tuple[str, int, int]], in_order: bool
) -> None:
    """In order, each instant is so much later than the one before; otherwise everything comes and is asked anyhow."""
    times, values, slide, clock = [END], list[Any](), plan.slide(), 0
    for what, instant, other in steps:
        clock = clock + instant % 4 if in_order else instant
        if what == "add":
            at = bisect_left(times, clock + 1)
            times.insert(at, clock)
            values.insert(at, other)
            slide.inserted(times, values, at)
        elif what == "remove":
            if values:
                slide.going(times, values, other % len(values))
                del times[other % len(values)], values[other % len(values)]
        else:
            lo = BEGIN if other < 0 else clock - other
            assert slide.over(times, values, lo, clock) == plan.plain(times, values, lo, clock), (times, values)


class Number(int):
    """A value that counts how often it is compared, hashed or looked at."""

    looks = 0

    def __lt__(self, other: int) -> bool:
        Number.looks += 1
        return int(self) < other

    def __gt__(self, other: int) -> bool:
        return int(self) > other  # the search for a window's ends

    def __ge__(self, other: int) -> bool:
        Number.looks += 1
        return int(self) >= other

    def __le__(self, other: int) -> bool:
        Number.looks += 1
        return int(self) <= other

    def __hash__(self) -> int:
        Number.looks += 1
        return int(self)

    def __eq__(self, other: object) -> bool:
        Number.looks += 1
        return int(self) == other


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.measure.kind)
@pytest.mark.parametrize("width", [None, 0.5])
def test_an_answer_looks_at_what_came_and_what_went(plan: SlidePlan, width: float | None) -> None:
    def looks(count: int) -> int:
        times, values, slide = [END], list[Any](), plan.slide()
        Number.looks = 0
        for t in range(count):
            times.insert(t, Number(t))
            values.append(Number(t * 7919 % count))
            slide.inserted(times, values, t)
            slide.over(times, values, BEGIN if width is None else int(t - width * count), t)
        return Number.looks

    assert 400 <= looks(1600) < 6 * looks(400)


measured = st.sampled_from([
    "distinct(what of a{}) >= 2", "a >= 2 with same what{}", "a >= 3 within 2s with same what{}", "a >= 2 within 1s{}",
    "any event >= 3 within 3s{}", "max(n of a{}) > 2", "min(n of a{}) < 1", "median(n of b{}) >= 2",
    "sum(n of a{}) > 4", "percentile(75, n of b{}) > 1", "last(what of a{}) = \"x\"", "first(n of b{}) > 1",
    "avg(n of a{}) > 1", "last(state of a{}) = \"new\"", "distinct(day of a{}) > 1",
    "any of (a, b) >= 2 with same what, n{}",
])  # fmt: skip
measures = st.tuples(measured, st.sampled_from(["", " in 5s", " in 9s", " more than 2s ago"])).map(
    lambda both: both[0].format(both[1])
)
rows = st.lists(
    st.tuples(
        st.integers(0, 14), st.sampled_from("abc"), st.sampled_from([None, "x", "x", "y"]),
        st.sampled_from([None, 0, 1, 2, 3]), st.sampled_from(["new", "old"]), st.sampled_from([None, None, 0, 1, 5]),
    ),
    max_size=14,
)  # fmt: skip
WITH_NUMBERS = CATALOG.replace("{what: string}", "{what: string, n: int, state: {enum: [old, new]}}")


@pytest.fixture
def keeps_all() -> Iterator[None]:
    """However few events there are, what can be kept of them is."""
    few, index.FEW = index.FEW, 0
    yield
    index.FEW = few


@settings(COMMON, max_examples=CASES // 12)
@given(
    st.lists(st.one_of(sequence(), until_total(), measures), min_size=5, max_size=5), rows, st.booleans(), st.booleans()
)
def test_an_index_that_grows_answers_as_a_new_one(
    keeps_all: None, rules: list[str], log: list[Any], late: bool, twice: bool
) -> None:
    catalog, found = load_text(WITH_NUMBERS, "segdsl.yml", Path())
    assert catalog is not None, found
    program = program_of("".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(rules)), catalog)
    compiled = compile_program(program)
    known: dict[str, list[Any]] = {kind: [] for kind in "abc"}
    growing = compiled.index(Facts("p", {}, {kind: [] for kind in "abc"}))
    for second, kind, what, n, state, gone in log if late else sorted(log, key=lambda row: row[0]):
        row = (
            START + second * SECOND,
            {k: v for k, v in (("what", what), ("n", n), ("state", state)) if v is not None},
        )
        insort(known[kind], row, key=lambda each: each[0])
        growing.add(kind, row)
        if gone is not None:  # one that was there turns out not to have happened
            growing.remove(kind, known[kind].pop(-1 - gone % len(known[kind])))
        for now in (row[0], row[0] - 1, row[0] + 1, NOW)[: 4 if twice else 1]:
            for name in program.segments:
                predicate = compiled.predicate(name)
                assert predicate(growing, now) == predicate(Facts("p", {}, known), now), (rules, log, name, now)
