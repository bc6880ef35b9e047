"""One contact followed by itself, put away and taken up again: it says what an evaluator says that never was."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segdsl
from segdsl.core.time import DAY, isoformat
from segdsl.stream.alone import Alone
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Flip, Line
from segdsl.stream.reading import read
from tests.support import strategies
from tests.support.arrivals import instant_of
from tests.support.following import project_in, random_lines, visit
from tests.support.world import World, instant, program_of
from tests.test_next_change import rules as changing_rules
from tests.test_stream import NAMED, lengths, news


def again(rules: Evaluator, contact: Alone) -> Alone:
    """The same contact out of what is put away of it."""
    return Alone(rules, contact.clock, contact.kept, contact.needed)


def push(stream: Evaluator, line: dict[str, Any], limit: int | None) -> list[Flip]:
    meant = read(line, stream.catalog, stream.clock)
    assert isinstance(meant, Line)
    return stream.push(meant, limit)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("news"), news, lengths),
        st.tuples(st.just("late"), news, lengths),
        st.tuples(st.just("waits"), news, lengths),
        st.tuples(st.just("time"), st.none(), st.one_of(lengths, st.integers(1, 40).map(lambda n: n * DAY))),
        st.tuples(st.just("news"), st.just({"deleted": True}), lengths),
        st.tuples(st.just("waits"), st.just({"deleted": True}), lengths),
    ),
    min_size=10, max_size=40,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(strategies.ZONES), strategies.instants_at, steps,
    st.lists(st.one_of(strategies.rules, changing_rules), min_size=4, max_size=4),
)  # fmt: skip
def test_what_is_put_away_is_enough(zone: str, start: str, steps: list[Any], texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = World(strategies.CATALOG.format(zone=zone), {}).catalog(Path(folder))
    written = [f"segment r{i}:\n    {text}\n" for i, text in enumerate(texts)]
    rules = Evaluator(catalog, program_of(strategies.SCORE + NAMED + "".join(written), catalog))
    stream, contact, clock = rules.another(), Alone(rules), instant_of({"at": start})
    assert contact.advance(clock) == stream.advance(clock)
    for what, said, length in steps:
        clock = stream.clock or 0
        contact = again(rules, contact)
        if what == "time":
            assert contact.advance(clock + length) == stream.advance(clock + length)
        else:
            line = {"contact": "c", "at": isoformat(clock - length if what == "late" else clock + length), **said}
            limit = clock if what == "waits" else None
            told = contact.take([json.dumps(line)], limit)
            assert (told.flips, told.refused) == (push(stream, line, limit), [])
        contact.needed = -99  # look at once which lines matter
        contact.thin()
        assert (contact.clock, contact.inside) == (stream.clock, [name for name, _ in stream.members()])


@pytest.fixture
def rules(tmp_path: Path) -> Evaluator:
    project = segdsl.load(project_in(tmp_path))
    return Evaluator(project.catalog, project.program)


@pytest.mark.parametrize("seed", range(3))
def test_contacts_of_a_small_project(rules: Evaluator, seed: int) -> None:
    for name in [*"abcdefgh", 1, 2]:
        contact, stream = Alone(rules), rules.another()
        for number, line in enumerate(line for line in random_lines(seed, 1500) if line["contact"] == name):
            if number % 3 == 0:
                contact = again(rules, contact)
            assert contact.take([json.dumps(line)]).flips == push(stream, line, None)
            contact.thin()
        assert stream.clock is not None
        assert contact.advance(stream.clock + 30 * DAY) == stream.advance(stream.clock + 30 * DAY)
        assert contact.due is None


def test_lines_that_nobody_asks_for_go(rules: Evaluator) -> None:
    contact = Alone(rules)
    for day in range(1, 29):
        at = f"2026-02-{day:02}T10:00:00Z"
        contact.take([json.dumps(line) for line in (
            {"contact": "c", "event": "opened email", "at": at}, {"contact": "c", "set": {"country": "DE"}, "at": at},
            {"contact": "c", "lists": {"staff": True}, "at": at},
        )])  # fmt: skip
        contact = again(rules, contact)
        contact.thin()
        assert len(contact.kept) < 40
    contact.needed = -99
    contact.thin()
    assert [json.loads(line).get("event", "said") for _, line in contact.kept] == ["opened email", "said", "said"]
    contact.take([json.dumps({"contact": "c", "deleted": True, "at": "2026-03-01T00:00:00Z"})])
    assert (contact.kept, contact.fresh, contact.inside) == ([], None, [])


def test_a_line_without_a_time_is_of_the_contacts_own(rules: Evaluator) -> None:
    contact = Alone(rules)
    told = contact.take([
        '{"contact": "c", "set": {"country": "DE"}}', json.dumps(visit("c", "2026-03-01T10:00:00Z")),
        '{"contact": "c", "set": {"country": "FR"}}', '{"contact": "c", "event": "vistied"}',
    ])  # fmt: skip
    assert [reason.partition(":")[0] for _, reason in told.refused] == [
        "it needs the field `at`", "unknown event `vistied`; did you mean `visited`?"
    ]  # fmt: skip
    assert contact.kept[-1] == (
        instant("2026-03-01T10:00Z"), '{"contact": "c", "set": {"country": "FR"}, "at": "2026-03-01T10:00:00Z"}'
    )  # fmt: skip
    assert again(rules, contact).inside == contact.inside == []
