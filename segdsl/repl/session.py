"""A conversation about the project's data: text in, results out, nothing printed. The terminal is around it."""

from __future__ import annotations

import os
import re
import threading
import time as clock
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segdsl.catalog.model import Catalog
from segdsl.check.names import declared, without
from segdsl.core import time
from segdsl.core.program import BARE, Program, needed
from segdsl.database import Database
from segdsl.pipeline import compile_parsed, compile_rule
from segdsl.repl import saving
from segdsl.repl.commands import COMMANDS
from segdsl.repl.offers import Names
from segdsl.repl.results import (
    Answer,
    Declared,
    Left,
    Listing,
    Member,
    Problems,
    Refused,
    Result,
    Said,
    Sizes,
    Stopped,
)
from segdsl.repl.tokens import is_declaration, tokens
from segdsl.rule import Rule
from segdsl.syntax import ast, parse_file
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Errors, has_errors
from segdsl.text.source import Source
from segdsl.text.suggest import nearest

if TYPE_CHECKING:
    from segdsl.engines.engine import Engine

SAMPLE = 8  # contacts shown of an answer
TYPED = "<typed>"  # the name of the source of a declaration
DECLARING = re.compile(r"(segment|score|test)[ \t]+[^\W\d]", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """The last rule that was understood: what `.sql`, `.python`, `.explain` and `.save` are about."""

    text: str
    name: str
    program: Program
    now: int


class Interrupted(Exception):  # noqa: N818  (not an error)
    """Raised between two rows of an answer that nobody waits for any more."""


class Session:
    """One conversation.

    catalog, files: the project's. now: the instant to ask about (microseconds since 1970, UTC); None: the clock's.
    The database is opened by the first question. `answer` may run in another thread than `interrupt`.
    """

    def __init__(self, catalog: Catalog, files: Sequence[Parsed] = (), now: int | None = None) -> None:
        # What is typed now may be asked for in the next line.
        self.catalog = replace(catalog, lints={**catalog.lints, "unused-score": False})
        self.files = tuple(files)
        self.typed: tuple[Parsed, ...] = ()  # declarations of this session, in force before the files'
        self.now = now
        self.last: Asked | None = None
        self._database: Database | None = None
        self._stop = threading.Event()
        self._lists: tuple[str, ...] | None = None

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.__exit__(None, None, None)
            self._database = None

    def interrupt(self) -> None:
        """Stop the question that `answer` is busy with, from another thread: it then gives `Stopped`."""
        self._stop.set()
        database = self._database
        with suppress(RuntimeError):  # it was closed in the meantime
            if database is not None:
                database.engine.interrupt()

    # --- what there is --------------------------------------------------------------------------------------------

    @property
    def known(self) -> tuple[Parsed, ...]:
        """The files in force: the project's, less what the session declares itself, and that."""
        return (*without(self.files, self.typed), *self.typed)

    def names(self) -> Names:
        """What rules may refer to."""
        segments, scores = [], []
        for _, file in self.known:
            for part in file.declarations:
                match part:
                    case ast.Score() | ast.Broken(kind="score"):
                        scores.append(part.name.text)
                    case ast.Segment() | ast.Broken():
                        segments.append(part.name.text)
        return Names(segments, scores, self.lists)

    def lists(self) -> tuple[str, ...]:
        """The names of the static lists, asked once; none if they cannot be had."""
        if self._lists is None:
            self._lists = ()
            if self.catalog.lists is not None:
                try:
                    self._lists = tuple(self._engine().lists())
                except Errors:
                    return ()
        return self._lists

    def moment(self) -> int:
        """The instant to ask about."""
        return self.now if self.now is not None else time.now()

    # --- answering --------------------------------------------------------------------------------------------------

    def answer(self, text: str) -> Result | None:
        """The result of what was typed: a rule, declarations or a command; None if it says nothing. Never raises."""
        self._stop.clear()
        text = text.strip()
        if all(token.kind == "comment" for token in tokens(text)):
            return None
        try:
            if text.startswith("."):
                return self._command(text)
            return self._declare(text) if is_declaration(text) else self._ask(text)
        except Interrupted:
            return Stopped()
        except Errors as error:
            if self._stop.is_set():
                return Stopped()
            if any(found.code == "SEG0719" for found in error.diagnostics):
                self.close()  # the connection may be what is broken: the next question opens another
            return Problems(error.diagnostics)
        except OSError as error:
            return Refused(f"{error.filename or 'the system'}: {error.strerror or error}", environment=True)
        except Exception as error:
            if self._stop.is_set():  # a driver may say in its own way that it was disturbed
                return Stopped()
            if os.environ.get("SEGDSL_DEBUG"):
                raise
            words = " ".join(str(error).split())[:300]
            return Refused(
                f"this is a bug in segdsl ({type(error).__name__}: {words})",
                "please report it with the rule that shows it; SEGDSL_DEBUG=1 prints the details",
                environment=True,
            )

    def _ask(self, text: str) -> Result:
        compiled = compile_rule(text, self.catalog, self.known)
        if compiled.failed or compiled.program is None:
            # `segment keen visited >= 3` is rather a heading without its colon than an odd name
            return self._declare(text) if DECLARING.match(text) else Problems(compiled.diagnostics)
        now = self.moment()
        self.last = Asked(text, BARE, compiled.program, now)
        return replace(self._members(compiled.program, [BARE], now)[0], warnings=compiled.diagnostics)

    def _declare(self, text: str) -> Result:
        source = Source(TYPED, text)
        file, found = parse_file(source)
        if any(isinstance(part, ast.TestCase) for part in file.declarations):
            return Refused("tests stand in rule files", "write it into one, and run `segdsl test`")
        others = without(self.known, [(source, file)])
        before = set(compile_parsed(others, [], self.catalog).diagnostics)
        compiled = compile_parsed([*others, (source, file)], found, self.catalog)
        problems = tuple(each for each in compiled.diagnostics if each not in before)
        if compiled.program is None or has_errors(problems):
            return Problems(problems)
        names = tuple(declared(file).values())
        segments = [name for name in names if name in compiled.program.segments]
        for name in segments:  # what they ask may be faulty, which only a bare rule is told
            self._sound(name, [*others, (source, file)])
        self.typed = (*without(self.typed, [(source, file)]), (source, file))
        now = self.moment()
        if not segments:
            return Declared(names, (), problems)
        self.last = Asked(text, segments[-1], compiled.program, now)
        return Declared(names, tuple(self._members(compiled.program, segments, now)), problems)

    def _sound(self, name: str, files: Sequence[Parsed]) -> Program:
        """The program of `in segment NAME`; raises `Errors` if the segment has errors or asks what has."""
        compiled = compile_rule(f"in segment `{name}`", self.catalog, files)
        if compiled.failed or compiled.program is None:
            raise Errors(compiled.diagnostics)
        return compiled.program

    # --- the database -----------------------------------------------------------------------------------------------

    def _engine(self) -> Engine:
        return self._open().engine

    def _open(self) -> Database:
        if self._database is None:
            database = Database(self.catalog, Program({}, {}))
            database.__enter__()
            self._database = database
        return self._database

    def _members(self, program: Program, names: Sequence[str], now: int) -> list[Answer]:
        engine = self._engine()
        start = clock.perf_counter()
        sizes = dict.fromkeys(names, 0)
        samples: dict[str, list[Member]] = {name: [] for name in names}
        for segment, contact in engine.members(program, names, now):
            sizes[segment] += 1
            if sizes[segment] <= SAMPLE:
                samples[segment].append(contact)
            elif self._stop.is_set():
                raise Interrupted
        seconds = clock.perf_counter() - start
        total = engine.total()
        return [Answer(name, sizes[name], total, tuple(samples[name]), now, seconds) for name in names]

    # --- commands ---------------------------------------------------------------------------------------------------

    def _command(self, text: str) -> Result:
        word, _, argument = text.partition(" ")
        argument = argument.strip()
        match word.lower():
            case ".sql":
                return self._sql(argument)
            case ".python":
                return self._python()
            case ".explain":
                return self._explain(argument)
            case ".now":
                return self._set_now(argument)
            case ".segments":
                return self._segments()
            case ".save":
                return saving.save(self, argument)
            case ".help":
                return Listing(help_text(), "text")
            case ".quit" | ".exit":
                return Left()
            case _:
                guess = nearest(word.removeprefix("."), [name.removeprefix(".") for name in COMMANDS])
                return Refused(f"no such command: {word}", f"did you mean .{guess}?" if guess else "`.help` lists them")

    def _sql(self, dialect: str) -> Result:
        from segdsl.backends.sql import compile_segments

        if self.last is None:
            return NO_RULE
        asked, schema = self.last, None
        if not dialect:  # what the database was asked, to the letter
            engine = self._engine()
            dialect, schema = engine.dialect.name, engine.schema()
        return Listing(
            compile_segments(asked.program, self.catalog, [asked.name], asked.now, schema, dialect.lower()), "sql"
        )

    def _python(self) -> Result:
        from segdsl.backends.python import compile_program

        if self.last is None:
            return NO_RULE
        return Listing(compile_program(needed(self.last.program, [self.last.name])).source.rstrip(), "python")

    def _explain(self, contact: str) -> Result:
        if not contact:
            return Refused("whom?", "write `.explain c17`, with a contact's id")
        if self.last is None:
            return NO_RULE
        rule = Rule(self.catalog, self.last.program, self.last.name)
        text = explanation(self._open(), contact, rule, self.last.now)
        return Listing(text, "text") if text is not None else Refused("this version of segdsl cannot explain yet")

    def _set_now(self, text: str) -> Result:
        if text and text.lower() != "now":
            moment = time.parse_moment(text, self.catalog.timezone)
            if moment is None:
                return Refused(f"not a time: {text}", "write `.now 2026-03-09` or `.now 2026-03-09T08:00:00Z`")
            self.now = moment
        elif text:
            self.now = None
        if self.now is None:
            return Said("now is the clock's time")
        return Said(f"now is {time.isoformat(self.now)}")

    def _segments(self) -> Result:
        names = sorted(self.names().segments)
        if not names:
            return Refused("there are no segments yet", "write one: `segment NAME: RULE`")
        compiled = compile_parsed(self.known, [], self.catalog)
        program, sound = compiled.program, list(names)
        if compiled.failed:
            sound = []
            for name in names:
                try:
                    program = self._sound(name, self.known)
                    sound.append(name)
                except Errors:
                    continue
        now = self.moment()
        answers = self._members(program, sound, now) if program is not None and sound else []
        sizes = {each.name: each.size for each in answers}
        seconds = answers[0].seconds if answers else 0.0
        total = answers[0].total if answers else self._engine().total()
        return Sizes(tuple((name, sizes.get(name)) for name in names), total, now, seconds)


NO_RULE = Refused("there is no rule yet", "type one first: `visited in 30d`, say")


def explanation(database: Database, contact: str, rule: Rule, now: int) -> str | None:
    """Why a contact is in, or is not, as text; None if this version cannot say."""
    explain = getattr(database, "explain", None)
    return None if explain is None else str(explain(contact, rule, now=time.to_datetime(now)))


def help_text() -> str:
    """What can be typed."""
    wide = max(len(usage) for usage, _ in COMMANDS.values())
    lines = [f"  {usage.ljust(wide)}  {about}" for usage, about in COMMANDS.values()]
    return "\n".join(
        [
            'Type a rule, such as  visited "/pricing" >= 3 in 30d',
            "or a declaration, such as  segment keen: visited >= 3 in 7d",
            *lines,
            "Tab completes, Alt-Enter begins a new line, Ctrl-C stops a question, Up finds what was typed before.",
        ]
    )
