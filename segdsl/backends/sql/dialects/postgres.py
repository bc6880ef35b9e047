r"""PostgreSQL: timestamps without zone that show UTC, numerics of any length, texts read by regular expressions.

Measured on PostgreSQL 15, 16 and 18:

- `AT TIME ZONE` takes the later of two instants (corrected here) and moves forward over a gap. It knows `CET`, `EET`,
  `MET` and `WET` as offsets that never change, although they are zones as well: they go by the names of cities.
- A numeric may be `NaN`, of any precision, and NaN equals itself and is above every number. `-infinity` and `infinity`
  are timestamps and dates; dates reach further than timestamps can.
- A cast of text raises on what it cannot read, and nothing catches that before version 16: a text is cast only behind
  a CASE that has looked at all of it. JSON is no regular language: it is folded up from the inside.
- Of `json`, `->` raises where any text in the document, or any key, holds `\u0000` or half a surrogate pair.
- Two columns of different collations cannot even be compared: those with one of their own are read as `COLLATE "C"`.
- A double as text is the shortest that reads back; cast to numeric at once it would be cut to 15 digits. Texts beyond
  the range of doubles raise, too small ones as well.
"""

from __future__ import annotations

import re
from collections import Counter

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.dialect import Dialect
from segdsl.core.time import FIRST, LAST
from segdsl.types import Type

_COLLECTS = exp.Window, exp.AggFunc, exp.Join, exp.SetOperation, exp.Distinct  # what a query is not repeated for
_UNITS = {"s": 10**6, "ms": 1000, "us": 1}
_ZONES = {"CET": "Europe/Brussels", "MET": "Europe/Brussels", "EET": "Europe/Athens", "WET": "Europe/Lisbon"}
_FAMILIES = {
    "text": "text", "character varying": "text", "varchar": "text", "character": "text", "bpchar": "text",
    "name": "text", "citext": "text", "enum": "label", "uuid": "label", '"char"': "label",
    "smallint": "int", "integer": "int", "bigint": "int", "numeric": "decimal", "money": "decimal",
    "real": "float", "double precision": "float", "boolean": "bool", "timestamp": "timestamp",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz", "date": "date",
    "json": "json", "jsonb": "json", "bytea": "blob", "row": "nested",
}  # fmt: skip

# --- what texts look like --------------------------------------------------------------------------------------------

_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    "(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = rf"{_DAY}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{{1,9}})?)?"
_OFFSET = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
_MIDNIGHT = rf"{_DAY}(?:[Tt ]00:00(?::00(?:\.0{{1,9}})?)?[Zz]?)?"  # how databases write a date as a time
_CUT = r"^.{10}(?:.[0-9:]{5,8}(?:\.[0-9]{1,6})?)?"  # a clock, to the microsecond
_SHIFT = "[+-][0-9]{2}(?::?[0-9]{2})?$"
_PLAIN = r"^-?[0-9]+(?:\.[0-9]+)?$"
_WHOLE_KEY = "^(?:0|-?[1-9][0-9]{0,18})$"
_UTF8 = (  # as hexadecimal digits, without NUL
    "^(?:(?!00)[0-7].|(?:c[2-9a-f]|d.|e0[ab].|e[1-9a-cef][89ab].|ed[89].|f0[9ab].[89ab].|f[1-3][89ab].[89ab]."
    "|f48.[89ab].)[89ab].)*$"
)

_GOOD = (
    r'(?:[^"\\]|\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    r"|\\u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4})"
)
_HALF = r"\\u(?:0000|[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[dD][c-fC-F])"
_UNSTORABLE = rf'"{_GOOD}*{_HALF}(?:[^"\\]|\\.)*"'
_STRING = r'"(?:[^"\\\x01-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_SCALAR = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null"
_INNERMOST = r"\[(?:[~#](?:,[~#])*)?\]|\{(?:~:[~#](?:,~:[~#])*)?\}"
_DEEPEST = 500  # levels of JSON: the server's own reader has an end, too

