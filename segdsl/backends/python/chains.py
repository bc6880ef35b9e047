"""Sequences over one contact's instants (language reference, section 7), without trying chains one by one.

Instants of a step that some chain reaches are found step by step. Of an instant's predecessors the latest one
serves best for the gap, for what is forbidden between, for `all within` and for `without`; only a final wait that
ends at the first instant + total also wants early starts. That case rests on this: the later an instant, the later
is the last one that may follow it, so two chains that cross can swap their ends; hence the starts that reach an end
are all those, among the starts that reach some end at all, between the earliest and the latest that reach it.

`find` gives a chain, out of nothing but the instants. `kept_chains` says whether there is one, again and again while
instants keep coming.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from segdsl.backends.python.runtime import BEGIN

Times = Sequence[int]


@dataclass(frozen=True)
class ChainPlan:
    """A chain's bounds in microseconds, and the slots (or, with `grouped`, columns of groups) that hold its instants.

    steps, forbidden: for each step its events, and what must not lie before it (None: nothing).
    waits: for each final wait what is forbidden, and its length.
    """

    steps: tuple[int, ...]
    forbidden: tuple[int | None, ...]
    gaps: tuple[int | None, ...]
    waits: tuple[tuple[int, int | None], ...]
    total: int | None
    without: int | None
    place: Literal["between", "ever"] | int
    grouped: bool

    @cached_property
    def sources(self) -> tuple[int, ...]:
        """Every slot or column that the chain looks at, each once."""
        every = (*self.steps, *self.forbidden, *(source for source, _ in self.waits), self.without)
        return tuple(dict.fromkeys(source for source in every if source is not None))

    @property
    def from_start(self) -> bool:
        """Whether a final wait ends so long after the first instant, not after the last."""
        return self.total is not None and bool(self.waits)


def find(plan: ChainPlan, times: Mapping[int, Times], now: int, lo: int, hi: int) -> tuple[int, ...] | None:
    """The instants of some chain, one a step, in (lo, hi]; None if there is none.

    times: for each source of the plan its sorted instants; later ones than `now` are not looked at.
    """
    without = times[plan.without] if plan.without is not None else ()
    if plan.place == "ever" and without and without[0] <= now:
        return None
    starts = _between(times[plan.steps[0]], lo, hi)
    if isinstance(plan.place, int):
        starts = [t for t in starts if may_start(plan, without, t)]
    reached: list[Times] = [starts]
    latest: Times = starts  # for each instant reached, the latest start of a chain to it
    for step in range(1, len(plan.steps)):
        instants: list[int] = []
        begun: list[int] = []
        before = reached[-1]
        forbidden = forbidden_before(plan, times, step)
        for t in _between(times[plan.steps[step]], lo, hi):
            at = bisect_left(before, t) - 1
            if at >= 0 and before[at] >= earliest_before(plan, forbidden, step, t):
                instants.append(t)
                begun.append(latest[at])
        reached.append(instants)
        latest = begun
        if not instants:
            return None
    waits = [(times[source], length) for source, length in plan.waits]
    if plan.from_start:
        return _until_total(plan, times, waits, reached, latest, without, now)
    bounded = plan.total is not None or bool(without)
    for end, start in zip(reached[-1], latest, strict=True):
        if bounded and not holds_together(plan, without, start, end):
            continue
        if all(_waited(instants, end, now if length is None else end + length, now) for instants, length in waits):
            return _path(plan, times, reached, start, end)
    return None


def _until_total(
    plan: ChainPlan, times: Mapping[int, Times], waits: Sequence[tuple[Times, int | None]],
    reached: list[Times], latest: Times, without: Times, now: int,
) -> tuple[int, ...] | None:  # fmt: skip
    """`… then not X all within D`: nothing in (end, start + D], and start + D <= now."""
    assert plan.total is not None
    earliest: Times = reached[0]
    for step in range(1, len(plan.steps)):
        forbidden = forbidden_before(plan, times, step)
        firsts = (bisect_left(reached[step - 1], earliest_before(plan, forbidden, step, t)) for t in reached[step])
        earliest = [earliest[at] for at in firsts]
    starts = _alive(plan, times, reached)[0]
    for end, first, last in zip(reached[-1], earliest, latest, strict=True):
        low, high = max(first, end - plan.total), min(last, now - plan.total)
        if plan.place == "between":
            at = bisect_left(without, end)
            low = max(low, without[at - 1]) if at else low
        for instants, _ in waits:
            unwanted = next_after(instants, end)
            high = high if unwanted is None else min(high, unwanted - plan.total - 1)
        at = bisect_right(starts, high) - 1
        if at >= 0 and starts[at] >= low:
            return _path(plan, times, reached, starts[at], end)
    return None


def _path(plan: ChainPlan, times: Mapping[int, Times], reached: list[Times], start: int, end: int) -> tuple[int, ...]:
    """The instants of a chain from a start to an end that it reaches."""
    alive = _alive(plan, times, [*reached[:-1], [end]])
    path = [start]
    for step in range(1, len(plan.steps)):
        path.append(alive[step][bisect_right(alive[step], path[-1])])
    return tuple(path)


def _alive(plan: ChainPlan, times: Mapping[int, Times], reached: list[Times]) -> list[Times]:
    """Of the instants reached, those from which the last step is reached."""
    alive = [reached[-1]]
    for step in range(len(plan.steps) - 1, 0, -1):
        forbidden, following = forbidden_before(plan, times, step), alive[0]
        kept = []
        for t in reached[step - 1]:
            after = next_after(following, t)
            if after is not None and t >= earliest_before(plan, forbidden, step, after):
                kept.append(t)
        alive.insert(0, kept)
    return alive


# --- what one step, one pair of ends, or one wait asks --------------------------------------------------------


def may_start(plan: ChainPlan, without: Times, t: int) -> bool:
    """Whether nothing that is unwanted lies so long before a first instant `t`."""
    return not isinstance(plan.place, int) or not any_in(without, t - plan.place - 1, t - 1)


def forbidden_before(plan: ChainPlan, times: Mapping[int, Times], step: int) -> Times:
    """What must not lie between a step and the one before."""
    source = plan.forbidden[step]
    return times[source] if source is not None else ()


def earliest_before(plan: ChainPlan, forbidden: Times, step: int, t: int) -> int:
    """The earliest instant at which the step before may lie if this one lies at `t`."""
    gap = plan.gaps[step]
    earliest = BEGIN if gap is None else t - gap
    at = bisect_left(forbidden, t)
    return max(earliest, forbidden[at - 1]) if at else earliest


def holds_together(plan: ChainPlan, without: Times, start: int, end: int) -> bool:
    """Whether a chain may begin and end so, as far as `all within` and `without` are asked."""
    if plan.total is not None and end - start > plan.total:
        return False
    return plan.place != "between" or not any_in(without, start, end - 1)


def _waited(forbidden: Times, t: int, until: int, now: int) -> bool:
    return until <= now and not any_in(forbidden, t, until)


def any_in(times: Times, lo: int, hi: int) -> bool:
    """Whether some instant lies in (lo, hi]."""
    at = bisect_right(times, lo)
    return at < len(times) and times[at] <= hi


def next_after(times: Times, t: int) -> int | None:
    """The first instant that is later; None if there is none."""
    at = bisect_right(times, t)
    return times[at] if at < len(times) else None


def _between(times: Times, lo: int, hi: int) -> list[int]:
    """The instants in (lo, hi], each once."""
    found = times[bisect_right(times, lo) : bisect_right(times, hi)]
    return list(dict.fromkeys(found))
