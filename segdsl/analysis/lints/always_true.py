"""A test that is always true.

It holds for every contact at every instant, whatever the data: the rule means the same without it, or (in an `or`)
the tests beside it mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.flaws import Flaw, removal
from segdsl.analysis.linting.subject import Subject
from segdsl.analysis.linting.wording import words
from segdsl.core import nodes as core
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0411"
ON = True
FIX = "takes it out of an `and`"


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Parts that the prover shows to hold for everyone."""
    for flaw in subject.flaws:
        if flaw.kind == "always true":
            part = flaw.part
            yield Diagnostic(
                CODE,
                f"{words(part)} is always true",
                part.source,
                part.span,
                "holds whatever the data",
                _why(subject, part.rule),
                _help(flaw),
                "warning",
                removal(flaw, subject.comments.get(part.source.name, [])),
            )


def _why(subject: Subject, rule: core.Rule) -> str:
    match rule:
        case core.Compare(left=core.Measure(kind="count" | "distinct")):
            return "a count is never below 0"
        case core.Compare(left=core.ScoreOf() as score):
            return f"that follows from the points that the lines of `{score.name}` give and take"
        case core.Known(value=core.Attribute() as attribute) if attribute.relation is None:
            return f"segdsl.yml declares `{subject.catalog.attributes[attribute.key].name}` as required"
    return ""


def _help(flaw: Flaw) -> str:
    match flaw.part.rule:
        case core.Compare(left=core.Measure(kind="count" | "distinct")):
            return "write `>= 1` for at least one, or remove the test"
    if flaw.removable:
        return "remove it and its `and`, or write the test that was meant"
    if flaw.part.op == "or":
        return "write the tests that were meant, or `everyone`"
    return "write the test that was meant, or `everyone`"
