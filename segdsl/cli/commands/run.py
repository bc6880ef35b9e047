"""`segdsl run`: who is in."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segdsl.cli.common import common_options, instant, note, now_option
from segdsl.text.render import many

if TYPE_CHECKING:
    from segdsl.cli.progress import Progress
    from segdsl.core.program import Program
    from segdsl.engines.engine import Engine


@click.command("run")
@click.argument("rule", nargs=-1, metavar="[RULE|PATHS...]")
@now_option
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Only this segment; may be repeated.")
@click.option("--backend", type=click.Choice(["sql", "python"]), default="sql", help="Where rules are evaluated.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl", "parquet"]), default="table")
@click.option("--count", is_flag=True, help="Print each segment's size instead of its members.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file.")
@common_options
def command(
    rule: tuple[str, ...],
    now: str | None,
    segments: tuple[str, ...],
    backend: str,
    form: str,
    count: bool,
    output: Path | None,
) -> None:
    """Print the members of a rule in quotes, of the segments in PATHS, or of the whole project.

    Sorted by segment, then contact. The summary on standard error tells the time that was asked about.

    \b
    Examples:
      segdsl run 'country = "DE" and visited "/pricing" >= 3 in 30d'
      segdsl run --segment engaged_leads --now 2026-03-09
      segdsl run segments/leads.seg --count
      segdsl run --format parquet -o members.parquet
    """
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.output import Members, write, write_counts
    from segdsl.cli.progress import Progress
    from segdsl.cli.target import runnable
    from segdsl.core.time import isoformat
    from segdsl.engines import connect

    to_terminal = (output is None or str(output) == "-") and sys.stdout.isatty()
    if form == "parquet" and not count and to_terminal:
        raise click.UsageError("parquet is not for a terminal: add -o FILE")
    catalog, program, names = runnable(rule, segments)
    moment = instant(now, catalog)
    with connect(catalog) as engine, interruptible(engine), Progress("asking the database", to_terminal) as progress:
        if count:
            if backend == "sql":
                sizes = engine.sizes(program, names, moment)
            else:
                sizes = dict.fromkeys(names, 0)
                for segment, _ in _by_contact(engine, program, names, moment, progress):
                    sizes[segment] += 1
            total = sum(sizes.values())
        else:
            find = engine.members if backend == "sql" else partial(_by_segment, engine, progress=progress)
            with closing(find(program, names, moment)) as pairs:
                write(Members(progress.over(pairs, "members"), names, engine.reading().whole_keys), form, output)
            total = progress.done
    if count:
        write_counts(sizes, output)
    note(f"{many(len(names), 'segment')}, {many(total, 'member')}; --now {isoformat(moment)}")


def _by_segment(
    engine: Engine, program: Program, names: Sequence[str], now: int, progress: Progress
) -> Generator[tuple[str, str | int], None, None]:
    """What `Engine.members` gives, by predicates in Python."""
    from segdsl.history.spill import Spill

    with Spill[str | int](names) as spill:
        for segment, contact in _by_contact(engine, program, names, now, progress):
            spill.add(segment, contact)
        yield from spill


def _by_contact(
    engine: Engine, program: Program, names: Sequence[str], now: int, progress: Progress
) -> Generator[tuple[str, str | int], None, None]:
    """The same contact by contact, in the order in which the database gives them."""
    from segdsl.backends.python import compile_program

    engine.ready(program, names, now)
    compiled = compile_program(program)
    predicates = [(name, compiled.predicate(name)) for name in names]
    for facts in progress.over(engine.facts(), "contacts"):
        for name, predicate in predicates:
            if predicate(facts, now):
                yield name, facts.id
