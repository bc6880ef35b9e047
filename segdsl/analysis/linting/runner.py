"""Running the lints over a program: which are on, what they look at, and what the rules' authors have silenced."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from segdsl.analysis import lints as package
from segdsl.analysis.linting import silences
from segdsl.analysis.linting.subject import Subject
from segdsl.catalog.model import Catalog
from segdsl.check.names import declared
from segdsl.core.program import Program
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic


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
