"""A project as a program's user has it: the catalog, and the rules of its rule files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from segdsl.catalog import find, name_key
from segdsl.catalog import load as load_catalog
from segdsl.catalog.load import FILE_NAME, database
from segdsl.catalog.model import Catalog
from segdsl.core.program import BARE, Program
from segdsl.database import Database
from segdsl.pipeline import Compiled, compile_rule
from segdsl.rule import Rule
from segdsl.rule_files import compile_paths, project_paths
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    from segdsl.analysis.stories.trial import Result
    from segdsl.stream.stream import Stream


class Project:
    """A catalog and the rules that may use its names. Made by `segdsl.load`.

    catalog: what `segdsl.yml` declares.
    program: the segments and scores in core form.
    diagnostics: what was found on the way; warnings only, as errors are raised.
    """

    def __init__(self, catalog: Catalog, compiled: Compiled) -> None:
        self.catalog = catalog
        self.diagnostics = compiled.diagnostics
        self._files: tuple[Parsed, ...] = compiled.files
        assert compiled.program is not None
        self.program: Program = compiled.program

    @classmethod
    def load(cls, path: str | Path | None = None) -> Project:
        """Read a project file (or a folder that holds one) and its rule files.

        path: None looks for `segdsl.yml` in the current folder and those above.
        Raises `segdsl.Errors` with every diagnostic, FileNotFoundError if there is no project file, OSError if a
        rule file cannot be read.
        """
        place = find(Path.cwd()) if path is None else Path(path)
        if place is None:
            raise FileNotFoundError(f"no {FILE_NAME} in this folder or above it")
        if place.is_dir():
            place = place / FILE_NAME
        if not place.is_file():
            raise FileNotFoundError(f"no such project file: {place}")
        catalog, found = load_catalog(place)
        if catalog is None:
            raise Errors(found)
        return cls.of(catalog, project_paths(catalog), found)

    @classmethod
    def of(cls, catalog: Catalog, paths: Sequence[Path], found: Sequence[Diagnostic] = ()) -> Project:
        """A project of some rule files; raises as `load` does."""
        compiled = compile_paths(catalog, paths)
        diagnostics = (*found, *compiled.diagnostics)
        if compiled.failed or compiled.program is None:
            raise Errors(diagnostics)
        return cls(catalog, replace(compiled, diagnostics=diagnostics))

    @cached_property
    def segments(self) -> Mapping[str, Rule]:
        """The rules by name. Any spelling of a name finds its rule: `Engaged Leads` is `engaged_leads`."""
        return Segments(self)

    def compile(self, text: str) -> Rule:
        """A rule from its text; it may refer to the project's segments. Raises `segdsl.Errors`."""
        compiled = compile_rule(text, self.catalog, self._files)
        if compiled.failed or compiled.program is None:
            raise Errors(compiled.diagnostics)
        return Rule(self.catalog, compiled.program, BARE)

    def test(self) -> list[Result]:
        """Run the test blocks of the rule files: a result for each, in the order of the text.

        A result has `passed`, the `segment`, `title`, `file` and `line` of the test, and `outcomes`, one for each `on`
        line; `diagnostics` tell the failures in words.
        """
        from segdsl.analysis.stories.trial import Trial
        from segdsl.check import stories

        return Trial(self.program, stories(self._files, self.catalog), self.catalog.timezone).run()

    def follow(self, state: str | Path | None = None) -> Stream:
        """Who enters and who leaves, as lines of news are pushed and time is moved on; see `Stream`.

        state: a file that remembers everything between runs, made if there is none; None: nothing is remembered.
        Raises `segdsl.Errors` (SEG0728) for a file that cannot be used.
        """
        from segdsl.stream.stream import Stream

        return Stream(self.catalog, self.program, None if state is None else Path(state))

    def connect(self, url: str | None = None) -> Database:
        """The project's database, or the one at `url`; to be used in a `with` statement.

        url: as `database` in segdsl.yml; a relative path starts from the current folder.
        """
        catalog = self.catalog
        if url is not None:
            catalog = replace(catalog, database=database(url, Path.cwd()))
        return Database(catalog, self.program)


class Segments(Mapping[str, "Rule"]):
    """The segments of a project as a mapping: iterates over names as defined, finds any spelling."""

    def __init__(self, project: Project) -> None:
        self._rules = {
            name_key(name): Rule(project.catalog, project.program, name) for name in project.program.segments
        }

    def __getitem__(self, name: str) -> Rule:
        try:
            return self._rules[name_key(name)]
        except KeyError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (rule.name for rule in self._rules.values())

    def __len__(self) -> int:
        return len(self._rules)
