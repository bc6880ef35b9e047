"""Who is in which segment, from line to line and from instant to instant.

At every instant the answer is that of the batch backends, at that instant, over the lines that have come so far. The
clock moves forward only, with the lines or by `advance`; what is dated later than the clock waits for it. News touches
the filters that count it and the terms that ask for it; where answers change by themselves they are looked at again
when they do: nothing is polled. Nothing here reads a clock or a file.

Where something is `touched`, a term stands there as its number n and a filter as ~n, which is negative.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from copy import copy
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.core.story import Happened
from segdsl.stream.lines import Alias, Effect, Flip, Gone, Line, Moved, Refused, Voided
from segdsl.stream.news import News
from segdsl.stream.person import Person
from segdsl.stream.routes import Routes
from segdsl.stream.terms import Latest, terms_of


class Evaluator:
    """All segments of a program, over all contacts that have come by. Instants are microseconds since 1970 (UTC).

    clock: the instant up to which everything is told; None before the first line.
    registered: whether only lines about contacts themselves make them known, as in a database, where events may be
      recorded of somebody who is in no table. A deletion takes no events then, and an alias nothing else.
    owners: other ids of contacts -> the contact.
    effects: what deletions and aliases do to lines that came before, in order; for the caller to read and to clear.
    """

    def __init__(self, catalog: Catalog, program: Program, registered: bool = False) -> None:
        self.catalog = catalog
        self.registered = registered
        self._terms = terms_of(program)
        self._routes = Routes(self._terms, catalog)
        self._news = News(catalog, self._routes)
        self._ticket = count()
        self._dependents: dict[int, tuple[int, ...]] = {}  # terms that flip, as bits -> segments
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
        self.owners: dict[str | int, str | int] = {}
        self.effects: list[Effect] = []
        self._left: list[Person] = []  # who was somebody else, and still has to leave what it is in
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
            timers, waiting = self._queues
            if ahead or (timers and timers[0][0] <= line.at) or (waiting and waiting[0][0] <= line.at):
                heappush(self._waiting, (line.at, next(self._ticket), self._owned(line)))
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
    def kinds(self) -> Collection[str]:
        """The kinds of events that some segment asks for."""
        return self._routes.kinds.keys()

    @property
    def waiting(self) -> int:
        """How many lines wait for the clock."""
        return len(self._waiting)

    def owner(self, line: Line) -> str | int:
        """Whose a line is, by the aliases that are known."""
        if self.registered and not line.happened:
            return line.contact
        return self.owners.get(line.contact, line.contact)

    def _owned(self, line: Line) -> Line:
        """The same line, about the contact whose it is."""
        owner = self.owner(line)
        return line if owner == line.contact else replace(line, contact=owner)

    def refusal(self, line: Line) -> str | None:
        """Why a line cannot be taken now, if it cannot: an id has one owner."""
        for step in line.steps:
            if isinstance(step, Alias):
                known = self.owners.get(step.name)
                if known not in (None, self.owner(line)):
                    return f"`{step.name}` is an alias of `{known}` already: an id has one owner"
        return None

    def register(self) -> tuple[list[str | int], list[Flip]]:
        """From now on every line makes its contact known. Forgets whom none has made known; their names.

        An alias that is a contact as well, as in a database it may be, is one no more; the changes by that.
        """
        known = {name for name, person in self.people.items() if person.known}
        waiting = [each for each in self._waiting if self.owner(each[2]) in known]
        unknown = self.people.keys() | {self.owner(line) for _, _, line in self._waiting}
        unknown -= known
        self.registered = False
        for name in unknown & self.people.keys():
            for alias in self.people.pop(name).names:
                self.owners.pop(alias, None)
        self._waiting[:] = waiting
        heapify(self._waiting)
        flips: list[Flip] = []
        for alias in [alias for alias in self.owners if alias in self.people]:
            person, touched = self.people[self.owners.pop(alias)], set[int]()
            person.names.remove(alias)
            self._join(person, alias, touched)
            flips += self._settle(person, touched)
        return list(unknown), flips

    @property
    def due(self) -> int | None:
        """The instant to which the clock is to be moved next, if no line does; None: nothing changes by itself."""
        return min((queue[0][0] for queue in self._queues if queue), default=None)

    def may_ask(self, line: Line) -> bool:
        """Whether a test may still ask for an event that was taken."""
        person, now = self.people.get(line.contact), self.clock
        return person is not None and now is not None and any(
            isinstance(step, Happened)
            and self._routes.may_ask(step.kind, (step.at if step.timed else 0, step.properties), now, person.latest)
            for step in line.steps
        )  # fmt: skip

    def restore(self, clock: int | None, lines: Iterable[Line]) -> None:
        """Begin where another evaluator stood: with the lines that it took, each contact's together and in order.

        Says nothing of who entered: ask `members`.
        """
        self.clock = clock
        nothing: set[int] = set()
        waiting: list[Line] = []
        last: Person | None = None
        for line in lines:
            if clock is None or line.at > clock:
                waiting.append(line)
                continue
            if last is not None and last.facts.id != line.contact:
                self._settle(last, nothing)
            last = self._take(line, nothing)
        if last is not None:
            self._settle(last, nothing)
        for line in sorted(waiting, key=lambda line: line.number):
            heappush(self._waiting, (line.at, next(self._ticket), line))

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
        assert self.clock is not None
        name = self.owner(line)
        refusal = self.refusal(line)
        if refusal is not None:
            self.effects.append(Refused(line, refusal))
            return self.people.get(name) or Person(name, known=False)
        person = self.people.get(name)
        if person is None:
            person = self.people[name] = Person(name, known=False)
        for step in line.steps:
            match step:
                case Gone():
                    return self._delete(person, line)
                case Alias():
                    self._join(person, step.name, touched)
        if not person.known and (line.registers or not self.registered):
            person.known = person.new = True
        self._news.take(person, line, self.clock, touched)
        return person

    def _delete(self, person: Person, line: Line) -> Person:
        assert self.clock is not None
        name = person.facts.id
        person.armed.clear()
        self.effects.append(Voided(name, self.clock, line.number, events=not self.registered))
        if self.registered:  # its events are still there
            self._news.forget_rest(person)
            person.answers, person.known = 0, False
            return person
        for alias in person.names:
            self.owners.pop(alias, None)
        gone = self.people[name] = Person(name, known=False)
        gone.inside = person.inside
        return gone

    def _join(self, person: Person, alias: str | int, touched: set[int]) -> None:
        """What was known of an alias is the contact's."""
        assert self.clock is not None
        if alias == person.facts.id or alias in self.owners:  # that was known
            return
        self.owners[alias] = person.facts.id
        person.names.append(alias)
        self.effects.append(Moved(alias, person.facts.id, self.registered))
        self._waiting[:] = [(at, ticket, self._owned(line)) for at, ticket, line in self._waiting]
        other = self.people.get(alias)
        if other is None:
            return
        self._news.join(person, other, self.clock, events=self.registered)
        touched.update(self._routes.all)
        if self.registered:
            self._news.forget_events(other)
        else:
            for name in other.names:
                self.owners[name] = person.facts.id
            person.names += other.names
            other.known = False
            other.armed.clear()
        self._left.append(other)

    # --- answers ----------------------------------------------------------------------------------------------

    def _settle(self, person: Person, touched: Iterable[int]) -> list[Flip]:
        """Answer the touched terms anew, and then the segments that ask for them; what changed, in their order."""
        assert self.clock is not None
        found: list[Flip] = []
        while self._left:
            found += self._settle(self._left.pop(), self._routes.all)
        name, before = person.facts.id, person.inside
        if person.stale:
            self._news.refresh(person)
        if self.people.get(name) is not person:  # deleted meanwhile
            return found
        if not person.known:
            if not self.registered or person.blank:
                del self.people[name]
            person.inside = 0
        elif person.new:
            person.new = False
            person.inside = self._blank
            filters = (~number for number in person.latest)
            self._reckon(person, self._answer(person, {*self._routes.asked, *filters}))
        else:
            self._reckon(person, self._answer(person, touched))
        changed = before ^ person.inside
        while changed:
            number = (changed & -changed).bit_length() - 1  # the lowest bit, and so the first segment
            changed &= changed - 1
            found.append(Flip(self.clock, self._terms.names[number], name, bool(person.inside >> number & 1)))
        return found

    def _reckon(self, person: Person, segments: Iterable[int]) -> None:
        """Who is in some segments, which come in the program's order: one may ask for those before it."""
        formulas, answers, inside = self._terms.formulas, person.answers, person.inside
        for number in segments:
            inside = inside & ~(1 << number) | formulas[number](answers, inside)
        person.inside = inside

    def _answer(self, person: Person, touched: Iterable[int]) -> list[int]:
        """Answer what is touched anew; the segments that this may change, in order."""
        now = self.clock
        assert now is not None
        affected: set[int] = set()
        for number in touched:
            # `again` is when an answer may change by itself.
            if number < 0:
                held, again = self._routes.filters[~number].answer(person.latest.get(~number, ()), now)
                flipped = (person.answers ^ held) & self._routes.filters[~number].mask
            else:
                if person.index is None:
                    person.index = self._routes.probe.compiled.index(person.facts)
                held = self._holds[number](person.index, now) << number
                watch = self._routes.watches.get(number)
                again = None if watch is None else watch(person.index, now)
                flipped = (person.answers ^ held) & 1 << number
            if flipped:
                person.answers ^= flipped
                affected.update(self._affected(flipped))
            if again is not None and again < person.armed.get(number, again + 1):
                person.armed[number] = again
                heappush(self._timers, (again, next(self._ticket), person, number))
        return sorted(affected)

    def _affected(self, flipped: int) -> tuple[int, ...]:
        """The segments that ask for any of some terms, which are bits."""
        found = self._dependents.get(flipped)
        if found is None:
            if len(self._dependents) > 10_000:  # of all that can be, few masks come up
                self._dependents.clear()
            found = tuple({
                segment for number, segments in enumerate(self._terms.dependents) if flipped >> number & 1
                for segment in segments
            })  # fmt: skip
            self._dependents[flipped] = found
        return found
