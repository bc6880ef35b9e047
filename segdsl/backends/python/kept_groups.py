"""The same as `kept_chains` for a sequence `with same …`: one of the groups has to have a chain.

Not every group is asked for each answer. An agenda has the instants at which something new is to be found out in some
group. Each fit found is a claim, and of all claims the one whose chain starts last decides: if its group does not bear
it out (what was to be absent came after all), it is void for good, and the next one is asked.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import heappop, heappush
from itertools import count
from threading import Lock
from typing import Any

from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.kept_chains import KeptChain, kept_chain
from segdsl.backends.python.runtime import BEGIN

Groups = dict[Any, dict[int, list[int]]]  # key -> source -> sorted instants


class KeptGroups:
    """What is known of one sequence's chains in each of its groups. Threads may ask together.

    groups: every group, with all its instants; taken over, and written to.
    """

    def __init__(self, plan: ChainPlan, groups: Groups) -> None:
        self._plan = plan
        self._groups = groups
        self._chains: dict[Any, KeptChain] = {}  # of the groups that have all steps
        self._due: dict[Any, int] = {}  # the instant at which a group stands on the agenda
        self._agenda: list[tuple[int, int, Any]] = []
        self._claims: list[tuple[int, int, Any]] = []  # the start of a fit, negative, and its group
        self._ticket = count()
        self._asked = BEGIN
        self._lock = Lock()
        for key in groups:
            self._complete(key)

    def add(self, source: int, key: Any, time: int) -> None:
        """One more instant of a group; late ones may come, too."""
        insort(self._groups.setdefault(key, {}).setdefault(source, []), time)
        chain = self._chains.get(key)
        if chain is None:
            self._complete(key)
            return
        chain.forget(time)
        self._schedule(key, time)

    def remove(self, source: int, key: Any, time: int) -> None:
        """One instant of a group less. What was void by it may be borne out again."""
        instants = self._groups[key][source]
        del instants[bisect_left(instants, time)]
        chain = self._chains.get(key)
        if chain is None:
            if not instants:
                del self._groups[key][source]
            return
        chain.forget(time)
        for start in chain.starts(chain.fits - 1):
            heappush(self._claims, (-start, next(self._ticket), key))
        self._schedule(key, time)

    def holds(self, now: int, lo: int, hi: int) -> bool:
        """Whether some group has a chain in (lo, hi] that fits at `now`; hi <= now."""
        with self._lock:
            while self._agenda and self._agenda[0][0] <= now:
                self._look(*heappop(self._agenda), now)
            asked, self._asked = self._asked, max(now, self._asked)
            if now < asked or hi < now:  # what is claimed may not be so yet
                return any(chain.holds(self._groups[key], now, lo, hi) for key, chain in self._chains.items())
            while self._claims and -self._claims[0][0] > lo:
                start, _, key = self._claims[0]
                if self._chains[key].holds(self._groups[key], now, -start - 1, now):
                    return True
                heappop(self._claims)
            return False

    def _complete(self, key: Any) -> None:
        """Begins with a group that has all steps."""
        times = self._groups[key]
        if all(step in times for step in self._plan.steps):
            self._groups[key] = {source: times.get(source, []) for source in self._plan.sources}
            self._chains[key] = kept_chain(self._plan, BEGIN)
            self._schedule(key, max(times[step][0] for step in self._plan.steps))

    def _look(self, instant: int, _: int, key: Any, now: int) -> None:
        """Finds out what is new in a group; the later of two entries on the agenda counts for nothing."""
        if self._due.get(key) != instant:
            return
        del self._due[key]
        chain, times = self._chains[key], self._groups[key]
        known = chain.fits
        chain.extend(times, now)
        for start in chain.starts(known):
            heappush(self._claims, (-start, next(self._ticket), key))
        following = chain.following(times)
        if following is not None:
            self._schedule(key, following)

    def _schedule(self, key: Any, instant: int) -> None:
        if instant < self._due.get(key, instant + 1):
            self._due[key] = instant
            heappush(self._agenda, (instant, next(self._ticket), key))
