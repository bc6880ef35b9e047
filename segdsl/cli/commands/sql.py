"""`segdsl sql`: the query that a rule or segments compile to."""

from __future__ import annotations

import click

from segdsl.cli.common import common_options, instant, now_option


@click.command("sql")
@click.argument("rule", nargs=-1, metavar="[RULE|PATHS...]")
@click.option("--dialect", metavar="D", help="duckdb, postgres, ...; by default the project's database's.")
@now_option
@click.option("--live", is_flag=True, help="Ask the database's clock on every run: for views.")
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Only this segment; may be repeated.")
@common_options
def command(rule: tuple[str, ...], dialect: str | None, now: str | None, live: bool, segments: tuple[str, ...]) -> None:
    """Print the SQL of a rule in quotes, of the segments in PATHS, or of the whole project.

    \b
    Examples:
      segdsl sql 'visited "/pricing" >= 3 in 30d' --dialect postgres
      segdsl sql --segment engaged_leads --now 2026-03-09
      segdsl sql segments/leads.seg
    """
    from segdsl.backends.sql import compile_segments
    from segdsl.cli.target import runnable
    from segdsl.engines import FOLDER, kind_of

    if now is not None and live:
        raise click.UsageError("give --now or --live, not both")
    catalog, program, names = runnable(rule, segments)
    moment = None if live else instant(now, catalog)
    if dialect is None:
        dialect = (kind_of(catalog.database or "") or FOLDER).dialect
    click.echo(compile_segments(program, catalog, names, moment, None, dialect))
