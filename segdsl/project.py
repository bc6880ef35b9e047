"""A project in memory: its catalog, its rule files, and the rules that they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from segdsl.catalog import find, name_key
from segdsl.catalog import load as load_catalog
from segdsl.catalog.load import FILE_NAME, database
from segdsl.catalog.model import Catalog
from segdsl.core import time
from segdsl.core.program import BARE, Program
from segdsl.pipeline import Compiled, compile_files, compile_rule
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic, Errors
from segdsl.text.source import Source, Span

if TYPE_CHECKING:
    from segdsl.analysis.explain.explainer import Explainer
    from segdsl.analysis.explain.explanation import Explanation
    from segdsl.analysis.stories.trial import Result
    from segdsl.contact import Contact
    from segdsl.core.contact import Facts
    from segdsl.stream.stream import Stream
    from segdsl.warehouse.results import Refresh, Snapshot

    Predicate = Callable[[Facts, int], bool]


# --- reading files ----------------------------------------------------------------------------------------


def rule_paths(paths: Iterable[Path]) -> list[Path]:
    """The rule files that paths name: files as they are, of folders every `.seg` inside."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.seg")) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def project_paths(catalog: Catalog) -> list[Path]:
    """The rule files of a project, each once, sorted by path."""
    found: set[Path] = set()
    for pattern in catalog.rules:
        anchor = Path(pattern).anchor
        # An absolute pattern is taken from its root; pathlib only takes relative ones.
        base, rest = (Path(anchor), pattern[len(anchor) :]) if anchor else (catalog.folder, pattern)
        found.update(path for path in base.glob(rest) if path.is_file())
    return sorted(found)


def read(path: Path) -> tuple[Source, list[Diagnostic]]:
    """A rule file as a source named as a user in the current folder would; OSError if it cannot be read."""
    return decode(display(path), path.read_bytes())


