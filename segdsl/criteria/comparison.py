"""`=` `!=` `<` `<=` `>` `>=` between values (language reference, section 6)."""

from __future__ import annotations

from segdsl.core import nodes as core
from segdsl.criteria.context import Context, Lowered, Quotient, described
from segdsl.criteria.events import is_events
from segdsl.criteria.literals import lower_ascii, text
from segdsl.criteria.values import MOST_DIGITS, product
from segdsl.criteria.windows import INSTANTS
from segdsl.syntax import ast
from segdsl.types import INT, Bool, Enum, Float, Number, String, Type


def compare(context: Context, subject: ast.Expression, clause: ast.Compare) -> core.Rule:
    """A comparison as a rule; `a != b` is exactly `not a = b`. Raises Rejected for types that do not compare."""
    left = context.value(subject)
    if clause.op == "!=":
        return core.Not(_compare(context, subject, left, clause, "="))
    return _compare(context, subject, left, clause, clause.op)


def equals(context: Context, subject: ast.Expression, left: core.Value, literal: ast.Expression) -> core.Rule:
    """Whether a value that `subject` stands for equals a literal. Raises Rejected as a comparison does."""
    return _compare(context, subject, left, ast.Compare("=", literal, span=literal.span), "=")


def _compare(
    context: Context, subject: ast.Expression, left: Lowered, clause: ast.Compare, op: core.CompareOp
) -> core.Rule:
    right_side = clause.right
    if isinstance(left, core.Value) and isinstance(left.type, INSTANTS) and _is_date(right_side):
        literal = context.words(right_side)
        windows = {"=": "on", "<": "before", "<=": "before", ">": "after", ">=": "since"}
        context.reject(
            "SEG0305",
            f"`{context.words(subject)} {clause.op} {literal}`: an instant meets a literal date in a window",
            clause.span,
            label="not a comparison",
            why="a day is not one instant, so `<` and `=` would leave open which end of the day is meant",
            help=f"write `{context.words(subject)} {windows[op]} {literal}`",
        )
    if is_events(context, right_side):
        context.value(right_side)  # says that an event is no value
    if isinstance(left, core.Value) and isinstance(right_side, ast.Text):
        return _with_text(context, subject, left, clause, op)
    if isinstance(left, core.Const) and isinstance(subject, ast.Text):
        mirrored = ast.Compare(core.MIRRORED[op], subject, clause.ignoring_case, span=clause.span)
        other = context.plain_value(right_side)
        if not isinstance(right_side, ast.Text):
            return _with_text(context, right_side, other, mirrored, core.MIRRORED[op])
    right = context.value(right_side)
    if isinstance(left, Quotient) or isinstance(right, Quotient):
        return _averages(context, clause, op, left, right, subject)
    _same_kind(context, subject, left, right_side, right, op, clause)
    if clause.ignoring_case:
        left, right = folded(context, left, clause), folded(context, right, clause)
    _fits(context, subject, left, right_side, right)
    _fits(context, right_side, right, subject, left)
    return core.compare(op, as_float(left, right), as_float(right, left))


def as_float(value: core.Value, other: core.Value) -> core.Value:
    """A literal number beside a float is a float itself."""
    if isinstance(value, core.Const) and isinstance(value.type, Number) and isinstance(other.type, Float):
        return core.Const(int(value.value) / 10**value.type.scale, Float())
    return value


def folded(context: Context, value: core.Value, clause: ast.Node) -> core.Value:
    """Text ready to be compared without regard to case. Raises Rejected for anything but text."""
    if not isinstance(value.type, String | Enum):
        context.reject("SEG0303", "`ignoring case` goes with text only", clause.span, label=f"a `{value.type}`",
                       help="leave it out")  # fmt: skip
    if isinstance(value, core.Const):
        return core.Const(lower_ascii(str(value.value)), value.type)
    return core.Folded(value)


def _with_text(
    context: Context, subject: ast.Expression, left: core.Value, clause: ast.Compare, op: core.CompareOp
) -> core.Rule:
    assert isinstance(clause.right, ast.Text)
    literal = text(context, clause.right, left.type, f"`{context.words(subject)}`", folded=clause.ignoring_case)
    if op != "=":
        _unordered(context, clause, subject, left.type)
    left = folded(context, left, clause) if clause.ignoring_case else left
    return core.Compare("=", left, core.Const(literal, String()))


