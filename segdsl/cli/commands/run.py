"""`segdsl run`: who is in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from segdsl.cli.common import common_options, instant, note


@click.command("run")
@click.argument("rule", nargs=-1, metavar="[RULE|PATHS...]")
@click.option("--now", metavar="T", help="The time to ask about: 2026-03-09 or 2026-03-09T08:00:00Z; else now.")
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
    from segdsl.cli.output import Member, write, write_counts
    from segdsl.cli.target import runnable
    from segdsl.core.time import isoformat
    from segdsl.engines import connect

    if form == "parquet" and not count and (output is None or str(output) == "-") and sys.stdout.isatty():
        raise click.UsageError("parquet is not for a terminal: add -o FILE")
    catalog, program, names = runnable(rule, segments)
    moment = instant(now, catalog)
    found: dict[str, list[Member]] = {name: [] for name in names}
    with connect(catalog) as engine:
        if backend == "sql":
            for segment, contact in engine.members(program, names, moment):
                found[segment].append(contact)
        else:
            from segdsl.backends.python import compile_program

            compiled = compile_program(program)
            predicates = [(found[name], compiled.predicate(name)) for name in names]
            for facts in engine.facts():
                for members, predicate in predicates:
                    if predicate(facts, moment):
                        members.append(facts.id)
    for members in found.values():
        members.sort(key=lambda contact: (isinstance(contact, str), contact))
    if count:
        write_counts({name: len(members) for name, members in found.items()}, output)
    else:
        write(found, form, output)
    total = sum(map(len, found.values()))
    segments_word = "1 segment" if len(names) == 1 else f"{len(names)} segments"
    members_word = "1 member" if total == 1 else f"{total} members"
    note(f"{segments_word}, {members_word}; --now {isoformat(moment)}")
