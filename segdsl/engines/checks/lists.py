"""Static lists that rules name and that nobody is on (SEG0717): most likely misspelt."""

from __future__ import annotations

from segdsl.core.nodes import InList
from segdsl.core.program import Program
from segdsl.core.walking import walk
from segdsl.engines.engine import Engine
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.suggest import nearest


def empty_lists(program: Program, engine: Engine) -> list[Diagnostic]:
    """A warning wherever a rule names such a list."""
    lists = engine.catalog.lists
    asked = [
        (node.name, part)
        for outline in program.outlines()
        for part in outline.walk() if part.op == "test"
        for node in walk(part.rule) if isinstance(node, InList)
    ]  # fmt: skip
    if not asked or lists is None:
        return []
    known = engine.lists()
    found = []
    for name, part in asked:
        if name not in known:
            close = nearest(name, known)
            found.append(Diagnostic(
                "SEG0717", f"nobody is on the list `{name}`", part.source, part.span, "no such list in the database",
                help=f"did you mean `{close}`?" if close else f"`{lists.table}` has no row with this name",
                severity="warning",
            ))  # fmt: skip
    return found
