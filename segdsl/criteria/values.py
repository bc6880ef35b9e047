"""Value expressions (language reference, section 6): names, literals, arithmetic, scores."""

from __future__ import annotations

from typing import Literal, NoReturn

from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.criteria.context import Context, Lowered, Quotient, described
from segdsl.criteria.events import is_events, property_of
from segdsl.criteria.literals import number
from segdsl.criteria.measures import measure
from segdsl.syntax import ast
from segdsl.syntax.slips import respelt
from segdsl.syntax.strings import plain
from segdsl.types import Bool, Number, String

# What every engine holds exactly: 38 decimal digits.
MOST_DIGITS = 10**38


def value(context: Context, expression: ast.Expression) -> Lowered:
    """Any expression as a value. Raises Rejected, saying why, for one that is a test or an event."""
    match expression:
        case ast.Number():
            return number(expression)
        case ast.Text():
            return core.Const(plain(expression), String())
        case ast.Bool():
            return core.Const(expression.value, Bool())
        case ast.Date() | ast.Instant():
            context.reject(
                "SEG0305",
                f"`{expression.text}` is a literal date, and dates are compared by a window",
                expression.span,
                label="use a window here",
                help=f"write `before {expression.text}`, `since {expression.text}`, `on …` or `between … and …`",
            )
        case ast.Duration():
            context.reject(
                "SEG0310",
                f"`{context.words(expression)}` is a length of time, not a value to compare with",
                expression.span,
                label="a duration",
                help="use a window: `in 30d`, `more than 30d ago`",
            )
        case ast.Operand():
            return _name(context, expression)
        case ast.Call():
            return measure(context, expression)
        case ast.Arithmetic():
            return _arithmetic(context, expression)
        case ast.AnyEvent() | ast.AnyOf():
            _event_as_value(context, expression)
        case ast.Test(subject=subject) if is_events(context, subject):
            _event_as_value(context, expression)
        case _:
            context.reject(
                "SEG0310",
                f"`{context.words(expression)}` is a test, and a value is wanted here",
                expression.span,
                label="true or false, not a value",
                help="join tests with `and`, `or`, `not`; compare attributes, numbers, texts and aggregates",
            )


def _event_as_value(context: Context, expression: ast.Expression) -> NoReturn:
    words = context.words(expression)
    context.reject(
        "SEG0311",
        f"`{words}` is an event, and a value is wanted here",
        expression.span,
        label="an event",
        help=f"write `count({words})`, `last({words})` or `sum(PROPERTY of {words})`",
    )


def _name(context: Context, operand: ast.Operand) -> core.Value:
    key, catalog = name_key(operand.name.text), context.catalog
    if operand.field is not None:
        return _related(context, operand, operand.field)
    if context.scope is not None:
        if operand.objects:
            _no_object(context, operand)
        return property_of(context, context.scope, operand.name)
    if key in catalog.events:
        _event_as_value(context, operand)
    if operand.objects and (key in catalog.attributes or key in context.names.scores):
        _no_object(context, operand)
    if key in catalog.attributes:
        attribute = catalog.attributes[key]
        return core.Held(key, attribute.type) if attribute.history else core.Attribute(key, attribute.type)
    if key in context.names.scores:
        name, type_ = context.names.scores[key]
        return core.ScoreOf(name, type_)
    _unknown(context, operand)


def _no_object(context: Context, operand: ast.Operand) -> NoReturn:
    context.reject(
        "SEG0512",
        f"`{operand.name.text}` is not an event, so it takes no object",
        operand.objects[0].span,
        label="nothing to match",
        help=f"compare it: `{operand.name.text} = {context.words(operand.objects[0])}`",
    )


def _unknown(context: Context, operand: ast.Operand) -> NoReturn:
    name, catalog = operand.name.text, context.catalog
    if name_key(name) in context.names.segments:
        context.reject(
            "SEG0203",
            f"`{name}` is a segment, not an event or attribute",
            operand.name.span,
            label="a segment",
            help=f"write `in segment {name}`",
        )
    known = [(e.name, e.place) for e in catalog.events.values()]
    known += [(a.name, a.place) for a in catalog.attributes.values()]
    known += [(score, None) for score, _ in context.names.scores.values()]
    slip = None if operand.name.quoted else respelt(name.split(), {name_key(n) for n, _ in known})
    context.reject(
        "SEG0203",
        f"`{name}` is not an event or attribute",
        operand.name.span,
        label="not in the catalog",
        help=f"did you mean `{slip}`?"
        if slip
        else context.suggest(name, known, "declare it in segdsl.yml, or use a name that is there"),
    )


