"""Redshift: written for people, never executed there.

It takes no notice of blanks at the end of a text where texts are compared. So a text that ends in a blank is given a
CHR(1) behind it when it is read, and a literal likewise; keys, and what tells kinds of events apart, stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Feature
from segdsl.backends.sql.dialects.emitted import Emitted
from segdsl.core import nodes
from segdsl.core.time import Period
from segdsl.types import Type


class Redshift(Emitted):
    """TIMESTAMP that shows UTC; DECIMAL of 38 digits; SUPER for lists."""

    name = printer = "redshift"
    title = "Redshift"
    cannot: ClassVar[Mapping[Feature, str]] = {
        "json": "Redshift finds a name in a SUPER by its case or without it, as the session is set: "
        "map the columns of a view that takes the values out"
    }

    def finished(self, tree: Node) -> Node:
        for literal in list(tree.find_all(exp.Literal)):
            if literal.meta.get("bound") and literal.name.endswith(" ") and _compared(literal):
                literal.replace(_marked(literal.copy()))
        return tree

    # --- time ------------------------------------------------------------------------------------------------------

    def micros(self, x: Node) -> Node:
        return self.sql("DATEDIFF(MICROSECOND, CAST('1970-01-01' AS TIMESTAMP), _x)", x=x)

    def since_1970(self, microseconds: Node) -> Node:
        # In steps, because DATEADD takes counts of 32 bits.
        return self.sql(
            "DATEADD(MICROSECOND, CAST(_n % 1000000 AS INTEGER), DATEADD(SECOND, CAST(_n / 1000000 % 86400 AS INTEGER),"
            " DATEADD(DAY, CAST(_n / 86400000000 AS INTEGER), CAST('1970-01-01' AS TIMESTAMP))))",
            n=microseconds,
        )

    def current(self) -> Node:
        return self.sql("CAST(SYSDATE AS TIMESTAMPTZ) AT TIME ZONE 'UTC'")

    def later(self, x: Node, unit: str, count: int) -> Node:
        return self.sql(f"DATEADD({unit}, {count}, _x)", x=x)

    def zoned(self, x: Node, zone: str) -> Node:
        return self.sql("CONVERT_TIMEZONE('UTC', _z, _x)", x=x, z=b.literal(zone))

    def unzoned(self, x: Node, zone: str) -> Node:
        return self.sql("CONVERT_TIMEZONE(_z, 'UTC', _x)", x=x, z=b.literal(zone))

    def truncated(self, x: Node, unit: Period) -> Node:
        return self.sql(f"DATE_TRUNC('{unit.upper()}', _x)", x=x)

    # --- texts and lists -----------------------------------------------------------------------------------------

    def bare(self, physical: str, declared: Type) -> bool:
        return not isinstance(declared, types.String) and super().bare(physical, declared)

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        match declared:
            case types.String() | types.Enum():
                marked = b.case([(self.sql("_x LIKE '% '", x=x), _marked(x.copy()))], x.copy())
                return self.labelled(marked, declared)
            case types.ListOf():
                return self.sql("CASE WHEN IS_ARRAY(_x) THEN _x END", x=x)
        return super().convert(x, physical, declared, zone)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        x.meta["key"] = True
        return x

    def like(self, x: Node, glob: Sequence[str | nodes.Wild]) -> Node:
        return super().like(self.sql("RTRIM(_x, CHR(1))", x=x), glob)


def _marked(x: Node) -> Node:
    """A text that ends in a blank, as it is compared."""
    return b.template("_x || CHR(1)", "redshift", x=x)


def _compared(literal: Node) -> bool:
    """Whether a literal is compared with what `convert` has read."""
    return isinstance(literal.parent, exp.EQ | exp.In) and not literal.parent.this.meta.get("key")
