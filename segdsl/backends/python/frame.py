"""Where generated expressions stand: functions, temporaries, and what both rules and values are written with.

Expressions name intermediate results by `:=`, which are local to the function that they end up in. Python's
parser gives up on deep nesting, so an expression deeper than `DEEP` becomes a function. Every function takes
`(x, now, s)`, the index, the instant and the program's edges at that instant; those about one event also
`(t, p)`, its instant and its properties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from segdsl.backends.python.module import Module

DEEP = 12


@dataclass(frozen=True, slots=True)
class Text:
    """An expression, safe to stand beside any operator. `depth`: its nested brackets; `known`: it is never None."""

    code: str
    depth: int = 0
    known: bool = True


class Frame:
    """One function being written into a module, with the functions that it needs.

    numbers: the program's segments and scores by kind and name. event: the expressions are about one event.
    references: the numbers of those that the function asks.
    """

    def __init__(self, module: Module, numbers: dict[tuple[str, str], int], event: bool = False) -> None:
        self.module = module
        self.numbers = numbers
        self.event = event
        self.references: set[int] = set()
        self._temporaries = 0

    @property
    def parameters(self) -> str:
        """The parameters of the functions that are written, and the arguments of their calls."""
        return "x, now, s, t, p" if self.event else "x, now, s"

    def inner(self) -> Self:
        """A frame of the same kind for a function about one event."""
        return type(self)(self.module, self.numbers, event=True)

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
        """A new name for an intermediate result."""
        self._temporaries += 1
        return f"v{self._temporaries}"

    def reference(self, kind: str, name: str) -> Text:
        """The answer of a segment or score of the program."""
        number = self.numbers[kind, name]
        self.references.add(number)
        return Text(f"x.result({number}, now)", 1)
