"""Syntax trees and a catalog to a core program, with every error of every file (language reference, section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from segdsl.catalog.model import Catalog
from segdsl.check.names import declarations, names_of
from segdsl.check.rules import outline
from segdsl.check.stories import story
from segdsl.core import nodes as core
from segdsl.core.program import BARE, Program, Segment, needed
from segdsl.core.story import Story
from segdsl.core.walking import references
from segdsl.criteria.context import Context
from segdsl.criteria.scores import points
from segdsl.criteria.values import value
from segdsl.syntax import ast
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source


def check(files: Sequence[Parsed], catalog: Catalog) -> tuple[Program, list[Diagnostic]]:
    """The program of some rule files. Names may refer across files; diagnostics are in no order."""
    diagnostics: list[Diagnostic] = []
    names = names_of(files, catalog, diagnostics)
    segments: dict[str, Segment] = {}
    scores: dict[str, core.Points] = {}
    for source, declaration in declarations(files):
        context = Context(source, catalog, names, diagnostics, outline, value)
        match declaration:
            case ast.Segment():
                title = declaration.title.raw if declaration.title else ""
                lowered = _segment(declaration.name.text, title, context.outline(declaration.rule))
                segments.setdefault(declaration.name.text, lowered)
            case ast.Score():
                scores.setdefault(declaration.name.text, points(context, declaration))
            case ast.TestCase():
                story(context, declaration)
    program = _ordered(files, segments, scores, diagnostics)
    return program, diagnostics


def check_rule(
    source: Source, expression: ast.Expression, catalog: Catalog, files: Sequence[Parsed] = ()
) -> tuple[Program, list[Diagnostic]]:
    """The program of a bare rule: its segment is called `rule`, and it may refer to the segments of `files`.

    Only the errors of the bare rule are returned; one of them is that it asks a segment or score that has errors.
    """
    program, found = check(files, catalog)
    diagnostics: list[Diagnostic] = []
    context = Context(source, catalog, names_of(files, catalog, []), diagnostics, outline, value)
    parts = context.outline(expression)
    _check_references(program, _faulty(files, program, found), parts, diagnostics)
    lowered = _segment(BARE, "", parts)
    segments = dict(program.segments)
    # A project's own segment called `rule` keeps its meaning for those that refer to it only by being first.
    segments.pop(BARE, None)
    segments[BARE] = lowered
    return Program(segments, program.scores), diagnostics


def stories(files: Sequence[Parsed], catalog: Catalog, around: Sequence[Parsed] = ()) -> list[Story]:
    """The test blocks of rule files, in the order of the text; those with errors, which `check` tells, are left out.

    around: all files whose segments the tests may be of; none: the same files.
    """
    names = names_of(around or files, catalog, [])
    found = [
        story(Context(source, catalog, names, [], outline, value), declaration)
        for source, declaration in declarations(files)
        if isinstance(declaration, ast.TestCase)
    ]
    return [each for each in found if each is not None]


def _faulty(files: Sequence[Parsed], program: Program, found: Sequence[Diagnostic]) -> dict[str, str]:
    """The declarations that mean nothing, because they have errors or could not be read: name -> file and line."""
    faulty: dict[str, str] = {}
    for source, declaration in declarations(files):
        if isinstance(declaration, ast.TestCase):
            continue
        name, span = declaration.name.text, declaration.span
        wrong = any(
            each.source is source and each.span and span.start <= each.span.start < span.end
            for each in found if each.severity == "error"
        )  # fmt: skip
        if wrong or (name not in program.segments and name not in program.scores):
            faulty[name] = f"{source.name}:{source.position(declaration.name.span.start)[0]}"
    return faulty


def _check_references(
    program: Program, faulty: dict[str, str], parts: core.Part, diagnostics: list[Diagnostic]
) -> None:
    """Reports the tests that ask something faulty, if only through others: their answers would mean nothing."""
    for part in parts.walk():
        if part.op != "test":
            continue
        asked = list(references(part.rule))
        asked += [name for inner in [needed(program, asked)] for name in _asked(inner)]
        if BARE in asked:
            diagnostics.append(
                Diagnostic("SEG0204", f"a rule without a name is called `{BARE}`, and so is a segment of the project",
                           part.source, part.span, "asks that segment", help="rename the segment to ask it from here")
            )  # fmt: skip
        name = next((name for name in asked if name in faulty), None)
        if name is not None:
            diagnostics.append(
                Diagnostic("SEG0209", f"`{name}` has errors of its own", part.source, part.span, "asks it",
                           help=f"put it right first, at {faulty[name]}; `segdsl check` tells what is wrong")
            )  # fmt: skip


def _asked(program: Program) -> Iterator[str]:
    for segment in program.segments.values():
        yield from references(segment.rule)
    for score in program.scores.values():
        yield from references(score)


def _segment(name: str, title: str, parts: core.Part) -> Segment:
    return Segment(name, parts.rule, title, parts.words, parts)


def _ordered(
    files: Sequence[Parsed],
    segments: dict[str, Segment],
    scores: dict[str, core.Points],
    diagnostics: list[Diagnostic],
) -> Program:
    """Segments and scores after those they refer to; a circle is an error that shows its path."""
    graph = {name: set(references(segment.rule)) for name, segment in segments.items()}
    graph |= {name: set(references(score)) for name, score in scores.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        # graphlib tells the circle from what is used to its user
        path = list(reversed(error.args[1]))
        for source, declaration in declarations(files):
            if isinstance(declaration, ast.Segment | ast.Score) and declaration.name.text == path[0]:
                diagnostics.append(
                    Diagnostic(
                        "SEG0206", f"`{path[0]}` refers to itself: {' → '.join(path)}", source, declaration.name.span,
                        "a circle", help="take one of these references out",
                    )
                )  # fmt: skip
                break
        order = []
    return Program(
        {name: segments[name] for name in order if name in segments},
        {name: scores[name] for name in order if name in scores},
    )
