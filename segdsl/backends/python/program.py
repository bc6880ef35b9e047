"""A program compiled to Python functions: `compile_program(program).predicate("name")(facts, now)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from segdsl.backends.python import runtime
from segdsl.backends.python.chains import ChainPlan
from segdsl.backends.python.columns import ColumnPlan
from segdsl.backends.python.index import Index
from segdsl.backends.python.module import Module, comment
from segdsl.backends.python.plan import SlotPlan
from segdsl.backends.python.rules import Emitter
from segdsl.backends.python.runtime import BEGIN, END
from segdsl.core.contact import Facts
from segdsl.core.nodes import Branch, Chain, Measure, Rule, Value
from segdsl.core.program import Program

# What generated functions call of `runtime`.
_HELPERS = (
    "anniversary", "bisect_right", "count", "first", "first_time", "fold", "last", "last_time", "near", "period",
    "ratio", "sampled", "total",
)  # fmt: skip
_FAR = 50  # references from segment to segment, at which Python's stack is spared


class CompiledProgram:
    """Functions of one program. Safe to share between threads; an `Index` is, too, once its facts are settled.

    source: the generated Python text, for readers.
    values, rules: what may be asked for besides, by number, with `value` and `rule`: they may refer to the program's
      segments and scores, and the arrays of their measures are to be had, too.
    """

    def __init__(self, program: Program, values: Sequence[Value] = (), rules: Sequence[Rule] = ()) -> None:
        self._program = program
        self._module = module = Module()
        # The kinds are prefixes of functions' names, other than those that `Frame.function` is called with.
        self._numbers = {("segment", name): i for i, name in enumerate(program.segments)}
        self._numbers |= {("score", name): len(self._numbers) + i for i, name in enumerate(program.scores)}
        self._numbers |= {("asked_value", str(i)): len(self._numbers) + i for i in range(len(values))}
        self._numbers |= {("asked_rule", str(i)): len(self._numbers) + i for i in range(len(rules))}
        self._references: dict[int, set[int]] = {}
        self._callables: dict[tuple[str, str], Callable[[Facts | Index, int], Any]] = {}
        for (kind, name), number in self._numbers.items():
            emitter = Emitter(module, self._numbers)
            head: list[str] = []
            match kind:
                case "segment":
                    segment = program.segments[name]
                    head = comment(f"segment {name} {segment.title}") + comment(segment.words)
                    body = emitter.guards(segment.rule)
                case "score":
                    head = comment(f"score {name}")
                    body = emitter.points(program.scores[name])
                case "asked_value":
                    body = [f"return {emitter.value(values[int(name)]).code}"]
                case "asked_rule":
                    body = emitter.guards(rules[int(name)])
            lines = [*head, f"def {kind}_{number}(x, now):"]
            if any(re.search(r"\bs\b", line) for line in body if not line.startswith("#")):
                # One read of the global: another thread may replace the pair meanwhile.
                lines.append("    s = n[1] if (n := now_and_edges)[0] == now else edges(now)")
            module.functions.append("\n".join([*lines, *("    " + line for line in body)]))
            self._references[number] = emitter.references
        self.source = module.source()
        self._execute()

    def _execute(self) -> None:
        module, plan = self._module, self._module.plan
        space: dict[str, Any] = {name: getattr(runtime, name) for name in _HELPERS}

        def edges(now: int) -> tuple[int, ...]:
            resolved = module.resolve(now)
            space["now_and_edges"] = (now, resolved)
            return resolved

        space |= {"BEGIN": BEGIN, "LATEST": END - 1, "regex": lambda text: re.compile(text, re.DOTALL).fullmatch}
        space |= {"now_and_edges": (None, ()), "edges": edges}
        exec(compile(self.source, "<segdsl rules>", "exec"), space)
        for number, names in module.wheres.items():
            slot = plan.slots[number]
            slot.branches = [
                (kind, None if name is None else space[name])
                for (kind, _), name in zip(slot.branches, names, strict=True)
            ]
        plan.functions = [space[f"{kind}_{number}"] for (kind, _), number in self._numbers.items()]
        plan.edges = module.resolve

    def index(self, facts: Facts) -> Index:
        """The contact's facts arranged for this program: pass it to predicates instead of facts in hot loops."""
        return Index(self._module.plan, facts)

    def predicate(self, segment: str) -> Callable[[Facts | Index, int], bool]:
        """Whether a contact is in the segment at an instant (microseconds since 1970). KeyError if there is none."""
        return self._callable("segment", segment)

    def score(self, name: str) -> Callable[[Facts | Index, int], int]:
        """A contact's points at an instant, scaled like the score's type. KeyError if there is none."""
        return self._callable("score", name)

    def value(self, number: int) -> Callable[[Facts | Index, int], Any]:
        """One of `values`, asked of a contact at an instant: in the Python form of its type, None if unknown."""
        return self._callable("asked_value", str(number))

    def rule(self, number: int) -> Callable[[Facts | Index, int], bool]:
        """Whether one of `rules` holds for a contact at an instant."""
        return self._callable("asked_rule", str(number))

    def slot(self, branches: tuple[Branch, ...]) -> tuple[int, SlotPlan]:
        """The number by which an `Index` knows a filter of the program, and its plan."""
        number, new = self._module.slot(branches)
        assert not new, "the program has no such filter"
        return number, self._module.plan.slots[number]

    def column(self, measure: Measure) -> tuple[int, ColumnPlan] | None:
        """The number by which an `Index` knows the values of a measure of the program; None if it takes instants."""
        if measure.of is None and not measure.same:
            return None
        slot, _ = self.slot(measure.events.branches)
        number = self._module.column(slot, measure.of, measure.same, measure.kind == "sum")
        return number, self._module.plan.columns[number]

    def chain(self, chain: Chain) -> tuple[int, ChainPlan]:
        """The number by which an `Index` knows a sequence of the program, and its plan."""
        number = self._module.chains[chain]
        return number, self._module.plan.chains[number]

    def function(self, segment: str) -> Callable[[Index, int], bool]:
        """The generated function itself, which takes an `Index` only: the fastest form."""
        function: Callable[[Index, int], bool] = self._module.plan.functions[self._numbers["segment", segment]]
        return function

    def _callable(self, kind: str, name: str) -> Callable[[Facts | Index, int], Any]:
        known = self._callables.get((kind, name))
        if known is not None:
            return known
        number = self._numbers[kind, name]
        plan = self._module.plan
        function = plan.functions[number]
        first = self._asked_first(number)

        def call(facts: Facts | Index, now: int) -> Any:
            x = facts if type(facts) is Index else Index(plan, facts)  # type: ignore[arg-type]
            for other in first:
                x.result(other, now)
            return function(x, now)

        self._callables[kind, name] = call
        return call

    def _asked_first(self, number: int) -> list[int]:
        """What a segment refers to, in order, if it refers so far that Python's stack would not do."""
        order: list[int] = []
        depths: dict[int, int] = {}
        waiting = [number]
        while waiting:
            top = waiting[-1]
            missing = [other for other in sorted(self._references[top]) if other not in depths]
            if top in depths or not missing:
                waiting.pop()
                if top not in depths:
                    depths[top] = 1 + max((depths[other] for other in self._references[top]), default=0)
                    order.append(top)
            else:
                waiting += missing
        return order[:-1] if depths[number] > _FAR else []


def compile_program(program: Program, values: Sequence[Value] = (), rules: Sequence[Rule] = ()) -> CompiledProgram:
    """Generate and compile the Python functions of a program's segments and scores, and of what to ask for besides."""
    return CompiledProgram(program, values, rules)
