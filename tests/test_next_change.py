"""The next change of an answer: against evaluation just before it, at it, and at many instants up to it."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from segdsl.analysis.next_change import flips
from segdsl.analysis.outlook import Outlook
from segdsl.analysis.probe import Probe
from segdsl.backends.python import CompiledProgram, compile_program
from segdsl.catalog import load_text
from segdsl.catalog.model import Catalog
from segdsl.contact import facts
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.time import DAY, LAST, isoformat
from tests.support import strategies
from tests.support.strategies import joined
from tests.support.world import World, instant, program_of

CASES = int(os.environ.get("SEGDSL_CASES", "2400"))
RULES = 12
COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[p for p in Phase if p is not Phase.shrink],
    derandomize="CI" in os.environ,
)
NOW = instant(strategies.NOW.isoformat())
CATALOG = strategies.CATALOG.replace(
    "    stage: {{",
    "    status: {{enum: [new, paying, gone], history: {{table: statuses, contact: id, time: at, value: status}}}}\n"
    "    stage: {{",
    1,
)

# --- what the shared strategies do not make yet -----------------------------------------------------------------

lengths = strategies.durations
statuses = st.sampled_from(['"new"', '"paying"', '"gone"'])
step = st.one_of(st.just("visited"), strategies.visits, strategies.orders)
gap = st.one_of(st.just(""), joined(" within ", lengths))
positive = st.one_of(joined(" then ", step, gap), joined(" then not ", step, " then ", step, gap))
same = st.sampled_from(["", "", " with same shared", " with same day"])
without = st.one_of(
    st.just(""),
    joined(" without ", step),
    joined(" without any ", step),
    joined(" without ", step, " within ", lengths, " before"),
)
window = strategies.event_windows.filter(lambda w: not w.startswith((" after", " before")))
waiting = st.one_of(joined(" then not ", step, " within ", lengths), joined(" then not ", step))
sequences = st.one_of(
    joined(step, positive, same, without, window),
    joined(step, positive, " all within ", lengths, same, window),
    joined(step, waiting, same, window),
    joined(step, positive, waiting, same, without, window),
    joined(step, " then not ", step, " all within ", lengths, window),
    joined(step, positive, " then not ", step, " all within ", lengths, same, window),
    joined("visited without purchased within ", lengths, " before", window),
)
histories = st.one_of(
    joined("status was ", statuses, " ", strategies.window_durations, " ago"),
    joined("status changed to ", statuses, strategies.event_windows),
    joined("status changed", strategies.event_windows),
    joined("status = ", statuses),
    joined("status was ever ", statuses),
)
dates = st.sampled_from(["signup date", "renewal date"])
anniversaries = st.one_of(
    joined("anniversary of ", dates, " in next ", strategies.window_durations),
    joined("anniversary of ", dates, " ", st.sampled_from(["today", "this month", "next week", "yesterday"])),
)
ahead = st.one_of(
    joined(dates, " in next ", strategies.window_durations),
    joined(dates, " in the future"),
    joined("purchased where (due ", strategies.moving_windows, ")", strategies.counts, window),
    joined("sum(amount of purchased where (due ", strategies.moving_windows, ")", window, ") > 0.30"),
    joined("last(product of purchased where (not due ", strategies.moving_windows, ")", window, ') != "a"'),
    joined("purchased where (due ", strategies.anchored_windows.filter(lambda w: "date" not in w and "(" not in w), ")")
    if False
    else joined("purchased where (day ", strategies.moving_windows, ") then visited", window),
)
memberships = st.sampled_from(
    ["in segment quiet", "not in segment quiet", "in segment cart", "fit >= 2", "2 * fit < lead score", "fit = fit"]
)
more = st.one_of(sequences, sequences, histories, anniversaries, ahead, memberships)
rules = st.recursive(
    st.one_of(more, more, strategies.tests),
    lambda inner: st.one_of(
        joined("not (", inner, ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " and ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " or ".join(parts) + ")"),
    ),
    max_leaves=3,
)
NAMED = """\
segment quiet:
    not visited in 7d and fit >= 0
segment cart:
    visited then not purchased within 1d in 7d
