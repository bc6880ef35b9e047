"""From the core to Python text: values, and the filters, measures and scores that they are taken from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import assert_never

from segdsl import types
from segdsl.backends.python.frame import Frame, Text
from segdsl.backends.python.module import comment, event_bounds, first_words
from segdsl.backends.python.sliding import SlidePlan
from segdsl.core.nodes import (
    All,
    Anchored,
    Arithmetic,
    Attribute,
    Branch,
    Const,
    Folded,
    Held,
    Measure,
    PeriodOf,
    Points,
    Property,
    Rule,
    ScoreOf,
    Value,
)
from segdsl.core.walking import walk

_LOOKING = frozenset({"distinct", "min", "max", "percentile"})  # at every event of their window, groups or not


class Values(Frame, ABC):
    """Writes values: expressions that are None where a value is unknown."""

    @abstractmethod
    def rule(self, node: Rule) -> Text:
        """A rule inside a value: the condition of a score's line."""

    @abstractmethod
    def guards(self, rule: Rule) -> list[str]:
        """The same as the body of a function: the test of a filter."""

    def value(self, node: Value) -> Text:
        """An expression for a value, None if unknown."""
        return self.shallow(self._value(node))

    def _value(self, node: Value) -> Text:
        match node:
            case Const():
                if isinstance(node.value, bool | int) and (node.value >= 0):
                    return Text(repr(node.value))
                return Text(self.module.constant(node.value))
            case Attribute():
                return Text(f"x.attributes.get({self.module.constant((node.relation, node.key))})", 1, False)
            case Held():
                return Text(f"x.held({self.module.constant(node.key)}, {self.module.edge(node.at, False)})", 1, False)
            case Property():
                return Text(f"p.get({self.module.constant(node.key)})", 1, False)
            case PeriodOf():
                return Text(f"period(t, {self.module.constant(node.unit)}, {self.module.constant(node.zone)})", 1)
            case Folded():
                value = self.value(node.text)
                return Text(f"fold({value.code})", value.depth + 1, value.known)
            case Arithmetic():
                return self._arithmetic(node)
            case Measure():
                return self._measure(node)
            case Points():
                return self._points(node)
            case ScoreOf():
                return self.reference("score", node.name)
        assert_never(node)

    def _arithmetic(self, node: Arithmetic) -> Text:
        if node.op == "*":
            a, b = self.value(node.left), self.value(node.right)
        else:
            a, b = self._scaled(node.left, node.type.scale), self._scaled(node.right, node.type.scale)
        operands, unknown = [], []
        for text in (a, b):
            if text.known:
                operands.append(text.code)
            else:
                operands.append(self.temporary())
                unknown.append(f"({operands[-1]} := {text.code}) is None")
        code = f"{operands[0]} {node.op} {operands[1]}"
        depth = max(a.depth, b.depth) + 2
        if not unknown:
            return Text(f"({code})", depth)
        return Text(f"(None if {' or '.join(unknown)} else {code})", depth, False)

    # --- units ------------------------------------------------------------------------------------------

    def aligned(self, left: Value, right: Value) -> tuple[Text, Text]:
        """Both sides in one unit: the larger scale of two Numbers, doubles if one side is a Float."""
        kinds = (left.type, right.type)
        if any(isinstance(kind, types.Float) for kind in kinds):
            return self._double(left), self._double(right)
        scale = max(kind.scale if isinstance(kind, types.Number) else 0 for kind in kinds)
        return self._scaled(left, scale), self._scaled(right, scale)

    def _double(self, node: Value) -> Text:
        if not isinstance(node.type, types.Number):
            return self.value(node)
        # int / int is the nearest double to the exact quotient.
        return self._each(node, lambda name: f"{name} / {10**node.type.scale}")  # type: ignore[union-attr]

    def _scaled(self, node: Value, scale: int) -> Text:
        own = node.type.scale if isinstance(node.type, types.Number) else scale
        return self.value(node) if own == scale else self._each(node, lambda name: f"{name} * {10 ** (scale - own)}")

    def _each(self, node: Value, make: Callable[[str], str]) -> Text:
        """An operation on a value; unknown stays unknown."""
        value = self.value(node)
        if value.known:
            return Text(f"({make(value.code)})", value.depth + 1)
        name = self.temporary()
        return Text(f"(None if ({name} := {value.code}) is None else {make(name)})", value.depth + 2, False)

    # --- events -----------------------------------------------------------------------------------------

    def slot(self, branches: tuple[Branch, ...]) -> str:
        """An expression for the sorted instants of the events that a filter takes."""
        number = self.slot_number(branches)
        dated = self.module.plan.slots[number].dated
        return f"x.dated_slot({number}, now)" if dated else f"(x.slots[{number}] or x.slot({number}))"

    def _column(self, node: Measure) -> str:
        """An expression for the instants of a measure's events with their values beside them."""
        slot = self.slot_number(node.events.branches)
        number = self.module.column(slot, node.of, node.same, node.kind == "sum")
        dated = self.module.plan.slots[slot].dated
        return f"x.dated_column({number}, now)" if dated else f"(x.columns[{number}] or x.column({number}))"

    def slot_number(self, branches: tuple[Branch, ...]) -> int:
        """The slot of a filter; its tests are written when it is met first."""
        number, new = self.module.slot(branches)
        if new:
            inner = self.inner()
            self.module.wheres[number] = [
                None if branch.where == All(()) else inner.function("where", inner.guards(branch.where)).split("(")[0]
                for branch in branches
            ]
            self.references |= inner.references
        return number

    def _measure(self, node: Measure) -> Text:
        span = node.events.span
        if not isinstance(span, Anchored):
            return self._over(node, *event_bounds(self.module, span))
        return self.anchored(span, node.words, self._over(node, "lo", "hi"))

    def anchored(self, span: Anchored, words: str, over: Text) -> Text:
        """What `over` says of `lo` and `hi`, for the span around the anchor."""
        anchor = self.value(span.anchor)
        lines = [*comment(words), f"a = {anchor.code}", "if a is None:", "    lo = hi = now  # holds no instant"]
        lines += ["else:", f"    lo, hi = a + {span.lo!r}, min(a + {span.hi!r}, now)", f"return {over.code}"]
        return Text(self.function("value", lines), 1, over.known)

    def _over(self, node: Measure, lo: str, hi: str) -> Text:
        """A call of the measure; 4 is a safe depth for its arguments."""
        if node.kind in _LOOKING or node.same or node.within is not None:
            return self._sliding(node, lo, hi)
        if node.of is None:
            times = self.slot(node.events.branches)
            if node.kind == "count":
                return Text(f"count({times}, {lo}, {hi})", 4)
            return Text(f"{'first_time' if node.kind == 'first' else 'last_time'}({times}, {lo}, {hi})", 4, False)
        column = self._column(node)
        match node.kind:
            case "count":
                return Text(f"count({column}[0], {lo}, {hi})", 4)
            case "sum":
                return Text(f"total({column}, {lo}, {hi})", 4)
            case _:
                return Text(f"{node.kind}({column}, {lo}, {hi})", 4, False)

    def _sliding(self, node: Measure, lo: str, hi: str) -> Text:
        """A measure that looks at every event of its window."""
        source = self.slot_number(node.events.branches)
        beside = bool(node.same) or node.of is not None
        if beside:
            source = self.module.column(source, node.of, node.same, False)
        number = self.module.slide(SlidePlan(node, source, beside))
        return Text(f"x.sliding({number}, now, {lo}, {hi})", 2, node.kind in ("count", "distinct"))

    # --- scores -----------------------------------------------------------------------------------------

    def _points(self, node: Points) -> Text:
        return Text(self.function("points", self.points(node)), 1)

    def points(self, node: Points) -> list[str]:
        """Statements that return the sum of the awards, in the scale of `node.type`."""
        lines = ["total_ = 0"]
        for award in node.awards:
            lines += comment(first_words(walk(award.rule)) if award.rule else "")
            test = [] if award.rule is None else [self.rule(award.rule).code]
            amount = repr(award.points)
            if award.per is not None:
                lines += comment(first_words(walk(award.per)))
                value = self.value(award.per)
                name = self.temporary()
                test.append(f"({name} := {value.code}) is not None")
                scale = award.per.type.scale if isinstance(award.per.type, types.Number) else 0
                divisor = 10**scale
                exact = award.points % divisor == 0
                amount = f"{award.points // divisor} * {name}" if exact else f"ratio({award.points}, {name}, {divisor})"
                if award.cap is not None:
                    amount = f"min({amount}, {award.cap!r})"
            lines += [f"if {' and '.join(test) or 'True'}:", f"    total_ += {amount}"]
        return [*lines, "return total_"]
