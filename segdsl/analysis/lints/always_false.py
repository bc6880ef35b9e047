"""A test that is always false.

No contact passes it at any instant, whatever the data: what it is joined to by `and` is empty, and in an `or` it adds
nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.flaws import Flaw, removal
from segdsl.analysis.linting.subject import Subject
from segdsl.analysis.linting.wording import words
from segdsl.analysis.proof import spans
from segdsl.core import nodes as core
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0412"
ON = True
FIX = "takes it out of an `or`"


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Parts that the prover shows to hold for nobody."""
    for flaw in subject.flaws:
        if flaw.kind == "always false":
            part = flaw.part
            yield Diagnostic(
                CODE,
                f"{words(part)} is always false",
                part.source,
                part.span,
                "never holds",
                _why(part.rule),
                _help(flaw),
                "warning",
                removal(flaw, subject.comments.get(part.source.name, [])),
            )


def _why(rule: core.Rule) -> str:
    match rule:
        case core.Compare(left=core.Measure() as measure) if spans.empty(measure.events.span, of_events=True):
            return "no event lies in the future"
        case core.Compare(op="<" | "<=" | "=", left=core.Measure(kind="count" | "distinct")):
            return "a count is never below 0"
        case core.Compare(left=core.ScoreOf() as score):
            return f"that follows from the points that the lines of `{score.name}` give and take"
    return ""


def _help(flaw: Flaw) -> str:
    if flaw.removable:
        return "remove it and its `or`, or write the test that was meant"
    if flaw.part.op == "and":
        return "its tests never hold together: take one out, or join some with `or`"
    return "write the test that was meant"
