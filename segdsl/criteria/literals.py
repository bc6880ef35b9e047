"""Literals: numbers, texts and durations as written, to constants."""

from __future__ import annotations

from math import gcd

from segdsl.core import nodes as core
from segdsl.core.time import LAST, MICROSECONDS, FromNow
from segdsl.criteria.context import Context
from segdsl.syntax import ast
from segdsl.syntax.strings import plain
from segdsl.types import Bool, Enum, Number, String, Type

_MONTHS = {"mo": 1, "y": 12}
_LONGEST = 10_000 * 366 * MICROSECONDS["d"]


def number(node: ast.Number) -> core.Const:
    """A number literal as an exact constant, without trailing zeros."""
    sign = -1 if node.text.startswith("-") else 1
    whole, _, fraction = node.text.lstrip("+-").partition(".")
    fraction = fraction.rstrip("0")
    value = sign * int(whole + fraction)
    return core.Const(value, Number(len(fraction), max(abs(value), 1)))


def share(node: ast.Number) -> tuple[int, int] | None:
    """A percentage as an exact fraction of a whole, (part, whole); None if it is not above 0 and up to 100."""
    percent = number(node)
    assert isinstance(percent.type, Number)
    part, whole = int(percent.value), 100 * 10**percent.type.scale
    divisor = gcd(part, whole)
    return (part // divisor, whole // divisor) if 0 < part <= whole else None


def whole_number(context: Context, node: ast.Number, what: str) -> int:
    """A literal that must be a whole number from 0 to the largest int. Raises Rejected."""
    constant = number(node)
    assert isinstance(constant.type, Number)
    if not constant.type.scale and int(constant.value) >= 2**63:
        context.reject("SEG0513", f"`{node.text}` is more than anybody counts", node.span, label="too large",
                       help="write a number below 2^63")  # fmt: skip
    if constant.type.scale or not 0 <= int(constant.value) < 2**63:
        context.reject(
            "SEG0513", f"`{node.text}` is not {what}", node.span, label="not a whole number", help="write 0, 1, 2, …"
        )
    return int(constant.value)


def text(context: Context, node: ast.Text, type_: Type, because: str, *, folded: bool = False) -> str:
    """A text literal compared with a value of `type_`: an enum's literal must be on its list. Raises Rejected."""
    value = plain(node)
    if isinstance(type_, Enum):
        listed = [lower_ascii(v) for v in type_.values] if folded else list(type_.values)
        if (lower_ascii(value) if folded else value) not in listed:
            context.reject(
                "SEG0302",
                f"`{value}` is not one of the values of {because}",
                node.span,
                label="not on the list",
                why=f"{because} is one of {', '.join(f'`{v}`' for v in type_.values)}",
                help=context.suggest(value, [(v, None) for v in type_.values], "write one of the listed values"),
            )
    elif not isinstance(type_, String):
        context.reject(
            "SEG0301",
            f"{because} is {type_}, not text",
            node.span,
            label="this is text",
            why=f"{because} is declared `{type_}`",
            help=_instead(type_),
        )
    return lower_ascii(value) if folded else value


def _instead(type_: Type) -> str:
    if isinstance(type_, Bool):
        return "write `true` or `false`, or let the name stand alone"
    return "write a value of that type, without quotes if it is a number"


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def lower_ascii(text: str) -> str:
    """A-Z lowered and nothing else: the fold that every engine can do alike."""
    return text.translate(_LOWER)


def step(context: Context, node: ast.Duration, sign: int = 1) -> FromNow:
    """`now` stepped by a duration, back for `sign=-1`. Raises Rejected for one that is zero or too long."""
    amount = _amount(context, node)
    if node.unit in _MONTHS:
        months = amount * _MONTHS[node.unit]
        if months > 120_000:
            _too_long(context, node)
        return FromNow(months=sign * months)
    return FromNow(microseconds=sign * _exact(context, node, amount))


def exact(context: Context, node: ast.Duration) -> int:
    """Microseconds of a duration that must have a fixed length: `within` takes no months. Raises Rejected."""
    if node.unit in _MONTHS:
        context.reject(
            "SEG0508",
            f"`within` takes an exact duration, and `{context.words(node)}` has no fixed length",
            node.span,
            label="months and years differ in length",
            help="say it in days: 30d, 365d",
        )
    return _exact(context, node, _amount(context, node))


def _amount(context: Context, node: ast.Duration) -> int:
    amount = int(node.amount)
    if amount <= 0:
        context.reject(
            "SEG0505", f"`{context.words(node)}` is no time at all", node.span, label="zero", help="write 1 or more"
        )
    return amount


def _exact(context: Context, node: ast.Duration, amount: int) -> int:
    microseconds = amount * MICROSECONDS[node.unit]
    if microseconds > _LONGEST:
        _too_long(context, node)
    return microseconds


def _too_long(context: Context, node: ast.Duration) -> None:
    context.reject(
        "SEG0519",
        f"`{context.words(node)}` is longer than 10,000 years",
        node.span,
        label="longer than the calendar",
        help="leave the window out to say ever",
    )


assert LAST < _LONGEST
