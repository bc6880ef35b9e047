"""For databases whose own types do not reach: instants as whole microseconds, numbers as whole last decimal places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.core.time import clamp, transitions

Steps = Sequence[tuple[int, int]]  # (from which value on, what holds then), ascending


class WholeInstants(Dialect):
    """Canonical instants are BIGINT: microseconds since 1970 UTC. Zones are tables of their changes of offset."""

    instant_type: ClassVar[str] = "BIGINT"

    def instant(self, moment: int) -> Node:
        return b.number(clamp(moment))

    def interval(self, microseconds: int) -> Node:
        return b.number(microseconds)

    def micros(self, x: Node) -> Node:
        return x

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else b.paren(b.added(x, self.steps(x.copy(), *offsets_at(zone))))

    def from_local(self, x: Node, zone: str) -> Node:
        if zone == "UTC":
            return x
        return b.paren(exp.Sub(this=b.operand(x), expression=b.paren(self.steps(x.copy(), *offsets_shown(zone)))))

    def steps(self, x: Node, first: int, changes: Steps) -> Node:
        """What holds at `x`: a CASE that halves the changes again and again."""
        if not changes:
            return b.number(first)
        middle = len(changes) // 2
        at, after = changes[middle]
        earlier = self.steps(x.copy(), first, changes[:middle])
        return b.case([(b.compare("<", x, b.number(at)), earlier)], self.steps(x.copy(), after, changes[middle + 1 :]))

    def bare_time(self, physical: str) -> bool:
        return False


def offsets_at(zone: str) -> tuple[int, Steps]:
    """By how much clocks are ahead of UTC: at first, and from which instants on."""
    first, changes = transitions(zone)
    return first, [(at, after) for at, _, after in changes]


def offsets_shown(zone: str) -> tuple[int, Steps]:
    """By how much clocks that show a time are ahead of UTC: at first, and from which times on.

    Until clocks show what they would have shown without the change, or what they show because of it, whichever is
    later, the offset before it tells the earlier of two instants and moves forward over a gap.
    """
    first, changes = transitions(zone)
    return first, [(at + max(before, after), after) for at, before, after in changes]


class ScaledNumbers(Dialect):
    """Canonical numbers are whole: 12.50 of `decimal(18,2)` is 1250."""

    def number(self, scaled: int, scale: int) -> Node:
        return b.number(scaled)

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return self.times(x, b.number(10 ** (target - scale))) if target > scale else x

    def python(self, value: object, declared: types.Type) -> object:
        if isinstance(declared, types.Number):
            return None if value is None else int(value)  # type: ignore[call-overload]
        return super().python(value, declared)