# A text with its strings as `~` and its other scalars as `#` is JSON if folding up its innermost brackets, again and
# again, leaves one of the two. Where the text itself holds a `~` or a `#`, that is no JSON, or inside a string.
_IS_JSON = f"""
    (WITH RECURSIVE folded(s, n) AS (
        SELECT REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_REPLACE(TRANSLATE(_x, '~#', 'xx'), '{_STRING}', '~', 'g'),
            '{_SCALAR}', '#', 'g'), '[ \\t\\n\\r]+', '', 'g'), 0
        UNION ALL
        SELECT REGEXP_REPLACE(s, '{_INNERMOST}', '#', 'g'), n + 1
        FROM folded WHERE s ~ '{_INNERMOST}' AND n < {_DEEPEST}
    ) SELECT BOOL_OR(s IN ('~', '#')) FROM folded)
"""


def _sql(source: str, **slots: Node) -> Node:
    return b.template(source, "postgres", **slots)


def _matches(x: Node, pattern: str) -> Node:
    return _sql("_x ~ _p", x=x, p=b.literal(pattern))


class Postgres(Dialect):
    """The dialect's conversions and spellings."""

    name = printer = "postgres"
    title = "PostgreSQL"
    executed = skips = unnests = True

    # --- printing ------------------------------------------------------------------------------------------------

    def placeholder(self, name: str) -> str:
        # With its type: the server would guess one from each place, and two guesses must not differ.
        return f"%({name})s::text"

    def verbatim(self, printed: str) -> str:
        return printed.replace("%", "%%")

    def finished(self, tree: Node) -> Node:
        # A CTE that is used twice would be computed once, all of it. Those that only read a table are better read each
        # time with the window of the one that asks, by an index if there is one.
        opening = tree.args.get("with_")
        ctes = {cte.alias: cte for cte in opening.expressions} if opening else {}
        used = Counter(table.name for table in tree.find_all(exp.Table) if not table.db)
        for name, cte in ctes.items():
            reads = cte.this.find(*_COLLECTS) is None and not any(t.name in ctes for t in cte.this.find_all(exp.Table))
            if used[name] > 1 and reads:
                cte.set("materialized", False)
        return tree

    # --- instants and clocks -------------------------------------------------------------------------------------

    def micros(self, x: Node) -> Node:
        # In parts: before version 14 EXTRACT yields doubles, which do not hold all of it.
        return _sql(
            "CAST(EXTRACT(EPOCH FROM DATE_TRUNC('second', _x)) AS BIGINT) * 1000000"
            " + CAST(EXTRACT(MICROSECONDS FROM _x) AS BIGINT) % 1000000",
            x=x,
        )

    def current(self) -> Node:
        return _sql("CURRENT_TIMESTAMP AT TIME ZONE 'UTC'")

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else _sql("_x AT TIME ZONE 'UTC' AT TIME ZONE _z", x=x, z=_zone(zone))

    def from_local(self, x: Node, zone: str) -> Node:
        if zone == "UTC":
            return x
        # A day after the same clock time of the day before: where clocks show x twice, that is the earlier of the two,
        # and anywhere else it is either the only one or no time at which they show x.
        earlier = _sql("(_x - INTERVAL '1 day') AT TIME ZONE _z AT TIME ZONE 'UTC' + INTERVAL '1 day'",
                       x=x, z=_zone(zone))  # fmt: skip
        return _sql(
            "CASE WHEN _e AT TIME ZONE 'UTC' AT TIME ZONE _z = _x THEN _e"
            " ELSE _x AT TIME ZONE _z AT TIME ZONE 'UTC' END",
            x=x, e=earlier, z=_zone(zone),
        )  # fmt: skip

    # --- numbers -------------------------------------------------------------------------------------------------

    def wide(self, x: Node, scale: int, target: int) -> Node:
        return _sql("CAST(_x AS NUMERIC)", x=x)

    def to_double(self, x: Node, scale: int) -> Node:
        return b.cast(x, "DOUBLE")

    # --- text and lists ------------------------------------------------------------------------------------------

    def ordered(self, x: Node) -> Node:
        return _sql('_x COLLATE "C"', x=x)

    def md5(self, x: Node, digits: int) -> Node:
        return self.ordered(super().md5(x, digits))

    def contains(self, x: Node, item: str) -> Node:
        return _sql("_i = ANY(_x)", x=x, i=b.text(item))

    def rows_of(self, values: list[Node]) -> Node:
        return exp.Anonymous(this="UNNEST", expressions=[exp.Array(expressions=values)])

    # --- stored columns ------------------------------------------------------------------------------------------

    def family(self, physical: str) -> str:
        kind = re.sub(r"\(.*?\)| collate .*", "", physical.lower())
        if kind.endswith("[]"):
            item = _FAMILIES.get(kind.removesuffix("[]"))
            return "list" if item in {"text", "label"} else "nested"
        return _FAMILIES.get(kind, "other")

    def physical_of(self, declared: Type) -> str:
        match declared:
            case types.Bool():
                return "boolean"
            case types.Number():
                digits = max(len(str(declared.limit)), declared.scale, 1)
                return "bigint" if declared == types.INT else f"numeric({digits},{declared.scale})"
            case types.Float() | types.Geo():
                return "double precision"
            case types.Timestamp():
                return "timestamp without time zone"
            case types.Date():
                return "date"
            case types.ListOf():
                return "text[]"
        return "text"

    def bare(self, physical: str, declared: Type) -> bool:
        if isinstance(declared, types.String):
            return re.fullmatch(r"text|character varying(\(\d+\))?", physical) is not None
        # Never a numeric: it may be NaN.
        return (isinstance(declared, types.Bool) or declared == types.INT) and physical == self.physical_of(declared)

    def bare_time(self, physical: str) -> bool:
        return self.family(physical) == "timestamp"

    def unguarded(self, x: Node, physical: str) -> Node | None:
        if self.family(physical) == "timestamptz":
            return _sql("_x AT TIME ZONE 'UTC'", x=x)
        return super().unguarded(x, physical)

    def stored(self, moment: Node, physical: str) -> Node:
        return _sql("_m AT TIME ZONE 'UTC'", m=moment) if self.family(physical) == "timestamptz" else moment

    def convert(self, x: Node, physical: str, declared: Type, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            return self.from_json(_document(x, physical), declared, zone)
        if family == "text":
            return self.from_text(_plain_text(x, physical), declared, zone)
        match declared:
            case types.Timestamp() | types.Date():
                return self.instant_of(x, family, declared, zone)
            case types.String() | types.Enum() if family == "label":
                return self.labelled(_sql("CAST(_x AS TEXT)", x=x), declared)
            case types.Bool() if family == "bool":
                return x
            case types.Number() if family in {"int", "decimal", "float"}:
                return self.exact(x, family, physical, declared)
            case types.Float() | types.Geo() if family in {"int", "decimal", "float"}:
                return _double(x, family, physical)
            case types.ListOf() if family == "list":
                return _sql("CASE WHEN ARRAY_NDIMS(_x) > 1 THEN CAST('{}' AS TEXT[])"
                            " ELSE ARRAY_REMOVE(CAST(_x AS TEXT[]), NULL) END", x=x)  # fmt: skip
            case types.ListOf() if family == "nested":
                return self.list_from_json(_sql("TO_JSON(_x)", x=x))
        return _nothing(self.physical_of(declared))

    # --- from text -----------------------------------------------------------------------------------------------

    def from_text(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of its text; NULL unless the text is exactly one (language reference, section 6)."""
        match declared:
            case types.Bool():
                return _sql("CASE _x WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", x=x)
            case types.Number():
                return self.number_from_text(x, declared)
            case types.Float() | types.Geo():
                return _when(_sql("_x ~ _p AND LENGTH(_x) < 1000", x=x, p=b.literal(_PLAIN)),
                             _in_range(_sql("CAST(_x AS NUMERIC)", x=x)))  # fmt: skip
            case types.Date():
                day = _when(_matches(x, f"^{_MIDNIGHT}$"), _sql("CAST(LEFT(_x, 10) AS TIMESTAMP)", x=x))
                return self.from_local(day, zone)
            case types.Timestamp():
                return self.instant_from_text(x, "UTC")
            case types.ListOf():
                return self.list_from_json(_json_of_text(x))
        return self.labelled(x, declared)

    def number_from_text(self, x: Node, declared: types.Number) -> Node:
        if declared == types.INT:
            fits = _sql("CAST(_x AS NUMERIC) BETWEEN -9223372036854775808 AND 9223372036854775807", x=x)
            return _when(_matches(x, "^-?0*[0-9]{1,19}$"), _when(fits, b.cast(x, "BIGINT")))
        scale = declared.scale
        whole = max(len(str(declared.limit)) - scale, 0)
        fraction = rf"(?:\.[0-9]{{1,{scale}}}0*)?" if scale else ""
        digits = _sql("SUBSTRING(_x FROM _p)", x=x, p=b.literal(rf"^-?[0-9]+(?:\.[0-9]{{1,{scale}}})?")) if scale else x
        pattern = rf"^-?0*[0-9]{{1,{whole}}}{fraction}$" if whole else rf"^-?0+{fraction}$"
        return _when(_matches(x, pattern), _sql(f"CAST(_x AS {self.physical_of(declared)})", x=digits))

    def instant_from_text(self, x: Node, zone: str) -> Node:
        """ISO text, cut to the microsecond; a day alone and a clock without an offset are of the zone."""
        clock = _sql("CAST(SUBSTRING(_x FROM _p) AS TIMESTAMP)", x=x, p=b.literal(_CUT))
        offset = _sql("RPAD(REPLACE(SUBSTRING(_x FROM _p), ':', ''), 5, '0')", x=x, p=b.literal(_SHIFT))
        minutes = _sql("CAST(LEFT(_o, 1) || '1' AS INT)"
                       " * (CAST(SUBSTRING(_o, 2, 2) AS INT) * 60 + CAST(RIGHT(_o, 2) AS INT))", o=offset)  # fmt: skip
        shifted = _sql("_c - COALESCE(_m, 0) * INTERVAL '1 minute'", c=clock, m=minutes)
        return b.case([(_matches(x, f"^(?:{_DAY}|{_CLOCK})$"), self.from_local(clock, zone)),
                       (_matches(x, f"^{_CLOCK}{_OFFSET}$"), shifted)])  # fmt: skip

    # --- from native columns -------------------------------------------------------------------------------------

    def exact(self, x: Node, family: str, physical: str, declared: types.Number) -> Node:
        """A Number out of a stored number; NULL where it does not fit."""
        if family == "float":
            return self.from_shortest(x, declared)
        if physical == "money":
            x = _sql("CAST(_x AS NUMERIC)", x=x)
        kind = self.physical_of(declared)
        if family == "int" and declared == types.INT:
            return x if physical == "bigint" else _sql(f"CAST(_x AS {kind})", x=x)
        fits = [_fits(x, declared)]
        if family == "decimal":
            fits.append(_sql("_x = ROUND(_x, _n)", x=x, n=b.number(declared.scale)))
        return _when(b.conjunction(fits), _sql(f"CAST(_x AS {kind})", x=x))

    def from_shortest(self, x: Node, declared: types.Number) -> Node:
        """A double: whole for an int, else its shortest decimal text rounded half away from zero."""
        if declared == types.INT:
            return _when(_sql("_x = TRUNC(_x) AND _x >= -9223372036854775808e0 AND _x < 9223372036854775808e0", x=x),
                         b.cast(x, "BIGINT"))  # fmt: skip
        text = _sql("ROUND(CAST(CAST(_x AS TEXT) AS NUMERIC), _n)", x=x, n=b.number(declared.scale))
        return _when(_sql("ABS(_x) < 1e40", x=x), _when(_fits(text, declared), text))

    def instant_of(self, x: Node, family: str, declared: Type, zone: str) -> Node:
        """A timestamp or date out of a timestamp or date; a clock is UTC, or a midnight in `zone` for a date."""
        is_date = isinstance(declared, types.Date)
        if family == "date":
            day = _when(_sql("_x BETWEEN CAST('0001-01-01' AS DATE) AND CAST('9999-12-31' AS DATE)", x=x),
                        b.cast(x, "TIMESTAMP"))  # fmt: skip
            return self.from_local(day, zone if is_date else "UTC")
        if family not in {"timestamp", "timestamptz"}:
            return self.no_instant()
        plain = x if family == "timestamp" else _sql("_x AT TIME ZONE 'UTC'", x=x)
        limits = exp.Between(this=b.operand(plain), low=self.instant(FIRST), high=self.instant(LAST))
        if not is_date:
            return _when(limits, plain)
        midnight = b.compare("=", plain, _sql("DATE_TRUNC('day', _x)", x=plain))
        return self.from_local(_when(limits, _when(midnight, plain)), zone)

    def epoch(self, x: Node, physical: str, unit: str) -> Node:
        family, size = self.family(physical), _UNITS[unit]
        if family == "int":
            limits = exp.Between(this=b.operand(x), low=b.number(FIRST // size), high=b.number(LAST // size))
            return _when(limits, _since_1970(_sql("CAST(_x AS BIGINT) * _n", x=x, n=b.number(size))))
        if family == "json":
            document = _document(x, physical)
            x, family = _sql("_d #>> '{}'", d=document), "text"
        if family == "decimal":
            number = _sql("CAST(_x AS NUMERIC)", x=x)
        elif family == "float":
            number = _when(_sql("ABS(_x) < 1e18", x=x), _sql("CAST(CAST(_x AS TEXT) AS NUMERIC)", x=x))
        elif family == "text":
            x = _plain_text(x, physical)
            number = _when(_sql("_x ~ _p AND LENGTH(_x) < 1000", x=x, p=b.literal(_PLAIN)),
                           _sql("CAST(_x AS NUMERIC)", x=x))  # fmt: skip
        else:
            return self.no_instant()
        scaled = _sql("FLOOR(_x * _n)", x=number, n=b.number(size))
        limits = exp.Between(this=scaled, low=b.number(FIRST), high=b.number(LAST))
        return _when(limits, _since_1970(_sql("CAST(_x AS BIGINT)", x=scaled)))

    def clock(self, x: Node, physical: str, zone: str) -> Node:
        family = self.family(physical)
        if family == "json":
            x, physical, family = _string(_document(x, physical)), "text", "text"
        if family == "text":
            return self.instant_from_text(_plain_text(x, physical), zone)
        found = self.instant_of(x, family, types.Timestamp(), zone)
        return found if family == "timestamptz" else self.from_local(found, zone)

    def key(self, x: Node, physical: str, whole: bool) -> Node:
        family = self.family(physical)
        if family == "int" and whole:
            return x
        if family == "json":
            x = _sql("_d #>> '{}'", d=_document(x, physical))
        elif family == "blob":
            x = _when(_matches(_sql("ENCODE(_x, 'hex')", x=x), _UTF8), _sql("CONVERT_FROM(_x, 'UTF8')", x=x))
        elif family == "decimal":  # 7.0 is the key 7
            number = _sql("CAST(_x AS NUMERIC)", x=x)
            x = _sql("CAST(CASE WHEN _n = TRUNC(_n) THEN TRUNC(_n) ELSE _n END AS TEXT)", n=number)
        elif family == "float":
            x = _sql("CASE WHEN _x = TRUNC(_x) AND ABS(_x) < 9e18 THEN CAST(CAST(_x AS BIGINT) AS TEXT)"
                     " ELSE CAST(_x AS TEXT) END", x=x)  # fmt: skip
        else:
            x = _plain_text(x, physical)
        return _when(_matches(x, _WHOLE_KEY), self.number_from_text(x, types.INT)) if whole else x

    # --- JSON ----------------------------------------------------------------------------------------------------

    def json_at(self, x: Node, path: tuple[str, ...], physical: str) -> Node:
        family = self.family(physical)
        if physical.lower() == "jsonb":
            document = x
        elif family in {"nested", "list"}:
            document = _sql("TO_JSON(_x)", x=x)
        else:
            document = _document(x, physical) if family == "json" else _json_of_text(_plain_text(x, physical))
        for key in path:  # never by `#>`, to which "0" would be a place in an array, too
            document = _sql("_d -> _k", d=document, k=b.text(key))
        return _sql("CAST(_d AS JSON)", d=document) if physical.lower() == "jsonb" else document

    def from_json(self, x: Node, declared: Type, zone: str) -> Node:
        """A value out of JSON: as its text would be read if it is a JSON string, else by its JSON type."""
        words, kind = _sql("_x #>> '{}'", x=x), _sql("JSON_TYPEOF(_x)", x=x)
        is_ = {name: b.compare("=", kind.copy(), b.literal(name)) for name in ("string", "number", "boolean")}
        if isinstance(declared, types.ListOf):
            return b.case([(is_["string"], self.from_text(words, declared, zone))], self.list_from_json(x))
        arms = [(is_["string"], self.from_text(words, declared, zone))]
        match declared:
            case types.Bool():
                arms.append((is_["boolean"], _sql("_w = 'true'", w=words)))
            case types.Number():  # a number is a whole one, or a double
                whole = (_matches(words, "^-?[0-9]+$"), self.number_from_text(words, declared))
                arms.append((is_["number"], b.case([whole], self.from_shortest(_double_of(words), declared))))
            case types.Float() | types.Geo():
                arms.append((is_["number"], _double_of(words)))
        return b.case(arms)

    def list_from_json(self, x: Node) -> Node:
        return _when(
            _sql("JSON_TYPEOF(_x) = 'array'", x=x),
            _sql("ARRAY(SELECT item_ #>> '{}' FROM JSON_ARRAY_ELEMENTS(_x) AS item_"
                 " WHERE JSON_TYPEOF(item_) = 'string')", x=x),
        )  # fmt: skip


def _when(condition: Node, value: Node) -> Node:
    """The value where the condition holds; it is not looked at elsewhere."""
    return b.case([(condition, value)])


def _nothing(kind: str) -> Node:
    return _sql(f"CAST(NULL AS {kind})")


def _zone(zone: str) -> Node:
    return b.literal(_ZONES.get(zone, zone))


def _plain_text(x: Node, physical: str) -> Node:
    """A column as TEXT with a collation that compares by code points."""
    kind = physical.lower()
    if kind not in {"text", "json"} and not kind.startswith(("character varying", "varchar")):
        x = _sql("CAST(_x AS TEXT)", x=x)
    return _sql('_x COLLATE "C"', x=x) if " collate " in kind or kind == "citext" else x


def _fits(x: Node, declared: types.Number) -> Node:
    """Whether a number is in the range of a declared type; a NaN is in none."""
    least = -declared.limit - (declared == types.INT)
    low, high = b.number(least, declared.scale), b.number(declared.limit, declared.scale)
    return exp.Between(this=b.operand(x), low=low, high=high)


def _double(x: Node, family: str, physical: str) -> Node:
    """A stored number as the nearest double; a NaN is NULL, and no zero is negative."""
    if family == "float":
        return _when(_sql("_x <> 'NaN'", x=x), _sql("CAST(_x AS DOUBLE PRECISION) + 0", x=x))
    if family == "int":
        return b.cast(x, "DOUBLE")
    return _in_range(_sql("CAST(_x AS NUMERIC)", x=x))


def _in_range(x: Node) -> Node:
    """A numeric as a double: NULL if it is too large for one, and not an error if it is too small."""
    return b.case([
        (_sql("ABS(_x) < 2.4703282292062328e-324", x=x), _sql("CAST(0 AS DOUBLE PRECISION)")),
        (_sql("ABS(_x) < 1.7976931348623158079e308", x=x), b.cast(x, "DOUBLE")),
    ])  # fmt: skip


def _double_of(words: Node) -> Node:
    """The double that a JSON number stands for."""
    return _when(
        _sql("_w ~ '^[^eE]+([eE][-+]?[0-9]{1,3})?$' AND LENGTH(_w) < 1000", w=words),
        _in_range(_sql("CAST(_w AS NUMERIC)", w=words)),
    )


def _since_1970(microseconds: Node) -> Node:
    return _sql(
        "CAST('1970-01-01' AS TIMESTAMP) + _n / 1000000 * INTERVAL '1 second'"
        " + _n % 1000000 * INTERVAL '1 microsecond'", n=microseconds,
    )  # fmt: skip


def _string(x: Node) -> Node:
    """The text of a JSON string; NULL for other JSON."""
    return _when(_sql("JSON_TYPEOF(_x) = 'string'", x=x), _sql("_x #>> '{}'", x=x))


def _document(x: Node, physical: str) -> Node:
    """A stored JSON value in the canonical form of JSON."""
    if physical == "JSON":
        return x
    return _storable(_sql("CAST(_x AS TEXT)", x=x)) if physical == "json" else _sql("CAST(_x AS JSON)", x=x)


def _json_of_text(x: Node) -> Node:
    """A text as JSON; NULL if it is none."""
    return _when(_sql(_IS_JSON, x=x), _storable(x))


def _storable(x: Node) -> Node:
    """The text of a document as JSON in which what no text can hold is `{}`, or a key that nobody asks for."""
    mended = _sql("REGEXP_REPLACE(REGEXP_REPLACE(_x, _key, _other, 'g'), _text, '{}', 'g')",
                  x=x, key=b.literal(_UNSTORABLE + r"(?=[ \t\n\r]*:)"), other=b.literal(r'"\\uFFFF"'),
                  text=b.literal(_UNSTORABLE))  # fmt: skip
    return _sql("CAST(CASE WHEN _x ~ _half THEN _m ELSE _x END AS JSON)", x=x, m=mended, half=b.literal(_HALF))
