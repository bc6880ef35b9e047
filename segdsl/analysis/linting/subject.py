"""What lints look at: a program without errors, the texts that it came from, and what the prover sees in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from segdsl.analysis.linting.flaws import Flaw, Search
from segdsl.analysis.proof.prover import Prover
from segdsl.catalog.model import Catalog
from segdsl.check.names import declarations
from segdsl.core import nodes as core
from segdsl.core.program import Program
from segdsl.syntax import ast
from segdsl.syntax.ast import Parsed
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
