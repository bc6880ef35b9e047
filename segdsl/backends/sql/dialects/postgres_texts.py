"""Values out of texts on PostgreSQL: a regular expression has looked at all of a text before anything casts it.

JSON is no regular language. A text is JSON if folding up its innermost brackets, again and again, leaves one value.
"""

from __future__ import annotations

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node

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


def sql(source: str, **slots: Node) -> Node:
    """PostgreSQL's text of this package as a tree, with `_name` columns replaced by nodes."""
    return b.template(source, "postgres", **slots)


def when(condition: Node, value: Node) -> Node:
    """The value where the condition holds; it is not looked at elsewhere."""
    return b.case([(condition, value)])


def matches(x: Node, pattern: str) -> Node:
    """Whether some of a text fits a pattern."""
    return sql("_x ~ _p", x=x, p=b.literal(pattern))


# --- numbers ---------------------------------------------------------------------------------------------------------


def number(x: Node, declared: types.Number, kind: str) -> Node:
    """A text as a Number, which has the type `kind` there; NULL where it is none, or does not fit."""
    if declared == types.INT:
        return when(matches(x, "^-?0*[0-9]{1,19}$"), when(fits(sql("CAST(_x AS NUMERIC)", x=x), declared),
                                                          b.cast(x, "BIGINT")))  # fmt: skip
    scale = declared.scale
    whole = max(len(str(declared.limit)) - scale, 0)
    fraction = rf"(?:\.[0-9]{{1,{scale}}}0*)?" if scale else ""
    digits = sql("SUBSTRING(_x FROM _p)", x=x, p=b.literal(rf"^-?[0-9]+(?:\.[0-9]{{1,{scale}}})?")) if scale else x
    pattern = rf"^-?0*[0-9]{{1,{whole}}}{fraction}$" if whole else rf"^-?0+{fraction}$"
    return when(matches(x, pattern), sql(f"CAST(_x AS {kind})", x=digits))


def fits(x: Node, declared: types.Number) -> Node:
    """Whether a number is in the range of a declared type; a NaN is in none."""
    least = -declared.limit - (declared == types.INT)
    low, high = b.number(least, declared.scale), b.number(declared.limit, declared.scale)
    return exp.Between(this=b.operand(x), low=low, high=high)


def rounded(x: Node, declared: types.Number) -> Node:
    """A text that numerics are read from, rounded half away from zero; NULL where it does not fit."""
    value = sql("ROUND(CAST(_x AS NUMERIC), _n)", x=x, n=b.number(declared.scale))
    return when(fits(value, declared), value)


def numeric(x: Node) -> Node:
    """A text as a numeric of any size, if it is a plain number."""
    return when(sql("_x ~ _p AND LENGTH(_x) < 1000", x=x, p=b.literal(_PLAIN)), sql("CAST(_x AS NUMERIC)", x=x))


def json_double(words: Node) -> Node:
    """The double that a JSON number stands for."""
    plain = sql("_w ~ _p AND LENGTH(_w) < 1000", w=words, p=b.literal("^[^eE]+([eE][-+]?[0-9]{1,3})?$"))
    return when(plain, in_range(sql("CAST(_w AS NUMERIC)", w=words)))


def in_range(x: Node) -> Node:
    """A numeric as a double: NULL if it is too large for one, and not an error if it is too small."""
    return b.case([
        (sql("ABS(_x) < 2.4703282292062328e-324", x=x), sql("CAST(0 AS DOUBLE PRECISION)")),
        (sql("ABS(_x) < 1.7976931348623158079e308", x=x), b.cast(x, "DOUBLE")),
    ])  # fmt: skip


# --- times -----------------------------------------------------------------------------------------------------------


def midnight(x: Node) -> Node:
    """A text as the clock at the beginning of a day; NULL if it is no day."""
    return when(matches(x, f"^{_MIDNIGHT}$"), sql("CAST(LEFT(_x, 10) AS TIMESTAMP)", x=x))


def clock(x: Node) -> Node:
    """What a clock shows according to a text, cut to the microsecond; a day is its midnight, an offset is left out."""
    return when(matches(x, f"^(?:{_DAY}|{_CLOCK}{_OFFSET}?)$"),
                sql("CAST(SUBSTRING(_x FROM _p) AS TIMESTAMP)", x=x, p=b.literal(_CUT)))  # fmt: skip


def has_offset(x: Node) -> Node:
    """Whether a text with a clock says the clock's offset from UTC, too."""
    return matches(x, "[0-9][Zz]$|:[^:]*[+-][0-9:]+$")


def offset(x: Node) -> Node:
    """The offset, as an interval."""
    signed = sql("RPAD(REPLACE(SUBSTRING(_x FROM _p), ':', ''), 5, '0')", x=x, p=b.literal(_SHIFT))
    minutes = sql("CAST(LEFT(_o, 1) || '1' AS INT)"
                  " * (CAST(SUBSTRING(_o, 2, 2) AS INT) * 60 + CAST(RIGHT(_o, 2) AS INT))", o=signed)  # fmt: skip
    return sql("COALESCE(_m, 0) * INTERVAL '1 minute'", m=minutes)


# --- keys, and JSON --------------------------------------------------------------------------------------------------


def is_whole(x: Node) -> Node:
    """Whether a text is a whole number as one is printed."""
    return matches(x, _WHOLE_KEY)


def of_bytes(x: Node) -> Node:
    """Bytes as the text that they are in UTF-8; NULL if they are none."""
    return when(matches(sql("ENCODE(_x, 'hex')", x=x), _UTF8), sql("CONVERT_FROM(_x, 'UTF8')", x=x))


def document(x: Node) -> Node:
    """A text as JSON; NULL if it is none."""
    return when(sql(_IS_JSON, x=x), storable(x))


def array(x: Node) -> Node:
    """The texts in a text that is a JSON array; NULL if it is none."""
    return when(matches(x, r"^[ \t\n\r]*\["), when(sql(_IS_JSON, x=x), texts_of(storable(x))))


def texts_of(x: Node) -> Node:
    """The texts in a JSON array."""
    return sql(
        "ARRAY(SELECT item_ #>> '{}' FROM JSON_ARRAY_ELEMENTS(_x) AS item_ WHERE JSON_TYPEOF(item_) = 'string')", x=x
    )


def storable(x: Node) -> Node:
    """The text of a document as JSON in which what no text can hold is `{}`, or a key that nobody asks for."""
    mended = sql("REGEXP_REPLACE(REGEXP_REPLACE(_x, _key, _other, 'g'), _text, '{}', 'g')",
                 x=x, key=b.literal(_UNSTORABLE + r"(?=[ \t\n\r]*:)"), other=b.literal(r'"\\uFFFF"'),
                 text=b.literal(_UNSTORABLE))  # fmt: skip
    return sql("CAST(CASE WHEN _x ~ _half THEN _m ELSE _x END AS JSON)", x=x, m=mended, half=b.literal(_HALF))
