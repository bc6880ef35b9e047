"""When a test is to be looked at again with no news: no later than the first instant at which its answer may change.

A window's edge moves over a contact's instants, and between two of them nothing changes. To find the next one is a
search in a sorted array; to look once too often costs one answer. The exact search (`next_change`) is for tests of
which that cannot be said: tests of events that ask for now themselves, and calendar windows and anniversaries where
clocks fell back across midnight.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from segdsl.analysis.outlook.edges import OverAnniversaries, OverEvents, OverHistory, OverValue, Unsure, moving
from segdsl.analysis.outlook.next_change import flips
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.analysis.outlook.probe import Probe
from segdsl.backends.python.index import Index
from segdsl.backends.python.runtime import END
from segdsl.core import nodes as core
from segdsl.core.time import Edge, FromNow, next_anniversary, reaches

Known = core.Attribute | core.Held | core.Measure
Watch = Callable[[Index, int], int | None]  # a contact and now -> when to look again, later than now; None: never


def watch(rule: core.Rule, nodes: Iterable[core.Node], probe: Probe) -> Watch:
    """The watch of a rule of the probe; `nodes` are all that it asks, through segments and scores, too.

    The index must not hold events later than now.
    """
    return by_edges(nodes, probe) or (lambda index, now: flips(Outlook(probe, index, now), rule))


def by_edges(nodes: Iterable[core.Node], probe: Probe) -> Watch | None:
    """The same by the edges of windows alone, of an index that may hold later events; None where edges do not tell."""
    found: dict[object, Watch] = {}
    try:
        for node in nodes:
            found.update(_watches(node, probe))
    except _Searched:
        return None
    watches = list(found.values())

    def first(index: Index, now: int) -> int | None:
        instants = [instant for each in watches if (instant := each(index, now)) is not None and instant > now]
        return min(instants, default=None)

    return first


class _Searched(Exception):  # noqa: N818  (no error: it takes the exact search)
    pass


def _watches(node: core.Node, probe: Probe) -> Iterator[tuple[object, Watch]]:
    for each in moving(node):
        match each:
            case OverEvents(branches=branches, edge=edge):
                yield (branches, edge), _over(branches, edge, probe)
            case OverValue(value=value, edge=edge):
                yield (value, edge), _of_value(value, edge, probe)
            case OverHistory(key=key, at=at):
                yield (key, at), _of_history(key, at)
            case OverAnniversaries(value=value, zone=zone, edge=edge):
                yield (value, zone, edge), _of_anniversaries(value, zone, edge, probe)
            case Unsure():
                raise _Searched


def _passed(edge: Edge, instant: int) -> int | None:
    """When an edge gets to an instant."""
    if isinstance(edge, FromNow) and not edge.months:
        return instant - edge.microseconds
    return reaches(edge, instant)


def _over(branches: tuple[core.Branch, ...], edge: Edge, probe: Probe) -> Watch:
    """When an edge gets to the next of some events."""
    number, _ = probe.compiled.slot(branches)

    def watch(index: Index, now: int) -> int | None:
        times = index.slots[number] or index.slot(number)
        following = times[bisect_right(times, edge.resolve(now))]
        return None if following == END else _passed(edge, following)

    return watch


def _of_value(value: Known, edge: Edge, probe: Probe) -> Watch:
    """When an edge gets to an instant that is asked about, as that is now."""
    of = _known(value, probe)

    def watch(index: Index, now: int) -> int | None:
        instant = of(index, now)
        return _passed(edge, instant) if isinstance(instant, int) and instant > edge.resolve(now) else None

    return watch


def _of_anniversaries(value: Known, zone: str, edge: Edge, probe: Probe) -> Watch:
    """When an edge gets to the next anniversary of a date, as that is now."""
    of = _known(value, probe)

    def watch(index: Index, now: int) -> int | None:
        instant = of(index, now)
        following = next_anniversary(instant, zone, edge.resolve(now)) if isinstance(instant, int) else None
        return None if following is None else _passed(edge, following)

    return watch


def _known(value: Known, probe: Probe) -> Callable[[Index, int], object]:
    """What is known of a contact at an instant."""
    match value:
        case core.Attribute(key=key, relation=relation):
            return lambda index, now: index.attributes.get((relation, key))
        case core.Held(key=key, at=at):
            return lambda index, now: index.held(key, at.resolve(now))
        case core.Measure():
            return probe.value(value)


def _of_history(key: str, at: Edge) -> Watch:
    """When an edge gets to the next change of an attribute with a history."""

    def watch(index: Index, now: int) -> int | None:
        rows = index.facts.history.get(key, ())
        following = bisect_right(rows, at.resolve(now), key=itemgetter(0))
        return None if following == len(rows) else _passed(at, rows[following][0])

    return watch
