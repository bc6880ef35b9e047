"""Spark SQL: how stored columns become canonical values there, and the few spellings that are its own.

Instants are TIMESTAMP in a session whose zone is UTC. TIMESTAMP_NTZ would need no such session, but nearly all times
in lakes are stored as TIMESTAMP, and only a bare column of the type that is compared lets Spark skip files and
partitions by it.

Measured on Spark 4.3 with Java 17:

- `to_utc_timestamp` takes the earlier of two instants and moves forward over a gap, as the language wants it;
- casts of text trim blanks, take `1e3` and `2026-3`, and cut what lies beyond microseconds: patterns stand before them;
- Java before 19 does not always give the shortest text of a float: see `shortest`;
- decimals of unlike scale are rounded, without a word, to meet in 38 digits, unless the session says otherwise: see
  `SETTINGS`; then what does not fit is an error;
- `parse_json` stops behind the first value and does not see what follows: see `json_at`;
- `${...}` is replaced inside of literals before anything is parsed: see `text`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from sqlglot import exp
from sqlglot.errors import SqlglotError

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import EPOCHS, Dialect, decimal_digits
from segdsl.backends.sql.dialects.dollars import without_dollars
from segdsl.backends.sql.dialects.texts import CLOCK, DAY, MIDNIGHT, OFFSET, PLAIN
from segdsl.core.time import FIRST, LAST
from segdsl.types import Type

# What a session must be set to for statements to mean what rules say.
SETTINGS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.legacy.decimal.retainFractionDigitsOnTruncate": "true",
    "spark.sql.variant.allowDuplicateKeys": "true",  # the last of them counts, as everywhere
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
}
_END = "segdsl"  # behind a JSON text, to see that nothing else is


def t(source: str, **slots: Node) -> Node:
    """A template in Spark's own words."""
    return b.template(source, dialect="spark", **slots)


