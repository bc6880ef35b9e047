"""From what the parser recognised to the tree of `segdsl.syntax.ast`.

`Builder` is handed to the parser, which calls a method as soon as a rule is complete. So no parse tree is
ever built or walked, and a chain of ten thousand `and`s needs no recursion.

Each method receives the rule's children in order: terminals (with their place in the text) and the nodes
that methods called earlier returned.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeGuard, TypeVar, cast

from segdsl.syntax import ast
from segdsl.syntax.strings import bad_escapes
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span

MAX_ARITHMETIC_OPERANDS = 200

DURATION_UNITS: dict[str, ast.DurationUnit] = {
    **{unit: unit for unit in ("ms", "s", "min", "h", "d", "w", "mo", "y")},
    "millisecond": "ms", "second": "s", "minute": "min", "hour": "h", "day": "d", "week": "w", "month": "mo",
    "year": "y",
}  # fmt: skip


class Terminal(Protocol):
    """What the parser's tokens offer."""

    type: str
    value: str
    start_pos: int
    end_pos: int


Child = Any  # a Terminal, a Node or a tuple of Nodes: which one, the grammar's rule says
N = TypeVar("N", bound=ast.Node)


def is_terminal(child: Child, *types: str) -> TypeGuard[Terminal]:
    """Whether a child is a terminal, of one of `types` if any are given."""
    kind = getattr(child, "type", None)
    return isinstance(kind, str) and (not types or kind in types)


def _nodes(children: Seq[Child], kind: type[N]) -> tuple[N, ...]:
    return tuple(c for c in children if isinstance(c, kind))


@dataclass(frozen=True, slots=True)
class Texts(ast.Node):
    """Texts in parentheses, on their way into the node above; never part of the tree."""

    items: tuple[ast.Text, ...]


class State(threading.local):
    """Where the text being parsed lies in its source, and what was found wrong with it so far."""

    source: Source
    base: int
    diagnostics: list[Diagnostic]


