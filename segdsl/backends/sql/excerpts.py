"""What is stored of some contacts, taken out of large tables once, for statements that ask it more than once.

An excerpt has the columns that a statement asks, as they are stored: what reads the table can read the excerpt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from segdsl.backends.sql.among import Part
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.reading import Reading
from segdsl.backends.sql.sources import Sources
from segdsl.catalog.model import Column, TimeColumn
from segdsl.core import nodes
from segdsl.core.time import Edge


@dataclass
class _Asked:
    """What is asked of one part of what is stored.

    columns: by name. times, begins: where times of rows are, and where the windows over them begin; None: nowhere.
    """

    columns: dict[str, None] = field(default_factory=dict)
    times: set[TimeColumn | None] = field(default_factory=set)
    begins: dict[Edge | None, None] = field(default_factory=dict)


def excerpts(statement: Sources, reading: Reading) -> dict[Part, Node]:
    """For each part of what is stored, events and histories, the query of what a statement asks of it.

    reading: of the contacts whose rows are wanted; `Reading.among` says who they are.
    """
    found = {}
    for part, asked in _asked(statement).items():
        edges = [edge for edge in asked.begins if edge is not None]
        bounded = len(asked.times) == 1 and len(edges) == len(asked.begins)
        time = next(iter(asked.times)) if bounded else None
        since = statement.clock.earliest(edges) if bounded else None
        found[part] = reading.excerpt(part, list(asked.columns), time, since)
    return found


def _asked(statement: Sources) -> dict[Part, _Asked]:
    catalog, reading = statement.catalog, statement.reading
    found: dict[Part, _Asked] = {}

    def asks(
        part: Part, columns: Iterable[Column | None], time: TimeColumn | None, begins: Iterable[Edge | None]
    ) -> None:
        asked = found.setdefault(part, _Asked())
        asked.columns.update((column.name, None) for column in columns if column is not None)
        asked.times.add(time)
        asked.begins.update((edge, None) for edge in begins)

    histories = {node.key: None for node in statement.attributes if isinstance(node, nodes.Held)}
    for kind, used in statement.kinds.items():
        changed = nodes.changed_attribute(kind)
        if changed is not None:
            histories[changed] = None
            continue
        event = catalog.events[kind]
        # All properties tell deliveries apart, and the earliest counts: it may lie before what is asked for.
        properties = [event.properties[key].column for key in (event.properties if event.id else used)]
        time = [event.time.column] if event.time else []
        columns = [event.contact, event.id, *time, *(column for column, _ in event.where), *properties]
        begins = [None] if event.id else statement.begins[kind]
        asks((event.table, event.contact, True), columns, event.time, begins)
    for key in histories:
        history = reading.history(key)
        columns = [history.contact, history.time.column, history.value]
        asks((history.table, history.contact, False), columns, history.time, [None])
    return found
