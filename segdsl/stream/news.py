"""What news changes in what is known of one contact, and which terms that touches. Answers nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from itertools import islice
from operator import itemgetter

from segdsl.backends.python.columns import take_out
from segdsl.backends.python.runtime import BEGIN
from segdsl.catalog.model import Catalog
from segdsl.contact import delivery_order
from segdsl.core import nodes as core
from segdsl.core.contact import Row, change_events, changes
from segdsl.core.story import Given, Happened, Listed
from segdsl.stream.lines import Line, Whole
from segdsl.stream.person import Person
from segdsl.stream.routes import Routes
from segdsl.stream.told import Order, Told

FIRST = (BEGIN, 0)  # before all that is known


class News:
    """Writes news into contacts, for a catalog and the terms of a program."""

    def __init__(self, catalog: Catalog, routes: Routes) -> None:
        self._catalog = catalog
        self._routes = routes

    def take(self, person: Person, line: Line, clock: int, touched: set[int]) -> None:
        """What a line says of a contact, all of it in the past of the clock; adds the terms that it touches."""
        order = (clock if line.taken is None else line.taken, line.number)
        for step in line.steps:
            match step:
                case Happened(timed=True):
                    self._happened(person, step.kind, (step.at, step.properties), line.id, clock, touched)
                case Happened():
                    self._has(person, step, line.id, order, clock, touched)
                case Given():
                    self._given(person, step, order, touched)
                case Listed():
                    self._listed(person, step.name, step.member, (step.at, line.number), touched)
                case Whole():
                    self._whole(person, step, order, touched)

    def refresh(self, person: Person) -> None:
        """Work out what follows from all that was told of some kinds: changes of histories, events without a time."""
        for kind in person.stale:
            key = core.changed_attribute(kind)
            if key is not None:
                rows = person.held[key] = sorted(person.told[kind], key=itemgetter(0))
                person.history[key] = changes(rows, self._catalog.attributes[key].type)
                person.events[kind] = change_events(person.history[key])
                continue
            whole: list[Row] = []
            delivered: dict[str, Row] = {}
            for id, row in person.told[kind]:
                if id is None:
                    whole.append(row)
                elif id not in delivered or self._is_before(kind, row, delivered[id]):
                    delivered[id] = row
            person.delivered[kind] = delivered
            person.events[kind] = [*whole, *delivered.values()]
            counting = enumerate(self._routes.filters)
            self._count_again(person, [n for n, each in counting if any(b.kind == kind for b in each.branches)])
        if person.stale:
            person.stale = set()
            person.index = None

    def join(self, person: Person, other: Person, clock: int, events: bool) -> None:
        """All that is known of another contact is this one's from now on; `events`: its events with a time alone.

        Afterwards it is known what would be if all lines had been about this contact. Every term is to be answered
        anew.
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
            if not self._counts_all_kept(number):
                both = [*person.latest.get(number, ()), *other.latest.get(number, ())]
                person.latest[number] = sorted(both)[-kept.most :]
        for kind, deliveries in delivered.items():
            for name, row in deliveries.items():
                self._happened(person, kind, row, name, clock, nothing)
        if not events:
            self._join_rest(person, other, nothing)
        self._count_again(person, range(len(self._routes.filters)))

    def forget_events(self, person: Person) -> None:
        """A contact's events with a time are another's: it keeps all else."""
        for kind in [kind for kind in person.events if self._is_timed(kind)]:
            del person.events[kind]
            person.delivered.pop(kind, None)
        person.latest, person.index = {}, None
        self._count_again(person, range(len(self._routes.filters)))

    def forget_rest(self, person: Person) -> None:
        """A contact is not there any more, but its events with a time are: they may come to be somebody's again."""
        for kind in person.told:
            person.events.pop(kind, None)
            person.delivered.pop(kind, None)
        for known in (person.attributes, person.history, person.held, person.told, person.set_at, person.stale):
            known.clear()
        person.facts.lists, person.index = frozenset(), None
        self._count_again(person, range(len(self._routes.filters)))

    def _join_rest(self, person: Person, other: Person, touched: set[int]) -> None:
        for name, value in other.attributes.items():
            self._set(person, name, value, other.set_at[name])
        for listed, said in other.set_at.items():
            if isinstance(listed, str):
                self._listed(person, listed, listed in other.facts.lists, said, touched)
        for kind, told in other.told.items():
            person.told.setdefault(kind, Told()).join(told)
            person.stale.add(kind)

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
                if not self._is_before(kind, row, other):
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

    def _is_before(self, kind: str, row: Row, other: Row) -> bool:
        """Whether of two deliveries of one id the first counts and not the other."""
        declared = self._catalog.events[kind]
        return delivery_order(row, declared) < delivery_order(other, declared)

    def _has(
        self, person: Person, step: Happened, id: str | None, order: Order, clock: int, touched: set[int]
    ) -> None:  # fmt: skip
        """An event without a time: a line that tells all of them may replace it."""
        kind, row = step.kind, (0, step.properties)
        if kind in self._routes.kinds:
            id = id if kind in self._routes.identified else None
            told = person.told.setdefault(kind, Told())
            if told.add(step.at, order, (id, row)) and kind not in person.stale:
                self._happened(person, kind, row, id, clock, touched)

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
        if person.index is not None:
            person.index.remove(kind, row)
        else:
            take_out(person.events[kind], row)
        for route in self._routes.kinds[kind].of(*row):
            touched.update(route.terms)
            for number in route.filters:
                touched.add(~number)
                self._count_again(person, [number])

    def _counts_all_kept(self, number: int) -> bool:
        """Whether all events that a filter counts are kept, so that it can be counted again."""
        kept = self._routes.kept
        return all(kept.get(branch.kind, ()) is None for branch in self._routes.filters[number].branches)

    def _count_again(self, person: Person, filters: Iterable[int]) -> None:
        for number in filters:
            if not self._counts_all_kept(number):
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

    def _given(self, person: Person, given: Given, order: Order, touched: set[int]) -> None:
        match given.of:
            case core.Held(key=key):
                self._held(person, key, (given.at, given.value), order)
                touched.update(self._routes.attributes.get((None, key), ()))
            case core.Attribute(key=key, relation=relation):
                if self._set(person, (relation, key), given.value, (given.at, order[1])):
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

    def _held(self, person: Person, key: str, row: tuple[int, object], order: Order) -> None:
        """A value from an instant on: most come in their order, and change nothing before them."""
        kind = core.changes_of(key)
        if not person.told.setdefault(kind, Told()).add(row[0], order, row) or kind in person.stale:
            return
        rows, history = person.held.setdefault(key, []), person.history.setdefault(key, [])
        in_order = not rows or row[0] > rows[-1][0]
        insort(rows, row, key=itemgetter(0))
        if not in_order:
            self._changed_at(person, key, row[0])
            return
        before = history[-1][1] if history else None
        if row[1] != before:
            history.append(row)
            change = (row[0], {"from": before, "to": row[1]})
            if person.index is None:
                person.events.setdefault(kind, []).append(change)
            else:
                person.index.add(kind, change)

    def _changed_at(self, person: Person, key: str, instant: int) -> None:
        """An attribute's changes, after a row of its history has come late: only up to the next row are they others."""
        rows, history, kind = person.held[key], person.history[key], core.changes_of(key)
        at = itemgetter(0)
        following = bisect_right(rows, instant, key=at)
        until = rows[following][0] if following < len(rows) else instant
        first, last = bisect_left(history, instant, key=at), bisect_right(history, until, key=at)
        before = history[max(first - 1, 0) : first]
        between = rows[bisect_left(rows, instant, key=at) : bisect_right(rows, until, key=at)]
        found = changes([*before, *between], self._catalog.attributes[key].type)
        new = [change for change in found if change[0] >= instant]
        history[first:last] = new
        events = change_events([*before, *new])[len(before) :]
        if person.index is None:
            person.events.setdefault(kind, [])[first:last] = events
            return
        for gone in person.events.get(kind, [])[first:last]:
            person.index.remove(kind, gone)
        for each in events:
            person.index.add(kind, each)

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

    def _whole(self, person: Person, step: Whole, order: Order, touched: set[int]) -> None:
        key, type = step.of
        if type is not None:
            kind = core.changes_of(key)
            person.told.setdefault(kind, Told()).replace(step.at, order, step.rows)
            touched.update(self._routes.attributes.get((None, key), ()))
        elif key in self._routes.kinds:
            kind = key
            rows = tuple((None, row) for row in step.rows)
            person.told.setdefault(kind, Told()).replace(step.at, order, rows)
            touched.update(self._routes.of_kind(key))
        else:
            return
        person.stale.add(kind)
