"""What is kept of sequences while events come, against the plain search, which keeps nothing."""

from __future__ import annotations

import os
from bisect import insort
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segdsl.backends.python.chains import ChainPlan, find
from segdsl.backends.python.kept_chains import kept_chain
from segdsl.backends.python.kept_groups import KeptGroups

CASES = int(os.environ.get("SEGDSL_CASES", "1800"))
COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize="CI" in os.environ)
BEGIN = -(2**63)
SOURCES = range(4)
LAST = 24  # instants are so small that ties and edges that meet are common

lengths = st.sampled_from([1, 2, 3, 5, 8])
sources = st.sampled_from(SOURCES)
maybe = st.one_of(st.none(), lengths)


@st.composite
def plans(draw: st.DrawFn, grouped: bool = False) -> ChainPlan:
    """Every shape of sequence, those that the language does not allow together, too."""
    count = draw(st.integers(1, 4))
    forbidden = draw(st.lists(st.one_of(st.none(), sources), min_size=count - 1, max_size=count - 1))
    gaps = draw(st.lists(maybe, min_size=count - 1, max_size=count - 1))
    place: Literal["between", "ever"] | int = draw(st.one_of(st.sampled_from(["between", "ever"]), lengths))  # type: ignore[arg-type]
    total = draw(maybe)
    return ChainPlan(
        steps=tuple(draw(st.lists(sources, min_size=count, max_size=count))),
        forbidden=(None, *forbidden),
        gaps=(None, *gaps),
        waits=tuple(draw(st.lists(st.tuples(sources, st.none() if total else maybe), max_size=2))),
        total=total,
        without=draw(st.one_of(st.none(), sources)),
        place=place,
        grouped=grouped,
    )


instants = st.integers(0, LAST)
added = st.tuples(st.just("add"), sources, instants, st.sampled_from("xyz"))
gone = st.tuples(st.just("remove"), sources, st.integers(0, 30), st.sampled_from("xyz"))
asked = st.tuples(st.just("ask"), instants, st.integers(-1, 12), st.sampled_from([0, 0, 0, 1, 4]))
Step = tuple[str, int, int, object]


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """Events and questions: some in the order of time, as streams have them, and some in none."""
    steps: list[Step] = draw(st.lists(st.one_of(added, added, asked, asked, gone), max_size=40))  # type: ignore[arg-type]
    if draw(st.booleans()):
        late = draw(st.sets(st.integers(0, 40), max_size=3))
        clock = 0
        for at, (what, *rest) in enumerate(steps):
            if what == "remove":
                continue
            instant, other = (rest[1], rest[0]) if what == "add" else (rest[0], rest[1])
            clock += instant % 3
            instant = instant if at in late else clock
            steps[at] = (what, other, instant, rest[2]) if what == "add" else (what, instant, other, rest[2])  # type: ignore[assignment]
    return steps


def window(now: int, length: int, back: int) -> tuple[int, int, int]:
    """now, lo, hi of a question; a length of -1 is a window without a beginning, one of 0 holds nothing."""
    return now, BEGIN if length < 0 else now - back - length, now - back


@settings(COMMON, max_examples=CASES // 2)
@given(plans(), st.lists(st.tuples(sources, instants), max_size=12), stories())
def test_a_kept_chain_answers_as_the_search_does(
    plan: ChainPlan, known: list[tuple[int, int]], steps: list[Step]
) -> None:
    times: dict[int, list[int]] = {source: [] for source in SOURCES}
    for source, t in known:
        insort(times[source], t)
    kept = None
    for what, first, second, third in steps:
        if what == "remove":
            if times[first]:
                t = times[first].pop(second % len(times[first]))
                if kept is not None:
                    kept.forget(t)
            continue
        if what == "add":
            insort(times[first], second)
            if kept is not None and first in plan.sources:
                kept.forget(second)
            continue
        assert isinstance(third, int)
        now, lo, hi = window(first, second, third)
        kept = kept or kept_chain(plan, lo)
        assert kept.holds(times, now, lo, hi) == (find(plan, times, now, lo, hi) is not None), (now, lo, hi, times)


@settings(COMMON, max_examples=CASES // 2)
@given(plans(grouped=True), st.lists(st.tuples(sources, instants, st.sampled_from("xyz")), max_size=12), stories())
def test_kept_groups_answer_as_the_search_in_each_does(
    plan: ChainPlan, known: list[tuple[int, int, str]], steps: list[Step]
) -> None:
    groups: dict[object, dict[int, list[int]]] = {key: {source: [] for source in SOURCES} for key in "xyz"}
    begun: dict[object, dict[int, list[int]]] = {}
    for source, t, key in known:
        insort(groups[key][source], t)
        if source in plan.sources:
            insort(begun.setdefault(key, {}).setdefault(source, []), t)
    kept = KeptGroups(plan, begun)
    for what, first, second, third in steps:
        if what == "remove":
            if groups[third][first]:
                t = groups[third][first].pop(second % len(groups[third][first]))
                if first in plan.sources:
                    kept.remove(first, third, t)
            continue
        if what == "add":
            insort(groups[third][first], second)
            if first in plan.sources:
                kept.add(first, third, second)
            continue
        assert isinstance(third, int)
        now, lo, hi = window(first, second, third)
        expected = any(find(plan, times, now, lo, hi) is not None for times in groups.values())
        assert kept.holds(now, lo, hi) == expected, (now, lo, hi, groups)


def test_threads_may_ask_together() -> None:
    plan = ChainPlan((0, 1), (None, 2), (None, 5), ((3, 4),), None, None, "between", False)
    times = {source: list(range(source, 4000, 7 + 3 * source)) for source in SOURCES}
    asked = [(now, now - 24, now - back) for now in range(4100, 0, -50) for back in (0, 10)]
    expected = [find(plan, times, *each) is not None for each in asked]
    assert {*expected} == {True, False}
    kept = kept_chain(plan, BEGIN)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda each: kept.holds(times, *each), asked)) == expected


class Counted(list[int]):
    """Instants that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        Counted.looks += 1
        return super().__getitem__(at)


@pytest.mark.parametrize(
    "plan",
    [
        ChainPlan((0, 1), (None, None), (None, None), (), None, None, "between", False),
        ChainPlan((0, 1, 0), (None, 2, None), (None, 9, None), (), 40, 3, "between", False),
        ChainPlan((0, 1), (None, None), (None, None), ((2, 50),), None, None, "between", False),
        ChainPlan((0, 1), (None, None), (None, None), ((2, None),), 50, None, "between", False),
        ChainPlan((0,), (None,), (None,), ((2, None),), None, 3, 5, False),
    ],
)
def test_an_answer_looks_at_what_is_new(plan: ChainPlan) -> None:
    """Four times the instants are four times the work, whichever instant is asked about."""

    def looks(count: int) -> int:
        times = {source: Counted() for source in SOURCES}
        kept = kept_chain(plan, BEGIN)
        Counted.looks = 0
        for t in range(count):
            times[t * 7 % 4].append(t)
            kept.forget(t)
            kept.holds(times, t, BEGIN, t)
        return Counted.looks

    assert looks(4000) < 6 * looks(1000)
