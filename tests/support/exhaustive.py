"""Sequences by trying every chain of events: slow, and as plain as docs/language.md (Sequences)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.time import Span

Row = tuple[int, Mapping[str, Any]]


def holds(chain: core.Chain, facts: Facts, now: int) -> bool:
    """Whether some chain of the contact's events fits."""
    assert isinstance(chain.span, Span)
    lo, hi = chain.span.resolve_for_events(now)

    def rows(branches: Sequence[core.Branch], key: object = None) -> list[int]:
        """The instants of events up to now that agree in `key`."""
        found = []
        for branch in branches:
            for t, properties in facts.events.get(branch.kind, ()):
                if t <= now and fits(branch.where, properties) and (not chain.same or keyed(properties) == key):
                    found.append(t)
        return found

    def keyed(properties: Mapping[str, Any]) -> object:
        values = tuple(properties.get(part.key) for part in chain.same if isinstance(part, core.Property))
        return None if None in values else values

    keys = {keyed(p) for b in chain.steps[0].branches for _, p in facts.events.get(b.kind, ())} if chain.same else {()}
    for key in keys - {None}:
        for times in chains([rows(step.branches, key) for step in chain.steps]):
            first, last = times[0], times[-1]
            if not all((lo is None or lo < t) and t <= hi for t in times):
                continue
            if any(s.within is not None and b - a > s.within
                   for s, a, b in zip(chain.steps[1:], times, times[1:], strict=False)):  # fmt: skip
                continue
            if any(a < x < b for s, a, b in zip(chain.steps[1:], times, times[1:], strict=False)
                   for x in rows(s.forbidden, key)):  # fmt: skip
                continue
            if chain.total is not None and last - first > chain.total:
                continue
            if chain.without is not None:
                absent, place = rows(chain.without.branches, key), chain.without.place
                if place == "ever" and absent:
                    continue
                if place == "between" and any(first < x < last for x in absent):
                    continue
                if isinstance(place, int) and any(first - place <= x < first for x in absent):
                    continue
            if all(waited(wait, chain.total, rows(wait.forbidden, key), first, last, now) for wait in chain.waits):
                return True
    return False


def waited(wait: core.Wait, total: int | None, forbidden: Sequence[int], first: int, last: int, now: int) -> bool:
    end = last + wait.within if wait.within is not None else first + total if total is not None else now
    return end <= now and not any(last < x <= end for x in forbidden)


def chains(steps: Sequence[Sequence[int]], after: int | None = None) -> Iterator[tuple[int, ...]]:
    """Every way to take an instant of each step, each strictly later than the one before."""
    if not steps:
        yield ()
        return
    for t in steps[0]:
        if after is None or t > after:
            for rest in chains(steps[1:], t):
                yield (t, *rest)


def fits(rule: core.Rule, properties: Mapping[str, Any]) -> bool:
    """Objects without wildcards are all that the generated sequences ask for."""
    match rule:
        case core.All(parts=()):
            return True
        case core.Match(value=core.Property(key=key), globs=globs):
            return properties.get(key) in {"".join(map(str, glob)) for glob in globs}
    raise AssertionError(rule)
