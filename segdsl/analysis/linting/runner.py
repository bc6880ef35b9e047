"""Running the lints over a program: which are on, what they look at, and what the rules' authors have silenced."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module

from segdsl.analysis import lints as package
from segdsl.analysis.linting import silences
from segdsl.analysis.linting.flaws import Flaw, Search
from segdsl.analysis.proof.prover import Prover
from segdsl.catalog.model import Catalog
from segdsl.check.names import declarations, declared
from segdsl.core import nodes as core
from segdsl.core.program import Program
from segdsl.syntax import ast
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span


@dataclass(frozen=True)
class Counted:
    """A line of a score that gives points `per` something; rules have outlines, and this is all that it has."""

    value: core.Value
    words: str
    source: Source
    span: Span


@dataclass(frozen=True)
class Subject:
    """What lints look at: a program that has no errors, and the texts that it came from.

    files: the rule files; none for a bare rule.
    outlines: the rules of segments and of score lines, as they were written.
    whole: these are all the files of the project.
    """

    catalog: Catalog
    program: Program
    files: Sequence[Parsed]
    outlines: Sequence[core.Part]
    whole: bool = True

    @cached_property
    def prover(self) -> Prover:
        """A prover that knows the program and what the catalog declares as required."""
        attributes = self.catalog.attributes
        return Prover(self.program, [key for key, attribute in attributes.items() if attribute.required])

    @cached_property
    def flaws(self) -> list[Flaw]:
        """What the prover sees in the rules."""
        search = Search(self.prover)
        return [flaw for outline in self.outlines for flaw in search.flaws(outline)]

    @cached_property
    def comments(self) -> dict[str, list[Span]]:
        """Where comments stand, by the names of the files."""
        return {source.name: [comment.span for comment in file.comments] for source, file in self.files}

    @cached_property
    def counted(self) -> list[Counted]:
        """The `per` lines of scores."""
        found = []
        for source, declaration in self.declarations():
            points = self.program.scores.get(declaration.name.text) if isinstance(declaration, ast.Score) else None
            if isinstance(declaration, ast.Score) and points is not None:
                awards = points.awards
                for line, award in zip(declaration.lines, awards, strict=True):
                    if line.per is not None and award.per is not None:
                        words = " ".join(source.slice(line.per.span).split())
                        found.append(Counted(award.per, words, source, line.per.span))
        return found

    def declarations(self) -> Iterator[tuple[Source, ast.Declaration]]:
        """What the files declare, each with its file."""
        return declarations(self.files)


@dataclass(frozen=True)
class Lint:
    """One lint. `what` is the first line of its file's docstring, `fix` what `check --fix` does, if anything."""

    code: str
    name: str
    what: str
    fix: str
    on: bool
    check: Callable[[Subject], Iterator[Diagnostic]]


@cache
def lints() -> tuple[Lint, ...]:
    """Every lint there is, by code."""
    found = []
    for entry in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{entry.name}")
        what = (module.__doc__ or "").partition("\n")[0].rstrip(".")
        found.append(Lint(module.CODE, entry.name.replace("_", "-"), what, module.FIX, module.ON, module.check))
    return tuple(sorted(found, key=lambda lint: lint.code))


def lint(
    files: Sequence[Parsed], program: Program, catalog: Catalog, found: Sequence[Diagnostic] = ()
) -> list[Diagnostic]:
    """The warnings about the segments and scores of a program, without those that comments silence.

    found: the errors so far. A file with one is left alone, and nothing is concluded from what it declares.
    """
    broken = {diagnostic.source.name for diagnostic in found if diagnostic.source is not None}
    fine = [(source, file) for source, file in files if source.name not in broken]
    if broken:
        names = {name for _, file in fine for name in declared(file).values()}
        program = Program(
            {name: segment for name, segment in program.segments.items() if name in names},
            {name: points for name, points in program.scores.items() if name in names},
        )
    return _run(Subject(catalog, program, fine, program.outlines(), whole=not broken))


def lint_rule(name: str, program: Program, catalog: Catalog) -> list[Diagnostic]:
    """The warnings about one segment of a program, a bare rule."""
    outline = program.segments[name].outline
    return _run(Subject(catalog, program, (), [outline] if outline is not None else []))


def _run(subject: Subject) -> list[Diagnostic]:
    active = [lint for lint in lints() if subject.catalog.lints.get(lint.name, lint.on)]
    found = [diagnostic for lint in active for diagnostic in lint.check(subject)]
    names = {lint.name: lint.code for lint in lints()}
    allowed: list[silences.Silence] = []
    wrong: list[Diagnostic] = []
    for source, file in subject.files:
        if "segdsl" in source.text:
            mine, reported = silences.read(source, file, names)
            allowed += mine
            wrong += reported
    # Where files were left out, a lint may say nothing because of that.
    judged = [lint.code for lint in active] if subject.whole else []
    return [*silences.apply(found, allowed, judged), *wrong]