def _related(context: Context, operand: ast.Operand, field: ast.Name) -> core.Attribute:
    relations = context.catalog.relations
    if context.scope is not None:
        context.reject("SEG0202", "inside `where (…)` stand the event's own properties", operand.span,
                       label="not a property", help="move this test out of the `where`")  # fmt: skip
    relation = relations.get(name_key(operand.name.text))
    if relation is None:
        context.reject(
            "SEG0208",
            f"`{operand.name.text}` is not a relation",
            operand.name.span,
            label="not in the catalog",
            help=context.suggest(
                operand.name.text, [(r.name, r.place) for r in relations.values()], "declare it under `relations`"
            ),
        )
    key = name_key(field.text)
    if key not in relation.attributes:
        names = [(a.name, a.place) for a in relation.attributes.values()]
        context.reject(
            "SEG0208",
            f"`{field.text}` is not an attribute of `{relation.name}`",
            field.span,
            label="no such attribute",
            help=context.suggest(field.text, names, "its attributes are: " + ", ".join(f"`{n}`" for n, _ in names)),
        )
    return core.Attribute(key, relation.attributes[key].type, name_key(relation.name))


# --- arithmetic -------------------------------------------------------------------------------------------------


def _arithmetic(context: Context, node: ast.Arithmetic) -> Lowered:
    left = _numeric(context, node.first)
    for op, operand in node.rest:
        left = _combine(context, node, op, left, _numeric(context, operand))
    return left


def _numeric(context: Context, expression: ast.Expression) -> Lowered:
    lowered = context.value(expression)
    type_ = lowered.total.type if isinstance(lowered, Quotient) else lowered.type
    if not isinstance(type_, Number):
        context.reject(
            "SEG0308",
            f"`{context.words(expression)}` is {described(type_)}, and only exact numbers are added and multiplied",
            expression.span,
            label=f"a `{type_}`",
            help="declare it `int` or `decimal(18,2)` in segdsl.yml if it is a number",
        )
    return lowered


def _combine(context: Context, node: ast.Node, op: Literal["+", "-", "*"], left: Lowered, right: Lowered) -> Lowered:
    """`a/b op c/d` as one quotient: averages are never divided out."""
    if not isinstance(left, Quotient) and not isinstance(right, Quotient):
        return product(context, node, left, right) if op == "*" else _sum(context, node, op, left, right)
    (a, b), (c, d) = _parts(left), _parts(right)
    count = b if d is None else d if b is None else product(context, node, b, d)
    assert count is not None
    if op == "*":
        return Quotient(product(context, node, a, c), count)
    a = product(context, node, a, d) if d is not None else a
    c = product(context, node, c, b) if b is not None else c
    return Quotient(_sum(context, node, op, a, c), count)


def _parts(lowered: Lowered) -> tuple[core.Value, core.Value | None]:
    return (lowered.total, lowered.count) if isinstance(lowered, Quotient) else (lowered, None)


def product(context: Context, node: ast.Node, left: core.Value, right: core.Value) -> core.Arithmetic:
    """`left * right`, exact. Raises Rejected if it could outgrow what every engine holds."""
    assert isinstance(left.type, Number)
    assert isinstance(right.type, Number)
    type_ = Number(left.type.scale + right.type.scale, left.type.limit * right.type.limit)
    return core.Arithmetic("*", left, right, _fitting(context, node, type_))


def _sum(
    context: Context, node: ast.Node, op: Literal["+", "-"], left: core.Value, right: core.Value
) -> core.Arithmetic:
    assert isinstance(left.type, Number)
    assert isinstance(right.type, Number)
    scale = max(left.type.scale, right.type.scale)
    limit = sum(t.limit * 10 ** (scale - t.scale) for t in (left.type, right.type))
    return core.Arithmetic(op, left, right, _fitting(context, node, Number(scale, limit)))


def _fitting(context: Context, node: ast.Node, type_: Number) -> Number:
    if type_.limit >= MOST_DIGITS:
        context.reject(
            "SEG0309",
            f"`{context.words(node)}` can need more than 38 digits, more than databases hold exactly",
            node.span,
            label="too many digits",
            why="the size follows from the declared types, for the largest values they allow",
            help="declare the properties with fewer digits, `decimal(12,2)`, or multiply fewer of them",
        )
    return type_
