"""What the last refresh left, and so what the next one has to do."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from importlib.metadata import version
from typing import Literal

from sqlglot import exp

from segdsl.analysis.diff import fingerprints
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import select
from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.program import Program, nodes_of
from segdsl.core.time import DAY, MICROSECONDS, isoformat
from segdsl.engines.engine import failure
from segdsl.warehouse.results import Status
from segdsl.warehouse.tables import COLUMNS, Tables

Reason = Literal["data", "new segment", "definition changed", "segment removed", "found by full"]
BROKEN = "the last one was broken off, or tables of it are gone"
LONGEST = {**MICROSECONDS, "mo": 31 * DAY, "y": 366 * DAY}


@dataclass(frozen=True)
class Part:
    """Segments that are evaluated for the same contacts: all, or only those who are touched."""

    names: tuple[str, ...]
    everyone: bool
    reason: Reason

    def answers(self, everyone: bool) -> bool:
        """Whether those contacts are looked at for it."""
        return self.everyone == everyone and self.reason != "segment removed"


@dataclass(frozen=True)
class State:
    """What is stored.

    number: of the last refresh that is done; 0 before the first. since: its instant.
    unfinished: whether one was begun after it and is not done, or some of the tables are gone.
    project: the fingerprint of the project file then. segments: that of each definition, and its words.
    """

    number: int
    since: int | None
    unfinished: bool
    project: str
    segments: dict[str, tuple[str, str]]

    @classmethod
    def read(cls, tables: Tables) -> State:
        """The state in a database; raises `Errors` (SEG0745) where tables of these names hold something else."""
        there = [tables.found(table) for table in COLUMNS if table != "lists"]
        tables.found("lists")
        number = b.column("refresh")
        last = select([("last", exp.Max(this=number))], tables.node("refreshes"),
                      [b.compare("=", b.column("stage"), b.literal("done"))]).subquery()  # fmt: skip
        recent = b.compare(">=", number.copy(), b.coalesce(last, b.number(0)))
        rows = [(int(str(number)), int(str(at)), stage, str(project))
                for number, _, at, stage, project in tables.rows("refreshes", [recent])]  # fmt: skip
        done = [row for row in rows if row[2] == "done"]
        number, since, _, project = max(done, default=(0, None, "", ""))
        begun = max((row[0] for row in rows), default=0)
        segments = {str(name): (str(definition), str(words)) for name, definition, words in tables.rows("segments")}
        return cls(number, since, begun > number or (any(there) and not all(there)), project, segments)


@dataclass(frozen=True)
class Task:
    """What a refresh has to do.

    parts: in order. why: it is about everyone; "" if it is not.
    anew: whether what is known of contacts is made anew of all: when they are due depends on every segment.
    """

    now: int
    state: State
    parts: tuple[Part, ...]
    why: str
    anew: bool
    project: str
    definitions: dict[str, str]

    @property
    def everyone(self) -> bool:
        """Whether all contacts are evaluated for every segment."""
        return bool(self.why)

    @property
    def choosing(self) -> bool:
        """Whether it matters who is touched: some part is not about everyone."""
        return not all(part.everyone for part in self.parts)

    @property
    def told(self) -> list[Part]:
        """The parts that have segments."""
        return [part for part in self.parts if part.names]

    @property
    def answering(self) -> Part:
        """The part with which what is known of contacts is made anew."""
        return next(part for part in self.parts if part.answers(self.anew))

    def status(self, name: str) -> Status:
        """What became of a segment's definition."""
        if name not in self.definitions:
            return "removed"
        if name not in self.state.segments:
            return "new"
        return "same" if self.state.segments[name][0] == self.definitions[name] else "changed"


def task(state: State, catalog: Catalog, program: Program, now: int, full: bool) -> Task:
    """The task of a refresh. Raises `Errors` (SEG0740) for a time before the last refresh."""
    if state.since is not None and now < state.since:
        # Without its mark that it is done a refresh was broken off, and the next one undoes what it stored.
        taken_back = f"DELETE FROM {catalog.refresh.tables}refreshes WHERE stage = 'done' AND instant > {now}"
        raise failure("SEG0740", f"{isoformat(now)} is before the last refresh, {isoformat(state.since)}",
                      f"stored membership only moves forward: take `--now {isoformat(state.since)}` or later, or ask "
                      "`segdsl run --now` who was in; if the last one's time was a mistake, take back all that are for "
                      f"later times than yours with `{taken_back}`: the next one undoes what they stored")  # fmt: skip
    project = md5(f"{version('segdsl')}\n{catalog.source.text}".encode(), usedforsecurity=False).hexdigest()
    definitions = fingerprints(program)
    if state.since is None:
        why = BROKEN if state.unfinished else "this is the first"
    elif state.unfinished:
        why = BROKEN
    else:
        why = "segdsl.yml or segdsl has changed" if state.project != project else ""
    names: dict[tuple[Reason, bool], list[str]] = {}
    for name, definition in definitions.items():
        before, _ = state.segments.get(name, (None, ""))
        reason: Reason = "new segment" if before is None else "data" if before == definition else "definition changed"
        everyone = reason != "data" or bool(why) or _untimed(catalog, program, name)
        names.setdefault((reason, everyone), []).append(name)
    anew = full or bool(why) or any(reason != "data" for reason, _ in names)
    parts = [Part(tuple(found), everyone, reason) for (reason, everyone), found in sorted(names.items())]
    removed = tuple(sorted(set(state.segments) - set(definitions)))
    if removed:
        parts.append(Part(removed, True, "segment removed"))
    if full and not why:
        why = "`--full` was asked for"
        parts.append(Part(tuple(definitions), True, "found by full"))
    if not any(part.answers(anew) for part in parts):
        parts.append(Part((), anew, "data"))  # no segments, but what is known of contacts
    return Task(now, state, tuple(parts), why, anew, project, definitions)


def _untimed(catalog: Catalog, program: Program, name: str) -> bool:
    """Whether a segment asks for events without a time, of which nobody can say which are new."""
    for node in nodes_of(program, [program.segments[name].rule]):
        if isinstance(node, core.Events) and any(
            core.changed_attribute(branch.kind) is None and catalog.events[branch.kind].time is None
            for branch in node.branches
        ):
            return True
    return False


def lateness(catalog: Catalog) -> int:
    """How long after its own time a row may come and still be found by a refresh, in microseconds."""
    late = catalog.refresh.late
    return DAY if late is None else late.amount * LONGEST[late.unit]
