"""The events behind a measure or a sequence, from one contact's facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from segdsl.analysis.explain.explanation import SHOWN, Witness
from segdsl.analysis.explain.wording import plain
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.backends.python.columns import value_of
from segdsl.backends.python.runtime import BEGIN, END
from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.contact import Row
from segdsl.core.time import Span, to_zoned

Kept = tuple[int, str, Row]  # an event: when, of which kind, and its row


class Witnesses:
    """Finds and words the events of one contact, as it is at the outlook's `now`."""

    def __init__(self, catalog: Catalog, outlook: Outlook) -> None:
        self.catalog = catalog
        self.outlook = outlook
        self.zone = catalog.timezone

    # --- events -----------------------------------------------------------------------------------------------

    def window(self, span: Span | core.Anchored | None, at: int | None = None) -> tuple[int, int] | None:
        """The window (lo, hi] at an instant (None: at now), cut off there; None if its anchor is unknown."""
        at = self.outlook.now if at is None else at
        if span is None:
            return BEGIN, END - 1
        if isinstance(span, core.Anchored):
            anchor = self.value(span.anchor, at)
            return None if anchor is None else (anchor + span.lo, min(anchor + span.hi, at))
        lo, hi = span.resolve_for_events(at)
        return BEGIN if lo is None else lo, hi

    def value(self, node: core.Value, at: int | None = None) -> Any:
        """A value at an instant, None if unknown: of an attribute, or of a value that the probe was given."""
        if isinstance(node, core.Attribute):
            return self.outlook.index.attributes.get((node.relation, node.key))
        return self.outlook.probe.value(node)(self.outlook.index, self.outlook.now if at is None else at)

    def events(self, branches: Iterable[core.Branch], lo: int, hi: int) -> list[Kept]:
        """The events of some branches in (lo, hi], by time."""
        outlook = self.outlook
        found: list[Kept] = []
        for branch in branches:
            number, _ = outlook.probe.compiled.slot((branch,))
            found += [
                (row[0], branch.kind, row) for row in outlook.index.rows(number, outlook.now) if lo < row[0] <= hi
            ]
        return sorted(found, key=itemgetter(0))

    def of_measure(self, measure: core.Measure) -> list[Kept]:
        """The events that a measure rests on, by time: all in its window, the best group, or the one it picks."""
        window = self.window(measure.events.span)
        if window is None:
            return []
        found = self.events(measure.events.branches, *window)
        of = measure.of
        if of is not None:
            found = [kept for kept in found if value_of(of, *kept[2]) is not None]
        if measure.same:
            found = _largest(found, measure)
        elif measure.within is not None:
            found = _densest(found, measure.within)
        match measure.kind:
            case "first" | "last" | "min" | "max" | "percentile":
                value = self.value(measure)
                picked = [kept for kept in found if value == (kept[0] if of is None else value_of(of, *kept[2]))]
                return picked[:1] if measure.kind == "first" else picked[-1:]
            case _:
                return found

    def of_path(self, chain: core.Chain, path: Sequence[int]) -> list[Kept]:
        """An event for each step of a chain that was found, alike in what the chain's events share."""
        choices = [
            self.events(step.branches, at - 1, at) for step, at in zip(chain.steps, path, strict=False)
        ]  # a path may be of the first steps only
        keys = [{_key(kept, chain.same) for kept in choice} for choice in choices]
        common = set.intersection(*keys) if keys else set()
        return [
            next((kept for kept in choice if _key(kept, chain.same) in common), choice[0])
            for choice in choices if choice
        ]  # fmt: skip

    # --- words ------------------------------------------------------------------------------------------------

    def shown(self, events: Sequence[Kept]) -> tuple[tuple[Witness, ...], int]:
        """The latest few, latest first, and how many others there are."""
        return tuple(self.worded(kept) for kept in reversed(events[-SHOWN:])), max(len(events) - SHOWN, 0)

    def worded(self, kept: Kept) -> Witness:
        """An event as the catalog names it."""
        at, kind, (_, properties) = kept
        attribute = core.changed_attribute(kind)
        if attribute is not None:
            declared = self.catalog.attributes[attribute]
            values = {end: plain(properties[end], declared.type, self.zone) for end in ("from", "to")}
            return Witness(f"{declared.name} changed", to_zoned(at, self.zone), None, values)
        event = self.catalog.events[kind]
        values = {
            prop.name: plain(properties[key], prop.type, self.zone)
            for key, prop in event.properties.items() if properties.get(key) is not None
        }  # fmt: skip
        return Witness(event.name, to_zoned(at, self.zone) if event.time else None, None, values)

    def stored(self, node: core.Attribute | core.Held) -> Witness:
        """An attribute's value."""
        relation = node.relation if isinstance(node, core.Attribute) else None
        owner = self.catalog.attributes if relation is None else self.catalog.relations[relation].attributes
        name = (
            owner[node.key].name
            if relation is None
            else f"{self.catalog.relations[relation].name}.{owner[node.key].name}"
        )
        return Witness(name, None, plain(self.value(node), node.type, self.zone), is_event=False)


def _key(kept: Kept, same: Iterable[core.Property | core.PeriodOf]) -> tuple[Any, ...]:
    return tuple(value_of(part, *kept[2]) for part in same)


def _largest(events: list[Kept], measure: core.Measure) -> list[Kept]:
    """The largest group of events that agree in what the measure says, or with a burst the largest burst of one."""
    groups: dict[tuple[Any, ...], list[Kept]] = {}
    for kept in events:
        key = _key(kept, measure.same)
        if None not in key:
            groups.setdefault(key, []).append(kept)
    if measure.within is not None:
        return max((_densest(group, measure.within) for group in groups.values()), key=len, default=[])
    sizes = Counter({key: len(group) for key, group in groups.items()})
    return groups[sizes.most_common(1)[0][0]] if sizes else []


def _densest(events: list[Kept], within: int) -> list[Kept]:
    """The latest of the largest runs that fit into (s - within, s]."""
    best: list[Kept] = []
    for run in _runs(events, within):
        if len(run) >= len(best):
            best = [*run]
    return best


def _runs(events: list[Kept], within: int) -> Iterator[list[Kept]]:
    tail = 0
    best = 0
    for head, kept in enumerate(events):
        while events[tail][0] <= kept[0] - within:
            tail += 1
        if head - tail + 1 >= best:  # only runs that are copied cost anything
            best = head - tail + 1
            yield events[tail : head + 1]
