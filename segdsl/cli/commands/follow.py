"""`segdsl follow`: events in, who entered and who left out."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from segdsl.cli.common import Stop, common_options, instant, note, show
from segdsl.cli.lengths import Length
from segdsl.text.render import many

if TYPE_CHECKING:
    from segdsl.catalog.model import Catalog
    from segdsl.cli.following import Lines
    from segdsl.stream.follower import Follower
    from segdsl.stream.sinks import Sink
    from segdsl.stream.state import State
    from segdsl.stream.table_writers import Writer

SECRET = "SEGDSL_WEBHOOK_SECRET"
PASSED = 5  # properties that are named
BEGIN_ANEW = "follow as it was begun, or begin anew with another --state"


@click.command("follow")
@click.argument("file", required=False, metavar="[FILE|-]",
                type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))  # fmt: skip
@click.option("--state", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="Remembers everything between runs; made if there is none.")  # fmt: skip
@click.option("--live", is_flag=True, help="Go by this machine's clock, and wait for more when all is read.")
@click.option(
    "--until",
    metavar="T",
    help="At the end move the clock to this time: 2026-03-09 (its midnight in UTC) or 2026-03-09T08:00Z.",
)
@click.option("--database", is_flag=True,
              help="Take the news from the tables of the project's database, in place of lines.")  # fmt: skip
@click.option("--backfill", is_flag=True, help="Begin with the history in the project's database; lines follow it.")
@click.option("--announce", is_flag=True, help="Also tell who is in when the history was taken in.")
@click.option("--every", metavar="TIME", type=Length(), default="5s", show_default=True,
              help="With --database --live: how often the tables are asked for events.")  # fmt: skip
@click.option("--compare", metavar="TIME", type=Length(), default="1min", show_default=True,
              help="With --database --live: how often contacts, lists and histories are compared.")  # fmt: skip
@click.option("--late", metavar="TIME", type=Length(), default="10min", show_default=True,
              help="With --database or --backfill: how late rows may come to the tables.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Add the changes to a file instead of printing them: each once, whatever happens.")  # fmt: skip
@click.option("--webhook", "webhooks", metavar="URL", multiple=True, help="Also post each change to a URL; repeatable.")
@click.option("--table", metavar="NAME", help="Also insert the changes into a table: each once, whatever happens.")
@click.option("--table-in", metavar="URL", help="The database of --table; by default the project's.")
@click.option("--keep", metavar="TIME", type=Length(),
              help="Remove changes that were told, and refused lines, when they are so old: 90d.")  # fmt: skip
@click.option("--batch", metavar="N", type=click.IntRange(1), default=2000, show_default=True,
              help="Lines that are saved together, at most.")  # fmt: skip
@common_options
def command(
    file: Path | None, state: Path, live: bool, until: str | None, database: bool, backfill: bool, announce: bool,
    every: int, compare: int, late: int, output: Path | None, webhooks: tuple[str, ...],
    table: str | None, table_in: str | None, keep: int | None, batch: int,
) -> None:  # fmt: skip
    """Tell who enters and who leaves the project's segments, as lines of news come in and time passes.

    News are JSON lines (docs/follow.md): events, attributes, lists, deletions, and the time. The clock goes with the
    lines; with --live it is this machine's. Ends with the file, or on SIGTERM or Ctrl-C, and goes on there when it is
    started again. A line that cannot be read is told, kept in the state file and passed over (exit code 1).

    With --database the news are what is new in the tables that segdsl.yml maps. The first time, and with --backfill,
    the history in the database is taken in: who is in by then is remembered, and told only with --announce.

    Posts to webhooks are signed with the secret in the environment's SEGDSL_WEBHOOK_SECRET, if it is set.

    \b
    Examples:
      segdsl follow events.jsonl --state state.db
      segdsl follow events.jsonl --state state.db --until 2026-03-31 -o changes.jsonl
      segdsl follow events.jsonl --live --state state.db --webhook https://example.com/hook
      segdsl follow --database --live --every 10s --state state.db --table segment_changes --keep 90d
      tail -F events.jsonl | segdsl follow --live --backfill --state state.db
    """
    from segdsl.cli.following import Lines, Tables, finish, until_told
    from segdsl.cli.target import runnable
    from segdsl.core.time import now
    from segdsl.stream.follower import Follower
    from segdsl.stream.tailing import Tail

    _refuse_mixtures()
    catalog, program, _ = runnable((), ())
    end = None if until is None else instant(until, catalog, "--until")
    file = file or Path("-")
    output = None if str(output) == "-" else output  # standard output, as in every command
    _distinct(file, state, output)
    with closing(Follower(catalog, program, state)) as follower:
        assert follower.state is not None
        _tell_resumed(follower)
        source, position = ("", 0) if database else _source(file, follower, live)
        starts = _starts(follower.state, database, backfill)
        with _sinks(follower.state, output, webhooks, _table(catalog, table, table_in), keep, live) as sinks:
            lines = tail = None
            stopped = False
            if database or starts:
                tail = Tail(follower, late, batch, now, announce)
                if starts and follower.state.feed == "lines":
                    tail.begin(None if database else source, file.stat().st_size if source else 0)
                tables = Tables(catalog, follower, tail, sinks)
                with until_told(tables):
                    if tail.starting:
                        tables.start()
                    if database:
                        tables.follow(live, every, compare)
                        finish(sinks, tables)
                stopped = tables.stopped
            if not database and not stopped:
                lines = Lines(follower, sinks, source, live, batch)
                _follow_lines(lines, sinks, file, position, end)
        if lines is not None:
            lines.tell()
        taken = tail.taken if database and tail is not None else lines.lines if lines is not None else 0
        _tell_end(follower, sinks, taken)
    if lines is not None and lines.refused:
        click.get_current_context().exit(1)


def _refuse_mixtures() -> None:
    """Options that were written and say nothing beside each other, or nothing alone."""
    context = click.get_current_context()
    given = {name for name in context.params if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if given >= {"live", "until"}:
        raise click.UsageError("with --live the clock is this machine's: leave out --until")
    if "database" in given and given & {"file", "until", "backfill"}:
        raise click.UsageError("with --database the news are the tables': leave out FILE, --until and --backfill")
    if "announce" in given and not given & {"database", "backfill"}:
        raise click.UsageError("--announce is of a history: add --database or --backfill")
    if "late" in given and not given & {"database", "backfill"}:
        raise click.UsageError("--late is of tables: add --database or --backfill")
    for option in ("every", "compare"):
        if option in given and not given >= {"database", "live"}:
            raise click.UsageError(f"--{option} is of tables that are asked again and again: add --database --live")
    if "table_in" in given and "table" not in given:
        raise click.UsageError("--table-in is the database of a table: add --table NAME")


def _follow_lines(lines: Lines, sinks: Sequence[Sink], file: Path, position: int, end: int | None) -> None:
    """Take the lines of a file or of standard input, to their end or until that is stopped."""
    from segdsl.cli.following import IDLE, finish, until_told
    from segdsl.cli.lines_in import Reader
    from segdsl.core.time import now

    path = None if str(file) == "-" else file
    with _opened(file, position) as descriptor:
        lines.deliver()
        # A file may be written on; a pipe that has ended says no more.
        reader = Reader(descriptor, position, lines.live and stat.S_ISREG(os.fstat(descriptor).st_mode), path)
        with until_told(reader):
            for chunk in reader.chunks(IDLE):
                if chunk is not None:
                    lines.take(chunk)
                elif lines.live:
                    lines.advance(now())
            if end is not None and not reader.stopped:
                lines.advance(end)
            finish(sinks, reader)


def _tell_resumed(follower: Follower) -> None:
    """What has changed by the rules or by the catalog since the state was left."""
    resumed = len(follower.resumed)
    if follower.dropped:
        are = "is of an event" if follower.dropped == 1 else "are of events"
        note(f"warning: {many(follower.dropped, 'stored line')} {are} that segdsl.yml does not have any more")
    if resumed:
        note(f"rules or catalog have changed: {many(resumed, 'change')} of membership by that")


def _tell_end(follower: Follower, sinks: Sequence[Sink], taken: int) -> None:
    """How many lines were taken and what became of them: which changes, which wait, what was passed over."""
    from segdsl.core.time import isoformat

    reached = "nothing yet" if follower.clock is None else f"up to {isoformat(follower.clock)}"
    note(f"{many(taken, 'line')}, {many(sinks[0].told, 'change')}, {reached}")
    if follower.waiting:
        are, wait = ("is", "waits") if follower.waiting == 1 else ("are", "wait")
        note(f"{many(follower.waiting, 'line')} {are} of a time that is still to come, and {wait} for it")
    if follower.passed:
        most = ", ".join(f"`{name}` ({times})" for name, times in follower.passed.most_common(PASSED))
        more = f" and {len(follower.passed) - PASSED} more" if len(follower.passed) > PASSED else ""
        note(f"passed over, since segdsl.yml does not declare them: {most}{more}")
    for sink in sinks[1:]:
        given_up = f", {sink.dead} given up: the state file's table `dead` tells why" if sink.dead else ""
        note(f"{many(sink.told, 'change')} {sink.verb}{given_up}")


def _starts(state: State, database: bool, backfill: bool) -> bool:
    """Whether the database's history is to be taken in. Ends the command if the state is of other news."""
    from segdsl.stream.overlap import HISTORY
    from segdsl.text.diagnostic import Diagnostic, Errors

    wanted = {"lines": not database, "history": backfill, "starting": database, "tables": database}
    fresh = state.feed == "lines" and state.clock is None
    if not fresh and not wanted[state.feed]:
        said = {"lines": "lines", "history": "a history that lines follow (--backfill)"}
        is_of = said.get(state.feed, "the database's tables (--database)")
        raise Errors([Diagnostic("SEG0757", f"the state file `{state.path}` is of {is_of}", help=BEGIN_ANEW)])
    if backfill and state.feed == "lines" and not fresh and HISTORY not in state.positions:
        message = f"the state file `{state.path}` has lines already, and no history can come before them"
        raise Errors([Diagnostic("SEG0757", message, help=BEGIN_ANEW)])
    return state.feed in ("history", "starting") or (fresh and (database or backfill))


