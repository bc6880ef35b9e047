"""The history of attributes (language reference, section 8): `changed`, `was … ago`, `was ever`."""

from __future__ import annotations

from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.core.time import EVER, Span
from segdsl.criteria.comparison import equals
from segdsl.criteria.context import Context, described
from segdsl.criteria.events import COUNT, conjunction
from segdsl.criteria.literals import step
from segdsl.criteria.windows import start_of
from segdsl.syntax import ast
from segdsl.types import INT, Date, Timestamp


def changed(
    context: Context, subject: ast.Expression, clause: ast.Changed, window: Span | core.Anchored | None
) -> core.Rule:
    """`lifecycle stage changed from "lead" to "customer" in 30d`. Raises Rejected."""
    held = _with_history(context, subject, clause)
    where: core.Rule = core.EVERYONE
    for end, literal in (("from", clause.before), ("to", clause.after)):
        if literal is not None:
            where = conjunction(where, _holds(context, subject, core.Property(end, held.type), literal))
    return _changes(context, subject, held, where, window or EVER, context.words(clause))


def was(context: Context, subject: ast.Expression, clause: ast.Was) -> core.Rule:
    """`lifecycle stage was "lead" 30d ago`, `was ever "lead"`. Raises Rejected."""
    held = _with_history(context, subject, clause)
    if clause.ago is not None:
        then = core.Held(held.key, held.type, step(context, clause.ago, -1))
        return _holds(context, subject, then, clause.value)
    # A value that was ever held began once: the first one known is a change, too.
    where = _holds(context, subject, core.Property("to", held.type), clause.value)
    return _changes(context, subject, held, where, EVER, context.words(clause))


def _holds(context: Context, subject: ast.Expression, value: core.Value, literal: ast.Expression) -> core.Rule:
    """Whether a value that an attribute had is the one written: a day only for a `date`."""
    if not isinstance(literal, ast.Date | ast.Instant) or not isinstance(value.type, Date | Timestamp):
        return equals(context, subject, value, literal)
    if isinstance(value.type, Timestamp) or isinstance(literal, ast.Instant):
        context.reject(
            "SEG0305",
            f"`{context.words(subject)}` is {described(value.type)}, and `{literal.text}` is not one value of it",
            literal.span,
            label="a day is written where a date is declared" if isinstance(value.type, Date) else "not a value",
            help=f"ask `changed` without a value, or for the value at now `{context.words(subject)} on 2026-01-31`",
        )
    return core.Compare("=", value, core.Const(start_of(context, literal), Date()))


def _changes(
    context: Context, subject: ast.Node, held: core.Held, where: core.Rule, span: Span | core.Anchored, words: str
) -> core.Rule:
    events = core.Events((core.Branch(core.changes_of(held.key), where),), span)
    measure = core.Measure("count", events, COUNT, words=f"{context.words(subject)} {words}")
    return core.Compare(">=", measure, core.Const(1, INT))


def _with_history(context: Context, subject: ast.Expression, clause: ast.Node) -> core.Held:
    value = context.plain_value(subject)
    if isinstance(value, core.Held):
        return value
    words = context.words(subject)
    own = isinstance(subject, ast.Operand) and name_key(subject.name.text) in context.catalog.attributes
    context.reject(
        "SEG0524",
        f"the catalog maps no history of `{words}`" if own else f"`{words}` is not an attribute with a history",
        clause.span,
        label="was, when?",
        help="give the attribute `history: {table: …, time: …, value: …}` in segdsl.yml"
        if own
        else "`changed` and `was` go with the contact's own attributes",
    )
