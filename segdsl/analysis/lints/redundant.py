"""A test that another one makes redundant.

In an `and` it holds whenever the other one does; in an `or` the other one holds whenever it does. The rule means the
same without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.flaws import removal
from segdsl.analysis.linting.subject import Subject
from segdsl.analysis.linting.wording import place, words
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0414"
ON = True
FIX = "removes it"


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Parts of an `and` or `or` that the prover shows to follow from one beside them, or to add nobody to it."""
    for flaw in subject.flaws:
        if flaw.kind != "redundant" or flaw.other is None or flaw.around is None:
            continue
        part, other = flaw.part, flaw.other
        same = part.rule == other.rule
        if same:
            message, label = f"{words(part)} is here twice", "the second time"
        elif flaw.around.op == "and":
            message, label = f"{words(part)} is redundant beside {words(other)}", "holds whenever the other one does"
        else:
            message, label = f"{words(part)} is redundant beside {words(other)}", "adds nobody to the other one"
        yield Diagnostic(
            CODE,
            message,
            part.source,
            part.span,
            label,
            f"the {'first' if same else 'other'} one is at {place(other)}",
            f"remove it and its `{flaw.around.op}`",
            "warning",
            removal(flaw, subject.comments.get(part.source.name, [])),
        )
