"""The logs of contacts of each example through the stream: at many instants it says what the database says."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import pytest

import segdsl
from segdsl.core.time import DAY
from segdsl.engines import connect
from segdsl.stream.evaluator import Evaluator
from tests.support.logs import log_of
from tests.support.world import instant

SOME = 60  # contacts of each
EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[1] / "examples").glob("*/segdsl.yml"))


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
        log = sorted((line for facts in people for line in log_of(facts, project.catalog, start)), key=lambda x: x.at)
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
