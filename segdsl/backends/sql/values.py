"""Values as SQL expressions, NULL where a value is unknown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import assert_never

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.clock import Clock
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.backends.sql.names import Names
from segdsl.backends.sql.reading import Reading
from segdsl.core import nodes
from segdsl.core.program import Program

ZERO_OVER_NOTHING = {"count", "sum", "distinct"}
SMALL = 2**31  # below this, whole numbers add up in the type that literals have everywhere


class Values(ABC):
    """Writes values for one statement, which asks at the time of a clock.

    facts: the table of all measures, if they have been joined into one.
    """

    def __init__(
        self,
        names: Names,
        program: Program,
        dialect: Dialect,
        reading: Reading,
        clock: Clock,
        facts: str | None = None,
    ) -> None:
        self.names, self.program, self.dialect, self.reading = names, program, dialect, reading
        self.clock, self.facts = clock, facts

    @abstractmethod
    def rule(self, rule: nodes.Rule) -> Node:
        """A rule inside a value: the condition of a score's line. It may be NULL instead of FALSE."""

    def value(self, value: nodes.Value, plain: bool = False) -> Node:
        """The expression of a value; with `plain` a count over no events may be NULL instead of 0."""
        match value:
            case nodes.Const():
                return self.const(value)
            case nodes.Attribute() | nodes.Held():
                return b.column(self.names.attributes[value][0], self.contact)
            case nodes.Property():
                return b.column(self.names.properties[value.key])
            case nodes.PeriodOf():
                return self.dialect.from_local(self.told(value), value.zone)
            case nodes.Folded():
                return self.dialect.folded(self.value(value.text))
            case nodes.Arithmetic():
                return self.arithmetic(value)
            case nodes.Measure():
                table, name = self.names.measures[value]
                node = b.column(name, self.facts or table)
                if isinstance(value.of, nodes.PeriodOf) and value.kind not in ZERO_OVER_NOTHING:
                    return self.dialect.from_local(node, value.of.zone)
                if value.kind not in ZERO_OVER_NOTHING or plain:
                    return node
                assert isinstance(value.type, types.Number)
                return b.coalesce(node, self.dialect.sized(b.number(0), value.type))
            case nodes.Points():
                return self.points(value)
            case nodes.ScoreOf():
                return self.points(self.program.scores[value.name])
            case _:
                assert_never(value)

    def told(self, value: nodes.Property | nodes.PeriodOf) -> Node:
        """What events are told apart by: of a period the clock that its zone shows, as good as its instant there."""
        if isinstance(value, nodes.PeriodOf):
            return self.dialect.truncated(self.dialect.to_local(b.column("t"), value.zone), value.unit)
        return self.value(value)

    def const(self, value: nodes.Const) -> Node:
        """A literal of a core constant."""
        match value.type:
            case types.Bool():
                return b.TRUE() if value.value else b.FALSE()
            case types.Number():
                return self.dialect.sized(self.dialect.number(int(value.value), value.type.scale), value.type)
            case types.Float():
                return b.double(float(value.value))
            case types.Timestamp() | types.Date():
                return self.dialect.instant(int(value.value))
            case _:
                return b.text(str(value.value))

    def arithmetic(self, value: nodes.Arithmetic) -> Node:
        """Both sides as wide as can be, so that nothing overflows before the result does, and nothing rounds."""
        left, right = self.value(value.left), self.value(value.right)
        assert isinstance(value.left.type, types.Number) and isinstance(value.right.type, types.Number)
        a, c = value.left.type.scale, value.right.type.scale
        if value.op == "*":
            product = self.dialect.times(self.dialect.wide(left, a, a), self.dialect.wide(right, c, c))
            return self.dialect.sized(product, value.type)
        target = value.type.scale
        wide = self.dialect.wide(left, a, target), self.dialect.wide(right, c, target)
        found = self.dialect.plus(*wide) if value.op == "+" else self.dialect.minus(*wide)
        return self.dialect.sized(found, value.type)

    def points(self, points: nodes.Points) -> Node:
        """The sum of a score's lines, or of a regularity's periods."""
        scale = points.type.scale
        fixed = all(award.per is None for award in points.awards)
        small = fixed and not scale and sum(abs(award.points) for award in points.awards) < SMALL
        lines: list[Node] = []
        for award in points.awards:
            if award.per is None:
                line = self.dialect.number(award.points, scale)
            else:
                assert isinstance(award.per.type, types.Number)
                each, digits = award.points, scale
                while digits + award.per.type.scale > scale:  # 0.50 points per 1.00: the product has the line's scale
                    each, digits = each // 10, digits - 1
                factor = self.dialect.number(each, max(digits, 0))
                per = self.dialect.wide(self.value(award.per), award.per.type.scale, award.per.type.scale)
                line = self.dialect.times(per, self.dialect.wide(factor, max(digits, 0), max(digits, 0)))
                if not certain(award.per):
                    line = b.coalesce(line, self.dialect.number(0, scale))
                if award.cap is not None:
                    line = b.extreme(exp.Least, [line, self.dialect.number(award.cap, scale)])
            if award.rule is not None:
                line = b.case([(self.rule(award.rule), line)], self.dialect.number(0, scale))
            lines.append(line if small else self.dialect.wide(line, scale, scale))
        if not lines:
            return self.dialect.number(0, scale)
        add = b.added if small else self.dialect.plus
        while len(lines) > 1:  # balanced, like every long chain
            pairs = [lines[i : i + 2] for i in range(0, len(lines), 2)]
            lines = [b.paren(add(*pair)) if len(pair) == 2 else pair[0] for pair in pairs]
        return self.dialect.sized(lines[0], points.type)

    # --- units ---------------------------------------------------------------------------------------------------

    def aligned(self, left: nodes.Value, right: nodes.Value) -> tuple[Node, Node]:
        """Two Numbers in one scale, so that the engine compares them exactly."""
        assert isinstance(left.type, types.Number) and isinstance(right.type, types.Number)
        sides, kinds = (self.value(left), self.value(right)), (left.type, right.type)
        scale = max(kind.scale for kind in kinds)
        most = types.Number(scale, max(kind.limit * 10 ** (scale - kind.scale) for kind in kinds))
        if left.type.scale != right.type.scale:
            a, c = (self.dialect.wide(side, kind.scale, scale) for side, kind in zip(sides, kinds, strict=True))
            sides = a, c
        return self.dialect.sized(sides[0], most), self.dialect.sized(sides[1], most)

    def double(self, value: nodes.Value) -> Node:
        """A number as a double, for comparison with a Float."""
        if isinstance(value, nodes.Const):
            scale = value.type.scale if isinstance(value.type, types.Number) else 0
            return b.double(float(Fraction(value.value) / 10**scale))
        node = self.value(value)
        return self.dialect.to_double(node, value.type.scale) if isinstance(value.type, types.Number) else node

    # --- places --------------------------------------------------------------------------------------------------

    @property
    def contact(self) -> str:
        """The table that holds the contact's row."""
        return self.facts or self.names.contact

    def identity(self) -> Node:
        """The contact's key."""
        return b.column("id", self.contact)

    def place(self, value: nodes.Value) -> tuple[Node, Node]:
        """The latitude and the longitude of a Geo attribute, in degrees."""
        assert isinstance(value, nodes.Attribute | nodes.Held)
        latitude, longitude = self.names.attributes[value]
        return b.column(latitude, self.contact), b.column(longitude, self.contact)


def certain(value: nodes.Value) -> bool:
    """Whether a value is never unknown."""
    match value:
        case nodes.Const() | nodes.Points() | nodes.ScoreOf():
            return True
        case nodes.Measure():
            return value.kind in ZERO_OVER_NOTHING
        case nodes.Arithmetic():
            return certain(value.left) and certain(value.right)
    return False
