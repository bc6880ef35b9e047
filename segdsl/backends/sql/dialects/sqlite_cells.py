"""SQLite: the value that a cell stands for, whatever it is stored as.

Each cell is an integer, a real, text or a blob of its own, whatever its column's type; the type's *affinity* alone
turns some of them into others when they are stored. So every conversion asks TYPEOF, but not for a class that cannot
be there, and text is known by GLOB alone. In the SQL here `v` is the cell. What is needed more than once gets a name
from `let`: a subquery without FROM, which SQLite computes once for a row and never moves elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.core.time import FIRST, LAST

Change = Callable[[Node], Node]

V = b.column("v")
OVERFLOW = "ABS(-9223372036854775808)"  # raises `integer overflow`
PLACES = {"s": 6, "ms": 3, "us": 0}  # of each unit, down to the microsecond
# A double times a power of ten that stays below this lies apart from its neighbours by less than one: of the places
# that the power counts, only one is nearest to it. So comparing it with that place tells how its shortest text goes on.
NEAR = "4e15"

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_CLOCK = "[Tt ][0-2][0-9]:[0-5][0-9]"
_COMMON = f"{_DAY}[T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]"


def sql(source: str, **slots: Node) -> Node:
    """SQL text of this package, in SQLite's own words; see `build.template`."""
    return b.template(source, dialect="sqlite", **slots)


def call(name: str, *arguments: Node) -> Node:
    """A function of SQLite's that sqlglot would spell in another way."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def let(body: Node, **values: Node) -> Node:
    """The body, in which values are columns of these names."""
    inner = exp.Select(expressions=[exp.Alias(this=value, alias=b.identifier(name)) for name, value in values.items()])
    return exp.Select(expressions=[body]).from_(inner.subquery(), copy=False).subquery()


def of(x: Node, body: Node) -> Node:
    """The body with `v` standing for `x`."""
    if not isinstance(x, exp.Column) or body.find(exp.Subquery) is not None:
        return let(body, v=x)
    return body.transform(lambda node: x.copy() if isinstance(node, exp.Column) and node.name == "v" else node)


def affinity(physical: str) -> str:
    """text, integer, real or numeric, by SQLite's rules; any where cells are stored as they come."""
    kind = physical.upper()
    if not kind or kind.startswith("ANY"):
        return "any"
    words = {"integer": ("INT",), "text": ("CHAR", "CLOB", "TEXT"), "any": ("BLOB",), "real": ("REAL", "FLOA", "DOUB")}
    return next((name for name, parts in words.items() if any(part in kind for part in parts)), "numeric")


# Where a number can be: what is written as one does not stay text in a column of numbers.
NUMBERS = {"text": {"text"}, "integer": {"integer", "real"}, "numeric": {"integer", "real"}, "real": {"real"}}
# Where a key that is a whole number can be: a real that is one does not stay real among integers, but for -2^63.
WHOLE = {"text": {"text"}, "integer": {"integer"}, "numeric": {"integer"}, "real": {"real"}}
WORDS = {"text": {"text"}}


def by_class(possible: set[str] | None = None, **values: Node) -> Node:
    """What the cell is by its storage class: integer, real, text or blob; NULL for others, and for impossible ones."""
    arms = [(b.literal(name), value) for name, value in values.items() if possible is None or name in possible]
    if len(arms) == 1:
        return b.case([(sql("TYPEOF(v) = _class", **{"class": arms[0][0]}), arms[0][1])])
    return exp.Case(this=sql("TYPEOF(v)"), ifs=[exp.If(this=name, true=value) for name, value in arms])


# --- words ---------------------------------------------------------------------------------------------------------


def string() -> Node:
    """Text. Being no bare column it is compared code by code, whatever the column's collation.

    Behind a NUL nothing is seen by GLOB; no text with one is known, here or anywhere (`backends.python.fit`).
    """
    return sql("CASE WHEN TYPEOF(v) = 'text' AND INSTR(v, CHAR(0)) = 0 THEN v END")


def one_of(values: Sequence[str]) -> Node:
    """Text that is one of some values."""
    wanted = b.one_of(sql("v COLLATE BINARY"), [b.text(value) for value in values])
    return b.case([(b.conjunction([sql("TYPEOF(v) = 'text'"), wanted]), V.copy())])


