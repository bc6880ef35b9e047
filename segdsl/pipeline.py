"""The whole compiler: source -> parse -> check -> core -> Python or SQL (docs/architecture.md).

Every stage is a function from values to values; findings come back as diagnostics, nothing is printed or raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source

if TYPE_CHECKING:
    from segdsl.catalog.model import Catalog
    from segdsl.core.program import Program
    from segdsl.syntax.ast import File

Parsed = tuple[Source, "File"]
RULE = "<rule>"  # the name of a bare rule's source


@dataclass(frozen=True)
class Compiled:
    """A program with everything that was found on the way; `program` is None if nothing can run."""

    files: tuple[Parsed, ...]
    program: Program | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Whether some diagnostic is an error."""
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


def parse(sources: Sequence[Source]) -> tuple[tuple[Parsed, ...], tuple[Diagnostic, ...]]:
    """Rule files to syntax trees."""
    from segdsl.syntax import parse_file

    files: list[Parsed] = []
    found: list[Diagnostic] = []
    for source in sources:
        file, diagnostics = parse_file(source)
        files.append((source, file))
        found += diagnostics
    return tuple(files), tuple(found)


def in_order(sources: Sequence[Source], diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics as a reader meets them: file by file, from top to bottom."""
    order = {source.name: index for index, source in enumerate(sources)}

    def place(diagnostic: Diagnostic) -> tuple[int, int]:
        source, span = diagnostic.source, diagnostic.span
        return (order.get(source.name, -1) if source else -1, span.start if span else -1)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))


def compile_files(sources: Sequence[Source], catalog: Catalog) -> Compiled:
    """Rule files to a core program."""
    return compile_parsed(*parse(sources), catalog)


def compile_parsed(files: Sequence[Parsed], found: Sequence[Diagnostic], catalog: Catalog) -> Compiled:
    """Syntax trees, and what was found in reading them, to a core program."""
    from segdsl.analysis.linting.runner import lint
    from segdsl.check import check

    # What cannot be read does not keep the rest from being checked: one run tells all that is wrong.
    program, more = check(files, catalog)
    broken = any(diagnostic.severity == "error" for diagnostic in found)
    warnings = lint(files, program, catalog, (*found, *more))
    order = [source for source, _ in files]
    return Compiled(tuple(files), None if broken else program, in_order(order, (*found, *more, *warnings)))


def declared(file: File) -> dict[str, str]:
    """The segments and scores that a file declares, broken ones too: `name_key` -> the name, in order."""
    from segdsl.catalog import name_key
    from segdsl.syntax.ast import TestCase

    names = [part.name.text for part in file.declarations if not isinstance(part, TestCase)]
    return {name_key(name): name for name in names}


def without(files: Sequence[Parsed], others: Sequence[Parsed]) -> tuple[Parsed, ...]:
    """`files` without the segments and scores that `others` declare too, in another version."""
    from segdsl.catalog import name_key
    from segdsl.syntax.ast import TestCase

    taken = {key for _, file in others for key in declared(file)}
    return tuple(
        (source, replace(file, declarations=tuple(
            part for part in file.declarations if isinstance(part, TestCase) or name_key(part.name.text) not in taken
        )))
        for source, file in files
    )  # fmt: skip


def compile_rule(text: str, catalog: Catalog, files: Sequence[Parsed] = ()) -> Compiled:
    """A bare rule to a program in which it is the segment `rule`; it may refer to the segments of `files`."""
    from segdsl.analysis.linting.runner import lint_rule
    from segdsl.check import BARE, check_rule
    from segdsl.syntax import parse_rule

    source = Source(RULE, text)
    expression, found = parse_rule(source)
    if expression is None or any(diagnostic.severity == "error" for diagnostic in found):
        return Compiled(tuple(files), None, tuple(found))
    program, more = check_rule(source, expression, catalog, files)
    warnings = () if found or more else lint_rule(BARE, program, catalog)
    return Compiled(tuple(files), program, (*found, *more, *warnings))
