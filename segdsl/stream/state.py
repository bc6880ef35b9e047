"""The state of a follower in one SQLite file: what came, how far it has read, who is in, and what is still to be told.

Everything that a batch of lines leads to is written in one transaction, so that a follower that was killed goes on as
if the batch had not begun or had been finished. What follows from the lines (answers, timers) is worked out again from
them, so that changed rules need nothing else.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from segdsl.stream.lines import Effect, Flip, Moved, Refused, Voided
from segdsl.text.diagnostic import Diagnostic, Errors

FORM = 2  # of the tables below
MARK = 0x73656764  # by which SQLite's own header says whose file this is
WAIT = 10.0  # seconds for another process that writes
TABLES = """\
CREATE TABLE about (name TEXT NOT NULL, revision INTEGER NOT NULL, clock INTEGER, positions TEXT NOT NULL);
INSERT INTO about VALUES (lower(hex(randomblob(8))), 0, NULL, '{}');
CREATE TABLE lines (
    number INTEGER PRIMARY KEY, contact NOT NULL, counts_at INTEGER NOT NULL, line TEXT NOT NULL
);
CREATE INDEX lines_of_a_contact ON lines (contact, number);
CREATE TABLE members (segment TEXT, contact, entered_at INTEGER NOT NULL, PRIMARY KEY (segment, contact)) WITHOUT ROWID;
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, segment TEXT NOT NULL, contact NOT NULL,
    entered INTEGER NOT NULL
);
CREATE TABLE told (sink TEXT PRIMARY KEY, number INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE dead (sink TEXT, number INTEGER, reason TEXT NOT NULL, PRIMARY KEY (sink, number)) WITHOUT ROWID;
CREATE TABLE refused (number INTEGER PRIMARY KEY, line TEXT NOT NULL, reason TEXT NOT NULL);
"""
# What was added after the first form. `feed` is whence the news come: see `State.feed`.
SECOND = """\
ALTER TABLE about ADD COLUMN feed TEXT NOT NULL DEFAULT 'lines';
ALTER TABLE refused ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE TABLE seen (source TEXT NOT NULL, place INTEGER NOT NULL, taken INTEGER NOT NULL, digest BLOB NOT NULL);
CREATE INDEX seen_of_a_source ON seen (source, place);
CREATE INDEX changes_by_time ON changes (at)
"""

EVENTS = {"event", "alias"}  # fields of lines that say what happened, and to whom

Feed = Literal["lines", "history", "starting", "tables"]

# A line: its number, its contact, the instant from which it counts (its own, or the clock's if it came late), its text.
Stored = tuple[int, str | int, int, str]


@dataclass(frozen=True)
class Seen:
    """A row of a table, or an event, that was taken and may come again.

    place: its instant, or its number, by which it is forgotten in time. taken: when it was (microseconds since 1970).
    """

    source: str
    place: int
    taken: int
    digest: bytes


@dataclass
class Batch:
    """What is saved together.

    effects: what deletions and aliases do to stored lines, these ones too, each with the number of the first line that
      came after it. clock: up to which everything is told.
    positions: how far sources are read; those not named stay. refused: lines that cannot be read, with the reasons.
    silent: whether the changes are no news: who is in is remembered, and nobody is told.
    seen: to be remembered. forgotten: source -> the place up to which what was seen of it will not come again.
    consumed: what was seen and has come again. feed: whence the news come from now on, if that changes.
    dropped: contacts whose lines are void.
    """

    lines: Sequence[Stored] = ()
    effects: Sequence[tuple[int, Effect]] = ()
    flips: Sequence[Flip] = ()
    clock: int | None = None
    positions: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[tuple[str, str]] = ()
    silent: bool = False
    seen: Sequence[Seen] = ()
    forgotten: Mapping[str, int] = field(default_factory=dict)
    consumed: Sequence[Seen] = ()
    feed: Feed | None = None
    dropped: Sequence[str | int] = ()


class State:
    """An open state file; made if there is none. Times are microseconds since 1970 (UTC).

    name: made when the file was, so that no other file has it.
    clock: up to which everything is told; None before the first line.
    positions: what followers remember of their sources by name, as one number each: how far a file was read, in bytes,
      and how it begins (`cli.following.head_of`); how far a table was, in microseconds or numbers; and with a history
      that lines follow, since when (microseconds) and from which byte on they may tell something new.
    feed: whence the news come: `lines` of a file or a pipe, or `tables` of the database. Before that, while the
      database's history is taken in, it is `history` (lines will follow) or `starting` (the tables will be followed).
    Every method raises `Errors` (SEG0728) if the file cannot be read or written, or is another's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reported():
            file = path.absolute()  # SQLite would take `:memory:` for no file at all
            self._connection = sqlite3.connect(file, isolation_level=None, timeout=WAIT, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._connection.close()
                raise

    def _open(self) -> None:
        ask = self._connection.execute
        mark, form = (ask(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        tables = ask("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if (tables and mark != MARK) or form > FORM:
            what, help = "another program's", "name another file with --state: it is made if there is none"
            if mark == MARK:
                what, help = "of a newer segdsl", "follow with that version, or begin anew with another --state"
            raise failure(f"`{self.path}` is {what}", help)
        ask("PRAGMA journal_mode = WAL")
        ask("PRAGMA synchronous = NORMAL")
        if not tables:
            ask("BEGIN IMMEDIATE")
            for statement in TABLES.split(";\n"):
                ask(statement)
            ask(f"PRAGMA application_id = {MARK}")
            ask("COMMIT")
        if form < FORM:
            ask("BEGIN IMMEDIATE")
            if ask("PRAGMA user_version").fetchone()[0] < FORM:
                for statement in SECOND.split(";\n"):
                    ask(statement)
                ask(f"PRAGMA user_version = {FORM}")
            ask("COMMIT")
        about = ask("SELECT name, revision, clock, positions, feed FROM about").fetchone()
        self.name: str = about[0]
        self._revision, self.clock, positions, self.feed = about[1:]
        self.positions: dict[str, int] = json.loads(positions)
        self.next_number: int = ask("SELECT coalesce(max(number), 0) + 1 FROM lines").fetchone()[0]

    def close(self) -> None:
        """Close the file; what was not saved is lost."""
        self._connection.close()

    def lines(self) -> Iterator[Stored]:
        """Every line that still counts, each contact's together and in the order in which they were taken."""
        with self._reported():
            ask = "SELECT number, contact, counts_at, line FROM lines ORDER BY contact, counts_at, number"
            yield from self._connection.execute(ask)

    def members(self) -> dict[tuple[str, str | int], int]:
        """Who is in which segment, and since when."""
        with self._reported():
            rows = self._connection.execute("SELECT segment, contact, entered_at FROM members")
            return {(segment, contact): at for segment, contact, at in rows}

    def seen(self) -> list[Seen]:
        """All that was taken and may come again."""
        with self._reported():
            rows = self._connection.execute("SELECT source, place, taken, digest FROM seen ORDER BY rowid")
            return [Seen(*row) for row in rows]

    def save(self, batch: Batch, now: int) -> None:
        """One transaction: a batch of news, all that it led to, and how far the sources are read.

        now: this machine's time, in microseconds since 1970.
        """
        feed = batch.feed or self.feed
        positions = {**self.positions, **batch.positions}
        with self._reported(), self._transaction() as ask:
            changed = ask(
                "UPDATE about SET revision = revision + 1, clock = ?, positions = ?, feed = ? WHERE revision = ?",
                (batch.clock, json.dumps(positions), feed, self._revision),
            ).rowcount
            if changed != 1:
                raise failure(
                    f"another process follows with `{self.path}`", "give each follower a state file of its own"
                )
            many = self._connection.executemany
            many("INSERT INTO lines VALUES (?, ?, ?, ?)", batch.lines)
            for before, effect in batch.effects:
                self._apply(effect, before)
            many("DELETE FROM lines WHERE contact = ?", ((contact,) for contact in batch.dropped))
            if not batch.silent:
                many(
                    "INSERT INTO changes (at, segment, contact, entered) VALUES (?, ?, ?, ?)",
                    ((flip.at, flip.segment, flip.contact, flip.entered) for flip in batch.flips),
                )
            for flip in batch.flips:
                if flip.entered:
                    ask("INSERT OR REPLACE INTO members VALUES (?, ?, ?)", (flip.segment, flip.contact, flip.at))
                else:
                    ask("DELETE FROM members WHERE segment = ? AND contact = ?", (flip.segment, flip.contact))
            many("INSERT INTO refused (line, reason, at) VALUES (?, ?, ?)", ((*each, now) for each in batch.refused))
            many("DELETE FROM seen WHERE source = ? AND place <= ?", batch.forgotten.items())
            many("INSERT INTO seen VALUES (?, ?, ?, ?)", ((s.source, s.place, s.taken, s.digest) for s in batch.seen))
            one = "SELECT min(rowid) FROM seen WHERE source = ? AND place = ? AND digest = ?"
            many(f"DELETE FROM seen WHERE rowid = ({one})", ((s.source, s.place, s.digest) for s in batch.consumed))
        self._revision += 1
        self.clock, self.positions, self.feed = batch.clock, positions, feed

    def _apply(self, effect: Effect, before: int) -> None:
        """What an effect does to stored lines of lesser numbers: those that came later are not its concern."""
        ask = self._connection.execute
        match effect:
            case Voided(contact, at, number, events):
                among = "FROM lines WHERE contact = ? AND (counts_at < ? OR counts_at = ? AND number <= ?)"
                if events:
                    ask(f"DELETE {among}", (contact, at, at, number))
                    return
                rows = ask(f"SELECT number, line {among}", (contact, at, at, number)).fetchall()
                void = [(each,) for each, line in rows if _news(line).isdisjoint(EVENTS)]
                self._connection.executemany("DELETE FROM lines WHERE number = ?", void)
            case Moved(name, contact, events=False):
                ask("UPDATE lines SET contact = ? WHERE contact = ? AND number < ?", (contact, name, before))
            case Moved(name, contact):
                rows = ask("SELECT number, line FROM lines WHERE contact = ? AND number < ?", (name, before)).fetchall()
                moved = [(contact, number) for number, line in rows if "event" in _news(line)]
                self._connection.executemany("UPDATE lines SET contact = ? WHERE number = ?", moved)
            case Refused(line):
                ask("DELETE FROM lines WHERE number = ?", (line.number,))

    def prune(self, before: int, told: int) -> int:
        """Remove changes of before an instant, up to a number, and lines refused before then; how many changes."""
        with self._reported(), self._transaction() as ask:
            ask("DELETE FROM refused WHERE at < ?", (before,))
            removed = ask("DELETE FROM changes WHERE at < ? AND number <= ?", (before, told)).rowcount
            ask("DELETE FROM dead WHERE number NOT IN (SELECT number FROM changes)")
            return removed

    def told(self, sink: str) -> tuple[int, int] | None:
        """The number of the last change that a sink was told, and the size that it had then; None for a new one."""
        with self._reported():
            ask = self._connection.execute("SELECT number, size FROM told WHERE sink = ?", (sink,))
            found: tuple[int, int] | None = ask.fetchone()
            return found

    def tell(self, sink: str, number: int, size: int = 0) -> None:
        """Remember that a sink was told all changes up to this one."""
        with self._reported():
            self._connection.execute("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", (sink, number, size))

    def bury(self, sink: str, number: int, reason: str) -> None:
        """Remember that a sink would not be told a change, and why: it is passed over."""
        with self._reported(), self._transaction() as ask:
            ask("INSERT OR REPLACE INTO dead VALUES (?, ?, ?)", (sink, number, reason))
            ask("INSERT OR REPLACE INTO told VALUES (?, ?, 0)", (sink, number))

    def changes(self, after: int) -> Iterator[tuple[int, Flip]]:
        """The changes with a greater number, in order."""
        with self._reported():
            for number, at, segment, contact, entered in self._connection.execute(
                "SELECT number, at, segment, contact, entered FROM changes WHERE number > ? ORDER BY number", (after,)
            ):
                yield number, Flip(at, segment, contact, bool(entered))

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        ask = self._connection.execute
        ask("BEGIN IMMEDIATE")
        try:
            yield ask
            ask("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                ask("ROLLBACK")
            raise

    def _reported(self) -> AbstractContextManager[None]:
        return reported(self.path)


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """A block in which what goes wrong with a state file, or beside it, is raised as `Errors` (SEG0728)."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise failure(f"the state file `{path}` cannot be used: {error}", _remedy(error)) from error


def _news(line: str) -> set[str]:
    """The fields of a line that say something."""
    return {field for field, value in json.loads(line).items() if value not in (None, False)}


def _remedy(error: Exception) -> str:
    text = str(error).lower()  # the system's own words for a file beside it begin with capitals
    if any(words in text for words in ("full", "disk i/o", "no space")):
        return "make room on the disk and start again: it goes on after the last batch that was saved"
    if "unable to open" in text or isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        return "name a file in a folder that exists and can be written to"
    if "not a database" in text or "malformed" in text:
        return "the file is damaged or is no state file: take it from a backup, or begin anew with another --state"
    if "locked" in text:
        return "another program holds it: end that first"
    if "readonly" in text or "read-only" in text:
        return "the file, or its folder, cannot be written to"
    return "see what the system says of the file, or begin anew with another --state"


def failure(message: str, help: str) -> Errors:
    """What is said of a state file that cannot be used."""
    return Errors([Diagnostic("SEG0728", message, help=help)])