def boolean() -> Node:
    """0 and 1 are SQLite's own booleans."""
    words = sql("CASE v COLLATE BINARY WHEN 'true' THEN 1 WHEN 'false' THEN 0 END")
    return by_class(integer=sql("CASE WHEN v IN (0, 1) THEN v END"), text=words)


def key(physical: str = "") -> Node:
    """A key as text: 7 and 7.0 are `7`. Of bytes only ASCII ones make a text: SQLite does not say which are UTF-8."""
    return by_class(
        WORDS.get(affinity(physical)),
        text=V.copy(),
        integer=sql("CAST(v AS TEXT)"),
        real=sql("CASE WHEN v = CAST(v AS INTEGER) THEN CAST(CAST(v AS INTEGER) AS TEXT) ELSE CAST(v AS TEXT) END"),
        blob=sql(
            "CASE WHEN CAST(v AS TEXT) NOT GLOB '*[^' || CHAR(1) || '-' || CHAR(127) || ']*' AND INSTR(v, _nul) = 0"
            " THEN CAST(v AS TEXT) END",
            nul=sql("CAST(CHAR(0) AS BLOB)"),
        ),
    )


def whole_key(physical: str = "") -> Node:
    """A key as a whole number; text and bytes are one if they are written as one is."""
    text = sql(
        "CASE WHEN CAST(CAST(_t AS INTEGER) AS TEXT) = _t COLLATE BINARY THEN CAST(_t AS INTEGER) END",
        t=sql("CAST(v AS TEXT)"),
    )
    return by_class(WHOLE.get(affinity(physical)), integer=V.copy(), real=_whole_real(), text=text, blob=text.copy())


# --- numbers -------------------------------------------------------------------------------------------------------


def number(declared: types.Number, physical: str, far: Change) -> Node:
    """A Number of at most 18 digits, or an int, as a whole number of its last decimal place.

    far: a real with too many digits for `NEAR`, rounded to the declared places if it fits at all.
    """
    if declared == types.INT:
        return by_class(NUMBERS.get(affinity(physical)), integer=V.copy(), real=_whole_real(), text=_int_of_text())
    size, most = 10**declared.scale, declared.limit // 10**declared.scale
    fits = b.case([(sql("v BETWEEN _low AND _most", low=b.number(-most), most=b.number(most)), _times(V.copy(), size))])
    return by_class(NUMBERS.get(affinity(physical)), integer=fits, real=_rounded(declared, far),
                    text=_decimal_of_text(declared))  # fmt: skip


def double(physical: str) -> Node:
    """A real as it is; adding 0.0 leaves no negative zero. Digits beyond the greatest double are none."""
    digits = sql(
        "CASE WHEN _plain AND ABS(CAST(v AS REAL)) <= 1.7976931348623157e308 THEN CAST(v AS REAL) + 0e0 END",
        plain=_plain(),
    )
    return by_class(NUMBERS.get(affinity(physical)), integer=sql("CAST(v AS REAL)"), real=sql("v + 0e0"), text=digits)


def _times(x: Node, size: int) -> Node:
    return x if size == 1 else sql("_x * _size", x=x, size=b.number(size))


def _whole_real() -> Node:
    """The cast ends at the greatest integer, which as an integer is not equal to any real that is greater."""
    return sql("CASE WHEN v = CAST(v AS INTEGER) THEN CAST(v AS INTEGER) END")


def _rounded(declared: types.Number, far: Change) -> Node:
    """The shortest decimal text of a real, rounded half away from zero, by comparing the real with that half.

    Dividing a whole number that is a double by a power of ten that is one gives the double nearest to the quotient.
    """
    scale = declared.scale
    near = let(
        sql(f"CASE WHEN ABS(v) >= (10 * n + 5) / 1e{scale + 1} THEN n + 1 ELSE n END"),
        n=sql(f"CAST(ABS(v) * 1e{scale} AS INTEGER)"),
    )
    signed = let(
        sql("CASE WHEN n <= _limit THEN CASE WHEN v < 0 THEN -n ELSE n END END", limit=b.number(declared.limit)), n=near
    )
    return sql(f"CASE WHEN ABS(v) * 1e{scale + 1} < {NEAR} THEN _near ELSE _far END", near=signed, far=far(V))


