"""A segment or score whose name means something else in another place.

Four names are confusing: a segment called like a static list (`in segment vips` and `in list "vips"`), a score called
like a property (inside `where (…)` the name is the property), either called like a relation, and a segment called
`rule`, which is what results call a rule without a heading.
"""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.analysis.linting.subject import Subject
from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.core.program import BARE
from segdsl.syntax import ast
from segdsl.text.diagnostic import Diagnostic

CODE = "SEG0418"
ON = True
FIX = ""


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Names of segments and scores that shadow, or are shadowed by, another name."""
    lists = _lists(subject)
    properties = {key: event.name for event in subject.catalog.events.values() for key in event.properties}
    for source, declaration in subject.declarations():
        if not isinstance(declaration, ast.Segment | ast.Score):
            continue
        key, name = name_key(declaration.name.text), declaration.name
        if isinstance(declaration, ast.Segment):
            what = "segment"
            other = f"the list in {lists[key]}" if key in lists else ""
            if key == BARE:
                other = "a rule without a heading, in the results of `segdsl run` and others"
        else:
            what = "score"
            other = f"a property of `{properties[key]}`, which it means inside `where (…)`" if key in properties else ""
        if key in subject.catalog.relations:
            other = f"the relation `{subject.catalog.relations[key].name}` of segdsl.yml"
        if other:
            yield Diagnostic(
                CODE,
                f"the {what} `{name.text}` is called like {other}",
                source,
                name.span,
                "one name for two things",
                help="give it a name of its own",
                severity="warning",
            )


def _lists(subject: Subject) -> dict[str, str]:
    """The static lists that rules name, by name key: where the first of them is named."""
    found: dict[str, str] = {}
    for outline in subject.outlines:
        for part in outline.walk():
            if isinstance(part.rule, core.InList):
                line = part.source.position(part.span.start)[0]
                found.setdefault(name_key(part.rule.name), f"`{part.words}` ({part.source.name}:{line})")
    return found