def _unordered(context: Context, clause: ast.Node, subject: ast.Expression, type_: Type) -> None:
    context.reject(
        "SEG0303",
        f"`{context.words(subject)}` is {described(type_)}, and that is only equal or not",
        clause.span,
        label="no order to compare by",
        help="use `=`, `!=` or `in (…)`",
    )


def _same_kind(
    context: Context,
    subject: ast.Expression,
    left: core.Value,
    right_side: ast.Expression,
    right: core.Value,
    op: core.CompareOp,
    clause: ast.Node,
) -> None:
    """Refuse two types that do not compare, and an order where there is none."""
    a, b = left.type, right.type
    groups: tuple[tuple[type, ...], ...] = ((Number, Float), (String, Enum), (Bool,), INSTANTS)
    for group in groups:
        if isinstance(a, group) and isinstance(b, group):
            if op != "=" and isinstance(a, String | Enum | Bool):
                _unordered(context, clause, subject, a)
            return
    context.reject(
        "SEG0301",
        f"`{context.words(subject)}` is {_kind(left)}, and `{context.words(right_side)}` is {_kind(right)}",
        right_side.span,
        label=f"{described(a)} is wanted",
        why=f"`{context.words(subject)}` is declared `{a}`" if not isinstance(left, core.Const) else "",
        help="compare values of one type"
        if str(a) not in ("geo", "list<string>")
        else "use `within … km of (…)` for places and `has` for lists",
    )


def _kind(value: core.Value) -> str:
    """What a value is, in an author's words: a literal number has no declared type."""
    return "a number" if isinstance(value, core.Const) and isinstance(value.type, Number) else described(value.type)


def _fits(
    context: Context, subject: ast.Expression, value: core.Value, literal: ast.Expression, constant: core.Value
) -> None:
    """A literal number must be one that the declared type can hold."""
    if isinstance(value.type, Number) and isinstance(constant.type, Number):
        scale = max(value.type.scale, constant.type.scale)
        declared = isinstance(value, core.Attribute | core.Held | core.Property | core.Measure)
        if isinstance(constant, core.Const) and declared:
            check_fits(context, value, subject, literal, constant)
        if any(t.limit * 10 ** (scale - t.scale) >= 10 * MOST_DIGITS for t in (value.type, constant.type)):
            context.reject("SEG0309", "this comparison can need more than 38 digits", literal.span,
                           label="too many digits", help="declare the values with fewer digits")  # fmt: skip


def check_fits(
    context: Context, value: core.Value, subject: ast.Expression, literal: ast.Expression, constant: core.Const
) -> None:
    """Refuse a literal number that the type of `value` can never hold. Raises Rejected."""
    assert isinstance(value.type, Number)
    assert isinstance(constant.type, Number)
    counted = isinstance(value, core.Measure) and value.kind in ("count", "distinct")
    limit = INT.limit if counted else value.type.limit
    if constant.type.scale > value.type.scale:
        shown = "whole numbers" if value.type.scale == 0 else f"{value.type.scale} digits after the point"
        why = f"`{context.words(subject)}` has {shown}"
    elif abs(int(constant.value)) * 10 ** (value.type.scale - constant.type.scale) > limit:
        why = f"the largest that `{context.words(subject)}` can hold has {len(str(limit)) - value.type.scale} digits"
    else:
        return
    context.reject(
        "SEG0304",
        f"`{context.words(literal)}` does not fit the type of `{context.words(subject)}`",
        literal.span,
        label="never equal to a stored value",
        why=why,
        help="write a number that the type can hold, or declare a wider type in segdsl.yml",
    )


def _averages(
    context: Context, clause: ast.Compare, op: core.CompareOp, left: Lowered, right: Lowered, subject: ast.Expression
) -> core.Rule:
    """`a/b >= c/d` is `a*d >= c*b`, counts being positive; unknown over no events."""
    guards = []
    sides: list[core.Value] = []
    for own, other in ((left, right), (right, left)):
        top = own.total if isinstance(own, Quotient) else own
        if not isinstance(top.type, Number):
            context.reject(
                "SEG0301",
                f"an average is a number, and this is {described(top.type)}",
                clause.span,
                label="not a number",
                help="compare the average with a number",
            )
        if isinstance(own, Quotient):
            guards.append(core.Compare(">", own.count, core.Const(0, INT)))
        sides.append(product(context, clause, top, other.count) if isinstance(other, Quotient) else top)
    _fits(context, subject, sides[0], clause.right, sides[1])
    return core.All((*guards, core.compare(op, sides[0], sides[1])))


def _is_date(expression: ast.Expression) -> bool:
    return isinstance(expression, ast.Date | ast.Instant)
