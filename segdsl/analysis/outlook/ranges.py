"""What a value may be while `now` moves on: ranges, their arithmetic, and comparisons that may stay open.

An answer about a stretch of time is True or False if it is that throughout, else None: open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from segdsl import types
from segdsl.core.nodes import CompareOp
from segdsl.types import Type

Answer = bool | None


@dataclass(frozen=True, slots=True)
class Range:
    """Some value from `low` to `high` in the Python form of its type, or, if `unknown`, perhaps none.

    low, high: both None if it is surely unknown. They may lie wider than the values that there are, never closer.
    """

    low: Any
    high: Any
    unknown: bool = False

    @property
    def exact(self) -> bool:
        """Whether it is one value (or surely unknown) throughout."""
        return self.low is None or (not self.unknown and bool(self.low == self.high))


UNKNOWN = Range(None, None, True)


def exactly(value: Any) -> Range:
    """One value throughout; None is unknown."""
    return UNKNOWN if value is None else Range(value, value)


def among(values: Iterable[Any], unknown: bool) -> Range:
    """Any of some values, which may be none."""
    found = list(values)
    return Range(min(found), max(found), unknown) if found else UNKNOWN


def both(answers: Iterable[Answer]) -> Answer:
    """`and`: False as soon as one is; answers behind it are not asked for."""
    result: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def opposite(answer: Answer) -> Answer:
    """`not`."""
    return None if answer is None else not answer


def compare(op: CompareOp, left: Range, right: Range) -> Answer:
    """Whether both are known and in this relation. The two are in one unit; see `in_unit`."""
    if left.low is None or right.low is None:
        return False
    match op:
        case "=":
            possible = left.low <= right.high and right.low <= left.high
            sure = left.low == left.high == right.low == right.high
        case "<":
            possible, sure = left.low < right.high, left.high < right.low
        case "<=":
            possible, sure = left.low <= right.high, left.high <= right.low
        case ">":
            possible, sure = left.high > right.low, left.low > right.high
        case ">=":
            possible, sure = left.high >= right.low, left.low >= right.high
        case _:
            assert_never(op)
    if not possible:
        return False
    return True if sure and not left.unknown and not right.unknown else None


def in_unit(value: Range, own: Type, other: Type) -> Range:
    """A number in the unit in which it is compared with one of type `other`: the larger scale, or doubles."""
    if value.low is None or not isinstance(own, types.Number):
        return value
    if isinstance(other, types.Float):
        return Range(value.low / 10**own.scale, value.high / 10**own.scale, value.unknown)
    return scaled(value, own, max(own.scale, other.scale if isinstance(other, types.Number) else 0))


def scaled(value: Range, own: Type, scale: int) -> Range:
    """A number at a larger scale."""
    if value.low is None or not isinstance(own, types.Number) or own.scale == scale:
        return value
    factor = 10 ** (scale - own.scale)
    return Range(value.low * factor, value.high * factor, value.unknown)


def arithmetic(op: Literal["+", "-", "*"], left: Range, right: Range) -> Range:
    """The exact result, both sides scaled for it."""
    if left.low is None or right.low is None:
        return UNKNOWN
    unknown = left.unknown or right.unknown
    match op:
        case "+":
            return Range(left.low + right.low, left.high + right.high, unknown)
        case "-":
            return Range(left.low - right.high, left.high - right.low, unknown)
        case "*":
            return among((a * b for a in (left.low, left.high) for b in (right.low, right.high)), unknown)
    assert_never(op)
