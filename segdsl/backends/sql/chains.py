"""Sequences as queries: one pass over sorted rows for each step, never a join of all events with all events.

A step's events are laid among those of the step before and what is forbidden, sorted by time. Running maxima then
tell each event its latest predecessor, the latest start of a chain to it, and the latest forbidden event before it
(for why the latest is enough see `backends/python/chains.py`, which works the same way). Only window functions
with a ROWS frame are needed, which every engine has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.measures import Passes, united, united_name
from segdsl.backends.sql.reading import instant, select
from segdsl.backends.sql.rules import interval
from segdsl.core import nodes
from segdsl.core.time import EVER, FIRST, Span

CompareOp = Literal["<", "<=", ">", ">="]


@dataclass(frozen=True)
class Look:
    """What each row is told of other rows of its contact and group: of those before it (or `ahead`: behind it).

    source: a query with `contact`, the group and `t`; rows at the very same instant count if `or_same`.
    take: output name -> column of the source, of which the greatest (ahead: the least) is told, or NULL.
    """

    source: Node
    take: dict[str, str]
    ahead: bool = False
    or_same: bool = False

    @property
    def place(self) -> int:
        """Where the source's rows are sorted among rows of the same instant, which stand at 0."""
        return -1 if self.ahead != self.or_same else 1


