"""`segdsl diff`: who enters and who leaves when the rules change."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segdsl.cli.common import common_options, instant, no_segment, note, now_option, project_file, show

if TYPE_CHECKING:
    from segdsl.analysis.diff import Change, Comparison, Member

SHOWN = 5  # names on a line for people


@dataclass
class Tally:
    """What happened to one segment: sizes, and the first few of those who enter and leave."""

    before: int = 0
    after: int = 0
    enters: int = 0
    leaves: int = 0
    shown: dict[str, list[Member]] = field(default_factory=lambda: {"enters": [], "leaves": []})

    def add(self, change: Change) -> None:
        self.before += change.side != "enters"
        self.after += change.side != "leaves"
        if change.side is not None:
            self.enters += change.side == "enters"
            self.leaves += change.side == "leaves"
            if len(self.shown[change.side]) < SHOWN:
                self.shown[change.side].append(change.contact)


@click.command("diff")
@click.argument("old")
@click.argument("new", required=False)
@now_option
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Only this segment; may be repeated.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl"]), default="table",
              help="How what has changed is printed.")  # fmt: skip
@click.option("--count", is_flag=True, help="Print how many enter and leave each segment, and not who.")
@common_options
def command(old: str, new: str | None, now: str | None, segments: tuple[str, ...], form: str, count: bool) -> None:
    """Compare two versions of the rules on the project's data: how many enter and leave each segment, and who.

    OLD and NEW are .seg files, folders, or git revisions: HEAD~1, a tag, a branch, HEAD:segments/leads.seg. Without
    NEW, it is the project's rules as they are now. Nothing is checked out. The project file is today's for both.

    Layout, comments and titles are no change. The table names a few contacts, csv and jsonl all of them; --count
    prints segment, entering, leaving. The summary on standard error tells the time that was asked about.

    \b
    Examples:
      segdsl diff HEAD
      segdsl diff v1.2 HEAD --segment hot
      segdsl diff HEAD~3 segments/leads.seg --format jsonl
      segdsl diff old/leads.seg new/leads.seg --count
    """
    from segdsl.analysis.diff import changes, compare, spelled
    from segdsl.catalog import load
    from segdsl.cli.interruption import interruptible
    from segdsl.cli.versions import path_of, versions
    from segdsl.core.time import isoformat
    from segdsl.engines import connect
    from segdsl.rule_files import display

    path = path_of(new) if new is not None else None
    catalog, found = load(Path(display(project_file([path] if path else []).absolute())))
    show(found)
    if catalog is None:
        click.get_current_context().exit(1)
    left, right = versions(old, new, catalog)
    show(dict.fromkeys([*left.errors, *right.errors]))
    if left.program is None or right.program is None:
        click.get_current_context().exit(1)
    compared = _chosen(compare(left.program, right.program, left.names, right.names), segments)
    moment = instant(now, catalog)
    # What means the same has the same members: nobody needs to be asked.
    before = [each.name for each in compared if each.status not in ("unchanged", "new")]
    after = [each.name for each in compared if each.status not in ("unchanged", "removed")]
    tallies = {each.name: Tally() for each in compared}
    with connect(catalog) as engine, interruptible(engine):
        was = engine.members(spelled(left.program, before), before, moment) if before else ()
        is_ = engine.members(right.program, after, moment) if after else ()
        _print(changes(was, is_), compared, tallies, "count" if count else form)
    enters, leaves = (sum(getattr(tally, side) for tally in tallies.values()) for side in ("enters", "leaves"))
    differ = sum(each.status != "unchanged" for each in compared)
    word = "segment" if len(compared) == 1 else "segments"
    verb = "differs" if differ == 1 or len(compared) == 1 else "differ"
    note(f"{differ} of {len(compared)} {word} {verb}, {enters} enter, {leaves} leave; --now {isoformat(moment)}")


def _chosen(compared: list[Comparison], segments: tuple[str, ...]) -> list[Comparison]:
    """The comparisons that were asked for; ends the command for a name that neither version has."""
    from segdsl.catalog.model import name_key

    known = {name_key(each.name): each for each in compared}
    for segment in segments:
        if name_key(segment) not in known:
            raise no_segment(segment, [each.name for each in compared], " in either version")
    wanted = {name_key(segment) for segment in segments} or set(known)
    return [each for key, each in known.items() if key in wanted]


def _print(found: Iterable[Change], compared: list[Comparison], tallies: dict[str, Tally], form: str) -> None:
    """All that goes to standard output; csv and jsonl line by line as the database gives them."""
    sys.stdout.flush()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="backslashreplace", newline="")
    try:
        rows = csv.writer(out, lineterminator="\n")
        if form == "csv":
            rows.writerow(("segment", "contact", "change"))
        for change in found:
            tallies[change.segment].add(change)
            if change.side is None:
                continue
            if form == "csv":
                rows.writerow((change.segment, change.contact, change.side))
            elif form == "jsonl":
                line = {"segment": change.segment, "contact": change.contact, "change": change.side}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
        if form == "count":
            out.writelines(f"{name}\t{tally.enters}\t{tally.leaves}\n" for name, tally in tallies.items())
        elif form == "table":
            out.writelines(line + "\n" for line in _table(compared, tallies))
        out.flush()
    finally:
        out.detach()


def _table(compared: list[Comparison], tallies: dict[str, Tally]) -> Iterable[str]:
    from segdsl.text.render import printable

    for each in compared:
        if each.status == "unchanged":
            continue
        tally = tallies[each.name]
        yield f"{each.name}: {_what(each, tally)}"
        for sign, side in (("+", "enters"), ("-", "leaves")):
            names = [printable(str(contact)) for contact in tally.shown[side]]
            if names:
                more = getattr(tally, side) - len(names)
                yield f"  {sign} {', '.join(names)}" + (f" and {more} more" if more else "")
    same = [each.name for each in compared if each.status == "unchanged"]
    if same:
        yield f"unchanged: {', '.join(same)}"


def _what(each: Comparison, tally: Tally) -> str:
    enters = "1 enters" if tally.enters == 1 else f"{tally.enters} enter"
    leaves = "1 leaves" if tally.leaves == 1 else f"{tally.leaves} leave"
    match each.status:
        case "new":
            return f"new, {enters}"
        case "removed":
            return f"removed, {leaves}"
        case "affected":
            names = ", ".join(each.through)
            return f"the same, but asks {names}, {enters}, {leaves} ({tally.before} → {tally.after})"
        case _:
            return f"changed, {enters}, {leaves} ({tally.before} → {tally.after})"
