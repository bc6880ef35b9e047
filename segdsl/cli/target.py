"""What a command is about: the program, and which of its segments were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from segdsl.catalog import load, name_key
from segdsl.catalog.model import Catalog
from segdsl.cli.common import Stop, no_segment, one_project, project_file, show, split
from segdsl.core.program import BARE, Program
from segdsl.pipeline import compile_rule
from segdsl.rule_files import compile_paths, display, project_paths, rule_paths
from segdsl.syntax import ast
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic, has_errors


@dataclass(frozen=True)
class Loaded:
    """What arguments compile to. `program` is None after errors; `names` are the segments of the arguments."""

    catalog: Catalog | None
    program: Program | None
    names: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    checked: int = 0  # rule files, or the bare rule
    files: tuple[Parsed, ...] = ()  # of the whole project
    asked: frozenset[str] = frozenset()  # the names of the files that the arguments are about

    @property
    def failed(self) -> bool:
        """Whether some diagnostic is an error."""
        return has_errors(self.diagnostics)


def load_target(arguments: Sequence[str], lints: Sequence[str] = ()) -> Loaded:
    """Compile a rule, the files that paths name, or (without arguments) the whole project.

    lints: names of lints to switch on, whatever the project file says.

    Files named by paths may use the names of the project's other rule files, whose own errors are not shown
    unless they are in the way.
    """
    rule, paths = split(arguments)
    project = project_file(paths)
    if rule is None:
        return load_files(project, paths, lints)
    catalog, found = _catalog(project, lints)
    if catalog is None:
        return Loaded(None, None, (), tuple(found))
    return _bare(rule, catalog, project_paths(catalog), found)


def _catalog(project: Path, lints: Sequence[str]) -> tuple[Catalog | None, list[Diagnostic]]:
    catalog, found = load(Path(display(project.absolute())))
    if catalog is not None:
        catalog = replace(catalog, lints={**catalog.lints, **dict.fromkeys(lints, True)})
    return catalog, found


def load_files(project: Path, paths: Sequence[Path], lints: Sequence[str] = ()) -> Loaded:
    """Compile the rule files that paths name, or (without paths) all of a project; `load_target` says more."""
    catalog, found = _catalog(project, lints)
    if catalog is None:
        return Loaded(None, None, (), tuple(found))
    around = project_paths(catalog)
    if not paths:
        compiled = compile_paths(catalog, around)
        names = tuple(compiled.program.segments) if compiled.program else ()
        every = frozenset(source.name for source, _ in compiled.files)
        diagnostics = (*found, *compiled.diagnostics)
        return Loaded(catalog, compiled.program, names, diagnostics, len(around), compiled.files, every)
    asked = rule_paths(paths)
    if not asked:
        raise Stop("there are no .seg files in " + ", ".join(map(str, paths)), "name a folder that has some")
    one_project(asked, project)
    real = {path.resolve() for path in asked}
    others = [path for path in around if path.resolve() not in real]
    compiled = compile_paths(catalog, [*asked, *others])
    shown = {display(path) for path in asked}
    about = [d for d in compiled.diagnostics if d.source is None or d.source.name in shown]
    failed = has_errors(about)
    if compiled.program is None and not failed:
        about = list(compiled.diagnostics)
    declared = [
        declaration.name.text
        for source, file in compiled.files
        if source.name in shown
        for declaration in file.declarations
        if isinstance(declaration, ast.Segment)
    ]
    names = tuple(name for name in declared if compiled.program and name in compiled.program.segments)
    if len(names) < len(declared) and not failed:
        about = list(compiled.diagnostics)
    return Loaded(catalog, compiled.program, names, (*found, *about), len(asked), compiled.files, frozenset(shown))


def _bare(rule: str, catalog: Catalog, around: Sequence[Path], found: Sequence[Diagnostic]) -> Loaded:
    files = compile_paths(catalog, around).files if around else ()
    compiled = compile_rule(rule, catalog, files)
    return Loaded(catalog, compiled.program, (BARE,), (*found, *compiled.diagnostics), 1)


def runnable(
    arguments: Sequence[str], segments: Sequence[str], none: bool = False
) -> tuple[Catalog, Program, list[str]]:
    """The catalog, the program and the asked segments, to run or to print; ends the command after errors.

    none: rule files may have no segments at all.
    """
    loaded = load_target(arguments)
    # Warnings about files are for `segdsl check`; those about a rule that was just typed are for its author now.
    bare = bool(arguments) and not loaded.asked
    show(diagnostic for diagnostic in loaded.diagnostics if bare or diagnostic.severity == "error")
    if loaded.failed or loaded.catalog is None or loaded.program is None:
        click.get_current_context().exit(1)
    known = {name_key(name): name for name in loaded.names}
    chosen: list[str] = []
    for segment in segments:
        name = known.get(name_key(segment))
        if name is None:
            raise no_segment(segment, loaded.names)
        chosen.append(name)
    names = sorted(set(chosen) if segments else loaded.names)
    if not names and not none:
        raise Stop("there are no segments here", "write one in a .seg file, or give a rule in quotes")
    return loaded.catalog, loaded.program, names
