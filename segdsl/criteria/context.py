"""What every criterion is handed: where it is, what names mean there, and how to say no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from segdsl.catalog.model import Catalog, Event, Place, name_key
from segdsl.core import nodes as core
from segdsl.syntax import ast
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span
from segdsl.text.suggest import nearest
from segdsl.types import Number


class Rejected(Exception):  # noqa: N818  (not an error of the program: the test at hand was refused and reported)
    """A criterion refused its test; the diagnostic is recorded. The nearest enclosing rule goes on behind it."""


@dataclass(frozen=True)
class Quotient:
    """An average on its way to being compared: `total / count`, never divided, unknown when `count` is 0."""

    total: core.Value
    count: core.Value


Lowered = core.Value | Quotient


@dataclass(frozen=True)
class Names:
    """The segments and scores that rules may refer to, by `name_key`: the name as declared, and a score's type."""

    segments: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, tuple[str, Number]] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """One text being checked.

    scope: the kinds of event whose properties names mean, inside `where (…)`; None outside.
    inner: the rules inside the test at hand, part by part; some are lowered more than once.
    outline, rule, value: check and lower any expression as a test, part by part or as a whole, or as a value. The
      first two never raise; `value` raises Rejected.
    """

    source: Source
    catalog: Catalog
    names: Names
    diagnostics: list[Diagnostic]
    outline_of: Callable[[Context, ast.Expression], core.Part]
    value_of: Callable[[Context, ast.Expression], Lowered]
    scope: tuple[Event, ...] | None = None
    inner: list[core.Part] = field(default_factory=list)

    def outline(self, expression: ast.Expression) -> core.Part:
        return self.outline_of(self, expression)

    def rule(self, expression: ast.Expression) -> core.Rule:
        part = self.outline(expression)
        self.inner.append(part)
        return part.rule

    def value(self, expression: ast.Expression) -> Lowered:
        return self.value_of(self, expression)

    def plain_value(self, expression: ast.Expression) -> core.Value:
        """A value that is not an average on its way (which only comparisons and arithmetic can take)."""
        lowered = self.value(expression)
        if isinstance(lowered, Quotient):
            self.reject("SEG0303", "an average can only be compared", expression.span, help="write `avg(…) >= 10`")
        return lowered

    def inside(self, kinds: tuple[Event, ...]) -> Context:
        """The same text, within the `where` of these kinds."""
        return replace(self, scope=kinds)

    def reject(
        self, code: str, message: str, span: Span, *, label: str = "", why: str = "", help: str = ""
    ) -> NoReturn:
        """Record an error at `span` and give this test up."""
        self.diagnostics.append(Diagnostic(code, message, self.source, span, label, why, help))
        raise Rejected

    def words(self, node: ast.Node) -> str:
        """A node's own words, on one line."""
        return " ".join(self.source.slice(node.span).split())

    def suggest(self, word: str, names: Iterable[tuple[str, Place | None]], fallback: str) -> str:
        """`did you mean X? (segdsl.yml:31)`, or the fallback when nothing is near."""
        known = {name_key(name): (name, place) for name, place in names}
        key = nearest(name_key(word), list(known))
        if key is None:
            return fallback
        name, place = known[key]
        where = ""
        if place is not None:
            where = f" ({place.source.name.rsplit('/', 1)[-1]}:{place.source.position(place.span.start)[0]})"
        return f"did you mean `{name}`?{where}"


def described(type_: object) -> str:
    """A type in an author's words, with its article."""
    text = str(type_)
    return ("an " if text[0] in "aeiou" else "a ") + text
