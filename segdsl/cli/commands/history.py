"""`segdsl history`: who was in from when until when."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from segdsl.cli.common import common_options, instant, note
from segdsl.text.render import many

NAMED = 5  # segments that a note names


@click.command("history")
@click.argument("rule", nargs=-1, metavar="[RULE|PATHS...]")
@click.option("--from", "since", metavar="T", required=True,
              help="The first instant: 2026-03-01 (its midnight in UTC) or 2026-03-01T08:00:00Z.")  # fmt: skip
@click.option("--to", "until", metavar="T", help="The last instant; else now.")
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Only this segment; may be repeated.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl", "parquet"]),
              help="Print a row for each stay; on a terminal the default is a chart.")  # fmt: skip
@click.option("--chart", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Draw the segments' sizes over time: FILE.svg or FILE.png.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the rows to a file.")
@common_options
def command(
    rule: tuple[str, ...],
    since: str,
    until: str | None,
    segments: tuple[str, ...],
    form: str | None,
    chart: Path | None,
    output: Path | None,
) -> None:
    """Tell from when until when contacts were in a rule, in the segments of PATHS, or in those of the project.

    Exact to the microsecond, out of the stored events. Rows have segment, contact, entered and left, in this order.
    Both ends of the range count: `entered` is --from for who was in by then, `left` is empty for who is still in at
    --to. What has no time in the database, such as a plain attribute or a static list, counts as having always been so.

    \b
    Examples:
      segdsl history --from 2026-01-01 --to 2026-03-31
      segdsl history --segment engaged_leads --from 2026-01-01 --format csv -o stays.csv
      segdsl history 'visited "/pricing" >= 3 in 30d' --from 2026-01-01 --format jsonl
      segdsl history --from 2026-01-01 --to 2026-03-31 --chart growth.png
    """
    from segdsl.cli.drawing import drawing
    from segdsl.cli.growth import show
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.progress import Progress
    from segdsl.cli.stays import Stays, write
    from segdsl.cli.target import runnable
    from segdsl.core.time import isoformat
    from segdsl.engines import connect
    from segdsl.history.history import History
    from segdsl.history.tally import Tally

    printed = output is None or str(output) == "-"
    terminal = printed and sys.stdout.isatty()
    if form == "parquet" and terminal:
        raise click.UsageError("parquet is not for a terminal: add -o FILE")
    draw = None if chart is None else drawing(chart)
    catalog, program, names = runnable(rule, segments)
    first, last = instant(since, catalog, "--from"), instant(until, catalog, "--to")
    titles = {name: program.segments[name].title for name in names}
    shown = form is None and terminal and chart is None
    silent = shown or (chart is not None and form is None and output is None)  # numbers are wanted, and no rows
    with connect(catalog) as engine, interruptible(engine):
        history = History(engine, program, names, first, last)
        tally = Tally(names, first, last)
        with Progress("asking the database", terminal and not silent) as progress, closing(history.stays()) as stays:
            rows = tally.over(progress.over(stays, "stays"))
            if silent:
                for _ in rows:
                    pass
            else:
                write(Stays(rows, names, engine.reading().whole_keys), form or "table", output)
    if draw is not None:
        draw(tally, titles, catalog.timezone)
    if shown:
        show(tally, titles, catalog.timezone)
    if history.replayed:
        some = ", ".join(history.replayed[:NAMED])
        more = len(history.replayed) - NAMED
        note(f"contact by contact, as SQL has no form for their tests: {some}{f' and {more} more' if more > 0 else ''}")
    told = f"{many(len(names), 'segment')}, {many(progress.done, 'stay')}"
    note(f"{told}; --from {isoformat(first)} --to {isoformat(last)}")
