"""`segdsl follow`: events in, who entered and who left out."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time as clock
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segdsl.cli.common import Stop, common_options, instant, note

if TYPE_CHECKING:
    from segdsl.cli.lines_in import Chunk, Reader
    from segdsl.stream.sinks import Sink
    from segdsl.stream.state import State
    from segdsl.stream.stream import Stream

SECRET = "SEGDSL_WEBHOOK_SECRET"
IDLE = 0.5  # seconds after which the clock is looked at, with nothing coming
LONG = 200  # characters of a line that are shown
NAMED = 3  # refused lines that are told one by one


@click.command("follow")
@click.argument("file", default="-", metavar="[FILE|-]",
                type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))  # fmt: skip
@click.option("--state", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="Remembers everything between runs; made if there is none.")  # fmt: skip
@click.option("--live", is_flag=True, help="Go by this machine's clock, and wait for more where a file has ended.")
@click.option("--until", metavar="T", help="At the end move the clock to this time: 2026-03-09 or 2026-03-09T08:00Z.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Add the changes to a file instead of printing them: each once, whatever happens.")  # fmt: skip
@click.option("--webhook", "webhooks", metavar="URL", multiple=True, help="Also post each change to a URL; repeatable.")
@click.option("--batch", metavar="N", type=click.IntRange(1), default=2000, show_default=True,
              help="Lines that are saved together, at most.")  # fmt: skip
@common_options
def command(
    file: Path, state: Path, live: bool, until: str | None, output: Path | None, webhooks: tuple[str, ...], batch: int
) -> None:  # fmt: skip
    """Tell who enters and who leaves the project's segments, as lines of news come in and time passes.

    News are JSON lines (docs/follow.md): events, attributes, lists, deletions, and the time. The clock goes with the
    lines; with --live it is this machine's. Ends with the file, or on SIGTERM or Ctrl-C, and goes on there when it is
    started again. A line that cannot be read is told, kept in the state file and passed over (exit code 1).

    Posts to webhooks are signed with the secret in the environment's SEGDSL_WEBHOOK_SECRET, if it is set.

    \b
    Examples:
      segdsl follow events.jsonl --state state.db
      segdsl follow events.jsonl --state state.db --until 2026-03-31 -o changes.jsonl
      segdsl follow events.jsonl --live --state state.db --webhook https://example.com/hook
      tail -F events.jsonl | segdsl follow --live --state state.db
    """
    from segdsl.cli.lines_in import Reader
    from segdsl.cli.target import runnable
    from segdsl.core.time import isoformat
    from segdsl.stream.stream import Stream

    if live and until is not None:
        raise click.UsageError("with --live the clock is this machine's: leave out --until")
    catalog, program, _ = runnable((), ())
    end = None if until is None else instant(until, catalog, "--until")
    _distinct(file, state, output)
    with closing(Stream(catalog, program, state)) as stream:
        assert stream.state is not None
        resumed = len(stream.resumed)
        if stream.dropped:
            note(f"warning: {stream.dropped} stored lines are of events that segdsl.yml does not have any more")
        if resumed:
            note(f"rules or catalog have changed: {resumed} change{'s' if resumed > 1 else ''} of membership by that")
        source, position = _source(file, stream)
        with _sinks(stream.state, output, webhooks) as sinks, _opened(file, position) as descriptor:
            follower = _Follower(stream, sinks, source, live, batch)
            follower.deliver()
            # A file may be written on; a pipe that has ended says no more.
            reader = Reader(descriptor, position, live and stat.S_ISREG(os.fstat(descriptor).st_mode))
            with _until_told(reader):
                for chunk in reader.chunks(IDLE):
                    if chunk is not None:
                        follower.take(chunk)
                    elif live:
                        follower.tick()
                if end is not None and not reader.stopped:
                    stream.take([(end, "")])
                    follower.deliver()
                for sink in sinks:
                    while not reader.stopped and not sink.finish(IDLE):
                        pass
        follower.tell_refused()
        reached = "nothing yet" if stream.clock is None else f"up to {isoformat(stream.clock)}"
        note(f"{follower.lines} lines, {sinks[0].told} changes, {reached}")
        if stream.waiting:
            note(f"{stream.waiting} lines are of a time that is still to come, and wait for it")
        for sink in sinks[1:]:
            given_up = f", {sink.dead} given up: the state file's table `dead` tells why" if sink.dead else ""
            note(f"{sink.told} changes posted{given_up}")
    if follower.refused:
        click.get_current_context().exit(1)


class _Follower:
    """Takes chunks of lines in batches, each of which is saved and then told."""

    def __init__(self, stream: Stream, sinks: Sequence[Sink], source: str, live: bool, batch: int) -> None:
        self.lines = 0
        self.refused = 0
        self._stream, self._sinks, self._source, self._live, self._batch = stream, sinks, source, live, batch

    def deliver(self) -> None:
        for sink in self._sinks:
            sink.deliver()

    def tick(self) -> None:
        """Nothing came, and time has passed."""
        self._stream.take([(_now(), "")])
        self.deliver()

    def take(self, chunk: Chunk) -> None:
        begin = chunk.begin
        for start in range(0, len(chunk.lines), self._batch):
            lines = chunk.lines[start : start + self._batch]
            end = begin + sum(map(len, lines)) + (len(lines) if chunk.whole else 0)
            self._take(lines, begin, end, chunk.whole)
            begin = end

    def _take(self, lines: list[bytes], begin: int, end: int, whole: bool) -> None:
        from segdsl.stream.reading import parse
        from segdsl.text.render import printable

        news: list[tuple[Mapping[str, object] | int, str]] = []
        refused: list[tuple[str, str]] = []
        limit = _now()
        for line in lines:
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig")  # a file may begin with a byte order mark
                fields = parse(text)
                if not whole:
                    self._stream.read(fields)
                news.append((fields, text))
            except ValueError as error:
                if not whole:
                    note("warning: the last line has not ended: it is left for the next time")
                    news, end = [], begin
                    break
                reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
                refused.append((line.decode("utf-8", "backslashreplace"), reason))
        self.lines += len(news) + len(refused)
        if self._live:
            news.append((limit, ""))
        positions = {self._source: end} if self._source else {}
        _, refused = self._stream.take(news, positions, refused, limit, self._live)
        self.deliver()
        for text, reason in refused:
            self.refused += 1
            if self.refused <= NAMED:
                note(f"warning: a line cannot be read: {printable(reason[:LONG])}\n  | {printable(text[:LONG])}")

    def tell_refused(self) -> None:
        if self.refused > NAMED:
            note(f"warning: {self.refused} lines cannot be read; the state file has them in the table `refused`")


def _now() -> int:
    return clock.time_ns() // 1000


@contextmanager
def _sinks(state: State, output: Path | None, webhooks: Sequence[str]) -> Iterator[list[Sink]]:
    """Where changes go: a file or standard output first."""
    from segdsl.stream.sinks import Appended, Printed
    from segdsl.stream.webhook import Webhook

    with ExitStack() as open_:
        sinks: list[Sink] = [Printed(state) if output is None else Appended(state, output)]
        open_.callback(sinks[0].close)
        for url in dict.fromkeys(webhooks):
            if not url.lower().startswith(("http://", "https://")):
                raise Stop(f"no URL of a webhook: {url}", "it begins with https:// or http://")
            sinks.append(Webhook(state.path, url, os.environ.get(SECRET) or None))
            open_.callback(sinks[-1].close)
        yield sinks


def _distinct(file: Path, state: Path, output: Path | None) -> None:
    """Ends the command if two of its files are one."""
    named = {"the lines": file, "--state": state, "--output": output}
    seen: dict[Path, str] = {}
    for what, path in named.items():
        if path is None or str(path) == "-":
            continue
        other = seen.setdefault(path.resolve(), what)
        if other != what:
            raise Stop(f"{path} cannot be {other} and {what} at once", "name a file of its own for each")


def _source(file: Path, stream: Stream) -> tuple[str, int]:
    """The name under which the state knows a file, and how far it was read. What is no regular file has none."""
    assert stream.state is not None
    if str(file) == "-" or not file.is_file():
        return "", 0
    source = str(file.resolve())
    position = stream.state.positions.get(source, 0)
    if file.stat().st_size < position:
        raise Stop(
            f"{file} is shorter than what was read of it: {position} bytes",
            "give new lines a new file's name, or begin anew with another --state",
        )
    return source, position


@contextmanager
def _opened(file: Path, position: int) -> Iterator[int]:
    """The descriptor of a file, or of standard input, at a position."""
    if str(file) == "-":
        yield sys.stdin.fileno()
        return
    with file.open("rb", buffering=0) as opened:
        if position:
            os.lseek(opened.fileno(), position, os.SEEK_SET)
        yield opened.fileno()


@contextmanager
def _until_told(reader: Reader) -> Iterator[None]:
    """A block in which SIGTERM and Ctrl-C end the reading: what was taken is saved and told."""
    before = {number: signal.signal(number, lambda *_: reader.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
