"""A negated test on an attribute that may be unknown.

`country != "DE"` also holds for contacts whose country is unknown, which surprises those who expect "some other
country". The rule is quiet once its author has decided, by `is known` or `is unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.subject import Subject
from segdsl.core import nodes as core
from segdsl.core.walking import children, walk
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0416"
ON = False
FIX = ""

Read = core.Attribute | core.Held


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Tests that hold because an attribute is unknown, where the rule does not speak of that."""
    for outline in subject.outlines:
        decided = {node.value for node in walk(outline.rule) if isinstance(node, core.Known)}
        for part, values in _negated(subject, outline, False, ()):
            for value in values:
                if value in decided:
                    continue
                name = _name(subject, value)
                yield Diagnostic(
                    CODE,
                    f"`{name}` may be unknown, and this negated test then holds",
                    part.source,
                    part.span,
                    f"true where `{name}` is unknown",
                    "a test on something unknown is false, so its negation is true",
                    f"say which is meant: `… and {name} is known`, or `… or {name} is unknown`",
                    "warning",
                )


def _negated(
    subject: Subject, part: core.Part, negative: bool, beside: tuple[core.Rule, ...]
) -> Iterator[tuple[core.Part, list[Read]]]:
    """Each test that stands under an odd number of negations, with the attributes that it reads.

    beside: rules that hold where the part matters; what they show to be known is left out.
    """
    if part.op == "not":
        yield from _negated(subject, part.parts[0], not negative, beside)
        return
    if part.op != "test":
        for inner in part.parts:
            joined = part.op == "and" and not negative
            others = tuple(other.rule for other in part.parts if joined and other is not inner)
            yield from _negated(subject, inner, negative, beside + others)
        return
    rule = part.rule
    while isinstance(rule, core.Not):
        rule, negative = rule.part, not negative
    if negative and not isinstance(rule, core.Known):
        values = [value for value in dict.fromkeys(_read(rule)) if not _is_known(subject, value, beside)]
        if values:
            yield part, values


def _is_known(subject: Subject, value: Read, beside: tuple[core.Rule, ...]) -> bool:
    if isinstance(value, core.Attribute) and value.relation is None and value.key in subject.prover.required:
        return True
    known = core.Known(value)
    return any(subject.prover.implies(other, known) for other in beside)


def _read(node: core.Rule | core.Value) -> Iterator[Read]:
    """The attributes on which a test depends by itself, not through events or scores."""
    for inner in children(node):
        match inner:
            case core.Attribute() | core.Held():
                yield inner
            case core.Folded() | core.Arithmetic() | core.Contains() | core.Compare():
                yield from _read(inner)


def _name(subject: Subject, value: Read) -> str:
    if isinstance(value, core.Attribute) and value.relation is not None:
        relation = subject.catalog.relations[value.relation]
        return f"{relation.name}.{relation.attributes[value.key].name}"
    return subject.catalog.attributes[value.key].name