class Spark(Dialect):
    """The dialect's conversions; `Dialect` says what each is for."""

    name = printer = "spark"
    title = "Apache Spark"
    executed = True
    unnests = inlines = True
    instant_type: ClassVar[str] = "TIMESTAMPTZ"  # as DuckDB spells Spark's TIMESTAMP

    # --- printing ------------------------------------------------------------------------------------------------

    def finished(self, tree: Node) -> Node:
        """Rows of an array come out of a query of their own: Spark takes no subquery inside of EXPLODE."""
        name_paths(tree, None)
        for explode in list(tree.find_all(exp.Explode)):
            query = explode.find_ancestor(exp.Select)
            if query is None or not isinstance(explode.this, exp.Array):
                continue
            inner = query.copy()
            for column in inner.expressions:
                if isinstance(column, exp.Alias) and isinstance(column.this, exp.Explode):
                    column.set("this", column.this.this)
            names = [column.alias_or_name for column in query.expressions]
            outer = [(name, b.column(name)) for name in names]
            outer = [(name, exp.Explode(this=node) if name == explode.parent.alias else node) for name, node in outer]
            query.replace(b.select(outer, inner.subquery("answers")))
        return tree

    def text(self, tree: Node) -> str:
        """For people, who may run it in any session: what it relies on stands before it."""
        needs = "".join(f"  SET {name} = {value};\n" for name, value in SETTINGS.items())
        shown = tree.copy()
        name_paths(shown, b.identifier("parquet"))  # read where they lie
        return f"/* for a session with\n{needs}*/\n" + without_dollars(shown, super().text)

    # --- instants and clocks -------------------------------------------------------------------------------------

    def micros(self, x: Node) -> Node:
        return t("UNIX_MICROS(_x)", x=x)

    def current(self) -> Node:
        return t("CURRENT_TIMESTAMP()")

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else exp.func("FROM_UTC_TIMESTAMP", x, b.literal(zone), dialect="duckdb")

    def from_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else exp.func("TO_UTC_TIMESTAMP", x, b.literal(zone), dialect="duckdb")

    # --- numbers and lists ---------------------------------------------------------------------------------------

    def summed(self, x: Node, of: types.Number) -> Node:
        # A sum of BIGINTs is one, too, and may not hold what other sums of the language do.
        return exp.Sum(this=x if of.scale else self.wide(x, 0, 0))

    def rows_of(self, values: list[Node]) -> Node:
        return exp.Explode(this=exp.Array(expressions=values))

    # --- stored columns ------------------------------------------------------------------------------------------

    def family(self, physical: str) -> str:
        kind = physical.upper().strip()
        if kind.startswith("DECIMAL"):
            return "decimal"
        if kind.startswith("STRING "):  # with a collation, by which `A` may be `a`
            return "label"
        if kind == "ARRAY<STRING>":
            return "list"
        if kind.startswith(("STRUCT<", "MAP<", "ARRAY<")):
            return "nested"
        return {
            "STRING": "text", "TINYINT": "int", "SMALLINT": "int", "INT": "int", "BIGINT": "int", "BOOLEAN": "bool",
            "FLOAT": "float", "DOUBLE": "float", "TIMESTAMP": "timestamptz", "TIMESTAMP_NTZ": "timestamp",
            "DATE": "date", "VARIANT": "json", "JSON": "json", "BINARY": "blob",
        }.get(kind, "other")  # fmt: skip

    def bare_time(self, physical: str) -> bool:
        return physical.upper() == "TIMESTAMP"

    def physical_of(self, declared: Type) -> str:
        match declared:
            case types.Bool():
                return "BOOLEAN"
            case types.Number():
                return "BIGINT" if declared == types.INT else f"DECIMAL({decimal_digits(declared)}, {declared.scale})"
            case types.Float() | types.Geo():
                return "DOUBLE"
            case types.Timestamp():
                return "TIMESTAMP"
            case types.Date():
                return "DATE"
            case types.ListOf():
                return "ARRAY<STRING>"
            case _:
                return "STRING"

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            return self.from_json(x, declared, zone)
        if isinstance(declared, types.Timestamp | types.Date):
            return self.stored_instant(x, family, declared, zone)
        if family in {"text", "label"}:
            plain = x if family == "text" else t("CAST(_x AS STRING)", x=x)
            return self.labelled(self.from_text(plain, declared), declared)
        match declared:
            case types.Bool() if family == "bool":
                return x
            case types.Number():
                return self.exact(x, family, physical, declared)
            case types.Float() | types.Geo() if family in {"float", "int", "decimal"}:
                value = t("CASE WHEN NOT ISNAN(_x) THEN CAST(_x AS DOUBLE) + 0e0 END", x=x)
                return value if family == "float" else t("CAST(CAST(_x AS STRING) AS DOUBLE)", x=x)
            case types.ListOf() if family == "list":
                return t("ARRAY_COMPACT(_x)", x=x)
            case types.ListOf() if family == "nested":
                return self.list_from_json(t("TO_VARIANT_OBJECT(_x)", x=x))
        kind = "TIMESTAMP" if isinstance(declared, types.Date) else self.physical_of(declared)
        return t(f"CAST(NULL AS {kind})")

    # --- from text -------------------------------------------------------------------------------------------------

    def matches(self, x: Node, pattern: str) -> Node:
        """Whether the whole of a text fits a pattern."""
        return t("_x RLIKE _p", x=x, p=b.literal(rf"\A({pattern})\z"))

    def from_text(self, x: Node, declared: Type) -> Node:
        """A value out of its text; NULL unless the text is exactly one (docs/language.md, Types)."""
        match declared:
            case types.Bool():
                return t("CASE _x WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", x=x)
            case types.Number():
                fraction = rf"([.][0-9]{{1,{declared.scale}}}0*)?" if declared.scale else "([.]0+)?"
                pattern = "-?[0-9]+" + ("" if declared == types.INT else fraction)
                number = t(f"TRY_CAST(_x AS {self.physical_of(declared)})", x=x)
                return b.case([(self.matches(x.copy(), pattern), number)])
            case types.Float() | types.Geo():
                number = t("TRY_CAST(_x AS DOUBLE) + 0e0", x=x)
                finite = t("ABS(TRY_CAST(_x AS DOUBLE)) <= 1.7976931348623157e308", x=x)
                return b.case([(b.conjunction([self.matches(x.copy(), PLAIN), finite]), number)])
            case types.ListOf():
                return self.list_from_json(self.parsed(x))
            case _:
                return x

    def instant_from_text(self, x: Node, declared: Type, day_zone: str, local_zone: str) -> Node:
        """ISO text. A day alone is midnight in `day_zone` if it is a date; a clock without offset is local."""
        if isinstance(declared, types.Date):
            day = b.case([(self.matches(x, MIDNIGHT), t("TRY_CAST(LEFT(_x, 10) AS TIMESTAMP)", x=x))])
            return self.from_local(within(day), day_zone)
        plain = within(t("TRY_CAST(UPPER(_x) AS TIMESTAMP)", x=x))
        # The offset is taken off by arithmetic: Java has none beyond 18 hours.
        clock = within(t("TRY_CAST(REGEXP_REPLACE(UPPER(_x), _p, '') AS TIMESTAMP)", x=x, p=b.literal(rf"{OFFSET}\z")))
        shifted = t("TIMESTAMP_MICROS(UNIX_MICROS(_c) - _o * 60000000)", c=clock, o=_offset(x))
        return b.case([
            (self.matches(x.copy(), f"{DAY}|{CLOCK}"), self.from_local(plain, local_zone)),
            (self.matches(x.copy(), CLOCK + OFFSET), shifted),
        ])  # fmt: skip

    # --- from native columns -----------------------------------------------------------------------------------

    def exact(self, x: Node, family: str, physical: str, declared: types.Number) -> Node:
        """A Number out of a stored number, as a decimal of its scale; NULL where it does not fit."""
        target = self.physical_of(declared)
        if family == "float":
            return self.from_shortest(x, physical, declared)
        if family == "int":
            return t(f"TRY_CAST(_x AS {target})", x=x)
        if family == "decimal":
            # TRY_CAST rounds what does not fit: only what survives the way there and back is known.
            back = re.sub(r"[^0-9A-Z(),]", "", physical.upper())
            return t(f"CASE WHEN TRY_CAST(TRY_CAST(_x AS {target}) AS {back}) = _x THEN TRY_CAST(_x AS {target}) END",
                     x=x)  # fmt: skip
        return t(f"CAST(NULL AS {target})")

    def from_shortest(self, x: Node, physical: str, declared: types.Number) -> Node:
        """A float: whole for an int, else its shortest decimal text rounded half away from zero."""
        if declared == types.INT:
            # 2^63 itself would be cast to 2^63 - 1.
            return t(
                "CASE WHEN _x = RINT(_x) AND _x >= _lo AND _x < _hi THEN CAST(_x AS BIGINT) END",
                x=x, lo=b.double(-(2.0**63)), hi=b.double(2.0**63),
            )  # fmt: skip
        return t(f"TRY_CAST(_t AS {self.physical_of(declared)})", t=self.shortest(x, physical))

    def shortest(self, x: Node, physical: str) -> Node:
        """The shortest text of a float. Java 17 may give more digits than it takes, once there are more than 15.

        Beyond 2^53 the last of 17 digits may still be off by one, with Java 17.
        """
        single = physical.upper() == "FLOAT"
        kind, most, tried = ("FLOAT", 8, (6, 7, 8)) if single else ("DOUBLE", 16, (15, 16, 17))
        words = t("CAST(_x AS STRING)", x=x)
        arms = [(t("LENGTH(_w) <= _n", w=words, n=b.number(most)), words.copy())]
        for n in tried:
            shorter = t("FORMAT_STRING(_f, CAST(_w AS DOUBLE))", f=b.literal(f"%.{n - 1}e"), w=words)
            arms.append((t(f"TRY_CAST(_s AS {kind}) = _x", s=shorter, x=x), shorter.copy()))
        return b.case(arms, words.copy())

    def stored_instant(self, x: Node, family: str, declared: Type, zone: str) -> Node:
        """A timestamp or date out of any stored form; plain clocks are UTC, or midnights in `zone` for a date."""
        is_date = isinstance(declared, types.Date)
        if family in {"text", "label"}:
            words = t("CAST(_x AS STRING)", x=x) if family == "label" else x
            return self.instant_from_text(words, declared, zone, "UTC")
        if family not in {"date", "timestamp", "timestamptz"}:
            return t("CAST(NULL AS TIMESTAMP)")
        plain = within(x if family == "timestamptz" else t("TRY_CAST(_x AS TIMESTAMP)", x=x))
        if not is_date:
            return plain
        day = plain if family == "date" else t("CASE WHEN _x = DATE_TRUNC('DAY', _x) THEN _x END", x=plain)
        return self.from_local(day, zone)

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        family, size = self.family(physical), EPOCHS[unit]
        if family == "json":
            x, family = self.words(x), "text"
        if family == "int":
            return t(
                "CASE WHEN _x BETWEEN _lo AND _hi THEN TIMESTAMP_MICROS(CAST(_x AS BIGINT) * _n) END",
                x=x, lo=b.number(FIRST // size), hi=b.number(LAST // size), n=b.number(size),
            )  # fmt: skip
        if family not in {"float", "decimal", "text", "label"}:
            return t("CAST(NULL AS TIMESTAMP)")
        words = x if family == "text" else t("CAST(_x AS STRING)", x=x)
        if family in {"text", "label"}:
            words = b.case([(self.matches(words, PLAIN), words.copy())])
        return t(
            "CASE WHEN _s BETWEEN _lo AND _hi THEN TIMESTAMP_MICROS(CAST(FLOOR(_s) AS BIGINT)) END",
            s=t("TRY_CAST(_x AS DECIMAL(29, 11)) * _n", x=words, n=b.number(size)),
            lo=b.number(FIRST), hi=b.number(LAST),
        )  # fmt: skip

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            x, family = b.case([(self.is_json(x, "STRING"), self.words(x.copy()))]), "text"
        if family == "text":
            return self.instant_from_text(x, types.Timestamp(), zone, zone)
        found = self.stored_instant(x, family, types.Timestamp(), zone)
        return found if family == "timestamptz" else self.from_local(found, zone)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        family = self.family(physical)
        if family == "int" and whole:
            return x
        if family == "json":
            x = self.words(x)
        elif family == "blob":
            x = t("CASE WHEN IS_VALID_UTF8(CAST(_x AS STRING)) THEN CAST(_x AS STRING) END", x=x)
        elif family in {"float", "decimal"}:  # 7.0 is the key 7
            round_ = t("CASE WHEN _x = ROUND(_x) THEN CAST(TRY_CAST(_x AS DECIMAL(38, 0)) AS STRING) END", x=x)
            x = t("COALESCE(_w, CAST(_x AS STRING))", w=round_, x=x)
        elif family != "text":
            x = t("CAST(_x AS STRING)", x=x)
        if not whole:
            return x
        return t("CASE WHEN CAST(TRY_CAST(_t AS BIGINT) AS STRING) = _t THEN TRY_CAST(_t AS BIGINT) END", t=x)

    # --- from JSON -----------------------------------------------------------------------------------------------

    def field(self, x: Node, path: tuple[str, ...], physical: str) -> tuple[Node, str] | None:
        try:
            kind: Node = exp.DataType.build(physical, dialect="spark")
        except SqlglotError:
            return None
        for key in path:
            fields = {f.this.name: f.kind for f in kind.expressions if isinstance(f, exp.ColumnDef)}
            if not kind.is_type("struct") or key not in fields:
                return None
            x, kind = exp.Dot(this=x, expression=exp.to_identifier(key, quoted=True)), fields[key]
        return x, str(kind.sql("spark"))

    def parsed(self, x: Node) -> Node:
        """A JSON text as VARIANT; NULL if it is not exactly one JSON value."""
        listed = t("TRY_PARSE_JSON(CONCAT('[', _x, _end))", x=x, end=b.literal(f',"{_END}"]'))
        return t(
            "CASE WHEN TRY_VARIANT_GET(_l, '$[1]', 'string') = _end THEN TRY_VARIANT_GET(_l, '$[0]', 'variant') END",
            l=listed, end=b.literal(_END),
        )  # fmt: skip

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        family = self.family(physical)
        if family == "nested":
            x = t("TO_VARIANT_OBJECT(_x)", x=x)
        elif family != "json":
            x = self.parsed(x if family == "text" else t("CAST(_x AS STRING)", x=x))
        for key in path:
            # A path has no escapes: what it cannot say is looked up in a map of all keys.
            if re.fullmatch(r"[^'?]+", key):
                x = t("TRY_VARIANT_GET(_x, _p, 'variant')", x=x, p=b.text(f"$['{key}']"))
            else:
                x = t("TRY_ELEMENT_AT(TRY_VARIANT_GET(_x, '$', 'map<string,variant>'), _k)", x=x, k=b.text(key))
        return x

    def words(self, x: Node) -> Node:
        """The text of a JSON value; of a JSON string without its quotes."""
        return t("TRY_VARIANT_GET(_x, '$', 'string')", x=x)

    def is_json(self, x: Node, pattern: str) -> Node:
        """Whether the type of a JSON value fits a LIKE pattern."""
        return t("SCHEMA_OF_VARIANT(_x) LIKE _p", x=x, p=b.literal(pattern))

    def from_json(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of JSON: as its text would be read if it is a JSON string, else by its JSON type."""
        string = self.is_json(x, "STRING")
        if isinstance(declared, types.ListOf):
            return self.list_from_json(b.case([(string, self.parsed(self.words(x)))], x))
        words, double = self.words(x), t("TRY_VARIANT_GET(_x, '$', 'double')", x=x)
        arms = [(string, self.convert(words, "STRING", declared, zone))]
        whole = b.disjunction([self.is_json(x, "BIGINT"), self.is_json(x, "DECIMAL(%,0)")])
        fraction = b.disjunction([self.is_json(x, "DECIMAL(%)"), self.is_json(x, "DOUBLE"), self.is_json(x, "FLOAT")])
        match declared:
            case types.Bool():
                arms.append((self.is_json(x, "BOOLEAN"), t("TRY_VARIANT_GET(_x, '$', 'boolean')", x=x)))
            case types.Number():
                arms.append((whole, self.from_text(words.copy(), declared)))
                arms.append((fraction, self.from_shortest(double, "DOUBLE", declared)))
            case types.Float() | types.Geo():
                arms.append((b.disjunction([whole, fraction]), t("_x + 0e0", x=double)))
        return b.case(arms)

    def list_from_json(self, x: Node) -> Node:
        """The texts in a JSON array; NULL if it is none."""
        texts = t(
            "TRANSFORM(FILTER(TRY_VARIANT_GET(_x, '$', 'array<variant>'), i -> SCHEMA_OF_VARIANT(i) = 'STRING'),"
            " i -> TRY_VARIANT_GET(i, '$', 'string'))", x=x,
        )  # fmt: skip
        return b.case([(self.is_json(x.copy(), "ARRAY<%"), texts)])


def name_paths(tree: Node, schema: Node | None) -> None:
    """Makes one name of each path, whatever dots are in it."""
    for table in tree.find_all(exp.Table):
        name = table.meta.pop("name", "")
        if "/" in name:
            table.set("this", b.identifier(name))
            table.set("db", schema and schema.copy())
            table.set("catalog", None)


def within(x: Node) -> Node:
    """A TIMESTAMP of the years 1 to 9999; years beyond are NULL."""
    return t(
        "CASE WHEN _x BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP)"
        " THEN _x END",
        x=x,
    )


def _offset(x: Node) -> Node:
    """Minutes by which clocks are ahead of UTC, out of the offset with which a text ends."""
    length = b.template("LENGTH(_x)", x=x)

    def last(n: int, count: int) -> Node:
        return b.template("SUBSTRING(_x, _l - _n, _c)", x=x, l=length, n=b.number(n - 1), c=b.number(count))

    def minutes(n: int, hours: int, rest: int | None) -> Node:
        sign = b.template("CASE WHEN _s = '-' THEN -1 ELSE 1 END", s=last(n, 1))
        parts = b.template("_h * 60", h=b.cast(last(hours, 2), "BIGINT"))
        if rest is not None:
            parts = b.template("_p + _m", p=parts, m=b.cast(last(rest, 2), "BIGINT"))
        return b.template("_s * _p", s=sign, p=parts)

    # +02:00, +0200, +02, and Z for the rest
    signs = [b.template("_s IN ('+', '-')", s=last(n, 1)) for n in (6, 5, 3)]
    found = minutes(6, 5, 2), minutes(5, 4, 2), minutes(3, 2, None)
    return b.case(list(zip(signs, found, strict=True)), b.number(0))
