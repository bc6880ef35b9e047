"""Snowflake: written for people, never executed here.

Its documentation on what matters: an unquoted name is stored in capitals, so what is quoted only because it is a
reserved word is meant in capitals, too; a product has at most 12 decimal places unless a factor has more; weeks begin
as the session says, so that they are counted here from `DAYOFWEEKISO`.
"""

from __future__ import annotations

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.documents import Kind, ReadsJSON
from segdsl.core.time import Period

_KINDS = {"string": ["VARCHAR"], "number": ["INTEGER", "DECIMAL", "DOUBLE"], "boolean": ["BOOLEAN"], "array": ["ARRAY"]}
_PLACES = 12  # of a product


class Snowflake(ReadsJSON):
    """TIMESTAMP_NTZ that shows UTC; NUMBER of 38 digits; VARIANT for JSON."""

    name = printer = "snowflake"
    title = "Snowflake"
    instant_type = "TIMESTAMP(6)"

    def finished(self, tree: Node) -> Node:
        for name in tree.find_all(exp.Identifier):
            if name.args.get("quoted") and b.plain(name.name):
                name.set("this", name.name.upper())
        return tree

    # --- time ------------------------------------------------------------------------------------------------------

    def micros(self, x: Node) -> Node:
        return self.sql("DATE_PART(EPOCH_MICROSECOND, _x)", x=x)

    def since_1970(self, microseconds: Node) -> Node:
        return self.sql("DATEADD(MICROSECOND, _n, CAST('1970-01-01' AS TIMESTAMP_NTZ(6)))", n=microseconds)

    def current(self) -> Node:
        return self.sql("CAST(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP()) AS TIMESTAMP_NTZ(6))")

    def later(self, x: Node, unit: str, count: int) -> Node:
        return self.sql(f"DATEADD({unit}, {count}, _x)", x=x)

    def zoned(self, x: Node, zone: str) -> Node:
        return self.sql("CONVERT_TIMEZONE('UTC', _z, _x)", x=x, z=b.literal(zone))

    def unzoned(self, x: Node, zone: str) -> Node:
        return self.sql("CONVERT_TIMEZONE(_z, 'UTC', _x)", x=x, z=b.literal(zone))

    def truncated(self, x: Node, unit: Period) -> Node:
        if unit == "week":
            return self.sql("DATEADD(DAY, 1 - DAYOFWEEKISO(_x), DATE_TRUNC('DAY', _x))", x=x)
        return self.sql(f"DATE_TRUNC('{unit.upper()}', _x)", x=x)

    # --- numbers -------------------------------------------------------------------------------------------------

    def times(self, left: Node, right: Node) -> Node:
        scales = [_scale(side) for side in (left, right)]
        if sum(scales) <= _PLACES:
            return super().times(left, right)
        # The product of whole numbers is exact, and so is what is moved behind the point by a factor with its scale.
        whole = [self.sql("CAST(_x * _n AS DECIMAL(38, 0))", x=side, n=b.number(10**scale))
                 for side, scale in zip((left, right), scales, strict=True)]  # fmt: skip
        return self.sql("_x * _y * _n", x=whole[0], y=whole[1], n=b.number(1, sum(scales)))

    # --- texts and JSON ------------------------------------------------------------------------------------------

    def safe(self, x: Node, kind: str) -> Node:
        return self.sql(f"TRY_CAST(_x AS {kind.replace('TIMESTAMP', 'TIMESTAMP_NTZ')})", x=x)

    def matches(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_LIKE(_x, _p)", x=x, p=b.literal(f"({pattern})"))

    def found(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_SUBSTR(_x, _p)", x=x, p=b.literal(pattern))

    def shifted(self, x: Node, minutes: Node) -> Node:
        return self.sql("DATEADD(MINUTE, -_m, _x)", x=x, m=b.paren(minutes))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        document = self.json_of(self.sql("CAST(_x AS VARCHAR)", x=x))  # which a VARIANT may become, too
        for key in path:
            document = exp.Bracket(this=document, expressions=[b.text(key)])
        return document

    def is_json(self, x: Node, kind: Kind) -> Node:
        return b.one_of(self.sql("TYPEOF(_x)", x=x), [b.literal(name) for name in _KINDS[kind]])

    def words(self, x: Node) -> Node:
        return self.sql("CAST(_x AS VARCHAR)", x=x)

    def json_of(self, x: Node) -> Node:
        return self.sql("TRY_PARSE_JSON(_x)", x=x)

    def list_of(self, x: Node) -> Node:
        return self.sql("CAST(_x AS ARRAY)", x=x)

    def shortest(self, words: Node) -> Node:
        return words  # a VARIANT keeps a number's own digits


def _scale(wide: Node) -> int:
    """The decimal places of a number that `wide` has made."""
    return int(wide.to.expressions[1].name)
