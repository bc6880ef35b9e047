"""Who is in which segment, from line to line and from instant to instant.

At every instant the answer is that of the batch backends, at that instant, over the lines that have come so far. The
clock moves forward only, with the lines or by `advance`; what is dated later than the clock waits for it. News touches
the terms that ask for it, and terms whose answers change by themselves are looked at again when they do: nothing is
polled. Nothing here reads a clock or a file.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from copy import copy
from heapq import heappop, heappush
from itertools import count
from operator import itemgetter
from typing import Any

from segdsl.backends.python.index import Row
from segdsl.catalog.model import Catalog
from segdsl.contact import delivery_order
from segdsl.core import nodes as core
from segdsl.core.contact import change_events, changes
from segdsl.core.program import Program
from segdsl.core.story import Given, Happened, Listed
from segdsl.core.time import FIRST
from segdsl.stream.lines import Flip, Gone, Line
from segdsl.stream.person import Person
from segdsl.stream.routes import Routes
from segdsl.stream.terms import Latest, terms_of
from segdsl.types import Type


class Evaluator:
    """All segments of a program, over all contacts that have come by.

    clock: the instant up to which everything is told, in microseconds since 1970 (UTC); None before the first line.
    voided: the deletions that took effect, each with the instant at which; for the caller to read and to clear.
    """

    def __init__(self, catalog: Catalog, program: Program) -> None:
        self.catalog = catalog
        self._terms = terms_of(program)
        self._routes = Routes(self._terms, catalog)
        self._ticket = count()
        self._empty()
        blank = Person("")
        self._reckon(blank, range(len(self._terms.names)))
        self._blank = blank.inside  # who a contact is of whom nothing holds
        probe = self._routes.probe
        self._holds = {
            number: probe.holds(term.rule)
            for number, term in enumerate(self._terms.terms) if not isinstance(term, Latest)
        }  # fmt: skip

    def _empty(self) -> None:
        self.clock: int | None = None
        self.people: dict[str | int, Person] = {}
        self.voided: list[tuple[Line, int]] = []
        self._timers: list[tuple[int, int, Person, int]] = []
        self._waiting: list[tuple[int, int, Line]] = []
        self._queues: tuple[list[Any], list[Any]] = (self._timers, self._waiting)  # each with its next instant first

    def another(self) -> Evaluator:
        """One of the same rules that knows nobody yet; what was compiled is shared."""
        twin = copy(self)
        twin._empty()
        return twin

    # --- from outside -----------------------------------------------------------------------------------------

    def push(self, line: Line, limit: int | None = None) -> list[Flip]:
        """Take a line, and move the clock to its instant if that is ahead; the changes, in the order of time.

        limit: an instant that lines do not move the clock beyond: later ones wait for `advance`.
        """
        if self.clock is None or line.at > self.clock:
            ahead = limit is not None and line.at > limit
            if ahead or any(queue and queue[0][0] <= line.at for queue in self._queues):
                heappush(self._waiting, (line.at, next(self._ticket), line))
                return [] if ahead else self.advance(line.at)
            self.clock = line.at
        touched: set[int] = set()
        return self._settle(self._take(line, touched), touched)

    def advance(self, to: int) -> list[Flip]:
        """Move the clock to an instant, if that is ahead; the changes until then, in the order of time."""
        found: list[Flip] = []
        while due := [queue[0][0] for queue in self._queues if queue and queue[0][0] <= to]:
            self.clock = min(due)
            found += self._tick(self.clock)
        self.clock = to if self.clock is None else max(to, self.clock)
        return found

    def release(self, limit: int) -> list[Flip]:
        """Take the lines that wait for an instant up to a limit; the changes, in the order of time."""
        ready = [at for at, _, _ in self._waiting if at <= limit]
        return self.advance(max(ready)) if ready else []

    @property
    def waiting(self) -> int:
        """How many lines wait for the clock."""
        return len(self._waiting)

    @property
    def due(self) -> int | None:
        """The instant to which the clock is to be moved next, if no line does; None: nothing changes by itself."""
        return min((queue[0][0] for queue in self._queues if queue), default=None)

    def asks(self, line: Line) -> bool:
        """Whether a test may still ask for an event that was taken."""
        person, now = self.people.get(line.contact), self.clock
        return person is not None and now is not None and any(
            isinstance(step, Happened)
            and self._routes.ask(step.kind, (step.at if step.timed else 0, step.properties), now, person.latest)
            for step in line.steps
        )  # fmt: skip

    def restore(self, clock: int, lines: Iterable[Line]) -> None:
        """Begin where another evaluator stood: with the lines that it took, each contact's together and in order.

        Says nothing of who entered: ask `members`.
        """
        self.clock = clock
        nothing: set[int] = set()
        last: Person | None = None
        for line in lines:
            if line.at > clock:
                heappush(self._waiting, (line.at, next(self._ticket), line))
                continue
            if last is not None and last.facts.id != line.contact:
                self._settle(last, nothing)
            last = self._take(line, nothing)
        if last is not None:
            self._settle(last, nothing)

    def members(self) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact)`: who is in at the clock, each contact's segments in the program's order."""
        for name, person in self.people.items():
            for number, segment in enumerate(self._terms.names):
                if person.inside >> number & 1:
                    yield segment, name

    # --- the clock --------------------------------------------------------------------------------------------

    def _tick(self, now: int) -> list[Flip]:
        """Everything that is due at one instant: all its lines first, so that what holds is told after the last."""
        touched: dict[Person, set[int]] = {}
        while self._waiting and self._waiting[0][0] <= now:
            line = heappop(self._waiting)[2]
            terms: set[int] = set()
            touched.setdefault(self._take(line, terms), set()).update(terms)
        while self._timers and self._timers[0][0] <= now:
            instant, _, person, number = heappop(self._timers)
            if person.armed.get(number) == instant:
                del person.armed[number]
                touched.setdefault(person, set()).add(number)
        return [flip for person, terms in touched.items() for flip in self._settle(person, terms)]

    # --- news -------------------------------------------------------------------------------------------------

    def _take(self, line: Line, touched: set[int]) -> Person:
        """What a line says, all of it in the past by now; adds the terms that it touches."""
        person = self.people.get(line.contact)
        if person is None:
            person = self.people[line.contact] = Person(line.contact)
        for step in line.steps:
            if isinstance(step, Gone):
                person.armed.clear()
                gone, person = person, Person(line.contact)
                person.inside, person.known = gone.inside, False
                self.people[line.contact] = person
                assert self.clock is not None
                self.voided.append((line, self.clock))
                continue
            person.known = True
            match step:
                case Happened():
                    row = (step.at if step.timed else 0, step.properties)
                    self._happened(person, step.kind, row, line.id, touched)
                case Given():
                    self._given(person, step, touched)
                case Listed():
                    self._listed(person, step, touched)
        return person

    def _happened(self, person: Person, kind: str, row: Row, id: str | int | None, touched: set[int]) -> None:
        routes = self._routes.kinds.get(kind)
        if routes is None:
            return
        if id is not None and kind in self._routes.identified:
            rows = person.delivered.setdefault(kind, {})
            other = rows.get(id)
            if other is not None:
                declared = self.catalog.events[kind]
                if delivery_order(row, declared) >= delivery_order(other, declared):
                    return
                self._take_back(person, kind, other, touched)
            rows[id] = row
        if kind in self._routes.kept:
            self._keep(person, kind, row)
        for route in routes.of(*row):
            touched.update(route.terms)
            for number in route.filters:
                kept = self._routes.filters[number]
                if kept.mask & ~person.answers:  # of those that hold, one more event makes none fail
                    touched.update(term for term in kept.terms if not person.answers >> term & 1)
                times = person.latest.setdefault(number, [])
                insort(times, row[0])
                if len(times) > kept.most:
                    del times[0]

    def _keep(self, person: Person, kind: str, row: Row) -> None:
        """Keep an event, unless no test will ask for it; forget what is asked for no more, when that is half of all."""
        assert self.clock is not None
        forgotten = self._routes.forgotten(kind, self.clock)
        if forgotten is not None:
            rows = person.events.get(kind, [])
            if rows and rows[len(rows) // 2][0] <= forgotten:
                del rows[: bisect_right(rows, forgotten, key=itemgetter(0))]
                person.index = None
            if row[0] <= forgotten:
                return
        if person.index is None:
            insort(person.events.setdefault(kind, []), row, key=itemgetter(0))
        else:
            person.index.add(kind, row)

    def _take_back(self, person: Person, kind: str, row: Row, touched: set[int]) -> None:
        """An event did not happen then: count again without it."""
        person.events[kind] = [other for other in person.events[kind] if other is not row]
        person.index = None
        for route in self._routes.kinds[kind].of(*row):
            touched.update(route.terms)
            for number in route.filters:
                kept = self._routes.filters[number]
                touched.update(kept.terms)
                tests = [(branch.kind, self._routes.tests[branch].test) for branch in kept.branches]
                times = [
                    other[0] for each, test in tests for other in person.events.get(each, ())
                    if test is None or test(None, 0, (), *other)
                ]  # fmt: skip
                person.latest[number] = sorted(times)[-kept.most :]

    def _given(self, person: Person, given: Given, touched: set[int]) -> None:
        match given.of:
            case core.Held(key=key, type=type):
                self._held(person, key, type, (given.at, given.value))
                touched.update(self._routes.attributes.get((None, key), ()))
                return
            case core.Attribute(key=key, relation=relation):
                if person.set_at.get((relation, key), FIRST) > given.at:  # what is known is newer
                    return
                person.set_at[relation, key] = given.at
                person.attributes[relation, key] = given.value
                terms = self._routes.attributes.get((relation, key), ())
        person.index = None
        touched.update(terms)

    def _held(self, person: Person, key: str, type: Type, row: tuple[int, object]) -> None:
        """A value from an instant on: most come in their order, and change nothing before them."""
        rows, history = person.held.setdefault(key, []), person.history.setdefault(key, [])
        kind = core.changes_of(key)
        in_order = not rows or row[0] > rows[-1][0]
        insort(rows, row, key=itemgetter(0))
        if not in_order:
            person.history[key] = changes(rows, type)
            person.events[kind] = change_events(person.history[key])
            person.index = None
            return
        before = history[-1][1] if history else None
        if row[1] != before:
            history.append(row)
            change = (row[0], {"from": before, "to": row[1]})
            if person.index is None:
                person.events.setdefault(kind, []).append(change)
            else:
                person.index.add(kind, change)

    def _listed(self, person: Person, listed: Listed, touched: set[int]) -> None:
        if person.set_at.get(listed.name, FIRST) > listed.at:
            return
        person.set_at[listed.name] = listed.at
        lists = person.facts.lists
        person.facts.lists = lists | {listed.name} if listed.member else lists - {listed.name}
        person.index = None
        touched.update(self._routes.lists.get(listed.name, ()))

    # --- answers ----------------------------------------------------------------------------------------------

    def _settle(self, person: Person, touched: Iterable[int]) -> list[Flip]:
        """Answer the touched terms anew, and then the segments that ask for them; what changed, in their order."""
        assert self.clock is not None
        name, before = person.facts.id, person.inside
        if self.people.get(name) is not person:  # deleted meanwhile
            return []
        if not person.known:
            del self.people[name]
            person.inside = 0
        elif person.new:
            person.new = False
            person.inside = self._blank
            counted = (term for number in person.latest for term in self._routes.filters[number].terms)
            self._reckon(person, self._answer(person, {*self._routes.asked, *counted}))
        else:
            self._reckon(person, self._answer(person, touched))
        changed, inside = before ^ person.inside, person.inside
        if not changed:
            return []
        return [
            Flip(self.clock, segment, name, bool(inside >> number & 1))
            for number, segment in enumerate(self._terms.names) if changed >> number & 1
        ]  # fmt: skip

    def _reckon(self, person: Person, segments: Iterable[int]) -> None:
        """Who is in some segments, which come in the program's order: one may ask for those before it."""
        formulas = self._terms.formulas
        for number in segments:
            if bool(formulas[number](person.answers, person.inside)) != bool(person.inside >> number & 1):
                person.inside ^= 1 << number

    def _answer(self, person: Person, touched: Iterable[int]) -> list[int]:
        """Answer some terms; the segments that this may change, in order."""
        now = self.clock
        assert now is not None
        affected: set[int] = set()
        for number in touched:
            term = self._terms.terms[number]
            # `again` is when its answer may change by itself.
            if isinstance(term, Latest):
                held, again = term.answer(person.latest[self._routes.filter_of[number]], now)
            else:
                if person.index is None:
                    person.index = self._routes.probe.compiled.index(person.facts)
                held = self._holds[number](person.index, now)
                watch = self._routes.watches.get(number)
                again = None if watch is None else watch(person.index, now)
            if held != bool(person.answers >> number & 1):
                person.answers ^= 1 << number
                affected.update(self._terms.dependents[number])
            if again is not None and again < person.armed.get(number, again + 1):
                person.armed[number] = again
                heappush(self._timers, (again, next(self._ticket), person, number))
        return sorted(affected)
