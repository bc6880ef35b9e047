"""What rule files declare, by name: told from their syntax trees alone, before any rule is checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from segdsl.catalog.model import Catalog, name_key
from segdsl.criteria.context import Names
from segdsl.criteria.scores import score_type
from segdsl.syntax import ast
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source
from segdsl.types import Number

ANY_SCORE = Number(4, 10**12)  # for a score that could not be read: wide enough to raise no errors of its own


def declarations(files: Sequence[Parsed]) -> Iterator[tuple[Source, ast.Declaration]]:
    """Every declaration with the source that it stands in, in the order of the text."""
    for source, file in files:
        for declaration in file.declarations:
            yield source, declaration


def declared(file: ast.File) -> dict[str, str]:
    """The segments and scores that a file declares, broken ones too: `name_key` -> the name, in order."""
    names = [part.name.text for part in file.declarations if not isinstance(part, ast.TestCase)]
    return {name_key(name): name for name in names}


def without(files: Sequence[Parsed], others: Sequence[Parsed]) -> tuple[Parsed, ...]:
    """`files` without the segments and scores that `others` declare too, in another version."""
    taken = {key for _, file in others for key in declared(file)}

    def kept(part: ast.Declaration) -> bool:
        return isinstance(part, ast.TestCase) or name_key(part.name.text) not in taken

    return tuple(
        (source, replace(file, declarations=tuple(part for part in file.declarations if kept(part))))
        for source, file in files
    )


def names_of(files: Sequence[Parsed], catalog: Catalog, diagnostics: list[Diagnostic]) -> Names:
    """The names that rules may refer to: all that the files declare. A name that stands for two things is an error."""
    segments: dict[str, str] = {}
    scores: dict[str, tuple[str, Number]] = {}
    taken: dict[str, tuple[Source, ast.Name]] = {}
    for source, declaration in declarations(files):
        if isinstance(declaration, ast.TestCase):
            continue
        name = declaration.name
        key = name_key(name.text)
        if key in taken:
            first, where = taken[key]
            line = first.position(where.span.start)[0]
            diagnostics.append(
                Diagnostic("SEG0204", f"`{name.text}` is defined twice", source, name.span, "the second one",
                           help=f"rename one of them; the first is at {first.name}:{line}")
            )  # fmt: skip
            continue
        clash = "an event" if key in catalog.events else "an attribute" if key in catalog.attributes else ""
        if clash:
            diagnostics.append(
                Diagnostic("SEG0205", f"`{name.text}` is the name of {clash} in segdsl.yml", source, name.span,
                           "one name for two things", help="give it another name")
            )  # fmt: skip
        taken[key] = (source, name)
        match declaration:
            case ast.Score():
                scores[key] = (name.text, score_type(declaration))
            case ast.Broken(kind="score"):
                scores[key] = (name.text, ANY_SCORE)
            case _:
                segments[key] = name.text
    return Names(segments, scores)
