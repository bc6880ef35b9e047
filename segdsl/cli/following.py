"""What `segdsl follow` does with the lines of a file or a pipe, and with the tables of the project's database."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from segdsl.cli.common import note, show
from segdsl.core.time import now
from segdsl.text.render import many

if TYPE_CHECKING:
    from segdsl.catalog.model import Catalog
    from segdsl.cli.lines_in import Chunk
    from segdsl.engines.engine import Engine
    from segdsl.stream.follower import Follower
    from segdsl.stream.sinks import Sink
    from segdsl.stream.state import Seen
    from segdsl.stream.tailing import Tail

LONG = 200  # characters of a line that are shown
NAMED = 3  # refused lines that are told one by one
HEAD = "head of "  # under which the state knows how a file begins
LOOKED_AT = 256  # bytes
IDLE = 0.5  # seconds after which the clock is looked at, with nothing coming
PATIENCE = 10  # times, a second apart, that a database which is being written to is tried


def head_of(data: bytes) -> int:
    """What a file is known by when it is opened again: how it begins, with how many bytes of that were looked at."""
    data = data[:LOOKED_AT]
    return len(data) << 32 | crc32(data)


def begins_as(file: Path, head: int) -> bool:
    """Whether a file begins as one did that was read."""
    with file.open("rb") as opened:
        return head_of(opened.read(head >> 32)) == head


class Stoppable(Protocol):
    """What may be told to stop. stopped: whether it was."""

    @property
    def stopped(self) -> bool: ...

    def stop(self) -> None:
        """Take no more."""


@contextmanager
def until_told(what: Stoppable) -> Iterator[None]:
    """A block in which SIGTERM and Ctrl-C end the reading: what was taken is saved and told."""
    before = {number: signal.signal(number, lambda *_: what.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finish(sinks: Sequence[Sink], what: Stoppable) -> None:
    """Wait until all sinks are told everything, or it is stopped."""
    for sink in sinks:
        while not what.stopped and not sink.finish(IDLE):
            pass


class Lines:
    """Takes chunks of lines in batches, each of which is saved and then told."""

    def __init__(self, follower: Follower, sinks: Sequence[Sink], source: str, live: bool, size: int) -> None:
        from segdsl.stream.overlap import HISTORY, Overlap

        assert follower.state is not None
        self.lines = self.refused = self.known = 0
        self.live = live
        self._follower, self._sinks, self._source, self._size = follower, sinks, source, size
        self._history = Overlap(each for each in follower.state.seen() if each.source == HISTORY)
        self._since = follower.state.positions.get(HISTORY)
        self._before = follower.state.positions.get(f"{HISTORY} {source}", 0)

    def deliver(self) -> None:
        """Tell what was saved."""
        for sink in self._sinks:
            sink.deliver()

    def advance(self, to: int) -> None:
        """Nothing came, and time has passed; `to` is in microseconds since 1970 (UTC)."""
        self._note(self._follower.take([(to, "")]).refused)
        self.deliver()

    def take(self, chunk: Chunk) -> None:
        """Take what has come."""
        begin = chunk.begin
        if chunk.fresh:
            note("another file, or a shorter one, is in the place of the one that was read: it is read from its start")
            self._before = 0
        for start in range(0, len(chunk.lines), self._size):
            lines = chunk.lines[start : start + self._size]
            end = begin + sum(map(len, lines)) + (len(lines) if chunk.whole else 0)
            # What a pipe does not end never ends, either.
            self._take(lines, begin, end, chunk.whole, chunk.whole or chunk.cut or not self._source)
            begin = end

    def _take(self, lines: list[bytes], begin: int, end: int, whole: bool, final: bool) -> None:
        """Take lines, which are at these bytes; whole: with newlines; final: no more will come of the last one."""
        from segdsl.stream.reading import parse
        from segdsl.stream.state import Batch

        news: list[tuple[Mapping[str, object] | int, str]] = []
        refused: list[tuple[str, str]] = []
        consumed: list[Seen] = []
        limit = now()
        place = begin
        for line in lines:
            place, at = place + len(line) + 1, place
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig")  # a file may begin with a byte order mark
                fields = parse(text)
                if not final:
                    self._follower.read(fields)
                if not self._is_known(fields, at, consumed):
                    news.append((fields, text))
            except ValueError as error:
                if not final:
                    note("warning: the last line has not ended: it is left for the next time")
                    news, end = [], begin
                    break
                reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
                reason += "" if whole else ", and the input ends in the midst of it"
                refused.append((line.decode("utf-8", "backslashreplace"), reason))
        self.lines += len(news) + len(refused)
        if self.live:
            news.append((limit, ""))
        positions = {self._source: end} if self._source else {}
        if self._source and begin == 0 and end:
            positions[HEAD + self._source] = head_of(b"\n".join([*lines, *([b""] if whole else [])]))
        batch = Batch(positions=positions, refused=refused, consumed=consumed)
        told = self._follower.take(news, batch, limit, self.live)
        self.deliver()
        self._note(told.refused)

    def _note(self, refused: Sequence[tuple[str, str]]) -> None:
        """Say which lines were refused: when they came, or when their time did."""
        from segdsl.text.render import printable

        for text, reason in refused:
            self.refused += 1
            if self.refused <= NAMED:
                note(f"warning: a line cannot be read: {printable(reason[:LONG])}\n  | {printable(text[:LONG])}")

    def _is_known(self, fields: Mapping[str, object], place: int, consumed: list[Seen]) -> bool:
        """Whether a line tells what the database's history has told already."""
        from segdsl.stream.overlap import digest_of

        if self._since is None:
            return False
        try:
            line = self._follower.read(fields)
        except ValueError:
            return False
        if isinstance(line, int):
            return False
        old = place < self._before and (fields.get("at") is None or line.at <= self._since)
        seen = None if old else self._history.consume(digest_of(line, self._follower.catalog))
        if seen is not None:
            consumed.append(seen)
        self.known += old or seen is not None
        return old or seen is not None

    def tell(self) -> None:
        """What has to be said of the lines when all are taken."""
        if self.refused > NAMED:
            note(f"warning: {self.refused} lines cannot be read; the state file has them in the table `refused`")
        if self.known:
            tell = "line tells" if self.known == 1 else "lines tell"
            note(f"{self.known} {tell} what the database's history has told already")


