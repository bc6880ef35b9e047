"""A score that no rule asks for.

Only rules use scores, so nothing that is printed or stored depends on it. All rule files of the project count, also
when only some of them are checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.subject import Subject
from segdsl.core import nodes as core
from segdsl.core.walking import walk
from segdsl.syntax import ast
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0415"
ON = True
FIX = ""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Declared scores to which no segment and no other score refers."""
    if not subject.whole:  # a file that cannot be read may ask for it
        return
    rules = [segment.rule for segment in subject.program.segments.values()]
    used = {
        node.name
        for root in (*rules, *subject.program.scores.values())
        for node in walk(root)
        if isinstance(node, core.ScoreOf)
    }
    for source, declaration in subject.declarations():
        if isinstance(declaration, ast.Score) and declaration.name.text not in used:
            name = declaration.name
            yield Diagnostic(
                CODE,
                f"no rule asks for the score `{name.text}`",
                source,
                name.span,
                "not used",
                help=f"ask for it in a segment, `{source.slice(name.span)} >= 10`, or remove it",
                severity="warning",
            )
