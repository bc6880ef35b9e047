"""A refresh: what it would change, and changing it.

Each part of a task is one query of differences, members as they are against members as they are stored. A plan counts
them; a refresh writes them into the log of changes and then changes the members by that log.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.among import Among
from segdsl.backends.sql.build import Node, select
from segdsl.core.program import Program
from segdsl.core.time import FIRST, to_datetime
from segdsl.engines.engine import Engine, Execute
from segdsl.warehouse.results import SHOWN, Change, Refresh, SegmentRefresh
from segdsl.warehouse.state import Part, State, Task, lateness, task
from segdsl.warehouse.tables import COLUMNS, Tables
from segdsl.warehouse.touched import Watched

KEPT = [table for table in COLUMNS if table != "lists"]


def plan(engine: Engine, program: Program, now: int) -> Refresh:
    """What `apply` would change at an instant, in microseconds since 1970; writes nothing. Raises as `apply` does."""
    tables = Tables(engine)
    work = task(State.read(tables), engine.catalog, program, now, full=False)
    watched = _ready(engine, tables, program, work)
    among = watched.among(_since(work, engine)) if work.choosing else None
    held = _held(tables, work)
    rows: list[tuple[object, ...]] = []
    for part in work.told:
        columns = [("segment", b.column("segment")), ("change", _turn()), ("contact", b.column("contact")),
                   ("reason", b.literal(part.reason))]  # fmt: skip
        looked_at = None if part.everyone else among
        members = _members(engine, program, part, now, looked_at)
        if members is None and held is None:
            continue  # a segment is gone, and so are its members
        found = differences(held, part, members, looked_at)
        rows += engine.ask(_summary(b.over(found, columns, "differences")))
    contacts = None if among is None or work.everyone else _count(engine, among.queries[among.contacts])
    return _result(work, rows, _sizes(engine, held), contacts, applied=False)


def apply(engine: Engine, program: Program, now: int, full: bool = False) -> Refresh:
    """Stores who is in at an instant, and the log of what changed; the engine is open for writing.

    full: whatever the incremental way has missed is found and corrected, too.
    Raises `Errors`: SEG0740 for a time before the last refresh, SEG0742 and SEG0743 of the database, SEG0745, and what
    the data lack (SEG0711 to SEG0713).
    """
    tables = Tables(engine)
    with engine.writing() as execute:
        work = task(State.read(tables), engine.catalog, program, now, full)
        watched = _ready(engine, tables, program, work)
        number = work.state.number + 1
        made = [table for table in KEPT if tables.make(execute, table)]
        if work.state.unfinished:
            _repair(execute, tables, number)
        _mark(execute, tables, work, number, "begun")
        _changes(execute, tables, watched, work, number)
        _definitions(execute, tables, program, work)
        for table in made:
            tables.index(execute, table)
        _mark(execute, tables, work, number, "done")
    contacts = None if work.everyone or not work.choosing else _count(engine, tables.node("touched"))
    sizes = _sizes(engine, tables.node("members"))
    return _result(work, _logged(engine, tables, number), sizes, contacts, applied=True)


def differences(stored: Node | None, part: Part, members: Node | None, among: Among | None) -> Node:
    """`segment, contact, side` of a part: above 0 of who is in and not stored, below of who is stored and not in.

    stored: `segment, contact`, a table or a query as one; members: a query of the same of who is in. None: nobody.
    """
    segment, contact = b.column("segment"), b.column("contact")
    held = [b.one_of(segment.copy(), [b.text(name) for name in part.names])]
    if among is not None:
        query = select([("contact", contact.copy())], b.table(among.contacts))
        held.append(exp.In(this=contact.copy(), query=query.subquery()))
    sides, opening = [], None
    if members is not None:
        opening = b.taken_opening(members)
        columns = [("segment", segment.copy()), ("contact", contact.copy()), ("side", b.number(1))]
        sides.append(select(columns, members.subquery("found", copy=False)))
    if stored is not None:
        columns = [("segment", segment.copy()), ("contact", contact.copy()), ("side", b.number(-1))]
        sides.append(select(columns, stored.copy(), held))
    # Not the sum: of a contact that is in the data twice there are two rows, and it is in once.
    total = exp.Add(this=exp.Max(this=b.column("side")), expression=exp.Min(this=b.column("side")))
    columns = [("segment", segment), ("contact", contact), ("side", total)]
    tree = select(columns, b.united(sides).subquery("sides", copy=False))
    tree = tree.group_by(segment.copy(), contact.copy(), copy=False)
    tree = tree.having(exp.NEQ(this=total.copy(), expression=b.number(0)), copy=False)
    tree.set("with_", opening)
    return tree


def _turn() -> Node:
    """What a side of a difference is called as a change."""
    return b.case([(b.compare(">", b.column("side"), b.number(0)), b.literal("entered"))], b.literal("left"))


def _members(engine: Engine, program: Program, part: Part, now: int, among: Among | None) -> Node | None:
    """`segment, contact` of the members of a part's segments; None if these are gone."""
    if part.reason == "segment removed":
        return None
    return engine.statement(program, part.names, now, among).unordered()


