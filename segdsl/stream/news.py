"""What news changes in what is known of one contact, and which terms that touches. Answers nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from itertools import islice
from operator import itemgetter

from segdsl.backends.python.columns import Row
from segdsl.catalog.model import Catalog
from segdsl.contact import delivery_order
from segdsl.core import nodes as core
from segdsl.core.contact import change_events, changes
from segdsl.core.story import Given, Happened, Listed
from segdsl.stream.lines import Line, Whole
from segdsl.stream.person import Person
from segdsl.stream.routes import Routes
from segdsl.types import Type

FIRST = (-(2**63), 0)  # before all that is known


class News:
    """Writes news into contacts, for a catalog and the terms of a program."""

    def __init__(self, catalog: Catalog, routes: Routes) -> None:
        self._catalog = catalog
        self._routes = routes

    def take(self, person: Person, line: Line, clock: int, touched: set[int]) -> None:
        """What a line says of a contact, all of it in the past of the clock; adds the terms that it touches."""
        for step in line.steps:
            match step:
                case Happened():
                    row = (step.at if step.timed else 0, step.properties)
                    self._happened(person, step.kind, row, line.id, clock, touched)
                case Given():
                    self._given(person, step, line.number, touched)
                case Listed():
                    self._listed(person, step.name, step.member, (step.at, line.number), touched)
                case Whole():
                    self._whole(person, step, line.number, touched)

    def join(self, person: Person, other: Person, clock: int, events: bool) -> None:
        """All that is known of another contact is this one's from now on; `events`: its events with a time alone.

        Of attributes and lists what was said last holds. Every term is to be answered anew.
        """
        person.index = other.index = None
        nothing: set[int] = set()
        timed = {kind: rows for kind, rows in other.events.items() if self._is_timed(kind)}
        delivered = {kind: rows for kind, rows in other.delivered.items() if kind in timed}
        for kind, rows in timed.items():
            told = {id(row) for row in delivered.get(kind, {}).values()}
            for row in rows:
                if id(row) not in told:
                    insort(person.events.setdefault(kind, []), row, key=itemgetter(0))
        for number, kept in enumerate(self._routes.filters):
            if not self._whole_filter(number):
                both = [*person.latest.get(number, ()), *other.latest.get(number, ())]
                person.latest[number] = sorted(both)[-kept.most :]
        for kind, deliveries in delivered.items():
            for name, row in deliveries.items():
                self._happened(person, kind, row, name, clock, nothing)
        if not events:
            self._join_rest(person, other, nothing)
        self._count_again(person, range(len(self._routes.filters)))

    def forget(self, person: Person) -> None:
        """A contact's events with a time are another's: it keeps all else."""
        rest = Person(person.facts.id)
        rest.events |= {kind: rows for kind, rows in person.events.items() if not self._is_timed(kind)}
        rest.attributes |= person.attributes
        rest.history |= person.history
        rest.held |= person.held
        rest.set_at |= person.set_at
        rest.facts.lists = person.facts.lists
        for name in ("attributes", "events", "history", "held", "set_at", "facts"):
            setattr(person, name, getattr(rest, name))
        person.delivered, person.latest, person.index = {}, {}, None
        self._count_again(person, range(len(self._routes.filters)))

    def _join_rest(self, person: Person, other: Person, touched: set[int]) -> None:
        for name, value in other.attributes.items():
            self._set(person, name, value, other.set_at[name])
        for listed, said in other.set_at.items():
            if isinstance(listed, str):
                self._listed(person, listed, listed in other.facts.lists, said, touched)
        for key, rows in other.held.items():
            for row in rows:
                self._held(person, key, self._catalog.attributes[key].type, row)
        for kind, deals in other.events.items():
            if kind in self._catalog.events and not self._is_timed(kind):
                person.events.setdefault(kind, []).extend(deals)

    def _is_timed(self, kind: str) -> bool:
        declared = self._catalog.events.get(kind)
        return declared is not None and declared.time is not None

    # --- events -----------------------------------------------------------------------------------------------

    def _happened(
        self, person: Person, kind: str, row: Row, id: str | None, clock: int, touched: set[int]
    ) -> None:  # fmt: skip
        routes = self._routes.kinds.get(kind)
        if routes is None:
            return
        if id is not None and kind in self._routes.identified:
            rows = person.delivered.setdefault(kind, {})
            other = rows.get(id)
            if other is not None:
                declared = self._catalog.events[kind]
                if delivery_order(row, declared) >= delivery_order(other, declared):
                    return
                self._take_back(person, kind, other, touched)
            rows[id] = row
        if kind in self._routes.kept:
            self._keep(person, kind, row, clock)
        for route in routes.of(*row):
            touched.update(route.terms)
            for number in route.filters:
                kept = self._routes.filters[number]
                if kept.mask & ~person.answers:  # of those that hold, one more event makes none fail
                    touched.add(~number)
                times = person.latest.setdefault(number, [])
                insort(times, row[0])
                if len(times) > kept.most:
                    del times[0]

    def _keep(self, person: Person, kind: str, row: Row, clock: int) -> None:
        """Keep an event, unless no test will ask for it; forget what is asked for no more, when that is half of all."""
        forgotten = self._routes.forgotten(kind, clock)
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
        if person.index is None:
            person.events[kind] = [other for other in person.events[kind] if other is not row]
        else:
            person.index.remove(kind, row)
        for route in self._routes.kinds[kind].of(*row):
            touched.update(route.terms)
            for number in route.filters:
                touched.add(~number)
                self._count_again(person, [number])

    def _whole_filter(self, number: int) -> bool:
        """Whether all events that a filter counts are kept, so that it can be counted again."""
        kept = self._routes.kept
        return all(kept.get(branch.kind, ()) is None for branch in self._routes.filters[number].branches)

    def _count_again(self, person: Person, filters: Iterable[int]) -> None:
        for number in filters:
            if not self._whole_filter(number):
                continue
            kept = self._routes.filters[number]
            tests = [(branch.kind, self._routes.tests[branch].test) for branch in kept.branches]
            times: list[int] = []
            for each, test in tests:
                latest = reversed(person.events.get(each, ()))
                fitting = (row[0] for row in latest if test is None or test(None, 0, (), *row))
                times += islice(fitting, kept.most)
            person.latest[number] = sorted(times)[-kept.most :]

    # --- what holds from an instant on ------------------------------------------------------------------------

    def _given(self, person: Person, given: Given, number: int, touched: set[int]) -> None:
        match given.of:
            case core.Held(key=key, type=type):
                self._held(person, key, type, (given.at, given.value))
                touched.update(self._routes.attributes.get((None, key), ()))
            case core.Attribute(key=key, relation=relation):
                if self._set(person, (relation, key), given.value, (given.at, number)):
                    touched.update(self._routes.attributes.get((relation, key), ()))

    def _set(self, person: Person, name: tuple[str | None, str], value: object, said: tuple[int, int]) -> bool:
        """An attribute's value, unless what is known is newer; whether it was."""
        if person.set_at.get(name, FIRST) > said:
            return False
        person.set_at[name] = said
        person.attributes[name] = value
        if person.index is not None:
            person.index.forget_answers()
        return True

    def _held(self, person: Person, key: str, type: Type, row: tuple[int, object]) -> None:
        """A value from an instant on: most come in their order, and change nothing before them."""
        rows, history = person.held.setdefault(key, []), person.history.setdefault(key, [])
        kind = core.changes_of(key)
        in_order = not rows or row[0] > rows[-1][0]
        insort(rows, row, key=itemgetter(0))
        if not in_order:
            self._changed_at(person, key, type, row[0])
            return
        before = history[-1][1] if history else None
        if row[1] != before:
            history.append(row)
            change = (row[0], {"from": before, "to": row[1]})
            if person.index is None:
                person.events.setdefault(kind, []).append(change)
            else:
                person.index.add(kind, change)

    def _changed_at(self, person: Person, key: str, type: Type, instant: int) -> None:
        """An attribute's changes, after a row of its history has come late: only up to the next row are they others."""
        rows, history, kind = person.held[key], person.history[key], core.changes_of(key)
        at = itemgetter(0)
        following = bisect_right(rows, instant, key=at)
        until = rows[following][0] if following < len(rows) else instant
        first, last = bisect_left(history, instant, key=at), bisect_right(history, until, key=at)
        before = history[max(first - 1, 0) : first]
        between = rows[bisect_left(rows, instant, key=at) : bisect_right(rows, until, key=at)]
        new = [change for change in changes([*before, *between], type) if change[0] >= instant]
        history[first:last] = new
        events = change_events([*before, *new])[len(before) :]
        if person.index is None:
            person.events.setdefault(kind, [])[first:last] = events
            return
        for gone in person.events.get(kind, [])[first:last]:
            person.index.remove(kind, gone)
        for each in events:
            person.index.add(kind, each)

    def _changed(self, person: Person, key: str, type: Type) -> None:
        """An attribute's changes, out of all rows of its history."""
        person.history[key] = changes(person.held[key], type)
        person.events[core.changes_of(key)] = change_events(person.history[key])
        person.index = None

    def _listed(
        self, person: Person, name: str, member: bool, said: tuple[int, int], touched: set[int]
    ) -> None:  # fmt: skip
        if person.set_at.get(name, FIRST) > said:
            return
        person.set_at[name] = said
        lists = person.facts.lists
        person.facts.lists = lists | {name} if member else lists - {name}
        if person.index is not None:
            person.index.forget_answers()
        touched.update(self._routes.lists.get(name, ()))

    def _whole(self, person: Person, step: Whole, number: int, touched: set[int]) -> None:
        key, type = step.of
        said = ("whole", key, type is None)
        if person.set_at.get(said, FIRST) > (step.at, number):
            return
        person.set_at[said] = (step.at, number)
        person.index = None
        if type is not None:
            person.held[key] = sorted(step.rows, key=itemgetter(0))
            self._changed(person, key, type)
            touched.update(self._routes.attributes.get((None, key), ()))
            return
        person.delivered.pop(key, None)
        if key in self._routes.kinds:
            rows = [(at, row) for at, row in step.rows if isinstance(row, Mapping)]
            person.events[key] = sorted(rows, key=itemgetter(0))
            touched.update(self._routes.of_kind(key))
            counting = enumerate(self._routes.filters)
            self._count_again(person, [n for n, each in counting if any(b.kind == key for b in each.branches)])