def _int_of_text() -> Node:
    fits = sql(
        "LENGTH(n) < 19 OR LENGTH(n) = 19 AND n <= CASE WHEN v GLOB '-*' THEN _least ELSE _most END",
        least=b.literal(str(2**63)), most=b.literal(str(2**63 - 1)),
    )  # fmt: skip
    value = let(sql("CASE WHEN _fits THEN CAST(v AS INTEGER) END", fits=fits), n=sql("LTRIM(v, '-0')"))
    return b.case([(_whole(), value)])


def _decimal_of_text(declared: types.Number) -> Node:
    """All digits in a row, as many behind the point as are declared."""
    scale, digits = declared.scale, len(str(declared.limit))
    fits = sql(
        "LENGTH(LTRIM(w, '-0')) <= _whole AND LENGTH(RTRIM(f, '0')) <= _scale",
        whole=b.number(digits - scale), scale=b.number(scale),
    )  # fmt: skip
    too_long = sql("LENGTH(d) > 19 OR LENGTH(d) = 19 AND d > _most", most=b.literal(str(2**63 - 1)))
    signed = b.case([
        *([(too_long, sql(OVERFLOW))] if digits > 18 else []),
        (sql("v GLOB '-*'"), sql("-CAST(d AS INTEGER)")),
    ], sql("CAST(d AS INTEGER)"))  # fmt: skip
    row = sql("LTRIM(w || SUBSTR(f || _zeros, 1, _scale), '-0')", zeros=b.literal("0" * scale), scale=b.number(scale))
    value = _split(b.case([(fits, let(signed, d=row))]))
    return b.case([(_plain() if scale else _whole(), value)])


def _whole() -> Node:
    return sql("(v GLOB '[0-9]*' OR v GLOB '-[0-9]*') AND SUBSTR(v, 2) NOT GLOB '*[^0-9]*' AND INSTR(v, CHAR(0)) = 0")


def _plain() -> Node:
    """Digits, and more behind a point."""
    return sql(
        "(v GLOB '[0-9]*' OR v GLOB '-[0-9]*') AND SUBSTR(v, 2) NOT GLOB '*[^.0-9]*' AND v NOT GLOB '*.*.*'"
        " AND v NOT GLOB '*.' AND INSTR(v, CHAR(0)) = 0"
    )


def _split(body: Node) -> Node:
    """The body, in which `w` is what stands before the point, with the sign, and `f` what stands behind it."""
    return let(body, w=sql("SUBSTR(v, 1, INSTR(v || '.', '.') - 1)"), f=sql("SUBSTR(v, INSTR(v || '.', '.') + 1)"))


def _places(count: int) -> Node:
    """So many digits of the fraction `f` as a whole number."""
    return sql("CAST(SUBSTR(f || _zeros, 1, _n) AS INTEGER)", zeros=b.literal("0" * count), n=b.number(count))


# --- instants ------------------------------------------------------------------------------------------------------


def instant(local: Change) -> Node:
    """ISO text as microseconds. What has no offset is a clock's time, and `local` makes it an instant."""
    clock = let(
        let(
            let(
                let(
                    sql("CASE WHEN _right THEN CASE WHEN k = 0 THEN _local ELSE _shifted END END",
                        right=_right_clock(), local=local(_micros(b.number(0))), shifted=_micros(_offset())),
                    f=sql("SUBSTR(r, 1, LENGTH(r) - k)"),
                ),
                k=_offset_length(),
            ),
            r=sql("SUBSTR(v, p)"),
        ),
        p=sql(f"CASE WHEN SUBSTR(v, 11) GLOB '{_CLOCK}:[0-5][0-9]*' THEN 20 ELSE 17 END"),
    )  # fmt: skip
    # How most programs write a time; all others take longer.
    common = sql(f"(v GLOB '{_COMMON}' OR v GLOB '{_COMMON}.{'[0-9]' * 6}') AND SUBSTR(v, 12, 2) < '24'")
    value = sql("_s * 1000000 + CAST(SUBSTR(v, 21) AS INTEGER)", s=seconds(sql("SUBSTR(v, 1, 19)")))
    return by_class(text=b.case([
        (b.conjunction([common, *_is_day()]), local(value)),
        (b.negation(b.conjunction([sql(f"v GLOB '{_DAY}*'"), *_is_day()])), b.NULL()),
        (sql("LENGTH(v) = 10"), local(_day())),
        (sql(f"SUBSTR(v, 11) GLOB '{_CLOCK}*' AND SUBSTR(v, 12, 2) < '24'"), clock),
    ]))  # fmt: skip


