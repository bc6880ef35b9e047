"""What the commands about stored membership share: the project, and how a refresh is told."""

from __future__ import annotations

import json
from dataclasses import replace

import click

from segdsl.catalog.model import Catalog, name_key
from segdsl.cli.common import Stop, no_segment
from segdsl.cli.target import runnable
from segdsl.core.program import Program
from segdsl.core.time import from_datetime, isoformat
from segdsl.engines.engine import Engine
from segdsl.rule_files import project_paths
from segdsl.text.render import printable
from segdsl.warehouse.results import Refresh, SegmentRefresh
from segdsl.warehouse.state import State
from segdsl.warehouse.tables import Tables


def everything() -> tuple[Catalog, Program]:
    """The project's catalog and all its segments; ends the command after errors."""
    catalog, program, _ = runnable((), ())
    return catalog, program


def what_is_left() -> tuple[Catalog, Program]:
    """The same where the last segment may be gone, whose members leave; but not with its file, which may be missing by
    mistake."""
    catalog, program, names = runnable((), (), none=True)
    if not names and not project_paths(catalog):
        help = "if all segments are to go, keep a .seg file that has none: then their members leave"
        raise Stop("there are no .seg files in this project", help)
    return catalog, program


def require_some(engine: Engine, program: Program) -> None:
    """Ends the command where there is no segment, and none is stored either."""
    if not program.segments and not State.read(Tables(engine)).segments:
        raise Stop("there are no segments here, and none are stored", "write one in a .seg file")


def named(program: Program, name: str) -> str:
    """A segment's name as the program has it; ends the command for one that it lacks."""
    known = {name_key(each): each for each in program.segments}
    if name_key(name) not in known:
        raise no_segment(name, list(program.segments))
    return known[name_key(name)]


def chosen(found: Refresh, segments: tuple[str, ...]) -> Refresh:
    """A refresh as it is about some segments only; ends the command for a name that is none, and was none."""
    known = {name_key(each.segment) for each in found.segments}
    for segment in segments:
        if name_key(segment) not in known:
            raise no_segment(segment, [each.segment for each in found.segments])
    wanted = {name_key(segment) for segment in segments} or known
    # A segment whose name is written another way now is there twice: removed, and new.
    return replace(found, segments=tuple(each for each in found.segments if name_key(each.segment) in wanted))


def write(found: Refresh, form: str) -> None:
    """Prints a refresh: for people the segments that differ, as JSON all of them."""
    if form == "json":
        click.echo(json.dumps(_plain(found), ensure_ascii=False, indent=2))
        return
    for each in found.segments:
        if each.differs:
            click.echo("\n".join(_told(each)))
    same = [each.segment for each in found.segments if not each.differs]
    if same:
        click.echo(f"no change: {', '.join(same)}")


def summary(found: Refresh, moment: int) -> str:
    """One line: how much changes, who was looked at, and when."""
    entered, left = (sum(getattr(each, side) for each in found.segments) for side in ("entered", "left"))
    did = f"{_many(entered, found.applied, 'enter', 'entered')}, {_many(left, found.applied, 'leave', 'left')}"
    if found.contacts is None:
        looked = f"everyone was looked at: {found.why}" if found.why else "everyone was looked at"
    else:
        looked = "1 contact was looked at" if found.contacts == 1 else f"{found.contacts} contacts were looked at"
    corrected = sum(each.corrected for each in found.segments)
    missed = f"; {corrected} of these changes had been missed" if corrected else ""
    return f"{did}; {looked}{missed}; --now {isoformat(moment)}"


def _many(number: int, done: bool, now: str, then: str) -> str:
    return f"{number} {then if done else now + 's' if number == 1 else now}"


def _told(each: SegmentRefresh) -> list[str]:
    changes = f"{each.entered} enter, {each.left} leave, {each.size} in it then"
    what = {"new": "new segment: ", "changed": "definition changed: ", "removed": "removed: ", "same": ""}
    lines = [f"{each.segment}: {what[each.status]}{changes}"]
    for sign, side, number in (("+", "entered", each.entered), ("-", "left", each.left)):
        names = [printable(str(name)) for name in each.names[side]]  # type: ignore[index]
        if names:
            more = number - len(names)
            lines.append(f"  {sign} {', '.join(names)}" + (f" and {more} more" if more else ""))
    return lines


def _plain(found: Refresh) -> dict[str, object]:
    return {
        "now": isoformat(from_datetime(found.now)),
        "since": None if found.since is None else isoformat(from_datetime(found.since)),
        "everyone": found.everyone,
        "why": found.why,
        "contacts": found.contacts,
        "applied": found.applied,
        "segments": [
            {
                "segment": each.segment, "status": each.status, "size": each.size, "entered": each.entered,
                "left": each.left, "corrected": each.corrected, "names": each.names,
            }
            for each in found.segments
        ],
    }  # fmt: skip