class Builder:
    """Callbacks of the grammar, one a rule or alternative; the grammar file says what each one receives."""

    def __init__(self) -> None:
        self.state = State()

    # --- places ---------------------------------------------------------------------------------------------

    def _start(self, child: Child) -> int:
        while isinstance(child, tuple):
            child = child[0]
        return child.span.start if isinstance(child, ast.Node) else self.state.base + int(child.start_pos)

    def _end(self, child: Child) -> int:
        while isinstance(child, tuple):
            child = child[-1]
        return child.span.end if isinstance(child, ast.Node) else self.state.base + int(child.end_pos)

    def span(self, children: Seq[Child]) -> Span:
        """From the first child to the last."""
        return Span(self._start(children[0]), self._end(children[-1]))

    # --- files ----------------------------------------------------------------------------------------------

    def file(self, children: list[Child]) -> tuple[ast.Node, ...]:
        return tuple(children)

    def segment(self, children: list[Child]) -> ast.Segment:
        title = _nodes(children[2:3], ast.Text)
        return ast.Segment(children[1], title[0] if title else None, children[-1], span=self.span(children))

    def score(self, children: list[Child]) -> ast.Score:
        title = _nodes(children[2:3], ast.Text)
        lines = _nodes(children, ast.ScoreLine)
        return ast.Score(children[1], title[0] if title else None, lines, span=self.span(children))

    def test_case(self, children: list[Child]) -> ast.TestCase:
        title = _nodes(children[2:3], ast.Text)
        lines = tuple(
            c for c in children if isinstance(c, ast.GivenContact | ast.GivenEvent | ast.GivenSet | ast.Expect)
        )
        return ast.TestCase(children[1], title[0] if title else None, lines, span=self.span(children))

    def _points(self, token: Terminal) -> ast.Number:
        return ast.Number("".join(token.value.split()), span=self.span([token]))

    def points_if(self, children: list[Child]) -> ast.ScoreLine:
        return ast.ScoreLine(self._points(children[0]), children[2], None, None, span=self.span(children))

    def points_per(self, children: list[Child]) -> ast.ScoreLine:
        cap = children[3] if len(children) > 3 else None
        return ast.ScoreLine(self._points(children[0]), None, children[2], cap, span=self.span(children))

    def cap(self, children: list[Child]) -> ast.Number:
        return self.number(children[1:])

    def assignment(self, children: list[Child]) -> ast.Assignment:
        return ast.Assignment(children[0], children[2], span=self.span(children))

    def given_list(self, children: list[Child]) -> ast.GivenList:
        return ast.GivenList(children[-1], not is_terminal(children[0], "NOT"), span=self.span(children))

    def unknown(self, children: list[Child]) -> ast.Unknown:
        return ast.Unknown(span=self.span(children))

    def text_list(self, children: list[Child]) -> ast.TextList:
        return ast.TextList(_nodes(children, ast.Text), span=self.span(children))

    def place(self, children: list[Child]) -> ast.Place:
        return ast.Place(self.number(children[1:2]), self.number(children[3:4]), span=self.span(children))

    def given_contact(self, children: list[Child]) -> ast.GivenContact:
        return ast.GivenContact(self._givens(children), span=self.span(children))

    def given_set(self, children: list[Child]) -> ast.GivenSet:
        return ast.GivenSet(children[0], self._givens(children), span=self.span(children))

    def _givens(self, children: list[Child]) -> tuple[ast.Given, ...]:
        return tuple(child for child in children if isinstance(child, ast.Given))

    def given_event(self, children: list[Child]) -> ast.GivenEvent:
        return ast.GivenEvent(children[0], children[1], span=self.span(children))

    def expect(self, children: list[Child]) -> ast.Expect:
        return ast.Expect(children[1], is_terminal(children[2], "IN"), span=self.span(children))

    # --- rules ----------------------------------------------------------------------------------------------

    def or_(self, children: list[Child]) -> ast.Or:
        return ast.Or(tuple(children[::2]), span=self.span(children))

    def and_(self, children: list[Child]) -> ast.And:
        return ast.And(tuple(children[::2]), span=self.span(children))

    def not_(self, children: list[Child]) -> ast.Not:
        return ast.Not(children[1], span=self.span(children))

    def sequence(self, children: list[Child]) -> ast.Sequence:
        first = ast.Step(False, children[0], span=self.span(children[:1]))
        return ast.Sequence((first, *children[1:]), span=self.span(children))

    def then_step(self, children: list[Child]) -> ast.Step:
        return ast.Step(is_terminal(children[1], "NOT"), children[-1], span=self.span(children))

    def test(self, children: list[Child]) -> ast.Test:
        return ast.Test(children[0], tuple(children[1:]), span=self.span(children))

    def sum(self, children: list[Child]) -> ast.Arithmetic:
        span = self.span(children)
        operands = (len(children) + 1) // 2
        if operands > MAX_ARITHMETIC_OPERANDS:
            self.state.diagnostics.append(
                Diagnostic(
                    "SEG0007",
                    f"this calculation has {operands} operands; {MAX_ARITHMETIC_OPERANDS} is the most",
                    self.state.source,
                    span,
                    help="split it into scores, and add those",
                )
            )
        rest = tuple((op.value, right) for op, right in zip(children[1::2], children[2::2], strict=True))
        return ast.Arithmetic(children[0], rest, span=span)

    product = sum

    def parens(self, children: list[Child]) -> ast.Node:
        """The inner expression, its place widened to the parentheses."""
        inner: ast.Node = children[1]
        return replace(inner, span=self.span(children))

    def everyone(self, children: list[Child]) -> ast.Everyone:
        return ast.Everyone(span=self.span(children))

    def in_segment(self, children: list[Child]) -> ast.InSegment:
        return ast.InSegment(children[1], span=self.span(children))

    def in_list(self, children: list[Child]) -> ast.InList:
        return ast.InList(children[1], span=self.span(children))

    def in_sample(self, children: list[Child]) -> ast.InSample:
        return ast.InSample(self.number(children[1:2]), children[3], span=self.span(children))

    def anniversary(self, children: list[Child]) -> ast.Anniversary:
        return ast.Anniversary(children[1], span=self.span(children))

    # --- events and attributes ------------------------------------------------------------------------------

    def any_prefix(self, children: list[Child]) -> ast.Operand:
        """`any tracked "checkout_*"` says the same as without `any`."""
        return replace(cast(ast.Operand, children[1]), span=self.span(children))

    def any_event(self, children: list[Child]) -> ast.AnyEvent:
        return ast.AnyEvent(span=self.span(children))

    def any_of(self, children: list[Child]) -> ast.AnyOf:
        return ast.AnyOf(tuple(children[2:-1:2]), span=self.span(children))

    def operand(self, children: list[Child]) -> ast.Operand:
        objects: tuple[ast.Text, ...] = ()
        last = children[-1]
        if isinstance(last, ast.Text):
            objects = (last,)
        elif isinstance(last, Texts):
            objects = last.items
        field = children[2] if len(children) > 2 and is_terminal(children[1], "DOT") else None
        return ast.Operand(children[0], objects, field, span=self.span(children))

    def name(self, children: list[Child]) -> ast.Name:
        if is_terminal(children[0], "QUOTED"):
            return ast.Name(children[0].value[1:-1], True, span=self.span(children))
        return ast.Name(" ".join(c.value for c in children), span=self.span(children))

    def _property(self, token: Terminal) -> ast.Name:
        span = self.span([token])
        if token.value.startswith("`"):
            return ast.Name(token.value[1:-1], True, span=span)
        return ast.Name(" ".join(token.value.split()), span=span)

    def call(self, children: list[Child]) -> ast.Call:
        function = cast(ast.Function, children[0].value.lower())
        prop = self._property(children[2]) if is_terminal(children[2], "PROPERTY") else None
        return ast.Call(function, children[-2], prop, span=self.span(children))

    def percentile(self, children: list[Child]) -> ast.Call:
        rank = self.number(children[2:3])
        return ast.Call("percentile", children[-2], self._property(children[4]), rank, span=self.span(children))

    # --- clauses --------------------------------------------------------------------------------------------

    def where(self, children: list[Child]) -> ast.Where:
        return ast.Where(children[2], span=self.span(children))

    def compare(self, children: list[Child]) -> ast.Compare:
        op = cast(ast.CompareOp, children[0].value)
        return ast.Compare(op, children[1], len(children) > 2, span=self.span(children))

    def compare_times(self, children: list[Child]) -> ast.Compare:
        op = cast(ast.CompareOp, children[0].value)
        return ast.Compare(op, self.number(children[1:2]), span=self.span(children))

    def range(self, children: list[Child]) -> ast.Range:
        token = children[0]
        words = token.value.split()
        start, end = self._start(token), self._end(token)
        low = ast.Number(words[0], span=Span(start, start + len(words[0])))
        high = ast.Number(words[2], span=Span(end - len(words[2]), end))
        return ast.Range(low, high, span=self.span(children))

    def one_of(self, children: list[Child]) -> ast.OneOf:
        negated = is_terminal(children[0], "NOT")
        folded = is_terminal(children[-1], "IGNORING_CASE")
        values = tuple(c for c in children if isinstance(c, ast.Node))
        return ast.OneOf(negated, cast(Any, values), folded, span=self.span(children))

    def text_test(self, children: list[Child]) -> ast.TextTest:
        negated = is_terminal(children[0], "NOT")
        op = " ".join(children[1 if negated else 0].value.lower().split())
        values = children[2 if negated else 1]
        texts = values.items if isinstance(values, Texts) else (values,)
        folded = is_terminal(children[-1], "IGNORING_CASE")
        return ast.TextTest(cast(ast.TextOp, op), negated, texts, folded, span=self.span(children))

    def is_known(self, children: list[Child]) -> ast.IsKnown:
        return ast.IsKnown(True, span=self.span(children))

    def is_unknown(self, children: list[Child]) -> ast.IsKnown:
        return ast.IsKnown(False, span=self.span(children))

    def has_one(self, children: list[Child]) -> ast.Has:
        return ast.Has("any", (children[1],), span=self.span(children))

    def has_any(self, children: list[Child]) -> ast.Has:
        return ast.Has("any", _nodes(children, ast.Text), span=self.span(children))

    def has_all(self, children: list[Child]) -> ast.Has:
        return ast.Has("all", _nodes(children, ast.Text), span=self.span(children))

    def has_where(self, children: list[Child]) -> ast.HasWhere:
        return ast.HasWhere(children[2], span=self.span(children))

    def near(self, children: list[Child]) -> ast.Near:
        km, latitude, longitude = (self.number([c]) for c in children if is_terminal(c, "NUMBER"))
        return ast.Near(km, latitude, longitude, span=self.span(children))

    def within(self, children: list[Child]) -> ast.Within:
        return ast.Within(children[1], span=self.span(children))

    def all_within(self, children: list[Child]) -> ast.AllWithin:
        return ast.AllWithin(children[1], span=self.span(children))

    def after(self, children: list[Child]) -> ast.After:
        return ast.After(children[1], span=self.span(children))

    def before(self, children: list[Child]) -> ast.Before:
        return ast.Before(children[1] if len(children) > 1 else None, span=self.span(children))

    def with_same(self, children: list[Child]) -> ast.WithSame:
        return ast.WithSame(_nodes(children, ast.Name), span=self.span(children))

    def without(self, children: list[Child]) -> ast.Without:
        return ast.Without(is_terminal(children[1], "ANY"), children[-1], span=self.span(children))

    def changed(self, children: list[Child]) -> ast.Changed:
        ends: dict[str, Child] = {}
        for keyword, value in zip(children[1::2], children[2::2], strict=True):
            ends[keyword.type] = value
        return ast.Changed(ends.get("FROM"), ends.get("TO"), span=self.span(children))

    def was_ago(self, children: list[Child]) -> ast.Was:
        return ast.Was(children[1], children[2], span=self.span(children))

    def was_ever(self, children: list[Child]) -> ast.Was:
        return ast.Was(children[1], None, span=self.span(children))

    def regularity(self, children: list[Child]) -> ast.Regularity:
        """`last 4 weeks` reads as a duration of four weeks; it means four periods of one week."""
        periods: ast.Duration = children[5]
        count = ast.Number(periods.amount, span=Span(periods.span.start, periods.span.start + len(periods.amount)))
        unit = ast.Duration("1", periods.unit, span=Span(count.span.end, periods.span.end))
        return ast.Regularity(self.number(children[2:3]), count, unit, span=self.span(children))

    def regularity_of(self, children: list[Child]) -> ast.Regularity:
        periods = self.number(children[5:6])
        return ast.Regularity(self.number(children[2:3]), periods, children[7], span=self.span(children))

    # --- windows --------------------------------------------------------------------------------------------

    def in_last(self, children: list[Child]) -> ast.InLast:
        return ast.InLast(children[1], span=self.span(children))

    def in_next(self, children: list[Child]) -> ast.InNext:
        return ast.InNext(children[1], span=self.span(children))

    def in_future(self, children: list[Child]) -> ast.InFuture:
        return ast.InFuture(span=self.span(children))

    def between_ago(self, children: list[Child]) -> ast.BetweenAgo:
        return ast.BetweenAgo(children[1], children[3], span=self.span(children))

    def between(self, children: list[Child]) -> ast.Between:
        return ast.Between(children[1], children[3], span=self.span(children))

    def more_than_ago(self, children: list[Child]) -> ast.MoreThanAgo:
        return ast.MoreThanAgo(children[1], span=self.span(children))

    def since(self, children: list[Child]) -> ast.Since:
        return ast.Since(children[1], span=self.span(children))

    def on(self, children: list[Child]) -> ast.On:
        return ast.On(children[1], span=self.span(children))

    def on_day(self, children: list[Child]) -> ast.OnDay:
        return ast.OnDay(children[1], is_terminal(children[2], "AHEAD"), span=self.span(children))

    def calendar(self, children: list[Child]) -> ast.Calendar:
        words = children[0].value.lower().split()
        offset: Literal[-1, 0, 1]
        if len(words) == 1:
            offset = {"yesterday": -1, "today": 0, "tomorrow": 1}[words[0]]  # type: ignore[assignment]
            return ast.Calendar("day", offset, span=self.span(children))
        offset = {"last": -1, "this": 0, "next": 1}[words[0]]  # type: ignore[assignment]
        return ast.Calendar(cast(ast.CalendarUnit, words[1]), offset, span=self.span(children))

    def ever(self, children: list[Child]) -> ast.Ever:
        return ast.Ever(span=self.span(children))

    # --- literals -------------------------------------------------------------------------------------------

    def number(self, children: list[Child]) -> ast.Number:
        return ast.Number(str(children[0].value), span=self.span(children))

    def true(self, children: list[Child]) -> ast.Bool:
        return ast.Bool(True, span=self.span(children))

    def false(self, children: list[Child]) -> ast.Bool:
        return ast.Bool(False, span=self.span(children))

    def date(self, children: list[Child]) -> ast.Date:
        return ast.Date(str(children[0].value), span=self.span(children))

    def instant(self, children: list[Child]) -> ast.Instant:
        return ast.Instant(str(children[0].value).upper(), span=self.span(children))

    def duration(self, children: list[Child]) -> ast.Duration:
        text = str(children[0].value)
        amount = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        word = text[len(amount) :].lower()
        unit = DURATION_UNITS.get(word) or DURATION_UNITS[word.rstrip("s")]
        return ast.Duration(amount.strip(), unit, span=self.span(children))

    def plain(self, children: list[Child]) -> ast.Text:
        return self._text(children, is_glob=False)

    def glob(self, children: list[Child]) -> ast.Text:
        return self._text(children, is_glob=True)

    def _text(self, children: list[Child], is_glob: bool) -> ast.Text:
        raw = str(children[0].value)[1:-1]
        span = self.span(children)
        for start, end, reason in bad_escapes(raw, is_glob):
            self.state.diagnostics.append(
                Diagnostic(
                    "SEG0103",
                    f"`{raw[start:end]}` {reason}",
                    self.state.source,
                    Span(span.start + 1 + start, span.start + 1 + end),
                    help=r"write `\\` for a backslash; the escapes are `\"` `\\` `\n` `\t` `\u{1F600}`, "
                    r"and `\*` `\?` in patterns",
                )
            )
        return ast.Text(raw, span=span)

    def texts(self, children: list[Child]) -> Texts:
        return Texts(_nodes(children, ast.Text), span=self.span(children))