def decode(name: str, data: bytes) -> tuple[Source, list[Diagnostic]]:
    """The bytes of a rule file as a source; what is not UTF-8 is an error."""
    try:
        return Source(name, data.decode("utf-8").removeprefix("\ufeff")), []
    except UnicodeDecodeError as error:
        before = len(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
        source = Source(name, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        label = f"the byte {data[error.start]:#04x}"
        span = Span(before, before + 1)
        return source, [Diagnostic("SEG0008", "this is not UTF-8", source, span, label, help="save the file as UTF-8")]


def display(path: Path) -> str:
    """A path as diagnostics print it: relative if it is inside the current folder."""
    if not path.is_absolute():
        return path.as_posix()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


# --- the project ------------------------------------------------------------------------------------------


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
        """The project's database, or the one at `url`; to be used in a `with` statement."""
        catalog = self.catalog
        if url is not None:
            catalog = replace(catalog, database=database(url, Path.cwd()))
        return Database(catalog, self.program)


def compile_paths(catalog: Catalog, paths: Sequence[Path]) -> Compiled:
    """The program of some rule files; OSError if one cannot be read."""
    sources: list[Source] = []
    found: list[Diagnostic] = []
    for path in paths:
        source, diagnostics = read(path)
        found += diagnostics
        if not diagnostics:
            sources.append(source)
    compiled = compile_files(sources, catalog)
    program = None if found else compiled.program
    return Compiled(compiled.files, program, (*found, *compiled.diagnostics))


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


class Rule:
    """One compiled rule. `name` is its segment's name (`rule` for a bare rule), `title` its title or ""."""

    def __init__(self, catalog: Catalog, program: Program, name: str) -> None:
        self.catalog = catalog
        self.program = program
        self.name = name
        self.title = program.segments[name].title

    def __repr__(self) -> str:
        return f"<Rule {self.name}: {self.program.segments[self.name].words}>"

    @cached_property
    def _predicate(self) -> Predicate:
        from segdsl.backends.python import compile_program

        return compile_program(self.program).predicate(self.name)

    def predicate(self) -> Predicate:
        """The bare compiled function, for hot loops: `predicate(facts, now)`, with `segdsl.contact.facts` and
        the instant in microseconds since 1970 (UTC)."""
        return self._predicate

    def matches(self, contact: Contact, now: datetime) -> bool:
        """Whether the contact is in at `now`. Raises ValueError for a time without time zone."""
        from segdsl.contact import facts

        instant = time.from_datetime(now)
        return bool(self._predicate(facts(contact, self.catalog), instant))

    @cached_property
    def _explainer(self) -> Explainer:
        from segdsl.analysis.explain.explainer import Explainer

        return Explainer(self.catalog, self.program, self.name)

    def explain(self, contact: Contact, now: datetime) -> Explanation:
        """Why the contact is in at `now`, or is not: a tree of the rule's parts, with the events behind each.

        Of what the contact holds, events after `now` count for nothing. `str()` of the result is a text for people.
        Raises ValueError for a time without time zone, and for names that the catalog does not have.
        """
        from segdsl.contact import facts

        return self._explainer.explain(facts(contact, self.catalog), time.from_datetime(now))

    def next_change(self, contact: Contact, now: datetime) -> datetime | None:
        """The first instant after `now` at which the answer flips with no new event, exact to the microsecond.

        In the project's time zone; None if that never happens. Events after `now` are left out, dates that attributes
        hold may lie ahead. Raises as `explain` does.
        """
        from segdsl.analysis.explain.wording import moment
        from segdsl.contact import facts

        instant = self._explainer.next_change(facts(contact, self.catalog), time.from_datetime(now))
        return None if instant is None else moment(instant, self.catalog.timezone)

    def sql(self, dialect: str, now: datetime | None = None) -> str:
        """The query of the members, rows of `segment, contact`, in a dialect.

        now: None asks the database's own clock on every run, where the dialect can.
        Raises ValueError for a time without time zone, `segdsl.Errors` for an unknown dialect.
        """
        from segdsl.backends.sql import compile_segments

        instant = None if now is None else time.from_datetime(now)
        return compile_segments(self.program, self.catalog, [self.name], instant, None, dialect)


@dataclass(frozen=True, slots=True)
class Interval:
    """A contact was in a segment from `entered` on, and no longer at `left`.

    entered: the beginning of the time that was asked about, if it was in by then. left: None: still in at its end.
    """

    segment: str
    contact: str | int
    entered: datetime
    left: datetime | None


class Database:
    """A connection to contacts and events, open inside a `with` statement."""

    def __init__(self, catalog: Catalog, program: Program) -> None:
        self.catalog = catalog
        self.program = program
        self._writing = False
        self._connecting: Any = None
        self._engine: Any = None

    def __enter__(self) -> Database:
        from segdsl.engines import connect

        self._writing = False
        self._connecting = connect(self.catalog)
        self._engine = self._connecting.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connecting.__exit__(kind, error, trace)
        self._engine = None

    @property
    def engine(self) -> Any:
        """The open engine. Raises RuntimeError outside the `with` statement."""
        if self._engine is None:
            raise RuntimeError("the database is open only inside `with project.connect() as db:`")
        return self._engine

    def members(
        self, segments: Iterable[str] | Rule | None = None, *, now: datetime | None = None
    ) -> Iterator[tuple[str, str | int]]:
        """Pairs `(segment, contact id)` in that order, streamed: never all of them in memory.

        segments: names, in any spelling, or one rule; None is every segment of the project. KeyError for a name
          that is none.
        now: timezone-aware; None is the current time.
        """
        return iter(self.engine.members(*self._asked(segments, now)))

    def count(self, segments: Iterable[str] | Rule | None = None, *, now: datetime | None = None) -> dict[str, int]:
        """How many members each segment has, counted by the database; takes what `members` takes."""
        sizes: dict[str, int] = self.engine.sizes(*self._asked(segments, now))
        return sizes

    def history(
        self, segments: Iterable[str] | Rule | None = None, *, since: datetime, until: datetime
    ) -> Iterator[Interval]:
        """Who was in from when until when, exact to the microsecond: an `Interval` for each stay, ordered by segment,
        contact and time; streamed: never all of them in memory.

        segments: as `members` takes them. since, until: timezone-aware, both included: `entered` is `since` for those
          who were in by then, `left` is None for those who are still in at `until`. In the project's time zone.
        Raises KeyError for a name that is none, ValueError for a time without time zone, `segdsl.Errors` (SEG0731) if
          `until` lies before `since`.
        """
        from contextlib import closing

        from segdsl.analysis.explain.wording import moment
        from segdsl.history.history import History

        program, names, first = self._asked(segments, since)
        zone = self.catalog.timezone
        history = History(self.engine, program, sorted(names), first, time.from_datetime(until))
        with closing(history.stays()) as stays:
            for segment, contact, entered, left in stays:
                end = None if left is None else moment(left, zone)
                yield Interval(segment, contact, moment(entered, zone), end)

    def _asked(self, segments: Iterable[str] | Rule | None, now: datetime | None) -> tuple[Program, list[str], int]:
        """The program, the names of segments and the instant of a question."""
        instant = _instant(now)
        if isinstance(segments, Rule):
            return segments.program, [segments.name], instant
        names = list(self.program.segments)
        if segments is not None:
            by_key = {name_key(name): name for name in names}
            names = list(dict.fromkeys(by_key[name_key(name)] for name in segments))
        return self.program, names, instant

    def plan(self, *, now: datetime | None = None) -> Refresh:
        """What `apply` would change in the stored membership; nothing is written.

        now: timezone-aware; None is the current time. Raises `segdsl.Errors` as `apply` does.
        """
        from segdsl.engines import require_stores
        from segdsl.warehouse.refresh import plan

        require_stores(self.catalog)
        return plan(self.engine, self.program, _instant(now))

    def apply(self, *, now: datetime | None = None, full: bool = False) -> Refresh:
        """Store who is in each segment of the project, and log who entered and who left since the last time.

        now: timezone-aware; None is the current time. full: everyone is evaluated, and what earlier refreshes have
        missed is corrected. Answers of this connection that are still being read may end with it. Raises
        `segdsl.Errors`: SEG0740 for a time before the last refresh, SEG0741 where nothing can be stored, SEG0742 and
        SEG0743 for what the database refuses, SEG0745 where tables of these names hold something else.
        """
        from segdsl.warehouse.refresh import apply

        return apply(self._writable(), self.program, _instant(now), full)

    def snapshot(self, segment: str, name: str, *, now: datetime | None = None) -> Snapshot:
        """Put a segment's members, as they are at `now`, on the static list `name`, in place of those who were on it.

        segment: in any spelling; KeyError for a name that is none. Raises `segdsl.Errors` as `apply` does, and
        SEG0746 for a list that cannot be written.
        """
        from segdsl.warehouse.lists import snapshot

        names = {name_key(each): each for each in self.program.segments}
        return snapshot(self._writable(), self.program, names[name_key(segment)], name, _instant(now))

    def _writable(self) -> Any:
        """The engine, opened anew for writing if it is not; answers that are still being read end with that.

        Raises `segdsl.Errors` (SEG0741) where nothing can be stored.
        """
        from segdsl.engines import connect, require_stores

        engine = self.engine
        if not self._writing:
            require_stores(self.catalog)
            self._connecting.__exit__(None, None, None)
            self._engine = None
            self._connecting = connect(self.catalog, writing=True)
            engine = self._engine = self._connecting.__enter__()
            self._writing = True
        return engine

    def explain(self, contact: str | int, rule: str | Rule, *, now: datetime | None = None) -> Explanation:
        """Why one contact is in a segment, or is not; reads what is stored of this contact only.

        contact: its key. rule: a segment's name, in any spelling, or a rule. now: timezone-aware; None is the
        current time. Raises KeyError for a name that is none, `segdsl.Errors` (SEG0716) if there is no such contact.
        """
        instant = _instant(now)
        if isinstance(rule, str):
            names = {name_key(name): name for name in self.program.segments}
            rule = Rule(self.catalog, self.program, names[name_key(rule)])
        explainer = rule._explainer
        self.engine.ready(rule.program, [rule.name], instant)
        return explainer.explain(self.engine.one(contact, explainer.probe.kinds), instant)


def _instant(now: datetime | None) -> int:
    """An instant of the API; the current time for None. Raises ValueError for a time without time zone."""
    from datetime import UTC

    return time.from_datetime(now if now is not None else datetime.now(UTC))
