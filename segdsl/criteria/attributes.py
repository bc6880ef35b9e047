"""Tests on one value: lists of values, text operators, known, has, near (language reference, section 6)."""

from __future__ import annotations

from typing import NoReturn

from segdsl.core import nodes as core
from segdsl.criteria.comparison import as_float, check_fits, folded
from segdsl.criteria.context import Context, Quotient, described
from segdsl.criteria.events import conjunction, kinds_of
from segdsl.criteria.literals import lower_ascii, number, text
from segdsl.criteria.measures import events_in
from segdsl.syntax import ast
from segdsl.syntax.strings import glob, plain
from segdsl.types import INT, Bool, Enum, Float, Geo, ListOf, Number, String


def negated(rule: core.Rule, negative: bool) -> core.Rule:
    return core.Not(rule) if negative else rule


def one_of(context: Context, subject: ast.Expression, clause: ast.OneOf) -> core.Rule:
    """`country in ("DE", "FR")`, `not in (…)`. Raises Rejected."""
    value = context.plain_value(subject)
    because = f"`{context.words(subject)}`"
    if isinstance(value.type, String | Enum):
        options: list[bool | int | float | str] = []
        for item in clause.values:
            if not isinstance(item, ast.Text):
                _wrong_item(context, subject, value, item)
            options.append(text(context, item, value.type, because, folded=clause.ignoring_case))
        value = folded(context, value, clause) if clause.ignoring_case else value
        return negated(core.OneOf(value, tuple(dict.fromkeys(options))), clause.negated)
    if clause.ignoring_case:
        folded(context, value, clause)  # refuses
    if isinstance(value.type, Number | Float):
        return negated(core.OneOf(value, tuple(_numbers(context, subject, value, clause))), clause.negated)
    if isinstance(value.type, Bool):
        for item in clause.values:
            if not isinstance(item, ast.Bool):
                _wrong_item(context, subject, value, item)
        return negated(
            core.OneOf(value, tuple(dict.fromkeys(i.value for i in clause.values if isinstance(i, ast.Bool)))),
            clause.negated,
        )
    context.reject(
        "SEG0303",
        f"{because} is {described(value.type)}, and `in (…)` takes texts, numbers, true and false",
        clause.span,
        label="not with this type",
        help="use a window for instants, `has` for lists, `within … km of` for places",
    )


def _numbers(
    context: Context, subject: ast.Expression, value: core.Value, clause: ast.OneOf
) -> dict[int | float, None]:
    options: dict[int | float, None] = {}
    for item in clause.values:
        if not isinstance(item, ast.Number):
            _wrong_item(context, subject, value, item)
        constant = number(item)
        assert isinstance(constant.type, Number)
        if isinstance(value.type, Number):
            check_fits(context, value, subject, item, constant)
            options[int(constant.value) * 10 ** (value.type.scale - constant.type.scale)] = None
        else:
            literal = as_float(constant, value)
            assert isinstance(literal, core.Const)
            options[float(literal.value)] = None
    return options


def _wrong_item(context: Context, subject: ast.Expression, value: core.Value, item: ast.Expression) -> NoReturn:
    context.reject(
        "SEG0301",
        f"`{context.words(item)}` is not of the type of `{context.words(subject)}`",
        item.span,
        label=f"{described(value.type)} is wanted",
        why=f"`{context.words(subject)}` is declared `{value.type}`",
        help="list literals of that type",
    )


def text_test(context: Context, subject: ast.Expression, clause: ast.TextTest) -> core.Rule:
    """`email not contains ("test", "spam")`: any of the texts, or none of them. All lower to globs."""
    value = context.plain_value(subject)
    if not isinstance(value.type, String | Enum):
        list_help = "use `has` for lists" if isinstance(value.type, ListOf) else "compare it with `=`, `<`, `>`"
        context.reject(
            "SEG0303",
            f"`{clause.op}` is for text, and `{context.words(subject)}` is {described(value.type)}",
            clause.span,
            label="not text",
            help=list_help,
        )
    globs = []
    for literal in clause.values:
        words = () if not plain(literal) else (plain(literal),)
        parts: core.Glob
        match clause.op:
            case "starts with":
                parts = (*words, core.Wild.RUN)
            case "ends with":
                parts = (core.Wild.RUN, *words)
            case "contains":
                parts = (core.Wild.RUN, *words, core.Wild.RUN)
            case "matches":
                parts = glob(literal)
        if clause.ignoring_case:
            parts = tuple(lower_ascii(p) if isinstance(p, str) else p for p in parts)
        globs.append(parts)
    value = core.Folded(value) if clause.ignoring_case else value
    return negated(core.Match(value, tuple(globs)), clause.negated)


