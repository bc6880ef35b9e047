"""Whether a sequence has a chain, asked at many instants of one contact whose events keep coming.

`chains.find` walks over all instants for each answer. Here what it finds out on its way is kept: whether a chain
reaches an instant is told by earlier instants alone, so later ones change nothing in it, and only what is new since
the last answer is walked over. An instant that comes late takes back what lies at and behind it.

Nothing that is kept depends on the window. Of the chains to one end the one that starts last is the one that fits, if
any does; when all its waits are over, that is told for good, and first and last instant are noted as a *fit*. From one
fit to the next neither of the two goes back, so of the fits that may count the last one alone decides: no other starts
later, to lie in the window, or ends later, to lie behind what is forbidden up to now.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from threading import Lock

from segdsl.backends.python.chains import (
    ChainPlan,
    Times,
    any_in,
    earliest_before,
    forbidden_before,
    holds_together,
    may_start,
    next_after,
)
from segdsl.backends.python.runtime import BEGIN

Instants = Mapping[int, Times]  # for each source of a plan its sorted instants


def kept_chain(plan: ChainPlan, begin: int) -> KeptChain:
    """What is kept of a sequence, of which nothing is known yet; of its instants those after `begin` will count."""
    return _KeptFromStart(plan, begin) if plan.from_start else KeptChain(plan, begin)


class KeptChain:
    """What is known of one sequence's chains among the instants after `begin`, up to `until`.

    Who asks hands in the same arrays each time, grown, and says with `forget` what came into them. Threads may ask
    together.
    """

    __slots__ = ("_begin", "_ends", "_latest", "_lock", "_plan", "_reached", "_settled", "_starts", "_until", "_wait")

    def __init__(self, plan: ChainPlan, begin: int) -> None:
        self._plan = plan
        self._begin = self._until = begin
        # For each step the instants that are reached, and for each of these the latest start of a chain to it.
        self._reached: list[list[int]] = [[] for _ in plan.steps]
        self._latest: list[list[int]] = [self._reached[0], *([] for _ in plan.steps[1:])]
        self._wait = max((length for _, length in plan.waits if length is not None), default=0)
        self._settled = 0  # the last steps' instants, so many of them, of which it is told whether they fit
        # The fits: their first and their last instants.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._lock = Lock()

    def holds(self, times: Instants, now: int, lo: int, hi: int) -> bool:
        """Whether some chain lies in (lo, hi] and fits at `now`; hi <= now."""
        if lo >= hi:
            return False
        plan = self._plan
        without = times[plan.without] if plan.without is not None else ()
        if plan.place == "ever" and without and without[0] <= now:
            return False
        with self._lock:
            if lo < self._begin:  # once at most: no instant lies before all of time
                self._begin = BEGIN
                self._cut(self._begin)
            self.extend(times, now)
            at = self._last(now, hi)
            if at < 0 or self._starts[at] <= lo:
                return False
            end = self._ends[at]
        return plan.from_start or not any(
            any_in(times[source], end, now) for source, length in plan.waits if length is None
        )

    def forget(self, since: int) -> None:
        """Takes back what is known of an instant and of all later ones, among which one has come or gone."""
        if since <= self._until:
            self._cut(max(since - 1, self._begin))

    def extend(self, times: Instants, until: int) -> None:
        """Finds out what there is to know up to an instant."""
        if until <= self._until:
            return
        plan = self._plan
        without = times[plan.without] if plan.without is not None else ()
        for t in _each(times[plan.steps[0]], self._until, until):
            if may_start(plan, without, t):
                self._reached[0].append(t)
        for step in range(1, len(plan.steps)):
            before = self._reached[step - 1]
            forbidden = forbidden_before(plan, times, step)
            for t in _each(times[plan.steps[step]], self._until, until):
                bound = earliest_before(plan, forbidden, step, t)
                at = bisect_left(before, t) - 1
                if at >= 0 and before[at] >= bound:
                    self._reach(step, t, at, bound)
        self._until = until
        self._settle(times, without)

    def following(self, times: Instants) -> int | None:
        """The next instant that `extend` will find something new at, or may; None if there is none yet."""
        nexts = [found for source in self._plan.steps if (found := next_after(times[source], self._until)) is not None]
        pending = self._pending()
        return min(nexts if pending is None else [*nexts, pending], default=None)

    def starts(self, position: int) -> list[int]:
        """The first instants of the fits from a position on."""
        return self._starts[position:]

    @property
    def fits(self) -> int:
        """How many fits are known."""
        return len(self._ends)

    # --- how the two kinds of waits differ -----------------------------------------------------------------------

    def _reach(self, step: int, t: int, at: int, bound: int) -> None:
        """Notes that chains get to `t`; the last of them by instant `at` of the step before, the first from `bound`."""
        self._reached[step].append(t)
        self._latest[step].append(self._latest[step - 1][at])

    def _settle(self, times: Instants, without: Times) -> None:
        """Notes the ends whose waits are over, if they fit."""
        plan, ends, latest = self._plan, self._reached[-1], self._latest[-1]
        waits = [(times[source], length) for source, length in plan.waits if length is not None]
        while self._settled < len(ends) and ends[self._settled] + self._wait <= self._until:
            start, end = latest[self._settled], ends[self._settled]
            self._settled += 1
            if holds_together(plan, without, start, end) and not any(
                any_in(forbidden, end, end + length) for forbidden, length in waits
            ):
                self._starts.append(start)
                self._ends.append(end)

    def _last(self, now: int, hi: int) -> int:
        """The position of the last fit that may count; -1 if there is none."""
        return bisect_right(self._ends, min(hi, now - self._wait)) - 1

    def _pending(self) -> int | None:
        """When the next wait is over."""
        ends = self._reached[-1]
        return ends[self._settled] + self._wait if self._settled < len(ends) else None

    def _cut(self, until: int) -> None:
        """Takes back what is known of all that is later."""
        self._until = until
        for instants, latest in zip(self._reached, self._latest, strict=True):
            first = bisect_right(instants, until)
            del instants[first:]
            del latest[first:]
        self._unsettle(until)

    def _unsettle(self, until: int) -> None:
        """Takes back what was noted of ends whose waits are over later."""
        self._settled = bisect_right(self._reached[-1], until - self._wait)
        first = bisect_right(self._ends, until - self._wait)
        del self._starts[first:]
        del self._ends[first:]


class _KeptFromStart(KeptChain):
    """`… then not X all within D`: the wait is over at the first instant + D, so a start is what fits or not.

    The ends that a start gets to are those between the earliest and the latest of them (see `chains`); of those that
    fit, the earliest is noted.
    """

    __slots__ = ("_alive", "_earliest", "_marked", "_total")

    def __init__(self, plan: ChainPlan, begin: int) -> None:
        super().__init__(plan, begin)
        assert plan.total is not None
        self._total = plan.total
        # For each instant that is reached, the earliest start of a chain to it.
        self._earliest: list[list[int]] = [self._reached[0], *([] for _ in plan.steps[1:])]
        # For each step the instants from which the last step is reached; `_marked`: so many ends have seen to that.
        self._alive: list[list[int]] = [*([] for _ in plan.steps[1:]), self._reached[-1]]
        self._marked = 0

    def _reach(self, step: int, t: int, at: int, bound: int) -> None:
        super()._reach(step, t, at, bound)
        self._earliest[step].append(self._earliest[step - 1][bisect_left(self._reached[step - 1], bound)])

    def _settle(self, times: Instants, without: Times) -> None:
        self._mark(times)
        starts = self._alive[0]
        while self._settled < len(starts) and starts[self._settled] + self._total <= self._until:
            start = starts[self._settled]
            self._settled += 1
            end = self._first_end(times, without, start)
            if end is not None:
                self._starts.append(start)
                self._ends.append(end)

    def _mark(self, times: Instants) -> None:
        """Notes what reaches the new ends, step by step back: of the step before always a range, and ranges go on."""
        known = self._marked
        self._marked = len(self._reached[-1])
        for step in range(len(self._plan.steps) - 1, 0, -1):
            alive, before, found = self._alive[step], self._reached[step - 1], self._alive[step - 1]
            forbidden = forbidden_before(self._plan, times, step)
            looked_at = bisect_left(before, alive[known - 1]) if known else 0
            new, known = alive[known:], len(found)
            for t in new:
                first = bisect_left(before, earliest_before(self._plan, forbidden, step, t))
                last = bisect_left(before, t)
                found += before[max(first, looked_at) : last]
                looked_at = last

    def _first_end(self, times: Instants, without: Times, start: int) -> int | None:
        """The earliest end with nothing forbidden between it and start + D; None if there is none."""
        until, ends = start + self._total, self._reached[-1]
        lowest = start
        for source, _ in self._plan.waits:
            at = bisect_right(times[source], until)
            lowest = max(lowest, times[source][at - 1]) if at else lowest
        highest = until
        if self._plan.place == "between":
            after = next_after(without, start)
            highest = until if after is None else min(until, after)
        first = max(bisect_left(self._latest[-1], start), bisect_left(ends, lowest))
        last = min(bisect_right(self._earliest[-1], start), bisect_right(ends, highest))
        return ends[first] if first < last else None

    def _last(self, now: int, hi: int) -> int:
        return min(bisect_right(self._ends, hi), bisect_right(self._starts, now - self._total)) - 1

    def _pending(self) -> int | None:
        starts = self._alive[0]
        return starts[self._settled] + self._total if self._settled < len(starts) else None

    def _unsettle(self, until: int) -> None:
        self._marked = min(self._marked, len(self._reached[-1]))
        for reached, earliest in zip(self._reached, self._earliest, strict=True):
            del earliest[len(reached) :]
        for following, alive in zip(self._alive[:0:-1], self._alive[-2::-1], strict=True):
            del alive[bisect_left(alive, following[-1]) if following else 0 :]
        self._settled = bisect_right(self._alive[0], until - self._total)
        first = bisect_right(self._starts, until - self._total)
        del self._starts[first:]
        del self._ends[first:]


def _each(times: Times, lo: int, hi: int) -> Iterator[int]:
    """The instants in (lo, hi], each once."""
    at = bisect_right(times, lo)
    while at < len(times) and times[at] <= hi:
        t = times[at]
        yield t
        at += 1
        if at < len(times) and times[at] == t:
            at = bisect_right(times, t, at)
