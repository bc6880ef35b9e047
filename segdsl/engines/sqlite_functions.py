"""What the engine adds to SQLite: MD5, the digits of doubles, and numbers of any length.

A *long* number is one whose type reaches beyond 64 bits. It is held as 40 digits of itself and `SHIFT`, so that texts
of equal length are in the order of the numbers. What the functions here compute is an integer if it is one for SQLite,
and else such a text; `segdsl_long` makes all numbers of a long type texts, so that they can be compared.
"""

from __future__ import annotations

import hashlib
import sqlite3
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from sqlglot import exp

from segdsl import types
from segdsl.backends.python.fit import fit
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects import sqlite_cells as cells
from segdsl.backends.sql.dialects.dialect import Feature
from segdsl.backends.sql.dialects.sqlite import SQLite, short
from segdsl.backends.sql.dialects.sqlite_cells import call, sql
from segdsl.backends.sql.dialects.whole import Steps, offsets_at, offsets_shown
from segdsl.types import Type

DIGITS = 40
SHIFT = 5 * 10 ** (DIGITS - 1)
Held = int | str | None


class SQLiteWithFunctions(SQLite):
    """What statements may say where `register` has been: then nothing overflows."""

    cannot: ClassVar[dict[Feature, str]] = {}

    def to_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else call("segdsl_to_local", x, b.text(zone))

    def from_local(self, x: Node, zone: str) -> Node:
        return x if zone == "UTC" else call("segdsl_from_local", x, b.text(zone))

    def md5(self, x: Node, digits: int) -> Node:
        return sql("SUBSTR(_x, 1, _n)", x=call("segdsl_md5", x), n=b.number(digits))

    def number(self, scaled: int, scale: int) -> Node:
        held = _held(scaled)
        return b.number(held) if isinstance(held, int) else b.literal(held)

    def plus(self, left: Node, right: Node) -> Node:
        return _marked(super().plus(left, right))

    def minus(self, left: Node, right: Node) -> Node:
        return _marked(super().minus(left, right))

    def times(self, left: Node, right: Node) -> Node:
        return _marked(super().times(left, right))

    def summed(self, x: Node, of: types.Number) -> Node:
        if not short(of):
            return call("segdsl_sum", x)
        # Halves of 32 bits do not overflow before there are two thousand million of them.
        return call("segdsl_halves", *(exp.Sum(this=sql(half, x=x)) for half in ("_x >> 32", "_x & 4294967295")))

    def sized(self, x: Node, of: types.Number) -> Node:
        """Arithmetic that stays short is SQLite's own; what may get long is ours."""
        if short(of) or isinstance(x, exp.Column):
            return x
        if isinstance(x, exp.Literal | exp.Neg):
            return x if x.is_string else b.literal(_long(int(x.sql())))
        return call("segdsl_long", x.transform(_ours))

    def to_double(self, x: Node, scale: int) -> Node:
        return call("segdsl_double", x, b.number(scale))

    def exact(self, declared: types.Number, physical: str) -> Node:
        return super().exact(declared, physical) if short(declared) else self.far(cells.V.copy(), declared)

    def far(self, v: Node, declared: types.Number) -> Node:
        return call("segdsl_fit", v, b.number(declared.scale), self.number(declared.limit, 0))

    def far_epoch(self, v: Node, unit: str) -> Node:
        return call("segdsl_cut", v, b.number(cells.PLACES[unit]))

    def python(self, value: object, declared: Type) -> object:
        if isinstance(declared, types.Number) and isinstance(value, int | str):
            return _number(value)
        return super().python(value, declared)


def _marked(node: Node) -> Node:
    node.meta["exact"] = True
    return node


def _ours(node: Node) -> Node:
    """An operation on numbers as a call of ours."""
    if not node.meta.get("exact"):
        return node
    name = {exp.Add: "segdsl_plus", exp.Sub: "segdsl_minus", exp.Mul: "segdsl_times"}[type(node)]
    return call(name, node.this.transform(_ours), node.expression.transform(_ours))


# --- what SQLite calls ---------------------------------------------------------------------------------------------


def register(connection: sqlite3.Connection) -> None:
    """Makes the functions known to a connection."""
    functions: dict[str, tuple[int, Callable[..., Any]]] = {
        "segdsl_md5": (1, lambda text: text and hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()),
        "segdsl_to_local": (2, _shift(offsets_at, 1)),
        "segdsl_from_local": (2, _shift(offsets_shown, -1)),
        "segdsl_plus": (2, _operation(lambda a, c: a + c)),
        "segdsl_minus": (2, _operation(lambda a, c: a - c)),
        "segdsl_times": (2, _operation(lambda a, c: a * c)),
        "segdsl_halves": (2, lambda high, low: None if high is None else _held((high << 32) + low)),
        "segdsl_long": (1, lambda held: None if held is None else _long(_number(held))),
        "segdsl_double": (2, lambda held, scale: None if held is None else _number(held) / 10**scale),
        "segdsl_fit": (3, _fit),
        "segdsl_cut": (2, _cut),
    }
    for name, (arguments, function) in functions.items():
        connection.create_function(name, arguments, function, deterministic=True)
    connection.create_aggregate("segdsl_sum", 1, _Sum)  # type: ignore[arg-type]


def _shift(offsets: Callable[[str], tuple[int, Steps]], sign: int) -> Callable[[int | None, str], int | None]:
    """Adds, or takes away, by how much clocks are ahead of UTC."""

    @cache
    def table(zone: str) -> tuple[list[int], list[int]]:
        first, changes = offsets(zone)
        return [at for at, _ in changes], [first, *(after for _, after in changes)]

    def shifted(moment: int | None, zone: str) -> int | None:
        if moment is None:
            return None
        times, held = table(zone)
        return moment + sign * held[bisect_right(times, moment)]

    return shifted


def _number(held: int | str) -> int:
    return held if isinstance(held, int) else int(held) - SHIFT


def _long(number: int) -> str:
    return f"{number + SHIFT:0{DIGITS}d}"


def _held(number: int) -> int | str:
    return number if -(2**63) <= number < 2**63 else _long(number)


def _operation(compute: Callable[[int, int], int]) -> Callable[[Held, Held], Held]:
    def held(left: Held, right: Held) -> Held:
        return None if left is None or right is None else _held(compute(_number(left), _number(right)))

    return held


def _fit(value: object, scale: int, limit: int | str) -> Held:
    """A cell as a Number, or None; of a long type as one."""
    declared = types.Number(scale, _number(limit))
    found = fit(value, declared, "UTC")
    if not isinstance(found, int):
        return None
    return found if short(declared) else _long(found)


def _cut(value: float, places: int) -> Held:
    """The digits of a double, cut behind some places."""
    scaled = fit(value, types.decimal(38, places + 6), "UTC")
    return _held(scaled // 10**6) if isinstance(scaled, int) else None


class _Sum:
    """The sum of long numbers; None of none."""

    def __init__(self) -> None:
        self.total: int | None = None

    def step(self, held: Held) -> None:
        if held is not None:
            self.total = (self.total or 0) + _number(held)

    def finalize(self) -> Held:
        return None if self.total is None else _held(self.total)