# --- what is written, in this order ----------------------------------------------------------------------------------


def _repair(execute: Execute, tables: Tables, number: int) -> None:
    """After a refresh that was broken off: nothing of it is in the log, and members are what the log says.

    Each step may be broken off in turn: it is begun again as long as the refresh after it is not done.
    """
    tables.delete(execute, "changes", [b.compare(">=", b.column("refresh"), b.number(number))])
    tables.delete(execute, "members")
    tables.insert(execute, "members", _by_log(tables, number))


def _by_log(tables: Tables, number: int) -> Node:
    """`segment, contact, entered_at` of who is in by the log of the refreshes before one."""
    earlier = b.compare("<", b.column("refresh"), b.number(number))
    latest = exp.Max(this=b.column("refresh"))
    keys = [b.column("segment"), b.column("contact")]
    columns = [("segment", keys[0]), ("contact", keys[1]), ("latest", latest)]
    last = select(columns, tables.node("changes"), [earlier])
    last = last.group_by(*(key.copy() for key in keys), copy=False).subquery("last_")
    on = [b.compare("=", b.column(name, "log_"), b.column(other, "last_"))
          for name, other in (("segment", "segment"), ("contact", "contact"), ("refresh", "latest"))]  # fmt: skip
    columns = [("segment", b.column("segment", "log_")), ("contact", b.column("contact", "log_")),
               ("entered_at", b.column("at", "log_"))]  # fmt: skip
    joined = select(columns, b.table(tables.name("changes"), "log_")).join(last, on=b.conjunction(on), copy=False)
    return joined.where(b.compare("=", b.column("change", "log_"), b.literal("entered")), copy=False)


def _mark(execute: Execute, tables: Tables, work: Task, number: int, stage: str) -> None:
    at = [tables.dialect.stamp(work.now), b.number(work.now)]
    tables.add(execute, "refreshes", [b.number(number), *at, b.literal(stage), b.text(work.project)])


def _changes(execute: Execute, tables: Tables, watched: Watched, work: Task, number: int) -> None:
    """The log, then the members by the log, then what is known of contacts."""
    engine, among = tables.engine, None
    tables.delete(execute, "touched")
    if work.choosing:
        tables.insert(execute, "touched", watched.touched(_since(work, engine)))
        among = watched.copied(execute)
    known = None if work.anew else among
    tables.work_on(execute, "answers", watched.answers(work.answering.names, known))
    for part in work.told:
        looked_at = None if part.everyone else among
        answered = part is work.answering
        members = watched.members() if answered else _members(engine, watched.program, part, work.now, looked_at)
        found = differences(tables.node("members"), part, members, looked_at)
        columns = [("refresh", b.number(number)), ("at", tables.dialect.stamp(work.now)),
                   ("segment", b.column("segment")), ("contact", b.column("contact")), ("change", _turn()),
                   ("reason", b.literal(part.reason))]  # fmt: skip
        tables.insert(execute, "changes", b.over(found, columns, "differences"))
        _settle(execute, tables, number, part)
    tables.delete(execute, "contacts", [] if known is None else [tables.among("contact", "touched")])
    tables.insert(execute, "contacts", watched.contacts(known))
    tables.delete(execute, "aliases")
    if engine.catalog.identities is not None:
        tables.insert(execute, "aliases", engine.reading().aliases())


def _settle(execute: Execute, tables: Tables, number: int, part: Part) -> None:
    """Makes of the members what a part's changes in the log say."""
    mine = [b.compare("=", b.column("refresh"), b.number(number)),
            b.compare("=", b.column("reason"), b.literal(part.reason))]  # fmt: skip
    # A segment that asks for events without a time is in a part of its own with the same reason.
    mine.append(b.one_of(b.column("segment"), [b.text(name) for name in part.names]))
    left, entered = (b.compare("=", b.column("change"), b.literal(word)) for word in ("left", "entered"))
    names = ("segment", "contact")
    gone = select([(n, b.column(n)) for n in names], tables.node("changes"), [*(m.copy() for m in mine), left])
    pair = exp.Tuple(expressions=[b.column(name) for name in names])
    tables.delete(execute, "members", [exp.In(this=pair, query=gone.subquery())])
    columns = [*((n, b.column(n)) for n in names), ("entered_at", b.column("at"))]
    tables.insert(execute, "members", select(columns, tables.node("changes"), [*mine, entered]))