"""
changes = st.lists(st.tuples(strategies.instants_at, st.sampled_from([None, "new", "paying", "gone"])), max_size=5)
nows = st.one_of(
    st.just(NOW),
    st.just(NOW),
    st.sampled_from(
        [NOW - 1, NOW + 1, NOW - DAY, instant("2026-03-29T00:59:59.999999Z"), instant("2025-10-26T00:30Z")]
    ),
    st.integers(NOW - 400 * DAY, NOW + 60 * DAY),
)


# --- the check --------------------------------------------------------------------------------------------------


def frozen(person: Facts, now: int) -> Facts:
    """The facts without what happened after `now`."""
    events = {kind: [row for row in rows if row[0] <= now] for kind, rows in person.events.items()}
    history = {key: [row for row in rows if row[0] <= now] for key, rows in person.history.items()}
    return Facts(
        person.id, person.attributes, {k: v for k, v in events.items() if "\t" not in k}, person.lists, history
    )


STEPS = sorted(
    {
        *(sign * seconds * 10**6 for seconds in strategies.DURATIONS.values() for sign in (-1, 0, 1)),
        *(days * DAY for days in (28, 29, 30, 31, 59, 60, 61, 89, 90, 91, 92, 365, 366, 730)),
        *(sign * n * 10 * DAY for n in (1, 2, 3, 4, 5, 6, 7) for sign in (-1, 1)),
        *(n * 7 * DAY for n in (1, 2, 3, 4, 5, 6, 7)),
    }
)


def samples(person: Facts, now: int, more: Sequence[int]) -> list[int]:
    """Instants at which the answer might change, the microseconds beside them, and others; sorted, after `now`."""
    stored = [value for value in person.attributes.values() if isinstance(value, int) and abs(value) > 10**12]
    stored += [row[0] for rows in person.events.values() for row in rows]
    stored += [v for rows in person.events.values() for _, p in rows for v in p.values() if isinstance(v, int)]
    stored += [row[0] for rows in person.history.values() for row in rows]
    near = {instant + step for instant in {*stored, now} for step in STEPS}
    near |= {now - now % (DAY // 24) + hours * DAY // 24 for hours in range(24 * 40)}  # clocks' midnights, anywhere
    found = {instant + beside for instant in near for beside in (-1, 0, 1)} | {now + n for n in more}
    return sorted(instant for instant in found if now < instant <= LAST)


def check(compiled: CompiledProgram, probe: Probe, name: str, person: Facts, now: int, at: list[int]) -> None:
    holds = compiled.predicate(name)
    still = compiled.index(frozen(person, now))
    rule = probe.program.segments[name].rule
    outlook = Outlook(probe, person, now)
    current = holds(person, now)
    assert current == holds(still, now)
    assert outlook.answer(rule)(now, now) == current
    found = flips(outlook, rule)
    if found is not None:
        assert found > now
        assert holds(still, found) != current, isoformat(found)
        assert holds(still, found - 1) == current, isoformat(found)
    for each in at[: len(at) if found is None else bisect_left(at, found)]:
        assert holds(still, each) == current, f"changes at {isoformat(each)}, and {found} was found"


def people(world: dict[str, Any], histories: dict[str, list[tuple[str, Any]]]) -> tuple[Catalog, list[Facts]]:
    text = CATALOG.format(zone=world["zone"])
    catalog, _ = load_text(text + "\ndatabase: .\n", "segdsl.yml", Path())
    assert catalog is not None
    small = World(text, world["contacts"], world["tables"])
    found = []
    for person in small.people(catalog):
        attributes = {name: value for name, value in person.attributes.items() if name != "status"}
        found.append(
            facts(replace(person, attributes=attributes, history={"status": histories[str(person.id)]}), catalog)
        )
    return catalog, found


@settings(COMMON, max_examples=max(1, CASES // RULES // 2))
@given(
    strategies.worlds,
    st.fixed_dictionaries(dict.fromkeys("abcde", changes)),
    st.lists(st.one_of(rules, rules, strategies.rules), min_size=RULES, max_size=RULES),
    nows,
    st.lists(st.integers(1, 800 * DAY), max_size=40),
)
def test_nothing_changes_before_and_all_changes_then(
    world: dict[str, Any], history: dict[str, list[tuple[str, Any]]], texts: list[str], now: int, more: list[int]
) -> None:
    catalog, found = people(world, history)
    segments = "".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(texts))
    program = program_of(strategies.SCORE + NAMED + segments, catalog)
    compiled = compile_program(program)
    # A segment that others refer to is in the probe's program, so the roots are given as references.
    probe = Probe(program, [core.InSegment(name) for name in program.segments])
    for person in found:
        at = samples(person, now, more)
        for index, text in enumerate(texts):
            try:
                check(compiled, probe, f"r{index}", person, now, at)
            except Exception:
                note(f"rule: {text}\ncontact: {person.id}\nzone: {world['zone']}\nnow: {isoformat(now)}")
                raise
