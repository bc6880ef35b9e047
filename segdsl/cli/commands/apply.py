"""`segdsl apply`: stores who is in each segment, and logs who entered and who left."""

from __future__ import annotations

import click

from segdsl.cli.common import common_options, instant, note, now_option


@click.command("apply")
@now_option
@click.option("--full", is_flag=True, help="Evaluate everyone, and correct whatever earlier refreshes have missed.")
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human",
              help="What has changed, for people; or all segments as one JSON object.")  # fmt: skip
@common_options
def command(now: str | None, full: bool, form: str) -> None:
    """Store who is in each segment, and log who entered and who left since the last time.

    The tables segdsl_members and segdsl_changes lie beside the data. After the first time only contacts with news, and
    those whose next change has come due, are evaluated. Run again at the same time it changes nothing.

    \b
    Examples:
      segdsl apply
      segdsl apply --now 2026-03-09T08:00:00Z
      segdsl apply --full
    """
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.progress import Progress
    from segdsl.cli.refreshing import require_some, summary, what_is_left, write
    from segdsl.engines import connect
    from segdsl.warehouse.refresh import apply

    catalog, program = what_is_left()
    moment = instant(now, catalog)
    with connect(catalog, writing=True) as engine, interruptible(engine), Progress("storing membership", False):
        require_some(engine, program)
        done = apply(engine, program, moment, full)
    write(done, form)
    note(summary(done, moment))
