"""Sequences as queries: a few looks at neighbours in time for each step, never a join of all events with all events.

Each event of a step is told its latest predecessor, the latest start of a chain to that, and the latest forbidden
event before it; for why the latest is enough see `backends/python/chains.py`, which works the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select, united
from segdsl.backends.sql.clock import Clock
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.lookups import Look, Lookup
from segdsl.backends.sql.measures import Passes, united_name
from segdsl.core import nodes
from segdsl.core.time import EVER, FIRST, FromNow, Span

CompareOp = Literal["<", "<=", ">", ">="]


class Chains:
    """Builds the CTEs of one chain.

    lookup: how to ask for neighbours in time. name: hands out names for CTEs. title: a kind of event by its name.
    """

    def __init__(
        self, passes: Passes, chain: nodes.Chain, lookup: Lookup, name: Callable[[str], str],
        title: Callable[[str], str],
    ) -> None:  # fmt: skip
        self.passes, self.chain, self.lookup, self.name, self.title = passes, chain, lookup, name, title
        self.group = [united_name(value) for value in chain.same]
        self.ctes: list[Node] = []

    def members(self) -> str:
        """Builds; the name of the CTE whose `contact`s have such a chain. All that it needs are in `ctes`, in order."""
        chain, reached = self.chain, self.reached()
        until_total = chain.total is not None and chain.waits
        ends = self._ends_of_total(reached) if until_total else self._ends(reached[-1])
        contacts = select([("contact", b.column("contact"))], ends.subquery("sequence"))
        title = self.title(chain.steps[0].branches[0].kind)
        return self.cte(f"{title} sequence", contacts.distinct(copy=False), chain.words)

    # --- steps ---------------------------------------------------------------------------------------------------

    def reached(self) -> list[str]:
        """For each step the name of the CTE of the events that some chain reaches."""
        titles = [self.title(step.branches[0].kind) for step in self.chain.steps]
        reached = [self.cte(f"first {titles[0]}", self._starts())]
        for step in range(1, len(titles)):
            reached.append(self.cte(f"{titles[step - 1]} then {titles[step]}", self._step(step, reached[-1])))
        return reached

    def _starts(self) -> Node:
        """First events; `begun` and, where it is asked for, `begun_early` are their own instants."""
        without = self.chain.without
        looks, conditions = [], []
        if without is not None and isinstance(without.place, int):
            looks.append(Look(self.events(without.branches), {"absent": "t"}))
            conditions.append(self.unknown_or("<", "absent", b.column("t"), -without.place))
        starts = self.told(self.events(self.chain.steps[0].branches, self.chain.span), looks, conditions, keep=[])
        if not self.carried:
            return starts
        return select([*self._keys(), *((name, b.column("t")) for name in self.carried)], starts.subquery("starts"))

    def _step(self, step: int, before: str) -> Node:
        """Events of a step that some chain reaches, with the latest (and the earliest) first event of such a chain."""
        part = self.chain.steps[step]
        begun = [name for name in self.carried if name == "begun"]
        taken = {"previous": "t", **{name: name for name in begun}}
        looks = [Look(self.rows_of(before, begun), taken, required=True)]
        conditions = []
        if part.within is not None:
            conditions.append(b.compare("<=", b.column("t"), self.dialect.moved(b.column("previous"), part.within)))
        if part.forbidden:
            looks.append(Look(self.events(part.forbidden), {"blocked": "t"}))
            conditions.append(self.unknown_or("<=", "blocked", b.column("previous")))
        events = self.events(part.branches, self.chain.span)
        if "begun_early" not in self.carried:
            return self.told(events, looks, conditions, keep=begun)
        told = self.told(events, looks, conditions)
        # The earliest predecessor is the first one that is near enough and not before what is forbidden.
        bounds = [self.dialect.moved(b.column("t"), -part.within)] if part.within is not None else []
        bounds += [b.coalesce(b.column("blocked"), self.dialect.instant(FIRST))] if part.forbidden else []
        bound = b.extreme(exp.Greatest, bounds or [self.dialect.instant(FIRST)])
        probes = select([*self._keys(), ("begun", b.column("begun")), ("bound", bound)], told.subquery("told"))
        earliest = Look(self.rows_of(before, ["begun_early"]), {"begun_early": "begun_early"}, ahead=True, or_same=True)
        return self._at("bound", probes, ["begun"], earliest)

    # --- ends ----------------------------------------------------------------------------------------------------

    def _ends(self, reached: str) -> Node:
        """The last events behind which nothing is left to ask."""
        looks, conditions = self.absent()
        waits, waited, open_ = self.waited()
        conditions += waited
        conditions += [b.negation(b.known(b.column(name))) for name in open_]
        over = [wait.within for wait in self.chain.waits if wait.within is not None]
        conditions += [b.compare("<=", self.dialect.moved(b.column("t"), each), self.clock.now()) for each in over]
        return self.told(self.rows_of(reached, self.carried), [*looks, *waits], conditions, self.carried, keep=[])

    def waited(self) -> tuple[list[Look], list[Node], list[str]]:
        """What `all within` and final waits ask of a last event, once these are over; the columns of what must not come
        in waits without an end."""
        looks: list[Look] = []
        conditions: list[Node] = []
        open_ = []
        if self.chain.total is not None:
            conditions.append(b.compare("<=", b.column("t"), self.dialect.moved(b.column("begun"), self.chain.total)))
        for n, wait in enumerate(self.chain.waits):
            name = f"wait_{n + 1}"
            looks.append(Look(self.events(wait.forbidden), {name: "t"}, ahead=True))
            if wait.within is None:
                open_.append(name)
            else:
                conditions.append(self.unknown_or(">", name, b.column("t"), wait.within))
        return looks, conditions, open_

    def _ends_of_total(self, reached: Sequence[str]) -> Node:
        """`… then not X all within D`: a start such that nothing lies in (end, start + D], and start + D <= now."""
        total = self.chain.total
        assert total is not None
        looks, conditions = self.absent()
        between = self.place == "between"
        waits = [f"wait_{n + 1}" for n in range(len(self.chain.waits))]
        for name, wait in zip(waits, self.chain.waits, strict=True):
            looks.append(Look(self.events(wait.forbidden), {name: "t"}, ahead=True))
        told = self.told(self.rows_of(reached[-1], self.carried), looks, [] if between else conditions, self.carried)
        low = [b.column("begun_early"), self.dialect.moved(b.column("t"), -total)]
        low += [b.coalesce(b.column("absent"), b.column("begun_early"))] if between else []
        high = [b.column("begun"), self.clock.edge(FromNow(-total))]
        high += [b.coalesce(self.dialect.moved(b.column(name), -total - 1), b.column("begun")) for name in waits]
        bounds = select(
            [*self._keys(), ("low", b.extreme(exp.Greatest, low)), ("high", b.extreme(exp.Least, high))],
            told.subquery("told"),
        )
        found = self._at("high", bounds, ["low"], Look(self._alive(reached), {"start": "t"}, or_same=True))
        return select([("contact", b.column("contact"))], found.subquery("found"),
                      [b.compare(">=", b.column("start"), b.column("low"))])  # fmt: skip

    def _alive(self, reached: Sequence[str]) -> Node:
        """The starts of chains that reach a last step."""
        alive = self.rows_of(reached[-1], [])
        for step in range(len(reached) - 1, 0, -1):
            part = self.chain.steps[step]
            looks = [Look(alive, {"upcoming": "t"}, ahead=True, required=True)]
            conditions = []
            if part.within is not None:
                conditions.append(b.compare("<=", b.column("upcoming"), self.dialect.moved(b.column("t"), part.within)))
            if part.forbidden:
                looks.append(Look(self.events(part.forbidden), {"blocked": "t"}, ahead=True))
                conditions.append(self.unknown_or(">=", "blocked", b.column("upcoming")))
            going = self.told(self.rows_of(reached[step - 1], []), looks, conditions, keep=[])
            title = self.title(self.chain.steps[step - 1].branches[0].kind)
            alive = self.rows_of(self.cte(f"{title} goes on", going), [])
        return alive

    def absent(self) -> tuple[list[Look], list[Node]]:
        """What `without X` and `without any X` ask of a last event."""
        without = self.chain.without
        if without is None or isinstance(without.place, int):
            return [], []
        rows = self.events(without.branches)
        if without.place == "between":
            return [Look(rows, {"absent": "t"})], [self.unknown_or("<=", "absent", b.column("begun"))]
        looks = [Look(rows, {"earlier": "t"}, or_same=True), Look(rows.copy(), {"later": "t"}, ahead=True)]
        return looks, [b.negation(b.known(b.column(name))) for name in ("earlier", "later")]

    # --- pieces --------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """When the statement asks."""
        return self.passes.rules.clock

    @property
    def dialect(self) -> Dialect:
        """How the database says it."""
        return self.passes.rules.dialect

    @property
    def keys(self) -> list[str]:
        """What tells an event of the chain: its contact, what the chain's events have in common, and its instant."""
        return ["contact", *self.group, "t"]

    @property
    def carried(self) -> list[str]:
        """What a reached event is told of its chains, where it matters: the latest first event, and the earliest."""
        latest = self.chain.total is not None or self.place == "between"
        earliest = self.chain.total is not None and self.chain.waits
        return ["begun", "begun_early"] if earliest else ["begun"] if latest else []

    @property
    def place(self) -> object:
        """Where the chain is to be without something; None if nowhere."""
        return self.chain.without.place if self.chain.without else None

    def cte(self, wanted: str, body: Node, words: str = "") -> str:
        """Adds a CTE; its name."""
        name = self.name(wanted)
        self.ctes.append(b.cte(name, body, words))
        return name

    def _keys(self) -> list[tuple[str, Node]]:
        return [(name, b.column(name)) for name in self.keys]

    def rows_of(self, cte: str, carried: Sequence[str]) -> Node:
        """The keys of a CTE's events, and what is carried."""
        return select([(name, b.column(name)) for name in (*self.keys, *carried)], b.table(cte))

    def events(self, branches: Sequence[nodes.Branch], span: Span | nodes.Anchored = EVER) -> Node:
        """`contact`, the group and `t` of events; those that lack something of the group have no part in it."""
        rows = united([self.passes.rows(branch, span, self.chain.same, True, self.chain.same) for branch in branches])
        if not self.group:
            return rows
        return select(self._keys(), rows.subquery("events"), [b.known(b.column(name)) for name in self.group])

    def unknown_or(self, op: CompareOp, name: str, other: Node, by: int = 0) -> Node:
        """`name` is NULL (there is no such event), or `name op other + by`."""
        known = b.compare(op, b.column(name), self.dialect.moved(other, by))
        return b.disjunction([exp.Is(this=b.column(name), expression=b.NULL()), known])

    def _at(self, at: str, rows: Node, carried: Sequence[str], look: Look) -> Node:
        """The rows, each looking from the instant in its column `at` instead of its own."""
        looking = select(
            [*((n, b.column(n)) for n in ["contact", *self.group]), ("own", b.column("t")), ("t", b.column(at)),
             *((n, b.column(n)) for n in carried)], rows.subquery("probes"),
        )  # fmt: skip
        told = self.told(looking, [look], [], [*carried, "own"])
        names = [*self.group, *carried, *look.take]
        return select([("contact", b.column("contact")), ("t", b.column("own")), *((n, b.column(n)) for n in names)],
                      told.subquery("told"))  # fmt: skip

    def told(
        self, rows: Node, looks: Sequence[Look], conditions: Sequence[Node],
        carried: Sequence[str] = (), keep: Sequence[str] | None = None,
    ) -> Node:  # fmt: skip
        """The rows that fit the conditions on what the looks tell them, with the columns to keep (None: all told)."""
        told = [*carried, *(name for look in looks for name in look.take)]
        query = self.lookup(rows, self.keys, carried, looks, self.dialect.no_instant()) if looks else rows
        wanted = told if keep is None else list(keep)
        if not conditions and wanted == told:
            return query
        return select([(n, b.column(n)) for n in (*self.keys, *wanted)], query.subquery("told"), conditions)
