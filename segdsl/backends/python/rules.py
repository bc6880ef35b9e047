"""From the core to Python text: rules become true or false expressions, wide ones functions of their own."""

from __future__ import annotations

from typing import assert_never

from segdsl.backends.python import globs
from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.frame import Text
from segdsl.backends.python.module import comment, event_bounds, first_words
from segdsl.backends.python.values import Values
from segdsl.core.counts import Counted, counted
from segdsl.core.nodes import (
    All,
    Anchored,
    Anniversary,
    Any,
    Branch,
    Chain,
    Compare,
    Contains,
    InList,
    InSample,
    InSegment,
    InSpan,
    Known,
    Match,
    Near,
    Not,
    OneOf,
    Rule,
    Value,
)
from segdsl.core.walking import walk

WIDE = 4


class Emitter(Values):
    """Writes rules: expressions that are True or False, never None."""

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
                return self.reference("segment", node.name)
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
        asked = counted(node)
        code = self._counted(asked) if asked is not None else None
        if code is not None:
            return code
        sign = "==" if node.op == "=" else node.op
        a, b = self.aligned(node.left, node.right)
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

    def _counted(self, asked: Counted) -> Text | None:
        """A count of events against a whole number: one search, since the n-th latest event says it all."""
        events = asked.measure.events
        if isinstance(events.span, Anchored) or asked.op == "=":
            return None
        [least] = asked.leasts
        yes = asked.op in (">", ">=")
        if least <= 0:
            return Text(str(yes))
        times = self.slot(events.branches)
        lo, hi = event_bounds(self.module, events.span)
        name, end = self.temporary(), self.temporary()
        if lo == "BEGIN" and least == 1:
            code = f"({times}[0] <= {hi})"  # the array ends with END: there is always a first
        elif lo == "BEGIN":
            code = f"(bisect_right({times}, {hi}) >= {least})"
        else:
            code = f"(({end} := bisect_right(({name} := {times}), {hi})) >= {least} and {name}[{end} - {least}] > {lo})"
        return Text(code if yes else f"(not {code})", 5)

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
            over = Text(f"x.has_chain({number}, now, lo, hi)", 1)
            return self.anchored(node.span, node.words, over)
        lo, hi = event_bounds(self.module, node.span)
        return Text(f"x.has_chain({number}, now, {lo}, {hi})", 1)
