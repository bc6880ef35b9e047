"""Which terms some news touches, and what of it must be kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from segdsl.analysis.outlook.outlook import still
from segdsl.analysis.outlook.probe import Probe, every
from segdsl.analysis.outlook.watching import Watch, watch
from segdsl.backends.python import compile_program
from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.contact import Row
from segdsl.core.program import Program
from segdsl.core.time import DAY, At, Edge, FromNow, Span
from segdsl.core.walking import asks_now, branches_of
from segdsl.stream.terms import Asked, Branches, Latest, Terms

K = TypeVar("K")
SLACK = 2 * DAY  # clocks that fall back may take the edge of a calendar window to the day before


@dataclass(slots=True)
class Route:
    """Events of one kind that fit a test (None: all of them) go to these filters, and touch these terms.

    named: the property, and its values, that alone make an event fit; None where more is asked.
    """

    test: Callable[..., bool] | None = None
    named: tuple[str, tuple[object, ...]] | None = None
    filters: list[int] = field(default_factory=list)
    terms: list[int] = field(default_factory=list)


@dataclass
class Ways:
    """The routes of a kind.

    named: property -> value -> the routes that this value leads to. tested: those whose tests are to be asked.
    """

    named: dict[str, dict[object, list[Route]]] = field(default_factory=dict)
    tested: list[Route] = field(default_factory=list)

    def add(self, route: Route) -> None:
        """One more route."""
        if route.named is None:
            self.tested.append(route)
            return
        key, values = route.named
        for value in values:
            self.named.setdefault(key, {}).setdefault(value, []).append(route)

    def of(self, instant: int, properties: Mapping[str, object]) -> Iterator[Route]:
        """The routes that an event takes."""
        for route in self.tested:
            if route.test is None or route.test(None, 0, (), instant, properties):
                yield route
        for key, routes in self.named.items():
            yield from routes.get(properties.get(key), ())


class Filter:
    """Events whose last few instants are kept, `most` of them, and the `Latest` terms that ask for them.

    mask: a bit for each of these terms.
    """

    def __init__(self, branches: Branches) -> None:
        self.branches = branches
        self.most = 0
        self.mask = 0
        # least -> the widths of its windows, sorted, and for each a mask of the terms with this one or a wider one
        self._windows: dict[int, tuple[list[int], list[int]]] = {}
        self._others: list[tuple[int, Latest]] = []  # terms whose windows have no width that is always the same

    def add(self, number: int, term: Latest) -> None:
        """One more term."""
        bit = 1 << number
        self.mask |= bit
        self.most = max(self.most, term.least)
        if term.width is None:
            self._others.append((bit, term))
            return
        widths, masks = self._windows.setdefault(term.least, ([], [0]))
        place = bisect_left(widths, term.width)
        if place == len(widths) or widths[place] != term.width:
            widths.insert(place, term.width)
            masks.insert(place, masks[place])
        masks[: place + 1] = [mask | bit for mask in masks[: place + 1]]

    def answer(self, times: Sequence[int], now: int) -> tuple[int, int | None]:
        """The terms that hold over the kept instants, which are sorted, as bits; and when the first will not by itself.

        A count is reached while its `least`-th latest instant lies in the window: so the wider the longer.
        """
        held, again = 0, None
        for least, (widths, masks) in self._windows.items():
            if len(times) >= least:
                decides = times[-least]
                place = bisect_right(widths, now - decides)
                if place < len(widths):
                    held |= masks[place]
                    end = decides + widths[place]
                    again = end if again is None or end < again else again
        for bit, term in self._others:
            holds, until = term.answer(times, now)
            if holds:
                held |= bit
                again = until if again is None or (until is not None and until < again) else again
        return held, again


class Routes:
    """The ways of news to terms.

    kinds: kind of event -> the ways of its events; a kind that is not there touches nothing.
    attributes: `(relation, key)` -> terms; those of attributes with a history are there as `(None, key)`.
    lists: name -> terms.
    kept: kinds whose events are kept, each with the edges behind which they are forgotten (None: never).
    filters: of the `Latest` terms.
    tests: for each branch its route.
    asked: the `Asked` terms, which may hold for a contact of whom nothing is known.
    watches: terms whose answer may change by itself -> when to look at them again.
    """

    def __init__(self, terms: Terms, catalog: Catalog) -> None:
        self.kinds: dict[str, Ways] = {}
        self.attributes: dict[tuple[str | None, str], list[int]] = {}
        self.lists: dict[str, list[int]] = {}
        self.filters: list[Filter] = []
        self.kept: dict[str, list[tuple[Edge, int]] | None] = {}
        self.asked: list[int] = []
        self.watches: dict[int, Watch] = {}
        rules = [term.rule for term in terms.terms if isinstance(term, Asked)]
        self.probe = Probe(terms.program, rules)
        self.identified = {key for key, kind in catalog.events.items() if kind.id is not None}
        self.tests: dict[core.Branch, Route] = {}
        self._numbers: dict[Branches, int] = {}
        for number, term in enumerate(terms.terms):
            if isinstance(term, Latest):
                self._count(number, term)
                continue
            nodes = terms.nodes(number)
            self._ask(number, nodes)
            self.asked.append(number)
            if not still(term.rule):
                self.watches[number] = watch(term.rule, nodes, self.probe)
        self._compile()
        # A delivery that turns out to have come earlier is taken back, and events without a time are replaced as a
        # whole: of what they counted in, everything is kept.
        counted_again = self.identified | {key for key, kind in catalog.events.items() if kind.time is None}
        for kind in counted_again & set(self.kinds):
            self.kept[kind] = None
        for each in self.filters:
            if any(branch.kind in counted_again for branch in each.branches):
                self.kept |= dict.fromkeys((branch.kind for branch in each.branches), None)

    def _count(self, number: int, term: Latest) -> None:
        if term.branches not in self._numbers:
            self._numbers[term.branches] = len(self.filters)
            self.filters.append(Filter(term.branches))
            for branch in term.branches:
                self._route(branch).filters.append(self._numbers[term.branches])
        self.filters[self._numbers[term.branches]].add(number, term)

    def _ask(self, number: int, nodes: tuple[object, ...]) -> None:
        for branch in branches_of(nodes):
            changed = core.changed_attribute(branch.kind)
            if changed is None:
                self._route(branch).terms.append(number)
            else:
                _append(self.attributes, (None, changed), number)
        for node in nodes:
            match node:
                case core.Attribute():
                    _append(self.attributes, (node.relation, node.key), number)
                case core.Held():
                    _append(self.attributes, (None, node.key), number)
                case core.InList():
                    _append(self.lists, node.name, number)
                case core.Events():
                    self._keep(node.branches, node.span, 0)
                case core.Chain():
                    before = node.without.place if node.without is not None else 0
                    self._keep(tuple(node.branches()), node.span, before if isinstance(before, int) else 0)
                    if node.without is not None and before == "ever":
                        self._keep(node.without.branches, None, 0)

    def _keep(self, branches: Branches, span: Span | core.Anchored | None, before: int) -> None:
        """Events of these branches are kept until they lie more than `before` (microseconds) behind a window."""
        for branch in branches:
            bound = self.kept.setdefault(branch.kind, [])
            if not isinstance(span, Span) or span.lo is None or bound is None:
                self.kept[branch.kind] = None
            else:
                slack = 0 if isinstance(span.lo, At | FromNow) else SLACK
                bound.append((span.lo, before + slack))

    def _route(self, branch: core.Branch) -> Route:
        if branch not in self.tests:
            self.tests[branch] = Route(named=_named(branch.where))
            self.kinds.setdefault(branch.kind, Ways()).add(self.tests[branch])
        return self.tests[branch]

    def _compile(self) -> None:
        """The tests of the routes; an event whose test asks for `now` goes everywhere."""
        tested = [branch for branch in self.tests if branch.where != core.EVERYONE and not asks_now(branch)]
        compiled = compile_program(Program({}, {}), [every(branch) for branch in tested])
        for branch in tested:
            self.tests[branch].test = compiled.slot((branch,))[1].branches[0][1]

    def of_kind(self, kind: str) -> Iterator[int]:
        """What some event of a kind may touch."""
        for branch, route in self.tests.items():
            if branch.kind == kind:
                yield from route.terms
                yield from (~number for number in route.filters)

    @cached_property
    def all(self) -> tuple[int, ...]:
        """Everything that may be touched."""
        return (*self.asked, *(~number for number in range(len(self.filters))))

    def may_ask(self, kind: str, row: Row, now: int, latest: Mapping[int, Sequence[int]]) -> bool:
        """Whether a test may ask for an event from now on; `latest` are its contact's."""
        ways = self.kinds.get(kind)
        if ways is None:
            return False
        if kind in self.kept:
            forgotten = self.forgotten(kind, now)
            if forgotten is None or row[0] > forgotten:
                return True
        filters = (number for route in ways.of(*row) for number in route.filters)
        return any(row[0] >= min(latest.get(number, ()), default=row[0]) for number in filters)

    def forgotten(self, kind: str, now: int) -> int | None:
        """The instant up to which events of a kind are asked for no more; None if all are kept."""
        edges = self.kept[kind]
        return None if edges is None else min(edge.resolve(now) - before for edge, before in edges)


def _named(where: core.Rule) -> tuple[str, tuple[object, ...]] | None:
    """The property, and its values, that a rule is about and nothing else."""
    match where:
        case core.OneOf(value=core.Property(key=key), options=options):
            return key, options
        case core.Match(value=core.Property(key=key), globs=globs):
            texts = tuple("".join(part for part in glob if isinstance(part, str)) for glob in globs)
            if all(isinstance(part, str) for glob in globs for part in glob):
                return key, tuple(dict.fromkeys(texts))
    return None


def _append(lists: dict[K, list[int]], key: K, number: int) -> None:
    """Add a number to those of a key, unless it is the last of them."""
    found = lists.setdefault(key, [])
    if not found or found[-1] != number:
        found.append(number)
