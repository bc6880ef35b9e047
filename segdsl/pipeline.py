"""The whole compiler: source -> parse -> check -> core -> Python or SQL (docs/architecture.md).

Every stage is a function from values to values; findings come back as diagnostics, nothing is printed or raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segdsl.text.diagnostic import Diagnostic, has_errors, in_order
from segdsl.text.source import Source

if TYPE_CHECKING:
    from segdsl.catalog.model import Catalog
    from segdsl.core.program import Program
    from segdsl.syntax.ast import Parsed

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
        return has_errors(self.diagnostics)


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


def compile_files(sources: Sequence[Source], catalog: Catalog) -> Compiled:
    """Rule files to a core program."""
    return compile_parsed(*parse(sources), catalog)


def compile_parsed(files: Sequence[Parsed], found: Sequence[Diagnostic], catalog: Catalog) -> Compiled:
    """Syntax trees, and what was found in reading them, to a core program."""
    from segdsl.analysis.linting.runner import lint
    from segdsl.check import check

    # What cannot be read does not keep the rest from being checked: one run tells all that is wrong.
    program, more = check(files, catalog)
    warnings = lint(files, program, catalog, (*found, *more))
    order = [source for source, _ in files]
    return Compiled(tuple(files), None if has_errors(found) else program, in_order(order, (*found, *more, *warnings)))


def compile_rule(text: str, catalog: Catalog, files: Sequence[Parsed] = ()) -> Compiled:
    """A bare rule to a program in which it is the segment `rule`; it may refer to the segments of `files`."""
    from segdsl.analysis.linting.runner import lint_rule
    from segdsl.check import check_rule
    from segdsl.core.program import BARE
    from segdsl.syntax import parse_rule

    source = Source(RULE, text)
    expression, found = parse_rule(source)
    if expression is None or has_errors(found):
        return Compiled(tuple(files), None, tuple(found))
    program, more = check_rule(source, expression, catalog, files)
    warnings = () if found or more else lint_rule(BARE, program, catalog)
    return Compiled(tuple(files), program, (*found, *more, *warnings))
