"""What generated code asks of an `Index`, by number: filters, columns beside them, sequences, measures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.columns import ColumnPlan
from segdsl.backends.python.sliding import SlidePlan

K = TypeVar("K")
V = TypeVar("V")
Where = Callable[[Any, int, tuple[int, ...], int, Mapping[str, Any]], bool]  # of an `Index`, now, edges, and an event


@dataclass
class SlotPlan:
    """A filter: kinds of events, each with its test (None: all of them). `dated`: the tests ask for `now`."""

    branches: list[tuple[str, Where | None]]
    dated: bool


@dataclass
class Plan:
    """What an index holds, by number.

    functions: the generated segments and scores, and what else may be asked for. edges: of the program at a `now`, as
      its functions and the tests of filters take them.
    """

    slots: list[SlotPlan] = field(default_factory=list)
    columns: list[ColumnPlan] = field(default_factory=list)
    chains: list[ChainPlan] = field(default_factory=list)
    slides: list[SlidePlan] = field(default_factory=list)
    functions: list[Callable[[Any, int], Any]] = field(default_factory=list)
    edges: Callable[[int], tuple[int, ...]] = lambda now: ()

    @cached_property
    def filters_of(self) -> Mapping[str, Sequence[tuple[int, Where | None]]]:
        """Kind of event -> the slots that do not depend on `now` and take such events, each with its test."""
        return _listed(
            (kind, (number, where)) for number, slot in enumerate(self.slots) if not slot.dated
            for kind, where in slot.branches
        )  # fmt: skip

    @cached_property
    def columns_of(self) -> Mapping[int, Sequence[int]]:
        """Slot -> the columns beside it."""
        return _listed((plan.slot, number) for number, plan in enumerate(self.columns))

    @cached_property
    def chains_of(self) -> Mapping[tuple[int, bool], Sequence[int]]:
        """Slot, or column and True -> the sequences that look at it."""
        return _listed(
            ((source, plan.grouped), number) for number, plan in enumerate(self.chains) for source in plan.sources
        )

    @cached_property
    def slides_of(self) -> Mapping[tuple[int, bool], Sequence[int]]:
        """Slot, or column and True -> the measures over windows that move on which look at it."""
        return _listed(((plan.source, plan.beside), number) for number, plan in enumerate(self.slides))

    def dated_source(self, source: int, beside: bool) -> bool:
        """Whether a slot, or a column `beside` one, depends on `now`."""
        return self.slots[self.columns[source].slot if beside else source].dated

    @cached_property
    def dated_chains(self) -> set[int]:
        """The sequences that look at what depends on `now`."""
        return {
            number for number, plan in enumerate(self.chains)
            if any(self.dated_source(source, plan.grouped) for source in plan.sources)
        }  # fmt: skip


def _listed(pairs: Iterable[tuple[K, V]]) -> Mapping[K, Sequence[V]]:
    """Key -> its values; none for a key that does not come up."""
    found: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found
