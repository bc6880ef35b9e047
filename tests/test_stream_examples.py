"""The logs of contacts of each example through the stream: at many instants it says what the database says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import segdsl
from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.story import Given, Happened, Listed
from segdsl.core.time import DAY
from segdsl.engines import connect
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Line, Step
from tests.support.world import instant

SOME = 60  # contacts of each
EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[1] / "examples").glob("*/segdsl.yml"))


def lines(facts: Facts, catalog: Catalog, start: int) -> Iterator[Line]:
    """One contact's log; what has no time of its own is known from the start."""
    known: list[Step] = []
    for (relation, key), value in facts.attributes.items():
        declared = catalog.relations[relation].attributes[key] if relation else catalog.attributes[key]
        known.append(Given(start, core.Attribute(key, declared.type, relation), value))
    known += [Listed(start, name, True) for name in facts.lists]
    for key, changes in facts.history.items():
        for at, value in changes:
            given = Given(at, core.Held(key, catalog.attributes[key].type), value)
            yield Line(max(at, start), facts.id, (given,))
    for kind, rows in facts.events.items():
        if core.changed_attribute(kind) is None:
            for at, properties in rows:
                timed = catalog.events[kind].time is not None
                yield Line(at if timed else start, facts.id, (Happened(at, kind, properties, timed),))
    yield Line(start, facts.id, tuple(known))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_stream_of_an_example_says_what_the_database_says(folder: Path) -> None:
    named = re.search(r"--now (\S+)", (folder / "README.md").read_text(encoding="utf-8"))
    assert named is not None
    end = instant(named[1] if "T" in named[1] else f"{named[1]}T00:00:00Z")
    project = segdsl.load(folder / "segdsl.yml")
    program, names = project.program, list(project.program.segments)
    with connect(project.catalog) as engine:
        engine.ready(program, names, end)
        people = list(islice(engine.facts(), SOME))
        chosen = {facts.id for facts in people}
        start = min(at for facts in people for rows in facts.events.values() for at, _ in rows if at) - 1
        log = sorted((line for facts in people for line in lines(facts, project.catalog, start)), key=lambda x: x.at)
        stream = Evaluator(project.catalog, program)
        inside: set[tuple[str, str | int]] = set()
        ends = [end - days * DAY for days in (90, 31, 8, 1, 0)]
        instants = [each - more for each in ends for more in (1, 0) if each > start]
        for now in instants:
            position = next((i for i, line in enumerate(log) if line.at > now), len(log))
            flips = [flip for line in log[:position] for flip in stream.push(line)] + stream.advance(now)
            del log[:position]
            for flip in flips:
                member = (flip.segment, flip.contact)
                assert (member in inside) != flip.entered
                (inside.add if flip.entered else inside.discard)(member)
            assert inside == {member for member in engine.members(program, names, now) if member[1] in chosen}
        assert inside
