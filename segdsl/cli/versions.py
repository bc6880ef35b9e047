"""Versions of the rules: a path or a git revision as a program, and which of its segments are meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from segdsl.catalog.model import Catalog, name_key
from segdsl.check.names import declared, without
from segdsl.cli.common import Stop, is_path
from segdsl.cli.revisions import Files, Repository
from segdsl.core.program import Program
from segdsl.pipeline import compile_parsed, parse
from segdsl.rule_files import decode, display, project_paths, rule_paths
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic

# `REV:path`; what stands in braces belongs to the revision, colons too
_PLACE = re.compile(r"(?P<revision>(?:[^:{}]|\{[^{}]*\})+):(?P<path>.*)", re.DOTALL)


@dataclass(frozen=True)
class Version:
    """One version of the rules.

    program: None after errors. names: the segments that its files declare.
    whole: whether these are all of a version's rules; a file, a folder and `REV:path` are a part.
    """

    program: Program | None
    names: tuple[str, ...]
    errors: tuple[Diagnostic, ...]
    whole: bool


def path_of(argument: str) -> Path | None:
    """The path that an argument is, or None for a revision: a file that exists wins over a revision of that name."""
    path = Path(argument)
    if not is_path(argument) or (_PLACE.fullmatch(argument) and not path.exists()):
        return None
    if not path.exists():
        raise Stop(f"no such file or folder: {argument}", "name .seg files, folders of them, or a git revision")
    return path


def versions(old: str, new: str | None, catalog: Catalog) -> tuple[Version, Version]:
    """Both sides, compiled with the project's catalog of today; `new` None is the project's rules as they are now.

    A part is compiled among the project's other rules, of which it replaces those that it declares. Beside a part,
    a revision is the same part of that revision, if it has it; else only the segments of the part are compared.
    """
    around = _files(project_paths(catalog))
    old_path, new_path = path_of(old), path_of(new) if new is not None else None
    left = _side(old, old_path, new_path, around, catalog)
    right = _side(new, new_path, old_path, around, catalog) if new is not None else _version(around, None, catalog)
    if left.whole != right.whole:
        part = right if left.whole else left
        kept = {name_key(name) for name in part.names}
        left, right = (
            replace(side, names=tuple(name for name in side.names if name_key(name) in kept)) for side in (left, right)
        )
    return left, right


def _side(argument: str, path: Path | None, other: Path | None, around: Files, catalog: Catalog) -> Version:
    if path is not None:
        there = _files(rule_paths([path]))
        if not there:
            raise Stop(f"there are no .seg files in {path}", "name a folder that has some")
        return _version(there, around, catalog)
    repository = Repository.around(catalog.folder, argument)
    place = _PLACE.fullmatch(argument)
    revision = place["revision"] if place else argument
    # What lies outside the work tree has no history: it is the same in every version.
    outside = _files(each for each in project_paths(catalog) if repository.inside(each) is None)
    whole = repository.rules(revision, catalog.rules) | outside
    wanted = place["path"] if place else repository.inside(other) if other else None
    files = None if wanted is None else repository.place(revision, wanted)
    if files is None and place is None:
        return _version(whole, None, catalog)
    if not files:
        raise Stop(f"there are no .seg files at {argument}", "the path starts from the top of the work tree")
    return _version(files, whole, catalog)


def _files(paths: Iterable[Path]) -> Files:
    return {display(path): path.read_bytes() for path in paths}


def _version(files: Files, around: Files | None, catalog: Catalog) -> Version:
    """Some files compiled; `around` are the rules that they stand among, None if they are all there are."""
    given, wrong = _parse(files)
    others, unread = _parse({name: data for name, data in (around or {}).items() if name not in files})
    others = without(others, given)
    compiled = compile_parsed([*given, *others], [*wrong, *unread], catalog)
    errors = [found for found in compiled.diagnostics if found.severity == "error"]
    own = [found for found in errors if found.source is None or found.source.name in files]
    program = compiled.program if compiled.program is not None and not errors else None
    wanted = [name for _, file in given for name in declared(file).values()]
    names = tuple(name for name in wanted if program is not None and name in program.segments)
    return Version(program, names, tuple(own or errors), around is None)


def _parse(files: Files) -> tuple[tuple[Parsed, ...], list[Diagnostic]]:
    sources, found = [], []
    for name, data in files.items():
        source, wrong = decode(name, data)
        found += wrong
        if not wrong:
            sources.append(source)
    parsed, more = parse(sources)
    return parsed, [*found, *more]