def is_known(context: Context, subject: ast.Expression, clause: ast.IsKnown) -> core.Rule:
    """`city is known`; an average is known when there is something to average."""
    value = context.value(subject)
    rule: core.Rule = (
        core.Compare(">", value.count, core.Const(0, INT)) if isinstance(value, Quotient) else core.Known(value)
    )
    return negated(rule, not clause.known)


def has(context: Context, subject: ast.Expression, clause: ast.Has) -> core.Rule:
    """`tags has "vip"`, `has any of (…)`, `has all of (…)`."""
    value = context.plain_value(subject)
    if not isinstance(value.type, ListOf):
        context.reject(
            "SEG0303",
            f"`has` looks into a list, and `{context.words(subject)}` is {described(value.type)}",
            clause.span,
            label="not a list",
            help="use `=` or `contains` for text",
        )
    parts = tuple(core.Contains(value, plain(item)) for item in clause.values)
    if len(parts) == 1:
        return parts[0]
    return core.Any(parts) if clause.mode == "any" else core.All(parts)


def has_where(context: Context, subject: ast.Expression, clause: ast.HasWhere) -> core.Rule:
    """`last(EVENT…) has (RULE)`: some event at that instant fits the rule.

    That is: the last event that fits it happened when the last event did.
    """
    if not isinstance(subject, ast.Call) or subject.function not in ("first", "last") or subject.property is not None:
        context.reject(
            "SEG0512",
            "`has (…)` asks about one event, found by `first(EVENT)` or `last(EVENT)`",
            clause.span,
            label="not an event",
            help='write `last(purchased) has (category = "shoes")`; for a list, `has any of ("a", "b")`',
        )
    found = context.plain_value(subject)
    assert isinstance(found, core.Measure)
    _, events = events_in(context, subject)
    rule = context.inside(kinds_of(context, events)).rule(clause.rule)
    branches = tuple(core.Branch(b.kind, conjunction(b.where, rule)) for b in found.events.branches)
    fitting = core.Measure(
        found.kind, core.Events(branches, found.events.span), found.type, words=context.words(clause)
    )
    return core.Compare("=", fitting, found)


def near(context: Context, subject: ast.Expression, clause: ast.Near) -> core.Rule:
    """`location within 50 km of (52.52, 13.405)`."""
    value = context.plain_value(subject)
    if not isinstance(value.type, Geo):
        context.reject(
            "SEG0303",
            f"`within … km of` is for places, and `{context.words(subject)}` is {described(value.type)}",
            clause.span,
            label="not a place",
            help="use an attribute of type `geo`",
        )
    kilometres, latitude, longitude = (_float(n) for n in (clause.kilometres, clause.latitude, clause.longitude))
    for shown, node, limit in ((latitude, clause.latitude, 90), (longitude, clause.longitude, 180)):
        if abs(shown) > limit:
            context.reject(
                "SEG0304",
                f"`{node.text}` is not on the globe",
                node.span,
                label=f"from -{limit} to {limit}",
                help="write (latitude, longitude) in degrees",
            )
    if kilometres <= 0:
        context.reject("SEG0304", "a distance is more than 0 km", clause.kilometres.span, label="not a distance",
                       help="write `within 50 km of (…)`")  # fmt: skip
    return core.Near(value, latitude, longitude, kilometres)


def _float(node: ast.Number) -> float:
    return float(node.text)


def is_true(context: Context, subject: ast.Expression) -> core.Rule:
    """A value alone is a test if it is true or false: `subscribed and not bounced`."""
    value = context.value(subject)
    if isinstance(value, Quotient) or not isinstance(value.type, Bool):
        type_ = "number" if isinstance(value, Quotient) else str(value.type)
        context.reject(
            "SEG0307",
            f"`{context.words(subject)}` alone is not a test: it is {described(type_)}",
            subject.span,
            label="compared with what?",
            help=f"compare it, `{context.words(subject)} = …`, or ask `is known`",
        )
    if isinstance(value, core.Const):
        return core.EVERYONE if value.value else core.NOBODY
    return core.Compare("=", value, core.Const(True, Bool()))
