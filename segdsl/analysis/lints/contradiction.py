"""Two tests of one `and` that contradict each other.

Each of them can hold, but never both, so the rule holds for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.subject import Subject
from segdsl.analysis.linting.wording import place, words
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0413"
ON = True
FIX = ""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Pairs of parts that the prover shows never to hold together."""
    for flaw in subject.flaws:
        if flaw.kind == "contradiction" and flaw.other is not None:
            yield Diagnostic(
                CODE,
                f"{words(flaw.part)} contradicts {words(flaw.other)}",
                flaw.part.source,
                flaw.part.span,
                "never holds together with the other",
                f"the other one is at {place(flaw.other)}",
                "take one of the two out, or join them with `or`",
                "warning",
            )
