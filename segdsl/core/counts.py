"""Comparisons of how many events there are with a number, which can be answered by less than all of the events."""

from __future__ import annotations

from typing import NamedTuple

from segdsl.core.nodes import Compare, CompareOp, Const, Measure, Rule
from segdsl.types import INT


class Counted(NamedTuple):
    """`measure op number`: one that counts events, and a whole number."""

    op: CompareOp
    measure: Measure
    number: int

    @property
    def leasts(self) -> list[int]:
        """What the count is to be at least wherever the answer turns: 4 for `> 3`, 3 and 4 for `= 3`."""
        match self.op:
            case ">=" | "<":
                return [self.number]
            case ">" | "<=":
                return [self.number + 1]
            case "=":
                return [self.number, self.number + 1]


def counted(rule: Rule) -> Counted | None:
    """A rule as a comparison of how many events there are with a whole number, if it is one."""
    match rule:
        case Compare(op=op, left=Measure() as measure, right=Const(type=type, value=int() as number)):
            return Counted(op, measure, number) if type == INT and measure.of_events else None
    return None
