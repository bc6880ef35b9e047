"""The history of attributes (language reference, section 8): `changed`, `was … ago`, `was ever`."""

from __future__ import annotations

from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.core.time import EVER, Span
from segdsl.criteria.comparison import equals
from segdsl.criteria.context import Context
from segdsl.criteria.events import COUNT, conjunction
from segdsl.criteria.literals import step
from segdsl.syntax import ast
from segdsl.types import INT


def changed(
    context: Context, subject: ast.Expression, clause: ast.Changed, window: Span | core.Anchored | None
) -> core.Rule:
    """`lifecycle stage changed from "lead" to "customer" in 30d`. Raises Rejected."""
    held = _with_history(context, subject, clause)
    where: core.Rule = core.EVERYONE
    for end, literal in (("from", clause.before), ("to", clause.after)):
        if literal is not None:
            where = conjunction(where, equals(context, subject, core.Property(end, held.type), literal))
    return _changes(context, subject, held, where, window or EVER, context.words(clause))


def was(context: Context, subject: ast.Expression, clause: ast.Was) -> core.Rule:
    """`lifecycle stage was "lead" 30d ago`, `was ever "lead"`. Raises Rejected."""
    held = _with_history(context, subject, clause)
    if clause.ago is not None:
        then = core.Held(held.key, held.type, step(context, clause.ago, -1))
        return equals(context, subject, then, clause.value)
    # A value that was ever held began once: the first one known is a change, too.
    where = equals(context, subject, core.Property("to", held.type), clause.value)
    return _changes(context, subject, held, where, EVER, context.words(clause))


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