def midnight(local: Change) -> Node:
    """A day as ISO text, or a clock's midnight: `local` makes it an instant."""
    shapes = ("[Tt ]00:00", "[Tt ]00:00[Zz]", "[Tt ]00:00:00", "[Tt ]00:00:00[Zz]")
    bare = b.disjunction([sql(f"SUBSTR(v, 11) GLOB '{shape}'") for shape in shapes])
    zeros = sql(
        "SUBSTR(v, 11) GLOB '[Tt ]00:00:00.0*' AND LTRIM(SUBSTR(v, 21), '0') IN ('', 'Z', 'z')"
        " AND LENGTH(RTRIM(v, 'Zz')) <= 29"
    )
    right = b.conjunction([sql(f"v GLOB '{_DAY}*'"), *_is_day(), b.disjunction([sql("LENGTH(v) = 10"), bare, zeros])])
    return by_class(text=b.case([(right, local(_day()))]))


def epoch(unit: str, physical: str, far: Change) -> Node:
    """A number of seconds, milliseconds or microseconds, cut to the microsecond.

    far: a real with too many digits for `NEAR`, cut to whole microseconds.
    """
    places = PLACES[unit]
    size = 10**places
    first, end = b.number(FIRST // size), b.number(LAST // size + 1)
    near = let(
        sql(f"CASE WHEN v >= (n + 1) / 1e{places} THEN n + 1 WHEN v >= n / 1e{places} THEN n ELSE n - 1 END"),
        n=sql(f"CAST(v * 1e{places} AS INTEGER)"),
    )
    # A fraction goes on behind the microsecond: a number below zero is cut to the one before.
    below = sql("CAST(w AS INTEGER) * _size - _d - (SUBSTR(f, _next) GLOB '*[1-9]*')", size=b.number(size),
                d=_places(places), next=b.number(places + 1))  # fmt: skip
    above = sql("CAST(w AS INTEGER) * _size + _d", size=b.number(size), d=_places(places))
    digits = let(
        sql("CASE WHEN t BETWEEN _first AND _last THEN t END", first=b.number(FIRST), last=b.number(LAST)),
        t=_split(sql("CASE WHEN v GLOB '-*' THEN _below ELSE _above END", below=below, above=above)),
    )
    return by_class(
        NUMBERS.get(affinity(physical)),
        integer=b.case([(sql("v >= _first AND v < _end", first=first, end=end), _times(V.copy(), size))]),
        real=b.case([
            (sql("v < _first OR v >= _end", first=first, end=end), b.NULL()),
            (sql(f"ABS(v) * 1e{places} < {NEAR}"), near),
        ], far(V)),
        text=b.case([(b.conjunction([_plain(), sql("LENGTH(LTRIM(v, '-0')) < 99")]), digits)]),
    )  # fmt: skip


def seconds(x: Node, *modifiers: Node) -> Node:
    """The seconds since 1970 of what SQLite's date functions take; NULL if they take it for no time.

    A Julian day is exact to a tenth of a millisecond.
    """
    return sql("CAST(ROUND((_day - 2440587.5) * 86400) AS INTEGER)", day=call("JULIANDAY", x, *modifiers))


def _day() -> Node:
    return sql("_s * 1000000", s=seconds(sql("SUBSTR(v, 1, 10)")))


def _is_day() -> list[Node]:
    """Whether the digits that the text begins with are a day of the years 1 to 9999, and no NUL hides what follows.

    SQLite takes the 31st of any month; DATE moves it on.
    """
    return [
        sql("(SUBSTR(v, 9, 2) < '29' OR DATE(SUBSTR(v, 1, 10), '+0 days') = SUBSTR(v, 1, 10))"),
        sql("SUBSTR(v, 1, 4) <> '0000'"), sql("INSTR(v, CHAR(0)) = 0"),  # in a column of numbers '0001' would be one
    ]  # fmt: skip


def _offset_length() -> Node:
    """How many letters at the end of `r` are an offset; NULL if it ends in no way that a time may."""
    return sql(
        "CASE WHEN r NOT GLOB '*[^.0-9]*' THEN 0 WHEN r GLOB '*[Zz]' THEN 1"
        " WHEN r GLOB '*[+-][0-2][0-9]:[0-5][0-9]' THEN 6 WHEN r GLOB '*[+-][0-2][0-9][0-5][0-9]' THEN 5"
        " WHEN r GLOB '*[+-][0-2][0-9]' THEN 3 END"
    )


def _right_clock() -> Node:
    """Whether `f` is a fraction of a second, or nothing, and the offset's hours are below 24."""
    return sql(
        "(f = '' OR p = 20 AND f GLOB '.[0-9]*' AND SUBSTR(f, 2) NOT GLOB '*[^0-9]*' AND LENGTH(f) <= 10)"
        " AND (k < 2 OR SUBSTR(r, 1 - k, 2) < '24')"
    )


def _offset() -> Node:
    """The offset's minutes: +02:00, +0200, +02 or Z."""
    return sql(
        "CASE WHEN k > 1 THEN CAST(SUBSTR(r, -k, 1) || '1' AS INTEGER) * (60 * CAST(SUBSTR(r, 1 - k, 2) AS INTEGER)"
        " + CASE WHEN k > 3 THEN CAST(SUBSTR(r, -2) AS INTEGER) ELSE 0 END) ELSE 0 END"
    )


def _micros(offset: Node) -> Node:
    return sql(
        "(_s - 60 * _offset) * 1000000 + CAST(SUBSTR(SUBSTR(f, 2) || '000000', 1, 6) AS INTEGER)",
        s=seconds(sql("UPPER(SUBSTR(v, 1, p - 1))")), offset=offset,
    )  # fmt: skip


# --- JSON ----------------------------------------------------------------------------------------------------------


def without_nul(letters: Node) -> Node:
    """Whether the letters of a JSON string write no NUL, at which SQLite's reading ends; `\\\\` is one letter."""
    return sql("INSTR(_x, _nul) = 0", x=call("REPLACE", letters, b.literal("\\\\"), b.literal("")),
               nul=b.literal("\\u0000"))  # fmt: skip


def json_words() -> Node:
    """The text that a JSON string holds; `v` is JSON."""
    return b.case([(without_nul(V.copy()), call("JSON_EXTRACT", V.copy(), b.literal("$")))])


def json_cell(words_only: bool) -> Node:
    """The cell that a JSON string, or number, stands for. Long whole numbers stay text, which has all their digits."""
    value = call("JSON_EXTRACT", V.copy(), b.literal("$"))
    arms = {"text": json_words()}
    if not words_only:
        arms["real"] = value
        arms["integer"] = sql("CASE WHEN LENGTH(v) < 19 THEN _x ELSE v END", x=value.copy())
    return _of_json(arms, b.NULL() if words_only else V.copy())


def json_boolean() -> Node:
    words = of(json_words(), sql("CASE v WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"))
    return _of_json({"true": b.number(1), "false": b.number(0), "text": words}, boolean())


def json_key() -> Node:
    """A key as text, out of JSON: a number as it is written there."""
    return _of_json({"text": json_words(), "null": b.NULL()}, key(), V.copy())


def json_list() -> Node:
    """The text of a JSON array, in JSON or as a JSON string."""
    return _of_json({"array": V.copy(), "text": let(array(), v=json_words())}, b.NULL())


def array() -> Node:
    """The text of a JSON array; NULL if the cell is none."""
    return _of_json({"array": V.copy()}, b.NULL())


def _of_json(arms: dict[str, Node], stored: Node, otherwise: Node | None = None) -> Node:
    """By the type of the JSON value that `v` is the text of; cells that are no text are what they are `stored` as."""
    by_type = exp.Case(this=call("JSON_TYPE", V.copy()),
                       ifs=[exp.If(this=b.literal(name), true=value) for name, value in arms.items()])  # fmt: skip
    if otherwise is not None:
        by_type.set("default", otherwise)
    return b.case([(sql("TYPEOF(v) <> 'text'"), stored), (call("JSON_VALID", V.copy()), by_type)])
