"""`segdsl explain`: why a contact is in, why not, and when that changes by itself."""

from __future__ import annotations

import json
import sys

import click

from segdsl.cli.common import colored, common_options, instant, note, now_option
from segdsl.text.render import many

COLORS = {"yes": "32", "no": "31", "head": "1", "time": "36"}


@click.command("explain")
@click.argument("contact", metavar="CONTACT")
@click.argument("rule", nargs=-1, metavar="[RULE|PATHS...]")
@now_option
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Only this segment; may be repeated.")
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human",
              help="A tree for people, or a list with one JSON object a segment.")  # fmt: skip
@common_options
def command(contact: str, rule: tuple[str, ...], now: str | None, segments: tuple[str, ...], form: str) -> None:
    """Tell why CONTACT is in a rule in quotes, in the segments in PATHS, or in those of the whole project.

    CONTACT is the contact's key. Each part of a rule is shown with its answer, what was found and what is missing,
    and with the time at which its answer changes if nothing new happens.

    \b
    Examples:
      segdsl explain c017 --segment engaged_leads
      segdsl explain c017 'added to cart then not purchased within 1d in 7d'
      segdsl explain c017 --now 2026-03-09 --format json
    """
    from segdsl.analysis.explain.explainer import Explainer
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.target import runnable
    from segdsl.core.time import isoformat
    from segdsl.engines import connect
    from segdsl.text.render import printable

    catalog, program, names = runnable(rule, segments)
    moment = instant(now, catalog)
    explainers = [Explainer(catalog, program, name) for name in names]
    with connect(catalog) as engine, interruptible(engine):
        engine.ready(program, names, moment)
        facts = engine.one(contact, {kind for explainer in explainers for kind in explainer.probe.kinds})
    found = [explainer.explain(facts, moment) for explainer in explainers]
    if form == "json":
        click.echo(json.dumps([explanation.as_dict() for explanation in found], indent=2, ensure_ascii=False))
    else:
        color = colored(sys.stdout)

        def paint(text: str, role: str) -> str:
            return f"\x1b[{COLORS[role]}m{text}\x1b[0m" if color else text

        click.echo("\n\n".join(explanation.text(paint, printable) for explanation in found), color=True)
    inside = sum(explanation.holds for explanation in found)
    note(f"in {inside} of {many(len(found), 'segment')}; --now {isoformat(moment)}")