@contextmanager
def _sinks(
    state: State, output: Path | None, webhooks: Sequence[str], table: tuple[Writer, str, str] | None,
    keep: int | None, live: bool,
) -> Iterator[list[Sink]]:  # fmt: skip
    """Where changes go: a file or standard output first."""
    from segdsl.stream.sinks import Appended, Printed, Pruned
    from segdsl.stream.table_sink import Inserted
    from segdsl.stream.webhook import Webhook

    with ExitStack() as open_:
        sinks: list[Sink] = [Printed(state) if output is None else Appended(state, output)]
        open_.callback(sinks[0].close)
        for url in dict.fromkeys(webhooks):
            if not re.match(r"https?://[^/?#]", url, re.IGNORECASE):
                raise Stop(f"no URL of a webhook: {url}", "it begins with https:// or http:// and a host")
            sinks.append(Webhook(state.path, url, os.environ.get(SECRET) or None))
            open_.callback(sinks[-1].close)
        if table is not None:
            sinks.append(Inserted(state, *table, away=(lambda errors: show(errors.diagnostics)) if live else None))
        if keep is not None:
            sinks.append(Pruned(state, keep, sinks[:]))
        yield sinks


def _table(catalog: Catalog, table: str | None, url: str | None) -> tuple[Writer, str, str] | None:
    """What writes changes into a table, the table's name, and where it is."""
    from segdsl.catalog.load import database
    from segdsl.stream.table_writers import writer

    if table is None:
        return None
    if url is not None:
        catalog = replace(catalog, database=database(url, Path.cwd()))
    return writer(catalog), table, catalog.database or ""


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


def _source(file: Path, follower: Follower, live: bool) -> tuple[str, int]:
    """The name under which the state knows a file, and how far it was read. What is no regular file has none."""
    from segdsl.cli.following import HEAD, begins_as

    assert follower.state is not None
    if str(file) == "-" or not file.is_file():
        return "", 0
    source = str(file.resolve())
    position = follower.state.positions.get(source, 0)
    head = follower.state.positions.get(HEAD + source)
    shorter = file.stat().st_size < position
    if not shorter and (head is None or begins_as(file, head)):
        return source, position
    what = "begins otherwise than what was read"
    if shorter:
        what = f"is shorter than what was read of it: {position} bytes"
    if live:
        note(f"{file} {what}: it is read from its start")
        return source, 0
    raise Stop(f"{file} {what}", "give new lines a new file's name, or begin anew with another --state")


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
