"""`segdsl plan`: what a refresh of the stored membership would change."""

from __future__ import annotations

import click

from segdsl.cli.common import common_options, instant, note, now_option


@click.command("plan")
@now_option
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Show only this segment; may be repeated.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 1 if anything would change, with 0 if nothing.")
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human",
              help="What differs, for people; or all segments as one JSON object.")  # fmt: skip
@common_options
def command(now: str | None, segments: tuple[str, ...], detailed_exitcode: bool, form: str) -> None:
    """Show who would enter and leave each segment if `segdsl apply` stored the membership now.

    Nothing is written. Segments whose definition changed, new ones and removed ones are told as such. The summary on
    standard error tells the time that was asked about, and how many contacts had to be looked at.

    \b
    Examples:
      segdsl plan
      segdsl plan --segment engaged_leads --now 2026-03-09
      segdsl plan --detailed-exitcode --format json
    """
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.progress import Progress
    from segdsl.cli.refreshing import chosen, require_some, summary, what_is_left, write
    from segdsl.engines import connect, require_stores
    from segdsl.warehouse.refresh import plan

    catalog, program = what_is_left()
    require_stores(catalog)
    moment = instant(now, catalog)
    with connect(catalog) as engine, interruptible(engine), Progress("asking the database", False):
        require_some(engine, program)
        found = plan(engine, program, moment)
    shown = chosen(found, segments)
    write(shown, form)
    note(summary(shown, moment))
    if detailed_exitcode and shown.differs:
        click.get_current_context().exit(1)
