"""`segdsl snapshot`: a static list of who is in a segment at one time."""

from __future__ import annotations

import click

from segdsl.cli.common import Stop, common_options, instant, note, now_option


@click.command("snapshot")
@click.argument("segment")
@click.option("--as", "name", metavar="NAME", required=True, help='The list\'s name, for `in list "NAME"`.')
@now_option
@common_options
def command(segment: str, name: str, now: str | None) -> None:
    """Keep the members of SEGMENT, as they are at one time, on a static list.

    Whoever was on the list before is replaced. The list is in the table that `lists` in segdsl.yml names; without one,
    in a table of segdsl's own, and the line for segdsl.yml is printed.

    \b
    Examples:
      segdsl snapshot engaged_leads --as "spring campaign"
      segdsl snapshot hot --as "hot in March" --now 2026-03-31
    """
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.progress import Progress
    from segdsl.cli.refreshing import everything, named
    from segdsl.core.time import isoformat
    from segdsl.engines import connect
    from segdsl.text.render import many, printable
    from segdsl.warehouse.lists import snapshot

    if not name.strip() or name != name.encode(errors="ignore").decode():  # half a character is in no database
        raise Stop("a list needs a name, in UTF-8", 'write --as "spring campaign"')
    catalog, program = everything()
    wanted = named(program, segment)
    moment = instant(now, catalog)
    with connect(catalog, writing=True) as engine, interruptible(engine), Progress("storing the list", False):
        made = snapshot(engine, program, wanted, name, moment)
    if made.declaration:
        click.echo(made.declaration)
        note("write this line into segdsl.yml, so that rules find the list")
    note(f'{many(made.size, "contact")} of {wanted} on the list "{printable(name)}"; --now {isoformat(moment)}')
