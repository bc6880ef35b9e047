"""What those dialects share whose text is written for people, and never executed by this project.

They know no live schema: a column is taken to be of the one type that stands for what the catalog declares.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import EPOCHS, INTERVALS, Dialect, decimal_digits
from segdsl.core.time import DAY as ONE_DAY
from segdsl.core.time import FIRST, LAST, Period
from segdsl.types import INT, Type


class Emitted(Dialect):
    """The dialect's own spellings are asked for one by one."""

    ranges = False  # some have no RANGE frame over time, the others not for every length of it
    clock_type: ClassVar[str] = ""  # of clocks, as DuckDB spells it; where it is not `instant_type`
    nulls_first: ClassVar[bool] = False  # whether NULLs come first where nothing is said about them

    def sql(self, source: str, **slots: Node) -> Node:
        """`build.template` in this dialect's own SQL."""
        return b.template(source, self.printer, **slots)

    def finished(self, tree: Node) -> Node:
        # There are no NULLs in the result, nor in the times by which rows are counted or looked back on from each
        # other: nothing need be said about them, which not every database could read.
        if self.nulls_first:
            counted = [w.args.get("order") for w in tree.find_all(exp.Window) if isinstance(w.this, exp.AggFunc)]
            for order in [tree.args["order"], *filter(None, counted)]:
                for each in order.expressions:
                    each.set("nulls_first", True)
        return tree

    # --- time ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def later(self, x: Node, unit: str, count: int) -> Node:
        """An instant moved by so many DAYs, HOURs, MINUTEs, SECONDs or MICROSECONDs; count fits 32 bits."""

    @abstractmethod
    def zoned(self, x: Node, zone: str) -> Node:
        """The clock that a zone other than UTC shows at an instant."""

    @abstractmethod
    def unzoned(self, x: Node, zone: str) -> Node:
        """The instant when a zone other than UTC shows a clock; either one of two, and anything over a gap."""

    @abstractmethod
    def since_1970(self, microseconds: Node) -> Node:
        """An instant out of microseconds, whatever the sign, of the years 1 to 9999."""

    def moved(self, moment: Node, microseconds: int) -> Node:
        rest, sign = abs(microseconds), -1 if microseconds < 0 else 1
        for unit, size in {**INTERVALS, "MICROSECOND": 1}.items():
            count, rest = divmod(rest, size)
            if count:
                moment = self.later(moment, unit, sign * count)
        return moment

    def stepped(self, x: Node, unit: Period, periods: int) -> Node:
        count, word = {"quarter": (3, "MONTH"), "week": (7, "DAY")}.get(unit, (1, unit.upper()))
        return self.later(x, word, periods * count) if periods else x

    def since_month(self, x: Node, months: int) -> Node:
        # The databases' own steps stop at the end of a month that has no such day.
        return self.sql(
            "CASE WHEN EXTRACT(DAY FROM _y) = EXTRACT(DAY FROM _x) THEN _y ELSE _next END",
            x=x, y=self.stepped(x.copy(), "month", months),
            next=self.stepped(self.truncated(self.stepped(x.copy(), "month", months), "month"), "month", 1),
        )  # fmt: skip

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else self.zoned(x, zone)

    def from_local(self, x: Node, zone: str) -> Node:
        if zone == "UTC":
            return x
        # A day after the same clock time of the day before: where clocks show x twice, that is the earlier of the two,
        # and over a gap it is x moved forward. Anywhere else it may be wrong, and then x is shown only once.
        early = self.moved(self.unzoned(self.stepped(x.copy(), "day", -1), zone), ONE_DAY)
        only = self.unzoned(x, zone)
        shown = (b.compare("=", self.to_local(each.copy(), zone), x.copy()) for each in (early, only))
        return b.case([(next(shown), early.copy()), (next(shown), only)], early)

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        size = EPOCHS[unit]
        limits = exp.Between(this=b.operand(x), low=b.number(FIRST // size), high=b.number(LAST // size))
        whole = x.copy() if size == 1 else exp.Mul(this=b.operand(x.copy()), expression=b.number(size))
        return b.case([(limits, self.since_1970(whole))])

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        return self.from_local(x, zone)

    # --- stored columns ------------------------------------------------------------------------------------------

    def family(self, physical: str) -> str:
        return {"JSON": "json", "VARCHAR": "text"}.get(physical, "other")

    def physical_of(self, declared: Type) -> str:
        """As DuckDB spells it."""
        match declared:
            case types.Bool():
                return "BOOLEAN"
            case types.Number():
                return "BIGINT" if declared == INT else f"DECIMAL({decimal_digits(declared)}, {declared.scale})"
            case types.Float() | types.Geo():
                return "DOUBLE"
            case types.Timestamp():
                return self.instant_type
            case types.Date():
                return "DATE"
            case types.ListOf():
                return "VARCHAR[]"
        return "VARCHAR"

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        match declared:
            case types.Date():
                return self.from_local(self.cast(x, self.clock_type or self.instant_type), zone)
            case types.Float() | types.Geo():
                return self.finite(x)
            case types.Enum():
                return self.labelled(x, declared)
        return x

    def finite(self, x: Node) -> Node:
        """A double with one zero; NULL where it is no number."""
        return self.sql("CASE WHEN _x <> CAST('NaN' AS DOUBLE) THEN _x + 0e0 END", x=x)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        return x

    def key_text(self, x: Node, whole: bool) -> Node:
        return self.cast(x, "VARCHAR")

    def cast(self, x: Node, kind: str) -> Node:
        """CAST to a type as DuckDB spells it."""
        return b.cast(x, kind)

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        self.require("json")
        raise NotImplementedError