def _definitions(execute: Execute, tables: Tables, program: Program, work: Task) -> None:
    """Of the segments' rules those that are not stored as they are."""
    wanted = {name: (definition, " ".join(program.segments[name].words.split()))
              for name, definition in work.definitions.items()}  # fmt: skip
    stored = work.state.segments
    stale = [name for name in stored if stored[name] != wanted.get(name)]
    if stale:
        tables.delete(execute, "segments", [b.one_of(b.column("segment"), [b.text(name) for name in stale])])
    for name, words in wanted.items():
        if stored.get(name) != words:
            tables.add(execute, "segments", [b.text(name), *map(b.text, words)])


# --- what is told -----------------------------------------------------------------------------------------------------


def _ready(engine: Engine, tables: Tables, program: Program, work: Task) -> Watched:
    watched = Watched(engine, tables, program, list(work.definitions), work.now)
    engine.checked(watched.statement)
    return watched


def _since(work: Task, engine: Engine) -> int:
    """The instant after which events may not have been seen."""
    assert work.state.since is not None
    return max(work.state.since - lateness(engine.catalog), FIRST)


def _summary(found: Node) -> Node:
    """`segment, change, reason, contact, n`: how many contacts each has, in a row without a contact, and the first of
    them, in rows without n. By a window, to count would sort all of them, where a few are told."""
    keys, opening = ("segment", "change", "reason"), b.taken_opening(found)

    def rows(source: Node, where: Iterable[Node] = (), **columns: Node) -> Node:
        return select([*((key, b.column(key)) for key in keys), *columns.items()], source, where)

    counts = rows(b.table("differences"), contact=b.NULL(), n=exp.Count(this=exp.Star()))
    counts = counts.group_by(*(b.column(key) for key in keys), copy=False)
    order = b.order([b.column("contact")])
    place = exp.Window(this=exp.RowNumber(), partition_by=[b.column(key) for key in keys], order=order)
    placed = rows(b.table("differences"), contact=b.column("contact"), place=place).subquery("placed", copy=False)
    few = [b.compare("<=", b.column("place"), b.number(SHOWN))]
    tree = b.united([counts, rows(placed, few, contact=b.column("contact"), n=b.NULL())])
    ctes = [*(opening.expressions if opening is not None else ()), b.cte("differences", found)]
    tree.set("with_", exp.With(expressions=ctes))
    return tree


def _logged(engine: Engine, tables: Tables, number: int) -> Iterable[tuple[object, ...]]:
    """The same summary of what a refresh wrote."""
    columns = [(name, b.column(name)) for name in ("segment", "change", "contact", "reason")]
    mine = b.compare("=", b.column("refresh"), b.number(number))
    return engine.ask(_summary(select(columns, tables.node("changes"), [mine])))


def _held(tables: Tables, work: Task) -> Node | None:
    """Who is in as a refresh will find it: what is stored, or what the log says if that has to be put right."""
    if not work.state.unfinished:
        return tables.node("members") if tables.columns("members") is not None else None
    return _by_log(tables, work.state.number + 1).subquery("held") if tables.columns("changes") is not None else None


def _sizes(engine: Engine, stored: Node | None) -> dict[str, int]:
    """How many members each segment has in the stored membership."""
    if stored is None:
        return {}
    segment = b.column("segment")
    columns = [("segment", segment), ("n", exp.Count(this=exp.Star()))]
    query = select(columns, stored.copy()).group_by(segment.copy(), copy=False)
    return {str(name): int(size) for name, size in engine.ask(query)}


def _count(engine: Engine, contacts: Node | None) -> int:
    assert contacts is not None
    source = contacts if isinstance(contacts, exp.Table) else contacts.copy().subquery("touched")
    [(found,)] = engine.ask(select([("n", exp.Count(this=exp.Star()))], source))
    return int(found)


def _result(
    work: Task, rows: Iterable[tuple[object, ...]], sizes: dict[str, int], contacts: int | None, applied: bool
) -> Refresh:
    found = {name: SegmentRefresh(name, work.status(name), sizes.get(name, 0))
             for name in sorted({*work.definitions, *work.state.segments})}  # fmt: skip
    for segment, change, reason, contact, n in rows:
        each = found[str(segment)]
        side: Change = "entered" if change == "entered" else "left"
        if contact is not None:
            each.names[side].append(contact if isinstance(contact, int) else str(contact))
            continue
        setattr(each, side, getattr(each, side) + int(str(n)))
        if reason == "found by full":
            each.corrected += int(str(n))
        if not applied:
            each.size += int(str(n)) * (1 if side == "entered" else -1)
    for each in found.values():
        for names in each.names.values():
            names.sort(key=lambda name: (isinstance(name, str), name))
            del names[SHOWN:]
    since = work.state.since
    return Refresh(to_datetime(work.now), None if since is None else to_datetime(since), work.everyone, work.why,
                   contacts, tuple(found.values()), applied)  # fmt: skip
