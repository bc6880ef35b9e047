"""The events that end a chain: each with the latest first event of a chain to it.

Whether they end one is settled when they happen, or when a final wait is over, whatever the window: it holds the chain
from when it holds the last event until it lets go of the first, and of those the latest serves best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from segdsl.backends.sql import build as b
from segdsl.backends.sql.chains import Chains
from segdsl.backends.sql.clock import Fixed
from segdsl.backends.sql.history.edges import Edges
from segdsl.backends.sql.measures import Passes
from segdsl.backends.sql.rules import Rules
from segdsl.core import nodes
from segdsl.core.time import At, Span


class Endings(Chains):
    """Builds the CTEs of one chain, over all events between two instants that its window may ever hold.

    until: columns of `table` with the instant of the first event that puts an end to it, or NULL.
    """

    def __init__(self, passes: Passes, chain: nodes.Chain, edges: Edges, name: Callable[[str], str]) -> None:
        """name: hands out names for CTEs."""
        assert isinstance(chain.span, Span)
        old = passes.rules
        clock = Fixed(old.dialect, edges.until)
        rules = Rules(old.names, old.program, old.dialect, old.reading, clock)
        lo, _ = chain.span.resolve_for_events(edges.since)
        _, hi = chain.span.resolve_for_events(edges.until)
        whole = replace(chain, span=Span(None if lo is None else At(lo), At(hi)))
        super().__init__(Passes(rules, passes.kinds, passes.properties), whole, old.dialect.lookup, name,
                         old.reading.title)  # fmt: skip
        self.until: list[str] = []

    @property
    def carried(self) -> list[str]:
        return ["begun"]

    def table(self) -> str:
        """Builds; the name of the CTE of `contact, t, first_t`, and what `until` names."""
        reached = self.reached()[-1]
        looks, conditions = self.absent()
        if self.place == "ever":  # one that is still to come ends what has begun
            conditions.pop()
            self.until.append("later")
        waits, waited, open_ = self.waited()
        self.until += open_
        ends = self.told(
            self.rows_of(reached, self.carried), [*looks, *waits], [*conditions, *waited], self.carried
        )  # fmt: skip
        columns = [(name, b.column(name)) for name in ("contact", "t", *self.until)]
        return self.cte("ends of chains", b.select([*columns, ("first_t", b.column("begun"))], ends.subquery("ended")))