class Tables:
    """Takes the news of the database's tables: its history, and then again and again what is new."""

    def __init__(self, catalog: Catalog, follower: Follower, tail: Tail, sinks: Sequence[Sink]) -> None:
        self._catalog, self._follower, self._tail, self._sinks = catalog, follower, tail, sinks
        self._stop = threading.Event()
        self._said = ""

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Take no more after the batch at hand."""
        self._stop.set()

    def start(self) -> None:
        """Take in the history, unless that was done; says how far it is. Ends early if it is stopped."""
        from segdsl.cli.progress import Progress

        with Progress("reading the database") as progress, self._patiently() as engine:
            for _ in progress.over(self._each(self._tail.events(engine)), "events"):
                pass
            for _ in progress.over(self._each(self._tail.contacts(engine)), "lines about contacts"):
                pass
        if self.stopped:
            return
        self._follower.take([(now(), "")])
        self._tail.finish()
        members = sum(1 for _ in self._follower.members())
        note(f"the history is taken in: {many(self._tail.taken, 'line')}, {many(members, 'member')} at the start")
        self._deliver()

    def follow(self, live: bool, every: int, compare: int) -> None:
        """Take what is new, once or until it is stopped.

        every, compare: how often, in microseconds, events are asked for, and all else is compared. Raises `Errors`;
        where it worked before, what is wrong with the database is told, and it is tried again.
        """
        from segdsl.text.diagnostic import Errors

        compared: int | None = None
        while not self.stopped:
            due = compared is None or now() - compared >= compare
            try:
                with self._patiently() as engine:
                    self._poll(engine, due)
                self._deliver()  # now that the database is closed, which a sink may want to write to
                compared = now() if due else compared
                self._said = ""
            except Errors as errors:
                first = compared is None and not self._said
                if not live or first or any(each.code == "SEG0728" for each in errors.diagnostics):
                    raise
                self._wait_for(errors)
            if not live:
                return
            self._stop.wait(every / 10**6)

    def _poll(self, engine: Engine, due: bool) -> None:
        for _ in self._tail.events(engine):
            if self.stopped:
                return
        for _ in self._tail.contacts(engine) if due else ():
            if self.stopped:
                return
        self._follower.take([(now(), "")], None, now())

    @contextmanager
    def _patiently(self) -> Iterator[Engine]:
        """The database, opened for this reading: one that is a file is left to others between readings."""
        from segdsl.engines import connect
        from segdsl.text.diagnostic import Errors

        for attempt in range(PATIENCE):
            try:
                engine = connect(self._catalog)
                break
            except Errors as errors:
                busy = any(each.code == "SEG0755" for each in errors.diagnostics)
                if not busy or attempt == PATIENCE - 1 or self._stop.wait(1):
                    raise
        with engine:
            yield engine

    def _deliver(self) -> None:
        for sink in self._sinks:
            sink.deliver()

    def _each(self, batches: Iterator[int]) -> Iterator[int]:
        for lines in batches:
            yield from range(lines)
            if self.stopped:
                return

    def _wait_for(self, errors: Exception) -> None:
        """Say once what is in the way, and go on trying."""
        from segdsl.text.diagnostic import Errors

        assert isinstance(errors, Errors)
        said = "\n".join(each.message for each in errors.diagnostics)
        if said != self._said:
            self._said = said
            show(errors.diagnostics)
            note("the tables are read again as soon as that is possible")
