"""From the core to Python text: values and rules become expressions, wide or deep ones functions of their own.

Expressions name intermediate results by `:=`, which are local to the function that they end up in. Python's
parser gives up on deep nesting, so an expression deeper than `DEEP` becomes a function. Every function takes
`(x, now, s)`, the index, the instant and the program's edges at that instant; those about one event also
`(t, p)`, its instant and its properties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from segdsl import types
from segdsl.backends.python import globs
from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.module import Module, comment, event_bounds, first_words
from segdsl.core.nodes import (
    All,
    Anchored,
    Anniversary,
    Any,
    Arithmetic,
    Attribute,
    Branch,
    Chain,
    Compare,
    Const,
    Contains,
    Folded,
    Held,
    InList,
    InSample,
    InSegment,
    InSpan,
    Known,
    Match,
    Measure,
    Near,
    Not,
    OneOf,
    PeriodOf,
    Points,
    Property,
    Rule,
    ScoreOf,
    Value,
)
from segdsl.core.walking import walk

DEEP = 12
WIDE = 4
_MIRROR = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Text:
    """An expression, safe to stand beside any operator. `depth`: its nested brackets; `known`: it is never None."""

    code: str
    depth: int = 0
    known: bool = True


class Emitter:
    """Writes one program's functions into a module. `event`: the expressions are about one event."""

    def __init__(self, module: Module, numbers: dict[tuple[str, str], int], event: bool = False) -> None:
        self.module = module
        self.numbers = numbers
        self.event = event
        self.references: set[int] = set()
        self._temporaries = 0

    @property
    def parameters(self) -> str:
        return "x, now, s, t, p" if self.event else "x, now, s"

    # --- functions ------------------------------------------------------------------------------------------

    def function(self, prefix: str, body: list[str]) -> str:
        """A new function with these lines; the expression that calls it."""
        name = self.module.name(prefix)
        self.module.functions.append("\n".join([f"def {name}({self.parameters}):", *("    " + line for line in body)]))
        return f"{name}({self.parameters})"

    def shallow(self, text: Text) -> Text:
        """The same value, moved to a function if its expression is deep."""
        if text.depth <= DEEP:
            return text
        return Text(self.function("part", [f"return {text.code}"]), 1, text.known)

    def temporary(self) -> str:
        self._temporaries += 1
        return f"v{self._temporaries}"

    def guards(self, rule: Rule) -> list[str]:
        """Statements that return whether the rule holds, at the first part that decides."""
        everyone = not isinstance(rule, Any)
        parts = rule.parts if isinstance(rule, All | Any) else (rule,)
        lines: list[str] = []
        for part in self.flat(parts, All if everyone else Any):
            lines += comment(first_words(walk(part)))
            code = self.rule(part).code
            lines += [f"if not {code}:", "    return False"] if everyone else [f"if {code}:", "    return True"]
        return [*lines, f"return {everyone}"]

    def flat(self, parts: tuple[Rule, ...], kind: type[All] | type[Any]) -> list[Rule]:
        """The parts, with those of the same kind opened up: and in and is one and."""
        found: list[Rule] = []
        waiting = list(reversed(parts))
        while waiting:
            part = waiting.pop()
            if isinstance(part, kind):
                waiting.extend(reversed(part.parts))
            else:
                found.append(part)
        return found

    # --- rules ----------------------------------------------------------------------------------------------

    def rule(self, node: Rule) -> Text:
        """A true or false expression, bracketed where needed."""
        return self.shallow(self._rule(node))

    def _rule(self, node: Rule) -> Text:
        match node:
            case All() | Any():
                parts = self.flat(node.parts, type(node))
                if not parts:
                    return Text(str(isinstance(node, All)))
                if len(parts) == 1:
                    return self.rule(parts[0])
                if len(parts) > WIDE:
                    return Text(self.function("part", self.guards(node)), 1)
                texts = [self.rule(part) for part in parts]
                word = " and " if isinstance(node, All) else " or "
                return Text(f"({word.join(text.code for text in texts)})", 1 + max(text.depth for text in texts))
            case Not():
                part = self.rule(node.part)
                return Text(f"(not {part.code})", part.depth + 1)
            case Compare():
                return self._compare(node)
            case OneOf():
                value = self.value(node.value)  # None is in no set
                return Text(f"({value.code} in {self.module.constant(frozenset(node.options))})", value.depth + 1)
            case Match():
                name, known, depth = self._known(node.value)
                tests = globs.test(node.globs, name, self.module.constant, self.module.regex)
                return Text(f"({known} and ({' or '.join(tests) or 'False'}))", depth + 3)
            case Known():
                value = self.value(node.value)
                return Text("True") if value.known else Text(f"({value.code} is not None)", value.depth + 1)
            case InSpan():
                return self._in_span(node)
            case Contains():
                name, known, depth = self._known(node.value)
                return Text(f"({known} and {self.module.constant(node.item)} in {name})", depth + 1)
            case Near():
                value = self.value(node.value)
                numbers = ", ".join(repr(float(n)) for n in (node.latitude, node.longitude, node.kilometres))
                return Text(f"near({value.code}, {numbers})", value.depth + 1)
            case InSegment():
                return self._reference("segment", node.name)
            case InList():
                return Text(f"({self.module.constant(node.name)} in x.lists)", 1)
            case InSample():
                return Text(f"sampled(x.facts.id, {self.module.constant(node.salt)}, {node.threshold!r})", 1)
            case Anniversary():
                value = self.value(node.value)
                ends = ", ".join(
                    "None" if e is None else self.module.edge(e, False) for e in (node.span.lo, node.span.hi)
                )
                return Text(f"anniversary({value.code}, {self.module.constant(node.zone)}, {ends})", value.depth + 1)
            case Chain():
                return self._chain(node)
        assert_never(node)

    def _known(self, node: Value) -> tuple[str, str, int]:
        """A name for the value, the test that makes and knows it, and that test's depth."""
        value = self.value(node)
        name = self.temporary()
        return name, f"({name} := {value.code}) is not None", value.depth + 1

    def _reference(self, kind: str, name: str) -> Text:
        number = self.numbers[kind, name]
        self.references.add(number)
        return Text(f"x.result({number}, now)", 1)

    def _in_span(self, node: InSpan) -> Text:
        if isinstance(node.span, Anchored):
            anchor, instant = self.value(node.span.anchor), self.value(node.value)
            lines = [f"a = {anchor.code}", f"i = {instant.code}", "if a is None or i is None:", "    return False"]
            lines.append(f"return a + {node.span.lo!r} < i <= a + {node.span.hi!r} and i <= now")
            return Text(self.function("part", lines), 1)
        name, known, depth = self._known(node.value)
        lo = "" if node.span.lo is None else f"{self.module.edge(node.span.lo, False)} < "
        hi = "" if node.span.hi is None else f" <= {self.module.edge(node.span.hi, False)}"
        return Text(f"({known} and {lo}{name}{hi})" if lo or hi else f"({known})", depth + 1)

    def _compare(self, node: Compare) -> Text:
        op, left, right = node.op, node.left, node.right
        if isinstance(left, Const) and not isinstance(right, Const):
            left, right, op = right, left, _MIRROR[op]  # type: ignore[assignment]
        counted = self._counted(op, left, right)
        if counted is not None:
            return counted
        sign = "==" if op == "=" else op
        a, b = self._aligned(left, right)
        tests = []
        if sign == "==" and (a.known or b.known):  # None equals nothing that is known
            return Text(f"({a.code} == {b.code})", max(a.depth, b.depth) + 1)
        operands = []
        for text in (a, b):
            if text.known:
                operands.append(text.code)
            else:
                operands.append(self.temporary())
                tests.append(f"({operands[-1]} := {text.code}) is not None and ")
        return Text(f"({''.join(tests)}{operands[0]} {sign} {operands[1]})", max(a.depth, b.depth) + 2)

    def _counted(self, op: str, left: Value, right: Value) -> Text | None:
        """A plain count against a whole number: one search, since the n-th latest event says it all."""
        if not isinstance(left, Measure) or left.kind != "count" or left.same or left.within is not None:
            return None
        if left.of is not None or isinstance(left.events.span, Anchored) or op == "=":
            return None
        if not isinstance(right, Const) or right.type != types.INT or not isinstance(right.value, int):
            return None
        least = right.value + (op in (">", "<="))  # `> n` is `>= n + 1`, and `<= n` the opposite of that
        yes = op in (">", ">=")
        if least <= 0:
            return Text(str(yes))
        times = self._slot(left.events.branches)
        lo, hi = event_bounds(self.module, left.events.span)
        name, end = self.temporary(), self.temporary()
        if lo == "BEGIN" and least == 1:
            code = f"({times}[0] <= {hi})"  # the array ends with END: there is always a first
        elif lo == "BEGIN":
            code = f"(bisect_right({times}, {hi}) >= {least})"
        else:
            code = f"(({end} := bisect_right(({name} := {times}), {hi})) >= {least} and {name}[{end} - {least}] > {lo})"
        return Text(code if yes else f"(not {code})", 5)

    def _aligned(self, left: Value, right: Value) -> tuple[Text, Text]:
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

    # --- values ---------------------------------------------------------------------------------------------

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
                return self._reference("score", node.name)
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

    def _slot(self, branches: tuple[Branch, ...]) -> str:
        number = self.slot_number(branches)
        dated = self.module.plan.slots[number].dated
        return f"x.dated_slot({number}, now)" if dated else f"(x.slots[{number}] or x.slot({number}))"

    def _column(self, node: Measure) -> str:
        slot = self.slot_number(node.events.branches)
        number = self.module.column(slot, node.of, node.same, node.kind == "sum")
        dated = self.module.plan.slots[slot].dated
        return f"x.dated_column({number}, now)" if dated else f"(x.columns[{number}] or x.column({number}))"

    def slot_number(self, branches: tuple[Branch, ...]) -> int:
        """The slot of a filter; its tests are written when it is met first."""
        number, new = self.module.slot(branches)
        if new:
            inner = Emitter(self.module, self.numbers, event=True)
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
        return self._anchored(span, node.words, self._over(node, "lo", "hi"))

    def _anchored(self, span: Anchored, words: str, over: Text) -> Text:
        """What `over` says of `lo` and `hi`, for the span around the anchor."""
        anchor = self.value(span.anchor)
        lines = [*comment(words), f"a = {anchor.code}", "if a is None:", "    lo = hi = now  # holds no instant"]
        lines += ["else:", f"    lo, hi = a + {span.lo!r}, min(a + {span.hi!r}, now)", f"return {over.code}"]
        return Text(self.function("value", lines), 1, over.known)

    def _chain(self, node: Chain) -> Text:
        def source(branches: tuple[Branch, ...]) -> int | None:
            if not branches:
                return None
            slot = self.slot_number(branches)
            return self.module.column(slot, None, node.same, False) if node.same else slot

        def needed(branches: tuple[Branch, ...]) -> int:
            number = source(branches)
            assert number is not None
            return number

        plan = ChainPlan(
            steps=tuple(needed(step.branches) for step in node.steps),
            forbidden=tuple(source(step.forbidden) for step in node.steps),
            gaps=tuple(step.within for step in node.steps),
            waits=tuple((needed(wait.forbidden), wait.within) for wait in node.waits),
            total=node.total,
            without=source(node.without.branches) if node.without else None,
            place=node.without.place if node.without else "between",
            grouped=bool(node.same),
        )
        number = self.module.chain(node, plan)
        if isinstance(node.span, Anchored):
            over = Text(f"(x.chain({number}, now, lo, hi) is not None)", 2)
            return self._anchored(node.span, node.words, over)
        lo, hi = event_bounds(self.module, node.span)
        return Text(f"(x.chain({number}, now, {lo}, {hi}) is not None)", 2)

    def _over(self, node: Measure, lo: str, hi: str) -> Text:
        """A call of the measure; 4 is a safe depth for its arguments."""
        if node.same:
            return Text(f"largest_group({self._column(node)}, {lo}, {hi}, {node.within!r})", 4)
        if node.of is None:
            times = self._slot(node.events.branches)
            if node.within is not None:
                return Text(f"burst({times}, {lo}, {hi}, {node.within!r})", 4)
            if node.kind == "count":
                return Text(f"count({times}, {lo}, {hi})", 4)
            return Text(f"{'first_time' if node.kind == 'first' else 'last_time'}({times}, {lo}, {hi})", 4, False)
        column = self._column(node)
        match node.kind:
            case "count" if node.within is not None:
                return Text(f"burst({column}[0], {lo}, {hi}, {node.within!r})", 4)
            case "count":
                return Text(f"count({column}[0], {lo}, {hi})", 4)
            case "sum":
                return Text(f"total({column}, {lo}, {hi})", 4)
            case "distinct":
                return Text(f"distinct({column}, {lo}, {hi})", 4)
            case "percentile":
                assert node.rank is not None
                return Text(f"percentile({column}, {lo}, {hi}, {node.rank[0]!r}, {node.rank[1]!r})", 4, False)
            case "min" | "max" | "first" | "last":
                name = {"min": "least", "max": "greatest"}.get(node.kind, node.kind)
                return Text(f"{name}({column}, {lo}, {hi})", 4, False)
        assert_never(node.kind)

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
