"""The stays of one contact in a segment, by asking the rule again wherever its answer may change.

Nothing happens between two such instants: events, changes of attributes, and the edges of windows getting to one of
them (`analysis.outlook.watching`). Predicates look no further than now, so one index of the whole contact serves
throughout; only where the exact search has to tell the next instant, which looks ahead, does the contact grow with
time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from segdsl.analysis.outlook.next_change import flips
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.analysis.outlook.probe import Probe
from segdsl.analysis.outlook.watching import by_edges
from segdsl.backends.python.index import Index
from segdsl.core import nodes as core
from segdsl.core.contact import Facts, Row
from segdsl.core.program import Program
from segdsl.core.walking import branches_of

Stay = tuple[int, int | None]  # from when until when, in microseconds since 1970 (UTC); None: still in at the end


class Replay:
    """One segment of a program, made once for all contacts.

    kinds: the events that it asks for, by the catalog's keys.
    """

    def __init__(self, program: Program, segment: str) -> None:
        self._rule = program.segments[segment].rule
        self._probe = Probe(program, [self._rule])
        self.kinds = self._probe.kinds
        self._holds = self._probe.holds(self._rule)
        self._watch = by_edges(self._probe.nodes, self._probe)
        branches = branches_of(self._probe.nodes)
        self._happen = {branch.kind for branch in branches}
        self._held = {node.key for node in self._probe.nodes if isinstance(node, core.Held)}
        self._held |= {key for kind in self._happen if (key := core.changed_attribute(kind)) is not None}

    def stays(self, facts: Facts, since: int, until: int) -> Iterator[Stay]:
        """When a contact was in, between two instants that both count, in order. Facts may hold later events.

        A stay that begins at `since` may have begun before; one without an end lasts at `until`.
        """
        entered: int | None = None
        for now, inside in self._answers(facts, since, until):
            if inside and entered is None:
                entered = now
            elif not inside and entered is not None:
                yield entered, now
                entered = None
        if entered is not None:
            yield entered, None

    def _answers(self, facts: Facts, since: int, until: int) -> Iterator[tuple[int, bool]]:
        """The answers at `since` and wherever they may change until `until`."""
        instants = self._instants(facts, since, until)
        grown = _Grown(self._probe, facts) if self._watch is None else None
        whole = self._probe.compiled.index(facts)
        position, now = 0, since
        while True:
            index = whole if grown is None else grown.until(now)
            yield now, self._holds(index, now)
            again = self._again(index, now)
            while position < len(instants) and instants[position] <= now:
                position += 1
            following = [again] if again is not None else []
            following += instants[position : position + 1]
            now = min(following, default=until + 1)
            if now > until:
                return

    def _again(self, index: Index, now: int) -> int | None:
        """When to ask again with nothing new happening."""
        if self._watch is not None:
            return self._watch(index, now)
        return flips(Outlook(self._probe, index, now), self._rule)

    def _instants(self, facts: Facts, since: int, until: int) -> list[int]:
        """When something happens to a contact after `since` and until `until`, sorted."""
        found = {at for kind in self._happen for at, _ in facts.events.get(kind, ()) if since < at <= until}
        found |= {at for key in self._held for at, _ in facts.history.get(key, ()) if since < at <= until}
        return sorted(found)


class _Grown:
    """A contact as it was known at one instant after the other, each no earlier than the one before."""

    def __init__(self, probe: Probe, facts: Facts) -> None:
        timed: list[tuple[str, Row]] = []
        timeless: dict[str, list[Row]] = {}
        for kind, rows in facts.events.items():
            if kind not in probe.kinds and core.changed_attribute(kind) is None:
                continue
            if kind in probe.timeless:
                timeless[kind] = list(rows)
            else:
                timed += [(kind, row) for row in rows]
        timed.sort(key=lambda each: each[1][0])
        self._events = timed
        self._changes = {key: list(rows) for key, rows in facts.history.items()}
        self._history: dict[str, list[tuple[int, object]]] = {key: [] for key in self._changes}
        begun: dict[str, list[Row]] = {kind: [] for kind, _ in timed} | timeless
        begun |= {core.changes_of(key): [] for key in self._changes}
        self._index: Index = probe.compiled.index(Facts(facts.id, facts.attributes, begun, facts.lists, self._history))
        self._position = 0

    def until(self, now: int) -> Index:
        """What is known at an instant; it is good until the next one is asked for."""
        while self._position < len(self._events) and self._events[self._position][1][0] <= now:
            self._index.add(*self._events[self._position])
            self._position += 1
        for key, rows in self._changes.items():
            have = self._history[key]
            have += rows[len(have) : bisect_right(rows, now, key=itemgetter(0))]
        return self._index
