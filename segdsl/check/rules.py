"""Any expression as a rule: the one place that decides which criterion a test is."""

from __future__ import annotations

from typing import NoReturn

from segdsl.core import nodes as core
from segdsl.criteria import TESTS
from segdsl.criteria.attributes import is_true
from segdsl.criteria.context import Context, Rejected
from segdsl.criteria.events import event_test, is_events
from segdsl.criteria.membership import in_list, in_segment
from segdsl.criteria.windows import in_window, take_window
from segdsl.syntax import ast


def rule(context: Context, expression: ast.Expression) -> core.Rule:
    """Check and lower a test. Errors are recorded in the context; what was refused holds for nobody.

    Every operand of `and`, `or`, `not` is checked by itself, so one run reports the errors of all of them.
    """
    match expression:
        case ast.And():
            return core.All(tuple(rule(context, operand) for operand in expression.operands))
        case ast.Or():
            return core.Any(tuple(rule(context, operand) for operand in expression.operands))
        case ast.Not():
            return core.Not(rule(context, expression.operand))
    try:
        return _test(context, expression)
    except Rejected:
        return core.NOBODY


def _test(context: Context, expression: ast.Expression) -> core.Rule:
    match expression:
        case ast.Everyone():
            return core.EVERYONE
        case ast.InSegment():
            return in_segment(context, expression)
        case ast.InList():
            return in_list(context, expression)
        case ast.InSample() | ast.Anniversary() | ast.Sequence():
            _not_yet(context, expression)
        case ast.Test(subject=subject, clauses=clauses):
            if is_events(context, subject):
                _refuse_later_clauses(context, clauses)
                return event_test(context, subject, clauses)
            if isinstance(subject, ast.Anniversary | ast.Sequence):
                _not_yet(context, subject)
            return _value_test(context, subject, clauses)
        case _:
            if is_events(context, expression):
                return event_test(context, expression, ())
            return is_true(context, expression)


def _value_test(context: Context, subject: ast.Expression, clauses: tuple[ast.Clause, ...]) -> core.Rule:
    _refuse_later_clauses(context, clauses)
    if isinstance(subject, ast.Operand):
        context.value(subject)  # an unknown name is the first thing to say
    window, rest = take_window(context, clauses, of_events=False)
    if window is not None:
        if rest:
            context.reject(
                "SEG0501",
                f"`{context.words(subject)} {context.words(rest[0])}` holds no instant for a window to look at",
                rest[0].span,
                label="a comparison and a window",
                help="write two tests joined by `and`, or put the window inside `count(…)`, `sum(…)`",
            )
        return in_window(context, subject, window)
    clause = rest[0]
    if len(rest) > 1:
        context.reject(
            "SEG0512",
            f"`{context.words(rest[1])}` stands behind a test that is complete",
            rest[1].span,
            label="one test too many",
            help="write two tests joined by `and`",
        )
    criterion = TESTS.get(type(clause))
    if criterion is None:
        context.reject(
            "SEG0512",
            f"`{context.words(clause)}` goes with events, and `{context.words(subject)}` is not one",
            clause.span,
            label="not with a value",
            help="compare the value with `=`, `<`, `in (…)`, `is known`",
        )
    return criterion(context, subject, clause)


_LATER = (ast.Changed, ast.Was, ast.Without, ast.AllWithin)


def _refuse_later_clauses(context: Context, clauses: tuple[ast.Clause, ...]) -> None:
    for clause in clauses:
        if isinstance(clause, _LATER):
            _not_yet(context, clause)


def _not_yet(context: Context, node: ast.Node) -> NoReturn:
    context.reject(
        "SEG0590",
        "sequences, history, samples and anniversaries are read and formatted, but not compiled yet",
        node.span,
        label="not compiled yet",
        help="leave this test out for now",
    )
