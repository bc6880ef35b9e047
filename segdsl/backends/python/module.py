"""The text of a generated module: constants, instants of `now`, functions.

Text out of a rule reaches the generated source only as `repr` of a constant or as a cleaned comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.columns import ColumnPlan
from segdsl.backends.python.plan import Plan, SlotPlan
from segdsl.backends.python.sliding import SlidePlan
from segdsl.core.nodes import (
    Branch,
    Chain,
    Measure,
    PeriodOf,
    Property,
)
from segdsl.core.time import At, Edge, FromNow, Span
from segdsl.core.walking import asks_now


def comment(words: str) -> list[str]:
    """Comment lines with the words of a rule; nothing in them can end the comment."""
    lines = re.split(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+", words.strip())
    return ["# " + "".join(c if c.isprintable() else "?" for c in line) for line in lines if line.strip()]


class Module:
    """Collects the parts of one generated module. Names are made here, so none of them comes from a rule."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.constants: dict[tuple[type, str], str] = {}
        self.functions: list[str] = []
        self.wheres: dict[int, list[str | None]] = {}
        self.chains: dict[Chain, int] = {}
        self._edges: dict[tuple[Edge, bool], int] = {}
        self._slots: dict[tuple[Branch, ...], int] = {}
        self._columns: dict[tuple[object, ...], int] = {}
        self._slides: dict[SlidePlan, int] = {}
        self._names = 0

    def name(self, prefix: str) -> str:
        """A new function's name."""
        self._names += 1
        return f"{prefix}_{self._names}"

    def constant(self, value: object) -> str:
        """The module's name for a constant: text, numbers, and tuples and frozensets of them."""
        if isinstance(value, frozenset):
            # In order, so that the same rule gives the same source every time.
            text = f"frozenset(({''.join(repr(v) + ', ' for v in sorted(value, key=repr))}))"
        else:
            text = repr(value)
        return self.constants.setdefault((type(value), text), f"K{len(self.constants)}")

    def regex(self, pattern: str) -> str:
        """The module's name for the `fullmatch` of a pattern."""
        text = f"regex({pattern!r})"
        return self.constants.setdefault((re.Pattern, text), f"K{len(self.constants)}")

    def edge(self, edge: Edge, cut: bool) -> str:
        """An expression for an edge at `now`; `cut`: no later than `now`."""
        match edge:
            case FromNow(microseconds=0, months=0):
                return "now"
            case At(instant) if not cut:
                return repr(instant)
            case FromNow(microseconds=step, months=months) if step <= 0 and months <= 0:
                cut = False
        return f"s[{self._edges.setdefault((edge, cut), len(self._edges))}]"

    def resolve(self, now: int) -> tuple[int, ...]:
        """Every edge of the program at `now`: what the generated functions call `s`."""
        return tuple(min(edge.resolve(now), now) if cut else edge.resolve(now) for edge, cut in self._edges)

    def slot(self, branches: tuple[Branch, ...]) -> tuple[int, bool]:
        """The number of a filter, and whether it is new."""
        known = self._slots.get(branches)
        if known is not None:
            return known, False
        number = self._slots[branches] = len(self._slots)
        dated = any(asks_now(branch) for branch in branches)
        self.plan.slots.append(SlotPlan([(branch.kind, None) for branch in branches], dated))
        return number, True

    def column(
        self, slot: int, of: Property | PeriodOf | None, same: tuple[Property | PeriodOf, ...], sums: bool
    ) -> int:
        """The number of a column of values beside a slot."""
        key = (slot, of, same, sums)
        if key not in self._columns:
            self._columns[key] = len(self._columns)
            self.plan.columns.append(ColumnPlan(slot, of, same, sums))
        return self._columns[key]

    def slide(self, plan: SlidePlan) -> int:
        """The number of a measure over a window that moves on."""
        if plan not in self._slides:
            self._slides[plan] = len(self._slides)
            self.plan.slides.append(plan)
        return self._slides[plan]

    def chain(self, chain: Chain, plan: ChainPlan) -> int:
        """The number of a sequence."""
        if plan not in self.plan.chains:
            self.plan.chains.append(plan)
        return self.chains.setdefault(chain, self.plan.chains.index(plan))

    def source(self) -> str:
        """The whole module."""
        lines = [f"{name} = {text}" for (_, text), name in self.constants.items()]
        return "\n".join(lines) + "\n\n\n" + "\n\n\n".join(self.functions) + "\n"


def first_words(nodes: Iterable[object]) -> str:
    """The words of the first measure or sequence that has any."""
    return next((node.words for node in nodes if isinstance(node, Measure | Chain) and node.words), "")


def event_bounds(module: Module, span: Span | None) -> tuple[str, str]:
    """Expressions for the two ends of a span of events, unbounded as BEGIN; None for events without a time."""
    if span is None:
        return "BEGIN", "LATEST"
    lo = "BEGIN" if span.lo is None else module.edge(span.lo, False)
    hi = "now" if span.hi is None else module.edge(span.hi, True)
    return lo, hi
