"""The log of a stored contact, as lines that the stream takes."""

from __future__ import annotations

from collections.abc import Iterator

from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.story import Given, Happened, Listed
from segdsl.stream.lines import Line, Step


def log_of(facts: Facts, catalog: Catalog, start: int) -> Iterator[Line]:
    """One contact's log, in no order; what has no time of its own is known from `start` on."""
    known: list[Step] = []
    for (relation, key), value in facts.attributes.items():
        declared = catalog.relations[relation].attributes[key] if relation else catalog.attributes[key]
        known.append(Given(start, core.Attribute(key, declared.type, relation), value))
    known += [Listed(start, name, True) for name in facts.lists]
    yield Line(start, facts.id, tuple(known))
    for key, changes in facts.history.items():
        for at, value in changes:
            given = Given(at, core.Held(key, catalog.attributes[key].type), value)
            yield Line(max(at, start), facts.id, (given,))
    for kind, rows in facts.events.items():
        if core.changed_attribute(kind) is None:
            for at, properties in rows:
                timed = catalog.events[kind].time is not None
                happened = Happened(at, kind, properties, timed)
                yield Line(max(at, start) if timed else start, facts.id, (happened,))