class Chains:
    """Builds the CTEs of one chain. `name` hands out names for them; `title` calls a kind of event by its name."""

    def __init__(
        self, passes: Passes, chain: nodes.Chain, name: Callable[[str], str], title: Callable[[str], str]
    ) -> None:
        self.passes, self.chain, self.name, self.title = passes, chain, name, title
        self.group = [united_name(value) for value in chain.same]
        self.ctes: list[Node] = []

    def members(self) -> str:
        """Builds; the name of the CTE whose `contact`s have such a chain. All that it needs are in `ctes`, in order."""
        chain = self.chain
        titles = [self.title(step.branches[0].kind) for step in chain.steps]
        reached = [self._cte(f"first {titles[0]}", self._starts())]
        for step in range(1, len(chain.steps)):
            reached.append(self._cte(f"{titles[step - 1]} then {titles[step]}", self._step(step, reached[-1])))
        until_total = chain.total is not None and chain.waits
        ends = self._ends_of_total(reached) if until_total else self._ends(reached[-1])
        contacts = select([("contact", b.column("contact"))], ends.subquery("chains"))
        return self._cte(f"{titles[0]} sequence", contacts.distinct(copy=False), chain.words)

    # --- steps ---------------------------------------------------------------------------------------------------

    def _starts(self) -> Node:
        """First events; `begun` and, where it is asked for, `begun_early` are their own instants."""
        without = self.chain.without
        looks, conditions = [], []
        if without is not None and isinstance(without.place, int):
            looks.append(Look(self._events(without.branches), {"absent": "t"}))
            conditions.append(self._unknown_or("<", "absent", b.column("t"), -without.place))
        node = self._told(self._events(self.chain.steps[0].branches, self.chain.span), looks, conditions)
        columns = [*self._keys(), *((name, b.column("t")) for name in self.carried)]
        return select(columns, node.subquery("starts"))

    def _step(self, step: int, before: str) -> Node:
        """Events of a step that some chain reaches, with the latest (and the earliest) first event of such a chain."""
        part = self.chain.steps[step]
        looks = [Look(self._from(before, ["begun"]), {"previous": "t", "begun": "begun"})]
        conditions = [b.known(b.column("previous"))]
        if part.within is not None:
            conditions.append(b.compare("<=", b.column("t"), _moved(b.column("previous"), part.within)))
        if part.forbidden:
            looks.append(Look(self._events(part.forbidden), {"blocked": "t"}))
            conditions.append(self._unknown_or("<=", "blocked", b.column("previous")))
        told = self._told(self._events(part.branches, self.chain.span), looks, conditions)
        if "begun_early" not in self.carried:
            return self._pick(told, [*self.keys, "begun"])
        # The earliest predecessor is the first one that is near enough and not before what is forbidden.
        bounds = [_moved(b.column("t"), -part.within)] if part.within is not None else []
        bounds += [b.coalesce(b.column("blocked"), instant(FIRST))] if part.forbidden else []
        probes = select([*self._keys(), ("begun", b.column("begun")), ("bound", _extreme(exp.Greatest, bounds))],
                        told.subquery("told"))  # fmt: skip
        earliest = Look(self._from(before, ["begun_early"]), {"begun_early": "begun_early"}, ahead=True, or_same=True)
        return self._at("bound", probes, ["begun"], earliest)

    # --- ends ----------------------------------------------------------------------------------------------------

    def _ends(self, reached: str) -> Node:
        """The last events behind which nothing is left to ask."""
        looks, conditions = self._absent()
        if self.chain.total is not None:
            conditions.append(b.compare("<=", b.column("t"), _moved(b.column("begun"), self.chain.total)))
        for n, wait in enumerate(self.chain.waits):
            name = f"wait_{n + 1}"
            looks.append(Look(self._events(wait.forbidden), {name: "t"}, ahead=True))
            if wait.within is None:
                conditions.append(b.negation(b.known(b.column(name))))
            else:
                conditions.append(self._unknown_or(">", name, b.column("t"), wait.within))
                conditions.append(b.compare("<=", _moved(b.column("t"), wait.within), instant(self.now)))
        return self._told(self._from(reached, ["begun"]), looks, conditions, ["begun"])

    def _ends_of_total(self, reached: Sequence[str]) -> Node:
        """`… then not X all within D`: a start such that nothing lies in (end, start + D], and start + D <= now."""
        total = self.chain.total
        assert total is not None
        looks, conditions = self._absent()
        between = self.chain.without is not None and self.chain.without.place == "between"
        waits = [f"wait_{n + 1}" for n in range(len(self.chain.waits))]
        for name, wait in zip(waits, self.chain.waits, strict=True):
            looks.append(Look(self._events(wait.forbidden), {name: "t"}, ahead=True))
        told = self._told(self._from(reached[-1], self.carried), looks, [] if between else conditions, self.carried)
        low = [b.column("begun_early"), _moved(b.column("t"), -total)]
        low += [b.coalesce(b.column("absent"), b.column("begun_early"))] if between else []
        high = [b.column("begun"), instant(self.now - total)]
        high += [b.coalesce(_moved(b.column(name), -total - 1), b.column("begun")) for name in waits]
        bounds = select(
            [*self._keys(), ("low", _extreme(exp.Greatest, low)), ("high", _extreme(exp.Least, high))],
            told.subquery("told"),
        )
        found = self._at("high", bounds, ["low"], Look(self._alive(reached), {"start": "t"}, or_same=True))
        return select([("contact", b.column("contact"))], found.subquery("found"),
                      [b.compare(">=", b.column("start"), b.column("low"))])  # fmt: skip

    def _alive(self, reached: Sequence[str]) -> Node:
        """The starts of chains that reach a last step."""
        alive = self._from(reached[-1], [])
        for step in range(len(reached) - 1, 0, -1):
            part = self.chain.steps[step]
            looks = [Look(alive, {"upcoming": "t"}, ahead=True)]
            conditions = [b.known(b.column("upcoming"))]
            if part.within is not None:
                conditions.append(b.compare("<=", b.column("upcoming"), _moved(b.column("t"), part.within)))
            if part.forbidden:
                looks.append(Look(self._events(part.forbidden), {"blocked": "t"}, ahead=True))
                conditions.append(self._unknown_or(">=", "blocked", b.column("upcoming")))
            going = self._pick(self._told(self._from(reached[step - 1], []), looks, conditions), self.keys)
            title = self.title(self.chain.steps[step - 1].branches[0].kind)
            alive = self._from(self._cte(f"{title} goes on", going), [])
        return alive

    def _absent(self) -> tuple[list[Look], list[Node]]:
        """What `without X` and `without any X` ask of a last event."""
        without = self.chain.without
        if without is None or isinstance(without.place, int):
            return [], []
        rows = self._events(without.branches)
        if without.place == "between":
            return [Look(rows, {"absent": "t"})], [self._unknown_or("<=", "absent", b.column("begun"))]
        looks = [Look(rows, {"earlier": "t"}, or_same=True), Look(rows.copy(), {"later": "t"}, ahead=True)]
        return looks, [b.negation(b.known(b.column(name))) for name in ("earlier", "later")]

    # --- pieces --------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        return self.passes.rules.now

    @property
    def keys(self) -> list[str]:
        return ["contact", *self.group, "t"]

    @property
    def carried(self) -> list[str]:
        """What every reached event is told of its chains: the latest first event and, if it matters, the earliest."""
        return ["begun", "begun_early"] if self.chain.total is not None and self.chain.waits else ["begun"]

    def _cte(self, wanted: str, body: Node, words: str = "") -> str:
        name = self.name(wanted)
        self.ctes.append(b.cte(name, body, words))
        return name

    def _keys(self) -> list[tuple[str, Node]]:
        return [(name, b.column(name)) for name in self.keys]

    def _pick(self, source: Node, names: Sequence[str]) -> Node:
        return select([(name, b.column(name)) for name in names], source.subquery("told"))

    def _from(self, cte: str, carried: Sequence[str]) -> Node:
        return select([(name, b.column(name)) for name in (*self.keys, *carried)], b.table(cte))

    def _events(self, branches: Sequence[nodes.Branch], span: Span | nodes.Anchored = EVER) -> Node:
        """`contact`, the group and `t` of events; those that lack something of the group have no part in it."""
        rows = united([self.passes.rows(branch, span, self.chain.same, True) for branch in branches])
        if not self.group:
            return rows
        return select(self._keys(), rows.subquery("events"), [b.known(b.column(name)) for name in self.group])

    def _unknown_or(self, op: CompareOp, name: str, other: Node, moved: int = 0) -> Node:
        """`name` is NULL (there is no such event), or `name op other + moved`."""
        known = b.compare(op, b.column(name), _moved(other, moved) if moved else other)
        return b.disjunction([exp.Is(this=b.column(name), expression=b.NULL()), known])

    def _at(self, at: str, rows: Node, carried: Sequence[str], look: Look) -> Node:
        """The rows, each looking from the instant in its column `at` instead of its own."""
        moved = select(
            [*((n, b.column(n)) for n in ["contact", *self.group]), ("own", b.column("t")), ("t", b.column(at)),
             *((n, b.column(n)) for n in carried)], rows.subquery("probes"),
        )  # fmt: skip
        told = self._told(moved, [look], [], [*carried, "own"])
        names = [*self.group, *carried, *look.take]
        return select([("contact", b.column("contact")), ("t", b.column("own")), *((n, b.column(n)) for n in names)],
                      told.subquery("told"))  # fmt: skip

    def _told(
        self, rows: Node, looks: Sequence[Look], conditions: Sequence[Node], carried: Sequence[str] = ()
    ) -> Node:
        """The rows, with `carried` columns, and what the looks tell them; only those that fit the conditions."""
        if not looks:
            every = [(name, b.column(name)) for name in (*self.keys, *carried)]
            return select(every, rows.subquery("events"), conditions) if conditions else rows
        outputs = [name for look in looks for name in look.take]
        hidden = {name: f"{name}_of" for name in outputs}

        def part(source: Node, place: int, own: dict[str, Node]) -> Node:
            columns = [*self._keys(), ("place", b.number(place))]
            columns += [(name, own.get(name, b.cast(b.NULL(), "TIMESTAMP"))) for name in (*carried, *hidden.values())]
            return select(columns, source.subquery("events"))

        parts = [part(rows, 0, {name: b.column(name) for name in carried})]
        for look in looks:
            parts.append(part(look.source, look.place, {hidden[n]: b.column(c) for n, c in look.take.items()}))
        columns = [*self._keys(), ("place", b.column("place")), *((n, b.column(n)) for n in carried)]
        for look in looks:
            columns += [(name, self._running(look, hidden[name])) for name in look.take]
        among = select(columns, united(parts).subquery("among"))
        own = b.compare("=", b.column("place"), b.number(0))
        names = [*self.keys, *carried, *outputs]
        return select([(n, b.column(n)) for n in names], among.subquery("told"), [own, *conditions])

    def _running(self, look: Look, column: str) -> Node:
        if look.ahead:
            frame = exp.WindowSpec(kind="ROWS", start="CURRENT ROW", end="UNBOUNDED", end_side="FOLLOWING")
        else:
            frame = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
        order = [exp.Ordered(this=b.column(name), nulls_first=False) for name in ("t", "place")]
        return exp.Window(
            this=(exp.Min if look.ahead else exp.Max)(this=b.column(column)),
            partition_by=[b.column(name) for name in ("contact", *self.group)],
            order=exp.Order(expressions=order), spec=frame,
        )  # fmt: skip


def _moved(node: Node, microseconds: int) -> Node:
    """An instant moved."""
    kind = exp.Sub if microseconds < 0 else exp.Add
    return exp.Paren(this=kind(this=b.operand(node), expression=interval(abs(microseconds))))


def _extreme(kind: type[exp.Greatest] | type[exp.Least], options: Sequence[Node]) -> Node:
    """The greatest or least of options that are all known (where one is not, engines differ); FIRST of none."""
    if not options:
        return instant(FIRST)
    return options[0] if len(options) == 1 else kind(this=options[0], expressions=list(options[1:]))
