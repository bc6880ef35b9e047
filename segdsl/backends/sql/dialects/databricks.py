"""Databricks SQL: written for people, never executed there.

It is Spark, but a SQL warehouse takes few of the settings that `spark` relies on, so that the text has to do without:
only the session's time zone must be UTC. Decimals then lose places beyond the sixth where a result could be longer
than 38 digits. `$` might begin a parameter: in literals it is written as its escape.
"""

from __future__ import annotations

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import shown
from segdsl.backends.sql.dialects.documents import Kind, ReadsJSON
from segdsl.backends.sql.dialects.dollars import without_dollars
from segdsl.core.time import Period

_PLACES = 6  # of a product, if it could have more than 38 digits
_END = "segdsl"  # behind a JSON text, to see that nothing else is


class Databricks(ReadsJSON):
    """TIMESTAMP in a session at UTC; DECIMAL of 38 digits; VARIANT for JSON."""

    name = printer = "databricks"
    title = "Databricks"
    instant_type = "TIMESTAMPTZ"  # as DuckDB calls a TIMESTAMP
    widest = 37  # so that a sum of two still has all its places

    def text(self, tree: Node) -> str:
        return "/* for a session with SET TIME ZONE 'UTC' */\n" + without_dollars(tree.copy(), super().text)

    # --- time ------------------------------------------------------------------------------------------------------

    def instant(self, moment: int) -> Node:
        return b.cast(b.literal(shown(moment) + "Z"), self.instant_type)

    def micros(self, x: Node) -> Node:
        return self.sql("UNIX_MICROS(_x)", x=x)

    def since_1970(self, microseconds: Node) -> Node:
        return self.sql("TIMESTAMP_MICROS(_n)", n=microseconds)

    def current(self) -> Node:
        return self.sql("CURRENT_TIMESTAMP()")

    def later(self, x: Node, unit: str, count: int) -> Node:
        return b.paren(self.sql(f"_x + INTERVAL '{count}' {unit}", x=x))

    def zoned(self, x: Node, zone: str) -> Node:
        return self.sql("FROM_UTC_TIMESTAMP(_x, _z)", x=x, z=b.literal(zone))

    def unzoned(self, x: Node, zone: str) -> Node:
        return self.sql("TO_UTC_TIMESTAMP(_x, _z)", x=x, z=b.literal(zone))

    def from_local(self, x: Node, zone: str) -> Node:
        # the earlier of two, moved forward over a gap, as in Spark
        return x if zone == "UTC" else self.unzoned(x, zone)

    def truncated(self, x: Node, unit: Period) -> Node:
        return self.sql(f"DATE_TRUNC('{unit.upper()}', _x)", x=x)

    # --- numbers -------------------------------------------------------------------------------------------------

    def times(self, left: Node, right: Node) -> Node:
        places = sum(int(side.to.expressions[1].name) for side in (left, right))
        if places <= _PLACES:
            return super().times(left, right)
        digits = [self.sql("CAST(REPLACE(CAST(_x AS STRING), '.', '') AS DECIMAL(37, 0))", x=x) for x in (left, right)]
        return self.sql(f"CAST(CONCAT(CAST(_x * _y AS STRING), 'E-{places}') AS DECIMAL(38, {places}))",
                        x=digits[0], y=digits[1])  # fmt: skip

    def summed(self, x: Node, of: types.Number) -> Node:
        return super().summed(x if of.scale else self.wide(x, 0, 0), of)  # a sum of BIGINTs is one, too

    def finite(self, x: Node) -> Node:
        return self.sql("CASE WHEN NOT ISNAN(_x) THEN _x + 0e0 END", x=x)

    # --- texts and JSON ------------------------------------------------------------------------------------------

    def safe(self, x: Node, kind: str) -> Node:
        return self.sql(f"TRY_CAST(_x AS {self.cast(b.NULL(), kind).to.sql('databricks')})", x=x)

    def matches(self, x: Node, pattern: str) -> Node:
        return self.sql("_x RLIKE _p", x=x, p=b.literal(rf"\A({pattern})\z"))

    def found(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_SUBSTR(_x, _p)", x=x, p=b.literal(pattern))

    def shifted(self, x: Node, minutes: Node) -> Node:
        return self.sql("TIMESTAMP_MICROS(UNIX_MICROS(_x) - _m * 60000000)", x=x, m=b.paren(minutes))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        document = self.json_of(self.sql("CAST(_x AS STRING)", x=x))  # which a VARIANT may become, too
        for key in path:
            document = self.sql("TRY_ELEMENT_AT(TRY_CAST(_x AS MAP<STRING, VARIANT>), _k)", x=document, k=b.text(key))
        return document

    def is_json(self, x: Node, kind: Kind) -> Node:
        schema = self.sql("SCHEMA_OF_VARIANT(_x)", x=x)
        if kind == "number":
            return self.sql("_s RLIKE '^(BIGINT|DECIMAL|DOUBLE|FLOAT)'", s=schema)
        if kind == "array":
            return self.sql("_s LIKE 'ARRAY<%'", s=schema)
        return b.compare("=", schema, b.literal(kind.upper()))

    def words(self, x: Node) -> Node:
        return self.sql("CAST(_x AS STRING)", x=x)

    def json_of(self, x: Node) -> Node:
        # PARSE_JSON stops behind the first value and does not see what follows.
        listed = self.sql("TRY_CAST(TRY_PARSE_JSON(CONCAT('[', _x, _e)) AS ARRAY<VARIANT>)", x=x,
                          e=b.literal(f', "{_END}"]'))  # fmt: skip
        return self.sql(
            "CASE WHEN CAST(TRY_ELEMENT_AT(_l, 2) AS STRING) = _e THEN TRY_ELEMENT_AT(_l, 1) END",
            l=listed, e=b.literal(_END),
        )  # fmt: skip

    def list_of(self, x: Node) -> Node:
        return self.sql(
            "TRANSFORM(FILTER(TRY_CAST(_x AS ARRAY<VARIANT>), item -> SCHEMA_OF_VARIANT(item) = 'STRING'),"
            " item -> CAST(item AS STRING))",
            x=x,
        )

    def shortest(self, words: Node) -> Node:
        return words  # a VARIANT keeps a number's own digits
