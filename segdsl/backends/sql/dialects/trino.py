"""Trino: written for people, never executed there. Also for Starburst and Athena.

Its functions on time step by milliseconds and more; what is less goes by way of nanoseconds since 1970.
"""

from __future__ import annotations

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.documents import Kind, ReadsJSON
from segdsl.core.time import Period
from segdsl.types import INT


class Trino(ReadsJSON):
    """TIMESTAMP(6) that shows UTC; DECIMAL of 38 digits; JSON."""

    name = printer = "trino"
    title = "Trino"
    instant_type = "TIMESTAMP(6)"

    # --- time ------------------------------------------------------------------------------------------------------

    def micros(self, x: Node) -> Node:
        return self.sql(
            "DATE_DIFF('SECOND', CAST('1970-01-01' AS TIMESTAMP(6)), DATE_TRUNC('SECOND', _x)) * 1000000"
            " + CAST(SUBSTR(CAST(CAST(_x AS TIMESTAMP(6)) AS VARCHAR), -6) AS BIGINT)",
            x=x,
        )

    def since_1970(self, microseconds: Node) -> Node:
        return self.sql("CAST(FROM_UNIXTIME_NANOS(CAST(_n AS DECIMAL(38, 0)) * 1000) AS TIMESTAMP(6))", n=microseconds)

    def current(self) -> Node:
        return self.sql("CAST(AT_TIMEZONE(CURRENT_TIMESTAMP, 'UTC') AS TIMESTAMP(6))")

    def later(self, x: Node, unit: str, count: int) -> Node:
        if unit == "MICROSECOND":
            return self.since_1970(b.added(self.micros(x), b.number(count)))
        return self.sql(f"DATE_ADD('{unit}', {count}, _x)", x=x)

    def zoned(self, x: Node, zone: str) -> Node:
        return _at(x, "UTC", zone)

    def unzoned(self, x: Node, zone: str) -> Node:
        return _at(x, zone, "UTC")

    def truncated(self, x: Node, unit: Period) -> Node:
        return self.sql(f"DATE_TRUNC('{unit.upper()}', _x)", x=x)

    # --- numbers -------------------------------------------------------------------------------------------------

    def number(self, scaled: int, scale: int) -> Node:
        if abs(scaled) <= INT.limit or scale:
            return b.number(scaled, scale)
        return self.sql("CAST(_x AS DECIMAL(38, 0))", x=b.literal(str(scaled)))

    def summed(self, x: Node, of: types.Number) -> Node:
        return super().summed(x if of.scale else self.wide(x, 0, 0), of)  # a sum of BIGINTs is one, too

    def finite(self, x: Node) -> Node:
        return self.sql("CASE WHEN NOT IS_NAN(_x) THEN _x + 0e0 END", x=x)

    # --- texts and JSON ------------------------------------------------------------------------------------------

    def md5(self, x: Node, digits: int) -> Node:
        return self.sql(f"SUBSTRING(LOWER(TO_HEX(MD5(TO_UTF8(_x)))), 1, {digits})", x=x)

    def safe(self, x: Node, kind: str) -> Node:
        return self.sql(f"TRY_CAST(_x AS {kind})", x=x)

    def matches(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_LIKE(_x, _p)", x=x, p=b.literal(rf"^({pattern})\z"))

    def found(self, x: Node, pattern: str) -> Node:
        return self.sql("REGEXP_EXTRACT(_x, _p)", x=x, p=b.literal(pattern))

    def shifted(self, x: Node, minutes: Node) -> Node:
        return self.sql("DATE_ADD('MINUTE', -_m, _x)", x=x, m=b.paren(minutes))

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        stored = self.sql("CAST(_x AS JSON)", x=x)  # of a text it makes a JSON string
        text = self.sql("COALESCE(JSON_EXTRACT_SCALAR(_x, '$'), JSON_FORMAT(_x))", x=stored)
        document = self.json_of(text)
        for key in path:
            document = self.sql("ELEMENT_AT(TRY_CAST(_x AS MAP(VARCHAR, JSON)), _k)", x=document, k=b.text(key))
        return document

    def is_json(self, x: Node, kind: Kind) -> Node:
        text = self.sql("JSON_FORMAT(_x)", x=x)
        if kind == "boolean":
            return b.one_of(text, [b.literal("true"), b.literal("false")])
        if kind == "number":
            return self.sql("REGEXP_LIKE(_x, '^[-0-9]')", x=text)
        return self.sql("SUBSTRING(_x, 1, 1) = _c", x=text, c=b.literal('"' if kind == "string" else "["))

    def words(self, x: Node) -> Node:
        return self.sql("JSON_EXTRACT_SCALAR(_x, '$')", x=x)

    def json_of(self, x: Node) -> Node:
        return self.sql("TRY(JSON_PARSE(_x))", x=x)

    def list_of(self, x: Node) -> Node:
        return self.sql(
            "TRANSFORM(FILTER(CAST(_x AS ARRAY(JSON)), item -> SUBSTRING(JSON_FORMAT(item), 1, 1) = '\"'),"
            " item -> JSON_EXTRACT_SCALAR(item, '$'))",
            x=x,
        )


def _at(x: Node, zone: str, other: str) -> Node:
    """What clocks of another zone show when those of a zone show x."""
    return b.template(
        "CAST(AT_TIMEZONE(WITH_TIMEZONE(_x, _z), _o) AS TIMESTAMP(6))", "trino",
        x=x, z=b.literal(zone), o=b.literal(other),
    )  # fmt: skip
